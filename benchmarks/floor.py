"""The floor: hand-written SQL on the driver, doing by itself what a book does in its tables.

It writes the same facts (document, lines, allocation, event) and moves the same derived rows, in
one durable transaction of the same SQLite settings, and checks nothing: no rules, no types, no
history of records. So a ratio of 1 cannot be reached; it says what the rest costs.
"""

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE head (client INTEGER PRIMARY KEY, version INTEGER, sequence INTEGER);
CREATE TABLE entry (client INTEGER, id INTEGER, sequence INTEGER, kind TEXT, amount INTEGER,
    on_day TEXT, number TEXT, PRIMARY KEY (client, id)) WITHOUT ROWID;
CREATE TABLE line (client INTEGER, entry INTEGER, n INTEGER, name TEXT, quantity TEXT, price TEXT,
    total INTEGER, PRIMARY KEY (client, entry, n)) WITHOUT ROWID;
CREATE TABLE allocation (client INTEGER, id INTEGER PRIMARY KEY, credit INTEGER, debit INTEGER,
    amount INTEGER, on_day TEXT);
CREATE TABLE event (id INTEGER PRIMARY KEY, client INTEGER, type TEXT, subject INTEGER, at TEXT);
CREATE TABLE claim (key TEXT PRIMARY KEY, subject INTEGER) WITHOUT ROWID;
CREATE TABLE item (client INTEGER, entry INTEGER, due TEXT, open INTEGER CHECK (open >= 0),
    PRIMARY KEY (client, entry)) WITHOUT ROWID;
CREATE INDEX item_open ON item (client, due, entry, open) WHERE open > 0;
CREATE TABLE balance (client INTEGER PRIMARY KEY, owed INTEGER, prepaid INTEGER);
CREATE TABLE purchase (client INTEGER, day TEXT, count INTEGER, sold INTEGER,
    PRIMARY KEY (client, day)) WITHOUT ROWID;
CREATE TABLE timeline (client INTEGER, at TEXT, id INTEGER, kind TEXT, title TEXT,
    PRIMARY KEY (client, at, id)) WITHOUT ROWID;
"""


class Floor:
    """A book by hand."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)
        self._next = 0

    def add_clients(self, count: int) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        rows = [(n,) for n in range(count)]
        self._db.executemany("INSERT INTO head VALUES (?, 1, 0)", rows)
        self._db.executemany("INSERT INTO balance VALUES (?, 0, 0)", rows)
        self._db.execute("COMMIT")

    def _entry(self, client: int, kind: str, amount: int, day: str, number: str) -> int:
        run = self._db.execute
        self._next += 1
        id = self._next
        run(
            "UPDATE head SET version = version + 1, sequence = sequence + 1 WHERE client = ?",
            (client,),
        )
        run("INSERT INTO claim VALUES (?, ?)", (number, id))
        run(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
            (client, id, id, kind, amount, day, number),
        )
        run("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (None, client, kind, id, day))
        run("INSERT INTO timeline VALUES (?, ?, ?, ?, ?)", (client, day, id, kind, number))
        return id

    def sale(self, client: int, lines: list[tuple[str, int, int]], day: str, number: str) -> None:
        run = self._db.execute
        run("BEGIN IMMEDIATE")
        amount = sum(quantity * price for _, quantity, price in lines)
        id = self._entry(client, "sale", amount, day, number)
        self._db.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(client, id, n, name, q, p, q * p) for n, (name, q, p) in enumerate(lines, 1)],
        )
        run("INSERT INTO item VALUES (?, ?, ?, ?)", (client, id, day, amount))
        run("UPDATE balance SET owed = owed + ? WHERE client = ?", (amount, client))
        run(
            "INSERT INTO purchase VALUES (?, ?, 1, ?) ON CONFLICT DO UPDATE SET"
            " count = count + 1, sold = sold + excluded.sold",
            (client, day, amount),
        )
        run("COMMIT")

    def payment(self, client: int, amount: int, day: str, number: str) -> None:
        run = self._db.execute
        run("BEGIN IMMEDIATE")
        id = self._entry(client, "payment", amount, day, number)
        left = amount
        for entry, open_ in run(
            "SELECT entry, open FROM item WHERE client = ? AND open > 0 ORDER BY due, entry",
            (client,),
        ).fetchall():
            part = min(left, open_)
            if not part:
                break
            left -= part
            run(
                "UPDATE item SET open = open - ? WHERE client = ? AND entry = ?",
                (part, client, entry),
            )
            run(
                "INSERT INTO allocation VALUES (?, ?, ?, ?, ?, ?)",
                (client, None, id, entry, part, day),
            )
            run("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (None, client, "allocation", id, day))
        run(
            "UPDATE balance SET owed = owed - ?, prepaid = prepaid + ? WHERE client = ?",
            (amount - left, left, client),
        )
        run("COMMIT")

    def card(self, client: int) -> None:
        run = self._db.execute
        run("BEGIN")
        run("SELECT * FROM head WHERE client = ?", (client,)).fetchall()
        run("SELECT * FROM balance WHERE client = ?", (client,)).fetchall()
        run(
            "SELECT * FROM item WHERE client = ? AND open > 0 ORDER BY due LIMIT 50", (client,)
        ).fetchall()
        run("SELECT * FROM purchase WHERE client = ?", (client,)).fetchall()
        run("SELECT * FROM line WHERE client = ?", (client,)).fetchall()
        run(
            "SELECT * FROM timeline WHERE client = ? ORDER BY at DESC LIMIT 20", (client,)
        ).fetchall()
        run("COMMIT")

    def debtors(self) -> None:
        self._db.execute("SELECT * FROM balance WHERE owed > 0 ORDER BY owed DESC").fetchall()

    def close(self) -> None:
        self._db.close()
