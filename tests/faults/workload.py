"""What the processes do that are killed: random commands, each announced before and told after.

A command is plain data, so that another process can read it and give it again. Each has an
idempotency key, and what it makes names that key under the source `MARKER` of external ids: so
plain SQL can tell what belongs to which.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import attrs

from clientledger import (
    Book,
    ClientLedgerError,
    Entry,
    Interaction,
    Money,
    StoreError,
    Task,
)
from clientledger import Client as Client_

__all__ = ["MARKER", "Chooser", "Command", "Told", "fresh", "perform", "perform_all", "printed"]

MARKER = "fault"
FIRST = date(2026, 1, 1)
MINORS = (1, 99, 100, 101, 5_000, 12_345, 900_001, 10**9 + 1)
UNITS = ("EUR", "EUR", "EUR", "JPY", "KWD")
KEPT = 40


@attrs.frozen
class Command:
    """One command as plain data.

    Attributes:
        key: its idempotency key; of two in one transaction, the beginning of both keys.
        kind: which command.
        told: its arguments.
    """

    key: str
    kind: str
    told: Mapping[str, Any]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it records: all of them, or none."""
        if self.kind == "pair":
            return f"{self.key}/1", f"{self.key}/2"
        return () if self.kind == "changes" else (self.key,)

    def dump(self) -> str:
        """As one line of text."""
        return json.dumps([self.key, self.kind, self.told])

    @classmethod
    def load(cls, text: str) -> "Command":
        """From one line of text."""
        return cls(*json.loads(text))


# ------------------------------------------------------------ doing it
def perform(book: Book, command: Command) -> list[Any]:
    """Give a command; return what it made."""
    if command.kind == "changes":
        book.changes(limit=5)
        return []
    if command.kind != "pair":
        return [_DONE[command.kind](book, command.key, command.told)]

    def both(inner: Book) -> list[Any]:
        told, keys = command.told, command.keys
        return [_sale(inner, keys[0], told["sale"]), _payment(inner, keys[1], told["payment"])]

    if command.told["run"]:
        return book.run(both)
    with book.atomic() as inner:
        return both(inner)


def _named(key: str) -> dict[str, Any]:
    return {"key": key, "external_ids": {MARKER: key}}


def _money(told: Any) -> Money:
    return Money.from_minor(*told)


def _day(told: Mapping[str, Any]) -> date:
    return date.fromisoformat(told["on"])


def _client(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.clients.add(told["name"], emails=[told["email"]], **_named(key))


def _sale(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.record_sale(
        told["client"],
        [tuple(line) for line in told["lines"]] if "lines" in told else _money(told["amount"]),
        currency="EUR" if "lines" in told else None,
        on=_day(told),
        instalments=[(date.fromisoformat(on), _money(part)) for on, part in told["parts"]] or None,
        number=told["number"],
        use_prepayments=told["use"],
        **_named(key),
    )


def _payment(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    allocate: dict[Any, Any] | None = {} if told["free"] else None
    amount = _money(told["amount"])
    return book.ledger.record_payment(
        told["client"], amount, on=_day(told), allocate=allocate, method="cash", **_named(key)
    )


def _credit_note(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    amount = _money(told["amount"])
    return book.ledger.record_credit_note(
        told["client"], amount, sale=told["sale"], reason="came back", on=_day(told), **_named(key)
    )


def _refund(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    amount = _money(told["amount"])
    return book.ledger.record_refund(told["client"], amount, on=_day(told), **_named(key))


def _write_off(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    amount = _money(told["amount"])
    return book.ledger.write_off(
        told["client"], amount, reason="lost", on=_day(told), **_named(key)
    )


def _opening(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    amount = _money(told["amount"])
    return book.ledger.record_opening_balance(told["client"], amount, on=_day(told), **_named(key))


def _exchange(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.exchange(
        told["credit"], _money(told["amount"]), _money(told["into"]), **_named(key)
    )


def _void(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.void(told["entry"], reason="a mistake", **_named(key))


def _correct(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.correct(
        told["entry"], reason="a slip", amount=_money(told["amount"]), **_named(key)
    )


def _allocate(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.allocate(told["credit"], told["debit"], _money(told["amount"]), key=key)


def _release(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.ledger.release(told["allocation"], key=key)


def _task(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.tasks.add("Call back", client=told["client"], due=_day(told), **_named(key))


def _complete(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.tasks.complete(told["task"], "done", key=key)


def _interaction(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.interactions.log(told["client"], "call", told["said"], body="…", **_named(key))


def _revise(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.interactions.revise(told["interaction"], summary=told["said"], key=key)


def _promise(book: Book, key: str, told: Mapping[str, Any]) -> Any:
    return book.agreements.promise(told["client"], "discount", "5 %", percent="5", **_named(key))


_DONE: Mapping[str, Callable[[Book, str, Mapping[str, Any]], Any]] = {
    "client": _client,
    "sale": _sale,
    "payment": _payment,
    "credit note": _credit_note,
    "refund": _refund,
    "write-off": _write_off,
    "opening balance": _opening,
    "exchange": _exchange,
    "void": _void,
    "correct": _correct,
    "allocate": _allocate,
    "release": _release,
    "task": _task,
    "complete": _complete,
    "interaction": _interaction,
    "revise": _revise,
    "promise": _promise,
}


# ------------------------------------------------------------ choosing it
class Chooser:
    """Chooses commands at random that mostly can be done.

    Args:
        book: where it looks for what is there already.
        chance: chooses.
        prefix: the beginning of the keys, which no other process has.
    """

    def __init__(self, book: Book, chance: Random, prefix: str) -> None:
        self._book = book
        self._chance = chance
        self._prefix = prefix
        self._count = 0
        self._clients: list[str] = []
        self._debits: list[str] = []
        self._credits: list[str] = []
        self._tasks: list[str] = []
        self._interactions: list[str] = []
        self._look_around()

    def next(self) -> Command:
        """Choose a command."""
        self._count += 1
        key = f"{self._prefix}-{self._count}"
        if not self._clients:
            return Command(key, "client", self._told("client"))
        while True:
            kind = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            told = self._told(kind)
            if told is not None:
                return Command(key, kind, told)

    def note(self, made: Iterable[Any]) -> None:
        """Remember what a command made: others act on it."""
        for one in made:
            kept = self._kept(one)
            if kept is not None:
                kept.append(str(one.id))
                del kept[:-KEPT]

    def _kept(self, made: Any) -> list[str] | None:
        match made:
            case Client_():
                return self._clients
            case Entry() if made.kind != "void":
                return self._debits if made.side == "debit" else self._credits
            case Task() if made.status == "open":
                return self._tasks
            case Interaction():
                return self._interactions
        return None

    def _look_around(self) -> None:
        found = list(self._book.clients.find(limit=200))
        for client in self._chance.sample(found, min(len(found), 6)):
            self._clients.append(str(client.id))
        for client_id in self._clients[:3]:
            for item in self._book.ledger.open_items(client_id, limit=8):
                kept = self._debits if item.side == "debit" else self._credits
                kept.append(str(item.entry))

    def _told(self, kind: str) -> Any:
        """The arguments of a command of a kind; None where there is nothing to do it with."""
        chance = self._chance
        match kind:
            case "client":
                name = f"Client {chance.randrange(10**6)}"
                return {"name": name, "email": f"office@c{chance.randrange(10**6)}.example"}
            case "sale":
                return self._sale()
            case "pair":
                sale = self._sale()
                payment = {**self._paper(), "client": sale["client"], "free": False}
                return {"sale": sale, "payment": payment, "run": chance.random() < 0.5}
            case "changes":
                return {}
            case "payment":
                return {**self._paper(), "free": chance.random() < 0.3}
            case "opening balance":
                paper = self._paper()
                minor, unit = paper["amount"]
                return {**paper, "amount": [chance.choice([minor, -minor]), unit]}
            case "refund" | "write-off":
                return {**self._paper(), "amount": [chance.choice(MINORS[:4]), "EUR"]}
            case "task":
                return self._paper()
            case "interaction" | "promise":
                client = chance.choice(self._clients)
                return {"client": client, "said": f"Asked for a better price: {chance.random()}"}
        return self._told_of_others(kind)

    def _told_of_others(self, kind: str) -> Any:
        """The arguments of a command on what is there already."""
        chance = self._chance
        amount: list[Any] = [chance.choice(MINORS), chance.choice(UNITS)]
        entries = [*self._debits, *self._credits]
        match kind:
            case "credit note" if self._debits:
                sale = self._book.ledger.get(chance.choice(self._debits))
                if sale.kind == "sale":
                    amount = [chance.choice(MINORS), sale.currency]
                    client = str(sale.client)
                    return {
                        **self._paper(),
                        "client": client,
                        "amount": amount,
                        "sale": str(sale.id),
                    }
            case "void" if entries:
                return {"entry": chance.choice(entries)}
            case "correct" if entries:
                entry = self._book.ledger.get(chance.choice(entries))
                return {"entry": str(entry.id), "amount": [amount[0], entry.currency]}
            case "exchange" if self._credits:
                credit = self._book.ledger.get(chance.choice(self._credits))
                amount = [min(amount[0], credit.amount.minor), credit.currency]
                return {"credit": str(credit.id), "amount": amount, "into": [777, "USD"]}
            case "allocate":
                return self._allocation()
            case "release" if self._credits:
                state = self._book.ledger.state(chance.choice(self._credits))
                live = [str(one.id) for one in state.allocations if one.live]
                return {"allocation": chance.choice(live)} if live else None
            case "complete" if self._tasks:
                return {"task": self._tasks.pop(chance.randrange(len(self._tasks)))}
            case "revise" if self._interactions:
                said = f"Asked again: {chance.random()}"
                return {"interaction": chance.choice(self._interactions), "said": said}
        return None

    def _allocation(self) -> Any:
        client = self._chance.choice(self._clients)
        items = self._book.ledger.open_items(client, currency="EUR", limit=20)
        debits = [item for item in items if item.side == "debit"]
        credits = [item for item in items if item.side == "credit"]
        if not debits or not credits:
            return None
        debit, credit = self._chance.choice(debits), self._chance.choice(credits)
        amount = min(debit.open.minor, credit.open.minor)
        return {
            "credit": str(credit.entry),
            "debit": str(debit.entry),
            "amount": [self._chance.choice([1, amount]), "EUR"],
        }

    def _on(self) -> date:
        return FIRST + timedelta(self._chance.randrange(60))

    def _paper(self) -> dict[str, Any]:
        return {
            "client": self._chance.choice(self._clients),
            "amount": [self._chance.choice(MINORS), self._chance.choice(UNITS)],
            "on": self._on().isoformat(),
        }

    def _sale(self) -> dict[str, Any]:
        chance, on = self._chance, self._on()
        told: dict[str, Any] = {**self._paper(), "on": on.isoformat(), "parts": []}
        told["number"] = f"{self._prefix}-{self._count}" if chance.random() < 0.5 else None
        told["use"] = chance.random() < 0.7
        if chance.random() < 0.6:
            count = chance.randrange(1, 5)
            told["lines"] = [["Beans", chance.randrange(1, 99), "9.905"] for _ in range(count)]
        elif chance.random() < 0.6:
            unit = told["amount"][1]
            parts = [(on + timedelta(30 * n), chance.choice(MINORS)) for n in range(3)]
            told["parts"] = [[due.isoformat(), [part, unit]] for due, part in parts]
            told["amount"] = [sum(part for _, part in parts), unit]
        return told


_WEIGHTS = {
    "client": 3,
    "sale": 24,
    "payment": 18,
    "credit note": 6,
    "refund": 3,
    "write-off": 3,
    "opening balance": 2,
    "exchange": 2,
    "void": 6,
    "correct": 5,
    "allocate": 4,
    "release": 4,
    "task": 4,
    "complete": 3,
    "interaction": 5,
    "revise": 2,
    "promise": 1,
    "pair": 5,
    "changes": 3,
}


# ------------------------------------------------------------ telling it
Say = Callable[[str], None]


def printed(file: int) -> Say:
    """How to tell a line at once, by a file that outlives the process."""

    def say(line: str) -> None:
        os.write(file, f"{line}\n".encode())

    return say


def hasty(book: Book, command: Command, say: Say) -> list[Any]:
    """Give a command, and tell that it was recorded before it is: a planted fault."""
    with book.atomic() as inner:
        made = perform(inner, command)
        say(f"+ {command.key}")
        time.sleep(0.002)
    return made


def perform_all(
    book: Book,
    commands: Iterable[Command],
    say: Say,
    note: Callable[[Iterable[Any]], object] = list,
    *,
    too_soon: bool = False,
) -> None:
    """Give commands: each is announced, then done, then what became of it is told.

    Args:
        note: what takes what was made.
        too_soon: whether to plant a fault: each is told to be recorded before it is.

    Raises:
        Exception: whatever is no error of the library; it is told first.
    """
    for command in commands:
        say(f"? {command.dump()}")
        try:
            made = hasty(book, command, say) if too_soon else perform(book, command)
        except StoreError as error:
            said = " ".join(str(error).split())
            say(f"~ {command.key} {type(error).__name__}: {said}")
        except ClientLedgerError as error:
            say(f"- {command.key} {type(error).__name__}")
        except BaseException as error:
            say(f"! {command.key} {error!r}")
            raise
        else:
            say(f"+ {command.key}")
            note(made)


def fresh(chooser: Chooser, count: int | None) -> Iterable[Command]:
    """So many new commands; without end where no number is told."""
    done = 0
    while count is None or done < count:
        done += 1
        yield chooser.next()


@attrs.define
class Told:
    """What processes told of their commands.

    Attributes:
        commands: all that were announced, by key, in order.
        kept: keys of commands that were told to be recorded.
        refused: keys of commands that were told to be refused.
        unsure: of which the storage said that it failed, and how it said so.
        strange: what was no error of the library.
    """

    commands: dict[str, Command] = attrs.field(factory=dict)
    kept: set[str] = attrs.field(factory=set)
    refused: set[str] = attrs.field(factory=set)
    unsure: dict[str, str] = attrs.field(factory=dict)
    strange: list[str] = attrs.field(factory=list)

    def hear(self, line: str) -> None:
        """Take a whole line."""
        sign, _, rest = line.partition(" ")
        if sign == "?":
            command = Command.load(rest)
            self.commands[command.key] = command
            return
        key, _, more = rest.partition(" ")
        if sign == "!":
            self.strange.append(rest)
            return
        if sign == "~":
            self.unsure[key] = more
            return
        {"+": self.kept, "-": self.refused}[sign].add(key)

    def hear_all(self, text: str) -> None:
        """Take lines; the last one may be cut short."""
        for line in text.split("\n")[:-1]:
            self.hear(line)

    @property
    def open(self) -> list[Command]:
        """Commands of which nobody was told what became of them."""
        known = self.kept | self.refused
        return [command for key, command in self.commands.items() if key not in known]

    def problems(self, recorded: frozenset[str] | set[str]) -> list[str]:
        """What differs between what was told and the keys that are recorded."""
        found = [f"not an error of the library: {one}" for one in self.strange]
        for key, command in self.commands.items():
            there = [one in recorded for one in command.keys]
            if key in self.kept and not all(there):
                found.append(f"{command.kind} {key} was acknowledged and is lost")
            elif key in self.refused and any(there):
                found.append(f"{command.kind} {key} was refused and is there")
            elif any(there) and not all(there):
                found.append(f"{command.kind} {key} is there in part")
        return found
