"""Where a figure comes from: the documents and allocations that it is made of."""

from collections.abc import Iterable
from datetime import date

import attrs

from clientledger.domain.accounts import Account, AgeingRow, Bucket, age_from
from clientledger.domain.entries import DEBIT, Allocation, Entry
from clientledger.domain.journal import Journal, OpenItem, Origin, open_items
from clientledger.domain.money import Money
from clientledger.errors import InvalidValue

__all__ = ["Explanation", "Part", "explain", "origin_of"]


@attrs.frozen(kw_only=True)
class Part:
    """A document or an allocation, and what it adds to a figure (or takes off it)."""

    fact: Entry | Allocation
    amount: Money


@attrs.frozen(kw_only=True)
class Explanation:
    """A figure, and what makes it up.

    Attributes:
        amount: the figure.
        parts: they add up to the amount. Of a balance, the documents; of an open item, its
            document less what is allocated; of an ageing bucket, those of all its items.
        items: of a balance and of a bucket, the explanation of each open item in it: the debits
            less the credits make up a balance, the debits a bucket.
        item: of an open item, the item.
    """

    amount: Money
    parts: tuple[Part, ...]
    items: tuple["Explanation", ...] = ()
    item: OpenItem | None = None


def explain(figure: Account | AgeingRow | Bucket | OpenItem, journal: Journal) -> Explanation:
    """Say what makes up a figure, from all facts of its client.

    Of an account and of a row of the ageing, that is the balance.

    Raises:
        InvalidValue: not a figure that can be explained, or one that no book has made.
    """
    origin = origin_of(figure)
    journal = journal.at(origin.as_of, origin.known_at)
    if isinstance(figure, OpenItem):
        found = [item for item in open_items(journal) if item.key == figure.key]
        if found:
            return _of_item(found[0], journal)
        raise InvalidValue(
            "its document did not count on that day",
            field="figure",
            value=figure.entry,
            remedy="ask for a later day",
        )
    items = [
        item
        for item in open_items(journal)
        if item.open and item.client == origin.client and item.currency == origin.currency
    ]
    if isinstance(figure, Bucket):
        return _of_bucket(figure, items, origin, journal)
    entries = sorted(
        (e for e in journal.entries if e.client == origin.client and e.currency == origin.currency),
        key=lambda e: (e.on, e.sequence),
    )
    parts = tuple(
        Part(fact=e, amount=Money.from_minor(e.signed, figure.owed.unit)) for e in entries
    )
    return Explanation(
        amount=figure.balance,
        parts=parts,
        items=tuple(_of_item(item, journal) for item in items),
    )


def origin_of(figure: object) -> Origin:
    """What a figure is of; of an item that no list gave, everything recorded.

    Raises:
        InvalidValue: not a figure that can be explained, or one that no book has made.
    """
    origin = None
    match figure:
        case Account() | Bucket() | OpenItem():
            origin = figure.origin
        case AgeingRow() if figure.buckets:
            origin = figure.buckets[0].origin
    if isinstance(figure, OpenItem) and origin is None:
        origin = Origin(client=figure.client, currency=figure.currency, as_of=date.max)
    if origin is None:
        raise InvalidValue(
            "not a figure that can be explained",
            field="figure",
            value=figure,
            remedy="give an account, a bucket or row of the ageing, or an open item of a book",
        )
    return origin


def _of_bucket(
    bucket: Bucket, items: Iterable[OpenItem], origin: Origin, journal: Journal
) -> Explanation:
    def within(item: OpenItem) -> bool:
        days = (origin.as_of - age_from(item, origin.by)).days
        low, high = bucket.min_days, bucket.max_days
        return (low is None or days >= low) and (high is None or days <= high)

    own = tuple(_of_item(item, journal) for item in items if item.side == DEBIT and within(item))
    return Explanation(
        amount=bucket.amount, parts=tuple(part for one in own for part in one.parts), items=own
    )


def _of_item(item: OpenItem, journal: Journal) -> Explanation:
    """The document's part, less what is allocated, and less its void."""
    entry = next(entry for entry in journal.entries if entry.id == item.entry)
    parts = [Part(fact=entry, amount=item.amount)]
    for link in journal.allocations:
        if item.key in ((link.credit, 0), (link.debit, link.instalment)):
            live = journal.live(link)
            if live.live:
                parts.append(Part(fact=live, amount=-live.live))
    void = journal.voids.get(entry.id)
    if void is not None:
        parts.append(Part(fact=void, amount=-item.amount))
    return Explanation(amount=item.open, parts=tuple(parts), item=item)
