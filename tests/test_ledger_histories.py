"""The rules of the ledger on any history."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.books import (
    DAY,
    Clock,
    audit,
    day,
    dump,
    in_memory,
    rows,
)

from clientledger import (
    Book,
    Client,
    ClientLedgerError,
    Money,
    Voided,
)

# ------------------------------------------------------------ any history
AMOUNTS = ["0.01", "33.33", "50", "99.99", "100", "1000000"]
STEPS = ["sale", "parts", "payment", "told", "free", *["allocate", "release", "void"] * 2]
STEP = st.tuples(
    st.sampled_from(STEPS),
    st.integers(-6, 3),
    st.sampled_from(AMOUNTS),
    st.sampled_from(["EUR", "EUR", "EUR", "JPY"]),
    st.integers(0, 5),
    st.integers(0, 5),
)
HISTORY = st.lists(STEP, min_size=3, max_size=14).map(
    lambda later: [("sale", -6, "100", "EUR", 2, 0), ("payment", -6, "100", "EUR", 0, 0), *later]
)


def step(book: Book, client: Client, told: tuple[str, int, str, str, int, int]) -> None:
    what, offset, amount, currency, one, other = told
    ledger, on = book.ledger, day(offset)
    if currency == "JPY":
        amount = str(int(float(amount)) + 1)
    entries = [e for e in ledger.find(client=client, voided=True) if e.kind != "void"]
    debits = [e for e in entries if e.side == "debit"]
    credits_ = [e for e in entries if e.side == "credit"]
    debit = debits[one % len(debits)] if debits else None
    credit = credits_[other % len(credits_)] if credits_ else None
    if what == "sale":
        ledger.record_sale(client, f"{amount} {currency}", on=on, due=on + one * DAY)
    elif what == "parts":
        half = Money(amount, currency)
        parts = [(on + 2 * DAY, half), (on - one * DAY, half + half)]
        ledger.record_sale(client, half + half + half, on=on, instalments=parts)
    elif what == "payment":
        ledger.record_payment(client, f"{amount} {currency}", on=on)
    elif what == "free":
        ledger.record_payment(client, f"{amount} {currency}", on=on, allocate={})
    elif what == "told" and debit:
        ledger.record_payment(client, f"{amount} {currency}", on=on, allocate={debit: amount})
    elif what == "allocate" and debit and credit:
        target = debit.instalments[one % len(debit.instalments)] if one % 2 else debit
        ledger.allocate(credit, target, amount, on=on)
    elif what == "release" and debit:
        links = ledger.state(debit, as_of=day(99)).allocations
        if links:
            ledger.release(links[other % len(links)], amount if one % 2 else None, on=on)
    elif what == "void" and entries:
        ledger.void(entries[(one + other) % len(entries)], reason="r", on=on)


@settings(max_examples=250)
@given(HISTORY)
def test_on_every_day_of_any_history_all_figures_agree(
    history: list[tuple[str, int, str, str, int, int]],
) -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    for told in history:
        before = rows(book)
        try:
            step(book, client, told)
        except ClientLedgerError:
            assert rows(book) == before
    audit(book, client.id)


@settings(max_examples=60)
@given(HISTORY)
def test_facts_only_grow_and_never_change(
    history: list[tuple[str, int, str, str, int, int]],
) -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    for told in history:
        before = dump(book)
        try:
            step(book, client, told)
        except ClientLedgerError:
            continue
        after = dump(book)
        for kind in ("Entry", "Allocation", "Release", "Event"):
            assert set(before[kind]) <= set(after[kind])


@settings(max_examples=60)
@given(HISTORY, st.integers(2, 11))
def test_figures_as_known_before_do_not_hear_of_what_came_later(
    history: list[tuple[str, int, str, str, int, int]], cut: int
) -> None:
    clock = Clock()
    book = in_memory(clock)
    client = book.clients.add("Acme")
    known, then = None, []

    def figures(known_at: datetime | None) -> list[Any]:
        return [
            read
            for n in (-6, -2, 0, 3)
            for read in (
                book.ledger.accounts(client, as_of=day(n), known_at=known_at),
                list(book.insights.ageing(as_of=day(n), known_at=known_at)),
                attrs.asdict(book.insights.purchases(client, as_of=day(n), known_at=known_at)),
            )
        ]

    for number, told in enumerate(history):
        if number == cut:
            known, then = clock.now, figures(None)
            clock.now += timedelta(minutes=1)
        with suppress(ClientLedgerError):
            step(book, client, told)
    if known is not None:
        assert figures(known) == then


@settings(max_examples=60)
@given(HISTORY)
def test_a_void_puts_every_later_day_back_as_it_was(
    history: list[tuple[str, int, str, str, int, int]],
) -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    for told in history:
        with suppress(ClientLedgerError):
            step(book, client, told)
    before = {n: book.ledger.accounts(client, as_of=day(n)) for n in (3, 4, 9)}
    sale = book.ledger.record_sale(client, "77.77 EUR", on=day(1), due=day(2))
    book.ledger.void(sale, reason="r", on=day(3))
    for n, accounts in before.items():
        after = book.ledger.accounts(client, as_of=day(n))
        if "EUR" not in accounts:
            assert not after.pop("EUR").balance
        assert after == accounts
    audit(book, client.id)


def test_a_void_of_a_void_does_not_exist(book: Book, acme: Client) -> None:
    void = book.ledger.void(book.ledger.record_sale(acme, "1 EUR"), reason="r")
    with pytest.raises(Voided, match="stands for good"):
        book.ledger.void(void, reason="r")
