"""Pages: what every list returns."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

import attrs

from clientledger.errors import InvalidValue

__all__ = ["Page", "check_limit", "no_cursor", "page_of"]

T = TypeVar("T")


@attrs.frozen(eq=False)
class Page(Sequence[T], Generic[T]):
    """A part of a list, in order: a sequence that knows where the next one begins.

    It equals a page with the same rows and the same `next`, and a list or tuple of the same rows.

    Attributes:
        rows: the rows themselves.
        next: where the next page begins, to be given back as ``after=``; None where all is shown.
    """

    rows: tuple[T, ...] = ()
    next: tuple[Any, ...] | None = None

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Page):
            return self.rows == other.rows and self.next == other.next
        return isinstance(other, list | tuple) and self.rows == tuple(other)

    def __hash__(self) -> int:
        return hash(self.rows)

    @property
    def more(self) -> bool:
        """Whether there are further rows."""
        return self.next is not None


def check_limit(limit: object) -> int | None:
    """Return the most rows of a page, or None for all of them."""
    if limit is None or (type(limit) is int and 1 <= limit < 2**31):
        return limit
    raise InvalidValue("not a number of rows", field="limit", value=limit, remedy="1 or more")


def no_cursor(after: object) -> InvalidValue:
    """The refusal of an `after` that is no page's `next`."""
    return InvalidValue(
        "not where a page ended", field="after", value=after, remedy="give back a page's next"
    )


def page_of(
    rows: Sequence[T], limit: int | None, cursor: Callable[[T], tuple[Any, ...]]
) -> Page[T]:
    """Make a page of at most `limit` rows out of rows that may be more."""
    if limit is None or len(rows) <= limit:
        return Page(tuple(rows))
    shown = tuple(rows[:limit])
    return Page(shown, cursor(shown[-1]) if shown else None)
