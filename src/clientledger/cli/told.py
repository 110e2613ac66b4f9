"""What writing commands are told in one word: a line of a sale, a part of a payment, a person."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clientledger import Book, Client, Contact, Entry, InvalidValue, Line
from clientledger.cli.naming import debit_named
from clientledger.cli.options import read_day, read_moment

__all__ = ["read_allocation", "read_contact", "read_due", "read_line"]


def read_line(text: str) -> Line:
    """Read ``name;quantity;price`` with an article number behind it, or without.

    Raises:
        InvalidValue: it has fewer or more parts.
    """
    parts = _parts(text)
    if not 3 <= len(parts) <= 4:
        raise InvalidValue(
            "not a line of a sale",
            field="line",
            value=text,
            remedy='write it "name;quantity;price" or "name;quantity;price;sku"',
        )
    return Line(parts[0], parts[1], parts[2], sku=parts[3] if len(parts) == 4 else "")


def read_contact(text: str) -> Contact | dict[str, object]:
    """Read ``name;role;phone;email``, of which only the name is needed.

    Raises:
        InvalidValue: it has more parts.
    """
    parts = _parts(text)
    if len(parts) > 4:
        raise InvalidValue(
            "not a contact person",
            field="contact",
            value=text,
            remedy='write it "name;role;phone;email"',
        )
    person, role, phone, email = [*parts, "", "", ""][:4]
    return {
        "name": person,
        "role": role,
        "phones": [phone] if phone else [],
        "emails": [email] if email else [],
    }


def read_allocation(book: Book, client: Client, told: Iterable[str]) -> dict[Entry, str]:
    """Read ``number=amount`` texts: how much of a payment goes to which sale.

    Raises:
        InvalidValue: one is written otherwise, or names a sale twice.
        NotFound: no such sale of the client.
    """
    found: dict[Entry, str] = {}
    for text in told:
        number, equals, amount = text.rpartition("=")
        if not equals or not number.strip() or not amount.strip():
            raise InvalidValue(
                "not a part of a payment",
                field="allocate",
                value=text,
                remedy='write it "INV-17=100.00"',
            )
        entry = debit_named(book, client, number.strip())
        if entry in found:
            raise InvalidValue(
                "the sale is named twice",
                field="allocate",
                value=text,
                remedy="give each sale one amount",
            )
        found[entry] = amount.strip()
    return found


def read_due(text: str, zone: ZoneInfo) -> date | datetime:
    """Read a day, or a moment in the book's time zone."""
    return read_day(text, "due") if len(text) <= 10 else read_moment(text, zone, "due")


def _parts(text: str) -> list[str]:
    """The parts between semicolons; one that holds a semicolon stands in double quotes."""
    try:
        rows = list(csv.reader([text], delimiter=";", strict=True))
    except csv.Error as error:
        raise InvalidValue(
            str(error), field="line", value=text, remedy='double a quote inside quotes: ""'
        ) from None
    return [part.strip() for part in rows[0]] if rows else []
