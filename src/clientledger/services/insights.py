"""Insights: what the base as a whole tells."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.accounts import AgeingRow, accounts, ageing, summed
from clientledger.domain.clients import Client
from clientledger.domain.entries import DEBIT
from clientledger.domain.insights import (
    BestClient,
    Debtor,
    Dormant,
    Purchases,
    bought,
    dormant,
    purchase_sums,
    purchases,
    rhythms,
)
from clientledger.domain.journal import Journal
from clientledger.domain.money import Currency, Money, currency_of, read_decimal
from clientledger.domain.pages import Page, check_limit, no_cursor, page_of
from clientledger.domain.rates import ConvertedTotal, converted_total
from clientledger.domain.settings import read_bounds
from clientledger.domain.text import check_flag, choose
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue
from clientledger.ports import (
    BalanceQuery,
    ClientQuery,
    EntryQuery,
    OpenItemQuery,
    PurchaseDayQuery,
)
from clientledger.services.desk import Desk
from clientledger.services.work import ClientRef, Glance

__all__ = ["Insights", "purchases_of"]

T = TypeVar("T")


@attrs.frozen
class Insights:
    """What can be asked across clients."""

    _desk: Desk

    def debtors(
        self,
        *,
        currency: str | None = None,
        overdue_only: bool = False,
        as_of: date | None = None,
        known_at: datetime | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Debtor]:
        """Who owes us: by currency, then the most overdue, then the most owed.

        Args:
            currency: only in this one.
            overdue_only: only those who are late with something.
        """
        with self._desk.glance() as glance:
            day, moment = glance.day(as_of), glance.moment(known_at)
            unit = _known(glance, currency)
            late_only = check_flag(overdue_only, "overdue_only")
            owing = glance.reading.find(
                BalanceQuery(currency=unit, owing=True, as_of=day, known_at=moment)
            )
            late = glance.reading.find(
                OpenItemQuery(currency=unit, side=DEBIT, due_before=day, as_of=day, known_at=moment)
            )
            found = [
                (client, account)
                for (client, _), account in accounts(owing, late, day, moment).items()
                if account.overdue or not late_only
            ]
            ranked = _ranked(
                found,
                lambda row: (row[1].currency, -row[1].overdue.minor, -row[1].owed.minor, row[0]),
                limit,
                after,
            )
            names = _clients(glance, (client for client, _ in ranked))
            return _shown(ranked, lambda row: Debtor(client=names[row[0]], account=row[1]))

    def ageing(
        self,
        *,
        by: str = "due",
        bounds: Sequence[int] | None = None,
        currency: str | None = None,
        client: ClientRef | None = None,
        as_of: date | None = None,
        known_at: datetime | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[AgeingRow]:
        """What clients owe by days past due, by currency, then the most owed first.

        Free credits stand apart as prepaid.

        Args:
            by: "due" (each instalment's due date) or "date" (the document's).
            bounds: inclusive last days; the book's setting, (0, 30, 60, 90), by default.
        """
        with self._desk.glance() as glance:
            day, moment = glance.day(as_of), glance.moment(known_at)
            unit = _known(glance, currency)
            owner = None if client is None else glance.client(client).id
            limits = glance.settings.ageing_bounds if bounds is None else read_bounds(bounds)
            found = glance.reading.find(
                BalanceQuery(client=owner, currency=unit, as_of=day, known_at=moment)
            )
            items = glance.reading.find(
                OpenItemQuery(client=owner, currency=unit, side=DEBIT, as_of=day, known_at=moment)
            )
            named = _clients(glance, (row.client for row in found if row.owed or row.prepaid))
            choose(by, "by", ("due", "date"))
            rows = ageing(items, found, day, limits, named, by, moment)

            def rank(row: AgeingRow) -> tuple[str, int, UUID]:
                return row.currency, -row.owed.minor, row.client.id

            return _ranked(rows, rank, limit, after)

    def converted_total(
        self,
        currency: str | Currency,
        *,
        client: ClientRef | None = None,
        as_of: date | None = None,
        known_at: datetime | None = None,
    ) -> ConvertedTotal:
        """All balances, of one client or of all, as one amount of a currency.

        A plugin supplies the rates (hook `exchange_rate`). Each row shows its rate and the day of
        the rate; nothing is recorded, and no debt is changed.

        Raises:
            NotFound: no plugin knows a rate that is needed.
        """
        with self._desk.glance() as glance:
            day, moment = glance.day(as_of), glance.moment(known_at)
            into = currency_of(currency, glance.settings.known)
            owner = None if client is None else glance.client(client).id
            rows = glance.reading.find(BalanceQuery(client=owner, as_of=day, known_at=moment))
            late = glance.reading.find(
                OpenItemQuery(client=owner, side=DEBIT, due_before=day, as_of=day, known_at=moment)
            )
            sums = summed(accounts(rows, late, day, moment).values())
            found = [
                (one, None if one.owed.unit == into else self._desk.rate(one.owed.unit, into, day))
                for one in sums
            ]
            return converted_total(found, into, day, glance.settings.rounding)

    def purchases(
        self, client: ClientRef, *, as_of: date | None = None, known_at: datetime | None = None
    ) -> Purchases:
        """What a client bought: how much, how often, since when, and which things."""
        with self._desk.glance() as glance:
            owner = glance.client(client).id
            return purchases_of(glance, owner, glance.day(as_of), glance.moment(known_at))

    def best_clients(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        by: str = "sold",
        currency: str | None = None,
        known_at: datetime | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[BestClient]:
        """Who brings the most in a span, both days included; by currency, the greatest first.

        Args:
            until: today by default; it is also the day the figures are as of.
            by: "sold" (live sales less live credit notes) or "count" (of sales).
        """
        with self._desk.glance() as glance:
            last = glance.day(until, "until")
            query = PurchaseDayQuery(
                currency=_known(glance, currency),
                since=None if since is None else check_day(since, "since"),
                until=last,
                as_of=last,
                known_at=glance.moment(known_at),
            )
            choose(by, "by", ("sold", "count"))
            rows = purchase_sums(glance.reading.find(query))
            at = 1 if by == "sold" else 2

            def rank(row: tuple[UUID, Money, int, date]) -> tuple[str, int, UUID]:
                return row[1].currency, -(row[1].minor if at == 1 else row[2]), row[0]

            ranked = _ranked(rows, rank, limit, after)
            names = _clients(glance, (row[0] for row in ranked))
            return _shown(
                ranked,
                lambda row: BestClient(
                    client=names[row[0]], sold=row[1], count=row[2], last=row[3]
                ),
            )

    def dormant(
        self,
        *,
        days: int | None = None,
        factor: Decimal | int | str = 2,
        as_of: date | None = None,
        known_at: datetime | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Dormant]:
        """Who has gone quiet, the longest silence first; archived clients are left out.

        Args:
            days: who has bought nothing for that many days or more.
            factor: without `days`: whose silence is above `factor` times its own usual interval.
        """
        if days is not None and (type(days) is not int or days < 0):
            raise InvalidValue("not a number of days", field="days", value=days, remedy="0 or more")
        ratio = read_decimal(factor, "factor")
        if ratio <= 0:
            raise InvalidValue("not positive", field="factor", value=factor, remedy="such as 2")
        with self._desk.glance() as glance:
            day = glance.day(as_of)
            query = PurchaseDayQuery(as_of=day, known_at=glance.moment(known_at))
            quiet = dormant(rhythms(glance.reading.find(query)), day, days=days, factor=ratio)
            names = _clients(glance, (rhythm.client for rhythm, _ in quiet))
            rows = [
                Dormant(
                    client=names[rhythm.client],
                    last=rhythm.last,
                    days=silent,
                    usual_interval=rhythm.usual_interval,
                )
                for rhythm, silent in quiet
                if not names[rhythm.client].archived
            ]
            return _ranked(rows, lambda row: (-row.days, row.client.id), limit, after)


def purchases_of(
    glance: Glance, client: UUID, day: date, known_at: datetime | None = None
) -> Purchases:
    """What a client bought by a day, with the things bought."""
    days = glance.reading.find(PurchaseDayQuery(client=client, as_of=day, known_at=known_at))
    papers = [
        entry
        for kind in ("sale", "credit note", "void")
        for entry in glance.reading.find(EntryQuery(client=client, kind=kind, until=day))
    ]
    journal = Journal(tuple(papers)).at(day, known_at)
    live = [e for e in journal.entries if e.kind != "void" and e.id not in journal.voids]
    return purchases(days, bought(live))


def _known(glance: Glance, currency: str | None) -> str | None:
    return None if currency is None else currency_of(currency, glance.settings.known).code


def _clients(glance: Glance, ids: Iterable[UUID]) -> dict[UUID, Client]:
    wanted = tuple(dict.fromkeys(ids))
    found = glance.reading.find(ClientQuery(ids=wanted)) if wanted else []
    return {client.id: client for client in found}


def _ranked(
    rows: Iterable[T],
    rank: Callable[[T], tuple[Any, ...]],
    limit: int | None,
    after: tuple[Any, ...] | None,
) -> Page[T]:
    ordered = sorted(rows, key=rank)
    if after is not None:
        try:
            ordered = [row for row in ordered if rank(row) > after]
        except TypeError:
            raise no_cursor(after) from None
    check_limit(limit)
    return page_of(ordered, limit, rank)


def _shown(page: Page[Any], show: Callable[[Any], T]) -> Page[T]:
    return Page(tuple(show(row) for row in page), page.next)
