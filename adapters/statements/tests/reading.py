"""Reads what a file shows back into dates and exact numbers, each format in its own way."""

import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

from clientledger import Statement

Shown = date | Decimal | str | None
Rows = list[tuple[Shown, ...]]
Figures = tuple[Rows, Rows, Rows]
"""Of the account, the open items and the ageing."""

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def number(text: str, language: str) -> Decimal:
    """Read a number as people of the language write it; anything else is an error."""
    point, group = (".", ",") if language == "en" else (",", "." if language == "de" else "\u00a0")
    assert re.fullmatch(rf"-?\d{{1,3}}(?:{re.escape(group)}\d{{3}})*(?:\{point}\d+)?", text), text
    return Decimal(text.replace(group, "").replace(point, "."))


def day(text: str, language: str) -> date:
    return datetime.strptime(text, "%b %d, %Y" if language == "en" else "%d.%m.%Y").date()  # noqa: DTZ007


def expected(statement: Statement) -> Figures:
    """What the three tables of a statement of account must show, without their texts."""

    def exact(amount: object) -> Shown:
        return None if amount is None else amount.amount  # type: ignore[attr-defined]

    first = (statement.since, None, None, exact(statement.opening))
    rows = [
        (row.entry.on, exact(row.debit), exact(row.credit), exact(row.balance))
        for row in statement.rows
    ]
    sums = (None, exact(statement.debits), exact(statement.credits), None)
    last = (statement.until, None, None, exact(statement.closing))
    nothing = [] if rows else [(None, None, None, None)]
    items: Rows = [
        (
            item.on,
            item.due,
            None if item.due is None else Decimal(max(0, (statement.until - item.due).days)),
            exact(item.amount),
            exact(item.open),
        )
        for item in statement.open_items
    ]
    account = statement.account
    ages = [bucket.amount for bucket in statement.buckets]
    ages += [account.owed, account.prepaid, account.balance]
    return [first, *rows, *nothing, sums, last], items, [(exact(age),) for age in ages]


def figures(tables: Sequence[Sequence[Sequence[str]]], language: str) -> Figures:
    """Read the tables of a page or a text, leaving out what is neither a date nor a number."""

    def money(text: str) -> Shown:
        return number(text, language) if text else None

    def dated(text: str) -> Shown:
        return day(text, language) if text else None

    account, *middle, ages = tables
    items = middle[0] if middle else []
    return (
        [(dated(row[0]), *map(money, row[2:])) for row in account],
        [(dated(row[0]), dated(row[2]), *map(money, row[3:])) for row in items],
        [(money(row[1]),) for row in ages],
    )


def text_tables(text: str) -> list[list[list[str]]]:
    """The tables of a text: what stands under its rules, cell by cell, wrapped lines joined."""
    tables: list[list[list[str]]] = []
    spans: list[tuple[int, int]] = []
    begun = False
    for line in text.split("\n"):
        if re.fullmatch(r"-+(?:  -+)+", line):
            if not spans:
                spans = [match.span() for match in re.finditer("-+", line)]
                tables.append([])
            begun = False
        elif not line:
            spans = []
        elif spans:
            cells = [line[first:last].strip(" ") for first, last in spans]
            wrapped = begun and len(cells) > 2 and not cells[0] and not any(cells[2:])
            if wrapped:
                tables[-1][-1][1] += f" {cells[1]}"
            else:
                tables[-1].append(cells)
            begun = True
    return tables


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag == "td":
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def page_elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of a page with its attributes."""
    parser = _Page()
    parser.feed(page)
    return parser.elements


def page_tables(page: str) -> list[list[list[str]]]:
    """The tables of a page, without their headings."""
    parser = _Page()
    parser.feed(page)
    return [[row for row in table if row] for table in parser.tables]


def sheet_xml(data: bytes) -> str:
    """The XML of the one sheet."""
    return zipfile.ZipFile(BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()


def sheet_rows(data: bytes) -> dict[int, dict[str, Shown]]:
    """The cells of the one sheet, by row and column letter; dates are told by their format."""
    archive = zipfile.ZipFile(BytesIO(data))
    strings = [
        "".join(part.text or "" for part in item.iter(f"{_NAMESPACE}t"))
        for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    ]
    dates = _date_styles(archive.read("xl/styles.xml"))
    rows: dict[int, dict[str, Shown]] = {}
    for row in ElementTree.fromstring(sheet_xml(data)).iter(f"{_NAMESPACE}row"):
        cells = rows[int(row.attrib["r"])] = {}
        for cell in row:
            value = cell.find(f"{_NAMESPACE}v")
            if value is None or value.text is None:
                continue
            column = cell.attrib["r"].rstrip("0123456789")
            if cell.get("t") == "s":
                cells[column] = unescaped(strings[int(value.text)])
            elif cell.get("s") in dates:
                cells[column] = date(1899, 12, 30) + timedelta(days=int(value.text))
            else:
                cells[column] = Decimal(value.text)
    return rows


def number_formats(data: bytes) -> set[str]:
    """The number formats of a workbook."""
    styles = ElementTree.fromstring(zipfile.ZipFile(BytesIO(data)).read("xl/styles.xml"))
    return {form.attrib["formatCode"] for form in styles.iter(f"{_NAMESPACE}numFmt")}


def unescaped(text: str) -> str:
    """What a spreadsheet shows of its own escapes."""
    return re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text)


def _date_styles(data: bytes) -> set[str]:
    styles = ElementTree.fromstring(data)
    codes = {
        form.attrib["numFmtId"]
        for form in styles.iter(f"{_NAMESPACE}numFmt")
        if "yyyy" in form.attrib["formatCode"]
    }
    crossed = styles.find(f"{_NAMESPACE}cellXfs")
    assert crossed is not None
    return {str(n) for n, form in enumerate(crossed) if form.attrib["numFmtId"] in codes}


def sheet_figures(data: bytes, statement: Statement) -> Figures:
    """The figures of a sheet of a statement of account, found by their places."""
    rows = sheet_rows(data)
    dated = [n for n, row in rows.items() if isinstance(row.get("A"), date)]
    count = max(1, len(statement.rows))
    first = dated[0]
    account = [tuple(rows[n].get(c) for c in "ACDE") for n in range(first, first + count + 3)]
    rest = [n for n in dated if n >= first + count + 3]
    items = [tuple(rows[n].get(c) for c in "ACDEF") for n in rest]
    ages = [(rows[n]["C"],) for n in sorted(rows)[-len(statement.buckets) - 3 :]]
    return account, items, list(ages)


def amounts_in(text: str, language: str, digits: int) -> list[Decimal]:
    """Every number of the text that has just so many decimals, in order."""
    point = "." if language == "en" else ","
    group = {"en": ",", "de": r"\."}.get(language, "\u00a0")
    pattern = rf"(?<![\w.,-])-?\d{{1,3}}(?:{group}\d{{3}})*\{point}\d{{{digits}}}(?![\w.,])"
    found = re.findall(pattern, text)
    return [Decimal(re.sub(group, "", one).replace(point, ".")) for one in found]


def read_texts(shown: Figures, language: str) -> Figures:
    """Read the amounts that a sheet could only show as text."""

    def read(table: Rows) -> Rows:
        return [
            tuple(number(cell, language) if isinstance(cell, str) else cell for cell in row)
            for row in table
        ]

    account, items, ages = map(read, shown)
    return account, items, ages
