"""A store that asks two stores everything, and fails where their answers differ."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from uuid import UUID

from clientledger.errors import ClientLedgerError
from clientledger.ports import (
    Event,
    EventQuery,
    Posting,
    Problem,
    Query,
    Reading,
    Store,
    UnitOfWork,
)

__all__ = ["PairedStore"]

R = TypeVar("R")
T = TypeVar("T")


def _same(what: object, one: Callable[[], T], other: Callable[[], T]) -> T:
    """The answer of both, which must be one answer, or one class of refusal."""
    results: list[tuple[Any, ClientLedgerError | None]] = []
    for ask in (one, other):
        try:
            results.append((ask(), None))
        except ClientLedgerError as error:
            results.append((None, error))
    (first, failure), (second, other_failure) = results
    assert type(failure) is type(other_failure), (
        f"{what}: the reference says {failure!r}, the store says {other_failure!r}"
    )
    if failure is not None:
        raise failure
    assert first == second, f"{what}:\nthe reference says {first!r}\nthe store says     {second!r}"
    return first  # type: ignore[no-any-return]  # both results are of the asked type


class _PairedReading(Reading):
    def __init__(self, reference: Reading, tested: Reading) -> None:
        self._pair = (reference, tested)

    def get(self, kind: type[R], id: Any) -> R:
        one, other = self._pair
        return _same((kind, id), lambda: one.get(kind, id), lambda: other.get(kind, id))

    def find(self, query: Query[R]) -> list[R]:
        one, other = self._pair
        return _same(query, lambda: one.find(query), lambda: other.find(query))

    def examine(self, query: Query[R]) -> tuple[list[R], list[Problem]]:
        one, other = self._pair
        return _same(query, lambda: one.examine(query), lambda: other.examine(query))

    def strays(self) -> list[Problem]:
        one, other = self._pair
        return _same("strays", one.strays, other.strays)

    def total(self, query: Query[Any]) -> int:
        one, other = self._pair
        return _same(query, lambda: one.total(query), lambda: other.total(query))


class _PairedUnit(_PairedReading, UnitOfWork):
    def __init__(self, reference: UnitOfWork, tested: UnitOfWork) -> None:
        super().__init__(reference, tested)
        self._units = (reference, tested)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with ExitStack() as stack:
            one, other = (stack.enter_context(unit.begin()) for unit in self._units)
            yield _PairedUnit(one, other)

    def post(self, posting: Posting) -> None:
        one, other = self._units
        _same(posting, lambda: one.post(posting), lambda: other.post(posting))

    def rederive(self, client: UUID) -> None:
        one, other = self._units
        _same(client, lambda: one.rederive(client), lambda: other.rederive(client))


class PairedStore(Store):
    """Two stores as one: each posting goes to both, each question is asked of both.

    Args:
        reference: the store that is right by definition, such as `MemoryStore`.
        tested: the store under test.
    """

    def __init__(self, reference: Store, tested: Store) -> None:
        self._stores = (reference, tested)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with ExitStack() as stack:
            one, other = (stack.enter_context(store.begin()) for store in self._stores)
            yield _PairedUnit(one, other)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        with ExitStack() as stack:
            one, other = (stack.enter_context(store.snapshot()) for store in self._stores)
            yield _PairedReading(one, other)

    def sequence(self) -> int:
        """Give positions in both; the same number of events waits in each."""
        one, other = self._stores
        return _same("sequence", one.sequence, other.sequence)

    def feeds(self) -> tuple[list[Event], list[Event]]:
        """The feed of each, in order."""
        found = []
        for store in self._stores:
            with store.snapshot() as reading:
                found.append(reading.find(EventQuery(sequenced=True)))
        return found[0], found[1]

    def close(self) -> None:
        for store in self._stores:
            store.close()
