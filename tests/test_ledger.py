"""The rules of the ledger: as a shopkeeper tells them, and on any history."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.books import (
    DAY,
    KINDS,
    NOON,
    TODAY,
    Clock,
    ContestedStore,
    audit,
    day,
    dump,
    in_memory,
    new_book,
    rows,
    undone,
)

from clientledger import (
    Account,
    Book,
    Busy,
    Client,
    ClientLedgerError,
    Entry,
    InvalidValue,
    KeyReused,
    Money,
    NotFound,
    NumberTaken,
    OverAllocated,
    Voided,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def book(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    with new_book(request.param, tmp_path, clock) as opened:
        yield opened
        for client in opened.clients.find(archived=None):
            audit(opened, client.id)


@pytest.fixture
def acme(book: Book) -> Client:
    return book.clients.add("Acme GmbH")


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


def account(book: Book, client: Client, as_of: date | None = None) -> tuple[str, str, str]:
    """Owed, prepaid and overdue in euro."""
    found = book.ledger.account(client, "EUR", as_of=as_of)
    return str(found.owed.amount), str(found.prepaid.amount), str(found.overdue.amount)


def open_(book: Book, entry: Entry, as_of: date | None = None) -> str:
    return str(book.ledger.state(entry, as_of=as_of).open.amount)


def status(book: Book, entry: Entry, as_of: date | None = None) -> str:
    return book.ledger.state(entry, as_of=as_of).status


# ------------------------------------------------------------ paying
def test_a_payment_without_word_settles_the_oldest_due_first(book: Book, acme: Client) -> None:
    late = book.ledger.record_sale(acme, "100 EUR", on=day(-30), due=day(20))
    soon = book.ledger.record_sale(acme, "100 EUR", on=day(-10), due=day(5))
    past = book.ledger.record_sale(acme, "100 EUR", on=day(-5), due=day(-1))
    book.ledger.record_payment(acme, "150 EUR")
    assert [open_(book, sale) for sale in (past, soon, late)] == ["0.00", "50.00", "100.00"]
    assert [status(book, sale) for sale in (past, soon, late)] == ["paid", "partly paid", "unpaid"]


def test_of_one_due_date_the_older_document_is_settled_first(book: Book, acme: Client) -> None:
    second = book.ledger.record_sale(acme, "10 EUR", on=day(-1), due=day(5))
    first = book.ledger.record_sale(acme, "10 EUR", on=day(-2), due=day(5))
    third = book.ledger.record_sale(acme, "10 EUR", on=day(-1), due=day(5))
    book.ledger.record_payment(acme, "15 EUR")
    assert [open_(book, sale) for sale in (first, second, third)] == ["0.00", "5.00", "10.00"]


def test_what_a_payment_leaves_is_a_prepayment_that_a_later_sale_takes(
    book: Book, acme: Client
) -> None:
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-3))
    assert status(book, payment) == "free"
    assert account(book, acme) == ("0.00", "100.00", "0.00")
    assert book.ledger.account(acme, "EUR").balance == eur("-100")
    sale = book.ledger.record_sale(acme, "30 EUR", on=day(-1))
    assert status(book, sale) == "paid"
    assert open_(book, payment) == "70.00"
    assert account(book, acme) == ("0.00", "70.00", "0.00")
    assert book.ledger.state(sale).allocations[0].on == day(-1)


def test_a_sale_takes_free_credits_oldest_first(book: Book, acme: Client) -> None:
    newer = book.ledger.record_payment(acme, "50 EUR", on=day(-2))
    older = book.ledger.record_payment(acme, "50 EUR", on=day(-9))
    book.ledger.record_sale(acme, "60 EUR")
    assert (open_(book, older), open_(book, newer)) == ("0.00", "40.00")


def test_a_sale_takes_no_prepayment_where_it_is_told_not_to(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "50 EUR")
    by_call = book.ledger.record_sale(acme, "20 EUR", use_prepayments=False)
    book.change_settings(use_prepayments=False)
    by_setting = book.ledger.record_sale(acme, "20 EUR")
    told = book.ledger.record_sale(acme, "20 EUR", use_prepayments=True)
    assert [status(book, s) for s in (by_call, by_setting, told)] == ["unpaid", "unpaid", "paid"]
    assert account(book, acme) == ("40.00", "30.00", "0.00")


def test_a_payment_settles_just_what_it_is_told_to(book: Book, acme: Client) -> None:
    old = book.ledger.record_sale(acme, "100 EUR", on=day(-30))
    new = book.ledger.record_sale(acme, "100 EUR", on=day(-1))
    payment = book.ledger.record_payment(acme, "60 EUR", allocate={new: "40"})
    assert [open_(book, e) for e in (old, new, payment)] == ["100.00", "60.00", "20.00"]
    assert status(book, payment) == "free"


def test_a_payment_may_name_a_sale_by_id_and_by_text(book: Book, acme: Client) -> None:
    one = book.ledger.record_sale(acme, "10 EUR")
    other = book.ledger.record_sale(acme, "10 EUR")
    book.ledger.record_payment(acme, "20 EUR", allocate={one.id: "10", str(other.id): eur("10")})
    assert account(book, acme) == ("0.00", "0.00", "0.00")


def test_pairs_may_name_a_target_twice(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR")
    payment = book.ledger.record_payment(acme, "60 EUR", allocate=[(sale, "20"), (sale, "30")])
    assert (open_(book, sale), open_(book, payment)) == ("50.00", "10.00")


def test_pairs_that_can_be_read_once_only_are_read_once(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR")
    pairs = ((sale, amount) for amount in ("20", "30"))
    book.ledger.record_payment(acme, "60 EUR", allocate=pairs)
    assert open_(book, sale) == "50.00"


def test_a_payment_told_to_settle_nothing_stays_free(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR")
    payment = book.ledger.record_payment(acme, "60 EUR", allocate={})
    assert account(book, acme) == ("100.00", "60.00", "0.00")
    assert (status(book, sale), status(book, payment)) == ("unpaid", "free")


def test_instalments_are_settled_in_order_of_due_date_or_as_told(book: Book, acme: Client) -> None:
    parts = [(day(20), "50"), (day(-10), "30"), (day(5), "20")]
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-15), instalments=parts)
    assert [(p.number, p.due, str(p.amount.amount)) for p in sale.instalments] == [
        (1, day(-10), "30.00"),
        (2, day(5), "20.00"),
        (3, day(20), "50.00"),
    ]
    assert sale.due == day(-10)
    book.ledger.record_payment(acme, "10 EUR", allocate={sale.instalments[2]: "10"})
    book.ledger.record_payment(acme, "35 EUR")
    left = [str(open_.amount) for _, open_ in book.ledger.state(sale).instalments]
    assert left == ["0.00", "15.00", "40.00"]
    assert account(book, acme) == ("55.00", "0.00", "0.00")
    book.ledger.record_payment(acme, "20 EUR", allocate={sale: "20"})
    left = [str(open_.amount) for _, open_ in book.ledger.state(sale).instalments]
    assert left == ["0.00", "0.00", "35.00"]


def test_an_open_item_can_be_named_as_a_target(book: Book, acme: Client) -> None:
    parts = [(day(5), "20"), (day(20), "50")]
    book.ledger.record_sale(acme, "70 EUR", instalments=parts)
    later = book.ledger.open_items(acme)[1]
    credit = book.ledger.record_payment(acme, "7 EUR", allocate={later: "5"})
    link = book.ledger.allocate(credit, later, "2")
    assert link.instalment == 2
    assert [str(item.open) for item in book.ledger.open_items(acme)] == ["20.00 EUR", "43.00 EUR"]


def test_a_credit_is_allocated_and_released_later(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    payment = book.ledger.record_payment(acme, "80 EUR", on=day(-9), allocate={})
    link = book.ledger.allocate(payment, sale, "80", on=day(-5))
    assert (link.live, link.on) == (eur("80"), day(-5))
    back = book.ledger.release(link, "30", on=day(-2))
    assert back.live == eur("50")
    assert [open_(book, sale, on) for on in (day(-6), day(-5), day(-2))] == [
        "100.00",
        "20.00",
        "50.00",
    ]
    assert book.ledger.release(link).live == eur("0")
    assert (status(book, sale), status(book, payment)) == ("unpaid", "free")


def test_an_allocation_counts_from_the_latest_of_its_days(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "10 EUR", on=day(4))
    payment = book.ledger.record_payment(acme, "10 EUR", on=day(2), allocate={})
    link = book.ledger.allocate(payment, sale, "10", on=day(-3))
    assert link.on == day(4)
    assert account(book, acme, day(3)) == ("0.00", "10.00", "0.00")
    assert account(book, acme, day(4)) == ("0.00", "0.00", "0.00")


def test_a_backdated_allocation_takes_no_more_than_was_free_on_every_day(
    book: Book, acme: Client
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-20), use_prepayments=False)
    other = book.ledger.record_sale(acme, "100 EUR", on=day(-20), use_prepayments=False)
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-20), allocate={})
    link = book.ledger.allocate(payment, sale, "70", on=day(-15))
    book.ledger.release(link, on=day(-5))
    with pytest.raises(OverAllocated, match=r"only 30\.00 EUR"):
        book.ledger.allocate(payment, other, "30.01", on=day(-10))
    book.ledger.allocate(payment, other, "30", on=day(-10))
    with pytest.raises(OverAllocated, match=r"only 30\.00 EUR"):
        book.ledger.allocate(payment, sale, "30.01", on=day(-19))
    book.ledger.allocate(payment, sale, "70", on=day(-5))


def test_automatic_allocation_takes_no_more_than_was_free_on_every_day(
    book: Book, acme: Client
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-20))
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-20))
    book.ledger.release(book.ledger.state(sale).allocations[0], on=day(-5))
    backdated = book.ledger.record_payment(acme, "40 EUR", on=day(-10))
    assert status(book, backdated) == "free"
    today = book.ledger.record_payment(acme, "60 EUR")
    assert open_(book, sale) == "40.00"
    assert (open_(book, payment), open_(book, today)) == ("100.00", "0.00")


# ------------------------------------------------------------ voiding
def test_voiding_a_sale_frees_what_paid_it(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-8))
    void = book.ledger.void(sale, reason="never delivered", on=day(-2))
    assert (void.kind, void.side, void.undoes, void.reason) == (
        "void",
        "credit",
        sale.id,
        "never delivered",
    )
    assert status(book, sale) == "voided"
    assert book.ledger.state(sale).voided_by == void.id
    assert status(book, payment) == "free"
    assert account(book, acme) == ("0.00", "100.00", "0.00")
    assert account(book, acme, day(-3)) == ("0.00", "0.00", "0.00")


def test_a_payment_that_bounces_leaves_its_sale_overdue_from_its_first_due_date(
    book: Book, acme: Client, clock: Clock
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-40), due=day(-30))
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-35))
    book.ledger.void(payment, reason="bounced")
    state = book.ledger.state(sale)
    assert (state.status, state.overdue) == ("unpaid", True)
    assert account(book, acme) == ("100.00", "0.00", "100.00")
    row = book.insights.ageing()[0]
    assert [str(b.amount.amount) for b in row.buckets] == ["0.00", "100.00", "0.00", "0.00", "0.00"]


def test_a_void_may_be_dated_before_what_was_taken_back(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-20))
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-20))
    book.ledger.release(book.ledger.state(sale).allocations[0], "60", on=day(-5))
    book.ledger.void(sale, reason="a slip", on=day(-10))
    assert [account(book, acme, day(n))[:2] for n in (-11, -10, -5, 0)] == [
        ("0.00", "0.00"),
        ("0.00", "100.00"),
        ("0.00", "100.00"),
        ("0.00", "100.00"),
    ]
    assert open_(book, payment, day(-7)) == "100.00"


def test_both_sides_of_an_allocation_may_be_voided_in_any_order(book: Book, acme: Client) -> None:
    for first, second in ((-3, -8), (-8, -3)):
        sale = book.ledger.record_sale(acme, "50 EUR", on=day(-20))
        payment = book.ledger.record_payment(acme, "50 EUR", on=day(-15))
        book.ledger.void(payment, reason="bounced", on=day(first))
        book.ledger.void(sale, reason="never sent", on=day(second))
        assert account(book, acme) == ("0.00", "0.00", "0.00")


def test_a_void_stands_on_today_or_on_a_later_entrys_day(book: Book, acme: Client) -> None:
    past = book.ledger.record_sale(acme, "1 EUR", on=day(-9))
    future = book.ledger.record_sale(acme, "1 EUR", on=day(9))
    assert book.ledger.void(past, reason="r").on == TODAY
    assert book.ledger.void(future, reason="r").on == day(9)
    assert book.ledger.void(
        book.ledger.record_sale(acme, "1 EUR", on=day(-9)), reason="r", on=day(-9)
    ).on == day(-9)


def test_a_voided_document_gives_its_number_and_ids_free(book: Book, acme: Client) -> None:
    told: dict[str, Any] = {"number": "INV-1", "external_ids": {"erp": "7"}}
    first = book.ledger.record_sale(acme, "10 EUR", **told)
    book.ledger.void(first, reason="a slip")
    second = book.ledger.record_sale(acme, "12 EUR", **told)
    with pytest.raises(NumberTaken):
        book.ledger.record_sale(acme, "12 EUR", number="INV-1")
    assert [e.id for e in book.ledger.find(number="INV-1")] == [second.id]
    assert [e.id for e in book.ledger.find(number="INV-1", voided=True)] == [first.id, second.id]
    assert [e.id for e in book.ledger.find(external_id=("erp", "7"))] == [second.id]


# ------------------------------------------------------------ numbers and external ids
def test_a_number_is_unique_per_kind_and_compared_letter_by_letter(
    book: Book, acme: Client
) -> None:
    for number in ("INV-1", "inv-1", "INV-1.", "INV–1", "ÍNV-1"):
        book.ledger.record_sale(acme, "1 EUR", number=number)
    book.ledger.record_payment(acme, "1 EUR", number="INV-1")
    for number in ("INV-1", "inv-1", "I\u0301NV-1"):
        with pytest.raises(NumberTaken):
            book.ledger.record_sale(acme, "1 EUR", number=number)
    assert len(book.ledger.find(number="INV-1")) == 2


def test_numbers_may_be_unique_per_client_only(book: Book, acme: Client) -> None:
    book.change_settings(number_scope="client")
    beta = book.clients.add("Beta")
    for client in (acme, beta):
        book.ledger.record_sale(client, "1 EUR", number="1")
        with pytest.raises(NumberTaken):
            book.ledger.record_sale(client, "1 EUR", number="1")


def test_external_ids_are_unique_per_kind_and_source(book: Book, acme: Client) -> None:
    ids = {"erp": "7"}
    sale = book.ledger.record_sale(acme, "1 EUR", external_ids=ids)
    payment = book.ledger.record_payment(acme, "1 EUR", external_ids=ids)
    book.ledger.record_sale(acme, "1 EUR", external_ids={"shop": "7"})
    book.clients.add("Beta", external_ids=ids)
    book.interactions.log(acme, "call", "x", external_ids=ids)
    assert {e.id for e in book.ledger.find(external_id=("erp", "7"))} == {sale.id, payment.id}
    assert [c.name for c in book.clients.find(external_id=("erp", "7"))] == ["Beta"]
    assert list(book.clients.find(external_id=("erp", "8"))) == []


# ------------------------------------------------------------ days
def test_a_past_day_knows_nothing_of_what_is_dated_later(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-20), due=day(-10))
    payment = book.ledger.record_payment(acme, "60 EUR", on=day(-5))
    assert [account(book, acme, day(n)) for n in (-21, -20, -10, -9, -5)] == [
        ("0.00", "0.00", "0.00"),
        ("100.00", "0.00", "0.00"),
        ("100.00", "0.00", "0.00"),
        ("100.00", "0.00", "100.00"),
        ("40.00", "0.00", "40.00"),
    ]
    assert status(book, sale, day(-6)) == "unpaid"
    with pytest.raises(NotFound):
        book.ledger.state(payment, as_of=day(-6))
    assert list(book.ledger.open_items(as_of=day(-21))) == []
    assert list(book.insights.debtors(as_of=day(-21))) == []


def test_what_is_dated_in_the_future_does_not_count_yet(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-1))
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(3))
    later = book.ledger.record_sale(acme, "70 EUR", on=day(5))
    assert account(book, acme) == ("100.00", "0.00", "100.00")
    assert (status(book, sale), status(book, sale, day(3))) == ("unpaid", "paid")
    assert account(book, acme, day(3)) == ("0.00", "0.00", "0.00")
    assert account(book, acme, day(5)) == ("70.00", "0.00", "0.00")
    assert [item.entry for item in book.ledger.open_items(acme)] == [sale.id]
    assert book.insights.purchases(acme).count == 1
    with pytest.raises(NotFound):
        book.ledger.state(later)
    assert open_(book, payment, day(3)) == "0.00"


def test_a_future_payment_is_not_spent_twice(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR")
    book.ledger.record_payment(acme, "100 EUR", on=day(3))
    second = book.ledger.record_payment(acme, "100 EUR")
    assert status(book, second) == "free"
    with pytest.raises(OverAllocated):
        book.ledger.allocate(second, sale, "1")


def test_figures_as_known_at_a_moment_do_not_change_any_more(
    book: Book, acme: Client, clock: Clock
) -> None:
    book.ledger.record_sale(acme, "100 EUR", on=day(-20))
    known = clock.now
    before = book.ledger.account(acme, "EUR", as_of=day(-1))
    clock.now += timedelta(hours=1)
    book.ledger.record_payment(acme, "40 EUR", on=day(-10))
    assert book.ledger.account(acme, "EUR", as_of=day(-1), known_at=known) == before
    assert account(book, acme, day(-1)) == ("60.00", "0.00", "60.00")
    assert book.insights.debtors(as_of=day(-1), known_at=known)[0].account == before


def test_an_instalment_is_overdue_from_the_day_after_its_due_date(
    book: Book, acme: Client, clock: Clock
) -> None:
    sale = book.ledger.record_sale(acme, "10 EUR", due=day(3))
    assert [book.ledger.state(sale, as_of=day(n)).overdue for n in (2, 3, 4)] == [
        False,
        False,
        True,
    ]
    assert [len(book.ledger.open_items(overdue_only=True, as_of=day(n))) for n in (3, 4)] == [0, 1]
    clock.to(day(4))
    assert book.insights.debtors(overdue_only=True)[0].account.overdue == eur("10")


def test_without_a_due_date_a_sale_is_due_on_its_own(book: Book, acme: Client) -> None:
    assert book.ledger.record_sale(acme, "10 EUR", on=day(-7)).due == day(-7)


AGES = {
    -1: 0,
    0: 0,
    1: 1,
    30: 1,
    31: 2,
    60: 2,
    61: 3,
    90: 3,
    91: 4,
    3650: 4,
}
CORNERS = [
    date(2024, 2, 29),
    date(2023, 2, 28),
    date(2024, 3, 31),
    date(2024, 12, 31),
    date(2024, 1, 1),
]


@pytest.mark.parametrize("due", CORNERS, ids=str)
def test_ages_go_by_days_over_leap_days_and_the_ends_of_months(due: date) -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    book.ledger.record_sale(client, "10 EUR", on=due, due=due)
    for days, bucket in AGES.items():
        if days < 0:
            continue
        row = book.insights.ageing(as_of=due + timedelta(days=days))[0]
        assert [b.amount.minor for b in row.buckets] == [
            1000 if n == bucket else 0 for n in range(5)
        ], days
        assert sum(b.amount.minor for b in row.buckets) == row.owed.minor


def test_ageing_by_due_date_and_by_document_date(book: Book, acme: Client) -> None:
    book.ledger.record_sale(acme, "10 EUR", on=day(-45), due=day(1))
    book.ledger.record_payment(acme, "3 EUR", allocate={})
    by_due, by_date = (book.insights.ageing(by=by)[0] for by in ("due", "date"))
    assert [b.amount.minor for b in by_due.buckets] == [1000, 0, 0, 0, 0]
    assert [b.amount.minor for b in by_date.buckets] == [0, 0, 1000, 0, 0]
    assert (by_due.owed, by_due.prepaid) == (eur("10"), eur("3"))
    assert [b.label for b in by_due.buckets] == ["not due", "1-30", "31-60", "61-90", "over 90"]
    few = book.insights.ageing(bounds=[0, 45], by="date")[0]
    assert [b.amount.minor for b in few.buckets] == [0, 1000, 0]


@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        ("Pacific/Auckland", datetime(2026, 1, 9, 10, 59, 59, tzinfo=UTC), date(2026, 1, 9)),
        ("Pacific/Auckland", datetime(2026, 1, 9, 11, tzinfo=UTC), date(2026, 1, 10)),
        ("America/Los_Angeles", datetime(2026, 1, 9, 7, 59, 59, tzinfo=UTC), date(2026, 1, 8)),
        ("America/Los_Angeles", datetime(2026, 1, 9, 8, tzinfo=UTC), date(2026, 1, 9)),
        ("Europe/Kyiv", datetime(2026, 3, 29, 21, tzinfo=UTC), date(2026, 3, 30)),
        ("UTC", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), date(2024, 2, 29)),
    ],
)
def test_today_is_the_day_in_the_books_time_zone(
    tmp_path: Path, zone: str, moment: datetime, today: date
) -> None:
    with new_book("memory", tmp_path, Clock(moment), settings={"time_zone": zone}) as book:
        client = book.clients.add("Acme")
        sale = book.ledger.record_sale(client, "10 EUR", due=today)
        assert sale.on == today
        assert sale.recorded_at == moment
        assert not book.ledger.state(sale).overdue
        book.ledger.record_sale(client, "10 EUR", on=today - DAY, due=today - DAY)
        assert book.ledger.account(client, "EUR").overdue == eur("10")
        assert book.card(client).as_of == today
        assert book.ledger.void(sale, reason="r").on == today


# ------------------------------------------------------------ accounts and statements
def test_currencies_stand_apart(book: Book, acme: Client) -> None:
    book.ledger.record_sale(acme, "100 EUR")
    book.ledger.record_sale(acme, "5 JPY")
    book.ledger.record_payment(acme, "30 USD")
    book.ledger.record_payment(acme, "1.234 KWD")
    accounts = book.ledger.accounts(acme)
    assert {code: str(a.balance) for code, a in accounts.items()} == {
        "EUR": "100.00 EUR",
        "JPY": "5 JPY",
        "KWD": "-1.234 KWD",
        "USD": "-30.00 USD",
    }
    assert list(accounts) == sorted(accounts)
    nothing = Money("0", "CHF")
    assert book.ledger.account(acme, "CHF") == Account(
        owed=nothing, prepaid=nothing, overdue=nothing
    )


def test_the_book_may_have_a_currency_for_bare_numbers(book: Book, acme: Client) -> None:
    book.change_settings(currency="CHF")
    assert book.ledger.record_sale(acme, "10").currency == "CHF"
    assert book.ledger.record_sale(acme, [("Beans", 1, "10")]).currency == "CHF"
    assert book.ledger.record_sale(acme, "10 EUR").currency == "EUR"
    assert book.ledger.record_sale(acme, "10", currency="USD").currency == "USD"


def test_a_statement_goes_by_date_and_then_as_recorded(book: Book, acme: Client) -> None:
    ledger = book.ledger
    late = ledger.record_sale(acme, "100 EUR", on=day(-1))
    first = ledger.record_sale(acme, "50 EUR", on=day(-9))
    paid = ledger.record_payment(acme, "60 EUR", on=day(-1))
    before = ledger.record_payment(acme, "5 EUR", on=day(-20))
    ledger.record_sale(acme, "7 EUR", on=day(1))
    ledger.record_sale(acme, "7 USD", on=day(-2))
    sheet = ledger.statement(acme, "EUR", day(-9), day(-1))
    assert sheet.opening == eur("-5")
    assert [(row.entry.id, row.balance) for row in sheet.rows] == [
        (first.id, eur("45")),
        (late.id, eur("145")),
        (paid.id, eur("85")),
    ]
    assert [(row.debit, row.credit) for row in sheet.rows] == [
        (eur("50"), None),
        (eur("100"), None),
        (None, eur("60")),
    ]
    assert sheet.closing == eur("85")
    assert ledger.statement(acme, "EUR", day(-20), day(-10)).rows[0].entry.id == before.id
    again = ledger.statement(acme, "EUR", day(0), day(0))
    assert (again.opening, again.rows, again.closing) == (eur("85"), (), eur("85"))


def test_a_voided_document_stays_on_the_statement_with_its_void(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "10 EUR", on=day(-2))
    void = book.ledger.void(sale, reason="a slip", on=day(-1))
    sheet = book.ledger.statement(acme, "EUR", day(-2), day(0))
    assert [row.entry.id for row in sheet.rows] == [sale.id, void.id]
    assert [row.balance.minor for row in sheet.rows] == [1000, 0]


def test_open_items_go_by_due_date_with_free_credits_last(book: Book, acme: Client) -> None:
    beta = book.clients.add("Beta")
    late = book.ledger.record_sale(acme, "3 EUR", on=day(-3), due=day(9))
    soon = book.ledger.record_sale(beta, "2 EUR", on=day(-1), due=day(1))
    free = book.ledger.record_payment(acme, "1 EUR", on=day(-9), allocate={})
    assert [item.entry for item in book.ledger.open_items()] == [soon.id, late.id, free.id]
    assert [item.side for item in book.ledger.open_items(acme)] == ["debit", "credit"]
    first = book.ledger.open_items(limit=2)
    rest = book.ledger.open_items(limit=2, after=first.next)
    assert [item.entry for item in (*first, *rest)] == [soon.id, late.id, free.id]
    assert (first.more, rest.more) == (True, False)


def test_documents_are_found_by_what_is_known_of_them(book: Book, acme: Client) -> None:
    beta = book.clients.add("Beta")
    one = book.ledger.record_sale(acme, "1 EUR", on=day(-3), number="A")
    two = book.ledger.record_payment(acme, "1 USD", on=day(-2), number="A")
    three = book.ledger.record_sale(beta, "1 EUR", on=day(-1))
    gone = book.ledger.record_sale(beta, "1 EUR", on=day(-1), use_prepayments=False)
    book.ledger.void(gone, reason="r")

    def found(**asked: Any) -> list[UUID]:
        return [entry.id for entry in book.ledger.find(**asked)]

    assert found() == [one.id, two.id, three.id]
    assert found(client=acme) == [one.id, two.id]
    assert found(kind="sale") == [one.id, three.id]
    assert found(currency="USD") == [two.id]
    assert found(number="A") == [one.id, two.id]
    assert found(since=day(-2), until=day(-2)) == [two.id]
    assert len(found(voided=True)) == 5
    assert found(limit=1) == [one.id]
    assert book.ledger.get(one.id) == one


# ------------------------------------------------------------ sequence and time
def test_the_sequence_of_a_client_has_no_gaps_over_all_currencies(book: Book, acme: Client) -> None:
    beta = book.clients.add("Beta")
    made = []
    for client, amount in ((acme, "1 EUR"), (beta, "1 EUR"), (acme, "1 USD"), (acme, "1 JPY")):
        made.append(book.ledger.record_sale(client, amount, number=amount + client.name))
        with pytest.raises(InvalidValue):
            book.ledger.record_sale(client, "0 EUR")
        with pytest.raises(NumberTaken):
            book.ledger.record_sale(client, amount, number=amount + client.name)
    void = book.ledger.void(made[0], reason="r")
    assert [e.sequence for e in (*made, void)] == [1, 1, 2, 3, 4]


def test_time_never_runs_back_for_a_client_though_the_clock_does(
    book: Book, acme: Client, clock: Clock
) -> None:
    first = book.ledger.record_sale(acme, "1 EUR")
    clock.now -= timedelta(hours=3)
    second = book.ledger.record_payment(acme, "1 EUR")
    clock.now += timedelta(hours=1)
    void = book.ledger.void(second, reason="r")
    clock.now += timedelta(days=1)
    last = book.ledger.record_sale(acme, "1 EUR")
    moments = [e.recorded_at for e in (first, second, void, last)]
    assert moments == [NOON, NOON, NOON, NOON + timedelta(hours=22)]
    ids = [e.id for e in (first, second, void, last)]
    assert ids == sorted(ids)
    assert all(id.version == 7 for id in ids)


# ------------------------------------------------------------ repeating a command
def commands(book: Book, acme: Client) -> dict[str, Any]:
    """Each command of the book that takes a key, as a function of the key."""
    ledger = book.ledger
    sale = ledger.record_sale(acme, "50 EUR", on=day(-3))
    voidable = ledger.record_sale(acme, "5 EUR", on=day(-3))
    credit = ledger.record_payment(acme, "20 EUR", on=day(-2), allocate={})
    linked = ledger.record_payment(acme, "5 EUR", on=day(-2), allocate={sale: "5"})
    link = ledger.state(linked).allocations[0]
    call = book.interactions.log(acme, "call", "x")
    promise = book.agreements.promise(acme, "discount", "x")
    todo = [book.tasks.add(f"t{n}", client=acme) for n in range(4)]
    for key in ("petro", "ira", "anna"):
        book.team.add(key, key.title())
    beta = book.clients.add("Beta", manager="anna")
    return {
        "clients.add": lambda k: book.clients.add("Gamma", tags=iter(["a", "b"]), key=k),
        "clients.update": lambda k: book.clients.update(beta.id, note="y", tags=iter("ab"), key=k),
        "clients.archive": lambda k: book.clients.archive(beta, key=k),
        "clients.restore": lambda k: book.clients.restore(beta, key=k),
        "interactions.log": lambda k: book.interactions.log(acme, "call", "y", at=NOON, key=k),
        "interactions.revise": lambda k: book.interactions.revise(call, body="y", key=k),
        "agreements.promise": lambda k: book.agreements.promise(
            acme, "discount", "y", percent="5.0", key=k
        ),
        "agreements.withdraw": lambda k: book.agreements.withdraw(promise, reason="r", key=k),
        "ledger.record_sale": lambda k: ledger.record_sale(
            acme, iter([("Beans", 2, "1.5")]), currency="EUR", key=k
        ),
        "ledger.record_payment": lambda k: ledger.record_payment(
            acme, "7 EUR", allocate=iter([(sale, "5")]), key=k
        ),
        "ledger.allocate": lambda k: ledger.allocate(credit, sale, "5", key=k),
        "ledger.release": lambda k: ledger.release(link, "1", key=k),
        "ledger.void": lambda k: ledger.void(voidable, reason="r", key=k),
        "tasks.add": lambda k: book.tasks.add("z", client=acme, due=day(1), key=k),
        "tasks.complete": lambda k: book.tasks.complete(todo[0], key=k),
        "tasks.cancel": lambda k: book.tasks.cancel(todo[1], key=k),
        "tasks.postpone": lambda k: book.tasks.postpone(todo[2], day(5), key=k),
        "tasks.assign": lambda k: book.tasks.assign(todo[3], "ira", key=k),
        "team.add": lambda k: book.team.add("new", "New", idempotency_key=k),
        "team.hand_over": lambda k: book.team.hand_over("anna", "petro", key=k),
        "team.deactivate": lambda k: book.team.deactivate("ira", successor="petro", key=k),
        "change_settings": lambda k: book.change_settings(currencies=iter([]), region="DE", key=k),
    }


def test_every_command_that_takes_a_key_is_done_once(book: Book, acme: Client) -> None:
    known = commands(book, acme)
    for number, (name, command) in enumerate(known.items()):
        key = f"k-{number}"
        assert not book.outcome(key), name
        made = command(key)
        events = len(book.changes(limit=None))
        before = dump(book)
        outcome = book.outcome(key)
        assert outcome.recorded, name
        assert outcome.result == str(made.id), name
        again = command(key)
        assert again.id == made.id, name
        if isinstance(made, Entry):
            assert again == made
        assert dump(book) == before, name
        assert len(book.changes(limit=None)) == events, name


def test_a_refusal_uses_up_no_key(book: Book, acme: Client) -> None:
    with pytest.raises(InvalidValue):
        book.ledger.record_payment(acme, "0 EUR", key="k")
    assert not book.outcome("k").recorded
    payment = book.ledger.record_payment(acme, "5 EUR", key="k")
    assert book.outcome("k").result == str(payment.id)
    assert book.outcome("k").action == "ledger.record_payment"


def test_a_key_is_answered_before_any_other_check(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "5 EUR", number="1", key="k")
    book.clients.archive(acme)
    assert book.ledger.record_sale(acme, "5 EUR", number="1", key="k") == sale
    book.ledger.void(sale, reason="r", key="v")
    assert book.ledger.record_sale(acme, "5 EUR", number="1", key="k") == sale
    assert book.ledger.void(sale, reason="r", key="v").undoes == sale.id


def test_arguments_that_mean_the_same_are_the_same(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR")
    told = {"tax": "1", "vat": "2"}
    first = book.clients.add("Gamma", attributes=told, key="a")
    same = dict(reversed(told.items()))
    assert book.clients.add("Gamma", attributes=same, tags=[], key="a").id == first.id
    paid = book.ledger.record_payment(acme, Money("5.00", "EUR"), allocate={sale: 5}, key="p")
    again = book.ledger.record_payment(
        str(acme.id), Money("5", "EUR"), allocate=[(sale.id, 5)], key="p"
    )
    assert again == paid
    item = book.ledger.open_items(acme)[0]
    link = book.ledger.record_payment(acme, "5 EUR", allocate={item: "5"}, key="i")
    fresh = book.ledger.open_items(acme)[0]
    assert fresh.open != item.open
    assert book.ledger.record_payment(acme, "5 EUR", allocate={fresh: "5"}, key="i") == link


def test_keys_are_told_apart_byte_by_byte(book: Book) -> None:
    keys = ["key", "KEY", "kEy", "key1", "key-", "k ey", "k  ey", "ke", "k" * 255, "k" * 254]
    made = {book.clients.add(f"c{n}", key=key).id for n, key in enumerate(keys)}
    assert len(made) == len(keys)
    for n, key in enumerate(keys):
        assert book.clients.add(f"c{n}", key=key).name == f"c{n}"


def test_a_key_recorded_in_a_unit_that_was_undone_is_free(book: Book) -> None:
    with undone(book) as inner:
        first = inner.clients.add("Acme", key="k")
        assert inner.clients.add("Acme", key="k") == first
    assert not book.outcome("k").recorded
    assert book.clients.add("Acme", key="k").id != first.id
    with pytest.raises(KeyReused):
        book.clients.add("Beta", key="k")


# ------------------------------------------------------------ others are in the way
@pytest.fixture
def contested() -> tuple[Book, ContestedStore]:
    store = ContestedStore()
    return Book(store, actor="olena", clock=Clock()), store


def test_a_command_is_planned_again_when_others_were_quicker(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    for number, (name, command) in enumerate(commands(book, book.clients.add("Acme")).items()):
        store.conflicts = 3
        made = command(f"k-{number}")
        assert store.conflicts == 0, name
        if name == "clients.add":
            assert made.tags == ("a", "b")
        if name == "clients.update":
            assert (made.tags, made.revision) == (("a", "b"), 2)
        if name == "ledger.record_sale":
            assert len(made.lines) == 1
        if name == "ledger.record_payment":
            assert book.ledger.state(made).open == eur("2")
    for client in book.clients.find(archived=None):
        audit(book, client.id)


def test_contacts_that_can_be_read_once_only_survive_a_second_plan(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    store.conflicts = 2
    people: Any = ({"name": name, "phones": iter(["+49 30 901820"])} for name in ("Ann", "Bo"))
    client = book.clients.add("Acme", contacts=people)
    assert [(c.name, len(c.phones)) for c in client.contacts] == [("Ann", 1), ("Bo", 1)]


def test_a_whole_unit_is_run_again_when_others_were_quicker(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    acme = book.clients.add("Acme")
    store.conflicts = 2
    runs = []

    def day_of_business(inner: Book) -> Entry:
        runs.append(1)
        inner.ledger.record_sale(acme, "10 EUR")
        return inner.ledger.record_payment(acme, "10 EUR")

    payment = book.run(day_of_business)
    assert len(runs) == 3
    assert payment.sequence == 2
    assert book.ledger.state(payment).status == "used"
    audit(book, acme.id)


def test_who_is_never_quick_enough_is_told_busy(contested: tuple[Book, ContestedStore]) -> None:
    book, store = contested
    before = dump(book)
    store.conflicts = 10**6
    with pytest.raises(Busy) as caught:
        book.run(lambda inner: inner.clients.add("Acme"))
    assert caught.value.remedy
    with pytest.raises(Busy), book.atomic() as inner:
        inner.clients.add("Acme")
    assert dump(book) == before


def test_two_threads_on_one_client_lose_nothing(book: Book, acme: Client) -> None:
    barrier, failures = threading.Barrier(2), []

    def deal(number: str, inner: Book) -> None:
        inner.ledger.record_sale(acme, "10 EUR", number=number)
        inner.ledger.record_payment(acme, "9.99 EUR")

    def trade(number: int) -> None:
        try:
            barrier.wait(timeout=10)
            for n in range(8):
                book.run(partial(deal, f"{number}-{n}"))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=trade, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    entries = book.ledger.find(client=acme)
    assert sorted(e.sequence for e in entries) == list(range(1, 33))
    assert book.ledger.account(acme, "EUR").balance == eur("0.16")


def test_two_threads_never_settle_more_than_is_open(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "10 EUR")
    free = [book.ledger.record_payment(acme, "10 EUR", allocate={}) for _ in range(2)]
    barrier, refused = threading.Barrier(2), []

    def settle(credit: Entry) -> None:
        barrier.wait(timeout=10)
        for _ in range(10):
            try:
                book.ledger.allocate(credit, sale, "1")
            except OverAllocated as error:
                refused.append(error)

    threads = [threading.Thread(target=settle, args=(credit,)) for credit in free]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(refused) == 10
    assert account(book, acme)[:2] == ("0.00", "10.00")


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
