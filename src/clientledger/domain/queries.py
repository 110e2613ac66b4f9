"""What can be asked of a store: frozen values that say what matches, and in which order.

A `Query` is its own definition: `matches` and `rank` are pure, and `select` applies them. A store
may find the rows faster; it must find the same ones in the same order. A new filter is a new
field, not a new method. None ranks last, in either direction; text ranks by code point.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import total_ordering
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_type_hints
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client, search_key
from clientledger.domain.contact_points import Contact, digits_of
from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.posting import Claim, Head
from clientledger.domain.seals import Seal
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.text import fold

__all__ = [
    "AgreementQuery",
    "AllocationQuery",
    "ClaimQuery",
    "ClientQuery",
    "Cursor",
    "EntryQuery",
    "EventQuery",
    "HeadQuery",
    "InteractionQuery",
    "MemberQuery",
    "Query",
    "ReleaseQuery",
    "SealQuery",
    "TaskQuery",
    "is_asked",
    "one_of_asked",
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
    def is_cursor(cls, value: object) -> bool:
        """Whether a value can be where a page of such rows ended."""
        return (
            type(value) is tuple
            and len(value) == len(cls.order)
            and all(
                type(part) in _kinds(cls.record, name.removeprefix("-")) and _is_plain(part)
                for name, part in zip(cls.order, value, strict=True)
            )
        )

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


def _kinds(record: type[Any], name: str) -> tuple[type[Any], ...]:
    """The types that an attribute of a record may have."""
    hint = get_type_hints(record).get(name)
    if hint is None:
        hint = get_type_hints(getattr(record, name).fget)["return"]
    return get_args(hint) or (hint,)


def _is_plain(value: Any) -> bool:
    """Whether a value compares with those of its type, and every store can hold it."""
    match value:
        case datetime():
            return value.tzinfo is not None
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value)
        case int():
            return abs(value) < 2**63
    return True


def is_asked(wanted: object, found: object) -> bool:
    """Whether a filter of one value lets a row through; None is no filter."""
    return wanted is None or wanted == found


def one_of_asked(wanted: tuple[Any, ...] | None, found: object) -> bool:
    """Whether a filter of several values lets a row through; None is no filter."""
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
            one_of_asked(self.ids, row.id)
            and is_asked(self.manager, row.manager)
            and is_asked(self.archived, row.archived)
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
        return is_asked(self.active, row.active)


@attrs.frozen(kw_only=True)
class InteractionQuery(Query[Interaction]):
    """Interactions, newest first."""

    record: ClassVar[type[Any]] = Interaction
    order: ClassVar[tuple[str, ...]] = ("-at", "-id")

    client: UUID | None = None

    def matches(self, row: Interaction) -> bool:
        """Whether the interaction is asked for."""
        return is_asked(self.client, row.client)


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
            is_asked(self.client, row.client)
            and is_asked(self.kind, row.kind)
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
            is_asked(self.client, row.client)
            and is_asked(self.status, row.status)
            and is_asked(self.assignee, row.assignee)
            and is_asked(self.about, row.about)
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
    replaces: tuple[UUID, ...] | None = None
    excluding: tuple[UUID, ...] = ()

    def matches(self, row: Entry) -> bool:
        """Whether the entry is asked for."""
        return (
            one_of_asked(self.ids, row.id)
            and is_asked(self.client, row.client)
            and is_asked(self.kind, row.kind)
            and is_asked(self.currency, row.currency)
            and is_asked(self.number, row.number)
            and (self.since is None or row.on >= self.since)
            and (self.until is None or row.on <= self.until)
            and one_of_asked(self.undoes, row.undoes)
            and one_of_asked(self.replaces, row.replaces)
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
            one_of_asked(self.ids, row.id)
            and is_asked(self.client, row.client)
            and _touches(self.touching, row)
        )


@attrs.frozen(kw_only=True)
class ReleaseQuery(Query[Release]):
    """Releases by id. `touching`: of an allocation of one of these entries."""

    record: ClassVar[type[Any]] = Release

    ids: tuple[UUID, ...] | None = None
    client: UUID | None = None
    touching: tuple[UUID, ...] | None = None

    def matches(self, row: Release) -> bool:
        """Whether the release is asked for."""
        return (
            one_of_asked(self.ids, row.id)
            and is_asked(self.client, row.client)
            and _touches(self.touching, row)
        )


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
            is_asked(self.client, row.client)
            and is_asked(self.subject, row.subject)
            and is_asked(self.sequenced, row.position is not None)
        )


@attrs.frozen(kw_only=True)
class SealQuery(Query[Seal]):
    """Seals, the last first. `since`, `until`: of these positions, and those between."""

    record: ClassVar[type[Any]] = Seal
    order: ClassVar[tuple[str, ...]] = ("-position",)

    since: int | None = None
    until: int | None = None

    def matches(self, row: Seal) -> bool:
        """Whether the seal is asked for."""
        return (self.since is None or row.position >= self.since) and (
            self.until is None or row.position <= self.until
        )


@attrs.frozen(kw_only=True)
class HeadQuery(Query[Head]):
    """The heads of clients."""

    record: ClassVar[type[Any]] = Head
    order: ClassVar[tuple[str, ...]] = ("client",)

    clients: tuple[UUID, ...] | None = None

    def matches(self, row: Head) -> bool:
        """Whether the head is asked for."""
        return one_of_asked(self.clients, row.client)


@attrs.frozen(kw_only=True)
class ClaimQuery(Query[Claim]):
    """Claims by space and key."""

    record: ClassVar[type[Any]] = Claim
    order: ClassVar[tuple[str, ...]] = ("space", "key")

    space: str | None = None
    key: str | None = None
    subject: str | None = None
    subjects: tuple[str, ...] | None = None

    def matches(self, row: Claim) -> bool:
        """Whether the claim is asked for."""
        return (
            is_asked(self.space, row.space)
            and is_asked(self.key, row.key)
            and is_asked(self.subject, row.subject)
            and one_of_asked(self.subjects, row.subject)
        )
