"""How documents are recorded: which facts a command makes, and what they move.

Every function returns a `Posting` and touches nothing. They add up: a payment is the document,
plus a link to each item that it settles.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import attrs

from clientledger.domain.entries import DEBIT, Allocation, Entry, Release
from clientledger.domain.journal import Balance, OpenItem, PurchaseDay, new_items, purchase_of
from clientledger.domain.money import MAX_TOTAL, Money
from clientledger.domain.posting import Move, Posting
from clientledger.domain.settling import Link
from clientledger.errors import CreditLimitExceeded, InvalidValue

__all__ = [
    "Stamp",
    "check_limit",
    "check_totals",
    "issue",
    "link",
    "unlink",
    "void",
]


@attrs.frozen
class Stamp:
    """Who records, when, and where new ids come from."""

    actor: str
    at: datetime
    new_id: Callable[[], UUID]


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


def check_totals(moves: Iterable[Move], held: Iterable[Balance | PurchaseDay]) -> None:
    """Refuse moves with which a sum would pass what every store can add.

    Args:
        moves: one for each row.
        held: the rows as they are, as far as they are there.

    Raises:
        InvalidValue: a side of an account, or what was sold on a day, would be larger than
            `MAX_TOTAL` minor units.
    """
    rows = {Move(row, {}, {}, row.latest).key: row for row in held}
    for move in moves:
        row = rows.get(move.key, move.row)
        for name, added in move.add.items():
            before = getattr(row, name, 0)
            after = (before.minor if isinstance(before, Money) else before) + added
            if not isinstance(row, OpenItem) and abs(after) > MAX_TOTAL:
                raise InvalidValue(
                    f"with it {name} would be larger than any store adds exactly",
                    field="amount",
                    value=after,
                    remedy=f"at most {MAX_TOTAL} minor units in a sum",
                )


def check_limit(balance: Balance | None, sale: Entry, limit: Money) -> None:
    """Refuse a sale with which the client would owe more than was agreed; nothing is a limit too.

    What counts is everything that is recorded, also what is dated later, less what is prepaid. (So
    does Odoo; ERPNext counts unbilled orders too.)

    Raises:
        CreditLimitExceeded: the balance would be above the limit.
    """
    before = 0 if balance is None else balance.owed.minor - balance.prepaid.minor
    after = Money.from_minor(before + sale.amount.minor, sale.amount.unit)
    if after > limit:
        raise CreditLimitExceeded(
            f"with it the client would owe {after}, and {limit} was agreed",
            field="amount",
            value=sale.amount,
            remedy=f"at most {Money.from_minor(max(0, limit.minor - before), limit.unit)} more, "
            "or agree on a higher limit",
        )
