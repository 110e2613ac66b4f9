"""The tables: facts, records, heads and claims, derived rows, and the feed.

All that belongs to a client is keyed by the client first. Facts are only ever inserted; where the
database has triggers for it, they refuse all else. Figures stand in derived rows that the
transaction of the facts keeps.
"""

import re

import attrs
import sqlalchemy as sa

from clientledger import InvalidValue, StoreError
from clientledger_sqlalchemy.builder import Builder
from clientledger_sqlalchemy.fact_tables import fact_tables
from clientledger_sqlalchemy.figure_tables import figure_tables
from clientledger_sqlalchemy.guarding import keep
from clientledger_sqlalchemy.record_tables import record_tables

__all__ = [
    "APPLICATION",
    "NAMING",
    "SCHEMA_VERSION",
    "Tables",
    "check_not_newer",
    "check_version",
    "first_rows",
    "tables",
]

SCHEMA_VERSION = 3
"""One more with each change of the tables; each version has a migration of its number."""

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
"""Names of constraints in a MetaData of our own; a host's MetaData has the host's."""

_NAME = re.compile(r"[a-z0-9_]{0,20}\Z")

APPLICATION = "clientledger"
"""What says in a database that tables are a book's."""


@attrs.frozen(kw_only=True)
class Tables:
    """The tables of one book."""

    book: sa.Table
    versions: sa.Table
    editions: sa.Table
    settings: sa.Table
    clients: sa.Table
    members: sa.Table
    interactions: sa.Table
    agreements: sa.Table
    tasks: sa.Table
    entries: sa.Table
    entry_lines: sa.Table
    instalments: sa.Table
    allocations: sa.Table
    releases: sa.Table
    events: sa.Table
    pending: sa.Table
    feed: sa.Table
    seals: sa.Table
    salts: sa.Table
    heads: sa.Table
    claims: sa.Table
    balances: sa.Table
    open_items: sa.Table
    purchase_days: sa.Table
    timeline: sa.Table

    @property
    def kept(self) -> tuple[sa.Table, ...]:
        """The tables of facts, whose rows are never changed nor deleted."""
        return (
            self.entries,
            self.entry_lines,
            self.instalments,
            self.allocations,
            self.releases,
            self.events,
            self.feed,
            self.seals,
        )

    @property
    def every(self) -> tuple[sa.Table, ...]:
        """All of them, each after those that it refers to."""
        ours = set(attrs.astuple(self, recurse=False))
        return tuple(t for t in self.book.metadata.sorted_tables if t in ours)


def tables(
    metadata: sa.MetaData, prefix: str = "", schema: str | None = None, partitions: int = 0
) -> Tables:
    """Put the tables of a book into a MetaData; a prefix or a schema keeps several books apart.

    Args:
        partitions: on PostgreSQL, into how many parts to split, by client, all that belongs to
            clients; 0 leaves the tables whole.

    Raises:
        InvalidValue: a prefix or a schema that is no name.
    """
    for field, value in (("prefix", prefix), ("schema", schema or "")):
        if not _NAME.match(value):
            raise InvalidValue(
                "not a beginning of names" if field == "prefix" else "not a name",
                field=field,
                value=value,
                remedy="at most 20 small letters, digits and underscores",
            )
    new = Builder(metadata, prefix, schema, partitions)
    made = Tables(**record_tables(new), **fact_tables(new), **figure_tables(new))
    for table in made.kept:
        keep(table)
    return made


def first_rows(connection: sa.Connection, tables: Tables) -> None:
    """Write what a new book begins with; the row of the book itself comes last."""
    connection.execute(sa.insert(tables.editions), {"number": 0})
    connection.execute(sa.insert(tables.versions), {"version_num": f"{SCHEMA_VERSION:04d}"})
    book = {"id": 1, "application": APPLICATION, "schema_version": SCHEMA_VERSION}
    connection.execute(sa.insert(tables.book), book)


def check_not_newer(version: int, place: str) -> None:
    """Refuse a book whose tables are of a version that this program does not know.

    Raises:
        StoreError: they are; it says what to do.
    """
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{place}: the book has the tables of version {version}, which is newer than ours, "
            f"{SCHEMA_VERSION}",
            field="url",
            value=place,
            remedy="install a newer clientledger-sqlalchemy",
        )


def check_version(version: int, place: str) -> None:
    """Refuse a book whose tables are of another version.

    Raises:
        StoreError: they are; it says what to do.
    """
    check_not_newer(version, place)
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{place}: the book has the tables of version {version}, not {SCHEMA_VERSION}",
            field="url",
            value=place,
            remedy="make a backup, then run: clientledger upgrade",
        )
