"""Commands on hot clients: several processes want the same few clients, documents and numbers."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import attrs
from tests.faults.workload import MARKER, Command, perform

from clientledger import Allocation, Book, ClientLedgerError, Entry, Money

__all__ = ["FIRST", "SPAN", "Answer", "Hot", "answered", "command_of", "give", "loaded"]

FIRST = date(2026, 1, 1)
SPAN = 60
MINORS = (1, 99, 100, 101, 5_000, 12_345)
UNITS = ("EUR", "EUR", "EUR", "EUR", "JPY")
MANY = 30
"""Open items of one side above which they are worked off, so that an account stays small."""

KEPT = 30


@attrs.frozen(kw_only=True)
class Answer:
    """What became of a command.

    Attributes:
        begin, end: when it was given and answered, by the clock of the machine.
        error: the name of the error; empty where it was recorded.
        told: of its arguments, the client and the date.
        made: what it made, in plain data.
    """

    key: str
    kind: str
    begin: float
    end: float
    error: str = ""
    told: Mapping[str, Any] = attrs.field(factory=dict)
    made: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def kept(self) -> bool:
        """Whether it was acknowledged."""
        return not self.error

    @property
    def on(self) -> date | None:
        """The business date that was told."""
        return date.fromisoformat(self.told["on"]) if "on" in self.told else None

    def dump(self) -> dict[str, Any]:
        """As plain data."""
        return attrs.asdict(self)


# ------------------------------------------------------------ doing it
def give(book: Book, command: Command) -> Any:
    """Give a command; return what it made."""
    if command.kind != "split":
        return perform(book, command)[0]
    told = command.told
    return book.ledger.record_payment(
        told["client"],
        Money.from_minor(*told["amount"]),
        allocate=[(debit, Money.from_minor(*amount)) for debit, amount in told["parts"]],
        on=date.fromisoformat(told["on"]),
        key=command.key,
        external_ids={MARKER: command.key},
    )


def answered(book: Book, command: Command, hold: float = 0) -> tuple[Answer, Any]:
    """Give a command; what became of it, and what it made.

    Args:
        hold: seconds for which its transaction is held open after it.
    """

    def held(inner: Book) -> Any:
        made = give(inner, command)
        time.sleep(hold)
        return made

    made, error, begin = None, "", time.monotonic()
    try:
        made = book.run(held) if hold else give(book, command)
    except ClientLedgerError as refused:
        error = type(refused).__name__
    end = time.monotonic()
    told = {name: command.told[name] for name in ("client", "on") if name in command.told}
    answer = Answer(
        key=command.key,
        kind=command.kind,
        begin=begin,
        end=end,
        error=error,
        told=told,
        made={} if made is None else _plain(made),
    )
    return answer, made


def _plain(made: Any) -> dict[str, Any]:
    if not isinstance(made, Entry):
        return {"id": str(made.id)}
    return {
        "id": str(made.id),
        "client": str(made.client),
        "kind": made.kind,
        "sequence": made.sequence,
        "signed": made.signed,
        "currency": made.currency,
        "number": made.number,
        "undoes": None if made.undoes is None else str(made.undoes),
    }


# ------------------------------------------------------------ choosing it
class Hot:
    """Chooses commands that mostly can be done, on documents that others want too.

    Args:
        book: where it looks for what is open.
        prefix: the beginning of the keys, which no other process has.
        numbers: how many numbers there are for sales; all processes take from the same.
    """

    def __init__(
        self, book: Book, chance: Random, prefix: str, clients: Sequence[str], numbers: int
    ) -> None:
        self._book, self._chance = book, chance
        self._prefix, self._clients, self._numbers = prefix, clients, numbers
        self._count = 0
        self._entries: list[str] = []
        self._payments: list[str] = []
        self._allocations: list[str] = []

    def next(self) -> Command:
        """Choose a command."""
        self._count += 1
        while True:
            client = self._chance.choice(self._clients)
            kind = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            kind, told = self._told(kind, client)
            if told is not None:
                return Command(f"{self._prefix}-{self._count}", kind, told)

    def note(self, made: Any) -> None:
        """Remember what a command made."""
        match made:
            case Entry() if made.kind != "void":
                self._keep(self._entries, made)
                if made.kind == "payment":
                    self._keep(self._payments, made)
            case Allocation() if made.live:
                self._keep(self._allocations, made)

    @staticmethod
    def _keep(kept: list[str], made: Entry | Allocation) -> None:
        kept.append(str(made.id))
        del kept[:-KEPT]

    def _told(self, kind: str, client: str) -> tuple[str, dict[str, Any] | None]:
        paper = self._paper(client)
        match kind:
            case "sale":
                return kind, self._sale(paper)
            case "payment":
                return kind, {**paper, "free": self._chance.random() < 0.3}
            case "task" | "interaction":
                return kind, {**paper, "said": f"Asked again: {self._chance.random()}"}
            case "void":
                told = {"entry": self._chance.choice(self._entries)} if self._entries else None
                return kind, told
            case "release":
                return kind, self._release()
        return self._on_open(kind, client, paper)

    def _on_open(
        self, kind: str, client: str, paper: dict[str, Any]
    ) -> tuple[str, dict[str, Any] | None]:
        """A command on what is open at the moment; or one that works it off, if it is much."""
        items = list(self._book.ledger.open_items(client, currency="EUR", limit=4 * MANY))
        debits = [item for item in items if item.side == "debit"]
        credits_ = [item for item in items if item.side == "credit"]
        for side, cure in ((debits, "payment"), (credits_, "sale")):
            if len(side) > MANY:
                amount = [sum(item.open.minor for item in side), "EUR"]
                told = {**paper, "amount": amount}
                return cure, {**told, "free": False} if cure == "payment" else self._plain(told)
        if not debits:
            return kind, None
        if kind == "split":
            some = self._chance.sample(debits, min(len(debits), self._chance.randrange(1, 6)))
            minors = [self._part(item.open.minor) for item in some]
            entries = [str(item.entry) for item in some]
            parts = [[id, [minor, "EUR"]] for id, minor in zip(entries, minors, strict=True)]
            whole = sum(minors)
            return kind, {**paper, "amount": [whole, "EUR"], "parts": parts}
        debit = self._chance.choice(debits)
        if kind == "credit note":
            if debit.kind != "sale":
                return kind, None
            amount = [self._part(debit.open.minor), "EUR"]
            return kind, {**paper, "amount": amount, "sale": str(debit.entry)}
        if not credits_:
            return kind, None
        credit = self._chance.choice(credits_)
        amount = [self._part(min(debit.open.minor, credit.open.minor)), "EUR"]
        return kind, {"credit": str(credit.entry), "debit": str(debit.entry), "amount": amount}

    def _part(self, most: int) -> int:
        return self._chance.choice((1, most, max(1, most // 2)))

    def _release(self) -> dict[str, Any] | None:
        if self._allocations and self._chance.random() < 0.3:
            return {"allocation": self._chance.choice(self._allocations)}
        if not self._payments:
            return None
        state = self._book.ledger.state(self._chance.choice(self._payments))
        live = [str(one.id) for one in state.allocations if one.live]
        return {"allocation": self._chance.choice(live)} if live else None

    def _paper(self, client: str) -> dict[str, Any]:
        chance = self._chance
        on = FIRST + timedelta(chance.randrange(SPAN))
        amount = [chance.choice(MINORS), chance.choice(UNITS)]
        return {"client": client, "amount": amount, "on": on.isoformat()}

    @staticmethod
    def _plain(paper: dict[str, Any]) -> dict[str, Any]:
        return {**paper, "parts": [], "number": None, "use": True}

    def _sale(self, paper: dict[str, Any]) -> dict[str, Any]:
        chance, told = self._chance, self._plain(paper)
        told["use"] = chance.random() < 0.6
        if chance.random() < 0.3:
            told["number"] = f"N-{chance.randrange(self._numbers)}"
        if chance.random() < 0.3:
            minor, unit = told["amount"]
            due = date.fromisoformat(told["on"]) + timedelta(30)
            told["parts"] = [[told["on"], [minor, unit]], [due.isoformat(), [minor, unit]]]
            told["amount"] = [2 * minor, unit]
        elif chance.random() < 0.4:
            told["lines"] = [["Beans", chance.randrange(1, 99), "9.905"] for _ in range(2)]
        return told


_WEIGHTS = {
    "sale": 24,
    "payment": 16,
    "split": 12,
    "allocate": 6,
    "release": 8,
    "void": 6,
    "credit note": 6,
    "interaction": 8,
    "task": 6,
}


def loaded(line: Any) -> Answer:
    """An answer of plain data."""
    return Answer(**line)


def command_of(answer: Answer) -> Command:
    """The command that was answered, for comparing what was told with what is there."""
    return Command(answer.key, answer.kind, json.loads(json.dumps(dict(answer.told))))
