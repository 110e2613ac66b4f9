"""Repairing: derived rows that disagree with the facts are written anew. Facts never are."""

from uuid import UUID

import attrs

from clientledger.domain.posting import Head
from clientledger.domain.soundness import Problem
from clientledger.services.audit import DERIVED, verify
from clientledger.services.desk import Desk
from clientledger.services.rows import Facts, Rows, differences
from clientledger.services.work import Work

__all__ = ["Repair", "repair"]

_NO_DOUBT = (*DERIVED, "Claim", "Client", "feed")
"""What can be wrong with a client without any doubt about what its figures are computed from."""


@attrs.frozen(kw_only=True)
class Repair:
    """What a repair has done, and what it has left.

    Attributes:
        clients: whose derived rows were written anew.
        rebuilt: each row that was, with what it said before, and what it says now.
        left: what is wrong still: facts and records are never changed, nor the derived rows of a
            client whose facts are in doubt.
    """

    clients: tuple[UUID, ...] = ()
    rebuilt: tuple[Problem, ...] = ()
    left: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything agrees now."""
        return not self.left


def repair(desk: Desk) -> Repair:
    """Write the derived rows anew of each client with some that disagree, one after the other."""
    found = verify(desk).problems
    doubted = {problem.client for problem in found if problem.what not in _NO_DOUBT}
    wrong: dict[UUID, tuple[Problem, ...]] = {}
    for one in found:
        if one.what in DERIVED and one.client is not None and one.client not in doubted:
            wrong[one.client] = (*wrong.get(one.client, ()), one)
    rebuilt = {client: _rebuilt(desk, client, wrong[client]) for client in sorted(wrong)}
    return Repair(
        clients=tuple(client for client, rows in rebuilt.items() if rows),
        rebuilt=tuple(row for rows in rebuilt.values() for row in rows),
        left=verify(desk).problems if wrong else found,
    )


def _rebuilt(desk: Desk, client: UUID, found: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Write the derived rows of a client anew, in a unit of their own, with an event of it.

    Args:
        found: what was wrong with them a moment ago.
    """

    def plan(work: Work) -> tuple[Problem, ...]:
        known = work.unit.lookup(Head, client) is not None
        if known:
            work.head(client)  # whoever writes to the client meanwhile makes this begin again
        rows = Rows(work.unit)
        facts = Facts.read(rows, client)
        if facts.unread:
            return ()
        compared = differences(rows, client, facts)
        wrong = tuple(problem for one in compared for problem in one.problems) or found
        work.unit.rederive(client)
        told = [
            {"what": one.what, "row": one.row, "before": one.stored, "after": one.computed}
            for one in wrong
        ]
        owner = client if known else None
        work.tell("book.repaired", client, client=owner, data={"rows": told})
        return wrong

    return desk.command("repair", {"client": client}, plan, key=None, again=lambda *_: ())
