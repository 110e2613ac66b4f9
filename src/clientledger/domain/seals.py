"""Seals: the hash chain over the change feed, and what of an event and its facts each seal holds.

Two kinds of data are told apart. The public part says what the books say: amounts, days, kinds,
who and when. The personal part is what people wrote: reasons, names of lines, ids of other
programs, the fields of a client before and after. Of that a seal holds a salted digest alone, so
that it can be forgotten, salt and text, and the chain still holds.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.entries import Allocation, Entry, EntryLine, Release
from clientledger.domain.events import Event
from clientledger.domain.money import Money, exact
from clientledger.errors import InvalidValue

__all__ = [
    "ALLOCATED",
    "BEGINNING",
    "RELEASED",
    "VOIDED",
    "Anchor",
    "Seal",
    "personal_part",
    "public_part",
    "read_anchor",
    "released_by",
]

BEGINNING = "0" * 64
"""What stands in the place of a digest before the first event."""

ALLOCATED, RELEASED, VOIDED = "allocation.made", "allocation.released", "entry.voided"
"""The types of the events that tell of facts in a way of their own."""

_ANCHOR = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})\Z")


@attrs.frozen(kw_only=True)
class Seal:
    """A link of the hash chain: it holds one event, the facts that it tells of, and all before.

    Attributes:
        position: of the event in the change feed.
        digest: SHA-256 of the digest before, the public part and `personal`, hexadecimal.
        personal: SHA-256 of the salt and the personal part, hexadecimal.
        salt: random, hexadecimal; None once it was forgotten.
    """

    position: int
    digest: str
    personal: str
    salt: str | None = None

    @property
    def id(self) -> int:
        """What names it: the position."""
        return self.position


@attrs.frozen
class Anchor:
    """The end of the hash chain at a moment, as text ``"1234:ab12..."``: keep it elsewhere.

    `book.verify(anchor)` notices with it that the end of the chain was cut off, or that all of it
    was made anew.

    Attributes:
        position: of the last sealed event in the change feed; 0 before the first.
        digest: of its seal.
    """

    position: int
    digest: str

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


def read_anchor(value: object) -> Anchor:
    """Read an anchor, or its text.

    Raises:
        InvalidValue: it is none.
    """
    match = _ANCHOR.match(str(value)) if isinstance(value, str | Anchor) else None
    if match is None:
        raise InvalidValue(
            "not an anchor",
            field="anchor",
            value=value,
            remedy="give what book.anchor() returned, or its text: 1234:ab12...",
        )
    return Anchor(int(match[1]), match[2])


def released_by(event: Event) -> UUID | None:
    """The id of the release that an event tells of."""
    told = event.data.get("release") if event.type == RELEASED else None
    try:
        return UUID(told) if isinstance(told, str) else None
    except ValueError:
        return None


def public_part(event: Event, facts: Sequence[Any]) -> Mapping[str, Any]:
    """What the books say of an event and of the facts that it tells of, as plain data."""
    return {
        "event": {
            "position": event.position,
            "id": str(event.id),
            "type": event.type,
            "subject": event.subject,
            "client": _text(event.client),
            "actor": event.actor,
            "at": event.at.isoformat(),
        },
        "facts": [_public(fact) for fact in facts],
    }


def personal_part(event: Event, facts: Sequence[Any]) -> Mapping[str, Any]:
    """What people wrote into an event and into the facts that it tells of, as plain data."""
    return {"event": dict(event.data), "facts": [_personal(fact) for fact in facts]}


def _public(fact: Entry | Allocation | Release) -> dict[str, Any]:
    common = {
        "what": type(fact).__name__,
        "id": str(fact.id),
        "client": str(fact.client),
        "amount": _money(fact.amount),
        "on": fact.on.isoformat(),
        "recorded_at": fact.recorded_at.isoformat(),
        "actor": fact.actor,
    }
    match fact:
        case Entry():
            ids = {name: _text(getattr(fact, name)) for name in _NAMED}
            return {**common, **ids, **_document(fact)}
        case Release():
            return {**common, **_sides(fact), "allocation": str(fact.allocation)}
    return {**common, **_sides(fact)}


_NAMED = ("undoes", "sale", "replaces", "pair")


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "kind": entry.kind,
        "side": entry.side,
        "number": entry.number,
        "agreements": [str(id) for id in entry.agreements],
        "lines": [_line(line) for line in entry.lines],
        "instalments": [
            [part.number, part.due.isoformat(), _money(part.amount)] for part in entry.instalments
        ],
    }


def _sides(link: Allocation | Release) -> dict[str, Any]:
    return {"credit": str(link.credit), "debit": str(link.debit), "instalment": link.instalment}


def _line(line: EntryLine) -> dict[str, Any]:
    return {
        "quantity": _text(line.quantity),
        "price": _text(line.price),
        "sku": line.sku,
        "discount_percent": _text(line.discount_percent),
        "discount": _money(line.discount),
        "tax": _money(line.tax),
        "total": _money(line.total),
    }


def _personal(fact: Entry | Allocation | Release) -> dict[str, Any]:
    if not isinstance(fact, Entry):
        return {}
    return {
        "method": fact.method,
        "reason": fact.reason,
        "names": [line.name for line in fact.lines],
        "external_ids": dict(fact.external_ids),
    }


def _money(amount: Money | None) -> list[Any] | None:
    """Whole minor units, and which: the same text for the same amount, whatever ISO 4217 lists."""
    return None if amount is None else [amount.minor, amount.unit.code, amount.unit.digits]


def _text(value: object) -> str | None:
    """The same text for the same value, whatever the thread's decimal context."""
    if isinstance(value, Decimal):
        return exact.to_sci_string(value)
    return None if value is None else str(value)
