"""Consistent reports: whatever is read in one call is of one moment.

    python -m tests.faults.reports --movers 4 --readers 2 --reports 500 --url postgresql

Some processes move amounts within accounts (see `moving.py`) whose sums never change, and others
read reports: in every one of them the sums must be the same as ever, buckets and open items add up
to what is owed, and whatever is owed be overdue.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.faults.crew import Crew, let_go, lines_of, ready, said
from tests.faults.gates import replaced
from tests.faults.load import places
from tests.faults.moving import BASE, BEFORE, FIRST, SPAN, UNIT, Accounts, accounts, move
from tests.faults.places import counted_again

from clientledger import Account, AgeingRow, Book, OpenItem, open_book
from clientledger_sqlalchemy import SqlStore
from clientledger_sqlalchemy.channel import Channel

__all__ = ["Reports", "Run", "work"]

PATIENCE = 60.0
"""Seconds in which something must be told; no measure of speed."""

READ_COMMITTED = {
    "postgresql": ("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",),
    "mariadb": (
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "START TRANSACTION READ ONLY",
    ),
}


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        urls: of one book, which is new; a process has one of them.
        movers: how many processes move amounts.
        readers: how many read reports.
        reports: how many each reads, at least.
        moves: how many are made meanwhile, at least.
        clients: how many inner clients there are.
        torn: whether each statement of a report reads what is committed by then: a fault.
    """

    urls: Sequence[str]
    movers: int
    readers: int
    reports: int
    moves: int
    seed: int
    clients: int = 3
    torn: bool = False


class Reports:
    """The run, and what was found.

    Attributes:
        counts: of reports and of moves.
        problems: what was wrong.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self._folder = folder

    def go(self) -> None:
        """Move and read, then count once more."""
        run, chance = self.run, Random(self.run.seed)
        with open_book(run.urls[0]) as book:
            told = attrs.asdict(accounts(book, run.clients, run.movers))
        gate = str(self._folder)
        with Crew("tests.faults.reports:work", run.urls[0]) as crew:
            movers, readers = [], []
            for number in range(run.movers):
                seed, file = chance.randrange(10**9), f"mover-{number}"
                more = (seed, number, str(self._folder / file), gate, told)
                movers.append(crew.start("move", self._url(number), *more))
            for number in range(run.readers):
                seed, file = chance.randrange(10**9), f"reader-{number}"
                order = (seed, str(self._folder / file), gate, told, run.torn)
                readers.append(crew.start("read", self._url(number + 1), *order))
            let_go(self._folder, run.movers + run.readers)
            self._watch()
            (self._folder / "stop").touch()
            self.problems += crew.wait_all([*movers, *readers])
        for path in self._folder.glob("mover-*"):
            self.counts.update(lines_of(path))
        for path in self._folder.glob("reader-*"):
            for name, problems in lines_of(path):
                self.counts[f"report {name}"] += 1
                self.problems += [f"{name}: {problem}" for problem in problems]
        self.problems += counted_again(run.urls[0])

    def _url(self, number: int) -> str:
        return self.run.urls[number % len(self.run.urls)]

    def _watch(self) -> None:
        """Wait until enough is moved and read, or a report was wrong, or nothing more is told."""
        before, deadline = (0, 0), time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            moves = [_length(file) for file in self._folder.glob("mover-*")]
            reports = [_length(file) for file in self._folder.glob("reader-*")]
            if sum(moves) >= self.run.moves and min(reports) >= self.run.reports:
                return
            if any(map(_wrong, self._folder.glob("reader-*"))):
                return
            if (now := (sum(moves), min(reports))) != before:
                before, deadline = now, time.monotonic() + PATIENCE
            time.sleep(0.02)
        self.problems.append(f"nothing more was told for {PATIENCE:.0f} seconds")

    def report(self) -> Iterator[str]:
        """What there is to tell, in lines."""
        yield ", ".join(f"{what}: {count}" for what, count in sorted(self.counts.items()))


def _length(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def _wrong(file: Path) -> bool:
    return any(problems for _, problems in lines_of(file))


# ------------------------------------------------------------ in a worker
def work(what: str, *order: Any) -> None:
    """Move or read."""
    (move if what == "move" else read)(*order)


def read(
    url: str,
    seed: int,
    file: str,
    gate: str,
    told: Mapping[str, Any],
    torn: bool,
) -> None:
    """Read reports until there is a file "stop"; tell what was wrong in each."""
    say, chance = said(file), Random(seed)
    with _opened(url, torn) as book, replaced(Channel, _planted(url, torn)):
        reader = _Reader(book, chance, Accounts(**told))
        book.settings  # noqa: B018 - it connects
        ready(gate)
        while not (Path(gate) / "stop").exists():
            name = chance.choice(list(_READ))
            say([name, list(_READ[name](reader))])


def _opened(url: str, torn: bool) -> Book:
    if not torn:
        return open_book(url)
    store = SqlStore.open(url)
    reading = READ_COMMITTED.get(url.partition(":")[0])
    if reading is not None:
        store.engine.reading = reading
    return Book(store)


def _planted(url: str, torn: bool) -> dict[str, Any]:
    """SQLite has no such level: there a transaction is begun anew before each statement."""
    if not torn or not url.startswith("sqlite"):
        return {}
    raw = Channel.raw

    def anew(self: Channel, *told: Any) -> Any:
        self.command("COMMIT")
        self.command("BEGIN")
        return raw(self, *told)

    return {"raw": anew}


class _Reader:
    """One process that reads reports."""

    def __init__(self, book: Book, chance: Random, told: Accounts) -> None:
        self.book, self.told = book, told
        self.chance = chance

    @property
    def inner(self) -> str:
        """Any inner client."""
        return self.chance.choice(self.told.inner)

    @property
    def anyone(self) -> str:
        """Any client."""
        return self.chance.choice([*self.told.inner, *self.told.outer])

    def day(self) -> date | None:
        """Today, or a day while amounts move."""
        day = FIRST + timedelta(self.chance.randrange(SPAN))
        return None if self.chance.random() < 0.6 else day

    def all_of(self, found: Iterable[tuple[str, int]]) -> Iterator[str]:
        """What is wrong with the balances of everybody, by client."""
        balances = dict(found)
        if sum(balances.values()) != self.told.total:
            yield f"{sum(balances.values())} in all, not {self.told.total}: {balances}"
        for client in self.told.inner:
            if balances.get(client) != BASE:
                yield f"inner client {client}: {balances.get(client)}, not {BASE}"


def _debtors(reader: _Reader) -> Iterator[str]:
    day = reader.day()
    found = list(reader.book.insights.debtors(as_of=day))
    yield from reader.all_of((str(one.client.id), one.account.balance.minor) for one in found)
    for one in found:
        yield from _late(one.account, day)


def _ageing(reader: _Reader) -> Iterator[str]:
    by = reader.chance.choice(("due", "date"))
    found = list(reader.book.insights.ageing(by=by, as_of=reader.day()))
    yield from reader.all_of((str(one.client.id), one.balance.minor) for one in found)
    for one in found:
        yield from _aged(one)


def _aged(row: AgeingRow) -> Iterator[str]:
    inside = sum(bucket.amount.minor for bucket in row.buckets)
    if inside != row.owed.minor:
        yield f"{inside} in the buckets, and {row.owed.minor} owed"


def _statement(reader: _Reader) -> Iterator[str]:
    client, until = reader.anyone, reader.day() or FIRST + timedelta(SPAN)
    since = reader.chance.choice((BEFORE, FIRST + timedelta(SPAN // 2)))
    found = reader.book.ledger.statement(client, UNIT, min(since, until), until)
    if client in reader.told.inner and found.closing.minor != BASE:
        yield f"closes with {found.closing.minor}, not {BASE}"
    turned = found.opening.minor + found.debits.minor - found.credits.minor
    if not turned == found.closing.minor == found.account.balance.minor:
        yield f"{turned} by its rows, {found.closing} at its end, {found.account} by its items"
    yield from _open(found.account, found.open_items)
    inside = sum(bucket.amount.minor for bucket in found.buckets)
    if inside != found.account.owed.minor:
        yield f"{inside} in the buckets of {found.account}"


def _card(reader: _Reader) -> Iterator[str]:
    client, day = reader.anyone, reader.day()
    found = reader.book.card(client, as_of=day)
    account = found.accounts[UNIT]
    if client in reader.told.inner and account.balance.minor != BASE:
        yield f"{account.balance} on the card, not {BASE}"
    yield from _late(account, day)
    if found.open_items.next is None:
        yield from _open(account, found.open_items)
    bought = sum(one.amount.minor for one in found.purchases.bought)
    count = sum(one.count for one in found.purchases.bought)
    sold = sum(one.minor for one in found.purchases.totals.values())
    if (bought, count) != (sold, found.purchases.count):
        yield f"{count} sales of {bought} in the things bought, {found.purchases} in all"


def _accounts(reader: _Reader) -> Iterator[str]:
    day = reader.day()
    account = reader.book.ledger.accounts(reader.inner, as_of=day)[UNIT]
    if account.balance.minor != BASE:
        yield f"{account.balance}, not {BASE}"
    yield from _late(account, day)


def _late(account: Account, day: date | None) -> Iterator[str]:
    """Today all that is owed is overdue; on an earlier day, what fell due on it is not yet."""
    if account.overdue > account.owed or (day is None and account.overdue != account.owed):
        yield f"{account.overdue} overdue of {account.owed}"


def _open(account: Account, items: Iterable[OpenItem]) -> Iterator[str]:
    sides = Counter[str]()
    for item in items:
        sides[item.side] += item.open.minor
    if (sides["debit"], sides["credit"]) != (account.owed.minor, account.prepaid.minor):
        yield f"{dict(sides)} is open, and the account is {account}"


_READ: Mapping[str, Callable[[_Reader], Iterator[str]]] = {
    "debtors": _debtors,
    "ageing": _ageing,
    "statement": _statement,
    "card": _card,
    "accounts": _accounts,
}


def main() -> int:
    """Read reports, and say what was found; 1 if one was of two moments."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.reports", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or postgresql, mariadb, galera, URL,URL")
    parser.add_argument("--movers", type=int, default=4)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--reports", type=int, default=500, help="of each reader")
    parser.add_argument("--moves", type=int, default=1000, help="in all")
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--torn", action="store_true", help="read each statement anew: a fault")
    told = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, places(told.url) as urls:
        run = Run(
            urls=urls,
            movers=told.movers,
            readers=told.readers,
            reports=told.reports,
            moves=told.moves,
            clients=told.clients,
            seed=told.seed,
            torn=told.torn,
        )
        reports = Reports(run, Path(name))
        reports.go()
    print(f"seed {run.seed}, {time.monotonic() - began:.0f} s")
    print("\n".join([*reports.report(), *reports.problems[:20]]))
    print(f"{len(reports.problems)} problems" if reports.problems else "each was of one moment")
    return int(bool(reports.problems))


if __name__ == "__main__":
    sys.exit(main())
