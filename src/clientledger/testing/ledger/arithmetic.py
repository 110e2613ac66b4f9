"""What lines and payment terms come to, counted in fractions: nothing is shared with the domain."""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction

__all__ = ["line_minor", "rounded", "schedule"]

_HALF = Fraction(1, 2)


def rounded(value: Fraction, rounding: str) -> int:
    """Round a number that is not negative, by a rule of the book's settings."""
    low = value.numerator // value.denominator
    rest = value - low
    match rounding:
        case "ROUND_HALF_EVEN":
            up = rest > _HALF or (rest == _HALF and low % 2 == 1)
        case "ROUND_HALF_UP":
            up = rest >= _HALF
        case "ROUND_DOWN":
            up = False
        case _:
            raise ValueError(rounding)
    return low + up


def line_minor(quantity: str, price: str, percent: str | None, digits: int, rounding: str) -> int:
    """What a line comes to in minor units: quantity times price, less a percentage."""
    left = 100 - Fraction(percent or 0)
    return rounded(Fraction(quantity) * Fraction(price) * left / 100 * 10**digits, rounding)


def schedule(
    minor: int, on: date, terms: Iterable[tuple[str | None, int]], rounding: str
) -> list[tuple[date, int]]:
    """Which part of an amount falls due when: shares in percent (None: the rest), days from `on`.

    The running share is rounded, so that the parts add up.
    """
    found: dict[date, int] = {}
    share, before = Fraction(0), 0
    for percent, days in terms:
        share = Fraction(100) if percent is None else share + Fraction(percent)
        running = rounded(minor * share / 100, rounding)
        due = on + timedelta(days=days)
        found[due] = found.get(due, 0) + running - before
        before = running
    return sorted((due, part) for due, part in found.items() if part)
