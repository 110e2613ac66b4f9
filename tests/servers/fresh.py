"""Fresh databases: made empty under a random name, and dropped when a test has done with them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from tests.servers.connect import reach_mariadb, reach_postgresql, with_database

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
MARIADB = "mysql://root@127.0.0.1:3306/test"


def shared_postgresql() -> str:
    """Give the URL of the PostgreSQL that already runs: CLIENTLEDGER_POSTGRESQL, or the usual."""
    return os.environ.get("CLIENTLEDGER_POSTGRESQL") or POSTGRESQL


def shared_mariadb() -> str:
    """Give the URL of the MariaDB that already runs: CLIENTLEDGER_MARIADB, or the usual."""
    return os.environ.get("CLIENTLEDGER_MARIADB") or MARIADB


@contextmanager
def postgresql_database(server: str | None = None) -> Iterator[str]:
    """Give the URL of an empty database on a server, the shared one unless told; drop it after.

    Raises:
        Absent: the server cannot be reached.
    """
    url = server or shared_postgresql()
    name = random_name()
    try:
        yield make_on_postgresql(url, name)
    finally:
        drop_on_postgresql(url, name)


@contextmanager
def mariadb_database(server: str | None = None) -> Iterator[str]:
    """Give the URL of an empty database on a server, the shared one unless told; drop it after.

    Raises:
        Absent: the server cannot be reached.
    """
    url = server or shared_mariadb()
    name = random_name()
    try:
        yield make_on_mariadb(url, name)
    finally:
        drop_on_mariadb(url, name)


def random_name() -> str:
    """Give a name that no database has."""
    return f"cl_{secrets.token_hex(6)}"


def make_on_postgresql(url: str, name: str) -> str:
    """Make an empty database in UTF8, whatever the server's own encoding, and give its URL."""
    with reach_postgresql(url) as link:
        link.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
    return with_database(url, name, "postgresql")


def drop_on_postgresql(url: str, name: str) -> None:
    """Drop a database, and end the connections that still hold it."""
    with reach_postgresql(url) as link:
        link.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def make_on_mariadb(url: str, name: str) -> str:
    """Make an empty database in utf8mb4, whatever the server's own set, and give its URL."""
    with closing(reach_mariadb(url)) as link, link.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return with_database(url, name, "mariadb")


def drop_on_mariadb(url: str, name: str) -> None:
    """Drop a database, and end the connections that still hold it."""
    with closing(reach_mariadb(url)) as link, link.cursor() as cursor:
        from pymysql import OperationalError

        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
        for (number,) in cursor.fetchall():
            with suppress(OperationalError):  # it has ended by itself
                cursor.execute("KILL %s", (number,))
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
