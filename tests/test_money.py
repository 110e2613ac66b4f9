"""Money is exact, whatever the currency and whatever the thread's decimal context."""

import decimal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from iso4217 import Currency as Iso
from tests.books import day, in_memory

from clientledger import (
    Book,
    Client,
    ClientLedgerError,
    Currency,
    InvalidValue,
    Line,
    Money,
    WrongCurrency,
    codec,
)
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL, ROUNDINGS, split

DIGITS = {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
CODES = st.sampled_from(sorted(DIGITS))
EDGES = [0, 1, 2, 49, 50, 51, 99, 100, 101, 12345, 10**12, MAX_MINOR - 1, MAX_MINOR]
MINORS = st.one_of(st.sampled_from(EDGES), st.integers(0, MAX_MINOR))
SIGNED = st.one_of(MINORS, MINORS.map(lambda minor: -minor))
RULES: dict[str, Callable[[Fraction], int]] = {  # each rule, told on exact fractions
    "ROUND_HALF_EVEN": round,
    "ROUND_HALF_UP": lambda x: floor(x + Fraction(1, 2)) if x >= 0 else ceil(x - Fraction(1, 2)),
    "ROUND_HALF_DOWN": lambda x: ceil(x - Fraction(1, 2)) if x >= 0 else floor(x + Fraction(1, 2)),
    "ROUND_UP": lambda x: ceil(x) if x >= 0 else floor(x),
    "ROUND_DOWN": int,
    "ROUND_CEILING": ceil,
    "ROUND_FLOOR": floor,
}


def numbers(decimals: int, whole: int = 10**6) -> st.SearchStrategy[Decimal]:
    """Numbers of zero or more with up to so many decimals, many of them just at a half."""
    scale = 10**decimals
    odd = st.sampled_from([0, 1, 5, 25, 125, 5 * scale // 10, scale, scale + 1, 10 * scale - 1])
    return st.builds(
        lambda n, places: Decimal(n).scaleb(-places),
        st.one_of(odd, st.integers(0, whole * scale)),
        st.integers(0, decimals),
    )


@pytest.fixture(scope="module")
def shop() -> tuple[Book, Client]:
    book = in_memory()
    return book, book.clients.add("Acme")


# ------------------------------------------------------------ one amount
@given(CODES, SIGNED)
def test_an_amount_is_its_minor_units(code: str, minor: int) -> None:
    money = Money.from_minor(minor, code)
    assert Fraction(money.amount) == Fraction(minor, 10 ** DIGITS[code])
    assert -int(money.amount.as_tuple().exponent) == DIGITS[code]
    assert Money(money.amount, code) == money
    assert Money.parse(str(money)) == money
    assert eval(repr(money), {"Money": Money}) == money
    assert codec.load(Money, codec.dump(money)) == money
    assert bool(money) is (minor != 0)
    assert (-money).minor == -minor


@given(CODES, SIGNED, SIGNED)
def test_amounts_of_one_currency_add_compare_and_hash_as_their_minor_units_do(
    code: str, one: int, other: int
) -> None:
    a, b = Money.from_minor(one, code), Money.from_minor(other, code)
    assert (a + b).minor == one + other
    assert (a - b).minor == one - other
    assert a - b + b == a
    compared = (a < b, a <= b, a > b, a >= b, a == b)
    assert compared == (one < other, one <= other, one > other, one >= other, one == other)
    if a == b:
        assert hash(a) == hash(b)
    assert sorted([a, b]) == [Money.from_minor(m, code) for m in sorted([one, other])]


@given(SIGNED, st.sampled_from(["+", "-", "<", "<=", ">", ">="]))
def test_amounts_of_two_currencies_never_meet(minor: int, operation: str) -> None:
    euro, dollar = Money.from_minor(minor, "EUR"), Money.from_minor(minor, "USD")
    assert euro != dollar
    with pytest.raises(WrongCurrency) as caught:
        eval(f"a {operation} b", {"a": euro, "b": dollar})
    assert caught.value.field == "currency"


@pytest.mark.parametrize("other", [5, Decimal(5), "5.00 EUR", None, 0.5])
def test_an_amount_and_a_number_never_meet(other: Any) -> None:
    with pytest.raises(ClientLedgerError):
        assert Money("5", "EUR") + other
    with pytest.raises(ClientLedgerError):
        assert Money("5", "EUR") < other
    assert Money("5", "EUR") != other


def test_two_units_of_one_code_are_two_currencies() -> None:
    with pytest.raises(WrongCurrency):
        Money("1", "EUR") + Money("1", Currency("EUR", 3))
    assert Money("1", "EUR") != Money("1", Currency("EUR", 3))


def test_what_is_beyond_every_store_is_refused_in_sums_too() -> None:
    most = Money.from_minor(MAX_TOTAL, "EUR")
    with pytest.raises(InvalidValue):
        assert most + Money("0.01", "EUR")
    with pytest.raises(InvalidValue):
        assert -most - Money("0.01", "EUR")
    assert (most - most).minor == 0


# ------------------------------------------------------------ ISO 4217
def test_every_currency_of_iso_with_a_minor_unit_has_its_decimals() -> None:
    counts: dict[int, int] = {}
    for unit in Iso:
        if unit.exponent is None:
            with pytest.raises(InvalidValue):
                Money("1", unit.code)
            continue
        counts[unit.exponent] = counts.get(unit.exponent, 0) + 1
        money = Money("1", unit.code)
        assert money.minor == 10**unit.exponent
        assert str(money) == f"{Decimal(1).scaleb(-unit.exponent) * 10**unit.exponent} {unit.code}"
        smallest = Money(Decimal(1).scaleb(-unit.exponent), unit.code)
        assert smallest.minor == 1
        with pytest.raises(InvalidValue, match=f"{unit.code} has {unit.exponent} decimals"):
            Money(Decimal(1).scaleb(-unit.exponent - 1), unit.code)
    assert set(counts) == {0, 2, 3, 4}
    assert sum(counts.values()) > 150


@given(
    st.from_regex(r"[A-Z][A-Z0-9]{1,11}", fullmatch=True), st.integers(0, 8), st.integers(-999, 999)
)
def test_a_unit_of_ones_own_is_written_and_read_like_others(
    code: str, digits: int, minor: int
) -> None:
    assume(code not in {unit.code for unit in Iso})
    unit = Currency(code, digits)
    money = Money.from_minor(minor, unit)
    assert Money.parse(str(money), {code: unit}) == money
    assert codec.load(Money, codec.dump(money)) == money


def test_a_books_own_currency_is_known_by_its_code() -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    with pytest.raises(InvalidValue, match="DEM"):
        book.ledger.record_sale(client, "5 DEM")
    book.change_settings(currencies=[Currency("DEM", 2), Currency("BEAN", 0)], currency="DEM")
    assert book.ledger.record_sale(client, "5.00").amount == Money("5", Currency("DEM", 2))
    assert book.ledger.record_sale(client, "7 BEAN").amount.minor == 7
    assert list(book.ledger.accounts(client)) == ["BEAN", "DEM"]
    assert book.verify().ok


def test_a_currency_in_use_keeps_its_decimals_and_stays() -> None:
    book = in_memory()
    client = book.clients.add("Acme")
    book.change_settings(currencies=[Currency("DEM", 2), Currency("BEAN", 0)])
    book.ledger.record_sale(client, "5 DEM")
    for currencies in ([Currency("DEM", 3)], []):
        with pytest.raises(ClientLedgerError) as caught:
            book.change_settings(currencies=currencies)
        assert caught.value.value == "DEM"
    book.change_settings(currencies=[Currency("DEM", 2), Currency("BEAN", 2)])
    assert book.ledger.record_sale(client, "0.07 BEAN").amount.minor == 7


# ------------------------------------------------------------ lines
@given(
    code=CODES,
    quantity=numbers(6, 10**4),
    price=numbers(8, 10**4),
    percent=st.none() | numbers(8, 99),
    discount=st.none() | MINORS.filter(lambda minor: minor <= 10**6),
    tax=st.none() | MINORS.filter(lambda minor: minor <= 10**6),
    rounding=st.sampled_from(ROUNDINGS),
)
@example("EUR", Decimal("0.5"), Decimal("0.01"), None, None, None, "ROUND_HALF_EVEN")
@example("EUR", Decimal("1.5"), Decimal("0.01"), None, None, None, "ROUND_HALF_EVEN")
@example("EUR", Decimal(3), Decimal("0.335"), Decimal(50), None, None, "ROUND_HALF_EVEN")
@example("JPY", Decimal(1), Decimal("2.5"), None, None, None, "ROUND_HALF_UP")
@example("EUR", Decimal(1), Decimal("1.004"), None, None, 1, "ROUND_HALF_EVEN")
def test_a_line_is_rounded_once_from_its_exact_value(
    code: str,
    quantity: Decimal,
    price: Decimal,
    percent: Decimal | None,
    discount: int | None,
    tax: int | None,
    rounding: str,
) -> None:
    assume(percent is None or percent <= 100)
    unit = 10 ** DIGITS[code]
    exact = Fraction(quantity) * Fraction(price)
    exact *= (100 - Fraction(percent or 0)) / 100
    exact += Fraction((tax or 0) - (discount or 0), unit)
    wanted = RULES[rounding](exact * unit)
    book = in_memory()
    client = book.clients.add("Acme")
    book.change_settings(rounding=rounding)
    line = Line(
        "Beans",
        quantity,
        price,
        discount_percent=percent,
        discount=None if discount is None else Money.from_minor(discount, code),
        tax=None if tax is None else Money.from_minor(tax, code),
    )
    if not 0 < wanted <= MAX_MINOR:
        with pytest.raises(InvalidValue):
            book.ledger.record_sale(client, [line], currency=code)
        return
    sale = book.ledger.record_sale(client, [line], currency=code)
    assert sale.lines[0].total.minor == sale.amount.minor == wanted
    assert (sale.lines[0].quantity, sale.lines[0].price) == (quantity, price)


@given(st.lists(st.tuples(numbers(6, 100), numbers(8, 100)), min_size=1, max_size=8), CODES)
def test_a_document_is_the_sum_of_its_rounded_lines(
    told: list[tuple[Decimal, Decimal]], code: str
) -> None:
    unit = 10 ** DIGITS[code]
    wanted = sum(round(Fraction(q) * Fraction(p) * unit) for q, p in told)
    assume(0 < wanted <= MAX_MINOR)
    book = in_memory()
    client = book.clients.add("Acme")
    sale = book.ledger.record_sale(client, [("Beans", q, p) for q, p in told], currency=code)
    assert sale.amount.minor == wanted == sum(line.total.minor for line in sale.lines)


def test_a_total_as_told_wins_over_the_arithmetic(shop: tuple[Book, Client]) -> None:
    book, client = shop
    told = Line("Beans", 3, "9.99", discount="1", tax="2.10", total="31.00")
    assert book.ledger.record_sale(client, [told], currency="EUR").amount == Money("31", "EUR")


def test_half_a_cent_goes_to_the_even_one(shop: tuple[Book, Client]) -> None:
    book, client = shop
    lines = [("a", "0.5", "0.01"), ("b", "1.5", "0.01"), ("c", "2.5", "0.01"), ("d", 1, "1")]
    sale = book.ledger.record_sale(client, lines, currency="EUR")
    assert [line.total.minor for line in sale.lines] == [0, 2, 2, 100]


# ------------------------------------------------------------ splits
@given(CODES, SIGNED, st.integers(1, 1200))
def test_the_parts_of_a_split_add_up_and_differ_by_one_at_most(
    code: str, minor: int, parts: int
) -> None:
    found = [part.minor for part in split(Money.from_minor(minor, code), parts)]
    assert len(found) == parts
    assert sum(found) == minor
    assert max(found) - min(found) <= 1
    assert found == sorted(found, reverse=True)


def test_a_hundred_split_by_three_puts_the_odd_cent_first() -> None:
    parts = split(Money("100", "EUR"), 3)
    assert [str(part) for part in parts] == ["33.34 EUR", "33.33 EUR", "33.33 EUR"]


@pytest.mark.parametrize("parts", [0, -1, 1201, 1.0, True, "3", None])
def test_no_amount_is_split_into_what_is_no_number_of_parts(parts: Any) -> None:
    with pytest.raises(InvalidValue):
        split(Money("100", "EUR"), parts)


# ------------------------------------------------------------ other people's decimal contexts
SIGNALS = [
    decimal.Clamped,
    decimal.DivisionByZero,
    decimal.FloatOperation,
    decimal.Inexact,
    decimal.InvalidOperation,
    decimal.Overflow,
    decimal.Rounded,
    decimal.Subnormal,
    decimal.Underflow,
]
MODES = [*ROUNDINGS, "ROUND_05UP"]
HOSTILE = [
    *(
        Context(prec=prec, rounding=mode, traps=traps, Emin=-1, Emax=1, clamp=1, capitals=0)
        for prec, mode, traps in product((1, 6, 9999), MODES, ([], SIGNALS))
    ),
    Context(prec=9999, traps=[], Emin=0, Emax=0),
]


@contextmanager
def within(context: Context) -> Iterator[None]:
    with localcontext(context):
        yield


def a_days_work() -> list[str]:
    """Sales, payments and figures, as text."""
    book = in_memory()
    client = book.clients.add("Acme")
    lines = [
        Line("Beans", "120.123456", "9.12345678", discount_percent="5.5", tax="1.99"),
        Line("Cups", 3, "0.335", discount="0.01"),
        Line("Chair", Decimal("1E+3"), Decimal("123456.789"), sku="C"),
    ]
    sale = book.ledger.record_sale(client, lines, currency="EUR", on=day(-60))
    big = book.ledger.record_sale(client, "9999999999999.99 EUR", on=day(-40))
    book.ledger.record_sale(
        client, "100 EUR", on=day(-5), instalments=[(day(1), "33.34"), (day(2), "66.66")]
    )
    book.ledger.record_payment(client, Decimal("123456.78"), currency="EUR", on=day(-3))
    book.ledger.record_payment(client, "1.234 KWD")
    book.ledger.record_sale(client, 5, currency="JPY", use_prepayments=False)
    promise = book.agreements.promise(
        client, "discount", "x", percent="12.345678", amount="7.77 EUR"
    )
    shown = [codec.dump_json(line) for line in (*sale.lines, big.amount, promise.percent)]
    shown += [repr(account) for account in book.ledger.accounts(client).values()]
    shown += [str(row.buckets) for row in book.insights.ageing()]
    shown += [codec.dump_json(book.insights.purchases(client))]
    sheet = book.ledger.statement(client, "EUR", day(-90), day(0))
    shown += [str(row.balance) for row in sheet.rows]
    shown += [str(row.days) for row in book.insights.dormant(factor="0.000001")]
    shown += [str(split(Money("100", "EUR"), 7)), str(book.verify().ok)]
    refused = []
    for amount in ("0.001 EUR", "-1 EUR", "99999999999999.99 EUR"):
        with pytest.raises(ClientLedgerError) as caught:
            book.ledger.record_sale(client, amount)
        refused.append(str(caught.value))
    return shown + refused


@pytest.mark.parametrize("context", HOSTILE, ids=lambda c: f"{c.prec} {c.rounding} {len(c.flags)}")
def test_no_decimal_context_of_the_host_changes_a_result(context: Context) -> None:
    wanted = a_days_work()
    with within(context):
        found = a_days_work()
    assert found == wanted


def test_our_work_leaves_the_hosts_context_as_it_was() -> None:
    with within(Context(prec=7, rounding="ROUND_UP", traps=[])) as _:
        before = repr(decimal.getcontext())
        a_days_work()
        assert repr(decimal.getcontext()) == before
