"""Faults planted in the store, which the enumerator must find: else its silence says nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from tests.faults.gates import replaced

from clientledger.ports import Entry, Head, HeadStep, Posting
from clientledger_sqlalchemy import builder, figure_tables, unit
from clientledger_sqlalchemy.unit import SqlUnit

__all__ = ["rebasing", "without_bounds"]


@contextmanager
def rebasing() -> Iterator[None]:
    """Do not lock heads, and put what was planned on an old head on the one that is there now.

    It is a tempting way to save a second plan; and what was decided on the old facts stands.
    """
    post = SqlUnit.post

    def rebased(self: SqlUnit, posting: Posting) -> None:
        post(self, attrs.evolve(posting, **_on_new_heads(self, posting)))

    with replaced(SqlUnit, {"post": rebased, "_locking": False}):
        yield


def _on_new_heads(self: SqlUnit, posting: Posting) -> dict[str, Any]:
    steps, later = [], {}
    for step in posting.heads:
        if step.expected is not None:
            self._locking = True
            now = self.get(Head, step.head.client)
            self._locking = False
            own = sum(entry.client == now.client for entry in posting.of(Entry))
            later[now.client] = now.sequence + own - step.head.sequence
            head = attrs.evolve(step.head, version=now.version + 1, sequence=now.sequence + own)
            step = HeadStep(head, now.version)
        steps.append(step)
    facts = [
        attrs.evolve(fact, sequence=fact.sequence + later.get(fact.client, 0))
        if isinstance(fact, Entry)
        else fact
        for fact in posting.facts
    ]
    return {"heads": tuple(steps), "facts": tuple(facts)}


@contextmanager
def without_bounds() -> Iterator[None]:
    """Move amounts without bounds, in books whose tables are made without their checks."""
    ever = (-(2**63), 2**63 - 1)

    def anything(move: Any, amounts: Any) -> dict[str, int]:
        pairs = [(f"{name}_least", f"{name}_most") for name in amounts]
        return {key: value for pair in pairs for key, value in zip(pair, ever, strict=True)}

    def always(name: str, rule: str) -> Any:
        return check(name, "1 = 1")

    check = builder.check
    with replaced(unit, {"_bounds": anything}), replaced(figure_tables, {"check": always}):
        yield
