"""A checker of linearizability: is there an order of calls that explains every result?

It is the search of Wing and Gong, with Lowe's memory of what was tried: a call may come next if no
other that is left had ended before it began. A history is split where nothing is under way; what
follows starts from each state in which the part before may have ended. An account is an object of
its own: a history of several is linearizable if that of each is.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import attrs

__all__ = ["Call", "State", "Verdict", "account_step", "explained", "of_accounts", "parts"]

State = tuple[int, int]
"""An account in minor units: owed, prepaid."""


@attrs.frozen(kw_only=True)
class Call:
    """A call as its caller saw it.

    Attributes:
        what: which operation.
        minor: the amount that was told.
        result: "done", "refused", or what was read.
        begin, end: when it was given and answered; without an end nobody was told the result, and
            it may have been done at any time since, or never.
    """

    account: str
    what: str
    begin: float
    end: float = math.inf
    minor: int = 0
    result: Any = "done"

    def __str__(self) -> str:
        asked = f"{self.what} {self.minor or ''}".strip()
        return f"{self.begin:.6f} to {self.end:.6f}: {asked} -> {self.result}"


@attrs.frozen(kw_only=True)
class Verdict:
    """What was found.

    Attributes:
        unexplained: the calls of which none can come next, after the longest order that was found.
        after: the state in which that order leaves the account.
        parts: into how many parts the history was split.
        longest: the calls of the longest part.
        tried: the states of the search that were looked at.
    """

    unexplained: tuple[Call, ...] = ()
    after: State | None = None
    parts: int = 0
    longest: int = 0
    tried: int = 0

    @property
    def ok(self) -> bool:
        """Whether some order explains all results."""
        return not self.unexplained


Step = Callable[[State, Call], State | None]
"""The state after a call, or None where the call cannot have had its result."""


# ------------------------------------------------------------ an account
def account_step(state: State, call: Call) -> State | None:
    """What a call does to an account whose documents are all of one day.

    A sale uses what is prepaid, and a payment settles what is owed, unless they are told to be
    apart; a refund takes what is prepaid, and a write-off what is owed, or they are refused.
    """
    if call.what == "read":
        return state if tuple(call.result) == state else None
    (owed, prepaid), minor = state, call.minor
    short = (call.what == "refund" and prepaid < minor) or (
        call.what == "write-off" and owed < minor
    )
    if short or call.result == "refused":
        return state if short and call.result == "refused" else None
    match call.what:
        case "sale":
            used = min(prepaid, minor)
            return owed + minor - used, prepaid - used
        case "payment":
            used = min(owed, minor)
            return owed - used, prepaid + minor - used
        case "sale apart":
            return owed + minor, prepaid
        case "payment apart":
            return owed, prepaid + minor
        case "refund":
            return owed, prepaid - minor
        case "write-off":
            return owed - minor, prepaid
    raise ValueError(f"no such operation: {call.what}")


# ------------------------------------------------------------ the search
def explained(calls: Iterable[Call], step: Step, start: State = (0, 0)) -> Verdict:
    """Look for an order of the calls of one account that explains every result."""
    states, count, longest, tried = {start}, 0, 0, 0
    for part in parts(calls):
        search = _Search(part, step)
        states = search.ends(states)
        count, longest = count + 1, max(longest, len(part))
        tried += search.tried
        if not states:
            after, stuck = search.deepest
            return Verdict(
                unexplained=stuck, after=after, parts=count, longest=longest, tried=tried
            )
    return Verdict(parts=count, longest=longest, tried=tried)


def parts(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Split a history where nothing is under way."""
    part: list[Call] = []
    until = -math.inf
    for call in sorted(calls, key=lambda one: (one.begin, one.end)):
        if part and call.begin > until:
            yield part
            part = []
        part.append(call)
        until = max(until, call.end)
    if part:
        yield part


class _Search:
    """The search through one part.

    A place in it is the first call that is left, which others are done after it, and the state.
    """

    def __init__(self, calls: Sequence[Call], step: Step) -> None:
        self._calls, self._step = calls, step
        self._depth = -1
        self.deepest: tuple[State | None, tuple[Call, ...]] = (None, ())
        self.tried = 0

    def ends(self, starts: Iterable[State]) -> set[State]:
        """The states in which the part may end; none where no order explains it."""
        found: set[State] = set()
        places = {(0, 0, state) for state in starts}
        left = list(places)
        while left:
            first, mask, state = left.pop()
            self.tried += 1
            nexts = self._nexts(first, mask)
            if all(math.isinf(self._calls[n].end) for n in nexts):
                found.add(state)  # what nobody was told of need not have been done
            for place in self._steps(first, mask, state, nexts):
                if place not in places:
                    places.add(place)
                    left.append(place)
        return found

    def _nexts(self, first: int, mask: int) -> list[int]:
        """The calls that may come next."""
        least, found = math.inf, []
        for number in range(first, len(self._calls)):
            if mask >> (number - first) & 1:
                continue
            call = self._calls[number]
            if call.begin > least:
                break
            found.append(number)
            least = min(least, call.end)
        return [number for number in found if self._calls[number].begin <= least]

    def _steps(
        self, first: int, mask: int, state: State, nexts: Sequence[int]
    ) -> list[tuple[int, int, State]]:
        found = []
        for number in nexts:
            after = self._step(state, self._calls[number])
            if after is None:
                continue
            place = (*self._done(first, mask, number), after)
            if after == state and not math.isinf(self._calls[number].end):
                return [place]  # where it fits now it can come first in any order that is left
            found.append(place)
        depth = first + mask.bit_count()
        if not found and nexts and depth > self._depth:
            self._depth = depth
            self.deepest = state, tuple(self._calls[number] for number in nexts)
        return found

    @staticmethod
    def _done(first: int, mask: int, number: int) -> tuple[int, int]:
        mask |= 1 << (number - first)
        while mask & 1:
            first, mask = first + 1, mask >> 1
        return first, mask


def of_accounts(calls: Iterable[Call]) -> Iterator[tuple[str, list[Call]]]:
    """The calls of each account."""
    ordered = sorted(calls, key=lambda call: call.account)
    for account, own in groupby(ordered, key=lambda call: call.account):
        yield account, list(own)
