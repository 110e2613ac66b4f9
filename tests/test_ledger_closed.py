"""Closed periods and credit limits: what they refuse, to the day and to the cent."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.books import KINDS, TODAY, Clock, account, day, dump, eur, new_book, open_, status

from clientledger import (
    Book,
    Client,
    ClientArchived,
    ClientLedgerError,
    CreditLimitExceeded,
    Entry,
    InvalidValue,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
)

CLOSED = day(-10)
FIRST = date(1900, 1, 1)


def refused(book: Book, error: type[ClientLedgerError], call: Callable[[], object]) -> None:
    """A call is refused and leaves the book as it was."""
    before = dump(book)
    with pytest.raises(error):
        call()
    assert dump(book) == before


# ------------------------------------------------------------ closed periods
def test_nothing_is_recorded_on_the_closing_day_and_all_of_it_on_the_next(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    ledger.record_payment(acme, "100 EUR", on=day(-30), allocate={})
    ledger.record_sale(acme, "50 EUR", on=day(-30), use_prepayments=False)
    ledger.close_period(CLOSED)
    papers: list[Callable[[date], Entry]] = [
        lambda on: ledger.record_sale(acme, "9 EUR", on=on, due=day(-20)),
        lambda on: ledger.record_payment(acme, "9 EUR", on=on),
        lambda on: ledger.record_credit_note(acme, "9 EUR", reason="r", on=on),
        lambda on: ledger.record_refund(acme, "9 EUR", on=on),
        lambda on: ledger.write_off(acme, "9 EUR", reason="r", on=on),
        lambda on: ledger.record_opening_balance(acme, "9 EUR", on=on),
        lambda on: ledger.record_opening_balance(acme, "-9 EUR", on=on),
    ]
    for paper in papers:
        for on in (CLOSED, day(-11), FIRST):
            refused(book, PeriodClosed, partial(paper, on))
        assert paper(day(-9)).on == day(-9)


def test_a_sale_may_fall_due_in_a_closed_period(book: Book, acme: Client) -> None:
    book.ledger.close_period(CLOSED)
    sale = book.ledger.record_sale(acme, "9 EUR", on=day(-9), due=day(-40))
    assert account(book, acme, day(-9)) == ("9.00", "0.00", "9.00")
    parts = [(day(-50), "4"), (day(-45), "5")]
    assert book.ledger.correct(sale, reason="r", instalments=parts).due == day(-50)


def test_what_is_allocated_without_word_counts_after_the_close(book: Book, acme: Client) -> None:
    ledger = book.ledger
    old = ledger.record_sale(acme, "50 EUR", on=day(-30), use_prepayments=False)
    ledger.record_payment(acme, "20 EUR", on=day(-30), allocate={})
    ledger.close_period(CLOSED)
    payment = ledger.record_payment(acme, "30 EUR", on=day(-9))
    assert [link.on for link in ledger.state(payment).allocations] == [day(-9)]
    sale = ledger.record_sale(acme, "20 EUR", on=day(-8))
    assert [link.on for link in ledger.state(sale).allocations] == [day(-8)]
    assert open_(book, old, CLOSED) == "50.00"
    assert account(book, acme, CLOSED) == ("50.00", "20.00", "50.00")


def test_an_allocation_counts_from_its_documents_days_not_from_the_day_told(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    old = ledger.record_sale(acme, "50 EUR", on=day(-30))
    before = ledger.record_payment(acme, "5 EUR", on=day(-20), allocate={})
    ledger.close_period(CLOSED)
    refused(book, PeriodClosed, lambda: ledger.allocate(before, old, "5", on=CLOSED))
    refused(book, PeriodClosed, lambda: ledger.allocate(before, old, "5", on=day(-30)))
    fresh = ledger.record_payment(acme, "5 EUR", on=day(-9), allocate={})
    assert ledger.allocate(fresh, old, "5", on=day(-30)).on == day(-9)
    assert ledger.allocate(before, old, "5", on=day(-9)).on == day(-9)
    later = ledger.record_payment(acme, "5 EUR", on=day(-5), allocate={old: "5"})
    assert ledger.state(later).allocations[0].on == day(-5)


def test_undoing_is_dated_after_the_close_or_not_at_all(book: Book, acme: Client) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, "50 EUR", on=day(-30))
    payment = ledger.record_payment(acme, "20 EUR", on=day(-25))
    loss = ledger.write_off(acme, "8 EUR", reason="r", on=day(-20))
    links = {link.credit: link for link in ledger.state(sale).allocations}
    ledger.close_period(CLOSED)
    acts: list[Callable[[date], object]] = [
        lambda on: ledger.release(links[payment.id], "1", on=on),
        lambda on: ledger.release(links[loss.id], "1", on=on),
        lambda on: ledger.unallocate(payment, sale, "1", on=on),
        lambda on: ledger.unallocate(loss, sale, "1", on=on),
        lambda on: ledger.void(payment, reason="r", on=on),
        lambda on: ledger.void(loss, reason="r", on=on),
        lambda on: ledger.void(sale, reason="r", on=on),
        lambda on: ledger.correct(payment, reason="r", amount="21", on=on),
        lambda on: ledger.correct(sale, reason="r", lines_or_amount="51 EUR", on=on),
    ]
    for act in acts:
        for on in (CLOSED, day(-11)):
            refused(book, PeriodClosed, partial(act, on))
    refused(book, PeriodClosed, lambda: ledger.correct(sale, reason="r", number="7"))
    before = account(book, acme, CLOSED)
    for act in acts[:6]:
        act(day(-9))
    assert account(book, acme, CLOSED) == before
    assert account(book, acme, day(-9)) == ("50.00", "0.00", "50.00")


def test_a_correction_after_the_close_leaves_the_closed_days_as_they_were(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, "50 EUR", on=day(-30))
    ledger.record_payment(acme, "20 EUR", on=day(-25))
    ledger.close_period(CLOSED)
    new = ledger.correct(sale, reason="too dear", lines_or_amount="45 EUR", on=day(-9))
    assert (new.on, new.due, new.replaces) == (day(-9), day(-30), sale.id)
    assert [account(book, acme, on)[0] for on in (day(-25), CLOSED, day(-9))] == [
        "30.00",
        "30.00",
        "25.00",
    ]


def test_where_today_is_closed_only_what_is_dated_later_is_recorded(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, "50 EUR", on=day(-3))
    payment = ledger.record_payment(acme, "20 EUR", on=day(-3))
    link = ledger.state(payment).allocations[0]
    ahead = ledger.record_sale(acme, "7 EUR", on=day(5), use_prepayments=False)
    paid_ahead = ledger.record_payment(acme, "7 EUR", on=day(5), allocate={ahead: "7"})
    ledger.close_period(TODAY)
    for call in (
        lambda: ledger.record_sale(acme, "1 EUR"),
        lambda: ledger.record_payment(acme, "1 EUR"),
        lambda: ledger.release(link),
        lambda: ledger.unallocate(payment, sale),
        lambda: ledger.void(sale, reason="r"),
        lambda: ledger.correct(sale, reason="r", number="7"),
    ):
        refused(book, PeriodClosed, call)
    assert ledger.release(ledger.state(ahead, as_of=day(5)).allocations[0]).live == eur("0")
    assert ledger.void(paid_ahead, reason="r").on == day(5)
    assert ledger.void(ahead, reason="r").on == day(5)
    assert ledger.record_sale(acme, "1 EUR", on=day(1), use_prepayments=False).on == day(1)


def test_the_books_are_opened_again_from_a_day_on(book: Book, acme: Client) -> None:
    ledger = book.ledger
    ledger.close_period(CLOSED, reason="the month is done")
    assert book.settings.closed_through == CLOSED
    after = ledger.reopen_period(day(-12), reason="a bill turned up")
    assert after == book.settings
    assert after.closed_through == day(-13)
    assert ledger.record_sale(acme, "1 EUR", on=day(-12)).on == day(-12)
    refused(book, PeriodClosed, lambda: ledger.record_sale(acme, "1 EUR", on=day(-13)))
    refused(book, InvalidValue, lambda: ledger.reopen_period(day(-12), reason="again"))
    assert ledger.reopen_period(FIRST, reason="all of it").closed_through is None
    assert ledger.record_sale(acme, "1 EUR", on=FIRST).on == FIRST
    refused(book, InvalidValue, lambda: ledger.reopen_period(FIRST, reason="again"))
    ledger.close_period(FIRST)
    refused(book, PeriodClosed, lambda: ledger.record_sale(acme, "1 EUR", on=FIRST))


def test_closing_and_reopening_are_told_with_both_days(book: Book, acme: Client) -> None:
    book.ledger.close_period(day(-20))
    book.ledger.close_period(CLOSED, reason="done")
    book.ledger.reopen_period(day(-15), reason="a slip")
    told = [e for e in book.changes(limit=None) if e.type.startswith("period.")]
    assert [(e.type, e.data["before"], e.data["through"], e.data["reason"]) for e in told] == [
        ("period.closed", None, str(day(-20)), ""),
        ("period.closed", str(day(-20)), str(CLOSED), "done"),
        ("period.reopened", str(CLOSED), str(day(-16)), "a slip"),
    ]
    assert {e.actor for e in told} == {"olena"}


def test_a_close_binds_clients_of_today_tomorrow_and_the_archive(book: Book, acme: Client) -> None:
    archived = book.clients.add("Gone & Sons")
    book.ledger.record_sale(archived, "1 EUR", on=day(-30))
    book.clients.archive(archived)
    book.ledger.close_period(CLOSED)
    late = book.clients.add("Late")
    for client in (acme, archived, late):
        refused(
            book,
            PeriodClosed,
            partial(book.ledger.record_payment, client, "1 EUR", on=CLOSED),
        )
    assert book.ledger.record_payment(archived, "1 EUR", on=day(-9)).on == day(-9)
    assert book.verify().ok
    book.ledger.reopen_period(CLOSED, reason="r")
    assert book.verify().ok


def test_a_close_that_is_taken_back_with_its_transaction_binds_nobody(
    book: Book, acme: Client
) -> None:
    before = dump(book)
    with book.what_if() as trial:
        trial.ledger.close_period(CLOSED)
        with pytest.raises(PeriodClosed):
            trial.ledger.record_sale(acme, "1 EUR", on=CLOSED)
        assert trial.ledger.record_sale(acme, "1 EUR", on=day(-9)).on == day(-9)
        with pytest.raises(InvalidValue):
            trial.ledger.close_period(CLOSED)
        trial.ledger.reopen_period(CLOSED, reason="r")
        assert trial.ledger.record_sale(acme, "1 EUR", on=CLOSED).on == CLOSED
    assert dump(book) == before
    assert book.ledger.record_sale(acme, "1 EUR", on=CLOSED).on == CLOSED


def test_a_book_that_is_opened_again_is_still_closed(tmp_path: Path) -> None:
    if "sqlite" not in KINDS:
        return
    with new_book("sqlite", tmp_path) as book:
        acme = book.clients.add("Acme")
        book.ledger.close_period(CLOSED)
    with new_book("sqlite", tmp_path) as book:
        refused(book, PeriodClosed, lambda: book.ledger.record_sale(acme, "1 EUR", on=CLOSED))
        assert book.ledger.record_sale(acme, "1 EUR", on=day(-9)).on == day(-9)


# ------------------------------------------------------------ credit limits
def limit(book: Book, client: Client, amount: str, **told: Any) -> None:
    book.agreements.promise(client, "credit limit", f"up to {amount}", amount=amount, **told)


def test_a_sale_up_to_the_limit_is_taken_and_a_cent_more_is_not(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "100 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "100.01 EUR"))
    ledger.record_sale(acme, "60 EUR")
    with pytest.raises(CreditLimitExceeded, match=r"owe 100\.01 EUR, and 100\.00 EUR") as caught:
        ledger.record_sale(acme, [("Beans", 1, "40.01")], currency="EUR")
    assert (caught.value.field, caught.value.value) == ("amount", eur("40.01"))
    assert caught.value.remedy.startswith("at most 40.00 EUR more")
    ledger.record_sale(acme, "40 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))


def test_a_limit_of_nothing_is_a_limit_and_what_is_prepaid_can_be_spent(
    book: Book, acme: Client
) -> None:
    ledger = book.ledger
    limit(book, acme, "0 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))
    ledger.record_payment(acme, "10 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "10.01 EUR"))
    refused(
        book,
        CreditLimitExceeded,
        lambda: ledger.record_sale(acme, "10.01 EUR", use_prepayments=False),
    )
    assert status(book, ledger.record_sale(acme, "10 EUR")) == "paid"
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))


def test_a_limit_looks_at_everything_that_is_recorded(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "100 EUR")
    ahead = ledger.record_sale(acme, "70 EUR", on=day(30))
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "30.01 EUR"))
    ledger.record_payment(acme, "20 EUR", on=day(60), allocate={})
    ledger.record_sale(acme, "50 EUR", use_prepayments=False)
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))
    ledger.void(ahead, reason="r")
    ledger.record_sale(acme, "70 EUR", use_prepayments=False)
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))


def test_what_is_no_sale_passes_the_limit_and_counts_in_it(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "10 EUR")
    ledger.record_opening_balance(acme, "50 EUR", on=day(-1))
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))
    ledger.record_credit_note(acme, "45 EUR", reason="r", allocate={})
    ledger.record_sale(acme, "5 EUR", use_prepayments=False)
    ledger.record_refund(acme, "20 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))


def test_a_limit_is_of_one_currency_and_of_its_days(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "10 EUR", valid_from=day(-20), valid_until=day(-10))
    for on in (day(-20), day(-10)):
        refused(book, CreditLimitExceeded, partial(ledger.record_sale, acme, "10.01 EUR", on=on))
    ledger.record_sale(acme, "20 USD", on=day(-15))
    for on in (day(-21), day(-9)):
        ledger.record_sale(acme, "10.01 EUR", on=on)
    limit(book, acme, "5 USD")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 USD"))
    ledger.record_sale(acme, "1000 EUR")


def test_the_newest_limit_is_the_limit_until_it_is_withdrawn(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "100 EUR")
    limit(book, acme, "20 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "20.01 EUR"))
    newest = book.agreements.find(acme, kind="credit limit")[0]
    book.agreements.withdraw(newest, reason="a good payer")
    ledger.record_sale(acme, "100 EUR")
    refused(book, CreditLimitExceeded, lambda: ledger.record_sale(acme, "0.01 EUR"))


def test_a_correction_keeps_to_the_limit_too(book: Book, acme: Client) -> None:
    ledger = book.ledger
    limit(book, acme, "100 EUR", valid_from=day(-5))
    sale = ledger.record_sale(acme, "100 EUR", on=day(-2))
    refused(
        book,
        CreditLimitExceeded,
        lambda: ledger.correct(sale, reason="r", lines_or_amount="100.01 EUR"),
    )
    assert ledger.correct(sale, reason="r", number="7").amount == eur("100")


def test_where_a_limit_only_warns_the_sale_is_taken_and_told(book: Book, acme: Client) -> None:
    limit(book, acme, "100 EUR")
    book.change_settings(credit_limit="warn")
    within = book.ledger.record_sale(acme, "100 EUR")
    beyond = book.ledger.record_sale(acme, "0.01 EUR")
    told = [e for e in book.changes(limit=None) if e.type == "client.credit_limit_exceeded"]
    assert [(e.client, e.data["sale"], e.data["limit"]) for e in told] == [
        (acme.id, str(beyond.id), "100.00 EUR")
    ]
    assert within.id != beyond.id
    book.change_settings(credit_limit="refuse")
    refused(book, CreditLimitExceeded, lambda: book.ledger.record_sale(acme, "0.01 EUR"))


def test_a_limit_that_is_reached_in_a_transaction_refuses_only_what_passes_it(
    book: Book, acme: Client
) -> None:
    limit(book, acme, "100 EUR")
    with book.atomic() as inner:
        inner.ledger.record_sale(acme, "60 EUR")
        with pytest.raises(CreditLimitExceeded):
            inner.ledger.record_sale(acme, "40.01 EUR")
        inner.ledger.record_payment(acme, "0.01 EUR")
        inner.ledger.record_sale(acme, "40.01 EUR")
    assert account(book, acme)[0] == "100.00"


# ------------------------------------------------------------ archived clients
def test_an_archived_client_takes_everything_but_a_new_sale(book: Book, acme: Client) -> None:
    ledger = book.ledger
    sale = ledger.record_sale(acme, "100 EUR", on=day(-9))
    book.clients.archive(acme)
    refused(book, ClientArchived, lambda: ledger.record_sale(acme, "1 EUR"))
    refused(book, ClientArchived, lambda: ledger.record_sale(acme, "1 EUR", on=day(-9)))
    refused(book, ClientArchived, lambda: ledger.upsert_sale(("erp", "9"), acme, "1 EUR"))
    payment = ledger.record_payment(acme, "60 EUR", on=day(-8))
    ledger.unallocate(payment, sale, "20")
    ledger.record_refund(acme, "5 EUR")
    dollars = ledger.exchange(payment, "5 EUR", "6 USD")
    ledger.allocate(payment, sale, "10")
    ledger.record_credit_note(acme, "7 EUR", reason="r", sale=sale)
    ledger.write_off(acme, "3 EUR", reason="r")
    ledger.record_opening_balance(acme, "2 EUR", on=day(-1))
    new = ledger.correct(sale, reason="r", lines_or_amount="90 EUR")
    ledger.void(dollars, reason="r")
    assert open_(book, new) == "30.00"
    assert account(book, acme) == ("32.00", "5.00", "32.00")


# ------------------------------------------------------------ numbers
@pytest.mark.parametrize("kind", ["sale", "payment", "credit note", "refund"])
def test_a_number_is_taken_in_the_book_or_by_the_client_as_is_set(
    book: Book, acme: Client, kind: str
) -> None:
    beta = book.clients.add("Beta")
    record = getattr(book.ledger, f"record_{kind.replace(' ', '_')}")
    told: dict[str, Any] = {"reason": "r"} if kind == "credit note" else {}
    for client in (acme, beta):
        book.ledger.record_payment(client, "50 EUR", allocate={})
    record(acme, "1 EUR", number="7", **told)
    for client in (acme, beta):
        refused(book, NumberTaken, partial(record, client, "1 EUR", number="7", **told))
    book.change_settings(number_scope="client")
    record(acme, "1 EUR", number="8", **told)
    made = record(beta, "1 EUR", number="8", **told)
    refused(book, NumberTaken, lambda: record(beta, "1 EUR", number="8", **told))
    book.ledger.void(made, reason="a slip")
    assert record(beta, "1 EUR", number="8", **told).number == "8"


# ------------------------------------------------------------ refunds and corrections
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["sale", "payment", "credit note"])
def test_a_correction_into_another_currency_links_nothing_across_the_two(
    tmp_path: Path, clock: Clock, kind: str, what: str
) -> None:
    with new_book(kind, tmp_path, clock) as book:
        ledger = book.ledger
        acme = book.clients.add("Acme")
        sale = ledger.record_sale(acme, "100 EUR")
        if what == "credit note":
            paid = ledger.record_credit_note(acme, "30 EUR", reason="r", sale=sale)
        else:
            paid = ledger.record_payment(acme, "30 EUR")
        amount = "amount" if what == "payment" else "lines_or_amount"
        old = sale if what == "sale" else paid
        changes: dict[str, Any] = {amount: "30 USD"}
        with suppress(ClientLedgerError):  # that it is refused is an answer too
            ledger.correct(old, reason="the wrong currency", **changes)
        assert book.verify().problems == ()
        assert {code: one.balance.minor for code, one in ledger.accounts(acme).items()} in (
            {"EUR": -3000, "USD": 3000} if what == "sale" else {"EUR": 10000, "USD": -3000},
            {"EUR": 7000},
        )


def test_a_write_off_of_which_a_part_was_taken_back_is_corrected_to_more(
    book: Book, acme: Client
) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    loss = book.ledger.write_off(acme, "8 EUR", reason="r", on=day(-5))
    book.ledger.release(book.ledger.state(loss).allocations[0], "3", on=day(-4))
    assert open_(book, sale) == "95.00"
    book.ledger.correct(loss, reason="more of it is lost", amount="9")
    assert open_(book, sale) == "91.00"


def test_a_refund_of_which_a_part_was_released_is_corrected_in_its_method(
    book: Book, acme: Client
) -> None:
    payment = book.ledger.record_payment(acme, "100 EUR", on=day(-9))
    refund = book.ledger.record_refund(acme, "8 EUR", on=day(-5))
    book.ledger.release(book.ledger.state(refund).allocations[0], "3", on=day(-4))
    assert open_(book, payment) == "95.00"
    assert book.ledger.correct(refund, reason="a slip", method="cash").method == "cash"


def test_a_refund_that_is_more_than_free_says_what_is_free(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "100 EUR", on=day(-9))
    with pytest.raises(OverAllocated, match=r"only 100\.00 EUR"):
        book.ledger.record_refund(acme, "100.01 EUR")


def test_what_was_given_back_already_is_not_given_back_again(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "50 EUR", on=day(-5))
    book.ledger.record_refund(acme, "30 EUR", on=day(-4), allocate={})
    refused(book, OverAllocated, lambda: book.ledger.record_refund(acme, "20.01 EUR"))
