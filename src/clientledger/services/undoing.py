"""Undoing: what a void takes with it, and what stands in the place of a corrected document."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Instalment, other_side
from clientledger.domain.journal import OpenItem, new_items
from clientledger.domain.money import Money, total
from clientledger.domain.recording import void
from clientledger.domain.settling import Link, Room
from clientledger.domain.text import check_text
from clientledger.errors import InvalidValue
from clientledger.services.documents import account_before, draft, entry_of, write
from clientledger.services.issuing import Paper, record
from clientledger.services.links import link_up, links_of
from clientledger.services.work import Work

__all__ = ["correct_entry", "take_back", "void_entry"]

Ended = tuple[Allocation, OpenItem, OpenItem]
"""An allocation with what held of it, its credit and its debit."""


def void_entry(
    work: Work, entry: Entry, reason: str, day: date, *, keep_write_offs: bool = False
) -> tuple[Entry, list[Ended]]:
    """Undo a live document, and all that goes with it.

    With half an exchange goes the other half, with a write-off what was taken back of it. A
    write-off is never free: what a void takes off one is taken back by a document of its own.

    Args:
        keep_write_offs: leave that to the caller.

    Returns:
        the void, and the allocations that it ended, with what held of each.
    """
    links = links_of(work, entry)
    undo = _void(work, entry, reason, day, links)
    for other in _companions(work, entry, links):
        # What stands between the two has just ended.
        apart = [
            one for one in links_of(work, other) if entry.id not in (one[0].credit, one[0].debit)
        ]
        _void(work, other, reason, max(day, other.on), apart)
    if not keep_write_offs:
        for link, credit in _written_off(entry, links):
            take_back(work, credit, link.live, max(day, link.on), reason)
    return undo, links


def _written_off(entry: Entry, links: Sequence[Ended]) -> list[tuple[Allocation, OpenItem]]:
    """What write-offs had settled of a debit."""
    held = [] if entry.side == CREDIT else links
    return [(link, item) for link, item, _ in held if item.kind == "write-off" and link.live]


def _void(
    work: Work,
    entry: Entry,
    reason: str,
    day: date,
    links: Sequence[Ended],
) -> Entry:
    undo = draft(
        work,
        work.head(entry.client),
        "void",
        other_side(entry.side),
        entry.amount,
        day,
        reason=check_text(reason, "reason", most=1000, empty=False, lines=True),
        undoes=entry.id,
    )
    work.free(entry.id)
    work.add(void(entry, undo, links))
    work.tell("entry.voided", entry.id, client=entry.client, at=undo.recorded_at)
    return undo


def _companions(work: Work, entry: Entry, links: Sequence[Ended]) -> list[Entry]:
    """The documents that do not stand without another one."""
    if entry.kind == "exchange" and entry.pair is not None:
        return [entry_of(work, entry.pair)]
    if entry.kind == "write-off":
        backs = [debit for _, _, debit in links if debit.kind == "write-off"]
        return [entry_of(work, id) for id in dict.fromkeys(item.entry for item in backs)]
    return []


def take_back(work: Work, write_off: OpenItem, amount: Money, day: date, reason: str) -> Entry:
    """Take a part of a write-off back: a debit of that amount, which the part settles."""
    head = work.head(write_off.client)
    id = work.new_id()
    back = draft(
        work,
        head,
        "write-off",
        DEBIT,
        amount,
        day,
        id=id,
        instalments=(Instalment(day, amount, 1, id),),
        reason=reason,
        pair=write_off.entry,
    )
    write(work, back, account_before(work, back))
    link_up(work, [Link(Room(write_off), Room(new_items(back)[0]), amount, day)], head)
    return back


_CHANGES: Mapping[str, tuple[str, ...]] = {
    "sale": (
        "lines_or_amount",
        "currency",
        "due",
        "instalments",
        "terms",
        "number",
        "use_prepayments",
        "agreements",
        "external_ids",
    ),
    "payment": ("amount", "currency", "allocate", "method", "number", "external_ids"),
    "credit note": (
        "lines_or_amount",
        "currency",
        "sale",
        "allocate",
        "number",
        "external_ids",
    ),
    "refund": ("amount", "currency", "allocate", "method", "number", "external_ids"),
    "write-off": ("amount", "currency", "allocate", "external_ids"),
    "opening balance": ("amount", "currency", "due", "external_ids"),
}
"""What can be corrected of each kind of document."""


def correct_entry(
    work: Work, old: Entry, reason: str, day: date, changes: Mapping[str, Any]
) -> Entry:
    """Void a live document and record it anew with changes, linked, in one.

    The old allocations are put on the new one first, as far as they fit.
    """
    paper = _changed(old, day, changes)
    _, links = void_entry(work, old, reason, day, keep_write_offs=True)
    if old.kind == "write-off" and "amount" not in changes:
        # what had been taken back of it is not written off anew
        left = [link.live for link, _, debit in links if debit.kind != "write-off"]
        paper = attrs.evolve(paper, content=total(left, old.amount.unit))
    work.flush()
    stay = [link for link, _, debit in links if link.live and debit.kind != "write-off"]
    new, planned = record(work, paper, replaces=old, moved=() if "allocate" in changes else stay)
    fits: Counter[object] = Counter()
    for one in planned:
        fits[one.credit.item.key] += one.amount.minor
    for link, credit in _written_off(old, links):
        kept_ = min(link.live.minor, fits[credit.key])
        fits[credit.key] -= kept_
        if kept_ < link.live.minor:
            rest = Money.from_minor(link.live.minor - kept_, link.live.unit)
            take_back(work, credit, rest, max(day, link.on), reason)
    return new


def _changed(old: Entry, day: date, changes: Mapping[str, Any]) -> Paper:
    """A document as it was, with changes."""
    allowed = _CHANGES.get(old.kind)
    if allowed is None or old.pair is not None:
        raise InvalidValue(
            f"a {old.kind} is not corrected",
            field="entry",
            value=old.id,
            remedy="void it, and record it anew",
        )
    for name, value in changes.items():
        if name not in allowed:
            raise InvalidValue(
                f"not told of a {old.kind}", field=name, value=value, remedy=", ".join(allowed)
            )
    given = {name: value for name, value in changes.items() if name in _SAME}
    content = changes.get("lines_or_amount", changes.get("amount"))
    return attrs.evolve(
        _as_told(old, day), **given, **_content(old, content, changes), **_dues(old, changes)
    )


_SAME = ("number", "method", "sale", "allocate", "use_prepayments", "agreements", "external_ids")


def _as_told(old: Entry, day: date) -> Paper:
    return Paper(
        kind=old.kind,
        client=old.client,
        content=None,
        on=day,
        number=old.number,
        method=old.method,
        reason=old.reason,
        sale=old.sale,
        agreements=old.agreements,
        external_ids=dict(old.external_ids) or None,
    )


def _content(old: Entry, told: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    if told is None:
        negative = old.kind == "opening balance" and old.side == CREDIT
        told = old.lines or (-old.amount if negative else old.amount)
    named = isinstance(told, Money) or (isinstance(told, str) and " " in told)
    usual = None if named else old.amount.unit
    return {"content": told, "currency": changes.get("currency") or usual}


def _dues(old: Entry, changes: Mapping[str, Any]) -> dict[str, Any]:
    """When it falls due: as told, else as before."""
    told = {name: changes[name] for name in ("due", "instalments", "terms") if name in changes}
    if told or old.kind not in ("sale", "opening balance") or old.side == CREDIT:
        return told
    one = len(old.instalments) == 1
    return {"due": old.due} if one else {"instalments": old.instalments}
