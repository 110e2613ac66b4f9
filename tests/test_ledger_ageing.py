"""Ageing: what is owed by days past due, worked out by hand, edge by edge, and on any history."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.books import (
    DAY,
    KINDS,
    TODAY,
    Clock,
    account,
    day,
    eur,
    in_memory,
    new_book,
)

from clientledger import (
    AgeingRow,
    Book,
    Client,
    Entry,
    InvalidValue,
    Money,
)


def shown(row: AgeingRow) -> tuple[list[str], str, str]:
    """The buckets, what is prepaid and the balance of a row, as numbers."""
    amounts = [f"{bucket.amount.amount:f}" for bucket in row.buckets]
    assert sum(bucket.amount.minor for bucket in row.buckets) == row.owed.minor
    return amounts, f"{row.prepaid.amount:f}", f"{row.balance.amount:f}"


def aged(book: Book, **asked: Any) -> list[str]:
    """The buckets of the only row."""
    (row,) = book.insights.ageing(**asked)
    return shown(row)[0]


def filled(book: Book, **asked: Any) -> str:
    """The label of the only bucket with something in it."""
    (row,) = book.insights.ageing(**asked)
    (bucket,) = [bucket for bucket in row.buckets if bucket.amount]
    return bucket.label


def apart(row: AgeingRow) -> tuple[str, str, list[str], str, str]:
    return (row.client.name, row.currency, *shown(row))


# ------------------------------------------------------------ edges
EDGES = [
    # due, as of, days past due by hand, bucket
    ("the day before it is due", "2026-03-03", "2026-03-02", -1, "not due"),
    ("due today", "2026-03-02", "2026-03-02", 0, "not due"),
    ("day 1", "2026-03-01", "2026-03-02", 1, "1-30"),
    ("day 30", "2026-01-31", "2026-03-02", 30, "1-30"),
    ("day 31", "2026-01-30", "2026-03-02", 31, "31-60"),
    ("day 60", "2026-01-01", "2026-03-02", 60, "31-60"),
    ("day 61, over New Year", "2025-12-31", "2026-03-02", 61, "61-90"),
    ("day 90", "2025-12-02", "2026-03-02", 90, "61-90"),
    ("day 91", "2025-12-01", "2026-03-02", 91, "over 90"),
    ("ten years", "2016-03-02", "2026-03-02", 3652, "over 90"),
    ("31 January to 1 March", "2026-01-31", "2026-03-01", 29, "1-30"),
    ("31 January to 1 March over a leap day", "2024-01-31", "2024-03-01", 30, "1-30"),
    ("31 January to 2 March over a leap day", "2024-01-31", "2024-03-02", 31, "31-60"),
    ("due on a leap day, asked on it", "2024-02-29", "2024-02-29", 0, "not due"),
    ("the day after a leap day", "2024-02-29", "2024-03-01", 1, "1-30"),
    ("28 February to 1 March", "2026-02-28", "2026-03-01", 1, "1-30"),
    ("28 February to 1 March of a leap year", "2024-02-28", "2024-03-01", 2, "1-30"),
    ("30 days after a leap day", "2024-02-29", "2024-03-30", 30, "1-30"),
    ("31 days after a leap day", "2024-02-29", "2024-03-31", 31, "31-60"),
    ("as of a leap day, 60", "2023-12-31", "2024-02-29", 60, "31-60"),
    ("over a leap day, 61", "2023-12-31", "2024-03-01", 61, "61-90"),
    ("as of a leap day, 90", "2023-12-01", "2024-02-29", 90, "61-90"),
    ("over a leap day, 91", "2023-12-01", "2024-03-01", 91, "over 90"),
    ("leap day to the last of February", "2024-02-29", "2025-02-28", 365, "over 90"),
    ("1900 had no leap day", "1900-01-31", "1900-03-02", 30, "1-30"),
    ("2000 had one", "2000-01-31", "2000-03-02", 31, "31-60"),
    ("31 March to 30 April", "2026-03-31", "2026-04-30", 30, "1-30"),
    ("31 March to 1 May", "2026-03-31", "2026-05-01", 31, "31-60"),
    ("30 April to 30 May", "2026-04-30", "2026-05-30", 30, "1-30"),
    ("30 April to 31 May", "2026-04-30", "2026-05-31", 31, "31-60"),
    ("31 May to 30 June", "2026-05-31", "2026-06-30", 30, "1-30"),
    ("31 December to 1 January", "2025-12-31", "2026-01-01", 1, "1-30"),
    ("the last day that is known", "2999-12-30", "2999-12-31", 1, "1-30"),
]


@pytest.mark.parametrize(
    ("due", "as_of", "days", "bucket"), [edge[1:] for edge in EDGES], ids=[e[0] for e in EDGES]
)
def test_an_edge_of_the_default_buckets(due: str, as_of: str, days: int, bucket: str) -> None:
    book = in_memory()
    acme = book.clients.add("Acme")
    falls, asked = date.fromisoformat(due), date.fromisoformat(as_of)
    assert (asked - falls).days == days
    book.ledger.record_sale(acme, "10 EUR", on=min(falls, asked), due=falls)
    assert filled(book, as_of=asked) == bucket
    assert bool(book.ledger.account(acme, "EUR", as_of=asked).overdue) is (days > 0)
    sheet = book.ledger.statement(acme, "EUR", min(falls, asked), asked)
    assert [b.label for b in sheet.buckets if b.amount] == [bucket]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "not due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90")],
)
def test_an_edge_by_the_documents_date_whatever_is_due(days: int, bucket: str) -> None:
    book = in_memory()
    acme = book.clients.add("Acme")
    book.ledger.record_sale(acme, "10 EUR", on=day(-days), due=day(200))
    assert filled(book, by="date") == bucket
    assert filled(book) == filled(book, by="due") == "not due"


BOUNDS: list[tuple[tuple[int, ...], dict[int, str]]] = [
    ((0,), {-400: "not due", 0: "not due", 1: "over 0", 400: "over 0"}),
    (
        (30, 60, 90),
        {-1: "up to 30", 0: "up to 30", 30: "up to 30", 31: "31-60", 90: "61-90", 91: "over 90"},
    ),
    (
        (-7, 0, 7),
        {-8: "up to -7", -7: "up to -7", -6: "-6-0", 0: "-6-0", 1: "1-7", 7: "1-7", 8: "over 7"},
    ),
    ((-1,), {-2: "up to -1", -1: "up to -1", 0: "over -1"}),
    ((0, 1, 2), {0: "not due", 1: "1-1", 2: "2-2", 3: "over 2"}),
    ((0, 365), {365: "1-365", 366: "over 365"}),
    ((-36500, 36500), {-36500: "up to -36500", -36499: "-36499-36500", 36500: "-36499-36500"}),
]


@pytest.mark.parametrize(
    ("bounds", "days", "bucket"),
    [(bounds, days, bucket) for bounds, edges in BOUNDS for days, bucket in edges.items()],
)
def test_an_edge_of_other_bounds(bounds: tuple[int, ...], days: int, bucket: str) -> None:
    book = in_memory()
    acme = book.clients.add("Acme")
    falls = TODAY - days * DAY
    book.ledger.record_sale(acme, "10 EUR", on=min(falls, TODAY), due=falls)
    assert filled(book, bounds=bounds) == filled(book, bounds=list(bounds)) == bucket


def test_the_bounds_of_the_book_hold_where_none_are_told(book: Book, acme: Client) -> None:
    book.ledger.record_sale(acme, "10 EUR", on=day(-10), due=day(-8))
    book.change_settings(ageing_bounds=[-7, 0, 7])
    assert filled(book) == "over 7"
    assert filled(book, bounds=(0, 30)) == "1-30"
    sheet = book.ledger.statement(acme, "EUR", day(-10), day(0))
    assert [(b.min_days, b.max_days) for b in sheet.buckets] == [
        (None, -7),
        (-6, 0),
        (1, 7),
        (8, None),
    ]


@pytest.mark.parametrize(
    "bounds", [(), (30, 0), (0, 0), (0, 36501), (0.0, 30.0), (True, 30), "0,30", tuple(range(51))]
)
def test_what_are_no_bounds_are_refused(bounds: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        in_memory().insights.ageing(bounds=bounds)
    assert caught.value.field == "bounds"


# ------------------------------------------------------------ what ages from when
def test_an_instalment_ages_from_its_own_due_date(book: Book, acme: Client) -> None:
    parts = [(day(-91), "1"), (day(-61), "2"), (day(-31), "4"), (day(-1), "8"), (day(0), "16")]
    book.ledger.record_sale(acme, "63 EUR", on=day(-95), instalments=[*parts, (day(40), "32")])
    assert aged(book) == ["48.00", "8.00", "4.00", "2.00", "1.00"]
    assert aged(book, by="date") == ["0.00", "0.00", "0.00", "0.00", "63.00"]
    book.ledger.record_payment(acme, "4.50 EUR")
    assert aged(book) == ["48.00", "8.00", "2.50", "0.00", "0.00"]
    assert aged(book, by="date") == ["0.00", "0.00", "0.00", "0.00", "58.50"]


def test_a_part_of_the_agreed_terms_ages_from_its_own_due_date(book: Book, acme: Client) -> None:
    terms = "30 % now, 30 % in 30 days, rest end of month + 10"
    book.agreements.promise(acme, "payment terms", "x", terms=terms, valid_from=day(-365))
    book.ledger.record_sale(acme, "99.99 EUR", on=date(2026, 1, 15))
    # 30.00 on 15 January, 29.99 on 14 February, 40.00 on 10 February
    assert aged(book, as_of=date(2026, 1, 15)) == ["99.99", "0.00", "0.00", "0.00", "0.00"]
    assert aged(book, as_of=date(2026, 2, 10)) == ["69.99", "30.00", "0.00", "0.00", "0.00"]
    assert aged(book, as_of=date(2026, 2, 11)) == ["29.99", "70.00", "0.00", "0.00", "0.00"]
    assert aged(book, as_of=date(2026, 2, 15)) == ["0.00", "69.99", "30.00", "0.00", "0.00"]


def test_a_debit_without_a_due_date_is_due_on_its_own(book: Book, acme: Client) -> None:
    book.ledger.record_sale(acme, "1 EUR", on=day(-31))
    book.ledger.record_opening_balance(acme, "2 EUR", on=day(-61))
    payment = book.ledger.record_payment(acme, "4 EUR", on=day(-91), allocate={})
    book.ledger.record_refund(acme, "4 EUR", on=day(-91))
    book.ledger.void(payment, reason="bounced", on=day(-90))
    assert aged(book) == aged(book, by="date") == ["0.00", "0.00", "1.00", "2.00", "4.00"]


def test_a_debt_of_the_old_books_ages_from_its_due_date(book: Book, acme: Client) -> None:
    book.ledger.record_opening_balance(acme, "5 EUR", on=day(0), due=day(-45))
    assert aged(book) == ["0.00", "0.00", "5.00", "0.00", "0.00"]
    assert aged(book, by="date") == ["5.00", "0.00", "0.00", "0.00", "0.00"]


def test_free_credits_stand_in_a_column_of_their_own(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "30 EUR", on=day(-50), allocate={})
    book.ledger.record_sale(acme, "100 EUR", on=day(-40), use_prepayments=False)
    book.ledger.record_credit_note(acme, "5 EUR", reason="r", on=day(-30))
    book.ledger.record_opening_balance(acme, "-2 EUR", on=day(-20))
    for by in ("due", "date"):
        (row,) = book.insights.ageing(by=by)
        buckets = ["0.00", "0.00", "100.00", "0.00", "0.00"]
        assert shown(row) == (buckets, "37.00", "63.00")
        assert row.owed == eur("100")


def test_who_has_only_prepaid_stands_there_with_nothing_owed(book: Book, acme: Client) -> None:
    book.ledger.record_payment(acme, "30 EUR")
    (row,) = book.insights.ageing()
    assert shown(row) == (["0.00"] * 5, "30.00", "-30.00")


def test_who_owes_nothing_and_has_nothing_is_left_out(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "30 EUR", on=day(-3))
    book.ledger.record_sale(acme, "3 USD", on=day(-3))
    book.ledger.record_payment(acme, "30 EUR", on=day(-2))
    assert [row.currency for row in book.insights.ageing()] == ["USD"]
    assert [row.currency for row in book.insights.ageing(as_of=day(-3))] == ["EUR", "USD"]
    assert list(book.insights.ageing(as_of=day(-4))) == []
    book.ledger.void(sale, reason="r")
    assert [row.currency for row in book.insights.ageing()] == ["EUR", "USD"]


# ------------------------------------------------------------ clients and currencies
def test_clients_and_currencies_stand_apart_to_the_last_minor_unit(book: Book) -> None:
    ledger = book.ledger
    acme, beta = (book.clients.add(name) for name in ("Acme", "Beta"))
    ledger.record_sale(acme, "1000 JPY", on=day(-50), due=day(-31))
    ledger.record_sale(acme, "1 JPY", on=day(-50), due=day(-91))
    ledger.record_payment(acme, "7 JPY", on=day(-1), allocate={})
    ledger.record_sale(acme, "0.001 KWD", on=day(-1))
    ledger.record_sale(acme, "12.345 KWD", on=day(-50), due=day(5))
    ledger.record_sale(acme, "0.01 EUR", on=day(-61))
    ledger.record_sale(beta, "1 JPY", on=day(-30))
    ledger.record_sale(beta, "33.33 EUR", on=day(-30), due=day(-1))
    ledger.record_payment(beta, "0.0001 CLF")
    rows = [apart(row) for row in book.insights.ageing()]
    zero = "0.00"
    assert rows == [
        ("Beta", "CLF", ["0.0000"] * 5, "0.0001", "-0.0001"),
        ("Beta", "EUR", [zero, "33.33", zero, zero, zero], zero, "33.33"),
        ("Acme", "EUR", [zero, zero, zero, "0.01", zero], zero, "0.01"),
        ("Acme", "JPY", ["0", "0", "1000", "0", "1"], "7", "994"),
        ("Beta", "JPY", ["0", "1", "0", "0", "0"], "0", "1"),
        ("Acme", "KWD", ["12.345", "0.001", "0.000", "0.000", "0.000"], "0.000", "12.346"),
    ]
    assert [apart(row) for row in book.insights.ageing(currency="JPY")] == rows[3:5]
    assert [apart(row) for row in book.insights.ageing(client=beta)] == [rows[0], rows[1], rows[4]]
    assert [apart(row) for row in book.insights.ageing(client=acme, currency="EUR")] == [rows[2]]
    pages, after = [], None
    while True:
        page = book.insights.ageing(limit=2, after=after)
        pages += [apart(row) for row in page]
        after = page.next
        if not page.more:
            break
    assert pages == rows
    for row in book.insights.ageing():
        found = ledger.account(row.client, row.currency)
        assert (row.owed, row.prepaid, row.balance) == (found.owed, found.prepaid, found.balance)


# ------------------------------------------------------------ before and after
def a_quarter(book: Book, acme: Client) -> dict[str, Entry]:
    """What happened to one client in a quarter, as it happened."""
    ledger = book.ledger
    ledger.record_opening_balance(acme, "50 EUR", on=day(-100))
    sale = ledger.record_sale(acme, "100 EUR", on=day(-60), due=day(-40))
    parts = [(day(-30), "40"), (day(-1), "50")]
    parted = ledger.record_sale(acme, "90 EUR", on=day(-50), instalments=parts)
    payment = ledger.record_payment(acme, "60 EUR", on=day(-35))
    note = ledger.record_credit_note(acme, "20 EUR", reason="broken", sale=sale, on=day(-20))
    loss = ledger.write_off(acme, "5 EUR", reason="a quarrel", on=day(-15))
    free = ledger.record_payment(acme, "30 EUR", on=day(-10), allocate={})
    dollars = ledger.exchange(free, "10 EUR", "11 USD", on=day(-9))
    refund = ledger.record_refund(acme, "5 EUR", on=day(-8))
    ledger.void(payment, reason="bounced", on=day(-5))
    ledger.release(ledger.state(note).allocations[0], on=day(-3))
    return {
        "sale": sale,
        "parted": parted,
        "note": note,
        "loss": loss,
        "free": free,
        "dollars": dollars,
        "refund": refund,
    }


QUARTER: dict[int, tuple[list[int], int]] = {
    # not due, 1-30, 31-60, 61-90, over 90; prepaid
    -100: ([50, 0, 0, 0, 0], 0),
    -99: ([0, 50, 0, 0, 0], 0),
    -70: ([0, 50, 0, 0, 0], 0),
    -69: ([0, 0, 50, 0, 0], 0),
    -60: ([100, 0, 50, 0, 0], 0),  # the sale
    -50: ([190, 0, 50, 0, 0], 0),  # the one in instalments
    -40: ([190, 0, 50, 0, 0], 0),
    -39: ([90, 100, 0, 50, 0], 0),
    -36: ([90, 100, 0, 50, 0], 0),
    -35: ([90, 90, 0, 0, 0], 0),  # 60 paid: the 50, and 10 of the sale
    -30: ([90, 90, 0, 0, 0], 0),
    -29: ([50, 130, 0, 0, 0], 0),  # the first instalment is late
    -20: ([50, 110, 0, 0, 0], 0),  # a credit note of 20 for the sale
    -15: ([50, 105, 0, 0, 0], 0),  # 5 of the sale written off
    -10: ([50, 105, 0, 0, 0], 30),  # 30 prepaid
    -9: ([50, 40, 65, 0, 0], 20),  # 10 of it exchanged; the sale is 31 days late
    -8: ([50, 40, 65, 0, 0], 15),  # 5 of it refunded
    -6: ([50, 40, 65, 0, 0], 15),
    -5: ([50, 40, 75, 0, 50], 15),  # the 60 bounced
    -3: ([50, 40, 95, 0, 50], 35),  # the credit note is free again
    -1: ([50, 40, 95, 0, 50], 35),
    0: ([0, 90, 95, 0, 50], 35),
    1: ([0, 50, 135, 0, 50], 35),
}


@pytest.fixture(scope="module", params=KINDS)
def quarter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Book, Client]]:
    with new_book(request.param, tmp_path_factory.mktemp("quarter")) as book:
        acme = book.clients.add("Acme")
        a_quarter(book, acme)
        yield book, acme


@pytest.mark.parametrize("offset", QUARTER)
def test_a_day_of_the_quarter_is_aged_as_it_was(quarter: tuple[Book, Client], offset: int) -> None:
    book, acme = quarter
    buckets, prepaid = QUARTER[offset]
    (row,) = book.insights.ageing(currency="EUR", as_of=day(offset))
    owed = sum(buckets)
    wanted = ([f"{n}.00" for n in buckets], f"{prepaid}.00", f"{owed - prepaid}.00")
    assert shown(row) == wanted
    assert account(book, acme, day(offset))[:2] == (f"{owed}.00", f"{prepaid}.00")
    late = sum(buckets[1:])
    assert account(book, acme, day(offset))[2] == f"{late}.00"
    sheet = book.ledger.statement(acme, "EUR", day(-100), day(offset))
    assert sheet.buckets == row.buckets
    assert sheet.closing == row.balance


def test_before_the_quarter_nobody_owes_anything(quarter: tuple[Book, Client]) -> None:
    assert list(quarter[0].insights.ageing(as_of=day(-101))) == []


def test_the_quarter_by_the_documents_dates(quarter: tuple[Book, Client]) -> None:
    book, _ = quarter
    assert aged(book, by="date", currency="EUR") == ["0.00", "0.00", "185.00", "0.00", "50.00"]
    assert aged(book, by="date", currency="EUR", as_of=day(-20)) == [
        "0.00",
        "90.00",
        "70.00",
        "0.00",
        "0.00",
    ]


def test_what_was_exchanged_stands_with_the_other_currency(quarter: tuple[Book, Client]) -> None:
    book, _ = quarter
    assert list(book.insights.ageing(currency="USD", as_of=day(-10))) == []
    (row,) = book.insights.ageing(currency="USD", as_of=day(-9))
    assert shown(row) == (["0.00"] * 5, "11.00", "-11.00")


@pytest.mark.parametrize(
    ("what", "buckets", "prepaid"),
    [
        ("loss", ["0.00", "90.00", "100.00", "0.00", "50.00"], "35.00"),
        ("note", ["0.00", "90.00", "95.00", "0.00", "50.00"], "15.00"),
        ("sale", ["0.00", "90.00", "0.00", "0.00", "50.00"], "35.00"),
        ("parted", ["0.00", "0.00", "95.00", "0.00", "50.00"], "35.00"),
        ("refund", ["0.00", "90.00", "95.00", "0.00", "50.00"], "40.00"),
        ("dollars", ["0.00", "90.00", "95.00", "0.00", "50.00"], "45.00"),
        # 10 of it had been exchanged on day -9, and 5 refunded on day -8: both are open debits
        ("free", ["0.00", "105.00", "95.00", "0.00", "50.00"], "20.00"),
    ],
)
def test_a_void_today_changes_today_and_not_yesterday(
    book: Book, acme: Client, what: str, buckets: list[str], prepaid: str
) -> None:
    made = a_quarter(book, acme)
    yesterday = book.insights.ageing(as_of=day(-1))
    book.ledger.void(made[what], reason="a slip")
    (row,) = book.insights.ageing(currency="EUR")
    assert shown(row)[:2] == (buckets, prepaid)
    assert book.insights.ageing(as_of=day(-1)) == yesterday


# ------------------------------------------------------------ midnight
MIDNIGHTS = [
    # zone, the first moment of a day there, that day, the day before there
    ("Europe/Kyiv", datetime(2026, 3, 1, 22, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 1)),
    ("Pacific/Apia", datetime(2026, 3, 1, 11, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 1)),
    ("America/New_York", datetime(2026, 3, 2, 5, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 1)),
    # summer time begins, and ends
    ("Europe/Kyiv", datetime(2026, 3, 29, 21, tzinfo=UTC), date(2026, 3, 30), date(2026, 3, 29)),
    ("Europe/Kyiv", datetime(2026, 10, 24, 21, tzinfo=UTC), date(2026, 10, 25), date(2026, 10, 24)),
    ("Europe/Kyiv", datetime(2026, 10, 25, 22, tzinfo=UTC), date(2026, 10, 26), date(2026, 10, 25)),
    ("America/New_York", datetime(2026, 3, 9, 4, tzinfo=UTC), date(2026, 3, 9), date(2026, 3, 8)),
    (
        "America/New_York",
        datetime(2026, 11, 2, 5, tzinfo=UTC),
        date(2026, 11, 2),
        date(2026, 11, 1),
    ),
    # a leap day, a new year, and the day that Samoa never had
    ("America/New_York", datetime(2024, 3, 1, 5, tzinfo=UTC), date(2024, 3, 1), date(2024, 2, 29)),
    ("Pacific/Apia", datetime(2025, 12, 31, 11, tzinfo=UTC), date(2026, 1, 1), date(2025, 12, 31)),
    (
        "Pacific/Apia",
        datetime(2011, 12, 30, 10, tzinfo=UTC),
        date(2011, 12, 31),
        date(2011, 12, 29),
    ),
]


@pytest.mark.parametrize(("zone", "midnight", "today", "yesterday"), MIDNIGHTS, ids=str)
def test_at_midnight_in_the_books_zone_the_day_changes_and_not_before(
    tmp_path: Path, zone: str, midnight: datetime, today: date, yesterday: date
) -> None:
    clock = Clock(midnight - timedelta(days=40))
    with new_book("memory", tmp_path, clock, settings={"time_zone": zone}) as book:
        ledger = book.ledger
        acme, beta = (book.clients.add(name) for name in ("Acme", "Beta"))
        due = ledger.record_sale(acme, "1 EUR", due=yesterday)
        ledger.record_sale(beta, "2 EUR", due=yesterday - 30 * DAY)
        paid = ledger.record_payment(acme, "1 USD", on=today)

        clock.now = midnight - timedelta(microseconds=1)
        assert book.card(acme).as_of == yesterday
        assert not ledger.state(due).overdue
        euros = [filled(book, client=client, currency="EUR") for client in (acme, beta)]
        assert euros == ["not due", "1-30"]
        assert list(ledger.open_items(acme, overdue_only=True)) == []
        assert [debtor.client.id for debtor in book.insights.debtors(overdue_only=True)] == [
            beta.id
        ]
        assert "USD" not in ledger.accounts(acme)  # dated tomorrow
        before = ledger.record_sale(beta, "4 JPY")
        assert (before.on, before.due) == (yesterday, yesterday)

        clock.now = midnight
        assert book.card(acme).as_of == today
        assert ledger.state(due).overdue
        euros = [filled(book, client=client, currency="EUR") for client in (acme, beta)]
        assert euros == ["1-30", "31-60"]
        assert filled(book, client=beta, currency="JPY") == "1-30"
        assert len(ledger.open_items(acme, overdue_only=True)) == 1
        assert len(book.insights.debtors(overdue_only=True)) == 3
        assert ledger.accounts(acme)["USD"].prepaid == Money("1", "USD")
        after = ledger.record_sale(beta, "8 JPY", use_prepayments=False)
        assert (after.on, after.due) == (today, today)
        assert not ledger.state(after).overdue
        assert ledger.void(paid, reason="r").on == today


def test_at_one_moment_it_is_another_day_elsewhere_and_other_debts_are_late(
    tmp_path: Path,
) -> None:
    clock = Clock(datetime(2026, 3, 2, 2, tzinfo=UTC))
    found: dict[str, tuple[date, str]] = {}
    for zone in ("Pacific/Apia", "Europe/Kyiv", "UTC", "America/New_York"):
        with new_book("memory", tmp_path, clock, settings={"time_zone": zone}) as book:
            acme = book.clients.add("Acme")
            sale = book.ledger.record_sale(acme, "1 EUR", due=date(2026, 3, 1))
            found[zone] = sale.on, filled(book)
    assert found == {
        "Pacific/Apia": (date(2026, 3, 2), "1-30"),
        "Europe/Kyiv": (date(2026, 3, 2), "1-30"),
        "UTC": (date(2026, 3, 2), "1-30"),
        "America/New_York": (date(2026, 3, 1), "not due"),
    }


def test_a_book_that_moves_to_another_zone_counts_its_days_there(clock: Clock) -> None:
    book = in_memory(clock)
    acme = book.clients.add("Acme")
    clock.now = datetime(2026, 3, 2, 2, tzinfo=UTC)
    book.ledger.record_sale(acme, "1 EUR", due=date(2026, 3, 1))
    assert filled(book) == "1-30"
    book.change_settings(time_zone="America/New_York")
    assert list(book.insights.ageing()) == []  # the sale is dated tomorrow
    clock.now = datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert filled(book) == "1-30"
