"""Power loss: at any instant, what was acknowledged is there, whole; and the rest not in part.

    python -m tests.faults.power --points 10000 --commands 600 --jobs 2

A real book is written to by real processes, and all that they do to its files is written down
(`traced.py`). Then the power is lost at many random instants of that: what was synced by then is
there, of the rest anything may be (`disk_trace.py`). Each such disk is opened with SQLite alone and
audited by plain SQL (`auditor.py`), and some with the library too.

The recovered file of two instants is often the same to the byte; it is audited once.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from random import Random

import attrs
from tests.faults.auditor import audit
from tests.faults.disk_trace import Disk
from tests.faults.shim import compiled, scratch
from tests.faults.traced import Trace, digest, phases, recorded
from tests.faults.workload import MARKER, Told

from clientledger import ClientLedgerError, open_book

__all__ = ["Losses", "points", "replayed", "same_files"]

EVERY = 200
"""One in so many points is opened with the library, too; and all before the first command."""
SHOWN = 10


@attrs.define
class Losses:
    """What was found.

    Attributes:
        counts: points, and how many of them were what.
        problems: what was wrong, the first of each kind of it.
    """

    counts: Counter[str] = attrs.field(factory=Counter)
    problems: list[str] = attrs.field(factory=list)

    WRONG = (
        "damaged",
        "losses",
        "from the future",
        "refused by the library",
        "cannot be made anew",
    )
    """The counts that should be 0: audits that fail, acknowledged commands that are lost, commands
    that nobody gave, books that the library does not open, and files of a book that was being made
    which the library does not open."""

    def add(self, other: "Losses") -> None:
        self.counts.update(other.counts)
        self.problems += other.problems

    def note(self, kind: str, problems: Sequence[str], where: str) -> None:
        """Count a point with problems of a kind, and keep the first."""
        if problems:
            self.counts[kind] += 1
            if self.counts[kind] <= SHOWN:
                self.problems.append(f"{where}: {problems[0]} ({len(problems)} in all)")


@attrs.frozen
class _State:
    """A recovered file: the keys in it, and what is wrong with it."""

    keys: frozenset[str]
    problems: tuple[str, ...]
    born: bool


def points(trace: Trace, count: int, seed: int, *, early: float = 0.05) -> list[int]:
    """Random instants: after how many operations.

    Args:
        early: the share of them that is before the first command, when the book is being made.
    """
    chance = Random(seed)
    first = next(n for n, one in enumerate(trace.operations) if one.kind == "A")
    last = len(trace.operations)
    ends = [(0, first) if n < early * count else (first, last) for n in range(count)]
    return sorted(chance.randint(*both) for both in ends)


def same_files(trace: Trace) -> list[str]:
    """What differs between the files that the processes left and those that the trace gives."""
    found, disk, done = [], Disk(), 0
    for count, files in trace.marks:
        for one in trace.operations[done:count]:
            disk.do(one)
        done = count
        now = {name: digest(data) for name, data in disk.now().items()}
        names = {name for name in {*now, *files} if not name.endswith("-shm")}
        differing = sorted(name for name in names if now.get(name) != files.get(name))
        found += [f"{name} differs after {count} operations" for name in differing]
    return found


class _Replay:
    """Loses power at some instants of a trace, in order."""

    def __init__(self, trace: Trace, folder: Path, seed: int, deaf: tuple[str, ...]) -> None:
        self._trace = trace
        self._folder = folder
        self._seed = seed
        self._disk = Disk(deaf=deaf)
        self._told = Told()
        self._states: dict[bytes, _State] = {}
        self._is_book = trace.writer == "book"
        self._done = 0
        self.found = Losses()

    def lose_power(self, number: int, instant: int) -> None:
        """Lose power at an instant, and look at what is left."""
        for one in self._trace.operations[self._done : instant]:
            if one.kind == "A":
                self._told.hear_all(one.data.decode())
            else:
                self._disk.do(one)
        self._done = instant
        way = self._left(number)
        where = f"point {number} after operation {instant}, {way} left"
        state = self._state()
        found = self.found
        found.counts.update(["points", f"{way} left"])
        found.counts["unfinished commands"] += bool(self._open)
        found.counts["of these recorded"] += bool(self._open & state.keys)
        found.counts["distinct states"] = len(self._states)
        found.note("damaged", state.problems, where)
        found.note("losses", self._told.problems(state.keys), where)
        strange = state.keys - {key for one in self._told.commands.values() for key in one.keys}
        found.note("from the future", sorted(strange), where)
        if self._is_book and (number % EVERY == 0 or not state.born):
            self._left(number)
            found.counts["opened with the library"] += 1
            kind = "refused by the library" if state.born else "cannot be made anew"
            found.note(kind, list(_opened(self._folder / "book.db")), where)

    @property
    def _open(self) -> set[str]:
        return {key for one in self._told.open for key in one.keys}

    def _left(self, number: int) -> str:
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        return self._disk.lose_power(Random(f"{self._seed}-{number}"), self._folder)

    def _state(self) -> _State:
        path = self._folder / "book.db"
        if not path.exists():
            return _State(frozenset(), (), born=False)
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            name = digest(path.read_bytes())
            if name not in self._states:
                with closing(sqlite3.connect(path, isolation_level=None)) as db:
                    self._states[name] = _looked_at(db)
            return self._states[name]
        except sqlite3.DatabaseError as error:
            return _State(frozenset(), (f"it does not open: {error}",), born=True)


def _looked_at(db: sqlite3.Connection) -> _State:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    if "claims" not in tables:
        return _State(frozenset(), () if not tables else (f"only {tables}",), born=False)
    problems = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    problems += [f"no parent: {row}" for row in db.execute("PRAGMA foreign_key_check")]
    if problems:
        return _State(frozenset(), tuple(problems), born=True)
    if "entries" not in tables:  # the plain writer
        keys = {key for (key,) in db.execute("SELECT claim_key FROM claims")}
        return _State(frozenset(keys), (), born=True)
    found = audit(db, marker=MARKER)
    return _State(found.keys, found.problems, born=True)


def _opened(path: Path) -> Iterator[str]:
    """What the library finds wrong with a book, if it opens it, and takes a command."""
    try:
        with open_book(f"sqlite:///{path}", actor="olena") as book:
            yield from map(str, book.verify().problems)
            book.ledger.record_sale(book.clients.add("Acme"), "1.00 EUR", key="after")
            if not book.outcome("after").recorded:
                yield "a new command was lost"
    except ClientLedgerError as error:
        yield f"{type(error).__name__}: {error}"


def replayed(
    trace: Trace, instants: Sequence[int], *, seed: int, deaf: tuple[str, ...] = (), jobs: int = 1
) -> Losses:
    """Lose power at some instants of a trace.

    Args:
        deaf: ends of names of files whose syncs are not heard; "." is the folder: a planted fault.
        jobs: how many processes share the work.
    """
    if jobs == 1:
        return _some(trace, list(enumerate(instants)), seed, deaf)
    global _shared  # noqa: PLW0603 - a fork inherits it; sending it would take longer than the work
    _shared = trace
    numbered, found = list(enumerate(instants)), Losses()
    size = -(-len(numbered) // jobs)
    parts = [numbered[at : at + size] for at in range(0, len(numbered), size)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for one in pool.map(_share, parts, [seed] * len(parts), [deaf] * len(parts)):
            found.add(one)
    return found


_shared: Trace | None = None


def _share(some: list[tuple[int, int]], seed: int, deaf: tuple[str, ...]) -> Losses:
    assert _shared is not None
    return _some(_shared, some, seed, deaf)


def _some(trace: Trace, some: list[tuple[int, int]], seed: int, deaf: tuple[str, ...]) -> Losses:
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        replay = _Replay(trace, Path(folder) / "left", seed, deaf)
        (Path(folder) / "left").mkdir()
        for number, instant in some:
            replay.lose_power(number, instant)
        return replay.found


def main() -> int:
    """Record, lose power, and say what was found; 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.power", description=__doc__)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--commands", type=int, default=240)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--writer", default="book", help="or raw-normal, raw-full")
    parser.add_argument("--deaf", action="append", default=[], help='such as "-wal", ".db", "."')
    told = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        plan = phases(told.writer, told.commands)
        trace = recorded(compiled(Path(folder)), Path(folder), plan, told.seed)
    kinds = Counter(one.kind for one in trace.operations)
    print(f"seed {told.seed}, writer {told.writer}, {told.commands} commands")
    print(f"trace: {len(trace.operations)} operations {dict(kinds)}; {_seconds(began)}")
    differing = same_files(trace)
    instants = points(trace, told.points, told.seed)
    found = replayed(trace, instants, seed=told.seed, deaf=tuple(told.deaf), jobs=told.jobs)
    for name, count in sorted(found.counts.items()):
        print(f"{name}: {count}")
    wrong = [*differing, *found.problems]
    print("\n".join(wrong) or "nothing was lost", _seconds(began), sep="\n")
    return int(bool(wrong))


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
