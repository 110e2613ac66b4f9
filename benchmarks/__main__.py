"""Measure a book against the floor, in turns in one run: `python -m benchmarks [sales]`.

The figures are ratios of medians: how many times the floor's time the public API takes, durable,
with all its checks. Absolute times depend on the machine and are shown beside them.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.floor import Floor
from clientledger import Book, Client, open_book

CLIENTS = 200
FIRST = date(2025, 1, 1)


def lines(n: int) -> list[tuple[str, int, int]]:
    return [(f"article {(n + k) % 50}", 1 + (n + k) % 7, 5 + (n * k) % 90) for k in range(3)]


def timed(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


class Pairs:
    """The times of the book and of the floor, measured one after the other."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[list[float], list[float]]] = {}

    def add(self, name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        mine, hand = self.found.setdefault(name, ([], []))
        mine.append(timed(ours))
        hand.append(timed(theirs))


def trade(pairs: Pairs, book: Book, floor: Floor, client: Client, n: int) -> None:
    who, told = n % CLIENTS, lines(n)
    day = FIRST + timedelta(days=n % 300)
    sale, payment = book.ledger.record_sale, book.ledger.record_payment
    pairs.add(
        "sale of 3 lines",
        lambda: sale(client, told, currency="JPY", on=day, number=f"S{n}", use_prepayments=False),
        lambda: floor.sale(who, told, day.isoformat(), f"S{n}"),
    )
    if n % 2:
        pairs.add(
            "payment, oldest due first",
            lambda: payment(client, "900 JPY", on=day, number=f"P{n}"),
            lambda: floor.payment(who, 900, day.isoformat(), f"P{n}"),
        )


def look(pairs: Pairs, book: Book, floor: Floor, client: Client, n: int) -> None:
    pairs.add("card", lambda: book.card(client), lambda: floor.card(n))


def measure(count: int, folder: Path) -> Pairs:
    floor, pairs = Floor(folder / "floor.db"), Pairs()
    floor.add_clients(CLIENTS)
    with open_book(f"sqlite:///{folder / 'book.db'}", actor="bench") as book:
        with book.atomic() as batch:
            clients = [batch.clients.add(f"Client {n}") for n in range(CLIENTS)]
        for n in range(count):
            trade(pairs, book, floor, clients[n % CLIENTS], n)
        for n in range(min(CLIENTS, count)):
            look(pairs, book, floor, clients[n], n)
        for _ in range(10):
            pairs.add("debtors, all", book.insights.debtors, floor.debtors)
    floor.close()
    return pairs


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        pairs = measure(count, Path(folder))
    print(f"{count} sales of {CLIENTS} clients in a SQLite file, WAL, synchronous=FULL")
    print(f"{'':28}{'ratio':>8}{'book ms':>10}{'floor ms':>10}{'runs':>7}")
    for name, (mine, hand) in pairs.found.items():
        ours, theirs = statistics.median(mine), statistics.median(hand)
        print(f"{name:28}{ours / theirs:8.1f}{ours * 1e3:10.2f}{theirs * 1e3:10.2f}{len(mine):7}")


if __name__ == "__main__":
    main()
