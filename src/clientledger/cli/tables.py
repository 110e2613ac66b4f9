"""The tables that can be imported: their columns, and what a row does to a book."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

import attrs

from clientledger import Book, Client, Entry, InvalidValue, Line, NotFound
from clientledger.cli.csvfile import Row
from clientledger.cli.options import read_day

__all__ = ["TABLES", "Step", "Table"]

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_ITEM = ("item", "quantity", "price", "sku")


@attrs.frozen
class Step:
    """What a row, or the rows of one document, do to a book.

    Attributes:
        key: the idempotency key.
        write: does it.
    """

    key: str
    write: Callable[[Book], object]


@attrs.frozen(kw_only=True)
class Table:
    """A table that can be imported.

    Attributes:
        required, optional: its columns.
        grouped: whether rows that follow each other with one id are one document.
        plan: what rows do, under the name of the system that they come from.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    grouped: bool = False
    plan: Callable[[Sequence[Row], str], Step]


def _client(rows: Sequence[Row], source: str) -> Step:
    row = rows[0]
    id = _needed(row, "id")
    place = {
        name: row[name] for name in ("street", "city", "region", "postal_code") if row[name]
    } | ({"country": row["country"]} if row["country"] else {})
    person = {
        "name": row["contact"],
        "role": row["contact_role"],
        "phones": _several(row["contact_phone"]),
        "emails": _several(row["contact_email"]),
    }
    if not row["contact"] and any(person.values()):
        raise InvalidValue("a contact person without a name", field="contact")

    def write(book: Book) -> Client:
        return book.clients.add(
            row["name"],
            kind=row["kind"] or "company",
            phones=_several(row["phone"]),
            emails=_several(row["email"]),
            addresses=[place] if place else (),
            contacts=[person] if row["contact"] else (),
            tax_ids={"VAT": row["vat"]} if row["vat"] else None,
            manager=row["manager"] or None,
            tags=_several(row["tags"]),
            note=row["note"],
            external_ids={source: id},
            key=_key(source, "client", id),
        )

    return Step(_key(source, "client", id), write)


def _sale(rows: Sequence[Row], source: str) -> Step:
    row = rows[0]
    id = _needed(row, "id")
    _check_alike(rows)
    items = [one for one in rows if any(one[column] for column in _ITEM)]
    if bool(row["amount"]) == bool(items) or (items and len(items) < len(rows)):
        raise InvalidValue(
            "a sale has an amount, or an item, quantity and price in each of its rows",
            field="amount",
            value=row["amount"] or None,
        )
    if len(rows) > 1 and not items:
        raise InvalidValue("the id stands in the line before, too", field="id", value=id)
    told: Any = (
        [
            Line(
                _needed(one, "item"),
                _plain(one, "quantity"),
                _plain(one, "price"),
                sku=one["sku"],
            )
            for one in items
        ]
        if items
        else _plain(row, "amount")
    )
    on = read_day(row["date"], "date")
    due = read_day(row["due"], "due") if row["due"] else None

    def write(book: Book) -> Entry:
        return book.ledger.record_sale(
            _client_of(book, row, source),
            told,
            currency=row["currency"] or None,
            on=on,
            due=due,
            number=row["number"] or None,
            external_ids={source: id},
            key=_key(source, "sale", id),
        )

    return Step(_key(source, "sale", id), write)


def _payment(rows: Sequence[Row], source: str) -> Step:
    row = rows[0]
    id = _needed(row, "id")
    amount = _plain(row, "amount")
    on = read_day(row["date"], "date")

    def write(book: Book) -> Entry:
        client = _client_of(book, row, source)
        return book.ledger.record_payment(
            client,
            amount,
            currency=row["currency"] or None,
            allocate={_sale_of(book, client, row["sale"], source): amount} if row["sale"] else None,
            on=on,
            method=row["method"],
            number=row["number"] or None,
            external_ids={source: id},
            key=_key(source, "payment", id),
        )

    return Step(_key(source, "payment", id), write)


TABLES = {
    "clients": Table(
        required=("id", "name"),
        optional=(
            "kind",
            "phone",
            "email",
            "street",
            "city",
            "region",
            "postal_code",
            "country",
            "contact",
            "contact_role",
            "contact_phone",
            "contact_email",
            "vat",
            "manager",
            "tags",
            "note",
        ),
        plan=_client,
    ),
    "sales": Table(
        required=("id", "client", "date"),
        optional=("currency", "due", "number", "amount", *_ITEM),
        grouped=True,
        plan=_sale,
    ),
    "payments": Table(
        required=("id", "client", "date", "amount"),
        optional=("currency", "method", "number", "sale"),
        plan=_payment,
    ),
}


def _key(source: str, kind: str, id: str) -> str:
    return f"import:{source}:{kind}:{quote(id, safe='')}"


def _needed(row: Row, column: str) -> str:
    if not row[column].strip():
        raise InvalidValue("empty", field=column, remedy="each row needs one")
    return row[column]


def _plain(row: Row, column: str) -> str:
    if not _PLAIN.match(row[column]):
        raise InvalidValue(
            "not a plain number", field=column, value=row[column], remedy="write it like 1234.56"
        )
    return row[column]


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _check_alike(rows: Sequence[Row]) -> None:
    for row in rows[1:]:
        for column in ("client", "date", "currency", "due", "number", "amount"):
            if row[column] != rows[0][column]:
                raise InvalidValue(
                    f"another {column} than in line {rows[0].line}, which is of the same sale",
                    field=column,
                    value=row[column],
                    remedy="the rows of one sale differ in their items only",
                )


def _client_of(book: Book, row: Row, source: str) -> Client:
    told = _needed(row, "client")
    own = book.clients.find(external_id=(source, told), archived=None)
    if own:
        return own[0]
    other, colon, value = told.partition(":")
    held = book.clients.find(external_id=(other, value), archived=None) if colon and value else ()
    if held:
        return held[0]
    try:
        return book.clients.get(UUID(told))
    except ValueError:
        raise NotFound(
            "no such client",
            field="client",
            value=told,
            remedy=f"give its id in {source}, or source:id",
        ) from None


def _sale_of(book: Book, client: Client, told: str, source: str) -> Entry:
    found = [
        *book.ledger.find(external_id=(source, told), client=client, kind="sale"),
        *book.ledger.find(number=told, client=client, kind="sale"),
    ]
    if not found:
        raise NotFound(
            f"no such sale of {client.name}",
            field="sale",
            value=told,
            remedy=f"give its id in {source}, or its number; or leave it out",
        )
    return found[0]
