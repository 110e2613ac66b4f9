"""The documents of the ledger: entries, their lines and instalments, and what links them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.mappings import mapping_field
from clientledger.domain.money import (
    MAX_MINOR,
    Currency,
    Money,
    exact,
    read_decimal,
    read_money,
    round_to_minor,
    total,
)
from clientledger.domain.text import check_text
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue

__all__ = [
    "CREDIT",
    "DEBIT",
    "ENTRY_KINDS",
    "Allocation",
    "Entry",
    "EntryLine",
    "Instalment",
    "Line",
    "Release",
    "other_side",
    "read_instalments",
    "read_lines",
]

DEBIT = "debit"
CREDIT = "credit"
ENTRY_KINDS = (
    "sale",
    "payment",
    "credit note",
    "refund",
    "write-off",
    "opening balance",
    "exchange",
    "void",
)
_MOST_LINES = 10_000
_MOST_DIGITS = 60
_HUNDRED = Decimal(100)


@attrs.frozen
class Line:
    """A line of a sale as told: ``Line("Coffee beans", 120, "9.90", discount_percent="5")``.

    Attributes:
        quantity: up to 6 decimals.
        price: of one unit, in major units of the sale's currency, up to 8 decimals.
        discount_percent: taken off quantity times price.
        discount: an amount taken off after the percentage.
        tax: an amount added.
        total: the line's total as told, which wins over the arithmetic.
    """

    name: str
    quantity: Decimal | int | str = 1
    price: Decimal | int | str = 0
    sku: str = attrs.field(default="", kw_only=True)
    discount_percent: Decimal | int | str | None = attrs.field(default=None, kw_only=True)
    discount: Money | Decimal | int | str | None = attrs.field(default=None, kw_only=True)
    tax: Money | Decimal | int | str | None = attrs.field(default=None, kw_only=True)
    total: Money | Decimal | int | str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class EntryLine:
    """A line as recorded: exact numbers, and a total in the document's currency."""

    name: str
    quantity: Decimal
    price: Decimal
    sku: str = ""
    discount_percent: Decimal | None = None
    discount: Money | None = None
    tax: Money | None = None
    total: Money


@attrs.frozen
class Instalment:
    """One due date and amount of a debit.

    Attributes:
        number: its place in the document, from 1; given when recorded.
        entry: the id of the document; given when recorded.
    """

    due: date
    amount: Money
    number: int = 0
    entry: UUID | None = None


@attrs.frozen(kw_only=True)
class Entry:
    """One document of the ledger. It is never changed or deleted: a void undoes it.

    Attributes:
        sequence: its place among all entries of the client, from 1 without gaps.
        kind: "sale", "payment", "credit note", "refund", "write-off", "opening balance",
            "exchange" or "void".
        side: "debit" raises what the client owes, "credit" lowers it. A void has the side that
            undoes.
        on: the business date.
        recorded_at: when it was written (UTC), never before the client's earlier entries.
        instalments: of a debit, in order of due date; they add up to the amount.
        undoes: the entry that a void undoes.
        sale: the sale that a credit note is for.
        replaces: the entry that a correction stands for.
        pair: what it goes with: of an exchange the other half, of a write-off on the debit side
            the write-off of which it takes a part back.
    """

    id: UUID
    client: UUID
    sequence: int
    kind: str
    side: str
    amount: Money
    on: date
    recorded_at: datetime
    actor: str
    number: str | None = None
    lines: tuple[EntryLine, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    method: str = ""
    reason: str = ""
    undoes: UUID | None = None
    sale: UUID | None = None
    replaces: UUID | None = None
    pair: UUID | None = None
    agreements: tuple[UUID, ...] = ()
    external_ids: Mapping[str, str] = mapping_field()

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.amount.currency

    @property
    def total(self) -> Money:
        """The document's total: the amount."""
        return self.amount

    @property
    def due(self) -> date | None:
        """The first due date of a debit, or None."""
        return self.instalments[0].due if self.instalments else None

    @property
    def signed(self) -> int:
        """What it adds to the balance, in minor units: debits are positive."""
        return self.amount.minor if self.side == DEBIT else -self.amount.minor


@attrs.frozen(kw_only=True)
class Allocation:
    """An amount of one credit put against one instalment of a debit.

    Attributes:
        credit, debit: ids of the two entries.
        instalment: the number of the debit's instalment.
        on: the day from which it counts: the latest of its own date and its documents' dates.
        live: what of the amount still holds; in a fresh one, all of it.
    """

    id: UUID
    client: UUID
    credit: UUID
    debit: UUID
    instalment: int
    amount: Money
    on: date
    recorded_at: datetime
    actor: str
    live: Money = attrs.field(default=attrs.Factory(lambda self: self.amount, takes_self=True))


@attrs.frozen(kw_only=True)
class Release:
    """An amount of an allocation taken back by hand, from a day on."""

    id: UUID
    client: UUID
    allocation: UUID
    credit: UUID
    debit: UUID
    instalment: int
    amount: Money
    on: date
    recorded_at: datetime
    actor: str


def other_side(side: str) -> str:
    """The opposite side."""
    return CREDIT if side == DEBIT else DEBIT


def read_lines(
    given: object, currency: Currency, rounding: str, known: Mapping[str, Currency] | None = None
) -> tuple[EntryLine, ...]:
    """Read lines as told; each is rounded once, by the book's rule.

    Raises:
        InvalidValue: not lines, none or more than 10,000, a number that is not exact or has too
            many decimals, a negative total.
    """
    lines = (
        list(given) if isinstance(given, Iterable) and not isinstance(given, str | Mapping) else []
    )
    if not lines or len(lines) > _MOST_LINES:
        raise InvalidValue(
            "not lines",
            field="lines",
            value=given if not lines else len(lines),
            remedy='give 1 to 10,000 lines, each a Line or ("name", quantity, price)',
        )
    return tuple(_read_line(line, n, currency, rounding, known) for n, line in enumerate(lines, 1))


def _read_line(
    given: object, n: int, currency: Currency, rounding: str, known: Mapping[str, Currency] | None
) -> EntryLine:
    where = f"lines[{n}]"
    if isinstance(given, tuple | list) and 1 <= len(given) <= 3:
        given = Line(*given)
    if not isinstance(given, Line | EntryLine):
        raise InvalidValue(
            "not a line",
            field=where,
            value=given,
            remedy='give a Line or ("name", quantity, price)',
        )

    def part(value: object, field: str) -> Money | None:
        return (
            None
            if value is None
            else read_money(value, currency, field=f"{where}.{field}", known=known, zero=True)
        )

    line = EntryLine(
        name=check_text(given.name, f"{where}.name", empty=False),
        quantity=_read_number(given.quantity, f"{where}.quantity", 6),
        price=_read_number(given.price, f"{where}.price", 8),
        sku=check_text(given.sku, f"{where}.sku"),
        discount_percent=_read_percent(given.discount_percent, f"{where}.discount_percent"),
        discount=part(given.discount, "discount"),
        tax=part(given.tax, "tax"),
        total=part(given.total, "total") or Money(0, currency),
    )
    if given.total is not None:
        return line
    return attrs.evolve(line, total=_total_of(line, currency, rounding, where))


def _total_of(line: EntryLine, currency: Currency, rounding: str, where: str) -> Money:
    """What a line comes to: exact up to here, and rounded once."""
    net = exact.multiply(line.quantity, line.price)
    if line.discount_percent:
        left = exact.subtract(_HUNDRED, line.discount_percent)
        net = exact.scaleb(exact.multiply(net, left), -2)
    net = exact.subtract(net, line.discount.amount if line.discount else Decimal(0))
    net = exact.add(net, line.tax.amount if line.tax else Decimal(0))
    rounds = net.adjusted() < _MOST_DIGITS  # what is larger could not even be rounded exactly
    minor = round_to_minor(net, currency, rounding) if rounds else -1
    if not 0 <= minor <= MAX_MINOR:
        raise InvalidValue(
            "the line's total is negative or too large",
            field=where,
            value=net,
            remedy="discounts may not exceed the price; at most 10**15 minor units",
        )
    return Money.from_minor(minor, currency)


def _read_percent(value: object, field: str) -> Decimal | None:
    percent = None if value is None else _read_number(value, field, 8)
    if percent is not None and percent > _HUNDRED:
        raise InvalidValue("not a percentage", field=field, value=percent, remedy="0 to 100")
    return percent


def _read_number(value: object, field: str, decimals: int) -> Decimal:
    number = read_decimal(value, field)
    if number < 0 or -int(number.as_tuple().exponent) > decimals:
        raise InvalidValue(
            f"negative or with more than {decimals} decimals",
            field=field,
            value=value,
            remedy="give zero or more, rounded",
        )
    return number


def read_instalments(
    amount: Money,
    on: date,
    *,
    due: object = None,
    instalments: object = None,
    entry: UUID,
    known: Mapping[str, Currency] | None = None,
) -> tuple[Instalment, ...]:
    """Read when a debit falls due: explicit instalments, one due date, or its own date.

    Raises:
        InvalidValue: both are given, a due date stands twice, or the amounts do not add up to
            the document's.
    """
    if instalments is None:
        day = on if due is None else check_day(due, "due")
        return (Instalment(day, amount, 1, entry),)
    if due is not None:
        raise InvalidValue(
            "given beside instalments",
            field="due",
            value=due,
            remedy="give due or instalments, not both",
        )
    pairs = [_pair(one) for one in _listed(instalments)]
    read = sorted(
        (
            (
                check_day(day, f"instalments[{n}].due"),
                read_money(part, amount.unit, field=f"instalments[{n}].amount", known=known),
            )
            for n, (day, part) in enumerate(pairs, 1)
        ),
        key=lambda pair: pair[0],
    )
    if len({day for day, _ in read}) != len(read):
        raise InvalidValue(
            "a due date stands twice",
            field="instalments",
            value=instalments,
            remedy="one amount a day",
        )
    together = total((part for _, part in read), amount.unit)
    if together != amount:
        raise InvalidValue(
            f"they add up to {together}",
            field="instalments",
            value=str(together),
            remedy=f"make them add up to {amount}",
        )
    return tuple(Instalment(day, part, n, entry) for n, (day, part) in enumerate(read, 1))


def _listed(value: object) -> list[object]:
    if isinstance(value, list | tuple) and 1 <= len(value) <= 1200:
        return list(value)
    raise InvalidValue(
        "not instalments",
        field="instalments",
        value=value,
        remedy="give pairs of a due date and an amount",
    )


def _pair(value: object) -> tuple[Any, Any]:
    if isinstance(value, Instalment):
        return value.due, value.amount
    if isinstance(value, tuple | list) and len(value) == 2:
        return value[0], value[1]
    raise InvalidValue(
        "not an instalment",
        field="instalments",
        value=value,
        remedy="give a due date and an amount",
    )
