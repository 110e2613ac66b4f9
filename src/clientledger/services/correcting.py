"""Correcting: what stands in the place of a document that was wrong."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import attrs

from clientledger.domain.entries import CREDIT, Entry
from clientledger.domain.money import Money, total
from clientledger.errors import InvalidValue
from clientledger.services.issuing import Paper, read_sign, record
from clientledger.services.undoing import take_back, void_entry, written_off
from clientledger.services.work import Work

__all__ = ["check_told", "content_of", "correct_entry"]

_LINED = ("lines_or_amount", "lines", "amount")
_PLAIN = ("amount",)
_ALWAYS = ("currency", "external_ids")
_TOLD: Mapping[str, tuple[str, ...]] = {
    "sale": (
        *_LINED,
        *_ALWAYS,
        "due",
        "instalments",
        "terms",
        "number",
        "use_prepayments",
        "agreements",
    ),
    "payment": (*_PLAIN, *_ALWAYS, "allocate", "method", "number"),
    "credit note": (*_LINED, *_ALWAYS, "sale", "allocate", "number"),
    "refund": (*_PLAIN, *_ALWAYS, "allocate", "method", "number"),
    "write-off": (*_PLAIN, *_ALWAYS, "allocate"),
    "opening balance": (*_PLAIN, *_ALWAYS, "due"),
}
"""What can be told anew of each kind of document."""


def check_told(kind: str, told: Mapping[str, Any]) -> None:
    """Refuse a name that is not told of a kind of document, or its content told twice."""
    for name, value in told.items():
        if name not in _TOLD[kind]:
            raise InvalidValue(
                f"not told of a {kind}", field=name, value=value, remedy=", ".join(_TOLD[kind])
            )
    content = [name for name in _LINED if name in told]
    if len(content) > 1:
        raise InvalidValue(
            f"given beside {content[0]}", field=content[1], remedy="give only one of them"
        )


def content_of(told: Mapping[str, Any]) -> Any:
    """The lines or the amount that are told, or None."""
    return next((told[name] for name in _LINED if name in told), None)


def correct_entry(
    work: Work,
    old: Entry,
    reason: str,
    day: date,
    changes: Mapping[str, Any],
    new_day: date | None = None,
) -> Entry:
    """Void a live document and record it anew with changes, linked, in one.

    The old allocations are put on the new one first, as far as they fit.

    Args:
        day: of the void.
        new_day: of the new document; the same by default, and never later.
    """
    paper = _changed(old, new_day or day, changes)
    _, links = void_entry(work, old, reason, day, keep_write_offs=True)
    if old.kind == "write-off" and content_of(changes) is None:
        # what had been taken back of it is not written off anew
        left = [link.live for link, _, debit in links if debit.kind != "write-off"]
        paper = attrs.evolve(paper, content=total(left, old.amount.unit))
    work.flush()
    stay = [link for link, _, debit in links if link.live and debit.kind != "write-off"]
    new, planned = record(work, paper, replaces=old, moved=() if "allocate" in changes else stay)
    fits: Counter[object] = Counter()
    for one in planned:
        fits[one.credit.item.key] += one.amount.minor
    for link, credit in written_off(old, links):
        kept_ = min(link.live.minor, fits[credit.key])
        fits[credit.key] -= kept_
        if kept_ < link.live.minor:
            rest = Money.from_minor(link.live.minor - kept_, link.live.unit)
            take_back(work, credit, rest, max(day, link.on), reason)
    return new


def _changed(old: Entry, day: date, changes: Mapping[str, Any]) -> Paper:
    """A document as it was, with changes."""
    if old.kind not in _TOLD or old.pair is not None:
        raise InvalidValue(
            f"entries of this kind are not corrected: {old.kind}",
            field="entry",
            value=old.id,
            remedy="void it, and record it anew",
        )
    check_told(old.kind, changes)
    given = {name: value for name, value in changes.items() if name in _SAME}
    content = content_of(changes)
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
    currency = changes.get("currency")
    return {"content": told, "currency": usual if currency is None else currency}


def _dues(old: Entry, changes: Mapping[str, Any]) -> dict[str, Any]:
    """When it falls due: as told, else as before."""
    told = {name: changes[name] for name in ("due", "instalments", "terms") if name in changes}
    below, _ = read_sign(old.kind, content_of(changes))
    if told or old.kind not in ("sale", "opening balance") or old.side == CREDIT or below:
        return told
    one = len(old.instalments) == 1
    return {"due": old.due} if one else {"instalments": old.instalments}
