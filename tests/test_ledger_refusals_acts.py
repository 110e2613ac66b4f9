"""What the ledger does with documents, refused: settling, exchanging, undoing, closing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.books import KINDS, TODAY, day, dump, new_book, undone
from tests.stocked import (
    CLOSED,
    UNKNOWN,
    Call,
    Refusals,
    Shop,
    act,
    check_all_in_one,
    check_refused,
    instalment,
    its,
    stocked,
    to,
)

from clientledger import (
    Book,
    ClientLedgerError,
    Duplicate,
    Instalment,
    InvalidValue,
    KeyReused,
    Money,
    NotFound,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)


@pytest.fixture(scope="module", params=KINDS)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    with new_book(request.param, tmp_path_factory.mktemp("shop")) as book:
        yield stocked(book)


REFUSALS = Refusals()
_name: str
_field: str
_said: str
_call: Any
_error: Any
_target: Any
_other: Any
_fields: tuple[str, ...]
_day: Any
_value: Any

DAYS: dict[str, Any] = {
    "at a moment": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "in text": "2026-03-01",
    "before 1900": date(1899, 12, 31),
    "after 2999": date(3000, 1, 1),
}
AMOUNTS: dict[str, Any] = {
    "nothing": 0,
    "minus zero": Decimal("-0"),
    "less than nothing": "-0.01",
    "a float": 1.0,
    "true": True,
    "not a number": Decimal("NaN"),
    "a tenth of a cent": "0.001",
    "a comma": "1,5",
}
CLOSING = {"closing day": CLOSED, "day before it": day(-101)}
IS_CLOSED = f"closed through {CLOSED}.*reopen_period"


def third(s: Shop) -> Instalment:
    """An instalment that the sale with two does not have."""
    return Instalment(day(1), Money("5", "EUR"), 3, s.parts.id)


# ------------------------------------------------------------ what all of them have in common
ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "allocation": (
        "allocate",
        {"credit": its("old_free"), "debit_or_instalment": its("old_sale"), "amount": "1"},
    ),
    "release": ("release", {"allocation": its("old_link"), "amount": "1"}),
    "release of a write-off": ("release", {"allocation": its("loss_link"), "amount": "1"}),
    "unallocation": (
        "unallocate",
        {"credit": its("old_used"), "debit": its("old_sale"), "amount": "1"},
    ),
    "unallocation of a write-off": (
        "unallocate",
        {"credit": its("old_loss"), "debit": its("old_sale"), "amount": "1"},
    ),
    "exchange": ("exchange", {"credit": its("old_free"), "amount": "1", "into": "2 USD"}),
    "void": ("void", {"entry": its("old_sale"), "reason": "r"}),
    "void of a payment": ("void", {"entry": its("old_used"), "reason": "r"}),
    "void of a write-off": ("void", {"entry": its("old_loss"), "reason": "r"}),
    "correction": ("correct", {"entry": its("old_sale"), "reason": "r", "due": day(-1)}),
    "correction of a payment": (
        "correct",
        {"entry": its("old_used"), "reason": "r", "amount": "49"},
    ),
    "correction of a write-off": (
        "correct",
        {"entry": its("old_loss"), "reason": "r", "amount": "29"},
    ),
}
"""What can be done with documents, here with those that are older than the closing day."""


def do(name: str, **told: Any) -> Call:
    method, needed = ACTS[name]
    return act(method, **{**needed, **told})


for _name in ACTS:
    for _said, _day in DAYS.items():
        REFUSALS.add(f"{_name} {_said}", do(_name, on=_day), InvalidValue, "on")
    for _said, _day in CLOSING.items():
        REFUSALS.add(f"{_name} on the {_said}", do(_name, on=_day), PeriodClosed, "on", IS_CLOSED)
    REFUSALS.add(f"{_name} with a key in spaces", do(_name, key=" k"), InvalidValue, "key")
    REFUSALS.add(
        f"{_name} with the key of another command",
        do(_name, key="k-close"),
        KeyReused,
        "key",
        "close_period",
    )
for _name in ("correction", "correction of a payment", "correction of a write-off"):
    REFUSALS.add(f"{_name} on its own day", do(_name), PeriodClosed, "on", IS_CLOSED)
for _name in ("allocation", "release", "unallocation", "exchange"):
    for _said, _value in AMOUNTS.items():
        REFUSALS.add(f"{_name} of {_said}", do(_name, amount=_value), InvalidValue, "amount")
    REFUSALS.add(
        f"{_name} of dollars", do(_name, amount="1 USD"), WrongCurrency, "amount", "give it in EUR"
    )
for _name, _field in {
    "void": "entry",
    "correction": "entry",
    "exchange": "credit",
    "release": "allocation",
}.items():
    REFUSALS.add(f"{_name} of no id", do(_name, **{_field: "INV-1"}), InvalidValue, _field)
    REFUSALS.add(f"{_name} of nothing there", do(_name, **{_field: UNKNOWN}), NotFound, _field)
for _name, _fields in {
    "allocation": ("credit", "debit_or_instalment"),
    "unallocation": ("credit", "debit"),
}.items():
    for _field in _fields:
        REFUSALS.add(
            f"{_name}: {_field} is no id", do(_name, **{_field: "INV-1"}), InvalidValue, _field
        )
        REFUSALS.add(
            f"{_name}: {_field} is not there", do(_name, **{_field: UNKNOWN}), NotFound, _field
        )
for _name in ("void", "correction"):
    for _said, _value in {"empty": "", "blank": " ", "a number": 7, "long": "x" * 1001}.items():
        REFUSALS.add(
            f"{_name} for a reason that is {_said}",
            do(_name, reason=_value, on=TODAY),
            InvalidValue,
            "reason",
        )


# ------------------------------------------------------------ allocating
def link(credit: Any, debit: Any, amount: Any, **told: Any) -> Call:
    return act("allocate", credit, debit, amount, **told)


for _name, _target, _value in [
    ("of the sale", its("sale"), "95.01"),
    ("of the first instalment", instalment(0), "40.01"),
    ("of an instalment that is not there", third, "0.01"),
    ("of a part that was taken back", its("back"), "0.01"),
    ("of half an exchange", its("out"), "0.01"),
    ("of a refund", its("refund"), "0.01"),
]:
    REFUSALS.add(
        f"more than is open {_name}",
        link(its("rich"), _target, _value),
        OverAllocated,
        "amount",
        "no more than is open",
    )
for _name, _value in {
    "free": "30.01",
    "used": "0.01",
    "note": "15.01",
    "prepaid": "6.01",
    "loss": "0.01",
}.items():
    REFUSALS.add(
        f"more than is free of {_name}",
        link(its(_name), its("sale"), _value),
        OverAllocated,
        "amount",
        "no more than is open",
    )
REFUSALS.add(
    "an amount for two instalments",
    link(its("old_free"), instalment(0), "40.01"),
    OverAllocated,
    "amount",
)
REFUSALS.add(
    "an amount that would go to two instalments",
    link(its("rich"), its("parts"), "40.01"),
    InvalidValue,
    "debit_or_instalment",
    "one after the other",
)
for _name, _other in {
    "itself": "free",
    "another payment": "used",
    "a credit note": "note",
    "a write-off": "loss",
    "a prepayment": "prepaid",
}.items():
    REFUSALS.add(
        f"a payment allocated to {_name}",
        link(its("free"), its(_other), "1"),
        WrongDirection,
        "debit",
        "name a debit here",
    )
for _name, _other in {
    "a sale": "sale",
    "a refund": "refund",
    "a debt of the old books": "opening",
    "half an exchange": "out",
    "what was taken back": "back",
}.items():
    REFUSALS.add(
        f"{_name} as a source",
        link(its(_other), its("parts"), "1"),
        WrongDirection,
        "credit",
        "name a credit here",
    )
REFUSALS.add(
    "a sale allocated to itself", link(its("sale"), its("sale"), "1"), WrongDirection, "credit"
)
for _name, _target, _other in [
    ("credit", its("others_free"), its("sale")),
    ("debit", its("free"), its("others_sale")),
]:
    REFUSALS.add(
        f"another client's {_name}",
        link(_target, _other, "1"),
        WrongClient,
        "debit",
        "within one client",
    )
for _name, _target, _other in [
    ("euro allocated to dollars", its("free"), its("dollars")),
    ("dollars allocated to euro", its("into"), its("sale")),
]:
    REFUSALS.add(_name, link(_target, _other, "1"), WrongCurrency, "debit", "exchange first")
for _name in ("voided_sale", "voided_payment", "void"):
    REFUSALS.add(
        f"{_name} as a source",
        link(its(_name), its("sale"), "1"),
        Voided,
        "credit",
        "name a live document",
    )
    REFUSALS.add(
        f"{_name} as a target",
        link(its("free"), its(_name), "1"),
        Voided,
        "debit_or_instalment",
        "name a live document",
    )


# ------------------------------------------------------------ releasing
for _name, _target, _value, _error in [
    ("more than holds", "link", "20.01", OverAllocated),
    ("more than holds of a write-off", "loss_link", "30.01", OverAllocated),
    ("what was released", "released", None, NotLinked),
    ("a cent of what was released", "released", "0.01", NotLinked),
    ("what a void ended", "voided_link", None, NotLinked),
]:
    REFUSALS.add(
        f"a release of {_name}",
        act("release", its(_target), _value),
        _error,
        "amount",
        "no more than holds" if _error is OverAllocated else "state.entry..allocations",
        value=_error is OverAllocated,
    )
REFUSALS.add(
    "a release before the allocation",
    act("release", its("link"), on=day(-3)),
    InvalidValue,
    "on",
    f"{day(-2)} or later",
)
for _name, _call in {
    "released": act("release", its("back_link")),
    "unallocated": act("unallocate", its("loss"), its("back")),
}.items():
    REFUSALS.add(
        f"what was taken back of a write-off, {_name}",
        _call,
        InvalidValue,
        "allocation",
        "write off anew",
    )
for _name, _target, _other, _value, _error in [
    ("more than holds", its("used"), its("opening"), "20.01", OverAllocated),
    ("what was never allocated", its("used"), its("sale"), None, NotLinked),
    ("a cent of what was never allocated", its("used"), its("sale"), "0.01", NotLinked),
    ("of another instalment", its("used"), instalment(1), None, NotLinked),
    ("what a void ended", its("voided_payment"), its("sale"), None, NotLinked),
    ("the two swapped", its("opening"), its("used"), None, NotLinked),
    ("a payment from itself", its("used"), its("used"), None, NotLinked),
    ("another client's payment", its("others_free"), its("sale"), None, NotLinked),
    ("another client's sale", its("used"), its("others_sale"), None, NotLinked),
    ("euro from dollars", its("used"), its("dollars"), None, NotLinked),
    ("a void", its("void"), its("voided_sale"), None, NotLinked),
]:
    REFUSALS.add(
        f"an unallocation: {_name}",
        act("unallocate", _target, _other, _value),
        _error,
        "amount",
        "no more than holds" if _error is OverAllocated else "state.entry..allocations",
        value=_error is OverAllocated,
    )
REFUSALS.add(
    "an unallocation before the allocation",
    act("unallocate", its("used"), its("opening"), on=day(-3)),
    InvalidValue,
    "on",
    f"{day(-2)} or later",
)


# ------------------------------------------------------------ exchanging
def turn(credit: Any, amount: Any = "1 EUR", into: Any = "2 USD", **told: Any) -> Call:
    return act("exchange", credit, amount, into, **told)


for _name, _target, _value in [
    ("of a payment", its("free"), "30.01"),
    ("of a used one", its("used"), "0.01"),
    ("of a write-off", its("loss"), "0.01"),
    ("of what another exchange made", its("into"), "11.01 USD"),
]:
    REFUSALS.add(
        f"an exchange of more than is free {_name}",
        turn(_target, _value, "1 CHF"),
        OverAllocated,
        "amount",
        "no more than is open",
    )
for _name in ("sale", "refund", "opening", "out", "back"):
    REFUSALS.add(
        f"an exchange of {_name}",
        turn(its(_name)),
        WrongDirection,
        "credit",
        "name a credit",
    )
for _name in ("voided_payment", "void", "voided_sale"):
    REFUSALS.add(f"an exchange of {_name}", turn(its(_name)), Voided, "credit", "live document")
for _name, _value in {**AMOUNTS, "a number alone": "2", "nothing at all": None}.items():
    told = f"{_value} USD" if isinstance(_value, str) and _name != "a number alone" else _value
    REFUSALS.add(
        f"an exchange into {_name}",
        turn(its("free"), into=told),
        InvalidValue,
        "into",
        value=_value is not None,
    )
REFUSALS.add(
    "an exchange into the same currency",
    turn(its("free"), into="1 EUR"),
    InvalidValue,
    "into",
    "in another currency",
)
REFUSALS.add(
    "an exchange into an unknown currency",
    turn(its("free"), into="1 DEM"),
    InvalidValue,
    "currency",
)
REFUSALS.add(
    "an exchange before the credit",
    turn(its("free"), on=day(-3)),
    InvalidValue,
    "on",
    f"{day(-2)} or later",
)
REFUSALS.add("an exchange for a number", turn(its("free"), reason=7), InvalidValue, "reason")


# ------------------------------------------------------------ voiding and correcting
def correct(name: str, **told: Any) -> Call:
    # a write-off of the sale was taken back today, so that is the first day to correct it on
    day_ = {"on": TODAY} if name == "sale" else {}
    return act("correct", its(name), **{"reason": "a slip", **day_, **told})


for _name in ("voided_sale", "voided_payment", "void"):
    for _said, _call in {
        "voided": act("void", its(_name), reason="again"),
        "corrected": correct(_name),
    }.items():
        REFUSALS.add(f"{_name} {_said}", _call, Voided, "entry", "name a live document")
for _said, _call in {
    "voided": act("void", its("back"), reason="r"),
    "corrected": correct("back", amount="2"),
}.items():
    REFUSALS.add(
        f"what was taken back of a write-off, {_said}",
        _call,
        InvalidValue,
        "entry",
        "void the write-off itself",
    )
for _name in ("out", "into"):
    REFUSALS.add(
        f"half an exchange corrected: {_name}",
        correct(_name),
        InvalidValue,
        "entry",
        "record it anew",
    )
for _name, _call in {
    "a void": act("void", its("sale"), reason="r", on=day(-21)),
    "a void of a payment": act("void", its("free"), reason="r", on=day(-3)),
    "a correction": correct("sale", on=day(-21), number="N-9"),
}.items():
    REFUSALS.add(f"{_name} before the document", _call, InvalidValue, "on", "or later")
for _name, _field, _value in [
    ("sale", "client", its("beta")),
    ("sale", "method", "cash"),
    ("free", "lines_or_amount", "5 EUR"),
    ("free", "due", day(3)),
    ("free", "sale", its("sale")),
    ("note", "use_prepayments", True),
    ("note", "method", "cash"),
    ("refund", "instalments", [(day(1), "5")]),
    ("loss", "number", "N-9"),
    ("opening", "allocate", {}),
    ("opening", "number", "N-9"),
    ("sale", "colour", "red"),
]:
    REFUSALS.add(
        f"{_name} corrected in its {_field}",
        correct(_name, **{_field: _value}),
        InvalidValue,
        _field,
        "not told of",
    )
REFUSALS.add(
    "a sale corrected to two amounts",
    correct("sale", lines_or_amount="5 EUR", amount="6 EUR"),
    InvalidValue,
    "amount",
    "only one of them",
    value=False,
)
REFUSALS.add(
    "a prepayment corrected to fall due on no day",
    correct("prepaid", due="tomorrow"),
    InvalidValue,
    "due",
)
REFUSALS.add(
    "a void with external ids in a list",
    act("void", its("sale"), reason="r", external_ids=["erp"]),
    InvalidValue,
    "external_ids",
)
for _name in ("free", "refund", "loss", "opening"):
    for _said, _value in AMOUNTS.items():
        if not (_name == "opening" and _said == "less than nothing"):
            REFUSALS.add(
                f"{_name} corrected to {_said}",
                correct(_name, amount=_value),
                InvalidValue,
                "amount",
            )
for _name in ("sale", "note"):
    for _said, _value in AMOUNTS.items():
        REFUSALS.add(
            f"{_name} corrected to {_said}",
            correct(_name, lines_or_amount=_value),
            InvalidValue,
            "amount",
        )
    REFUSALS.add(
        f"{_name} corrected to no lines", correct(_name, lines_or_amount=[]), InvalidValue, "lines"
    )
    REFUSALS.add(
        f"{_name} corrected to a number that is taken",
        correct(_name, number="N-2"),
        NumberTaken,
        "number",
        "has it",
    )
REFUSALS.add(
    "a payment corrected to an external id that is taken",
    correct("used", external_ids={"erp": "1"}),
    Duplicate,
    "external_ids[erp]",
    "another payment has it",
)
for _said, _value in {"to parts that add up to less": "40", "to parts of more": "60"}.items():
    REFUSALS.add(
        f"a sale corrected {_said}",
        correct("parts", instalments=[(day(10), _value), (day(20), "40")]),
        InvalidValue,
        "instalments",
        "make them add up to 90",
    )
REFUSALS.add(
    "a sale with instalments corrected to another total",
    correct("parts", lines_or_amount="95 EUR"),
    InvalidValue,
    "instalments",
    "make them add up to 95",
)
REFUSALS.add(
    "a sale corrected to a due date twice",
    correct("parts", instalments=[(day(10), "40"), (day(10), "50")]),
    InvalidValue,
    "instalments",
    "one amount a day",
)
REFUSALS.add(
    "a sale corrected to nonsensical terms",
    correct("sale", terms="at full moon"),
    InvalidValue,
    "terms",
    "write it like",
)
REFUSALS.add(
    "a sale corrected to terms beside a due date",
    correct("sale", terms="30 days", due=day(3)),
    InvalidValue,
    "due",
    "only one of them",
)
REFUSALS.add(
    "a sale corrected to an agreement that is not there",
    correct("sale", agreements=[UNKNOWN]),
    NotFound,
    "agreements",
)
REFUSALS.add(
    "a refund corrected to more than is free",
    correct("refund", amount="596.01"),
    OverAllocated,
    "amount",
    r"only 596\.00 EUR",
)
REFUSALS.add(
    "a write-off corrected to more than is open",
    correct("loss", amount="345.01"),
    OverAllocated,
    "amount",
    "wholly against what is open",
)
for _name, _target, _value, _error, _field in [
    ("for more than is open", its("sale"), "95.01", OverAllocated, "allocate"),
    ("for another client's sale", its("others_sale"), "1", WrongClient, "debit"),
    ("for a sale in dollars", its("dollars"), "1", WrongCurrency, "debit"),
    ("for a payment", its("used"), "1", WrongDirection, "debit"),
    ("for itself", its("free"), "1", Voided, "allocate"),
    ("for a voided sale", its("voided_sale"), "1", Voided, "allocate"),
    ("for what is not there", lambda _: UNKNOWN, "1", NotFound, "allocate"),
]:
    REFUSALS.add(
        f"a payment corrected to be {_name}",
        correct("free", amount="500 EUR", allocate=to(_target, _value)),
        _error,
        _field,
    )
REFUSALS.add(
    "a credit note corrected to be for another client's sale",
    correct("note", sale=its("others_sale")),
    WrongClient,
    "sale",
)
for _name, _field in {"sale": "lines[1].total", "parts": "amount", "free": "amount"}.items():
    REFUSALS.add(
        f"{_name} corrected to a currency without an amount",
        correct(_name, currency="USD"),
        WrongCurrency,
        _field,
        "give it in USD",
    )
for _name, _value in {"empty": "", "nothing": 0}.items():
    REFUSALS.add(
        f"a sale corrected to a currency that is {_name}",
        correct("parts", currency=_value),
        InvalidValue,
        "currency",
    )


# ------------------------------------------------------------ closing and reopening
for _name, _value in {"the closing day": CLOSED, "an earlier day": day(-101)}.items():
    REFUSALS.add(
        f"closing through {_name} again",
        act("close_period", _value),
        InvalidValue,
        "through",
        f"closed through {CLOSED} already.*reopen_period",
    )
REFUSALS.add(
    "reopening an open day",
    act("reopen_period", day(-99), reason="r"),
    InvalidValue,
    "from_",
    f"closed through {CLOSED}",
)
for _said, _day in {**DAYS, "on no day": None}.items():
    there = _day is not None
    REFUSALS.add(
        f"closing {_said}", act("close_period", _day), InvalidValue, "through", value=there
    )
    REFUSALS.add(
        f"reopening {_said}",
        act("reopen_period", _day, reason="r"),
        InvalidValue,
        "from_",
        value=there,
    )
for _said, _value in {"a number": 7, "too long": "x" * 1001, "a NUL": "a\0"}.items():
    REFUSALS.add(
        f"closing for a reason that is {_said}",
        act("close_period", TODAY, reason=_value),
        InvalidValue,
        "reason",
    )
    REFUSALS.add(
        f"reopening for a reason that is {_said}",
        act("reopen_period", CLOSED, reason=_value),
        InvalidValue,
        "reason",
    )
for _value in ("", " "):
    REFUSALS.add(
        f"reopening for {_value!r}",
        act("reopen_period", CLOSED, reason=_value),
        InvalidValue,
        "reason",
    )
REFUSALS.add(
    "closing another day with a used key",
    act("close_period", TODAY, key="k-close"),
    KeyReused,
    "key",
    "another reason, through",
)
REFUSALS.add(
    "reopening with the key of a closing",
    act("reopen_period", CLOSED, reason="r", key="k-close"),
    KeyReused,
    "key",
    "another action",
)


@pytest.mark.parametrize(("call", "error", "field", "said", "value"), REFUSALS)
def test_an_act_that_is_refused_says_why_and_leaves_no_trace(
    shop: Shop,
    call: Call,
    error: type[ClientLedgerError],
    field: str,
    said: str,
    value: bool,
) -> None:
    check_refused(shop, call, error, field, said, value)


def test_the_names_of_the_refused_acts_are_unique() -> None:
    names = [row.id for row in REFUSALS]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_refused_acts_leave_the_transaction_around_them_whole(book: Book) -> None:
    check_all_in_one(book, REFUSALS)


@pytest.mark.parametrize("name", ACTS)
def test_on_the_day_after_the_closing_day_it_is_done(shop: Shop, name: str) -> None:
    with undone(shop.book) as book:
        assert do(name, on=day(-99))(attrs.evolve(shop, book=book))
        assert dump(book) != shop.before
        assert book.verify().ok
    assert dump(shop.book) == shop.before
