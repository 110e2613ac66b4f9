"""A process is killed at any instruction: what it was told is there, whole and once."""

import random
import subprocess
import sys
import time
from pathlib import Path

from clientledger import Book, Money, open_book

CYCLES = 25
WORKER = """
import sys
from datetime import date
from clientledger import open_book

url, start = sys.argv[1], int(sys.argv[2])
book = open_book(url, actor="worker")
client = book.clients.find(external_id=("test", "one"))[0]
n = start
while True:
    n += 1
    book.ledger.record_sale(client, [("a", 1, "2.00"), ("b", 2, "0.50")], currency="EUR",
                            on=date(2026, 1, 1), number=f"S{n}", key=f"sale-{n}")
    print(f"sale-{n}", flush=True)
    book.ledger.record_payment(client, "2.00 EUR", on=date(2026, 1, 2), key=f"payment-{n}")
    print(f"payment-{n}", flush=True)
"""


def killed(url: str, start: int, after: float) -> list[str]:
    """Run the worker, kill it, and return the keys that it was told were recorded."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(start)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # it is at work
        time.sleep(after)
        process.kill()
        told = first + process.stdout.read()
    lines = told.split("\n")
    return [line for line in lines[:-1] if line]  # the last one may be cut short


def kept(book: Book, told: list[str]) -> None:
    for key in told:
        assert book.outcome(key).recorded, f"{key} was acknowledged and is lost"
    report = book.verify()
    assert report.ok, "\n".join(map(str, report.problems))
    client = book.clients.find(external_id=("test", "one"))[0]
    sales = book.ledger.find(client=client, kind="sale")
    payments = book.ledger.find(client=client, kind="payment")
    assert all(len(sale.lines) == 2 for sale in sales), "a sale is there in part"
    assert 0 <= len(sales) - len(payments) <= CYCLES
    owed = 300 * len(sales) - 200 * len(payments)
    account = book.ledger.account(client, "EUR")
    assert account.balance == Money.from_minor(owed, "EUR")


def test_what_was_acknowledged_survives_the_death_of_its_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    with open_book(url, actor="olena") as book:
        book.clients.add("Acme", external_ids={"test": "one"})
    told: list[str] = []
    chance = random.Random(20261123)
    for cycle in range(CYCLES):
        told += killed(url, cycle * 100_000, chance.uniform(0.0, 0.12))
    with open_book(url, actor="olena") as book:
        kept(book, told)
        again = told[-1]
        before = len(book.changes(limit=None))
        client = book.clients.find(external_id=("test", "one"))[0]
        if again.startswith("payment"):
            book.ledger.record_payment(
                client,
                "2.00 EUR",
                on=book.ledger.get(str(book.outcome(again).result)).on,
                key=again,
            )
            assert len(book.changes(limit=None)) == before
    assert len(told) > 2 * CYCLES, "the workers hardly worked: nothing was shown"
