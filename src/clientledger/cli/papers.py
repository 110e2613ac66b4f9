"""The commands that record documents: sales, payments, and all that stands beside them."""

from typing import Annotated

from cyclopts import Parameter

from clientledger import Entry, InvalidValue
from clientledger.cli.naming import client_named, document_named, external_ids
from clientledger.cli.options import (
    COMMON,
    ClientWords,
    Common,
    CurrencyOf,
    Day,
    Key,
    On,
    Sources,
    Switch,
    Texts,
)
from clientledger.cli.receipts import above_limit, recorded
from clientledger.cli.told import read_allocation, read_content, read_instalments

__all__ = ["credit_note", "opening_balance", "payment", "refund", "sale", "write_off"]

Parts = Annotated[list[str] | None, Parameter(metavar="DOC=AMOUNT", negative=())]


def sale(
    client: ClientWords,
    /,
    *,
    line: Texts = None,
    amount: str | None = None,
    currency: CurrencyOf = None,
    on: On = None,
    due: Day | None = None,
    terms: str | None = None,
    instalment: Annotated[
        list[str] | None, Parameter(metavar="YYYY-MM-DD=AMOUNT", negative=())
    ] = None,
    number: str | None = None,
    use_prepayments: bool | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a sale: its lines, or just its amount.

    Args:
        line: "name;quantity;price" or "name;quantity;price;sku"; may be given several times.
        amount: in place of lines, such as "500.00 EUR".
        due: when it has to be paid; by the client's agreed terms by default, else on its own date.
        terms: in place of a due date, such as "30 % now, rest in 30 days" or "end of month + 10".
        instalment: a part of it by its due date; may be given several times.
        number: the document's number, unique among sales.
        use_prepayments: whether what is prepaid settles it; as the book's settings say by default.
    """
    told = read_content(line, amount, "sale")
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_sale(
            found,
            told,
            currency=currency,
            on=on,
            due=due,
            terms=terms,
            instalments=read_instalments(instalment),
            number=number,
            use_prepayments=use_prepayments,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made, *above_limit(book, made))


def payment(
    client: ClientWords,
    amount: str,
    /,
    *,
    currency: CurrencyOf = None,
    allocate: Parts = None,
    free: Switch = False,
    on: On = None,
    method: str = "",
    number: str | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a payment. Without a word it settles the oldest due first; what is left is prepaid.

    Args:
        amount: such as "500.00 EUR".
        allocate: which document it settles, and how much of it; may be given several times.
        free: let it settle nothing; all of it is prepaid.
        method: in your own words, such as "bank transfer".
        number: the document's number, unique among payments.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_payment(
            found,
            amount,
            currency=currency,
            allocate=read_allocation(book, found, allocate, free=free),
            on=on,
            method=method,
            number=number,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made)


def credit_note(
    client: ClientWords,
    /,
    *,
    reason: str,
    line: Texts = None,
    amount: str | None = None,
    currency: CurrencyOf = None,
    sale: Annotated[str | None, Parameter(metavar="DOC")] = None,
    allocate: Parts = None,
    free: Switch = False,
    on: On = None,
    number: str | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a credit note: goods came back, or a price was lowered.

    It settles the sale that it is for, up to what is open; the rest, or all of it without a sale,
    is prepaid.

    Args:
        reason: why.
        line: "name;quantity;price" or "name;quantity;price;sku"; may be given several times.
        amount: in place of lines, such as "50.00 EUR".
        sale: the sale that it is for.
        allocate: which document it settles, and how much of it; may be given several times.
        free: let it settle nothing.
        number: the document's number, unique among credit notes.
    """
    told = read_content(line, amount, "credit note")
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_credit_note(
            found,
            told,
            reason=reason,
            currency=currency,
            sale=None if sale is None else document_named(book, sale, client=found, fits=_is_sale),
            allocate=read_allocation(book, found, allocate, free=free),
            on=on,
            number=number,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made)


def refund(
    client: ClientWords,
    amount: str,
    /,
    *,
    currency: CurrencyOf = None,
    allocate: Parts = None,
    on: On = None,
    method: str = "",
    number: str | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record money given back to a client: never more than is prepaid, the oldest first.

    Args:
        amount: such as "50.00 EUR".
        allocate: out of which payment or credit note, and how much; may be given several times.
        method: in your own words, such as "bank transfer".
        number: the document's number, unique among refunds.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_refund(
            found,
            amount,
            currency=currency,
            allocate=read_allocation(book, found, allocate, credits=True),
            on=on,
            method=method,
            number=number,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made)


def write_off(
    client: ClientWords,
    amount: str,
    /,
    *,
    reason: str,
    currency: CurrencyOf = None,
    allocate: Parts = None,
    on: On = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Write off a debt that will not be paid: never more than is open, the oldest due first.

    Args:
        amount: such as "50.00 EUR".
        reason: why.
        allocate: which document, and how much of it; may be given several times.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.write_off(
            found,
            amount,
            reason=reason,
            currency=currency,
            allocate=read_allocation(book, found, allocate),
            on=on,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made)


def opening_balance(
    client: ClientWords,
    amount: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    on: Day,
    due: Day | None = None,
    prepaid: Switch = False,
    currency: CurrencyOf = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Take over what stood in the old books: what a client owes, or has prepaid.

    Args:
        amount: such as "500.00 EUR"; with a minus it is prepaid, "-50.00 EUR".
        on: the day.
        due: when it has to be paid; on its own day by default.
        prepaid: the client has prepaid it, rather than owes it.
    """
    if prepaid and amount.startswith("-"):
        raise InvalidValue(
            "a minus says already that it is prepaid",
            field="amount",
            value=amount,
            remedy="leave out the minus or --prepaid",
        )
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_opening_balance(
            found,
            f"-{amount}" if prepaid else amount,
            on=on,
            due=due,
            currency=currency,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return recorded(common, book, found, made)


def _is_sale(entry: Entry) -> bool:
    return entry.kind == "sale"
