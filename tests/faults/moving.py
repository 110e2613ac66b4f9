"""Accounts whose sum never changes, while amounts move within them.

Of each inner client a mover allocates and releases a payment and a sale of its own, and records a
sale with its payment in one transaction, and their voids in one: what the client owes in all stays
the same. Between the two outer clients it records a sale of the one and a payment of the other: the
sum of both stays the same. Whatever is due was due long ago.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs
from tests.faults.crew import ready, said

from clientledger import Book, Busy, Entry, Money, open_book

__all__ = ["BASE", "FIRST", "SPAN", "UNIT", "Accounts", "accounts", "move"]

UNIT = "EUR"
FIRST = date(2026, 1, 1)
BEFORE = date(2025, 12, 1)
SPAN = 60
BASE = 1_000_000
"""What every client owes from before; no mover touches it."""

OWN = 10_000
"""A sale and a payment of each mover, with each inner client."""

MINORS = (1, 99, 5_000, OWN)


@attrs.frozen(kw_only=True)
class Accounts:
    """The clients, and what a mover has of each inner one.

    Attributes:
        inner, outer: their ids; each owes `BASE` in all, an outer one more or less for a while.
        own: of each mover, pairs of a payment and a sale, for each inner client.
    """

    inner: Sequence[str]
    outer: Sequence[str]
    own: Sequence[Sequence[Sequence[str]]]

    @property
    def total(self) -> int:
        """What all of them owe together."""
        return BASE * (len(self.inner) + len(self.outer))


def accounts(book: Book, clients: int, movers: int) -> Accounts:
    """Make the clients, and what the movers need."""
    own: list[list[list[str]]] = [[] for _ in range(movers)]
    inner = [_owing(book, f"Inner {n}") for n in range(clients)]
    for client in inner:
        for pairs in own:
            sale = _sale(book, client, OWN, BEFORE)
            payment = book.ledger.record_payment(client, _money(OWN), on=BEFORE, allocate={})
            pairs.append([str(payment.id), str(sale.id)])
    return Accounts(inner=inner, outer=[_owing(book, f"Outer {n}") for n in range(2)], own=own)


def _owing(book: Book, name: str) -> str:
    client = book.clients.add(name)
    book.ledger.record_opening_balance(client, _money(BASE), on=BEFORE)
    return str(client.id)


def _money(minor: int) -> Money:
    return Money.from_minor(minor, UNIT)


def _sale(book: Book, client: str, minor: int, on: date) -> Entry:
    lines = [("Beans", 1, _money(minor).amount)]
    return book.ledger.record_sale(client, lines, currency=UNIT, on=on, use_prepayments=False)


# ------------------------------------------------------------ in a worker
class _Mover:
    """One process that moves amounts."""

    def __init__(self, book: Book, chance: Random, told: Accounts, number: int) -> None:
        self.book, self.chance, self.told = book, chance, told
        self.own = told.own[number]
        self.moved: list[tuple[Entry, Entry]] = []

    def next(self) -> str:
        """Move something; the name of what it did."""
        kinds = ["allocate", "both", "between"] if len(self.moved) < 6 else ["void"]
        kind = self.chance.choice(kinds)
        _DONE[kind](self)
        return kind

    def both(self, payer: str, buyer: str) -> None:
        """A sale and a payment of the same amount, in one transaction."""
        minor, on = self.chance.choice(MINORS), FIRST + timedelta(self.chance.randrange(SPAN))
        settled = payer == buyer and self.chance.random() < 0.5
        with self.book.atomic() as inner:
            sale = _sale(inner, buyer, minor, on)
            allocate = {sale: _money(minor)} if settled else {}
            payment = inner.ledger.record_payment(payer, _money(minor), on=on, allocate=allocate)
        self.moved.append((payment, sale))


def _allocate(self: _Mover) -> None:
    payment, sale = self.chance.choice(self.own)
    money = _money(self.chance.choice(MINORS))
    allocation = self.book.ledger.allocate(payment, sale, money)
    while True:  # else the next one would be above what is open
        try:
            self.book.ledger.release(allocation)
        except Busy:
            continue
        return


def _inner(self: _Mover) -> None:
    client = self.chance.choice(self.told.inner)
    self.both(client, client)


def _between(self: _Mover) -> None:
    payer, buyer = self.chance.sample(self.told.outer, 2)
    self.both(payer, buyer)


def _void(self: _Mover) -> None:
    payment, sale = self.moved.pop(self.chance.randrange(len(self.moved)))
    try:
        with self.book.atomic() as inner:
            inner.ledger.void(sale, reason="a mistake", on=sale.on)
            inner.ledger.void(payment, reason="a mistake", on=sale.on)
    except Busy:
        self.moved.append((payment, sale))
        raise


_DONE: Mapping[str, Callable[[_Mover], None]] = {
    "allocate": _allocate,
    "both": _inner,
    "between": _between,
    "void": _void,
}


def move(url: str, seed: int, number: int, file: str, gate: str, told: Mapping[str, Any]) -> None:
    """Move amounts until there is a file "stop"."""
    say, done = said(file), 0
    with open_book(url, actor=f"mover{number}") as book:
        mover = _Mover(book, Random(seed), Accounts(**told), number)
        book.settings  # noqa: B018 - it connects
        ready(gate)
        while not (Path(gate) / "stop").exists():
            try:
                say(mover.next())
            except Busy:
                say("Busy")
            done += 1
            time.sleep(mover.chance.uniform(0, 0.002))
