"""What migrations are made of: steps, each of which does only what is not done yet.

On a server where every change of a table commits by itself, an upgrade may be stopped after any
of them, and is then run again from the beginning of the migration.

A migration does for ever what it did when it was released, and so do its steps: they know nothing
of the tables as they are now. What has to be done otherwise is a new step.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from clientledger_sqlalchemy.columns import Amount, Word

__all__ = [
    "NAMING",
    "add",
    "bound_to",
    "check",
    "drop",
    "foreign",
    "has",
    "index",
    "is_sqlite",
    "keep",
    "key",
    "live",
    "money",
    "money_or_none",
    "named",
    "of",
    "only_rows",
    "or_none",
    "remade",
    "required",
    "table",
    "tell_version",
]

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
"""Names of constraints."""

_APPLICATION = "clientledger"
_INNODB: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_nopad_bin"),
    )
}


# ------------------------------------------------------------ where
def named(name: str) -> str:
    """The name of a table of the book."""
    return f"{op.get_context().opts.get('prefix', '')}{name}"


def _schema() -> str | None:
    schema: str | None = op.get_context().opts.get("schema")
    return schema


def _look() -> sa.Inspector:
    return sa.inspect(op.get_bind())


def is_sqlite() -> bool:
    """Whether the book is an SQLite file, or tables in one."""
    return op.get_bind().dialect.name == "sqlite"


# ------------------------------------------------------------ what tables have
def key(name: str, kind: Any) -> sa.Column[Any]:
    """A column of the primary key."""
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def of(name: str, kind: Any) -> sa.Column[Any]:
    """A column that always has a value."""
    return sa.Column(name, kind, nullable=False)


def or_none(name: str, kind: Any) -> sa.Column[Any]:
    """A column that may be empty."""
    return sa.Column(name, kind, nullable=True)


def money(*names: str) -> list[sa.Column[Any]]:
    """Amounts, and the currency they are all in."""
    return [*(of(name, Amount) for name in names), of("currency", Word), _digits(False)]


def money_or_none(name: str) -> list[sa.Column[Any]]:
    """An amount that may be missing, and its currency."""
    return [or_none(name, Amount), or_none("currency", Word), _digits(True)]


def _digits(nullable: bool) -> sa.Column[Any]:
    return sa.Column("digits", sa.SmallInteger, nullable=nullable)


def check(name: str, rule: str) -> sa.CheckConstraint:
    """A rule that every row keeps."""
    return sa.CheckConstraint(sa.text(rule), name=name)


def foreign(other: str, *pairs: tuple[str, str]) -> sa.ForeignKeyConstraint:
    """A reference: pairs of our column and the other table's."""
    place = f"{_schema()}.{named(other)}" if _schema() else named(other)
    return sa.ForeignKeyConstraint(
        [own for own, _ in pairs], [f"{place}.{key}" for _, key in pairs]
    )


# ------------------------------------------------------------ steps
def has(name: str, column: str) -> bool:
    """Whether a table has a column."""
    return column in _columns(name)


def table(name: str, *items: sa.schema.SchemaItem, clustered: bool = False) -> None:
    """Make a table; a clustered one has its rows in the order of its primary key."""
    if _look().has_table(named(name), schema=_schema()):
        return
    told = {**_INNODB, **({"sqlite_with_rowid": False} if clustered else {})}
    op.create_table(named(name), *items, schema=_schema(), **told)


def add(name: str, column: sa.Column[Any]) -> None:
    """Add a column."""
    if not has(name, column.name):
        op.add_column(named(name), column, schema=_schema())


def drop(name: str, column: str) -> None:
    """Drop a column."""
    if has(name, column):
        op.drop_column(named(name), column, schema=_schema())


def required(name: str, column: str, kind: Any) -> None:
    """Let a column always have a value."""
    if _columns(name)[column]["nullable"]:
        op.alter_column(named(name), column, existing_type=kind, nullable=False, schema=_schema())


def bound_to(name: str, other: str, *pairs: tuple[str, str]) -> None:
    """Add a reference: pairs of our column and the other table's."""
    own, theirs = [one for one, _ in pairs], [one for _, one in pairs]
    there = _look().get_foreign_keys(named(name), schema=_schema())
    if any(found["constrained_columns"] == own for found in there):
        return
    op.create_foreign_key(
        None,
        named(name),
        named(other),
        own,
        theirs,
        source_schema=_schema(),
        referent_schema=_schema(),
    )


def index(name: str, of: str, *columns: str, where: str = "", unique: bool = False) -> None:
    """Make an index; one of that name with other columns, or another promise, goes first."""
    full = named(f"ix_{name}")
    for found in _look().get_indexes(named(of), schema=_schema()):
        if found["name"] != full:
            continue
        if found["column_names"] == list(columns) and bool(found["unique"]) == unique:
            return
        op.drop_index(full, named(of), schema=_schema())
    condition = sa.text(where) if where else None
    op.create_index(
        full,
        named(of),
        list(columns),
        schema=_schema(),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def remade(name: str, *items: sa.schema.SchemaItem, **values: Any) -> None:
    """Make a table of an SQLite file anew, with its rows; nothing may refer to it.

    Args:
        items: of the new table.
        values: by column, what is new in each row.
    """
    former = f"{named(name)}_former"
    op.rename_table(named(name), former)
    table(name, *items, clustered=True)
    columns = list(_columns(name))
    taken = [sa.literal(values[c]) if c in values else sa.column(c) for c in columns]
    old = sa.select(*taken).select_from(sa.table(former))
    new = sa.table(named(name), *(sa.column(c) for c in columns))
    op.execute(sa.insert(new).from_select(columns, old))
    op.drop_table(former)


def live(name: str, *columns: sa.Column[Any]) -> sa.TableClause:
    """A table for changing its rows."""
    return sa.table(named(name), *(sa.column(c.name, c.type) for c in columns), schema=_schema())


def only_rows(name: str, **values: Any) -> None:
    """Give a table that has no row its only one."""
    rows = sa.table(named(name), *(sa.column(c) for c in values), schema=_schema())
    if op.get_bind().execute(sa.select(rows)).first() is None:
        op.execute(sa.insert(rows).values(values))


def tell_version(number: int) -> None:
    """Let the book itself say of which version its tables are: only then are they whole."""
    only_rows("book", id=1, application=_APPLICATION, schema_version=number)
    book = sa.table(named("book"), sa.column("schema_version"), schema=_schema())
    op.execute(sa.update(book).values(schema_version=number).where(book.c.schema_version != number))


def keep(name: str) -> None:
    """Let the database refuse to change or delete the rows of a table."""
    own = named(name)
    place = f"{_schema()}." if _schema() else ""
    said = f"{own}: what is recorded stays"
    dialect = op.get_bind().dialect.name
    for statement in _guards_of[dialect](own, place, said):
        op.get_bind().exec_driver_sql(statement)


def _columns(name: str) -> Mapping[str, Any]:
    return {c["name"]: c for c in _look().get_columns(named(name), schema=_schema())}


def _sqlite_guards(own: str, place: str, said: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {place}{own}_no_{verb.lower()} "
        f"BEFORE {verb} ON {own} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _mariadb_guards(own: str, place: str, said: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {own}_no_{verb.lower()} BEFORE {verb} "
        f"ON {place}{own} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{said}'"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql_guards(own: str, place: str, said: str) -> list[str]:
    function = f"{place}{own}_stays"
    refuse = f"AS $$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    made = [f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql {refuse}"]
    for trigger, when, each in (
        ("no_change", "UPDATE OR DELETE", "ROW"),
        ("no_truncate", "TRUNCATE", "STATEMENT"),
    ):
        made.append(f"DROP TRIGGER IF EXISTS {own}_{trigger} ON {place}{own}")
        made.append(
            f"CREATE TRIGGER {own}_{trigger} BEFORE {when} ON {place}{own} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    return made


_guards_of = {
    "sqlite": _sqlite_guards,
    "postgresql": _postgresql_guards,
    "mysql": _mariadb_guards,
    "mariadb": _mariadb_guards,
}
