"""Gates: every statement of some writers waits until a scheduler lets it through.

The writers are threads that use the library as it is. While `gated()` lasts, the methods of
`Channel` that speak to the database ask first whether the thread is an actor on a stage; for any
other thread nothing changes.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

import attrs
import sqlalchemy as sa
from tests.faults.places import PREFIX
from tests.faults.waits import Waits

from clientledger import ClientLedgerError
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.engines.sqlite import SqliteEngine

__all__ = [
    "Actor",
    "Choose",
    "Listener",
    "Played",
    "Stage",
    "Step",
    "gated",
    "heard",
    "notices",
    "replaced",
]

WAITING, INSIDE, BLOCKED, OUTSIDE, DONE = "waiting", "inside", "blocked", "outside", "done"
LONGEST = 60.0
"""Seconds after which a writer that does not come to its next statement is given up."""

MOST = 600
"""Statements of one schedule; those beyond run as they come."""

_TABLES = re.compile(rf"(?:FROM|INTO|UPDATE|JOIN) (?:{PREFIX})?(\w+)")


@attrs.frozen
class Step:
    """A statement, as the scheduler sees it.

    Attributes:
        verb: "read", "write", "begin", "commit" or "command".
        tables: which it reads or writes.
        first: whether it is the first of a transaction, which may see from then on what was there.
    """

    verb: str
    tables: frozenset[str] = frozenset()
    first: bool = False

    def __str__(self) -> str:
        return " ".join([self.verb, *sorted(self.tables)])


class Listener(Protocol):
    """Hears of every statement of a thread."""

    def before(self, step: Step, connection: Any) -> None:
        """Hear that a statement is about to run."""

    def after(self, step: Step, error: BaseException | None) -> None:
        """Hear that it has run."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Let a listener hear the statements of this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@cache
def _step(text: str) -> Step:
    found = _TABLES.findall(text)
    if text.startswith(("INSERT", "UPDATE", "DELETE")):
        return Step("write", frozenset(found[:1]))
    return Step("read", frozenset(found))


def _command(text: str) -> Step:
    return Step("begin" if text.startswith(("BEGIN", "START")) else "command", frozenset({text}))


def _through(step: Step, channel: Channel, call: Callable[[], Any]) -> Any:
    listener = _listener.get()
    if listener is None:
        return call()
    listener.before(step, channel.connection)
    failure: BaseException | None = None
    try:
        return call()
    except BaseException as error:
        failure = error
        raise
    finally:
        listener.after(step, failure)


@contextmanager
def gated() -> Iterator[None]:
    """Let every statement pass by the listener of its thread."""
    real = {name: getattr(Channel, name) for name in ("raw", "write", "command", "commit")}
    turn = SqliteEngine.turn

    def told(self: Channel, statement: Any, values: Any, name: str) -> Any:
        return _through(_step(statement.text), self, lambda: real[name](self, statement, values))

    def raw(self: Channel, statement: Any, values: Any) -> Any:
        return told(self, statement, values, "raw")

    def write(self: Channel, statement: Any, values: Any) -> Any:
        return told(self, statement, values, "write")

    def command(self: Channel, text: str) -> Any:
        return _through(_command(text), self, lambda: real["command"](self, text))

    def commit(self: Channel) -> Any:
        return _through(Step("commit"), self, lambda: real["commit"](self))

    @contextmanager
    def waited(self: SqliteEngine) -> Iterator[None]:
        # The turnstile of a file is held by whoever waits to begin, so that it may block too.
        listener = _listener.get()
        if listener is not None:
            listener.before(Step("command"), None)
        with turn(self):
            if listener is not None:
                listener.after(Step("command"), None)
            yield

    ours = {"raw": raw, "write": write, "command": command, "commit": commit}
    with replaced(Channel, ours), replaced(SqliteEngine, {"turn": waited}):
        yield


@contextmanager
def replaced(kind: Any, methods: dict[str, Any]) -> Iterator[None]:
    """Put other methods in the place of some, for a while."""
    before = {name: getattr(kind, name) for name in methods}
    for name, method in methods.items():
        setattr(kind, name, method)
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(kind, name, method)


@contextmanager
def notices(pool: sa.Engine) -> Iterator[None]:
    """Let the stage hear when a connection has been given back, and its locks with it."""

    def given_back(_connection: object, _record: object) -> None:
        listener = _listener.get()
        if isinstance(listener, Actor):
            listener.stage.released()

    sa.event.listen(pool, "checkin", given_back)
    try:
        yield
    finally:
        sa.event.remove(pool, "checkin", given_back)


# ------------------------------------------------------------ the stage
class Actor(threading.Thread):
    """One writer."""

    def __init__(self, stage: "Stage", number: int, act: Callable[[], Any]) -> None:
        super().__init__(name=f"actor {number}", daemon=True)
        self.stage = stage
        self.number = number
        self.state = OUTSIDE
        self.step = Step("begin")
        self.due = 0.0
        self.connection: Any = None
        self.result: Any = None
        self._act = act
        self._fresh = False
        self._go = threading.Semaphore(0)

    def run(self) -> None:
        with heard(self):
            try:
                self.result = self._act()
            except BaseException as error:  # noqa: BLE001 - it is what came of it
                self.result = error
        self.stage.set(self, DONE)

    def before(self, step: Step, connection: Any) -> None:
        self.step = attrs.evolve(step, first=self._fresh and step.verb == "read")
        self._fresh = step.verb == "begin" or (self._fresh and step.verb == "command")
        if self.stage.is_point(self):
            self.stage.set(self, WAITING)
            self._go.acquire()
        self.connection = connection
        self.stage.set(self, INSIDE)

    def after(self, step: Step, error: BaseException | None) -> None:
        self.stage.count(step, error)
        self.stage.set(self, OUTSIDE)
        if step.verb == "commit":
            self.stage.released()

    def go(self) -> None:
        """Let it do the statement that it waits with."""
        self.state = OUTSIDE
        self._go.release()


@attrs.frozen(kw_only=True)
class Played:
    """How a schedule went.

    Attributes:
        results: what each writer got, or what was raised.
        steps: the statements that waited, in the order in which they were let through.
        blocked: how often a writer had to wait for another in the database.
        stuck: how often each of them waited for another.
        counts: what else was counted: transactions begun, deadlocks, serialization failures.
    """

    results: tuple[Any, ...]
    steps: tuple[tuple[int, Step], ...]
    blocked: int
    stuck: int
    counts: Counter[str]


Choose = Callable[[Sequence[Actor], Actor | None], Actor]
Point = Callable[[int, Step], bool]


class Stage:
    """Lets writers do their statements one at a time, in an order that is chosen.

    Args:
        waits: says whether a connection waits for a lock.
        point: whether a writer, by number, waits with a statement for its turn.
    """

    def __init__(self, waits: Waits, point: Point) -> None:
        self._waits = waits
        self._point = point
        self._changed = threading.Condition()
        self._actors: list[Actor] = []
        self._steps: list[tuple[int, Step]] = []
        self._counts: Counter[str] = Counter()

    def play(self, acts: Sequence[Callable[[], Any]], choose: Choose) -> Played:
        """Run some acts at once, each in a thread, up to the end of all.

        Args:
            choose: of the writers that wait for their turn, and the one that had the last.
        """
        self._actors = [Actor(self, number, act) for number, act in enumerate(acts)]
        self._steps, self._counts = [], Counter()
        for actor in self._actors:
            actor.start()
        last: Actor | None = None
        blocked = stuck = 0
        while True:
            blocked += self._settle()
            ready = [actor for actor in self._actors if actor.state == WAITING]
            if all(actor.state == DONE for actor in self._actors):
                break
            if ready:
                last = choose(ready, last)
                self._steps.append((last.number, last.step))
                last.go()
            else:
                stuck += 1
                self._await_any()
        for actor in self._actors:
            actor.join()
        return Played(
            results=tuple(actor.result for actor in self._actors),
            steps=tuple(self._steps),
            blocked=blocked,
            stuck=stuck,
            counts=self._counts,
        )

    def is_point(self, actor: Actor) -> bool:
        """Whether a writer waits for its turn with its statement."""
        return len(self._steps) < MOST and self._point(actor.number, actor.step)

    def set(self, actor: Actor, state: str) -> None:
        """Note what an actor does now."""
        with self._changed:
            actor.state = state
            actor.due = time.monotonic() + self._waits.patience
            self._changed.notify_all()

    def count(self, step: Step, error: BaseException | None) -> None:
        """Count what is worth telling."""
        if step.verb == "begin":
            self._counts["transactions"] += 1
        why = _why(error)
        if why:
            self._counts[why] += 1

    def released(self) -> None:
        """Note that locks were let go: who was blocked may go on now."""
        with self._changed:
            for actor in self._actors:
                if actor.state == BLOCKED:
                    actor.state = INSIDE
                    actor.due = time.monotonic() + self._waits.patience + self._waits.grace

    def _settle(self) -> int:
        """Wait until every writer waits for its turn, is blocked or has done; count the blocked."""
        blocked = 0
        deadline = time.monotonic() + LONGEST
        with self._changed:
            while moving := [a for a in self._actors if a.state in (INSIDE, OUTSIDE)]:
                now = time.monotonic()
                if now > deadline:
                    raise TimeoutError(
                        f"{moving[0].name}, {moving[0].state}, does not come on: {moving[0].step}"
                    )
                late = [a for a in moving if a.state == INSIDE and now > a.due]
                for actor in late:
                    if self._waits.waiting(actor.connection):
                        actor.state = BLOCKED
                        blocked += 1
                self._changed.wait(0.001)
        return blocked

    def _await_any(self) -> None:
        with self._changed:
            states = [actor.state for actor in self._actors]
            moved = self._changed.wait_for(
                lambda: [actor.state for actor in self._actors] != states, LONGEST
            )
        if not moved:
            raise TimeoutError("all writers wait for each other")


def _why(error: BaseException | None) -> str:
    """Why the database refused a statement, where other writers were the reason."""
    cause = error.__cause__ if isinstance(error, ClientLedgerError) else None
    first = next(iter(getattr(cause, "args", ())), None)
    code = first if isinstance(first, int) else getattr(cause, "sqlstate", None)
    return {
        "40P01": "deadlocks",
        1213: "deadlocks",
        "40001": "serialization failures",
        1020: "serialization failures",
        "55P03": "lock timeouts",
        1205: "lock timeouts",
    }.get(code, "")
