"""One sheet of a workbook, written downwards cell by cell, each as what it is."""

import re
from datetime import date, datetime, time
from math import ceil
from typing import Any

from babel.dates import get_date_format
from wcwidth import width
from xlsxwriter import Workbook

from clientledger import Money
from clientledger_statements.wording import Cell, Wording

__all__ = ["Sheet"]

_MOST_CHARACTERS = 32_767
_EXACT_DIGITS = 15
_FIRST_YEAR = 1900
_LINE = 15.0
_DAY_PARTS = {"y": "yyyy", "MMMM": "mmmm", "MMM": "mmm", "MM": "mm", "M": "m", "dd": "dd", "d": "d"}
_BOX = {"border": 1, "border_color": "#888888", "text_wrap": True}
_STYLES: dict[str, dict[str, Any]] = {
    "plain": {},
    "title": {"bold": True, "font_size": 15},
    "name": {"bold": True},
    "label": {"font_color": "#555555"},
    "note": {"font_color": "#555555"},
    "heading": {"bold": True, "bottom": 2, "text_wrap": True},
    "cell": {"bottom": 1, "bottom_color": "#D5D5D5", "text_wrap": True},
    "strong": {"bold": True, "bg_color": "#F3F3F3", "bottom": 1, "text_wrap": True},
    "boxed group": {"bold": True, "align": "center", **_BOX},
    "boxed heading": {"bold": True, **_BOX},
    "boxed cell": _BOX,
    "boxed strong": {"bold": True, "bg_color": "#F3F3F3", **_BOX},
    "signature": {"top": 1, "font_color": "#555555", "font_size": 9},
}


class Sheet:
    """A sheet while it is written, and the row that comes next."""

    def __init__(self, workbook: Workbook, title: str, wording: Wording, widths: list[int]) -> None:
        self._workbook = workbook
        self.paper = workbook.add_worksheet(title[:31])
        self._wording = wording
        self._widths = widths
        self._formats: dict[tuple[str, str, str], Any] = {}
        self._day = _day_pattern(wording)
        self.next = 0
        for column, size in enumerate(widths):
            self.paper.set_column(column, column, size)

    def line(self, text: str, style: str = "plain") -> None:
        """Write a text over the whole width, and go on."""
        last = len(self._widths) - 1
        self._merge(0, last, text, style, align="left", wrap=True)
        self.end([ceil(width(text) / sum(self._widths))])

    def pair(self, label: str, text: str, style: str = "plain") -> None:
        """Write a label and what it is of, and go on."""
        if label:
            self.put(0, label, "label")
        self.put(1, text, style)
        self.end()

    def group(self, first: int, count: int, title: str) -> int:
        """Write a heading above several columns; say how many lines it takes."""
        if not title:
            return 1
        self._merge(first, first + count - 1, title, "boxed group", align="center")
        return ceil(width(title) / sum(self._widths[first : first + count]))

    def put(self, column: int, cell: Cell, style: str, align: str = "left") -> int:
        """Write a cell into the row; say how many lines it takes."""
        place = (self.next, column)
        if cell is None:
            self.paper.write_blank(*place, None, self._style(style))
        elif isinstance(cell, Money) and _exact(cell):
            decimals = "." + "0" * cell.unit.digits if cell.unit.digits else ""
            self.paper.write_number(*place, cell.amount, self._style(style, f"#,##0{decimals}"))
        elif isinstance(cell, date) and cell.year >= _FIRST_YEAR:
            midnight = datetime.combine(cell, time())
            self.paper.write_datetime(*place, midnight, self._style(style, self._day, "left"))
        elif isinstance(cell, int):
            self.paper.write_number(*place, cell, self._style(style, "0"))
        else:
            text = _short(self._wording.cell(cell))
            amount = isinstance(cell, Money)
            side = "right" if amount else align
            self.paper.write_string(*place, text, self._style(style, "General", side))
            return 1 if amount else ceil(width(text) / self._widths[column])
        return 1

    def end(self, lines: list[int] | None = None) -> None:
        """End the row, which is as high as the cell with the most lines."""
        most = max(lines or [1])
        if most > 1:
            self.paper.set_row(self.next, min(most * _LINE, 400))
        self.next += 1

    def _merge(
        self, first: int, last: int, text: str, style: str, *, align: str, wrap: bool = False
    ) -> None:
        form = self._style(style, "General", align, wrap=wrap)
        self.paper.merge_range(self.next, first, self.next, last, "", form)
        self.paper.write_string(self.next, first, _short(text), form)

    def _style(
        self, name: str, number: str = "General", align: str = "", *, wrap: bool = False
    ) -> Any:
        key = (f"{name}, wrapped" if wrap else name, number, align)
        if key not in self._formats:
            made = {"num_format": number, "valign": "top", **_STYLES[name]}
            made |= {"align": align} if align else {}
            made |= {"text_wrap": True} if wrap else {}
            self._formats[key] = self._workbook.add_format(made)
        return self._formats[key]


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def _exact(money: Money) -> bool:
    """Whether a spreadsheet keeps it: it counts in doubles, which hold fifteen digits."""
    return len(str(abs(money.minor)).rstrip("0")) <= _EXACT_DIGITS


def _day_pattern(wording: Wording) -> str:
    """The locale's pattern for dates in the terms of spreadsheets."""
    pattern = wording.texts.day
    if pattern == "medium":
        pattern = get_date_format("medium", wording.locale).pattern
    parts = re.findall(r"'[^']*'|[A-Za-z]+|[^A-Za-z']", pattern)
    written = "".join(_DAY_PARTS.get(part) or _literal(part) for part in parts)
    # Months have names of the language, whatever the reader's computer speaks.
    return f"[$-409]{written}" if "mmm" in written and wording.locale.language == "en" else written


def _literal(part: str) -> str:
    return part if part in " .,/-" else '"' + part.strip("'") + '"'
