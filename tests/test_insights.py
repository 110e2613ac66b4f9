"""What the base as a whole tells: debtors, ages, purchases, the best, and who has gone quiet."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.books import TODAY, day, in_memory

from clientledger import Book, Client, Debtor, Money, usual_interval


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


# ------------------------------------------------------------ debtors
def shop(book: Book) -> dict[str, Client]:
    """Five clients, of whom four owe."""
    names = ("Acme", "Beta", "Gamma", "Delta", "Echo")
    found = {name: book.clients.add(name) for name in names}
    sell = book.ledger.record_sale
    sell(found["Acme"], "100 EUR", on=day(-40), due=day(-10))
    sell(found["Acme"], "5 USD", on=day(-1), due=day(9))
    sell(found["Beta"], "300 EUR", on=day(-3), due=day(30))
    sell(found["Gamma"], "200 EUR", on=day(-40), due=day(-10))
    book.ledger.record_payment(found["Gamma"], "80 EUR", on=day(-2))
    sell(found["Gamma"], "50 EUR", on=day(-1), due=day(3), use_prepayments=False)
    sell(found["Delta"], "300 EUR", on=day(-3), due=day(30))
    sell(found["Echo"], "10 EUR", on=day(-5))
    book.ledger.record_payment(found["Echo"], "25 EUR", on=day(-4))
    return found


def test_debtors_go_by_currency_overdue_owed_and_id(book: Book) -> None:
    clients = shop(book)
    rows = [(row.client.name, row.account.currency) for row in book.insights.debtors()]
    same = sorted(["Beta", "Delta"], key=lambda name: clients[name].id)
    assert rows == [
        ("Gamma", "EUR"),
        ("Acme", "EUR"),
        *((name, "EUR") for name in same),
        ("Acme", "USD"),
    ]
    gamma = book.insights.debtors()[0].account
    assert (gamma.owed, gamma.prepaid, gamma.overdue) == (eur("170"), eur("0"), eur("120"))


def test_debtors_can_be_those_who_are_late_or_owe_in_one_currency(book: Book) -> None:
    shop(book)
    late = book.insights.debtors(overdue_only=True)
    assert [row.client.name for row in late] == ["Gamma", "Acme"]
    dollars = book.insights.debtors(currency="USD")
    assert [row.client.name for row in dollars] == ["Acme"]
    assert book.insights.debtors(currency="USD", overdue_only=True).rows == ()
    assert len(book.insights.debtors(overdue_only=True, as_of=day(10))) == 3
    assert len(book.insights.debtors(as_of=day(-4))) == 2


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_pages_of_debtors_lose_nobody(book: Book, limit: int) -> None:
    shop(book)
    whole = list(book.insights.debtors())
    found: list[Debtor] = []
    after = None
    while True:
        page = book.insights.debtors(limit=limit, after=after)
        found += page
        after = page.next
        assert page.more is (after is not None)
        if after is None:
            break
    assert found == whole


def test_who_was_archived_still_owes(book: Book) -> None:
    clients = shop(book)
    book.clients.archive(clients["Acme"])
    assert "Acme" in [row.client.name for row in book.insights.debtors()]
    shown = {row.client.name: row.client.archived for row in book.insights.debtors()}
    assert {name for name, archived in shown.items() if archived} == {"Acme"}


def test_ages_of_one_client_or_currency_or_all(book: Book) -> None:
    clients = shop(book)
    whole = book.insights.ageing()
    assert [row.currency for row in whole] == ["EUR"] * 5 + ["USD"]
    owed = [row.owed.minor for row in whole[:5]]
    assert owed == sorted(owed, reverse=True)
    assert {row.client for row in whole[:5]} == set(clients.values())
    own = book.insights.ageing(client=clients["Gamma"])
    assert [[str(b.amount.amount) for b in row.buckets] for row in own] == [
        ["50.00", "120.00", "0.00", "0.00", "0.00"]
    ]
    credit = book.insights.ageing(client=clients["Echo"])[0]
    assert (credit.owed, credit.prepaid, credit.balance) == (eur("0"), eur("15"), eur("-15"))
    first = book.insights.ageing(limit=4)
    assert [*first, *book.insights.ageing(after=first.next)] == list(whole)
    assert len(book.insights.ageing(currency="USD")) == 1
    by_date = book.insights.ageing(by="date", client=clients["Gamma"], bounds=(0, 39, 40))[0]
    assert [b.amount.minor for b in by_date.buckets] == [0, 5000, 12000, 0]


# ------------------------------------------------------------ purchases
def test_what_a_client_bought_is_summed_up(book: Book) -> None:
    client = book.clients.add("Acme")
    sell = book.ledger.record_sale
    sell(client, [("Beans", 2, "5"), ("Cup", 1, "3")], currency="EUR", on=day(-30))
    sell(client, [("Beans", "1.5", "6")], currency="EUR", on=day(-20))
    sell(client, [("Beans", 1, "7")], currency="USD", on=day(-20))
    gone = sell(client, [("Beans", 9, "9")], currency="EUR", on=day(-10))
    book.ledger.void(gone, reason="r")
    sell(client, "40 EUR", on=day(-6))
    sell(client, [("Later", 1, "1")], currency="EUR", on=day(5))
    found = book.insights.purchases(client)
    assert (found.count, found.first, found.last) == (4, day(-30), day(-6))
    assert found.totals == {"EUR": eur("62"), "USD": Money("7", "USD")}
    assert [(b.name, b.count, b.quantity, b.amount, b.last) for b in found.bought] == [
        ("Beans", 2, Decimal("3.5"), eur("19"), day(-20)),
        ("Cup", 1, Decimal(1), eur("3"), day(-30)),
        ("Beans", 1, Decimal(1), Money("7", "USD"), day(-20)),
    ]
    assert found.usual_interval == 12
    past = book.insights.purchases(client, as_of=day(-30))
    assert (past.count, past.totals) == (1, {"EUR": eur("13")})


def test_a_sale_counts_on_the_days_before_its_void(book: Book) -> None:
    client = book.clients.add("Acme")
    sale = book.ledger.record_sale(client, "10 EUR", on=day(-9))
    book.ledger.void(sale, reason="r", on=day(-3))
    counts = [book.insights.purchases(client, as_of=day(n)).count for n in (-10, -9, -4, -3, 0)]
    assert counts == [0, 1, 1, 0, 0]


def test_who_never_bought_has_bought_nothing(book: Book) -> None:
    found = book.insights.purchases(book.clients.add("Acme"))
    assert (found.count, found.totals, found.first, found.usual_interval, found.bought) == (
        0,
        {},
        None,
        None,
        (),
    )


@given(st.lists(st.dates(date(2020, 1, 1), date(2026, 1, 1)), max_size=12))
def test_the_usual_interval_is_the_median_between_distinct_days(days: list[date]) -> None:
    ordered = sorted(set(days))
    found = usual_interval(days)
    if len(ordered) < 3:
        assert found is None
    else:
        gaps = [(b - a).days for a, b in itertools.pairwise(ordered)]
        assert found == Fraction(median(map(Fraction, gaps)))
        assert min(gaps) <= found <= max(gaps)


def test_two_purchases_on_one_day_are_one_day() -> None:
    assert usual_interval([day(0), day(0), day(1)]) is None
    assert usual_interval([day(0), day(1), day(1), day(4)]) == 2
    assert usual_interval([day(0), day(1), day(4), day(10)]) == 3
    assert usual_interval([day(0), day(1), day(3)]) == Fraction(3, 2)


# ------------------------------------------------------------ the best
def test_the_best_are_ranked_by_what_was_sold_or_how_often(book: Book) -> None:
    clients = shop(book)
    best = [(row.client.name, row.sold, row.count) for row in book.insights.best_clients()]
    same = sorted(["Beta", "Delta"], key=lambda name: clients[name].id)
    assert best == [
        *((name, eur("300"), 1) for name in same),
        ("Gamma", eur("250"), 2),
        ("Acme", eur("100"), 1),
        ("Echo", eur("10"), 1),
        ("Acme", Money("5", "USD"), 1),
    ]
    often = book.insights.best_clients(by="count", currency="EUR")
    assert often[0].client.name == "Gamma"
    assert often[0].last == day(-1)


def test_a_span_includes_both_of_its_days(book: Book) -> None:
    client = book.clients.add("Acme")
    for n in (-10, -5, -1):
        book.ledger.record_sale(client, "10 EUR", on=day(n))

    def sold(since: int | None, until: int | None) -> list[int]:
        rows = book.insights.best_clients(
            since=None if since is None else day(since),
            until=None if until is None else day(until),
        )
        return [row.sold.minor for row in rows]

    assert sold(-10, -5) == [2000]
    assert sold(-9, -5) == [1000]
    assert sold(-10, -6) == [1000]
    assert sold(-9, -6) == []
    assert sold(None, None) == [3000]
    bought(book, "Beta", -3)
    first = book.insights.best_clients(limit=1)
    rest = book.insights.best_clients(after=first.next)
    assert [row.client.name for row in (*first, *rest)] == ["Acme", "Beta"]


def test_what_was_voided_makes_nobody_the_best(book: Book) -> None:
    client = book.clients.add("Acme")
    book.ledger.void(book.ledger.record_sale(client, "10 EUR"), reason="r")
    assert book.insights.best_clients().rows == ()
    assert book.insights.dormant(days=0).rows == ()


# ------------------------------------------------------------ gone quiet
def bought(book: Book, name: str, *days: int) -> Client:
    client = book.clients.add(name)
    for n in days:
        book.ledger.record_sale(client, "1 EUR", on=day(n))
    return client


def quiet(book: Book, **asked: Any) -> list[tuple[str, int]]:
    return [(row.client.name, row.days) for row in book.insights.dormant(**asked)]


def test_days_of_silence_are_inclusive(book: Book) -> None:
    bought(book, "Acme", -30)
    bought(book, "Beta", -29, -60)
    bought(book, "Never")
    assert quiet(book, days=30) == [("Acme", 30)]
    assert quiet(book, days=29) == [("Acme", 30), ("Beta", 29)]
    assert quiet(book, days=31) == []
    assert quiet(book, days=0, as_of=day(-30)) == [("Beta", 30), ("Acme", 0)]


def test_silence_must_be_above_so_many_usual_intervals(book: Book) -> None:
    bought(book, "Acme", -40, -30, -20)
    assert book.insights.purchases(book.clients.find()[0]).usual_interval == 10
    assert quiet(book) == []
    assert quiet(book, as_of=day(1)) == [("Acme", 21)]
    assert quiet(book, factor="1.9") == [("Acme", 20)]
    assert quiet(book, factor=Decimal("1.99999999")) == [("Acme", 20)]
    assert quiet(book, factor=3, as_of=day(10)) == []
    assert quiet(book, factor=3, as_of=day(11)) == [("Acme", 31)]


def test_who_bought_on_fewer_than_three_days_is_never_called_quiet(book: Book) -> None:
    bought(book, "Acme", -900, -900, -899)
    assert quiet(book) == []
    assert quiet(book, days=800) == [("Acme", 899)]
    assert book.insights.dormant(days=800)[0].usual_interval is None


def test_the_longest_silence_comes_first_and_the_archive_is_left_out(book: Book) -> None:
    bought(book, "Acme", -30)
    bought(book, "Beta", -50)
    book.clients.archive(bought(book, "Gone", -99))
    assert quiet(book, days=1) == [("Beta", 50), ("Acme", 30)]
    first = book.insights.dormant(days=1, limit=1)
    rest = book.insights.dormant(days=1, after=first.next)
    assert [row.client.name for row in (*first, *rest)] == ["Beta", "Acme"]


def test_a_purchase_to_come_breaks_no_silence(book: Book) -> None:
    client = bought(book, "Acme", -40)
    book.ledger.record_sale(client, "1 EUR", on=day(5))
    assert quiet(book, days=10) == [("Acme", 40)]
    assert quiet(book, days=1, as_of=day(6)) == [("Acme", 1)]


def test_a_purchase_in_any_currency_counts(book: Book) -> None:
    client = bought(book, "Acme", -40)
    book.ledger.record_sale(client, "1 USD", on=day(-2))
    book.ledger.record_sale(client, "1 JPY", on=day(-21))
    assert quiet(book, days=10) == []
    assert book.insights.purchases(client).usual_interval == 19


@given(
    st.lists(st.lists(st.integers(-60, 0), min_size=1, max_size=6), min_size=1, max_size=5),
    st.integers(0, 60),
    st.sampled_from(["0.5", "1", "1.5", "2", "3"]),
)
def test_gone_quiet_is_told_alike_by_hand(
    histories: list[list[int]], days: int, factor: str
) -> None:
    book = in_memory()
    by_days, by_factor = set(), set()
    for number, history in enumerate(histories):
        name = f"c{number}"
        bought(book, name, *history)
        if -max(history) >= days:
            by_days.add(name)
        distinct = sorted(set(history))
        if len(distinct) >= 3:
            gaps = [Fraction(b - a) for a, b in itertools.pairwise(distinct)]
            if -max(history) > Fraction(factor) * median(gaps):
                by_factor.add(name)
    assert {name for name, _ in quiet(book, days=days)} == by_days
    assert {name for name, _ in quiet(book, factor=factor)} == by_factor


def test_a_day_is_the_last_one_that_a_figure_knows(book: Book) -> None:
    client = bought(book, "Acme", 0)
    assert book.insights.purchases(client, as_of=TODAY - timedelta(days=1)).count == 0
    assert book.insights.best_clients(until=TODAY)[0].count == 1
