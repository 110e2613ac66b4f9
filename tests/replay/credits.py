"""Credits of a case: payments, credit notes and write-offs."""

from datetime import date
from typing import Any
from uuid import UUID

import attrs
from tests.replay.common import (
    Pairs,
    added,
    comes,
    first_paper,
    is_automatic,
    is_debit,
    is_whole,
    named,
    paper_of,
    reason_of,
    settled_by,
    usual,
)
from tests.replay.contents import added_up, content_of
from tests.replay.fields import ALLOCATIONS, AMOUNT, LINK_TO, Link, is_number
from tests.replay.foreign import is_foreign, paid_unit, pay_across
from tests.replay.play import FAR, Event, Play, Waiting

from clientledger import Entry, Money

LESS = {
    "discount": "credit note",
    "discount_amount": "credit note",
    "discount_taken": "credit note",
    "cash_discount": "credit note",
    "write_off": "write-off",
    "write_off_amount": "write-off",
    "writeoff": "write-off",
}
"""What an allocation of a payment takes off a debt beside the money."""


# ------------------------------------------------------------ payments
@attrs.define
class _Paid:
    """What a payment settles, sorted by how it is done."""

    direct: Pairs = attrs.field(factory=list)
    netted: Pairs = attrs.field(factory=list)
    """Credits that are used along with it, as negative allocations say."""
    later: list[tuple[Link, Any]] = attrs.field(factory=list)
    """On a later day than it was paid."""
    foreign: list[tuple[Link, Any]] = attrs.field(factory=list)
    waiting: list[Link] = attrs.field(factory=list)
    """Debts that the case makes later."""


def payment(play: Play, event: Event) -> None:
    links = settled_by(play, event)
    about = first_paper(play, links, LINK_TO)
    unit = paid_unit(event) or play.unit(event, about)
    amount = event.fields.amount("paid_amount", "source_amount", *AMOUNT)
    if amount is None:
        amount = added(link.amount for link in links or [])
    client = play.client(event, about)
    paid = _sorted(play, event, links or [], unit)
    pairs, others = _net(play, play.fill(paid.direct, amount), paid.netted)
    less = any(link.fields.has(*LESS) for link in links or [])
    with play.together(bool(others or paid.foreign or paid.later or less)):
        for credit, target, part in others:
            play.put(credit, target, part, event.on)
        if is_number(amount) and not amount and not event.rejected:
            play.leave_out(event, "over nothing")
            return
        entry = play.book.ledger.record_payment(
            client,
            amount,
            currency=unit,
            allocate=None if links is None and is_automatic(event) else pairs,
            method=str(event.fields.get("method", "payment_method", "mode_of_payment") or ""),
            **usual(event),
        )
        play.name(event, entry)
        for link, target in paid.foreign:
            pay_across(play, event, link, entry, target, alone=len(links or []) == 1)
        for link, target in paid.later:
            for one, part in play.fill([(target, link.amount)], play.room(entry)):
                play.put(entry, one, part, link.on)
        wait(play, entry, paid.waiting, event)
        for link in links or []:
            _take_off(play, event, link)


def wait(play: Play, credit: Entry, links: list[Link], event: Event) -> None:
    """Remember what a credit will settle when it comes."""
    new = (Waiting(credit, link, link.on or event.on) for link in links)
    play.waiting = (*play.waiting, *new)


def _sorted(play: Play, event: Event, links: list[Link], unit: str | None) -> _Paid:
    paid = _Paid()
    for link in links:
        target = play.target(link, LINK_TO)
        if comes(play, link):
            paid.waiting.append(link)
        elif is_foreign(play, event, target, unit):
            paid.foreign.append((link, target))
        elif _is_later(event, link) and not isinstance(target, UUID):
            paid.later.append((link, target))
        elif _is_netted(play, event, link, target):
            paid.netted.append((target, -link.amount))
        else:
            paid.direct.append((target, link.amount))
    return paid


def _is_later(event: Event, link: Link) -> bool:
    return isinstance(link.on, date) and isinstance(event.on, date) and link.on > event.on


def _is_netted(play: Play, event: Event, link: Link, target: Any) -> bool:
    negative = is_number(link.amount) and link.amount < 0
    return negative and not event.rejected and is_whole(target) and not is_debit(play, target)


def _net(play: Play, pairs: Pairs, netted: Pairs) -> tuple[Pairs, list[tuple[Any, Any, Any]]]:
    """Which amounts the payment settles, and which the credits that are used along with it."""
    others = []
    for credit, amount in netted:
        play.note(f"a negative allocation of {play.name_of(credit.id)}: put against the same debts")
        for place in reversed(range(len(pairs))):
            target, one = pairs[place]
            part = min(one, amount)
            if part > 0:
                others.append((credit, target, part))
                pairs[place] = (target, one - part)
                amount -= part
    return [pair for pair in pairs if not netted or pair[1]], others


def _take_off(play: Play, event: Event, link: Link) -> None:
    """Record a discount, or a rest that is written off, told beside what was paid."""
    target = play.target(link, LINK_TO)
    paper = paper_of(play, target)
    for name, kind in LESS.items():
        amount = link.fields.amount(name)
        if paper is None or not is_number(amount) or amount <= 0:
            continue
        ledger = play.book.ledger
        told: dict[str, Any] = {
            "currency": paper.currency,
            "allocate": [(target, amount)],
            "reason": f"{name} of {event.title}",
            "on": event.on,
        }
        if kind == "credit note":
            made = ledger.record_credit_note(paper.client, amount, **told)
        else:
            made = ledger.write_off(paper.client, amount, **told)
        play.names[made.id] = f"{name} of {event.ref}"
        play.note(f"{event.title}: its {name} is recorded as a {kind}")


# ------------------------------------------------------------ credit notes
def credit_note(play: Play, event: Event) -> None:
    """A credit note: as told, else against the sale that it names, else free."""
    links, own = event.links(*ALLOCATIONS), named(play, event)
    about = first_paper(play, own, LINK_TO) or first_paper(play, links, LINK_TO)
    client, unit = play.client(event, about), play.unit(event, about)
    content, _ = content_of(play, event, unit)
    used = (own or []) if links is None else links
    waiting = [link for link in used if comes(play, link)]
    pairs = [(play.target(k, LINK_TO), k.amount) for k in used if k not in waiting]
    amount = event.fields.amount()
    if amount is None and isinstance(content, list):
        amount = added_up(content, unit)
    for_sale = about if own and about is not None and about.kind == "sale" else None
    by_rule = links is None and for_sale is not None and not event.rejected
    if by_rule and pairs and not is_whole(pairs[0][0]):
        by_rule = False  # one instalment of it is named
    spread = links is None and is_automatic(event)
    with play.together(spread):
        entry = play.book.ledger.record_credit_note(
            client,
            content,
            currency=unit,
            sale=for_sale,
            allocate=None if by_rule else play.fill(pairs, amount),
            reason=reason_of(event),
            **usual(event),
        )
        play.name(event, entry)
        wait(play, entry, waiting, event)
        if spread:
            settle_oldest(play, entry.client, entry.currency, event.on, only=entry)


def settle_oldest(
    play: Play, client: Any, currency: str | None, on: Any, *, only: Entry | None = None
) -> None:
    """Put free credits, the oldest first, against what is due first."""
    items = list(play.book.ledger.open_items(client, currency=currency, as_of=FAR))
    free = [i for i in items if i.side == "credit" and (only is None or i.entry == only.id)]
    debits = [i for i in items if i.side == "debit"]
    for credit in sorted(free, key=lambda one: (one.on, one.sequence)):
        left = credit.open.amount
        for place, debit in enumerate(debits):
            part = min(left, debit.open.amount)
            same = (debit.client, debit.currency) == (credit.client, credit.currency)
            if part > 0 and same:
                play.put(credit.entry, debit, part, on)
                left -= part
                debits[place] = attrs.evolve(debit, open=debit.open - Money(part, debit.currency))


# ------------------------------------------------------------ write-offs
def write_off(play: Play, event: Event) -> None:
    """Written off: as told, else all that is open of what it names, or of the client."""
    links = settled_by(play, event) or []
    about = first_paper(play, links, LINK_TO)
    client, unit = play.client(event, about), play.unit(event, about)
    pairs = [(play.target(link, LINK_TO), link.amount) for link in links]
    amount = event.fields.amount()
    if amount is None and pairs:
        pairs = [
            (target, play.room(target) if one is None and not isinstance(target, UUID) else one)
            for target, one in pairs
        ]
        amount = added(one for _, one in pairs)
    elif amount is None:
        items = play.book.ledger.open_items(client, currency=unit, as_of=FAR)
        amount = added(item.open.amount for item in items if item.side == "debit")
    entry = play.book.ledger.write_off(
        client,
        amount,
        currency=unit,
        allocate=play.fill(pairs, amount) if pairs else None,
        reason=reason_of(event),
        **usual(event, "number"),
    )
    play.name(event, entry)
