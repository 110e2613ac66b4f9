"""Rates between currencies: for totals that are shown converted, never for a debt."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import attrs

from clientledger.domain.accounts import Account
from clientledger.domain.entries import Entry
from clientledger.domain.money import Currency, Money, exact, read_decimal, round_to_minor
from clientledger.errors import InvalidValue, WrongCurrency

__all__ = [
    "ConvertedAccount",
    "ConvertedTotal",
    "ExchangeDifference",
    "ExchangeRate",
    "convert",
    "converted_total",
    "exchange_difference",
]


@attrs.frozen(kw_only=True)
class ExchangeRate:
    """How much of one currency one unit of another is worth, and since when that is known.

    Attributes:
        base: the code of the currency that is converted.
        quote: the code of the currency it is converted into.
        rate: units of `quote` for one unit of `base`: positive and exact.
        on: the day of the rate, which may be before the day it was asked for.
        source: who says so, in words.
    """

    base: str
    quote: str
    rate: Decimal
    on: date
    source: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The two codes."""
        return self.base, self.quote

    def __attrs_post_init__(self) -> None:
        if read_decimal(self.rate, "rate") <= 0:
            raise InvalidValue(
                "not positive", field="rate", value=self.rate, remedy="give a rate above zero"
            )


@attrs.frozen(kw_only=True)
class ConvertedAccount:
    """One account, and its balance in the currency of the total, at the rate that it names."""

    account: Account
    balance: Money
    rate: ExchangeRate | None


@attrs.frozen(kw_only=True)
class ConvertedTotal:
    """The balances of accounts in several currencies, as one amount.

    Attributes:
        balance: the sum of the rows, each converted and rounded once.
        rows: by currency code; each shows its rate and the day of the rate.
    """

    currency: str
    balance: Money
    rows: tuple[ConvertedAccount, ...]
    as_of: date


@attrs.frozen(kw_only=True)
class ExchangeDifference:
    """What an exchange gained or lost against the rate of its day.

    Attributes:
        given: what the client gave, in its currency.
        counted: what it was counted as, in the other.
        worth: what was given at the rate.
        difference: `worth` less `counted`: above zero, we were given more than we counted.
    """

    given: Money
    counted: Money
    worth: Money
    difference: Money
    rate: ExchangeRate


def convert(amount: Money, into: Currency, rate: ExchangeRate, rounding: str) -> Money:
    """Convert an amount at a rate, rounded once to the other currency's minor units.

    Raises:
        WrongCurrency: the rate is not between the two.
    """
    if rate.pair != (amount.currency, into.code):
        raise WrongCurrency(
            f"a rate from {rate.base} to {rate.quote}",
            field="rate",
            value=rate.rate,
            remedy=f"give one from {amount.currency} to {into.code}",
        )
    worth = exact.multiply(amount.amount, rate.rate)
    return Money.from_minor(round_to_minor(worth, into, rounding), into)


def converted_total(
    found: Iterable[tuple[Account, ExchangeRate | None]],
    into: Currency,
    as_of: date,
    rounding: str,
) -> ConvertedTotal:
    """Add up accounts of several currencies; one in the currency of the total has no rate."""
    rows = [
        ConvertedAccount(
            account=account,
            balance=account.balance
            if rate is None
            else convert(account.balance, into, rate, rounding),
            rate=rate,
        )
        for account, rate in found
    ]
    balance = Money.from_minor(sum(row.balance.minor for row in rows), into)
    return ConvertedTotal(currency=into.code, balance=balance, rows=tuple(rows), as_of=as_of)


def exchange_difference(
    out: Entry, new: Entry, rate: ExchangeRate, rounding: str
) -> ExchangeDifference:
    """Compare the two halves of an exchange, the debit and the credit, at a rate."""
    worth = convert(out.amount, new.amount.unit, rate, rounding)
    return ExchangeDifference(
        given=out.amount,
        counted=new.amount,
        worth=worth,
        difference=worth - new.amount,
        rate=rate,
    )
