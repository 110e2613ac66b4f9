"""A debt in one currency paid in another: a payment, an exchange at told amounts, an allocation."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import attrs
from tests.replay.common import PLAIN_TO, is_debit, paper_of
from tests.replay.fields import (
    AMOUNT,
    FROM,
    REF,
    TO,
    Fields,
    Link,
    NotApplicable,
    is_number,
    read_number,
)
from tests.replay.play import FAR, Event, Play, digits_of

from clientledger import Entry, Money

PAID_IN = ("paid_currency", "payment_currency", "source_currency", "from_currency")
INTO = ("to_currency", "target_currency", "into_currency", "currency_to", "invoice_currency")
GIVEN = (
    "source_amount",
    "amount_in_source",
    "amount_in_payment_currency",
    "from_amount",
    "paid_amount",
    "payment_amount",
    "amount_paid",
    "given",
    "amount_from",
)
GOT = (
    "target_amount",
    "amount_in_target",
    "amount_in_invoice_currency",
    "amount_in_sale_currency",
    "to_amount",
    "into_amount",
    "into",
    "received_amount",
    "amount_to",
    "counted",
    "counts_as",
    "converted_amount",
    "invoice_amount",
)
RATE = ("rate", "exchange_rate", "conversion_rate", "fx_rate")


def paid_unit(event: Event) -> str | None:
    """The currency that is paid in, where it is told apart from that of the debt."""
    return event.fields.currency(*PAID_IN)


def is_foreign(play: Play, event: Event, target: Any, unit: str | None) -> bool:
    """Whether it settles a debt of another currency, and is not to be refused for it."""
    paper = paper_of(play, target)
    return not event.rejected and paper is not None and paper.currency != unit


def _told(event: Event, fields: Fields, codes: tuple[str, str] = ("", "")) -> tuple[Any, Any]:
    """What is given and what it counts as: by a usual name, or one with the currency's code."""
    found: list[Any] = []
    for names, code in ((GIVEN, codes[0]), (GOT, codes[1])):
        amount = fields.amount(*names)
        if amount is None and code:
            amount = fields.amount(f"amount_{code.lower()}", f"amount_in_{code.lower()}")
        found.append(amount)
    if found == [None, None]:
        found = [event.fields.amount(*GIVEN), event.fields.amount(*GOT)]
    return found[0], found[1]


def pay_across(
    play: Play, event: Event, link: Link, credit: Entry, target: Any, *, alone: bool
) -> None:
    """Exchange what is given of a credit into the debt's currency, and put it there."""
    paper = paper_of(play, target)
    assert paper is not None
    given, got = _both(play, event, link, credit, paper, alone)
    on = link.on or event.on
    with play.together():
        new = exchanged(play, credit, given, got, paper.currency, on)
        play.put(new, target, min(play.room(new), play.room(target)), on)
    play.note(f"{event.title}: {given} {credit.currency} exchanged into {got} {paper.currency}")


def exchanged(play: Play, credit: Any, given: Any, got: Any, code: str, on: Any) -> Entry:
    """Turn some of a credit into one of another currency, known by the same name."""
    into = got if isinstance(got, str) else f"{got:f} {code}"
    new = play.book.ledger.exchange(credit, given, into, on=on)
    if not isinstance(credit, UUID):
        play.turned[credit.id] = (*play.turned.get(credit.id, ()), new)
        play.names.setdefault(new.id, play.name_of(credit.id))
    return new


@attrs.frozen
class _Rates:
    """What is told of a rate, read both ways: which of the two is meant, the amounts show."""

    rates: tuple[Any, ...]

    def across(self, amount: Decimal, code: str) -> list[Decimal]:
        """An amount at each rate, multiplied and divided, rounded to a currency."""
        cent = Decimal(1).scaleb(-(digits_of(code) or 0))
        return [
            worth.quantize(cent, ROUND_HALF_UP)
            for rate in self.rates
            if is_number(rate) and rate > 0
            for worth in (amount * rate, amount / rate)
        ]


def _both(
    play: Play, event: Event, link: Link, credit: Entry, paper: Entry, alone: bool
) -> tuple[Any, Any]:
    """What is given in the one currency, and what it counts as in the other."""
    given, got = _told(event, link.fields, (credit.currency, paper.currency))
    amount, told_in = link.amount, link.fields.currency()
    if given is None and got is None:
        if told_in == paper.currency:
            got = amount
        elif told_in == credit.currency:
            given = amount
    elif given is None:
        given = amount
    elif got is None:
        got = amount
    if given is None and got is None:
        return _guessed(play, event, amount, credit, paper, alone)
    rates = _rates(play, event, link, paper)
    if given is None:
        worth = rates.across(got, credit.currency)
        free = play.room(credit)
        given = free if alone else next((one for one in worth if one <= free), None)
    if got is None:
        got = next(iter(rates.across(given, paper.currency)), None)
    if given is None or got is None:
        raise _untold(event)
    return given, got


def _guessed(
    play: Play, event: Event, amount: Any, credit: Entry, paper: Entry, alone: bool
) -> tuple[Any, Any]:
    """One amount without a currency: the rate, or the whole of the payment, says which it is."""
    free, owed = play.room(credit), play.room(paper)
    rates = _rates(play, event, Link(Fields({})), paper)
    if not is_number(amount):
        amount = owed
    if free in rates.across(amount, credit.currency) or (alone and amount not in (None, free)):
        return free, amount
    fitting = [one for one in rates.across(amount, paper.currency) if one <= owed]
    if fitting:
        return amount, max(fitting)
    raise _untold(event)


def _rates(play: Play, event: Event, link: Link, paper: Entry) -> _Rates:
    sold = play.told.get(play.names.get(paper.id, ""))
    return _Rates(
        (
            link.fields.amount(*RATE),
            event.fields.amount(*RATE),
            None if sold is None else sold.fields.amount(*RATE),
        )
    )


def _untold(event: Event) -> NotApplicable:
    return NotApplicable(f"{event.title} pays in another currency and tells one amount only")


def exchange(play: Play, event: Event) -> None:
    """An exchange that is an event of its own."""
    fields = _flat(event.fields)
    given = fields.amount(*GIVEN, "amount")
    credit: Any = play.paper(play.pick(fields, *FROM, *PLAIN_TO))
    if isinstance(credit, UUID) and not event.rejected:
        credit = _free_credit(play, event, fields, given) or credit
    code, got = fields.currency(*INTO), fields.get(*GOT)
    if isinstance(got, str) and " " in got.strip():
        money = Money.parse(got.strip())
        code, got = money.currency, money.amount
    got = read_number(got)
    if isinstance(credit, Entry):
        given = play.room(credit) if given is None else given
        code = code or (fields.currency() if fields.currency() != credit.currency else None)
    rate = fields.amount(*RATE)
    if got is None and is_number(rate) and is_number(given) and code:
        got = _Rates((rate,)).across(given, code)[0]
    if code is None or got is None:
        raise NotApplicable(f"{event.title} does not tell what it is exchanged into")
    paper = play.paper(play.pick(fields, *TO))
    settles = isinstance(paper, Entry) and is_debit(play, paper)
    with play.together(settles):
        new = exchanged(play, credit, given, got, code, event.on)
        if settles and isinstance(paper, Entry):
            play.put(new, paper, min(play.room(new), play.room(paper)), event.on)
    if event.ref:
        play.names[new.id] = event.ref
        play.papers[event.ref] = new


def _flat(fields: Fields) -> Fields:
    """An exchange whose two sides are told as objects, told as fields."""
    sides = (("from", "source_amount", "from_currency"), ("to", "target_amount", "to_currency"))
    for name, amount, currency in (*sides, ("into", "into_amount", "into_currency")):
        side = fields.get(name)
        if isinstance(side, Mapping):
            inner = Fields.of(side)
            told = {amount: inner.get(*AMOUNT), currency: inner.currency(), name: inner.get(*REF)}
            fields = fields.updated({key: value for key, value in told.items() if value})
            fields = fields if inner.get(*REF) else fields.without(name)
    return fields


def _free_credit(play: Play, event: Event, fields: Fields, given: Any) -> Entry | None:
    """The client's oldest free credit that has enough, where none is named."""
    code = fields.currency(*PAID_IN)
    if code is None or not is_number(given):
        return None
    items = play.book.ledger.open_items(play.client(event), currency=code, as_of=FAR)
    enough = [one for one in items if one.side == "credit" and one.open.amount >= given]
    oldest = min(enough, key=lambda one: (one.on, one.sequence), default=None)
    return None if oldest is None else play.book.ledger.get(oldest.entry)
