"""Derived rows to figures and back: balances, open items, purchase days, the timeline."""

from typing import Any

from clientledger.ports import Balance, OpenItem, PurchaseDay, TimelineItem
from clientledger_sqlalchemy.money import Values, money, money_or_none, money_values

__all__ = [
    "balance_of",
    "balance_values",
    "open_item_of",
    "open_item_values",
    "purchase_day_of",
    "purchase_day_values",
    "timeline_item_of",
    "timeline_item_values",
]


def balance_values(balance: Balance) -> Values:
    """Write a balance."""
    return {
        "client_id": balance.client,
        "currency": balance.unit.code,
        "digits": balance.unit.digits,
        "owed": balance.owed.minor,
        "prepaid": balance.prepaid.minor,
        "latest": balance.latest,
    }


def balance_of(row: Any) -> Balance:
    """Read a balance."""
    return Balance(
        client=row.client_id,
        owed=money(row.owed, row),
        prepaid=money(row.prepaid, row),
        latest=row.latest,
    )


def open_item_values(item: OpenItem) -> Values:
    """Write an open item."""
    return {
        "client_id": item.client,
        "entry_id": item.entry,
        "instalment": item.instalment,
        "sequence": item.sequence,
        "kind": item.kind,
        "side": item.side,
        "number": item.number,
        "on_day": item.on,
        "due": item.due,
        **money_values(item.amount),
        "open": item.open.minor,
        "latest": item.latest,
    }


def open_item_of(row: Any) -> OpenItem:
    """Read an open item."""
    return OpenItem(
        client=row.client_id,
        entry=row.entry_id,
        instalment=row.instalment,
        sequence=row.sequence,
        kind=row.kind,
        side=row.side,
        number=row.number,
        on=row.on_day,
        due=row.due,
        amount=money(row.amount, row),
        open=money(row.open, row),
        latest=row.latest,
    )


def purchase_day_values(day: PurchaseDay) -> Values:
    """Write what was bought on a day."""
    return {
        "client_id": day.client,
        "currency": day.sold.unit.code,
        "day": day.day,
        "digits": day.sold.unit.digits,
        "count": day.count,
        "sold": day.sold.minor,
        "latest": day.latest,
    }


def purchase_day_of(row: Any) -> PurchaseDay:
    """Read what was bought on a day."""
    return PurchaseDay(
        client=row.client_id,
        day=row.day,
        count=row.count,
        sold=money(row.sold, row),
        latest=row.latest,
    )


def timeline_item_values(item: TimelineItem) -> Values:
    """Write a row of the timeline."""
    return {
        "client_id": item.client,
        "at": item.at,
        "id": item.id,
        "what": item.what,
        "kind": item.kind,
        "title": item.title,
        **money_values(item.amount),
        "on_day": item.on,
        "actor": item.actor,
    }


def timeline_item_of(row: Any) -> TimelineItem:
    """Read a row of the timeline."""
    return TimelineItem(
        client=row.client_id,
        at=row.at,
        id=row.id,
        what=row.what,
        kind=row.kind,
        title=row.title,
        amount=money_or_none(row.amount, row),
        on=row.on_day,
        actor=row.actor,
    )
