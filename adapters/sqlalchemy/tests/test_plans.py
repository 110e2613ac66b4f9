"""Reads go through indexes, and a posting is few statements."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from clientledger import Book, Money
from clientledger.domain.journal import new_items
from clientledger.domain.recording import Stamp, issue, link
from clientledger.domain.settling import Room, settle
from clientledger.ports import (
    AgreementQuery,
    AllocationQuery,
    BalanceQuery,
    Claim,
    ClientQuery,
    Entry,
    EntryLine,
    EntryQuery,
    Event,
    EventQuery,
    HeadQuery,
    HeadStep,
    InteractionQuery,
    OpenItemQuery,
    Posting,
    PurchaseDayQuery,
    Query,
    ReleaseQuery,
    TaskQuery,
    TimelineQuery,
)
from clientledger.testing.contract import client_posting, payment_of, sale_of
from clientledger_sqlalchemy import SqlStore, tables
from clientledger_sqlalchemy.engines import engine_for
from clientledger_sqlalchemy.selects import asked
from clientledger_sqlalchemy.statements import Statements

ID, DAY, NOW = UUID(int=7), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
STATEMENTS = Statements(tables(sa.MetaData()), sqlite.dialect(paramstyle="qmark"))


def plan_of(path: Path, query: Query[Any]) -> list[str]:
    """What SQLite says that it does, without the lists of ids."""
    source = STATEMENTS.sources[type(query)]
    page, values = STATEMENTS.selects.page(query, source, asked(query, source))
    with closing(sqlite3.connect(path)) as connection:
        order = f"EXPLAIN QUERY PLAN {page.text}"
        steps = [row[3] for row in connection.execute(order, page.parameters(values))]
    return [step for step in steps if "VIRTUAL TABLE" not in step]


OF_ONE_CLIENT: list[Query[Any]] = [
    AgreementQuery(client=ID, limit=50),
    AllocationQuery(client=ID),
    BalanceQuery(client=ID),
    EntryQuery(client=ID, limit=20),
    EntryQuery(client=ID, since=DAY, until=DAY),
    EntryQuery(client=ID, limit=20, after=(DAY, ID, 3)),
    InteractionQuery(client=ID, limit=20),
    OpenItemQuery(client=ID, limit=50),
    OpenItemQuery(client=ID, currency="EUR", side="debit"),
    PurchaseDayQuery(client=ID),
    TaskQuery(client=ID, status="open", limit=20),
    TimelineQuery(client=ID, limit=20),
    TimelineQuery(client=ID, limit=20, after=(NOW, ID)),
    TimelineQuery(client=ID, what=("entry",), until=NOW, limit=20),
]
ACROSS: list[Query[Any]] = [
    BalanceQuery(currency="EUR", owing=True, limit=100),
    ClientQuery(limit=20, after=("a", ID)),
    ClientQuery(manager="olena"),
    EntryQuery(since=DAY, until=DAY),
    EntryQuery(limit=20, after=(DAY, ID, 3)),
    EventQuery(sequenced=True, limit=20, after=(3, ID)),
    OpenItemQuery(due_before=DAY),
    TaskQuery(assignee="olena", status="open"),
    TaskQuery(status="open", due_until=DAY),
]
FEW: list[Query[Any]] = [
    AllocationQuery(client=ID, touching=(ID,)),
    ClientQuery(ids=(ID,)),
    EntryQuery(ids=(ID,)),
    EntryQuery(client=ID, undoes=(ID,), limit=1),
    EntryQuery(number="1"),
    EventQuery(client=ID, subject="x"),
    EventQuery(sequenced=False),
    HeadQuery(clients=(ID,)),
    OpenItemQuery(client=ID, entries=(ID,), open_only=False),
    ReleaseQuery(client=ID, touching=(ID,)),
]


@pytest.mark.parametrize("query", [*OF_ONE_CLIENT, *ACROSS], ids=lambda query: type(query).__name__)
def test_a_list_is_a_range_of_an_index_in_its_order(
    store: SqlStore, path: Path, query: Query[Any]
) -> None:
    plan = plan_of(path, query)
    assert not [step for step in plan if step.startswith(("SCAN", "USE TEMP B-TREE"))], plan


@pytest.mark.parametrize("query", FEW, ids=lambda query: type(query).__name__)
def test_few_rows_are_looked_up(store: SqlStore, path: Path, query: Query[Any]) -> None:
    plan = plan_of(path, query)
    assert not [step for step in plan if step.startswith("SCAN") and "pending" not in step], plan
    assert not [step for step in plan if "(client_id=?)" in step and "heads" not in step], plan


def test_open_items_of_a_client_are_read_from_the_index_alone(store: SqlStore, path: Path) -> None:
    [step] = plan_of(path, OpenItemQuery(client=ID))
    assert "USING COVERING INDEX ix_open_items_open" in step


def test_whether_a_client_has_moved_since_a_day_is_looked_up(store: SqlStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for names in ({"as_of"}, {"as_of", "client"}):
            statement = STATEMENTS.moved_later[frozenset(names)]
            values = statement.parameters({"as_of": DAY, "client": ID})
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", values).fetchall()
            assert [row[3][:6] for row in plan] == ["SEARCH"]


@pytest.fixture
def traced(path: Path) -> Iterator[tuple[SqlStore, list[str]]]:
    """A store, and the statements that it runs: an executemany counts once."""
    ran: list[str] = [""]
    metadata = sa.MetaData()
    made = tables(metadata)
    engine, _ = engine_for(f"sqlite:///{path}?wait=1", read_only=False)
    engine.make(made)
    engine.close()

    def note(text: str) -> None:
        verb, *words = text.split()
        words = [word.partition(".")[0] for word in words]
        step = next((f"{verb} {word}" for word in words if word in metadata.tables), verb)
        if step != ran[-1]:
            ran.append(step)

    def listen(driver: Any, _: object) -> None:
        driver.set_trace_callback(note)

    sa.event.listen(engine.pool, "connect", listen)
    store = SqlStore(engine, made)
    yield store, ran
    store.close()


def test_a_sale_and_a_payment_are_few_statements(traced: tuple[SqlStore, list[str]]) -> None:
    store, ran = traced
    client, added = client_posting()
    ids = itertools.count(1)
    stamp = Stamp("olena", NOW, lambda: UUID(int=next(ids)))
    head = added.heads[0].head

    def as_command(entry: Entry) -> Posting:
        step = HeadStep(attrs.evolve(head, version=entry.sequence + 1), entry.sequence)
        event = Event(id=stamp.new_id(), type="x", subject="y", client=client.id, actor="o", at=NOW)
        return Posting(heads=(step,), facts=(event,)) + issue(entry)

    line = EntryLine(
        name="Beans", quantity=Decimal(1), price=Decimal(10), total=Money("10.00", "EUR")
    )
    sales = [
        attrs.evolve(sale_of(client, Money("10.00", "EUR"), n), lines=(line,) * 3)
        for n in (1, 2, 3)
    ]
    with store.begin() as unit:
        unit.post(added)
    for sale in sales:
        ran[:] = [""]
        claim = Claim("number:sale", str(sale.sequence), str(sale.id))
        with store.begin() as unit:
            unit.post(as_command(sale) + Posting(claims=(claim,)))
    assert ran[1:] == [
        "BEGIN",
        "SAVEPOINT",
        "UPDATE heads",
        "INSERT claims",
        "INSERT entries",
        "INSERT entry_lines",
        "INSERT instalments",
        "INSERT events",
        "INSERT pending",
        "INSERT balances",
        "INSERT open_items",
        "INSERT purchase_days",
        "INSERT timeline",
        "RELEASE",
        "COMMIT",
    ]
    payment = payment_of(client, Money("25.00", "EUR"), 4)
    owed = [Room(item) for sale in sales for item in new_items(sale)]
    links = settle([Room(new_items(payment)[0])], owed)
    ran[:] = [""]
    with store.begin() as unit:
        unit.post(as_command(payment) + link(links, stamp))
    assert ran[1:] == [
        "BEGIN",
        "SAVEPOINT",
        "UPDATE heads",
        "INSERT entries",
        "INSERT allocations",
        "INSERT events",
        "INSERT pending",
        "UPDATE balances",
        "UPDATE open_items",
        "INSERT open_items",
        "INSERT timeline",
        "RELEASE",
        "COMMIT",
    ]


def test_entries_with_lines_are_three_statements_however_many(
    traced: tuple[SqlStore, list[str]],
) -> None:
    store, ran = traced
    book = Book(store, actor="olena")
    client = book.clients.add("Acme")
    for n in range(1, 13):
        book.ledger.record_sale(client, [("Beans", n, "1.00")] * n, currency="EUR")
    with store.snapshot() as reading:
        ran[:] = [""]
        entries = reading.find(EntryQuery(client=client.id))
        assert [len(entry.lines) for entry in entries] == list(range(1, 13))
    assert ran[1:] == ["SELECT entries", "SELECT entry_lines", "SELECT instalments", "COMMIT"]
