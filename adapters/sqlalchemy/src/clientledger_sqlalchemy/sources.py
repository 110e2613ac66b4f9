"""Where the rows of each query come from: columns, ranks, and a condition for each filter.

A condition is made for the name of a parameter, so that one statement serves all values. A filter
that has none here is applied to the rows afterwards, by the query itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from clientledger.ports import (
    AgreementQuery,
    AllocationQuery,
    BalanceQuery,
    ClaimQuery,
    ClientQuery,
    EntryQuery,
    EventQuery,
    HeadQuery,
    InteractionQuery,
    MemberQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Query,
    ReleaseQuery,
    SealQuery,
    TaskQuery,
    TimelineQuery,
)
from clientledger_sqlalchemy import facts, figures, records
from clientledger_sqlalchemy.columns import Id, Listed, Long
from clientledger_sqlalchemy.schema import Tables

__all__ = ["MOST_WORDS", "Source", "among", "bound", "sources"]

Condition = Callable[[str, object], Any]
"""Makes a condition for a parameter's name; of a flag, for its value."""

MOST_WORDS = 20
"""The words of a text that are looked for in SQL."""

_IN, _NOT_IN = "IN", "NOT IN"
_ZERO: Any = sa.literal_column("0")


@attrs.frozen(kw_only=True)
class Source:
    """Where the rows of a query come from.

    Attributes:
        start: a table or a join.
        columns: what is selected.
        read: turns a row into a value of the domain.
        ranks: the column of each attribute by which the query orders.
        maybe_none: those of them that may be None, each with a flag by which it is not.
        where: a condition for each filter, by the name of the query's field.
        sharper: filters that find few rows, so that beside them the client needs no index.
        key: the columns by which `get` finds a row.
    """

    start: sa.FromClause
    columns: tuple[Any, ...]
    read: Callable[[Any], Any]
    ranks: Mapping[str, Any]
    maybe_none: Mapping[str, str] = {}
    where: Mapping[str, Condition]
    sharper: frozenset[str] = frozenset()
    key: tuple[Any, ...] = ()


def bound(name: str, column: Any) -> Any:
    """Make a parameter that takes what the column holds."""
    return sa.bindparam(name, type_=column.type)


def among(column: Any, name: str) -> Any:
    """Make the condition that a column is one of many: one parameter, however many they are."""
    return _Among(column, sa.bindparam(name, type_=Listed), _IN)


class _Among(sa.ColumnElement[Any]):
    """That a column is one of the values of a list, which is one parameter."""

    inherit_cache = False

    def __init__(self, column: Any, listed: Any, verb: str) -> None:
        self.column, self.listed, self.verb = column, listed, verb
        self.type = sa.types.NullType()  # as a Boolean, SQLite would compare it with 1


@compiles(_Among, "sqlite")
def _compile_among_on_sqlite(element: _Among, compiler: Any, **told: Any) -> str:
    column, listed = compiler.process(element.column, **told), compiler.process(element.listed)
    return f"({column} {element.verb} (SELECT value FROM json_each({listed})))"


@compiles(_Among, "postgresql")
def _compile_among_on_postgresql(element: _Among, compiler: Any, **told: Any) -> str:
    column, listed = compiler.process(element.column, **told), compiler.process(element.listed)
    kind = "uuid[]" if isinstance(element.column.type, type(Id)) else "text[]"
    every = "= ANY" if element.verb == _IN else "<> ALL"
    return f"({column} {every} (CAST({listed} AS {kind})))"


@compiles(_Among, "mysql")
@compiles(_Among, "mariadb")
def _compile_among_on_mariadb(element: _Among, compiler: Any, **told: Any) -> str:
    column, listed = compiler.process(element.column, **told), compiler.process(element.listed)
    ids = isinstance(element.column.type, type(Id))
    kind = "CHAR(32) CHARSET ascii COLLATE ascii_nopad_bin"
    kind = kind if ids else "VARCHAR(255) CHARSET utf8mb4 COLLATE utf8mb4_nopad_bin"
    listed = f"JSON_TABLE({listed}, '$[*]' COLUMNS (value {kind} PATH '$'))"
    return f"({column} {element.verb} (SELECT value FROM {listed} AS listed))"


class _Holds(sa.ColumnElement[Any]):
    """That a text has another one in it."""

    inherit_cache = False

    def __init__(self, column: Any, part: Any) -> None:
        self.column, self.part = column, part
        self.type = sa.types.NullType()  # as a Boolean, SQLite would compare it with 1


@compiles(_Holds)
def _compile_holds(element: _Holds, compiler: Any, **told: Any) -> str:
    column, part = compiler.process(element.column, **told), compiler.process(element.part)
    return f"(instr({column}, {part}) > 0)"


@compiles(_Holds, "postgresql")
def _compile_holds_on_postgresql(element: _Holds, compiler: Any, **told: Any) -> str:
    column, part = compiler.process(element.column, **told), compiler.process(element.part)
    return f"(strpos({column}, {part}) > 0)"


class _Apart(sa.ColumnElement[Any]):
    """A column that no index is looked up by: SQLite takes any client to have few rows."""

    inherit_cache = False

    def __init__(self, column: Any) -> None:
        self.column = column
        self.type = column.type


@compiles(_Apart)
def _compile_apart(element: _Apart, compiler: Any, **told: Any) -> str:
    return str(compiler.process(element.column, **told))


@compiles(_Apart, "sqlite")
def _compile_apart_on_sqlite(element: _Apart, compiler: Any, **told: Any) -> str:
    return f"+{compiler.process(element.column, **told)}"


def _is(column: Any) -> Condition:
    return lambda name, _: column == bound(name, column)


def _is_too(column: Any) -> Condition:
    return lambda name, _: _Apart(column) == bound(name, column)


def _among(column: Any) -> Condition:
    return lambda name, _: among(column, name)


def _not_among(column: Any) -> Condition:
    return lambda name, _: _Among(column, sa.bindparam(name, type_=Listed), _NOT_IN)


def _either_among(one: Any, other: Any) -> Condition:
    return lambda name, _: among(one, name) | among(other, name)


def _from(column: Any) -> Condition:
    return lambda name, _: column >= bound(name, column)


def _until(column: Any) -> Condition:
    return lambda name, _: column <= bound(name, column)


def _flag(if_true: Any, if_false: Any) -> Condition:
    return lambda _, value: if_true if value else if_false


def _holds(column: Any) -> Condition:
    return lambda name, _: _Holds(column, sa.bindparam(name, type_=Long))


def sources(t: Tables) -> dict[type[Query[Any]], Source]:
    """Give the source of every query that the store answers in SQL."""
    return {**_of_records(t), **_of_facts(t), **_of_figures(t)}


def _of_records(t: Tables) -> dict[type[Query[Any]], Source]:
    members, interactions, agreements = t.members.c, t.interactions.c, t.agreements.c
    heads, claims = t.heads.c, t.claims.c
    return {
        ClientQuery: _clients(t),
        MemberQuery: Source(
            start=t.members,
            columns=tuple(members),
            read=records.member_of,
            ranks={"id": members.id},
            where={"active": _flag(members.active, sa.not_(members.active))},
            key=(members.id,),
        ),
        InteractionQuery: Source(
            start=t.interactions,
            columns=tuple(interactions),
            read=records.interaction_of,
            ranks={"at": interactions.at, "id": interactions.id},
            where={"client": _is(interactions.client_id)},
            key=(interactions.id,),
        ),
        AgreementQuery: Source(
            start=t.agreements,
            columns=tuple(agreements),
            read=records.agreement_of,
            ranks={"valid_from": agreements.valid_from, "id": agreements.id},
            where={
                "client": _is(agreements.client_id),
                "kind": _is(agreements.kind),
                "valid_on": _valid_on(agreements),
            },
            key=(agreements.id,),
        ),
        TaskQuery: _tasks(t),
        HeadQuery: Source(
            start=t.heads,
            columns=tuple(heads),
            read=records.head_of,
            ranks={"client": heads.client_id},
            where={"clients": _among(heads.client_id)},
            key=(heads.client_id,),
        ),
        ClaimQuery: Source(
            start=t.claims,
            columns=tuple(claims),
            read=records.claim_of,
            ranks={"space": claims.space, "key": claims.claim_key},
            where={
                "space": _is(claims.space),
                "key": _is(claims.claim_key),
                "subject": _is(claims.subject),
                "subjects": _among(claims.subject),
            },
            key=(claims.space, claims.claim_key),
        ),
    }


def _clients(t: Tables) -> Source:
    c = t.clients.c
    return Source(
        start=t.clients,
        columns=tuple(c),
        read=records.client_of,
        ranks={"sort_name": c.sort_name, "id": c.id},
        where={
            "ids": _among(c.id),
            "manager": _is(c.manager),
            "archived": _flag(c.archived, sa.not_(c.archived)),
            **{f"word{n}": _holds(c.search) for n in range(MOST_WORDS)},
            "digits": _holds(c.search),
            "email": _holds(c.search),
            "tag": _holds(c.tags),
        },
        key=(c.id,),
    )


def _valid_on(c: Any) -> Condition:
    def condition(name: str, _: object) -> Any:
        day = bound(name, c.valid_from)
        return sa.and_(
            c.valid_from <= day,
            c.valid_until.is_(None) | (c.valid_until >= day),
            c.withdrawn_on.is_(None) | (c.withdrawn_on > day),
        )

    return condition


def _tasks(t: Tables) -> Source:
    c = t.tasks.c
    return Source(
        start=t.tasks,
        columns=tuple(c),
        read=records.task_of,
        ranks={"due_on": c.due_on, "id": c.id},
        maybe_none={"due_on": ""},
        where={
            "client": _is(c.client_id),
            "status": _is(c.status),
            "open": _flag(c.status == sa.literal_column("'open'"), sa.true()),
            "assignee": _is(c.assignee),
            "about": _is(c.about),
            "due_until": _until(c.due_on),
        },
        key=(c.id,),
    )


def _of_facts(t: Tables) -> dict[type[Query[Any]], Source]:
    allocations, releases = t.allocations.c, t.releases.c
    return {
        EntryQuery: _entries(t),
        AllocationQuery: Source(
            start=t.allocations,
            columns=tuple(allocations),
            read=facts.allocation_of,
            ranks={"id": allocations.id},
            where={
                "ids": _among(allocations.id),
                "client": _is(allocations.client_id),
                "client_too": _is_too(allocations.client_id),
                "clients": _among(allocations.client_id),
                "touching": _either_among(allocations.credit_id, allocations.debit_id),
            },
            sharper=frozenset({"touching"}),
            key=(allocations.id,),
        ),
        ReleaseQuery: Source(
            start=t.releases,
            columns=tuple(releases),
            read=facts.release_of,
            ranks={"id": releases.id},
            where={
                "ids": _among(releases.id),
                "client": _is(releases.client_id),
                "client_too": _is_too(releases.client_id),
                "clients": _among(releases.client_id),
                "touching": _either_among(releases.credit_id, releases.debit_id),
            },
            sharper=frozenset({"touching"}),
            key=(releases.id,),
        ),
        EventQuery: _events(t),
        SealQuery: _seals(t),
    }


def _entries(t: Tables) -> Source:
    c = t.entries.c
    return Source(
        start=t.entries,
        columns=tuple(c),
        read=facts.entry_of,
        ranks={"on": c.on_day, "client": c.client_id, "sequence": c.sequence},
        where={
            "ids": _among(c.id),
            "client": _is(c.client_id),
            "client_too": _is_too(c.client_id),
            "clients": _among(c.client_id),
            "kind": _is(c.kind),
            "currency": _is(c.currency),
            "number": _is(c.number),
            "since": _from(c.on_day),
            "until": _until(c.on_day),
            "undoes": _among(c.undoes),
            "replaces": _among(c.replaces),
            "excluding": _not_among(c.id),
        },
        sharper=frozenset({"undoes", "replaces", "number"}),
        key=(c.id,),
    )


def _events(t: Tables) -> Source:
    c, position = t.events.c, t.feed.c.position
    return Source(
        start=t.events.outerjoin(t.feed, t.feed.c.event_id == c.id),
        columns=(*c, position),
        read=facts.event_of,
        ranks={"position": position, "id": c.id},
        maybe_none={"position": "sequenced"},
        where={
            "client": _is(c.client_id),
            "client_too": _is_too(c.client_id),
            "subject": _is(c.subject),
            "sequenced": _flag(position.is_not(None), c.id.in_(sa.select(t.pending.c.event_id))),
        },
        sharper=frozenset({"subject"}),
        key=(c.id,),
    )


def _seals(t: Tables) -> Source:
    c, salts = t.seals.c, t.salts.c
    return Source(
        start=t.seals.outerjoin(t.salts, salts.position == c.position),
        columns=(*c, salts.salt),
        read=facts.seal_of,
        ranks={"position": c.position},
        where={"since": _from(c.position), "until": _until(c.position)},
        key=(c.position,),
    )


def _of_figures(t: Tables) -> dict[type[Query[Any]], Source]:
    balances, days, items = t.balances.c, t.purchase_days.c, t.timeline.c
    return {
        BalanceQuery: Source(
            start=t.balances,
            columns=tuple(balances),
            read=figures.balance_of,
            ranks={"currency": balances.currency, "client": balances.client_id},
            where={
                "client": _is(balances.client_id),
                "not_clients": _not_among(balances.client_id),
                "currency": _is(balances.currency),
                "owing": _flag(balances.owed != _ZERO, balances.owed == _ZERO),
            },
        ),
        OpenItemQuery: _open_items(t),
        PurchaseDayQuery: Source(
            start=t.purchase_days,
            columns=tuple(days),
            read=figures.purchase_day_of,
            ranks={"client": days.client_id, "currency": days.currency, "day": days.day},
            where={
                "client": _is(days.client_id),
                "not_clients": _not_among(days.client_id),
                "currency": _is(days.currency),
                "since": _from(days.day),
                "until": _until(days.day),
            },
        ),
        TimelineQuery: Source(
            start=t.timeline,
            columns=tuple(items),
            read=figures.timeline_item_of,
            ranks={"at": items.at, "id": items.id},
            where={
                "client": _is(items.client_id),
                "what": _among(items.what),
                "until": lambda name, _: (
                    items.on_day.is_not(None) | (items.at <= bound(name, items.at))
                ),
                "dated_until": lambda name, _: (
                    items.on_day.is_(None) | (items.on_day <= bound(name, items.on_day))
                ),
            },
        ),
    }


def _open_items(t: Tables) -> Source:
    c = t.open_items.c
    debit = c.side == sa.literal_column("'debit'")
    return Source(
        start=t.open_items,
        columns=tuple(c),
        read=figures.open_item_of,
        ranks={
            "due": c.due,
            "on": c.on_day,
            "client": c.client_id,
            "sequence": c.sequence,
            "instalment": c.instalment,
        },
        maybe_none={"due": ""},
        where={
            "client": _is(c.client_id),
            "not_clients": _not_among(c.client_id),
            "entries": _among(c.entry_id),
            "currency": _is(c.currency),
            "side": _is(c.side),
            "open_only": _flag(c.open != _ZERO, sa.true()),
            "due_before": lambda name, _: debit & (c.due < bound(name, c.due)),
        },
    )
