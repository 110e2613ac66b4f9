"""The ledger on any day: as of, ageing, accounts and statements, sequence and time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.books import (
    DAY,
    KINDS,
    NOON,
    Clock,
    account,
    day,
    eur,
    in_memory,
    new_book,
    open_,
    status,
)

from clientledger import (
    Account,
    Book,
    Client,
    InvalidValue,
    Money,
    NotFound,
    NumberTaken,
    OverAllocated,
)


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


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Kyiv", "Pacific/Apia", "UTC"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_timeline_of_a_past_day_has_the_documents_dated_on_it_or_before(
    zone: str, kind: str, tmp_path: Path
) -> None:
    clock = Clock(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    with new_book(kind, tmp_path, clock, settings={"time_zone": zone}) as book:
        acme = book.clients.add("Acme")
        for n in (-2, -1, 0, 1, 2):
            book.ledger.record_sale(acme, "1 EUR", on=day(n))
        for last in map(day, (-2, -1, 0, 1)):
            shown = book.card(acme, as_of=last).timeline
            days = sorted(row.on for row in shown if row.on is not None)
            assert days == sorted(e.on for e in book.ledger.find(client=acme) if e.on <= last)
            assert list(book.interactions.timeline(acme, what=("entry",), as_of=last)) == [
                row for row in shown if row.what == "entry"
            ]
