"""SQLite files: opened so that nothing is lost, and only when they are books of ours."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from clientledger import Busy, InvalidValue, StoreError
from clientledger_sqlalchemy.failures import FAILURES, failure_of
from clientledger_sqlalchemy.schema import SCHEMA_VERSION, Tables

__all__ = ["APPLICATION", "APPLICATION_ID", "engine_for", "make_book", "path_of"]

APPLICATION = "clientledger"
APPLICATION_ID = 0x434C4442
"""What says in a SQLite file's header that it is a book."""

_PREFIX = "sqlite:///"
_SETTINGS = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON"
T = TypeVar("T")


def path_of(url: str) -> Path:
    """Read the path out of ``sqlite:///clients.db`` or ``sqlite:////var/lib/clients.db``.

    Raises:
        InvalidValue: there is none, or something that is no path.
    """
    name = url.removeprefix(_PREFIX)
    if name == url or name in ("", ":memory:") or "?" in name or "\0" in name:
        raise InvalidValue(
            "not the address of a SQLite file",
            field="url",
            value=url,
            remedy='write "sqlite:///clients.db", or "memory:" for a book that is not kept',
        )
    return Path(name).absolute()


def engine_for(path: Path, *, read_only: bool, wait: float) -> sa.Engine:
    """Make an engine for a file that is a book, or is to become one.

    Each connection waits `wait` seconds for other writers, checks foreign keys, and syncs every
    commit to the disk. Transactions begin only when they are told to.

    Raises:
        StoreError: the file is missing, cannot be opened, or is not a book; it was not written to.
    """
    with _failures(path):
        _check_folder(path, read_only)
        if not read_only and not path.exists():
            path.touch()
        if read_only or path.stat().st_size:
            with closing(_connected(path, "ro", wait)) as connection:
                _check(connection.execute, path, may_be_empty=not read_only)
    mode = "ro" if read_only else "rw"  # neither makes a new file where the book has gone

    def connect() -> sqlite3.Connection:
        connection = _connected(path, mode, wait)
        connection.executescript(_SETTINGS)
        return connection

    return sa.create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=sa.pool.QueuePool,
        max_overflow=-1,
        hide_parameters=True,
    )


def make_book(engine: sa.Engine, path: Path, tables: Tables, wait: float) -> None:
    """Make the tables in an empty file; in a book, only see to its settings.

    Raises:
        StoreError: the file does not allow what a book needs, or is not a book.
        Busy: another process is doing the same for longer than we wait.
    """
    with _failures(path), engine.connect() as connection:
        run = connection.exec_driver_sql
        mode = _patiently(lambda: run("PRAGMA journal_mode = WAL").scalar(), wait)
        if mode != "wal":
            raise StoreError(
                f"{path}: this file system does not allow write-ahead logging",
                remedy="keep the book on a local disk",
            )
        if not _check(run, path, may_be_empty=True):
            return
        run("BEGIN IMMEDIATE")
        if _check(run, path, may_be_empty=True):  # nobody else has made it meanwhile
            book = {"id": 1, "application": APPLICATION, "schema_version": SCHEMA_VERSION}
            tables.book.metadata.create_all(connection)
            connection.execute(sa.insert(tables.book), book)
            run(f"PRAGMA application_id = {APPLICATION_ID}")
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.commit()


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise failure_of(error, str(path)) from error
    except OSError as error:
        raise StoreError(
            f"{path}: the file cannot be reached ({type(error).__name__})",
            remedy="check the path and the rights of its folders",
        ) from error


def _check_folder(path: Path, read_only: bool) -> None:
    said = remedy = ""
    if path.is_dir():
        said, remedy = "this is a folder", "name a file in it"
    elif not path.parent.is_dir():
        said, remedy = "its folder does not exist", "make the folder first"
    elif read_only and not path.exists():
        said, remedy = "there is no such file", "check the path, or open it for writing first"
    if said:
        raise StoreError(f"{path}: {said}", field="url", value=str(path), remedy=remedy)


def _connected(path: Path, mode: str, wait: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=wait,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )


def _check(run: Callable[[str], Any], path: Path, *, may_be_empty: bool) -> bool:
    """Refuse a file that is not a book of this version; return whether it is empty."""
    application = run("PRAGMA application_id").fetchone()[0]
    version = run("PRAGMA user_version").fetchone()[0]
    occupied = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if may_be_empty and not (application or version or occupied):
        return True
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path}: the file is no book; another program made it",
            field="url",
            value=str(path),
            remedy="name another file, or one that is not there yet",
        )
    if version != SCHEMA_VERSION:
        newer = version > SCHEMA_VERSION
        raise StoreError(
            f"{path}: the book has the tables of version {version}, not {SCHEMA_VERSION}",
            field="url",
            value=str(path),
            remedy=f"install a {'newer' if newer else 'matching'} clientledger-sqlalchemy",
        )
    return False


def _patiently(function: Callable[[], T], wait: float) -> T:
    """Try again while the file is locked: SQLite itself does not wait where modes change."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return function()
        except FAILURES as error:
            if time.monotonic() > deadline or not isinstance(failure_of(error, ""), Busy):
                raise
            time.sleep(0.01)
