"""What a client and a document weigh in each database: ``python -m benchmarks.sizes URL ...``.

A book is filled with clients of equal histories; the bytes of its tables, with their indexes, are
what the database itself says.
"""

import sys
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from clientledger import Book
from clientledger_sqlalchemy import SqlStore

CLIENTS, MONTHS = 60, 24
LINES = [("Coffee beans, 1 kg", 12, "9.90"), ("Filter, 100", 2, "3.50"), ("Delivery", 1, "5.00")]
FIRST = date(2024, 1, 15)


def fill(book: Book) -> None:
    """A sale of three lines and its payment each month, a call and a task each quarter."""
    for n in range(CLIENTS):
        with book.atomic() as shop:
            client = shop.clients.add(
                f"Client {n} GmbH", phones=["+49 30 901820"], emails=["office@example.com"]
            )
            shop.agreements.promise(client, "discount", "5 % from 100 kg", percent="5")
            for month in range(MONTHS):
                on = FIRST + timedelta(days=30 * month)
                sale = shop.ledger.record_sale(
                    client, LINES, currency="EUR", on=on, number=f"{n}-{month}"
                )
                shop.ledger.record_payment(client, sale.amount, on=on + timedelta(days=14))
                if month % 3 == 0:
                    shop.interactions.log(client, "call", "Asked for a better price on beans")
                    shop.tasks.add("Call back", client=client, due=on)
    book.changes()


def weights(store: SqlStore) -> dict[str, int]:
    """The bytes of each table, with its indexes."""
    found = {}
    with store.engine.pool.connect() as connection:
        run = connection.exec_driver_sql
        match store.engine.dialect.name:
            case "postgresql":
                run("VACUUM ANALYZE")
                for table in store.tables.every:
                    ask = f"SELECT pg_total_relation_size('{table.name}')"
                    found[table.name] = int(run(ask).scalar() or 0)
            case "sqlite":
                rows: Any = run("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1").all()
                owner = run("SELECT name, tbl_name FROM sqlite_master").all()
                of: dict[str, str] = dict(map(tuple, owner))
                for name, size in rows:
                    table = of.get(name, name)
                    found[table] = found.get(table, 0) + int(size)
            case _:
                for table in store.tables.every:
                    run(f"OPTIMIZE TABLE {table.name}").all()
                rows = run(
                    "SELECT table_name, data_length + index_length FROM "
                    "information_schema.tables WHERE table_schema = database()"
                ).all()
                found = {name: int(size) for name, size in rows}
    return found


def counts(store: SqlStore) -> dict[str, int]:
    """The rows of each table."""
    with store.engine.pool.connect() as connection:
        return {
            table.name: int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
            for table in store.tables.every
        }


def report(url: str) -> None:
    """Fill a new book and print what each table weighs by row."""
    store = SqlStore.open(url)
    fill(Book(store, actor="olena"))
    bytes_of, rows_of = weights(store), counts(store)
    print(f"{store.engine.dialect.name}: {CLIENTS} clients of {MONTHS} sales and {MONTHS} payments")
    for table in sorted(rows_of, key=lambda name: -bytes_of.get(name, 0)):
        rows, size = rows_of[table], bytes_of.get(table, 0)
        if rows > CLIENTS // 2:
            print(f"  {table:16} {rows:8,} rows {size:12,} bytes {size / rows:8.0f} a row")
    total = sum(bytes_of.get(name, 0) for name in rows_of)
    each = total / (2 * CLIENTS * MONTHS)
    print(f"  all: {total / CLIENTS:,.0f} bytes a client, {each:,.0f} a document")
    store.close()


if __name__ == "__main__":
    for address in sys.argv[1:]:
        report(address)
