"""The terminal: one console, plain tables, amounts and dates as a person reads them."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from clientledger import Money

__all__ = [
    "BAD",
    "DIM",
    "Cell",
    "Screen",
    "Told",
    "amount",
    "bars",
    "heading",
    "late",
    "name",
    "note",
    "table",
]

DIM = "dim"
BAD = "red"
_NARROWEST = 10
_BETWEEN = 2
Cell = Text | str | date | int | None
Told = Callable[[str, int, int], None]
"""Hears of a stage, how much of it is done, and how much there is."""


class Screen(Console):
    """A console that takes text as it is, never cuts a number off, and lets a broken pipe pass."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        super().__init__(stderr=stderr, markup=False, highlight=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Leave it to the program, which ends quietly."""
        raise BrokenPipeError

    def show(self, *parts: RenderableType) -> None:
        """Print parts; what is too wide runs over rather than loses digits."""
        width = self.width
        for part in parts:
            self.width = max(width, self.least(part))  # what is printed is held to it
            self.print(part, crop=False)
            self.width = width

    def least(self, part: RenderableType) -> int:
        """The fewest columns in which a part loses nothing."""
        return Measurement.get(self, self.options.update(max_width=1000), part).minimum


class _Table(Table):
    """A table whose names fold even within a word, when that is what lets it fit."""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        most = super().__rich_measure__(console, options).maximum
        least = sum(column.min_width or 0 for column in self.columns)
        return Measurement(least + _BETWEEN * (len(self.columns) - 1), most)


def amount(money: Money | None, *, blank: bool = False, code: bool = False) -> Text:
    """An amount with its thousands set apart; `blank` leaves zero out, `code` adds the currency."""
    if money is None or (blank and not money):
        return Text("")
    return Text(f"{money.amount:,f} {money.currency}" if code else f"{money.amount:,f}")


def late(money: Money, *, code: bool = False) -> Text:
    """An amount that is overdue: red, unless it is zero."""
    text = amount(money, blank=True, code=code)
    text.stylize(BAD)
    return text


def name(text: str, style: str = "") -> Text:
    """A name, which folds onto further lines where it is too long for its column."""
    return Text(text, style=style, overflow="fold")


def heading(text: str, aside: str = "") -> Text:
    """The heading of a section, with a remark beside it."""
    made = Text(text, style="bold")
    return made.append(f"  {aside}", style="not bold dim") if aside else made


def note(text: str) -> Text:
    """A remark under a table."""
    return Text(text, style=DIM)


def table(
    columns: str,
    rows: Iterable[Iterable[Cell]],
    *,
    footer: Iterable[Cell] = (),
) -> Table:
    """Make a table.

    Args:
        columns: headings parted by ``|``: ``>`` before one sets it right on one line, ``=`` left
            on one line, and without either it folds.
        rows: the cells.
        footer: a last row set apart.
    """
    ends = list(footer)
    made = _Table(
        box=box.SIMPLE if ends else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style=DIM,
        footer_style="bold",
        show_footer=bool(ends),
    )
    cells = [[_cell(cell) for cell in row] for row in rows]
    for place, title in enumerate(columns.split("|")):
        right, line = title.startswith(">"), title.startswith((">", "="))
        foot = _cell(ends[place] if ends else "")
        plain = title.lstrip(">=")
        widest = max(
            cell_len(text.plain) for text in (Text(plain), foot, *(r[place] for r in cells))
        )
        made.add_column(
            plain,
            justify="right" if right else "left",
            no_wrap=line,
            overflow="fold",
            min_width=widest if line else min(widest, _NARROWEST),
            footer=foot,
        )
    for row in cells:
        made.add_row(*row)
    return made


@contextmanager
def bars() -> Iterator[Told]:
    """Progress bars on stderr, where that is a terminal."""
    screen = Screen(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        begun: dict[str, Any] = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in begun:
                begun[stage] = progress.add_task(stage, total=total)
            progress.update(begun[stage], completed=done)

        yield told


def _cell(value: Cell) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, date):
        return Text(value.isoformat())
    return Text("" if value is None else str(value), overflow="fold")
