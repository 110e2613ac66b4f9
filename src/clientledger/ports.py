"""The ports: what a store must do. An adapter imports this module, `clientledger` and `codec`.

Everything that a store is handed or hands back is a frozen value of the domain, exported here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client, search_key
from clientledger.domain.contact_points import Address, Contact, Email, Phone
from clientledger.domain.entries import Allocation, Entry, EntryLine, Instalment, Release
from clientledger.domain.events import Event
from clientledger.domain.figures import (
    BalanceQuery,
    FigureQuery,
    LedgerQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    TimelineQuery,
)
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import Balance, OpenItem, PurchaseDay
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL, Currency, Money
from clientledger.domain.posting import (
    Change,
    Claim,
    Head,
    HeadStep,
    LedgerFact,
    Move,
    Posting,
    Stand,
)
from clientledger.domain.queries import (
    AgreementQuery,
    AllocationQuery,
    ClaimQuery,
    ClientQuery,
    Cursor,
    EntryQuery,
    EventQuery,
    HeadQuery,
    InteractionQuery,
    MemberQuery,
    Query,
    ReleaseQuery,
    SealQuery,
    TaskQuery,
)
from clientledger.domain.seals import Seal
from clientledger.domain.settings import Settings
from clientledger.domain.soundness import Problem
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.timeline import TimelineItem
from clientledger.errors import NotAllowed, NotFound

__all__ = [
    "MAX_MINOR",
    "MAX_TOTAL",
    "RECORD_SETS",
    "Address",
    "Agreement",
    "AgreementQuery",
    "Allocation",
    "AllocationQuery",
    "Balance",
    "BalanceQuery",
    "Change",
    "Claim",
    "ClaimQuery",
    "Client",
    "ClientQuery",
    "Contact",
    "Currency",
    "Cursor",
    "Email",
    "Entry",
    "EntryLine",
    "EntryQuery",
    "Event",
    "EventQuery",
    "FigureQuery",
    "Finding",
    "Head",
    "HeadQuery",
    "HeadStep",
    "Instalment",
    "Interaction",
    "InteractionQuery",
    "LedgerFact",
    "LedgerQuery",
    "Member",
    "MemberQuery",
    "Money",
    "Move",
    "OpenItem",
    "OpenItemQuery",
    "Phone",
    "Posting",
    "Problem",
    "PurchaseDay",
    "PurchaseDayQuery",
    "Query",
    "Reading",
    "Release",
    "ReleaseQuery",
    "Scope",
    "Seal",
    "SealQuery",
    "Settings",
    "Stand",
    "Store",
    "Task",
    "TaskQuery",
    "TimelineItem",
    "TimelineQuery",
    "UnitOfWork",
    "search_key",
]

R = TypeVar("R")

RECORD_SETS: Mapping[type[Any], type[Query[Any]]] = {
    Client: ClientQuery,
    Member: MemberQuery,
    Interaction: InteractionQuery,
    Agreement: AgreementQuery,
    Task: TaskQuery,
    Entry: EntryQuery,
    Allocation: AllocationQuery,
    Release: ReleaseQuery,
    Event: EventQuery,
    Seal: SealQuery,
}
"""The facts and records that can be listed, each with its query. `Settings` is one record."""


@attrs.frozen(kw_only=True)
class Finding:
    """Why a storage cannot keep what the book promises.

    Attributes:
        name: by which it can be accepted.
        said: what is wrong, with the value found.
        remedy: what would be right.
    """

    name: str
    said: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.said}; {self.remedy}"


class Reading(ABC):
    """Something to read from: one consistent state of the book."""

    @abstractmethod
    def get(self, kind: type[R], id: Any) -> R:
        """Return one fact or record by its class and id.

        `kind` is one of `RECORD_SETS`, `Settings` (id ``UUID(int=0)``), `Head` (the client's id)
        or `Claim` (a pair of space and key). The id of a `Seal` is its position.

        Raises:
            NotFound: there is none.
        """

    @abstractmethod
    def find(self, query: Query[R]) -> list[R]:
        """Return what ``query.select`` would return of all rows of its record set."""

    def total(self, query: Query[Any]) -> int:
        """Count the rows that match, whatever `limit` and `after` say."""
        return len(self.find(attrs.evolve(query, limit=None, after=None)))

    def lookup(self, kind: type[R], id: Any) -> R | None:
        """Return one fact or record, or None."""
        try:
            return self.get(kind, id)
        except NotFound:
            return None

    def examine(self, query: Query[R]) -> tuple[list[R], list[Problem]]:
        """Return what `find` would, but name each row that cannot be read, rather than fail.

        Such a row holds what nobody writes through a port. A store in which that cannot be need
        not do anything.
        """
        return self.find(query), []

    def strays(self) -> list[Problem]:
        """Name what the storage holds and no query shows: parts of nothing, counts that are wrong.

        A store that keeps nothing beside what queries show need not do anything.
        """
        return []

    def compute(self, query: FigureQuery[R]) -> list[R]:
        """Compute figures from facts by the domain's own functions: right on every store, slow."""
        facts = {
            source: tuple(self.find(_all_of(source, query.client))) for source in query.sources
        }
        return query.select(query.build(facts))


def _all_of(source: type[Any], client: UUID | None) -> Query[Any]:
    return RECORD_SETS[source](client=client)  # type: ignore[call-arg]  # each source has a client


class Scope(ABC):
    """Something in which a unit of work can begin.

    The type says who commits: a unit begun on a `Store` is durable when it ends; one begun on
    another unit is a savepoint; one begun on a host's session is part of the host's transaction.
    """

    @abstractmethod
    def begin(self) -> AbstractContextManager["UnitOfWork"]:
        """Begin a unit of work. Leaving it cleanly keeps it, an exception undoes all of it.

        A unit begun inside this one undoes itself alone; when this one is undone, so is it.

        Raises:
            Busy: other writers held the book for longer than the store waits.
            NotAllowed: the scope is read-only.
            StoreError: the storage failed.
        """

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Reading]:
        """Begin to read one consistent state; what others commit meanwhile is not seen."""


class UnitOfWork(Reading, Scope):
    """A transaction, or a savepoint: what is read and posted in it stands or falls together."""

    @abstractmethod
    def post(self, posting: Posting) -> None:
        """Write all of a posting, or nothing of it.

        Order: heads (on their expected versions), members who must stand (at the revision that
        was read), freed claims, claims, facts, changes (on their expected revisions), moves
        (within their bounds, in the order of ``net_moves``), rows of the timeline. What was posted
        is seen by later reads of the unit. Posted events await their position in the feed.

        Raises:
            Conflict: with ``passing=True``: a head or revision has moved on (`Stale`), a claim is
                taken (`Duplicate`), a position has a seal, or a move ends outside its bounds.
                Nothing is written, and the unit can go on.
            StoreError: the storage failed.
        """

    def rederive(self, client: UUID) -> None:
        """Write all derived rows of a client anew, as the figures' definitions compute them.

        Whoever calls it has read the client's head in the unit, and posts on condition of it. A
        store that keeps no derived rows has nothing to do.

        Raises:
            Conflict: with ``passing=True``: another writer was quicker.
            StoreError: the storage failed.
        """

    def snapshot(self) -> AbstractContextManager[Reading]:
        """Read what the unit sees."""
        return _Within(self)


class _Within(AbstractContextManager[Reading]):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __enter__(self) -> Reading:
        return self._reading

    def __exit__(self, *failure: object) -> None:
        return None


class Store(Scope):
    """A scope that owns its storage: its units are durable when they end."""

    @abstractmethod
    def sequence(self) -> int:
        """Give every committed event that has none its position in the feed; return how many.

        Positions run from 1 without gaps, in an order in which each client's events keep the order
        in which they were committed; a position once given is for good. Runs in a transaction of
        its own, so that a reader of the feed never skips one that committed late. A store that was
        opened read-only gives none.
        """

    def findings(self) -> Sequence[Finding]:
        """Say why the storage, as it is set up, cannot keep what a book promises.

        A store refuses its first write where there is anything that was not accepted by name.
        """
        return ()

    def backup(self, path: Path) -> None:
        """Write a whole, consistent copy of the book to a new file, while others go on writing.

        Raises:
            NotAllowed: the storage has tools of its own for that.
            StoreError: the file is there already, or cannot be written.
        """
        raise NotAllowed(
            "this storage makes no copy of itself",
            field="path",
            value=path,
            remedy="use the tools of the database, or book.dump for a copy that any store can load",
        )

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. Closing twice does nothing."""
