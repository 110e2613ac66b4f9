"""MariaDB (and MySQL), alone or as a Galera cluster, through PyMySQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs
import pymysql
import sqlalchemy as sa

from clientledger import Busy, Conflict, Duplicate, NotAllowed, StoreError, Unavailable
from clientledger.ports import Finding
from clientledger_sqlalchemy.engines.engine import Failure
from clientledger_sqlalchemy.engines.options import Options
from clientledger_sqlalchemy.engines.server import ServerEngine, address, busy_making
from clientledger_sqlalchemy.schema import Tables

__all__ = ["MariadbEngine", "connect"]

_DEADLOCK = {1213, 1020}
_WAITED = {1205}
_TAKEN = {1062, 1586}
_HANGS = {1451, 1452, 1216, 1217}
_GONE = {0, 1040, 1047, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1927}
_LOST = {2002, 2003, 2006, 2013, 2055}
_UNMADE = 1180
_READ_ONLY = {1290, 1792, 1836}
_FULL = {1021, 1114}
_DENIED = {1044, 1045, 1142}
_NO_DATABASE = {1049, 1146}
_MODES = (
    "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)


def connect(url: sa.URL, options: Options, read_only: bool) -> "MariadbEngine":
    """Make an engine for ``mariadb://user@host/database``; its options are PyMySQL's and ours."""

    def settle(connection: Any, record: Any) -> None:
        connection.autocommit(True)  # transactions begin only when they are told to
        with connection.cursor() as cursor:
            cursor.execute("SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin")
            cursor.execute(
                f"SET SESSION sql_mode = '{_MODES}', time_zone = '+00:00', "
                f"innodb_lock_wait_timeout = {max(1, round(options.wait))}, "
                f"lock_wait_timeout = {max(1, round(options.wait))}, "
                "foreign_key_checks = 1, unique_checks = 1"
            )
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {options.isolation}")
            cursor.execute("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'")
            if cursor.fetchall():
                # Else what is locked is read as it is now, and the rest as it was: facts that are
                # older than the head on which a command was planned.
                cursor.execute("SET SESSION innodb_snapshot_isolation = ON")
            cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
            if any(row[1] == "ON" for row in cursor.fetchall()):
                cursor.execute("SELECT @@hostname, @@port")
                record.info["node"] = cursor.fetchone()
                if options.sync:
                    # What was committed on another node before is seen on this one, too.
                    cursor.execute("SET SESSION wsrep_sync_wait = 1")

    pool = sa.create_engine(
        url.set(drivername="mysql+pymysql"),
        pool_size=options.pool,
        max_overflow=-1,
        hide_parameters=True,
        pool_reset_on_return=None,  # the store does that
        connect_args={"charset": "utf8mb4", "connect_timeout": max(1, round(options.wait) + 1)},
    )
    sa.event.listen(pool, "connect", settle)
    return MariadbEngine(
        pool=pool,
        place=address(url),
        read_only=read_only,
        writing=("START TRANSACTION READ ONLY" if read_only else "START TRANSACTION READ WRITE",),
        reading=(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ),
        probing=("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"),
        wait=options.wait,
    )


@attrs.define
class MariadbEngine(ServerEngine):
    """A database on a MariaDB server, or on a node of a Galera cluster.

    Attributes:
        wait: seconds to wait for whoever makes the same book.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (
        sa.exc.SQLAlchemyError,
        pymysql.MySQLError,
        OSError,  # of certificates that cannot be read, which PyMySQL lets through
    )

    wait: float

    def node(self, connection: Any) -> object:
        return connection.info.get("node")

    def failure(self, error: Exception) -> Failure:
        original = getattr(error, "orig", None) or error
        number = original.args[0] if original.args else 0
        told = isinstance(original, pymysql.MySQLError) and isinstance(number, int)
        code = number if told else 0
        if code in _DEADLOCK:
            said = "another writer was quicker"
            return Failure(error=Busy(said, passing=True), killed=True, refused=True)
        if code in _WAITED:
            said = "other writers have held the rows for too long"
            return Failure(error=Busy(said, passing=True))
        if code in _TAKEN:
            return Failure(error=Duplicate("already there", passing=True))
        if code in _HANGS:
            return Failure(error=Conflict("what it refers to has changed", passing=True))
        if code in _READ_ONLY:
            said = f"{self.place}: the server only reads"
            return Failure(error=NotAllowed(said, remedy="write to the primary"))
        lost = isinstance(original, pymysql.OperationalError | pymysql.InterfaceError)
        # Of a commit on a node that has just lost the majority; the number alone says less.
        alone = code == _UNMADE and "provider status" in str(original)
        if code in _LOST or (code in _GONE and lost) or alone:
            said = f"{self.place}: the server cannot be reached, or the connection was lost"
            remedy = "try again when it is back"
            return Failure(error=Unavailable(said, remedy=remedy), killed=True)
        said = f"{self.place}: {_said(original, code)}"
        return Failure(error=StoreError(said, remedy=_remedy(code)))

    def findings(self, connection: Any, tables: Tables) -> list[Finding]:
        found: list[Finding] = []
        with connection.cursor() as cursor:
            cursor.execute("SHOW VARIABLES")
            has = dict(cursor.fetchall())
            for name, right, said, remedy in _SETTINGS:
                value = str(has.get(name, right[0]))
                if value not in right:
                    told = f"{name} is {value}: {said}"
                    found.append(Finding(name=name, said=told, remedy=remedy))
            if (
                has.get("tx_isolation") == "REPEATABLE-READ"
                and has.get("innodb_snapshot_isolation") != "ON"
            ):
                told = "a unit of work would read rows of two moments"
                remedy = "SET innodb_snapshot_isolation = ON, or another level of isolation"
                found.append(Finding(name="snapshot_isolation", said=told, remedy=remedy))
            if "STRICT_TRANS_TABLES" not in has.get("sql_mode", ""):
                told = "sql_mode is not strict: what does not fit would be cut in silence"
                remedy = "SET sql_mode = 'STRICT_TRANS_TABLES'"
                found.append(Finding(name="sql_mode", said=told, remedy=remedy))
            found += _tables(cursor, tables)
        return found

    @contextmanager
    def _alone(self, connection: sa.Connection, tables: Tables) -> Iterator[None]:
        # Every DDL commits here, so that the lock is the session's, and what was half made is
        # made whole by whoever comes next.
        name = f"clientledger {tables.book.name}"
        lock = sa.func.get_lock(sa.func.concat(name, sa.func.database()), max(1, self.wait))
        if connection.scalar(sa.select(lock)) != 1:
            raise busy_making()
        try:
            yield
        finally:
            connection.execute(
                sa.select(sa.func.release_lock(sa.func.concat(name, sa.func.database())))
            )


_SETTINGS = (
    (
        "innodb_flush_log_at_trx_commit",
        ("1",),
        "a crash would lose what was acknowledged",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
    ),
    ("innodb_doublewrite", ("ON", "1"), "a torn page could not be mended", "turn it on"),
    ("foreign_key_checks", ("ON", "1"), "references are not checked", "SET foreign_key_checks = 1"),
    ("unique_checks", ("ON", "1"), "what is unique is not checked", "SET unique_checks = 1"),
    (
        "tx_isolation",
        ("READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"),
        "what was never committed would be read",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ),
    ("character_set_connection", ("utf8mb4",), "some texts would be lost", "SET NAMES utf8mb4"),
)


def _said(error: Any, code: int) -> str:
    if code in _FULL:
        return "the disk of the server is full"
    if code in _DENIED:
        return "the server does not let us in, or forbids it"
    if code in _NO_DATABASE:
        return "there is no such database or table"
    return f"the database failed ({type(error).__name__} {code})"


def _remedy(code: int) -> str:
    return "free some space, then do it again" if code in _FULL else "the cause says what it told"


def _tables(cursor: Any, tables: Tables) -> list[Finding]:
    """What is wrong with the tables themselves: engines, collations, missing triggers."""
    names = {table.name for table in tables.every}
    found = []
    cursor.execute(
        "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = database()"
    )
    lax = sorted(name for name, engine in cursor.fetchall() if name in names and engine != "InnoDB")
    if lax:
        said = f"these tables have no transactions: {', '.join(lax)}"
        found.append(Finding(name="engine", said=said, remedy="ALTER TABLE ... ENGINE = InnoDB"))
    cursor.execute(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns "
        "WHERE table_schema = database() AND collation_name IS NOT NULL "
        "AND column_name <> 'version_num'"
    )
    loose = sorted(
        f"{table}.{column}"
        for table, column, collation in cursor.fetchall()
        if table in names and not collation.endswith("_nopad_bin")
    )
    if loose:
        said = f"texts that differ are taken for the same in {', '.join(loose)}"
        found.append(
            Finding(name="collation", said=said, remedy="alter them to COLLATE utf8mb4_nopad_bin")
        )
    cursor.execute(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database()"
    )
    there = {row[0] for row in cursor.fetchall()}
    missing = [
        f"{table.name}_no_{verb}"
        for table in tables.kept
        for verb in ("update", "delete")
        if f"{table.name}_no_{verb}" not in there
    ]
    if missing:
        said = f"nothing guards what is recorded: {', '.join(missing)}"
        found.append(Finding(name="triggers", said=said, remedy="restore them from a backup"))
    return found
