"""Undoing: what a void takes with it."""

from collections.abc import Mapping, Sequence
from datetime import date

from clientledger.domain.entries import CREDIT, DEBIT, Allocation, Entry, Instalment, other_side
from clientledger.domain.journal import OpenItem, new_items
from clientledger.domain.money import Money
from clientledger.domain.recording import void
from clientledger.domain.seals import VOIDED
from clientledger.domain.settling import Link, Room
from clientledger.domain.text import check_text
from clientledger.errors import InvalidValue
from clientledger.services.documents import add_checked, draft, entry_of, write
from clientledger.services.links import link_up, links_near, links_of
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
    _check_write_offs(work, entry, links, day)
    undo = _void(work, entry, reason, day, links, external_ids)
    for other in _companions(work, entry, links):
        # What stands between the two has just ended.
        apart = [
            one for one in links_of(work, other) if entry.id not in (one[0].credit, one[0].debit)
        ]
        _check_write_offs(work, other, apart, day)
        _void(work, other, reason, max(day, other.on), apart)
        _take_all_back(work, other, apart, day, reason)
    if not keep_write_offs:
        _take_all_back(work, entry, links, day, reason)
    return undo, links


def _take_all_back(
    work: Work, entry: Entry, links: Sequence[Ended], day: date, reason: str
) -> None:
    for link, credit in written_off(entry, links):
        take_back(work, credit, link.live, max(day, link.on), reason)


def _check_write_offs(work: Work, entry: Entry, links: Sequence[Ended], day: date) -> None:
    """Refuse to void a debit before the day on which a write-off of it ended.

    Until that day the write-off would be free, which it never is.

    Raises:
        InvalidValue: too early a day.
    """
    own = [link for link, credit, _ in links if credit.kind == "write-off"]
    if entry.side == CREDIT or not own:
        return
    journal = links_near(work.unit, entry.client, (entry.id,))
    ends = [back.on for link in own for back in journal.backs.get(link.id, ())]
    ends += [journal.voids[link.credit].on for link in own if link.credit in journal.voids]
    if ends and day < max(ends):
        raise InvalidValue(
            f"a write-off of it ended on {max(ends)}",
            field="on",
            value=day,
            remedy=f"{max(ends)} or later",
        )


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
    work.tell(VOIDED, entry.id, client=entry.client, at=undo.recorded_at)
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
