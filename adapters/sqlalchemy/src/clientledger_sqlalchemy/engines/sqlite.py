"""SQLite files: opened so that nothing is lost, and only when they are books of ours."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import attrs
import sqlalchemy as sa

from clientledger import Busy, Conflict, Duplicate, InvalidValue, OutcomeUnknown, StoreError
from clientledger.ports import Finding
from clientledger_sqlalchemy.engines.engine import Engine, Failure
from clientledger_sqlalchemy.engines.options import Options
from clientledger_sqlalchemy.engines.queue import Queue
from clientledger_sqlalchemy.schema import (
    SCHEMA_VERSION,
    Tables,
    check_not_newer,
    check_version,
    first_rows,
)

__all__ = ["APPLICATION_ID", "SqliteEngine", "connect", "path_of"]

APPLICATION_ID = 0x434C4442
"""What says in a SQLite file's header that it is a book."""

_SETTINGS = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON"
_FREE_SPACE = "free some space on the disk, then do it again"
_SAID = {
    sqlite3.SQLITE_READONLY: ("it is read-only", "allow writing to the file and its folder"),
    sqlite3.SQLITE_FULL: ("the disk is full", _FREE_SPACE),
    sqlite3.SQLITE_IOERR: ("the disk failed or is full", "look after the disk; nothing was kept"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("the file is no SQLite database", "name another file"),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "check that its folder is there and may be written to",
    ),
    sqlite3.SQLITE_PERM: ("access is not permitted", "change the rights of the file"),
    sqlite3.SQLITE_CONSTRAINT: (
        "a rule of the tables refuses the rows",
        "this is a fault of the program: report it",
    ),
}
_NETWORKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ceph"})
T = TypeVar("T")


def path_of(url: sa.URL) -> Path:
    """Read the path out of ``sqlite:///clients.db`` or ``sqlite:////var/lib/clients.db``.

    Raises:
        InvalidValue: there is none, or something that is no path.
    """
    name = url.database or ""
    if url.query or name in ("", ":memory:") or "\0" in name:
        raise InvalidValue(
            "not the address of a SQLite file",
            field="url",
            value=url.render_as_string(),
            remedy='write "sqlite:///clients.db", or "memory:" for a book that is not kept',
        )
    return Path(name).absolute()


def connect(url: sa.URL, options: Options, read_only: bool) -> "SqliteEngine":
    """Make an engine for a file that is a book, or is to become one.

    Each connection checks foreign keys, and syncs every commit to the disk. Transactions begin
    only when they are told to.

    Raises:
        StoreError: the file is missing, cannot be opened, or is not a book; it was not written to.
    """
    path = path_of(url)
    if options.prefix or options.schema or options.partitions:
        raise InvalidValue(
            "a SQLite file is one book",
            field="url",
            remedy="leave out prefix, schema and partitions, and take another file",
        )
    with _failures(path):
        there = read_only or options.older
        _check_folder(path, there)
        if not there and not path.exists():
            path.touch()
            _sync_folder(path.parent)
        if there or path.stat().st_size:
            _look(path, read_only, options, may_be_empty=not there)
    mode = "ro" if read_only else "rw"  # neither makes a new file where the book has gone

    def connected() -> sqlite3.Connection:
        connection = _connected(path, mode, options.wait)
        connection.executescript(_SETTINGS)
        return connection

    pool = sa.create_engine(
        "sqlite+pysqlite://",
        creator=connected,
        poolclass=sa.pool.QueuePool,
        pool_size=options.pool,
        max_overflow=-1,
        hide_parameters=True,
        pool_reset_on_return=None,  # the store does that
    )
    return SqliteEngine(
        pool=pool,
        place=str(path),
        read_only=read_only,
        writing=("BEGIN IMMEDIATE",),
        reading=("BEGIN",),
        probing=("BEGIN IMMEDIATE",),
        path=path,
        wait=options.wait,
    )


@attrs.define
class SqliteEngine(Engine):
    """A file.

    Attributes:
        path: of the file.
        wait: seconds to wait for other writers.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (sa.exc.SQLAlchemyError, sqlite3.Error)
    # When the sync of a commit fails SQLite undoes it in memory, but its mark stays in the log.
    overwriting: ClassVar[tuple[str, ...]] = (
        "INSERT INTO salts (position, salt) VALUES (-1, '')",
        "DELETE FROM salts WHERE position = -1",
    )

    path: Path
    wait: float
    _queue: Queue = attrs.field(
        init=False, default=attrs.Factory(lambda self: Queue(self.path, self.wait), takes_self=True)
    )

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._queue.turn():
            yield

    @contextmanager
    def examining(self, connection: Any) -> Iterator[None]:
        link = getattr(connection, "driver_connection", connection)
        before, link.text_factory = link.text_factory, _text_or_bytes
        try:
            yield
        finally:
            link.text_factory = before

    def make(self, tables: Tables) -> None:
        if self.read_only:
            return  # it was looked at when the file was opened
        with _failures(self.path), self.pool.connect() as connection:
            run = connection.exec_driver_sql
            mode = _patiently(lambda: run("PRAGMA journal_mode = WAL").scalar(), self.wait)
            if mode != "wal":
                raise StoreError(
                    f"{self.place}: this file system does not allow write-ahead logging",
                    remedy="keep the book on a local disk",
                )
            if not _check(run, self.path, may_be_empty=True):
                return
            run("BEGIN IMMEDIATE")
            if _check(run, self.path, may_be_empty=True):  # nobody else has made it meanwhile
                tables.book.metadata.create_all(connection)
                first_rows(connection, tables)
                run(f"PRAGMA application_id = {APPLICATION_ID}")
                run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.commit()

    def upgrade(self, tables: Tables, migrate: Callable[[sa.Connection], None]) -> tuple[int, int]:
        with _failures(self.path), self.pool.connect() as connection:
            run = connection.exec_driver_sql
            try:
                run("PRAGMA foreign_keys = OFF")  # a table that is made anew is gone for a moment
                with self.turn():
                    run("BEGIN IMMEDIATE")
                _check(run, self.path, may_be_empty=False, older=True)
                before: int = run("PRAGMA user_version").scalar_one()
                if before < SCHEMA_VERSION:
                    migrate(connection)
                    if run("PRAGMA foreign_key_check").fetchall():
                        raise StoreError(
                            f"{self.place}: rows refer to others that are not there",
                            remedy="nothing was changed; restore the file from a backup",
                        )
                    run(f"PRAGMA user_version = {SCHEMA_VERSION}")
                run("COMMIT")
            finally:
                connection.invalidate()  # it checks no foreign keys
            return before, SCHEMA_VERSION

    def failure(self, error: Exception) -> Failure:
        return _meaning(error, self.place)

    def backup(self, path: Path) -> None:
        part = path.with_name(f"{path.name}-part")
        with _failures(path):
            if not path.parent.is_dir():
                raise StoreError(f"{path}: its folder does not exist", remedy="make it first")
            try:
                with (
                    closing(_connected(self.path, "ro", self.wait)) as source,
                    closing(sqlite3.connect(part)) as copy,
                ):
                    source.backup(copy, pages=1000, sleep=0.001)
                    copy.execute("PRAGMA journal_mode = DELETE")  # nothing stays beside the file
                    _check_whole(copy, path)
                with part.open("rb") as file:
                    os.fsync(file.fileno())
                part.replace(path)
                _sync_folder(path.parent)
            finally:
                part.unlink(missing_ok=True)

    def unknown(self) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self.place}: the disk failed during the commit",
            remedy="look after the disk, open the book again, and ask book.outcome(key)",
        )

    def findings(self, connection: Any, tables: Tables) -> list[Finding]:
        def pragma(name: str) -> Any:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        found = []
        if pragma("journal_mode") != "wal":
            said, remedy = f"journal_mode is {pragma('journal_mode')}", "PRAGMA journal_mode = WAL"
            found.append(Finding(name="journal_mode", said=said, remedy=remedy))
        if pragma("synchronous") < 2:
            said = "a power cut would lose what was acknowledged"
            found.append(Finding(name="synchronous", said=said, remedy="PRAGMA synchronous = FULL"))
        if not pragma("foreign_keys"):
            said = "references are not checked"
            found.append(Finding(name="foreign_keys", said=said, remedy="PRAGMA foreign_keys = ON"))
        if not pragma("recursive_triggers"):
            said = "what is recorded could be replaced past its guards"
            remedy = "PRAGMA recursive_triggers = ON"
            found.append(Finding(name="recursive_triggers", said=said, remedy=remedy))
        if connection.isolation_level is not None:
            said = "the driver begins transactions by itself, and reads outside them"
            found.append(Finding(name="transaction_mode", said=said, remedy="isolation_level=None"))
        if pragma("encoding") != "UTF-8":
            said = f"text is kept as {pragma('encoding')}, which orders otherwise"
            found.append(Finding(name="encoding", said=said, remedy="make the file anew"))
        missing = _missing_triggers(connection, tables)
        if missing:
            said = f"nothing guards what is recorded: {', '.join(missing)}"
            found.append(Finding(name="triggers", said=said, remedy="restore them from a backup"))
        kind = _file_system(self.path)
        if kind in _NETWORKS:
            said = f"the file lies on a network file system ({kind}), whose locks cannot be trusted"
            found.append(
                Finding(name="network_file_system", said=said, remedy="keep it on a local disk")
            )
        return found


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _check_whole(copy: sqlite3.Connection, path: Path) -> None:
    [said] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise StoreError(f"{path}: the copy is damaged: {said}", remedy="look after the disk")


def _sync_folder(folder: Path) -> None:
    """Let a new name in a folder outlast a power cut, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _missing_triggers(connection: Any, tables: Tables) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    there = {row[0] for row in rows}
    wanted = [f"{table.name}_no_{verb}" for table in tables.kept for verb in ("update", "delete")]
    return sorted(set(wanted) - there)


def _file_system(path: Path) -> str:
    """The kind of file system that a file lies on, where the system tells; else ""."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = path.is_relative_to(point)
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    try:
        yield
    except SqliteEngine.failures as error:
        raise _meaning(error, str(path)).error from error
    except OSError as error:
        raise StoreError(
            f"{path}: the file cannot be reached ({type(error).__name__})",
            remedy="check the path and the rights of its folders",
        ) from error


def _meaning(error: Exception, place: str) -> Failure:
    """Say what an error of the driver means."""
    original = getattr(error, "orig", None) or error
    extended = getattr(original, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        said = "other writers have held the book for too long"
        return Failure(error=Busy(said, remedy="end the other unit of work first, or try again"))
    if extended in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
        return Failure(error=Duplicate("already there", passing=True))
    if extended == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return Failure(error=Conflict("what it refers to has changed", passing=True))
    if code in _SAID:
        said, remedy = _SAID[code]
        # What could not be written has no mark of its commit in the log; what was only not synced
        # may have one.
        torn = code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_WRITE
        return Failure(error=StoreError(f"{place}: {said}", remedy=remedy), refused=torn)
    return Failure(
        error=StoreError(
            f"{place}: the database failed ({type(original).__name__})",
            remedy="the cause says what it told",
        )
    )


def _look(path: Path, read_only: bool, options: Options, *, may_be_empty: bool) -> None:
    """Refuse a file that is no book of ours.

    It is not written to, but where its making was cut short and it cannot be read before SQLite
    has rolled that back.
    """
    for mode in ("ro", "rw"):
        try:
            with closing(_connected(path, mode, options.wait)) as connection:
                _check(connection.execute, path, may_be_empty=may_be_empty, older=options.older)
        except sqlite3.OperationalError as error:
            cut_short = error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
            if mode == "rw" or read_only or not cut_short:
                raise
        else:
            return


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


def _check(
    run: Callable[[str], Any], path: Path, *, may_be_empty: bool, older: bool = False
) -> bool:
    """Refuse a file that is not a book of this version, or older; return whether it is empty."""
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
    check = check_not_newer if older else check_version
    check(version, str(path))
    return False


def _patiently(function: Callable[[], T], wait: float) -> T:
    """Try again while the file is locked: SQLite itself does not wait where modes change."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return function()
        except SqliteEngine.failures as error:
            busy = isinstance(_meaning(error, "").error, Busy)
            if time.monotonic() > deadline or not busy:
                raise
            time.sleep(0.01)
