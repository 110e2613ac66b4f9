"""The commands on periods: closing the books through a day, and opening them again."""

from datetime import date

from clientledger.cli.options import COMMON, Common, Day, Key
from clientledger.cli.receipts import done

__all__ = ["close_period", "reopen_period"]


def close_period(day: Day, /, *, reason: str = "", key: Key = None, common: Common = COMMON) -> int:
    """Close the books through a day: nothing dated on it or before is recorded any more.

    Args:
        day: the last day that is closed.
        reason: why.
    """
    with common.write() as book:
        made = book.ledger.close_period(day, reason=reason, key=key)
    return done(common, made, _through(made.closed_through))


def reopen_period(day: Day, /, *, reason: str, key: Key = None, common: Common = COMMON) -> int:
    """Open the books again from a day on.

    Args:
        day: the first day that is open again.
        reason: why.
    """
    with common.write() as book:
        made = book.ledger.reopen_period(day, reason=reason, key=key)
    return done(common, made, _through(made.closed_through))


def _through(day: date | None) -> str:
    return f"The books are closed through {day}." if day else "The books are open on every day."
