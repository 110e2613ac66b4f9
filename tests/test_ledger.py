"""The rules of the ledger, as a shopkeeper tells them: paying, voiding, numbers."""

from typing import Any

import pytest
from tests.books import (
    TODAY,
    Clock,
    account,
    day,
    eur,
    open_,
    status,
)

from clientledger import (
    Book,
    Client,
    NumberTaken,
    OverAllocated,
)


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
    with pytest.raises(OverAllocated, match=r"only 0\.00 EUR of the payment"):
        book.ledger.allocate(payment, sale, "0.01", on=day(-19))
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
