"""Whether a connection waits for a lock that another one holds, as its database tells."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from tests.servers import connect_mariadb, connect_postgresql

__all__ = ["Waits", "waits_of"]


class Waits(Protocol):
    """Says who waits.

    Attributes:
        patience: seconds that a statement may take before it is worth asking.
        grace: seconds more for one that was blocked, when locks have been let go.
    """

    patience: float
    grace: float

    def waiting(self, connection: Any) -> bool:
        """Whether the statement that runs on a connection waits for a lock."""


class _Postgresql:
    patience = 0.003
    grace = 0.0

    def __init__(self, link: Any) -> None:
        self._link = link

    def waiting(self, connection: Any) -> bool:
        if connection is None or connection.driver_connection is None:
            return False
        row = self._link.execute(
            "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s",
            (connection.driver_connection.info.backend_pid,),
        ).fetchone()
        return bool(row and row[0] == "Lock")


class _Mariadb:
    """It tells only whether anybody waits for a row: enough where nobody else works there."""

    patience = 0.004
    grace = 0.0

    def __init__(self, link: Any) -> None:
        self._link = link

    def waiting(self, connection: Any) -> bool:
        with self._link.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
            return int(cursor.fetchone()[1]) > 0


class _Sqlite:
    """It tells nothing, but there is one lock, and SQLite looks at it once in 0.1 s at least."""

    patience = 0.02
    grace = 0.11

    def waiting(self, connection: Any) -> bool:
        return True


@contextmanager
def waits_of(url: str) -> Iterator[Waits]:
    """Ask the server of a URL, on a connection of our own."""
    bare = url.partition("?")[0]
    if bare.startswith("sqlite"):
        yield _Sqlite()
    elif bare.startswith("postgresql"):
        with closing(connect_postgresql(bare, autocommit=True)) as link:
            yield _Postgresql(link)
    else:
        with closing(connect_mariadb(bare, autocommit=True)) as link:
            yield _Mariadb(link)
