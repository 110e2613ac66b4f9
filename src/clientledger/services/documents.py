"""Documents: reading what they are over, and writing them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from clientledger.domain.agreements import Agreement
from clientledger.domain.entries import Entry, EntryLine, read_lines
from clientledger.domain.journal import Balance, PurchaseDay
from clientledger.domain.money import MAX_MINOR, Money, currency_of, read_money
from clientledger.domain.posting import Claim, Figure, Head, Posting
from clientledger.domain.recording import check_totals, issue
from clientledger.domain.text import check_text
from clientledger.domain.time import check_id
from clientledger.errors import InvalidValue, NotFound, NumberTaken, Voided, WrongClient
from clientledger.ports import BalanceQuery, EntryQuery, PurchaseDayQuery
from clientledger.services.work import Work

__all__ = [
    "EntryRef",
    "add_checked",
    "check_agreements",
    "draft",
    "entry_of",
    "kept",
    "live_entry",
    "read_amount",
    "read_total",
    "write",
]

EntryRef = Entry | UUID | str
"""An entry, or its id as a UUID or as text."""


def entry_of(work: Work, ref: object, field: str = "entry") -> Entry:
    """The entry that a caller names.

    Raises:
        NotFound: there is none.
    """
    found = work.unit.lookup(Entry, check_id(ref, field))
    if found is None:
        raise NotFound(
            "no such entry in the book", field=field, value=ref, remedy="look it up first"
        )
    return found


def live_entry(work: Work, ref: object, field: str) -> Entry:
    """The entry that a caller names, if it has not been voided.

    Raises:
        NotFound: there is none.
        Voided: it has been voided, or is a void.
    """
    entry = entry_of(work, ref, field)
    void = work.unit.find(EntryQuery(client=entry.client, undoes=(entry.id,), limit=1))
    if void or entry.kind == "void":
        raise Voided(
            f"voided by {void[0].id}" if void else "a void stands for good",
            field=field,
            value=entry.id,
            remedy="name a live document",
        )
    return entry


def kept(told: Any) -> Any:
    """What can be read once only, kept; an amount or what is no list is left as it is."""
    once = isinstance(told, Iterable) and not isinstance(told, str | bytes | Mapping | tuple)
    return tuple(told) if once else told


def check_agreements(work: Work, ids: Iterable[UUID], client: UUID) -> tuple[UUID, ...]:
    """Return the ids of agreements, if all of them are the client's.

    Raises:
        NotFound: there is no such agreement.
        WrongClient: it is another client's.
    """
    for id in ids:
        found = work.unit.lookup(Agreement, id)
        if found is None:
            raise NotFound(
                "no such agreement in the book",
                field="agreements",
                value=id,
                remedy="look it up first",
            )
        if found.client != client:
            raise WrongClient(
                "an agreement of another client",
                field="agreements",
                value=id,
                remedy="name agreements of this client",
            )
    return tuple(ids)


def read_amount(work: Work, told: object, currency: object) -> Money:
    """Read what a document is over.

    Raises:
        InvalidValue: malformed, not positive, too large, or in no known currency.
        WrongCurrency: an amount in another currency than is told.
    """
    named = isinstance(told, Money) or (isinstance(told, str) and " " in told)
    unit = currency if currency is not None else None if named else work.settings.currency
    return read_money(told, unit, known=work.settings.known)  # type: ignore[arg-type]  # it refuses


def read_total(work: Work, told: object, currency: object) -> tuple[Money, tuple[EntryLine, ...]]:
    """Read what a document is over: an amount, or lines that add up to one.

    Raises:
        InvalidValue, WrongCurrency: as `read_amount`.
    """
    known, settings = work.settings.known, work.settings
    if isinstance(told, Money | Decimal | int | str | float):
        return read_amount(work, told, currency), ()
    if currency is None and settings.currency is None:
        raise InvalidValue(
            "no currency is known for the lines",
            field="currency",
            remedy='give currency="EUR", or set the book\'s currency',
        )
    unit = currency_of(currency if currency is not None else settings.currency, known)
    lines = read_lines(told, unit, settings.rounding, known)
    minor = sum(line.total.minor for line in lines)
    if not 0 < minor <= MAX_MINOR:
        raise InvalidValue(
            "the lines do not add up to a positive amount that every store adds exactly",
            field="lines",
            value=minor,
            remedy=f"above zero, at most {MAX_MINOR} minor units",
        )
    return Money.from_minor(minor, unit), lines


def draft(
    work: Work,
    head: Head,
    kind: str,
    side: str,
    amount: Money,
    on: date,
    *,
    id: UUID | None = None,
    number: str | None = None,
    external_ids: Mapping[str, str] | None = None,
    **fields: Any,
) -> Entry:
    """Make a document, the client's next, and claim its number and external ids.

    Raises:
        PeriodClosed: dated in a closed period.
        NumberTaken, Duplicate: another live document has them.
    """
    stamp = work.stamp(head)
    id = id or work.new_id()
    own = [one for one in work.posting.of(Entry) if one.client == head.client]
    work.check_open(head, on)
    if number is not None:
        number = check_text(number, "number", empty=False, hidden=False)
        scope = f"{head.client}/" if work.settings.number_scope == "client" else ""
        claim = Claim(f"number:{kind}", scope + number, str(id))
        work.claim(claim, NumberTaken, "number", kind)
    return Entry(
        id=id,
        client=head.client,
        sequence=head.sequence + len(own) + 1,
        kind=kind,
        side=side,
        amount=amount,
        on=on,
        recorded_at=stamp.at,
        actor=stamp.actor,
        number=number,
        external_ids=work.claim_external(kind, external_ids, id),
        **fields,
    )


def write(work: Work, entry: Entry) -> None:
    """Write a document: its items are open from its date on."""
    add_checked(work, issue(entry))
    work.tell(
        f"{event_name(entry.kind)}.recorded", entry.id, client=entry.client, at=entry.recorded_at
    )


def add_checked(work: Work, posting: Posting) -> None:
    """Add to what will be written, if every store can add the sums that it moves.

    Raises:
        InvalidValue: a sum would be too large.
    """
    moves = [
        move
        for move in posting.net_moves
        if isinstance(move.row, PurchaseDay) or any(more > 0 for more in move.add.values())
    ]
    check_totals(moves, [row for move in moves for row in _held(work, move.row)])
    work.add(posting)


def _held(work: Work, row: Figure) -> Sequence[Balance | PurchaseDay]:
    """A sum as it is with everything recorded so far."""
    match row:
        case Balance():
            return work.unit.find(BalanceQuery(client=row.client, currency=row.currency))
        case PurchaseDay():
            day = PurchaseDayQuery(
                client=row.client, currency=row.currency, since=row.day, until=row.day
            )
            return work.unit.find(day)
    return ()


def event_name(kind: str) -> str:
    """A kind of document as the name of an event has it: "credit_note"."""
    return kind.replace(" ", "_").replace("-", "_")
