"""The command `what-if`: what a document would change, without recording it."""

from datetime import date
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from clientledger import Account, Book, Client, Entry, InvalidValue
from clientledger.cli.exits import OK
from clientledger.cli.figures import Aged, change_table
from clientledger.cli.lists import Parts
from clientledger.cli.naming import client_named, document_named
from clientledger.cli.options import COMMON, ClientWords, Common, CurrencyOf, Day, today
from clientledger.cli.plain import emit, plain
from clientledger.cli.receipts import above_limit, links, title, void_title
from clientledger.cli.screen import Screen, heading, note

__all__ = ["what_if"]

Amount = Annotated[str | None, Parameter(metavar="AMOUNT")]


def what_if(
    client: ClientWords,
    /,
    *,
    sale: Amount = None,
    payment: Amount = None,
    credit_note: Amount = None,
    write_off: Amount = None,
    void: Annotated[str | None, Parameter(metavar="DOC")] = None,
    terms: str | None = None,
    currency: CurrencyOf = None,
    on: Day | None = None,
    common: Common = COMMON,
) -> int:
    """Show what a client would owe if something were recorded. Nothing is.

    Several may be told: a void comes first, then the sale, the payment and so on. It refuses what
    recording would refuse, such as a sale above the credit limit.

    Args:
        sale: if it bought for so much, such as "500.00 EUR".
        payment: if it paid so much, by the rule for what that settles.
        credit_note: if so much were credited.
        write_off: if so much were written off.
        void: if this document were undone, such as a payment that bounces.
        terms: of the sale, such as "30 % now, rest in 30 days".
        on: the day of it, and of the figures; today by default.
    """
    told = _Told(sale, payment, credit_note, write_off, terms, currency)
    if void is None and not any((sale, payment, credit_note, write_off)):
        raise InvalidValue(
            "nothing is told that might happen",
            remedy='give --payment "500.00 EUR", --sale, --credit-note, --write-off or --void',
        )
    with common.write() as book:
        found, day = client_named(book, client), today(book, on)
        gone = None if void is None else document_named(book, void, client=found)
        with book.what_if() as trial:
            before = _figures(trial, found, day)
            made = told.record(trial, found, gone, day)
            after = _figures(trial, found, day)
            said = [line for one in made for line in _said(trial, one)]
    changed = {code: aged for code, aged in after.items() if before.get(code) != aged}
    if common.json:
        figures = {"before": before, "after": after}
        told_figures = {name: _plain(told) for name, told in figures.items()}
        emit(
            {"name": found.name, "client": str(found.id), "on": day, "documents": made}
            | told_figures
        )
        return OK
    parts: Parts = [heading(found.name, f"if on {day}"), *said]
    for aged in changed.values():
        parts += ["", change_table(before.get(aged[0].currency) or _nothing(aged), aged)]
    Screen().show(*parts, "", note("Nothing was recorded."))
    return OK


@attrs.frozen
class _Told:
    """What might happen beside a void, as told."""

    sale: str | None
    payment: str | None
    credit_note: str | None
    write_off: str | None
    terms: str | None
    currency: str | None

    def record(self, trial: Book, client: Client, gone: Entry | None, day: date) -> list[Entry]:
        """Record all of it in a book on trial."""
        ledger, reason = trial.ledger, "what if"
        told: dict[str, Any] = {"currency": self.currency, "on": day}
        made = []
        if gone is not None:
            made.append(ledger.void(gone, reason=reason, on=day))
        if self.sale is not None:
            made.append(ledger.record_sale(client, self.sale, terms=self.terms, **told))
        if self.payment is not None:
            made.append(ledger.record_payment(client, self.payment, **told))
        if self.credit_note is not None:
            made.append(ledger.record_credit_note(client, self.credit_note, reason=reason, **told))
        if self.write_off is not None:
            made.append(ledger.write_off(client, self.write_off, reason=reason, **told))
        return made


def _said(trial: Book, made: Entry) -> list[str]:
    if made.undoes is not None:
        return [void_title(made, trial.ledger.get(made.undoes))]
    return [title(made), *links(trial, made), *above_limit(trial, made)]


def _figures(book: Book, client: Client, day: date) -> dict[str, Aged]:
    """Each account of a client, and what it owes by age."""
    return {
        code: (account, book.ledger.statement(client, code, day, day).buckets)
        for code, account in book.ledger.accounts(client, as_of=day).items()
    }


def _nothing(aged: Aged) -> Aged:
    """The figures of an account that was not there yet."""
    account, ages = aged
    zero = account.owed - account.owed
    return (
        Account(owed=zero, prepaid=zero, overdue=zero),
        [attrs.evolve(one, amount=zero) for one in ages],
    )


def _plain(figures: dict[str, Aged]) -> dict[str, Any]:
    return {
        code: plain(account) | {"buckets": plain(ages)} for code, (account, ages) in figures.items()
    }
