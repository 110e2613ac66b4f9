"""Books of old versions: files that were kept, and the same on servers."""

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from clientledger_sqlalchemy.columns import Day
from clientledger_sqlalchemy.engines import engine_for
from clientledger_sqlalchemy.schema import tables
from clientledger_sqlalchemy.upgrading import migrate

FOLDER = Path(__file__).parent / "fixtures"
VERSIONS = {"v1": 1, "v2": 2}
_NEW = ("book", "versions", "editions", "seals", "salts")


def old_file(name: str, path: Path) -> str:
    """Put a book that an old version made into a file, and give its URL."""
    for left in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        left.unlink(missing_ok=True)
    path.write_bytes(gzip.decompress((FOLDER / f"{name}.db.gz").read_bytes()))
    return f"sqlite:///{path}"


def told_then(name: str) -> Any:
    """What an old book said, by the code that made it."""
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


def differences(then: Any, now: Any, place: str = "") -> list[str]:
    """What is said otherwise now, or no more; fields that have come since do not count."""
    if isinstance(then, dict) and isinstance(now, dict):
        gone = [f"{place}/{key} is gone" for key in then if key not in now]
        both = [key for key in then if key in now]
        return gone + [
            one for key in both for one in differences(then[key], now[key], f"{place}/{key}")
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = enumerate(zip(then, now, strict=True))
        return [one for n, (a, b) in pairs for one in differences(a, b, f"{place}/{n}")]
    return [] if then == now else [f"{place}: {then!r} then, {now!r} now"]


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Give a connection of ours to a book of any version, in a transaction where there can be."""
    engine, _ = engine_for(url, read_only=False, older=True)
    try:
        with engine.pool.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.commit()
    finally:
        engine.close()


def make_first_version(url: str, source: str) -> None:
    """Make the book of a file of version 1 on a server: its tables and all of its rows."""
    own = tables(sa.MetaData())
    with connected(url) as connection, connected(source) as file:
        migrate(connection, to="0001")
        for table in own.every:
            if table.name not in _NEW:
                _copy(table, file, connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('pending', 'id'), max(id)) FROM pending"
            )


def _copy(table: sa.Table, file: sa.Connection, connection: sa.Connection) -> None:
    def columns() -> list[sa.ColumnClause[Any]]:
        known = [sa.column(c.name, c.type) for c in table.c if c.name in there]
        return [*known, sa.column("closed_through", Day)] if table.name == "heads" else known

    there = {c["name"] for c in sa.inspect(file).get_columns(table.name)}
    rows = file.execute(sa.select(sa.table(table.name, *columns()))).mappings()
    given = [{**row} for row in rows]
    if table.name == "clients":  # on a server there has never been room for more
        given = [{**row, "sort_name": row["sort_name"][:255]} for row in given]
    if given:
        connection.execute(sa.insert(sa.table(table.name, *columns())), given)


def content(connection: sa.Connection) -> dict[str, Sequence[Any]]:
    """All rows of all tables of a database, whatever they are."""
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite_%'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }.get(connection.dialect.name, "SHOW TABLES")
    found: dict[str, Sequence[Any]] = {}
    for [name] in connection.exec_driver_sql(names).all():
        rows = connection.exec_driver_sql(f"SELECT * FROM {name}").mappings().all()
        found[name] = sorted(sorted((c, repr(value)) for c, value in row.items()) for row in rows)
    return found
