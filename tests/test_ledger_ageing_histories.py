"""Ageing on any history: it reconciles to the cent, and stays as it was known."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import attrs
from hypothesis import given
from hypothesis import strategies as st
from tests.books import DAY, NOON, Clock, day, facts_of, in_memory

from clientledger import AgeingRow, Book, Client, ClientLedgerError, Entry, InvalidValue, Money

# ------------------------------------------------------------ any history
AMOUNTS = {
    "EUR": ["0.01", "33.33", "50", "99.99", "100", "1000"],
    "JPY": ["1", "100", "333"],
    "KWD": ["0.001", "33.333"],
}
WHAT = [
    *["sale", "parts", "payment", "free", "told"] * 2,
    *["note", "refund", "loss", "opening", "exchange"],
    *["allocate", "release", "unallocate", "void", "correct"],
]
STEP = st.tuples(
    st.sampled_from(WHAT),
    st.integers(0, 1),
    st.integers(-60, 40),
    st.sampled_from([(code, amount) for code, some in AMOUNTS.items() for amount in some]),
    st.integers(0, 7),
    st.integers(0, 7),
)
BEGUN = [
    (what, client, -60 + n, (code, "100"), 0, 0)
    for client in (0, 1)
    for code in AMOUNTS
    for n, what in enumerate(["sale", "payment", "parts", "free"])
]
"""What every history begins with, so that there is something to do things with."""
STEPS = st.lists(STEP, min_size=3, max_size=16)


@attrs.frozen
class Walk:
    """A step through the history of a client: what there is to choose from."""

    book: Book
    client: Client
    on: date
    money: Money
    one: int
    other: int

    def pick(self, side: str) -> Entry:
        """A document of one side in the currency, voided or not."""
        code = self.money.currency
        found = self.book.ledger.find(client=self.client, currency=code, voided=True)
        own = [e for e in found if e.side == side and e.kind != "void"]
        if not own:
            raise InvalidValue("none is there", field="entry")
        return own[(self.one if side == "debit" else self.other) % len(own)]

    def some(self, entry: Entry) -> Money:
        """The amount, or what is left of a document where that is less."""
        return min(self.money, self.book.ledger.state(entry, as_of=day(400)).open) or self.money

    def documents(self, what: str) -> None:
        """Record a document."""
        ledger, client, money, on = self.book.ledger, self.client, self.money, self.on
        match what:
            case "sale":
                ledger.record_sale(client, money, on=on, due=on + 15 * self.one * DAY)
            case "parts":
                parts = [(on - self.one * DAY, money), (on + 31 * DAY, money + money)]
                ledger.record_sale(client, money + money + money, on=on, instalments=parts)
            case "payment":
                ledger.record_payment(client, money, on=on)
            case "free":
                ledger.record_payment(client, money, on=on, allocate={})
            case "told":
                debit = self.pick("debit")
                ledger.record_payment(client, money, on=on, allocate={debit: self.some(debit)})
            case "note":
                sale = self.pick("debit") if self.one % 2 else None
                ledger.record_credit_note(client, money, reason="r", sale=sale, on=on)
            case "refund":
                ledger.record_refund(client, money, on=on)
            case "loss":
                ledger.write_off(client, money, reason="r", on=on)
            case "opening":
                signed = money if self.one % 2 else -money
                ledger.record_opening_balance(client, signed, on=on)

    def acts(self, what: str) -> None:
        """Do something with documents."""
        ledger, money, on = self.book.ledger, self.money, self.on
        debit, credit = self.pick("debit"), self.pick("credit")
        links = ledger.state(debit, as_of=day(400)).allocations
        match what:
            case "exchange":
                ledger.exchange(credit, self.some(credit), f"{self.one + 1} CHF", on=on)
            case "allocate":
                amount = min(self.some(credit), self.some(debit))
                ledger.allocate(credit, debit.instalments[-1], amount, on=on)
            case "release" if links:
                link = links[self.other % len(links)]
                ledger.release(link, money if self.one % 2 else None, on=on)
            case "unallocate":
                ledger.unallocate(credit, debit, on=on)
            case "void":
                ledger.void(debit if self.one % 2 else credit, reason="r", on=on)
            case "correct":
                old = debit if self.one % 2 else credit
                lined = old.kind in ("sale", "credit note")
                changes: dict[str, Any] = {"lines_or_amount" if lined else "amount": money}
                ledger.correct(old, reason="r", **changes)


def walk(book: Book, client: Client, told: tuple[Any, ...]) -> None:
    """Do what a step says, or be refused."""
    what, _, offset, (code, amount), one, other = told
    step = Walk(book, client, day(offset), Money(amount, code), one, other)
    with suppress(ClientLedgerError):
        step.documents(what)
        step.acts(what)


def counted(
    book: Book, client: Client, on: date, by: str, bounds: tuple[int, ...]
) -> Mapping[str, tuple[list[int], int, int]]:
    """Buckets, prepaid and balance by currency, counted here from the facts."""
    facts = facts_of(book, client.id)
    known = {entry.id: entry for entry in facts.entries}
    found: dict[str, tuple[list[int], int, int]] = {}
    for entry in facts.entries:
        if entry.on <= on:
            buckets, prepaid, balance = found.setdefault(
                entry.currency, ([0] * (len(bounds) + 1), 0, 0)
            )
            found[entry.currency] = buckets, prepaid, balance + entry.signed
    for (id, number), minor in facts.open_on(on).items():
        entry = known[id]
        buckets, prepaid, balance = found[entry.currency]
        if entry.side == "credit":
            prepaid += minor
        else:
            (part,) = [p for p in entry.instalments if p.number == number]
            days = (on - (part.due if by == "due" else entry.on)).days
            buckets[sum(days > bound for bound in bounds)] += minor
        found[entry.currency] = buckets, prepaid, balance
    return {code: row for code, row in found.items() if any(row[0]) or row[1]}


def rows_of(book: Book, **asked: Any) -> dict[tuple[UUID, str], tuple[list[int], int, int]]:
    return {
        (row.client.id, row.currency): (
            [bucket.amount.minor for bucket in row.buckets],
            row.prepaid.minor,
            row.balance.minor,
        )
        for row in book.insights.ageing(**asked)
    }


@given(
    STEPS,
    st.lists(st.integers(-101, 200), min_size=1, max_size=4),
    st.sampled_from(["due", "date"]),
    st.sampled_from([(0, 30, 60, 90), (30, 60, 90), (-7, 0, 7), (0,), (-1,), (0, 1, 2, 3)]),
)
def test_whatever_happened_buckets_add_up_to_owed_and_owed_less_prepaid_to_the_balance(
    steps: list[tuple[Any, ...]], offsets: list[int], by: str, bounds: tuple[int, ...]
) -> None:
    book = in_memory()
    clients = [book.clients.add(name) for name in ("Acme", "Beta")]
    for told in [*BEGUN, *steps]:
        walk(book, clients[told[1]], told)
    for on in map(day, offsets):
        rows = rows_of(book, as_of=on, by=by, bounds=bounds)
        wanted = {
            (client.id, code): row
            for client in clients
            for code, row in counted(book, client, on, by, bounds).items()
        }
        assert rows == wanted
        for client in clients:
            for code, found in book.ledger.accounts(client, as_of=on).items():
                buckets, prepaid, balance = rows.get((client.id, code), ([0], 0, 0))
                assert (found.owed.minor, found.prepaid.minor) == (sum(buckets), prepaid)
                assert found.balance.minor == balance == sum(buckets) - prepaid
                sheet = book.ledger.statement(client, code, day(-200), on)
                assert sheet.closing.minor == balance
                assert sum(bucket.amount.minor for bucket in sheet.buckets) == sum(buckets)
    assert book.verify().ok


@given(STEPS, STEPS, st.integers(-101, 200))
def test_what_was_aged_as_known_then_stays_so_whatever_happens_later(
    before: list[tuple[Any, ...]], later: list[tuple[Any, ...]], offset: int
) -> None:
    clock = Clock()
    book = in_memory(clock)
    clients = [book.clients.add(name) for name in ("Acme", "Beta")]
    for told in [*BEGUN, *before]:
        walk(book, clients[told[1]], told)
    known = clock.now
    assert known == NOON
    asked: dict[str, Any] = {"as_of": day(offset)}
    then = book.insights.ageing(**asked)
    clock.now += timedelta(seconds=1)
    for told in later:
        walk(book, clients[told[1]], told)
    now = book.insights.ageing(**asked, known_at=known)
    assert sorted(now, key=_place) == sorted(then, key=_place)


def _place(row: AgeingRow) -> tuple[UUID, str]:
    return row.client.id, row.currency
