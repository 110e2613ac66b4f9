"""What writing commands are told in one word: a line of a sale, a part of a payment, a person."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from clientledger import Book, Client, Contact, Entry, InvalidValue, Line
from clientledger.cli.naming import document_named
from clientledger.cli.options import read_day, read_moment

__all__ = [
    "read_allocation",
    "read_contact",
    "read_content",
    "read_due",
    "read_instalments",
    "read_line",
]


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


def read_content(lines: Iterable[str] | None, amount: str | None, what: str) -> list[Line] | str:
    """What a document is over: its lines, or just an amount.

    Raises:
        InvalidValue: both are told, or neither.
    """
    if (lines is None) == (amount is None):
        raise InvalidValue(
            f"a {what} has lines or an amount",
            field="line",
            remedy='give --line "name;quantity;price" (several times) or --amount "500.00 EUR"',
        )
    return amount if amount is not None else [read_line(text) for text in lines or ()]


def read_instalments(told: Iterable[str] | None) -> list[tuple[date, str]] | None:
    """Read ``YYYY-MM-DD=amount`` texts: what falls due when.

    Raises:
        InvalidValue: one is written otherwise.
    """
    if told is None:
        return None
    parts = []
    for text in told:
        day, equals, amount = text.partition("=")
        if not equals or not amount.strip():
            raise InvalidValue(
                "not an instalment",
                field="instalment",
                value=text,
                remedy='write it "2026-12-01=100.00"',
            )
        parts.append((read_day(day.strip(), "instalment"), amount.strip()))
    return parts


def read_allocation(
    book: Book,
    client: Client | UUID,
    told: Iterable[str] | None,
    *,
    free: bool = False,
    credits: bool = False,
) -> dict[Entry, str] | None:
    """Read ``document=amount`` texts: how much goes to which; None where nothing is told.

    Args:
        free: it goes to none.
        credits: of those that have the number, credits are meant rather than debits.

    Raises:
        InvalidValue: one is written otherwise, names a document twice, or stands beside `free`.
        NotFound: no such document of the client.
    """
    if free and told:
        raise InvalidValue(
            "it is left free or allocated", field="free", remedy="leave one of them out"
        )
    if not told:
        return {} if free else None
    side = "credit" if credits else "debit"
    found: dict[Entry, str] = {}
    for text in told:
        number, equals, amount = text.rpartition("=")
        if not equals or not number.strip() or not amount.strip():
            raise InvalidValue(
                "not a document and an amount",
                field="allocate",
                value=text,
                remedy='write it "INV-17=100.00"',
            )
        entry = document_named(book, number, client=client, fits=lambda one: one.side == side)
        if entry in found:
            raise InvalidValue(
                "the document is named twice",
                field="allocate",
                value=text,
                remedy="give each document one amount",
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
