"""Writers that never give up: processes that give each command again, with its key, until it ends.

Each announces a command, gives it, and tells what became of it: "+" recorded, "-" refused by the
book. Told that the database is away, or does not say, or is busy ("~"), it gives the same command
again, through the next of its URLs, until it knows. It keeps its books open all the time.
"""

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs
import sqlalchemy as sa
from tests.faults.workload import Chooser, Command, Told, perform, printed

from clientledger import (
    Book,
    Busy,
    ClientLedgerError,
    HostTransactionAborted,
    OutcomeUnknown,
    Unavailable,
    open_book,
)
from clientledger_sqlalchemy import store
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["REKEYED", "UNSYNCED", "Writers", "twice"]

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PASSING = (Unavailable, OutcomeUnknown, Busy, HostTransactionAborted)
HOME = 40
"""Commands after which a writer goes back to its first URL."""

STRANGE = ("StoreError", "NotAllowed")
"""What a server that comes and goes must never be told as."""

AGAIN = "~"
REKEYED, UNSYNCED = "rekeyed", "unsynced"
"""Planted faults: a command is given again with another key; PostgreSQL need not keep commits."""


def twice(keys: set[str] | frozenset[str]) -> list[str]:
    """Commands that were recorded twice: once more under a key of a planted fault."""
    commands = Counter(key.partition(AGAIN)[0] + key.partition("/")[2] for key in keys)
    return [f"{key} was recorded {count} times" for key, count in commands.items() if count > 1]


# ------------------------------------------------------------ in this process
@attrs.define
class _One:
    """A writer, as its owner sees it."""

    process: "subprocess.Popen[bytes]"
    file: Path
    read: int = 0
    kept: int = 0


class Writers:
    """Some writers, and what they have told so far. They are killed at the end.

    Args:
        folder: for what they tell.
        mark: the beginning of all their keys.

    Attributes:
        told: what they told.
        failures: how often each name of an error was told.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self.mark = mark
        self.told = Told()
        self.failures: Counter[str] = Counter()
        self._folder = folder
        self._all: list[_One] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._all:
            one.process.kill()
            one.process.wait()

    def start(
        self, urls: Sequence[str], seed: int, *, patience: float = 30, plant: str = ""
    ) -> None:
        """Start one.

        Args:
            urls: of one book; the first is its home.
            patience: seconds for which it asks what became of a commit.
            plant: a fault to plant.
        """
        file = self._folder / f"{self.mark}-{len(self._all)}"
        file.touch()
        prefix = f"{self.mark}-{len(self._all)}"
        order = json.dumps([list(urls), prefix, seed, str(file), patience, plant])
        command = [sys.executable, "-m", "tests.faults.writers", order]
        self._all.append(_One(subprocess.Popen(command, cwd=ROOT), file))

    def listen(self) -> list[int]:
        """Hear what is new; give how many commands each writer has been told to be recorded."""
        for one in self._all:
            with one.file.open("rb") as file:
                file.seek(one.read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1].decode()
            one.read += len(whole.encode())
            self.told.hear_all(whole)
            for line in whole.splitlines():
                one.kept += line.startswith("+ ")
                if line.startswith("~ "):
                    self.failures[line.split()[2].rstrip(":")] += 1
                if line.startswith("- ") and line.split()[2].startswith(STRANGE):
                    self.told.strange.append(line)
        return [one.kept for one in self._all]

    def await_more(self, before: Sequence[int], timeout: float = 60) -> list[int]:
        """Wait until each writer has been told of one more.

        Raises:
            TimeoutError: one was not.
        """
        deadline = time.monotonic() + timeout
        while True:
            now = self.listen()
            if all(new > old for new, old in zip(now, before, strict=True)):
                return now
            if time.monotonic() > deadline:
                raise TimeoutError(f"no acknowledgement within {timeout:g} s: {before} to {now}")
            if ended := [one.process.poll() for one in self._all if one.process.poll() is not None]:
                raise RuntimeError(f"a writer ended by itself with {ended}")
            time.sleep(0.005)

    def freeze(self) -> None:
        """Stop them where they are."""
        for one in self._all:
            one.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for one in self._all:
            one.process.send_signal(signal.SIGCONT)

    def stop(self, timeout: float = 90) -> list[str]:
        """Let each bring its command to an end; what went wrong."""
        for one in self._all:
            one.process.send_signal(signal.SIGTERM)
        found = []
        for one in self._all:
            try:
                if code := one.process.wait(timeout):
                    found.append(f"a writer ended with {code}")
            except subprocess.TimeoutExpired:
                found.append("a writer does not end")
        self.listen()
        found += [f"{one.key} has no end" for one in self.told.open if one.keys and not found]
        return found


# ------------------------------------------------------------ in a writer
class _Writer:
    """One writer at work."""

    def __init__(
        self, urls: list[str], prefix: str, seed: int, told: str, patience: float, plant: str
    ) -> None:
        self.ended = False
        self._urls, self._prefix, self._plant = urls, prefix, plant
        self._chance = Random(seed)
        self._say = printed(os.open(told, os.O_WRONLY | os.O_APPEND))
        self._books: dict[str, Book] = {}
        self._place = self._moves = self._count = 0
        self._chooser: Chooser | None = None
        store._PATIENCE = patience

    def run(self) -> None:
        """Give commands until told to end."""
        while not self.ended:
            self._count += 1
            if len(self._urls) > 1 and self._count % HOME == 0 and self._place:
                self._go(0)
            self._give(self._patiently(self._chosen))

    def _give(self, command: Command) -> None:
        self._say(f"? {command.dump()}")
        key, again = command.key, 0
        while True:
            try:
                made = perform(self._book(), command)
            except PASSING as error:
                self._say(f"~ {key} {type(error).__name__}: {' '.join(str(error).split())}")
                self._wait()
                if self._plant == REKEYED:
                    again += 1
                    command = attrs.evolve(command, key=f"{key}{AGAIN}{again}")
            except ClientLedgerError as error:
                self._say(f"- {key} {type(error).__name__}: {' '.join(str(error).split())}")
                return
            except BaseException as error:
                self._say(f"! {key} {error!r}")
                raise
            else:
                self._say(f"+ {key}")
                if self._chooser is not None:
                    self._chooser.note(made)
                return

    def _chosen(self) -> Command:
        if self._chooser is None:
            prefix = f"{self._prefix}.{self._moves}"
            self._chooser = Chooser(self._book(), self._chance, prefix)
        return self._chooser.next()

    def _patiently(self, function: Callable[[], T]) -> T:
        while True:
            try:
                return function()
            except PASSING:
                if self.ended:
                    raise SystemExit from None
                self._wait()

    def _wait(self) -> None:
        time.sleep(self._chance.uniform(0.01, 0.1))
        self._go((self._place + 1) % len(self._urls))

    def _go(self, place: int) -> None:
        """Go on through another URL."""
        if place != self._place:
            self._place = place
            self._moves += 1
            self._chooser = None

    def _book(self) -> Book:
        url = self._urls[self._place]
        if url not in self._books:
            self._books[url] = self._opened(url)
        return self._books[url]

    def _opened(self, url: str) -> Book:
        if self._plant != UNSYNCED:
            return open_book(url, actor="olena")
        opened = SqlStore.open(f"{url}?accept=synchronous_commit")
        opened.engine.close()  # so that every connection is made anew
        sa.event.listen(opened.engine.pool, "connect", _need_not_keep)
        return Book(opened, actor="olena")


def _need_not_keep(connection: Any, _record: object) -> None:
    connection.execute("SET synchronous_commit = off")


def main() -> None:
    """Write until SIGTERM, or until the owner is gone."""
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of every loss
    with suppress(AttributeError, OSError):  # Linux only
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    writer = _Writer(*json.loads(sys.argv[1]))

    def end(*_: object) -> None:
        writer.ended = True

    signal.signal(signal.SIGTERM, end)
    writer.run()


if __name__ == "__main__":
    main()
