"""Soundness: what facts must keep among themselves, wherever they come from.

Commands record nothing else. Here it is asked of facts that lie in a store, where others may have
written too, and every fact that breaks a rule is named.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
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
from clientledger.domain.journal import Journal, movements, new_items
from clientledger.domain.money import MAX_MINOR, Currency, Money
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue

__all__ = ["Fault", "Problem", "faults", "last_recorded", "misfit"]

_Fact = Entry | Allocation | Release

_SIDES: Mapping[str, tuple[str, ...]] = {
    "sale": (DEBIT,),
    "payment": (CREDIT,),
    "credit note": (CREDIT,),
    "refund": (DEBIT,),
}
"""The side of a kind; of those that are not named, either."""


@attrs.frozen(kw_only=True)
class Problem:
    """A row that disagrees with the facts, or a fact that breaks a rule.

    Attributes:
        what: the kind of row or rule, such as "Balance", "Entry", "Claim" or "Seal".
        client: whose it is, or None.
        row: which row, in words.
        stored: what the store says.
        computed: what the facts say.
    """

    what: str
    client: UUID | None
    row: str
    stored: str
    computed: str

    def __str__(self) -> str:
        return f"{self.what} {self.row}: stored {self.stored}, the facts say {self.computed}"


@attrs.frozen
class Fault:
    """A fact that breaks a rule: what it has, and what it should have."""

    fact: _Fact
    has: str
    should: str


# ------------------------------------------------------------ the types of values
def misfit(record: Any) -> str:
    """Say which attribute of a record holds what its type does not allow; "" where none does.

    A database that is not strict gives back whatever somebody has put there.
    """
    for name, kinds, inner in _allowed(record.__class__):
        value = getattr(record, name)
        if type(value) not in kinds:
            return f"{name} {value!r}"
        parts = value.values() if isinstance(value, Mapping) else value
        for part in parts if inner else ():
            if type(part) not in inner:
                return f"{name} {value!r}"
            within = misfit(part) if attrs.has(type(part)) else ""
            if within:
                return f"{name}: {within}"
    return ""


_Kinds = frozenset[type[Any]]


@lru_cache(maxsize=64)
def _allowed(kind: Any) -> tuple[tuple[str, _Kinds, _Kinds], ...]:
    """The attributes of a record: each with the types of its value, and of what is in that."""
    hints = get_type_hints(kind)
    return tuple((field.name, *_kinds(hints[field.name])) for field in attrs.fields(kind))


def _kinds(hint: Any) -> tuple[_Kinds, _Kinds]:
    origin, nothing = get_origin(hint), frozenset[type[Any]]()
    if origin in (Union, UnionType):
        return frozenset(get_origin(one) or one for one in get_args(hint)), nothing
    if origin is Mapping:
        held = get_args(hint)[1]
        return frozenset({MappingProxyType}), nothing if held is Any else frozenset({held})
    if origin is tuple:
        return frozenset({tuple}), frozenset({get_args(hint)[0]})
    return frozenset({hint}), nothing


# ------------------------------------------------------------ the rules
def faults(journal: Journal) -> Iterator[Fault]:
    """Every fact of one client that breaks a rule."""
    entries = {entry.id: entry for entry in journal.entries}
    links = {link.id: link for link in journal.allocations}
    yield from _sequence(journal)
    for entry in journal.entries:
        yield from _entry(entry)
        yield from _others(entry, entries, journal)
    for link in journal.allocations:
        yield from _link(link, entries)
    for back in journal.releases:
        yield from _release(back, links)
    yield from _days(journal)


def _sequence(journal: Journal) -> Iterator[Fault]:
    """Each number stands once, and the moments never go back."""
    in_order = sorted(journal.entries, key=lambda entry: entry.sequence)
    for entry, later in pairwise(in_order):
        if later.sequence == entry.sequence:
            yield Fault(later, f"sequence {later.sequence}", f"another one: {entry.id} has it")
        if later.recorded_at < entry.recorded_at:
            said = f"recorded at {later.recorded_at}"
            yield Fault(later, said, f"{entry.recorded_at} or later, as the entry before it")


def _amount(fact: _Fact, amount: Money, unit: Currency, said: str = "") -> Iterator[Fault]:
    if amount.unit != unit:
        has = f"{said}{amount} with {amount.unit.digits} decimals"
        yield Fault(fact, has, f"an amount in {unit.code} with {unit.digits} decimals")
    elif not 0 < amount.minor <= MAX_MINOR:
        yield Fault(fact, f"{said}{amount}", f"above zero, at most {MAX_MINOR} minor units")


def _on(fact: _Fact) -> Iterator[Fault]:
    try:
        check_day(fact.on, "on")
    except InvalidValue as error:
        yield Fault(fact, f"the date {fact.on}", error.remedy)


def _entry(entry: Entry) -> Iterator[Fault]:
    yield from _on(entry)
    yield from _amount(entry, entry.amount, entry.amount.unit)
    if entry.kind not in ENTRY_KINDS:
        yield Fault(entry, f"the kind {entry.kind!r}", ", ".join(ENTRY_KINDS))
    elif entry.side not in _SIDES.get(entry.kind, (DEBIT, CREDIT)):
        yield Fault(entry, f"the side {entry.side!r}", f"the side of a {entry.kind}")
    if (entry.kind == "void") != (entry.undoes is not None):
        yield Fault(entry, f"kind {entry.kind}, undoes {entry.undoes}", "that a void undoes")
    yield from _parts(entry)


def _parts(entry: Entry) -> Iterator[Fault]:
    """Lines add up to the document; a debit falls due in parts that do, all else never does."""
    unit = entry.amount.unit
    if entry.lines:
        odd = any(line.total.unit != unit or line.total.minor < 0 for line in entry.lines)
        together = sum(line.total.minor for line in entry.lines)
        if odd or together != entry.amount.minor:
            yield Fault(entry, f"lines of {_told(together, unit)}", f"{entry.amount}")
    for part in entry.instalments:
        yield from _amount(entry, part.amount, unit, f"instalment {part.number} of ")
    owed = entry.amount.minor if entry.side == DEBIT and entry.kind != "void" else 0
    together = sum(part.amount.minor for part in entry.instalments)
    if together != owed:
        yield Fault(entry, f"instalments of {_told(together, unit)}", _told(owed, unit))
    numbers = [part.number for part in entry.instalments]
    own = all(part.entry == entry.id for part in entry.instalments)
    if numbers != list(range(1, len(numbers) + 1)) or not own:
        yield Fault(entry, f"instalments numbered {numbers}", "from 1 without gaps")


def _told(minor: int, unit: Currency) -> str:
    return f"{minor} minor units in {unit.code}"


def _others(entry: Entry, known: Mapping[UUID, Entry], journal: Journal) -> Iterator[Fault]:
    """The entries that it names are there, and are what it says of them."""
    for name, fits, should in _NAMED:
        id = getattr(entry, name)
        if id is None:
            continue
        other = known.get(id)
        if other is None or other is entry:
            yield Fault(entry, f"{name} {id}", "an entry of the client")
        elif not fits(entry, other, journal):
            yield Fault(entry, f"{name} {id}, a {other.kind}", should)


def _undone(entry: Entry, other: Entry, journal: Journal) -> bool:
    return (
        other.kind != "void"
        and other.sequence < entry.sequence
        and other.on <= entry.on
        and (entry.side, entry.amount) == (other_side(other.side), other.amount)
        and journal.voids.get(other.id) is entry
    )


def _replaced(entry: Entry, other: Entry, journal: Journal) -> bool:
    return other.id in journal.voids and other.kind == entry.kind


def _paired(entry: Entry, other: Entry, journal: Journal) -> bool:
    if entry.kind == "exchange":
        return other.kind == "exchange" and other.pair == entry.id and other.side != entry.side
    return entry.kind == other.kind == "write-off" and (entry.side, other.side) == (DEBIT, CREDIT)


_Fits = Callable[[Entry, Entry, Journal], bool]
_NAMED: tuple[tuple[str, _Fits, str], ...] = (
    ("undoes", _undone, "an earlier entry of that amount, undone once"),
    ("sale", lambda entry, other, _: other.kind == "sale", "a sale"),
    ("replaces", _replaced, "a voided document of its kind"),
    ("pair", _paired, "what goes with it"),
)


def _link(link: Allocation, known: Mapping[UUID, Entry]) -> Iterator[Fault]:
    yield from _on(link)
    credit, debit = known.get(link.credit), known.get(link.debit)
    if credit is None or debit is None:
        missing = link.credit if credit is None else link.debit
        yield Fault(link, f"{link.amount} with {missing}", "no such pair of documents")
        return
    yield from _amount(link, link.amount, credit.amount.unit)
    parts = {item.instalment: item.amount.minor for item in new_items(debit)}
    most = min(credit.amount.minor, parts.get(link.instalment, credit.amount.minor))
    if link.amount.minor > most:
        yield Fault(link, f"{link.amount}", f"at most {most} minor units, as its documents")
    if (credit.side, debit.side) != (CREDIT, DEBIT) or debit.amount.unit != credit.amount.unit:
        yield Fault(link, f"a {credit.kind} against a {debit.kind}", "a credit against a debit")
    elif not new_items(credit) or link.instalment not in parts:
        yield Fault(link, f"instalment {link.instalment} of a {debit.kind}", "one that is there")
    if link.on < max(credit.on, debit.on):
        yield Fault(link, f"from {link.on}", f"{max(credit.on, debit.on)} or later")


def _release(back: Release, links: Mapping[UUID, Allocation]) -> Iterator[Fault]:
    yield from _on(back)
    link = links.get(back.allocation)
    if link is None:
        yield Fault(back, f"{back.amount} of {back.allocation}", "no such allocation")
        return
    yield from _amount(back, back.amount, link.amount.unit)
    if any(getattr(back, name) != getattr(link, name) for name in _SAME):
        yield Fault(back, "other documents than its allocation", "the same")
    if back.on < link.on:
        yield Fault(back, f"from {back.on}", f"{link.on} or later, as its allocation")


_SAME = ("credit", "debit", "instalment")


def _days(journal: Journal) -> Iterator[Fault]:
    """No more is released than was allocated, and no item is over-allocated on any day."""
    for link in journal.allocations:
        left = link.amount.minor - sum(b.amount.minor for b in journal.backs.get(link.id, ()))
        if left < 0:
            yield Fault(link, f"{-left} minor units more released", f"at most {link.amount}")
    moved = movements(journal)
    for entry in journal.entries:
        void = journal.voids.get(entry.id)
        for item in new_items(entry):
            moves = [*moved.get(item.key, ())]
            if void is not None:
                moves.append((void.on, -item.amount.minor))
            beyond = _beyond(moves, item.amount.minor)
            if beyond is not None:
                day, left = beyond
                has = f"{left} minor units open of {item.amount} on {day}"
                yield Fault(entry, has, "nothing below zero, and no more than it is over")


def _beyond(moves: list[tuple[date, int]], amount: int) -> tuple[date, int] | None:
    """The first day on which less than nothing is open, or more than there is."""
    days: dict[date, int] = {}
    for on, delta in moves:
        days[on] = days.get(on, 0) + delta
    left = amount
    for on in sorted(days):
        left += days[on]
        if not 0 <= left <= amount:
            return on, left
    return None


def last_recorded(journal: Journal, since: datetime) -> datetime:
    """When the last fact was recorded; `since` where there is none."""
    moments = [fact.recorded_at for fact in journal.entries]
    moments += [link.recorded_at for link in journal.allocations]
    moments += [back.recorded_at for back in journal.releases]
    return max([since, *moments])
