"""Undoing: what a void takes with it."""

from collections.abc import Mapping, Sequence
from datetime import date

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Instalment, other_side
from clientledger.domain.journal import OpenItem, new_items
from clientledger.domain.money import Money
from clientledger.domain.recording import void
from clientledger.domain.settling import Link, Room
from clientledger.domain.text import check_text
from clientledger.services.documents import add_checked, draft, entry_of, write
from clientledger.services.links import link_up, links_of
from clientledger.services.work import Work

__all__ = ["Ended", "take_back", "void_entry", "written_off"]

Ended = tuple[Allocation, OpenItem, OpenItem]
"""An allocation with what held of it, its credit and its debit."""


def void_entry(
    work: Work,
    entry: Entry,
    reason: str,
    day: date,
    *,
    external_ids: Mapping[str, str] | None = None,
    keep_write_offs: bool = False,
) -> tuple[Entry, list[Ended]]:
    """Undo a live document, and all that goes with it.

    With half an exchange goes the other half, with a write-off what was taken back of it. A
    write-off is never free: what a void takes off one is taken back by a document of its own.

    Args:
        keep_write_offs: leave that to the caller.

    Returns:
        the void, and the allocations that it ended, with what held of each.
    """
    links = links_of(work, entry)
    undo = _void(work, entry, reason, day, links, external_ids)
    for other in _companions(work, entry, links):
        # What stands between the two has just ended.
        apart = [
            one for one in links_of(work, other) if entry.id not in (one[0].credit, one[0].debit)
        ]
        _void(work, other, reason, max(day, other.on), apart)
    if not keep_write_offs:
        for link, credit in written_off(entry, links):
            take_back(work, credit, link.live, max(day, link.on), reason)
    return undo, links


def written_off(entry: Entry, links: Sequence[Ended]) -> list[tuple[Allocation, OpenItem]]:
    """What write-offs had settled of a debit."""
    held = [] if entry.side == CREDIT else links
    return [(link, item) for link, item, _ in held if item.kind == "write-off" and link.live]


def _void(
    work: Work,
    entry: Entry,
    reason: str,
    day: date,
    links: Sequence[Ended],
    external_ids: Mapping[str, str] | None = None,
) -> Entry:
    undo = draft(
        work,
        work.head(entry.client),
        "void",
        other_side(entry.side),
        entry.amount,
        day,
        reason=check_text(reason, "reason", most=1000, empty=False, lines=True),
        undoes=entry.id,
        external_ids=external_ids,
    )
    work.free(entry.id)
    add_checked(work, void(entry, undo, links))
    work.tell("entry.voided", entry.id, client=entry.client, at=undo.recorded_at)
    return undo


def _companions(work: Work, entry: Entry, links: Sequence[Ended]) -> list[Entry]:
    """The documents that do not stand without another one."""
    if entry.kind == "exchange" and entry.pair is not None:
        return [entry_of(work, entry.pair)]
    if entry.kind == "write-off":
        backs = [debit for _, _, debit in links if debit.kind == "write-off"]
        return [entry_of(work, id) for id in dict.fromkeys(item.entry for item in backs)]
    return []


def take_back(work: Work, write_off: OpenItem, amount: Money, day: date, reason: str) -> Entry:
    """Take a part of a write-off back: a debit of that amount, which the part settles."""
    head = work.head(write_off.client)
    id = work.new_id()
    back = draft(
        work,
        head,
        "write-off",
        DEBIT,
        amount,
        day,
        id=id,
        instalments=(Instalment(day, amount, 1, id),),
        reason=reason,
        pair=write_off.entry,
    )
    write(work, back)
    link_up(work, [Link(Room(write_off), Room(new_items(back)[0]), amount, day)], head)
    return back
