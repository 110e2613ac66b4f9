"""An account keeper of its own: every figure of one client, counted from the facts alone.

It shares nothing with the domain's functions but the facts themselves: whole minor units, days,
and the rules as the documentation has them. What it says is compared with what a book says.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from uuid import UUID

import attrs

from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.ports import AllocationQuery, EntryQuery, Reading, ReleaseQuery

__all__ = ["Keeper", "Key", "Sheet", "Stand"]

Key = tuple[UUID, int]
"""An item: a document and the number of its instalment; of a credit, 0."""

Fact = Entry | Allocation | Release


@attrs.frozen
class Stand:
    """How an account stands: minor units owed, prepaid and overdue."""

    owed: int
    prepaid: int
    overdue: int

    @property
    def balance(self) -> int:
        """Owed less prepaid."""
        return self.owed - self.prepaid


@attrs.frozen(slots=False)
class Sheet:
    """How all items of a client stand at the end of a day.

    Attributes:
        entries: the documents dated at or before the day.
        voids: the void of each voided one.
        held: what holds of each allocation.
        open: what is open of each item; nothing of a voided one.
    """

    day: date
    entries: Mapping[UUID, Entry]
    voids: Mapping[UUID, Entry]
    held: Mapping[UUID, int]
    open: Mapping[Key, int]

    @cached_property
    def net(self) -> dict[str, int]:
        """Debits less credits, by currency."""
        sums: dict[str, int] = defaultdict(int)
        for entry in self.entries.values():
            minor = entry.amount.minor
            sums[entry.amount.currency] += minor if entry.side == "debit" else -minor
        return dict(sums)

    @cached_property
    def accounts(self) -> dict[str, Stand]:
        """Owed, prepaid and overdue, by currency: one for each that any document has."""
        sums = {code: [0, 0, 0] for code in self.net}
        for key, minor in self.open.items():
            owner = self.entries[key[0]]
            own = sums[owner.amount.currency]
            if owner.side == "credit":
                own[1] += minor
            else:
                own[0] += minor
                if due_of(owner, key[1]) < self.day:
                    own[2] += minor
        return {code: Stand(*own) for code, own in sums.items()}

    def ageing(self, code: str, bounds: Sequence[int], by: str) -> list[int]:
        """Open debits of a currency by days past due (or since their date), bucket by bucket."""
        sums = [0] * (len(bounds) + 1)
        for (id, number), minor in self.open.items():
            owner = self.entries[id]
            if owner.side == "debit" and owner.amount.currency == code:
                since = due_of(owner, number) if by == "due" else owner.on
                sums[bisect_left(bounds, (self.day - since).days)] += minor
        return sums

    def left_of(self, entry: Entry) -> int:
        """Minor units that are open of a document, all its items together."""
        return sum(self.open[key] for key in keys_of(entry))

    def status(self, entry: Entry) -> str:
        """What has become of a document, in a word."""
        if entry.id in self.voids:
            return "voided"
        left = self.left_of(entry)
        if entry.side == "credit":
            return "free" if left else "used"
        if not left:
            return "paid"
        return "unpaid" if left == entry.amount.minor else "partly paid"


@attrs.frozen(slots=False)
class Keeper:
    """Keeps the accounts of one client from its facts: strictly by day, and by what was known."""

    entries: tuple[Entry, ...]
    allocations: tuple[Allocation, ...]
    releases: tuple[Release, ...]
    _sheets: dict[date, Sheet] = attrs.field(factory=dict, init=False, eq=False)

    @classmethod
    def of(cls, reading: Reading, client: UUID) -> "Keeper":
        """Read the facts of a client."""
        return cls(
            tuple(reading.find(EntryQuery(client=client))),
            tuple(reading.find(AllocationQuery(client=client))),
            tuple(reading.find(ReleaseQuery(client=client))),
        )

    @property
    def facts(self) -> Iterator[Fact]:
        """All of them."""
        yield from self.entries
        yield from self.allocations
        yield from self.releases

    @cached_property
    def by_id(self) -> dict[UUID, Entry]:
        """The documents by id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def days(self) -> list[date]:
        """The days on which anything is dated."""
        return sorted({fact.on for fact in self.facts})

    @cached_property
    def backs(self) -> dict[UUID, list[Release]]:
        """The releases of each allocation."""
        found: dict[UUID, list[Release]] = defaultdict(list)
        for release in self.releases:
            found[release.allocation].append(release)
        return found

    def known(self, moment: datetime) -> "Keeper":
        """The keeper who knows only what had been recorded at a moment."""
        return Keeper(
            tuple(fact for fact in self.entries if fact.recorded_at <= moment),
            tuple(fact for fact in self.allocations if fact.recorded_at <= moment),
            tuple(fact for fact in self.releases if fact.recorded_at <= moment),
        )

    def on(self, day: date) -> Sheet:
        """How everything stands at the end of a day; what is dated later does not exist."""
        if day not in self._sheets:
            self._sheets[day] = self._counted(day)
        return self._sheets[day]

    @cached_property
    def in_all(self) -> Sheet:
        """How everything stands with all that is recorded."""
        return self.on(date.max)

    def _counted(self, day: date) -> Sheet:
        entries = {entry.id: entry for entry in self.entries if entry.on <= day}
        voids = {entry.undoes: entry for entry in entries.values() if entry.undoes is not None}
        left: dict[Key, int] = {}
        for entry in entries.values():
            for key, minor in amounts_of(entry).items():
                left[key] = 0 if entry.id in voids else minor
        held = {}
        for link in self.allocations:
            if link.on <= day:
                minor = held[link.id] = self._held(link, day, voids)
                for key in ((link.credit, 0), (link.debit, link.instalment)):
                    if key in left:  # else it counts before its document, which is told elsewhere
                        left[key] -= minor
        return Sheet(day, entries, voids, held, left)

    def _held(self, link: Allocation, day: date, voids: Mapping[UUID, Entry]) -> int:
        """What holds of an allocation that counts by a day, beside the voids known by then."""
        if link.credit in voids or link.debit in voids:
            return 0  # it ended on the later of the void's day and its own, and both are past
        backs = (back.amount.minor for back in self.backs.get(link.id, ()) if back.on <= day)
        return link.amount.minor - sum(backs)

    def room(self, key: Key, since: date) -> int:
        """What may still be allocated of an item from a day on: the least open from then on."""
        days = [since, *(day for day in self.days if day > since)]
        return min(self.on(day).open.get(key, 0) for day in days)

    def open_keys(self, code: str, side: str) -> list[Key]:
        """The items of an account with anything open in all, in the order of settling.

        Debits by due date, credits by their own.
        """
        found = []
        for key, minor in self.in_all.open.items():
            owner = self.by_id[key[0]]
            if minor and owner.side == side and owner.amount.currency == code:
                first = due_of(owner, key[1]) if side == "debit" else owner.on
                found.append((first, owner.on, owner.sequence, key[1], key))
        return [row[-1] for row in sorted(found)]

    def spread(self, minor: int, keys: Iterable[Key], since: date) -> dict[Key, int]:
        """Put an amount against items in their order, each as far as it has room."""
        found: dict[Key, int] = {}
        for key in keys:
            part = min(minor, self.room(key, max(since, self.by_id[key[0]].on)))
            if part > 0:
                found[key] = part
                minor -= part
        return found

    def linked(self, entry: UUID) -> dict[tuple[Key, int], int]:
        """What holds of a document's allocations, by the other item and its own instalment."""
        found: dict[tuple[Key, int], int] = defaultdict(int)
        for link in self.allocations:
            held = self.in_all.held[link.id]
            if held and link.credit == entry:
                found[(link.debit, link.instalment), 0] += held
            elif held and link.debit == entry:
                found[(link.credit, 0), link.instalment] += held
        return dict(found)

    def statement(
        self, code: str, since: date, until: date
    ) -> tuple[int, list[tuple[UUID, int]], int]:
        """The balance before a day, the documents from then on with it after each, and the last."""
        running = opening = 0
        rows: list[tuple[UUID, int]] = []
        for entry in sorted(self.entries, key=lambda entry: (entry.on, entry.sequence)):
            if entry.amount.currency == code and entry.on <= until:
                minor = entry.amount.minor
                running += minor if entry.side == "debit" else -minor
                if entry.on < since:
                    opening = running
                else:
                    rows.append((entry.id, running))
        return opening, rows, running

    # ------------------------------------------------------------ what facts must keep

    def complaints(self, days: Iterable[date] | None = None) -> Iterator[str]:
        """What the facts themselves get wrong: in their order, and on some days or on all."""
        yield from self._out_of_order()
        yield from self._badly_linked()
        for day in self.days if days is None else days:
            yield from self._unbalanced(self.on(day))

    def _out_of_order(self) -> Iterator[str]:
        ordered = sorted(self.entries, key=lambda entry: entry.sequence)
        places = [entry.sequence for entry in ordered]
        if places != list(range(1, len(places) + 1)):
            yield f"the sequence is {places}"
        for before, after in pairwise(ordered):
            if after.recorded_at < before.recorded_at:
                yield f"#{after.sequence} was recorded before #{before.sequence}"
        undone = [entry.undoes for entry in ordered if entry.undoes is not None]
        if len(set(undone)) != len(undone):
            yield "a document was voided twice"

    def _badly_linked(self) -> Iterator[str]:
        whole: dict[UUID, int] = defaultdict(int)
        for link in self.allocations:
            credit, debit = self.by_id[link.credit], self.by_id[link.debit]
            if (credit.side, debit.side) != ("credit", "debit"):
                yield f"allocation {link.id} goes from {credit.side} to {debit.side}"
            if not credit.amount.currency == debit.amount.currency == link.amount.currency:
                yield f"allocation {link.id} goes across currencies"
            if link.on < max(credit.on, debit.on):
                yield f"allocation {link.id} counts before its documents"
            for owner in (credit, debit):
                if owner.recorded_at == link.recorded_at and link.on == owner.on:
                    whole[owner.id] += link.amount.minor
        for entry in self.entries:
            parts = [part.amount.minor for part in entry.instalments]
            if entry.side == "debit" and entry.kind != "void" and sum(parts) != entry.amount.minor:
                yield f"the instalments of #{entry.sequence} add up to {sum(parts)}"
            if is_whole(entry) and whole[entry.id] != entry.amount.minor:
                yield f"of the {entry.kind} #{entry.sequence} only {whole[entry.id]} is against any"

    def _unbalanced(self, sheet: Sheet) -> Iterator[str]:
        for key, minor in sheet.open.items():
            owner = sheet.entries[key[0]]
            if not 0 <= minor <= amounts_of(owner)[key]:
                yield f"{sheet.day}: {minor} is open of {owner.kind} #{owner.sequence}/{key[1]}"
            if minor and owner.kind == "write-off":
                yield f"{sheet.day}: {minor} is free of the write-off #{owner.sequence}"
        for code, stand in sheet.accounts.items():
            if stand.balance != sheet.net[code]:
                yield f"{sheet.day}: {stand.balance} {code} is open, {sheet.net[code]} is the sum"


def amounts_of(entry: Entry) -> dict[Key, int]:
    """The items of a document and what each is over; a void has none."""
    if entry.kind == "void":
        return {}
    if entry.side == "credit":
        return {(entry.id, 0): entry.amount.minor}
    return {(entry.id, part.number): part.amount.minor for part in entry.instalments}


def keys_of(entry: Entry) -> list[Key]:
    """The items of a document."""
    return list(amounts_of(entry))


def due_of(entry: Entry, number: int) -> date:
    """The day on which an instalment falls due."""
    return next(part.due for part in entry.instalments if part.number == number)


def is_whole(entry: Entry) -> bool:
    """Whether a document is recorded wholly against others, whatever it is told."""
    exchanged = entry.kind == "exchange" and entry.side == "debit"
    return exchanged or entry.kind == "write-off"
