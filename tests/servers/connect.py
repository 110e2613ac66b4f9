"""Plain connections of the drivers, from the URLs that we hand out."""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.servers.absent import Absent

if TYPE_CHECKING:
    import psycopg
    import pymysql
    from pymysql.cursors import Cursor

# The drivers are imported where they are used: every run of pytest loads the fixtures.


def connect_postgresql(url: str, **options: Any) -> "psycopg.Connection":
    """Connect by psycopg; options are its own, such as `autocommit`."""
    import psycopg

    return psycopg.connect(bare(url), **{"connect_timeout": 5, **options})


def connect_mariadb(url: str, **options: Any) -> "pymysql.Connection[Cursor]":
    """Connect by PyMySQL; options are its own, such as `autocommit` and `init_command`."""
    import pymysql

    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/") or None,
        **{"charset": "utf8mb4", "connect_timeout": 5, **options},
    )


def reach_postgresql(url: str) -> "psycopg.Connection":
    """Connect in autocommit.

    Raises:
        Absent: there is no driver, or no server.
    """
    try:
        import psycopg
    except ImportError as error:
        raise Absent(f"psycopg cannot be imported: {error}") from None
    try:
        return connect_postgresql(url, autocommit=True)
    except psycopg.OperationalError as error:
        raise Absent(f"no PostgreSQL can be reached: {error}") from None


def reach_mariadb(url: str) -> "pymysql.Connection[Cursor]":
    """Connect in autocommit.

    Raises:
        Absent: there is no driver, or no server.
    """
    try:
        import pymysql
    except ImportError as error:
        raise Absent(f"PyMySQL cannot be imported: {error}") from None
    try:
        return connect_mariadb(url, autocommit=True)
    except pymysql.OperationalError as error:
        raise Absent(f"no MariaDB can be reached: {error}") from None


def bare(url: str) -> str:
    """Take the name of a driver out of a URL: `postgresql+psycopg://` is `postgresql://`."""
    scheme, mark, rest = url.partition("://")
    return scheme.partition("+")[0] + mark + rest


def with_database(url: str, name: str, scheme: str) -> str:
    """Give the URL of another database of the same server."""
    return urlsplit(bare(url))._replace(path=f"/{name}", scheme=scheme).geturl()
