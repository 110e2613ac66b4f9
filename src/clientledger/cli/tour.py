"""The demo: the Northwind shop on a book of its own, and what a book tells about it."""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Protocol, cast
from uuid import UUID

from cyclopts import Parameter
from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from clientledger import Book, InvalidValue, StoreError
from clientledger.cli.card import card_view
from clientledger.cli.exits import OK
from clientledger.cli.lists import (
    ageing_tables,
    agenda_table,
    best_tables,
    debtors_tables,
    dormant_table,
)
from clientledger.cli.naming import names_of
from clientledger.cli.options import COMMON, Common, book_url
from clientledger.cli.plain import emit, plain
from clientledger.cli.screen import Screen, Told, bars, name, note

__all__ = ["demo"]

_TOP = 10


class Summary(Protocol):
    """What the script says it has built."""

    clients: int
    sales: int
    lines: int
    payments: int
    tasks: int
    rule: str
    as_of: date
    show: UUID


def demo(
    *,
    keep: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    common: Common = COMMON,
) -> int:
    """Build a book of a shop with 91 clients, and show what it tells.

    Args:
        keep: keep the book in this file, which must not be there yet.
    """
    build, data = _script()
    if keep is not None and keep.exists():
        raise InvalidValue(
            "the file is there already", field="keep", value=str(keep), remedy="name a new one"
        )
    with _shelf(common, keep) as book:
        with bars() as told:
            summary = build(book, data, told)
        if common.json:
            emit(_answers(book, summary, keep))
        else:
            _show(book, summary, keep)
    return OK


def _script() -> tuple[Callable[[Book, Path, Told], Summary], Path]:
    """The script that builds the book, and its data: of the wheel, or of the checkout."""
    package, checkout = Path(__file__).parent / "demo", Path(__file__).parents[3] / "examples"
    folder = package if (package / "northwind.py").is_file() else checkout
    script = folder / "northwind.py"
    spec = importlib.util.spec_from_file_location("clientledger_demo_northwind", script)
    if spec is None or spec.loader is None or not script.is_file():
        raise StoreError("the demo is not there", remedy="install clientledger anew")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Callable[[Book, Path, Told], Summary]", module.build), folder / "data/northwind"


@contextmanager
def _shelf(common: Common, keep: Path | None) -> Iterator[Book]:
    """A new book: in the file, else in a temporary one, else in memory."""
    if keep is not None:
        with common.open(book_url(str(keep))) as book:
            yield book
        return
    with tempfile.TemporaryDirectory(prefix="clientledger-", ignore_cleanup_errors=True) as folder:
        try:
            book = common.open(book_url(str(Path(folder) / "demo.db")))
        except InvalidValue:  # no adapter opens files
            book = common.open("memory:")
        with book:
            yield book


def _show(book: Book, summary: Summary, keep: Path | None) -> None:
    screen, day, zone = Screen(), summary.as_of, book.settings.zone

    def section(title: str, command: str, parts: Sequence[RenderableType]) -> None:
        heading = Text(title, style="bold").append(
            f"  clientledger {command}", style="not bold dim"
        )
        screen.show("", Rule(heading, align="left", style="dim"), "", *parts)

    screen.show(*_built(summary))
    card = book.card(summary.show, as_of=day)
    owing = book.insights.debtors(as_of=day)
    rows = book.insights.ageing(as_of=day)
    tasks = book.tasks.agenda(until=day, limit=_TOP)
    names = names_of(book, (task.client for task in tasks))
    section(
        "One client at a glance",
        f'card "{card.client.name}"',
        [card_view(card, screen, zone)],
    )
    section("Who owes us", "debtors", debtors_tables(owing, _TOP))
    section("How late they are", "ageing", ageing_tables(rows, _TOP, screen.width))
    best = book.insights.best_clients(until=day)
    section("Who brings the most", "best", best_tables(best, _TOP))
    quiet = book.insights.dormant(as_of=day)
    section("Who has gone quiet", "dormant", dormant_table(quiet, _TOP))
    section("What has to be done", "agenda", agenda_table(tasks, names, day, zone))
    section("What to try next", "--help", _next(summary, card.client.name, keep))


def _built(summary: Summary) -> list[RenderableType]:
    return [
        name(
            f"A shop's book as of {summary.as_of}: {summary.clients} clients, {summary.sales} "
            f"sales with {summary.lines} lines, {summary.payments} payments, {summary.tasks} tasks."
        ),
        name("Clients and orders are Microsoft's Northwind sample. Payments follow a rule:"),
        note(summary.rule),
    ]


def _next(summary: Summary, client: str, keep: Path | None) -> list[RenderableType]:
    file, day = keep or "shop.db", f"--as-of {summary.as_of}"
    first = [] if keep else [f"clientledger demo --keep {file}"]
    return [
        Text(line)
        for line in (
            *first,
            f"export CLIENTLEDGER_BOOK={file}",
            f'clientledger card "{client}" {day}',
            f'clientledger statement "{client}" --until {summary.as_of}',
            f"clientledger debtors --overdue {day}",
            f'clientledger payment "{client}" "1000.00 USD" --method "bank transfer"',
            f'clientledger log "{client}" call "Asked about the reminder" --outcome "will pay"',
            "clientledger verify",
        )
    ]


def _answers(book: Book, summary: Summary, keep: Path | None) -> dict[str, Any]:
    day = summary.as_of
    return {
        "book": None if keep is None else str(keep),
        "built": plain(summary),
        "card": book.card(summary.show, as_of=day),
        "debtors": book.insights.debtors(as_of=day)[:_TOP],
        "ageing": book.insights.ageing(as_of=day, limit=_TOP),
        "best": book.insights.best_clients(until=day)[:_TOP],
        "dormant": book.insights.dormant(as_of=day)[:_TOP],
        "agenda": book.tasks.agenda(until=day, limit=_TOP),
    }
