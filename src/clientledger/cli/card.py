"""The card on the screen: all that is known of one client, at a glance."""

from collections.abc import Iterable, Sequence
from itertools import chain
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from clientledger import Agreement, Card, Client, Contact, Page
from clientledger.cli.figures import due_of
from clientledger.cli.lists import day_of, due_text, every, line_of
from clientledger.cli.naming import short
from clientledger.cli.receipts import called
from clientledger.cli.screen import DIM, Screen, amount, heading, late, name, table

__all__ = ["agreed", "card_view"]

_WIDE = 118
_GAP = 3
_ITEMS = 6
_THINGS = 5
_ROWS = 6


def card_view(card: Card, screen: Screen, zone: ZoneInfo) -> RenderableType:
    """The card: who it is, then money, purchases, agreements, tasks and what happened last."""
    money: list[RenderableType] = [_accounts(card), "", *_open_items(card), *_purchases(card)]
    doings: list[RenderableType] = [*_agreements(card), *_tasks(card, zone), *_timeline(card, zone)]
    left, right = Group(*money[:-1]), Group(*doings[:-1])
    needed = screen.least(left), screen.least(right)
    if screen.width < max(_WIDE, sum(needed) + _GAP):
        return Group(_head(card), "", *money, *doings[:-1])
    sides = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False, expand=True)
    for least in needed:
        sides.add_column(ratio=1, min_width=least)
    sides.add_row(left, right)
    return Group(_head(card), "", sides)


def _head(card: Card) -> Panel:
    client = card.client
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style=DIM, no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in _facts(card, client):
        facts.add_row(label, name(text))
    title = Text(client.name, style="bold")
    title.append(f" · {client.kind}" + (" · archived" if client.archived else ""), style="not bold")
    return Panel(
        facts,
        box=box.ROUNDED,
        title=title,
        title_align="left",
        subtitle=Text(f"{client.id} · as of {card.as_of}", style=DIM),
        subtitle_align="right",
        border_style=DIM,
    )


def _facts(card: Card, client: Client) -> Iterable[tuple[str, str]]:
    manager = card.manager.name if card.manager else client.manager
    reached = chain(map(str, client.phones), map(str, client.emails))
    facts = [
        ("reached at", "  ".join(reached)),
        *(("contact", _contact(contact)) for contact in card.contacts[:4]),
        *(("address", str(address)) for address in client.addresses[:2]),
        ("manager", manager or "nobody"),
        ("tax ids", ", ".join(f"{kind} {id}" for kind, id in client.tax_ids.items())),
        ("tags", ", ".join(client.tags)),
        ("known as", ", ".join(f"{source}:{id}" for source, id in client.external_ids.items())),
        ("note", client.note),
    ]
    return ((label, text) for label, text in facts if text)


def _contact(contact: Contact) -> str:
    return "  ".join([str(contact), *map(str, contact.phones), *map(str, contact.emails)])


def _accounts(card: Card) -> RenderableType:
    if not card.accounts:
        return heading("Account", "nothing recorded yet")
    return table(
        "=account|>owes|>of it overdue|>prepaid|>balance",
        (
            (
                Text(code, style="bold"),
                amount(account.owed, blank=True),
                late(account.overdue),
                amount(account.prepaid, blank=True),
                Text.assemble((amount(account.balance).plain, "bold")),
            )
            for code, account in card.accounts.items()
        ),
    )


def _open_items(card: Card) -> list[RenderableType]:
    if not card.open_items:
        return []
    shown = card.open_items[:_ITEMS]
    return [
        heading("Open items", _part(len(shown), card.open_items)),
        table(
            "=due|document|>open|>of",
            (
                (
                    due_of(item, card.as_of),
                    name(called(item)),
                    amount(item.open, code=True),
                    "" if item.open == item.amount else amount(item.amount),
                )
                for item in shown
            ),
        ),
        "",
    ]


def _purchases(card: Card) -> list[RenderableType]:
    bought = card.purchases
    if not bought.count:
        return [heading("Bought", "nothing yet"), ""]
    totals = ", ".join(amount(total, code=True).plain for total in bought.totals.values())
    rhythm = f", usually every {every(bought.usual_interval)}" if bought.usual_interval else ""
    span = f"{bought.first}" if bought.first == bought.last else f"{bought.first} to {bought.last}"
    sales = "1 sale" if bought.count == 1 else f"{bought.count} sales"
    parts: list[RenderableType] = [
        heading("Bought", f"{sales}, {totals}"),
        name(f"{span}{rhythm}", DIM),
    ]
    if bought.bought:
        parts.append(
            table(
                "top things|>quantity|>amount|=last",
                (
                    (name(one.name), f"{one.quantity:f}", amount(one.amount, code=True), one.last)
                    for one in bought.bought[:_THINGS]
                ),
            )
        )
    return [*parts, ""]


def _agreements(card: Card) -> list[RenderableType]:
    if not card.agreements:
        return []
    shown = card.agreements[:_ROWS]
    return [
        heading("Agreed", _part(len(shown), card.agreements)),
        table(
            "=kind|what|=until",
            ((one.kind, name(agreed(one)), one.valid_until) for one in shown),
        ),
        "",
    ]


def agreed(one: Agreement) -> str:
    """What was agreed, with the figures that its words leave out."""
    figures = [
        f"{one.percent:f} %" if one.percent is not None else "",
        str(one.amount) if one.amount is not None else "",
        one.terms,
        one.sku,
    ]
    told = ", ".join(figure for figure in figures if figure and figure not in one.text)
    return f"{one.text} ({told})" if told else one.text


def _tasks(card: Card, zone: ZoneInfo) -> list[RenderableType]:
    if not card.tasks:
        return [heading("Next", "no open tasks"), ""]
    shown = card.tasks[:_ROWS]
    return [
        heading("Next", _part(len(shown), card.tasks)),
        table(
            "=due|task|=who|=task id",
            (
                (
                    due_text(task, card.as_of, zone),
                    name(task.title),
                    task.assignee,
                    Text(short(task.id), style=DIM),
                )
                for task in shown
            ),
        ),
        "",
    ]


def _timeline(card: Card, zone: ZoneInfo) -> list[RenderableType]:
    if not card.timeline:
        return []
    shown = card.timeline[:_ROWS]
    return [
        heading("Last", _part(len(shown), card.timeline)),
        table(
            "=date|what|>amount",
            (
                (day_of(item, zone), name(line_of(item)), amount(item.amount, code=True))
                for item in shown
            ),
        ),
        "",
    ]


def _part(shown: int, page: Page[object] | Sequence[object]) -> str:
    more = isinstance(page, Page) and page.more
    if shown == len(page) and not more:
        return ""
    return f"{shown} of {len(page)}{'+' if more else ''}"
