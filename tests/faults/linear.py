"""Linearizability: does some order of all calls explain what every caller was told?

    python -m tests.faults.linear --processes 4 --calls 500 --accounts 2 --url postgresql

Several processes record sales, payments, refunds and write-offs in a few accounts, and read what is
owed and prepaid; each has stores of its own, for writing and for reading. On a cluster each reads
on another node than it writes to; with `--lag` all read on the last one, which again and again
does nothing of what the others have committed for a moment. Every call is noted with its begin and
its end, and the history of each account is searched for an order (see `orders.py`).
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.faults.crew import Crew, let_go, lines_of, ready, said
from tests.faults.load import places
from tests.faults.orders import Call, Verdict, account_step, explained, of_accounts
from tests.faults.places import with_options
from tests.servers.connect import connect_mariadb

from clientledger import Book, Busy, LedgerError, Money, StoreError, open_book

__all__ = ["Linear", "Run", "work"]

UNIT = "EUR"
DAY = date(2026, 3, 2)
MINORS = (1, 100, 250, 700)
MUCH = 3_000


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        urls: of one book, which is new; each process writes to one of them, and reads from the
            next.
        lag: whether all read from the last one, to which nobody writes, and which lags.
        options: of the URLs that are read.
        processes: how many call.
        calls: how many calls each makes.
        accounts: how many accounts there are.
    """

    urls: Sequence[str]
    processes: int
    calls: int
    accounts: int
    seed: int
    lag: bool = False
    options: Mapping[str, str] = attrs.field(factory=dict)

    def ways(self, number: int) -> tuple[str, str]:
        """Where a process writes, and where it reads."""
        urls = self.urls[:-1] if self.lag else self.urls
        read = self.urls[-1] if self.lag else urls[(number + 1) % len(urls)]
        return urls[number % len(urls)], with_options(read, **self.options)


class Linear:
    """The run, and what was found.

    Attributes:
        calls: the history of all accounts.
        counts: of calls by what was told.
        verdicts: of each account.
        problems: what was wrong.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.verdicts: list[Verdict] = []
        self.problems: list[str] = []
        self._folder = folder

    def go(self) -> None:
        """Let them call, and search for an order."""
        self.call()
        self.search()

    def call(self) -> None:
        """Let all processes call, to their end."""
        run, chance = self.run, Random(self.run.seed)
        with open_book(run.urls[0]) as book:
            accounts = [str(book.clients.add(f"Client {n}").id) for n in range(run.accounts)]
        with Crew("tests.faults.linear:work", run.urls[0]) as crew:
            workers = []
            for number in range(run.processes):
                file, seed = str(self._folder / f"caller-{number}"), chance.randrange(10**9)
                more = (seed, file, str(self._folder), accounts, run.calls)
                workers.append(crew.start(*run.ways(number), *more))
            let_go(self._folder, len(workers))
            with lagging(run.urls[-1]) if run.lag else nullcontext():
                self.problems += crew.wait_all(workers)
        for file in map(str, self._folder.glob("caller-*")):
            for line in lines_of(Path(file)):
                self.counts[line["result"] if isinstance(line["result"], str) else "read"] += 1
                if line["result"] != "Busy":
                    self.calls.append(_loaded(line))

    def search(self) -> None:
        """Search for an order of the calls of each account."""
        for account, own in of_accounts(self.calls):
            verdict = explained(own, account_step)
            self.verdicts.append(verdict)
            if not verdict.ok:
                stuck = "\n  ".join(map(str, verdict.unexplained))
                self.problems.append(
                    f"account {account}: after {verdict.after} none of these can come next:\n"
                    f"  {stuck}"
                )

    def report(self) -> Iterator[str]:
        """What there is to tell, in lines."""
        ends = [call.end for call in self.calls if call.end < float("inf")]
        seconds = max(ends) - min(call.begin for call in self.calls)
        yield f"{len(self.calls)} calls in {seconds:.1f} s: {dict(self.counts)}"
        yield (
            f"{sum(v.parts for v in self.verdicts)} parts, the longest of "
            f"{max(v.longest for v in self.verdicts)} calls; "
            f"{sum(v.tried for v in self.verdicts)} states tried"
        )


@contextmanager
def lagging(url: str) -> Iterator[None]:
    """Let a node of a cluster do nothing of what the others commit, for moments."""
    ended = threading.Event()

    def lag() -> None:
        with closing(connect_mariadb(url, autocommit=True)) as link, link.cursor() as cursor:
            while not ended.wait(0.05):
                cursor.execute("FLUSH TABLES WITH READ LOCK")
                ended.wait(0.1)
                cursor.execute("UNLOCK TABLES")

    thread = threading.Thread(target=lag)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _loaded(line: Mapping[str, Any]) -> Call:
    unknown = line["result"] == "unknown"
    more = {} if unknown else {"end": line["end"]}
    result = "done" if unknown else line["result"]
    kept = {name: line[name] for name in ("account", "what", "begin", "minor")}
    return Call(result=tuple(result) if isinstance(result, list) else result, **kept, **more)


# ------------------------------------------------------------ in a worker
def _sale(book: Book, client: str, money: Money) -> None:
    book.ledger.record_sale(client, money, on=DAY, use_prepayments=True)


def _sale_apart(book: Book, client: str, money: Money) -> None:
    book.ledger.record_sale(client, money, on=DAY, use_prepayments=False)


def _payment(book: Book, client: str, money: Money) -> None:
    book.ledger.record_payment(client, money, on=DAY)


def _payment_apart(book: Book, client: str, money: Money) -> None:
    book.ledger.record_payment(client, money, on=DAY, allocate={})


def _refund(book: Book, client: str, money: Money) -> None:
    book.ledger.record_refund(client, money, on=DAY)


def _write_off(book: Book, client: str, money: Money) -> None:
    book.ledger.write_off(client, money, reason="lost", on=DAY)


_DONE: Mapping[str, Callable[[Book, str, Money], None]] = {
    "sale": _sale,
    "sale apart": _sale_apart,
    "payment": _payment,
    "payment apart": _payment_apart,
    "refund": _refund,
    "write-off": _write_off,
}
_WEIGHTS = {
    "read": 40,
    "sale": 16,
    "payment": 16,
    "sale apart": 5,
    "payment apart": 5,
    "refund": 10,
    "write-off": 8,
}


def work(
    write: str, read: str, seed: int, file: str, gate: str, accounts: list[str], calls: int
) -> None:
    """Make so many calls; tell of each."""
    say, chance = said(file), Random(seed)
    with open_book(write) as book, open_book(read) as reader:
        assert book.settings == reader.settings  # they are connected
        ready(gate)
        for _ in range(calls):
            account = chance.choice(accounts)
            what = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            minor = 0 if what == "read" else _amount(chance, what)
            begin = time.monotonic()
            if what == "read":
                found = reader.ledger.account(account, UNIT)
                result: Any = [found.owed.minor, found.prepaid.minor]
            else:
                result = _said_of(lambda: _DONE[what](book, account, _money(minor)))  # noqa: B023
            line = {"account": account, "what": what, "begin": begin, "minor": minor}
            say({**line, "result": result, "end": time.monotonic()})


def _amount(chance: Random, what: str) -> int:
    """An amount; a payment may be much, so that not everything stays open."""
    return MUCH if what == "payment" and chance.random() < 0.2 else chance.choice(MINORS)


def _money(minor: int) -> Money:
    return Money.from_minor(minor, UNIT)


def _said_of(call: Callable[[], None]) -> str:
    try:
        call()
    except Busy:
        return "Busy"
    except LedgerError:
        return "refused"
    except StoreError:
        return "unknown"
    return "done"


def main() -> int:
    """Call, and say what was found; 1 if no order explains it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.linear", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or postgresql, mariadb, galera, URL,URL")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--calls", type=int, default=500, help="of each process")
    parser.add_argument("--accounts", type=int, default=2)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--lag", action="store_true", help="read from a node that lags")
    parser.add_argument("--stale", action="store_true", help="do not wait for it: a fault")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, places(told.url) as urls:
        run = Run(
            urls=urls,
            processes=told.processes,
            calls=told.calls,
            accounts=told.accounts,
            seed=told.seed,
            lag=told.lag,
            options={"sync": "off"} if told.stale else {},
        )
        linear = Linear(run, Path(name))
        linear.go()
    print(f"seed {run.seed}")
    print("\n".join([*linear.report(), *linear.problems]) or "")
    print("no order explains it" if linear.problems else "an order explains it")
    return int(bool(linear.problems))


if __name__ == "__main__":
    sys.exit(main())
