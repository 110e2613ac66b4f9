"""An audit that shares no code with the library: plain SQL and whole numbers, on any database.

It reads every table in the simplest way there is, counts everything again in Python, and says what
does not agree: that nothing is there in part, that every figure is the sum of its entries, and
that every idempotency key has what it made.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import attrs

__all__ = ["Audit", "Connection", "audit", "connected"]

SALE, CREDIT_NOTE, VOID = "sale", "credit note", "void"
RECORDS = ("clients", "interactions", "tasks", "agreements")
MADE = {
    "clients.add",
    "interactions.log",
    "tasks.add",
    "agreements.promise",
    "ledger.record_sale",
    "ledger.record_payment",
    "ledger.record_credit_note",
    "ledger.record_refund",
    "ledger.record_opening_balance",
    "ledger.write_off",
    "ledger.exchange",
    "ledger.void",
    "ledger.correct",
}
"""Commands that make a row with external ids."""

_OURS = {"wait", "pool", "prefix", "schema", "partitions", "isolation", "accept"}
_OF_BOOK = ("change_settings", "team.", "ledger.close_period", "ledger.reopen_period")


class Connection(Protocol):
    """A connection of any driver (DB-API)."""

    def cursor(self) -> Any: ...

    def close(self) -> None: ...


@attrs.frozen(kw_only=True)
class Audit:
    """What an audit found.

    Attributes:
        problems: what does not agree, in words; empty where all does.
        counts: how many rows of each kind were looked at.
        keys: the idempotency keys that are recorded.
    """

    problems: tuple[str, ...]
    counts: Mapping[str, int]
    keys: frozenset[str]


def audit(db: Connection, *, marker: str = "", prefix: str = "") -> Audit:
    """Count everything again.

    Args:
        marker: the source of external ids under which every command named its own key; then what
            a key made and what names the key are compared, too.
        prefix: the beginning of the names of tables.
    """
    rows = _Rows(db, prefix, marker)
    problems = [problem for check in _CHECKS for problem in check(rows)]
    counts = {name: len(found) for name, found in rows.counted.items()}
    return Audit(
        problems=tuple(problems),
        counts=counts,
        keys=frozenset(key for space, key, _, _ in rows.claims if space == "command"),
    )


def connected(url: str) -> Connection:
    """Connect to the database of a book, by its own driver; options of the library are left out."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return sqlite3.connect(url.partition("///")[2].partition("?")[0])
    options = [pair for pair in parse_qsl(parts.query) if pair[0] not in _OURS]
    if scheme == "postgresql":
        import psycopg

        return psycopg.connect(urlunsplit(("postgresql", *parts[1:3], urlencode(options), "")))
    import pymysql

    return pymysql.connect(
        unix_socket=dict(options).get("unix_socket"),
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
        charset="utf8mb4",
    )


# ------------------------------------------------------------ what is there
@attrs.frozen(kw_only=True)
class _Entry:
    id: str
    client: str
    sequence: int
    kind: str
    side: str
    currency: str
    amount: int
    on: str
    at: Any
    number: str | None
    undoes: str | None
    replaces: str | None
    pair: str | None
    names: Mapping[str, str]
    lines: int
    parts: int


@attrs.frozen(kw_only=True)
class _Link:
    id: str
    client: str
    credit: str
    debit: str
    instalment: int
    currency: str
    amount: int


def _id(value: Any) -> str:
    """An id in one spelling, whatever the database has it as."""
    return str(value).replace("-", "").lower()


def _id_or_none(value: Any) -> str | None:
    return None if value is None else _id(value)


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


class _Rows:
    """All rows of a book, read when they are wanted."""

    def __init__(self, db: Connection, prefix: str, marker: str) -> None:
        self._db = db
        self._prefix = prefix
        self.marker = marker
        self.counted: dict[str, list[Any]] = {}

    def read(self, table: str, *columns: str) -> list[Any]:
        cursor = self._db.cursor()
        cursor.execute(f"SELECT {', '.join(columns)} FROM {self._prefix}{table}")
        found = self.counted[table] = list(cursor.fetchall())
        cursor.close()
        return found

    @cached_property
    def entries(self) -> dict[str, _Entry]:
        found = self.read(
            "entries",
            *("id", "client_id", "sequence", "kind", "side", "currency", "amount", "on_day"),
            *("recorded_at", "number", "undoes", "replaces", "pair", "external_ids"),
            *("line_count", "instalment_count"),
        )
        return {
            _id(row[0]): _Entry(
                id=_id(row[0]),
                client=_id(row[1]),
                sequence=row[2],
                kind=row[3],
                side=row[4],
                currency=row[5],
                amount=row[6],
                on=str(row[7]),
                at=row[8],
                number=row[9],
                undoes=_id_or_none(row[10]),
                replaces=_id_or_none(row[11]),
                pair=_id_or_none(row[12]),
                names=_plain(row[13]),
                lines=row[14],
                parts=row[15],
            )
            for row in found
        }

    @cached_property
    def voided(self) -> set[str]:
        return {entry.undoes for entry in self.entries.values() if entry.undoes is not None}

    @cached_property
    def lines(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for entry, number, total in self.read("entry_lines", "entry_id", "number", "total"):
            found[_id(entry)].append((number, total))
        return {entry: [total for _, total in sorted(own)] for entry, own in found.items()}

    @cached_property
    def parts(self) -> dict[str, dict[int, int]]:
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for entry, number, amount in self.read("instalments", "entry_id", "number", "amount"):
            found[_id(entry)][number] = amount
        return found

    @cached_property
    def allocations(self) -> dict[str, _Link]:
        return {link.id: link for link in self._links("allocations", "id")}

    @cached_property
    def releases(self) -> list[_Link]:
        return self._links("releases", "allocation_id")

    def _links(self, table: str, id: str) -> list[_Link]:
        columns = ("client_id", "credit_id", "debit_id", "instalment", "currency", "amount")
        return [
            _Link(
                id=_id(row[0]),
                client=_id(row[1]),
                credit=_id(row[2]),
                debit=_id(row[3]),
                instalment=row[4],
                currency=row[5],
                amount=row[6],
            )
            for row in self.read(table, id, *columns)
        ]

    @cached_property
    def released(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for back in self.releases:
            found[back.id] += back.amount
        return found

    @cached_property
    def open(self) -> dict[tuple[str, int], int]:
        """What is open of each instalment of a debit, and of each credit (as instalment 0)."""
        used: Counter[tuple[str, int]] = Counter()
        for link in self.allocations.values():
            if not {link.credit, link.debit} & self.voided:
                left = link.amount - self.released[link.id]
                used[link.credit, 0] += left
                used[link.debit, link.instalment] += left
        found = {}
        for entry in self.entries.values():
            if entry.kind != VOID:
                own = self.parts.get(entry.id, {}) if entry.side == "debit" else {0: entry.amount}
                for number, amount in own.items():
                    gone = entry.id in self.voided
                    found[entry.id, number] = 0 if gone else amount - used[entry.id, number]
        return found

    @cached_property
    def claims(self) -> list[tuple[str, str, str, str]]:
        """Space, key, subject, and of a command what it was."""
        found = self.read("claims", "space", "claim_key", "subject", "data")
        return [(row[0], row[1], row[2], (_plain(row[3]) or {}).get("action", "")) for row in found]

    @cached_property
    def records(self) -> dict[str, dict[str, tuple[str | None, Mapping[str, str]]]]:
        """By table and id: the client, and the external ids."""
        return {
            table: {
                _id(row[0]): (_id_or_none(row[1]), _plain(row[2]))
                for row in self.read(
                    table, "id", "id" if table == "clients" else "client_id", "external_ids"
                )
            }
            for table in RECORDS
        }

    @cached_property
    def events(self) -> dict[str, tuple[str, str]]:
        """By id: the type and the subject."""
        found = self.read("events", "id", "type", "subject")
        return {_id(row[0]): (row[1], _id(row[2])) for row in found}


# ------------------------------------------------------------ what must hold
def _entries(rows: _Rows) -> Iterator[str]:
    """No gap in a client's sequence, and time goes forward in it."""
    of_client = defaultdict(list)
    for entry in rows.entries.values():
        of_client[entry.client].append(entry)
        for other in (entry.undoes, entry.replaces, entry.pair):
            if other is not None and other not in rows.entries:
                yield f"entry {entry.id} names {other}, which is not there"
        if entry.replaces is not None and entry.replaces not in rows.voided:
            yield f"entry {entry.id} stands for {entry.replaces}, which is not voided"
    for client, own in of_client.items():
        own.sort(key=lambda entry: entry.sequence)
        if [entry.sequence for entry in own] != list(range(1, len(own) + 1)):
            yield f"client {client}: a gap in the sequence of {len(own)} entries"
        if any(one.at > later.at for one, later in pairwise(own)):
            yield f"client {client}: an entry was recorded before the one before it"


def _parts(rows: _Rows) -> Iterator[str]:
    """Every document has all of its lines and instalments, and they add up."""
    for entry in rows.entries.values():
        lines, parts = rows.lines.get(entry.id, []), rows.parts.get(entry.id, {})
        if len(lines) != entry.lines or len(parts) != entry.parts:
            yield f"entry {entry.id} has {len(lines)} lines of {entry.lines}, {len(parts)} parts"
        if lines and sum(lines) != entry.amount:
            yield f"entry {entry.id}: the lines add up to {sum(lines)}, not {entry.amount}"
        owes = entry.side == "debit" and entry.kind != VOID
        if owes and sum(parts.values()) != entry.amount:
            yield f"entry {entry.id}: the instalments do not add up to {entry.amount}"
    for strange in {*rows.lines, *rows.parts} - set(rows.entries):
        yield f"lines or instalments of entry {strange}, which is not there"


def _links(rows: _Rows) -> Iterator[str]:
    """Every link is between a credit and a debit of one client and currency, and holds so much."""
    for link in (*rows.allocations.values(), *rows.releases):
        credit, debit = rows.entries.get(link.credit), rows.entries.get(link.debit)
        if credit is None or debit is None or (credit.side, debit.side) != ("credit", "debit"):
            yield f"allocation {link.id} is not between a credit and a debit"
            continue
        if {credit.client, debit.client} != {link.client}:
            yield f"allocation {link.id} is across clients"
        if {credit.currency, debit.currency} != {link.currency}:
            yield f"allocation {link.id} is across currencies"
        if link.instalment not in rows.parts.get(debit.id, {}):
            yield f"allocation {link.id} is to an instalment that is not there"
    for id, back in rows.released.items():
        if id not in rows.allocations or back > rows.allocations[id].amount:
            yield f"allocation {id}: {back} was released, which is too much"


def _items(rows: _Rows) -> Iterator[str]:
    """The stored open items are those of the facts, and nothing is below zero."""
    read = rows.read("open_items", "entry_id", "instalment", "open")
    stored = {(_id(entry), number): left for entry, number, left in read}
    yield from _differences("open item", stored, rows.open)
    for key, left in rows.open.items():
        if left < 0:
            yield f"open item {key} is {left}"


def _balances(rows: _Rows) -> Iterator[str]:
    """The stored balances are the sums of the entries and of the open items."""
    signed: Counter[tuple[str, str]] = Counter()
    sides: dict[str, Counter[tuple[str, str]]] = {"debit": Counter(), "credit": Counter()}
    for entry in rows.entries.values():
        signed[entry.client, entry.currency] += (1 if entry.side == "debit" else -1) * entry.amount
    for (id, _), left in rows.open.items():
        entry = rows.entries[id]
        sides[entry.side][entry.client, entry.currency] += left
    found = rows.read("balances", "client_id", "currency", "owed", "prepaid")
    stored = {(_id(client), currency): (owed, prepaid) for client, currency, owed, prepaid in found}
    computed = {key: (sides["debit"][key], sides["credit"][key]) for key in signed}
    yield from _differences("balance", stored, computed)
    for key, (owed, prepaid) in stored.items():
        if owed - prepaid != signed[key]:
            yield f"balance {key}: {owed} - {prepaid} is not {signed[key]}, the sum of the entries"


def _purchases(rows: _Rows) -> Iterator[str]:
    """What was sold on each day is the live sales of the day less its live credit notes."""
    counted: Counter[tuple[str, str, str]] = Counter()
    sold: Counter[tuple[str, str, str]] = Counter()
    days = set()
    for entry in rows.entries.values():
        if entry.kind in (SALE, CREDIT_NOTE):
            key = (entry.client, entry.currency, entry.on)
            days.add(key)
            live = entry.id not in rows.voided
            counted[key] += live and entry.kind == SALE
            sold[key] += live * (entry.amount if entry.kind == SALE else -entry.amount)
    found = rows.read("purchase_days", "client_id", "currency", "day", "count", "sold")
    stored = {(_id(row[0]), row[1], str(row[2])): (row[3], row[4]) for row in found}
    yield from _differences("purchases", stored, {key: (counted[key], sold[key]) for key in days})


def _heads(rows: _Rows) -> Iterator[str]:
    """Every client has a head, which counts its entries."""
    count = Counter(entry.client for entry in rows.entries.values())
    found = rows.read("heads", "client_id", "sequence")
    stored = {_id(client): sequence for client, sequence in found}
    yield from _differences("head", stored, {id: count[id] for id in rows.records["clients"]})
    for strange in set(count) - set(stored):
        yield f"entries of client {strange}, which is not there"


def _feed(rows: _Rows) -> Iterator[str]:
    """Every event is in the feed or waits for its place there, once; places have no gap."""
    waiting = [_id(row[0]) for row in rows.read("pending", "event_id")]
    placed = {row[0]: _id(row[1]) for row in rows.read("feed", "position", "event_id")}
    if sorted(placed) != list(range(1, len(placed) + 1)):
        yield f"feed: a gap in {len(placed)} places"
    count = Counter((*waiting, *placed.values()))
    for id in {*count, *rows.events}:
        if count[id] != 1 or id not in rows.events:
            yield f"event {id} stands {count[id]} times in the feed or before it"


def _told(rows: _Rows) -> Iterator[str]:
    """Whatever was recorded has an event that says so."""
    told = Counter(rows.events.values())
    subjects = {subject for _, subject in rows.events.values()}
    back = Counter(release.id for release in rows.releases)
    for entry in rows.entries.values():
        name = entry.kind.replace(" ", "_").replace("-", "_")
        event = ("entry.voided", entry.undoes or "") if entry.undoes else (f"{name}.recorded", "")
        if told[event[0], event[1] or entry.id] != 1:
            yield f"{entry.kind} {entry.id} has no event, or several"
    for id in rows.allocations:
        if told["allocation.made", id] != 1 or told["allocation.released", id] != back[id]:
            yield f"allocation {id} has too few or too many events"
    for table, records in rows.records.items():
        for id in set(records) - subjects:
            yield f"{table}: {id} has no event"


def _timeline(rows: _Rows) -> Iterator[str]:
    """Whatever happened with a client stands in its timeline, once."""
    wanted = {entry.id: entry.client for entry in rows.entries.values()}
    for table in ("interactions", "tasks", "agreements"):
        wanted |= {id: own for id, (own, _) in rows.records[table].items() if own is not None}
    changes = {id for id, (type, _) in rows.events.items() if type.startswith("client.")}
    found = [(_id(id), _id(client)) for id, client in rows.read("timeline", "id", "client_id")]
    stored = {id: client for id, client in found if id not in changes}
    yield from _differences("timeline", stored, wanted)
    if {id for id, _ in found} != {*wanted, *changes} or len(found) != len(wanted) + len(changes):
        yield "timeline: rows are missing, or there twice"


def _numbers(rows: _Rows) -> Iterator[str]:
    """Numbers and external ids of live documents and of records are claimed, and no others."""
    wanted = set()
    for entry in rows.entries.values():
        if entry.id not in rows.voided:
            if entry.number is not None:
                wanted.add((f"number:{entry.kind}", entry.number, entry.id))
            wanted |= _external(entry.kind, entry.names, entry.id)
    for table, records in rows.records.items():
        for id, (_, names) in records.items():
            wanted |= _external(table.removesuffix("s"), names, id)
    stored = {
        (space, key.rpartition("/")[2] if space.startswith("number:") else key, _id(subject))
        for space, key, subject, _ in rows.claims
        if space != "command"
    }
    for claim in stored ^ wanted:
        yield f"claim {claim} is {'not in any document' if claim in stored else 'missing'}"


def _external(kind: str, names: Mapping[str, str], id: str) -> set[tuple[str, str, str]]:
    return {(f"external:{kind}:{source}", value, id) for source, value in names.items()}


def _keys(rows: _Rows) -> Iterator[str]:
    """Every idempotency key has what it made; and what names a key is what the key made."""
    known = {*rows.entries, *rows.allocations, *(id for own in rows.records.values() for id in own)}
    named: dict[str, str] = {}
    for names, id in _named(rows):
        if rows.marker and rows.marker in names:
            if names[rows.marker] in named:
                yield f"key {names[rows.marker]} made {id} and {named[names[rows.marker]]}"
            named[names[rows.marker]] = id
    held = {}
    for space, key, subject, action in rows.claims:
        if space == "command":
            held[key] = _id(subject)
            of_book = action.startswith(_OF_BOOK)
            if not of_book and any(_id(one) not in known for one in subject.split(",")):
                yield f"key {key} made {subject}, which is not there"
            if rows.marker and action in MADE and named.get(key) != held[key]:
                yield f"key {key} ({action}) made {subject}, which does not name it"
    for key, id in named.items():
        if held.get(key) != id:
            yield f"{id} names key {key}, which is not recorded"


def _named(rows: _Rows) -> Iterable[tuple[Mapping[str, str], str]]:
    for entry in rows.entries.values():
        yield entry.names, entry.id
    for own in rows.records.values():
        for id, (_, names) in own.items():
            yield names, id


def _differences(what: str, stored: Mapping[Any, Any], computed: Mapping[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: stored {stored.get(key)}, the facts say {computed.get(key)}"
        for key in sorted({*stored, *computed})
        if stored.get(key) != computed.get(key)
    ]


_CHECKS: tuple[Callable[[_Rows], Iterable[str]], ...] = (
    _entries,
    _parts,
    _links,
    _items,
    _balances,
    _purchases,
    _heads,
    _feed,
    _told,
    _timeline,
    _numbers,
    _keys,
)
