"""Books for the tests of the core: where they are kept, a clock, a look at all that is in one."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger import (
    Allocation,
    Book,
    Client,
    ClientLedgerError,
    Entry,
    MemoryStore,
    Money,
    Posting,
    Release,
    Settings,
    Stale,
    StoreError,
    codec,
    open_book,
)
from clientledger.ports import (
    RECORD_SETS,
    AllocationQuery,
    ClaimQuery,
    EntryQuery,
    HeadQuery,
    Query,
    Reading,
    ReleaseQuery,
    Store,
    UnitOfWork,
)

R = TypeVar("R")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)


def day(offset: int) -> date:
    """The day so many days after today."""
    return TODAY + timedelta(days=offset)


@attrs.define
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def to(self, day: date) -> None:
        """Make it noon of a day."""
        self.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def url_of(kind: str, folder: Path) -> str:
    return "memory:" if kind == "memory" else f"sqlite:///{(folder / 'book.db').as_posix()}"


def _kinds() -> list[str]:
    """Memory, and SQLite where its adapter is installed."""
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            open_book(url_of("sqlite", Path(folder))) as book,
        ):
            book.clients.add("Acme")
            book.verify()
    except (ClientLedgerError, ImportError, NotImplementedError):
        return ["memory"]
    return ["memory", "sqlite"]


KINDS = _kinds()


def new_book(kind: str, folder: Path, clock: Clock | None = None, **options: Any) -> Book:
    """Open a new book of a kind in a folder."""
    options = {"actor": "olena", "clock": clock or Clock(), **options}
    return open_book(url_of(kind, folder), **options)


def in_memory(clock: Clock | None = None) -> Book:
    """A new book in memory, for tests that need many."""
    return Book(MemoryStore(wait=0.05), actor="olena", clock=clock or Clock())


def rows(book: Book) -> dict[str, list[Any]]:
    """All that is in a book, by record set."""
    queries: dict[type[Any], Query[Any]] = {
        kind: query(limit=None) for kind, query in RECORD_SETS.items()
    }
    with book._desk.scope.snapshot() as reading:
        found = {kind.__name__: list(reading.find(query)) for kind, query in queries.items()}
        found["Claim"] = list(reading.find(ClaimQuery()))
        found["Head"] = list(reading.find(HeadQuery()))
        settings = reading.lookup(Settings, UUID(int=0))
        found["Settings"] = [] if settings is None else [settings]
    return found


def dump(book: Book) -> dict[str, list[str]]:
    """All that is in a book, as JSON."""
    return {kind: [codec.dump_json(row) for row in found] for kind, found in rows(book).items()}


class Undo(Exception):
    """Ends a unit of work that is to leave nothing."""


@contextmanager
def undone(book: Book) -> Iterator[Book]:
    """A book in a transaction that will be taken back."""
    try:
        with book.atomic() as inner:
            yield inner
            raise Undo
    except Undo:
        pass


# ------------------------------------------------------------ stores that something hinders
class _HinderedUnit(UnitOfWork):
    def __init__(self, unit: UnitOfWork, store: "HinderedStore") -> None:
        self._unit = unit
        self._store = store

    def get(self, kind: type[R], id: Any) -> R:
        return self._unit.get(kind, id)

    def find(self, query: Query[R]) -> list[R]:
        return self._unit.find(query)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with self._unit.begin() as inner:
            yield _HinderedUnit(inner, self._store)

    def post(self, posting: Posting) -> None:
        self._store.write(self._unit, posting)


class HinderedStore(Store, ABC):
    """A book in memory whose postings something hinders: `write` says what."""

    def __init__(self) -> None:
        self._store = MemoryStore(wait=0.05)

    @abstractmethod
    def write(self, unit: UnitOfWork, posting: Posting) -> None:
        """Post, or be hindered."""

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with self._store.begin() as unit:
            yield _HinderedUnit(unit, self)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        with self._store.snapshot() as reading:
            yield reading

    def sequence(self) -> int:
        return self._store.sequence()

    def close(self) -> None:
        self._store.close()


class ContestedStore(HinderedStore):
    """One whose next postings lose to somebody else, so many times."""

    conflicts = 0

    def write(self, unit: UnitOfWork, posting: Posting) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise Stale("somebody was quicker", field="version", value=1, passing=True)
        unit.post(posting)


class FailingStore(HinderedStore):
    """One whose disk is full after everything was written."""

    fails = False

    def write(self, unit: UnitOfWork, posting: Posting) -> None:
        unit.post(posting)
        if self.fails:
            raise StoreError("the disk is full", remedy="make room")


# ------------------------------------------------------------ an audit of its own
@attrs.frozen
class Facts:
    """The facts of one client, counted here without the domain's functions."""

    entries: tuple[Entry, ...]
    allocations: tuple[Allocation, ...]
    releases: tuple[Release, ...]

    def days(self) -> list[date]:
        facts: tuple[Entry | Allocation | Release, ...] = (
            *self.entries,
            *self.allocations,
            *self.releases,
        )
        return sorted({fact.on for fact in facts})

    def open_on(self, day: date) -> dict[tuple[UUID, int], int]:
        """Minor units open of each instalment (and of each credit, as instalment 0) on a day."""
        voids = {e.undoes: e.on for e in self.entries if e.undoes is not None and e.on <= day}
        left: dict[tuple[UUID, int], int] = {}
        for entry in self.entries:
            if entry.on > day or entry.kind == "void":
                continue
            parts = {p.number: p.amount.minor for p in entry.instalments}
            for number, minor in (parts or {0: entry.amount.minor}).items():
                left[entry.id, number] = 0 if entry.id in voids else minor
        for link in self.allocations:
            ends = [
                max(voids[side], link.on) for side in (link.credit, link.debit) if side in voids
            ]
            if link.on > day or any(end <= day for end in ends):
                continue
            back = sum(
                r.amount.minor for r in self.releases if r.allocation == link.id and r.on <= day
            )
            for key in ((link.credit, 0), (link.debit, link.instalment)):
                left[key] -= link.amount.minor - back
        return left


def facts_of(book: Book, client: UUID) -> Facts:
    with book._desk.scope.snapshot() as reading:
        return Facts(
            tuple(reading.find(EntryQuery(client=client))),
            tuple(reading.find(AllocationQuery(client=client))),
            tuple(reading.find(ReleaseQuery(client=client))),
        )


def audit(book: Book, client: UUID) -> None:
    """Count everything again from the facts, day by day, and compare it with every figure."""
    facts = facts_of(book, client)
    assert [e.sequence for e in sorted(facts.entries, key=lambda e: e.sequence)] == list(
        range(1, len(facts.entries) + 1)
    )
    in_order = sorted(facts.entries, key=lambda e: e.sequence)
    assert all(a.recorded_at <= b.recorded_at for a, b in pairwise(in_order))
    for on in facts.days():
        _audit_day(book, client, facts, on)
    assert book.verify().problems == ()


def _audit_day(book: Book, client: UUID, facts: Facts, on: date) -> None:
    known = {entry.id: entry for entry in facts.entries}
    left = facts.open_on(on)
    assert all(minor >= 0 for minor in left.values()), (on, left)
    owed: dict[str, int] = {}
    prepaid: dict[str, int] = {}
    overdue: dict[str, int] = {}
    for (id, number), minor in left.items():
        entry = known[id]
        whole = next((p for p in entry.instalments if p.number == number), None)
        assert minor <= (whole.amount if whole else entry.amount).minor
        if whole is None:
            prepaid[entry.currency] = prepaid.get(entry.currency, 0) + minor
        else:
            owed[entry.currency] = owed.get(entry.currency, 0) + minor
            if whole.due < on:
                overdue[entry.currency] = overdue.get(entry.currency, 0) + minor
    accounts = book.ledger.accounts(client, as_of=on)
    signed = _sums(facts.entries, on)
    assert set(accounts) == set(signed)
    for code, account in accounts.items():
        found = (account.owed.minor, account.prepaid.minor, account.overdue.minor)
        assert found == (owed.get(code, 0), prepaid.get(code, 0), overdue.get(code, 0)), (on, code)
        assert account.balance.minor == found[0] - found[1] == signed[code]
        for by in ("due", "date"):
            for row in book.insights.ageing(by=by, client=client, currency=code, as_of=on):
                assert sum(bucket.amount.minor for bucket in row.buckets) == found[0]
                assert row.prepaid.minor == found[1]
        middle = min(entry.on for entry in facts.entries)
        sheet = book.ledger.statement(client, code, middle, on)
        moved = sum((r.debit.minor if r.debit else 0) for r in sheet.rows)
        moved -= sum((r.credit.minor if r.credit else 0) for r in sheet.rows)
        assert sheet.opening.minor == 0
        assert sheet.opening.minor + moved == sheet.closing.minor == signed[code]
    items = book.ledger.open_items(client, as_of=on)
    assert {(i.entry, i.instalment): i.open.minor for i in items} == {
        key: minor for key, minor in left.items() if minor
    }


def _sums(entries: tuple[Entry, ...], on: date) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for entry in entries:
        if entry.on <= on:
            signed = entry.amount.minor if entry.side == "debit" else -entry.amount.minor
            sums[entry.currency] = sums.get(entry.currency, 0) + signed
    return sums


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


def account(book: Book, client: Client, as_of: date | None = None) -> tuple[str, str, str]:
    """Owed, prepaid and overdue in euro."""
    found = book.ledger.account(client, "EUR", as_of=as_of)
    return str(found.owed.amount), str(found.prepaid.amount), str(found.overdue.amount)


def open_(book: Book, entry: Entry, as_of: date | None = None) -> str:
    return str(book.ledger.state(entry, as_of=as_of).open.amount)


def status(book: Book, entry: Entry, as_of: date | None = None) -> str:
    return book.ledger.state(entry, as_of=as_of).status
