"""Everything that a book runs on one database: its tables, sources and prepared statements."""

from collections.abc import Mapping, Set
from functools import cached_property, lru_cache
from typing import Any

import attrs
import sqlalchemy as sa

from clientledger.ports import RECORD_SETS, Claim, ClaimQuery, Head, HeadQuery, Query
from clientledger_sqlalchemy.examining import Oddities
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.schema import Tables
from clientledger_sqlalchemy.selects import Selects
from clientledger_sqlalchemy.sources import Source, among, bound, sources
from clientledger_sqlalchemy.writes import Writes

__all__ = ["Statements", "statements_for"]


class Statements:
    """The statements of a book, shared by all its units of work.

    Args:
        tables: the tables of the book.
        dialect: of the database.
    """

    def __init__(self, tables: Tables, dialect: sa.Dialect) -> None:
        t = self._tables = tables
        self._dialect = dialect
        self.sources: Mapping[type[Query[Any]], Source] = sources(t)
        self.kinds: Mapping[type[Any], type[Query[Any]]] = {
            **RECORD_SETS,
            Head: HeadQuery,
            Claim: ClaimQuery,
        }
        self.selects = Selects(dialect)
        self.writes = Writes(t, dialect)
        self.settings = Prepared(
            sa.select(t.settings).where(t.settings.c.id == bound("key0", t.settings.c.id)), dialect
        )
        self.lines = Prepared(_parts(t, t.entry_lines, dialect), dialect)
        self.instalments = Prepared(_parts(t, t.instalments, dialect), dialect)
        self.moved_later: Mapping[frozenset[str], Prepared] = {
            frozenset({*days, *one}): Prepared(_moved_later(t, {*days, *one}), dialect)
            for days in (("as_of",), ("known_at",), ("as_of", "known_at"))
            for one in ((), ("client",))
        }
        self.pin = Prepared(sa.select(t.book.c.schema_version), dialect)
        self.any_pending = Prepared(sa.select(t.pending.c.id).limit(1), dialect)

    @cached_property
    def oddities(self) -> Oddities:
        """Those of an audit."""
        return Oddities(self._tables, self._dialect)


@attrs.frozen
class _Kind:
    """What decides on the text of statements: the tables, and the kind of database."""

    tables: Tables
    name: str
    driver: str
    version: object
    dialect: sa.Dialect = attrs.field(eq=False)


@lru_cache(maxsize=64)
def _compiled(kind: _Kind) -> Statements:
    return Statements(kind.tables, kind.dialect)


def statements_for(tables: Tables, dialect: sa.Dialect) -> Statements:
    """The statements of a book; compiled once for all stores of the same tables and kind."""
    version = getattr(dialect, "server_version_info", None)
    return _compiled(_Kind(tables, dialect.name, dialect.driver, version, dialect))


def _parts(t: Tables, parts: sa.Table, dialect: sa.Dialect) -> Any:
    """Select the lines or instalments of many entries, in order, with the entry's currency."""
    e, p = t.entries.c, parts.c
    # Where tables are split, the clients say in which parts to look.
    found_by = (e.client_id, p.client_id) if dialect.name == "postgresql" else ()
    split = [among(column, "clients") for column in found_by]
    joined = t.entries.join(parts, sa.and_(p.client_id == e.client_id, p.entry_id == e.id))
    return (
        sa.select(*(column for column in p if column.name != "client_id"), e.currency, e.digits)
        .select_from(joined)
        .where(among(e.id, "entries"), *split)
        .order_by(p.client_id, p.entry_id, p.number)
    )


def _moved_later(t: Tables, names: Set[str]) -> Any:
    """Select the clients whose figures were moved after a day, or by what was recorded later.

    Everything that moves a figure of the ledger moves a balance of the client too.
    """
    b = t.balances.c
    later = {"as_of": b.latest > bound("as_of", b.latest)}
    later["known_at"] = b.recorded_at > bound("known_at", b.recorded_at)
    found = sa.select(b.client_id)  # a DISTINCT would scan all rows by client
    found = found.where(sa.or_(*(later[name] for name in sorted(names & later.keys()))))
    return found.where(b.client_id == bound("client", b.client_id)) if "client" in names else found
