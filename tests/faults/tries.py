"""Commands that are given again and again: what each is, and how plain SQL counts what it did.

None of them names an external id, which would be unique by itself: nothing but its key keeps a
command from being recorded twice. What it makes has its token for a name, and its key is another
text, so that keys that nearly are the same belong to commands that have nothing in common.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from typing import Any, NamedTuple

import attrs
from tests.faults.auditor import connected
from tests.faults.places import bare

from clientledger import Book, Money

__all__ = ["KINDS", "OTHER", "Try", "effects", "near", "planned", "try_again"]

DAY = date(2026, 3, 2)
UNIT = "EUR"
OTHER = "!"
"""How the token of a command ends that must never be recorded."""


@attrs.frozen(kw_only=True)
class Try:
    """A command as plain data.

    Attributes:
        token: the name of what it makes, which nothing else has.
        client: whom it is about.
        minor: the amount.
        on: what it acts on: of an allocation a credit and a debit, of a void a sale, of a release
            an allocation.
    """

    key: str
    token: str
    kind: str
    client: str
    minor: int = 100
    on: tuple[str, ...] = ()

    @property
    def signed(self) -> int:
        """What it adds to the balance of the client."""
        return {"sale": self.minor, "payment": -self.minor, "void": -VOIDED}.get(self.kind, 0)

    def dump(self) -> dict[str, Any]:
        """As plain data."""
        return attrs.asdict(self)

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> "Try":
        """Of plain data."""
        return cls(**{**told, "on": tuple(told["on"])})


VOIDED = 700
"""What a sale is over that is to be voided."""


# ------------------------------------------------------------ doing it
def _sale(book: Book, told: Try) -> Any:
    price = Money.from_minor(told.minor, UNIT).amount
    lines = [(told.token, 1, price)]
    return book.ledger.record_sale(
        told.client, lines, currency=UNIT, on=DAY, use_prepayments=False, key=told.key
    )


def _payment(book: Book, told: Try) -> Any:
    money = Money.from_minor(told.minor, UNIT)
    return book.ledger.record_payment(
        told.client, money, on=DAY, allocate={}, method=told.token, key=told.key
    )


def _client(book: Book, told: Try) -> Any:
    return book.clients.add(told.token, key=told.key)


def _task(book: Book, told: Try) -> Any:
    return book.tasks.add(told.token, client=told.client, key=told.key)


def _interaction(book: Book, told: Try) -> Any:
    return book.interactions.log(told.client, "call", told.token, key=told.key)


def _void(book: Book, told: Try) -> Any:
    return book.ledger.void(told.on[0], reason=told.token, key=told.key)


def _allocate(book: Book, told: Try) -> Any:
    money = Money.from_minor(told.minor, UNIT)
    return book.ledger.allocate(told.on[0], told.on[1], money, key=told.key)


def _release(book: Book, told: Try) -> Any:
    return book.ledger.release(told.on[0], Money.from_minor(told.minor, UNIT), key=told.key)


_DONE: Mapping[str, Callable[[Book, Try], Any]] = {
    "sale": _sale,
    "payment": _payment,
    "client": _client,
    "task": _task,
    "interaction": _interaction,
    "void": _void,
    "allocate": _allocate,
    "release": _release,
}
KINDS = tuple(_DONE)


def try_again(book: Book, told: Try) -> str:
    """Give a command, for the first time or again; the id of what it made."""
    return str(_DONE[told.kind](book, told).id)


def near(told: Try, another: bool) -> Try:
    """The same key with other arguments, or for another command."""
    token = f"{told.token}{OTHER}"
    if another:
        kind = "task" if told.kind != "task" else "interaction"
        return attrs.evolve(told, kind=kind, token=token)
    return attrs.evolve(told, token=token, minor=told.minor + 1)


# ------------------------------------------------------------ planning it
def _keys(count: int) -> Iterator[str]:
    """Keys of which many are nearly the same: by case, by spaces, as numbers, as patterns."""
    number = 0
    while True:
        base = f"Key {number}"
        variants = (
            (base, base.lower(), base.upper(), f"Key  {number}", f"Key{number}"),
            (f"Key_{number}", f"Key%{number}", f"Key\\{number}", f"Key'{number}", f'Key"{number}'),
            (f"{number + 7}", f"0{number + 7}", f"{number + 7}.0", f"+{number + 7}"),
            tuple(f"{number}".ljust(254, "k") + end for end in "aAb"),
        )[number % 4]
        for key in variants:
            if not count:
                return
            count -= 1
            yield key
        number += 1


def planned(book: Book, count: int) -> list[Try]:
    """Plan so many commands, of every kind in turn, and make what they act on."""
    clients = [str(book.clients.add(f"Client {n}").id) for n in range(2)]
    found = []
    for number, key in enumerate(_keys(count)):
        kind, client = KINDS[number % len(KINDS)], clients[number % 2]
        told = Try(key=key, token=f"t{number}.", kind=kind, client=client, minor=101 + number)
        found.append(attrs.evolve(told, on=_acted_on(book, kind, client, told.minor)))
    return found


def _acted_on(book: Book, kind: str, client: str, minor: int) -> tuple[str, ...]:
    if kind == "void":
        sale = book.ledger.record_sale(
            client, Money.from_minor(VOIDED, UNIT), on=DAY, use_prepayments=False
        )
        return (str(sale.id),)
    if kind not in ("allocate", "release"):
        return ()
    much = Money.from_minor(9 * minor, UNIT)  # so that a second time would not be refused
    debit = book.ledger.record_sale(client, much, on=DAY, use_prepayments=False)
    credit = book.ledger.record_payment(client, much, on=DAY, allocate={})
    if kind == "allocate":
        return str(credit.id), str(debit.id)
    return (str(book.ledger.allocate(credit, debit, much).id),)


# ------------------------------------------------------------ counting it
class _Where(NamedTuple):
    table: str
    column: str


_NAMES = (
    _Where("clients", "name"),
    _Where("entries", "method"),
    _Where("entries", "reason"),
    _Where("entry_lines", "name"),
    _Where("tasks", "title"),
    _Where("interactions", "summary"),
)


def effects(url: str, plan: Iterable[Try]) -> tuple[Counter[str], set[str]]:
    """How often each command was done, by token; and the tokens of others that were."""
    acted = {
        (told.kind, told.on[0].replace("-", "")): told.token
        for told in plan
        if told.kind in ("allocate", "release")
    }
    tokens = {told.token for told in plan}
    counts: Counter[str] = Counter()
    with closing(connected(bare(url))) as db:
        cursor = db.cursor()
        for table, column in _NAMES:
            cursor.execute(f"SELECT {column} FROM {table}")
            counts.update(row[0] for row in cursor.fetchall())
        for kind, table, column in (
            ("allocate", "allocations", "credit_id"),
            ("release", "releases", "allocation_id"),
        ):
            cursor.execute(f"SELECT {column} FROM {table}")
            for (id,) in cursor.fetchall():
                counts[acted.get((kind, str(id).replace("-", "").lower()), "")] += 1
    strange = {name for name in counts if name and name not in tokens and "." in name}
    return counts, strange
