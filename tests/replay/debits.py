"""Debits of a case: sales, opening balances (which may be credits) and refunds."""

from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from tests.replay.common import (
    Pairs,
    added,
    first_paper,
    is_automatic,
    is_debit,
    paper_of,
    usual,
)
from tests.replay.contents import content_of, dues_of
from tests.replay.fields import ALLOCATIONS, FROM, LINK_TO, TO, Fields, Link, is_number
from tests.replay.play import FAR, Event, Play

from clientledger import Entry, OverAllocated

USE_CREDITS = ("use_prepayments", "apply_credits", "apply_credit", "use_credits", "use_advances")
PAID_BY = ("prepayment", "advance", "deposit", "credit", "from")
SIDE = ("side", "direction", "kind", "nature", "dr_cr", "balance_type")


def sale(play: Play, event: Event) -> None:
    unit = play.unit(event)
    content, checked = content_of(play, event, unit)
    dues = checked or dues_of(play, event, event.fields.amount())
    client = play.client(event)
    links = event.links(*ALLOCATIONS) or []
    source = play.pick(event.fields, *PAID_BY)
    if not links and source is not None and play.known(source):
        links = [Link(Fields({"from": source}))]
    with play.together(bool(links)):
        entry = play.book.ledger.record_sale(
            client,
            content,
            currency=unit,
            use_prepayments=is_automatic(event) or event.fields.flag(*USE_CREDITS),
            **usual(event),
            **dues,
        )
        play.name(event, entry)
        for link in links:
            credit = play.target(link, (*FROM, *LINK_TO))
            amount = link.amount
            if amount is None and isinstance(credit, Entry):
                amount = min(play.room(credit), play.room(entry))
            play.put(credit, entry, amount, link.on or event.on)


def opening(play: Play, event: Event) -> None:
    """What stood in the old books: signed, or with its side in words."""
    amount = event.fields.amount()
    for name, sign in (("debit", 1), ("credit", -1)):
        told = event.fields.amount(name)
        if amount is None and told is not None:
            amount = told * sign if is_number(told) else told
    words = f"{event.type} {event.fields.get(*SIDE) or ''}".lower()
    prepaid = any(word in words for word in ("credit", "prepa", "advance")) or words.endswith(" cr")
    if prepaid and is_number(amount) and amount > 0:
        amount = -amount
    owed = not (is_number(amount) and amount < 0)
    client, links = play.client(event), event.links(*ALLOCATIONS) or []
    with play.together(bool(links)):
        entry = play.book.ledger.record_opening_balance(
            client,
            amount,
            currency=play.unit(event),
            due=dues_of(play, event, amount).get("due") if owed else None,
            **usual(event, "number"),
        )
        play.name(event, entry)
        for link in links:
            target = play.target(link, (*LINK_TO, *FROM))
            credit, debit = (entry, target) if entry.side == "credit" else (target, entry)
            play.put(credit, debit, link.amount, link.on or event.on)


# ------------------------------------------------------------ refunds
@attrs.frozen
class _Refund:
    """A refund in the making."""

    play: Play
    event: Event
    client: Any
    unit: str | None
    amount: Any
    source: str | None

    def record(self, pairs: Pairs | None) -> None:
        entry = self.play.book.ledger.record_refund(
            self.client, self.amount, currency=self.unit, allocate=pairs, **usual(self.event)
        )
        self.play.name(self.event, entry)

    def after_taking_back(self, pairs: Pairs) -> None:
        """Take back what is short from what it settled, the newest first, and then refund."""
        with self.play.together():
            for credit, amount in pairs:
                if is_number(amount) and isinstance(credit, Entry):
                    self.play.take_back(credit, amount - self.play.room(credit), self.event.on)
            if not pairs:
                self._free_enough(self.event.on)
            self.record(pairs or None)

    def _free_enough(self, on: date) -> None:
        """Free so much of the client's payments, the newest first."""
        play = self.play
        items = play.book.ledger.open_items(self.client, currency=self.unit, as_of=FAR)
        short = self.amount - sum(item.open.amount for item in items if item.side == "credit")
        payments = play.book.ledger.find(client=self.client, kind="payment", currency=self.unit)
        for entry in reversed(list(payments)):
            before = play.room(entry)
            play.take_back(entry, short, on)
            short -= play.room(entry) - before

    def of_debits(self, pairs: Pairs) -> None:
        """Refund what was paid of sales: it is taken back from them, and they are open again."""
        free: Pairs = []
        with self.play.together():
            for target, amount in pairs:
                if is_debit(self.play, target):
                    free += self._paid_of(target, self.amount if amount is None else amount)
                else:
                    free.append((target, amount))
            self.record(free or None)

    def _paid_of(self, target: Any, amount: Decimal) -> Pairs:
        """Take an amount back from a sale; the payments that are then free."""
        play, free = self.play, []
        debit = paper_of(play, target)
        assert debit is not None
        only = play.papers.get(self.source or "")
        for one in play.live(debit):
            credit = play.book.ledger.get(one.credit)
            part = min(amount, one.live.amount)
            meant = only is None or only.side == "debit" or only.id == credit.id
            if meant and part > 0 and credit.kind != "write-off":
                play.take_back(credit, part, self.event.on, debit.id)
                free.append((credit, part))
                amount -= part
        return free


def refund(play: Play, event: Event) -> None:
    """Money given back: of what is free, else of what is first taken back."""
    names = (*LINK_TO, *FROM)
    amount = event.fields.amount()
    links = event.links(*ALLOCATIONS) or []
    source = play.pick(event.fields, *FROM, *TO)
    if not links and source is not None and (play.known(source) or event.rejected):
        links = [Link(Fields({"to": source, "amount": amount}))]
    if amount is None:
        amount = added(link.amount for link in links)
    about = first_paper(play, links, names)
    pairs = [(play.target(link, names), link.amount) for link in links]
    if amount is None and about is not None:
        amount = about.amount.amount
        pairs = [(target, amount if one is None else one) for target, one in pairs]
    made = _Refund(play, event, play.client(event, about), play.unit(event, about), amount, source)
    if not event.rejected and any(is_debit(play, target) for target, _ in pairs):
        made.of_debits(pairs)
        return
    told_none = event.links(*ALLOCATIONS) == [] or event.ref in play.left_open
    if not pairs and told_none and not event.rejected:
        made.record([])
        return
    try:
        made.record(play.fill(pairs, amount) or None)
    except OverAllocated:
        if event.rejected or not is_number(amount):
            raise
        made.after_taking_back(pairs)
