"""Reads within one transaction."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs

from clientledger import Conflict, NotFound, StoreError
from clientledger.ports import (
    Claim,
    ClientQuery,
    Entry,
    EntryLine,
    FigureQuery,
    Head,
    HeadQuery,
    Instalment,
    LedgerQuery,
    Member,
    Problem,
    Query,
    Reading,
    Seal,
    Settings,
)
from clientledger_sqlalchemy import facts, records
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.examining import readable
from clientledger_sqlalchemy.money import Values
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.selects import asked
from clientledger_sqlalchemy.sources import Source
from clientledger_sqlalchemy.statements import Statements

__all__ = ["SqlReading"]

R = TypeVar("R")


class SqlReading(Reading):
    """Reads what a transaction sees.

    Args:
        channel: into the transaction, whoever owns it.
        statements: of the book.
    """

    _unchanging = True  # what was read once need not be asked for again
    _locking = False  # whether the heads that are read stay as they are until the unit ends

    def __init__(self, channel: Channel, statements: Statements) -> None:
        self._channel = channel
        self._statements = statements
        self._known_late: dict[tuple[Any, ...], tuple[UUID, ...]] = {}

    def get(self, kind: type[R], id: Any) -> R:
        found = self._one(kind, id)
        if found is None:
            name = kind.__name__.lower()
            raise NotFound(
                f"no such {name} in the book", field=name, value=id, remedy="look it up first"
            )
        return cast(R, found)

    def find(self, query: Query[R]) -> list[R]:
        if isinstance(query, LedgerQuery):
            return self._figures(query)
        return self._rows(query)

    def examine(self, query: Query[R]) -> tuple[list[R], list[Problem]]:
        source = self._statements.sources.get(type(query))
        shown = isinstance(query, LedgerQuery) and (query.as_of or query.known_at)
        with self._channel.examining():
            if source is None or shown:
                return super().examine(query)
            return self._examined(query, source)

    def strays(self) -> list[Problem]:
        oddities = self._statements.oddities
        clients, _ = self.examine(ClientQuery())
        with self._channel.examining():
            return [
                *oddities.find(self._channel),
                *oddities.find_keys(self._channel, clients),
                *oddities.find_settings(self._channel),
            ]

    def is_pending(self) -> bool:
        """Whether an event waits for its position in the feed."""
        return bool(self._channel.rows(self._statements.any_pending, {}))

    def total(self, query: Query[Any]) -> int:
        query = attrs.evolve(query, limit=None, after=None)
        source = self._statements.sources.get(type(query))
        if source is not None and not (isinstance(query, LedgerQuery) and self._late(query)):
            what = asked(query, source)
            if what.exact:
                count = self._statements.selects.count(query, source, what)
                return sum(row.total for row in self._channel.rows(count, what.values))
        return len(self.find(query))

    def _one(self, kind: type[Any], id: Any) -> Any:
        if kind not in (Claim, Member) and not isinstance(id, int if kind is Seal else UUID):
            return None
        if kind is Settings:
            select = self._statements.settings
            raw = self._channel.raw(select, {"key0": id})
            found = self._read(Settings, records.settings_of, select, raw)
            return found[0] if found else None
        query = self._statements.kinds.get(kind)
        if query is None:
            return None
        key = id if kind is Claim else (id,)
        source = self._statements.sources[query]
        one = self._statements.selects.one(kind, source, lock=self._locking and kind is Head)
        raw = self._channel.raw(one, {f"key{n}": part for n, part in enumerate(key)})
        found = self._read(kind, source.read, one, raw)
        return found[0] if found else None

    def _rows(self, query: Query[R], **more: Any) -> list[R]:
        """Find rows of facts, records or derived rows; `more` are conditions of our own."""
        source = self._statements.sources.get(type(query))
        if source is None:
            return self._by_definition(query)
        what = asked(query, source, **more)
        lock = self._locking and type(query) is HeadQuery
        page, values = self._statements.selects.page(query, source, what, lock=lock)
        raw = self._channel.raw(page, values)
        found = self._read(query.record, source.read, page, raw)
        return cast(list[R], found if what.exact else query.select(found))

    def _read(
        self, kind: type[Any], read: Callable[[Any], Any], select: Prepared, raw: Sequence[Any]
    ) -> list[Any]:
        """Read rows as the driver gives them.

        Raises:
            StoreError: one of them holds what no value of ours can be.
        """
        try:
            rows = select.rows(raw)
            found = [read(row) for row in rows]
            return self._with_parts(found, rows) if read is facts.entry_of else found
        except (StoreError, Conflict):
            raise
        except Exception as error:  # whatever a stranger wrote may raise whatever it likes
            raise StoreError(
                f"{self._channel.engine.place}: a row of kind {kind.__name__} cannot be read "
                f"({type(error).__name__})",
                remedy="book.verify() names it; restore it from a backup",
            ) from error

    def _examined(self, query: Query[R], source: Source) -> tuple[list[R], list[Problem]]:
        """Read row by row, and name those that hold what no value of ours can be."""
        what = asked(query, source)
        page, values = self._statements.selects.page(query, source, what)
        raw = self._channel.raw(page, values)
        read, problems = readable(query.record, page, raw, source.read)
        found = [value for _, value in read]
        if source.read is facts.entry_of:
            found, more = self._examined_parts(found, [row for row, _ in read])
            problems += more
        return found if what.exact else query.select(found), problems

    def _examined_parts(
        self, entries: list[Any], rows: Sequence[Any]
    ) -> tuple[list[Any], list[Problem]]:
        """Add lines and instalments to entries; one with a part that cannot be read falls out."""
        parts: list[list[Any]] = []
        problems: list[Problem] = []
        for kind, select, read, names in (
            (EntryLine, self._statements.lines, facts.line_of, "line_count"),
            (Instalment, self._statements.instalments, facts.instalment_of, "instalment_count"),
        ):
            wanted = _keys([row for row in rows if getattr(row, names)])
            raw = self._channel.raw(select, wanted) if wanted["entries"] else ()
            good, bad = readable(kind, select, raw, read)
            parts.append([row for row, _ in good])
            problems += bad
        broken = {problem.row.partition("/")[0] for problem in problems}
        whole = facts.with_parts(entries, *parts)
        return [entry for entry in whole if str(entry.id) not in broken], problems

    def _with_parts(self, entries: list[Entry], rows: Sequence[Any]) -> list[Entry]:
        """Add lines and instalments: one statement for each, however many entries."""
        lined = _keys([row for row in rows if row.line_count])
        parted = _keys([row for row in rows if row.instalment_count])
        statements, channel = self._statements, self._channel
        return facts.with_parts(
            entries,
            channel.rows(statements.lines, lined) if lined["entries"] else (),
            channel.rows(statements.instalments, parted) if parted["entries"] else (),
        )

    def _by_definition(self, query: Query[R]) -> list[R]:
        """Answer a query that is not known here: right, and slow."""
        if isinstance(query, FigureQuery):
            return self.compute(query)
        everything = self._statements.kinds[query.record]()
        return query.select(self._rows(everything))

    def _figures(self, query: LedgerQuery[R]) -> list[R]:
        """Find figures as of a day: derived rows, but computed where a client has moved since."""
        if type(query) not in self._statements.sources:
            return self.compute(query)
        late = self._late(query)
        if not late:
            return self._rows(query)
        kept = [] if query.client is not None else self._rows(query, not_clients=late)
        journal = {
            source: tuple(self._rows(self._statements.kinds[source](), clients=late))
            for source in query.sources
        }
        return query.select([*kept, *query.build(journal)])

    def _late(self, query: LedgerQuery[Any]) -> tuple[UUID, ...]:
        """The clients whose derived rows tell of what the query leaves out."""
        if query.as_of is None and query.known_at is None:
            return ()
        given = {"as_of": query.as_of, "known_at": query.known_at, "client": query.client}
        key = tuple(given.values())
        if key in self._known_late:
            return self._known_late[key]
        values = {name: value for name, value in given.items() if value is not None}
        statement = self._statements.moved_later[frozenset(values)]
        rows = self._channel.rows(statement, values)
        late = tuple(dict.fromkeys(row.client_id for row in rows))
        if self._unchanging:
            self._known_late[key] = late
        return late


def _keys(rows: Sequence[Any]) -> Values:
    """By what the parts of some entries are found."""
    return {
        "entries": [row.id for row in rows],
        "clients": list(dict.fromkeys(row.client_id for row in rows)),
    }
