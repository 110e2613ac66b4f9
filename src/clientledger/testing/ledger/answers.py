"""Everything that is asked of a client on a day, in plain values: of a book, and of the keeper."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

import attrs

from clientledger.book import Book
from clientledger.domain.accounts import Account
from clientledger.domain.journal import OpenItem
from clientledger.testing.oracle import Keeper, Key, Stand, amounts_of, due_of

__all__ = ["Answers", "Page", "answers_of", "differences", "right_answers"]

BOUNDS = (0, 30, 60, 90)
_BEFORE = timedelta(days=20)

Buckets = tuple[int, ...]
Item = tuple[Key, int, int]
"""An item, what is open of it, and of how much."""


@attrs.frozen(kw_only=True)
class Page:
    """What a statement of the last days says: each document with the balance after it.

    Attributes:
        items: what is open at the end: debits by due date, then credits.
    """

    opening: int
    rows: tuple[tuple[UUID, int], ...]
    closing: int
    stand: Stand
    items: tuple[Item, ...]
    buckets: Buckets


@attrs.frozen(kw_only=True)
class Answers:
    """What is said of one client on one day.

    Attributes:
        accounts, statements: by currency.
        items: what is open: debits by due date, then credits.
        ageing: the buckets and what is prepaid, by currency and by what they count from.
    """

    day: date
    accounts: dict[str, Stand]
    items: tuple[Item, ...]
    ageing: dict[tuple[str, str], tuple[Buckets, int]]
    statements: dict[str, Page]

    @property
    def figures(self) -> "Answers":
        """Without what names documents that come to nothing: empty accounts, rows of statements."""
        kept = {code: stand for code, stand in self.accounts.items() if stand != Stand(0, 0, 0)}
        pages = {code: attrs.evolve(page, rows=()) for code, page in self.statements.items()}
        said = {code: page for code, page in pages.items() if page != _nothing(page)}
        return attrs.evolve(self, accounts=kept, statements=said)


def _nothing(page: Page) -> Page:
    return attrs.evolve(page, opening=0, closing=0, stand=Stand(0, 0, 0), items=())


# ------------------------------------------------------------ of a book
def answers_of(book: Book, client: UUID, day: date, known_at: datetime | None = None) -> Answers:
    """Ask a book."""
    accounts = book.ledger.accounts(client, as_of=day, known_at=known_at)
    items = book.ledger.open_items(client, as_of=day, known_at=known_at)
    ageing = {}
    for by in ("due", "date"):
        for row in book.insights.ageing(
            by=by, bounds=BOUNDS, client=client, as_of=day, known_at=known_at
        ):
            buckets = tuple(bucket.amount.minor for bucket in row.buckets)
            assert sum(buckets) == row.owed.minor, f"the buckets do not add up: {row}"
            ageing[row.currency, by] = buckets, row.prepaid.minor
    return Answers(
        day=day,
        accounts={code: _stand_of(one) for code, one in accounts.items()},
        items=_items_of(items),
        ageing=ageing,
        statements={code: _page_of(book, client, code, day, known_at) for code in accounts},
    )


def _stand_of(account: Account) -> Stand:
    stand = Stand(account.owed.minor, account.prepaid.minor, account.overdue.minor)
    assert account.balance.minor == stand.balance
    return stand


def _items_of(items: Iterable[OpenItem]) -> tuple[Item, ...]:
    return tuple(((one.entry, one.instalment), one.open.minor, one.amount.minor) for one in items)


def _page_of(book: Book, client: UUID, code: str, day: date, known_at: datetime | None) -> Page:
    told = book.ledger.statement(client, code, day - _BEFORE, day, known_at=known_at)
    moved = 0
    for row in told.rows:
        moved += (row.debit.minor if row.debit else 0) - (row.credit.minor if row.credit else 0)
        assert row.balance.minor == told.opening.minor + moved, f"a wrong running balance: {row}"
    assert told.closing.minor == told.opening.minor + moved
    return Page(
        opening=told.opening.minor,
        rows=tuple((row.entry.id, row.balance.minor) for row in told.rows),
        closing=told.closing.minor,
        stand=_stand_of(told.account),
        items=_items_of(told.open_items),
        buckets=tuple(bucket.amount.minor for bucket in told.buckets),
    )


# ------------------------------------------------------------ of the keeper
def right_answers(keeper: Keeper, day: date) -> Answers:
    """Ask the keeper."""
    sheet = keeper.on(day)
    accounts = sheet.accounts
    used = [code for code, stand in accounts.items() if stand.owed or stand.prepaid]
    return Answers(
        day=day,
        accounts=accounts,
        items=_right_items(keeper, day),
        ageing={
            (code, by): (tuple(sheet.ageing(code, BOUNDS, by)), accounts[code].prepaid)
            for code in used
            for by in ("due", "date")
        },
        statements={code: _right_page(keeper, code, day) for code in accounts},
    )


def _right_items(keeper: Keeper, day: date, code: str | None = None) -> tuple[Item, ...]:
    sheet = keeper.on(day)

    def rank(key: Key) -> tuple[bool, date, date, int, int]:
        owner = sheet.entries[key[0]]
        credit = owner.side == "credit"
        due = owner.on if credit else due_of(owner, key[1])
        return credit, due, owner.on, owner.sequence, key[1]

    own = [key for key, minor in sheet.open.items() if minor]
    if code is not None:
        own = [key for key in own if sheet.entries[key[0]].amount.currency == code]
    return tuple(
        (key, sheet.open[key], amounts_of(sheet.entries[key[0]])[key])
        for key in sorted(own, key=rank)
    )


def _right_page(keeper: Keeper, code: str, day: date) -> Page:
    opening, rows, closing = keeper.statement(code, day - _BEFORE, day)
    sheet = keeper.on(day)
    return Page(
        opening=opening,
        rows=tuple(rows),
        closing=closing,
        stand=sheet.accounts[code],
        items=_right_items(keeper, day, code),
        buckets=tuple(sheet.ageing(code, BOUNDS, "due")),
    )


def differences(one: Answers, other: Answers) -> Iterable[str]:
    """What two answers disagree in, in words."""
    for field in attrs.fields(Answers):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if first != second:
            yield f"{field.name}: {first}\n    and not {second}"
