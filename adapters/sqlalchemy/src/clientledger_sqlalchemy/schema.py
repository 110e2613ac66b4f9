"""The tables: facts, records, heads and claims, derived rows, and the feed.

All that belongs to a client is keyed by the client first. Facts are only ever inserted; where the
database has triggers for it, they refuse all else. Figures stand in derived rows that the
transaction of the facts keeps.
"""

import re
from typing import Any

import attrs
import sqlalchemy as sa

from clientledger import InvalidValue
from clientledger_sqlalchemy.builder import Builder
from clientledger_sqlalchemy.fact_tables import fact_tables
from clientledger_sqlalchemy.figure_tables import figure_tables
from clientledger_sqlalchemy.record_tables import record_tables

__all__ = ["NAMING", "SCHEMA_VERSION", "Tables", "tables"]

SCHEMA_VERSION = 2
"""One more with each change of the tables."""

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
"""Names of constraints in a MetaData of our own; a host's MetaData has the host's."""

_PREFIX = re.compile(r"[a-z0-9_]{0,20}\Z")


@attrs.frozen(kw_only=True)
class Tables:
    """The tables of one book."""

    book: sa.Table
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
    heads: sa.Table
    claims: sa.Table
    balances: sa.Table
    open_items: sa.Table
    purchase_days: sa.Table
    timeline: sa.Table


def tables(metadata: sa.MetaData, prefix: str = "", schema: str | None = None) -> Tables:
    """Put the tables of a book into a MetaData; a prefix or a schema keeps several books apart.

    Raises:
        InvalidValue: a prefix that is no beginning of a name.
    """
    if not _PREFIX.match(prefix):
        raise InvalidValue(
            "not a prefix of table names",
            field="prefix",
            value=prefix,
            remedy="at most 20 small letters, digits and underscores",
        )
    new = Builder(metadata, prefix, schema)
    made = {**record_tables(new), **fact_tables(new), **figure_tables(new)}
    for name in _KEPT:
        _keep(made[name])
    return Tables(**made)


_KEPT = (
    "entries",
    "entry_lines",
    "instalments",
    "allocations",
    "releases",
    "events",
    "feed",
)


def _keep(table: sa.Table) -> None:
    """Let the database refuse to change or delete the rows of a table."""
    where = f"{table.schema}." if table.schema else ""
    for verb in ("UPDATE", "DELETE"):
        trigger: Any = sa.DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has not typed it
            f"CREATE TRIGGER {where}{table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, '{table.name}: what is recorded stays'); END"
        )
        sa.event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))
