"""The ledger's commands: every document, and undoing it."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from clientledger.domain.entries import DEBIT, Entry, EntryLine, Instalment, Line
from clientledger.domain.money import Currency, Money
from clientledger.domain.terms import PaymentTerms
from clientledger.domain.text import check_several
from clientledger.domain.time import check_day, check_id
from clientledger.errors import InvalidValue
from clientledger.services.accounts import Accounts
from clientledger.services.correcting import correct_entry
from clientledger.services.desk import made
from clientledger.services.documents import EntryRef, entry_of, kept, live_entry
from clientledger.services.exchanges import Exchanges
from clientledger.services.issuing import Paper, record
from clientledger.services.links import Told, kept_pairs
from clientledger.services.periods import Periods
from clientledger.services.settling import Settling
from clientledger.services.undoing import void_entry
from clientledger.services.upserts import Upserts, kept_told
from clientledger.services.work import ClientRef, Work

__all__ = ["Ledger"]

Amount = Money | Decimal | int | str
LineLike = Line | EntryLine | tuple[Any, ...]
Content = Iterable[LineLike] | Amount


@attrs.frozen
class Ledger(Accounts, Settling, Exchanges, Periods, Upserts):
    """The ledger of a book: what is recorded, and every figure of it."""

    def record_sale(
        self,
        client: ClientRef,
        lines_or_amount: Content,
        *,
        currency: str | Currency | None = None,
        on: date | None = None,
        due: date | None = None,
        instalments: Iterable[Instalment | tuple[date, Amount]] | None = None,
        terms: str | PaymentTerms | None = None,
        number: str | None = None,
        use_prepayments: bool | None = None,
        agreements: Iterable[Any] = (),
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Record a sale: what the client bought, and when it falls due.

        Args:
            lines_or_amount: lines, each a `Line` or ``("name", quantity, price)``; or an amount.
            currency: a code; not needed with `Money`, or where the book has a currency.
            on: the business date; today by default.
            due: the due date; by default the client's agreed payment terms, else its own date.
            instalments: pairs of a due date and an amount, which add up to the total.
            terms: payment terms, such as "30 % now, rest in 30 days" or "end of month + 10".
            number: the document's number, unique among live sales.
            use_prepayments: whether free credits settle it, the oldest first; the book's setting
                by default.
            agreements: those that it was sold under.

        Raises:
            ClientArchived: the client takes nothing new.
            CreditLimitExceeded: the client would owe more than the agreed limit; where the setting
                `credit_limit` is "warn", an event says so.
            PeriodClosed: dated in a closed period.
            NumberTaken: another live sale has the number.
            InvalidValue, NotFound: as the fields say.
        """
        under = tuple(
            check_id(one, "agreements") for one in check_several(agreements, "agreements")
        )
        told = {
            "client": check_id(client, "client"),
            "lines_or_amount": kept(lines_or_amount),
            "currency": currency,
            "on": on,
            "due": due,
            "instalments": None if instalments is None else kept(instalments),
            "terms": terms,
            "number": number,
            "use_prepayments": use_prepayments,
            "agreements": under,
            "external_ids": external_ids,
        }
        return self._record("sale", told, key)

    def record_payment(
        self,
        client: ClientRef,
        amount: Amount,
        *,
        currency: str | Currency | None = None,
        allocate: Told | None = None,
        on: date | None = None,
        method: str = "",
        number: str | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Record a payment, and what it settles.

        Args:
            allocate: None settles the oldest due first, and what is left is a prepayment; a
                mapping or pairs {sale or instalment: amount} settles just these; {} leaves all
                of it free.
            on: the business date; today by default.
            method: in words, such as "bank transfer".
            number: unique among live payments.

        Raises:
            OverAllocated: more than is open of a target, or than the payment is.
            Voided, WrongClient, WrongCurrency, WrongDirection: a target that it cannot settle.
            PeriodClosed: dated in a closed period.
            NumberTaken, InvalidValue, NotFound: as the fields say.
        """
        told = {
            "client": check_id(client, "client"),
            "amount": amount,
            "currency": currency,
            "allocate": allocate if allocate is None else kept_pairs(allocate),
            "on": on,
            "method": method,
            "number": number,
            "external_ids": external_ids,
        }
        return self._record("payment", told, key)

    def record_credit_note(
        self,
        client: ClientRef,
        lines_or_amount: Content,
        *,
        reason: str,
        currency: str | Currency | None = None,
        sale: EntryRef | None = None,
        allocate: Told | None = None,
        on: date | None = None,
        number: str | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Record a credit note: goods came back, or a price was lowered.

        It counts against what was sold on its own date.

        Args:
            sale: the sale that it is for. It settles that sale up to what is open; what does not
                fit stays an open credit. Without a sale all of it stays free.
            allocate: as of a payment, and wins over `sale`.

        Raises:
            OverAllocated: more than is open of a target, or than the credit note is.
            LedgerError, NumberTaken, InvalidValue, NotFound: as of a payment.
        """
        told = {
            "client": check_id(client, "client"),
            "lines_or_amount": kept(lines_or_amount),
            "currency": currency,
            "sale": None if sale is None else check_id(sale, "sale"),
            "allocate": allocate if allocate is None else kept_pairs(allocate),
            "reason": reason,
            "on": on,
            "number": number,
            "external_ids": external_ids,
        }
        return self._record("credit note", told, key)

    def record_refund(
        self,
        client: ClientRef,
        amount: Amount,
        *,
        currency: str | Currency | None = None,
        allocate: Told | None = None,
        on: date | None = None,
        method: str = "",
        number: str | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Record a refund: money given back to the client, never more than is free.

        Args:
            allocate: None takes the oldest free credits, which make up the whole refund; a mapping
                or pairs {payment, credit note or other credit: amount} takes just these; {} takes
                none. What it does not take stays open, as a debit that settles credits later.

        Raises:
            OverAllocated: more than is free on its date.
            LedgerError, NumberTaken, InvalidValue, NotFound: as of a payment.
        """
        told = {
            "client": check_id(client, "client"),
            "amount": amount,
            "currency": currency,
            "allocate": allocate if allocate is None else kept_pairs(allocate),
            "on": on,
            "method": method,
            "number": number,
            "external_ids": external_ids,
        }
        return self._record("refund", told, key)

    def write_off(
        self,
        client: ClientRef,
        amount: Amount,
        *,
        reason: str,
        currency: str | Currency | None = None,
        allocate: Told | None = None,
        on: date | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Write off a debt that will not be paid.

        A write-off is never free: when what it settled is voided or released, that part of it is
        taken back, by a document of its own.

        Args:
            allocate: None writes off the oldest due first; a mapping or pairs
                {sale or instalment: amount} just these. They make up the whole write-off, and were
                open on its date.

        Raises:
            OverAllocated: more than is open.
            LedgerError, InvalidValue, NotFound: as of a payment.
        """
        told = {
            "client": check_id(client, "client"),
            "amount": amount,
            "currency": currency,
            "allocate": allocate if allocate is None else kept_pairs(allocate),
            "reason": reason,
            "on": on,
            "external_ids": external_ids,
        }
        return self._record("write-off", told, key)

    def record_opening_balance(
        self,
        client: ClientRef,
        amount: Amount,
        *,
        on: date,
        due: date | None = None,
        currency: str | Currency | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Take over what stood in the old books: above zero the client owes, below it has prepaid.

        Args:
            amount: the only one of the library that takes a sign.
            due: of a debt; its own date by default.

        Raises:
            PeriodClosed, InvalidValue, NotFound: as the fields say.
        """
        told = {
            "client": check_id(client, "client"),
            "amount": amount,
            "currency": currency,
            "on": on,
            "due": due,
            "external_ids": external_ids,
        }
        return self._record("opening balance", told, key)

    def void(
        self,
        entry: EntryRef,
        *,
        reason: str,
        on: date | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Undo an entry by a new one; both stay visible.

        What it settled, or was settled by, is open again; its number and external ids are free.
        With one half of an exchange goes the other.

        Args:
            reason: why, in words.
            on: the void's date, never before the entry's; today by default, or the entry's date
                where that is later.

        Raises:
            Voided: it has been voided, or is itself a void.
            PeriodClosed: dated in a closed period.
            InvalidValue: too early a date, or no reason.
        """
        id = check_id(entry, "entry")

        def plan(work: Work) -> Entry:
            work.head(entry_of(work, id).client)
            done = _undoable(live_entry(work, id, "entry"))
            day = _void_day(work, done, on)
            undo, _ = void_entry(work, done, reason, day, external_ids=external_ids)
            return undo

        arguments = {"entry": id, "reason": reason, "on": on, "external_ids": external_ids}
        return self._desk.command("ledger.void", arguments, plan, key=key, again=made(Entry))

    def correct(
        self,
        entry: EntryRef,
        *,
        reason: str,
        on: date | None = None,
        key: str | None = None,
        **changes: Any,
    ) -> Entry:
        """Void an entry and record it anew with changes, in one; the two are linked.

        The old allocations are put on the new one first, as far as they fit; what the correction
        adds follows the usual rule.

        Args:
            on: the date of the void and of the new document; the entry's own by default, so that
                all days show what is right, and `known_at` what was known. Give a later one where
                that period is closed.
            changes: any arguments of the command that recorded it, such as `amount="80.00"`,
                `lines=[...]` or `due=`; what is not named stays as it was.

        Returns:
            the new document; its `replaces` is the old one.

        Raises:
            Voided: it has been voided, or is itself a void.
            InvalidValue: not a change that the kind has, or too early a date.
            PeriodClosed, CreditLimitExceeded, OverAllocated and others: as when it was recorded.
        """
        id = check_id(entry, "entry")
        told = kept_told(changes)

        def plan(work: Work) -> Entry:
            work.head(entry_of(work, id).client)
            old = _undoable(live_entry(work, id, "entry"))
            day = old.on if on is None else _void_day(work, old, on)
            return correct_entry(work, old, reason, day, told)

        arguments = {"entry": id, "reason": reason, "on": on, **told}
        return self._desk.command("ledger.correct", arguments, plan, key=key, again=made(Entry))

    def _record(self, kind: str, told: Mapping[str, Any], key: str | None) -> Entry:
        """Record a document of a kind."""
        rest = {n: v for n, v in told.items() if n not in ("lines_or_amount", "amount")}
        content = told["lines_or_amount"] if "lines_or_amount" in told else told["amount"]
        paper = Paper(kind=kind, content=content, **rest)
        action = "ledger.write_off" if kind == "write-off" else f"ledger.record_{kind}"
        return self._desk.command(
            action.replace(" ", "_"),
            {
                **told,
                "currency": getattr(paper.currency, "code", paper.currency),
                "agreements": paper.agreements or None,
            },
            lambda work: record(work, paper)[0],
            key=key,
            again=made(Entry),
        )


def _undoable(entry: Entry) -> Entry:
    if entry.kind == "write-off" and entry.side == DEBIT:
        raise InvalidValue(
            "it says that a part of a write-off was taken back",
            field="entry",
            value=entry.id,
            remedy="write off anew, or void the write-off itself",
        )
    return entry


def _void_day(work: Work, entry: Entry, on: date | None) -> date:
    day = max(work.today, entry.on) if on is None else check_day(on, "on")
    if day < entry.on:
        raise InvalidValue(
            "before the entry itself", field="on", value=day, remedy=f"{entry.on} or later"
        )
    return day
