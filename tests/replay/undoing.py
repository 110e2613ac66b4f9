"""What a case undoes: voids, bounced payments, restored and corrected documents."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import attrs
from tests.replay.common import EXTERNAL, NUMBER, is_debit, reason_of
from tests.replay.contents import LINES, content_of, dues_of
from tests.replay.credits import credit_note
from tests.replay.debits import refund
from tests.replay.fields import (
    ABOUT,
    ALLOCATIONS,
    AMOUNT,
    CURRENCY,
    FROM,
    LINK_TO,
    OF,
    Fields,
    NotApplicable,
    is_number,
)
from tests.replay.play import WHO, Event, Play
from tests.replay.settling import release_links

from clientledger import Entry, PeriodClosed

DATES = ("new_date", "effective_date", "posting_date", "document_date", "invoice_date", "on")
CHANGES = ("changes", "set", "fields", "new", "values", "change")


def _target(play: Play, event: Event) -> str | None:
    """The ref that an event is about: by a usual name, its own, or by any other."""

    def known(ref: str | None) -> bool:
        return play.known(ref) or ref in play.links or ref in play.nothing

    strict = play.pick(event.fields, *OF)
    listed = [play.pick(link.fields, *LINK_TO, *FROM) for link in event.links(*ALLOCATIONS) or []]
    rest = event.fields.without(*WHO, "type", "ref", "text", "notes", "reason")
    values = [str(one) for one in rest.data.values() if isinstance(one, str)]
    own = [] if event.kind == "correct" else [play.pick(event.fields, *ABOUT), *listed]
    found = (ref for ref in (strict, event.ref, *own, *values) if ref and known(ref))
    return next(found, strict or event.ref)


def void(play: Play, event: Event) -> None:
    """Undo a document whole; a part of a payment that is taken back is a refund."""
    ref = _target(play, event)
    if ref in play.links:
        release_links(play, play.links[ref], event)
        return
    if ref in play.nothing:
        play.leave_out(event, f"{ref} was left out")
        return
    entry = play.paper(ref)
    amount = event.fields.amount()
    if isinstance(entry, Entry) and is_number(amount) and 0 < amount < entry.amount.amount:
        _undo_part(play, event, entry, ref)
        return
    on = event.on
    if isinstance(entry, Entry) and not event.dated:
        on = max(on, entry.on)
    reason = reason_of(event)
    turned = isinstance(entry, Entry) and entry.id in play.turned
    with play.together(turned):
        held = tuple(play.live(entry)) if isinstance(entry, Entry) else ()
        for exchange in () if isinstance(entry, UUID) else play.turned.pop(entry.id, ()):
            undo = play.book.ledger.void(exchange, reason=reason, on=on)
            play.names[undo.id] = f"void of the exchange of {ref}"
        undo = play.book.ledger.void(entry, reason=reason, on=on)
    assert ref is not None
    play.ended[ref] = held
    own = event.ref if event.ref is not None and event.ref not in play.papers else None
    play.names[undo.id] = own or f"void of {ref}"
    if own is not None:
        play.papers[own] = undo


def _undo_part(play: Play, event: Event, entry: Entry, ref: str | None) -> None:
    fields = event.fields.without(*OF, *ABOUT, *ALLOCATIONS)
    play.note(f"{event.title}: a part only, so it is recorded as a document of its own")
    part = attrs.evolve(event, fields=fields.updated({"to": ref}))
    if entry.side == "credit":
        refund(play, part)
    else:
        credit_note(play, part)


def restore(play: Play, event: Event) -> None:
    """Record a voided document anew, with what it settled: a void itself stands for good."""
    ref = _target(play, event)
    old = play.paper(ref)
    if isinstance(old, UUID) or ref not in play.ended:
        raise NotApplicable(f"{event.title} restores what is not voided")
    usual: dict[str, Any] = {"currency": old.currency, "on": old.on, "number": old.number}
    content = old.lines or old.amount
    with play.together():
        ledger = play.book.ledger
        if old.kind == "sale":
            parts = [(one.due, one.amount) for one in old.instalments]
            new = ledger.record_sale(
                old.client, content, instalments=parts, use_prepayments=False, **usual
            )
        elif old.kind == "payment":
            new = ledger.record_payment(old.client, old.amount, allocate={}, **usual)
        elif old.kind == "credit note":
            new = ledger.record_credit_note(
                old.client, content, allocate={}, reason=old.reason, **usual
            )
        else:
            raise NotApplicable(f"a voided {old.kind} is not restored")
        for one in reversed(play.ended.pop(ref)):
            other = ledger.get(one.debit if old.side == "credit" else one.credit)
            now = play.papers.get(play.names.get(other.id, ""), other)
            part = min(one.live.amount, play.room(now), play.room(new))
            if part > 0:
                pair = (new, now) if old.side == "credit" else (now, new)
                play.put(*pair, part, max(one.on, event.on))
    play.names[new.id] = ref
    play.papers[ref] = new
    play.note(f"{event.title}: a void stands for good, so {ref} is recorded anew")


def correct(play: Play, event: Event) -> None:
    """Correct a document: what is not named stays as it was."""
    ref = _target(play, event)
    old = play.paper(ref)
    told = event.fields.get(*CHANGES)
    fields = Fields.of(told) if isinstance(told, Mapping) else event.fields.without("date")
    if isinstance(old, UUID):
        play.book.ledger.correct(old, reason=reason_of(event))
        return
    assert ref is not None
    who = fields.get(*WHO)
    if who is not None and str(who) in play.clients and play.clients[str(who)].id != old.client:
        _anew(play, event, ref, old, fields)
        return
    on = fields.day(*DATES, *(("date",) if isinstance(told, Mapping) else ()))
    changes = _changes(play, event, old, fields, ref)
    try:
        new = play.book.ledger.correct(old, reason=reason_of(event), on=on, **changes)
    except PeriodClosed:
        if event.rejected or on is not None or not isinstance(event.on, date) or event.on < old.on:
            raise
        new = play.book.ledger.correct(old, reason=reason_of(event), on=event.on, **changes)
        play.note(f"{event.title}: its period is closed, so it is corrected on {event.on}")
    own = event.ref if event.ref is not None and event.ref != ref else None
    play.names[new.id] = own or ref
    play.older[ref] = old
    play.papers[ref] = new
    if own is not None:
        play.papers[own] = new


def _changes(play: Play, event: Event, old: Entry, fields: Fields, ref: str) -> dict[str, Any]:
    lined = old.kind in ("sale", "credit note")
    changes: dict[str, Any] = {}
    currency = fields.currency()
    if currency not in (None, old.currency):
        changes["currency"] = currency
    if fields.get(*AMOUNT, *LINES) is not None:
        changed = attrs.evolve(event, fields=fields)
        content, checked = content_of(play, changed, currency or old.currency)
        changes["lines_or_amount" if lined else "amount"] = content
        changes |= checked
    if is_debit(play, old) and old.kind != "refund":
        # The ref of an event may stand under a name of a due date's neighbours: only its own count.
        dues = attrs.evolve(event, on=old.on, fields=fields)
        changes |= dues_of(play, dues, fields.amount())
    links = attrs.evolve(event, fields=fields).links(*ALLOCATIONS)
    if links is not None:
        pairs = [(play.target(link, LINK_TO), link.amount) for link in links]
        changes["allocate"] = play.fill(pairs, fields.amount() or old.amount.amount)
    elif old.kind == "payment" and not play.live(old):
        changes["allocate"] = {}  # it was free, and stays so
    if old.kind == "sale":
        changes["use_prepayments"] = False
    number = fields.get(*NUMBER)
    if number is None and event.ref not in (None, ref) and old.number is not None:
        number = event.ref
    if number is not None and old.kind not in ("write-off", "opening balance"):
        changes["number"] = str(number)
    if fields.get(*EXTERNAL) is not None:
        changes["external_ids"] = {"case": str(fields.get(*EXTERNAL))}
    return changes


def _anew(play: Play, event: Event, ref: str, old: Entry, fields: Fields) -> None:
    """Void it and record it for another client: a correction never changes whose it is."""
    from tests.replay.events import run_one

    first = play.told[ref]
    names = {name for name in first.fields.data if name not in fields.without(*CURRENCY).data}
    kept = {name: first.fields.data[name] for name in names}
    again = fields.without("type", "ref", *OF)
    merged = Fields({**kept, **again.data})
    if not fields.has(*ALLOCATIONS):
        merged = merged.without(*ALLOCATIONS)
    with play.together():
        play.book.ledger.void(old, reason=reason_of(event), on=max(old.on, event.on))
        play.older[ref] = old
        run_one(play, attrs.evolve(first, ref=event.ref or ref, fields=merged))
    play.papers[ref] = play.papers[event.ref or ref]
    play.note(f"{event.title}: voided, and recorded anew for another client")
