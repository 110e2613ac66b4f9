"""Lost replies: connections are cut at any message, and the database is compared with the answer.

    python -m tests.faults.replies --server postgresql --count 1000 --seed 7
    python -m tests.faults.replies --url mariadb://root@127.0.0.1:3306/test --count 1000

A caller gives commands through a proxy that cuts: single ones, book.run and book.atomic, with
idempotency keys and without. After each, a connection past the proxy asks what is recorded. What
was told to be done must be there, once; Unavailable and Busy say that nothing is; OutcomeUnknown
says nothing, and then `book.outcome(key)` must say the truth. Then what failed is done again, as a
caller would: it must be there once. At the end the book is audited, by plain SQL and by itself.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from random import Random

import attrs
from tests.faults.auditor import audit, connected
from tests.faults.deeds import Deed, Deeds, Truth
from tests.faults.gates import replaced
from tests.faults.places import database
from tests.faults.proxy import CuttingProxy, Instant
from tests.faults.workload import MARKER
from tests.servers import Galera

from clientledger import (
    Book,
    Busy,
    ClientLedgerError,
    OutcomeUnknown,
    StoreError,
    Unavailable,
    open_book,
)
from clientledger_sqlalchemy import store
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["ANY", "Replies", "Run", "dark", "guessing", "hoping", "served"]

ANY: tuple[Instant, ...] = ("request", "sent", "reply", "middle")
DONE, REFUSED, UNKNOWN = "done", "refused", "OutcomeUnknown"
EVER = 10**6


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        url: an empty database, or one whose book may take more.
        count: how many cuts.
        seed: of all that is random.
    """

    url: str
    count: int
    seed: int


class Replies:
    """The run, and what was found.

    Attributes:
        counts: of deeds, cuts, and what callers were told.
        problems: what was wrong.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self._chance = Random(run.seed)
        self._absent: list[Deed] = []

    def go(self) -> None:
        """Cut as often as told, and look."""
        url = self.run.url
        prefix = f"r{self.run.seed}-{time.time_ns() % 10**9}"
        with open_book(url) as direct, CuttingProxy.before(url) as proxy:
            with open_book(proxy.url(url)) as book:
                deeds = Deeds(direct, self._chance, prefix)
                while proxy.cuts.total() < self.run.count and not self.problems:
                    self._one(deeds.next(), book, direct, proxy)
            self.counts.update({f"cut at {when}": n for when, n in proxy.cuts.items()})
            self._look_again()
            self.problems += map(str, direct.verify().problems)
            with closing(connected(url)) as db:
                self.problems += audit(db, marker=MARKER).problems

    def _one(self, deed: Deed, book: Book, direct: Book, proxy: CuttingProxy) -> None:
        """Do a deed while the proxy cuts, compare; and do it again, where that is right."""
        before = proxy.cuts.total()
        if self._chance.random() < 0.05:
            with dark(self.run.url, proxy, self._chance.choice(ANY)):
                told = self._told(deed, book)
        else:
            self._aim(proxy)
            told = self._told(deed, book)
            self._read(deed, told, book)
            proxy.heal()
        truth = Truth.of(deed, self.run.url)
        self._judge(deed, told, truth)
        self._ask(deed, direct, truth)
        if proxy.cuts.total() > before:
            self.counts["deeds that were cut"] += 1
            self.counts[f"told {told}"] += 1
            there = any(truth.there(deed))
            self.counts["told OutcomeUnknown, and recorded"] += told == UNKNOWN and there
        if told not in (DONE, REFUSED) and (deed.keyed or told != UNKNOWN):
            self.counts["done again"] += 1
            again = self._told(deed, book)
            self._judge(deed, f"{again} when done again", Truth.of(deed, self.run.url))
        elif not any(truth.there(deed)):
            self._absent.append(deed)

    def _aim(self, proxy: CuttingProxy) -> None:
        """Choose where to cut: mostly at COMMIT, then at what settles it, then anywhere."""
        chance = self._chance
        if chance.random() < 0.6:
            proxy.cut("COMMIT", when=chance.choice(ANY), times=chance.choice((1, 1, 1, 2)))
            if chance.random() < 0.3:  # and at the question what became of it
                skip = chance.randrange(1, 8)
                proxy.cut("INSERT INTO events", when=chance.choice(ANY), skip=skip, times=2)
        else:
            for n in range(chance.choice((1, 1, 1, 2, 3))):
                proxy.cut("", when=chance.choice(ANY), skip=chance.randrange(40 * (n + 1)))

    def _read(self, deed: Deed, told: str, book: Book) -> None:
        """Ask for a key through what is still being cut: the answer is right, or there is none."""
        if deed.keyed and told == DONE and deed.names:
            try:
                recorded = book.outcome(deed.names[0]).recorded
            except Unavailable:
                self.counts["read, and told Unavailable"] += 1
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                self.problems.append(f"{deed}: a read failed: {error!r}")
            else:
                self.counts["read"] += 1
                if not recorded:
                    self.problems.append(f"{deed}: told done, and a read does not find it")

    def _told(self, deed: Deed, book: Book) -> str:
        """Do it, and give in one word what the caller is told."""
        try:
            deed.do(book)
        except (Busy, OutcomeUnknown, Unavailable) as error:
            return type(error).__name__
        except StoreError as error:
            self.problems.append(f"{deed}: a failure of no known meaning: {error!r}")
            return "failed"
        except ClientLedgerError as error:
            if deed.command is None:
                self.problems.append(f"{deed}: refused: {error!r}")
            return REFUSED
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.problems.append(f"{deed}: not an error of the library: {error!r}")
            return "a foreign error"
        return DONE

    def _judge(self, deed: Deed, told: str, truth: Truth) -> None:
        """Compare what was told with what is recorded."""
        there = truth.there(deed)
        if truth.twice:
            self.problems.append(f"{deed}: told {told}, recorded twice: {truth.twice}")
        elif truth.disagrees(deed):
            self.problems.append(f"{deed}: told {told}, keys and rows differ: {truth}")
        elif told.startswith(DONE) and not all(there):
            self.problems.append(f"{deed}: told {told}, and not recorded: {truth}")
        elif told.endswith("again") and not told.startswith((DONE, REFUSED)):
            self.problems.append(f"{deed}: told {told}, on a healthy connection")
        elif told in ("Unavailable", "Busy", "failed", REFUSED) and any(there):
            self.problems.append(f"{deed}: told {told}, and recorded: {truth}")
        elif any(there) and not all(there):
            self.problems.append(f"{deed}: told {told}, recorded in part: {truth}")

    def _ask(self, deed: Deed, direct: Book, truth: Truth) -> None:
        """See that the book itself tells the truth of each key."""
        if deed.keyed:
            for name in deed.names:
                if direct.outcome(name).recorded != (name in truth.keys):
                    self.problems.append(f"outcome of {name} is not what is recorded")

    def _look_again(self) -> None:
        """What was not recorded when it failed must not be recorded later either."""
        for deed in self._absent:
            if any(Truth.of(deed, self.run.url).there(deed)):
                self.problems.append(f"{deed}: recorded after it was told to have failed")
        self.counts["looked at again in the end"] = len(self._absent)


# ------------------------------------------------------------ planted faults
def guessing() -> AbstractContextManager[None]:
    """Take a commit without a reply for one that was not made: what was made is made again."""

    def settle(self: SqlStore, failure: object, proof: object) -> None:
        raise failure.error  # type: ignore[attr-defined]  # it has one

    return replaced(SqlStore, {"_settle": settle})


def hoping() -> AbstractContextManager[None]:
    """Take a commit without a reply for one that was made."""
    return replaced(SqlStore, {"_settle": lambda self, failure, proof: None})


# ------------------------------------------------------------ where it is done
@contextmanager
def dark(url: str, proxy: CuttingProxy, when: Instant, patience: float = 0.3) -> Iterator[None]:
    """Cut at the next COMMIT, and whenever the library asks what became of it."""
    on_postgresql = url.startswith("postgresql")
    level = "ISOLATION LEVEL READ COMMITTED"
    proxy.cut("COMMIT", when=when)
    if on_postgresql:  # the unit of work begins with the same words
        proxy.cut(f"BEGIN {level}", when="request", skip=1, times=EVER)
    else:
        proxy.cut(f"SET TRANSACTION {level}", when="request", times=EVER)
    try:
        with replaced(store, {"_PATIENCE": patience}):
            yield
    finally:
        proxy.heal()


@contextmanager
def served(kind: str) -> Iterator[str]:
    """An empty database of a kind (postgresql, mariadb, galera), or the one that a URL names."""
    if kind == "galera":
        with Galera() as cluster:
            yield cluster.node(1).database()
    else:
        with database(kind) as url:
            yield url


def main() -> int:
    """Cut, and say what was found; 1 if something was lost, doubled or told wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.replies", description=__doc__)
    parser.add_argument("--server", default="postgresql", help="postgresql, mariadb or galera")
    parser.add_argument("--url", help="of an empty database, instead of a server")
    parser.add_argument("--count", type=int, default=100, help="cuts")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--plant", choices=("guess", "hope"), help="a fault, to be found")
    told = parser.parse_args()
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of every cut
    plant = {"guess": guessing, "hope": hoping, None: nullcontext}[told.plant]
    with served(told.url or told.server) as url, plant():
        began = time.monotonic()
        replies = Replies(Run(url=url, count=told.count, seed=told.seed))
        replies.go()
        print(f"seed {told.seed}, {time.monotonic() - began:.0f} s")
    for what, count in sorted(replies.counts.items()):
        print(f"{what}: {count}")
    print("\n".join(replies.problems[:20]) or "nothing was lost, doubled or told wrongly")
    return int(bool(replies.problems))


if __name__ == "__main__":
    sys.exit(main())
