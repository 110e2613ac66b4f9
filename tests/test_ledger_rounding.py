"""Every amount of the ledger is exact: counted again on fractions, under other people's contexts.

A host may set any decimal context for its thread. Each property here holds in the worst of them.
"""

import decimal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from iso4217 import Currency as Iso
from tests.books import TODAY, Clock, day, in_memory

from clientledger import (
    Book,
    Client,
    Currency,
    ExchangeRate,
    InvalidValue,
    Line,
    MemoryStore,
    Money,
    PaymentTerms,
    TermsPart,
    hookimpl,
)
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL, ROUNDINGS, split

DIGITS = {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
CODES = st.sampled_from(sorted(DIGITS))
RULES = st.sampled_from(ROUNDINGS)


# ------------------------------------------------------------ rounding, on fractions
def rounded(value: Fraction, rule: str) -> int:
    """A number rounded to a whole one by a rule of the decimal module, on exact fractions."""
    below = value.numerator // value.denominator
    rest = value - below
    if not rest:
        return below
    above = below + 1
    if rule == "ROUND_CEILING":
        return above
    if rule == "ROUND_FLOOR":
        return below
    towards, away = (below, above) if value > 0 else (above, below)  # zero
    if rule in ("ROUND_DOWN", "ROUND_UP"):
        return towards if rule == "ROUND_DOWN" else away
    if rest != Fraction(1, 2):
        return above if rest > Fraction(1, 2) else below
    if rule == "ROUND_HALF_EVEN":
        return above if above % 2 == 0 else below
    return towards if rule == "ROUND_HALF_DOWN" else away


@pytest.mark.parametrize("rule", ROUNDINGS)
def test_our_own_rounding_is_the_decimal_modules(rule: str) -> None:
    for n in range(-400, 401):
        wanted = (Decimal(n) / 100).quantize(Decimal(1), rounding=rule)
        assert rounded(Fraction(n, 100), rule) == wanted


def number(digits: int, places: int) -> Decimal:
    """A number of digits and decimal places, made without any context."""
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -places))


def numbers(places: int, most: int) -> st.SearchStrategy[Decimal]:
    """Numbers with up to so many decimals; many lie at a half, or just beside it."""
    near = [0, 1, 4, 5, 6, 25, 49, 50, 51, 125, 333, 335, 499, 500, 501, 667, 995, 999]
    few = st.builds(number, st.sampled_from(near), st.integers(0, places))
    many = st.builds(
        lambda digits, left: number(digits // 10**left, places - left),
        st.integers(0, most * 10**places),
        st.integers(0, places),
    )
    return st.one_of(few, many)


# ------------------------------------------------------------ hostile contexts
TRAPS = [
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
CONTEXTS = [
    Context(prec=prec, rounding=rule, traps=traps, Emin=-1, Emax=1, clamp=1, capitals=0)
    for prec, traps in [(1, TRAPS), (6, []), (6, TRAPS)]
    for rule in [*ROUNDINGS, "ROUND_05UP"]
]
each_context = pytest.mark.parametrize(
    "context",
    CONTEXTS,
    ids=lambda c: f"{c.prec}-{c.rounding}-{'traps' if c.traps[decimal.Inexact] else 'none'}",
)
some = settings(max_examples=15)


@contextmanager
def within(context: Context) -> Iterator[None]:
    with localcontext(context):
        yield


@pytest.fixture(scope="module")
def shop() -> tuple[Book, Client]:
    book = in_memory()
    return book, book.clients.add("Acme")


def new_shop(**changes: Any) -> tuple[Book, Client]:
    book = in_memory()
    if changes:
        book.change_settings(**changes)
    return book, book.clients.add("Acme")


# ------------------------------------------------------------ lines
@attrs.frozen
class Told:
    """A line as told, and what it comes to on fractions."""

    quantity: Decimal
    price: Decimal
    percent: Decimal | None
    discount: int | None
    tax: int | None

    def line(self, code: str) -> Line:
        def money(minor: int | None) -> Money | None:
            return None if minor is None else Money.from_minor(minor, code)

        return Line(
            "Beans",
            self.quantity,
            self.price,
            discount_percent=self.percent,
            discount=money(self.discount),
            tax=money(self.tax),
        )

    def minor(self, code: str, rule: str) -> int:
        net = Fraction(self.quantity) * Fraction(self.price) * 10 ** DIGITS[code]
        net -= net * Fraction(self.percent or 0) / 100
        return rounded(net - (self.discount or 0) + (self.tax or 0), rule)


LINES = st.builds(
    Told,
    quantity=numbers(6, 1000),
    price=numbers(8, 1000),
    percent=st.none() | numbers(8, 99).filter(lambda n: Fraction(n) <= 100),
    discount=st.none() | st.integers(0, 99),
    tax=st.none() | st.integers(0, 10**6),
)


@each_context
@some
@given(told=st.lists(LINES, min_size=1, max_size=6), code=CODES, rule=RULES)
def test_a_sale_and_a_credit_note_are_the_sums_of_lines_each_rounded_once(
    context: Context, told: list[Told], code: str, rule: str
) -> None:
    wanted = [line.minor(code, rule) for line in told]
    assume(all(minor >= 0 for minor in wanted))
    assume(0 < sum(wanted) <= MAX_MINOR)
    with within(context):
        book, client = new_shop(rounding=rule)
        lines = [line.line(code) for line in told]
        sale = book.ledger.record_sale(client, lines, currency=code)
        note = book.ledger.record_credit_note(client, lines, reason="r", currency=code, sale=sale)
        left = book.ledger.account(client, code)
        sheet = book.ledger.statement(client, code, TODAY, TODAY)
    for entry in (sale, note):
        assert [line.total.minor for line in entry.lines] == wanted
        assert entry.amount.minor == sum(wanted)
        for line, one in zip(entry.lines, told, strict=True):
            assert (line.quantity, line.price) == (one.quantity, one.price)
            assert line.discount_percent == one.percent
    assert sale.instalments[0].amount == sale.amount
    assert (left.owed.minor, left.prepaid.minor) == (0, 0)
    assert [row.balance.minor for row in sheet.rows] == [sum(wanted), 0]


@each_context
@some
@given(told=LINES, code=CODES, rule=RULES)
def test_a_line_that_comes_to_less_than_nothing_is_refused(
    context: Context, told: Told, code: str, rule: str
) -> None:
    over = attrs.evolve(
        told,
        tax=None,
        discount=attrs.evolve(told, discount=0, tax=0).minor(code, "ROUND_CEILING") + 2,
    )
    with within(context):
        book, client = new_shop(rounding=rule)
        with pytest.raises(InvalidValue) as caught:
            book.ledger.record_sale(client, [over.line(code), ("Cups", 1, "100")], currency=code)
    assert caught.value.field == "lines[1]"


@each_context
def test_a_total_as_told_wins_and_is_summed_as_told(context: Context) -> None:
    with within(context):
        book, client = new_shop()
        lines = [
            Line("a", 3, "0.333333", total="1.00"),
            Line("b", "0.000001", "0.00000001", total=0),
            Line("c", 1, 1, total=Money("2.01", "EUR")),
            Line("d", "2.5", "0.01"),
        ]
        sale = book.ledger.record_sale(client, lines, currency="EUR")
    assert [line.total.minor for line in sale.lines] == [100, 0, 201, 2]
    assert sale.amount.minor == 303


# ------------------------------------------------------------ parts
@each_context
@some
@given(code=CODES, minor=st.integers(1, MAX_MINOR), parts=st.integers(1, 60))
def test_a_split_re_sums_and_is_taken_as_instalments(
    context: Context, code: str, minor: int, parts: int
) -> None:
    assume(parts <= minor)
    with within(context):
        book, client = new_shop()
        whole = Money.from_minor(minor, code)
        found = split(whole, parts)
        told = [(day(n), part) for n, part in enumerate(found)]
        sale = book.ledger.record_sale(client, whole, instalments=told)
        short = [(day(0), found[0] + Money.from_minor(1, code)), *told[1:]]
        with pytest.raises(InvalidValue) as caught:
            book.ledger.record_sale(client, whole, instalments=short)
    assert caught.value.field in ("instalments", "instalments[1].amount")
    share = Fraction(minor, parts)
    assert sum(part.minor for part in found) == minor
    assert all(abs(part.minor - share) < 1 for part in found)
    assert [part.amount for part in sale.instalments] == list(found)


def shares(cut: list[int]) -> list[int]:
    """Millionths of a percent that add up to a hundred."""
    edges = sorted({0, 10**8, *cut})
    return [high - low for low, high in pairwise(edges)]


@each_context
@some
@given(
    code=CODES,
    minor=st.one_of(st.sampled_from([1, 2, 3, 99, 100, 101]), st.integers(1, MAX_MINOR)),
    cut=st.lists(st.integers(1, 10**8 - 1), max_size=11),
    rest=st.booleans(),
    rule=RULES,
)
def test_terms_re_sum_and_round_the_running_share_once(
    context: Context, code: str, minor: int, cut: list[int], rest: bool, rule: str
) -> None:
    told = shares(cut)
    last = len(told) - 1
    parts = tuple(
        TermsPart(share=None if rest and n == last else number(share, 6), days=n)
        for n, share in enumerate(told)
    )
    running = [rounded(Fraction(minor * sum(told[: n + 1]), 10**8), rule) for n in range(len(told))]
    wanted = [high - low for low, high in pairwise([0, *running])]
    with within(context):
        book, client = new_shop(rounding=rule)
        terms = PaymentTerms("in our own words", parts)
        sale = book.ledger.record_sale(client, Money.from_minor(minor, code), terms=terms)
    assert sum(part.amount.minor for part in sale.instalments) == minor
    assert [(part.due, part.amount.minor) for part in sale.instalments] == [
        (day(n), part) for n, part in enumerate(wanted) if part
    ]


@each_context
def test_terms_in_words_are_exact_too(context: Context) -> None:
    with within(context):
        book, client = new_shop()
        terms = "33.333333 % now, 33.333333 percent in 10 days, rest in 20 days"
        sale = book.ledger.record_sale(client, "9999999999999.99 EUR", terms=terms)
    # a third of a cent short of a third, twice: 33.333333 % and 66.666666 % of it, rounded
    wanted = [
        rounded(Fraction(999999999999999 * n, 10**8), "ROUND_HALF_EVEN")
        for n in (33333333, 66666666)
    ]
    assert [part.amount.minor for part in sale.instalments] == [
        wanted[0],
        wanted[1] - wanted[0],
        999999999999999 - wanted[1],
    ]


# ------------------------------------------------------------ rates
@attrs.define
class Rates:
    """Whatever rates are told."""

    told: dict[tuple[str, str], Decimal] = attrs.field(factory=dict)

    @hookimpl
    def exchange_rate(self, base: str, quote: str, on: date) -> ExchangeRate | None:
        rate = self.told.get((base, quote))
        return None if rate is None else ExchangeRate(base=base, quote=quote, rate=rate, on=on)


def with_rates(rule: str, told: dict[tuple[str, str], Decimal]) -> tuple[Book, Client]:
    book = Book(MemoryStore(), actor="olena", clock=Clock(), plugins=[Rates(told)])
    book.change_settings(rounding=rule)
    return book, book.clients.add("Acme")


RATES = st.builds(number, st.integers(1, 10**7), st.integers(0, 8))
SMALL = st.one_of(st.sampled_from([1, 2, 5, 49, 50, 51, 333]), st.integers(1, 10**9))


def worth(minor: int, code: str, into: str, rate: Decimal) -> Fraction:
    """An amount at a rate, in minor units of the other currency."""
    return Fraction(minor, 10 ** DIGITS[code]) * Fraction(rate) * Fraction(10 ** DIGITS[into])


@each_context
@some
@given(
    pair=st.permutations(sorted(DIGITS)),
    given_=st.tuples(SMALL, SMALL),
    rate=RATES,
    rule=RULES,
)
def test_an_exchange_is_over_the_amounts_told_and_its_difference_is_rounded_once(
    context: Context, pair: list[str], given_: tuple[int, int], rate: Decimal, rule: str
) -> None:
    base, quote = pair[:2]
    wanted = rounded(worth(given_[0], base, quote, rate), rule)
    assume(wanted <= MAX_MINOR)
    with within(context):
        book, client = with_rates(rule, {(base, quote): rate})
        free = book.ledger.record_payment(client, Money.from_minor(given_[0] + 7, base))
        amounts = [Money.from_minor(m, c) for m, c in zip(given_, pair[:2], strict=True)]
        new = book.ledger.exchange(free, *amounts)
        shown = book.ledger.exchange_difference(new)
        left = book.ledger.accounts(client)
    assert {code: one.prepaid.minor for code, one in left.items()} == {base: 7, quote: given_[1]}
    assert (shown.given, shown.counted) == tuple(amounts)
    assert (shown.worth.minor, shown.worth.currency) == (wanted, quote)
    assert shown.difference.minor == wanted - given_[1]


@each_context
@some
@given(
    balances=st.lists(st.tuples(CODES, SMALL | SMALL.map(lambda n: -n)), min_size=1, max_size=8),
    into=CODES,
    rates=st.lists(RATES, min_size=4, max_size=4),
    rule=RULES,
)
def test_a_converted_total_rounds_each_currency_once_over_all_clients(
    context: Context,
    balances: list[tuple[str, int]],
    into: str,
    rates: list[Decimal],
    rule: str,
) -> None:
    told = {(code, into): rate for code, rate in zip(sorted(DIGITS), rates, strict=True)}
    sums: dict[str, int] = {}
    for code, minor in balances:
        sums[code] = sums.get(code, 0) + minor
    wanted = {
        code: minor if code == into else rounded(worth(minor, code, into, told[code, into]), rule)
        for code, minor in sums.items()
    }
    assume(sum(map(abs, wanted.values())) <= MAX_TOTAL)
    with within(context):
        book, acme = with_rates(rule, told)
        clients = [acme, book.clients.add("Beta")]
        for n, (code, minor) in enumerate(balances):
            amount = Money.from_minor(minor, code)
            book.ledger.record_opening_balance(clients[n % 2], amount, on=TODAY)
        found = book.insights.converted_total(into)
    assert {row.account.currency: row.balance.minor for row in found.rows} == wanted
    assert found.balance.minor == sum(wanted.values())
    assert found.balance.currency == into


# ------------------------------------------------------------ every currency
UNITS = [Currency(unit.code, unit.exponent) for unit in Iso if unit.exponent is not None]
OWN = [Currency(f"OWN{digits}", digits) for digits in range(9)]


@pytest.mark.parametrize("unit", [*UNITS, *OWN], ids=str)
def test_a_currency_is_sold_credited_and_paid_to_its_last_minor_unit(unit: Currency) -> None:
    context = CONTEXTS[sum(map(ord, unit.code)) % len(CONTEXTS)]
    price = number(123456789, 8)
    net = Fraction(3) * Fraction(price) * 10**unit.digits
    sold = [rounded(net, "ROUND_HALF_EVEN"), 10**unit.digits]
    with within(context):
        book = in_memory()
        if unit in OWN:
            book.change_settings(currencies=OWN)
        client = book.clients.add("Acme")
        lines = [("Beans", 3, price), ("Cup", 1, 1)]
        sale = book.ledger.record_sale(client, lines, currency=unit.code)
        note = book.ledger.record_credit_note(
            client, lines[1:], reason="broken", currency=unit.code, sale=sale
        )
        smallest = Money.from_minor(1, unit)
        payment = book.ledger.record_payment(client, f"{smallest.amount:f}", currency=unit.code)
        with pytest.raises(InvalidValue):
            book.ledger.record_payment(client, number(1, unit.digits + 1), currency=unit.code)
        found = book.ledger.account(client, unit.code)
        state = book.ledger.state(sale)
        sheet = book.ledger.statement(client, unit.code, TODAY, TODAY)
        whole = book.verify().ok
    assert whole
    assert sale.amount.unit == unit
    assert [line.total.minor for line in sale.lines] == sold
    assert (sale.amount.minor, note.amount.minor) == (sum(sold), sold[1])
    assert payment.amount == smallest
    left = sold[0] - 1
    assert found.owed.minor == state.open.minor == sheet.closing.minor == left
    assert Fraction(found.owed.amount) == Fraction(left, 10**unit.digits)
    assert Money.parse(str(found.owed), {unit.code: unit}) == found.owed


def test_iso_has_currencies_of_0_2_3_and_4_decimals() -> None:
    assert {unit.digits for unit in UNITS} == {0, 2, 3, 4}
    assert len(UNITS) > 150


# ------------------------------------------------------------ no float
def floats(value: Any, path: str = "") -> Iterator[str]:
    """Where in a value a float stands."""
    if isinstance(value, float):
        yield f"{path}={value!r}"
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from floats(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from floats((key, inner), f"{path}[{key}]")
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for n, inner in enumerate(value):
            yield from floats(inner, f"{path}[{n}]")


def test_floats_are_found_where_they_are() -> None:
    junk: Any = 0.5
    rate = ExchangeRate(base="A", quote="B", rate=Decimal(1), on=TODAY, source=junk)
    hidden = {"a": [1, (2, Money("5", "EUR"), rate)]}
    assert list(floats(hidden)) == ["[a][1][1][2].source=0.5"]


def everything(book: Book, client: Client) -> dict[str, object]:
    """What the book answers, to whatever can be asked."""
    ledger, insights = book.ledger, book.insights
    figures: dict[str, Callable[[], object]] = {
        "entries": lambda: ledger.find(voided=True),
        "states": lambda: [ledger.state(e) for e in ledger.find(voided=True) if e.kind != "void"],
        "items": ledger.open_items,
        "accounts": lambda: ledger.accounts(client),
        "statement": lambda: ledger.statement(client, "EUR", day(-99), day(0)),
        "turnover": lambda: ledger.statement(client, "EUR", day(-99), day(0)).debits,
        "explained": lambda: [ledger.explain(row) for row in insights.ageing()],
        "explained items": lambda: [ledger.explain(item) for item in ledger.open_items()],
        "ageing": insights.ageing,
        "debtors": insights.debtors,
        "total": lambda: insights.converted_total("EUR"),
        "difference": lambda: ledger.exchange_difference(ledger.find(kind="exchange")[0]),
        "purchases": lambda: insights.purchases(client),
        "best": insights.best_clients,
        "dormant": lambda: insights.dormant(factor="0.1"),
        "dormant for days": lambda: insights.dormant(days=0),
        "card": lambda: book.card(client),
        "changes": lambda: book.changes(limit=None),
        "agreements": lambda: book.agreements.find(client),
        "timeline": lambda: book.interactions.timeline(client),
        "history": lambda: book.clients.history(client),
        "settings": lambda: book.settings,
        "report": book.verify,
    }
    return {name: ask() for name, ask in figures.items()}


def test_no_float_comes_out_of_a_book_whatever_is_asked() -> None:
    told = {("USD", "EUR"): Decimal("0.9123"), ("EUR", "USD"): Decimal("1.0961")}
    book, acme = with_rates("ROUND_HALF_EVEN", told)
    ledger = book.ledger
    book.agreements.promise(acme, "discount", "x", percent="2.5", amount="5 EUR")
    for offset in (-50, -40, -28, -9):
        ledger.record_sale(
            acme, [Line("Beans", "0.333333", "9.99", tax="0.01")], currency="EUR", on=day(offset)
        )
    sale = ledger.record_sale(acme, "100 EUR", on=day(-8), terms="30 % now, rest in 5 days")
    payment = ledger.record_payment(acme, "33.33 EUR", on=day(-7), allocate={sale: "3"})
    ledger.record_refund(acme, "1 EUR", on=day(-6))
    ledger.exchange(payment, "5 EUR", "5.50 USD", on=day(-5))
    ledger.write_off(acme, "2 EUR", reason="r", on=day(-4))
    ledger.record_credit_note(acme, "1 EUR", reason="r", sale=sale, on=day(-3))
    ledger.void(ledger.correct(sale, reason="r", number="7"), reason="r")
    for context in (decimal.getcontext(), CONTEXTS[0]):
        with within(context):
            answers = everything(book, acme)
        assert all(answers.values())
        assert {name: list(floats(value)) for name, value in answers.items()} == {
            name: [] for name in answers
        }
