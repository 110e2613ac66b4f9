"""Rows: what lies in a store, read for an audit, where some of it may be broken."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import Balance, Journal, OpenItem, PurchaseDay
from clientledger.domain.soundness import Problem, misfit
from clientledger.domain.tasks import Task
from clientledger.domain.timeline import TimelineItem
from clientledger.ports import (
    RECORD_SETS,
    BalanceQuery,
    FigureQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Query,
    Reading,
    TimelineQuery,
)

__all__ = ["FIGURES", "Compared", "Facts", "Rows", "contradictions", "differences", "name_of"]

R = TypeVar("R")

_OF_CLIENTS = (Entry, Allocation, Release, Interaction, Agreement, Task, Event)

FIGURES: Mapping[type[Any], FigureQuery[Any]] = {
    Balance: BalanceQuery(),
    OpenItem: OpenItemQuery(open_only=False),
    PurchaseDay: PurchaseDayQuery(),
    TimelineItem: TimelineQuery(),
}
"""What a store may keep as derived rows, and the question to all of it."""


class Rows:
    """Reads rows of one state, and keeps a problem for each that cannot be read.

    Args:
        reading: the state.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._problems: dict[tuple[str, str], Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read so far, each row once."""
        return tuple(self._problems.values())

    def read(self, query: Query[R]) -> list[R]:
        """The rows that a query finds and that can be read."""
        return self.look(query)[0]

    def look(self, query: Query[R]) -> tuple[list[R], list[Problem]]:
        """The rows that a query finds and that can be read, and a problem for each other one."""
        rows, problems = self.reading.examine(query)
        whole, odd = [], list(problems)
        for row in rows:
            wrong = misfit(row)
            if wrong:
                odd.append(_misfit(query, row, wrong))
            else:
                whole.append(row)
        self._problems.update({(problem.what, problem.row): problem for problem in odd})
        return whole, odd


def _misfit(query: Query[Any], row: Any, wrong: str) -> Problem:
    kind = query.record.__name__
    return Problem(
        what=kind,
        client=getattr(row, "client", None),
        row=name_of(row),
        stored=wrong,
        computed=f"values of the types of a {kind}",
    )


def name_of(row: Any) -> str:
    """What names a row among those of its kind and its client."""
    match row:
        case OpenItem():
            return f"{row.entry}/{row.instalment}"
        case Balance():
            return row.currency
        case PurchaseDay():
            return f"{row.day}/{row.currency}"
    key = row.id if hasattr(row, "id") else row.client
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


@attrs.frozen
class Facts:
    """All facts and records of one client.

    Attributes:
        of: them by their class.
        unread: the classes of which some cannot be read.
    """

    of: Mapping[type[Any], tuple[Any, ...]]
    unread: frozenset[type[Any]]

    @classmethod
    def read(cls, rows: Rows, client: UUID) -> "Facts":
        """Read all of a client."""
        of, unread = {}, set()
        for kind in _OF_CLIENTS:
            query = RECORD_SETS[kind](client=client)  # type: ignore[call-arg]  # each has a client
            found, problems = rows.look(query)
            of[kind] = tuple(found)
            unread |= {kind} if problems else set()
        return cls(of, frozenset(unread))

    @property
    def journal(self) -> Journal:
        """Those of the ledger."""
        return Journal(self.of[Entry], self.of[Allocation], self.of[Release])

    def whole(self, *kinds: type[Any]) -> bool:
        """Whether all of these could be read."""
        return self.unread.isdisjoint(kinds)


@attrs.frozen
class Compared:
    """Derived rows of one kind and one client, and what the facts say.

    Attributes:
        stored: the rows that can be read.
        computed: how many there should be.
        problems: the rows that differ, and those that cannot be read.
    """

    kind: type[Any]
    stored: list[Any]
    computed: int
    problems: list[Problem]


def differences(rows: Rows, client: UUID, facts: Facts) -> Iterator[Compared]:
    """Compare each kind of derived rows of a client with what its facts say.

    What cannot be computed, because facts cannot be read, is left out.
    """
    for kind, every in FIGURES.items():
        query = attrs.evolve(every, client=client)
        if facts.whole(*query.sources):
            stored, unread = rows.look(query)
            computed = query.build(facts.of)
            broken = {problem.row for problem in unread}
            found = list(_differing(kind, client, _named(stored), _named(computed), broken))
            yield Compared(kind, stored, len(computed), [*unread, *found])


def contradictions(facts: Facts, compared: Iterable[Compared]) -> Iterator[Problem]:
    """Name the documents that all their derived rows contradict in what never moves.

    Each of these rows was written once with the document. Where two of different kinds agree, it is
    the document that was altered or removed.
    """
    stored = {one.kind: one.stored for one in compared}
    shown = {row.id: row for row in stored.get(TimelineItem, ()) if row.what == "entry"}
    items: dict[UUID, list[Any]] = defaultdict(list)
    for item in stored.get(OpenItem, ()):
        items[item.entry].append(item)
    known = {entry.id: entry for entry in facts.of[Entry]}
    for id in sorted({*items} & {*shown}):
        row, entry = shown[id], known.get(id)
        says = f"{row.amount} on {row.on}, as its open items and its timeline have it"
        minor = sum(item.amount.minor for item in items[id])
        same = minor == row.amount.minor and {item.on for item in items[id]} == {row.on}
        if entry is None or (same and (entry.amount, entry.on) != (row.amount, row.on)):
            yield Problem(
                what="Entry",
                client=row.client,
                row=str(id),
                stored="nothing" if entry is None else f"{entry.amount} on {entry.on}",
                computed=says,
            )


def _named(rows: Iterable[Any]) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        named[name_of(row)].append(row)
    return named


def _differing(
    kind: type[Any],
    client: UUID,
    stored: Mapping[str, list[Any]],
    computed: Mapping[str, list[Any]],
    broken: set[str],
) -> Iterator[Problem]:
    for name in sorted({*stored, *computed} - broken):
        before, after = stored.get(name, []), computed.get(name, [])
        odd = [row for row in before if row not in after]
        missing = [row for row in after if row not in before]
        for n in range(max(len(odd), len(missing))):
            one, other = odd[n : n + 1], missing[n : n + 1]
            yield Problem(
                what=kind.__name__,
                client=client,
                row=name,
                stored=_told(one, other),
                computed=_told(other, one),
            )


def _told(rows: list[Any], others: list[Any]) -> str:
    """A row in words, or what of it differs from another one."""
    if not rows:
        return "nothing"
    [row] = rows
    names = [field.name for field in attrs.fields(type(row)) if field.eq and field.name != "client"]
    for other in others:
        names = [name for name in names if getattr(row, name) != getattr(other, name)]
    return ", ".join(f"{name} {getattr(row, name)}" for name in names)
