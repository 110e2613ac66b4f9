"""Every document of the ledger that is refused: whose fault it is, what would be right, no trace.

Each refusal is tried beside work that goes on, by itself, and among others in one transaction.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.books import KINDS, TODAY, day, dump, new_book, undone
from tests.stocked import (
    CLOSED,
    RECORD,
    UNKNOWN,
    Call,
    Refusals,
    Shop,
    check_all_in_one,
    check_refused,
    instalment,
    its,
    record,
    stocked,
    to,
)

from clientledger import (
    Book,
    ClientArchived,
    ClientLedgerError,
    Duplicate,
    Instalment,
    InvalidValue,
    KeyReused,
    Money,
    NotFound,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)
from clientledger.domain.money import MAX_MINOR


@pytest.fixture(scope="module", params=KINDS)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    with new_book(request.param, tmp_path_factory.mktemp("shop")) as book:
        yield stocked(book)


CREDITS = ("payment", "credit note", "write-off")
SETTLING = (*CREDITS, "refund")
NUMBERED = ("sale", "payment", "credit note", "refund")
LINED = ("sale", "credit note")
REFUSALS = Refusals()
_kind: str
_name: str
_said: str
_amount: Any
_error: Any
_target: Any
_told: Any
_day: Any

# amounts, dates, clients, numbers, ids and keys of every document
AMOUNTS: dict[str, Any] = {
    "a float": 5.0,
    "true": True,
    "not a number": Decimal("NaN"),
    "infinite": Decimal("-Infinity"),
    "nothing": 0,
    "nothing in text": "0.00",
    "minus zero": Decimal("-0"),
    "in Arabic digits": "٥",
    "with a comma": "1,5",
    "with spaces around": " 5 ",
    "of three decimals": "1.001",
    "of five thousand digits": "9" * 5000,
    "above the limit of a document": Decimal(MAX_MINOR + 1).scaleb(-2),
    "twice below zero": "--5",
}
BELOW = {"negative": -5, "negative in text": "-0.01", "negative money": Money("-5", "EUR")}
DAYS: dict[str, Any] = {
    "at a moment": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "in text": "2026-03-01",
    "before 1900": date(1899, 12, 31),
    "after 2999": date(3000, 1, 1),
    "in a number": 20260301,
}
for _kind in RECORD:
    below = {} if _kind == "opening balance" else BELOW
    for _name, _amount in {**AMOUNTS, **below}.items():
        REFUSALS.add(
            f"{_kind} over {_name}",
            record(_kind, _amount, currency="EUR"),
            InvalidValue,
            "amount",
        )
    REFUSALS.add(
        f"{_kind} without a currency", record(_kind, "5"), InvalidValue, "amount", "currency="
    )
    REFUSALS.add(
        f"{_kind} in an unknown currency", record(_kind, "5 DEM"), InvalidValue, "currency"
    )
    REFUSALS.add(
        f"{_kind} in two currencies",
        record(_kind, "5 EUR", currency="USD"),
        WrongCurrency,
        "amount",
        "give it in USD",
    )
    for _name, _day in DAYS.items():
        REFUSALS.add(f"{_kind} {_name}", record(_kind, on=_day), InvalidValue, "on")
    for _name, _day in {"closing day": CLOSED, "day before it": day(-101)}.items():
        REFUSALS.add(
            f"{_kind} on the {_name}",
            record(_kind, on=_day),
            PeriodClosed,
            "on",
            f"closed through {CLOSED}.*reopen_period",
        )
    REFUSALS.add(
        f"{_kind} of nobody", record(_kind, client=UNKNOWN), NotFound, "client", "look it up"
    )
    REFUSALS.add(f"{_kind} of no id", record(_kind, client="Acme"), InvalidValue, "client")
    REFUSALS.add(f"{_kind} with a key in spaces", record(_kind, key=" k"), InvalidValue, "key")
    REFUSALS.add(
        f"{_kind} with the key of another command",
        record(_kind, key="k-close"),
        KeyReused,
        "key",
        "close_period",
    )
    REFUSALS.add(
        f"{_kind} with an external id that is taken",
        record(_kind, external_ids={"erp": "1"}),
        Duplicate,
        "external_ids[erp]",
        f"another {_kind} has it",
    )
    REFUSALS.add(
        f"{_kind} with external ids in a list",
        record(_kind, external_ids=["erp"]),
        InvalidValue,
        "external_ids",
    )
for _kind in NUMBERED:
    for _name, _said in {"own": "N-1", "another client's": "N-2"}.items():
        REFUSALS.add(
            f"{_kind} with {_name} number",
            record(_kind, number=_said),
            NumberTaken,
            "number",
            f"another {_kind} has it",
        )
    for _name, _told in {"empty": " ", "hidden": "N\u200b-3", "a number": 7}.items():
        REFUSALS.add(
            f"{_kind} with a number that is {_name}",
            record(_kind, number=_told),
            InvalidValue,
            "number",
        )
for _kind in LINED:
    for _name, _told in {
        "none": [],
        "a mapping": {"Beans": 5},
        "too many": [("B", 1, 5)] * 10_001,
    }.items():
        REFUSALS.add(
            f"{_kind} of lines that are {_name}",
            record(_kind, _told, currency="EUR"),
            InvalidValue,
            "lines",
        )
    REFUSALS.add(
        f"{_kind} of a line with a float",
        record(_kind, [("Beans", 1, 9.9)], currency="EUR"),
        InvalidValue,
        "lines[1].price",
    )
    REFUSALS.add(
        f"{_kind} of lines without a currency",
        record(_kind, [("Beans", 1, "5")]),
        InvalidValue,
        "currency",
        value=False,
    )
for _kind in ("credit note", "write-off"):
    for _name, _told in {"empty": "", "blank": " ", "a number": 7, "too long": "x" * 1001}.items():
        REFUSALS.add(
            f"{_kind} for a reason that is {_name}",
            record(_kind, reason=_told),
            InvalidValue,
            "reason",
        )
for _kind in ("payment", "refund"):
    REFUSALS.add(f"{_kind} by a number", record(_kind, method=7), InvalidValue, "method")
REFUSALS.add(
    "sale of an archived client",
    record("sale", client=its("archived")),
    ClientArchived,
    "client",
    "restore",
)

# when a debit falls due
for _kind in ("sale", "opening balance"):
    for _name, _day in DAYS.items():
        REFUSALS.add(f"{_kind} due {_name}", record(_kind, due=_day), InvalidValue, "due")
for _name, _told in {
    "a cent short": [(day(1), "2"), (day(2), "2.99")],
    "a cent over": [(day(1), "2"), (day(2), "3.01")],
    "twice on a day": [(day(1), "2"), (day(1), "3")],
    "none": [],
    "words": "tomorrow",
}.items():
    REFUSALS.add(
        f"sale with instalments that are {_name}",
        record("sale", instalments=_told),
        InvalidValue,
        "instalments",
    )
REFUSALS.add(
    "sale with an instalment of nothing",
    record("sale", instalments=[(day(1), "5"), (day(2), "0")]),
    InvalidValue,
    "instalments[2].amount",
)
for _name, _told in {
    "nonsense": "when the cows come home",
    "empty": "",
    "a number": 30,
    "above the whole": "60 % now, 60 % in 30 days",
    "not the whole": "30 % now, 60 % in 30 days",
    "in other digits": "３０ days",
}.items():
    REFUSALS.add(
        f"sale with terms that are {_name}",
        record("sale", terms=_told),
        InvalidValue,
        "terms",
        "write it like",
    )
REFUSALS.add(
    "sale with terms beyond the calendar",
    record("sale", on=date(2999, 12, 1), terms="in 60 days"),
    InvalidValue,
    "terms",
)
for _name, _told in {
    "due": {"due": day(3), "terms": "30 days"},
    "instalments": {"instalments": [(day(3), "5")], "terms": "30 days"},
}.items():
    REFUSALS.add(
        f"sale with {_name} beside terms",
        record("sale", **_told),
        InvalidValue,
        _name,
        "only one of them",
    )
REFUSALS.add(
    "sale with due beside instalments",
    record("sale", due=day(3), instalments=[(day(3), "5")]),
    InvalidValue,
    "due",
    "only one of them",
)
for _name, _day in {"no day": "tomorrow", "a day": day(3)}.items():
    REFUSALS.add(
        f"opening balance below zero that is due on {_name}",
        record("opening balance", "-5 EUR", due=_day),
        InvalidValue,
        "due",
        "leave it out",
    )
REFUSALS.add(
    "opening balance with two signs",
    record("opening balance", "-+5 EUR"),
    InvalidValue,
    "amount",
)

# what a new document settles
for _kind in CREDITS:
    for _name, _target, _amount in [
        ("of the sale", its("sale"), "95.01"),
        ("of an instalment", instalment(0), "40.01"),
        ("of both instalments", its("parts"), "90.01"),
        ("of what is settled", its("back"), "0.01"),
        ("of an opening balance", its("opening"), "40.01"),
    ]:
        REFUSALS.add(
            f"{_kind} for more than is open {_name}",
            record(_kind, "500 EUR", allocate=to(_target, _amount)),
            OverAllocated,
            "allocate",
            "no more than is open",
        )
    REFUSALS.add(
        f"{_kind} for the same sale twice",
        record(_kind, "500 EUR", allocate=lambda s: [(s.sale, "50"), (s.sale, "45.01")]),
        OverAllocated,
        "allocate",
        r"only 45\.00 EUR of the sale is open",
    )
    REFUSALS.add(
        f"{_kind} for an instalment, and its sale again",
        record(_kind, "500 EUR", allocate=lambda s: [(instalment(0)(s), "40"), (s.parts, "50.01")]),
        OverAllocated,
        "allocate",
        r"only 50\.00 EUR of the sale is open",
    )
    REFUSALS.add(
        f"{_kind} for more than it is",
        record(_kind, "5 EUR", allocate=lambda s: [(s.sale, "3"), (s.parts, "2.01")]),
        OverAllocated,
        "allocate",
        rf"only 2\.00 EUR of the {_kind} is open",
    )
    REFUSALS.add(
        f"{_kind} for an instalment that is not there",
        record(
            _kind,
            allocate=lambda s: {Instalment(day(1), Money("5", "EUR"), 3, s.parts.id): "5"},
        ),
        OverAllocated,
        "allocate",
    )
    for _name, _target in {
        "a payment": "free",
        "a credit note": "note",
        "a prepayment": "prepaid",
        "half an exchange": "into",
    }.items():
        REFUSALS.add(
            f"{_kind} for {_name}",
            record(_kind, allocate=to(its(_target), "1")),
            WrongDirection,
            "debit",
            "name a debit here",
        )
    REFUSALS.add(
        f"{_kind} for another client's sale",
        record(_kind, allocate=to(its("others_sale"), "5")),
        WrongClient,
        "debit",
        "within one client",
    )
    REFUSALS.add(
        f"{_kind} for a sale in dollars",
        record(_kind, allocate=to(its("dollars"), "5")),
        WrongCurrency,
        "debit",
        "exchange first",
    )
for _name, _target, _amount in [
    ("of the payment", its("free"), "30.01"),
    ("of a credit that is used", its("used"), "0.01"),
    ("of a prepayment", its("prepaid"), "6.01"),
]:
    REFUSALS.add(
        f"refund of more than is free {_name}",
        record("refund", "500 EUR", allocate=to(_target, _amount)),
        OverAllocated,
        "allocate",
        "no more than is open",
    )
REFUSALS.add(
    "refund of the same payment twice",
    record("refund", "31 EUR", allocate=lambda s: [(s.free, "20"), (s.free, "11")]),
    OverAllocated,
    "allocate",
    r"only 10\.00 EUR of the payment is open",
)
for _name, _target in {"a sale": "sale", "a refund": "refund", "half an exchange": "out"}.items():
    REFUSALS.add(
        f"refund of {_name}",
        record("refund", allocate=to(its(_target), "1")),
        WrongDirection,
        "credit",
        "name a credit here",
    )
for _name, _target, _error in [
    ("another client's payment", "others_free", WrongClient),
    ("a credit in dollars", "into", WrongCurrency),
]:
    REFUSALS.add(
        f"refund of {_name}",
        record("refund", "1 EUR", allocate=to(its(_target), "1")),
        _error,
        "credit",
    )
for _kind in SETTLING:
    for _name, _target in {
        "a voided sale": its("voided_sale"),
        "a voided payment": its("voided_payment"),
        "a void": its("void"),
    }.items():
        REFUSALS.add(
            f"{_kind} for {_name}",
            record(_kind, allocate=to(_target, "1")),
            Voided,
            "allocate",
            "name a live document",
        )
    REFUSALS.add(
        f"{_kind} for what is not there",
        record(_kind, allocate={UNKNOWN: "1"}),
        NotFound,
        "allocate",
    )
    good = its("free" if _kind == "refund" else "sale")
    for _name, _amount in {
        "nothing": 0,
        "less than nothing": "-1",
        "a float": 1.0,
        "cents of cents": "0.001",
    }.items():
        REFUSALS.add(
            f"{_kind} for {_name} of it",
            record(_kind, allocate=to(good, _amount)),
            InvalidValue,
            "allocate",
        )
    REFUSALS.add(
        f"{_kind} for dollars of it",
        record(_kind, allocate=to(good, "1 USD")),
        WrongCurrency,
        "allocate",
        "give it in EUR",
    )
    for _told in ("5", 5, [("a",)], {7: "1"}, [None]):
        REFUSALS.add(
            f"{_kind} for {_told!r}", record(_kind, allocate=_told), InvalidValue, "allocate"
        )
for _name, _target, _error, _said in [
    ("a payment", "free", WrongDirection, "name a sale"),
    ("an opening balance", "opening", WrongDirection, "name a sale"),
    ("another client's sale", "others_sale", WrongClient, "one of its own"),
    ("a voided sale", "voided_sale", Voided, "name a live document"),
    ("a void", "void", Voided, "name a live document"),
]:
    REFUSALS.add(
        f"credit note that is for {_name}",
        record("credit note", sale=its(_target)),
        _error,
        "sale",
        _said,
    )
REFUSALS.add("credit note for no sale", record("credit note", sale=UNKNOWN), NotFound, "sale")
REFUSALS.add("credit note for a word", record("credit note", sale="INV"), InvalidValue, "sale")
REFUSALS.add(
    "credit note in euro that is for a sale in dollars",
    record("credit note", sale=its("dollars")),
    WrongCurrency,
    "sale",
)

# what is wholly against what is open
for _kind, _amount, _target in [("refund", "596.01", "free"), ("write-off", "345.01", "sale")]:
    REFUSALS.add(
        f"{_kind} of more than there is",
        record(_kind, f"{_amount} EUR"),
        OverAllocated,
        "amount",
        f"wholly against what is open on {TODAY}",
    )
    REFUSALS.add(
        f"{_kind} in a currency with nothing open",
        record(_kind, "0.001 KWD"),
        OverAllocated,
        "amount",
        r"only 0\.000 KWD",
    )
REFUSALS.add("write-off of nothing told", record("write-off", allocate={}), OverAllocated, "amount")
REFUSALS.add(
    "write-off that is told in part",
    record("write-off", "5 EUR", allocate=to(its("sale"), "4.99")),
    OverAllocated,
    "amount",
    r"only 4\.99 EUR",
)
REFUSALS.add(
    "write-off before anything was open",
    record("write-off", "5 EUR", on=day(-99), allocate=to(its("sale"), "5")),
    OverAllocated,
    "amount",
    f"open on {day(-99)}",
)
for _name, _told in {"of nothing told": {}, "that is told in part": to(its("free"), "5")}.items():
    REFUSALS.add(
        f"refund {_name} of more than is free",
        record("refund", "596.01 EUR", allocate=_told),
        OverAllocated,
        "amount",
        r"only 596\.00 EUR",
    )
    REFUSALS.add(
        f"refund {_name} of more than was free on its day",
        record("refund", "40.01 EUR", on=day(-99), allocate=_told),
        OverAllocated,
        "amount",
        r"only 40\.00 EUR",
    )


@pytest.mark.parametrize(("call", "error", "field", "said", "value"), REFUSALS)
def test_a_document_that_is_refused_says_why_and_leaves_no_trace(
    shop: Shop,
    call: Call,
    error: type[ClientLedgerError],
    field: str,
    said: str,
    value: bool,
) -> None:
    check_refused(shop, call, error, field, said, value)


def test_the_names_of_the_refusals_are_unique() -> None:
    names = [row.id for row in REFUSALS]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_refused_documents_leave_the_transaction_around_them_whole(book: Book) -> None:
    check_all_in_one(book, REFUSALS)


@pytest.mark.parametrize("kind", RECORD)
def test_on_the_day_after_the_closing_day_a_document_is_taken(shop: Shop, kind: str) -> None:
    with undone(shop.book) as book:
        here = attrs.evolve(shop, book=book)
        target = {"refund": "old_free", "write-off": "old_sale", "payment": "old_sale"}.get(kind)
        told = {} if target is None else {"allocate": to(its(target), "5")}
        made = record(kind, on=day(-99), **told)(here)
        assert made in book.ledger.find(since=day(-99), until=day(-99))
        assert book.verify().ok
    assert dump(shop.book) == shop.before
