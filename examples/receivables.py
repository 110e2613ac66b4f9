"""Invoices and when they were settled, as a book: debts on any day of two years.

    python examples/receivables.py FOLDER sqlite:///receivables.db

Each row of `accounts_receivable.csv` is a sale and a payment that is told to settle just this sale.
The data name no currency; the book says US dollars.
"""

import csv
import sys
from datetime import date
from pathlib import Path

import attrs

from clientledger import Book, Client, Entry, Money, open_book

Row = dict[str, str]


@attrs.frozen(kw_only=True)
class Summary:
    """What the book holds."""

    clients: int
    sales: int
    payments: int


def build(book: Book, folder: Path) -> Summary:
    """Fill a book with the invoices, all or nothing; a second time it changes nothing."""
    with (folder / "accounts_receivable.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["invoiceNumber"]: row for row in csv.DictReader(file)}
    invoiced = [(day_of(row["InvoiceDate"]), 0, number) for number, row in rows.items()]
    settled = [(day_of(row["SettledDate"]), 1, number) for number, row in rows.items()]
    sales: dict[str, Entry] = {}
    with book.atomic() as unit:
        clients = add_clients(unit, rows)
        for day, settles, number in sorted(invoiced + settled):
            client = clients[rows[number]["customerID"]]
            if settles:
                add_payment(unit, client, sales[number], day)
            else:
                sales[number] = add_sale(unit, client, rows[number], day)
    return Summary(clients=len(clients), sales=len(sales), payments=len(settled))


def add_clients(book: Book, rows: dict[str, Row]) -> dict[str, Client]:
    """The data have no names: a client is called by its id."""
    countries = {row["customerID"]: row["countrycode"] for row in rows.values()}
    return {
        id: book.clients.add(
            id,
            attributes={"country code": country},
            external_ids={"receivables": id},
            key=f"receivables/client/{id}",
        )
        for id, country in sorted(countries.items())
    }


def add_sale(book: Book, client: Client, row: Row, day: date) -> Entry:
    number = row["invoiceNumber"]
    return book.ledger.record_sale(
        client,
        Money(row["InvoiceAmount"], "USD"),
        on=day,
        due=day_of(row["DueDate"]),
        number=number,
        external_ids={"receivables": number},
        key=f"receivables/sale/{number}",
    )


def add_payment(book: Book, client: Client, sale: Entry, day: date) -> Entry:
    return book.ledger.record_payment(
        client,
        sale.amount,
        allocate={sale.id: sale.amount},
        on=day,
        external_ids={"receivables": str(sale.number)},
        key=f"receivables/payment/{sale.number}",
    )


def day_of(text: str) -> date:
    """Read ``31/12/2012``."""
    day, month, year = map(int, text.split("/"))
    return date(year, month, day)


if __name__ == "__main__":
    with open_book(sys.argv[2]) as book:
        print(build(book, Path(sys.argv[1])))
