"""Every refusal is one of our errors, says what was wrong and what would be right, changes nothing.

One table of refusals that a shopkeeper, an importer or an attacker meets, and arbitrary values in
every parameter of every call.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.books import KINDS, TODAY, Clock, day, dump, in_memory, new_book, rows, undone

from clientledger import (
    Account,
    Address,
    Agreement,
    Allocation,
    Book,
    Client,
    ClientArchived,
    ClientLedgerError,
    Conflict,
    Contact,
    Currency,
    Duplicate,
    Entry,
    Event,
    Instalment,
    Interaction,
    InvalidValue,
    KeyReused,
    Line,
    Member,
    MemoryStore,
    Money,
    NotAllowed,
    NotFound,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PaymentTerms,
    Release,
    Stale,
    Task,
    TermsPart,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
    codec,
    open_book,
    read_terms,
)
from clientledger.domain.money import MAX_MINOR, MAX_TOTAL
from clientledger.domain.recording import issue
from clientledger.ports import Head, HeadStep, Posting

UNKNOWN = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TOO_LONG = "x" * 256


@attrs.define
class Shop:
    """A book with something of everything in it."""

    book: Any
    client: Client
    other: Client
    archived: Client
    stale: Client
    sale: Entry
    parts: Entry
    dollars: Entry
    free: Entry
    used: Entry
    others_sale: Entry
    others_free: Entry
    voided_sale: Entry
    void: Entry
    archived_sale: Entry
    allocation: Allocation
    released: Allocation
    call: Interaction
    stale_call: Interaction
    promise: Agreement
    withdrawn: Agreement
    others_promise: Agreement
    todo: Task
    done: Task
    gone: Member
    note: Entry
    refund: Entry
    loss: Entry
    back: Entry
    opening: Entry
    exchanged: Entry
    corrected: Entry
    limit: Agreement
    before: dict[str, list[str]]


def stocked(book: Book) -> Shop:
    """Fill a new book."""
    book.team.add("petro", "Petro")
    book.team.add("ira", "Ira")
    gone = book.team.deactivate(book.team.add("gone", "Gone").key)
    client = book.clients.add(
        "Acme", manager="olena", external_ids={"erp": "C-1"}, key="k-client", tags=["beans"]
    )
    other = book.clients.add("Beta", manager="petro", external_ids={"erp": "C-2"})
    archived = book.clients.add("Gone & Sons", manager="petro")
    stale = book.clients.add("Gamma")
    book.clients.update(stale, note="changed since")
    ledger = book.ledger
    archived_sale = ledger.record_sale(archived, "10 EUR", on=day(-9))
    archived = book.clients.archive(archived)
    used = ledger.record_payment(client, "30 EUR", on=day(-30), number="P-1")
    used_by = ledger.record_sale(client, "30 EUR", on=day(-29))
    allocation = ledger.state(used_by).allocations[0]
    sale = ledger.record_sale(
        client,
        [("Beans", 10, "10.00")],
        currency="EUR",
        on=day(-20),
        due=day(-5),
        number="INV-1",
        external_ids={"erp": "S-1"},
        key="k-sale",
    )
    parts = ledger.record_sale(
        client,
        "90 EUR",
        on=day(-10),
        instalments=[(day(10), "40"), (day(20), "50")],
        use_prepayments=False,
    )
    dollars = ledger.record_sale(client, "70 USD", on=day(-3))
    free = ledger.record_payment(client, "45 EUR", on=day(-2), allocate={}, number="P-2")
    linked = ledger.record_payment(client, "5 EUR", on=day(-2), allocate={sale: "5"})
    released = ledger.release(ledger.state(linked).allocations[0])
    others_sale = ledger.record_sale(other, "60 EUR", on=day(-8), number="INV-2")
    others_free = ledger.record_payment(other, "6 EUR", on=day(-8), allocate={})
    voided_sale = ledger.record_sale(client, "11 EUR", on=day(-4), use_prepayments=False)
    void = ledger.void(voided_sale, reason="a slip", on=day(-1))
    call = book.interactions.log(client, "call", "Asked for a price", external_ids={"pbx": "7"})
    stale_call = book.interactions.log(client, "call", "Asked again")
    book.interactions.revise(stale_call, summary="Asked twice")
    promise = book.agreements.promise(client, "discount", "5 % off", percent="5")
    withdrawn = book.agreements.promise(client, "price", "Beans at 9", amount="9 EUR")
    withdrawn = book.agreements.withdraw(withdrawn, reason="too cheap")
    others_promise = book.agreements.promise(other, "discount", "3 % off", percent="3")
    todo = book.tasks.add("Call back", client=client, due=day(1), assignee="petro")
    done = book.tasks.complete(book.tasks.add("Pack", client=client))
    delta = book.clients.add("Delta")
    limit = book.agreements.promise(delta, "credit limit", "up to 500", amount="500 EUR")
    book.agreements.promise(delta, "payment terms", "x", terms="30 % now, rest in 30 days")
    opening = ledger.record_opening_balance(delta, "20 EUR", on=day(-50))
    deltas = ledger.record_sale(delta, "80 EUR", on=day(-40))
    note = ledger.record_credit_note(delta, "9 EUR", reason="broken", sale=deltas, on=day(-30))
    prepaid = ledger.record_payment(delta, "50 EUR", on=day(-20), allocate={})
    refund = ledger.record_refund(delta, "5 EUR", on=day(-10))
    loss = ledger.write_off(delta, "8 EUR", reason="lost", on=day(-9), allocate={opening: "8"})
    ledger.release(ledger.state(loss).allocations[0], "3", on=day(-8))
    back = ledger.find(client=delta, kind="write-off")[-1]
    exchanged = ledger.exchange(prepaid, "7 EUR", "8 USD", on=day(-7))
    slip = ledger.record_sale(delta, "13 EUR", on=day(-6), use_prepayments=False)
    corrected = ledger.correct(slip, reason="a slip", lines_or_amount="12 EUR")
    return Shop(
        book=book,
        client=client,
        other=other,
        archived=archived,
        stale=stale,
        sale=sale,
        parts=parts,
        dollars=dollars,
        free=free,
        used=used,
        others_sale=others_sale,
        others_free=others_free,
        voided_sale=voided_sale,
        void=void,
        archived_sale=archived_sale,
        allocation=allocation,
        released=released,
        call=call,
        stale_call=stale_call,
        promise=promise,
        withdrawn=withdrawn,
        others_promise=others_promise,
        todo=todo,
        done=done,
        gone=gone,
        note=note,
        refund=refund,
        loss=loss,
        back=back,
        opening=opening,
        exchanged=exchanged,
        corrected=corrected,
        limit=limit,
        before=dump(book),
    )


@pytest.fixture(scope="module", params=KINDS)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    with new_book(request.param, tmp_path_factory.mktemp("shop")) as book:
        yield stocked(book)


# ------------------------------------------------------------ the table
Call = Callable[..., object]
open_at: Any = open_book
_amount: Any
_call: Any
_field: str
_flag: Any
_name: str
_told: Any
REFUSALS: list[Any] = []


def refuse(
    name: str, call: Call, error: type[ClientLedgerError], field: str, *, value: bool = True
) -> None:
    """Add a refusal to the table; `value`: whether there is an offending value to show."""
    REFUSALS.append(pytest.param(call, error, field, value, id=name))


def sell(**given: Any) -> Call:
    return lambda s: s.book.ledger.record_sale(s.client, **{"lines_or_amount": "5 EUR", **given})


def pay(amount: Any = "5 EUR", **given: Any) -> Call:
    return lambda s: s.book.ledger.record_payment(s.client, amount, **given)


def add(name: Any = "New", **given: Any) -> Call:
    return lambda s: s.book.clients.add(name, **given)


def update(**changes: Any) -> Call:
    return lambda s: s.book.clients.update(s.client.id, **changes)


def log(**given: Any) -> Call:
    given = {"kind": "call", "summary": "Asked", **given}
    return lambda s: s.book.interactions.log(s.client, **given)


def promise(**given: Any) -> Call:
    given = {"kind": "discount", "text": "5 % off", **given}
    return lambda s: s.book.agreements.promise(s.client, **given)


def plan(**given: Any) -> Call:
    return lambda s: s.book.tasks.add(**{"title": "Call", "client": s.client, **given})


def line(**given: Any) -> Call:
    told = Line(**{"name": "Beans", "quantity": 1, "price": "5", **given})
    return sell(lines_or_amount=[told], currency="EUR")


# amounts
for _name, _amount in {
    "a float": 0.1,
    "a whole float": 5.0,
    "true": True,
    "false": False,
    "a float that is not a number": math.nan,
    "an infinite float": math.inf,
    "not a number": Decimal("NaN"),
    "a signalling not a number": Decimal("sNaN"),
    "infinity": Decimal("Infinity"),
    "minus infinity": Decimal("-Infinity"),
    "minus one": -1,
    "minus a cent in text": "-0.01",
    "zero": 0,
    "zero in text": "0.00",
    "minus zero": Decimal("-0"),
    "minus zero in text": "-0.00",
    "Arabic digits": "١٢",
    "fullwidth digits": "１２",
    "superscript digits": "²",
    "spaces around": " 12 ",
    "a line end": "12\n",
    "a thousands comma": "1,234",
    "a decimal comma": "12,50",
    "an underscore": "1_000",
    "an exponent in text": "1e3",
    "hexadecimal": "0x10",
    "no digits": "",
    "a sign alone": "-",
    "a point alone": ".",
    "five thousand digits": "9" * 5000,
    "an enormous exponent": Decimal("1E+999999"),
    "a tiny exponent": Decimal("1E-999999"),
    "an enormous int": 10**5000,
    "three decimals": "1.001",
    "three decimals in a Decimal": Decimal("1.001"),
    "two needless decimals and one more": Decimal("1.000"),
    "None": None,
    "bytes": b"12",
    "an object": object(),
    "a list": ["12"],
    "a mapping": {"EUR": 12},
    "a complex number": 1j,
    "above the limit of a document": Decimal(MAX_MINOR + 1).scaleb(-2),
    "far above any limit": 10**29,
}.items():
    refuse(
        f"an amount that is {_name}",
        pay(_amount, currency="EUR"),
        InvalidValue,
        "amount",
        value=_amount is not None,
    )
    if (
        not isinstance(_amount, list | dict | bytes | complex | None)
        and type(_amount) is not object
    ):
        refuse(
            f"a sale over an amount that is {_name}",
            sell(lines_or_amount=_amount, currency="EUR"),
            InvalidValue,
            "amount",
        )
for _amount in ("100.00", Decimal("100.00"), Decimal("100.5")):
    refuse(f"{_amount!r} yen", pay(_amount, currency="JPY"), InvalidValue, "amount")
refuse("four decimals of a dinar", pay("1.2345", currency="KWD"), InvalidValue, "amount")
refuse("five decimals of an UF", pay("1.23456", currency="CLF"), InvalidValue, "amount")
refuse("an amount without a currency", pay("5.00"), InvalidValue, "amount")
refuse("an amount and its currency without a space", pay("5.00EUR"), InvalidValue, "amount")
refuse("an amount with two spaces", pay("5.00  EUR"), InvalidValue, "amount")
refuse("an amount in two currencies", pay("5 EUR", currency="USD"), WrongCurrency, "amount")
refuse(
    "money in another currency than is told",
    pay(Money("5", "EUR"), currency="USD"),
    WrongCurrency,
    "amount",
)
refuse("a payment over lines", pay([("Beans", 1, "5")], currency="EUR"), InvalidValue, "amount")

# currencies
for _name, _code in {
    "no currency": "XXX",
    "a currency for tests": "XTS",
    "a withdrawn currency": "DEM",
    "gold": "XAU",
    "lower case": "eur",
    "an empty code": "",
    "a space": " EUR",
    "a code with a NUL": "EUR\0",
    "a number": 978,
    "bytes": b"EUR",
    "a list": ["EUR"],
    "an object": object(),
    "euro with three decimals": Currency("EUR", 3),
    "a unit that the book does not know": Currency("BEAN", 0),
}.items():
    refuse(f"a currency that is {_name}", pay("5", currency=_code), InvalidValue, "currency")
    refuse(
        f"lines in a currency that is {_name}",
        sell(lines_or_amount=[("Beans", 1, "5")], currency=_code),
        InvalidValue,
        "currency",
    )
refuse("an amount of a withdrawn currency", pay("5 DEM"), InvalidValue, "currency")
refuse(
    "money of a unit that the book does not know",
    pay(Money("1.234", Currency("EUR", 3))),
    InvalidValue,
    "currency",
)
refuse(
    "a unit that the book does not know, in a promise",
    promise(amount=Money("5", Currency("BEAN", 0))),
    InvalidValue,
    "currency",
)
refuse(
    "lines without a currency",
    sell(lines_or_amount=[("Beans", 1, "5")]),
    InvalidValue,
    "currency",
    value=False,
)
for _read in ("find", "open_items"):
    refuse(
        f"{_read} in an unknown currency",
        lambda s, read=_read: getattr(s.book.ledger, read)(currency="eur"),
        InvalidValue,
        "currency",
    )
refuse(
    "an account in an unknown currency",
    lambda s: s.book.ledger.account(s.client, "DEM"),
    InvalidValue,
    "currency",
)

# lines
for _name, _lines in {
    "no line at all": [],
    "a mapping": {"Beans": 5},
    "an object": object(),
    "nothing": None,
}.items():
    refuse(
        f"lines that are {_name}",
        sell(lines_or_amount=_lines, currency="EUR"),
        InvalidValue,
        "lines",
        value=_lines is not None,
    )
refuse(
    "more than ten thousand lines",
    sell(lines_or_amount=[("Beans", 1, "5")] * 10_001, currency="EUR"),
    InvalidValue,
    "lines",
)
refuse(
    "lines that add up to nothing",
    sell(lines_or_amount=[("Sample", 1, "0")], currency="EUR"),
    InvalidValue,
    "lines",
)
refuse(
    "lines that add up to too much",
    sell(lines_or_amount=[("Island", 1, "6000000000000.00")] * 2, currency="EUR"),
    InvalidValue,
    "lines",
)
for _name, _line in {
    "text": "Beans",
    "four parts": ("Beans", 1, "5", "x"),
    "no part": (),
    "a mapping": {"name": "Beans"},
    "nothing": None,
    "a byte": 7,
}.items():
    refuse(
        f"a line that is {_name}",
        sell(lines_or_amount=[("Beans", 1, "5"), _line], currency="EUR"),
        InvalidValue,
        "lines[2]",
        value=_line is not None,
    )
refuse("a line without a name", line(name=" "), InvalidValue, "lines[1].name")
refuse("a quantity that is a float", line(quantity=0.5), InvalidValue, "lines[1].quantity")
refuse("a quantity that is true", line(quantity=True), InvalidValue, "lines[1].quantity")
refuse("a negative quantity", line(quantity=-1), InvalidValue, "lines[1].quantity")
refuse(
    "seven decimals of a quantity", line(quantity="0.0000001"), InvalidValue, "lines[1].quantity"
)
refuse(
    "a tiny quantity of a dear thing",
    line(quantity=Decimal("1E-30"), price=10**15),
    InvalidValue,
    "lines[1].quantity",
)
refuse("a negative price", line(price="-5"), InvalidValue, "lines[1].price")
refuse("nine decimals of a price", line(price="0.000000001"), InvalidValue, "lines[1].price")
refuse("a price that is not a number", line(price=Decimal("NaN")), InvalidValue, "lines[1].price")
refuse(
    "a line beyond all arithmetic",
    line(quantity=Decimal("9E30"), price=Decimal("9E30")),
    InvalidValue,
    "lines[1]",
)
for _percent in ("-1", "100.01", 1.5, True, Decimal("sNaN")):
    refuse(
        f"a discount of {_percent!r} %",
        line(discount_percent=_percent),
        InvalidValue,
        "lines[1].discount_percent",
    )
refuse("a discount above the price", line(discount="5.01"), InvalidValue, "lines[1]")
for _field in ("discount", "tax", "total"):
    for _told in (
        "-1",
        0.5,
        False,
        "1.001",
        Decimal("sNaN"),
        Decimal("NaN"),
        Decimal("-0.01"),
        b"1",
    ):
        refuse(
            f"a line's {_field} of {_told!r}",
            line(**{_field: _told}),
            InvalidValue,
            f"lines[1].{_field}",
        )
    refuse(
        f"a line's {_field} in dollars",
        line(**{_field: Money("1", "USD")}),
        WrongCurrency,
        f"lines[1].{_field}",
    )

# days and moments
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
for _name, _day in {
    "a moment": MOMENT,
    "text": "2026-03-01",
    "before 1900": date(1899, 12, 31),
    "after 2999": date(3000, 1, 1),
    "a number": 20260301,
    "a list": [date(2026, 3, 1)],
}.items():
    refuse(f"a sale on {_name}", sell(on=_day), InvalidValue, "on")
    refuse(f"a sale due {_name}", sell(due=_day), InvalidValue, "due")
    refuse(f"a payment on {_name}", pay(on=_day), InvalidValue, "on")
    refuse(f"a promise from {_name}", promise(valid_from=_day), InvalidValue, "valid_from")
    refuse(f"a promise until {_name}", promise(valid_until=_day), InvalidValue, "valid_until")
    refuse(
        f"a void on {_name}",
        lambda s, on=_day: s.book.ledger.void(s.sale, reason="r", on=on),
        InvalidValue,
        "on",
    )
    refuse(
        f"an allocation on {_name}",
        lambda s, on=_day: s.book.ledger.allocate(s.free, s.sale, "1", on=on),
        InvalidValue,
        "on",
    )
    refuse(
        f"a release on {_name}",
        lambda s, on=_day: s.book.ledger.release(s.allocation, on=on),
        InvalidValue,
        "on",
    )
    for _figure in ("account", "accounts", "open_items", "card", "purchases", "debtors", "ageing"):

        def _asked(s: Shop, on: Any = _day, figure: str = _figure) -> object:
            ledger, insights = s.book.ledger, s.book.insights
            calls = {
                "account": lambda: ledger.account(s.client, "EUR", as_of=on),
                "accounts": lambda: ledger.accounts(s.client, as_of=on),
                "open_items": lambda: ledger.open_items(as_of=on),
                "card": lambda: s.book.card(s.client, as_of=on),
                "purchases": lambda: insights.purchases(s.client, as_of=on),
                "debtors": lambda: insights.debtors(as_of=on),
                "ageing": lambda: insights.ageing(as_of=on),
            }
            return calls[figure]()

        refuse(f"{_figure} as of {_name}", _asked, InvalidValue, "as_of")
for _name, _at in {
    "naive": datetime(2026, 3, 1, 12),  # noqa: DTZ001 - that is what is refused
    "a day": date(2026, 3, 1),
    "text": "2026-03-01T12:00:00Z",
    "before 1900": datetime(1899, 12, 31, tzinfo=UTC),
    "the first moment, east of Greenwich": datetime.min.replace(
        tzinfo=timezone(timedelta(hours=14))
    ),
    "the last moment, west of Greenwich": datetime.max.replace(
        tzinfo=timezone(timedelta(hours=-12))
    ),
    "a number": 1_772_000_000,
}.items():
    refuse(f"a call at a moment that is {_name}", log(at=_at), InvalidValue, "at")
    refuse(f"a reminder at a moment that is {_name}", plan(remind=_at), InvalidValue, "remind")
    refuse(
        f"debtors as known at a moment that is {_name}",
        lambda s, at=_at: s.book.insights.debtors(known_at=at),
        InvalidValue,
        "known_at",
    )
    refuse(
        f"a call revised to a moment that is {_name}",
        lambda s, at=_at: s.book.interactions.revise(s.call, at=at),
        InvalidValue,
        "at",
    )
refuse(
    "a call revised to no moment",
    lambda s: s.book.interactions.revise(s.call, at=None),
    InvalidValue,
    "at",
    value=False,
)
refuse(
    "a task due at a naive moment",
    plan(due=datetime(2026, 3, 3)),  # noqa: DTZ001 - that is what is refused
    InvalidValue,
    "due",
)
refuse("a task due in the year 3000", plan(due=date(3000, 1, 1)), InvalidValue, "due")
refuse("a task due tomorrow, in words", plan(due="tomorrow"), InvalidValue, "due")
refuse(
    "a promise that ends before it begins",
    promise(valid_from=day(5), valid_until=day(4)),
    InvalidValue,
    "valid_until",
)
refuse(
    "a statement that ends before it begins",
    lambda s: s.book.ledger.statement(s.client, "EUR", day(0), day(-1)),
    InvalidValue,
    "until",
)
refuse(
    "a void dated before the entry",
    lambda s: s.book.ledger.void(s.sale, reason="r", on=day(-21)),
    InvalidValue,
    "on",
)
refuse(
    "a release dated before the allocation",
    lambda s: s.book.ledger.release(s.allocation, on=day(-40)),
    InvalidValue,
    "on",
)

# text
TEXTS = {
    "a control character": "a\x0bb",
    "a NUL": "a\x00b",
    "a C1 control character": "a\x85b",
    "a lone surrogate": "\ud800",
    "a bidirectional override": "Acme\u202ecod.exe",
    "a bidirectional isolate": "Acme\u2066x",
    "bytes": b"Acme",
    "a number": 7,
    "a list": ["Acme"],
    "an object": object(),
}
for _name, _text in {**TEXTS, "too long": TOO_LONG, "a line end": "a\nb"}.items():
    refuse(f"a name that is {_name}", add(_text), InvalidValue, "name")
    refuse(f"a new name that is {_name}", update(name=_text), InvalidValue, "name")
    refuse(f"a tag that is {_name}", add(tags=["beans", _text]), InvalidValue, "tags")
    refuse(f"a phone that is {_name}", add(phones=[_text]), InvalidValue, "phones")
    refuse(f"an e-mail that is {_name}", add(emails=[_text]), InvalidValue, "emails")
    refuse(f"an account that is {_name}", add(bank_accounts=[_text]), InvalidValue, "bank_accounts")
    refuse(f"a number that is {_name}", sell(number=_text), InvalidValue, "number")
    refuse(f"a method that is {_name}", pay(method=_text), InvalidValue, "method")
    refuse(f"a kind of call that is {_name}", log(kind=_text), InvalidValue, "kind")
    refuse(f"a title that is {_name}", plan(title=_text), InvalidValue, "title")
    refuse(f"an article that is {_name}", line(sku=_text), InvalidValue, "lines[1].sku")
    refuse(
        f"an external id that is {_name}",
        add(external_ids={"erp": _text}),
        InvalidValue,
        "external_ids[erp]",
    )
for _name, _text in {**TEXTS, "far too long": "x" * 100_001}.items():
    refuse(f"a note that is {_name}", add(note=_text), InvalidValue, "note")
    refuse(f"a body that is {_name}", log(body=_text), InvalidValue, "body")
    refuse(f"an outcome that is {_name}", log(outcome=_text), InvalidValue, "outcome")
    refuse(
        f"an attribute that is {_name}",
        add(attributes={"region": _text}),
        InvalidValue,
        "attributes[region]",
    )
for _name, _text in {"empty": "", "blank": "  ", "an ideographic space": "\u3000"}.items():
    refuse(f"a name that is {_name}", add(_text), InvalidValue, "name")
    refuse(
        f"a contact's name that is {_name}", add(contacts=[_text]), InvalidValue, "contacts.name"
    )
    refuse(f"a tag that is {_name}", add(tags=[_text]), InvalidValue, "tags")
    refuse(f"a number that is {_name}", sell(number=_text), InvalidValue, "number")
    refuse(f"a summary that is {_name}", log(summary=_text), InvalidValue, "summary")
    refuse(f"a promise that is {_name}", promise(text=_text), InvalidValue, "text")
    refuse(f"a title that is {_name}", plan(title=_text), InvalidValue, "title")
    refuse(
        f"a reason that is {_name}",
        lambda s, reason=_text: s.book.ledger.void(s.sale, reason=reason),
        InvalidValue,
        "reason",
    )
    refuse(
        f"a withdrawal for a reason that is {_name}",
        lambda s, reason=_text: s.book.agreements.withdraw(s.promise, reason=reason),
        InvalidValue,
        "reason",
    )
    refuse(
        f"an external id that is {_name}",
        add(external_ids={"erp": _text}),
        InvalidValue,
        "external_ids[erp]",
    )
refuse("a name of 255 that grow when composed", add("\u0958" * 255), InvalidValue, "name")
for _name, _email in {
    "two recipients": "a@b.example, c@d.example",
    "two recipients without a space": "a@b.example,c@d.example",
    "two recipients and a semicolon": "a@b.example;c@d.example",
    "a header of its own": "a@b.example\r\nBcc: x@y.example",
    "a line separator": "a@b.example\u2028Bcc: x@y.example",
    "a display name": "Ann <a@b.example>",
    "a space": "a @b.example",
}.items():
    refuse(f"an e-mail with {_name}", add(emails=[_email]), InvalidValue, "emails")
    refuse(
        f"a contact's e-mail with {_name}",
        add(contacts=[{"name": "Ann", "emails": [_email]}]),
        InvalidValue,
        "contacts.emails",
    )
    refuse(
        f"a member's e-mail with {_name}",
        lambda s, email=_email: s.book.team.add("new", "New", email=email),
        InvalidValue,
        "email",
    )

# words of which there are few
refuse("an unknown kind of client", add(kind="shop"), InvalidValue, "kind")
refuse("an unknown direction", log(direction="sideways"), InvalidValue, "direction")
refuse(
    "an unknown status",
    lambda s: s.book.tasks.find(status="late"),
    InvalidValue,
    "status",
)
refuse("ageing by the moon", lambda s: s.book.insights.ageing(by="moon"), InvalidValue, "by")
refuse("best by the moon", lambda s: s.book.insights.best_clients(by="moon"), InvalidValue, "by")
refuse(
    "a timeline of gossip",
    lambda s: s.book.interactions.timeline(s.client, what=["gossip"]),
    InvalidValue,
    "what",
)
refuse(
    "a timeline of a word that is no list",
    lambda s: s.book.interactions.timeline(s.client, what="entry"),
    InvalidValue,
    "what",
)
for _percent in ("-0.01", "100.01", 0.5, Decimal("NaN"), "5 %", True):
    refuse(f"a promise of {_percent!r} %", promise(percent=_percent), InvalidValue, "percent")
refuse("a promised price of nothing", promise(amount="0 EUR"), InvalidValue, "amount")
refuse("a promised price without a currency", promise(amount="9"), InvalidValue, "amount")
for _flag in ("no", 0, 1, [], b""):
    refuse(
        f"prepayments used: {_flag!r}", sell(use_prepayments=_flag), InvalidValue, "use_prepayments"
    )
    refuse(
        f"archived: {_flag!r}",
        lambda s, flag=_flag: s.book.clients.find(archived=flag),
        InvalidValue,
        "archived",
    )
    refuse(
        f"voided: {_flag!r}",
        lambda s, flag=_flag: s.book.ledger.find(voided=flag),
        InvalidValue,
        "voided",
    )
    refuse(
        f"overdue only: {_flag!r}",
        lambda s, flag=_flag: s.book.insights.debtors(overdue_only=flag),
        InvalidValue,
        "overdue_only",
    )
    refuse(
        f"tasks go along: {_flag!r}",
        lambda s, flag=_flag: s.book.team.hand_over("petro", "ira", tasks=flag),
        InvalidValue,
        "tasks",
    )

# lists and mappings
for _field in ("phones", "emails", "addresses", "contacts", "tags", "bank_accounts"):
    for _told in ("+49 30 901820", b"x", {"a": 1}, 7, None, object()):
        refuse(
            f"{_field} that are {_told!r:.20}",
            add(**{_field: _told}),
            InvalidValue,
            _field,
            value=_told is not None,
        )
for _field in ("phones", "emails", "addresses", "contacts"):
    refuse(f"201 {_field}", add(**{_field: ["1"] * 201}), InvalidValue, _field)
refuse("an address of an unknown field", add(addresses=[{"zip": "1"}]), InvalidValue, "addresses")
refuse("an address that is a number", add(addresses=[7]), InvalidValue, "addresses")
refuse(
    "an address in Germany",
    add(addresses=[{"country": "Germany"}]),
    InvalidValue,
    "addresses.country",
)
refuse(
    "an address in de", add(addresses=[Address(country="de")]), InvalidValue, "addresses.country"
)
refuse(
    "an address with a NUL",
    add(addresses=[{"street": "a\0"}]),
    InvalidValue,
    "addresses.street",
)
refuse("a contact of an unknown field", add(contacts=[{"nmae": "Ann"}]), InvalidValue, "contacts")
refuse("a contact without a name", add(contacts=[{"role": "CEO"}]), InvalidValue, "contacts.name")
refuse(
    "a contact with a phone that is no list",
    add(contacts=[{"name": "Ann", "phones": "030"}]),
    InvalidValue,
    "contacts.phones",
)
for _field in ("tax_ids", "attributes", "external_ids"):
    for _told in (["VAT"], "VAT", 7, [("VAT", "1")], False):
        refuse(f"{_field} that are {_told!r}", add(**{_field: _told}), InvalidValue, _field)
    refuse(f"{_field} with a key that is a number", add(**{_field: {1: "x"}}), InvalidValue, _field)
    refuse(f"{_field} with an empty key", add(**{_field: {"": "x"}}), InvalidValue, _field)
    refuse(
        f"{_field} with a value that is a number",
        add(**{_field: {"a": 1}}),
        InvalidValue,
        f"{_field}[a]",
    )
    refuse(
        f"{_field} without end",
        add(**{_field: {f"k{n}": "x" for n in range(201)}}),
        InvalidValue,
        _field,
    )
refuse("an update of an unknown field", update(nmae="Acme"), InvalidValue, "nmae")
refuse("an update of the id", update(id=UNKNOWN), InvalidValue, "id")
refuse("an update of the archive", update(archived=True), InvalidValue, "archived")
refuse(
    "a revision of an unknown field",
    lambda s: s.book.interactions.revise(s.call, by="petro"),
    InvalidValue,
    "by",
)

# who and what: ids, members, references
for _name, _ref in {"text": "not-an-id", "a number": 7, "nothing": None, "bytes": b"x"}.items():
    _there = _ref is not None
    for _field, _call in {
        "client": lambda s, r: s.book.ledger.record_sale(r, "5 EUR"),
        "entry": lambda s, r: s.book.ledger.void(r, reason="r"),
        "credit": lambda s, r: s.book.ledger.allocate(r, s.sale, "1"),
        "debit_or_instalment": lambda s, r: s.book.ledger.allocate(s.free, r, "1"),
        "allocation": lambda s, r: s.book.ledger.release(r),
        "task": lambda s, r: s.book.tasks.complete(r),
        "agreement": lambda s, r: s.book.agreements.withdraw(r, reason="r"),
        "interaction": lambda s, r: s.book.interactions.revise(r, body="x"),
        "agreements": lambda s, r: s.book.ledger.record_sale(s.client, "5 EUR", agreements=[r]),
        "clients": lambda s, r: s.book.team.hand_over("petro", "ira", clients=[r]),
        "allocate": lambda s, r: s.book.ledger.record_payment(s.client, "5 EUR", allocate={r: "5"}),
    }.items():
        refuse(
            f"{_field} that is {_name}",
            lambda s, call=_call, ref=_ref: call(s, ref),
            InvalidValue,
            _field,
            value=_there,
        )
for _name, _unknown in {
    "an unknown id": UNKNOWN,
    "an unknown id in text": str(UNKNOWN),
    "an unknown id in braces": "{" + str(UNKNOWN).upper() + "}",
}.items():
    for _field, _call in {
        "client": lambda s, r: s.book.clients.get(r),
        "entry": lambda s, r: s.book.ledger.void(r, reason="r"),
        "credit": lambda s, r: s.book.ledger.allocate(r, s.sale, "1"),
        "debit_or_instalment": lambda s, r: s.book.ledger.allocate(s.free, r, "1"),
        "allocation": lambda s, r: s.book.ledger.release(r),
        "task": lambda s, r: s.book.tasks.complete(r),
        "agreement": lambda s, r: s.book.agreements.withdraw(r, reason="r"),
        "interaction": lambda s, r: s.book.interactions.revise(r, body="x"),
        "agreements": lambda s, r: s.book.ledger.record_sale(s.client, "5 EUR", agreements=[r]),
        "allocate": lambda s, r: s.book.ledger.record_payment(s.client, "5 EUR", allocate={r: "5"}),
    }.items():
        refuse(
            f"{_field}: {_name}",
            lambda s, call=_call, ref=_unknown: call(s, ref),
            NotFound,
            _field,
        )
for _name, _call in {
    "record_sale": lambda s: s.book.ledger.record_sale(UNKNOWN, "5 EUR"),
    "record_payment": lambda s: s.book.ledger.record_payment(UNKNOWN, "5 EUR"),
    "update": lambda s: s.book.clients.update(UNKNOWN, name="X"),
    "archive": lambda s: s.book.clients.archive(UNKNOWN),
    "restore": lambda s: s.book.clients.restore(UNKNOWN),
    "history": lambda s: s.book.clients.history(UNKNOWN),
    "log": lambda s: s.book.interactions.log(UNKNOWN, "call", "x"),
    "timeline": lambda s: s.book.interactions.timeline(UNKNOWN),
    "promise": lambda s: s.book.agreements.promise(UNKNOWN, "discount", "x"),
    "agreements": lambda s: s.book.agreements.find(UNKNOWN),
    "tasks.add": lambda s: s.book.tasks.add("x", client=UNKNOWN),
    "tasks.find": lambda s: s.book.tasks.find(UNKNOWN),
    "card": lambda s: s.book.card(UNKNOWN),
    "accounts": lambda s: s.book.ledger.accounts(UNKNOWN),
    "an entry's id": lambda s: s.book.clients.get(s.sale),
}.items():
    refuse(f"an unknown client in {_name}", _call, NotFound, "client")
refuse("an unknown interaction", promise(interaction=UNKNOWN), NotFound, "interaction")
refuse("an unknown entry's state", lambda s: s.book.ledger.state(UNKNOWN), NotFound, "entry")
refuse(
    "an entry's state before it was",
    lambda s: s.book.ledger.state(s.sale, as_of=day(-21)),
    NotFound,
    "entry",
)
for _name, _call, _field in [
    ("a manager", add(manager="nobody"), "manager"),
    ("a new manager", update(manager="nobody"), "manager"),
    ("an assignee", plan(assignee="nobody"), "assignee"),
    ("who promised", promise(by="nobody"), "by"),
    ("whose tasks", lambda s: s.book.tasks.find(assignee="nobody"), "assignee"),
    ("whose agenda", lambda s: s.book.tasks.agenda(assignee="nobody"), "assignee"),
    ("a member", lambda s: s.book.team.get("nobody"), "key"),
    ("who gives", lambda s: s.book.team.hand_over("nobody", "ira"), "from_"),
    ("who takes", lambda s: s.book.team.hand_over("petro", "nobody"), "to"),
    ("who leaves", lambda s: s.book.team.deactivate("nobody"), "member"),
    ("who succeeds", lambda s: s.book.team.deactivate("petro", successor="nobody"), "to"),
    ("who is assigned", lambda s: s.book.tasks.assign(s.todo, "nobody"), "member"),
]:
    refuse(f"{_name} that nobody knows", _call, NotFound, _field)
for _name, _call, _field in [
    ("a manager", add(manager="gone"), "manager"),
    ("a new manager", update(manager="gone"), "manager"),
    ("an assignee", plan(assignee="gone"), "assignee"),
    ("who promised", promise(by="gone"), "by"),
    ("who takes", lambda s: s.book.team.hand_over("petro", "gone"), "to"),
    ("who is assigned", lambda s: s.book.tasks.assign(s.todo, "gone"), "member"),
]:
    refuse(f"{_name} that has left", _call, NotAllowed, _field)
refuse("a member's key that is taken", lambda s: s.book.team.add("petro", "P"), Duplicate, "key")
refuse(
    "handing over to oneself", lambda s: s.book.team.hand_over("petro", "petro"), InvalidValue, "to"
)
refuse(
    "being one's own successor",
    lambda s: s.book.team.deactivate("petro", successor="petro"),
    InvalidValue,
    "to",
)
refuse(
    "handing over what is another's",
    lambda s: s.book.team.hand_over("petro", "ira", clients=[s.other, s.client]),
    InvalidValue,
    "clients",
)
for _told in (7, "abc", b"x", {"a": 1}):
    refuse(
        f"handing over {_told!r}",
        lambda s, told=_told: s.book.team.hand_over("petro", "ira", clients=told),
        InvalidValue,
        "clients",
    )
    refuse(f"under agreements {_told!r}", sell(agreements=_told), InvalidValue, "agreements")
refuse(
    "under no list of agreements", sell(agreements=None), InvalidValue, "agreements", value=False
)
refuse("leaving with clients left", lambda s: s.book.team.deactivate("petro"), Conflict, "member")
refuse(
    "an interaction of another client",
    lambda s: s.book.agreements.promise(s.other, "discount", "x", interaction=s.call),
    InvalidValue,
    "interaction",
)
refuse(
    "an agreement of another client",
    lambda s: s.book.ledger.record_sale(s.client, "5 EUR", agreements=[s.others_promise]),
    WrongClient,
    "agreements",
)

# what is past changing
refuse(
    "a record that has changed since",
    lambda s: s.book.clients.update(s.stale, note="x"),
    Stale,
    "revision",
)
refuse(
    "an older revision",
    lambda s: s.book.clients.update(s.stale.id, revision=1, note="x"),
    Stale,
    "revision",
)
refuse("a later revision", update(revision=99, note="x"), Stale, "revision")
for _revision in ("1", 1.0, True, b"1"):
    refuse(
        f"revision {_revision!r}", update(revision=_revision, note="x"), InvalidValue, "revision"
    )
refuse(
    "a call that was revised since",
    lambda s: s.book.interactions.revise(s.stale_call, body="x"),
    Stale,
    "revision",
)
refuse("a task closed twice", lambda s: s.book.tasks.complete(s.done), NotAllowed, "task")
refuse("a closed task cancelled", lambda s: s.book.tasks.cancel(s.done), NotAllowed, "task")
refuse(
    "a closed task postponed", lambda s: s.book.tasks.postpone(s.done, day(9)), NotAllowed, "task"
)
refuse("a closed task assigned", lambda s: s.book.tasks.assign(s.done, "ira"), NotAllowed, "task")
refuse(
    "an agreement withdrawn twice",
    lambda s: s.book.agreements.withdraw(s.withdrawn, reason="x"),
    NotAllowed,
    "agreement",
)
for _name, _call in {
    "a sale": lambda s: s.book.ledger.record_sale(s.archived, "5 EUR"),
    "an agreement": lambda s: s.book.agreements.promise(s.archived, "discount", "x"),
    "a task": lambda s: s.book.tasks.add("x", client=s.archived),
}.items():
    refuse(f"{_name} for an archived client", _call, ClientArchived, "client")

# what must be unique
refuse(
    "an external id that is taken", add(external_ids={"erp": "C-1"}), Duplicate, "external_ids[erp]"
)
refuse(
    "an external id of a sale that is taken",
    sell(external_ids={"shop": "9", "erp": "S-1"}),
    Duplicate,
    "external_ids[erp]",
)
refuse(
    "an external id of a call that is taken",
    log(external_ids={"pbx": "7"}),
    Duplicate,
    "external_ids[pbx]",
)
for _hidden in ("INV\u200b-9", "\ufeffINV-9", "INV-\u200d9", "INV\u00ad-9"):
    refuse(f"a number with {_hidden!a}", sell(number=_hidden), InvalidValue, "number")
    refuse(
        f"an external id with {_hidden!a}",
        sell(external_ids={"erp": _hidden}),
        InvalidValue,
        "external_ids[erp]",
    )
refuse(
    "an actor who has left",
    lambda s: s.book.as_actor("gone").interactions.log(s.client, "call", "Hello"),
    NotAllowed,
    "actor",
)
refuse("a sale's number that is taken", sell(number="INV-1"), NumberTaken, "number")
refuse("another client's number", sell(number="INV-2"), NumberTaken, "number")
refuse("a payment's number that is taken", pay(number="P-1"), NumberTaken, "number")
for _told in (
    5,
    "ab",
    ("erp",),
    ("erp", "C-1", "x"),
    ("erp", 7),
    ("erp", []),
    {"erp": "C-1"},
    ("", "x"),
):
    for _service in ("clients", "ledger"):
        refuse(
            f"{_service} found by external id {_told!r}",
            lambda s, told=_told, service=_service: getattr(s.book, service).find(external_id=told),
            InvalidValue,
            "external_id",
        )

# idempotency keys
for _name, _key in {
    "empty": "",
    "too long": "k" * 256,
    "a NUL": "a\x00b",
    "a lone surrogate": "\ud800",
    "an umlaut": "schlüssel",
    "a space behind": "key ",
    "a space before": " key",
    "a line end": "key\n",
    "a number": 7,
    "bytes": b"key",
    "an object": object(),
}.items():
    refuse(f"a key that is {_name}", add(key=_key), InvalidValue, "key")
    refuse(f"a sale's key that is {_name}", sell(key=_key), InvalidValue, "key")
    refuse(
        f"the outcome of a key that is {_name}",
        lambda s, key=_key: s.book.outcome(key),
        InvalidValue,
        "key",
    )
    refuse(
        f"an actor's key that is {_name}",
        lambda s, key=_key: s.book.as_actor(key),
        InvalidValue,
        "actor",
    )
refuse("a key used for another name", add("Other", key="k-client"), KeyReused, "key")
refuse("a key used for another action", sell(key="k-client"), KeyReused, "key")
refuse("a key used for another amount", sell(key="k-sale"), KeyReused, "key")

# allocations
refuse(
    "more than is open of the sale",
    lambda s: s.book.ledger.record_payment(s.client, "500 EUR", allocate={s.sale: "100.01"}),
    OverAllocated,
    "allocate",
)
refuse(
    "more than the payment is",
    lambda s: s.book.ledger.record_payment(s.client, "5 EUR", allocate={s.sale: "5.01"}),
    OverAllocated,
    "allocate",
)
refuse(
    "more than the payment is, in two parts",
    lambda s: s.book.ledger.record_payment(
        s.client, "5 EUR", allocate=[(s.sale, "3"), (s.parts, "2.01")]
    ),
    OverAllocated,
    "allocate",
)
refuse(
    "more than is open of the sale, in two parts",
    lambda s: s.book.ledger.record_payment(
        s.client, "500 EUR", allocate=[(s.sale, "60"), (s.sale, "60")]
    ),
    OverAllocated,
    "allocate",
)
refuse(
    "more than is open of the instalment",
    lambda s: s.book.ledger.record_payment(
        s.client, "500 EUR", allocate={s.parts.instalments[0]: "40.01"}
    ),
    OverAllocated,
    "allocate",
)
refuse(
    "an instalment that is not there",
    lambda s: s.book.ledger.record_payment(
        s.client,
        "5 EUR",
        allocate={Instalment(day(1), Money("5", "EUR"), 3, s.parts.id): "5"},
    ),
    OverAllocated,
    "allocate",
)
refuse(
    "an instalment of no document",
    lambda s: s.book.ledger.record_payment(
        s.client, "5 EUR", allocate={Instalment(day(1), Money("5", "EUR")): "5"}
    ),
    InvalidValue,
    "allocate",
    value=False,
)
refuse(
    "more than is free",
    lambda s: s.book.ledger.allocate(s.free, s.sale, "45.01"),
    OverAllocated,
    "amount",
)
refuse(
    "more than is open",
    lambda s: s.book.ledger.allocate(s.free, s.parts.instalments[0], "40.01"),
    OverAllocated,
    "amount",
)
refuse(
    "a used payment", lambda s: s.book.ledger.allocate(s.used, s.sale, "1"), OverAllocated, "amount"
)
refuse(
    "an amount that would go to two instalments",
    lambda s: s.book.ledger.allocate(s.free, s.parts, "40.01"),
    InvalidValue,
    "debit_or_instalment",
)
refuse(
    "nothing allocated", lambda s: s.book.ledger.allocate(s.free, s.sale, 0), InvalidValue, "amount"
)
refuse(
    "a negative allocation",
    lambda s: s.book.ledger.allocate(s.free, s.sale, "-1"),
    InvalidValue,
    "amount",
)
refuse(
    "a float allocated",
    lambda s: s.book.ledger.allocate(s.free, s.sale, 1.0),
    InvalidValue,
    "amount",
)
refuse(
    "nothing allocated by a payment",
    lambda s: s.book.ledger.record_payment(s.client, "5 EUR", allocate={s.sale: 0}),
    InvalidValue,
    "allocate",
)
refuse(
    "another client's sale",
    lambda s: s.book.ledger.record_payment(s.client, "5 EUR", allocate={s.others_sale: "5"}),
    WrongClient,
    "debit",
)
refuse(
    "another client's credit",
    lambda s: s.book.ledger.allocate(s.others_free, s.sale, "1"),
    WrongClient,
    "debit",
)
refuse(
    "a sale in dollars",
    lambda s: s.book.ledger.record_payment(s.client, "5 EUR", allocate={s.dollars: "5"}),
    WrongCurrency,
    "debit",
)
refuse(
    "dollars allocated of euros",
    lambda s: s.book.ledger.allocate(s.free, s.sale, "5 USD"),
    WrongCurrency,
    "amount",
)
refuse(
    "a payment that pays a payment",
    lambda s: s.book.ledger.record_payment(s.client, "5 EUR", allocate={s.free: "5"}),
    WrongDirection,
    "debit",
)
refuse(
    "a credit paid by a credit",
    lambda s: s.book.ledger.allocate(s.free, s.used, "1"),
    WrongDirection,
    "debit",
)
refuse(
    "a debit paid by a debit",
    lambda s: s.book.ledger.allocate(s.sale, s.parts, "1"),
    WrongDirection,
    "credit",
)
refuse(
    "debit and credit swapped",
    lambda s: s.book.ledger.allocate(s.sale, s.free, "1"),
    WrongDirection,
    "credit",
)
for _name, _target in {
    "a voided sale": lambda s: s.voided_sale,
    "a void": lambda s: s.void,
}.items():
    refuse(
        f"{_name} paid",
        lambda s, target=_target: s.book.ledger.record_payment(
            s.client, "5 EUR", allocate={target(s): "5"}
        ),
        Voided,
        "allocate",
    )
    refuse(
        f"{_name} allocated to",
        lambda s, target=_target: s.book.ledger.allocate(s.free, target(s), "5"),
        Voided,
        "debit_or_instalment",
    )
    refuse(
        f"{_name} allocated from",
        lambda s, target=_target: s.book.ledger.allocate(target(s), s.sale, "5"),
        Voided,
        "credit",
    )
    refuse(
        f"{_name} voided",
        lambda s, target=_target: s.book.ledger.void(target(s), reason="again"),
        Voided,
        "entry",
    )
refuse(
    "a release of nothing left",
    lambda s: s.book.ledger.release(s.released),
    NotLinked,
    "amount",
    value=False,
)
refuse(
    "a release of more than holds",
    lambda s: s.book.ledger.release(s.allocation, "30.01"),
    OverAllocated,
    "amount",
)
refuse(
    "a release of nothing", lambda s: s.book.ledger.release(s.allocation, 0), InvalidValue, "amount"
)
for _told in ("5", 5, b"x", [("a",)], ["ab"], [None], [("a", "b", "c")], object()):
    refuse(f"allocate={_told!r:.20}", pay(allocate=_told), InvalidValue, "allocate")

# instalments
for _name, _parts in {
    "too little": [(day(1), "2"), (day(2), "2.99")],
    "too much": [(day(1), "2"), (day(2), "3.01")],
    "one due date twice": [(day(1), "2"), (day(1), "3")],
    "none": [],
    "text": "5 EUR",
    "a mapping": {day(1): "5"},
    "not pairs": [(day(1), "5", "x")],
    "words": ["tomorrow"],
    "a number": 7,
}.items():
    refuse(f"instalments that are {_name}", sell(instalments=_parts), InvalidValue, "instalments")
refuse("instalments beside due", sell(instalments=[(day(1), "5")], due=day(1)), InvalidValue, "due")
refuse(
    "an instalment of nothing",
    sell(instalments=[(day(1), "5"), (day(2), "0")]),
    InvalidValue,
    "instalments[2].amount",
)
refuse(
    "a negative instalment",
    sell(instalments=[(day(1), "6"), (day(2), "-1")]),
    InvalidValue,
    "instalments[2].amount",
)
refuse(
    "an instalment in dollars",
    sell(instalments=[(day(1), "5 USD")]),
    WrongCurrency,
    "instalments[1].amount",
)
refuse(
    "an instalment due at a moment",
    sell(instalments=[(MOMENT, "5")]),
    InvalidValue,
    "instalments[1].due",
)

# settings
for _name, _zone in {
    "a path": "../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "lower case": "europe/madrid",
    "empty": "",
    "a NUL": "UTC\x00",
    "a line end": "UTC\n",
    "an offset": "+02:00",
    "unknown": "Mars/Olympus",
    "a folder": "Europe",
    "far too long": "A" * 10_000,
    "a number": 2,
    "bytes": b"UTC",
}.items():
    refuse(
        f"a time zone that is {_name}",
        lambda s, zone=_zone: s.book.change_settings(time_zone=zone),
        InvalidValue,
        "time_zone",
    )
BOUNDS = {
    "falling": (30, 0),
    "one twice": (0, 30, 30),
    "none": (),
    "floats": (0.5, 1.5),
    "flags": (False, True),
    "text": "0,30",
    "a number": 30,
    "words": ("a", "b"),
    "too many": tuple(range(51)),
    "centuries": (0, 36501),
    "a set": {0, 30},
}
for _name, _bounds in BOUNDS.items():
    refuse(
        f"ageing bounds that are {_name}",
        lambda s, bounds=_bounds: s.book.insights.ageing(bounds=bounds),
        InvalidValue,
        "bounds",
    )
    refuse(
        f"the book's ageing bounds that are {_name}",
        lambda s, bounds=_bounds: s.book.change_settings(ageing_bounds=bounds),
        InvalidValue,
        "ageing_bounds",
    )
for _name, _changes in {
    "colour": {"colour": "red"},
    "id": {"id": UNKNOWN},
    "revision": {"revision": 7},
    "rounding": {"rounding": "ROUND_05UP"},
    "number_scope": {"number_scope": "galaxy"},
    "use_prepayments": {"use_prepayments": "yes"},
    "currency": {"currency": "DEM"},
    "region": {"region": "Germany"},
    "currencies": {"currencies": [("DEM", 2)]},
}.items():
    refuse(
        f"settings with a wrong {_name}",
        lambda s, changes=_changes: s.book.change_settings(**changes),
        InvalidValue,
        _name,
    )
refuse(
    "one own currency twice",
    lambda s: s.book.change_settings(currencies=[Currency("DEM", 2), Currency("DEM", 0)]),
    InvalidValue,
    "currencies",
)
refuse(
    "other decimals for a currency in use",
    lambda s: s.book.change_settings(currencies=[Currency("EUR", 3)]),
    NotAllowed,
    "currencies",
)

# pages
for _limit in (0, -1, 1.0, "10", True, b"1", [1]):
    for _name, _call in {
        "clients": lambda s, limit: s.book.clients.find(limit=limit),
        "documents": lambda s, limit: s.book.ledger.find(limit=limit),
        "debtors": lambda s, limit: s.book.insights.debtors(limit=limit),
        "changes": lambda s, limit: s.book.changes(limit=limit),
        "members": lambda s, limit: s.book.team.find(limit=limit),
    }.items():
        refuse(
            f"{_limit!r} {_name}",
            lambda s, call=_call, limit=_limit: call(s, limit),
            InvalidValue,
            "limit",
        )
for _name, _after in {
    "text": "x",
    "a number": 7,
    "empty": (),
    "too short": ("a",),
    "of other types": (1, 2),
    "a list": ["acme", UNKNOWN],
    "a lone surrogate": ("\ud800", UNKNOWN),
    "nothings": (None, None),
}.items():
    refuse(
        f"clients after {_name}",
        lambda s, after=_after: s.book.clients.find(after=after),
        InvalidValue,
        "after",
    )
for _name, _call in {
    "documents": lambda s: s.book.ledger.find(after=(MOMENT, s.client.id, 1)),
    "open items": lambda s: s.book.ledger.open_items(after=(TODAY, TODAY, s.client.id, "1", 1)),
    "the timeline": lambda s: s.book.interactions.timeline(
        s.client, after=(MOMENT.replace(tzinfo=None), s.client.id)
    ),
    "tasks": lambda s: s.book.tasks.find(after=(TODAY, "x")),
    "history": lambda s: s.book.clients.history(s.client, after=(2**80, UNKNOWN)),
    "debtors": lambda s: s.book.insights.debtors(after=7),
    "debtors with text": lambda s: s.book.insights.debtors(after=("EUR", "x")),
    "ageing": lambda s: s.book.insights.ageing(after=[1]),
}.items():
    refuse(f"{_name} after what is no place", _call, InvalidValue, "after")
for _after in ("x", "-1", "1.0", "١", "9" * 30, 7, b"1", ["1"]):
    refuse(
        f"changes after {_after!r}",
        lambda s, after=_after: s.book.changes(after=after),
        InvalidValue,
        "after",
    )
for _days in (-1, 1.5, "30", True):
    refuse(
        f"quiet for {_days!r} days",
        lambda s, days=_days: s.book.insights.dormant(days=days),
        InvalidValue,
        "days",
    )
for _factor in (0, "-1", 1.5, Decimal("NaN"), None, b"2"):
    refuse(
        f"quiet for {_factor!r} times",
        lambda s, factor=_factor: s.book.insights.dormant(factor=factor),
        InvalidValue,
        "factor",
        value=_factor is not None,
    )

# the address of a book
for _name, _url, _field in [
    ("an unknown scheme", "mongodb://host/book", "url"),
    ("no scheme", "clients.db", "url"),
    ("an empty address", "", "url"),
    ("a number", 7, "url"),
    ("bytes", b"memory:", "url"),
    ("a name in memory", "memory:shop", "url"),
    ("a scheme with a NUL", "mem\0ory:", "url"),
    ("a scheme in capitals", "MEMORY:", "url"),
]:
    refuse(f"a book at {_name}", lambda s, url=_url: open_at(url), InvalidValue, _field)
refuse(
    "a book in memory to read",
    lambda s: open_at("memory:", read_only=True),
    NotAllowed,
    "read_only",
    value=False,
)
refuse(
    "settings that are a list",
    lambda s: open_at("memory:", settings=["x"]),
    InvalidValue,
    "settings",
)
refuse(
    "settings with a key of a command",
    lambda s: open_at("memory:", settings={"key": "abc"}),
    InvalidValue,
    "key",
)
refuse(
    "plugins that are a number", lambda s: open_at("memory:", plugins=7), InvalidValue, "plugins"
)
refuse(
    "blocked names that are one name",
    lambda s: open_at("memory:", block="x"),
    InvalidValue,
    "block",
)
refuse("an actor without a name", lambda s: open_at("memory:", actor=""), InvalidValue, "actor")


@pytest.mark.parametrize(("call", "error", "field", "shows"), REFUSALS)
def test_every_refusal_is_ours_says_why_and_changes_nothing(
    shop: Shop, call: Call, error: type[ClientLedgerError], field: str, shows: bool
) -> None:
    with pytest.raises(ClientLedgerError) as caught:
        call(shop)
    before, shop.before = shop.before, dump(shop.book)
    refusal = caught.value
    assert type(refusal) is error, refusal
    assert refusal.field == field, refusal
    assert refusal.remedy, refusal
    assert (refusal.value is not None) is shows, refusal
    assert refusal.message in str(refusal)
    assert refusal.remedy in str(refusal)
    assert len(str(refusal)) < 1000
    str(refusal).encode("utf-8")
    assert shop.before == before


def test_the_names_of_the_refusals_are_unique() -> None:
    names = [row.id for row in REFUSALS]
    assert len(names) > 700
    assert sorted({n for n in names if names.count(n) > 1}) == []


# ------------------------------------------------------------ what stands just inside
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("a name of 255", add("x" * 255)),
        ("a note of lines and tabs", add(note="a\n\tb\r\n")),
        ("a name in Cyrillic that looks Latin", add("pаypal")),
        ("a name with a zero width joiner", add("👩\u200d🌾 Farm")),
        ("dinars of three decimals", pay("1.234", currency="KWD")),
        ("UF of four decimals", pay("1.2345", currency="CLF")),
        ("whole yen", pay("100", currency="JPY")),
        ("a Decimal with an exponent", pay(Decimal("1E+3"), currency="EUR")),
        ("an int", pay(5, currency="EUR")),
        ("a plus sign", pay("+5", currency="EUR")),
        ("the largest document", pay(Money.from_minor(MAX_MINOR, "EUR"))),
        ("the first day", sell(on=date(1900, 1, 1))),
        ("the last day", sell(on=date(2999, 12, 31))),
        ("a percentage of 100", line(discount_percent=100, tax="1")),
        ("a discount of nothing", line(discount="0.00", tax=Money(0, "EUR"))),
        ("a key of 255", add(key="k" * 255)),
        ("a key with a space inside", add(key="a b")),
        ("an empty external mapping", add(external_ids={})),
        ("a tag from a generator", add(tags=(tag for tag in ["a", "b"]))),
        ("200 phones", add(phones=["1"] * 200)),
        (
            "1200 instalments",
            sell(
                lines_or_amount="12 EUR", instalments=tuple((day(n), "0.01") for n in range(1200))
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_just_right_is_taken(shop: Shop, name: str, call: Call) -> None:
    with undone(shop.book) as book:
        made = call(attrs.evolve(shop, book=book))
        assert made is not None
        assert rows(book) != rows(shop.book)
        assert book.verify().ok


def test_an_archived_client_still_pays_is_spoken_to_and_is_cleared_up(shop: Shop) -> None:
    with undone(shop.book) as book:
        payment = book.ledger.record_payment(shop.archived, "10 EUR")
        book.interactions.log(shop.archived, "call", "Paid at last")
        assert book.ledger.state(shop.archived_sale).status == "paid"
        book.ledger.void(payment, reason="bounced")
        again = book.ledger.record_payment(shop.archived, "4 EUR", allocate={})
        link = book.ledger.allocate(again, shop.archived_sale, "4")
        book.ledger.release(link)
        book.ledger.void(shop.archived_sale, reason="waived")
        assert book.verify().ok


def test_a_refusal_names_what_would_have_been_possible(shop: Shop) -> None:
    with pytest.raises(OverAllocated, match=r"only 40\.00 EUR of the sale is open"):
        shop.book.ledger.record_payment(
            shop.client, "100 EUR", allocate={shop.parts.instalments[0]: "60"}
        )
    with pytest.raises(Voided, match=str(shop.void.id)):
        shop.book.ledger.void(shop.voided_sale, reason="again")
    with pytest.raises(NumberTaken, match=str(shop.sale.id)):
        shop.book.ledger.record_sale(shop.client, "5 EUR", number="INV-1")
    with pytest.raises(Stale, match="revision 2, not 1"):
        shop.book.clients.update(shop.stale, name="Delta")


def test_a_reused_key_names_the_fields_that_differ(shop: Shop) -> None:
    with pytest.raises(KeyReused, match="another action"):
        shop.book.ledger.record_payment(shop.client, "5 EUR", key="k-client")
    with pytest.raises(KeyReused, match=r"another name "):
        shop.book.clients.add(
            "Acme & Co",
            manager="olena",
            external_ids={"erp": "C-1"},
            key="k-client",
            tags=["beans"],
        )
    with pytest.raises(KeyReused, match="another due, number "):
        shop.book.ledger.record_sale(
            shop.client,
            [("Beans", 10, "10.00")],
            currency="EUR",
            on=day(-20),
            due=day(-6),
            number="INV-7",
            external_ids={"erp": "S-1"},
            key="k-sale",
        )


def test_an_unknown_scheme_says_what_is_installed_and_what_to_install() -> None:
    with pytest.raises(InvalidValue) as caught:
        open_book("mongodb://host/book")
    assert "memory" in caught.value.remedy
    with pytest.raises(InvalidValue, match=r"sqlite:///clients\.db"):
        open_book("clients.db")


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(InvalidValue) as caught:
        open_book("mongodb://shop:s3cret@host/book")
    assert "s3cret" not in str(caught.value)


def test_an_account_that_would_grow_beyond_every_store_is_refused() -> None:
    store = MemoryStore()
    book = Book(store, actor="olena", clock=Clock())
    client = book.clients.add("Acme")
    sale = book.ledger.record_sale(client, "1 EUR", on=TODAY)
    with store.begin() as unit:
        head = unit.get(Head, client.id)
        giant = attrs.evolve(
            sale,
            id=uuid4(),
            sequence=2,
            amount=Money.from_minor(MAX_TOTAL - 200, "EUR"),
            instalments=(Instalment(TODAY, Money.from_minor(MAX_TOTAL - 200, "EUR"), 1),),
        )
        step = HeadStep(attrs.evolve(head, version=head.version + 1, sequence=2), head.version)
        unit.post(issue(giant) + Posting(heads=(step,)))
    book.ledger.record_sale(client, "1 EUR", on=TODAY)
    before = dump(book)
    with pytest.raises(InvalidValue, match="larger than any store adds"):
        book.ledger.record_sale(client, "0.01 EUR", on=TODAY)
    assert dump(book) == before
    book.ledger.record_sale(client, "0.01 USD", on=TODAY)


# ------------------------------------------------------------ anything, anywhere
class Odd:
    """A stranger's object."""


class Rude:
    """An object that does not even show itself."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


def circular() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


BOX = stocked(in_memory())
CONSTANT = rows(BOX.book)
RECORDS = [getattr(BOX, field.name) for field in attrs.fields(Shop)[1:-1]]
STATEMENT = BOX.book.ledger.statement(BOX.note.client, "EUR", day(-99), day(0))
FIGURES: list[Any] = [
    BOX.book.settings,
    STATEMENT,
    STATEMENT.rows[0],
    STATEMENT.account,
    *BOX.book.insights.ageing(),
    BOX.book.insights.ageing()[0].buckets[1],
    BOX.book.ledger.explain(STATEMENT.account),
    BOX.book.ledger.state(BOX.sale),
    read_terms("30 % now, rest in 30 days"),
    TermsPart(share=Decimal(100), days=3),
    PaymentTerms("in words of our own", (TermsPart(share=None, months=1),)),
]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.text(st.characters(), max_size=20),
    st.binary(max_size=9),
    st.dates(),
    st.datetimes(timezones=st.one_of(st.none(), st.just(UTC), st.timezones())),
    st.uuids(),
    st.sampled_from(RECORDS),
    st.sampled_from([*BOX.parts.instalments, *BOX.sale.lines, *BOX.book.ledger.open_items()]),
    st.sampled_from(FIGURES),
    st.sampled_from(
        ["olena", "petro", "EUR", "memory:", "debit", "5.00 EUR", "2026-03-01", "open"]
    ),
    st.builds(object),
    st.builds(Odd),
    st.builds(Rude),
    st.sampled_from(
        [
            "9" * 5000,
            "x" * 100_001,
            "\x00",
            "\ud800",
            10**400,
            Decimal("1E+999999"),
            Decimal("sNaN"),
            Money("5", "EUR"),
            Money("-5", "EUR"),
            Money("5", "USD"),
            Money("1.23", Currency("BEAN", 2)),
            Currency("EUR", 3),
            Line("x", 1, Decimal("sNaN")),
            Line("x", 0.1, [], sku=7, total={}),  # type: ignore[arg-type]  # junk on purpose
            Instalment(TODAY, Money("5", "EUR")),
            Instalment("x", 5, "y", "z"),  # type: ignore[arg-type]  # junk on purpose
            Instalment(TODAY, Money("5", "EUR"), 2**70, BOX.sale.id),
            Account(owed=7, prepaid=None, overdue=()),  # type: ignore[arg-type]  # junk on purpose
            "end of month + 10",
            "30 % now, 30 % now, rest in 3650 days",
            Contact(7, phones=7),  # type: ignore[arg-type]  # junk on purpose
            Address(street=7),  # type: ignore[arg-type]  # junk on purpose
            int,
            len,
            NotImplemented,
            ...,
            range(3),
            1j,
        ]
    ),
    st.builds(nested, st.just(3000)),
    st.builds(circular),
)
JUNK = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(iter),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.integers(), st.uuids(), st.none()), inner, max_size=3
        ),
    ),
    max_leaves=5,
)
GOOD: dict[str, Any] = {
    "name": "New",
    "client": BOX.client,
    "id": BOX.client,
    "lines_or_amount": "5 EUR",
    "amount": "5 EUR",
    "currency": "EUR",
    "entry": BOX.sale,
    "credit": BOX.free,
    "debit_or_instalment": BOX.sale,
    "allocation": BOX.allocation,
    "reason": "because",
    "kind": "call",
    "summary": "Asked",
    "text": "5 % off",
    "interaction": BOX.call,
    "agreement": BOX.promise,
    "title": "Call",
    "task": BOX.todo,
    "due": day(3),
    "member": "petro",
    "from_": "petro",
    "to": "ira",
    "key": "k-new",
    "since": day(-30),
    "until": day(0),
    "external_id": ("erp", "C-1"),
    "on": day(-1),
    "through": day(-60),
    "into": "7 USD",
    "debit": BOX.sale,
    "figure": STATEMENT.account,
    "exchange": BOX.exchanged,
    "statement": STATEMENT,
    "format": "text",
}
OF_ONE_CALL: dict[str, dict[str, Any]] = {
    "team.add": {"key": "new"},
    "ledger.reopen_period": {"from_": day(-70)},
    "ledger.upsert_sale": {"external_id": ("erp", "S-1")},
    "ledger.unallocate": {"credit": BOX.used, "debit": BOX.allocation.debit},
}
"""What is good for one call only."""
CHANGES = [
    "lines_or_amount",
    "lines",
    "amount",
    "currency",
    "due",
    "instalments",
    "terms",
    "number",
    "method",
    "sale",
    "allocate",
    "use_prepayments",
    "agreements",
    "external_ids",
    "reason",
    "on",
]
"""What a correction can be told by name."""
LIVE = [BOX.sale, BOX.free, BOX.note, BOX.refund, BOX.loss, BOX.opening, BOX.corrected]
SERVICES = ("clients", "interactions", "agreements", "ledger", "insights", "tasks", "team")
ALONE = {"atomic", "run", "close", "settings", "actor", "what_if"}


def calls() -> list[str]:
    """Every public call of a book: of each service, and its own."""
    found = [
        f"{service}.{name}"
        for service in SERVICES
        for name, _ in inspect.getmembers(getattr(BOX.book, service), inspect.ismethod)
        if not name.startswith("_")
    ]
    found += [
        name
        for name, _ in inspect.getmembers(BOX.book, inspect.ismethod)
        if not name.startswith("_") and name not in {*ALONE, *SERVICES}
    ]
    return found


def method_of(book: Book, name: str) -> Callable[..., object]:
    found: Any = book
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]  # found by name


@pytest.mark.parametrize("name", calls())
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_values_anywhere_are_taken_or_refused_by_our_errors(
    name: str, data: st.DataObject
) -> None:
    parameters = inspect.signature(method_of(BOX.book, name)).parameters
    named = [p for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
    given_: dict[str, Any] = {p.name: GOOD.get(p.name) for p in named if p.default is p.empty}
    given_ |= OF_ONE_CALL.get(name, {})
    keys = [p.name for p in named]
    if name == "ledger.correct":
        given_["entry"] = data.draw(st.sampled_from(LIVE), label="entry")
    if name == "ledger.correct" or name.startswith("ledger.upsert"):
        keys = list(dict.fromkeys([*keys, *CHANGES]))
    elif len(keys) < len(parameters):
        keys += ["name", "note", "tags", "at", "body", "currencies", "time_zone", "phones", "x"]
    junk = (
        data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True))
        if keys
        else []
    )
    for key in junk:
        given_[key] = data.draw(JUNK, label=key)
    with undone(BOX.book) as book:
        if data.draw(st.booleans(), label="closed"):
            book.ledger.close_period(day(-65))
        before = rows(book)
        refusal = None
        try:
            method_of(book, name)(**given_)
        except ClientLedgerError as error:
            refusal = error
        if refusal is None:
            check_whole(book)
        else:
            assert str(refusal)
            assert rows(book) == before
    assert rows(BOX.book) == CONSTANT


def check_whole(book: Book) -> None:
    """What was taken can be read, shown, carried to plain data and back."""
    report = book.verify()
    assert report.ok, report.problems
    now = rows(book)
    for kind in (Client, Member, Interaction, Agreement, Task, Entry, Allocation, Release, Event):
        for row in now[kind.__name__]:
            if row not in CONSTANT[kind.__name__]:
                assert codec.load_json(kind, codec.dump_json(row)) == row
    if now != CONSTANT:
        for client in now["Client"]:
            codec.dump_json(book.card(client))


@pytest.mark.parametrize("format", [[], {}, {"text"}], ids=repr)
def test_a_format_that_is_no_text_is_refused(format: Any) -> None:
    with pytest.raises(InvalidValue):
        BOX.book.export(STATEMENT, format)
