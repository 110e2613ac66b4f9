"""What changes under the feet of those who sell: managers, archives, closed periods.

Some processes hand clients over, change them, archive and restore them, let members go and close
periods, while others record sales. What was acknowledged before a sale began must bind it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.crew import ready, said
from tests.faults.hot import FIRST, SPAN, Answer
from tests.faults.reckon import selected

from clientledger import Book, ClientLedgerError, open_book

__all__ = ["MEMBERS", "rewrite", "rewritten"]

MEMBERS = 4
"""Members at the beginning, "m0" and so on; each who leaves is followed by another."""

DATED = ("sale", "payment", "split", "credit note")
NEW = ("sale", "task")
"""What an archived client does not take."""


# ------------------------------------------------------------ doing it
class _Rewriter:
    """One process that rewrites.

    Args:
        clients: which it alone archives and restores.
        closes: whether it closes periods; one process does.
    """

    def __init__(
        self, book: Book, chance: Random, prefix: str, clients: Sequence[str], closes: bool
    ) -> None:
        self.book, self.chance, self.prefix = book, chance, prefix
        self.clients = clients
        self.closed = FIRST - timedelta(1)
        self.archived: str | None = None
        self.count = 0
        self.kinds = ["close"] * closes
        self.kinds += ["archive", "hand over", "archive", "leave", "assign", "count"]

    def next(self) -> Answer:
        """Do something; what became of it."""
        self.count += 1
        key = f"{self.prefix}-{self.count}"
        kind = self.chance.choice(self.kinds)
        if self.count <= len(self.kinds):  # each once first, so that a short run has all of them
            kind = self.kinds[self.count - 1]
        if kind == "archive" and self.archived is not None:
            kind = "restore"
        if kind == "close" and self.closed > FIRST + timedelta(SPAN - 20):
            kind = "count"
        client = self.archived if kind == "restore" else self.chance.choice(self.clients)
        assert client is not None
        told: dict[str, Any] = {"client": client}
        if kind == "close":
            told = {"on": (self.closed + timedelta(1)).isoformat()}
        error, begin = "", time.monotonic()
        try:
            _DONE[kind](self, key, told)
        except ClientLedgerError as refused:
            error = type(refused).__name__
        end = time.monotonic()
        self._noted(kind, told, not error)
        return Answer(key=key, kind=kind, begin=begin, end=end, error=error, told=told)

    def _noted(self, kind: str, told: Mapping[str, Any], kept: bool) -> None:
        if not kept:
            return
        if kind == "close":
            self.closed = date.fromisoformat(told["on"])
        elif kind in ("archive", "restore"):
            self.archived = told["client"] if kind == "archive" else None

    def some(self, count: int) -> list[str]:
        """The keys of so many active members, as they were a moment ago."""
        active = [member.id for member in self.book.team.find(active=True, limit=50)]
        return self.chance.sample([key for key in active if key.startswith("m")], count)


def _count(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    """Add one to a number that stands in the client: what is lost shows."""

    def once(book: Book) -> None:
        client = book.clients.get(told["client"])
        number = int(client.attributes.get("count", "0"))
        attributes = {**client.attributes, "count": str(number + 1)}
        book.clients.update(client, attributes=attributes, key=key)

    self.book.run(once)


def _assign(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    self.book.clients.update(told["client"], manager=self.some(1)[0], key=key)


def _archive(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    self.book.clients.archive(told["client"], key=key)


def _restore(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    self.book.clients.restore(told["client"], key=key)


def _hand_over(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    giver, taker = self.some(2)
    self.book.team.hand_over(giver, taker, key=key)


def _leave(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    """Let a member go; another one comes first, so that there are always enough."""
    self.book.team.add(f"m-{key}", "Olena")
    goer, successor = self.some(2)
    self.book.team.deactivate(goer, successor=successor, key=key)


def _close(self: _Rewriter, key: str, told: Mapping[str, Any]) -> None:
    self.book.ledger.close_period(date.fromisoformat(told["on"]), key=key)


_DONE: Mapping[str, Callable[[_Rewriter, str, Mapping[str, Any]], None]] = {
    "count": _count,
    "assign": _assign,
    "archive": _archive,
    "restore": _restore,
    "hand over": _hand_over,
    "leave": _leave,
    "close": _close,
}


def rewrite(
    url: str, prefix: str, seed: int, file: str, gate: str, clients: list[str], closes: bool
) -> None:
    """In a worker: rewrite until there is a file "stop"."""
    say = said(file)
    with open_book(url, actor=prefix) as book:
        rewriter = _Rewriter(book, Random(seed), prefix, clients, closes)
        book.settings  # noqa: B018 - it connects
        ready(gate)
        while not (Path(gate) / "stop").exists():
            say(rewriter.next().dump())
            time.sleep(rewriter.chance.uniform(0, 0.02))


# ------------------------------------------------------------ what must hold
def rewritten(url: str, written: Sequence[Answer], changed: Sequence[Answer]) -> list[str]:
    """Everything that does not agree.

    Args:
        written: of those who sold.
        changed: of those who rewrote.
    """
    found = list(_closed(written, [one for one in changed if one.kind == "close"]))
    found += _archived(written, [one for one in changed if one.kind in ("archive", "restore")])
    found += _left(url)
    found += _counted(url, [one for one in changed if one.kind == "count" and one.kept])
    return found


def _closed(written: Iterable[Answer], closes: Sequence[Answer]) -> Iterator[str]:
    """Nothing that began after a close was acknowledged is dated in it; else nothing is refused."""
    for answer in written:
        on = answer.on
        if answer.kind not in DATED or on is None:
            continue
        behind = [one for one in closes if one.kept and one.end < answer.begin]
        if answer.kept and any(on <= one.on for one in behind if one.on):
            yield f"{answer.kind} {answer.key} of {on} was recorded in a closed period"
        begun = [one for one in closes if one.begin < answer.end]
        if answer.error == "PeriodClosed" and not any(on <= one.on for one in begun if one.on):
            yield f"{answer.kind} {answer.key} of {on} was refused, and the period was open"


def _archived(written: Iterable[Answer], changes: Iterable[Answer]) -> Iterator[str]:
    """An archived client took nothing new, and one in use refused nothing as archived.

    One process archives and restores a client, so that its changes have an order.
    """
    of_client: dict[str, list[Answer]] = defaultdict(list)
    for one in sorted(changes, key=lambda change: change.begin):
        of_client[one.told["client"]].append(one)
    for answer in written:
        if answer.kind not in NEW:
            continue
        states = _states(of_client[answer.told["client"]], answer)
        if answer.kept and states == {"archive"}:
            yield f"{answer.kind} {answer.key} was recorded for an archived client"
        if answer.error == "ClientArchived" and states == {"restore"}:
            yield f"{answer.kind} {answer.key} was refused, and the client was not archived"


def _states(changes: Iterable[Answer], answer: Answer) -> set[str]:
    """The states that a client may have had while a command ran."""
    states = {"restore"}
    for one in changes:
        if one.begin > answer.end:
            break
        if one.kept and one.end < answer.begin:
            states = {one.kind}
        else:
            states.add(one.kind)
    return states


def _left(url: str) -> Iterator[str]:
    """No member who has left has a client or an open task."""
    query = "SELECT m.id, c.id FROM {} c JOIN {} m ON m.id = c.manager WHERE NOT m.active"
    for member, client in selected(url, query, "clients", "members"):
        yield f"{member} has left, and has client {client}"
    query = (
        "SELECT m.id, t.id FROM {} t JOIN {} m ON m.id = t.assignee "
        "WHERE NOT m.active AND t.status = 'open'"
    )
    for member, task in selected(url, query, "tasks", "members"):
        yield f"{member} has left, and has the open task {task}"


def _counted(url: str, kept: Iterable[Answer]) -> Iterator[str]:
    """Every acknowledged addition is in the number that stands in the client."""
    wanted = Counter(answer.told["client"] for answer in kept)
    with open_book(url) as book:
        for client in book.clients.find(archived=None):
            number = int(client.attributes.get("count", "0"))
            if number != wanted[str(client.id)]:
                yield f"client {client.id}: {wanted[str(client.id)]} were added to {number}"
