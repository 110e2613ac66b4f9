"""Triggers by which a database itself refuses to change or delete what is recorded."""

from typing import Any

import sqlalchemy as sa

__all__ = ["keep", "statements"]

_VERBS = ("UPDATE", "DELETE")


def keep(table: sa.Table) -> None:
    """Let the database refuse to change or delete the rows of a table, from when it is made."""
    for dialect in ("sqlite", "postgresql", "mysql", "mariadb"):
        for statement in statements(table, dialect):
            ddl: Any = sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy has not typed it
            sa.event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def statements(table: sa.Table, dialect: str) -> list[str]:
    """Give the statements that make the triggers of a table; each can be run again."""
    name = f"{table.schema}.{table.name}" if table.schema else table.name
    where = f"{table.schema}." if table.schema else ""
    said = f"{table.name}: what is recorded stays"
    if dialect == "postgresql":
        return _of_postgresql(table.name, name, where, said)
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {where}{table.name}_no_{verb.lower()} "
            f"BEFORE {verb} ON {table.name} BEGIN SELECT RAISE(ABORT, '{said}'); END"
            for verb in _VERBS
        ]
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table.name}_no_{verb.lower()} BEFORE {verb} "
        f"ON {table.name} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{said}'"
        for verb in _VERBS
    ]


def _of_postgresql(table: str, name: str, where: str, said: str) -> list[str]:
    """The function that refuses, and what calls it: by row, and for TRUNCATE by statement."""
    function = f"{where}{table}_stays"
    refuse = f"AS $$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    made = [f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql {refuse}"]
    for trigger, when, each in (
        ("no_change", "UPDATE OR DELETE", "ROW"),
        ("no_truncate", "TRUNCATE", "STATEMENT"),
    ):
        made.append(f"DROP TRIGGER IF EXISTS {table}_{trigger} ON {name}")
        made.append(
            f"CREATE TRIGGER {table}_{trigger} BEFORE {when} ON {name} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    return made
