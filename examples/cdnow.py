"""The purchases of 2357 customers of a CD shop, as a book: who is best, and who has gone quiet.

    python examples/cdnow.py FOLDER sqlite:///cdnow.db

Each row of `CDNOW_sample.txt` is a sale. What cost nothing is no sale and is noted as an
interaction. The data tell of no payments, so all that was sold stays open.
"""

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import attrs

from clientledger import Book, Client, Line, open_book


@attrs.frozen(kw_only=True)
class Summary:
    """What the book holds; `free` counts the purchases that cost nothing."""

    clients: int
    sales: int
    free: int


def build(book: Book, folder: Path) -> Summary:
    """Fill a book with the purchases, all or nothing; a second time it changes nothing."""
    lines = (folder / "CDNOW_sample.txt").read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    free = 0
    with book.atomic() as unit:
        clients = {id: add_client(unit, id) for id in sorted({row[0] for row in rows})}
        for number, (id, _, day, discs, dollars) in enumerate(rows, 1):
            on = date.fromisoformat(day)
            if dollars == "0.00":
                add_note(unit, clients[id], number, on, discs)
                free += 1
            else:
                add_sale(unit, clients[id], number, on, Line("CDs", discs, total=dollars))
    return Summary(clients=len(clients), sales=len(rows) - free, free=free)


def add_client(book: Book, id: str) -> Client:
    return book.clients.add(
        f"Customer {id}", kind="person", external_ids={"cdnow": id}, key=f"cdnow/client/{id}"
    )


def add_sale(book: Book, client: Client, number: int, on: date, line: Line) -> None:
    """Customers bought the same for the same on one day, so a row is known by its number."""
    book.ledger.record_sale(
        client,
        [line],
        currency="USD",
        on=on,
        external_ids={"cdnow": str(number)},
        key=f"cdnow/row/{number}",
    )


def add_note(book: Book, client: Client, number: int, on: date, discs: str) -> None:
    book.interactions.log(
        client,
        "note",
        f"Took CDs that cost nothing: {discs}",
        at=datetime.combine(on, time(12), UTC),
        external_ids={"cdnow": str(number)},
        key=f"cdnow/row/{number}",
    )


if __name__ == "__main__":
    with open_book(sys.argv[2]) as book:
        print(build(book, Path(sys.argv[1])))
