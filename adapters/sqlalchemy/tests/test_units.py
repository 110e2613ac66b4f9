"""Several threads and processes lose nothing, waiting has an end, and a unit ends once."""

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import attrs
import pytest

from clientledger import Book, Busy, ClientLedgerError, Conflict, Money, StoreError
from clientledger.ports import (
    BalanceQuery,
    Change,
    Claim,
    ClaimQuery,
    ClientQuery,
    EntryQuery,
    EventQuery,
    Head,
    HeadStep,
    Move,
    OpenItemQuery,
    Posting,
    Settings,
    UnitOfWork,
)
from clientledger_sqlalchemy import SqlStore

SELL = """
import sys
from clientledger import Book
from clientledger.ports import ClientQuery
from clientledger_sqlalchemy import SqlStore
store = SqlStore.open(sys.argv[1] + "?wait=30")
book = Book(store, actor=sys.argv[2])
[client] = book.clients.find(limit=1)
for n in range(int(sys.argv[3])):
    book.ledger.record_sale(client, "1.00 EUR", number=f"{sys.argv[2]}-{n}")
store.close()
"""


def test_processes_that_write_at_once_lose_nothing(book: Book, store: SqlStore, path: Path) -> None:
    book.clients.add("Acme")
    orders = [[sys.executable, "-c", SELL, f"sqlite:///{path}", f"p{n}", "25"] for n in range(3)]
    running = [subprocess.Popen(order, stderr=subprocess.PIPE) for order in orders]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    store.sequence()
    with store.snapshot() as reading:
        assert [row.owed.minor for row in reading.find(BalanceQuery())] == [7500]
        assert [entry.sequence for entry in reading.find(EntryQuery())] == list(range(1, 76))
        positions = [event.position for event in reading.find(EventQuery(sequenced=True))]
    assert len(positions) > 75
    assert positions == list(range(1, len(positions) + 1))
    assert book.verify().ok


def test_processes_that_make_one_book_at_once_make_one(path: Path) -> None:
    code = "import sys; from clientledger_sqlalchemy import SqlStore; SqlStore.open(sys.argv[1])"
    order = [sys.executable, "-c", code, f"sqlite:///{path}"]
    running = [subprocess.Popen(order, stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()


def test_threads_that_write_at_once_lose_nothing(book: Book, store: SqlStore) -> None:
    clients = [book.clients.add(name) for name in ("Acme", "Zoë")]
    failures: list[ClientLedgerError] = []

    def sell() -> None:
        try:
            for _ in range(15):
                for client in clients:
                    book.ledger.record_sale(client, "1.00 EUR")
        except ClientLedgerError as error:
            failures.append(error)

    threads = [threading.Thread(target=sell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.snapshot() as reading:
        assert [row.owed.minor for row in reading.find(BalanceQuery())] == [6000, 6000]
    assert book.verify().ok


def test_a_writer_that_waited_too_long_is_told(path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{path}?wait=0.05")
    with store.begin():
        begun = time.monotonic()
        with pytest.raises(Busy) as caught, store.begin():
            pass
        assert 0.04 < time.monotonic() - begun < 3
    assert caught.value.passing is False
    with store.begin():
        pass
    store.close()


def test_a_book_opens_and_reads_while_another_writes(store: SqlStore, path: Path) -> None:
    with store.begin():
        again = SqlStore.open(f"sqlite:///{path}?wait=0")
        with again.snapshot() as reading:
            assert reading.find(ClientQuery()) == []
        assert again.sequence() == 0
        again.close()


def test_many_readers_at_once(store: SqlStore) -> None:
    with ExitStack() as stack:
        readings = [stack.enter_context(store.snapshot()) for _ in range(40)]
        assert all(reading.find(ClientQuery()) == [] for reading in readings)


def test_a_snapshot_is_of_the_moment_at_which_it_began(book: Book, store: SqlStore) -> None:
    with store.snapshot() as reading:
        book.clients.add("Later")
        assert reading.find(ClientQuery()) == []


def test_a_client_who_knows_the_former_rules_is_not_added(book: Book, store: SqlStore) -> None:
    old = Head(client=uuid4(), recorded_at=datetime.now(UTC), edition=0)
    rules = Settings(revision=1, edition=1)
    with store.begin() as unit:
        unit.post(Posting(changes=(Change(rules),)))
        with pytest.raises(Conflict):
            unit.post(Posting(heads=(HeadStep(old, None),)))
        unit.post(Posting(heads=(HeadStep(attrs.evolve(old, edition=1), None),)))


def test_nothing_opens_beyond_what_it_is_over(book: Book, store: SqlStore) -> None:
    book.ledger.record_sale(book.clients.add("Acme"), "9.00 EUR")
    with store.begin() as unit:
        [item] = unit.find(OpenItemQuery())
        row = attrs.evolve(item, open=Money("0.00", "EUR"))
        with pytest.raises(Conflict) as caught:
            unit.post(Posting(moves=(Move(row, {"open": 1}, {"open": (0, 900)}, item.on),)))
        assert caught.value.passing


def claim(key: str) -> Posting:
    return Posting(claims=(Claim("command", key, "s"),))


def keys(unit: UnitOfWork) -> list[str]:
    return [claim.key for claim in unit.find(ClaimQuery())]


def post_and_fail(unit: UnitOfWork, key: str, failure: type[BaseException]) -> None:
    with unit.begin() as inner:
        inner.post(claim(key))
        raise failure


def test_savepoints_undo_what_was_done_inside_them_alone(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.post(claim("a"))
        with unit.begin() as inner:
            inner.post(claim("b"))
            with pytest.raises(KeyboardInterrupt):
                post_and_fail(inner, "c", KeyboardInterrupt)
            assert keys(inner) == ["a", "b"]
            inner.post(claim("d"))
        with pytest.raises(InterruptedError):
            post_and_fail(unit, "e", InterruptedError)
    with store.begin() as unit:
        assert keys(unit) == ["a", "b", "d"]


def test_a_unit_that_has_ended_takes_nothing_more(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.post(claim("a"))
    for late in (
        lambda: unit.post(claim("b")),
        lambda: unit.find(ClaimQuery()),
        lambda: unit.begin().__enter__(),
    ):
        with pytest.raises(StoreError, match="has ended"):
            late()
    with store.begin() as other:
        assert keys(other) == ["a"]
