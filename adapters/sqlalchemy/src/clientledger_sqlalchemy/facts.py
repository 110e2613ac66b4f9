"""Facts to rows and back: entries with their lines and instalments, links, events."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import attrs

from clientledger.ports import Allocation, Entry, EntryLine, Event, Instalment, Release, Seal
from clientledger_sqlalchemy.money import Values, money, money_or_none, money_values

__all__ = [
    "allocation_of",
    "allocation_values",
    "entry_of",
    "entry_values",
    "event_of",
    "event_values",
    "instalment_of",
    "instalment_values",
    "line_of",
    "line_values",
    "release_of",
    "release_values",
    "salt_values",
    "seal_of",
    "seal_values",
    "with_parts",
]


def entry_values(entry: Entry) -> Values:
    """Write an entry, without its lines and instalments."""
    return {
        "client_id": entry.client,
        "id": entry.id,
        "sequence": entry.sequence,
        "kind": entry.kind,
        "side": entry.side,
        **money_values(entry.amount),
        "on_day": entry.on,
        "recorded_at": entry.recorded_at,
        "actor": entry.actor,
        "number": entry.number,
        "method": entry.method,
        "reason": entry.reason,
        "undoes": entry.undoes,
        "sale": entry.sale,
        "replaces": entry.replaces,
        "pair": entry.pair,
        "agreements": [str(id) for id in entry.agreements],
        "external_ids": dict(entry.external_ids),
        "line_count": len(entry.lines),
        "instalment_count": len(entry.instalments),
    }


def entry_of(row: Any) -> Entry:
    """Read an entry; `with_parts` adds its lines and instalments."""
    return Entry(
        client=row.client_id,
        id=row.id,
        sequence=row.sequence,
        kind=row.kind,
        side=row.side,
        amount=money(row.amount, row),
        on=row.on_day,
        recorded_at=row.recorded_at,
        actor=row.actor,
        number=row.number,
        method=row.method,
        reason=row.reason,
        undoes=row.undoes,
        sale=row.sale,
        replaces=row.replaces,
        pair=row.pair,
        agreements=tuple(map(UUID, row.agreements)),
        external_ids=row.external_ids,
    )


def line_values(entry: Entry) -> list[Values]:
    """Write the lines of an entry."""
    return [
        {
            "client_id": entry.client,
            "entry_id": entry.id,
            "number": number,
            "name": line.name,
            "quantity": line.quantity,
            "price": line.price,
            "sku": line.sku,
            "discount_percent": line.discount_percent,
            "discount": None if line.discount is None else line.discount.minor,
            "tax": None if line.tax is None else line.tax.minor,
            "total": line.total.minor,
        }
        for number, line in enumerate(entry.lines, 1)
    ]


def line_of(row: Any) -> EntryLine:
    """Read a line; the row names the currency."""
    return EntryLine(
        name=row.name,
        quantity=row.quantity,
        price=row.price,
        sku=row.sku,
        discount_percent=row.discount_percent,
        discount=money_or_none(row.discount, row),
        tax=money_or_none(row.tax, row),
        total=money(row.total, row),
    )


def instalment_values(entry: Entry) -> list[Values]:
    """Write the instalments of an entry."""
    return [
        {
            "client_id": entry.client,
            "entry_id": entry.id,
            "number": part.number,
            "due": part.due,
            "amount": part.amount.minor,
        }
        for part in entry.instalments
    ]


def instalment_of(row: Any) -> Instalment:
    """Read an instalment; the row names the currency."""
    return Instalment(row.due, money(row.amount, row), row.number, row.entry_id)


def with_parts(
    entries: Sequence[Entry], lines: Iterable[Any], instalments: Iterable[Any]
) -> list[Entry]:
    """Give entries their lines and instalments; the rows are in order, and name the currency."""
    lines_of: dict[UUID, list[EntryLine]] = defaultdict(list)
    instalments_of: dict[UUID, list[Instalment]] = defaultdict(list)
    for row in lines:
        lines_of[row.entry_id].append(line_of(row))
    for row in instalments:
        instalments_of[row.entry_id].append(instalment_of(row))
    return [
        attrs.evolve(
            entry,
            lines=tuple(lines_of.get(entry.id, ())),
            instalments=tuple(instalments_of.get(entry.id, ())),
        )
        for entry in entries
    ]


def allocation_values(link: Allocation) -> Values:
    """Write an allocation."""
    return _link_values(link)


def _link_values(link: Allocation | Release) -> Values:
    return {
        "client_id": link.client,
        "id": link.id,
        "credit_id": link.credit,
        "debit_id": link.debit,
        "instalment": link.instalment,
        **money_values(link.amount),
        "on_day": link.on,
        "recorded_at": link.recorded_at,
        "actor": link.actor,
    }


def allocation_of(row: Any) -> Allocation:
    """Read an allocation."""
    return Allocation(**_link_fields(row))


def _link_fields(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "client": row.client_id,
        "credit": row.credit_id,
        "debit": row.debit_id,
        "instalment": row.instalment,
        "amount": money(row.amount, row),
        "on": row.on_day,
        "recorded_at": row.recorded_at,
        "actor": row.actor,
    }


def release_values(back: Release) -> Values:
    """Write a release: the same as an allocation, and which one it takes back."""
    return {**_link_values(back), "allocation_id": back.allocation}


def release_of(row: Any) -> Release:
    """Read a release."""
    return Release(**_link_fields(row), allocation=row.allocation_id)


def event_values(event: Event) -> Values:
    """Write an event; its position is given later, in the feed."""
    return {
        "id": event.id,
        "client_id": event.client,
        "type": event.type,
        "subject": event.subject,
        "actor": event.actor,
        "at": event.at,
        "data": dict(event.data),
    }


def event_of(row: Any) -> Event:
    """Read an event with its position in the feed."""
    return Event(
        id=row.id,
        client=row.client_id,
        type=row.type,
        subject=row.subject,
        actor=row.actor,
        at=row.at,
        data=row.data,
        position=row.position,
    )


def seal_values(seal: Seal) -> Values:
    """Write a seal, without its salt."""
    return {"position": seal.position, "digest": seal.digest, "personal": seal.personal}


def salt_values(seal: Seal) -> Values:
    """Write the salt of a seal: it stands apart, because it may be forgotten."""
    return {"position": seal.position, "salt": seal.salt}


def seal_of(row: Any) -> Seal:
    """Read a seal with its salt."""
    return Seal(position=row.position, digest=row.digest, personal=row.personal, salt=row.salt)
