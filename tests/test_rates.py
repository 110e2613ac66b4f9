"""Totals and exchanges at the rates of a file: the example plugin, on real rates."""

import importlib.util
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clientledger import Book, Currency, Money, NotFound, open_book

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("CLIENTLEDGER_SHARED_DATA") or ROOT.parent / "shared" / "data")
FILE = SHARED / "fx-rates" / "currency_rates.csv"
DAY = date(2022, 6, 1)


def rates_file() -> Any:
    spec = importlib.util.spec_from_file_location(
        "rates_file", ROOT / "examples" / "plugins" / "rates_file.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RatesFile


def small(folder: Path) -> Path:
    path = folder / "rates.csv"
    path.write_text(
        "date,from_currency,to_currency,average_rate,end_of_day_rate\n"
        "2022-06-01,USD,EUR,1,0.8\n2022-06-03,USD,EUR,1,0.9\n2022-06-03,EUR,JPY,1,150.255\n",
        encoding="utf-8",
    )
    return path


def book_with(path: Path, **settings: Any) -> Book:
    return open_book(
        "memory:", actor="olena", plugins=[rates_file()(path)], settings=settings or None
    )


def test_the_newest_rate_that_is_not_too_old_counts(tmp_path: Path) -> None:
    book = book_with(small(tmp_path))
    book.ledger.record_sale(book.clients.add("Acme"), "10 USD", on=DAY)
    for day, worth in ((1, "8.00"), (2, "8.00"), (3, "9.00"), (10, "9.00")):
        total = book.insights.converted_total("EUR", as_of=date(2022, 6, day))
        assert total.balance == Money(worth, "EUR")
        assert total.rows[0].rate is not None
        assert total.rows[0].rate.on == date(2022, 6, min(3, day if day != 2 else 1))
    with pytest.raises(NotFound):
        book.insights.converted_total("EUR", as_of=date(2022, 6, 11))


def test_a_total_is_rounded_once_an_account_to_the_minor_units_of_its_currency(
    tmp_path: Path,
) -> None:
    book = book_with(small(tmp_path))
    acme, beta = book.clients.add("Acme"), book.clients.add("Beta")
    for client in (acme, beta):
        book.ledger.record_sale(client, "0.33 EUR", on=DAY)
    day = date(2022, 6, 3)
    assert book.insights.converted_total("JPY", as_of=day).balance == Money("99", "JPY")
    alone = book.insights.converted_total("JPY", client=acme, as_of=day)
    assert alone.balance == Money("50", "JPY")  # 49.58: two of them would be 100


def test_a_credit_balance_is_below_zero_when_converted_too(tmp_path: Path) -> None:
    book = book_with(small(tmp_path))
    book.ledger.record_payment(book.clients.add("Acme"), "10 USD", on=DAY)
    assert book.insights.converted_total("EUR", as_of=DAY).balance == Money("-8", "EUR")


def test_an_exchange_shows_what_was_gained_and_changes_no_debt(tmp_path: Path) -> None:
    book = book_with(small(tmp_path))
    acme = book.clients.add("Acme")
    sale = book.ledger.record_sale(acme, "100 EUR", on=DAY)
    paid = book.ledger.record_payment(acme, "120 USD", on=DAY, allocate={})
    euros = book.ledger.exchange(paid, "120", "100 EUR", on=date(2022, 6, 3))
    for half in (euros, euros.pair):
        found = book.ledger.exchange_difference(half or "")
        assert (found.given, found.counted) == (Money("120", "USD"), Money("100", "EUR"))
        assert (found.worth, found.difference) == (Money("108", "EUR"), Money("8", "EUR"))
        assert (found.rate.rate, found.rate.on) == (Decimal("0.9"), date(2022, 6, 3))
    assert book.ledger.state(sale, as_of=date(2022, 6, 3)).open == Money("100", "EUR")


@pytest.mark.skipif(not FILE.exists(), reason="the rates are not at hand: CLIENTLEDGER_SHARED_DATA")
def test_real_rates_convert_withdrawn_currencies_too() -> None:
    book = book_with(FILE, currencies=[Currency("DEM", 2), Currency("VEB", 2)])
    acme = book.clients.add("Acme")
    for amount in ("1000 DEM", "700000 VEB", "250 USD", "9999 JPY"):
        book.ledger.record_sale(acme, amount, on=date(2022, 5, 30))
    total = book.insights.converted_total("USD", as_of=date(2022, 5, 30))
    rows = {row.account.currency: row for row in total.rows}
    assert sorted(rows) == ["DEM", "JPY", "USD", "VEB"]
    assert total.balance.minor == sum(row.balance.minor for row in rows.values())
    assert rows["USD"].rate is None
    rate = rows["DEM"].rate
    assert rate is not None
    assert (rate.base, rate.quote, rate.source) == ("DEM", "USD", FILE.name)
    assert rows["DEM"].balance.amount == (Decimal(1000) * rate.rate).quantize(Decimal("0.01"))
