"""On PostgreSQL the tables of clients can be split by client: what is of one is in one part."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from clientledger import Book, Client
from clientledger.ports import (
    AgreementQuery,
    AllocationQuery,
    BalanceQuery,
    EntryQuery,
    Head,
    InteractionQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Query,
    ReleaseQuery,
    TimelineQuery,
)
from clientledger_sqlalchemy import SqlStore
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.prepared import Prepared

PARTS = 8
SPLIT = {
    "heads",
    "entries",
    "entry_lines",
    "instalments",
    "allocations",
    "releases",
    "interactions",
    "agreements",
    "balances",
    "open_items",
    "purchase_days",
    "timeline",
}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def book(postgresql_url: str) -> Iterator[Book]:
    """A book of 40 clients with a few documents each, with what PostgreSQL knows of it."""
    store = SqlStore.open(f"{postgresql_url}?partitions={PARTS}")
    book = Book(store, actor="olena", clock=lambda: NOW)
    with book.atomic() as shop:
        for n in range(40):
            client = shop.clients.add(f"Client {n:02}")
            sale = shop.ledger.record_sale(client, [("Beans", 2, "5.00")], currency="EUR")
            shop.ledger.record_payment(client, "4.00 EUR")
            shop.agreements.promise(client, "discount", "5 %", percent="5")
            shop.interactions.log(client, "call", "Asked")
            if n % 5 == 0:
                shop.ledger.void(sale, reason="a mistake")
    with store.engine.pool.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
    yield book
    book.close()


def store_of(book: Book) -> SqlStore:
    store = book._desk.scope
    assert isinstance(store, SqlStore)
    return store


@contextmanager
def explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Note the plan of every select that a book runs, and its text."""
    seen: list[tuple[str, str]] = []
    run = Channel.raw

    def raw(channel: Channel, statement: Prepared, values: Any) -> Any:
        cursor = channel.connection.cursor()
        cursor.execute(f"EXPLAIN {statement.text}", statement.parameters(values))
        seen.append((statement.text, "\n".join(row[0] for row in cursor.fetchall())))
        cursor.close()
        return run(channel, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(Channel, "raw", raw)
        yield seen


def parts_of(plan: str) -> dict[str, set[str]]:
    """The parts of each split table that a plan touches."""
    found: dict[str, set[str]] = {}
    for name in re.findall(r" on (\w+)", plan):
        table, _, part = name.rpartition("_")
        if part.isdigit() and table in SPLIT:
            found.setdefault(table, set()).add(part)
    return found


def test_the_tables_of_clients_are_split_and_the_others_are_whole(book: Book) -> None:
    with store_of(book).engine.pool.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT p.relname, count(*) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent "
            "WHERE p.relkind = 'p' GROUP BY 1"
        ).all()
    assert {row[0]: row[1] for row in rows} == dict.fromkeys(SPLIT, PARTS)


def test_what_is_of_one_client_lies_in_one_part(book: Book) -> None:
    [client, *_] = book.clients.find()
    with store_of(book).engine.pool.connect() as connection:
        parts = set()
        for table in sorted(SPLIT):
            query = sa.text(
                f"SELECT DISTINCT tableoid::regclass::text FROM {table} WHERE client_id = :id"
            )
            for name in connection.scalars(query, {"id": client.id}):
                parts.add(name.rpartition("_")[2])
    assert len(parts) == 1


QUERIES: list[Any] = [
    AgreementQuery,
    AllocationQuery,
    BalanceQuery,
    EntryQuery,
    InteractionQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    ReleaseQuery,
    TimelineQuery,
]


@pytest.mark.parametrize("kind", QUERIES, ids=lambda kind: kind.__name__)
def test_what_is_asked_of_one_client_is_read_from_one_part(
    book: Book, kind: type[Query[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    [client, *_] = book.clients.find()
    with explained(monkeypatch) as seen, store_of(book).snapshot() as reading:
        reading.find(kind(client=client.id))  # type: ignore[call-arg]  # each of these has a client
    touched = [parts_of(plan) for _, plan in seen]
    assert any(touched)
    assert all(len(parts) == 1 for found in touched for parts in found.values())


def test_a_head_is_read_from_one_part(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    [client, *_] = book.clients.find()
    with explained(monkeypatch) as seen, store_of(book).snapshot() as reading:
        reading.get(Head, client.id)
    assert [len(p) for _, plan in seen for p in parts_of(plan).values()] == [1]


def test_a_card_reads_one_part_of_each_table(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    [client, *_] = book.clients.find()
    with explained(monkeypatch) as seen:
        book.card(client)
    wide = {table for _, plan in seen for table, parts in parts_of(plan).items() if len(parts) > 1}
    assert wide == set()
    assert len(seen) < 25


def test_lists_over_all_clients_read_every_part_by_its_index(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with explained(monkeypatch) as seen:
        book.insights.debtors()
        book.insights.ageing()
    touched = {table: parts for _, plan in seen for table, parts in parts_of(plan).items()}
    assert len(touched["balances"]) == PARTS


def test_a_split_book_is_as_good_as_another(book: Book) -> None:
    assert book.verify().ok
    assert len(book.insights.debtors()) == 32
    [client] = book.clients.find("Client 07")
    assert isinstance(client, Client)
    [sale] = book.ledger.find(client=client, kind="sale")
    assert book.ledger.get(sale.id) == sale
    assert sale.on == date(2026, 11, 23)
    assert store_of(book).findings() == []
