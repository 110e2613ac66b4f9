"""The ageing that a case expects, put together from `insights.ageing` and the free credits."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from tests.replay.fields import (
    AMOUNT,
    CURRENCY,
    Fields,
    NotApplicable,
    read_number,
    read_whole,
    rows_of,
    spelled,
)
from tests.replay.play import WHO, Play

from clientledger import OpenItem

BASIS = {
    "date": "posting_date document_date invoice_date date issue_date transaction_date own_date "
    "bill_date entry_date",
    "due": "due_date due maturity maturity_date date_maturity days_past_due past_due overdue",
}
_BASIS = {name: by for by, names in BASIS.items() for name in names.split()}
CREDITS = {
    "own": "own_date own own_class posting_date document_date by_date due_date included netted_own",
    "apart": "separate separately apart excluded exclude none ignored ignore not_included gross "
    "not_netted own_row",
    "first": "netted net netted_first current first first_bucket not_due in_first in_current",
    "oldest": "oldest oldest_first fifo netted_oldest against_oldest",
}
_CREDITS = {name: rule for rule, names in CREDITS.items() for name in names.split()}
DAY = ("as_of", "date", "report_date")
BY = ("basis", "by", "ageing_based_on", "aging_based_on", "based_on")
RULE = ("credits", "credit_mode", "credit_notes")
CLASSES = ("buckets", "ranges", "classes")
FIGURES = {
    "total": ("total", "total_due", "sum", "outstanding"),
    "owed": ("owed", "gross"),
    "prepaid": ("prepaid", "unallocated", "free_credits", "credit_total"),
    "balance": ("balance", "net"),
}
_KNOWN = {*DAY, *BY, *RULE, *CLASSES, *CURRENCY, *WHO, "notes"}.union(*FIGURES.values())
LOW = ("min_days", "min", "from_days", "days_from", "from", "low", "start")
HIGH = ("max_days", "max", "to_days", "days_to", "to", "high", "end")
NAME = ("name", "label", "bucket", "range")
_SPAN = re.compile(r"(-?\d+)\s*(?:-|to|\.\.|_|–)\s*(\d+)")
_ABOVE = re.compile(
    r"(?:over|above|more than|>|older than)\s*(\d+)"
    r"|(\d+)\s*(?:days?)?\s*-?\s*(?:\+|and over|and more|above|over|plus)"
)


@attrs.frozen
class Bucket:
    """A class of age as told."""

    name: str
    low: int | None
    high: int | None
    amount: Any


def compare(play: Play, as_of: date, row: Fields, name: str) -> tuple[list[str], list[str]]:
    """What differs of an ageing, and what of it is not compared."""
    day = row.day(*DAY) or as_of
    by = _BASIS.get(spelled(row.get(*BY) or "due_date"))
    rule = _CREDITS.get(spelled(row.get(*RULE) or "own_date"))
    if by is None or rule is None:
        raise NotApplicable("its basis or its rule for credits has no name that is known")
    told = row.get(*CLASSES)
    buckets = read_buckets(told) if told else []
    who = row.get(*WHO)
    if who is not None and str(who) not in play.clients:
        cells: dict[int, Decimal] = {}
        free: list[OpenItem] = []
        bounds = [0]
    else:
        bounds = _bounds(buckets)
        client = None if who is None else play.clients[str(who)]
        currency = row.currency() or play.currency
        rows = play.book.insights.ageing(
            by=by, bounds=bounds, currency=currency, client=client, as_of=day
        )
        cells = {}
        for one in rows:
            for place, bucket in enumerate(one.buckets):
                cells[place] = cells.get(place, Decimal(0)) + bucket.amount.amount
        items = play.book.ledger.open_items(client, currency=currency, as_of=day)
        free = [item for item in items if item.side == "credit"]
    first = next((n for n in range(len(bounds) + 1) if _is_in(n, bounds, buckets[:1])), 0)
    _credit(cells, free, rule, bounds, day, first)
    differences = [
        f"{name}.{one.name}: {_plain(one.amount)} expected, {_plain(found)} found"
        for one in buckets
        if read_number(one.amount) != (found := _within(cells, bounds, one))
    ]
    prepaid = sum((item.open.amount for item in free), Decimal(0))
    inside = sum(cells.values(), Decimal(0))
    figures = {
        "total": [inside, *([inside - prepaid] if rule == "apart" else [])],
        "owed": [inside if rule == "apart" else inside + prepaid],
        "prepaid": [prepaid],
        "balance": [inside - prepaid if rule == "apart" else inside],
    }
    for key, known in FIGURES.items():
        wanted = read_number(row.get(*known))
        if wanted is not None and wanted not in figures[key]:
            differences.append(
                f"{name}.{key}: {_plain(wanted)} expected, {_plain(figures[key][0])} found"
            )
    return differences, _rest(row, name)


def _rest(row: Fields, name: str) -> list[str]:
    return [f"{name}.{key}" for key in row.data if key not in _KNOWN]


def read_buckets(told: Any) -> list[Bucket]:
    """Classes as told: with their bounds, or with names that tell them."""
    if isinstance(told, Mapping):
        told = [
            {**value, "name": name}
            if isinstance(value, Mapping)
            else {"name": name, "amount": value}
            for name, value in told.items()
        ]
    buckets: list[Bucket] = []
    for n, row in enumerate(rows_of(told), 1):
        name = str(row.get(*NAME) or f"bucket {n}")
        bounded = row.has(*LOW) or row.has(*HIGH)
        if not bounded and name.lower() in ("older", "rest", "beyond"):
            bounded, row = True, row.updated({"min": 1 + max((b.high or 0) for b in buckets)})
        low, high = (_days(row.get(*LOW)), _days(row.get(*HIGH))) if bounded else _named(name)
        buckets.append(Bucket(name, low, high, row.get(*AMOUNT)))
    return buckets


def _days(told: Any) -> int | None:
    return None if told is None else read_whole(told)


def _named(name: str) -> tuple[int | None, int | None]:
    words = name.strip().lower().replace("_", " ")
    if words in ("current", "not due", "not yet due", "due", "future", "undue"):
        return None, 0
    if span := _SPAN.search(words):
        low = int(span[1])
        return (None if low == 0 else low), int(span[2])
    if above := _ABOVE.search(words):
        return (int(above[1]) + 1 if above[1] else int(above[2])), None
    raise NotApplicable(f"a class of age called {name}")


def _bounds(buckets: Iterable[Bucket]) -> list[int]:
    """The last days of the finest classes that all buckets are made of."""
    found = {0}
    for one in buckets:
        found |= {one.low - 1} if one.low is not None else set()
        found |= {one.high} if one.high is not None else set()
    return sorted(found)


def _place(bounds: list[int], days: int) -> int:
    return sum(days > bound for bound in bounds)


def _credit(
    cells: dict[int, Decimal],
    free: list[OpenItem],
    rule: str,
    bounds: list[int],
    day: date,
    first: int,
) -> None:
    """Count free credits as the case does."""
    for item in free:
        amount = item.open.amount
        if rule == "own":
            place = _place(bounds, (day - item.on).days)
            cells[place] = cells.get(place, Decimal(0)) - amount
        elif rule == "first":
            cells[first] = cells.get(first, Decimal(0)) - amount
        elif rule == "oldest":
            for place in sorted(cells, reverse=True):
                part = min(cells[place], amount)
                cells[place] -= part
                amount -= part
            cells[first] = cells.get(first, Decimal(0)) - amount


def _within(cells: dict[int, Decimal], bounds: list[int], bucket: Bucket) -> Decimal:
    own = [amount for place, amount in cells.items() if _is_in(place, bounds, [bucket])]
    return sum(own, Decimal(0))


def _is_in(place: int, bounds: list[int], buckets: Iterable[Bucket]) -> bool:
    """Whether a finest class belongs to one of these."""
    low = None if place == 0 else bounds[place - 1] + 1
    high = None if place == len(bounds) else bounds[place]
    return any(
        (one.low is None or (low is not None and low >= one.low))
        and (one.high is None or (high is not None and high <= one.high))
        for one in buckets
    )


def _plain(value: Any) -> str:
    number = read_number(value)
    return f"{number:f}" if isinstance(number, Decimal) else str(number)
