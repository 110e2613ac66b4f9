"""The reference store: everything in memory, everything by definition.

It keeps facts and records, and computes every figure with the domain's own functions, so it is
what other stores are compared with. A committed state is never changed: a posting makes a new one
by copying the shelves it writes to. So a savepoint is a second unit on the first one's state,
undoing is forgetting, and a reader holds on to the state it began with.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import attrs

from clientledger.errors import (
    Busy,
    Conflict,
    Duplicate,
    InvalidValue,
    NotAllowed,
    NotFound,
    Stale,
    StoreError,
)
from clientledger.hookspecs import RegisterStore, hookimpl
from clientledger.ports import (
    Claim,
    ClaimQuery,
    Event,
    FigureQuery,
    Head,
    Member,
    Posting,
    Query,
    Reading,
    Seal,
    Store,
    UnitOfWork,
)

__all__ = ["MemoryStore", "open_memory", "register_stores"]

R = TypeVar("R")
Shelf = Mapping[Any, Mapping[Any, Any]]
"""The rows of one class in parts, so that little is copied; in each part by id."""
_CLAIM_PARTS = 1024


class _Held:
    """The class under which claims are kept once more, to be found by their subject."""


def _part(name: Any) -> int:
    """The part of the claims that a key or a subject is in."""
    return hash(name) % _CLAIM_PARTS


def _places(row: Any) -> tuple[tuple[Any, Any, Any], ...]:
    """Where a row is: its class, the part of it, and the id there."""
    if isinstance(row, Claim):
        return (Claim, _part(row.id), row.id), (_Held, _part(row.subject), row.id)
    client = getattr(row, "client", None)
    return ((type(row), client, client if isinstance(row, Head) else row.id),)


class _State:
    """All rows of a book at one moment; never changed once another can see it."""

    def __init__(
        self, shelves: Mapping[type[Any], Shelf], waiting: tuple[Event, ...], given: int
    ) -> None:
        self.shelves = shelves
        self.waiting = waiting  # events without a position, as they were committed
        self.given = given  # the last position in the feed

    def get(self, kind: type[Any], id: Any) -> Any:
        shelf = self.shelves.get(kind, {})
        if kind in (Head, Claim):
            part = id if kind is Head else _part(id)
            return shelf.get(part, {}).get(id)
        return next((rows[id] for rows in shelf.values() if id in rows), None)

    def rows(self, query: Query[Any]) -> Iterable[Any]:
        """The rows that a query may find, and others."""
        kind: type[Any] = query.record
        wanted: Iterable[Any] | None = None
        if isinstance(query, ClaimQuery):
            held = query.subjects if query.subject is None else (query.subject,)
            if held is not None:
                kind, wanted = _Held, {_part(subject) for subject in held}
        elif getattr(query, "client", None) is not None:
            wanted = (query.client,)  # type: ignore[attr-defined]  # it has one
        shelf = self.shelves.get(kind, {})
        parts = shelf.values() if wanted is None else [shelf.get(one, {}) for one in wanted]
        found = (row for rows in parts for row in rows.values())
        ids = getattr(query, "ids", None)
        return found if ids is None else _of_ids(found, frozenset(ids))

    def with_rows(self, put: Iterable[Any], drop: Iterable[Any] = ()) -> "_State":
        """A new state with rows put and dropped; what is not written to is shared."""
        shelves = dict(self.shelves)
        copied: set[tuple[type[Any], Any]] = set()

        def part(kind: type[Any], name: Any) -> dict[Any, Any]:
            if not any(kind is known for known, _ in copied):
                shelves[kind] = dict(shelves.get(kind, {}))
            shelf = cast("dict[Any, Mapping[Any, Any]]", shelves[kind])
            if (kind, name) not in copied:
                shelf[name] = dict(shelf.get(name, {}))
                copied.add((kind, name))
            return cast("dict[Any, Any]", shelf[name])

        for row in drop:
            for kind, name, id in _places(row):
                part(kind, name).pop(id, None)
        for row in put:
            for kind, name, id in _places(row):
                part(kind, name)[id] = row
        return _State(shelves, self.waiting, self.given)


def _of_ids(rows: Iterable[Any], ids: frozenset[Any]) -> Iterable[Any]:
    return (row for row in rows if row.id in ids)


class _MemoryReading(Reading):
    """Reads one state."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def get(self, kind: type[R], id: Any) -> R:
        row = self._state.get(kind, id)
        if row is None:
            name = kind.__name__.lower()
            raise NotFound(
                f"no such {name} in the book", field=name, value=id, remedy="look it up first"
            )
        return cast(R, row)

    def find(self, query: Query[R]) -> list[R]:
        if isinstance(query, FigureQuery):
            return self.compute(query)
        return query.select(self._state.rows(query))


class _MemoryUnit(_MemoryReading, UnitOfWork):
    """A state in the making; a posting that is refused leaves it as it was."""

    @property
    def state(self) -> _State:
        """The state with what has been posted so far."""
        return self._state

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        inner = _MemoryUnit(self._state)
        yield inner
        self._state = inner.state

    def post(self, posting: Posting) -> None:
        for step in posting.heads:
            self._expect(Head, step.head.client, "version", step.expected)
        for stand in posting.stands:
            self._expect(Member, stand.member.id, "revision", stand.member.revision)
        for change in posting.changes:
            self._expect(type(change.record), change.record.id, "revision", change.expected)
        for seal in posting.of(Seal):
            if self._state.get(Seal, seal.id) is not None:
                raise Conflict("the position has a seal", value=seal.position, passing=True)
        state = self._state.with_rows((), posting.freed)
        for claim in posting.claims:
            if state.get(Claim, claim.id) is not None:
                raise Duplicate("already taken", field=claim.space, value=claim.key, passing=True)
            state = state.with_rows([claim])
        state = state.with_rows(
            [
                *(step.head for step in posting.heads),
                *posting.facts,
                *(change.record for change in posting.changes),
            ]
        )
        state.waiting = (*state.waiting, *posting.of(Event))
        self._state = state

    def give_positions(self) -> int:
        """Give the waiting events their positions in the feed."""
        waiting, given = self._state.waiting, self._state.given
        state = self._state.with_rows(
            attrs.evolve(event, position=given + n) for n, event in enumerate(waiting, 1)
        )
        state.waiting, state.given = (), given + len(waiting)
        self._state = state
        return len(waiting)

    def _expect(self, kind: type[Any], id: Any, name: str, wanted: int | None) -> None:
        row = self._state.get(kind, id)
        found = None if row is None else getattr(row, name)
        if found != wanted:
            raise Stale(
                f"the {kind.__name__.lower()} has changed: {name} is {found}, not {wanted}",
                field=name,
                value=found,
                remedy="read it again",
                passing=True,
            )


class MemoryStore(Store):
    """A book in memory: gone when the process ends. One writer at a time; readers never wait.

    Args:
        wait: seconds that a writer waits for another one before it is told `Busy`.
    """

    def __init__(self, wait: float = 5.0) -> None:
        self._state = _State({}, (), 0)
        self._writing = threading.Lock()
        self._wait = wait
        self._closed = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        self._check_open()
        if not self._writing.acquire(timeout=self._wait):
            raise Busy(
                f"another writer has held the book for {self._wait:g} s",
                remedy="end the other unit of work first, or try again",
            )
        try:
            unit = _MemoryUnit(self._state)
            yield unit
            self._state = unit.state
        finally:
            self._writing.release()

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        self._check_open()
        yield _MemoryReading(self._state)

    def sequence(self) -> int:
        with self.begin() as unit:
            return cast(_MemoryUnit, unit).give_positions()

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the book is closed", remedy="open it again")


@hookimpl
def register_stores(register: RegisterStore) -> None:
    """Supply the store for ``memory:``."""
    register("memory", open_memory)


def open_memory(url: str, *, read_only: bool) -> Store:
    """Open a new, empty book in memory.

    Raises:
        InvalidValue: the URL names something.
        NotAllowed: it is to be read only, and would be empty for ever.
    """
    if url not in ("memory:", "memory://"):
        raise InvalidValue(
            "a book in memory has no name", field="url", value=url, remedy='write "memory:"'
        )
    if read_only:
        raise NotAllowed(
            "a book in memory is new, so nothing could be read",
            field="read_only",
            remedy="leave it out",
        )
    return MemoryStore()
