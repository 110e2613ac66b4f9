"""The figures of one client as tables: a statement, what a figure is made of, before and after."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from rich.console import RenderableType
from rich.text import Text

from clientledger import (
    Account,
    Bucket,
    Entry,
    Explanation,
    Money,
    OpenItem,
    Statement,
)
from clientledger.cli.lists import Parts, summed
from clientledger.cli.receipts import called, written
from clientledger.cli.screen import BAD, DIM, Cell, amount, heading, late, name, note, table

__all__ = ["Aged", "balance_view", "change_table", "due_of", "items_view", "statement_view"]

Aged = tuple[Account, Sequence[Bucket]]
"""An account, and what it owes by age."""


def statement_view(found: Statement, ids: bool) -> Parts:
    """An account between two days: its documents, what is open at the end, and how late it is."""
    parts: Parts = [
        heading(found.client.name, f"{found.currency}, {found.since} to {found.until}"),
        _documents(found, ids),
    ]
    if found.open_items:
        parts += ["", heading("Open", f"on {found.until}")]
        parts.append(_open_items(found.open_items, found.until))
    if found.account.owed:
        parts += ["", heading("Ageing", "days past due"), _ages(found)]
    return parts


def balance_view(found: Explanation, day: date, title: Text) -> Parts:
    """What makes up a balance: the documents, and what of them is open."""
    entries = {part.fact.id: part.fact for part in found.parts if isinstance(part.fact, Entry)}
    rows: list[tuple[Cell, ...]] = []
    for part in found.parts:
        entry = entries[part.fact.id]
        about = entry.undoes or entry.sale or entry.pair or entry.replaces
        told = _document(entry, None if about is None else entries.get(about))
        rows.append((entry.on, name(told), amount(part.amount)))
    parts: Parts = [
        title,
        table("=date|document|>amount", rows, footer=("", "balance", amount(found.amount))),
    ]
    items = [one.item for one in found.items if one.item is not None]
    if items:
        parts += ["", heading("Open", f"on {day}"), _open_items(items, day)]
    return parts


def items_view(
    found: Sequence[Explanation], entries: Mapping[UUID, Entry], day: date, title: Text, foot: str
) -> Parts:
    """What makes up open items: each with what settled it, and what is left of it."""
    if not found:
        return [title, note("Nothing is in it.")]
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        if one.item is None:
            continue
        first, *others = one.parts
        own: list[list[Cell]] = [
            [
                first.fact.on,
                name(_document(entries[one.item.entry], None)),
                due_of(one.item, day),
                amount(first.amount),
                "",
            ]
        ]
        own += [
            [part.fact.on, name(_taken(part.fact, one.item, entries)), "", amount(part.amount), ""]
            for part in others
        ]
        own[-1][-1] = amount(one.amount)
        rows += map(tuple, own)
    left = amount(summed(one.amount for one in found))
    return [
        title,
        table("=date|document|=due|>amount|>open", rows, footer=("", foot, "", "", left)),
    ]


def change_table(before: Aged, after: Aged) -> RenderableType:
    """An account and its ages before and after something."""
    (old, old_ages), (new, new_ages) = before, after
    lines: list[tuple[str, Money, Money]] = [
        ("owes", old.owed, new.owed),
        *((f"  {o.label}", o.amount, n.amount) for o, n in zip(old_ages, new_ages, strict=True)),
        ("overdue", old.overdue, new.overdue),
        ("prepaid", old.prepaid, new.prepaid),
    ]
    return table(
        f"={new.currency}|>before|>after|>change",
        (
            (label, amount(a, blank=True), amount(b, blank=True), _step(a, b))
            for label, a, b in lines
        ),
        footer=(
            "balance",
            amount(old.balance),
            amount(new.balance),
            _step(old.balance, new.balance),
        ),
    )


def due_of(item: OpenItem, day: date) -> Text:
    """When an item falls due, and how late it is; red once it is."""
    if item.due is None:
        return Text("prepaid", style=DIM)
    text = Text(item.due.isoformat())
    if item.overdue(day):
        text.append(f"  {(day - item.due).days} d late")
        text.stylize(BAD)
    return text


def _documents(found: Statement, ids: bool) -> RenderableType:
    rows: list[tuple[Cell, ...]] = [
        (found.since, name("opening balance", DIM), "", "", amount(found.opening))
    ]
    rows += [
        (
            row.entry.on,
            name(_document(row.entry, row.about) + (f"\n{row.entry.id}" if ids else "")),
            amount(row.debit),
            amount(row.credit),
            amount(row.balance),
        )
        for row in found.rows
    ]
    foot: tuple[Cell, ...] = (
        found.until.isoformat(),
        "closing balance",
        amount(found.debits, blank=True),
        amount(found.credits, blank=True),
        amount(found.closing),
    )
    return table("=date|document|>debit|>credit|>balance", rows, footer=foot)


def _document(entry: Entry, about: Entry | None) -> str:
    """A document in a table of documents, with the one that it is about."""
    told = f"{entry.kind} {entry.number or ''}".strip()
    if about is None:
        return told
    if entry.undoes:
        return f"{told} of {called(about)}"
    if entry.sale:
        return f"{told} for {called(about)}"
    if entry.kind == "exchange":
        return f"{told} {'into' if entry.side == 'debit' else 'from'} {written(about.amount)}"
    return f"{told}, {'taken back' if entry.pair else 'corrected'}"


def _open_items(items: Iterable[OpenItem], day: date) -> RenderableType:
    shown = sorted(items, key=lambda item: (item.due is None, item.due or item.on, item.on))
    nothing = shown[0].open - shown[0].open

    def foot(side: str) -> Text:
        return amount(summed([nothing, *(i.open for i in shown if i.side == side)]), blank=True)

    return table(
        "=due|document|>of|>owes|>prepaid",
        (
            (
                due_of(item, day),
                name(called(item)),
                amount(item.amount),
                *((amount(item.open), "") if item.side == "debit" else ("", amount(item.open))),
            )
            for item in shown
        ),
        footer=("", "all", "", foot("debit"), foot("credit")),
    )


def _ages(found: Statement) -> RenderableType:
    cells = [
        late(one.amount) if (one.min_days or 0) > 0 else amount(one.amount, blank=True)
        for one in found.buckets
    ]
    columns = "|".join([*(f">{bucket.label}" for bucket in found.buckets), ">owes"])
    return table(columns, [(*cells, amount(found.account.owed))])


def _taken(fact: object, item: OpenItem, entries: Mapping[UUID, Entry]) -> str:
    """What took something off an item: a document that settled it, or its void."""
    if isinstance(fact, Entry):
        return f"  {fact.kind}"
    other = getattr(fact, "credit" if item.side == "debit" else "debit")
    verb = "settled by" if item.side == "debit" else "settles"
    return f"  {verb} {called(entries[other])}"


def _step(before: Money, after: Money) -> Text:
    step = after - before
    sign = "+" if step.minor > 0 else ""
    return Text(f"{sign}{amount(step, blank=True).plain}")
