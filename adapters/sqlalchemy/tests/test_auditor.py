"""An audit that shares no code with the library: plain SQL and whole numbers on the file."""

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from clientledger import ClientLedgerError, Money, open_book

ACCOUNTS = """
SELECT client_id, currency, side, amount, kind, id, undoes, on_day FROM entries
"""


def audit(path: Path) -> dict[str, int]:
    """Check conservation and bounds of every row; return how many of what was checked."""
    with closing(sqlite3.connect(path)) as db:
        return _checked(db)


def _checked(db: sqlite3.Connection) -> dict[str, int]:
    entries = db.execute(ACCOUNTS).fetchall()
    voided = {row[6] for row in entries if row[6] is not None}
    balance: Counter[tuple[str, str]] = Counter()
    for client, currency, side, amount, *_ in entries:
        balance[client, currency] += amount if side == "debit" else -amount
    released: Counter[str] = Counter()
    for allocation, amount in db.execute("SELECT allocation_id, amount FROM releases"):
        released[allocation] += amount
    used: Counter[tuple[str, int]] = Counter()
    links = db.execute("SELECT id, credit_id, debit_id, instalment, amount FROM allocations")
    for id, credit, debit, instalment, amount in links.fetchall():
        assert 0 <= released[id] <= amount
        if credit not in voided and debit not in voided:
            used[credit, 0] += amount - released[id]
            used[debit, instalment] += amount - released[id]
    parts = defaultdict(list)
    for entry, number, amount in db.execute("SELECT entry_id, number, amount FROM instalments"):
        parts[entry].append((number, amount))
    sums: dict[str, Counter[tuple[str, str]]] = {"debit": Counter(), "credit": Counter()}
    opens = {}
    for client, currency, side, amount, kind, id, _, _ in entries:
        if kind == "void":
            continue
        if side == "debit":
            assert sum(part for _, part in parts[id]) == amount
        for number, part in parts[id] if side == "debit" else [(0, amount)]:
            left = 0 if id in voided else part - used[id, number]
            assert 0 <= left <= part
            opens[id, number] = left
            sums[side][client, currency] += left
    rows = db.execute("SELECT client_id, currency, owed, prepaid FROM balances").fetchall()
    for client, currency, owed, prepaid in rows:
        assert owed == sums["debit"][client, currency]
        assert prepaid == sums["credit"][client, currency]
        assert owed - prepaid == balance[client, currency]
    items = db.execute("SELECT entry_id, instalment, open FROM open_items").fetchall()
    assert {(entry, number): open_ for entry, number, open_ in items} == opens
    for _, count, last in db.execute(
        "SELECT client_id, count(*), max(sequence) FROM entries GROUP BY client_id"
    ):
        assert count == last
    lines = db.execute(
        "SELECT sum(l.total), e.amount FROM entry_lines l"
        " JOIN entries e ON e.client_id = l.client_id AND e.id = l.entry_id"
        " GROUP BY e.id, e.amount"
    ).fetchall()
    assert all(told == amount for told, amount in lines)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    return {"entries": len(entries), "balances": len(rows), "items": len(items)}


def test_a_busy_book_adds_up_by_plain_sql(tmp_path: Path) -> None:
    path, chance = tmp_path / "book.db", Random(7)
    amounts = [1, 99, 100, 101, 5000, 900_001, 10**15]
    with open_book(f"sqlite:///{path}", actor="olena") as book:
        clients = [book.clients.add(f"Client {n}") for n in range(5)]
        made = []
        for n in range(300):
            client, on = chance.choice(clients), date(2026, 1, 1) + timedelta(chance.randrange(60))
            amount = Money.from_minor(chance.choice(amounts), chance.choice(["EUR", "JPY"]))
            try:
                match chance.randrange(6):
                    case 0 | 1:
                        two = [(on, Money.from_minor(1, amount.unit)), (on + timedelta(30), amount)]
                        whole = Money.from_minor(amount.minor + 1, amount.unit)
                        use = chance.random() < 0.5
                        sale = book.ledger.record_sale
                        made.append(
                            sale(client, whole, on=on, instalments=two, use_prepayments=use)
                        )
                    case 2:
                        told = [(f"thing {n}", chance.randrange(1, 9), "1.005"), ("rest", 1, 2)]
                        made.append(book.ledger.record_sale(client, told, currency="EUR", on=on))
                    case 3 | 4:
                        free: dict[object, object] | None = {} if chance.random() < 0.3 else None
                        pay = book.ledger.record_payment
                        made.append(pay(client, amount, on=on, allocate=free))
                    case _:
                        undone = chance.choice(made) if made else None
                        if undone is not None:
                            book.ledger.void(undone, reason="a mistake")
                            made.remove(undone)
            except ClientLedgerError:
                continue
        assert book.verify().ok
    checked = audit(path)
    assert checked["entries"] > 200


@pytest.mark.parametrize(("table", "column"), [("balances", "owed"), ("open_items", "open")])
def test_the_audit_notices_a_cent_that_moved(tmp_path: Path, table: str, column: str) -> None:
    path = tmp_path / "book.db"
    with open_book(f"sqlite:///{path}", actor="olena") as book:
        client = book.clients.add("Acme")
        book.ledger.record_sale(client, "10.00 EUR")
        book.ledger.record_payment(client, "4.00 EUR")
    audit(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE {table} SET {column} = {column} - 1 WHERE {column} > 1")
        db.commit()
    with open_book(f"sqlite:///{path}", actor="olena") as book:
        assert not book.verify().ok
    with pytest.raises(AssertionError):
        audit(path)
