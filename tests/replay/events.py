"""Each type of event, and what is done for it."""

from collections.abc import Callable, Mapping

from tests.replay import credits, debits, foreign, others, settling, undoing
from tests.replay.common import above_zero, below_zero
from tests.replay.fields import is_number, spelled
from tests.replay.play import Event, Play

HANDLERS: Mapping[str, Callable[[Play, Event], None]] = {
    "sale": debits.sale,
    "payment": credits.payment,
    "credit note": credits.credit_note,
    "refund": debits.refund,
    "write-off": credits.write_off,
    "opening balance": debits.opening,
    "void": undoing.void,
    "restore": undoing.restore,
    "allocate": settling.allocate,
    "release": settling.release,
    "exchange": foreign.exchange,
    "correct": undoing.correct,
    "close period": others.close_period,
    "reopen period": others.reopen_period,
    "credit limit": others.credit_limit,
    "payment terms": others.payment_terms,
    "client": others.client,
    "archive": others.archive,
    "unarchive": others.unarchive,
    "setting": others.setting,
    "check": lambda play, event: None,
    "pass": lambda play, event: None,
}
TURNED = {"sale": "credit note", "payment": "refund"}
"""What a document below zero is, where the peer takes it; others are told with a minus."""

DOCUMENTS = ("sale", "credit note", "refund", "write-off", "opening balance")


def run_one(play: Play, event: Event) -> None:
    """Do what an event tells; a document over nothing moves nothing, and is left out."""
    amount = event.fields.amount()
    if event.kind in DOCUMENTS and is_number(amount) and not amount and not event.rejected:
        play.leave_out(event, "over nothing")
        return
    if event.kind in ("payment", *DOCUMENTS) and _is_draft(event):
        play.leave_out(event, "a draft")
        return
    kind = event.kind
    if kind == "credit note" and _raises(event):
        kind = "sale"
        play.note(f"{event.title}: on the debit side, so it is recorded as a sale")
    if kind in ("sale", "payment", "credit note", "refund", "write-off") and below_zero(event):
        kind = TURNED.get(kind, kind)
        if kind != event.kind:
            play.note(f"{event.title}: below zero, so it is recorded as a {kind}")
        event = above_zero(event)
    HANDLERS[kind](play, event)


def _is_draft(event: Event) -> bool:
    """Whether it is not posted yet, so that the ledger knows nothing of it."""
    states = (event.fields.get(name) for name in ("status", "state", "docstatus"))
    return event.fields.flag("draft") or any(spelled(one or "") == "draft" for one in states)


def _raises(event: Event) -> bool:
    """Whether an adjustment says in words that the client then owes more."""
    said = spelled(event.fields.get(*debits.SIDE) or "")
    return said in ("debit", "dr", "increase", "charge", "up")
