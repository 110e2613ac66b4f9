"""Values go to plain data and back; reading is strict and coerces nothing."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.books import Clock, day, in_memory, rows

from clientledger import (
    Agreement,
    Allocation,
    Book,
    Client,
    ClientLedgerError,
    Contact,
    Currency,
    Email,
    Entry,
    EntryLine,
    Event,
    Instalment,
    Interaction,
    InvalidValue,
    Member,
    Money,
    Phone,
    Purchases,
    Release,
    Settings,
    Task,
    codec,
)
from clientledger.domain.contact_points import Address
from clientledger.ports import RECORD_SETS, Claim, Head

# ------------------------------------------------------------ values of every kind
TEXT = st.text(max_size=12)
UNITS = st.sampled_from([Currency("EUR", 2), Currency("JPY", 0), Currency("BEAN", 5)])
MONEY = st.builds(Money.from_minor, st.integers(-(2**63) + 1, 2**63 - 1), UNITS)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=6).filter(
    lambda n: len(n.as_tuple().digits) < 30
)
MOMENTS = st.integers(-(10**9), 4 * 10**9).map(
    lambda n: datetime.fromtimestamp(n, UTC).replace(microsecond=abs(n) % 10**6)
)
DAYS = st.dates()
WORDS = st.dictionaries(TEXT, TEXT, max_size=3)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PHONES = st.lists(st.builds(Phone, TEXT, st.none() | TEXT, TEXT), max_size=2).map(tuple)
EMAILS = st.lists(st.builds(Email, TEXT, st.none() | TEXT), max_size=2).map(tuple)
CONTACTS = st.builds(Contact, TEXT, role=TEXT, phones=PHONES, emails=EMAILS, note=TEXT)
PARTS = st.builds(Instalment, DAYS, MONEY, st.integers(0, 9), st.none() | st.uuids())
LINES = st.builds(
    EntryLine,
    name=TEXT,
    quantity=NUMBERS,
    price=NUMBERS,
    sku=TEXT,
    discount_percent=st.none() | NUMBERS,
    discount=st.none() | MONEY,
    tax=st.none() | MONEY,
    total=MONEY,
)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    str: TEXT,
    int: st.integers(0, 2**62),
    bool: st.booleans(),
    Money: MONEY,
    Decimal: NUMBERS,
    date: DAYS,
    datetime: MOMENTS,
}
BY_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "phones": PHONES,
    "emails": EMAILS,
    "contacts": st.lists(CONTACTS, max_size=2).map(tuple),
    "addresses": st.lists(st.builds(Address, street=TEXT, city=TEXT, country=TEXT)).map(tuple),
    "lines": st.lists(LINES, max_size=2).map(tuple),
    "instalments": st.lists(PARTS, max_size=2).map(tuple),
    "agreements": st.lists(st.uuids(), max_size=2).map(tuple),
    "tags": st.lists(TEXT, max_size=3).map(tuple),
    "bank_accounts": st.lists(TEXT, max_size=3).map(tuple),
    "currencies": st.lists(UNITS, max_size=2).map(tuple),
    "ageing_bounds": st.lists(st.integers(), max_size=3).map(tuple),
}


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a record's class, any field of any value of its type."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field in attrs.fields(kind):
        name, wanted = field.name, field.type
        if name in BY_FIELD:
            fields[name] = BY_FIELD[name]
        elif name == "data":
            fields[name] = WORDS if kind is Claim else st.dictionaries(TEXT, PLAIN, max_size=3)
        elif "Mapping" in str(wanted):
            fields[name] = WORDS
        else:
            parts = [p for p in getattr(wanted, "__args__", (wanted,)) if p is not type(None)]
            value = BY_TYPE[parts[0]]
            optional = len(parts) < len(getattr(wanted, "__args__", (wanted,)))
            fields[name] = st.none() | value if optional else value
    return st.builds(kind, **fields)


KINDS = [*RECORD_SETS, Settings, Head, Claim, Instalment, EntryLine, Contact, Phone, Email]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_record_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(made(kind))
    plain = codec.dump(value)
    assert codec.load(kind, plain) == value
    text = codec.dump_json(value)
    assert codec.load_json(kind, text) == value
    assert codec.dump_json(codec.load_json(kind, text)) == text
    assert json.loads(text) == plain


def busy_book() -> Book:
    book = in_memory()
    book.change_settings(region="DE", currencies=[Currency("BEAN", 5)])
    told: Any = [{"name": "Zoë", "phones": ["030 901820"]}]
    client = book.clients.add("Köln", contacts=told, emails=["a@b.example"], addresses=["x"])
    lines = [("Beans", "0.000001", "5000000"), ("Tea", 1, Decimal("1E+2"))]
    sale = book.ledger.record_sale(client, lines, currency="BEAN", key="k")
    book.ledger.record_payment(client, "1.00001 BEAN")
    book.ledger.release(book.ledger.state(sale).allocations[0], "1 BEAN")
    book.ledger.void(sale, reason="r")
    book.interactions.log(client, "call", "x")
    book.agreements.promise(client, "discount", "x", percent="5.50")
    book.tasks.add("x", client=client, due=day(1), remind=Clock()())
    book.clients.update(client, tags=["a"])
    book.change_settings(hash_chain=True)
    book.anchor()
    return book


def test_everything_in_a_book_comes_back_as_it_was() -> None:
    kinds = {kind.__name__: kind for kind in (*RECORD_SETS, Settings, Head, Claim)}
    found = rows(busy_book())
    assert set(found) == set(kinds)
    for name, records in found.items():
        assert records, name
        for record in records:
            assert codec.load_json(kinds[name], codec.dump_json(record)) == record


def test_figures_can_be_told_as_plain_data_too() -> None:
    book = busy_book()
    client = book.clients.find()[0]
    for n in (-20, -17, -9):
        book.ledger.record_sale(client, "5 EUR", on=day(n))
    found = book.insights.purchases(client)
    assert found.usual_interval == Fraction(11, 2)
    assert codec.dump(found)["usual_interval"] == "11/2"
    assert codec.load_json(Purchases, codec.dump_json(found)) == found
    for value in (
        book.card(client),
        book.clients.find(),
        book.insights.ageing(),
        book.insights.debtors(),
        book.insights.dormant(),
        book.ledger.statement(client, "EUR", day(-30), day(0)),
        book.ledger.state(book.ledger.find()[0]),
        book.verify(),
        book.outcome("k"),
    ):
        json.loads(codec.dump_json(value))


@given(MONEY)
def test_money_is_told_as_text_with_its_currency(money: Money) -> None:
    plain = codec.dump(money)
    assert plain["amount"] == str(money.amount)
    assert plain["currency"] == money.currency
    assert ("digits" in plain) is (money.currency == "BEAN")


# ------------------------------------------------------------ strictness
MEMBER = codec.dump(Member(id="petro", name="Petro", created_at=datetime(2026, 1, 1, tzinfo=UTC)))
BOOK = rows(busy_book())
SAMPLES: dict[type[Any], Any] = {
    Client: codec.dump(BOOK["Client"][0]),
    Entry: codec.dump(BOOK["Entry"][0]),
    Allocation: codec.dump(BOOK["Allocation"][0]),
    Release: codec.dump(BOOK["Release"][0]),
    Interaction: codec.dump(BOOK["Interaction"][0]),
    Agreement: codec.dump(BOOK["Agreement"][0]),
    Task: codec.dump(BOOK["Task"][0]),
    Event: codec.dump(BOOK["Event"][0]),
    Settings: codec.dump(BOOK["Settings"][0]),
    Member: MEMBER,
}


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_an_unknown_or_a_missing_field_is_refused(kind: type[Any]) -> None:
    sample = SAMPLES[kind]
    with pytest.raises(InvalidValue, match="evil"):
        codec.load(kind, {**sample, "evil": 2})
    for field in attrs.fields(kind):
        if field.default is attrs.NOTHING:
            less = {name: value for name, value in sample.items() if name != field.name}
            with pytest.raises(InvalidValue):
                codec.load(kind, less)


WRONG = [None, 12, 3.7, True, "False", "12", "", b"x", [], {}, ["x"], {"x": 1}, object(), 1j]


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_a_value_of_another_type_is_refused_and_never_coerced(kind: type[Any]) -> None:
    sample = SAMPLES[kind]
    for name in sample:
        for wrong in WRONG:
            try:
                found = codec.load(kind, {**sample, name: wrong})
            except ClientLedgerError:
                continue
            back = getattr(found, name)
            told = codec.dump(found)[name]
            assert told == wrong, (name, wrong, back)
            assert type(told) is type(wrong), (name, wrong, back)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Member, None),
        (Member, []),
        (Member, "x"),
        (Member, 7),
        (Member, {**MEMBER, "name": None}),
        (Member, {**MEMBER, "name": 12}),
        (Member, {**MEMBER, "active": "False"}),
        (Member, {**MEMBER, "active": 1}),
        (Member, {**MEMBER, "revision": 3.7}),
        (Member, {**MEMBER, "revision": True}),
        (Member, {**MEMBER, "revision": "1"}),
        (Member, {**MEMBER, "created_at": "2026-01-01"}),
        (Member, {**MEMBER, "created_at": "2026-01-01T00:00:00"}),
        (Member, {**MEMBER, "created_at": "20260101T000000+00:00"}),
        (Member, {**MEMBER, "created_at": "2026-01-01T23:59:60Z"}),
        (Member, {**MEMBER, "created_at": "2026-01-01T24:00:00Z"}),
        (Member, {**MEMBER, "created_at": "2026-01-01T00:00:00Z "}),
        (Member, {**MEMBER, "created_at": 1_767_225_600}),
        (date, "20260101"),
        (date, "2026-W01-1"),
        (date, "2026-13-01"),
        (date, "2026-02-29"),
        (date, "٢٠٢٦-٠١-٠١"),
        (date, "2026-01-01T00:00:00Z"),
        (Decimal, "NaN"),
        (Decimal, "Infinity"),
        (Decimal, " 1"),
        (Decimal, "1_000"),
        (Decimal, "١"),
        (Decimal, "1E+999999"),
        (Decimal, "9" * 5000),
        (Decimal, 1),
        (Decimal, 1.5),
        (Fraction, "1/0"),
        (Fraction, 0.5),
        (UUID, "x"),
        (UUID, 5),
        (Money, "5 EUR"),
        (Money, {"amount": "5"}),
        (Money, {"amount": "5", "currency": "EUR", "evil": 1}),
        (Money, {"amount": 5, "currency": "EUR"}),
        (Money, {"amount": 5.0, "currency": "EUR"}),
        (Money, {"amount": "5.001", "currency": "EUR"}),
        (Money, {"amount": "5", "currency": "DEM"}),
        (Money, {"amount": "5", "currency": "DEM", "digits": "2"}),
        (Money, {"amount": "5", "currency": ["EUR"]}),
        (Client, {**SAMPLES[Client], "tax_ids": {"VAT": 1}}),
        (Client, {**SAMPLES[Client], "tax_ids": [["VAT", "1"]]}),
        (Client, {**SAMPLES[Client], "tags": "beans"}),
        (Client, {**SAMPLES[Client], "tags": [1]}),
        (Client, {**SAMPLES[Client], "phones": ["030"]}),
        (Client, {**SAMPLES[Client], "phones": [{"written": "1", "evil": 2}]}),
        (Client, {**SAMPLES[Client], "__class__": "os.system"}),
        (Task, {**SAMPLES[Task], "due_on": "tomorrow"}),
        (Task, {**SAMPLES[Task], "due_on": 7}),
    ],
)
def test_what_is_not_quite_right_is_refused(kind: type[Any], data: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        codec.load(kind, data)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    ["", "{", "nul", "[1,]", '{"x": NaN}', '{"x": 1.5}', '{"x": 1e400}', "1" * 5000, "[" * 100_000],
    ids=lambda text: text[:10],
)
def test_text_that_is_no_plain_data_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        codec.load_json(Event, text)


@pytest.mark.parametrize("text", [None, 5, ["{}"]])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(InvalidValue):
        codec.load_json(Event, text)


def test_a_number_with_a_point_is_refused_deep_inside_too() -> None:
    text = codec.dump_json(BOOK["Event"][0]).replace('"data":{}', '"data":{"x":[{"y":1.5}]}')
    assert "1.5" in text
    with pytest.raises(InvalidValue, match="point"):
        codec.load_json(Event, text)


# ------------------------------------------------------------ one way of writing
@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_there_is_one_way_of_writing(data: dict[str, Any]) -> None:
    backwards = dict(reversed(data.items()))
    assert codec.canonical(data) == codec.canonical(backwards)
    assert json.loads(codec.canonical(data)) == data


@given(st.dictionaries(st.sampled_from("abc"), PLAIN, max_size=3), st.integers(0, 5))
def test_arguments_are_told_apart_by_what_they_mean(told: dict[str, Any], places: int) -> None:
    number = Decimal(25).scaleb(-places)
    same = {**told, "n": number, "m": Money("5", "EUR"), "left": None}
    other = {**dict(reversed(told.items())), "m": Money("5.00", "EUR")}
    other["n"] = Decimal(f"{number:f}0" if places else "25.0")
    assert codec.digests(same) == codec.digests(other)
    changed = codec.digests({**same, "n": number + 1})
    assert {k for k, v in changed.items() if v != codec.digests(same)[k]} == {"n"}


def test_the_fields_that_changed_are_named_with_before_and_after() -> None:
    before = Member(id="p", name="P", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    after = attrs.evolve(before, name="Petro", revision=2)
    assert codec.changed_fields(before, after) == {
        "before": {"name": "P"},
        "after": {"name": "Petro"},
    }
