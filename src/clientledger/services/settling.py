"""Settling by hand: putting free credits against debits, and taking that back."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import attrs

from clientledger.domain.entries import CREDIT, Allocation
from clientledger.domain.journal import OpenItem
from clientledger.domain.money import Money, read_money, total
from clientledger.domain.time import check_day, check_id
from clientledger.errors import InvalidValue, NotFound, NotLinked, OverAllocated, WrongDirection
from clientledger.ports import Reading
from clientledger.services.desk import AtDesk
from clientledger.services.documents import EntryRef, entry_of, live_entry
from clientledger.services.links import (
    Target,
    document_id,
    instalment_of,
    is_named,
    items_of,
    link_up,
    links_of,
    live_allocation,
    release,
    rooms,
    told_links,
)
from clientledger.services.undoing import take_back
from clientledger.services.work import Work

__all__ = ["Settling"]

Amount = Money | Decimal | int | str


@attrs.frozen
class Settling(AtDesk):
    """Allocations made and taken back by hand."""

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
            own = rooms(work, items_of(work, free), day)
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
            "instalment": instalment_of(debit_or_instalment),
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
            work.head(known.client)
            live = live_allocation(work.unit, str(id))
            wanted = live.live
            if amount is not None:
                wanted = read_money(amount, live.amount.unit, known=work.settings.known)
            if not live.live or wanted > live.live:
                raise _holds_less(live.live, wanted)
            return _take_off(work, live, wanted, on)

        arguments = {"allocation": id, "amount": amount, "on": on}
        return self._desk.command("ledger.release", arguments, plan, key=key, again=live_allocation)

    def unallocate(
        self,
        credit: EntryRef | OpenItem,
        debit: Target,
        amount: Amount | None = None,
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> tuple[Allocation, ...]:
        """Take back what a credit has settled of a debit, all or an amount, the newest first.

        Returns:
            the allocations that were touched, each with what still holds of it.

        Raises:
            NotLinked: nothing of the one is allocated to the other.
            OverAllocated: more than is.
        """
        free, owed = document_id(credit, "credit"), document_id(debit, "debit")

        def plan(work: Work) -> _Several:
            one, other = entry_of(work, free, "credit"), entry_of(work, owed, "debit")
            work.head(one.client)
            between = [
                link
                for link, _, item in links_of(work, one)
                if link.live and link.debit == other.id and is_named(debit, item)
            ]
            held = total((link.live for link in between), one.amount.unit)
            wanted = held
            if amount is not None:
                wanted = read_money(amount, one.amount.unit, known=work.settings.known)
            if not held or wanted > held:
                raise _holds_less(held, wanted)
            left, done = wanted, []
            for link in sorted(between, key=lambda link: (link.on, link.id), reverse=True):
                if left:
                    done.append(_take_off(work, link, min(left, link.live), on))
                    left -= min(left, link.live)
            return _Several(tuple(done))

        arguments = {
            "credit": free,
            "debit": owed,
            "instalment": instalment_of(debit),
            "amount": amount,
            "on": on,
        }
        return self._desk.command(
            "ledger.unallocate", arguments, plan, key=key, again=_Several.again
        ).allocations


@attrs.frozen
class _Several:
    """Several allocations as what one command made."""

    allocations: tuple[Allocation, ...]

    @property
    def id(self) -> str:
        return ",".join(str(one.id) for one in self.allocations)

    @classmethod
    def again(cls, reading: Reading, id: str) -> "_Several":
        return cls(tuple(live_allocation(reading, one) for one in id.split(",")))


def _holds_less(live: Money, wanted: Money) -> OverAllocated | NotLinked:
    if not live:
        return NotLinked(
            "nothing is allocated any more",
            field="amount",
            remedy="look at ledger.state(entry).allocations",
        )
    return OverAllocated(
        f"only {live} of the allocation holds",
        field="amount",
        value=wanted,
        remedy="release no more than holds",
    )


def _take_off(work: Work, live: Allocation, amount: Money, on: date | None) -> Allocation:
    """Take an amount of an allocation back; of a write-off, that part of it goes too."""
    day = _release_day(work, live, on)
    credit, debit = release(work, live, amount, day, work.head(live.client))
    if credit.kind == "write-off":
        if debit.kind == "write-off":
            raise InvalidValue(
                "it says that a part of the write-off was taken back",
                field="allocation",
                value=live.id,
                remedy="write off anew",
            )
        take_back(work, credit, amount, day, f"released from {debit.number or debit.kind}")
    return attrs.evolve(live, live=live.live - amount)


def _release_day(work: Work, live: Allocation, on: date | None) -> date:
    if on is None:
        return max(work.today, live.on)
    day = check_day(on, "on")
    if day < live.on:
        raise InvalidValue(
            "before the allocation itself", field="on", value=day, remedy=f"{live.on} or later"
        )
    return day
