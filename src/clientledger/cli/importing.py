"""The command `import`: a CSV file into a book, all of it or nothing, once."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter

from clientledger import (
    Book,
    Busy,
    ClientLedgerError,
    Conflict,
    InvalidValue,
    KeyReused,
    LedgerError,
    NotAllowed,
    NotFound,
)
from clientledger.cli.csvfile import Row, read_rows
from clientledger.cli.exits import NO, OK, told
from clientledger.cli.options import COMMON, Common, book_file
from clientledger.cli.plain import emit
from clientledger.cli.screen import BAD, Screen, Told, bars, name
from clientledger.cli.tables import TABLES, Table

__all__ = ["import_"]

_NOTHING = "nothing was imported (--rows keeps the good rows)"
_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,40}\Z")
_ROW_ERRORS = (InvalidValue, NotFound, LedgerError, NotAllowed, Conflict)


@attrs.frozen
class Refused:
    """A row that was not taken, and why."""

    line: int
    error: str


@attrs.define
class Result:
    """What an import did; rows of one sale count once."""

    kind: str
    file: str
    source: str
    dry_run: bool
    new: int = 0
    known: int = 0
    refused: list[Refused] = attrs.field(factory=list)


class _DryRun(Exception):
    """Undoes what was only tried."""


def import_(
    kind: Literal["clients", "sales", "payments"],
    file: Path,
    /,
    *,
    source: str = "csv",
    delimiter: str = ",",
    rows: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    common: Common = COMMON,
) -> int:
    """Import clients, sales or payments from a CSV file.

    All of the file is taken or nothing. A row that was imported before is known by its id and left
    as it is, so the same file can be imported again. `docs/command-line.md` has the columns.

    Args:
        kind: what the rows are.
        file: UTF-8 with a header row; amounts as 1234.56, dates as YYYY-MM-DD.
        source: the name of the system that the ids are from.
        delimiter: what parts the cells; tab for a tabulator.
        rows: keep the good rows and list the others; ends with 1 where there are any.
        dry_run: only say what would happen.
    """
    table, mark = TABLES[kind], _mark(delimiter)
    if not _SOURCE.match(source):
        raise InvalidValue(
            "not a name of a system",
            field="source",
            value=source,
            remedy="up to 40 letters, digits, points, hyphens",
        )
    _, found = read_rows(file, mark, table.required, table.optional)
    result = Result(kind, str(file), source, dry_run)
    with _open(common, kind, dry_run) as book, bars() as tell:
        _bring_in(book, table, _documents(found, table.grouped), result, keep_good=rows, tell=tell)
    if common.json:
        emit(result)
    else:
        _report(result)
    return NO if result.refused else OK


def _open(common: Common, kind: str, dry_run: bool) -> Book:
    """Open the book; to try a first import, a new one in memory stands for the file to come."""
    file = book_file(common.url)
    if dry_run and kind == "clients" and file is not None and not file.exists():
        return common.open("memory:")
    return common.make() if kind == "clients" else common.write()


def _mark(delimiter: str) -> str:
    mark = "\t" if delimiter in ("tab", "\\t") else delimiter
    if len(mark) != 1 or mark in '"\r\n\0' or mark.isalnum():
        raise InvalidValue(
            "not a delimiter", field="delimiter", value=delimiter, remedy='one of , ; | or "tab"'
        )
    return mark


def _documents(rows: Iterable[Row], grouped: bool) -> list[list[Row]]:
    """Rows that make one document; where they are not grouped, each by itself."""
    if not grouped:
        return [[row] for row in rows]
    return [list(own) for _, own in groupby(rows, lambda row: row["id"] or row.line)]


def _bring_in(
    book: Book,
    table: Table,
    documents: Sequence[Sequence[Row]],
    result: Result,
    *,
    keep_good: bool,
    tell: Told,
) -> None:
    seen: dict[str, int] = {}
    try:
        with book.atomic() as unit:
            for n, rows in enumerate(documents, 1):
                try:
                    known = _take(unit, table, rows, result.source, seen)
                except _ROW_ERRORS as error:
                    if isinstance(error, Busy):
                        raise
                    placed = _placed(error, rows[0].line)
                    if not keep_good:
                        placed.remedy = "; ".join(filter(None, (placed.remedy, _NOTHING)))
                        raise placed from error
                    result.refused.append(Refused(rows[0].line, told(placed)))
                else:
                    result.known += known
                    result.new += not known
                tell(result.kind, n, len(documents))
            if result.dry_run:
                raise _DryRun
    except _DryRun:
        pass


def _take(book: Book, table: Table, rows: Sequence[Row], source: str, seen: dict[str, int]) -> bool:
    """Take the rows of a document; return whether it was known before."""
    wrong = next((row.wrong for row in rows if row.wrong), "")
    if wrong:
        raise InvalidValue(wrong, remedy="quote a cell that holds the delimiter")
    step = table.plan(rows, source)
    first = seen.setdefault(step.key, rows[0].line)
    if first != rows[0].line:
        raise InvalidValue(f"line {first} has the same id", field="id", value=rows[0]["id"])
    known = book.outcome(step.key).recorded
    step.write(book)
    return known


def _placed(error: ClientLedgerError, line: int) -> ClientLedgerError:
    """The error with the line that it is about."""
    if isinstance(error, KeyReused):
        other = error.message.rpartition(" with another ")[2]
        return KeyReused(
            f"line {line}: imported before with another {other}",
            remedy="what was imported is not changed by importing it again",
        )
    return type(error)(f"line {line}: {told(error)}", remedy=error.remedy)


def _report(result: Result) -> None:
    screen = Screen()
    would = "would be " if result.dry_run else ""
    if result.new:
        known = f", {result.known} known before" if result.known else ""
        screen.show(f"{_count(result.new, result.kind)} {would}imported from {result.file}{known}.")
    else:
        screen.show(
            f"Nothing new in {result.file}: {_count(result.known, result.kind)} known before."
        )
    if result.refused:
        screen.show(name(f"{len(result.refused)} refused:", BAD))
        screen.show(*(name(f"  {one.error}") for one in result.refused))


def _count(number: int, kind: str) -> str:
    return f"{number} {kind.removesuffix('s') if number == 1 else kind}"
