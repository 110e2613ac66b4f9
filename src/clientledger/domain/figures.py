"""Questions to figures: rows that the domain computes from facts and records.

The definition of each is its `build`, on top of `journal`'s functions. A store may keep the rows;
it must give the same ones.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.entries import DEBIT, Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import (
    Balance,
    Journal,
    OpenItem,
    PurchaseDay,
    balances,
    open_items,
    purchase_days,
)
from clientledger.domain.queries import Query, is_asked, one_of_asked
from clientledger.domain.tasks import Task
from clientledger.domain.timeline import TimelineItem, timeline_item

__all__ = [
    "BalanceQuery",
    "FigureQuery",
    "LedgerQuery",
    "OpenItemQuery",
    "PurchaseDayQuery",
    "TimelineQuery",
]

R = TypeVar("R")


@attrs.frozen(kw_only=True)
class FigureQuery(Query[R]):
    """A question to figures: rows that the domain computes from facts and records.

    Attributes:
        sources: the classes of the facts and records that the figure is computed from.
        client: of one client, or None for all.
    """

    sources: ClassVar[tuple[type[Any], ...]]

    client: UUID | None = None

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[R]:
        """Compute all rows, matching or not, from the facts of the `sources`."""
        raise NotImplementedError


@attrs.frozen(kw_only=True)
class LedgerQuery(FigureQuery[R]):
    """A question to figures of the ledger, on any day and as known at any moment.

    Attributes:
        as_of: nothing that is dated later counts; None is everything recorded.
        known_at: nothing that was recorded later counts.
    """

    sources: ClassVar[tuple[type[Any], ...]] = (Entry, Allocation, Release)

    as_of: date | None = None
    known_at: datetime | None = None

    def _journal(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> Journal:
        journal = Journal(facts[Entry], facts[Allocation], facts[Release])
        return journal.at(self.as_of, self.known_at)


@attrs.frozen(kw_only=True)
class BalanceQuery(LedgerQuery[Balance]):
    """What clients owe and have prepaid. `owing`: only those that owe something."""

    record: ClassVar[type[Any]] = Balance
    order: ClassVar[tuple[str, ...]] = ("currency", "client")

    currency: str | None = None
    owing: bool | None = None

    def matches(self, row: Balance) -> bool:
        """Whether the balance is asked for."""
        return (
            is_asked(self.client, row.client)
            and is_asked(self.currency, row.currency)
            and is_asked(self.owing, bool(row.owed))
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[Balance]:
        """Compute all balances from the facts."""
        return balances(self._journal(facts))


@attrs.frozen(kw_only=True)
class OpenItemQuery(LedgerQuery[OpenItem]):
    """Items by due date (credits, which have none, last), then as recorded.

    Attributes:
        open_only: leave out what is settled, used or voided.
        due_before: only debits due before this day.
    """

    record: ClassVar[type[Any]] = OpenItem
    order: ClassVar[tuple[str, ...]] = ("due", "on", "client", "sequence", "instalment")

    entries: tuple[UUID, ...] | None = None
    currency: str | None = None
    side: str | None = None
    open_only: bool = True
    due_before: date | None = None

    def matches(self, row: OpenItem) -> bool:
        """Whether the item is asked for."""
        return (
            is_asked(self.client, row.client)
            and one_of_asked(self.entries, row.entry)
            and is_asked(self.currency, row.currency)
            and is_asked(self.side, row.side)
            and (not self.open_only or bool(row.open))
            and (
                self.due_before is None
                or (row.side == DEBIT and row.due is not None and row.due < self.due_before)
            )
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[OpenItem]:
        """Compute all items from the facts."""
        return open_items(self._journal(facts))


@attrs.frozen(kw_only=True)
class PurchaseDayQuery(LedgerQuery[PurchaseDay]):
    """What clients bought, day by day."""

    record: ClassVar[type[Any]] = PurchaseDay
    order: ClassVar[tuple[str, ...]] = ("client", "currency", "day")

    currency: str | None = None
    since: date | None = None
    until: date | None = None

    def matches(self, row: PurchaseDay) -> bool:
        """Whether the day is asked for."""
        return (
            is_asked(self.client, row.client)
            and is_asked(self.currency, row.currency)
            and (self.since is None or row.day >= self.since)
            and (self.until is None or row.day <= self.until)
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[PurchaseDay]:
        """Compute all days from the facts."""
        return purchase_days(self._journal(facts))


@attrs.frozen(kw_only=True)
class TimelineQuery(FigureQuery[TimelineItem]):
    """The timeline of a client, newest first.

    Attributes:
        until: nothing that happened later; documents of the ledger have a date and not a moment.
        dated_until: no document of the ledger that is dated later.
    """

    record: ClassVar[type[Any]] = TimelineItem
    order: ClassVar[tuple[str, ...]] = ("-at", "-id")
    sources: ClassVar[tuple[type[Any], ...]] = (Entry, Interaction, Agreement, Task, Event)

    what: tuple[str, ...] | None = None
    until: datetime | None = None
    dated_until: date | None = None

    def matches(self, row: TimelineItem) -> bool:
        """Whether the row is asked for."""
        return (
            is_asked(self.client, row.client)
            and one_of_asked(self.what, row.what)
            and (self.until is None or row.on is not None or row.at <= self.until)
            and (self.dated_until is None or row.on is None or row.on <= self.dated_until)
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[TimelineItem]:
        """Show all records as rows."""
        shown = (timeline_item(record) for source in self.sources for record in facts[source])
        return [row for row in shown if row is not None]
