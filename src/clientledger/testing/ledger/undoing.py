"""Commands that settle and undo by hand: allocations, releases, voids, corrections."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from clientledger.domain.entries import Allocation, Entry
from clientledger.errors import (
    CreditLimitExceeded,
    InvalidValue,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Voided,
)
from clientledger.testing.ledger.desk import Reasons, newest
from clientledger.testing.ledger.documents import RecordsDocuments
from clientledger.testing.ledger.strategies import (
    ANY_OR_LIVE,
    CURRENCIES,
    DAYS,
    MINORS,
    PARTS,
    PICKS,
)
from clientledger.testing.oracle import Keeper, Key, is_whole, keys_of

__all__ = ["UndoesDocuments"]


_EVERY = ("sale", "payment", "credit note", "refund", "write-off", "opening balance")
_CHANGES: dict[str, tuple[str, ...]] = {
    "amount": _EVERY,
    "date": _EVERY,
    "number": ("sale", "payment", "credit note", "refund"),
    "method": ("payment", "refund"),
    "lines": ("sale", "credit note"),
    "due": ("sale", "opening balance"),
    "instalments": ("sale",),
    "terms": ("sale",),
    "free": ("payment", "credit note", "refund", "write-off"),
}
"""What can be corrected, of which kinds of document."""


class UndoesDocuments(RecordsDocuments):
    """Allocates, releases, voids, corrects and exchanges any document on any day."""

    # ------------------------------------------------------------ allocations

    @rule(one=PICKS, other=PICKS, part=PARTS, when=DAYS)
    def allocate(self, one: int, other: int, part: int | None, when: int | None) -> None:
        self._allocate(one, other, part, when, open_only=False)

    @rule(one=PICKS, other=PICKS, part=PARTS, when=DAYS)
    def allocate_what_is_open(
        self, one: int, other: int, part: int | None, when: int | None
    ) -> None:
        self._allocate(one, other, part, when, open_only=True)

    def _allocate(
        self, one: int, other: int, part: int | None, when: int | None, *, open_only: bool
    ) -> None:
        credit = self._credit(one, open_only=open_only)
        if credit is None:
            return
        before, code = self.keeper(credit.client), credit.currency
        debits = before.open_keys(code, "debit") if open_only else self._live_debits(credit)
        if not debits:
            return
        key = newest(debits, other)
        day = max(self.day(when), credit.on, before.by_id[key[0]].on)
        room = min(before.room((credit.id, 0), day), before.room(key, day))
        minor = part or max(1, room)
        made = self.attempt(
            "allocate",
            self.book.ledger.allocate,
            credit,
            self.target(key),
            self.money(minor, code),
            on=None if when is None else self.day(when),
            because=[*self.closed(day), *([OverAllocated] if minor > room else [])],
        )
        if made is not None:
            assert (made.on, made.amount.minor, made.live) == (day, minor, made.amount)

    def _credit(self, n: int, *, open_only: bool) -> Entry | None:
        """A live credit of any client; with something free, if asked for."""
        found = [entry for entry in self.live_documents if entry.side == "credit"]
        if open_only:
            found = [e for e in found if self.keeper(e.client).in_all.left_of(e)]
        return newest(found, n) if found else None

    def _live_debits(self, credit: Entry) -> list[Key]:
        """The items of all live debits of a credit's account."""
        return [
            key
            for entry in self.live_documents
            if (entry.client, entry.currency, entry.side)
            == (credit.client, credit.currency, "debit")
            for key in keys_of(entry)
        ]

    @rule(n=PICKS, part=PARTS, when=DAYS)
    def release(self, n: int, part: int | None, when: int | None) -> None:
        links = self.links
        if not links:
            return
        link: Allocation = newest(links, n)
        on = max(self.day(None), link.on) if when is None else self.day(when)
        held = self.keeper(link.client).in_all.held[link.id]
        because = [*self.closed(on), *self._not_held(held, part), *self._stays([link], on)]
        made = self.attempt(
            "release",
            self.book.ledger.release,
            link,
            None if part is None else self.money(part, link.amount.currency),
            on=None if when is None else on,
            because=because,
        )
        if made is not None:
            assert made.live.minor == (0 if part is None else held - part)

    @rule(n=PICKS, part=PARTS, when=DAYS, whole=st.booleans())
    def unallocate(self, n: int, part: int | None, when: int | None, whole: bool) -> None:
        links = self.links
        if not links:
            return
        named: Allocation = newest(links, n)
        held = self.keeper(named.client).in_all.held
        between = [
            link
            for link in links
            if (link.credit, link.debit) == (named.credit, named.debit)
            and (whole or link.instalment == named.instalment)
            and held[link.id]
        ]
        there = sum(held[link.id] for link in between)
        on = self.day(when)
        because = [*self._not_held(there, part), *self._stays(between, on, given=when is not None)]
        if any(self.closed(on if when is not None else max(on, one.on)) for one in between):
            because.append(PeriodClosed)
        made = self.attempt(
            "unallocate",
            self.book.ledger.unallocate,
            named.credit,
            self.target((named.debit, named.instalment), whole=whole),
            None if part is None else self.money(part, named.amount.currency),
            on=None if when is None else on,
            because=because,
            surely=len(between) < 2,
        )
        if made is not None:
            released = there - sum(
                self.keeper(named.client).in_all.held[link.id] for link in between
            )
            assert released == (there if part is None else part)

    def _not_held(self, held: int, part: int | None) -> Reasons:
        if not held:
            return [NotLinked]
        return [OverAllocated] if part is not None and part > held else []

    def _stays(self, links: Sequence[Allocation], on: date, *, given: bool = True) -> Reasons:
        """Whether a release would be before its allocation, or of what a write-off gave back."""
        early = given and any(on < link.on for link in links)
        backs = any(self.facts[link.debit].kind == "write-off" for link in links)
        return [InvalidValue] if early or backs else []

    # ------------------------------------------------------------ exchange

    @rule(n=PICKS, part=PARTS, code=CURRENCIES, got=MINORS, when=DAYS)
    def exchange(self, n: int, part: int | None, code: str, got: int, when: int | None) -> None:
        credit = self._credit(n, open_only=True)
        if credit is None or credit.currency == code:
            return
        on = self.day(when)
        before = self.keeper(credit.client)
        room = before.room((credit.id, 0), max(on, credit.on))
        minor = part or max(1, room)
        made = self.attempt(
            "exchange",
            self.book.ledger.exchange,
            credit,
            self.money(minor, credit.currency),
            self.money(got, code),
            on=None if when is None else on,
            because=[
                *self.closed(on),
                *([OverAllocated] if minor > room else []),
                *([InvalidValue] if on < credit.on else []),
            ],
        )
        if made is not None:
            out: Entry = self.facts[made.pair]
            assert (made.side, made.amount) == ("credit", self.money(got, code))
            assert (out.side, out.amount.minor, out.pair) == ("debit", minor, made.id)

    # ------------------------------------------------------------ voids

    @rule(n=PICKS, when=DAYS, live=ANY_OR_LIVE)
    def void(self, n: int, when: int | None, live: bool) -> None:
        found = self.live_documents if live else self.documents
        if found:
            self._void(newest(found, n), when)

    @rule(n=PICKS, when=DAYS, credit=st.booleans())
    def void_what_is_linked(self, n: int, when: int | None, credit: bool) -> None:
        """A payment bounces, or a sale was never made: of those against something."""
        if self.links:
            link = newest(self.links, n)
            self._void(self.facts[link.credit if credit else link.debit], when)

    def _void(self, entry: Entry, when: int | None) -> None:
        on = max(self.day(None), entry.on) if when is None else self.day(when)
        self.attempt(
            "void",
            self.book.ledger.void,
            entry,
            reason="a mistake",
            on=None if when is None else on,
            because=[*self.closed(on), *self._undone(entry, on)],
        )

    def _undone(self, entry: Entry, on: date) -> Reasons:
        """Why a document is not undone on a day."""
        given_back = entry.kind == "write-off" and entry.side == "debit"
        return [
            *([Voided] if entry.kind == "void" or self.voided(entry) else []),
            *([InvalidValue] if on < self._first_day_of_void(entry) or given_back else []),
        ]

    def _first_day_of_void(self, entry: Entry) -> date:
        """From when a document can be voided: not while a write-off of it would be free."""
        keeper = self.keeper(entry.client)
        pair = keeper.by_id.get(entry.pair) if entry.pair is not None else None
        debits = {one.id for one in (entry, pair) if one is not None and one.side == "debit"}
        ends = [entry.on]
        for link in keeper.allocations:
            if link.debit in debits and self.facts[link.credit].kind == "write-off":
                ends += [back.on for back in keeper.backs.get(link.id, ())]
                void = keeper.in_all.voids.get(link.credit)
                ends += [void.on] if void is not None else []
        return max(ends)

    # ------------------------------------------------------------ corrections

    @rule(n=PICKS, change=st.integers(0, 8), minor=MINORS, when=DAYS, live=ANY_OR_LIVE)
    def correct(self, n: int, change: int, minor: int, when: int | None, live: bool) -> None:
        found = self.live_documents if live else self.documents
        if not found:
            return
        old = newest(found, n)
        names = [name for name, kinds in _CHANGES.items() if old.kind in kinds] if live else []
        self._correct(old, newest(names or [*_CHANGES], change), minor, when)

    def _correct(self, old: Entry, change: str, minor: int, when: int | None) -> None:
        on = old.on if change != "date" or when is None else self.day(when)
        before = self.keeper(old.client)
        told = self._changes(old, change, minor)
        because = self._not_corrected(old, on, change, minor)
        made = self.attempt(
            f"correct {change}",
            self.book.ledger.correct,
            old,
            reason="as it should be",
            on=None if on == old.on else on,
            because=[*because, *self._may_not_fit(before, old, on, change)],
            surely=bool(because),
            **told,
        )
        if made is not None:
            self._corrected(before, old, made, change)

    def _changes(self, old: Entry, change: str, minor: int) -> dict[str, Any]:
        amount = self.money(minor, old.currency)
        content = "lines_or_amount" if old.kind in ("sale", "credit note") else "amount"
        below = old.kind == "opening balance" and old.side == "credit"
        day = old.on
        changes: dict[str, dict[str, Any]] = {
            "number": {"number": f"C-{minor}"},
            "method": {"method": "by hand"},
            "amount": {content: -amount if below else amount},
            "lines": {"lines_or_amount": [("x", 1, amount.amount)]},
            "due": {"due": day},
            "instalments": {"instalments": [(day, old.amount)]},
            "terms": {"terms": "30 % now, rest in 30 days"},
            "date": {},
            "free": {"allocate": {}},
        }
        return changes[change]

    def _not_corrected(self, old: Entry, on: date, change: str, minor: int) -> Reasons:
        """Why a document is surely not corrected."""
        because = [*self.closed(on), *self._undone(old, on)]
        if old.kind not in _CHANGES[change]:
            because.append(InvalidValue)
        split = len(old.instalments) > 1 and minor != old.amount.minor
        if split and change in ("amount", "lines"):
            because.append(InvalidValue)  # the old instalments do not add up to the new amount
        if change == "due" and old.side == "credit":
            because.append(InvalidValue)  # a prepayment falls due on no day
        if change == "free" and is_whole(old):
            because.append(OverAllocated)
        if old.kind == "write-off" and change != "amount" and not self._written_off(old):
            because.append(InvalidValue)  # all of it has been taken back
        return because

    def _written_off(self, old: Entry) -> int:
        """What of a write-off has not been taken back."""
        linked = self.keeper(old.client).linked(old.id)
        return sum(m for (key, _), m in linked.items() if self.facts[key[0]].kind != "write-off")

    def _may_not_fit(self, before: Keeper, old: Entry, on: date, change: str) -> Reasons:
        """Why a correction may be refused for what is around it."""
        may: Reasons = []
        if change == "number":
            may.append(NumberTaken)
        if old.kind == "sale" and any(one.amount is not None for one in self.holding_for(old, on)):
            may.append(CreditLimitExceeded)
        if old.kind in ("refund", "write-off"):
            links = [one for one in before.allocations if old.id in (one.credit, one.debit)]
            later = any(before.in_all.held[one.id] and one.on != old.on for one in links)
            if later or change in ("amount", "date", "free"):
                may.append(OverAllocated)
        return may

    def holding_for(self, old: Entry, on: date) -> Sequence[Any]:
        """The credit limits of a document's client."""
        client = next(one for one in self.clients if one.id == old.client)
        return self.holding(client, "credit limit", on)

    def _corrected(self, before: Keeper, old: Entry, made: Entry, change: str) -> None:
        """The new document stands for the old one, with its allocations as far as they fit."""
        assert made.replaces == old.id
        assert (made.client, made.kind, made.currency) == (old.client, old.kind, old.currency)
        if change in ("amount", "lines", "date", "free", "terms"):
            return
        kept = {
            key: minor
            for key, minor in before.linked(old.id).items()
            if self.facts[key[0][0]].kind != "write-off" or self.facts[key[0][0]].side == "credit"
        }
        after = self.keeper(made.client).linked(made.id)
        if change in ("due", "instalments"):
            kept, after = _by_other(kept), _by_other(after)
        assert after == kept, f"{made.kind} #{made.sequence} is against {after}, and was {kept}"


def _by_other(linked: dict[tuple[Key, int], int]) -> dict[tuple[Key, int], int]:
    found: dict[tuple[Key, int], int] = {}
    for (other, _), minor in linked.items():
        found[other, 0] = found.get((other, 0), 0) + minor
    return found
