"""Links: which amounts of which credits go to which debits, and what has become of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from clientledger.domain.entries import CREDIT, Allocation, Entry, Instalment, Release
from clientledger.domain.journal import Journal, OpenItem, movements
from clientledger.domain.money import Money, read_money
from clientledger.domain.posting import Head
from clientledger.domain.recording import link, unlink
from clientledger.domain.seals import ALLOCATED, RELEASED
from clientledger.domain.settling import Link, Room, check_pair, settle
from clientledger.domain.time import check_id
from clientledger.errors import InvalidValue, OverAllocated
from clientledger.ports import (
    AllocationQuery,
    EntryQuery,
    OpenItemQuery,
    Reading,
    ReleaseQuery,
)
from clientledger.services.documents import add_checked, kept, live_entry
from clientledger.services.work import Work

__all__ = [
    "Target",
    "Told",
    "document_id",
    "instalment_of",
    "is_named",
    "items_of",
    "journal_of",
    "kept_pairs",
    "link_up",
    "links_near",
    "links_of",
    "live_allocation",
    "open_rooms",
    "over_allocated",
    "release",
    "rooms",
    "told_links",
]

Target = Entry | Instalment | OpenItem | UUID | str
"""What an amount is allocated to: a document, or one instalment of it."""

Told = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""Amounts by target: a mapping, or pairs."""


def rooms(work: Work, items: Iterable[OpenItem], since: date) -> list[Room]:
    """Items of one client with what moved them, read where something happened after a day."""
    found = list(items)
    later = tuple({item.entry for item in found if item.latest > max(since, item.on)})
    moved = movements(links_near(work.unit, found[0].client, later)) if later else {}
    return [Room(item, tuple(moved.get(item.key, ()))) for item in found]


def open_rooms(work: Work, entry: Entry, side: str) -> list[Room]:
    """The open items of one side of a document's account, with what moved them since its date."""
    query = OpenItemQuery(client=entry.client, currency=entry.currency, side=side)
    return rooms(work, work.unit.find(query), entry.on)


def links_near(reading: Reading, client: UUID, entries: tuple[UUID, ...]) -> Journal:
    """The allocations that touch some documents, their releases, and the voids that ended them."""
    links = tuple(reading.find(AllocationQuery(client=client, touching=entries)))
    backs = tuple(reading.find(ReleaseQuery(client=client, touching=entries)))
    ends = tuple({id for link in links for id in (link.credit, link.debit)})
    voids = tuple(reading.find(EntryQuery(client=client, undoes=ends))) if ends else ()
    return Journal(voids, links, backs)


def journal_of(reading: Reading, client: UUID) -> Journal:
    """All facts of the ledger of one client."""
    return Journal(
        tuple(reading.find(EntryQuery(client=client))),
        tuple(reading.find(AllocationQuery(client=client))),
        tuple(reading.find(ReleaseQuery(client=client))),
    )


def items_of(work: Work, entry: Entry) -> list[OpenItem]:
    """The items of a recorded document, settled ones too."""
    query = OpenItemQuery(client=entry.client, entries=(entry.id,), open_only=False)
    return work.unit.find(query)


def told_links(
    work: Work,
    own: Sequence[Room],
    told: Told,
    *,
    on: date | None = None,
    given: Sequence[Link] = (),
    field: str = "allocate",
    amount_field: str = "allocate",
) -> list[Link]:
    """Turn amounts by target, as told, into links of one document; all of them, or none.

    An amount for a whole document is spread over its instalments, the earliest due first.

    Args:
        own: the items of the document.
        given: links that have been planned before.

    Raises:
        InvalidValue, NotFound, Voided, WrongDirection, WrongClient, WrongCurrency, OverAllocated.
    """
    first = own[0].item
    links: list[Link] = []
    for target, amount in _pairs(told, field):
        aim = live_entry(work, _entry_id(target), field)
        known = work.settings.known
        wanted = read_money(amount, first.amount.unit, field=amount_field, known=known)
        items = [item for item in items_of(work, aim) if is_named(target, item)]
        others = rooms(work, items, max(first.on, on or first.on))
        credits_, debits = (own, others) if first.side == CREDIT else (others, own)
        for room in others:
            pair = (own[0], room) if first.side == CREDIT else (room, own[0])
            check_pair(pair[0].item, pair[1].item, room.item)
        before = [*given, *links]
        part = settle(credits_, debits, most=wanted.minor, on=on, given=before)
        linked = sum(one.amount.minor for one in part)
        if linked < wanted.minor:
            short = min((others, own), key=lambda side: _left(side, [*before, *part]))
            kind = short[0].item.kind if short else aim.kind
            day = max([first.on, on or first.on, *(room.item.on for room in others)])
            raise over_allocated(wanted, linked, kind, day, amount_field)
        links += part
    return links


def _left(side: Sequence[Room], planned: Sequence[Link]) -> int:
    keys = {room.item.key for room in side}
    used = (one.amount.minor for one in planned if {one.credit.item.key, one.debit.item.key} & keys)
    return sum(room.item.open.minor for room in side) - sum(used)


def over_allocated(wanted: Money, linked: int, kind: str, day: date, field: str) -> OverAllocated:
    """What is told where less is open than is wanted, on a day or on any later one."""
    return OverAllocated(
        f"only {Money.from_minor(linked, wanted.unit)} of the {kind} is open from {day} on",
        field=field,
        value=wanted,
        remedy="allocate no more than is open",
    )


def _pairs(told: Told, field: str) -> list[tuple[Any, Any]]:
    given = told.items() if isinstance(told, Mapping) else told
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in listed):
        raise InvalidValue(
            "not amounts by target", field=field, value=told, remedy='give {sale: "10.00"} or pairs'
        )
    return [(pair[0], pair[1]) for pair in listed if pair is not None]


def _entry_id(target: object) -> object:
    if isinstance(target, Instalment | OpenItem):
        return target.entry
    return target


def instalment_of(target: object) -> int | None:
    """The number of the instalment that a target names, or None for the whole document."""
    if isinstance(target, Instalment):
        return target.number
    return target.instalment if isinstance(target, OpenItem) else None


def is_named(target: object, item: OpenItem) -> bool:
    """Whether a target names an item of its document."""
    return instalment_of(target) in (None, item.instalment)


def kept_pairs(told: Told) -> Any:
    """Amounts by target as told, kept for a repeat."""
    return told if isinstance(told, Mapping) else kept(told)


def document_id(ref: object, field: str) -> UUID:
    """The id of the document that a reference names; of an instalment or item, whose it is."""
    return check_id(ref.entry if isinstance(ref, Instalment | OpenItem) else ref, field)


def link_up(work: Work, links: Sequence[Link], head: Head) -> list[Allocation]:
    """Write allocations.

    Raises:
        PeriodClosed: one would count from a day in a closed period.
    """
    for planned in links:
        work.check_open(head, planned.on)
    posting = link(links, work.stamp(head))
    work.add(posting)
    made: list[Allocation] = list(posting.of(Allocation))
    for one in made:
        work.tell(ALLOCATED, one.id, client=one.client, at=one.recorded_at)
    return made


def links_of(work: Work, entry: Entry) -> list[tuple[Allocation, OpenItem, OpenItem]]:
    """The allocations that touch a document, with what holds of each, its credit and its debit."""
    journal = links_near(work.unit, entry.client, (entry.id,))
    ids = tuple({id for one in journal.allocations for id in (one.credit, one.debit)})
    query = OpenItemQuery(client=entry.client, entries=ids, open_only=False)
    items = {item.key: item for item in (work.unit.find(query) if ids else ())}
    return [
        (journal.live(one), items[one.credit, 0], items[one.debit, one.instalment])
        for one in journal.allocations
    ]


def live_allocation(reading: Reading, id: str) -> Allocation:
    """An allocation by id, with what still holds of it."""
    one = reading.get(Allocation, UUID(id))
    return links_near(reading, one.client, (one.credit,)).live(one)


def release(
    work: Work, live: Allocation, amount: Money, on: date, head: Head
) -> tuple[OpenItem, OpenItem]:
    """Write that an amount of an allocation is taken back; return its credit and its debit.

    Raises:
        PeriodClosed: dated in a closed period.
    """
    work.check_open(head, on)
    query = OpenItemQuery(client=live.client, entries=(live.credit, live.debit), open_only=False)
    items = {item.key: item for item in work.unit.find(query)}
    credit, debit = items[live.credit, 0], items[live.debit, live.instalment]
    posting = unlink(live, amount, credit, debit, on, work.stamp(head))
    add_checked(work, posting)
    [back] = posting.of(Release)
    told = {"release": str(back.id)}
    work.tell(RELEASED, live.id, client=live.client, data=told, at=back.recorded_at)
    return credit, debit
