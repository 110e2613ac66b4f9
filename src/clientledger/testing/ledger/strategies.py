"""What random histories draw from: boundaries, where uniform numbers find nothing."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from clientledger.domain.money import MAX_MINOR

__all__ = [
    "ANY_OR_LIVE",
    "CLIENTS",
    "CURRENCIES",
    "DAYS",
    "DUES",
    "LINES",
    "MINORS",
    "NUMBERS",
    "PARTS",
    "PICKS",
    "START",
    "TERMS",
    "USES",
    "day_of_offset",
]

START = datetime(2026, 3, 1, 9, tzinfo=UTC)

# Boundaries: the smallest, around one another, around a bug above 900,000, the largest.
_SMALL = [1, 2, 3, 99, 100, 101, 999, 1000, 1001, 5000, 10_000]
MINORS = st.one_of(
    st.sampled_from(_SMALL),
    st.sampled_from([100, 1000, 900_001, MAX_MINOR - 1, MAX_MINOR]),
)
PARTS = st.sampled_from([None, None, 1, 2, 50, 99, 100, 101, 1000])
"""An amount, or all that there is."""

# Most of it meets in one account, or nothing would ever be settled.
CURRENCIES = st.sampled_from([*["EUR"] * 7, "JPY", "KWD", "CLF"])
CLIENTS = st.sampled_from([0, 0, 0, 1, 1, 2])
ANY_OR_LIVE = st.sampled_from([True, True, True, False])
"""Whether only live documents are picked from."""

PICKS = st.integers(0, 40)
"""Which one: 0 is the newest."""

DAYS = st.one_of(st.integers(-4, 4), st.integers(-45, 45), st.sampled_from([None, 0, 1]))
"""Days from the first; None leaves the date to the book."""

DUES = st.sampled_from([None, None, -10, 0, 1, 14, 30, 31, 60, 90, 91])
"""Days from the document to its due date; None leaves it to the book."""

NUMBERS = st.sampled_from([None, None, None, "1", "2", "INV-3", "inv-3"])
USES = st.sampled_from([None, None, True, False])

# Each with what it means: percent of the total (None: the rest), and days after the document.
TERMS: dict[str, tuple[tuple[str | None, int], ...]] = {
    "net 30": ((None, 30),),
    "on receipt": ((None, 0),),
    "30 % now, rest in 30 days": (("30", 0), (None, 30)),
    "50 % now, 50 % in 2 weeks": (("50", 0), ("50", 14)),
    "33.333333 % now, 33.333333 % in 15 days and the rest in 45 days": (
        ("33.333333", 0),
        ("33.333333", 15),
        (None, 45),
    ),
}

LINES = st.lists(
    st.tuples(
        st.sampled_from(["1", "3", "0.5", "0.333333", "12"]),
        st.sampled_from(["1", "9.9", "0.25", "0.12345678", "1000000.5", "99.995"]),
        st.sampled_from([None, None, "50", "12.5", "33.33333333"]),
    ),
    min_size=1,
    max_size=3,
)
"""Quantity, price and percent of discount."""


def day_of_offset(offset: int) -> date:
    """The day so many days from the first."""
    return START.date() + timedelta(days=offset)
