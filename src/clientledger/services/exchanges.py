"""Exchange: a free credit of one currency turned into one of another, at told amounts."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import attrs

from clientledger.domain.entries import CREDIT, DEBIT, Entry, Instalment
from clientledger.domain.journal import OpenItem, new_items
from clientledger.domain.money import Money, read_money
from clientledger.domain.rates import ExchangeDifference, exchange_difference
from clientledger.domain.settling import Room
from clientledger.domain.text import check_text
from clientledger.domain.time import check_id
from clientledger.errors import InvalidValue, WrongDirection
from clientledger.services.desk import AtDesk, made
from clientledger.services.documents import (
    EntryRef,
    draft,
    entry_of,
    live_entry,
    write,
)
from clientledger.services.links import document_id, link_up, told_links
from clientledger.services.work import Work

__all__ = ["Exchanges"]

Amount = Money | Decimal | int | str


@attrs.frozen
class Exchanges(AtDesk):
    """Credits turned from one currency into another."""

    def exchange(
        self,
        credit: EntryRef | OpenItem,
        amount: Amount,
        into: Money | str,
        *,
        on: date | None = None,
        reason: str = "",
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Entry:
        """Turn an amount of a free credit into a free credit of another currency.

        So a debt in one currency is paid in another: both amounts are told, and no rate ever
        changes the debt. It makes two entries of kind "exchange", one in each currency: a debit
        that the credit settles, and the new credit; each names the other as its `pair`.

        Args:
            credit: a payment or another credit with enough that is free.
            amount: what is given, in the credit's currency.
            into: what it counts as, in another currency, such as "100.00 USD".
            on: the business date, not before the credit's; today by default.
            external_ids: of the new credit.

        Returns:
            the new credit, free to be allocated.

        Raises:
            OverAllocated: more than is free of the credit on that day.
            Voided, WrongDirection, PeriodClosed, InvalidValue, NotFound: as the fields say.
        """
        source = document_id(credit, "credit")

        def plan(work: Work) -> Entry:
            head = work.head(entry_of(work, source, "credit").client)
            free = live_entry(work, source, "credit")
            if free.side != CREDIT:
                raise WrongDirection(
                    f"a {free.kind} is a {free.side}",
                    field="credit",
                    value=free.id,
                    remedy="name a credit with something free",
                )
            known = work.settings.known
            given = read_money(amount, free.amount.unit, known=known)
            got = read_money(into, field="into", known=known)
            if got.unit == given.unit:
                raise InvalidValue(
                    "of the same currency",
                    field="into",
                    value=got,
                    remedy="give an amount in another currency",
                )
            day = work.day(on, "on")
            if day < free.on:
                raise InvalidValue(
                    "before the credit itself", field="on", value=day, remedy=f"{free.on} or later"
                )
            ids = work.new_id(), work.new_id()
            said = check_text(reason, "reason", most=1000, lines=True)
            out = draft(
                work,
                head,
                "exchange",
                DEBIT,
                given,
                day,
                id=ids[0],
                instalments=(Instalment(day, given, 1, ids[0]),),
                reason=said,
                pair=ids[1],
            )
            write(work, out)
            own = [Room(item) for item in new_items(out)]
            told = [(free, given)]
            link_up(work, told_links(work, own, told, field="credit", amount_field="amount"), head)
            new = draft(
                work,
                head,
                "exchange",
                CREDIT,
                got,
                day,
                id=ids[1],
                reason=said,
                pair=ids[0],
                external_ids=external_ids,
            )
            write(work, new)
            return new

        arguments = {
            "credit": source,
            "amount": amount,
            "into": into,
            "on": on,
            "reason": reason,
            "external_ids": external_ids,
        }
        return self._desk.command("ledger.exchange", arguments, plan, key=key, again=made(Entry))

    def exchange_difference(self, exchange: EntryRef) -> ExchangeDifference:
        """Show what an exchange gained or lost against the rate of its day.

        It is shown and not booked: the debt is what was told.

        Args:
            exchange: either half.

        Raises:
            NotFound: no plugin knows a rate of that day.
            InvalidValue: the entry is no exchange.
        """
        with self._desk.glance() as glance:
            one = glance.reading.get(Entry, check_id(exchange, "exchange"))
            if one.kind != "exchange" or one.pair is None:
                raise InvalidValue(
                    f"a {one.kind} is no exchange",
                    field="exchange",
                    value=one.id,
                    remedy="name an entry that ledger.exchange made",
                )
            other = glance.reading.get(Entry, one.pair)
            out, new = (one, other) if one.side == DEBIT else (other, one)
            rate = self._desk.rate(out.amount.unit, new.amount.unit, out.on)
            return exchange_difference(out, new, rate, glance.settings.rounding)
