"""Nothing leaks, forks are safe, and waiting writers all get their turn."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clientledger import Book, Money, open_book
from clientledger_sqlalchemy import SqlStore

FORKING = """
import os, sys, warnings
from clientledger import open_book
warnings.simplefilter("ignore")
book = open_book(sys.argv[1], actor="olena")
[client] = book.clients.find(limit=1)
for round in range(int(sys.argv[2])):
    book.ledger.record_sale(client, "1.00 EUR")
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                book.ledger.record_sale(client, "1.00 EUR")
                assert len(book.ledger.find(client=client, limit=2)) == 2
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        children.append(child)
    book.ledger.record_sale(client, "1.00 EUR")
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
book.close()
"""
ROUNDS = 8


@pytest.mark.parametrize("url", ["sqlite", "postgresql_url", "mariadb_url"])
def test_a_book_may_be_used_after_a_fork(
    url: str, path: Path, request: pytest.FixtureRequest
) -> None:
    address = f"sqlite:///{path}" if url == "sqlite" else request.getfixturevalue(url)
    with open_book(address, actor="olena") as book:
        client = book.clients.add("Acme")
        order = [sys.executable, "-c", FORKING, address, str(ROUNDS)]
        run = subprocess.run(order, capture_output=True, text=True, timeout=120, check=False)
        assert run.returncode == 0, run.stderr
        owed = book.ledger.account(client, "EUR").owed
        assert owed == Money.from_minor(100 * 4 * ROUNDS, "EUR")
        assert book.verify().ok


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("url", ["sqlite", "postgresql_url", "mariadb_url"])
def test_neither_files_nor_threads_nor_connections_are_left(
    url: str, path: Path, request: pytest.FixtureRequest
) -> None:
    address = f"sqlite:///{path}" if url == "sqlite" else request.getfixturevalue(url)
    before = open_files()
    store = SqlStore.open(address)
    book = Book(store, actor="olena")
    client = book.clients.add("Acme")
    book.card(client)
    settled, threads = open_files(), threading.active_count()
    for n in range(60):
        book.ledger.record_sale(client, "1.00 EUR")
        book.card(client)
        with pytest.raises(LookupError):
            book.ledger.get(client.id)
        if n % 3 == 0:
            with pytest.raises(ZeroDivisionError):
                book.run(lambda shop: (shop.clients.add("Zoë"), 1 // 0))
    assert open_files() <= settled + 1
    assert threading.active_count() == threads
    pool = store.engine.pool.pool
    assert pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
    book.close()
    assert open_files() == before


SATURATE = """
import sys, time
from clientledger import open_book
with open_book(sys.argv[1], actor=sys.argv[2]) as book:
    client = book.clients.add(sys.argv[2])
    print("begun", flush=True)
    sys.stdin.readline()
    end, made, worst = time.monotonic() + float(sys.argv[3]), 0, 0.0
    while time.monotonic() < end:
        begun = time.monotonic()
        book.ledger.record_sale(client, "1.00 EUR", use_prepayments=False)
        worst = max(worst, time.monotonic() - begun)
        made += 1
    print(made, worst, flush=True)
"""


def test_writers_of_a_file_take_turns(path: Path) -> None:
    """No writer starves: SQLite's own waiting gives one of two nearly every turn."""
    url, seconds = f"sqlite:///{path}", "3"
    open_book(url).close()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SATURATE, url, f"w{n}", seconds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
    counts, waits = [], []
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        out, _ = process.communicate(timeout=120)
        made, worst = out.split()
        counts.append(int(made))
        waits.append(float(worst))
    assert min(counts) * 3 >= max(counts) > 10, counts
    assert max(waits) < 5, waits


def test_one_who_waits_is_told_in_time(path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{path}?wait=0.3")
    told: list[float] = []

    def wait() -> None:
        begun = time.monotonic()
        try:
            with store.begin():
                pass
        except Exception:  # noqa: BLE001 - which it is, others test
            told.append(time.monotonic() - begun)

    with store.begin():
        threads = [threading.Thread(target=wait) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(told) == 6
    store.close()
