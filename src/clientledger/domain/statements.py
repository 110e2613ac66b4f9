"""Statements of account: what happened between two days, and what is open at the end."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import attrs

from clientledger.domain.accounts import Account, Bucket, accounts, buckets
from clientledger.domain.clients import Client
from clientledger.domain.entries import CREDIT, DEBIT, Entry
from clientledger.domain.journal import Journal, OpenItem, Origin, balances, open_items
from clientledger.domain.money import Currency, Money

__all__ = ["Statement", "StatementRow", "statement"]


@attrs.frozen(kw_only=True)
class StatementRow:
    """A document on a statement: debit or credit, and the balance after it.

    Attributes:
        about: the document that it undoes, is for, or goes with, where there is one: of a void what
            it undoes, of a credit note its sale, of an exchange the other half.
    """

    entry: Entry
    debit: Money | None
    credit: Money | None
    balance: Money
    about: Entry | None = None


@attrs.frozen(kw_only=True)
class Statement:
    """The account of a client between two days, both included.

    Attributes:
        opening: the balance before the first day.
        rows: the documents by date, then as recorded, each with the balance after it.
        closing: the balance at the end of the last day: what the client owes.
        account: owed, prepaid and overdue at the end of the last day.
        open_items: what is open then: debits by due date, then free credits.
        buckets: the open debits by days past due; they add up to `account.owed`.
        known_at: the moment it was read, or as known at which it was asked for.
        company: the name of our own side, from the book's settings.
    """

    client: Client
    currency: str
    since: date
    until: date
    opening: Money
    rows: tuple[StatementRow, ...]
    closing: Money
    account: Account
    open_items: tuple[OpenItem, ...]
    buckets: tuple[Bucket, ...]
    known_at: datetime
    company: str = ""

    @property
    def debits(self) -> Money:
        """What the rows add to the balance."""
        return self._turnover(DEBIT)

    @property
    def credits(self) -> Money:
        """What the rows take off the balance."""
        return self._turnover(CREDIT)

    def _turnover(self, side: str) -> Money:
        minor = sum(row.entry.amount.minor for row in self.rows if row.entry.side == side)
        return Money.from_minor(minor, self.opening.unit)


def statement(
    journal: Journal,
    client: Client,
    unit: Currency,
    since: date,
    until: date,
    *,
    read_at: datetime,
    known_at: datetime | None = None,
    bounds: Sequence[int] = (0, 30, 60, 90),
    company: str = "",
) -> Statement:
    """Make the statement of an account from all facts of its client.

    Args:
        read_at: the present moment, which the statement shows unless `known_at` is told.
        known_at: leave out what was recorded later.
    """
    known = journal.at(until, known_at)
    own = Journal(
        tuple(entry for entry in known.entries if entry.amount.unit == unit),
        known.allocations,
        known.releases,
    )
    origin = Origin(client=client.id, currency=unit.code, as_of=until, known_at=known_at)
    items = sorted(
        (attrs.evolve(item, origin=origin) for item in open_items(own) if item.open),
        key=lambda i: (i.due is None, i.due or i.on, i.on, i.sequence, i.instalment),
    )
    nothing = Money.from_minor(0, unit)
    account = accounts(balances(own), items, until, known_at).get((client.id, unit))
    opening, rows = _rows(own, known, since, nothing)
    return Statement(
        client=client,
        currency=unit.code,
        since=since,
        until=until,
        opening=opening,
        rows=rows,
        closing=rows[-1].balance if rows else opening,
        account=account or Account(owed=nothing, prepaid=nothing, overdue=nothing, origin=origin),
        open_items=tuple(items),
        buckets=buckets(items, unit, bounds, origin),
        known_at=known_at or read_at,
        company=company,
    )


def _rows(
    own: Journal, known: Journal, since: date, nothing: Money
) -> tuple[Money, tuple[StatementRow, ...]]:
    by_id = {entry.id: entry for entry in known.entries}
    running = nothing.minor
    opening, rows = nothing, []
    for entry in sorted(own.entries, key=lambda one: (one.on, one.sequence)):
        running += entry.signed
        balance = Money.from_minor(running, nothing.unit)
        if entry.on < since:
            opening = balance
            continue
        side = {"debit": None, "credit": None, entry.side: entry.amount}
        rows.append(StatementRow(entry=entry, balance=balance, about=_about(entry, by_id), **side))
    return opening, tuple(rows)


def _about(entry: Entry, by_id: dict[UUID, Entry]) -> Entry | None:
    named = entry.undoes or entry.sale or entry.pair or entry.replaces
    return None if named is None else by_id.get(named)
