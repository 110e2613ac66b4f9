"""The ledger's figures: documents, open items, accounts, statements, on any day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.accounts import (
    Account,
    AgeingRow,
    Bucket,
    EntryState,
    accounts,
    by_currency,
    entry_state,
)
from clientledger.domain.entries import DEBIT, ENTRY_KINDS, Entry
from clientledger.domain.explaining import Explanation, explain, origin_of
from clientledger.domain.journal import Journal, OpenItem, Origin
from clientledger.domain.money import Currency, Money, currency_of
from clientledger.domain.pages import Page
from clientledger.domain.statements import Statement, statement
from clientledger.domain.text import check_external_id, check_flag, check_text
from clientledger.domain.time import check_day, check_id
from clientledger.errors import InvalidValue
from clientledger.ports import (
    BalanceQuery,
    Claim,
    EntryQuery,
    OpenItemQuery,
)
from clientledger.services.desk import AtDesk
from clientledger.services.documents import EntryRef
from clientledger.services.links import journal_of, links_near
from clientledger.services.work import ClientRef, Glance, external_space

__all__ = ["Accounts", "accounts_of", "with_origin"]


@attrs.frozen
class Accounts(AtDesk):
    """What can be read of the ledger."""

    def get(self, entry: EntryRef) -> Entry:
        """Return a document by id.

        Raises:
            NotFound: no such entry.
        """
        with self._desk.glance() as glance:
            return glance.reading.get(Entry, check_id(entry, "entry"))

    def find(
        self,
        *,
        number: str | None = None,
        external_id: tuple[str, str] | None = None,
        client: ClientRef | None = None,
        kind: str | None = None,
        currency: str | None = None,
        since: date | None = None,
        until: date | None = None,
        voided: bool = False,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Entry]:
        """Find documents, by business date, then as recorded.

        Args:
            external_id: a pair of source and id.
            since, until: business dates, both included.
            voided: whether voided documents, and the voids themselves, are shown too.
        """
        with self._desk.glance() as glance:
            query = EntryQuery(
                ids=None if external_id is None else _held_by(glance, external_id),
                client=None if client is None else glance.client(client).id,
                kind=None if kind is None else check_text(kind, "kind"),
                currency=_code(glance, currency),
                number=None if number is None else check_text(number, "number"),
                since=None if since is None else check_day(since, "since"),
                until=None if until is None else check_day(until, "until"),
            )
            if not check_flag(voided, "voided"):
                voids = glance.reading.find(EntryQuery(client=query.client, kind="void"))
                gone = {id for void in voids for id in (void.id, void.undoes) if id is not None}
                query = attrs.evolve(query, excluding=tuple(sorted(gone)))
            return glance.page(query, limit, after)

    def state(
        self, entry: EntryRef, *, as_of: date | None = None, known_at: datetime | None = None
    ) -> EntryState:
        """Say what has become of a document: paid, partly paid, voided, and by what.

        Raises:
            NotFound: no such entry, or not on that day.
        """
        with self._desk.glance() as glance:
            found = glance.reading.get(Entry, check_id(entry, "entry"))
            near = links_near(glance.reading, found.client, (found.id,))
            own = [
                *glance.reading.find(EntryQuery(client=found.client, undoes=(found.id,))),
                *glance.reading.find(EntryQuery(client=found.client, replaces=(found.id,))),
            ]
            others = {entry.id: entry for entry in (*near.entries, *own)}
            journal = Journal((found, *others.values()), near.allocations, near.releases)
            day = glance.day(as_of)
            return entry_state(journal.at(day, glance.moment(known_at)), found.id, day)

    def account(
        self,
        client: ClientRef,
        currency: str | Currency,
        *,
        as_of: date | None = None,
        known_at: datetime | None = None,
    ) -> Account:
        """What a client owes, has prepaid and is late with in one currency."""
        with self._desk.glance() as glance:
            unit = currency_of(currency, glance.settings.known)
            owner = glance.client(client).id
            day, moment = glance.day(as_of), glance.moment(known_at)
            found = accounts_of(glance, owner, day, moment)
            nothing = Money.from_minor(0, unit)
            origin = Origin(client=owner, currency=unit.code, as_of=day, known_at=moment)
            return found.get(unit.code) or Account(
                owed=nothing, prepaid=nothing, overdue=nothing, origin=origin
            )

    def accounts(
        self, client: ClientRef, *, as_of: date | None = None, known_at: datetime | None = None
    ) -> dict[str, Account]:
        """The accounts of a client by currency code; one for each currency it ever used."""
        with self._desk.glance() as glance:
            owner = glance.client(client).id
            return accounts_of(glance, owner, glance.day(as_of), glance.moment(known_at))

    def open_items(
        self,
        client: ClientRef | None = None,
        *,
        currency: str | None = None,
        overdue_only: bool = False,
        as_of: date | None = None,
        known_at: datetime | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[OpenItem]:
        """What is open, by due date; free credits, which have none, last.

        Args:
            overdue_only: only debits whose due date has passed.
        """
        with self._desk.glance() as glance:
            day = glance.day(as_of)
            late = check_flag(overdue_only, "overdue_only")
            query = OpenItemQuery(
                client=None if client is None else glance.client(client).id,
                currency=_code(glance, currency),
                side=DEBIT if late else None,
                due_before=day if late else None,
                as_of=day,
                known_at=glance.moment(known_at),
            )
            return with_origin(glance.page(query, limit, after), query)

    def explain(self, figure: Account | AgeingRow | Bucket | OpenItem) -> Explanation:
        """Say where a figure comes from: the documents and allocations that make it up.

        Args:
            figure: an account, a row or a bucket of the ageing, or an open item, as the book gave
                it: it is explained for the day and the moment that it was asked for.

        Returns:
            parts that add up to the figure. Of an account and a row of the ageing, it is the
            balance.

        Raises:
            InvalidValue: not such a figure.
        """
        origin = origin_of(figure)
        with self._desk.glance() as glance:
            return explain(figure, journal_of(glance.reading, origin.client))

    def statement(
        self,
        client: ClientRef,
        currency: str | Currency,
        since: date,
        until: date,
        *,
        known_at: datetime | None = None,
    ) -> Statement:
        """The account between two days, both included: opening, documents, closing, what is open.

        Ageing is by due date, in the buckets of the book's settings.

        Raises:
            InvalidValue: it ends before it begins.
        """
        with self._desk.glance() as glance:
            first, last = check_day(since, "since"), check_day(until, "until")
            if last < first:
                raise InvalidValue(
                    "ends before it begins", field="until", value=last, remedy=f"{first} or later"
                )
            unit = currency_of(currency, glance.settings.known)
            owner = glance.client(client)
            return statement(
                journal_of(glance.reading, owner.id),
                owner,
                unit,
                first,
                last,
                read_at=glance.now,
                known_at=glance.moment(known_at),
                bounds=glance.settings.ageing_bounds,
                company=glance.settings.company,
            )


def accounts_of(
    glance: Glance, client: UUID, day: date, known_at: datetime | None
) -> dict[str, Account]:
    """The accounts of a client by currency code, on a day."""
    rows = glance.reading.find(BalanceQuery(client=client, as_of=day, known_at=known_at))
    late = glance.reading.find(
        OpenItemQuery(client=client, side=DEBIT, due_before=day, as_of=day, known_at=known_at)
    )
    return by_currency(accounts(rows, late, day, known_at))


def with_origin(page: Page[OpenItem], query: OpenItemQuery) -> Page[OpenItem]:
    """Open items that know the day and the moment they were asked for."""
    return Page(
        tuple(
            attrs.evolve(
                item,
                origin=Origin(
                    client=item.client,
                    currency=item.currency,
                    as_of=query.as_of or item.latest,
                    known_at=query.known_at,
                ),
            )
            for item in page
        ),
        page.next,
    )


def _code(glance: Glance, currency: object) -> str | None:
    return None if currency is None else currency_of(currency, glance.settings.known).code


def _held_by(glance: Glance, external_id: tuple[str, str]) -> tuple[UUID, ...]:
    source, value = check_external_id(external_id)
    spaces = (external_space(kind, source) for kind in ENTRY_KINDS)
    claims = (glance.reading.lookup(Claim, (space, value)) for space in spaces)
    return tuple(UUID(claim.subject) for claim in claims if claim is not None)
