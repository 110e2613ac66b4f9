"""What can be asked of a store: frozen values that say what matches, and in which order.

A `Query` is its own definition: `matches` and `rank` are pure, and `select` applies them. A store
may find the rows faster; it must find the same ones in the same order. A new filter is a new
field, not a new method. None ranks last, in either direction; text ranks by code point.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import total_ordering
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client, search_key
from clientledger.domain.contact_points import Contact, digits_of
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
from clientledger.domain.posting import Claim, Head
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.text import fold
from clientledger.domain.timeline import TimelineItem, timeline_item

__all__ = [
    "AgreementQuery",
    "AllocationQuery",
    "BalanceQuery",
    "ClaimQuery",
    "ClientQuery",
    "Cursor",
    "EntryQuery",
    "EventQuery",
    "FigureQuery",
    "HeadQuery",
    "InteractionQuery",
    "LedgerQuery",
    "MemberQuery",
    "OpenItemQuery",
    "PurchaseDayQuery",
    "Query",
    "ReleaseQuery",
    "TaskQuery",
    "TimelineQuery",
]

R = TypeVar("R")
Cursor = tuple[Any, ...]
"""Where a page ended: the values of the row's `order` attributes."""


@total_ordering
class _Descending:
    """A value that ranks the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    __hash__ = None  # type: ignore[assignment]  # a rank is compared, never kept


@attrs.frozen(kw_only=True)
class Query(Generic[R]):
    """A question to a record set.

    Attributes:
        record: the class of the rows.
        order: the attributes that rank the rows, "-" before those that fall; the last is unique.
        limit: the most rows to return; None is all.
        after: the `cursor` of the last row that was seen.
    """

    record: ClassVar[type[Any]]
    order: ClassVar[tuple[str, ...]] = ("id",)

    limit: int | None = None
    after: Cursor | None = None

    def matches(self, row: R) -> bool:
        """Whether a row is asked for."""
        raise NotImplementedError

    @classmethod
    def cursor(cls, row: R) -> Cursor:
        """The values by which a row ranks."""
        return tuple(getattr(row, name.removeprefix("-")) for name in cls.order)

    @classmethod
    def rank(cls, cursor: Cursor) -> Any:
        """A comparable rank of a row's cursor: a total order."""
        return tuple(
            (
                value is None,
                _Descending(value) if name.startswith("-") and value is not None else value,
            )
            for name, value in zip(cls.order, cursor, strict=True)
        )

    def select(self, rows: Iterable[R]) -> list[R]:
        """The matching rows in order, after `after`, at most `limit`."""
        ranked = [(self.rank(self.cursor(row)), row) for row in rows if self.matches(row)]
        if self.after is not None:
            seen = self.rank(self.after)
            ranked = [pair for pair in ranked if pair[0] > seen]
        ranked.sort(key=lambda pair: pair[0])
        return [row for _, row in ranked[: self.limit]]


def _is(wanted: object, found: object) -> bool:
    return wanted is None or wanted == found


def _in(wanted: tuple[Any, ...] | None, found: object) -> bool:
    return wanted is None or found in wanted


@attrs.frozen(kw_only=True)
class ClientQuery(Query[Client]):
    """Clients by name. `text`: each of its words stands somewhere in the client's search key."""

    record: ClassVar[type[Any]] = Client
    order: ClassVar[tuple[str, ...]] = ("sort_name", "id")

    ids: tuple[UUID, ...] | None = None
    text: str | None = None
    phone: str | None = None
    email: str | None = None
    manager: str | None = None
    tag: str | None = None
    archived: bool | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The folded words of `text`; a phone number's digits are one word."""
        folded = fold(self.text or "")
        digits = digits_of(folded)
        if len(digits) >= 3 and not folded.strip("0123456789+-()./ "):
            return (digits,)
        return tuple(folded.split())

    def matches(self, row: Client) -> bool:
        """Whether the client is asked for."""
        return (
            _in(self.ids, row.id)
            and _is(self.manager, row.manager)
            and _is(self.archived, row.archived)
            and (self.tag is None or self.tag in row.tags)
            and (self.text is None or self._found(search_key(row)))
            and (self.phone is None or self._has_phone(row))
            and (self.email is None or self._has_email(row))
        )

    def _found(self, key: str) -> bool:
        return all(word in key for word in self.words)

    def _has_phone(self, row: Client) -> bool:
        wanted = digits_of(self.phone or "")
        bare = wanted.lstrip("0")
        for phone in (p for one in _people(row) for p in one.phones):
            known = digits_of(phone.e164 or "")
            if wanted and wanted in (known, digits_of(phone.written)):
                return True
            if len(bare) >= 6 and known.endswith(bare):
                return True
        return False

    def _has_email(self, row: Client) -> bool:
        wanted = fold(self.email or "")
        return any(
            wanted in (fold(str(e)), fold(e.written)) for one in _people(row) for e in one.emails
        )


def _people(row: Client) -> list[Client | Contact]:
    return [row, *row.contacts]


@attrs.frozen(kw_only=True)
class MemberQuery(Query[Member]):
    """Members by key."""

    record: ClassVar[type[Any]] = Member

    active: bool | None = None

    def matches(self, row: Member) -> bool:
        """Whether the member is asked for."""
        return _is(self.active, row.active)


@attrs.frozen(kw_only=True)
class InteractionQuery(Query[Interaction]):
    """Interactions, newest first."""

    record: ClassVar[type[Any]] = Interaction
    order: ClassVar[tuple[str, ...]] = ("-at", "-id")

    client: UUID | None = None

    def matches(self, row: Interaction) -> bool:
        """Whether the interaction is asked for."""
        return _is(self.client, row.client)


@attrs.frozen(kw_only=True)
class AgreementQuery(Query[Agreement]):
    """Agreements, newest first."""

    record: ClassVar[type[Any]] = Agreement
    order: ClassVar[tuple[str, ...]] = ("-valid_from", "-id")

    client: UUID | None = None
    kind: str | None = None
    valid_on: date | None = None

    def matches(self, row: Agreement) -> bool:
        """Whether the agreement is asked for."""
        return (
            _is(self.client, row.client)
            and _is(self.kind, row.kind)
            and (self.valid_on is None or row.valid_on(self.valid_on))
        )


@attrs.frozen(kw_only=True)
class TaskQuery(Query[Task]):
    """Tasks by the day they are due; those without a day come last."""

    record: ClassVar[type[Any]] = Task
    order: ClassVar[tuple[str, ...]] = ("due_on", "id")

    client: UUID | None = None
    status: str | None = None
    assignee: str | None = None
    about: UUID | None = None
    due_until: date | None = None

    def matches(self, row: Task) -> bool:
        """Whether the task is asked for."""
        return (
            _is(self.client, row.client)
            and _is(self.status, row.status)
            and _is(self.assignee, row.assignee)
            and _is(self.about, row.about)
            and (
                self.due_until is None or (row.due_on is not None and row.due_on <= self.due_until)
            )
        )


@attrs.frozen(kw_only=True)
class EntryQuery(Query[Entry]):
    """Entries by business date, then in the order in which they were recorded."""

    record: ClassVar[type[Any]] = Entry
    order: ClassVar[tuple[str, ...]] = ("on", "client", "sequence")

    ids: tuple[UUID, ...] | None = None
    client: UUID | None = None
    kind: str | None = None
    currency: str | None = None
    number: str | None = None
    since: date | None = None
    until: date | None = None
    undoes: tuple[UUID, ...] | None = None
    excluding: tuple[UUID, ...] = ()

    def matches(self, row: Entry) -> bool:
        """Whether the entry is asked for."""
        return (
            _in(self.ids, row.id)
            and _is(self.client, row.client)
            and _is(self.kind, row.kind)
            and _is(self.currency, row.currency)
            and _is(self.number, row.number)
            and (self.since is None or row.on >= self.since)
            and (self.until is None or row.on <= self.until)
            and _in(self.undoes, row.undoes)
            and row.id not in self.excluding
        )


@attrs.frozen(kw_only=True)
class AllocationQuery(Query[Allocation]):
    """Allocations by id, that is, as they were recorded. `touching`: on either side."""

    record: ClassVar[type[Any]] = Allocation

    ids: tuple[UUID, ...] | None = None
    client: UUID | None = None
    touching: tuple[UUID, ...] | None = None

    def matches(self, row: Allocation) -> bool:
        """Whether the allocation is asked for."""
        return (
            _in(self.ids, row.id) and _is(self.client, row.client) and _touches(self.touching, row)
        )


@attrs.frozen(kw_only=True)
class ReleaseQuery(Query[Release]):
    """Releases by id. `touching`: of an allocation of one of these entries."""

    record: ClassVar[type[Any]] = Release

    client: UUID | None = None
    touching: tuple[UUID, ...] | None = None

    def matches(self, row: Release) -> bool:
        """Whether the release is asked for."""
        return _is(self.client, row.client) and _touches(self.touching, row)


def _touches(wanted: tuple[UUID, ...] | None, row: Allocation | Release) -> bool:
    return wanted is None or row.credit in wanted or row.debit in wanted


@attrs.frozen(kw_only=True)
class EventQuery(Query[Event]):
    """Events by id; with `sequenced`, by their position in the feed."""

    record: ClassVar[type[Any]] = Event
    order: ClassVar[tuple[str, ...]] = ("position", "id")

    client: UUID | None = None
    subject: str | None = None
    sequenced: bool | None = None

    def matches(self, row: Event) -> bool:
        """Whether the event is asked for."""
        return (
            _is(self.client, row.client)
            and _is(self.subject, row.subject)
            and _is(self.sequenced, row.position is not None)
        )


@attrs.frozen(kw_only=True)
class HeadQuery(Query[Head]):
    """The heads of clients."""

    record: ClassVar[type[Any]] = Head
    order: ClassVar[tuple[str, ...]] = ("client",)

    clients: tuple[UUID, ...] | None = None

    def matches(self, row: Head) -> bool:
        """Whether the head is asked for."""
        return _in(self.clients, row.client)


@attrs.frozen(kw_only=True)
class ClaimQuery(Query[Claim]):
    """Claims by space and key."""

    record: ClassVar[type[Any]] = Claim
    order: ClassVar[tuple[str, ...]] = ("space", "key")

    space: str | None = None
    key: str | None = None
    subject: str | None = None

    def matches(self, row: Claim) -> bool:
        """Whether the claim is asked for."""
        return (
            _is(self.space, row.space) and _is(self.key, row.key) and _is(self.subject, row.subject)
        )


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
            _is(self.client, row.client)
            and _is(self.currency, row.currency)
            and _is(self.owing, bool(row.owed))
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
            _is(self.client, row.client)
            and _in(self.entries, row.entry)
            and _is(self.currency, row.currency)
            and _is(self.side, row.side)
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
            _is(self.client, row.client)
            and _is(self.currency, row.currency)
            and (self.since is None or row.day >= self.since)
            and (self.until is None or row.day <= self.until)
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[PurchaseDay]:
        """Compute all days from the facts."""
        return purchase_days(self._journal(facts))


@attrs.frozen(kw_only=True)
class TimelineQuery(FigureQuery[TimelineItem]):
    """The timeline of a client, newest first. `until`: nothing that happened later."""

    record: ClassVar[type[Any]] = TimelineItem
    order: ClassVar[tuple[str, ...]] = ("-at", "-id")
    sources: ClassVar[tuple[type[Any], ...]] = (Entry, Interaction, Agreement, Task, Event)

    what: tuple[str, ...] | None = None
    until: datetime | None = None

    def matches(self, row: TimelineItem) -> bool:
        """Whether the row is asked for."""
        return (
            _is(self.client, row.client)
            and _in(self.what, row.what)
            and (self.until is None or row.at <= self.until)
        )

    def build(self, facts: Mapping[type[Any], tuple[Any, ...]]) -> list[TimelineItem]:
        """Show all records as rows."""
        shown = (timeline_item(record) for source in self.sources for record in facts[source])
        return [row for row in shown if row is not None]
