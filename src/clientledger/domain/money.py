"""Exact money: whole minor units of one currency, and the arithmetic that keeps it exact.

Nothing here looks at the thread's decimal context: a host that sets a small precision, another
rounding or a trap changes no result.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache

import attrs

from clientledger.errors import InvalidValue, WrongCurrency

__all__ = [
    "MAX_MINOR",
    "MAX_TOTAL",
    "ROUNDINGS",
    "Currency",
    "Money",
    "currency_of",
    "exact",
    "read_decimal",
    "read_money",
    "round_to_minor",
    "split",
    "total",
]

MAX_MINOR = 10**15
"""The largest amount of one document, in minor units: what every store adds exactly."""

MAX_TOTAL = 2**63 - 1
"""The largest sum that a store can hold, in minor units."""

ROUNDINGS = (
    "ROUND_HALF_EVEN",
    "ROUND_HALF_UP",
    "ROUND_HALF_DOWN",
    "ROUND_UP",
    "ROUND_DOWN",
    "ROUND_CEILING",
    "ROUND_FLOOR",
)
"""The names of `decimal`'s rounding rules that a book's settings may choose from."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z")
_AMOUNT = re.compile(r"(?P<number>[^ ]+) (?P<currency>[A-Za-z][A-Za-z0-9]{1,11})\Z")
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}\Z")
_LONGEST = 40
_MOST_DIGITS = 30
exact = Context(
    prec=120,
    rounding=ROUND_HALF_EVEN,
    Emin=-9999,
    Emax=9999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""The one context that all arithmetic of the library uses, whatever the thread's own is."""


@attrs.frozen
class Currency:
    """A currency: its code, and the number of decimals of its minor unit.

    ISO 4217's current list is known by code. Give a `Currency` where a book needs a withdrawn
    one, or a unit of its own: ``Currency("DEM", 2)``.
    """

    code: str
    digits: int

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.code, str) or not _CODE.match(self.code):
            raise InvalidValue(
                "not a currency code",
                field="currency",
                value=self.code,
                remedy="write capital letters and digits, such as EUR",
            )
        if type(self.digits) is not int or not 0 <= self.digits <= 8:
            raise InvalidValue(
                "not a number of decimals", field="digits", value=self.digits, remedy="0 to 8"
            )

    def __str__(self) -> str:
        return self.code


@lru_cache(maxsize=1)
def _iso_digits() -> dict[str, int]:
    from iso4217 import Currency as Iso  # parses ISO's list: only when money is first used

    return {unit.code: unit.exponent for unit in Iso if unit.exponent is not None}


def currency_of(code: object, known: Mapping[str, Currency] | None = None) -> Currency:
    """Find a currency by its code, in ISO 4217's list or among the book's own.

    Args:
        code: the code, or the currency itself.
        known: the book's own currencies. A `Currency` must then be the one that the book knows by
            its code; without them it is taken as it is.

    Raises:
        InvalidValue: the code is unknown, or has no minor unit (XAU, XXX).
    """
    if isinstance(code, Currency):
        if known is None or _by_code(code.code, known) == code:
            return code
        raise InvalidValue(
            "not a currency that the book knows, with these decimals",
            field="currency",
            value=repr(code),
            remedy="give the book's own by its code, or add this one to the book's settings",
        )
    if isinstance(code, str):
        found = _by_code(code, known)
        if found is not None:
            return found
    raise InvalidValue(
        "not a currency of ISO 4217 with a minor unit",
        field="currency",
        value=code,
        remedy="write its three capital letters, such as EUR, or add it to the book's settings",
    )


def _by_code(code: str, known: Mapping[str, Currency] | None) -> Currency | None:
    if known and code in known:
        return known[code]
    digits = _iso_digits().get(code)
    return None if digits is None else _iso_currency(code, digits)


@lru_cache(maxsize=256)
def _iso_currency(code: str, digits: int) -> Currency:
    return Currency(code, digits)


def read_decimal(value: object, field: str) -> Decimal:
    """Read an exact number: a Decimal, an int, or plain ASCII digits with a decimal point.

    Raises:
        InvalidValue: floats, booleans, NaN, infinities, other digits, spaces, separators,
            exponents in text, or more digits than any amount has.
    """
    remedy = 'give a Decimal, an int, or text such as "12.50"'
    if isinstance(value, bool | float):
        raise InvalidValue(
            "floats and booleans are not exact", field=field, value=value, remedy=remedy
        )
    if isinstance(value, int):
        if abs(value) >= 10**_MOST_DIGITS:
            raise InvalidValue("too large", field=field, value=value, remedy=remedy)
        return Decimal(value)
    if isinstance(value, str):
        if len(value) > _LONGEST or not _NUMBER.match(value):
            raise InvalidValue("not a number", field=field, value=value, remedy=remedy)
        return Decimal(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidValue("not a finite number", field=field, value=value, remedy=remedy)
        _, digits, exponent = value.as_tuple()
        if abs(int(exponent)) > _MOST_DIGITS or len(digits) > _MOST_DIGITS:
            raise InvalidValue("too many digits", field=field, value=value, remedy=remedy)
        return value
    raise InvalidValue("not a number", field=field, value=value, remedy=remedy)


def round_to_minor(value: Decimal, currency: Currency, rounding: str = ROUND_HALF_EVEN) -> int:
    """Round a number of major units to whole minor units, once."""
    scaled = exact.scaleb(value, currency.digits)
    return int(scaled.quantize(Decimal(1), rounding=rounding, context=exact))


@attrs.frozen(init=False, order=False, repr=False)
class Money:
    """An exact amount of one currency, kept as whole minor units.

    ``Money("500.00", "EUR")`` takes text, a Decimal or an int of major units, with no more
    decimals than the currency has. Floats are refused. Amounts of one currency add, subtract,
    negate and compare; amounts of two never do.

    Raises:
        InvalidValue: not an exact number, too many decimals, too large, an unknown currency.
        WrongCurrency: arithmetic or comparison across currencies.
    """

    minor: int
    unit: Currency

    def __init__(self, amount: object, currency: str | Currency) -> None:
        unit = currency_of(currency)
        number = read_decimal(amount, "amount")
        exponent = int(number.as_tuple().exponent)
        if -exponent > unit.digits:
            raise InvalidValue(
                f"{unit.code} has {unit.digits} decimals",
                field="amount",
                value=amount,
                remedy=f"round it to {unit.digits} decimals first",
            )
        self.__attrs_init__(_in_range(int(exact.scaleb(number, unit.digits))), unit)

    @classmethod
    def from_minor(cls, minor: int, currency: str | Currency) -> "Money":
        """Make an amount from whole minor units (cents)."""
        if type(minor) is not int:
            raise InvalidValue(
                "not whole minor units", field="minor", value=minor, remedy="give an int"
            )
        made = cls.__new__(cls)
        made.__attrs_init__(_in_range(minor), currency_of(currency))
        return made

    @classmethod
    def parse(cls, text: str, known: Mapping[str, Currency] | None = None) -> "Money":
        """Read ``"500.00 EUR"``."""
        match = _AMOUNT.match(text) if isinstance(text, str) and len(text) <= 64 else None
        if match is None:
            raise InvalidValue(
                "not an amount with a currency",
                field="amount",
                value=text,
                remedy='write it like "500.00 EUR"',
            )
        unit = currency_of(match["currency"], known)
        try:
            return cls(match["number"], unit)
        except InvalidValue as error:
            raise InvalidValue(
                error.message, field=error.field, value=text, remedy=error.remedy
            ) from None

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.unit.code

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with all the decimals of the currency."""
        return exact.scaleb(Decimal(self.minor), -self.unit.digits)

    def __add__(self, other: "Money") -> "Money":
        return Money.from_minor(self.minor + self._same(other), self.unit)

    def __sub__(self, other: "Money") -> "Money":
        return Money.from_minor(self.minor - self._same(other), self.unit)

    def __neg__(self) -> "Money":
        return Money.from_minor(-self.minor, self.unit)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __repr__(self) -> str:
        return f"Money('{self.amount:f}', '{self.currency}')"

    def _same(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise InvalidValue("not money", field="amount", value=other, remedy="give a Money")
        if other.unit != self.unit:
            raise WrongCurrency(
                f"{self.currency} and {other.currency} do not add or compare",
                field="currency",
                value=other.currency,
                remedy=f"give an amount in {self.currency}",
            )
        return other.minor


def _in_range(minor: int) -> int:
    if abs(minor) > MAX_TOTAL:
        raise InvalidValue(
            "larger than any store adds exactly",
            field="amount",
            value=minor,
            remedy=f"at most {MAX_TOTAL} minor units",
        )
    return minor


def read_money(
    value: object,
    currency: str | Currency | None = None,
    *,
    field: str = "amount",
    known: Mapping[str, Currency] | None = None,
    zero: bool = False,
) -> Money:
    """Read an amount of one document: Money, ``"500.00 EUR"``, or a number of a known currency.

    Args:
        known: the book's own currencies; an amount in one that the book does not know is refused.
        zero: whether nothing is an amount too.

    Raises:
        InvalidValue: malformed, not positive, above `MAX_MINOR`, or without a currency.
        WrongCurrency: it names another currency than `currency`.
    """
    unit = None if currency is None else currency_of(currency, known)
    try:
        if isinstance(value, Money):
            money = value
        elif isinstance(value, str) and " " in value.strip():
            money = Money.parse(value, known)
        elif unit is None:
            read_decimal(value, "amount")  # what is no exact number is told so first
            raise InvalidValue(
                "no currency is known for it",
                value=value,
                remedy='give Money("500.00", "EUR"), "500.00 EUR", or currency=',
            )
        else:
            money = Money(value, unit)
        currency_of(money.unit, known)
    except InvalidValue as error:
        named = error.field if error.field == "currency" else field
        raise InvalidValue(
            error.message, field=named, value=error.value, remedy=error.remedy
        ) from None
    if unit is not None and money.unit != unit:
        raise WrongCurrency(
            f"{money.currency} stands where {unit.code} is wanted",
            field=field,
            value=money,
            remedy=f"give it in {unit.code}",
        )
    if money.minor < 0 or (money.minor == 0 and not zero):
        raise InvalidValue(
            "not positive", field=field, value=money, remedy="give an amount above zero"
        )
    if money.minor > MAX_MINOR:
        raise InvalidValue(
            "too large for one document",
            field=field,
            value=money,
            remedy=f"at most {MAX_MINOR} minor units",
        )
    return money


def total(amounts: Iterable[Money], currency: Currency) -> Money:
    """Add amounts of one currency; nothing adds up to zero."""
    result = 0
    for amount in amounts:
        if amount.unit != currency:
            raise WrongCurrency(
                f"{amount.currency} and {currency.code} do not add",
                field="currency",
                value=amount.currency,
            )
        result += amount.minor
    return Money.from_minor(result, currency)


def split(amount: Money, parts: int) -> tuple[Money, ...]:
    """Split an amount into equal parts that add up to it; the first ones carry the odd cents."""
    if type(parts) is not int or not 1 <= parts <= 1200:
        raise InvalidValue("not a number of parts", field="parts", value=parts, remedy="1 to 1200")
    each, odd = divmod(amount.minor, parts)
    return tuple(Money.from_minor(each + (1 if n < odd else 0), amount.unit) for n in range(parts))
