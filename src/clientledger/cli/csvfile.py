"""CSV files read strictly: what is not as documented is refused, with its line."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from clientledger import InvalidValue

__all__ = ["Row", "read_rows"]


@attrs.frozen(kw_only=True)
class Row:
    """A row: the line of the file it begins on, and its cells by column.

    Attributes:
        wrong: what makes it no row of the table, or "".
    """

    line: int
    cells: dict[str, str]
    wrong: str = ""

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_rows(
    path: Path, delimiter: str, required: Sequence[str], optional: Sequence[str]
) -> tuple[list[str], list[Row]]:
    """Read the columns of a file and its rows.

    UTF-8 with or without a byte order mark, a header row, RFC 4180 quoting. Empty lines are passed
    over.

    Raises:
        InvalidValue: the file cannot be read, is no such text, or has other columns.
    """
    text = _text_of(path)
    cells = _cells(text, path, delimiter)
    line, header = next(cells, (1, []))
    _check_header(header, line, path, required, optional)
    rows = []
    for line, row in cells:
        wrong = "" if len(row) == len(header) else f"{len(row)} cells under {len(header)} columns"
        rows.append(Row(line=line, cells=dict(zip(header, row, strict=False)), wrong=wrong))
    return header, rows


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidValue(
            f"the file cannot be read: {error.strerror}", field="file", value=str(path)
        ) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidValue(
            f"line {line} of {path.name} is not UTF-8", remedy="save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidValue(
            f"line {line} of {path.name} holds a NUL character", remedy="save the file as UTF-8"
        )
    return text


def _cells(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            unclosed = "unexpected end of data" in str(error)
            raise InvalidValue(
                f"line {line} of {path.name}: "
                + ("a quote is opened and never closed" if unclosed else str(error)),
                remedy='a cell in quotes ends with one, and a quote inside it is doubled: ""',
            ) from None
        if row:
            yield line, row
        line = reader.line_num + 1


def _check_header(
    header: Sequence[str], line: int, path: Path, required: Sequence[str], optional: Sequence[str]
) -> None:
    missing = [column for column in required if column not in header]
    unknown = [column for column in header if column not in (*required, *optional)]
    twice = sorted({column for column in header if header.count(column) > 1})
    if not (missing or unknown or twice):
        return
    wrong = [
        f"{what} {', '.join(map(repr, columns))}"
        for what, columns in (("missing:", missing), ("unknown:", unknown), ("twice:", twice))
        if columns
    ]
    hint = ""
    if len(header) == 1:
        other = next((mark for mark in (";", "\t", "|", ",") if mark in header[0]), "")
        hint = (
            f"; is --delimiter {'tab' if other == chr(9) else repr(other)} meant?" if other else ""
        )
    raise InvalidValue(
        f"line {line} of {path.name} does not name the columns: {'; '.join(wrong)}",
        remedy=f"needed: {', '.join(required)}; allowed: {', '.join(optional)}{hint}",
    )
