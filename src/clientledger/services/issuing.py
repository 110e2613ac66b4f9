"""Issuing: the one way in which every document is recorded, and what settles it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import CREDIT_LIMIT, PAYMENT_TERMS, Agreement
from clientledger.domain.entries import (
    CREDIT,
    DEBIT,
    Allocation,
    Entry,
    EntryLine,
    Instalment,
    read_instalments,
)
from clientledger.domain.journal import new_items
from clientledger.domain.money import MAX_TOTAL, Currency, Money
from clientledger.domain.recording import check_limit
from clientledger.domain.settling import Link, Room, settle
from clientledger.domain.terms import PaymentTerms, read_terms
from clientledger.domain.text import check_flag, check_text
from clientledger.errors import (
    CreditLimitExceeded,
    InvalidValue,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)
from clientledger.ports import AgreementQuery, BalanceQuery
from clientledger.services.documents import (
    check_agreements,
    draft,
    entry_of,
    live_entry,
    read_amount,
    read_total,
    write,
)
from clientledger.services.links import (
    items_of,
    link_up,
    open_rooms,
    over_allocated,
    rooms,
    told_links,
)
from clientledger.services.work import Work

__all__ = ["SIDES", "Paper", "read_content", "read_sign", "record"]

SIDES: Mapping[str, str] = {
    "sale": DEBIT,
    "payment": CREDIT,
    "credit note": CREDIT,
    "refund": DEBIT,
    "write-off": CREDIT,
    "opening balance": DEBIT,
}
"""The side of each kind of document; an opening balance below zero is a credit."""

_LINED = ("sale", "credit note")
_REASON = 1000


@attrs.frozen(kw_only=True)
class Paper:
    """What is told of a document that is to be recorded; what a kind has not stays empty.

    Attributes:
        content: lines, or an amount.
        sale: of a credit note, the sale that it is for.
        allocate: None for the rule of the kind, else amounts by target.
    """

    kind: str
    client: Any
    content: Any
    currency: str | Currency | None = None
    on: date | None = None
    due: date | None = None
    instalments: Any = None
    terms: Any = None
    number: str | None = None
    method: str = ""
    reason: str = ""
    sale: Any = None
    allocate: Any = None
    use_prepayments: bool | None = None
    agreements: tuple[UUID, ...] = ()
    external_ids: Mapping[str, str] | None = None


def record(
    work: Work, paper: Paper, replaces: Entry | None = None, moved: Sequence[Allocation] = ()
) -> tuple[Entry, list[Link]]:
    """Record a document, and settle what it settles by the rule of its kind.

    Args:
        replaces: the voided document for which this one stands.
        moved: the allocations of that one, with what held of each: they come first, as far as
            they fit; what the correction adds follows the rule.

    Returns:
        the document, and its allocations as planned.
    """
    owner = work.client(paper.client)
    new_sale = paper.kind == "sale" and replaces is None
    head = work.open_head(owner) if new_sale else work.head(owner.id)
    amount, lines, side = read_content(work, paper)
    if side == CREDIT and paper.due is not None:
        raise InvalidValue(
            "a prepayment falls due on no day", field="due", value=paper.due, remedy="leave it out"
        )
    day = work.day(paper.on, "on")
    id = work.new_id()
    agreed = _agreed(work, owner.id, day) if paper.kind == "sale" else []
    terms, source = _terms(paper, agreed)
    under = (*check_agreements(work, paper.agreements, owner.id), *source)
    parts = () if side == CREDIT else _instalments(work, paper, terms, amount, day, id)
    entry = draft(
        work,
        head,
        paper.kind,
        side,
        amount,
        day,
        id=id,
        number=paper.number,
        external_ids=paper.external_ids,
        lines=lines,
        instalments=parts,
        method=check_text(paper.method, "method"),
        reason=_reason(paper),
        sale=_sale(work, paper, owner.id, amount, replaces),
        agreements=tuple(dict.fromkeys(under)),
        replaces=None if replaces is None else replaces.id,
    )
    _limit(work, entry, agreed)
    write(work, entry)
    links = _settle(work, entry, paper, replaces, moved)
    link_up(work, links, head)
    return entry, links


def read_content(work: Work, paper: Paper) -> tuple[Money, tuple[EntryLine, ...], str]:
    """What a document is over, its lines, and its side."""
    side = SIDES[paper.kind]
    if paper.kind in _LINED:
        return *read_total(work, paper.content, paper.currency), side
    below, told = read_sign(paper.kind, paper.content)
    return read_amount(work, told, paper.currency), (), CREDIT if below else side


def read_sign(kind: str, told: Any) -> tuple[bool, Any]:
    """Whether an opening balance is below zero, and its amount without the sign."""
    if kind == "opening balance":
        match told:
            case Money() if told.minor < 0:
                return True, -told
            case Decimal() if told.is_finite() and told < 0:
                return True, told.copy_abs()
            case int() if told < 0:
                return True, -told
            case str() if told.startswith("-") and told[1:2] not in ("-", "+"):
                return True, told[1:]
    return False, told


def _reason(paper: Paper) -> str:
    needed = paper.kind in ("credit note", "write-off")
    return check_text(paper.reason, "reason", most=_REASON, empty=not needed, lines=True)


def _sale(
    work: Work, paper: Paper, client: UUID, amount: Money, replaces: Entry | None
) -> UUID | None:
    """The sale that a credit note is for; a correction may keep one that is voided by now."""
    if paper.sale is None:
        return None
    if replaces is not None and paper.sale == replaces.sale:
        return replaces.sale
    sale = live_entry(work, paper.sale, "sale")
    if sale.kind != "sale":
        raise WrongDirection(
            f"a {sale.kind} is no sale", field="sale", value=sale.id, remedy="name a sale"
        )
    if sale.client != client:
        raise WrongClient(
            "a sale of another client", field="sale", value=sale.id, remedy="name one of its own"
        )
    if sale.amount.unit != amount.unit:
        raise WrongCurrency(
            f"a sale in {sale.currency}",
            field="sale",
            value=sale.id,
            remedy=f"give the credit note in {sale.currency}",
        )
    return sale.id


def _agreed(work: Work, client: UUID, day: date) -> list[Agreement]:
    """What holds with a client on a day, the newest first."""
    return work.unit.find(AgreementQuery(client=client, valid_on=day))


def _terms(
    paper: Paper, agreed: Sequence[Agreement]
) -> tuple[PaymentTerms | None, tuple[UUID, ...]]:
    """The payment terms of a document, and the agreement that they are of."""
    told = [name for name in ("due", "instalments", "terms") if getattr(paper, name) is not None]
    if len(told) > 1:
        raise InvalidValue(
            f"given beside {told[1]}",
            field=told[0],
            value=getattr(paper, told[0]),
            remedy="give due, instalments or terms, and only one of them",
        )
    if paper.terms is not None:
        return read_terms(paper.terms), ()
    newest = next((one for one in agreed if one.kind == PAYMENT_TERMS), None)
    if told or newest is None:
        return None, ()
    return read_terms(newest.terms), (newest.id,)


def _instalments(
    work: Work, paper: Paper, terms: PaymentTerms | None, amount: Money, day: date, id: UUID
) -> tuple[Instalment, ...]:
    """When a debit falls due."""
    parts = paper.instalments
    if terms is not None:
        parts = terms.schedule(amount, day, work.settings.rounding)
    known = work.settings.known
    return read_instalments(amount, day, due=paper.due, instalments=parts, entry=id, known=known)


def _limit(work: Work, sale: Entry, agreed: Sequence[Agreement]) -> None:
    """Refuse a sale above the client's credit limit, or tell of it, as the settings say."""
    limits = (one.amount for one in agreed if one.kind == CREDIT_LIMIT)
    limit = next((one for one in limits if one is not None and one.unit == sale.amount.unit), None)
    if limit is None:
        return
    query = BalanceQuery(client=sale.client, currency=sale.currency)
    try:
        check_limit(next(iter(work.unit.find(query)), None), sale, limit)
    except CreditLimitExceeded as exceeded:
        if work.settings.credit_limit == "refuse":
            raise
        data = {"sale": str(sale.id), "limit": str(limit), "said": exceeded.message}
        work.tell("client.credit_limit_exceeded", sale.client, client=sale.client, data=data)


def _settle(
    work: Work, entry: Entry, paper: Paper, replaces: Entry | None, moved: Sequence[Allocation]
) -> list[Link]:
    """The allocations of a fresh document: those it takes over, then as told, or by its rule."""
    own = [Room(item) for item in new_items(entry)]
    links: list[Link] = []
    for one in moved if replaces is not None and _alike(entry, replaces) else ():
        links += _moved(work, entry, own, one, links)
    if paper.allocate is not None:
        links += told_links(work, own, paper.allocate, given=links)
    else:
        added = _added(entry, replaces, moved)
        credits_, debits = _sides(entry, own, _by_rule(work, entry, paper))
        links += settle(credits_, debits, most=max(0, added), given=links)
    uncovered = _uncovered(paper, replaces, moved)
    if paper.kind == "write-off" or (paper.kind == "refund" and paper.allocate is None):
        _check_whole(entry, links, uncovered)
    if paper.kind == "refund":
        kept = None if paper.allocate is not None else replaces
        _check_free(work, entry, kept, sum(one.live.minor for one in moved))
    return links


def _alike(entry: Entry, replaces: Entry) -> bool:
    """Whether a document can take over the allocations of the one that it stands for."""
    return (entry.side, entry.amount.unit) == (replaces.side, replaces.amount.unit)


def _added(entry: Entry, replaces: Entry | None, moved: Sequence[Allocation]) -> int:
    """How much of a document goes by the rule: of a correction, what it adds."""
    if replaces is None:
        return MAX_TOTAL
    if entry.kind == "write-off":
        return entry.amount.minor - sum(one.live.minor for one in moved)
    return entry.amount.minor - replaces.amount.minor


def _uncovered(paper: Paper, replaces: Entry | None, moved: Sequence[Allocation]) -> int:
    """What the corrected document was not against any more: its payment has bounced since."""
    if replaces is None or paper.allocate is not None or paper.kind == "write-off":
        return 0
    return replaces.amount.minor - sum(one.live.minor for one in moved)


def _moved(
    work: Work, entry: Entry, own: Sequence[Room], link: Allocation, given: Sequence[Link]
) -> list[Link]:
    """What fits of a former allocation: to the same instalment first, then to any."""
    id, number = (link.debit, link.instalment) if entry.side == CREDIT else (link.credit, 0)
    items = [i for i in items_of(work, entry_of(work, id)) if i.instalment == number]
    others = rooms(work, items, max(entry.on, link.on))
    same = [room for room in own if room.item.instalment == link.instalment]
    links: list[Link] = []
    for mine in (same, own):
        left = link.live.minor - sum(one.amount.minor for one in links)
        credits_, debits = _sides(entry, mine, others)
        links += settle(credits_, debits, most=left, on=link.on, given=[*given, *links])
    return links


def _sides(
    entry: Entry, own: Sequence[Room], others: Sequence[Room]
) -> tuple[Sequence[Room], Sequence[Room]]:
    return (own, others) if entry.side == CREDIT else (others, own)


def _by_rule(work: Work, entry: Entry, paper: Paper) -> list[Room]:
    """What a document settles without word."""
    match entry.kind:
        case "sale":
            use = paper.use_prepayments
            use = check_flag(
                work.settings.use_prepayments if use is None else use, "use_prepayments"
            )
            return open_rooms(work, entry, CREDIT) if use else []
        case "payment":
            return open_rooms(work, entry, DEBIT)
        case "credit note" if entry.sale is not None:
            return rooms(work, items_of(work, entry_of(work, entry.sale)), entry.on)
        case "refund" | "write-off":
            side = CREDIT if entry.side == DEBIT else DEBIT
            return [r for r in open_rooms(work, entry, side) if r.item.on <= entry.on]
    return []


def _check_free(work: Work, refund: Entry, replaces: Entry | None, covered: int) -> None:
    """Refuse a refund of more than is free on its day, whatever it is told to take.

    Args:
        replaces: the refund that it corrects: then only what it adds has to be free.
        covered: what that one was against, which is free again.

    Raises:
        OverAllocated: with the refunds that are open, it would be above the free credits.
    """
    before = 0 if replaces is None else replaces.amount.minor
    if refund.amount.minor <= before:
        return
    credits_ = [room for room in open_rooms(work, refund, CREDIT) if room.item.on <= refund.on]
    debits = open_rooms(work, refund, DEBIT)
    free = sum(room.from_day(refund.on) for room in credits_)
    free -= sum(room.item.open.minor for room in debits if room.item.kind == "refund")
    most = before + free - (covered if before else 0)
    if refund.amount.minor > most:
        raise over_allocated(refund.amount, max(0, most), "credit", refund.on, "amount")


def _check_whole(entry: Entry, links: Sequence[Link], uncovered: int) -> None:
    """Refuse a refund or a write-off that is not, on its own day, against what is open.

    Args:
        uncovered: what may stay open of a correction, because it was before.

    Raises:
        OverAllocated: a part of it would stay open.
    """
    linked = sum(link.amount.minor for link in links if link.on == entry.on)
    if linked < entry.amount.minor - uncovered:
        what = "credit" if entry.side == DEBIT else "debt"
        refused = over_allocated(entry.amount, linked, what, entry.on, "amount")
        refused.remedy = f"a {entry.kind} is wholly against what is open on {entry.on}"
        raise refused
