"""What a database says of the tables of a book, with nothing in between, so as to compare two."""

import re
from typing import Any

import sqlalchemy as sa

Shape = dict[str, list[str]]
"""By the name of a table: its columns, constraints, indexes and triggers, each as text."""

_POSTGRESQL = """
SELECT c.relname, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || coalesce(' ' || o.collname, '') || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
  || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_collation o ON o.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'r' AND a.attnum > 0
  AND NOT a.attisdropped
UNION ALL
SELECT c.relname, 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = %(schema)s
UNION ALL
SELECT c.relname, pg_get_triggerdef(t.oid) || ' ' || pg_get_functiondef(t.tgfoid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND NOT t.tgisinternal
"""


def shape(connection: sa.Connection, schema: str = "public") -> Shape:
    """Describe every table of a database, in words that are the same where the tables are."""
    read = {"sqlite": _sqlite, "postgresql": _postgresql}.get(connection.dialect.name, _mariadb)
    found: Shape = {}
    for table, part in read(connection, schema):
        found.setdefault(table, []).append(part)
    return {table: sorted(parts) for table, parts in sorted(found.items())}


def _postgresql(connection: sa.Connection, schema: str) -> list[tuple[str, str]]:
    rows = connection.exec_driver_sql(_POSTGRESQL, {"schema": schema}).all()
    return [(table, part) for table, part in rows]


def _mariadb(connection: sa.Connection, _: str) -> list[tuple[str, str]]:
    def rows(command: str) -> list[Any]:
        return list(connection.exec_driver_sql(command).all())

    found = []
    for [table] in rows("SHOW TABLES"):
        [(_, text)] = rows(f"SHOW CREATE TABLE {table}")
        found += [(table, line.strip().rstrip(",")) for line in text.splitlines()]
    for name, event, table, statement, timing, *_ in rows("SHOW TRIGGERS"):
        found.append((table, f"trigger {name} {timing} {event} {statement}"))
    return [(table, re.sub(r" AUTO_INCREMENT=\d+", "", part)) for table, part in found]


def _sqlite(connection: sa.Connection, _: str) -> list[tuple[str, str]]:
    def rows(command: str) -> list[Any]:
        return list(connection.exec_driver_sql(command).all())

    found = []
    for kind, name, table, text in rows(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ):
        if kind != "table":
            found.append((table, _even(text)))
            continue
        found.append((table, "WITHOUT ROWID" if "WITHOUT ROWID" in text else "with rowid"))
        found += [(table, part) for part in re.findall(r"CONSTRAINT .*", _even(text, "\n"))]
        for _, column, type, required, default, key in rows(f"PRAGMA table_info({name})"):
            told = (column, _kind(type), required, default, key)
            found.append((table, " ".join(map(str, told))))
    return found


def _even(text: str, keep: str = "") -> str:
    """A statement without what says nothing: spaces, and commas at the ends of lines."""
    lines = [" ".join(line.split()).rstrip(", )") for line in text.splitlines()]
    return (keep or " ").join(lines)


def _kind(type: str) -> str:
    """The type of a column as SQLite has it.

    It takes VARCHAR(40), VARCHAR(255) and TEXT for the same, and no length of a text counts. Files
    that older versions made have longer ones; no column is made anew because of that.
    """
    return "TEXT" if type == "TEXT" or type.startswith("VARCHAR") else type
