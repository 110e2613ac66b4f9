"""A query to a select: one prepared statement for each set of filters that is used."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from clientledger.codec import canonical
from clientledger.ports import ClientQuery, Query, TaskQuery
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.sources import MOST_WORDS, Source, bound

__all__ = ["Asked", "Selects", "asked"]

_NOT_FILTERS = frozenset({"limit", "after", "as_of", "known_at"})
_MOST_ROWS = 2**63 - 1


@attrs.frozen
class Asked:
    """What a query asks of SQL.

    Attributes:
        values: the parameters by name.
        exact: whether the conditions match what the query matches; else they only narrow.
    """

    values: Mapping[str, Any]
    exact: bool

    @property
    def shape(self) -> tuple[Any, ...]:
        """What tells statements apart: which parameters there are, and the values of flags."""
        return tuple(
            (name, value if isinstance(value, bool) or value is None else ...)
            for name, value in self.values.items()
        )


def asked(query: Query[Any], source: Source, **more: Any) -> Asked:
    """Turn the filters of a query into parameters of conditions."""
    values: dict[str, Any] = dict(more)
    exact = True
    for field in attrs.fields(type(query)):
        name, value = field.name, getattr(query, field.name)
        if name in _NOT_FILTERS or value is None or (value == () and field.default == ()):
            continue
        given, complete = _parameters(query, name, value)
        known = {key: one for key, one in given.items() if key in source.where}
        values.update(known)
        exact = exact and complete and known == given
    if "client" in values and not source.sharper.isdisjoint(values):
        values["client_too"] = values.pop("client")
    return Asked(values, exact)


def _parameters(query: Query[Any], name: str, value: Any) -> tuple[Mapping[str, Any], bool]:
    """Give the parameters of one filter, and whether they say all that it says."""
    match query, name:
        case ClientQuery(), "text":
            words = query.words
            few = {f"word{n}": word for n, word in enumerate(words[:MOST_WORDS])}
            return few, len(words) <= MOST_WORDS
        case ClientQuery(), "phone":
            digits = "".join(c for c in value if c in "0123456789").lstrip("0")
            return ({"digits": digits} if digits else {}), False
        case ClientQuery(), "email":
            words = ClientQuery(text=value).words if "@" in value else ()
            return ({"email": words[0]} if words else {}), False
        case ClientQuery(), "tag":
            return {"tag": canonical(value)}, False
        case TaskQuery(), "status" if value == "open":
            return {"open": True}, True
    return {name: value}, True


class Selects:
    """The selects in use, each prepared when it is first asked for.

    Args:
        dialect: of the database that will run them.
    """

    _MOST = 2000

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        self._known: dict[Any, Prepared] = {}

    def count(self, query: Query[Any], source: Source, what: Asked) -> Prepared:
        """Give the select that counts the rows."""

        def statement() -> sa.Select[Any]:
            count = sa.select(sa.func.count().label("total")).select_from(source.start)
            return count.where(*_conditions(source, what.shape))

        return self._prepared((type(query), "count", what.shape), statement)

    def page(
        self, query: Query[Any], source: Source, what: Asked, *, lock: bool = False
    ) -> tuple[Prepared, Mapping[str, Any]]:
        """Give the select for the rows in order, and its parameters.

        It begins after the query's `after`, and ends at its `limit` where `what` is exact.
        """
        values = dict(what.values)
        marks = None
        if query.after is not None:
            marks = tuple(value is None for value in query.after)
            values.update({f"after{n}": value for n, value in enumerate(query.after)})
        limited = what.exact and query.limit is not None
        if limited:
            values["limit"] = min(query.limit or 0, _MOST_ROWS)

        def statement() -> sa.Select[Any]:
            ranks = _ranks(query.order, source, what.shape)
            page = sa.select(*source.columns).select_from(source.start)
            page = page.where(*_conditions(source, what.shape))
            if marks is not None:
                page = page.where(_beyond(ranks, marks))
            if limited:
                page = page.limit(sa.bindparam("limit", type_=sa.BigInteger))
            terms = [term for rank in ranks for term in rank.terms(self._dialect)]
            page = page.order_by(*terms)
            return page.with_for_update() if lock else page

        key = (type(query), what.shape, marks, limited, lock)
        return self._prepared(key, statement), values

    def one(self, kind: type[Any], source: Source, *, lock: bool = False) -> Prepared:
        """Give the select of one row by its key; a row that is locked waits for who changes it."""

        def statement() -> sa.Select[Any]:
            one = (
                sa.select(*source.columns)
                .select_from(source.start)
                .where(*(c == bound(f"key{n}", c) for n, c in enumerate(source.key)))
            )
            return one.with_for_update() if lock else one

        return self._prepared((kind, "one", lock), statement)

    def _prepared(self, key: Any, statement: Callable[[], Any]) -> Prepared:
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._MOST:
                self._known.clear()
            found = self._known[key] = Prepared(statement(), self._dialect)
        return found


@attrs.frozen
class _Rank:
    column: Any
    falling: bool
    maybe_none: bool

    def terms(self, dialect: sa.Dialect) -> list[Any]:
        """The terms to order by: None last, in either direction."""
        term = self.column.desc() if self.falling else self.column.asc()
        if not self.maybe_none:
            return [term]
        if dialect.name in ("sqlite", "postgresql"):
            return [term.nulls_last()]
        return [self.column.is_(None), term]

    def further(self, name: str, after_none: bool) -> Any:
        """The condition that a row ranks after a value."""
        if after_none:
            return sa.false()
        value = bound(name, self.column)
        further = self.column < value if self.falling else self.column > value
        return sa.or_(further, self.column.is_(None)) if self.maybe_none else further

    def same(self, name: str, after_none: bool) -> Any:
        """The condition that a row ranks with a value."""
        return self.column.is_(None) if after_none else self.column == bound(name, self.column)

    def not_before(self, name: str) -> Any:
        """A range for the index to begin with."""
        value = bound(name, self.column)
        return self.column <= value if self.falling else self.column >= value


def _ranks(order: tuple[str, ...], source: Source, shape: tuple[Any, ...]) -> list[_Rank]:
    flags = {name for name, value in shape if value is True}
    found = []
    for term in order:
        name = term.removeprefix("-")
        maybe_none = name in source.maybe_none and source.maybe_none[name] not in flags
        found.append(_Rank(source.ranks[name], term.startswith("-"), maybe_none))
    return found


def _conditions(source: Source, shape: tuple[Any, ...]) -> list[Any]:
    return [source.where[name](name, value) for name, value in shape]


def _beyond(ranks: list[_Rank], marks: tuple[bool, ...]) -> Any:
    """The condition that a row ranks after a cursor; `marks` says where that has None."""
    names = [f"after{n}" for n in range(len(ranks))]
    beyond: Any = sa.false()
    for rank, name, none in reversed(list(zip(ranks, names, marks, strict=True))):
        beyond = sa.or_(rank.further(name, none), sa.and_(rank.same(name, none), beyond))
    first = ranks[0]
    if marks[0] or first.maybe_none:
        return beyond
    return sa.and_(first.not_before(names[0]), beyond)
