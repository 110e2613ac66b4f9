"""The definition of every figure: pure functions on the facts of the ledger.

A `Journal` holds facts. What was true on a day, or was known at a moment, is the same functions
on fewer facts: `Journal.at` leaves out what is dated later and what was recorded later. Nothing
else in the library decides what is open, owed or prepaid; a store that keeps such figures as
rows is proved equal to this module by the conformance kit.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar
from uuid import UUID

import attrs

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Instalment, Release
from clientledger.domain.money import Currency, Money

__all__ = [
    "Balance",
    "Journal",
    "OpenItem",
    "Origin",
    "PurchaseDay",
    "balances",
    "movements",
    "new_items",
    "open_items",
    "purchase_days",
    "purchase_of",
]

ItemKey = tuple[UUID, int]
F = TypeVar("F", Entry, Allocation, Release)


@attrs.frozen(kw_only=True)
class Origin:
    """What a figure is of, so that it can be explained: it is no part of the figure's value.

    Attributes:
        as_of: the day that the figure is for.
        known_at: the moment as known at which it is, or None for all that is recorded.
        by: of an ageing bucket, from which day it counts: "due" or "date".
    """

    client: UUID
    currency: str
    as_of: date
    known_at: datetime | None = None
    by: str = "due"


@attrs.frozen(kw_only=True)
class OpenItem:
    """The part of a debit's instalment not yet settled, or of a credit not yet allocated.

    Attributes:
        entry: the id of the document.
        sequence: the document's place among the client's entries.
        kind: the document's kind.
        side: "debit" or "credit".
        number: the document's number, or None.
        instalment: the number of the instalment, from 1; 0 for a credit.
        on: the document's date.
        due: the day the instalment falls due; None for a credit.
        amount: of the instalment, or of the credit.
        open: what is left of it; zero for a voided document.
        latest: the last day on which anything happened to it.
        origin: the day and moment it was asked for, for `book.ledger.explain`.
    """

    client: UUID
    entry: UUID
    sequence: int
    kind: str
    side: str
    number: str | None = None
    instalment: int
    on: date
    due: date | None
    amount: Money
    open: Money
    latest: date
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.amount.currency

    @property
    def key(self) -> ItemKey:
        """What allocations name it by: the document and the number of the instalment."""
        return self.entry, self.instalment

    def overdue(self, as_of: date) -> bool:
        """Whether something is open after its due date: from the day after it."""
        return self.side == DEBIT and self.due is not None and self.due < as_of and bool(self.open)


@attrs.frozen(kw_only=True)
class Balance:
    """What a client owes and has prepaid in one currency, and the last day anything moved it."""

    client: UUID
    owed: Money
    prepaid: Money
    latest: date

    @property
    def unit(self) -> Currency:
        """The currency."""
        return self.owed.unit

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.owed.currency


@attrs.frozen(kw_only=True)
class PurchaseDay:
    """What a client bought on one day in one currency: live sales less live credit notes."""

    client: UUID
    day: date
    count: int
    sold: Money
    latest: date

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.sold.currency


@attrs.frozen(slots=False)
class Journal:
    """Facts of the ledger, of one client or of many."""

    entries: tuple[Entry, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    releases: tuple[Release, ...] = ()

    def at(self, as_of: date | None = None, known_at: datetime | None = None) -> "Journal":
        """The facts dated at or before a day and recorded at or before a moment."""
        if as_of is None and known_at is None:
            return self
        return Journal(
            tuple(_counting(self.entries, as_of, known_at)),
            tuple(_counting(self.allocations, as_of, known_at)),
            tuple(_counting(self.releases, as_of, known_at)),
        )

    @cached_property
    def voids(self) -> dict[UUID, Entry]:
        """The void of each voided entry."""
        return {entry.undoes: entry for entry in self.entries if entry.undoes is not None}

    @cached_property
    def backs(self) -> dict[UUID, list[Release]]:
        """The releases of each allocation."""
        found: dict[UUID, list[Release]] = defaultdict(list)
        for release in self.releases:
            found[release.allocation].append(release)
        return found

    def ends(self, allocation: Allocation) -> list[date]:
        """The days on which voids end an allocation: each the later of the void's and its own."""
        voids = (self.voids.get(id) for id in (allocation.credit, allocation.debit))
        return sorted(max(void.on, allocation.on) for void in voids if void is not None)

    def live(self, allocation: Allocation) -> Allocation:
        """The allocation with what still holds of it: nothing where a side has been voided."""
        minor = allocation.amount.minor - sum(
            back.amount.minor for back in self.backs.get(allocation.id, ())
        )
        if self.ends(allocation):
            minor = 0
        return attrs.evolve(allocation, live=Money.from_minor(minor, allocation.amount.unit))


def _counting(facts: Iterable[F], as_of: date | None, known_at: datetime | None) -> Iterable[F]:
    for fact in facts:
        dated = as_of is None or fact.on <= as_of
        if dated and (known_at is None or fact.recorded_at <= known_at):
            yield fact


def new_items(entry: Entry) -> tuple[OpenItem, ...]:
    """The items of a fresh document, all of it open; a void has none."""
    if entry.kind == "void":
        return ()
    parts = entry.instalments if entry.side == DEBIT else (Instalment(entry.on, entry.amount),)
    return tuple(
        OpenItem(
            client=entry.client,
            entry=entry.id,
            sequence=entry.sequence,
            kind=entry.kind,
            side=entry.side,
            number=entry.number,
            instalment=part.number,
            on=entry.on,
            due=part.due if entry.side == DEBIT else None,
            amount=part.amount,
            open=part.amount,
            latest=entry.on,
        )
        for part in parts
    )


def movements(journal: Journal) -> dict[ItemKey, list[tuple[date, int]]]:
    """What allocations do to each item, day by day, in minor units.

    An allocation takes its amount from both sides on its day, a release gives it back on its own,
    and the void of either document gives back whatever is left; after that nothing counts.
    """
    found: dict[ItemKey, list[tuple[date, int]]] = defaultdict(list)
    for link in journal.allocations:
        ends = journal.ends(link)
        left = link.amount.minor
        moves = [(link.on, -left)]
        for back in journal.backs.get(link.id, ()):
            counts = not ends or back.on < ends[0]
            moves.append((back.on, back.amount.minor if counts else 0))
            left -= back.amount.minor if counts else 0
        moves += [(end, 0 if n else left) for n, end in enumerate(ends)]
        for key in ((link.credit, 0), (link.debit, link.instalment)):
            found[key] += moves
    return found


def open_items(journal: Journal) -> list[OpenItem]:
    """Every item of every document, with what is open of it (which may be nothing)."""
    moved = movements(journal)
    found = []
    for entry in journal.entries:
        void = journal.voids.get(entry.id)
        for item in new_items(entry):
            own = moved.get(item.key, [])
            left = item.amount.minor + sum(delta for _, delta in own)
            days = [item.on, *(day for day, _ in own)]
            if void is not None:
                left -= item.amount.minor
                days.append(void.on)
            now = Money.from_minor(left, item.amount.unit)
            found.append(attrs.evolve(item, open=now, latest=max(days)))
    return found


def balances(journal: Journal) -> list[Balance]:
    """What each client owes and has prepaid in each currency in which it has any document."""
    sums: dict[tuple[UUID, Currency], dict[str, int]] = {}
    latest: dict[tuple[UUID, Currency], date] = {}
    for entry in journal.entries:
        key = (entry.client, entry.amount.unit)
        sums.setdefault(key, {DEBIT: 0, CREDIT: 0})
        latest[key] = max(entry.on, latest.get(key, entry.on))
    for item in open_items(journal):
        key = (item.client, item.amount.unit)
        sums[key][item.side] += item.open.minor
        latest[key] = max(latest[key], item.latest)
    return [
        Balance(
            client=client,
            owed=Money.from_minor(both[DEBIT], unit),
            prepaid=Money.from_minor(both[CREDIT], unit),
            latest=latest[client, unit],
        )
        for (client, unit), both in sums.items()
    ]


def purchase_days(journal: Journal) -> list[PurchaseDay]:
    """What each client bought on each day, in each currency; a day of voided sales counts none."""
    found: dict[tuple[UUID, Currency, date], tuple[int, int, date]] = {}
    for entry in journal.entries:
        count, sold = purchase_of(entry)
        if not sold:
            continue
        void = journal.voids.get(entry.id)
        if void is not None:
            count = sold = 0
        key = (entry.client, entry.amount.unit, entry.on)
        before = found.get(key, (0, 0, entry.on))
        last = max(before[2], void.on if void else entry.on)
        found[key] = (before[0] + count, before[1] + sold, last)
    return [
        PurchaseDay(
            client=client, day=day, count=count, sold=Money.from_minor(sold, unit), latest=last
        )
        for (client, unit, day), (count, sold, last) in found.items()
    ]


def purchase_of(entry: Entry) -> tuple[int, int]:
    """How many purchases a document is, and what it adds to what was sold, in minor units."""
    if entry.kind == "sale":
        return 1, entry.amount.minor
    if entry.kind == "credit note":
        return 0, -entry.amount.minor
    return 0, 0
