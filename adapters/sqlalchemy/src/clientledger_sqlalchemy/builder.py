"""How tables, columns and indexes of a book are made."""

from typing import Any

import attrs
import sqlalchemy as sa

from clientledger_sqlalchemy.columns import Amount, Word

__all__ = ["Builder", "check", "foreign", "key", "money", "money_or_none", "of", "or_none"]


_INNODB: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_nopad_bin"),
    )
}


@attrs.frozen
class Builder:
    """Makes the tables of one book in a MetaData.

    Attributes:
        prefix: the beginning of every name.
        schema: the schema of every table, or None.
        partitions: on PostgreSQL, into how many parts the tables of clients are split; 0 for none.
    """

    metadata: sa.MetaData
    prefix: str
    schema: str | None
    partitions: int = 0

    def table(self, name: str, *items: sa.schema.SchemaItem, **options: Any) -> sa.Table:
        """Make a table."""
        told: dict[str, Any] = {**_INNODB, **options}
        return sa.Table(self.prefix + name, self.metadata, *items, schema=self.schema, **told)

    def clustered(self, name: str, *items: sa.schema.SchemaItem) -> sa.Table:
        """Make a table whose rows lie in the order of its primary key."""
        return self.table(name, *items, sqlite_with_rowid=False)

    def of_clients(
        self, name: str, *items: sa.schema.SchemaItem, clustered: bool = True
    ) -> sa.Table:
        """Make a table of what belongs to clients, whose primary key begins with the client."""
        if not self.partitions:
            return self.clustered(name, *items) if clustered else self.table(name, *items)
        split = {"postgresql_partition_by": "HASH (client_id)"}
        table = self.table(name, *items, **split)
        whole = f"{self.schema}.{table.name}" if self.schema else table.name
        for part in range(self.partitions):
            ddl: Any = sa.DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has not typed it
                f"CREATE TABLE {whole}_{part} PARTITION OF {whole} "
                f"FOR VALUES WITH (MODULUS {self.partitions}, REMAINDER {part})"
            )
            sa.event.listen(table, "after_create", ddl.execute_if(dialect="postgresql"))
        return table

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
    return [of("currency", Word), of("digits", sa.SmallInteger)]


def money_or_none(name: str) -> list[sa.Column[Any]]:
    """An amount that may be missing, and its currency."""
    unit = [or_none("currency", Word), or_none("digits", sa.SmallInteger)]
    return [or_none(name, Amount), *unit]


def check(name: str, rule: str) -> sa.CheckConstraint:
    """A rule that every row keeps."""
    return sa.CheckConstraint(sa.text(rule), name=name)


def foreign(table: sa.Table, *pairs: tuple[str, str]) -> sa.ForeignKeyConstraint:
    """A reference: pairs of our column and the other table's."""
    return sa.ForeignKeyConstraint([own for own, _ in pairs], [table.c[key] for _, key in pairs])
