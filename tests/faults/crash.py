"""Crashes of the server: all its processes are killed at any instant, while others write.

    python -m tests.faults.crash --server postgresql --count 200 --writers 2 --seed 7
    python -m tests.faults.crash --server mariadb --count 200

Some processes give random commands to one book through the library, each announced before and told
of after. Again and again the server is killed and started again; the writers are not told, and go
on by themselves with the books that they have open. After each crash every command that was told to
be recorded must be there, and each other one wholly or not at all; at every k-th the writers stand
still, and plain SQL and the book itself count everything again.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random

import attrs
from tests.faults.auditor import audit, connected
from tests.faults.deeds import keys_beginning
from tests.faults.places import bare
from tests.faults.workload import MARKER
from tests.faults.writers import UNSYNCED, Writers, twice
from tests.servers import PrivateMariadb, PrivatePostgres

from clientledger import open_book

__all__ = ["SERVERS", "Crashing", "Run", "audited"]

SERVERS: Mapping[str, Callable[[], "PrivatePostgres | PrivateMariadb"]] = {
    "postgresql": PrivatePostgres,
    "mariadb": PrivateMariadb,
}
FLUSH = "innodb_flush_log_at_trx_commit"


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        count: crashes.
        seed: of all that is random.
        writers: how many at once.
        every: the writers stand still for an audit at every so many crashes.
        books: crashes after which the next book is begun.
        longest: the most seconds from the first acknowledgement to the next crash.
        unsynced: whether the server need not keep what it has committed: a planted fault.
    """

    count: int
    seed: int
    writers: int = 2
    every: int = 5
    books: int = 20
    longest: float = 0.5
    unsynced: bool = False


class Crashing:
    """The run, and what was found.

    Attributes:
        counts: of crashes, commands and what became of them.
        problems: what was wrong.
    """

    def __init__(self, run: Run, server: PrivatePostgres | PrivateMariadb, folder: Path) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.slowest = 0.0
        self._server = server
        self._folder = folder
        self._chance = Random(run.seed)

    def go(self) -> None:
        """Crash, and look, as often as told."""
        while self.counts["crashes"] < self.run.count and not self.problems:
            left = self.run.count - self.counts["crashes"]
            self._book(min(left, self.run.books))

    def _book(self, crashes: int) -> None:
        """Let writers write one book, through some crashes."""
        url, mark = self._server.database(), f"s{self.run.seed}-{time.time_ns() % 10**10}"
        with Writers(self._folder, mark) as writers:
            self._plant()
            for _ in range(self.run.writers):
                plant, seed = UNSYNCED if self._loose else "", self._chance.randrange(10**9)
                writers.start([self._named(url)], seed, plant=plant)
            if self._chance.random() < 0.5 and not self.run.unsynced:
                time.sleep(self._chance.uniform(0.3, 2.5))  # perhaps while the book is made
                self._crashed()
            before = [0] * self.run.writers
            for crash in range(1, crashes + 1):
                before = self._one(writers, before, url, crash % self.run.every == 0)
                if self.problems:
                    break
            self.problems += writers.stop()
            self._look(writers, url, still=True)
            self.counts.update({f"told {name}": n for name, n in writers.failures.items()})
            self.counts["acknowledged"] += len(writers.told.kept)
            self.counts["refused"] += len(writers.told.refused)
            self.counts["books"] += 1

    def _one(self, writers: Writers, before: list[int], url: str, still: bool) -> list[int]:
        """Crash once, and look; with the writers still, where all is to be counted again."""
        began = time.monotonic()
        now = writers.await_more(before)
        if any(before):
            self.slowest = max(self.slowest, time.monotonic() - began)
        time.sleep(self._chance.uniform(0, self.run.longest))
        started = self._crashed(writers if still else None)
        now = writers.listen()
        self._look(writers, url, still=still)
        if still:
            writers.thaw()
        self.counts["seconds down, in all"] += round(started)
        return now

    def _crashed(self, writers: Writers | None = None) -> float:
        """Kill all of the server and start it again; writers stand still from then on."""
        began = time.monotonic()
        self._server.kill()
        if writers is not None:
            writers.freeze()
        self._server.start()
        self._plant()
        self.counts["crashes"] += 1
        return time.monotonic() - began

    def _look(self, writers: Writers, url: str, *, still: bool) -> None:
        """Compare what the writers told with what is there."""
        writers.listen()
        with closing(connected(url)) as db:
            keys = frozenset(keys_beginning(db, writers.mark))
        self.problems += writers.told.problems(keys) + twice(keys)
        self.counts["looks"] += 1
        if still:
            self.problems += audited(writers, url, keys)
            self.counts["audits"] += 1

    @property
    def _loose(self) -> bool:
        return self.run.unsynced and isinstance(self._server, PrivatePostgres)

    def _named(self, url: str) -> str:
        loose = self.run.unsynced and isinstance(self._server, PrivateMariadb)
        return f"{url}?accept={FLUSH}" if loose else url

    def _plant(self) -> None:
        """Where a fault is planted, let MariaDB keep no commits; on the other, writers do so."""
        if self.run.unsynced and isinstance(self._server, PrivateMariadb):
            with closing(connected(self._server.url(""))) as db:
                db.cursor().execute(f"SET GLOBAL {FLUSH} = 0")


def audited(writers: Writers, url: str, keys: frozenset[str]) -> Iterator[str]:
    """What does not agree in a book that nobody writes to now."""
    with closing(connected(bare(url))) as db:
        yield from audit(db, marker=MARKER).problems
    with open_book(url) as book:
        yield from map(str, book.verify().problems)
    announced = {key for one in writers.told.commands.values() for key in one.keys}
    yield from (f"key {key} was never announced" for key in keys - announced)


def main() -> int:
    """Crash, and say what was found; 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crash", description=__doc__)
    parser.add_argument("--server", choices=sorted(SERVERS), default="postgresql")
    parser.add_argument("--count", type=int, default=10, help="crashes")
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--unsynced", action="store_true", help="keep no commits: a fault")
    told = parser.parse_args()
    began = time.monotonic()
    run = Run(count=told.count, seed=told.seed, writers=told.writers, unsynced=told.unsynced)
    with tempfile.TemporaryDirectory() as name, SERVERS[told.server]() as server:
        crashing = Crashing(run, server, Path(name))
        crashing.go()
    print(f"seed {told.seed}, {time.monotonic() - began:.0f} s")
    for what, count in sorted(crashing.counts.items()):
        print(f"{what}: {count}")
    print(f"longest until all writers wrote again: {crashing.slowest:.1f} s")
    print("\n".join(crashing.problems[:20]) or "nothing was lost")
    return int(bool(crashing.problems))


if __name__ == "__main__":
    sys.exit(main())
