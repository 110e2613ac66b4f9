"""Calls to the disk that fail, in a process that has the shim in it (`shim.py`).

Two ways. *Going on*: one book stays open; the n-th call of a command fails, for n from 1 until none
is left to fail; then the same command is given again. *From opening to closing*: the n-th of all
calls of opening a book, a command, and closing it fails; each time on a copy of the same files.

After each failure: was it an error of ours; is all that was acknowledged there, and nothing in
part, both in the running process and if it had died just then; is no file left open.
"""

import errno
import gc
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import attrs
from tests.faults.auditor import audit
from tests.faults.shim import CALLS, Shim
from tests.faults.workload import MARKER, Chooser, Command, Told, fresh, perform, perform_all

from clientledger import Book, ClientLedgerError, StoreError, open_book

__all__ = ["FAULTS", "Failing", "Fault", "Found"]

IDLE = 150
"""So many commands without such a call, and there are none: SQLite copies its log more often."""
STARTS = ("closed", "killed", "new")


@attrs.frozen
class Fault:
    """What fails, and how.

    Attributes:
        calls: "write", "sync" and so on, several with "+".
        error: the name of the error; "none" for writes that are not done and said to be: a planted
            fault, which must be found.
        way: "once", "lasting" (all later ones too), or "halved" (half of the write is done first,
            then all fail).
        only: the name of the file that is meant; every file by default.
    """

    calls: str
    error: str
    way: str
    only: str = ""

    @property
    def mask(self) -> int:
        """The calls as a number."""
        return sum(CALLS[name] for name in self.calls.split("+"))

    def __str__(self) -> str:
        return f"{self.calls} {self.error} {self.way} {self.only}".rstrip()

    @classmethod
    def read(cls, text: str) -> "Fault":
        """From what `str` makes of one."""
        return cls(*text.split())


FAULTS = tuple(
    Fault.read(text)
    for text in (
        "write EIO once",
        "write EIO lasting",
        "write ENOSPC once",
        "write ENOSPC lasting",
        "write ENOSPC halved",
        "sync EIO once",
        "sync EIO lasting",
        "truncate EIO once",
        "truncate ENOSPC lasting",
        "read EIO once",
        "read EIO lasting",
        "open EMFILE once",
        "open EACCES lasting",
        "unlink EIO once",
        "write+sync+truncate EIO lasting",
        "write+sync+truncate ENOSPC lasting",
        "write EIO once book.db",
        "write ENOSPC lasting book.db",
        "sync EIO once book.db",
        "truncate EIO once book.db",
        "write EIO once book.db-shm",
    )
)


@attrs.define
class Found:
    """What was found: counts, and what was wrong."""

    counts: Counter[str] = attrs.field(factory=Counter)
    problems: list[str] = attrs.field(factory=list)

    def add(self, where: str, problems: list[str]) -> None:
        self.problems += [f"{where}: {problem}" for problem in problems]


class Failing:
    """Lets calls fail, and looks.

    Args:
        folder: an empty one, where books are.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._shim = Shim()
        self.found = Found()

    # -------------------------------------------------------- one book that stays open
    def going_on(self, fault: Fault, *, stride: int = 1, least: int = 100) -> None:
        """Let the n-th call of a command fail, for each n, on a book that stays open.

        Commands go on until one makes such a call that often; then the same begins with another.

        Args:
            stride: only every so many calls.
            least: begin anew until so many calls have failed.
        """
        place = self._emptied("live")
        self._shim.watch(place)
        with open_book(_url(place), actor="olena") as book:
            chooser = Chooser(book, Random(self._seed), "k")
            told = _worked(book, chooser, 30)
            nth, idle, count, command = 1, 0, 0, chooser.next()
            while idle < IDLE:
                again = self._command(book, chooser, command, told, fault, nth)
                fired = self._shim.fired > 0
                if self._shim.seen and not fired:
                    if count >= least:
                        break
                    nth = 1
                count += fired
                nth += stride * fired
                idle = 0 if fired else idle + 1
                command = command if again else chooser.next()
            self.found.add(f"going on, {fault}", [str(one) for one in book.verify().problems])
        gc.collect()
        self.found.add(f"going on, {fault}", _left_open(place))

    def _command(
        self, book: Book, chooser: Chooser, command: Command, told: Told, fault: Fault, nth: int
    ) -> bool:
        """Let a call of a command fail, and look; return whether it is to be given again."""
        place = self._folder / "live"
        told.commands[command.key] = command
        self._arm(fault, nth)
        ended = _given(book, command, chooser)
        self._shim.stop()
        at = f"going on, {fault}, call {nth}, {command.kind}"
        if not ended.failed:
            (told.refused if ended.error else told.kept).add(command.key)
        if self._shim.fired:
            self._count(fault, ended, at)
            self._look(place, told, at, "")
            self._look(self._died(place), told, at, " after a crash")
        return ended.failed and not all(book.outcome(key) for key in command.keys)

    def _died(self, place: Path) -> Path:
        """A copy of the files as the next process would find them if this one had died."""
        other = self._emptied("died")
        for path in place.iterdir():
            if not path.name.endswith("-shm"):
                shutil.copy(path, other)
        return other

    # -------------------------------------------------------- from opening to closing
    def whole(self, start: str, fault: Fault, *, stride: int = 1) -> None:
        """Let the n-th call of opening, a command and closing fail, for each n.

        Args:
            start: "closed" for a book in order, "killed" for one whose last process was killed,
                "new" for none.
            stride: only every so many calls.
        """
        base, told, command = self._made(start)
        nth, fired = 1, True
        while fired:
            place = self._emptied("whole")
            for path in base.iterdir():
                shutil.copy(path, place)
            self._shim.watch(place)
            self._arm(fault, nth)
            ended = _opened_and_given(place, command)
            self._shim.stop()
            fired = self._shim.fired > 0
            at = f"from {start}, {fault}, call {nth}, {command.kind}"
            if fired:
                kept = Told(dict(told.commands), set(told.kept), set(told.refused))
                kept.commands[command.key] = command
                if not ended.error:
                    kept.kept.add(command.key)
                self._count(fault, ended, at)
                gc.collect()
                self.found.add(at, _left_open(place))
                self._look(place, kept, at, "")
                self._again(place, command, kept, at)
            nth += stride

    def _made(self, start: str) -> tuple[Path, Told, Command]:
        base = self._emptied(f"base {start}")
        if start == "new":
            name = {"name": "Acme", "email": "office@acme.example"}
            return base, Told(), Command("k-1", "client", name)
        book = open_book(_url(base), actor="olena")
        chooser = Chooser(book, Random(self._seed), "k")
        told = _worked(book, chooser, 30)
        command = chooser.next()
        while command.kind not in ("sale", "pair", "correct"):
            command = chooser.next()
        if start == "killed":
            shutil.copytree(self._died(base), self._folder / "kept")
            book.close()
            shutil.rmtree(base)
            (self._folder / "kept").rename(base)
        book.close()
        return base, told, command

    def _again(self, place: Path, command: Command, told: Told, at: str) -> None:
        """Once the disk is well again, the command can be given again: it is there once."""
        ended = _opened_and_given(place, command)
        if ended.error:
            self.found.add(at, [f"given again: {ended.error}: {ended.said}"])
        else:
            told.kept.add(command.key)
            self._look(place, told, at, " when given again")

    # -------------------------------------------------------- looking
    def _emptied(self, name: str) -> Path:
        place = self._folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    def _arm(self, fault: Fault, nth: int) -> None:
        lasting, halved = fault.way != "once", fault.way == "halved"
        error = 0 if fault.error == "none" else getattr(errno, fault.error)
        self._shim.arm(fault.mask, nth, error, lasting=lasting, halved=halved, only=fault.only)

    def _count(self, fault: Fault, ended: "_Ended", at: str) -> None:
        counts = self.found.counts
        counts["points"] += 1
        counts[f"points: {fault}"] += 1
        counts[f"outcome: {ended.error or 'done all the same'}"] += 1
        if ended.error and not ended.ours:
            self.found.add(at, [f"no error of ours: {ended.error}: {ended.said}"])
        elif ended.error and not ended.said.strip():
            self.found.add(at, ["an error that says nothing"])

    def _look(self, place: Path, told: Told, at: str, when: str) -> None:
        """Audit the files by plain SQL, and compare with what was told."""
        try:
            keys, problems = _looked_at(place / "book.db")
        except sqlite3.Error as error:
            self.found.add(at, [f"it does not open{when}: {error}"])
            return
        self.found.add(at + when, [*problems, *told.problems(keys)])
        unsure = [one for one in told.open if one.keys and set(one.keys) <= keys]
        self.found.counts[f"failed, and recorded all the same{when}"] += bool(unsure)


def _url(place: Path) -> str:
    return f"sqlite:///{place / 'book.db'}"


def _worked(book: Book, chooser: Chooser, count: int, told: Told | None = None) -> Told:
    """Let commands be done while nothing fails."""
    told = told or Told()
    perform_all(book, fresh(chooser, count), told.hear, chooser.note)
    return told


@attrs.frozen
class _Ended:
    """How a call ended; the exception itself, which holds on to connections, is let go.

    Attributes:
        error: the name of what was raised, or "".
        said: what it said.
        ours: whether it was an error of the library.
        failed: whether it leaves open what became of the command.
    """

    error: str = ""
    said: str = ""
    ours: bool = True
    failed: bool = False


def _ended(error: Exception) -> _Ended:
    ours = isinstance(error, ClientLedgerError)
    failed = not ours or isinstance(error, StoreError)
    return _Ended(type(error).__name__, str(error), ours, failed)


def _given(book: Book, command: Command, chooser: Chooser | None = None) -> _Ended:
    """Give a command; return how it ended."""
    try:
        made = perform(book, command)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return _ended(error)
    if chooser is not None:
        chooser.note(made)
    return _Ended()


def _opened_and_given(place: Path, command: Command) -> _Ended:
    """Open a book, give a command, close it; return how the first that failed ended."""
    try:
        book = open_book(_url(place), actor="olena")
    except Exception as error:  # noqa: BLE001
        return _ended(error)
    given = _given(book, command)
    try:
        book.close()
    except Exception as error:  # noqa: BLE001
        return given if given.error else _ended(error)
    return given


def _left_open(place: Path) -> list[str]:
    """Files of a folder that this process has open."""
    return [f"{name} was left open" for name in sorted(_held(place))]


def _held(place: Path) -> Iterator[str]:
    for file in os.listdir("/proc/self/fd"):
        try:
            path = Path(os.readlink(f"/proc/self/fd/{file}"))
        except OSError:
            continue  # it was the folder that is being listed
        if path.parent == place:
            yield path.name


def _looked_at(path: Path) -> tuple[frozenset[str], list[str]]:
    """The keys in a file, and what is wrong with it."""
    if not path.exists():
        return frozenset(), []
    with closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == (0,):
            return frozenset(), []
        wrong = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if wrong:
            return frozenset(), wrong
        found = audit(db, marker=MARKER)
        return found.keys, list(found.problems)
