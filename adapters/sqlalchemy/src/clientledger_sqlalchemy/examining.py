"""Looking at rows that others than ours may have written: each that is wrong gets a name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa

from clientledger.ports import Client, Problem, search_key
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.schema import Tables

__all__ = ["Oddities", "readable"]

_KEYS: Mapping[str, tuple[str, ...]] = {
    "OpenItem": ("entry_id", "instalment"),
    "EntryLine": ("entry_id", "number"),
    "Instalment": ("entry_id", "number"),
    "Balance": ("currency",),
    "PurchaseDay": ("day", "currency"),
    "Claim": ("space", "claim_key"),
    "Head": ("client_id",),
    "Seal": ("position",),
}
"""The columns that name a row within its client; of those that are not here, the id."""

_NONE = sa.null()


def readable(
    kind: type[Any], select: Prepared, raw: Sequence[Any], read: Callable[[Any], Any]
) -> tuple[list[tuple[Any, Any]], list[Problem]]:
    """Read rows as the driver gives them, each with its value, and name those that cannot be."""
    found, problems = [], []
    for values in raw:
        try:
            [row] = select.rows([values])
            found.append((row, read(row)))
        except Exception as error:  # noqa: BLE001 - whatever was written raises what it likes
            row = select.untouched(values)
            keys = [getattr(row, name) for name in _KEYS.get(kind.__name__, ("id",))]
            problems.append(
                Problem(
                    what=kind.__name__,
                    client=_id(getattr(row, "client_id", None)),
                    row="/".join(map(_text, keys)),
                    stored=f"what cannot be read ({type(error).__name__}: {error})",
                    computed=f"the values of one {kind.__name__}",
                )
            )
    return found, problems


def _id(value: Any) -> UUID | None:
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        return None


def _text(value: Any) -> str:
    """A part of a key in words: an id in the same way on every database."""
    id = _id(value)
    return str(value) if id is None else str(id)


@attrs.frozen
class _Oddity:
    """A statement that finds rows which contradict others: client_id, key, more, stored, computed.

    Attributes:
        what: the kind of row.
        stored, computed: words around those two; no "{}" where there is nothing to say.
    """

    what: str
    select: Prepared
    stored: str
    computed: str

    def problem(self, row: Any) -> Problem:
        """Tell of one row."""
        keys = [row.key] if row.more is None else [row.key, row.more]
        return Problem(
            what=self.what,
            client=_id(row.client_id),
            row="/".join(map(_text, keys)),
            stored=self.stored.format(_text(row.stored)),
            computed=self.computed.format(_text(row.computed)),
        )


class Oddities:
    """All statements that find rows which contradict others, and which no query of a port shows.

    Args:
        tables: the tables of the book.
        dialect: of the database.
    """

    def __init__(self, tables: Tables, dialect: sa.Dialect) -> None:
        self._known = [
            _Oddity(what, Prepared(select, dialect), stored, computed)
            for what, select, stored, computed in _selects(tables)
        ]
        c, settings = tables.clients.c, tables.settings.c
        self._keys = Prepared(sa.select(c.id, c.sort_name, c.search), dialect)
        self._settings = Prepared(sa.select(settings.id, settings.revision, settings.data), dialect)

    def find(self, channel: Channel) -> list[Problem]:
        """Name each such row."""
        return [
            oddity.problem(oddity.select.untouched(raw))
            for oddity in self._known
            for raw in channel.raw(oddity.select, {})
        ]

    def find_keys(self, channel: Channel, clients: Sequence[Client]) -> Iterator[Problem]:
        """Name the clients whose keys for lists and searches are not those of their names."""
        wanted: dict[UUID | None, Any] = {client.id: _keys(client) for client in clients}
        for raw in channel.raw(self._keys, {}):
            row = self._keys.untouched(raw)
            id = _id(row.id)
            if wanted.get(id) not in (None, (row.sort_name, row.search)):
                yield Problem(
                    what="Client",
                    client=id,
                    row=_text(row.id),
                    stored="keys that lists and searches find others by",
                    computed="those of its names and numbers",
                )

    def find_settings(self, channel: Channel) -> Iterator[Problem]:
        """Name settings that are not what their revision is of."""
        for raw in channel.raw(self._settings, {}):
            try:
                [row] = self._settings.rows([raw])
                revision = row.data["revision"]
            except Exception:  # noqa: BLE001 - whoever reads the settings is told
                row, revision = self._settings.untouched(raw), None
            if row.revision != revision:
                yield Problem(
                    what="Settings",
                    client=None,
                    row=_text(row.id),
                    stored=f"revision {row.revision}",
                    computed=f"revision {revision}, as they say themselves",
                )


def _keys(client: Client) -> tuple[str, str] | None:
    try:
        return client.sort_name, search_key(client)
    except Exception:  # noqa: BLE001 - what is in it is no text, which is named elsewhere
        return None


def _row(
    client: Any, key: Any, more: Any = _NONE, stored: Any = _NONE, computed: Any = _NONE
) -> Any:
    return sa.select(
        client.label("client_id"),
        key.label("key"),
        more.label("more"),
        stored.label("stored"),
        computed.label("computed"),
    )


def _selects(t: Tables) -> Iterator[tuple[str, Any, str, str]]:
    yield from _of_parts(t)
    yield from _of_events(t)
    yield from _of_balances(t)


def _of_parts(t: Tables) -> Iterator[tuple[str, Any, str, str]]:
    """Entries that count other parts than they have, and parts of no entry."""
    e = t.entries.c
    for parts, count, what, name in (
        (t.entry_lines, e.line_count, "EntryLine", "lines"),
        (t.instalments, e.instalment_count, "Instalment", "instalments"),
    ):
        p = parts.c
        own = sa.and_(p.client_id == e.client_id, p.entry_id == e.id)
        there = sa.select(sa.func.count()).select_from(parts).where(own).scalar_subquery()
        counts = _row(e.client_id, e.id, stored=count, computed=there)
        yield "Entry", counts.where(count != there), f"that it has {{}} {name}", f"{{}} {name}"
        least = sa.select(sa.func.min(p.number)).where(own).scalar_subquery()
        most = sa.select(sa.func.max(p.number)).where(own).scalar_subquery()
        places = _row(e.client_id, e.id, stored=most, computed=there)
        odd = sa.or_(least != sa.literal_column("1"), most != there)
        yield "Entry", places.where(odd), f"{name} that end with number {{}}", "from 1 to {}"
        orphans = _row(p.client_id, p.entry_id, p.number)
        orphans = orphans.select_from(parts.outerjoin(t.entries, own))
        yield what, orphans.where(e.id.is_(None)), "a part", "no such entry"


def _of_events(t: Tables) -> Iterator[tuple[str, Any, str, str]]:
    """Events that stand nowhere, or twice; places, and salts, that are of nothing."""
    e, f, p = t.events.c, t.feed.c, t.pending.c
    placed, waiting = (sa.exists().where(of.event_id == e.id) for of in (f, p))
    own = _row(e.client_id, e.id)
    yield "Event", own.where(~placed, ~waiting), "nowhere in the feed", "a place there, or the wait"
    yield "Event", own.where(placed, waiting), "a place in the feed, and the wait for it", "either"
    joined = t.feed.outerjoin(t.events, f.event_id == e.id)
    place = _row(f.client_id, f.position, stored=f.client_id, computed=e.client_id)
    place = place.select_from(joined)
    yield "feed", place.where(e.id.is_(None)), "a position", "no such event"
    differ = sa.or_(
        f.client_id != e.client_id,
        sa.and_(f.client_id.is_(None), e.client_id.is_not(None)),
        sa.and_(f.client_id.is_not(None), e.client_id.is_(None)),
    )
    yield "feed", place.where(e.id.is_not(None), differ), "the client {}", "the client {}"
    alone = ~sa.exists().where(e.id == p.event_id)
    yield "pending", _row(p.client_id, p.event_id).where(alone), "that it waits", "no such event"
    salt = t.salts.c.position
    unsealed = _row(_NONE, salt).where(~sa.exists().where(t.seals.c.position == salt))
    yield "salt", unsealed, "a salt", "no such seal"


def _of_balances(t: Tables) -> Iterator[tuple[str, Any, str, str]]:
    """Balances that say they moved before they did: asked as known then, they would be believed."""
    b = t.balances.c
    for facts in (t.entries, t.allocations, t.releases):
        own = (facts.c.client_id == b.client_id, facts.c.currency == b.currency)
        last = sa.select(sa.func.max(facts.c.recorded_at)).where(*own).scalar_subquery()
        early = _row(b.client_id, b.currency, stored=b.recorded_at, computed=last)
        yield "Balance", early.where(b.recorded_at < last), "last recorded at {}", "{}"
