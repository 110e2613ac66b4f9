"""A book with every kind of document of the ledger in it, and a table of what it refuses."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import attrs
import pytest
from tests.books import TODAY, day, dump

from clientledger import Allocation, Book, Client, ClientLedgerError, Entry

UNKNOWN = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
CLOSED = day(-100)
"""The closing day."""


@attrs.define
class Shop:
    """What is in the book, whose days through `CLOSED` are closed."""

    book: Book
    acme: Client
    beta: Client
    archived: Client
    old_sale: Entry  # closed; 200 EUR, of which 120 are open
    old_used: Entry  # closed; 50 EUR, nothing free
    old_free: Entry  # closed; 40 EUR, all free
    old_loss: Entry  # closed; 30 EUR
    old_link: Allocation  # closed; of old_used, 50 EUR
    loss_link: Allocation  # closed; of old_loss, 30 EUR
    sale: Entry  # 100 EUR, of which 95 are open
    parts: Entry  # 40 and 50 EUR, all open
    dollars: Entry  # 70 USD, all open
    free: Entry  # 45 EUR, of which 30 are free
    rich: Entry  # 500 EUR, all free
    used: Entry  # 20 EUR, nothing free
    link: Allocation  # of used, 20 EUR
    note: Entry  # 15 EUR, all free
    refund: Entry  # 5 EUR, of free
    loss: Entry  # 8 EUR, of which 3 were taken back
    back: Entry  # these 3
    back_link: Allocation
    opening: Entry  # 60 EUR, of which 40 are open
    prepaid: Entry  # 6 EUR, all free
    out: Entry  # 10 EUR, of free
    into: Entry  # 11 USD, all free
    released: Allocation
    voided_sale: Entry
    void: Entry
    voided_payment: Entry
    voided_link: Allocation
    others_sale: Entry
    others_free: Entry
    before: dict[str, list[str]] = attrs.field(factory=dict)


def stocked(book: Book) -> Shop:
    """Fill a new book."""
    ledger = book.ledger
    acme, beta, archived = (book.clients.add(name) for name in ("Acme", "Beta", "Gone & Sons"))
    ledger.record_sale(archived, "10 EUR", on=day(-9))
    archived = book.clients.archive(archived)
    told: dict[str, Any] = {"external_ids": {"erp": "1"}}

    def sell(amount: Any, on: int, **given: Any) -> Entry:
        return ledger.record_sale(acme, amount, on=day(on), use_prepayments=False, **given)

    def pay(amount: str, on: int, allocate: dict[Any, str], **given: Any) -> Entry:
        return ledger.record_payment(acme, amount, on=day(on), allocate=allocate, **given)

    def write_off(amount: str, on: int, sale: Entry, **given: Any) -> Entry:
        whole = {sale: amount}
        return ledger.write_off(
            acme, f"{amount} EUR", reason="lost", on=day(on), allocate=whole, **given
        )

    def link_of(entry: Entry) -> Allocation:
        return ledger.state(entry).allocations[0]

    old_sale = sell("200 EUR", -150, due=day(-140))
    old_used = pay("50 EUR", -140, {old_sale: "50"})
    old_free = pay("40 EUR", -130, {})
    old_loss = write_off("30", -120, old_sale)
    beans = [("Beans", 10, "10.00")]
    sale = sell(beans, -20, currency="EUR", due=day(-5), number="N-1", key="k-sale", **told)
    parts = sell("90 EUR", -10, instalments=[(day(10), "40"), (day(20), "50")])
    dollars = sell("70 USD", -3)
    free = pay("45 EUR", -2, {}, number="N-1", **told)
    rich = pay("500 EUR", -2, {})
    opening = ledger.record_opening_balance(acme, "60 EUR", on=day(-90), **told)
    prepaid = ledger.record_opening_balance(acme, "-6 EUR", on=day(-90))
    used = pay("20 EUR", -2, {opening: "20"})
    note = ledger.record_credit_note(
        acme, "15 EUR", reason="broken", on=day(-2), allocate={}, number="N-1", **told
    )
    refund = ledger.record_refund(
        acme, "5 EUR", on=day(-1), allocate={free: "5"}, number="N-1", **told
    )
    loss = write_off("8", -1, sale, **told)
    ledger.release(link_of(loss), "3")
    back = ledger.find(client=acme, kind="write-off")[-1]
    into = ledger.exchange(free, "10 EUR", "11 USD", on=day(-1))
    assert into.pair is not None
    released = ledger.release(link_of(pay("5 EUR", -2, {sale: "5"})))
    voided_sale = sell("11 EUR", -4)
    voided_payment = pay("12 EUR", -4, {sale: "7"})
    void = ledger.void(voided_sale, reason="a slip", on=day(-1))
    ledger.void(voided_payment, reason="bounced", on=day(-1))
    others_sale = ledger.record_sale(beta, "60 EUR", on=day(-8), number="N-2")
    others_free = ledger.record_payment(beta, "6 EUR", on=day(-8), allocate={}, number="N-2")
    ledger.record_credit_note(beta, "1 EUR", reason="r", number="N-2", allocate={})
    ledger.record_refund(beta, "1 EUR", number="N-2")
    ledger.close_period(CLOSED, reason="the year is done", key="k-close")
    euro = ledger.account(acme, "EUR")
    assert (str(euro.owed), str(euro.prepaid)) == ("345.00 EUR", "596.00 EUR")
    return Shop(
        book=book,
        acme=acme,
        beta=beta,
        archived=archived,
        old_sale=old_sale,
        old_used=old_used,
        old_free=old_free,
        old_loss=old_loss,
        old_link=link_of(old_used),
        loss_link=link_of(old_loss),
        sale=sale,
        parts=parts,
        dollars=dollars,
        free=free,
        rich=rich,
        used=used,
        link=link_of(used),
        note=note,
        refund=refund,
        loss=loss,
        back=back,
        back_link=link_of(back),
        opening=opening,
        prepaid=prepaid,
        out=ledger.get(into.pair),
        into=into,
        released=released,
        voided_sale=voided_sale,
        void=void,
        voided_payment=voided_payment,
        voided_link=link_of(voided_payment),
        others_sale=others_sale,
        others_free=others_free,
        before=dump(book),
    )


# ------------------------------------------------------------ calls of a shop
Call = Callable[[Shop], object]


def its(name: str) -> Callable[[Shop], Any]:
    """Something of the shop."""

    def found(s: Shop) -> Any:
        return getattr(s, name)

    return found


def instalment(n: int) -> Callable[[Shop], Any]:
    """An instalment of the sale with two."""
    return lambda s: s.parts.instalments[n]


def to(target: Callable[[Shop], Any], amount: Any) -> Callable[[Shop], Any]:
    """An allocation as told to a new document."""
    return lambda s: {target(s): amount}


def act(method: str, /, *given: Any, **told: Any) -> Call:
    """A call of the ledger; what depends on the shop is told as a function of it."""

    def call(s: Shop) -> object:
        found = [value(s) if callable(value) else value for value in given]
        named = {name: value(s) if callable(value) else value for name, value in told.items()}
        return getattr(s.book.ledger, method)(*found, **named)

    return call


RECORD: dict[str, tuple[str, dict[str, Any]]] = {
    "sale": ("record_sale", {}),
    "payment": ("record_payment", {}),
    "credit note": ("record_credit_note", {"reason": "broken"}),
    "refund": ("record_refund", {}),
    "write-off": ("write_off", {"reason": "lost"}),
    "opening balance": ("record_opening_balance", {"on": TODAY}),
}
"""How each kind of document is recorded, and what it needs."""


def record(kind: str, amount: Any = "5 EUR", **told: Any) -> Call:
    """A document of a kind; of the shop's first client, where nothing else is told."""
    method, needed = RECORD[kind]
    client = told.pop("client", its("acme"))
    return act(method, client, amount, **{**needed, **told})


# ------------------------------------------------------------ what is refused
class Refusals(list[Any]):
    """A table of refusals, each a call, the error's class and field, and what it says."""

    def add(
        self,
        name: str,
        call: Call,
        error: type[ClientLedgerError],
        field: str,
        said: str = "",
        *,
        value: bool = True,
    ) -> None:
        """Add one. `value`: whether there is an offending value to show."""
        self.append(pytest.param(call, error, field, said, value, id=name))

    def calls(self) -> list[tuple[Call, type[ClientLedgerError]]]:
        """The calls and their errors."""
        return [row.values[:2] for row in self]


def check_refused(
    shop: Shop,
    call: Call,
    error: type[ClientLedgerError],
    field: str,
    said: str,
    value: bool,
) -> None:
    """A call is refused by an error of ours that says why, alone and on trial, and leaves nothing.

    What was done before it in a unit of work stays, and the unit goes on.
    """
    with shop.book.what_if() as trial:
        first = trial.ledger.record_payment(shop.beta, "7 EUR", allocate={})
        with pytest.raises(ClientLedgerError) as caught:
            call(attrs.evolve(shop, book=trial))
        second = trial.ledger.record_payment(shop.beta, "8 EUR", allocate={})
        assert [trial.ledger.state(one).open.minor for one in (first, second)] == [700, 800]
    refusal = caught.value
    assert type(refusal) is error, refusal
    assert refusal.field == field, refusal
    assert refusal.remedy, refusal
    assert (refusal.value is not None) is value, refusal
    assert re.search(said, str(refusal)), refusal
    assert len(str(refusal)) < 1000
    str(refusal).encode("utf-8")
    with pytest.raises(error) as alone:
        call(shop)
    assert alone.value.field == field
    assert dump(shop.book) == shop.before


def check_all_in_one(book: Book, refusals: Refusals) -> None:
    """Of a transaction in which everything is refused but two payments, these two are kept."""
    shop = stocked(book)
    with book.atomic() as inner:
        first = inner.ledger.record_payment(shop.beta, "7 EUR", allocate={})
        for call, error in refusals.calls():
            with pytest.raises(error):
                call(attrs.evolve(shop, book=inner))
        second = inner.ledger.record_payment(shop.beta, "8 EUR", allocate={})
    after = dump(book)
    known = {kind: set(shop.before[kind]) for kind in after}
    fresh = {kind: [row for row in after[kind] if row not in known[kind]] for kind in after}
    assert {kind for kind, found in fresh.items() if found} == {"Entry", "Event", "Head"}
    assert [book.ledger.get(one) for one in (first, second)] == [first, second]
    assert (len(fresh["Entry"]), len(fresh["Event"]), len(fresh["Head"])) == (2, 2, 1)
    assert book.verify().ok
