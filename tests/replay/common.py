"""What the documents of a case have in common: how they are told, and what they settle."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
from tests.replay.fields import ALLOCATIONS, AMOUNT, LINK_TO, TO, Link, is_number, spelled
from tests.replay.play import Event, Play, id_of

from clientledger import Entry, Instalment

Pairs = list[tuple[Any, Any]]
"""Amounts by target."""

REASON = "as the case tells"
AUTOMATIC = ("auto", "automatic", "auto_allocate", "auto_apply", "fifo", "oldest", "oldest_first")
ALLOCATE = ("allocate", "allocation", "allocation_policy", "allocation_method", *ALLOCATIONS)
NUMBER = ("number", "document_number", "doc_number", "invoice_number", "doc_no", "invoice_no")
KEY = ("idempotency_key", "key", "request_id", "external_key")
EXTERNAL = ("external_id", "external_ref", "foreign_id")
PLAIN_TO = ("to", "sale", "invoice", "debit", "target", "document", "of")


def usual(event: Event, *without: str) -> dict[str, Any]:
    """What every document is told: its day, number, key and external id."""
    key = event.fields.get(*KEY)
    number = event.fields.get(*NUMBER)
    external = event.fields.get(*EXTERNAL)
    if number is None and key is None:
        number = event.ref
    said = {
        "on": event.on,
        "number": None if number is None else str(number),
        "key": None if key is None else str(key),
        "external_ids": None if external is None else {"case": str(external)},
    }
    return {name: value for name, value in said.items() if name not in without}


def reason_of(event: Event) -> str:
    told = event.fields.get("reason", "text", "description", "memo")
    return told if isinstance(told, str) and told.strip() else REASON


def is_automatic(event: Event) -> bool:
    """Whether it settles what the ledger chooses: the oldest due first."""
    told = (event.fields.get(name) for name in ALLOCATE)
    return any(event.fields.flag(name) for name in AUTOMATIC) or any(
        isinstance(one, str) and spelled(one) in AUTOMATIC for one in told
    )


def named(play: Play, event: Event) -> list[Link] | None:
    """The one document that an event names beside any allocations."""
    ref = play.pick(event.fields, *TO)
    if not (play.known(ref) or play.coming(ref)):
        ref = event.fields.ref(*PLAIN_TO) if event.rejected else None
    if ref is None:
        return None
    # A refused one is told in full, so that the ledger refuses what is too much.
    amount = event.fields.amount() if event.rejected else None
    rest = event.fields.without(*AMOUNT, *TO, "ref", "date", "on", "due_date")
    return [Link(rest.updated({"amount": amount, "to": ref}))]


def settled_by(play: Play, event: Event) -> list[Link] | None:
    """What a document settles, as told; None where nothing is said of it."""
    links = event.links(*ALLOCATIONS)
    return named(play, event) if links is None else links


def comes(play: Play, link: Link) -> bool:
    """Whether what it names is made by a later event."""
    ref = play.pick(link.fields, *LINK_TO)
    return not play.known(ref) and play.coming(ref)


def first_paper(play: Play, links: Iterable[Link] | None, names: tuple[str, ...]) -> Entry | None:
    """The first known document that links name."""
    found = (paper_of(play, play.target(link, names)) for link in links or ())
    return next((one for one in found if one is not None), None)


def paper_of(play: Play, target: Any) -> Entry | None:
    """The document of a target; None where there is none."""
    return None if isinstance(target, UUID) else play.book.ledger.get(id_of(target))


def is_debit(play: Play, target: Any) -> bool:
    paper = paper_of(play, target)
    return paper is not None and paper.side == "debit"


def is_whole(target: Any) -> bool:
    return not isinstance(target, UUID | Instalment)


def added(amounts: Iterable[Any]) -> Any:
    """The sum of amounts; None where one of them is not told."""
    listed = list(amounts)
    if not listed or not all(is_number(one) for one in listed):
        return None
    return sum(listed, Decimal(0))


def below_zero(event: Event) -> bool:
    """Whether it is told with a sign, and is not to be refused for it."""
    amount = event.fields.amount()
    return not event.rejected and is_number(amount) and amount < 0


def above_zero(event: Event) -> Event:
    """The same event with its amounts above zero."""
    fields = event.fields.without("lines", "items", "line_items")
    amount = abs(fields.amount())
    links = event.links(*ALLOCATIONS)
    if links is not None:
        turned = [
            {**link.fields.without(*AMOUNT).data, "amount": abs(link.amount)}
            if is_number(link.amount)
            else dict(link.fields.data)
            for link in links
        ]
        fields = fields.without(*ALLOCATIONS).updated({"allocations": turned})
    return attrs.evolve(event, fields=fields.without(*AMOUNT).updated({"amount": amount}))
