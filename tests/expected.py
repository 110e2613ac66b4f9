"""Figures of debts computed apart from the library: whole cents, plain loops, nothing imported."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple, TypeVar

T = TypeVar("T")
BOUNDS = (0, 30, 60, 90)


class Debt(NamedTuple):
    """What a client has to pay."""

    client: str
    id: str
    day: date
    due: date
    cents: int


class Paid(NamedTuple):
    """What a client has paid."""

    client: str
    id: str
    day: date
    cents: int


class Put(NamedTuple):
    """An amount of a payment that settles a debt from a day on."""

    paid: str
    debt: str
    day: date
    cents: int


class Aged(NamedTuple):
    """What a client owes by age, and what it has prepaid."""

    buckets: tuple[int, ...]
    prepaid: int

    @property
    def owed(self) -> int:
        return sum(self.buckets)


class Debts:
    """The debts and payments of a shop, and who owes what on a day."""

    def __init__(self) -> None:
        self.debts: dict[str, list[Debt]] = {}
        self.paid: dict[str, list[Paid]] = {}
        self.puts: dict[str, list[Put]] = {}

    def add(self, fact: Debt | Paid | Put) -> None:
        if isinstance(fact, Put):
            self.puts.setdefault(fact.debt, []).append(fact)
            self.puts.setdefault(fact.paid, []).append(fact)
        elif isinstance(fact, Debt):
            self.debts.setdefault(fact.client, []).append(fact)
        else:
            self.paid.setdefault(fact.client, []).append(fact)

    def open_debts(self, day: date, client: str | None = None) -> Iterator[tuple[Debt, int]]:
        for debt in of(self.debts, client):
            left = debt.cents - self.put(debt.id, day)
            if debt.day <= day and left:
                yield debt, left

    def free(self, day: date, client: str | None = None) -> Iterator[tuple[Paid, int]]:
        for paid in of(self.paid, client):
            left = paid.cents - self.put(paid.id, day)
            if paid.day <= day and left:
                yield paid, left

    def put(self, id: str, day: date) -> int:
        """What of a payment or a debt has been settled by a day."""
        return sum(put.cents for put in self.puts.get(id, []) if put.day <= day)

    def aged(self, day: date, by: str = "due") -> dict[str, Aged]:
        """Who owes or has prepaid anything, by days past due or since the document's date."""
        owed: dict[str, list[int]] = {}
        prepaid: dict[str, int] = {}
        for debt, cents in self.open_debts(day):
            days = (day - (debt.due if by == "due" else debt.day)).days
            place = sum(days > bound for bound in BOUNDS)
            owed.setdefault(debt.client, [0] * (len(BOUNDS) + 1))[place] += cents
        for paid, cents in self.free(day):
            prepaid[paid.client] = prepaid.get(paid.client, 0) + cents
        nothing = [0] * (len(BOUNDS) + 1)
        return {
            client: Aged(tuple(owed.get(client, nothing)), prepaid.get(client, 0))
            for client in owed.keys() | prepaid.keys()
        }

    def overdue(self, day: date) -> dict[str, int]:
        """Who is late, and with how much."""
        late: dict[str, int] = {}
        for debt, cents in self.open_debts(day):
            if debt.due < day:
                late[debt.client] = late.get(debt.client, 0) + cents
        return late


def of(facts: dict[str, list[T]], client: str | None) -> list[T]:
    own = facts.values() if client is None else [facts.get(client, [])]
    return [fact for part in own for fact in part]
