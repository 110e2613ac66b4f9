"""The statements that a posting is written with, prepared once for a database."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from clientledger.ports import (
    Agreement,
    Allocation,
    Balance,
    BalanceQuery,
    Client,
    Event,
    FigureQuery,
    Interaction,
    Member,
    OpenItem,
    OpenItemQuery,
    PurchaseDay,
    PurchaseDayQuery,
    Release,
    Settings,
    Task,
    TimelineQuery,
)
from clientledger_sqlalchemy import facts, figures, records
from clientledger_sqlalchemy.money import Values
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.schema import Tables
from clientledger_sqlalchemy.sources import bound

__all__ = ["FigureWrites", "RecordWrites", "RowWrites", "Writes"]


@attrs.frozen(kw_only=True)
class RecordWrites:
    """How a kind of record is written.

    Attributes:
        values: turns a record into the values of a row.
        begin: inserts a row, unless one with its key is there.
        change: updates the row `of_record` while its guard still is as `expected`.
        guard: selects the revision (of a head, the version) of the row `of_record`.
    """

    values: Callable[[Any], Values]
    begin: Prepared
    change: Prepared
    guard: Prepared


@attrs.frozen(kw_only=True)
class FigureWrites:
    """How a kind of derived row is moved.

    Attributes:
        amounts: the attributes that a move can add to, which are columns of the same names.
        values: turns a figure into the values of a row.
        seed: inserts the row without amounts unless it is there, where `begin` cannot do so.
        begin: adds to the row, which begins with what is added where it is not there.
        add: adds to the row only if it is there.
        amounts_of: selects the amounts of the row.
    """

    amounts: tuple[str, ...]
    values: Callable[[Any], Values]
    seed: Prepared | None
    begin: Prepared
    add: Prepared
    amounts_of: Prepared


@attrs.frozen(kw_only=True)
class RowWrites:
    """How all derived rows of one kind are written anew for a client.

    Attributes:
        values: turns a figure into the values of a row.
        clear: deletes the rows of the client `of_client`.
        insert: inserts a row.
    """

    values: Callable[[Any], Values]
    clear: Prepared
    insert: Prepared


class Writes:
    """All statements that write.

    Args:
        tables: the tables of the book.
        dialect: of the database.
    """

    def __init__(self, tables: Tables, dialect: sa.Dialect) -> None:
        t = self._tables = tables
        self._dialect = dialect
        self.edition = self._prepared(_edition_unless_there(t, dialect), ["number"])
        self.only_edition = self._prepared(
            sa.delete(t.editions).where(t.editions.c.number != bound("number", t.editions.c.number))
        )
        m = t.members.c
        self.stand = self._prepared(
            sa.update(t.members)
            .where(m.id == bound("of_record", m.id), m.revision == bound("expected", m.revision))
            .values(given=m.given + sa.literal_column("1"))
        )
        self.head = self._record(t.heads, records.head_values, "client_id", "version")
        self.claim = self._begin(t.claims)
        self.claimed = self._prepared(sa.select(t.claims.c.subject).where(*_same_claim(t)))
        self.free = self._prepared(sa.delete(t.claims).where(*_same_claim(t)))
        self.entry = self._insert(t.entries)
        self.line = self._insert(t.entry_lines)
        self.instalment = self._insert(t.instalments)
        self.facts: Mapping[type[Any], tuple[Callable[[Any], Values], Prepared]] = {
            Allocation: (facts.allocation_values, self._insert(t.allocations)),
            Release: (facts.release_values, self._insert(t.releases)),
            Event: (facts.event_values, self._insert(t.events)),
        }
        self.await_position = self._insert(t.pending, leaving="id")
        self.seal = self._insert(t.seals)
        self.salt = self._insert(t.salts)
        self.records: Mapping[type[Any], RecordWrites] = {
            kind: self._record(table, values, "id", "revision")
            for kind, table, values in (
                (Client, t.clients, records.client_values),
                (Member, t.members, records.member_values),
                (Interaction, t.interactions, records.interaction_values),
                (Agreement, t.agreements, records.agreement_values),
                (Task, t.tasks, records.task_values),
                (Settings, t.settings, records.settings_values),
            )
        }
        self.figures: Mapping[type[Any], FigureWrites] = {
            Balance: self._figure(t.balances, figures.balance_values, "owed", "prepaid"),
            OpenItem: self._figure(t.open_items, figures.open_item_values, "open"),
            PurchaseDay: self._figure(
                t.purchase_days, figures.purchase_day_values, "count", "sold"
            ),
        }
        self.show = self._insert(t.timeline)
        self.hide = self._prepared(
            sa.delete(t.timeline).where(t.timeline.c.id == bound("of_record", t.timeline.c.id))
        )
        self.hold_feed = self._prepared(sa.select(t.book.c.id).with_for_update())
        self.give_positions = self._prepared(_give_positions(t))
        self.clear_pending = self._prepared(
            sa.delete(t.pending).where(t.pending.c.event_id.in_(sa.select(t.feed.c.event_id)))
        )

    @cached_property
    def rows(self) -> Mapping[FigureQuery[Any], RowWrites]:
        """How derived rows are written anew, by the question to all of them."""
        t = self._tables
        return {
            query: RowWrites(
                values=values,
                clear=self._prepared(sa.delete(table).where(_of_client(table))),
                insert=self._insert(table),
            )
            for query, table, values in (
                (BalanceQuery(), t.balances, figures.balance_values),
                (OpenItemQuery(open_only=False), t.open_items, figures.open_item_values),
                (PurchaseDayQuery(), t.purchase_days, figures.purchase_day_values),
                (TimelineQuery(), t.timeline, figures.timeline_item_values),
            )
        }

    def _prepared(self, statement: Any, columns: list[str] | None = None) -> Prepared:
        return Prepared(statement, self._dialect, columns)

    def _insert(self, table: sa.Table, leaving: str = "") -> Prepared:
        columns = [name for name in _told(table) if name != leaving]
        return self._prepared(sa.insert(table).inline(), columns)

    def _begin(self, table: sa.Table) -> Prepared:
        """Insert a row, which writes none where its key is taken; or the database refuses that."""
        statement: Any = sa.insert(table).inline()
        if self._dialect.name in ("sqlite", "postgresql"):
            kind = sqlite if self._dialect.name == "sqlite" else postgresql
            statement = kind.insert(table).on_conflict_do_nothing()
        return self._prepared(statement, _told(table))

    def _record(
        self, table: sa.Table, values: Callable[[Any], Values], key: str, guard: str
    ) -> RecordWrites:
        same = table.c[key] == bound("of_record", table.c[key])
        still = table.c[guard] == bound("expected", table.c[guard])
        return RecordWrites(
            values=values,
            begin=self._begin(table),
            change=self._prepared(sa.update(table).where(same, still), _told(table)),
            guard=self._prepared(sa.select(table.c[guard].label("guard")).where(same)),
        )

    def _figure(
        self, table: sa.Table, values: Callable[[Any], Values], *amounts: str
    ) -> FigureWrites:
        keys = list(table.primary_key.columns)
        same = [column == bound(f"of_{column.name}", column) for column in keys]
        within = [
            table.c[name].between(
                bound(f"{name}_least", table.c[name]), bound(f"{name}_most", table.c[name])
            )
            for name in amounts
        ]
        later = [name for name in ("latest", "recorded_at") if name in table.c]
        given = {name: bound(f"add_{name}", table.c[name]) for name in (*amounts, *later)}
        add = sa.update(table).values(
            {
                **{name: table.c[name] + given[name] for name in amounts},
                **{name: _later(table.c[name], given[name]) for name in later},
            }
        )
        adding = self._prepared(add.where(*same, *within))
        seed, begin = self._begun(table, amounts, later, within)
        return FigureWrites(
            amounts=amounts,
            values=values,
            seed=seed,
            begin=begin or adding,
            add=adding,
            amounts_of=self._prepared(sa.select(*(table.c[name] for name in amounts)).where(*same)),
        )

    def _begun(
        self, table: sa.Table, amounts: Sequence[str], later: Sequence[str], within: Sequence[Any]
    ) -> tuple[Prepared | None, Prepared | None]:
        """How a row begins: in one statement, or a seed first where that knows no condition."""
        columns = list(table.c.keys())
        if self._dialect.name not in ("sqlite", "postgresql"):
            as_it_is = {"digits": table.c.digits}
            seed = mysql.insert(table).on_duplicate_key_update(as_it_is)
            return self._prepared(seed, columns), None
        new: Any = (sqlite if self._dialect.name == "sqlite" else postgresql).insert(table)
        given = {name: bound(f"add_{name}", table.c[name]) for name in amounts}
        statement = new.values(
            {name: given.get(name, bound(name, table.c[name])) for name in columns}
        ).on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={
                **{name: table.c[name] + new.excluded[name] for name in amounts},
                **{name: _later(table.c[name], new.excluded[name]) for name in later},
            },
            where=sa.and_(*within),
        )
        return None, self._prepared(statement)


def _told(table: sa.Table) -> list[str]:
    """The columns that a record says; the others are the database's own."""
    return [column.name for column in table.c if column.server_default is None]


def _of_client(table: sa.Table) -> Any:
    return table.c.client_id == bound("of_client", table.c.client_id)


def _edition_unless_there(t: Tables, dialect: sa.Dialect) -> Any:
    if dialect.name == "sqlite":
        return sqlite.insert(t.editions).on_conflict_do_nothing()
    if dialect.name == "postgresql":
        return postgresql.insert(t.editions).on_conflict_do_nothing()
    return mysql.insert(t.editions).on_duplicate_key_update(number=t.editions.c.number)


def _later(stored: Any, given: Any) -> Any:
    return sa.case((stored < given, given), else_=stored)


def _same_claim(t: Tables) -> list[Any]:
    c = t.claims.c
    return [c.space == bound("in_space", c.space), c.claim_key == bound("with_key", c.claim_key)]


def _give_positions(t: Tables) -> Any:
    """Move what is pending to the end of the feed, in the order in which it was committed."""
    p = t.pending.c
    last = sa.select(sa.func.coalesce(sa.func.max(t.feed.c.position), 0)).scalar_subquery()
    position = last + sa.func.row_number().over(order_by=p.id)
    moved = sa.select(position, p.event_id, p.client_id)
    return sa.insert(t.feed).from_select(["position", "event_id", "client_id"], moved)
