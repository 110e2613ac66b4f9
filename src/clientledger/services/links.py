"""Links: which amounts of which credits go to which debits, and what has become of them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.entries import CREDIT, Allocation, Entry, Instalment
from clientledger.domain.journal import Journal, OpenItem, movements
from clientledger.domain.money import Money, read_money
from clientledger.domain.posting import Head
from clientledger.domain.recording import (
    Link,
    Room,
    check_links,
    check_pair,
    link,
    link_day,
    unlink,
)
from clientledger.domain.time import check_id
from clientledger.errors import InvalidValue, OverAllocated
from clientledger.ports import (
    AllocationQuery,
    EntryQuery,
    OpenItemQuery,
    Reading,
    ReleaseQuery,
)
from clientledger.services.documents import kept, live_entry
from clientledger.services.work import Work

__all__ = [
    "Target",
    "Told",
    "document_id",
    "items_of",
    "kept_pairs",
    "link_up",
    "links_near",
    "links_of",
    "live_allocation",
    "open_rooms",
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


def items_of(work: Work, entry: Entry) -> list[OpenItem]:
    """The items of a recorded document, settled ones too."""
    query = OpenItemQuery(client=entry.client, entries=(entry.id,), open_only=False)
    return work.unit.find(query)


def told_links(
    work: Work,
    own: Room,
    told: Told,
    *,
    on: date | None = None,
    field: str = "allocate",
    amount_field: str = "allocate",
) -> list[Link]:
    """Turn amounts by target, as told, into links of one item; all of them, or none.

    An amount for a whole document is spread over its instalments, the earliest due first.

    Raises:
        InvalidValue, NotFound, Voided, WrongDirection, WrongClient, WrongCurrency, OverAllocated.
    """
    links: list[Link] = []
    for target, amount in _pairs(told, field):
        aim = live_entry(work, _entry_id(target), field)
        unit, known = own.item.amount.unit, work.settings.known
        wanted = read_money(amount, unit, field=amount_field, known=known)
        items = [item for item in items_of(work, aim) if _named(target, item)]
        left = wanted.minor
        for room in rooms(work, items, max(own.item.on, on or own.item.on)):
            pair = (own, room) if own.item.side == CREDIT else (room, own)
            check_pair(pair[0].item, pair[1].item)
            day = link_day(pair[0].item, pair[1].item, on)
            used = sum(
                one.amount.minor for one in links if room.item in (one.credit.item, one.debit.item)
            )
            minor = min(left, room.from_day(day) - used)
            if minor > 0:
                links.append(Link(*pair, Money.from_minor(minor, wanted.unit), day))
                left -= minor
        if left:
            open_ = Money.from_minor(wanted.minor - left, wanted.unit)
            raise OverAllocated(
                f"only {open_} of the {aim.kind} is open",
                field=amount_field,
                value=wanted,
                remedy="allocate no more than is open",
            )
    return check_links(links, amount_field)


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


def _named(target: object, item: OpenItem) -> bool:
    if isinstance(target, Instalment):
        return item.instalment == target.number
    return not isinstance(target, OpenItem) or item.instalment == target.instalment


def kept_pairs(told: Told) -> Any:
    """Amounts by target as told, kept for a repeat."""
    return told if isinstance(told, Mapping) else kept(told)


def document_id(ref: object, field: str) -> UUID:
    """The id of the document that a reference names; of an instalment or item, whose it is."""
    return check_id(ref.entry if isinstance(ref, Instalment | OpenItem) else ref, field)


def link_up(work: Work, links: list[Link], head: Head) -> list[Allocation]:
    """Write allocations."""
    posting = link(links, work.stamp(head))
    work.add(posting)
    made: list[Allocation] = list(posting.of(Allocation))
    for one in made:
        work.tell("allocation.made", one.id, client=one.client, at=one.recorded_at)
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


def release(work: Work, live: Allocation, amount: Money, on: date, head: Head) -> Allocation:
    """Write that an amount of an allocation is taken back, and return what holds of it."""
    query = OpenItemQuery(client=live.client, entries=(live.credit, live.debit), open_only=False)
    items = {item.key: item for item in work.unit.find(query)}
    credit, debit = items[live.credit, 0], items[live.debit, live.instalment]
    work.add(unlink(live, amount, credit, debit, on, work.stamp(head)))
    work.tell("allocation.released", live.id, client=live.client, at=work.stamp(head).at)
    return attrs.evolve(live, live=live.live - amount)
