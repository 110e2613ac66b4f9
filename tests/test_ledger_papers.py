"""Every document of the ledger, as a shopkeeper tells of it, on memory and on SQLite."""

from pathlib import Path
from typing import Any

import pytest
from tests.books import Clock, account, day, eur, new_book, open_, rows, status

from clientledger import (
    Book,
    Client,
    CreditLimitExceeded,
    Entry,
    InvalidValue,
    Line,
    Money,
    NotLinked,
    OverAllocated,
    PeriodClosed,
    WrongDirection,
)


def kinds(book: Book, client: Client) -> list[tuple[str, str, str]]:
    return [(e.kind, e.side, str(e.amount)) for e in book.ledger.find(client=client, voided=True)]


# ------------------------------------------------------------ credit notes
def test_a_credit_note_settles_its_sale_and_what_does_not_fit_is_free(
    book: Book, acme: Client
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    book.ledger.record_payment(acme, "70 EUR", on=day(-8))
    note = book.ledger.record_credit_note(acme, "50 EUR", sale=sale, reason="came back")
    assert (status(book, sale), status(book, note), open_(book, note)) == ("paid", "free", "20.00")
    assert (note.sale, note.reason, note.side) == (sale.id, "came back", "credit")
    assert account(book, acme) == ("0.00", "20.00", "0.00")


def test_a_credit_note_without_a_sale_stays_free_until_a_sale_takes_it(
    book: Book, acme: Client
) -> None:
    old = book.ledger.record_sale(acme, "30 EUR", on=day(-9))
    note = book.ledger.record_credit_note(acme, "50 EUR", reason="goodwill", number="CN-1")
    assert (open_(book, old), open_(book, note)) == ("30.00", "50.00")
    new = book.ledger.record_sale(acme, "40 EUR")
    assert (status(book, new), open_(book, note)) == ("paid", "10.00")


def test_a_credit_note_may_be_told_what_it_settles(book: Book, acme: Client) -> None:
    one = book.ledger.record_sale(acme, "30 EUR", on=day(-9))
    other = book.ledger.record_sale(acme, "30 EUR", on=day(-8))
    note = book.ledger.record_credit_note(
        acme, "20 EUR", sale=one, allocate={other: "15"}, reason="mixed up"
    )
    assert [open_(book, e) for e in (one, other, note)] == ["30.00", "15.00", "5.00"]


def test_a_credit_note_with_lines_counts_against_what_was_bought(book: Book, acme: Client) -> None:
    lines = [Line("Beans", 10, "9.90", sku="B"), Line("Filters", 2, "5")]
    sale = book.ledger.record_sale(acme, lines, currency="EUR", on=day(-9))
    back = [Line("Beans", 4, "9.90", sku="B")]
    book.ledger.record_credit_note(acme, back, currency="EUR", sale=sale, reason="r", on=day(-2))
    beans, filters = book.insights.purchases(acme).bought
    assert (str(beans.quantity), beans.amount, beans.count) == ("6", eur("59.40"), 1)
    assert (str(filters.quantity), filters.amount) == ("2", eur("10.00"))
    assert book.insights.purchases(acme).totals == {"EUR": eur("69.40")}
    assert book.insights.best_clients()[0].sold == eur("69.40")
    assert book.insights.purchases(acme, as_of=day(-3)).totals == {"EUR": eur("109.00")}


def test_a_voided_credit_note_counts_no_more(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    note = book.ledger.record_credit_note(acme, "40 EUR", sale=sale, reason="r", on=day(-5))
    book.ledger.void(note, reason="wrong client", on=day(-3))
    assert [open_(book, sale, day(n)) for n in (-6, -5, -3)] == ["100.00", "60.00", "100.00"]
    assert book.insights.purchases(acme).totals == {"EUR": eur("100.00")}


# ------------------------------------------------------------ refunds
def test_a_refund_takes_the_oldest_free_credits(book: Book, acme: Client) -> None:
    newer = book.ledger.record_payment(acme, "50 EUR", on=day(-2))
    older = book.ledger.record_credit_note(acme, "30 EUR", reason="r", on=day(-9))
    refund = book.ledger.record_refund(acme, "40 EUR", method="bank transfer")
    assert (open_(book, older), open_(book, newer)) == ("0.00", "40.00")
    assert (refund.side, status(book, refund)) == ("debit", "paid")
    assert account(book, acme) == ("0.00", "40.00", "0.00")


def test_a_refund_is_never_above_what_is_free_on_its_day(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "50 EUR", on=day(-5))
    for amount, on in (("50.01 EUR", 0), ("50 EUR", -6)):
        with pytest.raises(OverAllocated):
            book.ledger.record_refund(acme, amount, on=day(on))
    book.ledger.record_refund(acme, "50 EUR", on=day(-5))


def test_a_refund_may_be_linked_later_and_is_within_what_is_free_all_the_same(
    book: Book, acme: Client
) -> None:
    payment = book.ledger.record_payment(acme, "50 EUR", on=day(-5))
    for amount, on in (("50.01 EUR", 0), ("1 EUR", -6)):
        with pytest.raises(OverAllocated):
            book.ledger.record_refund(acme, amount, on=day(on), allocate={})
    loose = book.ledger.record_refund(acme, "30 EUR", on=day(-4), allocate={})
    assert account(book, acme) == ("30.00", "50.00", "30.00")
    part = book.ledger.record_refund(acme, "15 EUR", on=day(-3), allocate={payment: "10"})
    assert (open_(book, part), open_(book, payment)) == ("5.00", "40.00")
    with pytest.raises(OverAllocated, match=r"only 5\.00 EUR"):
        book.ledger.record_refund(acme, "5.01 EUR", allocate={})
    book.ledger.allocate(payment, loose, "30")
    assert (status(book, loose), open_(book, payment)) == ("paid", "10.00")


def test_a_refund_of_what_is_told(book: Book, acme: Client) -> None:
    one = book.ledger.record_payment(acme, "50 EUR", on=day(-9))
    other = book.ledger.record_payment(acme, "50 EUR", on=day(-8))
    book.ledger.record_refund(acme, "60 EUR", allocate={other: "50", one: "10"})
    assert (open_(book, one), open_(book, other)) == ("40.00", "0.00")
    sale = book.ledger.record_sale(acme, "5 EUR", use_prepayments=False)
    with pytest.raises(WrongDirection):
        book.ledger.record_refund(acme, "5 EUR", allocate={sale: "5"})


def test_voiding_a_refunded_payment_leaves_the_refund_as_a_debt(book: Book, acme: Client) -> None:
    payment = book.ledger.record_payment(acme, "50 EUR", on=day(-9))
    refund = book.ledger.record_refund(acme, "50 EUR", on=day(-8))
    book.ledger.void(payment, reason="bounced", on=day(-7))
    assert (status(book, refund), account(book, acme)) == ("unpaid", ("50.00", "0.00", "50.00"))
    book.ledger.void(refund, reason="came back", on=day(-6))
    assert account(book, acme) == ("0.00", "0.00", "0.00")


# ------------------------------------------------------------ write-offs
def test_a_write_off_takes_the_oldest_due_and_is_never_free(book: Book, acme: Client) -> None:
    old = book.ledger.record_sale(acme, "100 EUR", on=day(-90), due=day(-60))
    new = book.ledger.record_sale(acme, "100 EUR", on=day(-9), due=day(20))
    paper = book.ledger.write_off(acme, "130 EUR", reason="insolvent")
    assert (status(book, old), open_(book, new), status(book, paper)) == ("paid", "70.00", "used")
    for amount in ("70.01 EUR", "71 EUR"):
        with pytest.raises(OverAllocated):
            book.ledger.write_off(acme, amount, reason="r")
    with pytest.raises(OverAllocated):
        book.ledger.write_off(acme, "1 EUR", reason="r", allocate={})
    with pytest.raises(OverAllocated):
        book.ledger.write_off(acme, "1 EUR", reason="r", on=day(-91))


def test_voiding_a_write_off_opens_the_debt_again(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-90), due=day(-60))
    paper = book.ledger.write_off(acme, "100 EUR", reason="insolvent", on=day(-5))
    book.ledger.void(paper, reason="paid after all", on=day(-2))
    assert [open_(book, sale, day(n)) for n in (-6, -5, -2)] == ["100.00", "0.00", "100.00"]
    assert account(book, acme) == ("100.00", "0.00", "100.00")


def test_what_a_void_takes_off_a_write_off_is_taken_back(book: Book, acme: Client) -> None:
    one = book.ledger.record_sale(acme, "30 EUR", on=day(-9))
    other = book.ledger.record_sale(acme, "20 EUR", on=day(-8))
    paper = book.ledger.write_off(acme, "50 EUR", reason="insolvent", on=day(-5))
    book.ledger.void(one, reason="never delivered", on=day(-3))
    back = book.ledger.find(client=acme, kind="write-off")[-1]
    assert (back.side, back.amount, back.on, back.pair) == ("debit", eur("30"), day(-3), paper.id)
    assert account(book, acme) == ("0.00", "0.00", "0.00")
    book.ledger.void(paper, reason="a slip", on=day(-1))
    assert account(book, acme) == ("20.00", "0.00", "20.00")
    assert [status(book, e) for e in (one, other, paper, back)] == [
        "voided",
        "unpaid",
        "voided",
        "voided",
    ]


def test_what_is_released_of_a_write_off_is_taken_back(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR", on=day(-9))
    paper = book.ledger.write_off(acme, "50 EUR", reason="insolvent", on=day(-5))
    left = book.ledger.release(book.ledger.state(sale).allocations[0], "20", on=day(-2))
    assert left.live == eur("30")
    assert (open_(book, sale), open_(book, paper)) == ("20.00", "0.00")
    back = book.ledger.find(client=acme, kind="write-off")[-1]
    with pytest.raises(InvalidValue, match="taken back"):
        book.ledger.void(back, reason="r")
    with pytest.raises(InvalidValue, match="taken back"):
        book.ledger.release(book.ledger.state(back).allocations[0])
    book.ledger.record_payment(acme, "20 EUR")
    assert account(book, acme) == ("0.00", "0.00", "0.00")


# ------------------------------------------------------------ opening balances
def test_an_opening_balance_is_a_debt_or_a_prepayment(book: Book, acme: Client) -> None:
    debt = book.ledger.record_opening_balance(acme, "75 EUR", on=day(-30), due=day(-10))
    prepaid = book.ledger.record_opening_balance(acme, "-40 USD", on=day(-30))
    with pytest.raises(InvalidValue, match="falls due on no day"):
        book.ledger.record_opening_balance(acme, "-40 USD", on=day(-30), due=day(-10))
    assert (debt.side, debt.due, prepaid.side, prepaid.amount) == (
        "debit",
        day(-10),
        "credit",
        Money("40", "USD"),
    )
    assert account(book, acme) == ("75.00", "0.00", "75.00")
    sale = book.ledger.record_sale(acme, "25 USD")
    assert (status(book, sale), open_(book, prepaid)) == ("paid", "15.00")
    book.ledger.record_payment(acme, "75 EUR")
    assert status(book, debt) == "paid"
    assert book.insights.purchases(acme).totals == {"USD": Money("25", "USD")}


@pytest.mark.parametrize("amount", [0, "0 EUR", "-0 EUR", "--5 EUR", "+-5 EUR", -1.5, True, None])
def test_an_opening_balance_is_exact_and_not_nothing(book: Book, acme: Client, amount: Any) -> None:
    with pytest.raises(InvalidValue):
        book.ledger.record_opening_balance(acme, amount, on=day(0), currency="EUR")


# ------------------------------------------------------------ exchange
def test_a_sale_is_paid_in_another_currency_through_an_exchange(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 USD", on=day(-9))
    payment = book.ledger.record_payment(acme, "95 EUR", on=day(-5), allocate={})
    new = book.ledger.exchange(payment, "92.50", "100 USD", on=day(-4), reason="as agreed")
    out = book.ledger.get(new.pair or "")
    assert (out.kind, out.side, out.amount, out.pair) == ("exchange", "debit", eur("92.50"), new.id)
    assert (new.kind, new.side, new.amount) == ("exchange", "credit", Money("100", "USD"))
    book.ledger.allocate(new, sale, "100", on=day(-4))
    assert account(book, acme) == ("0.00", "2.50", "0.00")
    assert book.ledger.account(acme, "USD").balance == Money("0", "USD")
    assert book.ledger.state(sale).status == "paid"


@pytest.mark.parametrize("half", ["new", "old"])
def test_the_two_halves_of_an_exchange_are_voided_together(
    book: Book, acme: Client, half: str
) -> None:
    sale = book.ledger.record_sale(acme, "100 USD", on=day(-9))
    payment = book.ledger.record_payment(acme, "95 EUR", on=day(-5), allocate={})
    new = book.ledger.exchange(payment, "95", "100 USD", on=day(-4))
    book.ledger.allocate(new, sale, "100")
    book.ledger.void(new if half == "new" else new.pair or "", reason="wrong rate")
    assert account(book, acme) == ("0.00", "95.00", "0.00")
    assert book.ledger.account(acme, "USD").owed == Money("100", "USD")
    assert status(book, new) == "voided"


def test_an_exchange_gives_no_more_than_is_free_and_another_currency(
    book: Book, acme: Client
) -> None:
    payment = book.ledger.record_payment(acme, "95 EUR", on=day(-5), allocate={})
    sale = book.ledger.record_sale(acme, "5 EUR", use_prepayments=False)
    for told, error in (
        ((payment, "95.01", "1 USD"), OverAllocated),
        ((payment, "1", "1 EUR"), InvalidValue),
        ((payment, "1", "0 USD"), InvalidValue),
        ((sale, "1", "1 USD"), WrongDirection),
    ):
        with pytest.raises(error):
            book.ledger.exchange(*told)
    with pytest.raises(InvalidValue, match="before the credit"):
        book.ledger.exchange(payment, "1", "1 USD", on=day(-6))
    with pytest.raises(InvalidValue, match="is no exchange"):
        book.ledger.exchange_difference(payment)


# ------------------------------------------------------------ taking back
def test_what_a_credit_settled_of_a_debit_is_taken_back_newest_first(
    book: Book, acme: Client
) -> None:
    parts = [(day(5), "60"), (day(9), "40")]
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9), instalments=parts)
    payment = book.ledger.record_payment(acme, "80 EUR", on=day(-8))
    book.ledger.allocate(payment, sale, "1", on=day(-8)) if open_(book, payment) != "0.00" else None
    done = book.ledger.unallocate(payment, sale, "30")
    assert [(one.instalment, str(one.live)) for one in done] == [(2, "0.00 EUR"), (1, "50.00 EUR")]
    assert open_(book, payment) == "30.00"
    rest = book.ledger.unallocate(payment, sale, key="k")
    assert book.ledger.unallocate(payment, sale, key="k") == rest
    with pytest.raises(NotLinked):
        book.ledger.unallocate(payment, sale)


def test_more_than_is_allocated_is_not_taken_back(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR", on=day(-9))
    payment = book.ledger.record_payment(acme, "50 EUR", on=day(-8))
    with pytest.raises(OverAllocated, match=r"only 50\.00 EUR"):
        book.ledger.unallocate(payment, sale, "50.01")


# ------------------------------------------------------------ corrections
def test_a_correction_keeps_what_was_paid_and_the_number(book: Book, acme: Client) -> None:
    told: dict[str, Any] = {"number": "INV-1", "external_ids": {"erp": "7"}, "due": day(5)}
    wrong = book.ledger.record_sale(acme, "120 EUR", on=day(-9), **told)
    payment = book.ledger.record_payment(acme, "70 EUR", on=day(-5))
    right = book.ledger.correct(wrong, reason="two, not three", lines_or_amount="80 EUR")
    assert (right.number, right.due, right.on, right.replaces) == (
        "INV-1",
        day(5),
        day(-9),
        wrong.id,
    )
    assert (open_(book, right), open_(book, payment)) == ("10.00", "0.00")
    assert book.ledger.state(wrong).replaced_by == right.id
    assert [e.id for e in book.ledger.find(external_id=("erp", "7"))] == [right.id]
    assert open_(book, right, day(-6)) == "80.00"


def test_a_payment_is_corrected_and_settles_the_same(book: Book, acme: Client) -> None:
    one = book.ledger.record_sale(acme, "50 EUR", on=day(-9))
    other = book.ledger.record_sale(acme, "50 EUR", on=day(-8))
    wrong = book.ledger.record_payment(acme, "60 EUR", on=day(-5), allocate={other: "40"})
    right = book.ledger.correct(wrong, reason="typed wrong", amount="90 EUR", method="cash")
    # 40 as before; the 30 more go by the rule, and the 20 that were left free stay free
    assert [open_(book, e) for e in (one, other, right)] == ["20.00", "10.00", "20.00"]
    assert right.method == "cash"
    less = book.ledger.correct(right, reason="again", amount="10 EUR")
    assert [open_(book, e) for e in (one, other, less)] == ["50.00", "40.00", "0.00"]


@pytest.mark.parametrize(("amount", "back"), [("70 EUR", None), ("30 EUR", "15.00 EUR")])
def test_a_corrected_sale_keeps_its_write_off_as_far_as_it_fits(
    book: Book, acme: Client, amount: str, back: str | None
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    book.ledger.write_off(acme, "45 EUR", reason="insolvent", on=day(-5))
    right = book.ledger.correct(sale, reason="less", lines_or_amount=amount)
    taken = [e for e in book.ledger.find(client=acme, kind="write-off") if e.side == "debit"]
    assert [str(e.amount) for e in taken] == ([] if back is None else [back])
    assert open_(book, right) == ("25.00" if back is None else "0.00")
    assert book.ledger.account(acme, "EUR").prepaid == eur("0")


def test_each_kind_of_document_can_be_corrected(book: Book, acme: Client) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, "100 EUR", on=day(-20))
    opening = ledger.record_opening_balance(acme, "-10 EUR", on=day(-19))
    note = ledger.record_credit_note(acme, "30 EUR", sale=sale, reason="r", on=day(-9))
    payment = ledger.record_payment(acme, "90 EUR", on=day(-8))
    refund = ledger.record_refund(acme, "20 EUR", on=day(-7), allocate={payment: "20"})
    done = [
        ledger.correct(opening, reason="c", amount="-12 EUR"),
        ledger.correct(note, reason="c", lines_or_amount="25 EUR"),
        ledger.correct(refund, reason="c", amount="15 EUR"),
    ]
    assert [(e.kind, e.side, str(e.amount)) for e in done] == [
        ("opening balance", "credit", "12.00 EUR"),
        ("credit note", "credit", "25.00 EUR"),
        ("refund", "debit", "15.00 EUR"),
    ]
    assert done[1].sale == sale.id
    assert book.ledger.account(acme, "EUR").balance == eur("-12")
    turned = ledger.correct(done[0], reason="c", amount="12 EUR", due=day(3))
    assert (turned.side, turned.due) == ("debit", day(3))
    more = ledger.correct(turned, reason="c", amount="13 EUR")
    assert (more.side, more.due) == ("debit", day(3))
    assert ledger.correct(more, reason="c", amount="-1 EUR").side == "credit"


def test_a_refund_that_has_become_a_debt_can_be_corrected(book: Book, acme: Client) -> None:
    payment = book.ledger.record_payment(acme, "50 EUR", on=day(-9))
    refund = book.ledger.record_refund(acme, "40 EUR", on=day(-8))
    book.ledger.void(payment, reason="bounced", on=day(-7))
    cash = book.ledger.correct(refund, reason="it was cash", method="cash")
    assert (cash.method, open_(book, cash)) == ("cash", "40.00")
    less = book.ledger.correct(cash, reason="less", amount="30 EUR")
    assert open_(book, less) == "30.00"
    with pytest.raises(OverAllocated):
        book.ledger.correct(less, reason="more", amount="31 EUR")


def test_a_refund_is_corrected_beside_open_ones_that_are_above_what_is_free(
    book: Book, acme: Client
) -> None:
    book.ledger.record_payment(acme, "50 EUR", on=day(-9))
    refund = book.ledger.record_refund(acme, "10 EUR", on=day(-8))
    book.ledger.record_refund(acme, "40 EUR", on=day(-7), allocate={})
    book.ledger.record_sale(acme, "30 EUR", on=day(-6))
    cash = book.ledger.correct(refund, reason="it was cash", method="cash")
    assert open_(book, cash) == "0.00"
    with pytest.raises(OverAllocated):
        book.ledger.correct(cash, reason="more", amount="10.01 EUR")


def test_a_credit_note_of_a_voided_sale_can_be_corrected(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR", on=day(-9))
    note = book.ledger.record_credit_note(acme, "20 EUR", sale=sale, reason="r", on=day(-8))
    book.ledger.void(sale, reason="never sent", on=day(-7))
    less = book.ledger.correct(note, reason="less", amount="15 EUR")
    assert (less.sale, less.reason, open_(book, less)) == (sale.id, "r", "15.00")
    assert book.ledger.correct(less, reason="of none", sale=None).sale is None


def test_a_correction_may_stand_on_a_later_day(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-40), due=day(-30))
    book.ledger.record_payment(acme, "100 EUR", on=day(-35))
    book.ledger.close_period(day(-31))
    with pytest.raises(PeriodClosed):
        book.ledger.correct(sale, reason="less", lines_or_amount="90 EUR")
    right = book.ledger.correct(sale, reason="less", lines_or_amount="90 EUR", on=day(-3))
    assert (right.on, right.due, open_(book, right)) == (day(-3), day(-30), "0.00")
    assert book.ledger.account(acme, "EUR", as_of=day(-4)).prepaid == eur("0")
    assert book.ledger.account(acme, "EUR", as_of=day(-3)).prepaid == eur("10")


def test_instalments_of_another_amount_must_be_told(book: Book, acme: Client) -> None:
    parts = [(day(5), "60"), (day(9), "40")]
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9), instalments=parts)
    same = book.ledger.correct(sale, reason="c", number="7")
    assert [(p.due, p.amount) for p in same.instalments] == [
        (day(5), eur("60")),
        (day(9), eur("40")),
    ]
    with pytest.raises(InvalidValue, match="add up") as caught:
        book.ledger.correct(same, reason="c", lines_or_amount="90 EUR")
    assert caught.value.field == "instalments"
    told = book.ledger.correct(
        same, reason="c", lines_or_amount="90 EUR", terms="50 % now, rest in 10 days"
    )
    assert [p.amount for p in told.instalments] == [eur("45"), eur("45")]


# ------------------------------------------------------------ agreements that count
def test_payment_terms_of_the_client_apply_where_nothing_else_is_told(
    book: Book, acme: Client
) -> None:
    book.agreements.promise(acme, "payment terms", "old", terms="net 14", valid_from=day(-30))
    newest = book.agreements.promise(
        acme, "payment terms", "new", terms="30 % now, rest in 30 days", valid_from=day(-20)
    )
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-10))
    assert [(p.due, p.amount) for p in sale.instalments] == [
        (day(-10), eur("30")),
        (day(20), eur("70")),
    ]
    assert sale.agreements == (newest.id,)
    assert book.ledger.record_sale(acme, "1 EUR", on=day(-25)).due == day(-11)
    assert book.ledger.record_sale(acme, "1 EUR", on=day(-31)).due == day(-31)
    assert book.ledger.record_sale(acme, "1 EUR", due=day(3)).due == day(3)
    assert book.ledger.record_sale(acme, "1 EUR", terms="net 7").due == day(7)
    book.agreements.withdraw(newest, reason="over")
    assert book.ledger.record_sale(acme, "1 EUR").due == day(14)


def test_a_limit_of_nothing_is_a_limit(book: Book, acme: Client) -> None:
    book.agreements.promise(acme, "credit limit", "cash only", amount="0 EUR")
    with pytest.raises(CreditLimitExceeded):
        book.ledger.record_sale(acme, "0.01 EUR")
    book.ledger.record_sale(acme, "1000 USD")
    book.ledger.record_payment(acme, "10 EUR")
    book.ledger.record_sale(acme, "10 EUR")
    with pytest.raises(CreditLimitExceeded):
        book.ledger.record_sale(acme, "0.01 EUR")


def test_a_limit_looks_at_everything_recorded_and_at_the_newest_promise(
    book: Book, acme: Client
) -> None:
    book.agreements.promise(acme, "credit limit", "100", amount="100 EUR", valid_from=day(-30))
    book.ledger.record_sale(acme, "60 EUR", on=day(9))
    with pytest.raises(CreditLimitExceeded):
        book.ledger.record_sale(acme, "41 EUR", on=day(-9))
    book.agreements.promise(acme, "credit limit", "101", amount="101 EUR", valid_from=day(-9))
    sale = book.ledger.record_sale(acme, "41 EUR", on=day(-9))
    with pytest.raises(CreditLimitExceeded):
        book.ledger.correct(sale, reason="more", lines_or_amount="41.01 EUR")
    book.change_settings(credit_limit="warn")
    book.ledger.correct(sale, reason="more", lines_or_amount="50 EUR")
    (told,) = [e for e in book.clients.history(acme) if e.type == "client.credit_limit_exceeded"]
    assert "110.00 EUR" in told.data["said"]


# ------------------------------------------------------------ periods
def test_a_period_is_closed_and_reopened_and_both_are_events(
    book: Book, acme: Client, clock: Clock
) -> None:
    book.ledger.record_sale(acme, "10 EUR", on=day(-20))
    book.ledger.close_period(day(-10), reason="February")
    with pytest.raises(PeriodClosed) as caught:
        book.ledger.record_sale(acme, "10 EUR", on=day(-10))
    assert (caught.value.field, caught.value.value) == ("on", day(-10))
    book.ledger.record_sale(acme, "10 EUR", on=day(-9))
    other = book.clients.add("Beta")
    with pytest.raises(PeriodClosed):
        book.ledger.record_payment(other, "10 EUR", on=day(-12))
    book.ledger.reopen_period(day(-12), reason="forgot one")
    book.ledger.record_payment(other, "10 EUR", on=day(-12))
    with pytest.raises(PeriodClosed):
        book.ledger.record_payment(other, "10 EUR", on=day(-13))
    told = [(e.type, dict(e.data)) for e in book.changes() if e.type.startswith("period.")]
    assert told == [
        ("period.closed", {"through": str(day(-10)), "before": None, "reason": "February"}),
        (
            "period.reopened",
            {"through": str(day(-13)), "before": str(day(-10)), "reason": "forgot one"},
        ),
    ]


def test_a_close_steps_every_head_so_that_a_command_under_way_notices(
    book: Book, acme: Client
) -> None:
    archived = book.clients.archive(book.clients.add("Gone"))
    before = {head.client: head for head in rows(book)["Head"]}
    book.ledger.close_period(day(-1))
    after = {head.client: head for head in rows(book)["Head"]}
    late = book.clients.add("Late")
    for id in (acme.id, archived.id):
        assert after[id].version == before[id].version + 1
        assert after[id].edition == before[id].edition + 1
    [settings] = rows(book)["Settings"]
    assert {head.edition for head in rows(book)["Head"]} == {settings.edition}
    with pytest.raises(PeriodClosed):
        book.ledger.record_sale(late, "1 EUR", on=day(-1))
    assert book.verify().ok


# ------------------------------------------------------------ explanations and trials
def papers(book: Book, acme: Client) -> tuple[Entry, Entry]:
    parts = [(day(-40), "60"), (day(-5), "40")]
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-50), instalments=parts)
    payment = book.ledger.record_payment(acme, "75 EUR", on=day(-30))
    book.ledger.record_payment(acme, "5 EUR", on=day(-3), allocate={})
    return sale, payment


def test_a_balance_a_bucket_and_an_item_say_where_they_come_from(book: Book, acme: Client) -> None:
    sale, payment = papers(book, acme)
    explain = book.ledger.explain
    balance = explain(book.card(acme).accounts["EUR"])
    assert [(p.fact.id, str(p.amount)) for p in balance.parts][:2] == [
        (sale.id, "100.00 EUR"),
        (payment.id, "-75.00 EUR"),
    ]
    assert balance.amount == eur("20")
    row = book.insights.ageing()[0]
    assert explain(row).amount == eur("20")
    late = explain(row.buckets[1])
    assert [str(p.amount) for p in late.parts] == ["40.00 EUR", "-15.00 EUR"]
    assert late.amount == eur("25") == late.items[0].amount
    assert explain(row.buckets[0]).parts == ()
    item = book.ledger.open_items(acme)[0]
    assert [str(p.amount) for p in explain(item).parts] == ["40.00 EUR", "-15.00 EUR"]
    before = explain(book.ledger.account(acme, "EUR", as_of=day(-31)))
    assert (before.amount, len(before.parts)) == (eur("100"), 1)


def test_every_explanation_adds_up(book: Book, acme: Client) -> None:
    papers(book, acme)
    book.ledger.write_off(acme, "10 EUR", reason="r")
    for on in (day(-45), day(-30), day(-4), day(0)):
        row = book.insights.ageing(as_of=on, by="date")[0]
        account_ = book.ledger.account(acme, "EUR", as_of=on)
        items: list[Any] = list(book.ledger.open_items(acme, as_of=on))
        for figure in (account_, row, *row.buckets, *items):
            found = book.ledger.explain(figure)
            assert sum(part.amount.minor for part in found.parts) == found.amount.minor
        made_up = book.ledger.explain(account_).items
        assert account_.balance.minor == sum(
            one.amount.minor * (1 if one.item and one.item.side == "debit" else -1)
            for one in made_up
        )


def test_a_trial_shows_what_would_be_and_keeps_nothing(book: Book, acme: Client) -> None:
    sale, _ = papers(book, acme)
    before = (book.card(acme), list(book.insights.ageing()), [e.id for e in book.changes()])
    with book.what_if() as trial:
        trial.ledger.record_payment(acme, "25 EUR", key="k")
        trial.agreements.promise(acme, "credit limit", "more", amount="500 EUR")
        trial.ledger.void(sale, reason="what if")
        assert trial.card(acme).accounts["EUR"].prepaid == eur("105")
        assert trial.insights.ageing()[0].prepaid == eur("105")
    assert (book.card(acme), list(book.insights.ageing()), [e.id for e in book.changes()]) == before
    assert not book.outcome("k")


def test_an_error_in_a_trial_reaches_the_caller(book: Book, acme: Client) -> None:
    with pytest.raises(OverAllocated), book.what_if() as trial:
        trial.ledger.record_refund(acme, "1 EUR")
    with pytest.raises(ZeroDivisionError), book.what_if():
        raise ZeroDivisionError
    assert kinds(book, acme) == []


# ------------------------------------------------------------ statements
def test_a_statement_ends_with_what_is_open_and_how_old_it_is(tmp_path: Path) -> None:
    with new_book("memory", tmp_path, settings={"company": "Roastery & Co"}) as book:
        acme = book.clients.add("Acme GmbH")
        sale, payment = papers(book, acme)
        undone = book.ledger.record_sale(acme, "9 EUR", on=day(-20), use_prepayments=False)
        void = book.ledger.void(undone, reason="a slip", on=day(-19))
        found = book.ledger.statement(acme, "EUR", day(-40), day(0))
        assert (found.company, found.client, found.opening) == ("Roastery & Co", acme, eur("100"))
        balances = [(row.entry.id, str(row.balance)) for row in found.rows]
        assert balances[0] == (payment.id, "25.00 EUR")
        assert (found.debits, found.credits, found.closing) == (eur("9"), eur("89"), eur("20"))
        about = {row.entry.id: row.about for row in found.rows}
        assert about[void.id] == undone
        assert next((i.entry, i.instalment, str(i.open)) for i in found.open_items) == (
            sale.id,
            2,
            "25.00 EUR",
        )
        assert [str(b.amount) for b in found.buckets if b.amount] == ["25.00 EUR"]
        assert (found.account.owed, found.account.prepaid) == (eur("25"), eur("5"))
        assert book.ledger.explain(found.open_items[0]).amount == eur("25")


# ------------------------------------------------------------ found by random histories
def test_a_write_off_of_a_bounced_exchange_is_taken_back_with_it(book: Book, acme: Client) -> None:
    payment = book.ledger.record_payment(acme, "95 EUR", on=day(-9), allocate={})
    new = book.ledger.exchange(payment, "95", "100 USD", on=day(-8))
    book.ledger.void(payment, reason="bounced", on=day(-7))
    book.ledger.write_off(acme, "40 EUR", reason="small", on=day(-6))
    book.ledger.void(new, reason="never happened", on=day(-5))
    assert account(book, acme) == ("0.00", "0.00", "0.00")
    assert [e.side for e in book.ledger.find(client=acme, kind="write-off")] == ["credit", "debit"]


@pytest.mark.parametrize("how", ["void", "release"])
def test_a_sale_is_not_voided_before_the_day_on_which_its_write_off_ended(
    book: Book, acme: Client, how: str
) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR", on=day(-9))
    paper = book.ledger.write_off(acme, "50 EUR", reason="r", on=day(-8))
    if how == "void":
        book.ledger.void(paper, reason="paid after all", on=day(-3))
    else:
        book.ledger.release(book.ledger.state(sale).allocations[0], "20", on=day(-3))
    for command in (book.ledger.void, book.ledger.correct):
        with pytest.raises(InvalidValue, match="a write-off of it ended") as caught:
            command(sale, reason="never delivered", on=day(-4))
        assert caught.value.field == "on"
    book.ledger.void(sale, reason="never delivered", on=day(-3))
    assert account(book, acme) == ("0.00", "0.00", "0.00")


def test_a_correction_keeps_allocations_that_were_made_in_another_order_than_they_count(
    book: Book, acme: Client
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-30), use_prepayments=False)
    other = book.ledger.record_sale(acme, "20 EUR", on=day(-30), use_prepayments=False)
    payment = book.ledger.record_payment(acme, "50 EUR", on=day(-30), allocate={other: "20"})
    book.ledger.unallocate(payment, other, on=day(-15))
    book.ledger.allocate(payment, sale, "20", on=day(-10))
    book.ledger.allocate(payment, sale, "30", on=day(-20))
    right = book.ledger.correct(sale, reason="c", number="7")
    links = book.ledger.state(right).allocations
    assert sorted((link.on, str(link.live.amount)) for link in links) == [
        (day(-20), "30.00"),
        (day(-10), "20.00"),
    ]
