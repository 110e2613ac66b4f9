"""How documents are recorded: which facts a command makes, and which it refuses.

Every function returns a `Posting` and touches nothing. They add up: a payment is the document,
plus a link to each item that it settles.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import attrs

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Release
from clientledger.domain.journal import Balance, OpenItem, PurchaseDay, new_items, purchase_of
from clientledger.domain.money import MAX_TOTAL, Money
from clientledger.domain.posting import Move, Posting
from clientledger.errors import (
    InvalidValue,
    OverAllocated,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)

__all__ = [
    "Link",
    "Room",
    "Stamp",
    "check_balance",
    "check_links",
    "check_pair",
    "issue",
    "link",
    "link_day",
    "settle_oldest",
    "unlink",
    "void",
]


@attrs.frozen
class Stamp:
    """Who records, when, and where new ids come from."""

    actor: str
    at: datetime
    new_id: Callable[[], UUID]


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


@attrs.frozen
class Link:
    """An amount of a credit to put against a debit's instalment, from a day on."""

    credit: Room
    debit: Room
    amount: Money
    on: date


def link_day(credit: OpenItem, debit: OpenItem, on: date | None = None) -> date:
    """The day from which a link counts: the latest of its own and both documents' dates."""
    return max(credit.on, debit.on, on or credit.on)


def issue(entry: Entry) -> Posting:
    """Record a document: its items are open, the account moves, a purchase counts."""
    items = new_items(entry)
    moves = [
        Move(
            attrs.evolve(item, open=Money.from_minor(0, item.amount.unit)),
            {"open": item.amount.minor},
            {"open": (0, item.amount.minor)},
            entry.on,
        )
        for item in items
    ]
    moves.extend(_balance_move(item, item.amount.minor, entry.on) for item in items)
    moves.extend(_purchase_moves(entry, 1, entry.on))
    return Posting(facts=(entry,), moves=tuple(moves))


def link(links: Iterable[Link], stamp: Stamp) -> Posting:
    """Record allocations: both items and both sides of the account go down."""
    facts: list[Allocation] = []
    moves: list[Move] = []
    for one in links:
        credit, debit = one.credit.item, one.debit.item
        facts.append(
            Allocation(
                id=stamp.new_id(),
                client=credit.client,
                credit=credit.entry,
                debit=debit.entry,
                instalment=debit.instalment,
                amount=one.amount,
                on=one.on,
                recorded_at=stamp.at,
                actor=stamp.actor,
            )
        )
        for item in (credit, debit):
            moves += [
                _item_move(item, -one.amount.minor, one.on),
                _balance_move(item, -one.amount.minor, one.on),
            ]
    return Posting(facts=tuple(facts), moves=tuple(moves))


def unlink(
    allocation: Allocation, amount: Money, credit: OpenItem, debit: OpenItem, on: date, stamp: Stamp
) -> Posting:
    """Record that (part of) an allocation is taken back: both sides are open again."""
    back = Release(
        id=stamp.new_id(),
        client=allocation.client,
        allocation=allocation.id,
        credit=allocation.credit,
        debit=allocation.debit,
        instalment=allocation.instalment,
        amount=amount,
        on=on,
        recorded_at=stamp.at,
        actor=stamp.actor,
    )
    moves = [
        move
        for item in (credit, debit)
        for move in (_item_move(item, amount.minor, on), _balance_move(item, amount.minor, on))
    ]
    return Posting(facts=(back,), moves=tuple(moves))


def void(
    entry: Entry, undo: Entry, links: Sequence[tuple[Allocation, OpenItem, OpenItem]]
) -> Posting:
    """Record the void of an entry: its allocations end, its items and its purchase go to nothing.

    Each allocation, told with what still holds of it, its credit and its debit, ends on the later
    of the void's date and its own; the void itself says so, and nothing else is written.
    """
    moves = []
    for allocation, credit, debit in links:
        day, minor = max(undo.on, allocation.on), allocation.live.minor
        for item in (credit, debit):
            moves += [_item_move(item, minor, day), _balance_move(item, minor, day)]
    for item in new_items(entry):
        moves.append(_item_move(item, -item.amount.minor, undo.on))
        moves.append(_balance_move(item, -item.amount.minor, undo.on))
    moves.extend(_purchase_moves(entry, -1, undo.on))
    return Posting(facts=(undo,), moves=tuple(moves))


def settle_oldest(free: Iterable[Room], owed: Iterable[Room]) -> list[Link]:
    """Spread credits over debits: the oldest credit first, against what is due first.

    Each link is dated on the later of its two documents, and takes no more than may be linked
    from that day on.
    """
    by_due = sorted(
        owed,
        key=lambda r: (r.item.due or r.item.on, r.item.on, r.item.sequence, r.item.instalment),
    )
    taken: dict[tuple[UUID, int], int] = {}
    links = []
    for credit in sorted(free, key=lambda r: (r.item.on, r.item.sequence)):
        for debit in by_due:
            day = link_day(credit.item, debit.item)
            minor = min(
                credit.from_day(day) - taken.get(credit.item.key, 0),
                debit.from_day(day) - taken.get(debit.item.key, 0),
            )
            if minor <= 0:
                continue
            for side in (credit, debit):
                taken[side.item.key] = taken.get(side.item.key, 0) + minor
            links.append(Link(credit, debit, Money.from_minor(minor, credit.item.amount.unit), day))
    return links


def check_pair(credit: OpenItem, debit: OpenItem) -> None:
    """Refuse two items that cannot be linked, whatever the amount.

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
    if credit.client != debit.client:
        raise WrongClient(
            "the two documents belong to different clients",
            field=DEBIT,
            value=debit.entry,
            remedy="allocate within one client",
        )
    if credit.amount.unit != debit.amount.unit:
        raise WrongCurrency(
            f"{credit.currency} does not settle {debit.currency}",
            field=DEBIT,
            value=debit.entry,
            remedy="allocate within one currency",
        )


def check_links(links: list[Link], field: str) -> list[Link]:
    """Return links as told, or refuse them all where one side has not enough that is open.

    Raises:
        OverAllocated: on some day more would be allocated than is there.
    """
    taken: dict[tuple[UUID, int], int] = {}
    for one in links:
        for room in (one.credit, one.debit):
            item = room.item
            taken[item.key] = taken.get(item.key, 0) + one.amount.minor
            left = room.from_day(one.on)
            if taken[item.key] > left:
                raise OverAllocated(
                    f"only {Money.from_minor(left, item.amount.unit)} of the {item.kind} is open"
                    f" from {one.on} on",
                    field=field,
                    value=Money.from_minor(taken[item.key], item.amount.unit),
                    remedy="allocate no more than is open",
                )
    return links


def _item_move(item: OpenItem, minor: int, on: date) -> Move:
    zero = attrs.evolve(item, open=Money.from_minor(0, item.amount.unit), latest=item.on)
    return Move(zero, {"open": minor}, {"open": (0, item.amount.minor)}, on)


def _balance_move(item: OpenItem, minor: int, on: date) -> Move:
    zero = Money.from_minor(0, item.amount.unit)
    name = "owed" if item.side == DEBIT else "prepaid"
    row = Balance(client=item.client, owed=zero, prepaid=zero, latest=on)
    return Move(row, {name: minor}, {name: (0, MAX_TOTAL)}, on)


def _purchase_moves(entry: Entry, times: int, on: date) -> list[Move]:
    count, sold = purchase_of(entry)
    if not sold:
        return []
    zero = Money.from_minor(0, entry.amount.unit)
    row = PurchaseDay(client=entry.client, day=entry.on, count=0, sold=zero, latest=entry.on)
    bounds = {"count": (0, MAX_TOTAL), "sold": (-MAX_TOTAL, MAX_TOTAL)}
    return [Move(row, {"count": count * times, "sold": sold * times}, bounds, on)]


def check_balance(balance: Balance | None, entry: Entry) -> None:
    """Refuse a document with which the account would pass what every store can add.

    Raises:
        InvalidValue: the sum would be larger than `MAX_TOTAL` minor units.
    """
    if balance is None:
        return
    before = balance.owed if entry.side == DEBIT else balance.prepaid
    if before.minor + entry.amount.minor > MAX_TOTAL:
        raise InvalidValue(
            "with it the account would be larger than any store adds exactly",
            field="amount",
            value=entry.amount,
            remedy=f"an account holds at most {MAX_TOTAL} minor units on a side",
        )
