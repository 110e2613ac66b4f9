"""What a document is over and when it falls due, as a case tells it."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from tests.replay.fields import (
    DAY,
    Fields,
    NotApplicable,
    days_after,
    is_number,
    read_number,
    read_whole,
    rows_of,
)
from tests.replay.play import Event, Play

from clientledger import ClientLedgerError, Line, PaymentTerms, TermsPart, open_book

LINES = ("lines", "items", "line_items", "products", "rows", "invoice_lines")
TEXT = ("text", "name", "description", "item", "product", "title", "label", "sku")
QUANTITY = ("quantity", "qty", "count", "units", "hours")
PRICE = ("price", "unit_price", "rate", "unit_amount", "cost", "unit_cost")
PERCENT = ("discount_percent", "discount_percentage", "discount_rate", "discount_pct")
DISCOUNT = ("discount", "discount_amount")
TAX = ("tax", "tax_amount", "vat", "gst")
LINE_TOTAL = ("line_total", "total", "amount", "net_amount", "subtotal", "value")
ADDED = (
    *TAX,
    "total_tax",
    "taxes",
    "shipping",
    "shipping_amount",
    "freight",
    "fee",
    "fees",
    "rounding",
    "rounding_adjustment",
    "tip",
)
DUE = ("due_date", "due", "due_on", "maturity_date", "date_due", "payment_due_date")
SCHEDULE = (
    "instalments",
    "installments",
    "payment_schedule",
    "schedule",
    "maturities",
    "due_dates",
    "terms_lines",
)
TERMS = ("terms", "payment_terms", "payment_term", "payment_terms_template", "due_terms")
NET_DAYS = ("net_days", "due_days", "credit_days", "due_in_days", "terms_days", "payment_days")
SHARE = ("percent", "percentage", "share", "portion", "invoice_portion", "ratio", "rest")


# ------------------------------------------------------------ what it is over
def content_of(play: Play, event: Event, currency: str | None) -> tuple[Any, dict[str, Any]]:
    """Lines or an amount, and what else makes the ledger check that the two agree."""
    told = event.fields.amount()
    lines = next((event.fields.get(n) for n in LINES if event.fields.get(n)), None)
    if lines is None:
        return told, {}
    ways = list(_ways(rows_of(lines), event.fields))
    if told is None:
        return (ways[0] if ways else []), {}
    for way in ways:
        if is_number(told) and added_up(way, currency) == told:
            return way, {}
    if event.rejected and ways:
        # The ledger itself finds that the parts do not add up to what the lines come to.
        return ways[0], {"instalments": [(event.on, told)]}
    play.note(f"{event.title}: its lines do not add up to {told}, which is recorded without them")
    return told, {}


def added_up(lines: list[Line], currency: str | None) -> Decimal | None:
    """What the ledger makes of lines, found out in a book of its own."""
    with open_book("memory:") as book, suppress(ClientLedgerError):
        entry = book.ledger.record_sale(book.clients.add("anybody"), lines, currency=currency)
        return read_number(entry.amount.amount)  # type: ignore[no-any-return]
    return None


def _ways(rows: list[Fields], document: Fields) -> Iterator[list[Line]]:
    """The ways to read the lines: their totals as told, or counted; with what is added below."""
    readings = [[_as_told(row, n) for n, row in enumerate(rows, 1)]]
    readings.append([_as_counted(row, n) for n, row in enumerate(rows, 1)])
    for lines in readings:
        if all(line is not None for line in lines):
            whole = [line for line in lines if line is not None]
            yield _discounted(whole)
            extra = [
                Line(name, 1, amount)
                for name in ADDED
                if is_number(amount := document.amount(name)) and amount
            ]
            less = document.amount(*DISCOUNT)
            if is_number(less) and less:
                extra.append(Line("discount", 1, -abs(less)))
            if extra:
                yield _discounted([*whole, *extra])


def _as_told(row: Fields, n: int) -> Line | None:
    total = row.amount(*LINE_TOTAL)
    if total is None:
        return _as_counted(row, n)
    if is_number(total) and total < 0:
        return Line(_text(row, n), 1, total)
    quantity, price = row.amount(*QUANTITY), row.amount(*PRICE)
    if price is None:
        return Line(_text(row, n), 1, total)
    return Line(_text(row, n), 1 if quantity is None else quantity, price, total=total)


def _as_counted(row: Fields, n: int) -> Line | None:
    """A line whose total the ledger counts."""
    quantity, price = row.amount(*QUANTITY), row.amount(*PRICE)
    if price is None:
        price, quantity = row.amount(*LINE_TOTAL), 1
    if price is None:
        return None
    tax = [row.amount(n) for n in TAX if is_number(row.amount(n))]
    return Line(
        _text(row, n),
        1 if quantity is None else quantity,
        price,
        discount_percent=row.amount(*PERCENT),
        discount=row.amount(*DISCOUNT),
        tax=tax[0] if tax else None,
    )


def _discounted(lines: list[Line]) -> list[Line]:
    """Lines where those below zero are told as discounts of the others, the largest first."""
    less = -sum((_plain(line) for line in lines if _plain(line) < 0), Decimal(0))
    kept = [line for line in lines if _plain(line) >= 0]
    for line in sorted(kept, key=_plain, reverse=True):
        part = min(less, _plain(line))
        if part > 0:
            place = next(n for n, one in enumerate(kept) if one is line)
            kept[place] = Line(line.name, 1, _plain(line), discount=part)
            less -= part
    if less:
        return lines  # below zero as a whole: the ledger is to say so
    return kept


def _plain(line: Line) -> Decimal:
    """What a line comes to where that is plain; it orders lines, and is never recorded."""
    if line.total is not None:
        return line.total if isinstance(line.total, Decimal) else Decimal(0)
    told = (line.quantity, line.price, line.discount_percent, line.discount, line.tax)
    parts = [Decimal(0) if one is None else one for one in told]
    if not all(isinstance(one, Decimal | int) for one in parts):
        return Decimal(0)
    quantity, price, percent, discount, tax = (Decimal(str(one)) for one in parts)
    return quantity * price * (100 - percent) / 100 - discount + tax


def _text(row: Fields, n: int) -> str:
    text = row.get(*TEXT)
    return str(text) if text not in (None, "") else f"line {n}"


# ------------------------------------------------------------ when it falls due
def dues_of(play: Play, event: Event, amount: Any) -> dict[str, Any]:
    """Instalments, a due date or payment terms, whichever is told; else nothing."""
    fields = event.fields
    rows = next((fields.get(n) for n in SCHEDULE if isinstance(fields.get(n), list)), None)
    if rows:
        return _schedule(play, event, amount, rows)
    due = fields.day(*DUE)
    if due is not None:
        return {"due": due}
    days = fields.get(*NET_DAYS)
    if days is not None:
        return {"terms": f"{days} days"}
    terms = fields.get(*TERMS)
    if isinstance(terms, list):
        return _schedule(play, event, amount, terms)
    return {} if terms is None else {"terms": terms_of(terms)}


def terms_of(told: Any) -> Any:
    """Payment terms: words, a number of days, or parts."""
    if isinstance(told, int) or (isinstance(told, str) and told.strip().isdecimal()):
        return f"{told} days"
    if isinstance(told, list):
        return _parts(rows_of(told), None)
    if isinstance(told, dict):
        fields = Fields.of(told)
        words = fields.get("text", "words", "terms", "name")
        return words or _parts([fields.updated({"percent": 100})], None)
    return told


def _schedule(play: Play, event: Event, amount: Any, told: list[Any]) -> dict[str, Any]:
    """Instalments as told; by shares, the ledger splits the amount."""
    if all(isinstance(one, str) for one in told):
        rows = [
            Fields({"due_date": one, "percent": _equal(n, len(told))}) for n, one in enumerate(told)
        ]
    else:
        rows = [
            Fields({"due_date": one[0], "amount": one[1]})
            if isinstance(one, list) and len(one) == 2
            else rows_of(one)[0]
            for one in told
        ]
    if not any(row.amount("amount") is not None for row in rows):
        return {"terms": _parts(rows, event.on)}
    pairs = [(_due(row, event.on), row.amount("amount")) for row in rows]
    numbers = [one for _, one in pairs if is_number(one)]
    if is_number(amount):
        pairs = [(day, amount - sum(numbers) if one is None else one) for day, one in pairs]
    if event.rejected:
        return {"instalments": pairs}
    by_day: dict[Any, Any] = {}
    for day, one in pairs:
        if not (is_number(one) and one == 0):
            by_day[day] = by_day[day] + one if day in by_day else one
    if len(by_day) < len(pairs):
        play.note(f"{event.title}: instalments of one day are told as one, those of nothing not")
    return {"instalments": list(by_day.items())}


def _equal(n: int, parts: int) -> Any:
    """An equal share; the last one is the rest."""
    return None if n == parts - 1 else round(Decimal(100) / parts, 6)


def _due(row: Fields, on: date) -> Any:
    day = row.day(*DUE, *DAY, "when")
    if day is None:
        day = days_after(on, row.get("days", *NET_DAYS) or 0)
    return day


def _parts(rows: list[Fields], on: date | None) -> PaymentTerms:
    """Terms of parts, each a share and the days after which it falls due."""
    shares = [row.amount(*SHARE) for row in rows]
    shares = [one if is_number(one) else None for one in shares]
    if any(one is None for one in shares[:-1]):
        raise NotApplicable("instalments without amounts or shares")
    if all(one is not None for one in shares) and sum(shares) == 1 and len(rows) > 1:
        shares = [one * 100 for one in shares]  # told as fractions
    parts = []
    for row, share in zip(rows, shares, strict=True):
        due = row.day(*DUE)
        if isinstance(due, date) and isinstance(on, date):
            days = (due - on).days
        else:
            days = read_whole(row.get("days", *NET_DAYS) or 0)
        if days < 0:
            raise NotApplicable("an instalment by share that falls due before the document")
        parts.append(
            TermsPart(
                share=share,
                days=days,
                months=read_whole(row.get("months", "credit_months") or 0),
                end_of_month=row.flag("end_of_month", "eom"),
                days_after=read_whole(row.get("days_after") or 0),
            )
        )
    parts[-1] = attrs.evolve(parts[-1], share=None) if len(parts) == 1 else parts[-1]
    return PaymentTerms("as the case tells", tuple(parts))
