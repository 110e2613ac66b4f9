"""Statements to be written, made through the public API or, where it refuses, by hand."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from clientledger import (
    Address,
    Client,
    Currency,
    Entry,
    Instalment,
    Journal,
    Money,
    Statement,
    open_book,
    statement,
)

NOW = datetime(2026, 4, 30, 9, 15, 7, tzinfo=UTC)
COMPANY = "Muster Handels GmbH"
SINCE, UNTIL = date(2026, 3, 1), date(2026, 4, 30)
ADDRESS = Address(street="Invalidenstraße 117", city="Berlin", postal_code="10115", country="DE")


def plain(currency: str = "EUR", *amounts: str, company: str = COMPANY) -> Statement:
    """A sale and a payment of told amounts."""
    sold, paid = amounts or ("1234.50", "34.50")
    with open_book(
        "memory:", actor="olena", settings={"company": company}, clock=lambda: NOW
    ) as book:
        acme = book.clients.add("Acme GmbH", addresses=[ADDRESS], tax_ids={"VAT": "DE123456789"})
        book.ledger.record_sale(
            acme, sold, currency=currency, on=date(2026, 3, 2), due=date(2026, 3, 31), number="7"
        )
        book.ledger.record_payment(acme, paid, currency=currency, on=date(2026, 4, 1))
        return book.ledger.statement(acme, currency, SINCE, UNTIL)


def every_kind(currency: str) -> Statement:
    """A document of each kind, a void, a correction, and an exchange between EUR and USD."""

    def day(n: int) -> date:
        return date(2026, 3, n)

    with open_book(
        "memory:", actor="olena", settings={"company": COMPANY}, clock=lambda: NOW
    ) as book:
        ledger = book.ledger
        acme = book.clients.add("Acme GmbH", addresses=[ADDRESS], tax_ids={"VAT": "DE123456789"})
        ledger.record_opening_balance(acme, "100.00 EUR", on=date(2026, 2, 1))
        ledger.record_opening_balance(acme, "5.00 EUR", on=day(1))
        halves = [(date(2026, 3, 16), "600.25"), (date(2026, 4, 20), "600.25")]
        ledger.record_sale(acme, "1200.50 EUR", on=day(2), number="INV-1", instalments=halves)
        second = ledger.record_sale(acme, "300.00 EUR", on=day(3), number="INV-2", due=day(20))
        ledger.record_credit_note(
            acme, "50.00 EUR", sale=second, reason="damaged", on=day(4), number="CN-1"
        )
        returned = ledger.record_payment(acme, "120.00 EUR", on=day(5), method="cash", number="P-1")
        ledger.void(returned, reason="bounced", on=day(6))
        third = ledger.record_sale(acme, "40.00 EUR", on=day(7))
        written = ledger.write_off(
            acme, "30.00 EUR", reason="too small", on=day(8), allocate={third: "30.00"}
        )
        (link,) = ledger.state(written, as_of=day(9)).allocations
        ledger.release(link, "10.00", on=day(9))
        ledger.correct(
            second, reason="wrong price", lines_or_amount="280.00 EUR", number="INV-3", on=day(10)
        )
        paid = ledger.record_payment(acme, "6000.00 EUR", on=day(11), allocate={}, method="wire")
        ledger.record_refund(acme, "15.00 EUR", on=day(12), method="wire", number="R-1")
        ledger.exchange(paid, "90.00", "100.00 USD", on=day(13), reason="pays in dollars")
        ledger.record_sale(acme, "2000000.00 EUR", on=day(14), number="INV-4", due=date(2026, 5, 9))
        return ledger.statement(acme, currency, SINCE, UNTIL)


def client(name: str = "Acme GmbH", **fields: Any) -> Client:
    """A client as no book would take it."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return Client(id=UUID(int=1), name=name, created_at=made, changed_at=made, **fields)


def entry(n: int, side: str, minor: int, unit: Currency, **fields: Any) -> Entry:
    """A document as no book would take it, dated on the n-th day from March 1."""
    id, amount = UUID(int=1000 + n), Money.from_minor(minor, unit)
    on = fields.pop("on", SINCE + timedelta(days=n))
    kind = fields.pop("kind", "sale" if side == "debit" else "payment")
    parts = (Instalment(on, amount, 1, id),) if side == "debit" and kind != "void" else ()
    return Entry(
        id=id,
        client=UUID(int=1),
        sequence=n + 1,
        kind=kind,
        side=side,
        amount=amount,
        on=on,
        recorded_at=NOW,
        actor="olena",
        instalments=parts,
        **fields,
    )


def made_of(
    entries: Iterable[Entry],
    unit: Currency,
    *,
    owner: Client | None = None,
    until: date = UNTIL,
    bounds: Sequence[int] = (0, 30, 60, 90),
    company: str = COMPANY,
) -> Statement:
    """The statement of documents that were made by hand."""
    return statement(
        Journal(tuple(entries)),
        owner or client(),
        unit,
        SINCE,
        until,
        read_at=NOW,
        bounds=bounds,
        company=company,
    )
