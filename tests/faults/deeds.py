"""What a caller does in one call; and how plain SQL tells how often it is recorded."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date
from random import Random
from typing import Any

import attrs
from tests.faults.auditor import connected
from tests.faults.workload import MARKER, Chooser, Command, perform

from clientledger import Book

__all__ = ["Deed", "Deeds", "Truth", "keys_beginning"]

DAY = date(2026, 3, 2)


@attrs.frozen(kw_only=True)
class Deed:
    """One call: a command, or several in one transaction.

    Attributes:
        token: how the names of its parts begin.
        client: whom it is about.
        way: "single", "run" (book.run) or "atomic" (book.atomic).
        parts: the kinds of its parts.
        keyed: whether each part has its name for an idempotency key.
        command: a command of the workload instead; then the rest says nothing.
    """

    token: str
    client: str = ""
    way: str = "single"
    parts: tuple[str, ...] = ()
    keyed: bool = True
    command: Command | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts: what each made is called so, and so is its key."""
        if self.command is not None:
            return self.command.keys
        return tuple(f"{self.token}.{n}" for n, _ in enumerate(self.parts))

    @property
    def shown(self) -> tuple[str, ...]:
        """The names that stand in rows, beside keys."""
        if self.command is not None:
            return ()
        named = zip(self.names, self.parts, strict=True)
        return tuple(name for name, kind in named if kind != "nothing")

    def do(self, book: Book) -> None:
        """Do it, once."""
        if self.command is not None:
            perform(book, self.command)
        elif self.way == "run":
            book.run(self._all)
        elif self.way == "atomic":
            with book.atomic() as inner:
                self._all(inner)
        else:
            self._all(book)

    def _all(self, book: Book) -> None:
        for name, kind in zip(self.names, self.parts, strict=True):
            _DONE[kind](book, self.client, name, _named(name) if self.keyed else {})


def _named(key: str) -> dict[str, Any]:
    return {"key": key, "external_ids": {MARKER: key}}


def _client(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    book.clients.add(name, **keyed)


def _sale(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    book.ledger.record_sale(client, [(name, 2, "9.90")], currency="EUR", on=DAY, **keyed)


def _payment(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    book.ledger.record_payment(client, "5.00 EUR", on=DAY, method=name, **keyed)


def _task(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    book.tasks.add(name, client=client, **keyed)


def _call(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    book.interactions.log(client, "call", name, **keyed)


def _nothing(book: Book, client: str, name: str, keyed: Mapping[str, Any]) -> None:
    """Record a key, and nothing else."""
    book.clients.update(client, note="", key=name)


_DONE: Mapping[str, Callable[[Book, str, str, Mapping[str, Any]], None]] = {
    "sale": _sale,
    "payment": _payment,
    "client": _client,
    "task": _task,
    "interaction": _call,
    "nothing": _nothing,
}


class Deeds:
    """Deeds at random; a third of them are commands of the workload.

    Args:
        book: where commands are chosen; nobody cuts its connections.
        prefix: how all tokens begin.
    """

    def __init__(self, book: Book, chance: Random, prefix: str) -> None:
        self._chance = chance
        self._chooser = Chooser(book, chance, f"{prefix}-c")
        self._prefix = prefix
        self._client = str(book.clients.add("Acme").id)
        self._count = 0

    def next(self) -> Deed:
        """Choose one."""
        self._count += 1
        token = f"{self._prefix}-{self._count}"
        way = self._chance.choice(("any", "single", "single", "run", "atomic", "atomic"))
        if way == "any":
            return Deed(token=token, command=self._chooser.next())
        keyed = self._chance.random() < 0.4
        kinds = [*_DONE, "nothing"] if keyed else [kind for kind in _DONE if kind != "nothing"]
        count = 1 if way == "single" else self._chance.randrange(1, 4)
        parts = tuple(self._chance.choice(kinds) for _ in range(count))
        return Deed(token=token, client=self._client, way=way, parts=parts, keyed=keyed)


@attrs.frozen
class Truth:
    """What the database itself says of a deed.

    Attributes:
        keys: which of its names are recorded as keys.
        rows: how many rows have each name.
    """

    keys: frozenset[str]
    rows: Mapping[str, int]

    @classmethod
    def of(cls, deed: Deed, url: str) -> "Truth":
        """Ask, on a connection of its own."""
        with closing(connected(url)) as db:
            keys = frozenset(keys_beginning(db, deed.names[0] if deed.names else "-"))
            keys |= frozenset(keys_beginning(db, deed.token))
            rows = Counter(_rows_beginning(db, deed.token)) if deed.shown else Counter[str]()
        return cls(keys & set(deed.names), rows)

    @property
    def twice(self) -> list[str]:
        """Names that stand in more than one row."""
        return [name for name, count in self.rows.items() if count > 1]

    def there(self, deed: Deed) -> list[bool]:
        """Of each part, whether it is recorded."""
        if deed.keyed:
            return [name in self.keys for name in deed.names]
        return [self.rows.get(name, 0) > 0 for name in deed.names]

    def disagrees(self, deed: Deed) -> bool:
        """Tell if a key is recorded without its row, or a row without its key."""
        named = {name for name in deed.shown if self.rows.get(name, 0)}
        return deed.keyed and bool(deed.shown) and named != self.keys & set(deed.shown)


def keys_beginning(db: Any, beginning: str) -> Iterator[str]:
    """The idempotency keys that are recorded and begin so."""
    cursor = db.cursor()
    query = "SELECT claim_key FROM claims WHERE space = 'command' AND claim_key LIKE %s"
    cursor.execute(query, (f"{beginning}%",))
    yield from (row[0] for row in cursor.fetchall())


_NAMES = (
    ("clients", "name"),
    ("entries", "method"),
    ("entry_lines", "name"),
    ("tasks", "title"),
    ("interactions", "summary"),
)


def _rows_beginning(db: Any, token: str) -> Iterator[str]:
    cursor = db.cursor()
    for table, column in _NAMES:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE %s", (f"{token}.%",))
        yield from (row[0] for row in cursor.fetchall())
