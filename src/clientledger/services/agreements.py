"""Agreements: what was promised to a client."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import CREDIT_LIMIT, PAYMENT_TERMS, Agreement
from clientledger.domain.interactions import Interaction
from clientledger.domain.money import Money, read_decimal, read_money
from clientledger.domain.pages import Page
from clientledger.domain.terms import read_terms
from clientledger.domain.text import check_text
from clientledger.domain.time import check_day, check_id
from clientledger.errors import InvalidValue, NotAllowed
from clientledger.ports import AgreementQuery
from clientledger.services.desk import Desk, made
from clientledger.services.work import ClientRef, Work

__all__ = ["Agreements"]

AgreementRef = Agreement | UUID | str


@attrs.frozen
class Agreements:
    """The agreements of a book."""

    _desk: Desk

    def promise(
        self,
        client: ClientRef,
        kind: str,
        text: str,
        *,
        percent: Decimal | int | str | None = None,
        amount: Money | Decimal | int | str | None = None,
        sku: str | None = None,
        terms: str | None = None,
        interaction: Interaction | UUID | str | None = None,
        by: str | None = None,
        valid_from: date | None = None,
        valid_until: date | None = None,
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Agreement:
        """Write down a promise: a discount, a price, payment terms, a credit limit or another.

        Args:
            percent: 0 to 100, such as "5".
            amount: a price or a limit; a "credit limit" needs one, and it may be zero.
            terms: such as "30 % now, rest in 30 days"; "payment terms" need them.
            interaction: the interaction out of which it came.
            by: the member who promised; the actor by default.
            valid_from: the first day; today by default.
            valid_until: the last day, included; None is without end.

        Raises:
            NotFound: no such client, interaction or member.
            ClientArchived: the client takes nothing new.
            InvalidValue: a field that can never be right.
        """

        def plan(work: Work) -> Agreement:
            owner = work.client(client)
            work.open_head(owner)
            id = work.new_id()
            since = work.day(valid_from, "valid_from")
            until = None if valid_until is None else check_day(valid_until, "valid_until")
            if until is not None and until < since:
                raise InvalidValue(
                    "ends before it begins",
                    field="valid_until",
                    value=until,
                    remedy=f"{since} or later",
                )
            what = check_text(kind, "kind", empty=False)
            agreement = Agreement(
                id=id,
                client=owner.id,
                kind=what,
                text=check_text(text, "text", most=1000, empty=False, lines=True),
                percent=None if percent is None else _percent(percent),
                amount=_amount(work, what, amount),
                sku=check_text(sku or "", "sku"),
                terms=_terms(what, terms),
                interaction=_interaction(work, interaction, owner.id),
                by=work.actor if by is None else work.active(by, "by"),
                valid_from=since,
                valid_until=until,
                recorded_at=work.now,
                external_ids=work.claim_external("agreement", external_ids, id),
            )
            work.insert(agreement, "agreement.promised", client=owner.id)
            return agreement

        arguments = {
            "client": check_id(client, "client"),
            "kind": kind,
            "text": text,
            "percent": percent,
            "amount": amount,
            "sku": sku,
            "terms": terms,
            "interaction": interaction,
            "by": by,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "external_ids": external_ids,
        }
        return self._desk.command(
            "agreements.promise", arguments, plan, key=key, again=made(Agreement)
        )

    def find(
        self,
        client: ClientRef,
        *,
        kind: str | None = None,
        valid_on: date | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Agreement]:
        """The agreements of a client, the newest first; `valid_on`: those that hold that day."""
        with self._desk.glance() as glance:
            query = AgreementQuery(
                client=glance.client(client).id,
                kind=None if kind is None else check_text(kind, "kind"),
                valid_on=None if valid_on is None else check_day(valid_on, "valid_on"),
            )
            return glance.page(query, limit, after)

    def withdraw(
        self, agreement: AgreementRef, *, reason: str, key: str | None = None
    ) -> Agreement:
        """End a promise: from today on it holds no more.

        Raises:
            NotFound: no such agreement.
            NotAllowed: it has been withdrawn.
        """
        id = check_id(agreement, "agreement")

        def plan(work: Work) -> Agreement:
            before = work.unit.get(Agreement, id)
            if before.withdrawn_on is not None:
                raise NotAllowed(
                    f"withdrawn on {before.withdrawn_on}",
                    field="agreement",
                    value=id,
                    remedy="promise anew",
                )
            after = attrs.evolve(
                before,
                withdrawn_on=work.today,
                withdrawn_because=check_text(reason, "reason", most=1000, empty=False, lines=True),
            )
            return work.change(before, after, "agreement.withdrawn", client=before.client)

        arguments = {"agreement": id, "reason": reason}
        return self._desk.command(
            "agreements.withdraw", arguments, plan, key=key, again=made(Agreement)
        )


def _amount(work: Work, kind: str, amount: object) -> Money | None:
    """A price or a limit; a limit needs one, and may be zero."""
    limit = kind == CREDIT_LIMIT
    if amount is None and not limit:
        return None
    known = work.settings.known
    return read_money(amount, _currency_of(amount, work), known=known, zero=limit)


def _terms(kind: str, terms: object) -> str:
    """Terms in words; those that the ledger acts on are read, so that they can be."""
    text = check_text(terms or "", "terms")
    return read_terms(text).text if kind == PAYMENT_TERMS else text


def _currency_of(amount: object, work: Work) -> str | None:
    if isinstance(amount, Money) or (isinstance(amount, str) and " " in amount):
        return None
    return work.settings.currency


def _percent(value: object) -> Decimal:
    percent = read_decimal(value, "percent")
    if not 0 <= percent <= 100:
        raise InvalidValue("not a percentage", field="percent", value=value, remedy="0 to 100")
    return percent


def _interaction(work: Work, ref: object, client: UUID) -> UUID | None:
    if ref is None:
        return None
    found = work.unit.get(Interaction, check_id(ref, "interaction"))
    if found.client != client:
        raise InvalidValue(
            "of another client",
            field="interaction",
            value=found.id,
            remedy="name one of this client",
        )
    return found.id
