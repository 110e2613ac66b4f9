"""Exactly once: commands are given again and again, and their answers are thrown away.

    python -m tests.faults.repeat --commands 1000 --processes 4 --kills 50 --url mariadb

Several processes give the same commands, each up to five times, in an order of their own. At random
they forget the answer and are killed, and another process takes their place. Now and then one gives
the key with other arguments, or for another command, which must be refused. At the end each command
is given once more; it must be recorded once, and every answer that anybody remembers be the same.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.faults.crew import Crew, lines_of, said
from tests.faults.gates import replaced
from tests.faults.load import places
from tests.faults.places import counted_again
from tests.faults.tries import Try, effects, near, planned, try_again

from clientledger import Book, Busy, ClientLedgerError, KeyReused, open_book
from clientledger.services.desk import Desk

__all__ = ["KEYLESS", "UNCHECKED", "Repeating", "Run", "work"]

SIGKILLED = -9
WINDOW = 12
"""Commands that a process gives in an order of its own, before it goes on to the next ones."""

KEYLESS, UNCHECKED = "keyless", "unchecked"
"""Planted faults: a desk that ignores keys, and one that does not compare arguments."""


@attrs.frozen(kw_only=True)
class Run:
    """What to do.

    Attributes:
        urls: of one book, which is new; a process has one of them.
        commands: how many there are.
        processes: how many give them, each all of them.
        kills: how many processes are killed in all.
        times: the most times that a process gives a command.
        longest: the most seconds that a process lives that is to be killed.
        forgotten: the share of answers that are thrown away.
        plant: a fault to plant.
    """

    urls: Sequence[str]
    commands: int
    processes: int
    seed: int
    kills: int = 0
    times: int = 5
    longest: float = 0.5
    forgotten: float = 0.3
    plant: str = ""


class Repeating:
    """The run, and what was found.

    Attributes:
        counts: of what was given, and what became of it.
        problems: what was wrong.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self._folder = folder
        self._chance = Random(run.seed)
        self._started = 0

    def go(self) -> None:
        """Give, kill, and look at what is there."""
        run = self.run
        with open_book(run.urls[0]) as book:
            plan = planned(book, run.commands)
            before = _balances(book)
        (self._folder / "plan").write_text(json.dumps([told.dump() for told in plan]))
        with Crew("tests.faults.repeat:work", run.urls[0]) as crew:
            workers = [self._start(crew) for _ in range(run.processes)]
            while self.counts["killed"] < run.kills and not self.problems:
                time.sleep(self._chance.uniform(0, run.longest) / run.processes)
                place = self._chance.randrange(len(workers))
                if crew.kill(workers[place]) == SIGKILLED:
                    self.counts["killed"] += 1
                else:  # it had done all of it
                    self.counts["ended before"] += 1
                workers[place] = self._start(crew)
            self.problems += crew.wait_all(workers)
        self._look(plan, before)

    def _start(self, crew: Crew) -> int:
        self._started += 1
        url = self.run.urls[self._started % len(self.run.urls)]
        file, seed = str(self._folder / f"told-{self._started}"), self._chance.randrange(10**9)
        more = (self.run.times, self.run.forgotten, self.run.plant)
        return crew.start(url, seed, str(self._folder / "plan"), file, *more)

    def _look(self, plan: Sequence[Try], before: Mapping[str, int]) -> None:
        """Compare what was answered with what is there."""
        answers = self._answers()
        with open_book(self.run.urls[0]) as book:
            for told in plan:
                answers[told.key].add(_answer(book, told))
                outcome = book.outcome(told.key)
                if not outcome.recorded or {outcome.result} != answers[told.key]:
                    self.problems.append(f"{told.key!r}: {outcome} of {answers[told.key]}")
            self.problems += [f"verify: {problem}" for problem in book.verify().problems]
            after = _balances(book)
        ids = [id for told in plan for id in answers[told.key] if told.kind != "release"]
        if len(ids) != len(set(ids)):
            self.problems.append("two keys have the same answer")
        self.problems += counted_again(self.run.urls[0])
        counts, strange = effects(self.run.urls[0], plan)
        for told in plan:
            if counts[told.token] != 1:
                self.problems.append(
                    f"{told.kind} {told.key!r} is {counts[told.token]} times there"
                )
        self.problems += [f"{name} was recorded under a key of another" for name in strange]
        for client, balance in before.items():
            wanted = balance + sum(told.signed for told in plan if told.client == client)
            if after[client] != wanted:
                self.problems.append(f"client {client}: {after[client]}, not {wanted}")

    def _answers(self) -> dict[str, set[str]]:
        answers: dict[str, set[str]] = defaultdict(set)
        for file in self._folder.glob("told-*"):
            for key, what, answer in lines_of(file):
                self.counts[what] += 1
                if what == "answered":
                    answers[key].add(answer)
                elif what in ("refused", "misuse accepted"):
                    self.problems.append(f"{key!r}: {what}: {answer}")
        return answers

    def report(self) -> Iterator[str]:
        """What there is to tell, in lines."""
        yield ", ".join(f"{what}: {count}" for what, count in sorted(self.counts.items()))


def _answer(book: Book, told: Try) -> str:
    try:
        return try_again(book, told)
    except ClientLedgerError as error:
        return repr(error)


def _balances(book: Book) -> dict[str, int]:
    return {
        str(client.id): book.ledger.account(client, "EUR").balance.minor
        for client in book.clients.find()
    }


# ------------------------------------------------------------ in a worker
def work(
    url: str, seed: int, plan: str, file: str, times: int, forgotten: float, plant: str
) -> None:
    """Give every command of the plan some times, from any place in it on."""
    say, chance = said(file), Random(seed)
    tries = [Try.load(told) for told in json.loads(Path(plan).read_text())]
    with open_book(url, actor="olena") as book, _planted(plant):
        for told in _ordered(tries, chance):
            known = False
            for _ in range(chance.randint(1, times)):
                known |= _give(book, told, chance, say, forgotten)
            if known and chance.random() < 0.3:
                _misuse(book, near(told, chance.random() < 0.4), say)


def _ordered(tries: Sequence[Try], chance: Random) -> Iterator[Try]:
    windows = [list(tries[at : at + WINDOW]) for at in range(0, len(tries), WINDOW)]
    first = chance.randrange(len(windows))
    for window in (*windows[first:], *windows[:first]):
        chance.shuffle(window)
        yield from window


def _give(book: Book, told: Try, chance: Random, say: Any, forgotten: float) -> bool:
    """Give a command; whether it is known to be recorded."""
    try:
        id = try_again(book, told)
    except Busy:
        say([told.key, "Busy", ""])
        return False
    except ClientLedgerError as error:
        say([told.key, "refused", repr(error)])
        return False
    if chance.random() < forgotten:
        say([told.key, "forgotten", ""])
        return False
    say([told.key, "answered", id])
    return True


def _misuse(book: Book, told: Try, say: Any) -> None:
    try:
        id = try_again(book, told)
    except KeyReused:
        say([told.key, "misuse refused", ""])
    except ClientLedgerError as error:
        say([told.key, "misuse accepted", repr(error)])
    else:
        say([told.key, "misuse accepted", id])


def _planted(plant: str) -> AbstractContextManager[None]:
    """A fault in the desk, while it is there."""
    command = Desk.command

    def keyless(self: Desk, *told: Any, key: str | None, **more: Any) -> Any:
        return command(self, *told, key=None, **more)

    def unchecked(self: Desk, action: str, arguments: Any, *told: Any, **more: Any) -> Any:
        return command(self, "any", {}, *told, **more)

    planted = {KEYLESS: keyless, UNCHECKED: unchecked}
    return replaced(Desk, {"command": planted[plant]}) if plant else nullcontext()


def main() -> int:
    """Repeat, and say what was found; 1 if something was recorded twice, or not."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.repeat", description=__doc__)
    parser.add_argument("--url", default="sqlite", help="or postgresql, mariadb, galera, URL,URL")
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=0.5, help="seconds that a process lives")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    told = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, places(told.url) as urls:
        run = Run(
            urls=urls,
            commands=told.commands,
            processes=told.processes,
            kills=told.kills,
            longest=told.longest,
            seed=told.seed,
        )
        repeating = Repeating(run, Path(name))
        repeating.go()
    print(f"seed {run.seed}, {run.commands} commands, {time.monotonic() - began:.0f} s")
    print("\n".join([*repeating.report(), *repeating.problems[:20]]))
    print("" if repeating.problems else "each was recorded once")
    return int(bool(repeating.problems))


if __name__ == "__main__":
    sys.exit(main())
