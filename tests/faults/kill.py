"""Sudden death: writing processes are killed at any instant, again and again, on any database.

    python -m tests.faults.kill --cycles 1000 --workers 2 --url sqlite

In a cycle some processes give random commands to one book. Each announces a command, gives it, and
tells what became of it; then it is killed. What it told was recorded must be there; what it told
was refused must not; of the rest each command is there wholly or not at all, and the next process
gives it again with the same key: then it must be there, once. At every k-th cycle and at the end
the book is audited, by plain SQL and by itself.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl, urlsplit

import attrs
from tests.faults.auditor import audit, connected
from tests.faults.forks import Forks
from tests.faults.places import database
from tests.faults.shim import scratch
from tests.faults.workload import MARKER, Command, Told

from clientledger import Book, open_book

__all__ = ["Killing", "Run"]

SIGKILLED = -9
FIRST_WORD = 30.0
"""Seconds in which a worker must have told something; no measure of speed."""


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        url: the book; it may be there already.
        cycles: how many times workers are started and killed.
        workers: how many at once.
        every: the book is audited at every so many cycles.
        longest: the most seconds that a worker lives after its first acknowledgement.
        early: the share of workers that are killed at any instant from their start.
        held: the share of cycles in which this process keeps the book open: in the others the
            next who opens it finds only what the dead have left.
        too_soon: whether workers tell before they have done: a planted fault.
    """

    url: str
    cycles: int
    seed: int
    workers: int = 1
    every: int = 100
    longest: float = 0.06
    early: float = 0.1
    held: float = 0.7
    too_soon: bool = False


class Killing:
    """The run, and what was found.

    Attributes:
        counts: of cycles, commands and what became of them.
        problems: what was wrong.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self._chance = Random(run.seed)
        self._folder = folder
        self._told = Told()
        self._again: list[Command] = []
        self._mark = f"{run.seed}-{time.time_ns()}"

    def go(self) -> None:
        """Kill, and look, as often as told."""
        with Forks(self.run.url) as forks:
            book = open_book(self.run.url)
            for cycle in range(1, self.run.cycles + 1):
                if held := self._chance.random() < self.run.held:
                    self.counts["book held open meanwhile"] += 1
                else:
                    book.close()
                told = self._killed(forks, cycle)
                book = book if held else open_book(self.run.url)
                self._check(book, told)
                self.counts["cycles"] += 1
                self.counts["cycles without an acknowledgement"] += not told.kept
                if cycle % self.run.every == 0 or cycle == self.run.cycles:
                    self.problems += self._audited(book)
                if self.problems:
                    break
            book.close()

    def _killed(self, forks: Forks, cycle: int) -> Told:
        """Let workers work, and kill each at an instant of its own; what they told."""
        files = [self._folder / f"{cycle}-{n}" for n in range(self.run.workers)]
        ends = []
        for number, file in enumerate(files):
            file.touch()
            again = self._again[number :: len(files)]
            prefix = f"{self._mark}-{cycle}.{number}"
            seed = self._chance.randrange(10**9)
            soon = self.run.too_soon
            ends.append((forks.start(prefix, seed, file, again, too_soon=soon), file))
        self._chance.shuffle(ends)
        told = Told()
        for worker, file in ends:
            if self._chance.random() < self.run.early:
                self.counts["killed early"] += 1
            else:
                self._await_first(file)
            time.sleep(self._chance.uniform(0, self.run.longest))
            code = forks.kill(worker)
            if code != SIGKILLED:
                self.problems.append(f"a worker ended by itself with {code}")
        for file in files:
            told.hear_all(file.read_text())
            file.unlink()
        return told

    def _await_first(self, file: Path) -> None:
        deadline = time.monotonic() + FIRST_WORD
        while b"\n+" not in file.read_bytes():
            if time.monotonic() > deadline:
                self.problems.append(f"a worker has told nothing for {FIRST_WORD:.0f} seconds")
                return
            time.sleep(0.0005)

    def _check(self, book: Book, told: Told) -> None:
        """Compare what the workers told with what the book says."""
        recorded = self._recorded(book, told)
        self.problems += told.problems(recorded)
        unknown = [one for one in told.open if one.keys]
        there = [one for one in unknown if set(one.keys) <= recorded]
        given_again = {one.key for one in self._again}
        self.counts.update(
            {
                "acknowledged": len(told.kept),
                "refused": len(told.refused),
                "unknown": len(unknown),
                "unknown, and recorded": len(there),
                "unknown, and not recorded": len(unknown) - len(there),
                "given again": len(given_again & told.commands.keys()),
            }
        )
        heard = given_again & (told.kept | told.refused)
        self._again = [one for one in self._again if one.key not in heard]
        self._again += [one for one in unknown if one.key not in given_again]
        self._told.commands.update(told.commands)
        self._told.kept |= told.kept
        self._told.refused |= told.refused

    def _recorded(self, book: Book, told: Told) -> set[str]:
        """The keys that are recorded; asked again where a server is still at a dead man's work."""
        recorded: set[str] = set()
        for wait in (0, 0.2, 2):
            time.sleep(wait)
            keys = [key for command in told.commands.values() for key in command.keys]
            recorded = {key for key in keys if book.outcome(key).recorded}
            if not told.problems(recorded):
                break
        return recorded

    def _audited(self, book: Book) -> Iterator[str]:
        yield from map(str, book.verify().problems)
        prefix = dict(parse_qsl(urlsplit(self.run.url).query)).get("prefix", "")
        with closing(connected(self.run.url)) as db:
            found = audit(db, marker=MARKER, prefix=prefix)
        yield from found.problems
        yield from self._told.problems(found.keys)
        mine = {key for one in self._told.commands.values() for key in one.keys}
        strange = [key for key in found.keys - mine if key.startswith(self._mark)]
        yield from (f"key {key} was never announced" for key in strange)
        self.counts["audits"] += 1


def main() -> int:
    """Kill, and say what was found; 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or postgresql, mariadb")
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--every", type=int, default=100, help="audit at every so many cycles")
    parser.add_argument("--longest", type=float, default=0.06, help="seconds that a worker lives")
    parser.add_argument("--too-soon", action="store_true", help="tell before it is done: a fault")
    told = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=scratch()) as name, database(told.url) as url:
        run = Run(
            url=url,
            cycles=told.cycles,
            seed=told.seed,
            workers=told.workers,
            every=told.every,
            longest=told.longest,
            too_soon=told.too_soon,
        )
        killing = Killing(run, Path(name))
        killing.go()
    print(f"seed {run.seed}, {run.workers} workers, {time.monotonic() - began:.0f} s")
    for what, count in killing.counts.items():
        print(f"{what}: {count}")
    print("\n".join(killing.problems[:20]) or "nothing was lost")
    return int(bool(killing.problems))


if __name__ == "__main__":
    sys.exit(main())
