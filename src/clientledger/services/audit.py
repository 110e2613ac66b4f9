"""The audit: everything recomputed from the entries, and compared with what is stored."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Release
from clientledger.domain.journal import Balance, Journal, OpenItem, PurchaseDay
from clientledger.domain.posting import Head
from clientledger.domain.timeline import TimelineItem
from clientledger.ports import (
    BalanceQuery,
    ClientQuery,
    EventQuery,
    FigureQuery,
    HeadQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Reading,
    TimelineQuery,
)
from clientledger.services.desk import Desk
from clientledger.services.links import journal_of

__all__ = ["Problem", "Report", "verify"]


@attrs.frozen(kw_only=True)
class Problem:
    """A row that disagrees with the facts.

    Attributes:
        what: the kind of row or rule.
        client: whose it is, or None.
        row: which row, in words.
        stored: what the store says.
        computed: what the facts say.
    """

    what: str
    client: UUID | None
    row: str
    stored: str
    computed: str

    def __str__(self) -> str:
        return f"{self.what} {self.row}: stored {self.stored}, the facts say {self.computed}"


@attrs.frozen(kw_only=True)
class Report:
    """What an audit found.

    Attributes:
        clients, entries, rows: how many were checked; rows are derived ones.
        problems: empty where all agrees.
    """

    clients: int
    entries: int
    rows: int
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.problems


def verify(desk: Desk) -> Report:
    """Recompute every figure from the facts of each client and compare it with the stored rows."""
    problems: list[Problem] = []
    entries = rows = 0
    with desk.glance() as glance:
        clients = glance.reading.find(ClientQuery())
        heads = {head.client: head for head in glance.reading.find(HeadQuery())}
        for client in clients:
            journal = journal_of(glance.reading, client.id)
            entries += len(journal.entries)
            head = heads.get(client.id)
            problems += _rules(client.id, journal, head)
            problems += _edition(client.id, head, glance.settings.edition)
            for query in _figures(client.id):
                stored = glance.reading.find(query)
                computed = glance.reading.compute(query)
                rows += len(computed)
                problems += _differences(client.id, stored, computed)
        problems += _feed(glance.reading)
    return Report(clients=len(clients), entries=entries, rows=rows, problems=tuple(problems))


def _figures(client: UUID) -> tuple[FigureQuery[Any], ...]:
    return (
        BalanceQuery(client=client),
        OpenItemQuery(client=client, open_only=False),
        PurchaseDayQuery(client=client),
        TimelineQuery(client=client),
    )


def _differences(client: UUID, stored: Iterable[Any], computed: Iterable[Any]) -> Iterator[Problem]:
    before = {_name(row): row for row in stored}
    after = {_name(row): row for row in computed}
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            row = before.get(name) or after[name]
            yield Problem(
                what=type(row).__name__,
                client=client,
                row=name,
                stored=_told(before.get(name)),
                computed=_told(after.get(name)),
            )


def _name(row: Any) -> str:
    match row:
        case OpenItem():
            return f"{row.entry}/{row.instalment}"
        case Balance():
            return row.currency
        case PurchaseDay():
            return f"{row.day}/{row.currency}"
        case TimelineItem():
            return str(row.id)
    raise TypeError(type(row))


def _told(row: Any) -> str:
    return "nothing" if row is None else str(row)


def _rules(client: UUID, journal: Journal, head: Head | None) -> Iterator[Problem]:
    """What the facts themselves must keep: a gap-free sequence, links within their documents."""
    numbers = sorted(entry.sequence for entry in journal.entries)
    expected = list(range(1, len(numbers) + 1))
    if numbers != expected or head is None or head.sequence != len(numbers):
        yield Problem(
            what="Head",
            client=client,
            row="sequence",
            stored=_told(head and head.sequence),
            computed=str(len(numbers)),
        )
    known = {entry.id: entry for entry in journal.entries}
    links: tuple[Allocation | Release, ...] = (*journal.allocations, *journal.releases)
    for fact in links:
        if not _linked(fact, known):
            yield Problem(
                what=type(fact).__name__,
                client=client,
                row=str(fact.id),
                stored=str(fact.amount),
                computed="no such pair of documents in this currency",
            )
    days = {entry.on for entry in journal.entries} | {link.on for link in links}
    for day in sorted(days):
        yield from _conserved(client, journal.at(day), day.isoformat())


def _edition(client: UUID, head: Head | None, edition: int) -> Iterator[Problem]:
    """The head knows the rules that bind every client as they are now."""
    if head is not None and head.edition != edition:
        yield Problem(
            what="Head",
            client=client,
            row="edition",
            stored=str(head.edition),
            computed=str(edition),
        )


def _linked(fact: Allocation | Release, known: dict[UUID, Entry]) -> bool:
    credit, debit = known.get(fact.credit), known.get(fact.debit)
    return (
        credit is not None
        and debit is not None
        and (credit.side, debit.side) == (CREDIT, DEBIT)
        and credit.amount.unit == debit.amount.unit == fact.amount.unit
        and fact.on >= max(credit.on, debit.on)
    )


def _conserved(client: UUID, journal: Journal, day: str) -> Iterator[Problem]:
    """Debits less credits are what is owed less what is prepaid, and nothing is negative."""
    sums: dict[str, int] = {}
    for entry in journal.entries:
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.signed
    query = BalanceQuery()
    for row in query.build(
        {Entry: journal.entries, Allocation: journal.allocations, Release: journal.releases}
    ):
        if (
            row.owed.minor - row.prepaid.minor != sums[row.currency]
            or min(row.owed.minor, row.prepaid.minor) < 0
        ):
            yield Problem(
                what="conservation",
                client=client,
                row=f"{day} {row.currency}",
                stored=f"{row.owed} owed, {row.prepaid} prepaid",
                computed=f"{sums[row.currency]} minor units in all",
            )


def _feed(reading: Reading) -> Iterator[Problem]:
    """Positions in the feed run from 1 without gaps."""
    places = [event.position for event in reading.find(EventQuery(sequenced=True))]
    if places != list(range(1, len(places) + 1)):
        yield Problem(
            what="feed",
            client=None,
            row="positions",
            stored=f"{len(places)} events up to {places[-1]}",
            computed="one after the other from 1",
        )
