"""The largest documents and accounts: ten thousand lines, and amounts that every store adds."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from tests.books import KINDS, TODAY, Clock, day, dump, new_book

from clientledger import (
    Book,
    Client,
    Entry,
    Instalment,
    InvalidValue,
    Line,
    Money,
    Posting,
    codec,
)
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL
from clientledger.domain.recording import issue
from clientledger.ports import EventQuery, Head, HeadStep

MOST = Money.from_minor(MAX_MINOR, "EUR")
MORE = Decimal(MAX_MINOR + 1).scaleb(-2)
A_CENT = Money("0.01", "EUR")
LINES = 10_000


# ------------------------------------------------------------ ten thousand lines
def told(n: int) -> Line:
    """A line that is no whole number of cents, as a rule."""
    percent = f"{n % 101}.5" if n % 7 == 0 and n % 101 < 100 else None
    return Line(
        f"Article {n}",
        f"{n % 13}.{n % 999_983:06}",
        f"{n % 97}.{n * 7919 % 99_999_989:08}",
        sku=f"A-{n}",
        discount_percent=percent,
        tax="0.07" if n % 3 == 0 else None,
    )


def counted(line: Line) -> int:
    """What a line comes to, in cents, on fractions."""
    net = Fraction(str(line.quantity)) * Fraction(str(line.price))
    net -= net * Fraction(str(line.discount_percent or 0)) / 100
    return round((net + Fraction(str(line.tax or 0))) * 100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_ten_thousand_lines_is_kept_read_and_voided_whole(
    tmp_path: Path, kind: str
) -> None:
    lines = [told(n) for n in range(1, LINES + 1)]
    cents = [counted(line) for line in lines]
    amount = Money.from_minor(sum(cents), "EUR")
    with new_book(kind, tmp_path) as book:
        ledger = book.ledger
        acme = book.clients.add("Acme")
        sale = ledger.record_sale(acme, lines, currency="EUR", on=day(-3), number="L-1")
        note = ledger.record_credit_note(
            acme, lines, reason="all of it", currency="EUR", on=day(-2), sale=sale
        )
        assert [line.total.minor for line in sale.lines] == cents
        assert sale.amount == note.amount == amount
        assert ledger.get(sale.id) == sale
        assert ledger.find(number="L-1")[0] == sale
        assert codec.load_json(Entry, codec.dump_json(sale)) == sale
        assert ledger.state(sale).status == "paid"
        assert ledger.state(sale, as_of=day(-3)).open == amount
        sheet = ledger.statement(acme, "EUR", day(-3), TODAY)
        assert [row.balance.minor for row in sheet.rows] == [amount.minor, 0]
        void = ledger.void(note, reason="only a slip")
        assert void.amount == amount
        assert ledger.state(sale).open == amount
        fewer = lines[: LINES // 2]
        new = ledger.correct(sale, reason="half of it", lines_or_amount=fewer)
        assert new.amount.minor == sum(cents[: LINES // 2])
        assert len(book.insights.purchases(acme).bought) == LINES // 2
        before = ledger.find(voided=True)
        for record in (ledger.record_sale, ledger.record_credit_note):
            why: dict[str, Any] = {} if record == ledger.record_sale else {"reason": "r"}
            with pytest.raises(InvalidValue) as caught:
                record(acme, [*lines, told(1)], currency="EUR", **why)
            assert (caught.value.field, caught.value.value) == ("lines", LINES + 1)
        assert ledger.find(voided=True) == before
        assert book.verify().ok


# ------------------------------------------------------------ the largest document
def test_the_largest_amount_is_taken_everywhere_and_a_cent_more_nowhere(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, MOST, on=day(-9))
    lined = ledger.record_sale(acme, [("Island", 1, MOST.amount)], currency="EUR", on=day(-9))
    cut = [("Share", 1, Decimal(MAX_MINOR // 100).scaleb(-2))] * 100
    shares = ledger.record_sale(acme, cut, currency="EUR", on=day(-9))
    assert sale.amount == lined.amount == shares.amount == MOST
    debt = ledger.record_opening_balance(acme, MOST, on=day(-9))
    prepaid = ledger.record_opening_balance(acme, -MOST, on=day(-9))
    paid = ledger.record_payment(acme, MOST, on=day(-8), allocate={sale: MOST})
    ledger.record_credit_note(acme, MOST, reason="r", sale=lined, on=day(-8))
    ledger.write_off(acme, MOST, reason="r", allocate={shares: MOST}, on=day(-8))
    link = ledger.allocate(prepaid, debt, MOST, on=day(-7))
    assert ledger.release(link, MOST).live.minor == 0
    into = ledger.exchange(prepaid, MOST, Money.from_minor(MAX_MINOR, "JPY"))
    assert into.amount.minor == MAX_MINOR
    ledger.record_refund(acme, into.amount, allocate={into: into.amount})
    ledger.void(paid, reason="bounced")
    assert ledger.account(acme, "EUR").owed.minor == 2 * MAX_MINOR
    assert ledger.account(acme, "JPY").balance.minor == 0
    free = ledger.record_payment(acme, MOST, allocate={})
    before = dump(book)
    over: dict[str, Callable[[], object]] = {
        "sale": lambda: ledger.record_sale(acme, MORE, currency="EUR"),
        "payment": lambda: ledger.record_payment(acme, MORE, currency="EUR"),
        "credit note": lambda: ledger.record_credit_note(acme, MORE, currency="EUR", reason="r"),
        "refund": lambda: ledger.record_refund(acme, MORE, currency="EUR"),
        "write-off": lambda: ledger.write_off(acme, MORE, currency="EUR", reason="r"),
        "opening": lambda: ledger.record_opening_balance(acme, MORE, currency="EUR", on=TODAY),
        "prepaid": lambda: ledger.record_opening_balance(
            acme, MORE.copy_negate(), currency="EUR", on=TODAY
        ),
        "exchange": lambda: ledger.exchange(free, MORE, "1 JPY"),
        "exchange into": lambda: ledger.exchange(free, "1", f"{MAX_MINOR + 1} JPY"),
        "allocation": lambda: ledger.allocate(free, sale, MORE),
        "release": lambda: ledger.release(link, MORE),
        "told": lambda: ledger.record_payment(acme, MOST, allocate={sale: MORE}),
        "line": lambda: ledger.record_sale(acme, [("Island", 1, MORE)], currency="EUR"),
        "lines": lambda: ledger.record_sale(
            acme, [("Island", 1, MOST.amount), ("Cup", 1, "0.01")], currency="EUR"
        ),
        "tax": lambda: ledger.record_sale(
            acme, [Line("Island", 1, MOST.amount, tax="0.01")], currency="EUR"
        ),
        "total": lambda: ledger.record_sale(
            acme, [Line("Island", 1, 1, total=MORE)], currency="EUR"
        ),
        "instalment": lambda: ledger.record_sale(acme, MOST, instalments=[(TODAY, MORE)]),
        "instalments": lambda: ledger.record_sale(
            acme, MOST, instalments=[(TODAY, MOST), (day(1), A_CENT)]
        ),
    }
    for name, call in over.items():
        with pytest.raises(InvalidValue):
            call()
        assert dump(book) == before, name


# ------------------------------------------------------------ the largest account
def giant(book: Book, like: Entry, minor: int) -> Entry:
    """Put a document into the store that no command would take, as thousands of them would be."""
    with book._desk.scope.begin() as unit:
        head = unit.get(Head, like.client)
        amount, id = Money.from_minor(minor, like.amount.unit), uuid4()
        parts = (Instalment(like.on, amount, 1, id),) if like.side == "debit" else ()
        entry = attrs.evolve(
            like, id=id, sequence=head.sequence + 1, amount=amount, instalments=parts
        )
        after = attrs.evolve(head, version=head.version + 1, sequence=head.sequence + 1)
        (told,) = (e for e in unit.find(EventQuery()) if e.subject == str(like.id))
        event = attrs.evolve(told, id=uuid4(), subject=str(id), position=None)
        step = Posting(facts=(event,), heads=(HeadStep(after, head.version),))
        unit.post(issue(entry) + step)
    return entry


@pytest.fixture(params=KINDS)
def bare(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    """A book that is not audited afterwards, because it may be past counting."""
    with new_book(request.param, tmp_path, clock) as opened:
        yield opened


def refused(book: Book, client: Client, call: Callable[[Book], object]) -> None:
    """A call is refused for what it would add up to, and all there was can still be counted."""
    before, whole = dump(book), book.ledger.accounts(client)
    with book.what_if() as trial, pytest.raises(InvalidValue, match="larger than any store adds"):
        call(trial)
    assert dump(book) == before
    assert book.ledger.accounts(client) == whole
    audited(book)


def audited(book: Book) -> None:
    """The audit finds nothing but the documents that no command would take."""
    for problem in book.verify().problems:
        assert problem.what == "Entry"
        assert problem.computed.startswith("above zero, at most")


def test_what_is_owed_grows_to_what_every_store_adds_and_no_cent_further(
    bare: Book,
) -> None:
    acme = bare.clients.add("Acme")
    sale = bare.ledger.record_sale(acme, "1 EUR", on=day(-3))
    giant(bare, sale, MAX_TOTAL - 100 - MAX_MINOR - 1)
    free = bare.ledger.record_payment(acme, "5 EUR", allocate={})
    bare.ledger.record_sale(acme, MOST, use_prepayments=False)
    bare.ledger.record_opening_balance(acme, A_CENT, on=TODAY)
    assert bare.ledger.account(acme, "EUR").owed.minor == MAX_TOTAL
    for call in (
        lambda book: book.ledger.record_sale(acme, A_CENT),
        lambda book: book.ledger.record_sale(acme, A_CENT, use_prepayments=False),
        lambda book: book.ledger.record_sale(acme, [("Cup", 1, "0.01")], currency="EUR"),
        lambda book: book.ledger.record_opening_balance(acme, A_CENT, on=TODAY),
        lambda book: book.ledger.record_refund(acme, A_CENT),
        lambda book: book.ledger.exchange(free, A_CENT, "1 JPY"),
        lambda book: book.ledger.correct(sale, reason="r", lines_or_amount="1.01 EUR"),
    ):
        refused(bare, acme, call)
    bare.ledger.record_sale(acme, "1 USD")
    bare.ledger.record_payment(acme, A_CENT, allocate={sale: A_CENT})
    bare.ledger.record_sale(acme, A_CENT, on=day(1), use_prepayments=False)
    refused(bare, acme, lambda book: book.ledger.record_sale(acme, A_CENT, on=day(2)))
    audited(bare)


def test_what_is_prepaid_grows_to_what_every_store_adds_and_no_cent_further(
    bare: Book,
) -> None:
    acme = bare.clients.add("Acme")
    payment = bare.ledger.record_payment(acme, "1 EUR", on=day(-3), allocate={})
    giant(bare, payment, MAX_TOTAL - 100 - 2 * MAX_MINOR - 1)
    dollars = bare.ledger.record_payment(acme, "5 USD", allocate={})
    bare.ledger.record_payment(acme, MOST, allocate={})
    bare.ledger.record_credit_note(acme, MOST, reason="r", allocate={})
    bare.ledger.record_opening_balance(acme, -A_CENT, on=TODAY)
    account = bare.ledger.account(acme, "EUR")
    assert (account.prepaid.minor, account.balance.minor) == (MAX_TOTAL, -MAX_TOTAL)
    for call in (
        lambda book: book.ledger.record_payment(acme, A_CENT),
        lambda book: book.ledger.record_credit_note(acme, A_CENT, reason="r"),
        lambda book: book.ledger.record_opening_balance(acme, -A_CENT, on=TODAY),
        lambda book: book.ledger.exchange(dollars, "1", A_CENT),
        lambda book: book.ledger.correct(payment, reason="r", amount="1.01"),
    ):
        refused(bare, acme, call)
    bare.ledger.record_refund(acme, A_CENT)
    assert bare.ledger.exchange(dollars, "1", A_CENT).amount == A_CENT
    refused(bare, acme, lambda book: book.ledger.record_payment(acme, A_CENT))
    (row,) = bare.insights.ageing(currency="EUR")
    assert (row.owed.minor, row.prepaid.minor) == (0, MAX_TOTAL)
    sheet = bare.ledger.statement(acme, "EUR", day(-9), TODAY)
    assert sheet.closing.minor == -MAX_TOTAL


def test_both_sides_of_an_account_may_be_as_large_as_that(bare: Book) -> None:
    acme = bare.clients.add("Acme")
    sale = bare.ledger.record_sale(acme, "1 EUR", on=day(-3))
    giant(bare, sale, MAX_TOTAL - 100)
    payment = bare.ledger.record_payment(acme, "1 EUR", on=day(-3), allocate={})
    large = giant(bare, payment, MAX_TOTAL - 100)
    account = bare.ledger.account(acme, "EUR")
    assert (account.owed.minor, account.prepaid.minor) == (MAX_TOTAL, MAX_TOTAL)
    assert account.balance.minor == 0
    for call in (
        lambda book: book.ledger.record_sale(acme, A_CENT),
        lambda book: book.ledger.record_payment(acme, A_CENT),
    ):
        refused(bare, acme, call)
    bare.ledger.allocate(large, sale, "1 EUR")
    assert bare.ledger.account(acme, "EUR").owed.minor == MAX_TOTAL - 100
    assert bare.card(acme).accounts["EUR"].balance.minor == 0
    audited(bare)


@pytest.mark.parametrize("how", ["void", "release", "unallocate"])
def test_what_is_opened_again_keeps_within_what_every_store_adds(bare: Book, how: str) -> None:
    acme = bare.clients.add("Acme")
    sale = bare.ledger.record_sale(acme, "3 EUR", on=day(-3))
    payment = bare.ledger.record_payment(acme, "3 EUR", on=day(-2))
    giant(bare, bare.ledger.record_opening_balance(acme, "1 EUR", on=day(-2)), MAX_TOTAL - 100)
    assert bare.ledger.account(acme, "EUR").owed.minor == MAX_TOTAL
    acts: dict[str, Callable[[Book], object]] = {
        "void": lambda book: book.ledger.void(payment, reason="bounced"),
        "release": lambda book: book.ledger.release(book.ledger.state(sale).allocations[0]),
        "unallocate": lambda book: book.ledger.unallocate(payment, sale, "0.01"),
    }
    refused(bare, acme, acts[how])


def test_what_a_void_frees_keeps_within_what_every_store_adds(bare: Book) -> None:
    acme = bare.clients.add("Acme")
    sale = bare.ledger.record_sale(acme, "3 EUR", on=day(-3))
    payment = bare.ledger.record_payment(acme, "3 EUR", on=day(-2))
    giant(bare, payment, MAX_TOTAL)
    refused(bare, acme, lambda book: book.ledger.void(sale, reason="never sent"))


def test_what_was_sold_keeps_within_what_every_store_adds(bare: Book) -> None:
    acme = bare.clients.add("Acme")
    sale = bare.ledger.record_sale(acme, "1 EUR")
    giant(bare, sale, MAX_TOTAL - 100)
    bare.ledger.record_payment(acme, "1 EUR", allocate={sale: "1 EUR"})
    assert bare.ledger.account(acme, "EUR").owed.minor == MAX_TOTAL - 100
    refused(bare, acme, lambda book: book.ledger.record_sale(acme, "1 EUR"))
