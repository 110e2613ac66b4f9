"""The command `statement`: an account between two days, on the screen or as a file."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from clientledger import Book, Client, InvalidValue, Statement
from clientledger.cli.exits import OK
from clientledger.cli.figures import statement_view
from clientledger.cli.naming import client_named
from clientledger.cli.options import (
    COMMON,
    ClientWords,
    Common,
    Day,
    Switch,
    book_file,
    today,
)
from clientledger.cli.plain import emit, plain
from clientledger.cli.screen import Screen

__all__ = ["OfCurrency", "only_currency", "statement"]

OfCurrency = Annotated[
    str | None,
    Parameter(metavar="CODE", help="The currency; needed where the client has several."),
]

_ENDINGS = {".txt": "text", ".html": "html", ".htm": "html", ".pdf": "pdf", ".xlsx": "xlsx"}


def statement(
    client: ClientWords,
    /,
    *,
    currency: OfCurrency = None,
    since: Day | None = None,
    until: Day | None = None,
    ids: Switch = False,
    format: Annotated[str | None, Parameter(metavar="text|html|pdf|xlsx")] = None,
    locale: str | None = None,
    act: Switch = False,
    output: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    common: Common = COMMON,
) -> int:
    """Show an account between two days: each document, the balance after it, and what is open.

    Or make a file of it; a plugin such as clientledger-statements does that.

    Args:
        since: the first day; that of the first document by default.
        until: the last day; today by default.
        ids: show the id of each document, by which any command can name it.
        format: of a file; by default what the name of the file says, or text.
        locale: whose words, dates and numbers a file has, such as de_AT or uk.
        act: make a reconciliation act, which both sides sign.
        output: the file to write; without it, it is printed.
    """
    kind = format or _format_of(output, locale is not None or act)
    if kind is not None and common.json:
        raise InvalidValue(
            "JSON is no file for people", field="json", remedy="leave out --json, or --format"
        )
    if output is not None:
        _spare_the_book(output, common)
    with common.read() as book:
        made = _made(book, client, currency, since, until)
        layout = "act" if act else "statement"
        content = kind and book.export(made, kind, locale=locale or "en", layout=layout)
    if kind is not None:
        return _give(content or b"", kind, output, made)
    if common.json:
        emit({"name": made.client.name, **plain(made), "client": str(made.client.id)})
    else:
        Screen().show(*statement_view(made, ids))
    return OK


def only_currency(book: Book, client: Client) -> str:
    """The currency of a client that has just one account.

    Raises:
        InvalidValue: it has several, or none and the book has no currency.
    """
    codes = list(book.ledger.accounts(client))
    if len(codes) == 1:
        return codes[0]
    usual = book.settings.currency
    if not codes and usual:
        return usual
    raise InvalidValue(
        f"{client.name} has accounts in {', '.join(codes)}" if codes else "no currency is known",
        field="currency",
        remedy="say which: --currency EUR",
    )


def _made(
    book: Book, told: str, currency: str | None, since: date | None, until: date | None
) -> Statement:
    client = client_named(book, told)
    last = today(book, until)
    code = currency or only_currency(book, client)
    first = since
    if first is None:
        own = book.ledger.find(client=client, currency=code, until=last, voided=True, limit=1)
        first = own[0].on if own else last
    return book.ledger.statement(client, code, first, last)


def _format_of(output: Path | None, wanted: bool) -> str | None:
    if output is None:
        return "text" if wanted else None
    found = _ENDINGS.get(output.suffix.lower())
    if found is None:
        raise InvalidValue(
            "its name does not say what it is to be",
            field="output",
            value=str(output),
            remedy="give --format, or an ending such as .pdf",
        )
    return found


def _spare_the_book(output: Path, common: Common) -> None:
    book = book_file(common.url)
    if book is not None and output.exists() and book.exists() and output.samefile(book):
        raise InvalidValue(
            "that is the book", field="output", value=str(output), remedy="name another file"
        )


def _give(content: bytes, kind: str, output: Path | None, made: Statement) -> int:
    """Write a file, or print it.

    Raises:
        InvalidValue: it is none that a terminal can show.
    """
    if output is not None:
        output.write_bytes(content)
        said = f"{made.client.name}, {made.currency}, {made.since} to {made.until}"
        Screen().show(f"Wrote {output}: {said}.")
        return OK
    if sys.stdout.isatty() and not _is_text(content):
        raise InvalidValue(
            "no text, which a terminal could show",
            field="format",
            value=kind,
            remedy=f"give --output FILE.{kind}, or send it on with | or >",
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return OK


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False
