"""What a command writes: one frozen `Posting`, made by the domain and applied whole by a store."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import Balance, OpenItem, PurchaseDay
from clientledger.domain.mappings import mapping_field
from clientledger.domain.seals import Seal
from clientledger.domain.settings import Settings
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.timeline import TimelineItem, timeline_item

__all__ = [
    "Change",
    "Claim",
    "Fact",
    "Figure",
    "Head",
    "HeadStep",
    "LedgerFact",
    "Move",
    "Posting",
    "Record",
    "Stand",
]

LedgerFact = Entry | Allocation | Release
"""What was recorded of a client's ledger: the figures are computed from these."""

Fact = LedgerFact | Event | Seal
"""What is inserted once and never changed."""

Record = Client | Member | Interaction | Agreement | Task | Settings
"""What has a revision and changes; its former fields stay in the events."""

Figure = OpenItem | Balance | PurchaseDay
"""What a store may keep as derived rows, and the domain defines by `journal`'s functions."""


@attrs.frozen(kw_only=True)
class Head:
    """One row per client, by which commands on one client notice each other.

    Attributes:
        version: one more with each command whose outcome depended on the client's facts.
        sequence: of the client's last entry.
        recorded_at: of its last entry, so that the next is never before it.
        archived: whether the client takes anything new.
        edition: of the rules that bind every client, as the book's settings have it.
        merged_into: the client that stands for this one, or None.
    """

    client: UUID
    version: int = 1
    sequence: int = 0
    recorded_at: datetime
    archived: bool = False
    edition: int = 0
    merged_into: UUID | None = None


@attrs.frozen
class HeadStep:
    """A new head; it may be written only while the stored version is still `expected`.

    Attributes:
        expected: the version on which the command was planned; None for a new client.
    """

    head: Head
    expected: int | None


@attrs.frozen
class Change:
    """A record to write; it may be written only while the stored revision is still `expected`.

    Attributes:
        expected: the revision on which the change was planned; None for a new record.
    """

    record: Record
    expected: int | None = None


@attrs.frozen
class Stand:
    """A member whom the command gives something; it is written only while the member stands.

    Two commands that give to one member do not stand in each other's way, but for one after the
    other; a change of the member does.

    Attributes:
        member: as the command read it.
    """

    member: Member


@attrs.frozen
class Claim:
    """What must be unique in the book: a key in a space, held by a subject.

    Spaces are "command" (idempotency keys), "number:<kind>" and "external:<kind>:<source>". Keys
    compare byte for byte.

    Attributes:
        subject: the id of the record that holds it.
        data: of a command, what it was and what it made.
    """

    space: str
    key: str
    subject: str
    data: Mapping[str, str] = mapping_field()

    @property
    def id(self) -> tuple[str, str]:
        """The space and the key."""
        return self.space, self.key


@attrs.frozen
class Move:
    """A change of a derived row: amounts to add, within bounds that the row must keep.

    A store applies it without knowing what it means: where the row is not there yet it begins as
    `row`, whose amounts are zero; then each named amount (minor units, or a count) is added, and
    must end within its bounds; and `latest` becomes the later of the two.

    Attributes:
        row: the derived row with zero amounts; it also names the row.
        add: what is added, by attribute of the row.
        bounds: the least and the greatest value allowed, by attribute of the row.
        latest: the day on which it moved.
    """

    row: Figure
    add: Mapping[str, int] = attrs.field(hash=False)
    bounds: Mapping[str, tuple[int, int]] = attrs.field(hash=False)
    latest: date

    @property
    def key(self) -> tuple[Any, ...]:
        """What names the row: its class and its key."""
        match self.row:
            case OpenItem():
                return OpenItem, self.row.client, self.row.entry, self.row.instalment
            case Balance():
                return Balance, self.row.client, self.row.currency
            case PurchaseDay():
                return PurchaseDay, self.row.client, self.row.currency, self.row.day


@attrs.frozen(kw_only=True)
class Posting:
    """All that one command writes. `UnitOfWork.post` applies all of it, or nothing.

    Attributes:
        heads: the clients whose facts the command was planned on.
        stands: the members to whom something is given.
        claims: what becomes taken.
        freed: what becomes free again.
        facts: entries, allocations, releases, events and seals, in the order of writing.
        changes: new and changed records.
        moves: of derived rows.
    """

    heads: tuple[HeadStep, ...] = ()
    stands: tuple[Stand, ...] = ()
    claims: tuple[Claim, ...] = ()
    freed: tuple[Claim, ...] = ()
    facts: tuple[Fact, ...] = ()
    changes: tuple[Change, ...] = ()
    moves: tuple[Move, ...] = ()

    def __add__(self, other: "Posting") -> "Posting":
        return Posting(
            heads=self.heads + other.heads,
            stands=self.stands + other.stands,
            claims=self.claims + other.claims,
            freed=self.freed + other.freed,
            facts=self.facts + other.facts,
            changes=self.changes + other.changes,
            moves=self.moves + other.moves,
        )

    def of(self, kind: type[Any]) -> tuple[Any, ...]:
        """The facts of one class."""
        return tuple(fact for fact in self.facts if isinstance(fact, kind))

    @property
    def net_moves(self) -> tuple[Move, ...]:
        """The moves with those of one row made into one, in the order of the rows' keys.

        Stores that lock rows lock them in this order, the same everywhere.
        """
        found: dict[tuple[Any, ...], Move] = {}
        for move in self.moves:
            before = found.get(move.key)
            found[move.key] = move if before is None else _together(before, move)
        return tuple(found[key] for key in sorted(found, key=_rank))

    @property
    def timeline(self) -> tuple[TimelineItem, ...]:
        """The rows of the timeline that the facts and the records show as."""
        written = (*self.facts, *(change.record for change in self.changes))
        return tuple(row for row in map(timeline_item, written) if row is not None)


def _together(one: Move, other: Move) -> Move:
    names = {**one.add, **other.add}
    return Move(
        one.row,
        {name: one.add.get(name, 0) + other.add.get(name, 0) for name in names},
        {**one.bounds, **other.bounds},
        max(one.latest, other.latest),
    )


def _rank(key: tuple[Any, ...]) -> tuple[str, ...]:
    kind, *rest = key
    return (
        kind.__name__,
        *(f"{part:06d}" if isinstance(part, int) else str(part) for part in rest),
    )
