"""Only books are opened, and what is refused is not written to."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from clientledger import Book, InvalidValue, NotAllowed, StoreError
from clientledger.ports import (
    Claim,
    ClaimQuery,
    Client,
    ClientQuery,
    EntryQuery,
    EventQuery,
    OpenItemQuery,
    Posting,
    Query,
)
from clientledger_sqlalchemy import SqlStore, tables
from clientledger_sqlalchemy.engines import engine_for


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def rows_of(store: SqlStore) -> list[object]:
    queries: list[Query[Any]] = [ClientQuery(), EntryQuery(), EventQuery(), OpenItemQuery()]
    with store.snapshot() as reading:
        return [row for query in queries for row in reading.find(query)]


def test_a_book_opened_again_holds_the_same_rows(book: Book, store: SqlStore, path: Path) -> None:
    client = book.clients.add("Ünal & Söhne", tags=["vip"], emails=["a@b.example"])
    book.ledger.record_sale(client, [("Beans", "0.333333", "12.12345678")], currency="EUR")
    book.ledger.record_payment(client, "2.00 EUR")
    before = rows_of(store)
    store.close()
    again = SqlStore.open(url(path))
    assert rows_of(again) == before
    again.close()


def test_the_file_says_what_it_is_and_keeps_its_promises(store: SqlStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        [application] = connection.execute("PRAGMA application_id").fetchone()
        assert application == int.from_bytes(b"CLDB")
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT * FROM book").fetchall() == [(1, "clientledger", 3)]


def test_an_empty_file_becomes_a_book(path: Path) -> None:
    path.touch()
    SqlStore.open(url(path)).close()
    with pytest.raises(StoreError):
        SqlStore.open(url(path.with_name("none.db")), read_only=True)
    assert not path.with_name("none.db").exists()


@pytest.mark.parametrize(
    "address",
    ["sqlite:///", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "sqlite:///a\0b"],
)
def test_what_names_no_file_is_refused(address: str) -> None:
    with pytest.raises(InvalidValue, match=r"sqlite:///clients\.db"):
        SqlStore.open(address)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE clients (id)")


def foreign_in_wal_mode(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE clients (id)")


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1")
        connection.execute("PRAGMA user_version = 3")


def newer(path: Path) -> None:
    SqlStore.open(url(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 4")


def text(path: Path) -> None:
    path.write_text("client;amount\nAcme;12.50\n" * 100, encoding="utf-8")


def truncated(path: Path) -> None:
    SqlStore.open(url(path)).close()
    path.write_bytes(path.read_bytes()[:5000])


def scribbled(path: Path) -> None:
    SqlStore.open(url(path)).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [
        foreign,
        foreign_in_wal_mode,
        of_another_program,
        newer,
        text,
        truncated,
        scribbled,
        folder,
    ],
)
def test_what_is_no_book_is_refused_by_name_and_left_as_it_is(
    spoil: Callable[[Path], None], read_only: bool, path: Path
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as caught:
        SqlStore.open(url(path), read_only=read_only)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder does not exist"):
        SqlStore.open(url(tmp_path / "none" / "book.db"))
    with pytest.raises(StoreError, match="cannot be reached"):
        SqlStore.open(url(tmp_path / ("x" * 300)))


def test_a_book_that_has_gone_is_not_made_anew(store: SqlStore, path: Path) -> None:
    engine, _ = engine_for(f"sqlite:///{path}?wait=1", read_only=False)
    path.unlink()
    later = SqlStore(engine, tables(sa.MetaData()))
    with pytest.raises(StoreError, match="cannot be opened"), later.snapshot():
        pass
    assert not path.exists()
    later.close()


def test_a_book_may_have_any_name(tmp_path: Path) -> None:
    for name in ("a b.db", "100%.db", "%20.db", "#1.db", "Ключ.db", "'quoted'.db"):
        SqlStore.open(url(tmp_path / name)).close()
        assert (tmp_path / name).is_file()
    assert len(list(tmp_path.iterdir())) == 6


def test_a_book_open_for_reading_only_is_read_and_never_written(
    book: Book, store: SqlStore, path: Path
) -> None:
    client = book.clients.add("Acme")
    reader = SqlStore.open(url(path), read_only=True)
    with reader.snapshot() as reading:
        assert reading.get(Client, client.id) == client
    with pytest.raises(NotAllowed), reader.begin():
        pass
    assert reader.sequence() == 0
    book.clients.add("Later")
    with reader.snapshot() as reading:
        assert reading.total(ClientQuery()) == 2
    reader.close()


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user whom the rights of files bind."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody may read, and nobody but the owner may write."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_may_not_be_written_is_named(shared: Path) -> None:
    shared.chmod(0o555)
    with without_rights(), pytest.raises(StoreError, match="cannot be reached") as caught:
        SqlStore.open(url(shared / "book.db"))
    assert "rights of its folders" in str(caught.value)


def test_a_file_that_may_not_be_written_is_named(shared: Path) -> None:
    path = shared / "book.db"
    SqlStore.open(url(path)).close()
    path.chmod(0o444)
    shared.chmod(0o555)
    with without_rights(), pytest.raises(StoreError, match=r"book\.db") as caught:
        SqlStore.open(url(path)).begin().__enter__()
    assert caught.value.remedy


def test_a_file_that_may_not_be_read_is_named(shared: Path) -> None:
    path = shared / "book.db"
    SqlStore.open(url(path)).close()
    path.chmod(0o000)
    with without_rights(), pytest.raises(StoreError, match="cannot be opened"):
        SqlStore.open(url(path))


def test_a_full_disk_undoes_the_unit_and_is_named(path: Path) -> None:
    engine, _ = engine_for(f"sqlite:///{path}?wait=1", read_only=False)
    made = tables(sa.MetaData())
    engine.make(made)
    sa.event.listen(
        engine.pool, "connect", lambda c, _: c.execute("PRAGMA max_page_count = 140").fetchone()
    )
    engine.close()
    store = SqlStore(engine, made)
    small = Posting(claims=(Claim("command", "small", "s"),))
    large = Posting(claims=tuple(Claim("command", f"k{n}", "s" * 500) for n in range(2000)))
    with ExitStack() as stack:
        unit = stack.enter_context(store.begin())
        unit.post(small)
        with pytest.raises(StoreError, match="disk is full"):
            unit.post(large)
        with pytest.raises(StoreError, match="undone"):
            unit.post(small)
        with pytest.raises(StoreError, match="undone"):
            stack.close()
    with store.begin() as unit:
        assert unit.find(ClaimQuery()) == []
        unit.post(small)
    store.close()
