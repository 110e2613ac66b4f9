"""Copies of a book are whole, however busy it is, and a copy is a book again."""

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from clientledger import Book, NotAllowed, StoreError, open_book
from clientledger_sqlalchemy import SqlStore

BUSY = """
import itertools, sys
from clientledger import open_book
with open_book(sys.argv[1] + "?wait=60", actor="busy") as book:
    [client] = book.clients.find(limit=1)
    print("begun", flush=True)
    for n in itertools.count():
        book.ledger.record_sale(client, [("a", 1, "2.00"), ("b", 2, "0.50")], currency="EUR")
        book.ledger.record_payment(client, "2.50 EUR")
"""
COPIES = 10
DAY = date(2026, 11, 23)


def test_copies_of_a_busy_book_are_whole(book: Book, path: Path, tmp_path: Path) -> None:
    client = book.clients.add("Acme")
    order = [sys.executable, "-c", BUSY, f"sqlite:///{path}"]
    counts = []
    with subprocess.Popen(order, stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            for n in range(COPIES):
                acknowledged = len(book.ledger.find(client=client, kind="sale"))
                copy = tmp_path / f"copy{n}.db"
                book.backup(copy)
                assert sorted(p.name for p in tmp_path.glob(f"copy{n}*")) == [copy.name]
                with open_book(f"sqlite:///{copy}", read_only=True) as kept:
                    assert kept.verify().ok
                    counts.append(len(kept.ledger.find(client=client, kind="sale")))
                assert counts[-1] >= acknowledged
                time.sleep(0.02)
        finally:
            busy.kill()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0], "the book was not busy"


def test_a_copy_is_a_book_that_goes_on(book: Book, tmp_path: Path) -> None:
    client = book.clients.add("Acme", external_ids={"erp": "1"})
    book.ledger.record_sale(client, "9.00 EUR", number="A-1", key="once")
    before = [event.cursor for event in book.changes()]
    book.backup(tmp_path / "copy.db")
    with open_book(f"sqlite:///{tmp_path / 'copy.db'}", actor="olena") as copy:
        assert copy.card(client, as_of=DAY) == book.card(client, as_of=DAY)
        assert [event.cursor for event in copy.changes()] == before
        assert copy.outcome("once").recorded
        copy.ledger.record_payment(client, "9.00 EUR")
        assert copy.verify().ok
    assert len(book.ledger.find(client=client)) == 1


def test_a_copy_never_takes_the_place_of_a_file(book: Book, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("something else")
    with pytest.raises(StoreError, match="already"):
        book.backup(there)
    assert there.read_text() == "something else"
    with pytest.raises(StoreError, match="folder"):
        book.backup(tmp_path / "none" / "copy.db")
    with book.atomic() as shop, pytest.raises(NotAllowed):
        shop.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("url", ["memory:", "postgresql_url", "mariadb_url"])
def test_others_are_copied_by_tools_of_their_own(
    url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = url if url == "memory:" else request.getfixturevalue(url)
    with (
        open_book(address, actor="olena") as book,
        pytest.raises(NotAllowed, match="dump"),
    ):
        book.backup(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_makes_no_copy(book: Book, path: Path, tmp_path: Path) -> None:
    for n in range(30):
        book.clients.add(f"Client {n}", note="x" * 3000)
    book.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 4096] = b"\x5a" * 4096
    path.write_bytes(content)
    store = SqlStore.open(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="damaged"):
        Book(store).backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
    store.close()
