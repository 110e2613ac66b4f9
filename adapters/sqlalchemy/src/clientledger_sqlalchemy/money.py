"""Amounts as columns: whole minor units, the currency's code and its number of decimals."""

from functools import lru_cache
from typing import Any

from clientledger.ports import Currency, Money

__all__ = ["Values", "money", "money_or_none", "money_values", "unit_of"]

Values = dict[str, Any]
"""The values of one row by column."""


@lru_cache(maxsize=1024)
def unit_of(code: str, digits: int) -> Currency:
    """Give the currency of a row; each is made and checked once."""
    return Currency(code, digits)


def money(minor: int, row: Any) -> Money:
    """Read an amount in the row's currency."""
    return Money.from_minor(minor, unit_of(row.currency, row.digits))


def money_or_none(minor: int | None, row: Any) -> Money | None:
    """Read an amount that may be missing."""
    return None if minor is None else money(minor, row)


def money_values(amount: Money | None) -> Values:
    """Write the amount of a row and its currency."""
    if amount is None:
        return {"amount": None, "currency": None, "digits": None}
    return {"amount": amount.minor, "currency": amount.unit.code, "digits": amount.unit.digits}
