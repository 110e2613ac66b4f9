"""What the database itself refuses, and tables inside a host's MetaData."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from clientledger import Book, InvalidValue
from clientledger_sqlalchemy import SqlStore, tables
from clientledger_sqlalchemy.engines import engine_for


@pytest.fixture
def raw(book: Book, store: SqlStore, path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of a stranger to a book with a row in every table of facts."""
    client = book.clients.add("Acme")
    sale = book.ledger.record_sale(client, [("Beans", 2, "5.00")], currency="EUR")
    book.ledger.record_payment(client, "4.00 EUR")
    book.ledger.record_sale(client, "9.00 EUR")
    book.ledger.void(sale, reason="a mistake")
    store.sequence()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


FACTS = ["entries", "entry_lines", "instalments", "allocations", "events", "feed"]


@pytest.mark.parametrize("table", FACTS)
def test_a_fact_is_neither_changed_nor_deleted(raw: sqlite3.Connection, table: str) -> None:
    [count] = raw.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert count > 0
    [column] = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")][-1:]
    for order in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
        with pytest.raises(sqlite3.IntegrityError, match=f"{table}: what is recorded stays"):
            raw.execute(order)
    assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)


def test_a_fact_is_not_replaced_on_a_connection_of_ours(
    raw: sqlite3.Connection, path: Path
) -> None:
    engine, _ = engine_for(f"sqlite:///{path}?wait=1", read_only=False)
    with engine.pool.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="stays"):
        connection.exec_driver_sql("INSERT OR REPLACE INTO entries SELECT * FROM entries")
    engine.close()


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE balances SET owed = -1",
        "UPDATE balances SET prepaid = -1",
        "UPDATE open_items SET open = -1",
        "UPDATE open_items SET open = amount + 1",
        "UPDATE purchase_days SET count = -1",
        "INSERT INTO book VALUES (2, 'x', 1)",
        "INSERT INTO instalments SELECT client_id, 'none', 1, on_day, 1 FROM entries LIMIT 1",
        "INSERT INTO heads SELECT * FROM heads",
        "UPDATE clients SET name = NULL",
    ],
)
def test_rows_that_break_a_rule_are_refused(raw: sqlite3.Connection, order: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(order)


def test_no_foreign_key_hangs_and_every_amount_is_a_whole_number(raw: sqlite3.Connection) -> None:
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    assert raw.execute("SELECT DISTINCT typeof(amount) FROM entries").fetchall() == [("integer",)]
    assert raw.execute("SELECT DISTINCT typeof(price) FROM entry_lines").fetchall() == [("text",)]


def test_two_books_stand_side_by_side_in_a_hosts_metadata() -> None:
    metadata = sa.MetaData()
    host = sa.Table("clients", metadata, sa.Column("id", sa.Integer, primary_key=True))
    one = tables(metadata, prefix="cl_")
    tables(metadata, prefix="cl2_")
    tables(metadata, schema="crm")
    assert one.clients.name == "cl_clients"
    assert metadata.tables["crm.clients"].schema == "crm"
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("ATTACH DATABASE ':memory:' AS crm")
        metadata.create_all(connection)
        names = set(sa.inspect(connection).get_table_names())
    assert host.name in names
    assert {"cl_entries", "cl2_entries"} <= names
    engine.dispose()


@pytest.mark.parametrize("prefix", ["a-b", "A", "x" * 21, 'a"'])
def test_a_prefix_that_is_no_name_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidValue, match="prefix"):
        tables(sa.MetaData(), prefix=prefix)
