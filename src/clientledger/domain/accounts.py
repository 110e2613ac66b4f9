"""Accounts: what a client owes and has prepaid in one currency, by age, and between two days."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

import attrs

from clientledger.domain.clients import Client
from clientledger.domain.entries import DEBIT, Allocation, Entry, Instalment
from clientledger.domain.journal import Balance, Journal, OpenItem, open_items
from clientledger.domain.money import Currency, Money, total
from clientledger.errors import NotFound

__all__ = [
    "Account",
    "AgeingRow",
    "Bucket",
    "EntryState",
    "Statement",
    "StatementRow",
    "account_of",
    "accounts",
    "ageing",
    "by_currency",
    "entry_state",
    "statement",
]


@attrs.frozen(kw_only=True)
class Account:
    """A client in one currency.

    Attributes:
        owed: what is open of sales and other debits.
        prepaid: what is free of payments and other credits.
        overdue: the part of `owed` whose due date has passed.
    """

    owed: Money
    prepaid: Money
    overdue: Money

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


@attrs.frozen(kw_only=True)
class StatementRow:
    """An entry on a statement: debit or credit, and the balance after it."""

    entry: Entry
    debit: Money | None
    credit: Money | None
    balance: Money


@attrs.frozen(kw_only=True)
class Statement:
    """The account of a client between two days, both included.

    Attributes:
        opening: the balance before the first day.
        rows: the entries by date, then as recorded, each with the balance after it.
        closing: the balance at the end of the last day.
    """

    client: UUID
    currency: str
    since: date
    until: date
    opening: Money
    rows: tuple[StatementRow, ...]
    closing: Money


def account_of(balance: Balance, overdue: int) -> Account:
    """Make an account of a balance and the minor units that are overdue."""
    return Account(
        owed=balance.owed,
        prepaid=balance.prepaid,
        overdue=Money.from_minor(overdue, balance.unit),
    )


def accounts(
    found: Iterable[Balance], late: Iterable[OpenItem], as_of: date
) -> dict[tuple[UUID, Currency], Account]:
    """Make the accounts of balances, and of the items that are open and due before a day."""
    overdue: dict[tuple[UUID, Currency], int] = {}
    for item in late:
        if item.overdue(as_of):
            key = (item.client, item.amount.unit)
            overdue[key] = overdue.get(key, 0) + item.open.minor
    return {
        (row.client, row.unit): account_of(row, overdue.get((row.client, row.unit), 0))
        for row in found
    }


def ageing(
    items: Iterable[OpenItem],
    found: Iterable[Balance],
    as_of: date,
    bounds: Sequence[int],
    clients: Mapping[UUID, Client],
    by: str = "due",
) -> list[AgeingRow]:
    """Age open debits by days past due (`by="due"`) or since the document's date (`by="date"`).

    Bounds are inclusive last days: (0, 30, 60, 90) gives not due, 1-30, 31-60, 61-90, over 90.
    """
    sums: dict[tuple[UUID, Currency], list[int]] = {}
    for item in items:
        if item.side == DEBIT and item.open:
            start = item.due if by == "due" and item.due is not None else item.on
            days = (as_of - start).days
            place = next((n for n, bound in enumerate(bounds) if days <= bound), len(bounds))
            row = sums.setdefault((item.client, item.amount.unit), [0] * (len(bounds) + 1))
            row[place] += item.open.minor
    return [
        AgeingRow(
            client=clients[row.client],
            currency=row.currency,
            buckets=_buckets(sums.get((row.client, row.unit)), bounds, row.unit),
            owed=row.owed,
            prepaid=row.prepaid,
        )
        for row in found
        if row.owed or row.prepaid
    ]


def _buckets(sums: list[int] | None, bounds: Sequence[int], unit: Currency) -> tuple[Bucket, ...]:
    found = sums or [0] * (len(bounds) + 1)
    lows = [None, *(bound + 1 for bound in bounds)]
    highs = [*bounds, None]
    return tuple(
        Bucket(min_days=low, max_days=high, amount=Money.from_minor(minor, unit))
        for low, high, minor in zip(lows, highs, found, strict=True)
    )


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


def statement(
    entries: Iterable[Entry], client: UUID, unit: Currency, since: date, until: date
) -> Statement:
    """Make the statement of an account from all entries of a client in a currency."""
    counted = sorted(
        (one for one in entries if one.amount.unit == unit and one.on <= until),
        key=lambda one: (one.on, one.sequence),
    )
    running = sum(one.signed for one in counted if one.on < since)
    opening = Money.from_minor(running, unit)
    rows = []
    for one in counted:
        if one.on >= since:
            running += one.signed
            side = {"debit": None, "credit": None, one.side: one.amount}
            rows.append(StatementRow(entry=one, balance=Money.from_minor(running, unit), **side))
    return Statement(
        client=client,
        currency=unit.code,
        since=since,
        until=until,
        opening=opening,
        rows=tuple(rows),
        closing=Money.from_minor(running, unit),
    )


def by_currency(found: Mapping[tuple[UUID, Currency], Account]) -> dict[str, Account]:
    """The accounts of one client by currency code."""
    return {unit.code: account for (_, unit), account in sorted(found.items(), key=_code)}


def _code(pair: tuple[tuple[UUID, Currency], Account]) -> str:
    return pair[0][1].code
