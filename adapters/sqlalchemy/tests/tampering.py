"""A stranger in the database of a book: whatever guards its rows is out of the way.

By hand, many random alterations of a file, all of which an anchor has to notice:

    .venv/bin/python -m adapters.sqlalchemy.tests.tampering 2000
"""

import json
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.servers.connect import connect_mariadb, connect_postgresql

from clientledger import Anchor, Book, Report
from clientledger_sqlalchemy import SqlStore

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Ticking:
    """A clock that is one second later each time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


# ------------------------------------------------------------ a stranger
class Stranger:
    """Plain SQL on the tables of a book, without its triggers, references and conditions.

    Args:
        store: of the book.
        url: of its database.
    """

    def __init__(self, store: SqlStore, url: str) -> None:
        self.kind = store.engine.dialect.name
        self._tables = store.tables
        self._checks: list[Any] = []
        match self.kind:
            case "sqlite":
                path = url.removeprefix("sqlite:///")
                self._link: Any = sqlite3.connect(path, isolation_level=None)
                self._link.text_factory = lambda stored: stored.decode(errors="surrogateescape")
                self.run("PRAGMA foreign_keys = OFF")
                self.run("PRAGMA ignore_check_constraints = ON")
                self._drop_triggers()
            case "postgresql":
                self._link = connect_postgresql(url, autocommit=True)
                self.run("SET session_replication_role = replica")
                self._drop_checks()
            case _:
                self._link = connect_mariadb(url, autocommit=True)
                self.run("SET FOREIGN_KEY_CHECKS = 0")
                self.run("SET check_constraint_checks = 0")
                self._drop_triggers()

    def _drop_triggers(self) -> None:
        for table in self._tables.kept:
            for verb in ("update", "delete"):
                self.run(f"DROP TRIGGER IF EXISTS {table.name}_no_{verb}")

    def _drop_checks(self) -> None:
        names = [table.name for table in self._tables.every]
        rows = self.rows(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'c'"
        )
        self._checks = [row for row in rows if row[0] in names]
        for table, name, _ in self._checks:
            self.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; give how many rows it has changed."""
        return int(self._ran(sql, *values).rowcount)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run a select."""
        return list(self._ran(sql, *values).fetchall())

    def _ran(self, sql: str, *values: Any) -> Any:
        cursor = self._link.cursor()
        mark = "?" if self.kind == "sqlite" else "%s"
        if values:
            cursor.execute(sql.replace("?", mark), values)
        else:
            cursor.execute(sql)
        return cursor

    def photo(self, *but: str) -> dict[str, list[Any]]:
        """All rows of all tables, without some of these."""
        return {
            table.name: sorted(self.rows(f"SELECT * FROM {table.name}"), key=repr)
            for table in self._tables.every
            if table.name not in but
        }

    def restore(self, photo: dict[str, list[Any]]) -> None:
        """Bring back all rows of a photo."""
        for table, rows in photo.items():
            self.run(f"DELETE FROM {table}")
            for row in rows:
                marks = ", ".join("?" * len(row))
                self.run(f"INSERT INTO {table} VALUES ({marks})", *row)

    def id(self, text: str) -> str:
        """An id as a literal."""
        return f"'{text}'::uuid" if self.kind == "postgresql" else f"'{text.replace('-', '')}'"

    def close(self) -> None:
        """Go, and leave the triggers as they were."""
        from clientledger_sqlalchemy.guarding import statements

        for table, name, rule in self._checks:
            self.run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")
        if self.kind != "postgresql":
            for table in self._tables.kept:
                for statement in statements(table, self.kind):
                    self.run(statement)
        self._link.close()


@contextmanager
def stranger(store: SqlStore, url: str) -> Iterator[Stranger]:
    """Let a stranger in for a while."""
    made = Stranger(store, url)
    try:
        yield made
    finally:
        made.close()


# ------------------------------------------------------------ a book with everything
def commands(book: Book) -> Iterator[None]:
    """Fill a book with every kind of document, one command after the other."""
    ledger, day = book.ledger, date(2026, 3, 2)
    book.change_settings(currency="EUR", hash_chain=True)
    acme = book.clients.add("Acme", external_ids={"erp": "C-1"}, note="pays on Fridays")
    zoe = book.clients.add("Zoë", emails=["zoe@a.example"])
    book.agreements.promise(acme, "payment terms", "frame", terms="30 % now, rest in 30 days")
    yield
    lines = [("Beans", 3, "9.90"), ("Tea", "0.5", "7.00"), ("Milk", 1, "2.00")]
    sale = ledger.record_sale(acme, lines, on=day, number="1", external_ids={"erp": "S-1"})
    yield
    other = ledger.record_sale(acme, "50.00", on=day, number="2")
    yield
    paid = ledger.record_payment(acme, "30.00", on=day, method="cash", number="1")
    yield
    free = ledger.record_payment(acme, "25.00", on=day, allocate={}, method="bank")
    yield
    link = ledger.allocate(free, other, "20.00", on=day)
    yield
    ledger.release(link, "5.00", on=day + timedelta(3))
    yield
    ledger.release(link, "2.00", on=day + timedelta(4))
    yield
    ledger.record_credit_note(acme, "4.00", sale=sale, reason="late", on=day)
    yield
    ledger.write_off(acme, "1.00", reason="too small", on=day)
    yield
    ledger.exchange(free, "3.00", "4.00 USD", on=day, reason="a wish")
    yield
    ledger.record_refund(acme, "2.00", on=day, method="cash")
    yield
    ledger.void(paid, reason="the cheque bounced", on=day + timedelta(5))
    yield
    ledger.correct(other, reason="a typing error", amount="45.00", due=day)
    yield
    ledger.record_opening_balance(zoe, "-12.00", on=day)
    yield
    book.interactions.log(zoe, "call", "asked for beans")
    book.tasks.add("call back", client=zoe, due=day, external_ids={"crm": "T-1"})
    yield
    book.clients.update(zoe, note="prefers tea")
    yield
    ledger.record_sale(zoe, [("Beans", 2, "9.90")], on=day, number="3")
    yield
    ledger.record_payment(zoe, "100 JPY", on=day, number="9")
    yield


@attrs.frozen
class Files:
    """A book in a file after each of some commands, with the anchor that it had then."""

    paths: tuple[Path, ...]
    anchors: tuple[Anchor, ...]

    @property
    def path(self) -> Path:
        """The file at the end."""
        return self.paths[-1]

    @property
    def anchor(self) -> Anchor:
        """The anchor at the end."""
        return self.anchors[-1]


def made_files(folder: Path) -> Files:
    """Make a book with everything, and keep a copy of it after each command."""
    paths, anchors = [], []
    with opened(folder / "book.db") as book:
        for n, _ in enumerate(commands(book)):
            anchors.append(book.anchor())
            paths.append(folder / f"after-{n}.db")
            book.backup(paths[-1])
    return Files(tuple(paths), tuple(anchors))


def opened(path: Path, options: str = "") -> Book:
    """A book in a file, open for writing."""
    return Book(SqlStore.open(f"sqlite:///{path}{options}"), actor="olena", clock=Ticking())


def verified(path: Path, anchor: Anchor | None) -> Report:
    """What an audit of a file says."""
    with Book(SqlStore.open(f"sqlite:///{path}", read_only=True)) as book:
        return book.verify(anchor)


# ------------------------------------------------------------ random alterations of a file
TABLES = (
    "entries", "entry_lines", "instalments", "allocations", "releases", "events", "feed", "seals",
)  # fmt: skip
"""What the chain is over."""


@attrs.frozen
class Alteration:
    """What was done: the way, the table, and the rest in words."""

    way: str
    table: str
    said: str


class Vandal:
    """Alters one thing in a file at random.

    Args:
        path: of the file.
        chance: what it does.
    """

    def __init__(self, path: Path, chance: Random) -> None:
        self._link = sqlite3.connect(path, isolation_level=None)
        self._chance = chance
        self._run("PRAGMA ignore_check_constraints = ON")
        for table in TABLES:
            for verb in ("update", "delete"):
                self._run(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")

    def close(self) -> None:
        """Go."""
        self._link.close()

    def alter(self) -> Alteration:
        """Do one thing; what the keys of the tables refuse is tried in another way."""
        ways = [self._edit] * 6 + [self._delete, self._insert, self._swap, self._swap]
        while True:
            table = self._chance.choice(TABLES)
            try:
                done = self._chance.choice(ways)(table)
            except sqlite3.IntegrityError:
                continue
            if done is not None:
                return done

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._link.execute(sql, values)

    def _columns(self, table: str) -> list[str]:
        return [row[1] for row in self._run(f"PRAGMA table_info({table})")]

    def _key(self, table: str) -> list[str]:
        found = [(row[5], row[1]) for row in self._run(f"PRAGMA table_info({table})") if row[5]]
        return [name for _, name in sorted(found)]

    def _row(self, table: str) -> dict[str, Any]:
        rows = self._run(f"SELECT * FROM {table}").fetchall()
        return dict(zip(self._columns(table), self._chance.choice(rows), strict=True))

    def _where(self, table: str, row: dict[str, Any]) -> tuple[str, list[Any]]:
        key = self._key(table)
        return " AND ".join(f"{name} = ?" for name in key), [row[name] for name in key]

    def _set(self, table: str, row: dict[str, Any], column: str, value: Any) -> None:
        where, key = self._where(table, row)
        self._run(f"UPDATE {table} SET {column} = ? WHERE {where}", value, *key)

    def _edit(self, table: str) -> Alteration | None:
        row = self._row(table)
        column = self._chance.choice(self._columns(table))
        value = self._other(table, column, row[column])
        if value is None and row[column] is None:
            return None
        self._set(table, row, column, value)
        return Alteration("edit", table, f"{column}: {row[column]!r} is {value!r} now")

    def _delete(self, table: str) -> Alteration:
        row = self._row(table)
        where, key = self._where(table, row)
        self._run(f"DELETE FROM {table} WHERE {where}", *key)
        return Alteration("delete", table, str(row))

    def _insert(self, table: str) -> Alteration:
        row = self._row(table)
        for name in self._key(table)[-1:] if self._chance.random() < 0.8 else self._key(table):
            row[name] = self._other(table, name, row[name])
        unique = {"entries": ("sequence", "undoes", "replaces"), "feed": ("event_id",)}
        for name in unique.get(table, ()):
            if row[name] is not None:
                row[name] = self._other(table, name, row[name])
        marks = ", ".join("?" * len(row))
        self._run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())
        return Alteration("insert", table, str(row))

    def _swap(self, table: str) -> Alteration | None:
        """Let two rows have each other's value in a column that is not in their key."""
        one, other = self._row(table), self._row(table)
        column = self._chance.choice([c for c in self._columns(table) if c not in self._key(table)])
        if one[column] == other[column]:
            return None
        self._link.execute("BEGIN")
        try:
            if table == "feed" and column == "event_id":
                self._set(table, one, column, "away")
            self._set(table, other, column, one[column])
            self._set(table, one, column, other[column])
        except sqlite3.IntegrityError:
            self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")
        return Alteration("swap", table, f"{column}: {one[column]!r} and {other[column]!r}")

    def _other(self, table: str, column: str, value: Any) -> Any:
        """Another value than this one, of those that the column might have."""
        while True:
            found = self._maybe_other(table, column, value)
            if not _same(found, value):
                return found

    def _maybe_other(self, table: str, column: str, value: Any) -> Any:
        chance = self._chance
        if chance.random() < 0.3:
            return chance.choice(self._run(f"SELECT {column} FROM {table}").fetchall())[0]
        match value:
            case None:
                return chance.choice([None, "x", chance.randbytes(16).hex()])
            case int():
                return value + chance.choice([-100, -1, 1, 1, 2, 1000])
            case str() if value.startswith(("[", "{")):
                return _other_json(value, chance)
            case str() if len(value) in (32, 64):
                return chance.randbytes(len(value) // 2).hex()
            case str() if len(value) == 10 and value[4] == "-":
                return str(date.fromisoformat(value) + timedelta(chance.choice([-1, 1, 30])))
            case str() if len(value) > 18 and value[4] == "-":
                later = datetime.fromisoformat(value) + timedelta(
                    microseconds=chance.choice([-1, 1])
                )
                return later.strftime("%Y-%m-%d %H:%M:%S.%f")
        at = chance.randrange(len(value) + 1)
        letter = chance.choice("abcdefghiäxyz 0123456789.")
        return value[:at] + letter + value[at + chance.randrange(2) :]


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a column are one, written in two ways: JSON, or a number as text."""
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    try:
        if one.startswith(("[", "{")):
            return bool(json.loads(one) == json.loads(other))
        return Decimal(one).as_tuple() == Decimal(other).as_tuple()
    except (ValueError, ArithmeticError):
        return False


def _other_json(text: str, chance: Random) -> str:
    data = json.loads(text)
    if isinstance(data, list):
        return json.dumps([*data, "0" * 32] if chance.random() < 0.5 or not data else data[1:])
    names = sorted(data)
    if not names or chance.random() < 0.4:
        return json.dumps({**data, "x": "y"})
    name = chance.choice(names)
    if chance.random() < 0.5:
        return json.dumps({key: one for key, one in data.items() if key != name})
    return json.dumps({**data, name: "altered"})


def alterations(files: Files, count: int, chance: Random) -> Iterator[tuple[Alteration, Path]]:
    """Copies of a file with one alteration each."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            path = Path(folder) / "altered.db"
            shutil.copy(files.path, path)
            with closing(Vandal(path, chance)) as vandal:
                done = vandal.alter()
            yield done, path
            for left in Path(folder).iterdir():
                left.unlink()


def main(count: int, seed: int = 20) -> int:
    """Alter a file so many times, and say how many an audit has noticed."""
    tried: Counter[tuple[str, str]] = Counter()
    noticed: Counter[tuple[str, str]] = Counter()
    without: Counter[tuple[str, str]] = Counter()
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        files = made_files(Path(folder))
        for done, path in alterations(files, count, Random(seed)):
            way = (done.way, done.table)
            tried[way] += 1
            ok = verified(path, files.anchor).ok
            noticed[way] += not ok
            without[way] += not verified(path, None).ok
            if ok:
                missed.append(done)
    for way in sorted(tried):
        print(*way, f"tried {tried[way]}, with anchor {noticed[way]}, without {without[way]}")
    print(
        f"all: tried {sum(tried.values())}, with anchor {sum(noticed.values())}, "
        f"without {sum(without.values())}"
    )
    for done in missed[:20]:
        print("missed:", done)
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) and 1)
