"""A Galera cluster under fire: nodes are killed, paused and cut off from the majority.

    python -m tests.faults.cluster --count 10 --seed 7
    python -m tests.faults.cluster --scenario kill --count 60

Three writers write one book, each through a node of its own; told that it is away, they give the
same command again through the next node. After each fault all that was acknowledged must be there
on every node, and nothing twice; then the writers stand still, and plain SQL and the book itself
count everything again on each node.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import attrs
import sqlalchemy as sa
from tests.faults.auditor import connected
from tests.faults.crash import audited
from tests.faults.deeds import keys_beginning
from tests.faults.writers import REKEYED, UNSYNCED, Writers, twice
from tests.servers import Galera
from tests.servers.server import wait_until
from tests.servers.warden import members

from clientledger import Book, Busy, Unavailable, open_book
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["FAULTS", "Trial", "blind", "conflicts", "paused", "read_your_writes", "served_alone"]

NODES = (1, 2, 3)
SEEN = "SET SESSION wsrep_sync_wait = 1"
BOOK = 10
"""Faults after which the next book is begun."""

PATIENCE = 3.0
"""Seconds for which a writer asks a node what became of a commit, before it asks another."""


@attrs.define
class Trial:
    """One book on a cluster, its writers, and what was found.

    Attributes:
        counts: of faults, commands and what became of them.
        problems: what was wrong.
        slowest: the most seconds that passed until all writers wrote again.
        plant: a fault: UNSYNCED, nodes need not keep what they have committed; REKEYED, writers
            give a command again with another key.
        pauses: how many seconds a node may stand still.
        urls: of the book, through each node.
    """

    cluster: Galera
    folder: Path
    chance: Random
    counts: Counter[str] = attrs.field(factory=Counter)
    problems: list[str] = attrs.field(factory=list)
    slowest: float = 0.0
    plant: str = ""
    pauses: tuple[float, ...] = (1.0, 3.0, 3.0, 8.0)
    urls: tuple[str, ...] = ()
    _writers: Writers | None = None

    @property
    def writers(self) -> Writers:
        """Those who write now."""
        assert self._writers is not None
        return self._writers

    def go(self, faults: Iterable[str]) -> None:
        """Let faults happen one after the other, and look after each."""
        left = list(faults)
        while left and not self.problems:
            some, left = left[:BOOK], left[BOOK:]
            with self._written():
                for fault in some:
                    time.sleep(self.chance.uniform(0, 0.5))
                    FAULTS[fault](self)
                    self.counts[fault] += 1
                    self.wait_written()
                    self.look()
                    if self.problems:
                        break

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Let three writers write a new book meanwhile; look at all of it in the end."""
        name = self.cluster.node(1).database().rpartition("/")[2]
        self.urls = self.cluster.urls(name)
        with Writers(self.folder, f"g{time.time_ns() % 10**10}") as self._writers:
            open_book(self.urls[0]).close()
            for n in range(3):
                urls = [*self.urls[n:], *self.urls[:n]]
                if self.plant == UNSYNCED:
                    urls = [f"{url}?accept=innodb_flush_log_at_trx_commit" for url in urls]
                plant, seed = self.plant.replace(UNSYNCED, ""), self.chance.randrange(10**9)
                self.writers.start(urls, seed, patience=PATIENCE, plant=plant)
            self.writers.await_more([0, 0, 0])
            yield
            self.problems += self.writers.stop()
            self.look(still=True)
            self.counts["acknowledged"] += len(self.writers.told.kept)
            self.counts["refused"] += len(self.writers.told.refused)
            for name, count in self.writers.failures.items():
                self.counts[f"told {name}"] += count

    def wait_written(self, least: float = 0.0) -> None:
        """Wait until all writers write again, and for some seconds at least."""
        began = time.monotonic()
        self.writers.await_more(self.writers.listen(), 120)
        self.slowest = max(self.slowest, time.monotonic() - began)
        time.sleep(max(0.0, least - (time.monotonic() - began)))

    def wait_whole(self) -> None:
        """Wait until all nodes are one cluster, and stay so: one that stood still learns late."""
        sizes = [0, 0, 0]

        def whole() -> bool:
            for n in NODES:
                together = self.cluster.node(n).synced and self.cluster.size(n) == len(NODES)
                sizes[n - 1] = sizes[n - 1] + 1 if together else 0
            time.sleep(0.3)
            return min(sizes) > 5

        wait_until(whole, 90, "all nodes are one cluster")

    def look(self, *, still: bool = False) -> None:
        """Compare, on every node, what the writers told with what is there."""
        if still:
            self.writers.freeze()
        self.writers.listen()
        for url in self.urls:
            with closing(connected(url)) as db:
                db.cursor().execute(SEEN)
                keys = frozenset(keys_beginning(db, self.writers.mark))
            found = self.writers.told.problems(keys) + twice(keys)
            if still:
                found += audited(self.writers, url, keys)
            self.problems += (f"{url}: {problem}" for problem in found)
            self.counts["looks"] += 1
        if still:
            self.writers.thaw()


def paused(room: Path, seconds: float, stopped: threading.Event | None = None) -> None:
    """Let all processes of a server stand still; say when they do."""
    processes = members(room)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    if stopped is not None:
        stopped.set()
    time.sleep(seconds)
    for pid in processes:
        os.kill(pid, signal.SIGCONT)


# ------------------------------------------------------------ faults
def kill(trial: Trial) -> None:
    """A node is killed; its writer goes on elsewhere; it comes back."""
    victim = trial.chance.choice(NODES)
    trial.cluster.kill(victim)
    trial.wait_written(1)
    trial.cluster.restart(victim)


def pause(trial: Trial) -> None:
    """A node stands still for some seconds: below those after which it is given up, or above."""
    victim = trial.chance.choice(NODES)
    paused(trial.cluster.node(victim).room, trial.chance.choice(trial.pauses))
    trial.wait_whole()


def majority(trial: Trial) -> None:
    """Two nodes are killed; the last one must serve nobody, until it is told that it may."""
    last, *others = trial.chance.sample(NODES, 3)
    with open_book(trial.urls[last - 1]) as book:
        for victim in others:
            trial.cluster.kill(victim)
        trial.problems += served_alone(book, trial.counts)
    trial.cluster.bootstrap(last)
    for victim in others:
        trial.cluster.restart(victim)


def everything(trial: Trial) -> None:
    """All nodes are killed; the one that has come furthest begins the cluster anew."""
    if trial.plant == UNSYNCED:
        for url in trial.urls:
            with closing(connected(url)) as db:
                db.cursor().execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
        trial.wait_written()
    for victim in trial.chance.sample(NODES, 3):
        trial.cluster.kill(victim)
        time.sleep(trial.chance.uniform(0, 0.2))
    trial.cluster.heal()


def served_alone(book: Book, counts: Counter[str]) -> Iterator[str]:
    """Where a node without a majority serves anybody: a book must be Unavailable, reads as well."""
    deadline = time.monotonic() + 30
    tries: Mapping[str, Callable[[], Any]] = {
        "a read": lambda: book.clients.find(limit=1),
        "an outcome": lambda: book.outcome("none"),
        "a command": lambda: book.clients.add("Nobody"),
    }
    for what, ask in tries.items():
        while True:
            began = time.monotonic()
            try:
                ask()
            except Unavailable:
                counts["told Unavailable without a majority"] += 1
                if (took := time.monotonic() - began) > 20:
                    yield f"{what} without a majority: Unavailable only after {took:.0f} s"
                break
            except Busy:
                counts["told Busy while the majority was lost"] += 1
            if time.monotonic() > deadline:
                yield f"{what} is served without a majority"
                break


FAULTS: Mapping[str, Callable[[Trial], None]] = {
    "kill": kill,
    "pause": pause,
    "majority": majority,
    "everything": everything,
}


# ------------------------------------------------------------ without faults
@contextmanager
def blind(url: str) -> Iterator[Book]:
    """A book that does not wait for what other nodes have committed: a planted fault."""

    def look_at_once(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 0")

    store = SqlStore.open(url)
    store.engine.close()  # so that every connection is made anew
    sa.event.listen(store.engine.pool, "connect", look_at_once)
    with Book(store) as book:
        yield book


def read_your_writes(urls: tuple[str, ...], count: int, *, waiting: bool = True) -> int:
    """Write through one node and read through the next at once; how often it was not there."""
    stale = 0
    opened = open_book if waiting else blind
    with opened(urls[0]) as first, opened(urls[1]) as second:
        client = first.clients.add("Acme")
        second.findings()
        for n in range(count):
            writer, reader = (first, second) if n % 2 else (second, first)
            writer.ledger.record_sale(client, "1.00 EUR")
            found = reader.ledger.accounts(client)["EUR"].owed
            stale += found.minor != 100 * (n + 1)
    return stale


def conflicts(urls: tuple[str, ...], count: int) -> Counter[str]:
    """Write for one client through two nodes at once; what became of the commands."""
    ends: Counter[str] = Counter()
    with open_book(urls[0]) as first, open_book(urls[1]) as second:
        client = first.clients.add("Acme")

        def write(book: Book) -> None:
            for _ in range(count):
                try:
                    book.ledger.record_sale(client, "1.00 EUR")
                    ends["recorded"] += 1
                except Busy:
                    ends["busy"] += 1

        threads = [threading.Thread(target=write, args=(book,)) for book in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        owed = second.ledger.accounts(client)["EUR"].owed.minor
        ends["lost or doubled"] = abs(ends["recorded"] - owed // 100)
        ends["problems"] = sum(len(book.verify().problems) for book in (first, second))
    return ends


# ------------------------------------------------------------ by hand
def _quiet(cluster: Galera, scenario: str, count: int) -> bool:
    """Run what needs no fault; say what was found."""
    urls = cluster.urls(cluster.node(1).database().rpartition("/")[2])
    wait_until(lambda: all(node.synced for node in cluster.nodes), 60, "all are in step")
    if scenario == "conflicts":
        ends = conflicts(urls, count * 10)
        print(f"conflicts: {dict(ends)}")
        return not (ends["busy"] or ends["lost or doubled"] or ends["problems"])
    told = [read_your_writes(urls, count * 20, waiting=waiting) for waiting in (True, False)]
    print(f"stale reads of {count * 20}: {told[0]} when waiting, {told[1]} when not")
    return not told[0]


def main() -> int:
    """Try the cluster, and say what was found; 1 if something was lost or doubled."""
    quiet = ("reads", "conflicts")
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster", description=__doc__)
    parser.add_argument("--scenario", choices=[*quiet, *FAULTS], action="append")
    parser.add_argument("--count", type=int, default=3, help="faults of each kind")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--plant", choices=[UNSYNCED, REKEYED], default="", help="a fault")
    told = parser.parse_args()
    good = True
    print(f"seed {told.seed}")
    with tempfile.TemporaryDirectory() as folder, Galera() as cluster:
        for scenario in told.scenario or [*quiet, *FAULTS]:
            began = time.monotonic()
            if scenario in quiet:
                good &= _quiet(cluster, scenario, told.count)
                print(f"{scenario}: {time.monotonic() - began:.0f} s", flush=True)
                continue
            trial = Trial(cluster, Path(folder), Random(told.seed), plant=told.plant)
            trial.go([scenario] * told.count)
            print(f"{scenario}: {time.monotonic() - began:.0f} s, {dict(trial.counts)}")
            print(f"longest until all writers wrote again: {trial.slowest:.1f} s")
            print("\n".join(trial.problems[:20]) or "nothing was lost or doubled", flush=True)
            good &= not trial.problems
            cluster.heal()
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
