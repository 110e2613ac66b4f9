"""Upgrades that are killed after each of their statements, and run again.

By hand, each kill on a book of its own, on every database:

    .venv/bin/python -m adapters.sqlalchemy.tests.killing --all

A child is forked that upgrades, and kills itself with SIGKILL right after a statement. What it
leaves must be the old book or the new one, or on MariaDB something in between that says of itself
that it is old; the next run makes just the book that an upgrade without any interruption makes.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - so that not each child has to load it
import attrs
import sqlalchemy as sa
from adapters.sqlalchemy.tests.old_books import connected, content, make_first_version, old_file
from adapters.sqlalchemy.tests.shapes import shape
from tests.servers.connect import reach_postgresql, with_database
from tests.servers.fresh import (
    drop_on_mariadb,
    drop_on_postgresql,
    make_on_mariadb,
    mariadb_database,
    postgresql_database,
    random_name,
)

from clientledger_sqlalchemy.schema import SCHEMA_VERSION
from clientledger_sqlalchemy.upgrading import migrate, upgrade

State = tuple[Any, Any]
Statement = tuple[str, str]

_READS = re.compile(r"\s*(SELECT|SHOW|DESCRIBE|PRAGMA (?!user_version =))", re.IGNORECASE)


# ------------------------------------------------------------ a kill
@attrs.frozen(kw_only=True)
class End:
    """How a run of an upgrade ended.

    Attributes:
        killed: by its own hand, else it came to its end.
        done: the statements that it had run.
    """

    killed: bool
    done: tuple[Statement, ...]


def run(work: Callable[[], object], stop: Callable[[list[Statement]], bool]) -> End:
    """Do something in a child, which kills itself after the first statement that is to be last.

    Raises:
        AssertionError: it failed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(work, stop, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, f"the upgrade failed: {status}\n{told}"
    lines = [line.split("\x1f") for line in told.split("\x1e") if line]
    return End(killed=killed, done=tuple((text, values) for text, values in lines))


def _child(work: Callable[[], object], stop: Callable[[list[Statement]], bool], out: int) -> None:
    done: list[Statement] = []

    def after(_c: Any, _cursor: Any, text: str, values: Any, *_more: Any) -> None:
        done.append((text, repr(values)))
        os.write(out, f"{text}\x1f{values!r}\x1e".encode())
        if stop(done):
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sa.event.listen(sa.Engine, "after_cursor_execute", after)
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told, and no test goes on in the child
        os.write(out, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)


def writes(statement: Statement) -> bool:
    """Whether a statement may have changed anything."""
    return not _READS.match(statement[0])


# ------------------------------------------------------------ places
@attrs.frozen(kw_only=True)
class Place:
    """Where old books can be made, as many as one likes.

    Attributes:
        book: makes one and gives its URL; it is gone afterwards.
        whole: whether an upgrade is one transaction, so that it is done or not.
        work: what is killed.
    """

    name: str
    book: Callable[[], AbstractContextManager[str]]
    whole: bool
    work: Callable[[str], object] = upgrade


@contextmanager
def files(name: str) -> Iterator[Place]:
    """Files of an old version, kept in memory where the system has such a folder."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path = Path(folder) / "book.db"

        @contextmanager
        def book() -> Iterator[str]:
            yield old_file(name, path)

        yield Place(name=f"sqlite {name}", book=book, whole=True)


@contextmanager
def on_postgresql() -> Iterator[Place]:
    """Databases with a book of version 1."""
    with _first_file() as source, postgresql_database() as base:
        make_first_version(base, source)

        @contextmanager
        def book() -> Iterator[str]:
            name, of = random_name(), base.rpartition("/")[2]
            server = with_database(base, "postgres", "postgresql")
            with closing(reach_postgresql(server)) as link:
                link.execute(f"CREATE DATABASE {name} TEMPLATE {of}".encode())
            try:
                yield with_database(base, name, "postgresql")
            finally:
                drop_on_postgresql(server, name)

        yield Place(name="postgresql", book=book, whole=True)


@contextmanager
def on_mariadb() -> Iterator[Place]:
    """Databases with a book of version 1."""
    with _first_file() as source, mariadb_database() as base:
        server = with_database(base, "test", "mariadb")

        @contextmanager
        def book() -> Iterator[str]:
            name = random_name()
            url = make_on_mariadb(server, name)
            try:
                make_first_version(url, source)
                yield url
            finally:
                drop_on_mariadb(server, name)

        yield Place(name="mariadb", book=book, whole=False)


@contextmanager
def from_nothing(databases: Callable[[], AbstractContextManager[str]]) -> Iterator[Place]:
    """Empty databases, in which all migrations run, the first one too."""

    def work(url: str) -> None:
        with connected(url) as connection:
            migrate(connection)

    with databases() as url:
        whole = url.startswith("postgresql")
    name = "postgresql from nothing" if whole else "mariadb from nothing"
    yield Place(name=name, book=databases, whole=whole, work=work)


@contextmanager
def _first_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield old_file("v1", Path(folder) / "first.db")


def state(url: str) -> State:
    """Everything that is in a database."""
    with connected(url) as connection:
        return shape(connection), content(connection)


def version(url: str) -> int:
    """Of which version a book says that it is; 0 where there is none yet."""
    with connected(url) as connection:
        if not shape(connection).get("book") or not content(connection)["book"]:
            return 0
        file = connection.dialect.name == "sqlite"
        asked = "PRAGMA user_version" if file else "SELECT schema_version FROM book"
        found: int = connection.exec_driver_sql(asked).scalar_one()
        return found


# ------------------------------------------------------------ killing
@attrs.frozen(kw_only=True)
class Tally:
    """What was tried.

    Attributes:
        kills: how many upgrades were killed, each after another statement.
        undone: after how many of them the book was as before.
        done: after how many it was upgraded.
    """

    name: str
    kills: int
    undone: int
    done: int
    seconds: float

    def __str__(self) -> str:
        between = self.kills - self.undone - self.done
        return (
            f"{self.name}: {self.kills} kills in {self.seconds:.1f} s; the book was as before "
            f"after {self.undone}, upgraded after {self.done}, in between after {between}"
        )


def each(place: Place, counts: Callable[[Statement], bool]) -> Tally:
    """Kill an upgrade after each of its statements, each time on a book of its own.

    Raises:
        AssertionError: a book is neither old nor new where it must be, or the next run makes
            something else than an upgrade without interruption.
    """
    began = time.monotonic()
    old, new, statements = _ends(place)
    last = sum(map(counts, statements))
    marks = Marks(place=place, old=old, new=new)

    def has(number: int) -> Callable[[list[Statement]], bool]:
        return lambda told: sum(map(counts, told)) == number

    for k in range(1, last + 1):
        with place.book() as url:
            end = run(partial(place.work, url), has(k))
            assert end.killed, f"{place.name}: there was no statement {k}"
            marks.check(url, end)
            place.work(url)
            assert state(url) == new, f"{end.done[-1]}: the next run made another book"
    return marks.tally(place.name, began)


def again_and_again(place: Place) -> Tally:
    """Kill an upgrade after each statement that no run before has come to, all on one book.

    So the book goes through every state that a kill can leave.
    """
    began = time.monotonic()
    old, new, _ = _ends(place)
    marks = Marks(place=place, old=old, new=new)
    seen: set[Statement] = set()

    def is_new(told: list[Statement]) -> bool:
        return writes(told[-1]) and told[-1] not in seen

    with place.book() as url:
        while (end := run(partial(place.work, url), is_new)).killed:
            seen.add(end.done[-1])
            marks.check(url, end)
        assert state(url) == new
    return marks.tally(f"{place.name}, again and again", began)


def _ends(place: Place) -> tuple[State, State, tuple[Statement, ...]]:
    """A book before and after an upgrade that nobody kills, and its statements."""
    with place.book() as url:
        old = state(url)
        whole = run(partial(place.work, url), lambda _: False)
        assert not whole.killed
        assert version(url) == SCHEMA_VERSION
        return old, state(url), whole.done


@attrs.define(kw_only=True)
class Marks:
    """What kills left behind."""

    place: Place
    old: State
    new: State
    kills: int = 0
    undone: int = 0
    done: int = 0

    def check(self, url: str, end: End) -> None:
        """Look at a book whose upgrade was killed: it is what it says it is."""
        said, found = version(url), state(url)
        told = f"{self.place.name}: killed after {end.done[-1]}"
        assert (found == self.new) == (said == SCHEMA_VERSION), told
        assert found in (self.old, self.new) or not self.place.whole, told
        self.kills += 1
        self.undone += found == self.old
        self.done += found == self.new

    def tally(self, name: str, began: float) -> Tally:
        """Sum up."""
        return Tally(
            name=name,
            kills=self.kills,
            undone=self.undone,
            done=self.done,
            seconds=time.monotonic() - began,
        )


def _everything(_: Statement) -> bool:
    return True


def main(arguments: list[str]) -> int:
    """Kill upgrades as told, and say how many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("places", nargs="*", metavar="PLACE", help=", ".join(PLACES))
    parser.add_argument("--all", action="store_true", help="after reads too, each on its own book")
    told = parser.parse_args(arguments)
    for name in told.places or PLACES:
        with PLACES[name]() as place:
            print(each(place, _everything) if told.all else again_and_again(place), flush=True)
    return 0


PLACES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "sqlite-v1": lambda: files("v1"),
    "sqlite-v2": lambda: files("v2"),
    "postgresql": on_postgresql,
    "mariadb": on_mariadb,
    "postgresql-from-nothing": lambda: from_nothing(postgresql_database),
    "mariadb-from-nothing": lambda: from_nothing(mariadb_database),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
