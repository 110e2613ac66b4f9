"""Load: several processes give many commands to a few hot clients, on any database.

    python -m tests.faults.load --processes 8 --commands 2000 --clients 3 --url sqlite

Each process records sales, payments that settle several sales, releases, voids, credit notes,
interactions and tasks, on documents and numbers that the others want too. Of several URLs (the
nodes of a cluster) each process has one, in turn. At the end every acknowledged command must be
there and no other, numbers must be held once, the entries of a client be numbered without a gap,
every balance be the sum of what was acknowledged, and the book be sound by plain SQL. With
`--with-rewrites` others hand clients over, archive them and close periods meanwhile.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.faults.crew import Crew, let_go, lines_of, ready, said
from tests.faults.gates import replaced
from tests.faults.hot import Answer, Hot, answered, loaded
from tests.faults.places import database
from tests.faults.reckon import percentile, reckoned
from tests.faults.rewrites import MEMBERS, rewrite, rewritten
from tests.servers import Galera

from clientledger import Book, open_book
from clientledger_sqlalchemy import SqlStore

__all__ = ["Loading", "Run", "Share", "places", "work"]

REWRITERS = 2
DEADLOCKS = ("40P01", "1213")
"""What PostgreSQL and MariaDB call one; on Galera also what two nodes cannot both have."""


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        urls: of one book, which is new; each process has one of them.
        processes: how many write.
        commands: how many each gives.
        clients: how many there are.
        hold: seconds for which each transaction is held open.
        rewrites: whether others rewrite meanwhile.
    """

    urls: Sequence[str]
    processes: int
    commands: int
    clients: int
    seed: int
    hold: float = 0.0
    rewrites: bool = False


@attrs.frozen(kw_only=True)
class Share:
    """What one process had of the load.

    Attributes:
        kept: commands that were acknowledged.
        early: those of them until the first of all processes had done.
        refused: commands that a rule refused.
        busy: commands that were told to come again.
        others: other errors, by name.
        seconds: from the first command to the last.
        waits: seconds of each command.
        failures: what the driver told, by its own code; most of it a caller never hears of.
    """

    kept: int
    early: int
    refused: int
    busy: int
    others: Counter[str]
    seconds: float
    waits: Sequence[float]
    failures: Counter[str]

    def __str__(self) -> str:
        p50, p99 = (1000 * percentile(self.waits, share) for share in (0.5, 0.99))
        return (
            f"{self.kept} recorded, {self.refused} refused, {self.busy} Busy, "
            f"{sum(self.others.values())} other errors {dict(self.others) or ''}, "
            f"{len(self.waits) / self.seconds:.0f}/s, waits p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
            f"max {1000 * max(self.waits):.0f} ms; driver: {dict(self.failures) or 'nothing'}"
        )


class Loading:
    """The run, and what was found.

    Attributes:
        written: the answers of each process.
        changed: the answers of those who rewrote.
        problems: what was wrong.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.written: list[list[Answer]] = []
        self.changed: list[Answer] = []
        self.failures: list[Counter[str]] = []
        self.problems: list[str] = []
        self._folder = folder
        self.mark = f"load-{run.seed}"

    def go(self) -> None:
        """Write, then look at what is there."""
        self.write()
        self.reckon()

    def write(self) -> None:
        """Let all processes write, to their end."""
        run, chance = self.run, Random(self.run.seed)
        with open_book(run.urls[0]) as book:
            clients = _clients(book, run.clients)
        files = [self._folder / f"writer-{n}" for n in range(run.processes)]
        with Crew("tests.faults.load:work", run.urls[0]) as crew:
            writers = []
            for number, file in enumerate(files):
                mark, seed = f"{self.mark}-{number}", chance.randrange(10**9)
                url, gate = self._url(number), str(self._folder)
                numbers = run.processes * run.commands // 4 + 1
                order = (mark, seed, str(file), gate, clients, run.commands, numbers, run.hold)
                writers.append(crew.start("write", url, *order))
            others = self._rewriters(crew, clients, chance) if run.rewrites else []
            let_go(self._folder, len(writers) + len(others))
            self.problems += crew.wait_all(writers)
            (self._folder / "stop").touch()
            self.problems += crew.wait_all(others)
        for file in files:
            *lines, counts = lines_of(file)
            self.written.append([loaded(line) for line in lines])
            self.failures.append(Counter(counts))
        for file in self._folder.glob("rewriter-*"):
            self.changed += [loaded(line) for line in lines_of(file)]

    def _url(self, number: int) -> str:
        return self.run.urls[number % len(self.run.urls)]

    def _rewriters(self, crew: Crew, clients: Sequence[str], chance: Random) -> list[int]:
        return [
            crew.start(
                "rewrite",
                self._url(number),
                f"{self.mark}-r{number}",
                chance.randrange(10**9),
                str(self._folder / f"rewriter-{number}"),
                str(self._folder),
                clients[number::REWRITERS],
                number == 0,
            )
            for number in range(REWRITERS)
        ]

    def reckon(self) -> None:
        """Compare what was told with what is there."""
        url = self.run.urls[0]
        written = [answer for own in self.written for answer in own]
        self.problems += reckoned(url, [*written, *self.changed], self.mark)
        if self.run.rewrites:
            self.problems += rewritten(url, written, self.changed)

    @property
    def shares(self) -> list[Share]:
        """What each process had."""
        first = min(own[-1].end for own in self.written)
        return [
            _share(own, first, failures)
            for own, failures in zip(self.written, self.failures, strict=True)
        ]

    @property
    def fairness(self) -> float:
        """The least share by the greatest, of what was recorded until the first had done."""
        early = [share.early for share in self.shares]
        return min(early) / max(early)

    @property
    def deadlocks(self) -> int:
        """How many deadlocks the drivers told of."""
        return sum(failures[code] for failures in self.failures for code in DEADLOCKS)

    def report(self) -> Iterator[str]:
        """What there is to tell, in lines."""
        everyone = [answer for own in self.written for answer in own]
        seconds = max(one.end for one in everyone) - min(one.begin for one in everyone)
        for number, share in enumerate(self.shares):
            yield f"process {number}: {share}"
        yield (
            f"{len(everyone)} commands in {seconds:.1f} s: {len(everyone) / seconds:.0f}/s, "
            f"least by greatest share {self.fairness:.2f}, "
            f"{self.deadlocks} deadlocks, or conflicts of two nodes"
        )
        yield f"refused: {dict(Counter(one.error for one in everyone if one.error))}"
        if self.changed:
            kinds = Counter(one.kind if one.kept else one.error for one in self.changed)
            yield f"rewrites: {dict(kinds)}"


def _share(own: Sequence[Answer], first: float, failures: Counter[str]) -> Share:
    errors = Counter(answer.error for answer in own if answer.error)
    rules = Counter({name: count for name, count in errors.items() if name in RULES})
    others = errors - rules
    busy = others.pop("Busy", 0)
    return Share(
        kept=sum(answer.kept for answer in own),
        early=sum(answer.kept and answer.end <= first for answer in own),
        refused=sum(rules.values()),
        busy=busy,
        others=others,
        seconds=own[-1].end - own[0].begin,
        waits=[answer.end - answer.begin for answer in own],
        failures=failures,
    )


RULES = frozenset(
    {
        "ClientArchived",
        "InvalidValue",
        "NotLinked",
        "NumberTaken",
        "OverAllocated",
        "PeriodClosed",
        "Voided",
        "WrongCurrency",
    }
)
"""What a command may be told when another one was there first."""


def _clients(book: Book, count: int) -> list[str]:
    for number in range(MEMBERS):
        book.team.add(f"m{number}", f"Member {number}")
    return [
        str(book.clients.add(f"Client {n}", manager=f"m{n % MEMBERS}").id) for n in range(count)
    ]


# ------------------------------------------------------------ in a worker
def work(what: str, *order: Any) -> None:
    """Write or rewrite."""
    (write if what == "write" else rewrite)(*order)


def write(
    url: str,
    prefix: str,
    seed: int,
    file: str,
    gate: str,
    clients: list[str],
    commands: int,
    numbers: int,
    hold: float,
) -> None:
    """Give so many commands; tell what became of each, and last what the driver told."""
    say, counts = said(file), Counter[str]()
    store = SqlStore.open(url)
    with Book(store, actor=prefix) as book, driver_heard(store, counts):
        hot = Hot(book, Random(seed), prefix, clients, numbers)
        book.settings  # noqa: B018 - it connects
        ready(gate)
        for _ in range(commands):
            answer, made = answered(book, hot.next(), hold)
            hot.note(made)
            say(answer.dump())
    say(counts)


@contextmanager
def driver_heard(store: SqlStore, counts: Counter[str]) -> Iterator[None]:
    """Count the errors of the driver, by its own codes."""
    kind = type(store.engine)
    failure = kind.failure

    def heard(self: Any, error: Exception) -> Any:
        counts[_code(getattr(error, "orig", None) or error)] += 1
        return failure(self, error)

    with replaced(kind, {"failure": heard}):
        yield


def _code(error: Any) -> str:
    number = error.args[0] if error.args else None
    if isinstance(number, int):
        return str(number)
    name = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return str(name or type(error).__name__)


# ------------------------------------------------------------ by hand
@contextmanager
def places(told: str) -> Iterator[list[str]]:
    """The URLs of an empty database of a kind (sqlite, postgresql, mariadb, galera), or of URLs."""
    with ExitStack() as held:
        if told == "galera":
            cluster = held.enter_context(Galera())
            name = cluster.node(1).database().rpartition("/")[2]
            yield list(cluster.urls(name))
        else:
            first, *others = told.split(",")
            yield [held.enter_context(database(first)), *others]


def main() -> int:
    """Load a book, and say what was found; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.load", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or postgresql, mariadb, galera, URL,URL")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--commands", type=int, default=2000, help="of each process")
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--hold", type=float, default=0, help="seconds a transaction is held open")
    parser.add_argument("--with-rewrites", action="store_true")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, places(told.url) as urls:
        run = Run(
            urls=urls,
            processes=told.processes,
            commands=told.commands,
            clients=told.clients,
            seed=told.seed,
            hold=told.hold,
            rewrites=told.with_rewrites,
        )
        loading, began = Loading(run, Path(name)), time.monotonic()
        loading.write()
        wrote = time.monotonic() - began
        print("\n".join(loading.report()), flush=True)
        loading.reckon()
        reckoned = time.monotonic() - began - wrote
        print(f"seed {run.seed}; {wrote:.0f} s, and {reckoned:.0f} s to reckon")
    print("\n".join(loading.problems[:20]) or "all of it is there, and right")
    return int(bool(loading.problems))


if __name__ == "__main__":
    sys.exit(main())
