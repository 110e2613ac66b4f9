"""Documents of another system: recorded once, and corrected when they change there."""

from typing import Any

import pytest
from tests.books import account, day, dump, eur, open_

from clientledger import (
    Book,
    Client,
    InvalidValue,
    KeyReused,
    PeriodClosed,
    WrongClient,
)

ERP = ("erp", "S-1")


def test_a_sale_is_created_left_alone_and_changed(book: Book, acme: Client) -> None:
    told: dict[str, Any] = {"on": day(-9), "due": day(5), "number": "INV-1", "currency": "EUR"}
    lines = [("Beans", 2, "9.90"), ("Filters", 1, "5")]
    first = book.ledger.upsert_sale(ERP, acme, lines, **told)
    assert (first.outcome, first.entry.external_ids) == ("created", {"erp": "S-1"})
    payment = book.ledger.record_payment(acme, "20 EUR", on=day(-5))
    before = dump(book)
    for same in (lines, iter(lines), first.entry.lines):
        again = book.ledger.upsert_sale(ERP, acme, same, **told)
        assert (again.outcome, again.entry) == ("unchanged", first.entry)
    assert book.ledger.upsert_sale(ERP, acme, "24.80 EUR").outcome == "unchanged"
    assert dump(book) == before
    changed = book.ledger.upsert_sale(ERP, acme, [("Beans", 3, "9.90")], **told)
    assert (changed.outcome, changed.entry.replaces) == ("changed", first.entry.id)
    assert (changed.entry.number, changed.entry.external_ids) == ("INV-1", {"erp": "S-1"})
    assert (open_(book, changed.entry), open_(book, payment)) == ("9.70", "0.00")
    assert [e.id for e in book.ledger.find(external_id=ERP)] == [changed.entry.id]


@pytest.mark.parametrize(
    "change",
    [
        {"due": day(6)},
        {"number": "INV-2"},
        {"on": day(-12)},
        {"on": day(-3)},
        {"terms": "50 % now, rest in 10 days"},
        {"instalments": [(day(1), "4.80"), (day(2), "20")]},
    ],
)
def test_what_is_told_is_compared(book: Book, acme: Client, change: dict[str, Any]) -> None:
    first = book.ledger.upsert_sale(ERP, acme, "24.80 EUR", on=day(-9), due=day(5), number="1")
    book.ledger.record_payment(acme, "20 EUR", on=day(-5))
    book.ledger.write_off(acme, "4 EUR", reason="r", on=day(-4))
    made = book.ledger.upsert_sale(ERP, acme, "24.80 EUR", **change)
    assert (made.outcome, made.entry.replaces) == ("changed", first.entry.id)
    assert book.ledger.upsert_sale(ERP, acme, "24.80 EUR", **change).outcome == "unchanged"
    assert account(book, acme)[:2] == ("0.80", "0.00")
    assert made.entry.on == change.get("on", day(-9))


def test_payments_and_credit_notes_follow_too(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "100 EUR", on=day(-9))
    for amount, outcome in (("30 EUR", "created"), ("30 EUR", "unchanged"), ("35 EUR", "changed")):
        assert book.ledger.upsert_payment(("bank", "7"), acme, amount, on=day(-5)).outcome == (
            outcome
        )
    note = book.ledger.upsert_credit_note
    for amount, outcome in (("10 EUR", "created"), ("10 EUR", "unchanged"), ("5 EUR", "changed")):
        made = note(ERP, acme, amount, sale=sale, reason="came back", on=day(-4))
        assert (made.outcome, made.entry.sale) == (outcome, sale.id)
    assert open_(book, sale) == "60.00"


def test_a_voided_document_is_created_anew(book: Book, acme: Client) -> None:
    first = book.ledger.upsert_sale(ERP, acme, "10 EUR")
    book.ledger.void(first.entry, reason="a slip")
    assert book.ledger.upsert_sale(ERP, acme, "10 EUR").outcome == "created"


def test_a_repeated_upsert_gives_what_the_first_one_gave(book: Book, acme: Client) -> None:
    book.ledger.upsert_sale(ERP, acme, "10 EUR", key="one")
    changed = book.ledger.upsert_sale(ERP, acme, "12 EUR", key="two")
    for _ in range(2):
        assert book.ledger.upsert_sale(ERP, acme, "10 EUR", key="one").outcome == "created"
        assert book.ledger.upsert_sale(ERP, acme, "12 EUR", key="two") == changed
    with pytest.raises(KeyReused):
        book.ledger.upsert_sale(ERP, acme, "13 EUR", key="two")
    assert book.ledger.account(acme, "EUR").owed == eur("12")


def test_an_upsert_that_is_refused_changes_nothing(book: Book, acme: Client) -> None:
    beta = book.clients.add("Beta")
    book.ledger.upsert_sale(ERP, acme, "10 EUR", on=day(-9))
    book.ledger.close_period(day(-9))
    before = dump(book)
    upsert: Any = book.ledger.upsert_sale
    with pytest.raises(WrongClient):
        upsert(ERP, beta, "10 EUR")
    with pytest.raises(PeriodClosed):
        upsert(ERP, acme, "11 EUR")
    for bad in ({"colour": "red"}, {"method": "cash"}, {"amount": "5"}, {"on": "today"}):
        with pytest.raises(InvalidValue):
            upsert(ERP, acme, "10 EUR", **bad)
    for id in ("erp", ("erp",), ("erp", ""), ("", "1"), None):
        with pytest.raises(InvalidValue):
            upsert(id, acme, "10 EUR")
    assert dump(book) == before
