"""What the base as a whole tells: who buys how much and how often, and who has gone quiet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from statistics import median
from uuid import UUID

import attrs

from clientledger.domain.accounts import Account
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.contact_points import Contact
from clientledger.domain.entries import Entry
from clientledger.domain.journal import OpenItem, PurchaseDay
from clientledger.domain.money import Currency, Money, exact
from clientledger.domain.pages import Page
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.timeline import TimelineItem

__all__ = [
    "BestClient",
    "Bought",
    "Card",
    "Debtor",
    "Dormant",
    "Purchases",
    "Rhythm",
    "bought",
    "dormant",
    "purchase_sums",
    "purchases",
    "rhythms",
    "usual_interval",
]


@attrs.frozen(kw_only=True)
class Bought:
    """What was bought of one thing: in how many sales, how much, for how much, and last when."""

    name: str
    sku: str
    count: int
    quantity: Decimal
    amount: Money
    last: date


@attrs.frozen(kw_only=True)
class Purchases:
    """What a client bought.

    Attributes:
        count: of live sales.
        totals: sold by currency: live sales less live credit notes.
        first, last: the days of the first and the last live sale, or None.
        usual_interval: median days between distinct purchase days, from three such days on.
        bought: the things bought, the one with the greatest amount first.
    """

    count: int
    totals: Mapping[str, Money]
    first: date | None
    last: date | None
    usual_interval: Fraction | None
    bought: tuple[Bought, ...] = ()


@attrs.frozen(kw_only=True)
class Debtor:
    """A client that owes something in one currency."""

    client: Client
    account: Account


@attrs.frozen(kw_only=True)
class BestClient:
    """What was sold to a client in one currency in a span, and in how many sales."""

    client: Client
    sold: Money
    count: int
    last: date

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.sold.currency


@attrs.frozen(kw_only=True)
class Dormant:
    """A client that has not bought for longer than asked for, or than is usual for it."""

    client: Client
    last: date
    days: int
    usual_interval: Fraction | None


@attrs.frozen(kw_only=True)
class Card:
    """All that is known of one client; each list is its first page.

    Attributes:
        client: names, phones, addresses and the rest.
        manager: the responsible member, or None.
        contacts: the contact persons.
        accounts: by currency code.
        open_items: what is open, by due date; free credits last.
        purchases: how much and how often, and what.
        agreements: those that hold on the day.
        timeline: newest first.
        tasks: open ones, by due date.
        as_of: the day the card is for.
    """

    client: Client
    manager: Member | None
    contacts: tuple[Contact, ...]
    accounts: Mapping[str, Account]
    open_items: Page[OpenItem]
    purchases: Purchases
    agreements: Page[Agreement]
    timeline: Page[TimelineItem]
    tasks: Page[Task]
    as_of: date


@attrs.frozen(kw_only=True)
class Rhythm:
    """When a client bought: the last day, and the usual interval between days."""

    client: UUID
    last: date
    usual_interval: Fraction | None


def usual_interval(days: Iterable[date]) -> Fraction | None:
    """The median number of days between distinct purchase days; None for fewer than three."""
    ordered = sorted(set(days))
    if len(ordered) < 3:
        return None
    gaps = [(after - before).days for before, after in pairwise(ordered)]
    return Fraction(median(map(Fraction, gaps)))


def rhythms(days: Iterable[PurchaseDay]) -> list[Rhythm]:
    """When each client bought, over all currencies."""
    found: dict[UUID, set[date]] = defaultdict(set)
    for row in days:
        if row.count:
            found[row.client].add(row.day)
    return [
        Rhythm(client=client, last=max(own), usual_interval=usual_interval(own))
        for client, own in found.items()
    ]


def purchases(days: Iterable[PurchaseDay], things: tuple[Bought, ...] = ()) -> Purchases:
    """Sum up the purchase days of one client."""
    rows = list(days)
    totals: dict[Currency, int] = defaultdict(int)
    for row in rows:
        totals[row.sold.unit] += row.sold.minor
    bought_on = [row.day for row in rows if row.count]
    return Purchases(
        count=sum(row.count for row in rows),
        totals={
            unit.code: Money.from_minor(minor, unit)
            for unit, minor in sorted(totals.items(), key=lambda pair: pair[0].code)
        },
        first=min(bought_on, default=None),
        last=max(bought_on, default=None),
        usual_interval=usual_interval(bought_on),
        bought=things,
    )


def bought(papers: Iterable[Entry]) -> tuple[Bought, ...]:
    """Sum up the lines of live sales by article and currency, the greatest amount first.

    The lines of live credit notes are taken off.
    """
    found: dict[tuple[str, str, Currency], list[Entry]] = defaultdict(list)
    quantities: dict[tuple[str, str, Currency], Decimal] = defaultdict(Decimal)
    amounts: dict[tuple[str, str, Currency], int] = defaultdict(int)
    for paper in papers:
        sign = 1 if paper.kind == "sale" else -1
        for line in paper.lines:
            key = (line.sku, line.name, line.total.unit)
            found[key].append(paper)
            signed = line.quantity if sign > 0 else line.quantity.copy_negate()
            quantities[key] = exact.add(quantities[key], signed)
            amounts[key] += sign * line.total.minor
    rows = [
        Bought(
            name=name,
            sku=sku,
            count=len({paper.id for paper in own if paper.kind == "sale"}),
            quantity=quantities[sku, name, unit],
            amount=Money.from_minor(amounts[sku, name, unit], unit),
            last=max((paper.on for paper in own if paper.kind == "sale"), default=own[0].on),
        )
        for (sku, name, unit), own in found.items()
    ]
    return tuple(sorted(rows, key=lambda r: (r.amount.currency, -r.amount.minor, r.name, r.sku)))


def purchase_sums(days: Iterable[PurchaseDay]) -> list[tuple[UUID, Money, int, date]]:
    """Sum up purchase days by client and currency: sold, how many sales, the last day."""
    found: dict[tuple[UUID, Currency], list[PurchaseDay]] = defaultdict(list)
    for row in days:
        found[row.client, row.sold.unit].append(row)
    sums = [
        (
            client,
            Money.from_minor(sum(row.sold.minor for row in own), unit),
            sum(row.count for row in own),
            max((row.day for row in own if row.count), default=date.min),
        )
        for (client, unit), own in found.items()
    ]
    return [row for row in sums if row[2]]


def dormant(
    found: Iterable[Rhythm], as_of: date, *, days: int | None, factor: Decimal
) -> list[tuple[Rhythm, int]]:
    """Who has gone quiet, the longest silence first.

    With `days`: who has bought nothing for that many days or more. Without: whose silence is above
    `factor` times its own usual interval; who has none is not called quiet.
    """
    quiet = []
    for rhythm in found:
        silent = (as_of - rhythm.last).days
        if days is not None:
            gone = silent >= days
        else:
            usual = rhythm.usual_interval
            gone = usual is not None and silent > Fraction(factor) * usual
        if gone:
            quiet.append((rhythm, silent))
    return sorted(quiet, key=lambda pair: (-pair[1], pair[0].client))
