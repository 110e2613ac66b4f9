"""The command `explain`: what a balance, a bucket of the ageing or a document is made of."""

from datetime import date
from typing import Annotated
from uuid import UUID

import attrs
from cyclopts import Parameter

from clientledger import (
    Book,
    Bucket,
    Client,
    Entry,
    Explanation,
    InvalidValue,
    Journal,
    OpenItem,
    Origin,
    open_items,
)
from clientledger.cli.exits import OK
from clientledger.cli.figures import balance_view, items_view
from clientledger.cli.lists import Parts
from clientledger.cli.naming import client_named, document_named
from clientledger.cli.options import COMMON, AsOf, ClientWords, Common, today
from clientledger.cli.plain import emit, plain
from clientledger.cli.receipts import called
from clientledger.cli.screen import Screen, heading
from clientledger.cli.statements import OfCurrency, only_currency

__all__ = ["explain"]


def explain(
    client: ClientWords,
    /,
    *,
    currency: OfCurrency = None,
    bucket: str | None = None,
    document: Annotated[str | None, Parameter(metavar="DOC")] = None,
    as_of: AsOf = None,
    common: Common = COMMON,
) -> int:
    """Show what a balance is made of: the documents and what they settled, with their sum.

    Args:
        bucket: rather a class of the ageing, such as "31-60", "over 90" or "not due".
        document: rather what is open of a document: its id, number or source:id.
    """
    if bucket is not None and document is not None:
        raise InvalidValue(
            "a bucket or a document", field="bucket", value=bucket, remedy="leave out one of them"
        )
    with common.read() as book:
        found, day = client_named(book, client), today(book, as_of)
        if document is not None:
            made, parts = _document(book, found, document, day)
        else:
            code = currency or only_currency(book, found)
            made, parts = _account(book, found, code, bucket, day)
    if common.json:
        rows = [plain(one) for one in made]
        emit({"name": found.name, "client": str(found.id), "as_of": day, "rows": rows})
    else:
        Screen().show(*parts)
    return OK


def _account(
    book: Book, client: Client, code: str, label: str | None, day: date
) -> tuple[list[Explanation], Parts]:
    if label is None:
        made = book.ledger.explain(book.ledger.account(client, code, as_of=day))
        title = heading(client.name, f"{made.amount.currency}, balance on {day}")
        return [made], balance_view(made, day, title)
    ages = book.ledger.statement(client, code, day, day).buckets
    bucket = _bucket(ages, label)
    made = book.ledger.explain(bucket)
    title = heading(client.name, f"{made.amount.currency}, {bucket.label} on {day}")
    return [made], items_view(made.items, _entries(book, client), day, title, bucket.label)


def _bucket(ages: tuple[Bucket, ...], label: str) -> Bucket:
    for one in ages:
        if one.label == label.strip().casefold():
            return one
    raise InvalidValue(
        "no such class of the ageing",
        field="bucket",
        value=label,
        remedy=f"one of: {', '.join(one.label for one in ages)}",
    )


def _document(book: Book, client: Client, told: str, day: date) -> tuple[list[Explanation], Parts]:
    entry = document_named(book, told, client=client)
    made = [book.ledger.explain(item) for item in _items(entry, day)]
    title = heading(client.name, f"{called(entry)} on {day}")
    return made, items_view(made, _entries(book, client), day, title, "open")


def _items(entry: Entry, day: date) -> list[OpenItem]:
    """The items of a document, settled or not, as figures of a day.

    Raises:
        InvalidValue: it is a void, of which nothing is ever open.
    """
    items = open_items(Journal((entry,)))
    if not items:
        raise InvalidValue(
            "nothing is ever open of a void",
            field="document",
            value=entry.id,
            remedy="name the document that it undid",
        )
    origin = Origin(client=entry.client, currency=entry.currency, as_of=day)
    return [attrs.evolve(item, origin=origin) for item in items]


def _entries(book: Book, client: Client) -> dict[UUID, Entry]:
    return {entry.id: entry for entry in book.ledger.find(client=client, voided=True)}
