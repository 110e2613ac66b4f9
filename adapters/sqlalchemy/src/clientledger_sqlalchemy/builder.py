"""How tables, columns and indexes of a book are made."""

from typing import Any

import attrs
import sqlalchemy as sa

from clientledger_sqlalchemy.columns import Amount, Short

__all__ = ["Builder", "check", "foreign", "key", "money", "money_or_none", "of", "or_none"]


@attrs.frozen
class Builder:
    """Makes the tables of one book in a MetaData.

    Attributes:
        prefix: the beginning of every name.
        schema: the schema of every table, or None.
    """

    metadata: sa.MetaData
    prefix: str
    schema: str | None

    def table(self, name: str, *items: sa.schema.SchemaItem, **options: Any) -> sa.Table:
        """Make a table."""
        return sa.Table(self.prefix + name, self.metadata, *items, schema=self.schema, **options)

    def clustered(self, name: str, *items: sa.schema.SchemaItem) -> sa.Table:
        """Make a table whose rows lie in the order of its primary key."""
        return self.table(name, *items, sqlite_with_rowid=False)

    def index(self, name: str, *columns: str, where: str = "", unique: bool = False) -> sa.Index:
        """Make an index; a condition is literal, so that plans can count on it."""
        condition = sa.text(where) if where else None
        return sa.Index(
            f"{self.prefix}ix_{name}",
            *columns,
            unique=unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )


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
    return [*(of(name, Amount) for name in names), *_unit()]


def _unit() -> list[sa.Column[Any]]:
    return [of("currency", Short), of("digits", sa.SmallInteger)]


def money_or_none(name: str) -> list[sa.Column[Any]]:
    """An amount that may be missing, and its currency."""
    unit = [or_none("currency", Short), or_none("digits", sa.SmallInteger)]
    return [or_none(name, Amount), *unit]


def check(name: str, rule: str) -> sa.CheckConstraint:
    """A rule that every row keeps."""
    return sa.CheckConstraint(sa.text(rule), name=name)


def foreign(table: sa.Table, *pairs: tuple[str, str]) -> sa.ForeignKeyConstraint:
    """A reference: pairs of our column and the other table's."""
    return sa.ForeignKeyConstraint([own for own, _ in pairs], [table.c[key] for _, key in pairs])
