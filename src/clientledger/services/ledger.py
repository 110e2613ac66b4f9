"""The ledger's commands: sales, payments, allocations, voids."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.entries import (
    CREDIT,
    DEBIT,
    Allocation,
    Entry,
    EntryLine,
    Instalment,
    Line,
    other_side,
    read_instalments,
)
from clientledger.domain.journal import OpenItem, new_items
from clientledger.domain.money import Currency, Money, read_money
from clientledger.domain.recording import Room, settle_oldest, void
from clientledger.domain.text import check_flag, check_several, check_text
from clientledger.domain.time import check_day, check_id
from clientledger.errors import InvalidValue, NotFound, NotLinked, OverAllocated, WrongDirection
from clientledger.services.accounts import Accounts
from clientledger.services.desk import made
from clientledger.services.documents import (
    EntryRef,
    check_agreements,
    draft,
    entry_of,
    kept,
    live_entry,
    read_amount,
    read_total,
    record,
)
from clientledger.services.links import (
    Target,
    Told,
    document_id,
    items_of,
    kept_pairs,
    link_up,
    links_of,
    live_allocation,
    open_rooms,
    release,
    rooms,
    told_links,
)
from clientledger.services.work import ClientRef, Work

__all__ = ["Ledger"]

Amount = Money | Decimal | int | str
LineLike = Line | EntryLine | tuple[Any, ...]


@attrs.frozen
class Ledger(Accounts):
    """The ledger of a book: what is recorded, and every figure of it."""

    def record_sale(
        self,
        client: ClientRef,
        lines_or_amount: Iterable[LineLike] | Amount,
        *,
        currency: str | Currency | None = None,
        on: date | None = None,
        due: date | None = None,
        instalments: Iterable[Instalment | tuple[date, Amount]] | None = None,
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
            due: the due date; its own date by default.
            instalments: pairs of a due date and an amount, which add up to the total.
            number: the document's number, unique among live sales.
            use_prepayments: whether free credits settle it, the oldest first; the book's setting
                by default.
            agreements: those that it was sold under.

        Raises:
            ClientArchived: the client takes nothing new.
            NumberTaken: another live sale has the number.
            InvalidValue, NotFound: as the fields say.
        """
        told = kept(lines_or_amount)
        parts = None if instalments is None else kept(instalments)
        under = tuple(
            check_id(one, "agreements") for one in check_several(agreements, "agreements")
        )

        def plan(work: Work) -> Entry:
            owner = work.client(client)
            head = work.open_head(owner)
            amount, lines = read_total(work, told, currency)
            day = work.day(on, "on")
            id = work.new_id()
            entry = draft(
                work,
                head,
                "sale",
                DEBIT,
                amount,
                day,
                id=id,
                number=number,
                external_ids=external_ids,
                lines=lines,
                instalments=read_instalments(
                    amount, day, due=due, instalments=parts, entry=id, known=work.settings.known
                ),
                agreements=check_agreements(work, under, owner.id),
            )
            record(work, entry)
            use = work.settings.use_prepayments if use_prepayments is None else use_prepayments
            if check_flag(use, "use_prepayments"):
                free = open_rooms(work, entry, CREDIT)
                own = [Room(item) for item in new_items(entry)]
                link_up(work, settle_oldest(free, own), head)
            return entry

        arguments = {
            "client": check_id(client, "client"),
            "lines_or_amount": told,
            "currency": getattr(currency, "code", currency),
            "on": on,
            "due": due,
            "instalments": parts,
            "number": number,
            "use_prepayments": use_prepayments,
            "agreements": under or None,
            "external_ids": external_ids,
        }
        return self._desk.command("ledger.record_sale", arguments, plan, key=key, again=made(Entry))

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
            NumberTaken, InvalidValue, NotFound: as the fields say.
        """
        told = allocate if allocate is None else kept_pairs(allocate)

        def plan(work: Work) -> Entry:
            owner = work.client(client)
            head = work.head(owner.id)
            paid = read_amount(work, amount, currency)
            entry = draft(
                work,
                head,
                "payment",
                CREDIT,
                paid,
                work.day(on, "on"),
                number=number,
                external_ids=external_ids,
                method=check_text(method, "method"),
            )
            record(work, entry)
            own = Room(new_items(entry)[0])
            if told is None:
                link_up(work, settle_oldest([own], open_rooms(work, entry, DEBIT)), head)
            else:
                link_up(work, told_links(work, own, told), head)
            return entry

        arguments = {
            "client": check_id(client, "client"),
            "amount": amount,
            "currency": getattr(currency, "code", currency),
            "allocate": told,
            "on": on,
            "method": method,
            "number": number,
            "external_ids": external_ids,
        }
        return self._desk.command(
            "ledger.record_payment", arguments, plan, key=key, again=made(Entry)
        )

    def allocate(
        self,
        credit: EntryRef | OpenItem,
        debit_or_instalment: Target,
        amount: Amount,
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> Allocation:
        """Put an amount of a free credit against a debit, from a day on (today).

        It counts from the latest of that day and both documents' dates. One amount goes to one
        instalment: of a sale with several, the first that is open, where none is named.

        Raises:
            OverAllocated: more than is open on either side, on that day or later.
            InvalidValue: it would go to several instalments: name one after the other.
            Voided, WrongClient, WrongCurrency, WrongDirection: two that cannot be linked.
        """

        def plan(work: Work) -> Allocation:
            named = document_id(credit, "credit")
            head = work.head(entry_of(work, named, "credit").client)
            free = live_entry(work, named, "credit")
            if free.side != CREDIT:
                raise WrongDirection(
                    f"a {free.kind} is a {free.side}",
                    field="credit",
                    value=free.id,
                    remedy="name a credit here, and the debit second",
                )
            day = work.day(on, "on")
            own = rooms(work, items_of(work, free), day)[0]
            links = told_links(
                work,
                own,
                [(debit_or_instalment, amount)],
                on=day,
                field="debit_or_instalment",
                amount_field="amount",
            )
            if len(links) > 1:
                raise InvalidValue(
                    "it would go to several instalments",
                    field="debit_or_instalment",
                    value=links[0].debit.item.entry,
                    remedy="name the instalment, and allocate to one after the other",
                )
            return link_up(work, links, head)[0]

        arguments = {
            "credit": document_id(credit, "credit"),
            "debit": document_id(debit_or_instalment, "debit_or_instalment"),
            "instalment": getattr(debit_or_instalment, "number", None)
            if isinstance(debit_or_instalment, Instalment)
            else getattr(debit_or_instalment, "instalment", None),
            "amount": amount,
            "on": on,
        }
        return self._desk.command(
            "ledger.allocate", arguments, plan, key=key, again=live_allocation
        )

    def release(
        self,
        allocation: Allocation | UUID | str,
        amount: Amount | None = None,
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> Allocation:
        """Take an allocation back, all of it or an amount, from a day on (today).

        Returns:
            the allocation with what still holds of it.

        Raises:
            NotLinked: nothing of it holds any more.
            OverAllocated: more than holds of it.
        """
        id = check_id(allocation, "allocation")

        def plan(work: Work) -> Allocation:
            known = work.unit.lookup(Allocation, id)
            if known is None:
                raise NotFound(
                    "no such allocation in the book",
                    field="allocation",
                    value=id,
                    remedy="take one of ledger.state(entry).allocations",
                )
            head = work.head(known.client)
            live = live_allocation(work.unit, str(id))
            wanted = live.live
            if amount is not None:
                wanted = read_money(amount, live.amount.unit, known=work.settings.known)
            if not live.live or wanted > live.live:
                refusal = OverAllocated if live.live else NotLinked
                raise refusal(
                    f"only {live.live} of the allocation holds",
                    field="amount",
                    value=wanted,
                    remedy="release no more than holds",
                )
            return release(work, live, wanted, _release_day(work, live, on), head)

        arguments = {"allocation": id, "amount": amount, "on": on}
        return self._desk.command("ledger.release", arguments, plan, key=key, again=live_allocation)

    def void(
        self, entry: EntryRef, *, reason: str, on: date | None = None, key: str | None = None
    ) -> Entry:
        """Undo an entry by a new one; both stay visible.

        What it settled, or was settled by, is open again; its number and external ids are free.

        Args:
            reason: why, in words.
            on: the void's date, never before the entry's; today by default, or the entry's date
                where that is later.

        Raises:
            Voided: it has been voided, or is itself a void.
            InvalidValue: too early a date, or no reason.
        """
        id = check_id(entry, "entry")

        def plan(work: Work) -> Entry:
            found = entry_of(work, id)
            head = work.head(found.client)
            done = live_entry(work, id, "entry")
            day = max(work.today, done.on) if on is None else check_day(on, "on")
            if day < done.on:
                raise InvalidValue(
                    "before the entry itself", field="on", value=day, remedy=f"{done.on} or later"
                )
            undo = draft(
                work,
                head,
                "void",
                other_side(done.side),
                done.amount,
                day,
                reason=check_text(reason, "reason", most=1000, empty=False, lines=True),
                undoes=done.id,
            )
            posting = void(done, undo, links_of(work, done))
            work.free(done.id)
            work.add(posting)
            work.tell("entry.voided", done.id, client=done.client, at=undo.recorded_at)
            return undo

        arguments = {"entry": id, "reason": reason, "on": on}
        return self._desk.command("ledger.void", arguments, plan, key=key, again=made(Entry))


def _release_day(work: Work, live: Allocation, on: date | None) -> date:
    if on is None:
        return max(work.today, live.on)
    day = check_day(on, "on")
    if day < live.on:
        raise InvalidValue(
            "before the allocation itself", field="on", value=day, remedy=f"{live.on} or later"
        )
    return day
