"""What every command can be told, and how it opens the book."""

import getpass
import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import attrs
from cyclopts import Group, Parameter

from clientledger import Book, InvalidValue, open_book

__all__ = [
    "BEGIN",
    "CLIENTS",
    "COMMON",
    "LEDGER",
    "READ",
    "AsOf",
    "ClientWords",
    "Common",
    "CurrencyOf",
    "Day",
    "DocumentWords",
    "Key",
    "Limit",
    "On",
    "Sources",
    "Switch",
    "Texts",
    "book_file",
    "book_url",
    "read_day",
    "read_moment",
    "today",
]

_SCHEME = re.compile(r"[a-z][a-z0-9]+(?:\+[a-z0-9]+)?:")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_SQLITE = "sqlite:///"

BEGIN, READ, LEDGER, CLIENTS = (
    Group(name, sort_key=place)
    for place, name in enumerate(("Begin", "Read", "Ledger", "Clients and work"))
)


def read_day(text: str, field: str = "date") -> date:
    """Read a date written YYYY-MM-DD and in no other way."""
    try:
        if _DAY.match(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidValue("not a date", field=field, value=text, remedy="write it YYYY-MM-DD")


def read_moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    """Read YYYY-MM-DD HH:MM, in the book's time zone where it names no offset."""
    try:
        if _MOMENT.match(text):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except ValueError:
        pass
    raise InvalidValue(
        "not a moment",
        field=field,
        value=text,
        remedy='write it "YYYY-MM-DD HH:MM", with an offset such as +02:00 if need be',
    )


def _day_of_token(_: Any, tokens: Sequence[Any]) -> date:
    try:
        return read_day(tokens[0].value)
    except InvalidValue as error:  # the parser shows nothing but the message
        raise ValueError(f"{error.message} (got {tokens[0].value!a}); {error.remedy}") from None


Day = Annotated[date, Parameter(converter=_day_of_token, n_tokens=1, metavar="YYYY-MM-DD")]
AsOf = Annotated[
    date | None,
    Parameter(
        converter=_day_of_token,
        n_tokens=1,
        metavar="YYYY-MM-DD",
        help="The day the figures are for; what is dated later does not count. Today by default.",
    ),
]
On = Annotated[
    date | None,
    Parameter(
        converter=_day_of_token,
        n_tokens=1,
        metavar="YYYY-MM-DD",
        help="The business date; today by default.",
    ),
]
ClientWords = Annotated[
    str,
    Parameter(help="An id, an external id (source:id), or words that name exactly one client."),
]
DocumentWords = Annotated[
    str,
    Parameter(
        help="A document: its id, an external id (source:id), or its number; where documents of "
        "several kinds have the number, with its kind before it, such as payment/17."
    ),
]
CurrencyOf = Annotated[
    str | None,
    Parameter(metavar="CODE", help="Of an amount without one; the book's by default."),
]
Texts = Annotated[list[str] | None, Parameter(negative=())]
Switch = Annotated[bool, Parameter(negative=())]
Sources = Annotated[
    list[str] | None,
    Parameter(metavar="SOURCE:ID", negative=(), help="What another system calls it."),
]
Key = Annotated[
    str | None,
    Parameter(
        metavar="TEXT",
        help="An idempotency key: the same command with the same key is recorded once, "
        "however often it runs.",
    ),
]
Limit = Annotated[int, Parameter(help="The most rows to show (of each currency); 0 shows all.")]


@Parameter(name="*", group=Group("Common options", sort_key=100))
@attrs.frozen(kw_only=True)
class Common:
    """What every command can be told."""

    book: Annotated[
        str | None,
        Parameter(
            env_var="CLIENTLEDGER_BOOK",
            metavar="BOOK",
            help="The book: a file such as clients.db (SQLite), or a URL.",
        ),
    ] = None
    actor: Annotated[
        str | None,
        Parameter(
            env_var="CLIENTLEDGER_ACTOR",
            metavar="KEY",
            help="The member who acts; your user name by default.",
        ),
    ] = None
    block: Annotated[
        list[str] | None,
        Parameter(metavar="NAME", negative=(), help="A plugin that must not be loaded."),
    ] = None
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON document.")] = False

    def read(self) -> Book:
        """Open the book to read it.

        Raises:
            StoreError: there is none, or it is something else.
        """
        return self._open(self.url, read_only=True)

    def write(self) -> Book:
        """Open a book that is there to write to it; a mistyped name makes no new one."""
        self.read().close()
        return self._open(self.url, read_only=False)

    def make(self) -> Book:
        """Open the book to write to it; it is made if it is not there."""
        return self._open(self.url, read_only=False)

    def open(self, url: str) -> Book:
        """Open another book than the one named, to write to it."""
        return self._open(url, read_only=False)

    def of(self, book: str) -> "Common":
        """The same with the book that stands among the words of the command.

        Raises:
            InvalidValue: --book names another one.
        """
        if self.book not in (None, book, os.environ.get("CLIENTLEDGER_BOOK")):
            raise InvalidValue(
                "two books are named",
                field="book",
                value=self.book,
                remedy="name it where the command wants it, without --book",
            )
        return attrs.evolve(self, book=book)

    @property
    def url(self) -> str:
        """The book's URL.

        Raises:
            InvalidValue: none is named, or one that no other command would see.
        """
        if not self.book:
            raise InvalidValue(
                "no book is named",
                field="book",
                remedy="give --book clients.db, or set CLIENTLEDGER_BOOK",
            )
        url = book_url(self.book)
        if url.startswith("memory:"):
            raise InvalidValue(
                "a book in memory is gone when the command ends",
                field="book",
                value=self.book,
                remedy="name a file, such as clients.db",
            )
        return url

    def _open(self, url: str, *, read_only: bool) -> Book:
        actor = self.actor or _user()
        return open_book(
            url, actor=actor, discover=True, block=self.block or (), read_only=read_only
        )


COMMON = Common()


def book_url(told: str) -> str:
    """The URL of a book told as a URL or as the path of an SQLite file."""
    if _SCHEME.match(told):
        return told
    return _SQLITE + os.path.expanduser(told)


def book_file(url: str) -> Path | None:
    """The file of an SQLite book, or None where a URL names no file."""
    if not url.startswith(_SQLITE) or "?" in url:
        return None
    return Path(url.removeprefix(_SQLITE))


def today(book: Book, as_of: date | None = None) -> date:
    """The day as told, or today in the book's time zone."""
    return as_of or datetime.now(book.settings.zone).date()


def _user() -> str | None:
    """The user's name where it can be a member's key; else the book's own member acts."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None
    return name if name.isascii() and name.isprintable() and name.strip() == name != "" else None
