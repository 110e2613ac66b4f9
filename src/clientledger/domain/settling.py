"""Settling: which amounts of which credits go to which debits, and when that is too much."""

from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from clientledger.domain.entries import CREDIT, DEBIT
from clientledger.domain.journal import OpenItem
from clientledger.domain.money import MAX_TOTAL, Money
from clientledger.errors import WrongClient, WrongCurrency, WrongDirection

__all__ = ["Link", "Room", "check_pair", "link_day", "settle"]


@attrs.frozen
class Room:
    """An item, and what has moved it on which day: how much of it may still be linked.

    A link may not make either side negative on any day of the timeline, so what may be linked
    from a day on is the least that is open on that day or on any later one.
    """

    item: OpenItem
    movements: tuple[tuple[date, int], ...] = ()

    def from_day(self, day: date) -> int:
        """Minor units that may be linked from a day on."""
        if day >= self.item.latest:
            return self.item.open.minor
        left = least = self.item.open.minor
        by_day: dict[date, int] = {}
        for on, delta in self.movements:
            by_day[on] = by_day.get(on, 0) + delta
        for on in sorted((on for on in by_day if on > day), reverse=True):
            left -= by_day[on]
            least = min(least, left)
        return max(least, 0)

    def less(self, minor: int, day: date) -> "Room":
        """What is left when some of it is linked from a day on."""
        item = self.item
        open_ = Money.from_minor(item.open.minor - minor, item.amount.unit)
        taken = attrs.evolve(item, open=open_, latest=max(item.latest, day))
        return Room(taken, (*self.movements, (day, -minor)))


@attrs.frozen
class Link:
    """An amount of a credit to put against a debit's instalment, from a day on."""

    credit: Room
    debit: Room
    amount: Money
    on: date


def link_day(credit: OpenItem, debit: OpenItem, on: date | None = None) -> date:
    """The day from which a link counts: the latest of its own date and both documents' dates."""
    return max(credit.on, debit.on, on or credit.on)


def settle(
    credits: Iterable[Room],
    debits: Iterable[Room],
    *,
    most: int = MAX_TOTAL,
    on: date | None = None,
    given: Sequence[Link] = (),
) -> list[Link]:
    """Spread credits over debits: the oldest credit first, against what is due first.

    Args:
        most: minor units that are linked in all.
        on: the day of the links; each counts from the latest of it and both documents' dates.
        given: links that have been planned before, beside which these must have room.

    Raises:
        WrongDirection, WrongClient, WrongCurrency: two of them cannot be linked at all.
    """
    by_due = sorted(debits, key=_by_due)
    by_age = sorted(credits, key=lambda room: (room.item.on, room.item.sequence))
    left = {room.item.key: room for room in (*by_age, *by_due)}
    links: list[Link] = []

    def take(one: Link) -> None:
        for key in (one.credit.item.key, one.debit.item.key):
            if key in left:
                left[key] = left[key].less(one.amount.minor, one.on)

    for one in given:
        take(one)
    for credit in by_age:
        for debit in by_due:
            check_pair(credit.item, debit.item)
            day = link_day(credit.item, debit.item, on)
            room = (left[side.item.key].from_day(day) for side in (credit, debit))
            minor = min(most, *room)
            if minor > 0:
                amount = Money.from_minor(minor, credit.item.amount.unit)
                links.append(Link(credit, debit, amount, day))
                take(links[-1])
                most -= minor
    return links


def _by_due(room: Room) -> tuple[date, date, int, int]:
    item = room.item
    return item.due or item.on, item.on, item.sequence, item.instalment


def check_pair(credit: OpenItem, debit: OpenItem, told: OpenItem | None = None) -> None:
    """Refuse two items that cannot be linked, whatever the amount.

    Args:
        told: the one of the two that was named, and is to blame; the debit by default.

    Raises:
        WrongDirection, WrongClient, WrongCurrency.
    """
    for item, side in ((credit, CREDIT), (debit, DEBIT)):
        if item.side != side:
            raise WrongDirection(
                f"a {item.kind} is a {item.side}",
                field=side,
                value=item.entry,
                remedy=f"name a {side} here",
            )
    blamed = debit if told is None else told
    if credit.client != debit.client:
        raise WrongClient(
            "the two documents belong to different clients",
            field=blamed.side,
            value=blamed.entry,
            remedy="allocate within one client",
        )
    if credit.amount.unit != debit.amount.unit:
        raise WrongCurrency(
            f"{credit.currency} does not settle {debit.currency}",
            field=blamed.side,
            value=blamed.entry,
            remedy="allocate within one currency, or use ledger.exchange first",
        )
