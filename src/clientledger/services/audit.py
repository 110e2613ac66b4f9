"""The audit: everything recomputed from the entries, and compared with what is stored.

It only reads. Whatever lies in the store, an audit ends with a report: a row that cannot be read is
named like one that disagrees.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import (
    Balance,
    Journal,
    OpenItem,
    PurchaseDay,
    movements,
    new_items,
)
from clientledger.domain.money import Currency, currency_of
from clientledger.domain.posting import Head, LedgerFact
from clientledger.domain.seals import Anchor
from clientledger.domain.settings import Settings
from clientledger.domain.soundness import Problem, faults, last_recorded
from clientledger.domain.tasks import Task
from clientledger.domain.timeline import TimelineItem
from clientledger.errors import InvalidValue, StoreError
from clientledger.ports import (
    RECORD_SETS,
    ClientQuery,
    EventQuery,
    HeadQuery,
    MemberQuery,
    Query,
    Reading,
    TaskQuery,
)
from clientledger.services.claims import claims_of_nobody, claims_of_records
from clientledger.services.desk import Desk
from clientledger.services.rows import FIGURES, Facts, Rows, contradictions, differences, name_of
from clientledger.services.sealing import FeedCheck
from clientledger.services.telling import of_book, of_client

__all__ = ["DERIVED", "Report", "verify"]

DERIVED = tuple(kind.__name__ for kind in (Balance, OpenItem, PurchaseDay, TimelineItem))
"""What a problem is named that is about a derived row."""

_LEDGER = (Entry, Allocation, Release)


@attrs.frozen(kw_only=True)
class Report:
    """What an audit found.

    Attributes:
        clients, entries, rows: how many were checked; rows are derived ones.
        problems: empty where all agrees.
        sealed: how many events have their seal in the hash chain.
        unsealed: of a book with a hash chain, how many events at the end have none yet.
        forgotten: how many seals have lost their salt, so that what people wrote into their events
            could not be checked.
    """

    clients: int
    entries: int
    rows: int
    problems: tuple[Problem, ...] = ()
    sealed: int = 0
    unsealed: int = 0
    forgotten: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.problems


def verify(desk: Desk, anchor: Anchor | None = None) -> Report:
    """Recompute every figure from the facts of each client and compare it with the stored rows.

    Args:
        anchor: the end of the hash chain at some moment.
    """
    with desk.scope.snapshot() as reading:
        return _Audit(reading, anchor).run()


class _Audit:
    """An audit of one state."""

    def __init__(self, reading: Reading, anchor: Anchor | None) -> None:
        self._reading = reading
        self._rows = Rows(reading)
        self._anchor = anchor
        self._settings: Settings | None = None
        self._units: dict[str, Currency] = {}
        self._seen: Counter[type[Any]] = Counter()
        self._subjects: Mapping[str, set[str]] = {}  # of events of no client
        self._entries = self._computed = self._waiting = 0

    def run(self) -> Report:
        """Look at everything."""
        problems = [*self._read_settings()]
        clients = {client.id: client for client in self._rows.read(ClientQuery())}
        heads = {head.client: head for head in self._rows.read(HeadQuery())}
        for id in sorted({*clients, *heads}):
            problems += self._guarded(id, self._client(id, clients.get(id), heads.get(id)))
        problems += self._guarded(None, self._book())
        chain = FeedCheck(self._rows, self._chained, self._anchor)
        problems += self._guarded(None, self._feed(chain))
        problems += self._guarded(None, claims_of_nobody(self._rows))
        problems += self._guarded(None, self._of_nobody({*clients, *heads}))
        problems += [*self._reading.strays(), *self._rows.problems]
        return Report(
            clients=len(clients),
            entries=self._entries,
            rows=self._computed,
            problems=tuple(dict.fromkeys(problems)),
            sealed=chain.sealed,
            unsealed=chain.unsealed + self._waiting if self._chained else 0,
            forgotten=chain.forgotten,
        )

    @property
    def _chained(self) -> bool:
        return self._settings is not None and self._settings.hash_chain

    def _guarded(self, client: UUID | None, found: Iterable[Problem]) -> Iterator[Problem]:
        """Give what is found; what makes it impossible to look further is found, too."""
        try:
            yield from found
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - facts that break every rule
            yield Problem(
                what="figures",
                client=client,
                row="all of the client" if client else "all of the book",
                stored=f"what cannot be computed with ({type(error).__name__}: {error})",
                computed="facts that keep the rules",
            )

    def _read_settings(self) -> Iterator[Problem]:
        try:
            found = self._reading.lookup(Settings, Settings().id)
            self._settings = found or Settings()
        except StoreError as error:
            yield Problem(
                what="Settings",
                client=None,
                row=str(Settings().id),
                stored=f"what cannot be read ({error.message})",
                computed="the settings of a book",
            )

    # -------------------------------------------------------- one client
    def _client(self, id: UUID, client: Client | None, head: Head | None) -> Iterator[Problem]:
        facts = Facts.read(self._rows, id)
        self._entries += len(facts.of[Entry])
        for kind, rows in facts.of.items():
            self._seen[kind] += len(rows)
        yield from self._card(id, client, head)
        if facts.whole(*_LEDGER):
            journal = facts.journal
            yield from self._guarded(id, _rules(id, journal))
            yield from self._units_of(journal)
            yield from _head(id, client, head, journal)
            yield from self._guarded(id, _every_day(id, journal))
            if facts.whole(Event):
                yield from of_client(id, facts)
        yield from self._agreed(facts)
        yield from self._claims(client, facts)
        yield from self._guarded(id, self._derived(id, facts))

    def _card(self, id: UUID, client: Client | None, head: Head | None) -> Iterator[Problem]:
        """A client has a head, and a head a client; both know the rules as they are now."""
        unread = {(problem.what, problem.row) for problem in self._rows.problems}
        for kind, row in ((Client, client), (Head, head)):
            if row is None and (kind.__name__, str(id)) not in unread:
                yield _problem(kind, id, str(id), "nothing", "one for each client")
        if head is None:
            return
        if self._settings is not None and head.edition != self._settings.edition:
            yield _problem(Head, id, "edition", head.edition, self._settings.edition)
        if client is not None and head.archived != client.archived:
            yield _problem(Head, id, "archived", head.archived, client.archived)

    def _units_of(self, journal: Journal) -> Iterator[Problem]:
        """One code is one currency in all of the book."""
        facts: tuple[LedgerFact, ...] = (*journal.entries, *journal.allocations, *journal.releases)
        for fact in facts:
            unit = fact.amount.unit
            if unit.code not in self._units:
                self._units[unit.code] = self._unit(unit)
            right = self._units[unit.code]
            if unit != right:
                has = f"{fact.amount} with {unit.digits} decimals"
                yield _problem(type(fact), fact.client, str(fact.id), has, right.digits)

    def _unit(self, unit: Currency) -> Currency:
        """What a code means; one that is on no list is what its first document says."""
        known = {} if self._settings is None else self._settings.known
        try:
            return currency_of(unit.code, known)
        except InvalidValue:
            return unit

    def _agreed(self, facts: Facts) -> Iterator[Problem]:
        """The agreements that entries name are the client's."""
        if not facts.whole(Entry, Agreement):
            return
        known = {agreement.id for agreement in facts.of[Agreement]}
        for entry in facts.of[Entry]:
            for id in entry.agreements:
                if id not in known:
                    told = f"the agreement {id}", "one of the client's"
                    yield _problem(Entry, entry.client, str(entry.id), *told)

    def _claims(self, client: Client | None, facts: Facts) -> Iterator[Problem]:
        kinds = (Entry, Interaction, Agreement, Task)
        records = [row for kind in kinds for row in facts.of[kind]]
        if client is not None:
            records.append(client)
        if facts.whole(*kinds):
            yield from claims_of_records(self._rows, records, facts.journal.voids)

    def _derived(self, id: UUID, facts: Facts) -> Iterator[Problem]:
        compared = list(differences(self._rows, id, facts))
        for one in compared:
            self._seen[one.kind] += len(one.stored)
            self._computed += one.computed
            yield from one.problems
        if facts.whole(Entry):
            yield from contradictions(facts, compared)

    # -------------------------------------------------------- the book
    def _book(self) -> Iterator[Problem]:
        """What belongs to no client: members, tasks, events."""
        tasks = [task for task in self._rows.read(TaskQuery()) if task.client is None]
        self._seen[Task] += len(tasks)
        yield from claims_of_records(self._rows, tasks)
        members = {member.id for member in self._rows.read(MemberQuery())}
        self._subjects = {
            "task": {str(task.id) for task in tasks},
            "member": members,
            "team": members,
        }
        waiting = self._rows.read(EventQuery(sequenced=False))
        self._waiting = len(waiting)
        yield from self._of_book(waiting)

    def _of_book(self, events: Iterable[Event]) -> Iterator[Problem]:
        own = [event for event in events if event.client is None]
        self._seen[Event] += len(own)
        if not any(problem.what in ("Task", "Member") for problem in self._rows.problems):
            yield from of_book(own, self._subjects)

    def _feed(self, chain: FeedCheck) -> Iterator[Problem]:
        for events, problems in chain.run():
            yield from problems
            yield from self._of_book(events)

    def _of_nobody(self, known: set[UUID]) -> Iterator[Problem]:
        """Rows of clients that are not there: more of a kind than was seen with the clients."""
        queries: dict[type[Any], Query[Any]] = {kind: RECORD_SETS[kind]() for kind in _SEEN}
        unread = Counter(problem.what for problem in self._rows.problems)
        for kind, query in {**queries, **FIGURES}.items():
            seen = self._seen[kind] + unread[kind.__name__]
            rows = () if self._reading.total(query) == seen else self._rows.read(query)
            for row in rows:
                if row.client is not None and row.client not in known:
                    yield _problem(kind, row.client, name_of(row), row, "no such client")


_SEEN = (Entry, Allocation, Release, Interaction, Agreement, Task, Event)


def _problem(kind: type[Any], client: UUID, row: str, stored: object, computed: object) -> Problem:
    return Problem(
        what=kind.__name__, client=client, row=row, stored=str(stored), computed=str(computed)
    )


# ------------------------------------------------------------ rules of the facts of a client
def _rules(client: UUID, journal: Journal) -> Iterator[Problem]:
    """What the facts must keep among themselves, and a sequence without gaps."""
    for fault in faults(journal):
        yield _problem(type(fault.fact), client, str(fault.fact.id), fault.has, fault.should)
    place = 1
    for number in sorted({entry.sequence for entry in journal.entries}):
        if number != place:
            last = number - 1
            row = f"sequence {place}" if place == last else f"sequence {place} to {last}"
            yield _problem(Entry, client, row, "nothing", "one after the other from 1")
        place = number + 1


def _head(
    id: UUID, client: Client | None, head: Head | None, journal: Journal
) -> Iterator[Problem]:
    """The head says how far the facts go."""
    if head is None:
        return
    last = max((entry.sequence for entry in journal.entries), default=0)
    if head.sequence != last:
        yield _problem(Head, id, "sequence", head.sequence, last)
    recorded = None if client is None else last_recorded(journal, client.created_at)
    if recorded is not None and head.recorded_at != recorded:
        yield _problem(Head, id, "recorded_at", head.recorded_at, recorded)
    facts: tuple[LedgerFact, ...] = (*journal.entries, *journal.allocations, *journal.releases)
    least = 1 + len({fact.recorded_at for fact in facts})  # a command writes at one moment
    if head.version < least:
        yield _problem(Head, id, "version", head.version, f"at least {least}")


def _every_day(client: UUID, journal: Journal) -> Iterator[Problem]:
    """On every day debits less credits are what is owed less what is prepaid; none is negative."""
    moves: dict[str, dict[date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for entry in journal.entries:
        moves[entry.currency][entry.on]["all"] += entry.signed
    moved = movements(journal)
    for entry in journal.entries:
        void = journal.voids.get(entry.id)
        for item in new_items(entry):
            days = [(item.on, item.amount.minor), *moved.get(item.key, ())]
            if void is not None:
                days.append((void.on, -item.amount.minor))
            for on, minor in days:
                moves[item.currency][on][item.side] += minor
    for currency, days_of in moves.items():
        sums: Counter[str] = Counter()
        for on in sorted(days_of):
            sums.update(days_of[on])
            owed, prepaid = sums[DEBIT], sums[CREDIT]
            if owed - prepaid != sums["all"] or min(owed, prepaid) < 0:
                yield Problem(
                    what="conservation",
                    client=client,
                    row=f"{on} {currency}",
                    stored=f"{owed} minor units owed, {prepaid} prepaid",
                    computed=f"{sums['all']} in all",
                )
