"""Lists across clients as tables: one for each currency, since currencies are never added."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.console import RenderableType
from rich.text import Text

from clientledger import (
    AgeingRow,
    BestClient,
    Client,
    Debtor,
    Dormant,
    Money,
    Problem,
    Repair,
    Report,
    Task,
    TimelineItem,
)
from clientledger.cli.naming import short
from clientledger.cli.plain import days
from clientledger.cli.receipts import count
from clientledger.cli.screen import BAD, Cell, amount, heading, late, name, note, table

__all__ = [
    "Parts",
    "ageing_tables",
    "agenda_table",
    "best_tables",
    "clients_table",
    "cut",
    "cut_each",
    "day_of",
    "debtors_tables",
    "dormant_table",
    "due_text",
    "every",
    "line_of",
    "repair_text",
    "report_text",
    "summed",
    "timeline_table",
]

T = TypeVar("T")
Parts = list[RenderableType]
_WIDE = 100


def summed(amounts: Iterable[Money]) -> Money:
    """Add amounts of one currency, of which there is at least one."""
    first, *others = amounts
    for one in others:
        first = first + one
    return first


def by_currency(rows: Iterable[T], code: Callable[[T], str]) -> list[tuple[str, list[T]]]:
    """Rows that stand in order of currency, each currency's apart."""
    return [(currency, list(own)) for currency, own in groupby(rows, code)]


def cut(rows: Sequence[T], limit: int) -> Sequence[T]:
    """The first rows; all for a limit of 0."""
    return rows[:limit] if limit else rows


def cut_each(rows: Sequence[T], limit: int, code: Callable[[T], str]) -> list[T]:
    """The first rows of each currency."""
    return [row for _, own in by_currency(rows, code) for row in cut(own, limit)]


def clients_table(clients: Sequence[Client], ids: bool) -> Parts:
    """Clients with how to reach them."""
    rows: list[tuple[Cell, ...]] = []
    for client in clients:
        title = name(client.name, "dim" if client.archived else "")
        if client.archived:
            title.append(" (archived)")
        if ids:
            rows.append((title, str(client.id)))
            continue
        person = client.contacts[0] if client.contacts else None
        phones = client.phones or (person.phones if person else ())
        emails = client.emails or (person.emails if person else ())
        place = next((a.city or a.street for a in client.addresses), "")
        rows.append(
            (
                title,
                name("\n".join(f"{source}:{id}" for source, id in client.external_ids.items())),
                str(phones[0]) if phones else "",
                name(str(emails[0]) if emails else place),
                client.manager,
            )
        )
    columns = "client|=id" if ids else "client|external id|=phone|reached at|=manager"
    return [table(columns, rows)]


def debtors_tables(rows: Sequence[Debtor], limit: int) -> Parts:
    """Who owes us, a table for each currency."""
    parts: Parts = []
    for currency, own in by_currency(rows, lambda row: row.account.currency):
        shown = cut(own, limit)
        parts += [
            heading(currency, _shown(len(shown), len(own), "client")),
            table(
                "client|>owes|>overdue|>prepaid|>balance",
                (
                    (
                        name(row.client.name),
                        amount(row.account.owed),
                        late(row.account.overdue),
                        amount(row.account.prepaid, blank=True),
                        amount(row.account.balance),
                    )
                    for row in shown
                ),
                footer=(
                    "all",
                    amount(summed(row.account.owed for row in own)),
                    late(summed(row.account.overdue for row in own)),
                    amount(summed(row.account.prepaid for row in own), blank=True),
                    amount(summed(row.account.balance for row in own)),
                ),
            ),
            "",
        ]
    return parts[:-1] or [note("Nobody owes anything.")]


def ageing_tables(rows: Sequence[AgeingRow], limit: int, width: int) -> Parts:
    """What is owed by age, a table for each currency; what is prepaid beside it, or below."""
    parts: Parts = []
    for currency, own in by_currency(rows, lambda row: row.currency):
        shown = cut(own, limit)
        labels = [bucket.label for bucket in own[0].buckets]
        first_late = next(
            (n for n, bucket in enumerate(own[0].buckets) if (bucket.min_days or 0) > 0),
            len(labels),
        )
        sums = [summed(row.buckets[n].amount for row in own) for n in range(len(labels))]
        prepaid = summed(row.prepaid for row in own)

        def cells(amounts: Sequence[Money], first: int = first_late) -> list[Text]:
            return [
                late(one) if n >= first else amount(one, blank=True)
                for n, one in enumerate(amounts)
            ]

        beside = bool(prepaid) and width >= _WIDE
        extra = [">prepaid"] if beside else []
        parts += [
            heading(currency, f"days past due · {_shown(len(shown), len(own), 'client')}"),
            table(
                "|".join(["client", *(f">{label}" for label in labels), ">owes", *extra]),
                (
                    (
                        name(row.client.name),
                        *cells([bucket.amount for bucket in row.buckets]),
                        amount(row.owed, blank=True),
                        *([amount(row.prepaid, blank=True)] if beside else []),
                    )
                    for row in shown
                ),
                footer=(
                    "all",
                    *cells(sums),
                    amount(summed(row.owed for row in own)),
                    *([amount(prepaid)] if beside else []),
                ),
            ),
        ]
        if prepaid and not beside:
            parts.append(note(f"Prepaid in all: {amount(prepaid).plain}"))
        parts.append("")
    return parts[:-1] or [note("Nothing is owed, nothing is prepaid.")]


def best_tables(rows: Sequence[BestClient], limit: int) -> Parts:
    """Who brings the most, a table for each currency."""
    parts: Parts = []
    for currency, own in by_currency(rows, lambda row: row.currency):
        shown = cut(own, limit)
        parts += [
            heading(currency, _shown(len(shown), len(own), "client")),
            table(
                "client|>sold|>sales|=last",
                ((name(row.client.name), amount(row.sold), row.count, row.last) for row in shown),
                footer=(
                    "all",
                    amount(summed(row.sold for row in own)),
                    str(sum(row.count for row in own)),
                    "",
                ),
            ),
            "",
        ]
    return parts[:-1] or [note("Nothing was sold.")]


def dormant_table(rows: Sequence[Dormant], limit: int) -> Parts:
    """Who has gone quiet."""
    shown = cut(rows, limit)
    if not shown:
        return [note("Nobody has gone quiet.")]
    return [
        heading("Gone quiet", _shown(len(shown), len(rows), "client")),
        table(
            "client|=last sale|>days ago|>usually every|=manager",
            (
                (
                    name(row.client.name),
                    row.last,
                    row.days,
                    every(row.usual_interval),
                    row.client.manager,
                )
                for row in shown
            ),
        ),
    ]


def agenda_table(
    tasks: Sequence[Task], names: Mapping[UUID, str], day: date, zone: ZoneInfo
) -> Parts:
    """What has to be done."""
    if not tasks:
        return [note("Nothing has to be done.")]
    return [
        table(
            "=due|task|client|=who|=task id",
            (
                (
                    due_text(task, day, zone),
                    name(task.title),
                    name(names.get(task.client, "") if task.client else ""),
                    task.assignee,
                    Text(short(task.id), style="dim"),
                )
                for task in tasks
            ),
        )
    ]


def timeline_table(items: Sequence[TimelineItem], zone: ZoneInfo) -> Parts:
    """What happened, the newest first."""
    return [
        table(
            "=date|what|>amount|=by",
            (
                (
                    day_of(item, zone),
                    name(line_of(item)),
                    amount(item.amount, code=True),
                    item.actor,
                )
                for item in items
            ),
        )
    ]


def report_text(report: Report) -> Parts:
    """What an audit found."""
    seals = [] if not report.sealed else [f"{report.sealed} seals"]
    *first, last = (
        f"{report.clients} clients",
        f"{report.entries} entries",
        *seals,
        f"{report.rows} derived rows",
    )
    checked = f"{', '.join(first)} and {last} checked"
    notes: Parts = []
    if report.unsealed:
        have = "has" if report.unsealed == 1 else "have"
        events = count(report.unsealed, "event")
        notes.append(note(f"{events} {have} no seal yet; clientledger anchor gives it."))
    if report.forgotten:
        salted = count(report.forgotten, "seal")
        notes.append(note(f"{salted} without a salt: the texts of these events are not checked."))
    if report.ok:
        return [Text(f"All is in order: {checked}."), *notes]
    return [
        Text(f"{len(report.problems)} problems; {checked}.", style=BAD),
        *(name(_problem(problem)) for problem in report.problems),
        *notes,
    ]


def repair_text(repair: Repair) -> Parts:
    """What a repair has written anew."""
    if not repair.rebuilt:
        return [Text("Nothing was written anew.")]
    rows = count(len(repair.rebuilt), "derived row")
    return [
        Text(f"{rows} of {count(len(repair.clients), 'client')} written anew:"),
        *(name(_problem(problem)) for problem in repair.rebuilt),
    ]


def _problem(problem: Problem) -> str:
    owner = "" if problem.client is None else f" (client {problem.client})"
    return f"- {problem}{owner}"


def due_text(task: Task, day: date, zone: ZoneInfo) -> Text:
    """When a task is due; red once the day has passed."""
    if task.due_on is None:
        return Text("")
    hour = f" {task.due_at.astimezone(zone):%H:%M}" if task.due_at else ""
    return Text(f"{task.due_on}{hour}", style=BAD if task.due_on < day else "")


def day_of(item: TimelineItem, zone: ZoneInfo) -> date:
    """The day of a row: a document's business date, of anything else the day in the zone."""
    return item.on or item.at.astimezone(zone).date()


def line_of(item: TimelineItem) -> str:
    """A row of the timeline in words: what kind it is, unless its title says so."""
    if item.what == "entry" or item.title.startswith(item.kind):
        return item.title
    kind = item.kind.removeprefix("client.") if item.what == "change" else item.kind
    title = item.title if item.title.startswith(kind) else f"{kind}: {item.title}"
    return title.replace("_", " ") if item.what == "change" else title


def every(interval: Fraction | None) -> str:
    """A usual interval in words."""
    return "" if interval is None else f"{days(interval)} days"


def _shown(shown: int, all_: int, what: str) -> str:
    plural = "" if all_ == 1 else "s"
    return f"{all_} {what}{plural}" if shown == all_ else f"{shown} of {all_} {what}{plural}"
