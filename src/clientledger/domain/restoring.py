"""Restoring: all that was recorded of one client, when it comes back from a file.

Such facts have not been through the commands, so what no command would have recorded is refused
here: a figure is only as right as its facts. What is left is recorded as it is, and moves the
derived rows to what the figures' own definitions say.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from uuid import UUID

import attrs

from clientledger.domain.entries import (
    CREDIT,
    DEBIT,
    ENTRY_KINDS,
    Allocation,
    Entry,
    Release,
    other_side,
)
from clientledger.domain.journal import (
    Journal,
    balances,
    movements,
    new_items,
    open_items,
    purchase_days,
)
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL, Currency, Money
from clientledger.domain.posting import Figure, Head, HeadStep, Move, Posting
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue

__all__ = ["restore"]

_Fact = Entry | Allocation | Release

_SIDES: Mapping[str, tuple[str, ...]] = {
    "sale": (DEBIT,),
    "payment": (CREDIT,),
    "credit note": (CREDIT,),
    "refund": (DEBIT,),
}
"""The side of a kind; of those that are not named, either."""


def restore(head: Head, journal: Journal) -> Posting:
    """Record at once all facts of a client that is not in the book yet.

    Args:
        head: of the client, as it was.
        journal: every fact of its ledger.

    Raises:
        InvalidValue: they cannot be what was recorded; `value` is the id of the fact to blame.
    """
    _check_sequence(head, journal)
    entries = {entry.id: entry for entry in journal.entries}
    links = {link.id: link for link in journal.allocations}
    for entry in journal.entries:
        _check_entry(entry, entries)
    for link in journal.allocations:
        _check_link(link, entries)
    for back in journal.releases:
        _check_release(back, links)
    _check_every_day(journal)
    return Posting(
        heads=(HeadStep(head, None),),
        facts=(*journal.entries, *journal.allocations, *journal.releases),
        moves=tuple(_moves(journal)),
    )


def _wrong(fact: _Fact, said: str, right: str) -> InvalidValue:
    return InvalidValue(said, field=type(fact).__name__.lower(), value=fact.id, remedy=right)


def _check_sequence(head: Head, journal: Journal) -> None:
    """The sequence runs from 1 without gaps, and the moments never go back."""
    in_order = sorted(journal.entries, key=lambda entry: entry.sequence)
    for place, entry in enumerate(in_order, 1):
        if entry.sequence != place:
            raise _wrong(entry, f"its sequence is {entry.sequence}", f"{place} comes next")
    for entry, later in pairwise(in_order):
        if later.recorded_at < entry.recorded_at:
            raise _wrong(later, "recorded before the entry before it", "moments never go back")
    if head.sequence != len(in_order):
        raise InvalidValue(
            "it counts another number of entries",
            field="head",
            value=head.sequence,
            remedy=f"the client has {len(in_order)}",
        )
    facts: tuple[_Fact, ...] = (*journal.entries, *journal.allocations, *journal.releases)
    for fact in facts:
        if fact.client != head.client:
            raise _wrong(fact, "of another client", f"the client is {head.client}")
        if fact.recorded_at > head.recorded_at:
            raise _wrong(fact, "recorded after what the head says", f"{head.recorded_at} at last")


def _check_amount(fact: _Fact, amount: Money, unit: Currency) -> None:
    if amount.unit != unit:
        raise _wrong(fact, f"it is over {amount.currency}, too", f"all of it in {unit.code}")
    if not 0 < amount.minor <= MAX_MINOR:
        raise _wrong(fact, f"{amount} is no amount", f"above zero, at most {MAX_MINOR} minor units")


def _check_on(fact: _Fact) -> None:
    try:
        check_day(fact.on, "on")
    except InvalidValue as error:
        raise _wrong(fact, f"its date {fact.on} is {error.message}", error.remedy) from None


def _check_entry(entry: Entry, known: Mapping[UUID, Entry]) -> None:
    unit = entry.amount.unit
    _check_on(entry)
    _check_amount(entry, entry.amount, unit)
    if entry.kind not in ENTRY_KINDS or entry.side not in _SIDES.get(entry.kind, (DEBIT, CREDIT)):
        raise _wrong(entry, f"a {entry.kind} on the {entry.side} side", "as the ledger has them")
    if (entry.kind == "void") != (entry.undoes is not None):
        raise _wrong(entry, "a void undoes an entry, and nothing else does", "name it there alone")
    if entry.lines:
        totals = [line.total for line in entry.lines]
        if any(total.unit != unit or total.minor < 0 for total in totals) or (
            sum(total.minor for total in totals) != entry.amount.minor
        ):
            raise _wrong(entry, "its lines do not add up", f"they come to {entry.amount}")
    _check_instalments(entry)
    _check_others(entry, known)


def _check_instalments(entry: Entry) -> None:
    """A debit falls due in parts that add up to it; a credit and a void never do."""
    parts = entry.instalments
    for part in parts:
        _check_amount(entry, part.amount, entry.amount.unit)
    owed = entry.amount.minor if entry.side == DEBIT and entry.kind != "void" else 0
    if sum(part.amount.minor for part in parts) != owed:
        raise _wrong(entry, "its instalments do not add up", f"they come to {owed} minor units")
    for number, part in enumerate(parts, 1):
        if (part.number, part.entry) != (number, entry.id):
            raise _wrong(entry, "its instalments are not its own", "number them from 1")


def _check_others(entry: Entry, known: Mapping[UUID, Entry]) -> None:
    """The entries that it names are the client's."""
    for name in ("undoes", "sale", "replaces", "pair"):
        id = getattr(entry, name)
        if id is not None and (id not in known or id == entry.id):
            raise _wrong(entry, f"{name}: no such entry of the client", "name one that is there")
    if entry.undoes is None:
        return
    undone = known[entry.undoes]
    if undone.kind == "void" or undone.sequence > entry.sequence or undone.on > entry.on:
        raise _wrong(entry, "a void of a later entry, or of a void", "name what it undoes")
    if (entry.side, entry.amount) != (other_side(undone.side), undone.amount):
        raise _wrong(entry, "it does not undo all of the entry", f"{undone.amount}, the other side")


def _check_link(link: Allocation, known: Mapping[UUID, Entry]) -> None:
    credit, debit = known.get(link.credit), known.get(link.debit)
    if credit is None or debit is None:
        raise _wrong(link, "no such entries of the client", "name those that are there")
    _check_amount(link, link.amount, credit.amount.unit)
    if debit.amount.unit != credit.amount.unit:
        raise _wrong(link, "between two currencies", "allocate within one currency")
    numbers = {item.instalment for item in new_items(debit)}
    if credit.side != CREDIT or debit.side != DEBIT or link.instalment not in numbers:
        raise _wrong(link, "not of a credit to a debit's instalment", "name those")
    if not new_items(credit):
        raise _wrong(link, "a void settles nothing", "name a credit")
    if link.on < max(credit.on, debit.on):
        raise _wrong(link, "before its documents", f"{max(credit.on, debit.on)} or later")
    _check_on(link)


def _check_release(back: Release, links: Mapping[UUID, Allocation]) -> None:
    link = links.get(back.allocation)
    if link is None:
        raise _wrong(back, "no such allocation of the client", "name one that is there")
    _check_amount(back, back.amount, link.amount.unit)
    same = ("credit", "debit", "instalment")
    if any(getattr(back, name) != getattr(link, name) for name in same):
        raise _wrong(back, "of other documents than the allocation", "name the same")
    if back.on < link.on:
        raise _wrong(back, "before the allocation itself", f"{link.on} or later")
    _check_on(back)


def _check_every_day(journal: Journal) -> None:
    """Nothing is undone twice, and no item is over-allocated on any day."""
    voids = [entry for entry in journal.entries if entry.undoes is not None]
    if len(journal.voids) < len(voids):
        twice = next(void for void in voids if journal.voids[void.undoes] != void)  # type: ignore[index]  # those that undo
        raise _wrong(twice, "it undoes what is undone already", "an entry is voided once")
    for link in journal.allocations:
        left = link.amount.minor - sum(b.amount.minor for b in journal.backs.get(link.id, ()))
        if left < 0:
            raise _wrong(link, "more of it is released than was allocated", f"{link.amount}")
    moved = movements(journal)
    for entry in journal.entries:
        void = journal.voids.get(entry.id)
        for item in new_items(entry):
            days: dict[date, int] = {}
            own = moved.get(item.key, [])
            for on, delta in own if void is None else [*own, (void.on, -item.amount.minor)]:
                days[on] = days.get(on, 0) + delta
            left = item.amount.minor
            for on in sorted(days):
                left += days[on]
                if not 0 <= left <= item.amount.minor:
                    raise _wrong(entry, f"{left} minor units of it would be open on {on}", "none")


def _moves(journal: Journal) -> Iterator[Move]:
    """The moves that make the derived rows, from nothing, what the facts say."""
    for item in open_items(journal):
        yield _move(item, {"open": item.open}, {"open": (0, item.amount.minor)})
    for balance in balances(journal):
        sides = {"owed": balance.owed, "prepaid": balance.prepaid}
        yield _move(balance, sides, dict.fromkeys(sides, (0, MAX_TOTAL)))
    for day in purchase_days(journal):
        bounds = {"count": (0, MAX_TOTAL), "sold": (-MAX_TOTAL, MAX_TOTAL)}
        yield _move(day, {"count": day.count, "sold": day.sold}, bounds)


def _move(
    row: Figure, amounts: Mapping[str, Money | int], bounds: Mapping[str, tuple[int, int]]
) -> Move:
    zeros = {
        name: Money.from_minor(0, value.unit) if isinstance(value, Money) else 0
        for name, value in amounts.items()
    }
    added = {
        name: value.minor if isinstance(value, Money) else value for name, value in amounts.items()
    }
    return Move(attrs.evolve(row, **zeros), added, bounds, row.latest)  # type: ignore[arg-type]  # each has these
