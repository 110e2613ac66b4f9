"""A disk that is full: on a small file system of its own, or by a limit of the size of files.

Commands are given until several have failed; then there is room again, and they are given again.
"""

import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from tests.faults.auditor import audit
from tests.faults.failing import Found
from tests.faults.workload import MARKER, Chooser, Command, Told, fresh, perform_all

from clientledger import Book, ClientLedgerError, open_book

__all__ = ["full"]

ENOUGH = 5
KIB = 1024


def full(folder: Path, way: str, rounds: int, seed: int) -> Found:
    """Fill the disk so many times, at another instant each time.

    Args:
        folder: an empty one; for "tmpfs", the whole of a small file system.
        way: "tmpfs", or "limit".
    """
    found, chance, told = Found(), Random(seed), Told()
    url = f"sqlite:///{folder / 'book.db'}"
    for round_ in range(rounds):
        book = open_book(url, actor="olena")
        chooser = Chooser(book, chance, f"r{round_}")
        perform_all(book, fresh(chooser, 5), told.hear, chooser.note)
        room = chance.randrange(4, 200) * KIB
        free = (_filled if way == "tmpfs" else _limited)(folder, room)
        try:
            _until_full(book, chooser, told, found)
            found.add(f"round {round_}, full", [str(one) for one in book.verify().problems])
            _opened_while_full(url, found)
        finally:
            free()
        again = [one for one in told.open if one.keys]
        perform_all(book, again, told.hear, chooser.note)
        found.counts["given again"] += len(again)
        left = [f"{one.key} still fails" for one in told.open if one.keys]
        found.add(f"round {round_}, with room again", left)
        if chance.random() < 0.5:
            perform_all(book, fresh(chooser, 20), told.hear, chooser.note)
        book.close()
        found.add(f"round {round_}", _looked_at(folder / "book.db", told))
        found.counts["rounds"] += 1
        found.counts["acknowledged"] = len(told.kept)
    return found


def _until_full(book: Book, chooser: Chooser, told: Told, found: Found) -> None:
    before = len(told.unsure)
    tried = 0
    while len(told.unsure) < before + ENOUGH and tried < 5000:
        tried += 1
        perform_all(book, [_next(chooser)], told.hear, chooser.note)
    found.counts["failed"] += len(told.unsure) - before
    for said in list(told.unsure.values())[before:]:
        found.counts[f"said: {said.rpartition('book.db: ')[2]}"] += 1
    if len(told.unsure) < before + ENOUGH:
        found.add("filling", [f"the disk never was full after {tried} commands"])


def _next(chooser: Chooser) -> Command:
    """A command that is sure to write."""
    while True:
        command = chooser.next()
        if command.keys:
            return command


def _opened_while_full(url: str, found: Found) -> None:
    """A second book on the full disk: it opens, or says why not."""
    try:
        with open_book(url, actor="olena") as other:
            other.clients.find(limit=5)
    except ClientLedgerError as error:
        found.counts[f"opening while full: {type(error).__name__}"] += 1
    else:
        found.counts["opening while full: done"] += 1


def _filled(folder: Path, room: int) -> Callable[[], None]:
    """Fill the file system up to some room; return how to free it again."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as out:
        written = 0
        try:
            while True:
                written += out.write(bytes(64 * KIB))
        except OSError:
            out.truncate(max(0, written - room))
    return filler.unlink


def _limited(folder: Path, room: int) -> Callable[[], None]:
    """Limit the size of files to what the largest is and some room; return how to end that."""
    largest = max(path.stat().st_size for path in folder.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _looked_at(path: Path, told: Told) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        wrong = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        seen = audit(db, marker=MARKER)
    return [*wrong, *seen.problems, *told.problems(seen.keys)]
