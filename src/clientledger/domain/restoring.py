"""Restoring: all that was recorded of one client, when it comes back from a file.

Such facts have not been through the commands, so what no command would have recorded is refused: a
figure is only as right as its facts. The others are recorded as they are, and move the derived
rows to what the definitions of the figures say.
"""

from collections.abc import Iterator, Mapping

import attrs

from clientledger.domain.journal import Journal, balances, open_items, purchase_days
from clientledger.domain.money import MAX_TOTAL, Money
from clientledger.domain.posting import Figure, Head, HeadStep, Move, Posting
from clientledger.domain.soundness import faults, last_recorded
from clientledger.errors import InvalidValue

__all__ = ["restore"]


def restore(head: Head, journal: Journal) -> Posting:
    """Record at once all facts of a client that is not in the book yet.

    Args:
        head: of the client, as it was.
        journal: every fact of its ledger, and of nobody else's.

    Raises:
        InvalidValue: they cannot be what was recorded; `value` is the id of the fact to blame.
    """
    for fault in faults(journal):
        kind = type(fault.fact).__name__.lower()
        raise InvalidValue(fault.has, field=kind, value=fault.fact.id, remedy=fault.should)
    _check_head(head, journal)
    return Posting(
        heads=(HeadStep(head, None),),
        facts=(*journal.entries, *journal.allocations, *journal.releases),
        moves=tuple(_moves(journal)),
    )


def _check_head(head: Head, journal: Journal) -> None:
    """The head counts all entries, and no fact was recorded after it."""
    numbers = sorted(entry.sequence for entry in journal.entries)
    if numbers != list(range(1, head.sequence + 1)):
        raise InvalidValue(
            f"it counts {head.sequence} entries, and not the {len(numbers)} that are there",
            field="head",
            value=head.client,
            remedy="the sequence runs from 1 without gaps",
        )
    last = last_recorded(journal, head.recorded_at)
    if last > head.recorded_at:
        raise InvalidValue(
            f"it stands at {head.recorded_at}",
            field="head",
            value=head.client,
            remedy=f"{last}, when the last fact was recorded",
        )


def _moves(journal: Journal) -> Iterator[Move]:
    """The moves that make the derived rows, from nothing, what the facts say."""
    for item in open_items(journal):
        yield _move(item, {"open": item.open}, {"open": (0, item.amount.minor)})
    for balance in balances(journal):
        sides = {"owed": balance.owed, "prepaid": balance.prepaid}
        yield _move(balance, sides, dict.fromkeys(sides, (0, MAX_TOTAL)))
    for day in purchase_days(journal):
        bounds = {"count": (0, MAX_TOTAL), "sold": (-MAX_TOTAL, MAX_TOTAL)}
        yield _move(day, {"count": day.count, "sold": day.sold}, bounds)


def _move(
    row: Figure, amounts: Mapping[str, Money | int], bounds: Mapping[str, tuple[int, int]]
) -> Move:
    zeros = {
        name: Money.from_minor(0, value.unit) if isinstance(value, Money) else 0
        for name, value in amounts.items()
    }
    added = {
        name: value.minor if isinstance(value, Money) else value for name, value in amounts.items()
    }
    return Move(attrs.evolve(row, **zeros), added, bounds, row.latest)  # type: ignore[arg-type]  # each has these
