"""Accounts: what a client owes and has prepaid in one currency, and by age."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import attrs

from clientledger.domain.clients import Client
from clientledger.domain.entries import DEBIT, Allocation, Entry, Instalment
from clientledger.domain.journal import Balance, Journal, OpenItem, Origin, open_items
from clientledger.domain.money import Currency, Money, total
from clientledger.errors import NotFound

__all__ = [
    "Account",
    "AgeingRow",
    "Bucket",
    "EntryState",
    "account_of",
    "accounts",
    "age_from",
    "ageing",
    "buckets",
    "by_currency",
    "entry_state",
    "summed",
]


@attrs.frozen(kw_only=True)
class Account:
    """A client in one currency.

    Attributes:
        owed: what is open of sales and other debits.
        prepaid: what is free of payments and other credits.
        overdue: the part of `owed` whose due date has passed.
        origin: what it is of, for `book.ledger.explain`.
    """

    owed: Money
    prepaid: Money
    overdue: Money
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def balance(self) -> Money:
        """What the client owes in all: owed less prepaid."""
        return self.owed - self.prepaid

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.owed.currency


@attrs.frozen(kw_only=True)
class Bucket:
    """An age class: from `min_days` to `max_days` past due, both included; None is without end."""

    min_days: int | None
    max_days: int | None
    amount: Money
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def label(self) -> str:
        """The class in words, such as "not due", "1-30" or "over 90"."""
        if self.min_days is None:
            return "not due" if self.max_days == 0 else f"up to {self.max_days}"
        if self.max_days is None:
            return f"over {self.min_days - 1}"
        return f"{self.min_days}-{self.max_days}"


@attrs.frozen(kw_only=True)
class AgeingRow:
    """What one client owes in one currency, by days past due.

    The buckets hold open debits and add up to `owed`; free credits stand apart as `prepaid`.
    """

    client: Client
    currency: str
    buckets: tuple[Bucket, ...]
    owed: Money
    prepaid: Money

    @property
    def balance(self) -> Money:
        """Owed less prepaid."""
        return self.owed - self.prepaid


@attrs.frozen(kw_only=True)
class EntryState:
    """A document and what has become of it.

    Attributes:
        status: of a debit "unpaid", "partly paid" or "paid"; of a credit "free" or "used"; or
            "voided".
        overdue: whether something of it is open after its due date.
        open: what is left of it.
        instalments: each instalment with what is open of it.
        allocations: those that touch it, with what still holds.
        voided_by: the void that undid it, or None.
        replaced_by: the correction that stands for it, or None.
    """

    entry: Entry
    status: str
    overdue: bool
    open: Money
    instalments: tuple[tuple[Instalment, Money], ...]
    allocations: tuple[Allocation, ...]
    voided_by: UUID | None = None
    replaced_by: UUID | None = None


def account_of(balance: Balance, overdue: int, origin: Origin | None = None) -> Account:
    """Make an account of a balance and the minor units that are overdue."""
    return Account(
        owed=balance.owed,
        prepaid=balance.prepaid,
        overdue=Money.from_minor(overdue, balance.unit),
        origin=origin,
    )


def accounts(
    found: Iterable[Balance],
    late: Iterable[OpenItem],
    as_of: date,
    known_at: datetime | None = None,
) -> dict[tuple[UUID, Currency], Account]:
    """Make the accounts of balances, and of the items that are open and due before a day."""
    overdue: dict[tuple[UUID, Currency], int] = {}
    for item in late:
        if item.overdue(as_of):
            key = (item.client, item.amount.unit)
            overdue[key] = overdue.get(key, 0) + item.open.minor
    return {
        (row.client, row.unit): account_of(
            row, overdue.get((row.client, row.unit), 0), _of(row, as_of, known_at)
        )
        for row in found
    }


def summed(found: Iterable[Account]) -> list[Account]:
    """Add up accounts of each currency, over all clients, by currency code."""
    sums: dict[Currency, Account] = {}
    for one in found:
        before = sums.get(one.owed.unit)
        sums[one.owed.unit] = (
            one
            if before is None
            else Account(
                owed=before.owed + one.owed,
                prepaid=before.prepaid + one.prepaid,
                overdue=before.overdue + one.overdue,
            )
        )
    return [sums[unit] for unit in sorted(sums, key=lambda unit: unit.code)]


def _of(row: Balance, as_of: date, known_at: datetime | None, by: str = "due") -> Origin:
    return Origin(client=row.client, currency=row.currency, as_of=as_of, known_at=known_at, by=by)


def ageing(
    items: Iterable[OpenItem],
    found: Iterable[Balance],
    as_of: date,
    bounds: Sequence[int],
    clients: Mapping[UUID, Client],
    by: str = "due",
    known_at: datetime | None = None,
) -> list[AgeingRow]:
    """Age what each client owes in each currency, as `buckets` does."""
    owed: dict[tuple[UUID, Currency], list[OpenItem]] = {}
    for item in items:
        owed.setdefault((item.client, item.amount.unit), []).append(item)
    return [
        AgeingRow(
            client=clients[row.client],
            currency=row.currency,
            buckets=buckets(
                owed.get((row.client, row.unit), ()),
                row.unit,
                bounds,
                _of(row, as_of, known_at, by),
            ),
            owed=row.owed,
            prepaid=row.prepaid,
        )
        for row in found
        if row.owed or row.prepaid
    ]


def buckets(
    items: Iterable[OpenItem], unit: Currency, bounds: Sequence[int], origin: Origin
) -> tuple[Bucket, ...]:
    """Age the open debits of one account; free credits are left alone.

    By days past due (`origin.by` is "due") or since the document's date ("date"). Bounds are
    inclusive last days: (0, 30, 60, 90) gives not due, 1-30, 31-60, 61-90, over 90.
    """
    sums = [0] * (len(bounds) + 1)
    for item in items:
        if item.side == DEBIT:
            days = (origin.as_of - age_from(item, origin.by)).days
            sums[bisect_left(bounds, days)] += item.open.minor
    lows = [None, *(bound + 1 for bound in bounds)]
    highs = [*bounds, None]
    return tuple(
        Bucket(min_days=low, max_days=high, amount=Money.from_minor(minor, unit), origin=origin)
        for low, high, minor in zip(lows, highs, sums, strict=True)
    )


def age_from(item: OpenItem, by: str) -> date:
    """The day from which an item ages: its due date (its own where it has none), or its own."""
    return item.due if by == "due" and item.due is not None else item.on


def entry_state(journal: Journal, id: UUID, as_of: date) -> EntryState:
    """Say what has become of a document, from the facts of its client.

    Raises:
        NotFound: the document is not among the facts.
    """
    entry = next((one for one in journal.entries if one.id == id), None)
    if entry is None:
        raise NotFound(
            "no such entry on that day",
            field="entry",
            value=id,
            remedy="ask as_of its date or a later day",
        )
    void = journal.voids.get(id)
    own = [item for item in open_items(journal) if item.entry == id]
    left = total((item.open for item in own), entry.amount.unit)
    replaced = next((one.id for one in journal.entries if one.replaces == id), None)
    return EntryState(
        entry=entry,
        status="voided" if void else _status(entry, left),
        overdue=any(item.overdue(as_of) for item in own),
        open=left,
        instalments=tuple(
            (part, item.open) for part, item in zip(entry.instalments, own, strict=False)
        ),
        allocations=tuple(
            journal.live(link) for link in journal.allocations if id in (link.credit, link.debit)
        ),
        voided_by=void.id if void else None,
        replaced_by=replaced,
    )


def _status(entry: Entry, left: Money) -> str:
    if entry.side == DEBIT:
        return "paid" if not left else "unpaid" if left == entry.amount else "partly paid"
    return "free" if left else "used"


def by_currency(found: Mapping[tuple[UUID, Currency], Account]) -> dict[str, Account]:
    """The accounts of one client by currency code."""
    return {unit.code: account for (_, unit), account in sorted(found.items(), key=_code)}


def _code(pair: tuple[tuple[UUID, Currency], Account]) -> str:
    return pair[0][1].code
