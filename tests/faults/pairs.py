"""Pairs of commands that meet: what each begins with, and what is looked at afterwards."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs

from clientledger import (
    Allocation,
    Book,
    Client,
    Entry,
    Member,
    Money,
    PeriodClosed,
    Settings,
    Task,
)

__all__ = ["NOW", "PAIRS", "Pair", "told"]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 1, 5)
EVER = date(2099, 1, 1)

State = Mapping[str, Any]
"""What a schedule begins with: a number of its own, ids of clients, documents."""


def eur(amount: int) -> Money:
    """Whole euros."""
    return Money.from_minor(amount * 100, "EUR")


# ------------------------------------------------------------ what is compared
def told(result: Any) -> Any:
    """What a command gave, without ids and moments."""
    match result:
        case BaseException():
            return type(result).__name__
        case Entry():
            return result.kind, str(result.amount), bool(result.number)
        case Allocation():
            return "allocation", str(result.amount), str(result.live)
        case Client():
            return result.name, _role(result.manager), result.note, result.archived, result.revision
        case Member():
            return result.active
        case Settings():
            return "settings"
        case Task():
            return result.title, _role(result.assignee), result.status
        case tuple() | list():
            return tuple(told(one) for one in result)
    return type(result).__name__


def _role(member: str | None) -> str:
    """Whom a name is of, without the number."""
    return (member or "").partition("-")[0]


def card(book: Book, has: State, client: str = "client") -> Any:
    """All that the card of a client tells, without ids and moments, in one order."""
    found = book.card(has[client], as_of=EVER)
    sums = [(unit, str(own.owed), str(own.prepaid)) for unit, own in sorted(found.accounts.items())]
    items = sorted((i.kind, i.side, str(i.amount), str(i.open)) for i in found.open_items)
    rows = sorted((row.what, row.kind, str(row.amount)) for row in found.timeline)
    return (
        told(found.client),
        tuple(sums),
        tuple(items),
        tuple(rows),
        found.purchases.count,
        tuple(sorted(map(str, found.purchases.totals.values()))),
        tuple(sorted((task.title, _role(task.assignee)) for task in found.tasks)),
        len(found.agreements),
    )


def cards(book: Book, has: State) -> Any:
    """What the cards of two clients tell."""
    return card(book, has), card(book, has, "second")


# ------------------------------------------------------------ what they begin with
def client(book: Book, n: int, **more: Any) -> dict[str, Any]:
    """A client."""
    return {"n": n, "client": book.clients.add("Acme", **more).id}


def sale(book: Book, has: State, amount: int, **more: Any) -> Entry:
    """A sale that takes no prepayment."""
    more = {"on": DAY, "use_prepayments": False, **more}
    return book.ledger.record_sale(has["client"], eur(amount), **more)


def paid(book: Book, has: State, amount: int, **more: Any) -> Entry:
    """A payment; free, unless told."""
    more = {"on": DAY, "allocate": {}, **more}
    return book.ledger.record_payment(has["client"], eur(amount), **more)


def with_sales(book: Book, n: int, *amounts: int, free: int = 0) -> State:
    """A client with some sales and a free payment."""
    has = client(book, n)
    has["sales"] = [sale(book, has, amount).id for amount in amounts]
    if free:
        has["payment"] = paid(book, has, free).id
    return has


def with_allocation(book: Book, n: int) -> State:
    """Two sales, and a payment on the first."""
    has = dict(with_sales(book, n, 100, 100, free=100))
    has["allocation"] = put(book, has, 0, 100).id
    return has


def with_two_allocations(book: Book, n: int) -> State:
    """One payment put on one sale in two parts."""
    has = dict(with_sales(book, n, 200, free=200))
    has["allocation"] = put(book, has, 0, 100).id
    put(book, has, 0, 100)
    return has


def with_limit(book: Book, n: int) -> State:
    """A client with a credit limit of 100."""
    has = client(book, n)
    limit(book, has, 100)
    return has


def two_clients(book: Book, n: int) -> State:
    """Two clients."""
    return {**client(book, n), "second": book.clients.add("Second").id}


def with_team(book: Book, n: int) -> State:
    """A client whose manager has a colleague."""
    names = {"giver": f"giver-{n}", "taker": f"taker-{n}"}
    for name in names.values():
        book.team.add(name, name)
    return {**client(book, n, manager=names["giver"]), **names}


def with_free_member(book: Book, n: int) -> State:
    """A client of one member, and another member without clients."""
    return with_team(book, n)


def with_task(book: Book, n: int) -> State:
    """An open task of a client."""
    has = client(book, n)
    has["task"] = book.tasks.add("Call", client=has["client"], due=DAY).id
    return has


def day_of(has: State) -> date:
    """A day of its own, after those of all before: what is closed stays closed."""
    return date(2026, 4, 1) + timedelta(days=has["n"])


# ------------------------------------------------------------ the commands
def put(book: Book, has: State, which: int, amount: int) -> Allocation:
    """Put an amount of the payment on a sale."""
    return book.ledger.allocate(has["payment"], has["sales"][which], eur(amount), on=DAY)


def pay(book: Book, has: State, amount: int) -> Entry:
    """A payment that settles the oldest due first."""
    return paid(book, has, amount, allocate=None)


def limit(book: Book, has: State, amount: int) -> Any:
    """Agree on a credit limit."""
    return book.agreements.promise(
        has["client"], "credit limit", "so much", amount=eur(amount), valid_from=date(2026, 1, 1)
    )


def note(book: Book, has: State) -> Entry:
    """A credit note over the first sale."""
    return book.ledger.record_credit_note(
        has["client"], eur(100), sale=has["sales"][0], reason="came back", on=DAY
    )


def write_off(book: Book, has: State, amount: int = 100) -> Entry:
    """Write off the oldest debt."""
    return book.ledger.write_off(has["client"], eur(amount), reason="lost", on=DAY)


def refund(book: Book, has: State) -> Entry:
    """Give back what is free."""
    return book.ledger.record_refund(has["client"], eur(100), on=DAY)


def void(book: Book, has: State, what: UUID | None = None) -> Entry:
    """Void the first sale."""
    return book.ledger.void(what or has["sales"][0], reason="a mistake")


def add_and_sell(book: Book, has: State) -> Any:
    """Add a client, then record a sale of it."""
    added = book.clients.add("New", external_ids={"pair": f"new-{has['n']}"})
    try:
        sold: Any = book.ledger.record_sale(added, eur(60), on=day_of(has))
    except PeriodClosed as error:
        sold = error
    return added, sold


def close(book: Book, has: State) -> Settings:
    """Close the books through the day of the schedule."""
    return book.ledger.close_period(day_of(has))


def closing(book: Book, has: State) -> Any:
    """Through which day the books are closed, and what is dated on it."""
    day = day_of(has)
    found = book.ledger.find(since=day, until=day)
    return book.settings.closed_through == day, tuple(told(one) for one in found)


def team(book: Book, has: State) -> Any:
    """Who has whom, and who is there."""
    return card(book, has), *(
        (book.team.get(has[name]).active, len(book.clients.find(manager=has[name])))
        for name in ("giver", "taker")
    )


def found(book: Book, has: State) -> Any:
    """Whether the client that both want to add is there, once."""
    return len(book.clients.find(external_id=("pair", f"c-{has['n']}"))), card(book, has)


@attrs.frozen(kw_only=True)
class Pair:
    """Two commands, and what they are given at once.

    Attributes:
        prepare: makes what a schedule begins with, of a number of its own.
        one, other: the commands.
        look: what is worth comparing afterwards; by default, all that the client's card tells.
        meet: the tables in whose rows the two meet, where that is less than the tables tell.
        book: whether it changes what binds the whole book, so that it wants a book of its own.
    """

    prepare: Callable[[Book, int], State]
    one: Callable[[Book, State], Any]
    other: Callable[[Book, State], Any]
    look: Callable[[Book, State], Any] = card
    meet: frozenset[str] | None = None
    book: bool = False


PAIRS: Mapping[str, Pair] = {
    "allocate/allocate": Pair(
        prepare=lambda book, n: with_sales(book, n, 80, 80, free=100),
        one=lambda book, has: put(book, has, 0, 80),
        other=lambda book, has: put(book, has, 1, 80),
    ),
    "payment/payment": Pair(
        prepare=lambda book, n: with_sales(book, n, 100),
        one=lambda book, has: pay(book, has, 70),
        other=lambda book, has: pay(book, has, 60),
    ),
    "sale/allocate": Pair(
        prepare=lambda book, n: with_sales(book, n, 100, free=100),
        one=lambda book, has: sale(book, has, 100, use_prepayments=True),
        other=lambda book, has: put(book, has, 0, 100),
    ),
    "void/pay": Pair(
        prepare=lambda book, n: with_sales(book, n, 100),
        one=void,
        other=lambda book, has: paid(book, has, 100, allocate={has["sales"][0]: eur(100)}),
    ),
    "void/void": Pair(
        prepare=lambda book, n: with_sales(book, n, 100),
        one=void,
        other=void,
    ),
    "release/allocate": Pair(
        prepare=with_allocation,
        one=lambda book, has: book.ledger.release(has["allocation"]),
        other=lambda book, has: put(book, has, 1, 50),
    ),
    "release/release": Pair(
        prepare=with_two_allocations,
        one=lambda book, has: book.ledger.release(has["allocation"]),
        other=lambda book, has: book.ledger.release(has["allocation"]),
    ),
    "refund/allocate": Pair(
        prepare=lambda book, n: with_sales(book, n, 100, free=100),
        one=refund,
        other=lambda book, has: put(book, has, 0, 100),
    ),
    "limit/limit": Pair(
        prepare=with_limit,
        one=lambda book, has: sale(book, has, 60),
        other=lambda book, has: sale(book, has, 70),
    ),
    "promise/sale": Pair(
        prepare=with_limit,
        one=lambda book, has: limit(book, has, 50),
        other=lambda book, has: sale(book, has, 70),
    ),
    "note/write-off": Pair(
        prepare=lambda book, n: with_sales(book, n, 100), one=note, other=write_off
    ),
    "same key": Pair(
        prepare=client,
        one=lambda book, has: sale(book, has, 60, key=f"key-{has['n']}"),
        other=lambda book, has: sale(book, has, 60, key=f"key-{has['n']}"),
    ),
    "key reused": Pair(
        prepare=two_clients,
        one=lambda book, has: sale(book, has, 60, key=f"reused-{has['n']}"),
        other=lambda book, has: sale(book, {"client": has["second"]}, 61, key=f"reused-{has['n']}"),
        look=cards,
        meet=frozenset({"claims"}),
    ),
    "same number": Pair(
        prepare=two_clients,
        one=lambda book, has: sale(book, has, 60, number=f"N{has['n']}"),
        other=lambda book, has: sale(book, {"client": has["second"]}, 61, number=f"N{has['n']}"),
        look=cards,
        meet=frozenset({"claims"}),
    ),
    "same external id": Pair(
        prepare=client,
        one=lambda book, has: book.clients.add("One", external_ids={"pair": f"c-{has['n']}"}),
        other=lambda book, has: book.clients.add("Two", external_ids={"pair": f"c-{has['n']}"}),
        look=found,
        meet=frozenset({"claims"}),
    ),
    "update/update": Pair(
        prepare=client,
        one=lambda book, has: book.clients.update(has["client"], note="nice"),
        other=lambda book, has: book.clients.update(has["client"], name="Other"),
    ),
    "update/update of one revision": Pair(
        prepare=client,
        one=lambda book, has: book.clients.update(has["client"], note="nice", revision=1),
        other=lambda book, has: book.clients.update(has["client"], name="Other", revision=1),
    ),
    "close/sale": Pair(
        prepare=client,
        one=close,
        other=lambda book, has: sale(book, has, 60, on=day_of(has)),
        look=lambda book, has: (closing(book, has), card(book, has)),
        book=True,
    ),
    "close/add and sale": Pair(
        prepare=lambda book, n: {"n": n}, one=close, other=add_and_sell, look=closing, book=True
    ),
    "hand over/sale": Pair(
        prepare=with_team,
        one=lambda book, has: book.team.hand_over(has["giver"], has["taker"]),
        other=lambda book, has: sale(book, has, 60),
        look=team,
    ),
    "deactivate/add": Pair(
        prepare=with_free_member,
        one=lambda book, has: book.team.deactivate(has["taker"]),
        other=lambda book, has: book.clients.add("New", manager=has["taker"]),
        look=team,
    ),
    "deactivate/hand over": Pair(
        prepare=with_team,
        one=lambda book, has: book.team.deactivate(has["taker"]),
        other=lambda book, has: book.team.hand_over(has["giver"], has["taker"]),
        look=team,
    ),
    "archive/sale": Pair(
        prepare=client,
        one=lambda book, has: book.clients.archive(has["client"]),
        other=lambda book, has: sale(book, has, 60),
    ),
    "archive/task": Pair(
        prepare=client,
        one=lambda book, has: book.clients.archive(has["client"]),
        other=lambda book, has: book.tasks.add("Call", client=has["client"], due=DAY),
    ),
    "complete/cancel": Pair(
        prepare=with_task,
        one=lambda book, has: book.tasks.complete(has["task"], "done"),
        other=lambda book, has: book.tasks.cancel(has["task"], "no more"),
    ),
}
