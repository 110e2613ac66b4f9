"""A music shop as a book: 59 clients all over the world, and 412 invoices paid on the spot.

    python examples/chinook.py FOLDER sqlite:///chinook.db

Employees become members, and who supports a customer is the client's manager.
"""

import csv
import sys
from datetime import date
from pathlib import Path

import attrs

from clientledger import Address, Book, Client, Contact, Line, open_book

COUNTRIES = {
    "Argentina": "AR", "Australia": "AU", "Austria": "AT", "Belgium": "BE", "Brazil": "BR",
    "Canada": "CA", "Chile": "CL", "Czech Republic": "CZ", "Denmark": "DK", "Finland": "FI",
    "France": "FR", "Germany": "DE", "Hungary": "HU", "India": "IN", "Ireland": "IE",
    "Italy": "IT", "Netherlands": "NL", "Norway": "NO", "Poland": "PL", "Portugal": "PT",
    "Spain": "ES", "Sweden": "SE", "USA": "US", "United Kingdom": "GB",
}  # fmt: skip

Row = dict[str, str]


@attrs.frozen(kw_only=True)
class Summary:
    """What the book holds."""

    members: int
    clients: int
    sales: int
    lines: int


def build(book: Book, folder: Path) -> Summary:
    """Fill a book with the shop, all of it or nothing; a second time it changes nothing."""
    lines = read_lines(folder)
    invoices = read(folder, "Invoice")
    with book.atomic() as unit:
        team = {row["EmployeeId"]: add_member(unit, row) for row in read(folder, "Employee")}
        clients = {
            row["CustomerId"]: add_client(unit, row, team[row["SupportRepId"]])
            for row in read(folder, "Customer")
        }
        for row in invoices:
            add_invoice(unit, clients[row["CustomerId"]], row, lines[row["InvoiceId"]])
    return Summary(
        members=len(team),
        clients=len(clients),
        sales=len(invoices),
        lines=sum(map(len, lines.values())),
    )


def add_member(book: Book, row: Row) -> str:
    name = f"{row['FirstName']} {row['LastName']}"
    key = name.lower().replace(" ", ".")
    book.team.add(
        key, name, email=row["Email"], phone=row["Phone"], idempotency_key=f"chinook/team/{key}"
    )
    return key


def add_client(book: Book, row: Row, manager: str) -> Client:
    """A company with its buyer as contact, or else the buyer in person."""
    buyer, company = f"{row['FirstName']} {row['LastName']}", row["Company"]
    address = Address(
        street=row["Address"],
        city=row["City"],
        region=row["State"],
        postal_code=row["PostalCode"],
        country=COUNTRIES[row["Country"]],
    )
    return book.clients.add(
        company or buyer,
        kind="company" if company else "person",
        phones=[row["Phone"]] if row["Phone"] else [],
        emails=[row["Email"]],
        addresses=[address],
        contacts=[Contact(buyer)] if company else [],
        manager=manager,
        external_ids={"chinook": row["CustomerId"]},
        key=f"chinook/client/{row['CustomerId']}",
    )


def add_invoice(book: Book, client: Client, row: Row, lines: list[Line]) -> None:
    """Record an invoice, and the payment that settles it on the same day."""
    number, on = row["InvoiceId"], date.fromisoformat(row["InvoiceDate"][:10])
    sale = book.ledger.record_sale(
        client,
        lines,
        currency="USD",
        on=on,
        number=number,
        external_ids={"chinook": number},
        key=f"chinook/sale/{number}",
    )
    book.ledger.record_payment(
        client,
        sale.amount,
        allocate={sale.id: sale.amount},
        on=on,
        external_ids={"chinook": number},
        key=f"chinook/payment/{number}",
    )


def read_lines(folder: Path) -> dict[str, list[Line]]:
    """The lines by invoice, each named by its track and artist."""
    tracks = {row["TrackId"]: row for row in read(folder, "Track")}
    lines: dict[str, list[Line]] = {}
    for row in read(folder, "InvoiceLine"):
        track = tracks[row["TrackId"]]
        name = f"{track['Name']} ({track['Artist']})"
        line = Line(name, row["Quantity"], row["UnitPrice"], sku=row["TrackId"])
        lines.setdefault(row["InvoiceId"], []).append(line)
    return lines


def read(folder: Path, table: str) -> list[Row]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    with open_book(sys.argv[2]) as book:
        print(build(book, Path(sys.argv[1])))
