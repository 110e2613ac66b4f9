"""Every interleaving of two commands, up to a number of preemptions: does each end as one of the
two orders would?

Two threads give one command each, on one book. Before a statement each waits for a scheduler, so
that the order of all statements is chosen, and can be chosen again. A thread that the database
lets wait for a lock is left waiting while the other goes on.

Exhaustive is this: of the statements that can matter to the other command, all schedules with at
most `--preemptions` switches away from a thread that could have gone on. They are those that read
what the other writes, or write what it reads or writes (found by running both orders first), every
commit, and above read committed the first of a transaction, which decides what it sees. Switches
because a thread waits in the database, or has done, are free. Other statements run with the one
before them: they commute with all that the other command does. Beyond that, `--random` schedules
are drawn by seed, in which every single statement waits.

After a schedule, what the two got and what the client's card tells must be what one of the two
orders gives. In a transaction that the caller began (`atomic`, `read`) a command may be Busy
instead, and then all must be as if it had never been given. At the end of a pair the book verifies
itself, and plain SQL counts everything again.
"""

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Any

import attrs
from tests.faults.gates import Actor, Choose, Played, Point, Stage, Step, gated, heard, notices
from tests.faults.pairs import NOW, PAIRS, Pair, told
from tests.faults.places import Place, counted_again, database
from tests.faults.waits import waits_of

from clientledger import Book, Busy, ClientLedgerError
from clientledger_sqlalchemy import SqlStore

__all__ = ["LEVELS", "WAYS", "Bench", "Found", "Run", "explore", "explore_all"]

LEVELS = ("read committed", "repeatable read", "serializable")
WAYS = ("plain", "atomic", "read")
"""A command by itself; in a transaction; in a transaction that has read before."""

_ALONE = frozenset({"events", "pending", "timeline", "entry_lines", "instalments"})
"""Rows that only whoever wrote them reads before they are committed, and never as a condition."""

_BATCH = 40


@attrs.frozen(kw_only=True)
class Run:
    """How far to look.

    Attributes:
        preemptions: the most switches away from a thread that could go on.
        most: the most schedules of one pair; 0 for no bound.
        random: how many schedules are drawn beside them.
        seed: for those.
    """

    preemptions: int = 2
    most: int = 0
    random: int = 0
    seed: int = 0


@attrs.define
class Found:
    """What came of a pair.

    Attributes:
        counts: schedules and what happened in them.
        violations: what must not be, in words.
        complete: whether all schedules within the bound were played.
    """

    counts: Counter[str] = attrs.field(factory=Counter)
    violations: list[str] = attrs.field(factory=list)
    complete: bool = True


# ------------------------------------------------------------ choosing
@attrs.frozen
class _Choice:
    ready: tuple[int, ...]
    last: int | None
    chosen: int
    waiting: tuple[str, ...]

    def costs(self, other: int) -> int:
        return int(self.last in self.ready and other != self.last)


class _Chooser:
    """Chooses as it is told; then lets whoever had the last turn go on."""

    def __init__(self, told: Sequence[int], waiting: Sequence[tuple[str, ...]]) -> None:
        self._told = told
        self._waiting = waiting
        self.made: list[_Choice] = []
        self.diverged = False

    def __call__(self, ready: Sequence[Actor], last: Actor | None) -> Actor:
        if len(ready) == 1:
            return ready[0]
        at = len(self.made)
        chosen = last if last in ready else ready[0]
        waiting = tuple(str(actor.step) for actor in ready)
        if at < len(self._told):
            by_number = {actor.number: actor for actor in ready}
            chosen = by_number[self._told[at]]
            self.diverged |= waiting != self._waiting[at]
        assert chosen is not None
        numbers = tuple(actor.number for actor in ready)
        last_number = None if last is None else last.number
        self.made.append(_Choice(numbers, last_number, chosen.number, waiting))
        return chosen


def _schedules(play: Callable[[_Chooser], None], run: Run, found: Found) -> None:
    """Play every schedule within the bounds, depth first, each once."""
    stack: list[tuple[_Choice, ...]] = [()]
    while stack:
        if run.most and found.counts["schedules"] >= run.most:
            found.complete = False
            return
        told = stack.pop()
        chooser = _Chooser([c.chosen for c in told], [c.waiting for c in told])
        play(chooser)
        found.counts["schedules"] += 1
        found.counts["diverged"] += chooser.diverged
        made = tuple(chooser.made)
        spent = [sum(c.costs(c.chosen) for c in made[:at]) for at in range(len(made))]
        for at in range(len(told), len(made)):
            choice = made[at]
            stack += [
                (*made[:at], attrs.evolve(choice, chosen=other))
                for other in choice.ready
                if other != choice.chosen and spent[at] + choice.costs(other) <= run.preemptions
            ]


# ------------------------------------------------------------ which statements matter
class _Tables:
    """Hears which tables a command reads and writes."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()

    def before(self, step: Step, connection: Any) -> None:
        if step.verb in ("read", "write"):
            (self.read if step.verb == "read" else self.written).update(step.tables)

    def after(self, step: Step, error: BaseException | None) -> None:
        pass


def _point(own: Sequence[_Tables], meet: frozenset[str] | None, url: str) -> Point:
    """Tell which statements matter to the other command."""
    is_file = url.startswith("sqlite")
    firsts = "isolation=" in url and "isolation=read+committed" not in url

    def matters(number: int, step: Step) -> bool:
        other = own[1 - number]
        tables = step.tables if meet is None else step.tables & meet
        match step.verb:
            case "commit":
                return True
            case "begin":
                return is_file
            case "read" if step.first and firsts:
                return True
            case "read":
                return bool(tables & other.written)
            case "write":
                return bool((tables - _ALONE) & (other.written | other.read))
        return False

    return matters


# ------------------------------------------------------------ one pair
class Bench:
    """A book on which pairs are tried, one after the other.

    Args:
        url: of the book.
        way: one of `WAYS`.
    """

    def __init__(self, url: str, way: str) -> None:
        self.url = url
        self.way = way
        self._stack = ExitStack()
        store = SqlStore.open(url)
        self.book = Book(store, actor="olena", clock=lambda: NOW)
        self._books = [Book(store, actor="olena", clock=lambda: NOW) for _ in range(2)]
        self._stack.callback(self.book.close)
        self.waits = self._stack.enter_context(waits_of(url))
        self._stack.enter_context(notices(store.engine.pool))
        self._stack.enter_context(gated())
        self._number = 0
        self._known: set[str] = set()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def states(self, pair: Pair) -> Iterator[Any]:
        """Fresh states, made many at once."""
        while True:
            numbers = range(self._number, self._number + _BATCH)
            self._number += _BATCH
            yield from self.book.run(partial(_prepared, pair, numbers))

    def counted_again(self) -> list[str]:
        """What plain SQL finds wrong that it has not found before."""
        fresh = [one for one in counted_again(self.url) if one not in self._known]
        self._known.update(fresh)
        return fresh

    def give(self, command: Callable[[Book, Any], Any], number: int, has: Any) -> Any:
        """Give a command as one of two writers, in the way that is tried."""
        book = self._books[number]
        if self.way == "plain":
            return command(book, has)
        with book.atomic() as inner:
            if self.way == "read":
                _read(inner, has)
            return command(inner, has)


def _prepared(pair: Pair, numbers: Iterable[int], book: Book) -> list[Any]:
    return [pair.prepare(book, n) for n in numbers]


def _read(book: Book, has: Any) -> None:
    if "client" in has:
        book.ledger.account(has["client"], "EUR")
    else:
        book.team.find()


def _outcome(results: Sequence[Any], seen: Any) -> Any:
    """What can be compared: what the two got, whether it is one thing, and what is there now."""
    ids = [getattr(result, "id", number) for number, result in enumerate(results)]
    return tuple(told(result) for result in results), ids[0] == ids[1], seen


def _orders(bench: Bench, pair: Pair, states: Iterator[Any]) -> tuple[set[Any], list[_Tables]]:
    """What the two orders give, and, where a command may be Busy, what each gives alone."""
    tables = [_Tables(), _Tables()]

    def given(has: Any, number: int) -> Any:
        with heard(tables[number]):
            try:
                return bench.give((pair.one, pair.other)[number], number, has)
            except ClientLedgerError as error:
                return error

    allowed = set()
    for order in ((0, 1), (1, 0)):
        has = next(states)
        results = {number: given(has, number) for number in order}
        allowed.add(_outcome([results[0], results[1]], pair.look(bench.book, has)))
    for only in ((0,), (1,), ()) if bench.way != "plain" else ():
        has = next(states)
        results = {number: given(has, number) for number in only}
        both = [results.get(number, Busy("")) for number in (0, 1)]
        allowed.add(_outcome(both, pair.look(bench.book, has)))
    return allowed, tables


def explore(bench: Bench, name: str, run: Run) -> Found:
    """Try all schedules of a pair within the bounds, and some drawn at random."""
    pair, found = PAIRS[name], Found()
    states = bench.states(pair)
    allowed, tables = _orders(bench, pair, states)
    point = _point(tables, pair.meet, bench.url)

    def play(choose: Choose, at: Point) -> None:
        has = next(states)
        acts = [
            partial(bench.give, act, number, has)
            for number, act in enumerate((pair.one, pair.other))
        ]
        played = Stage(bench.waits, at).play(acts, choose)
        outcome = _outcome(played.results, pair.look(bench.book, has))
        _count(found, played)
        if outcome not in allowed:
            found.violations.append(_said(name, bench, outcome, allowed, played))

    _schedules(lambda chooser: play(chooser, point), run, found)
    chance = Random(run.seed)
    for _ in range(run.random):
        play(lambda ready, last: chance.choice(ready), lambda number, step: True)
        found.counts["random"] += 1
    found.violations += bench.counted_again()
    return found


def _count(found: Found, played: Played) -> None:
    failed = [isinstance(result, BaseException) for result in played.results]
    found.counts.update(played.counts)
    found.counts["blocked"] += played.blocked
    found.counts["stuck"] += played.stuck
    found.counts["both refused"] += all(failed)
    found.counts["busy"] += sum(isinstance(result, Busy) for result in played.results)


def _said(name: str, bench: Bench, outcome: Any, allowed: set[Any], played: Played) -> str:
    """A violation, with the order of the statements in which it came about."""
    order = "; ".join(f"{'AB'[number]} {step}" for number, step in played.steps)
    errors = [repr(result) for result in played.results if isinstance(result, BaseException)]
    return (
        f"{name} ({bench.way}) gave {outcome}\n  allowed: {sorted(map(str, allowed))}\n"
        f"  order: {order}\n  errors: {errors}"
    )


# ------------------------------------------------------------ many pairs
def explore_all(
    place: Place, names: Iterable[str], level: str, way: str, run: Run
) -> Iterator[tuple[str, Found]]:
    """Try pairs at a level in a way; those that change the whole book in books of their own."""
    options = {} if place.url.startswith("sqlite") else {"isolation": level}
    together = [name for name in names if not PAIRS[name].book]
    for group in [*([name] for name in names if PAIRS[name].book), together]:
        if not group:
            continue
        with Bench(place.fresh(**options), way) as bench:
            for name in group:
                yield name, explore(bench, name, run)
            problems = list(map(str, bench.book.verify().problems))
            yield "verify", Found(violations=problems)


def _counted(found: Found) -> str:
    counts = (f"{n} {what}" for what, n in found.counts.items() if n)
    return ", ".join([*counts, f"{len(found.violations)} violations"])


def main() -> int:
    """Try pairs of commands; 1 if a schedule ended as it must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.interleave", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or sqlite, postgresql, mariadb")
    parser.add_argument("--pairs", nargs="*", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--levels", nargs="*", default=list(LEVELS), choices=LEVELS)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--preemptions", type=int, default=2)
    parser.add_argument("--count", type=int, default=0, help="the most schedules of a pair")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--each", action="store_true", help="tell of each pair")
    told = parser.parse_args()
    run = Run(preemptions=told.preemptions, most=told.count, random=told.random, seed=told.seed)
    print(f"seed {run.seed}")
    failed = False
    with database(told.url) as url:
        levels = ["serializable"] if url.startswith("sqlite") else told.levels
        for level, way in itertools.product(levels, told.ways):
            began, total, cut = time.monotonic(), Found(), []
            for name, found in explore_all(Place(url), told.pairs, level, way, run):
                total.counts.update(found.counts)
                total.violations += found.violations
                if told.each:
                    print(f"  {name}: {_counted(found)}; {time.monotonic() - began:.1f} s")
                cut += [] if found.complete else [name]
                if found.violations:
                    print(f"{name}: {len(found.violations)} violations, such as")
                    print(found.violations[0], flush=True)
            failed |= bool(total.violations)
            print(
                f"{level}, {way}: {_counted(total)}; "
                f"{time.monotonic() - began:.0f} s" + (f"; cut short: {cut}" if cut else ""),
                flush=True,
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
