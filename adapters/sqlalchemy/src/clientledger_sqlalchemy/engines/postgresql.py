"""PostgreSQL, through psycopg 3; and what speaks its protocol and is always serializable."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs
import psycopg
import sqlalchemy as sa

from clientledger import Busy, Conflict, Duplicate, NotAllowed, StoreError, Unavailable
from clientledger.ports import Finding
from clientledger_sqlalchemy.engines.engine import Failure
from clientledger_sqlalchemy.engines.options import Options
from clientledger_sqlalchemy.engines.server import ServerEngine, address
from clientledger_sqlalchemy.schema import Tables

__all__ = ["PostgresqlEngine", "connect"]

_DEADLOCK = {"40001", "40P01"}
_WAITED = {"55P03", "57014"}
_CONNECTION = ("08",)
_GONE = {"57P01", "57P02", "57P03", "53300"}
_TAKEN = "23505"
_HANGS = "23503"
_READ_ONLY = "25006"
_FULL = {"53100", "53200"}
_DENIED = {"28000", "28P01", "42501"}
_NO_DATABASE = "3D000"
# No connection was made, and then psycopg has no code for why.
_FOR_GOOD = ("authentication", "does not exist", "permission denied", "permitted", "pg_hba.conf")


def connect(url: sa.URL, options: Options, read_only: bool) -> "PostgresqlEngine":
    """Make an engine for ``postgresql://user@host/database``; its options are libpq's and ours."""

    def settle(connection: Any, _record: object) -> None:
        connection.autocommit = True  # transactions begin only when they are told to
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(f"SET lock_timeout = {int(options.wait * 1000) or 1}")
        connection.execute("SET synchronous_commit = on")

    pool = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=options.pool,
        max_overflow=-1,
        hide_parameters=True,
        pool_reset_on_return=None,  # the store does that
        connect_args={"client_encoding": "utf8", "connect_timeout": max(2, round(options.wait))},
    )
    sa.event.listen(pool, "connect", settle)
    mode = "READ ONLY" if read_only else "READ WRITE"
    return PostgresqlEngine(
        pool=pool,
        place=address(url),
        read_only=read_only,
        writing=(f"BEGIN ISOLATION LEVEL {options.isolation} {mode}",),
        reading=("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
        probing=("BEGIN ISOLATION LEVEL READ COMMITTED",),
    )


@attrs.define
class PostgresqlEngine(ServerEngine):
    """A database on a PostgreSQL server."""

    failures: ClassVar[tuple[type[Exception], ...]] = (sa.exc.SQLAlchemyError, psycopg.Error)

    def failure(self, error: Exception) -> Failure:
        original = getattr(error, "orig", None) or error
        state = getattr(original, "sqlstate", None) or ""
        place = self.place
        if state in _DEADLOCK:
            said = "another writer was quicker"
            return Failure(error=Busy(said, passing=True), killed=True, refused=True)
        if state in _WAITED:
            said = "other writers have held the rows for too long"
            return Failure(error=Busy(said, passing=True))
        if state == _TAKEN:
            return Failure(error=Duplicate("already there", passing=True))
        if state == _HANGS:
            return Failure(error=Conflict("what it refers to has changed", passing=True))
        if state == _READ_ONLY or (state == "0A000" and "recovery" in str(original)):
            return Failure(
                error=NotAllowed(f"{place}: the server only reads", remedy="write to the primary")
            )
        if _is_lost(original, state):
            said = f"{place}: the server cannot be reached, or the connection was lost"
            remedy = "try again when it is back"
            return Failure(error=Unavailable(said, remedy=remedy), killed=True)
        said = f"{place}: {_said(original, state)}"
        return Failure(error=StoreError(said, remedy=_remedy(state)))

    def kept(self, cursor: Any) -> bool:
        return bool(cursor.statusmessage == "COMMIT")

    def unspeakable(self, error: Exception) -> bool:
        # psycopg says so of NUL, which no text of a book has.
        nul = isinstance(error, psycopg.DataError) and error.sqlstate is None
        return nul or ServerEngine.unspeakable(self, error)

    def findings(self, connection: Any, tables: Tables) -> list[Finding]:
        def shown(name: str) -> str:
            return str(connection.execute(f"SHOW {name}").fetchone()[0])

        found = []
        if shown("server_encoding") != "UTF8":
            said = f"the database keeps text as {shown('server_encoding')}"
            found.append(Finding(name="encoding", said=said, remedy="make it with ENCODING 'UTF8'"))
        for name, ill, remedy in (
            ("synchronous_commit", ("off",), "SET synchronous_commit = on"),
            ("fsync", ("off",), "fsync = on in postgresql.conf, then restart"),
            ("full_page_writes", ("off",), "full_page_writes = on in postgresql.conf"),
        ):
            if shown(name) in ill:
                said = f"{name} is {shown(name)}: a crash would lose what was acknowledged"
                found.append(Finding(name=name, said=said, remedy=remedy))
        found += _tables(connection, tables)
        return found

    @contextmanager
    def _alone(self, connection: sa.Connection, tables: Tables) -> Iterator[None]:
        # DDL is in the transaction here, and so is the lock.
        connection.exec_driver_sql("BEGIN")
        name = f"clientledger {tables.book.schema} {tables.book.name}"
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtext(name))
        connection.execute(sa.select(lock))
        yield
        connection.exec_driver_sql("COMMIT")


def _is_lost(error: Any, state: str) -> bool:
    if state.startswith(_CONNECTION) or state in _GONE:
        return True
    if state or not isinstance(error, psycopg.OperationalError):
        return isinstance(error, psycopg.InterfaceError)
    said = re.sub(r'server at "[^"]*"', "", str(error))  # whatever the server is called
    return not any(words in said for words in _FOR_GOOD)


def _said(error: Any, state: str) -> str:
    if state in _FULL:
        return "the disk or the memory of the server is full"
    if state in _DENIED or "authentication" in str(error):
        return "the server does not let us in, or forbids it"
    if state == _NO_DATABASE or "does not exist" in str(error):
        return "there is no such database, user or table"
    return f"the database failed ({type(error).__name__} {state})".replace(" )", ")")


def _remedy(state: str) -> str:
    if state in _FULL:
        return "free some space, then do it again"
    return "the cause says what it told"


def _tables(connection: Any, tables: Tables) -> list[Finding]:
    """What is wrong with the tables themselves: texts that order otherwise, missing triggers."""
    schema = tables.book.schema
    where = "n.nspname = current_schema()" if schema is None else "n.nspname = %(schema)s"
    names = [table.name for table in tables.every]
    rows = connection.execute(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_collation o "
        f"ON o.oid = a.attcollation WHERE {where} AND c.relname = ANY(%(names)s) "
        "AND o.collname <> 'C' AND a.attnum > 0 AND a.attname <> 'version_num' ORDER BY 1, 2",
        {"schema": schema, "names": names},
    ).fetchall()
    found = []
    if rows:
        said = "texts order by a locale in " + ", ".join(f"{row[0]}.{row[1]}" for row in rows)
        found.append(Finding(name="collation", said=said, remedy='alter them to COLLATE "C"'))
    rows = connection.execute(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {where} "
        "AND t.tgname LIKE '%%_no_change' AND t.tgenabled <> 'D'",
        {"schema": schema},
    ).fetchall()
    missing = sorted({table.name for table in tables.kept} - {row[0] for row in rows})
    if missing:
        said = f"nothing guards what is recorded: {', '.join(missing)}"
        found.append(Finding(name="triggers", said=said, remedy="restore them from a backup"))
    return found
