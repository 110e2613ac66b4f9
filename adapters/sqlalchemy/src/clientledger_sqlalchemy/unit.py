"""Writes within one transaction: a posting, all of it or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import attrs

from clientledger import Conflict, Duplicate, Stale
from clientledger.ports import (
    Allocation,
    AllocationQuery,
    Change,
    Claim,
    Entry,
    EntryQuery,
    Event,
    Head,
    LedgerFact,
    Member,
    Move,
    Posting,
    Release,
    ReleaseQuery,
    Seal,
    Settings,
    UnitOfWork,
)
from clientledger_sqlalchemy import facts, figures, records
from clientledger_sqlalchemy.money import Values
from clientledger_sqlalchemy.prepared import Prepared
from clientledger_sqlalchemy.reading import SqlReading
from clientledger_sqlalchemy.writes import FigureWrites, RecordWrites

__all__ = ["Proof", "SqlUnit"]

_LEAST, _MOST = -(2**63), 2**63 - 1
_EVER = datetime(1, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Proof:
    """A fact or a claim by which one can tell whether a unit of work was recorded.

    Attributes:
        kind, id: what it is.
        insert: the statement that writes it.
        values: of its row.
        node: the server that the commit was sent to, where that makes a difference.
    """

    kind: type[Any]
    id: Any
    insert: Prepared
    values: Values
    node: object = None


class _RefusedError(Exception):
    """A statement wrote fewer rows than it was given."""


class SqlUnit(SqlReading, UnitOfWork):
    """A transaction, or a savepoint, on a channel; it never commits what it did not begin."""

    _unchanging = False
    _locking = True

    proof: "Proof | None" = None
    """A fact that the unit has written: where it is, all of the unit is."""

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with self._channel.savepoint():
            inner = SqlUnit(self._channel, self._statements)
            yield inner
        self.proof = self.proof or inner.proof

    def post(self, posting: Posting) -> None:
        moves = posting.net_moves
        try:
            with self._channel.savepoint():
                self._guards(posting)
                self._facts(posting)
                self._changes(posting.changes)
                self._moves(moves, posting)
                self._timeline(posting)
        except (_RefusedError, Duplicate):
            raise self._conflict(posting, moves) from None
        self.proof = self.proof or self._proof(posting)

    def rederive(self, client: UUID) -> None:
        rows = self._statements.writes.rows
        try:
            with self._channel.savepoint():
                # Whoever adds a record of the client meanwhile adds its row, too: it is gone before
                # the facts are read, or in the way of what is written from them, never both.
                for one in rows.values():
                    self._channel.write(one.clear, [{"of_client": client}])
                recorded = self._recorded_at(client)
                for query, one in rows.items():
                    made: list[Any] = self.compute(attrs.evolve(query, client=client))
                    values = [{"recorded_at": recorded, **one.values(row)} for row in made]
                    self._all(one.insert, values)
        except (_RefusedError, Duplicate) as error:
            raise Conflict("others wrote meanwhile", remedy="do it again", passing=True) from error

    def _recorded_at(self, client: UUID) -> datetime:
        """When the last fact of a client's ledger was recorded: what balances say, or later."""
        facts: list[LedgerFact] = [
            *self.find(EntryQuery(client=client)),
            *self.find(AllocationQuery(client=client)),
            *self.find(ReleaseQuery(client=client)),
        ]
        return max((fact.recorded_at for fact in facts), default=_EVER)

    def give_positions(self) -> int:
        """Give the committed events that have none their positions in the feed."""
        writes = self._statements.writes
        self._channel.rows(writes.hold_feed, {})
        given = self._channel.write(writes.give_positions, [{}])
        self._channel.write(writes.clear_pending, [{}])
        return given

    def _proof(self, posting: Posting) -> "Proof | None":
        writes = self._statements.writes
        for event in posting.of(Event):
            insert = writes.facts[Event][1]
            return Proof(kind=Event, id=event.id, insert=insert, values=facts.event_values(event))
        for entry in posting.of(Entry):
            values = facts.entry_values(entry)
            return Proof(kind=Entry, id=entry.id, insert=writes.entry, values=values)
        for claim in posting.claims:  # a command that changed nothing has its key alone
            values = records.claim_values(claim)
            return Proof(kind=Claim, id=claim.id, insert=writes.claim, values=values)
        return None

    def _guards(self, posting: Posting) -> None:
        """Write what lets commands notice each other: heads, and claims after what is freed."""
        writes = self._statements.writes
        editions = [
            {"number": change.record.edition}
            for change in posting.changes
            if isinstance(change.record, Settings)
        ]
        for edition in editions:
            self._channel.write(writes.edition, [edition])
        heads = ((step.head, step.head.client, step.expected) for step in posting.heads)
        for new, steps in groupby(heads, key=lambda step: step[2] is None):
            self._guarded(writes.head, steps, new)
        for edition in editions:
            self._channel.write(writes.only_edition, [edition])
        stands = {stand.member.id: stand.member.revision for stand in posting.stands}
        self._all(
            writes.stand,
            [{"of_record": key, "expected": stands[key]} for key in sorted(stands)],
        )
        if posting.freed:
            self._channel.write(
                writes.free,
                [{"in_space": claim.space, "with_key": claim.key} for claim in posting.freed],
            )
        self._all(writes.claim, [records.claim_values(claim) for claim in posting.claims])

    def _facts(self, posting: Posting) -> None:
        writes = self._statements.writes
        entries = posting.of(Entry)
        self._all(writes.entry, [facts.entry_values(entry) for entry in entries])
        self._all(writes.line, [row for entry in entries for row in facts.line_values(entry)])
        self._all(
            writes.instalment, [row for entry in entries for row in facts.instalment_values(entry)]
        )
        for kind in (Allocation, Release, Event):
            values, insert = writes.facts[kind]
            self._all(insert, [values(fact) for fact in posting.of(kind)])
        self._all(
            writes.await_position,
            [{"event_id": event.id, "client_id": event.client} for event in posting.of(Event)],
        )
        seals = posting.of(Seal)
        self._all(writes.seal, [facts.seal_values(seal) for seal in seals])
        self._all(writes.salt, [facts.salt_values(seal) for seal in seals if seal.salt])

    def _changes(self, changes: Iterable[Change]) -> None:
        by_kind = groupby(changes, key=lambda c: (type(c.record), c.expected is None))
        for (kind, new), some in by_kind:
            steps = ((c.record, c.record.id, c.expected) for c in some)
            self._guarded(self._statements.writes.records[kind], steps, new)

    def _guarded(
        self, writes: RecordWrites, steps: Iterable[tuple[Any, Any, int | None]], new: bool
    ) -> None:
        """Write records with their keys and expected revisions; all new ones, or none."""
        rows = [
            {**writes.values(record), "of_record": key, "expected": expected}
            for record, key, expected in steps
        ]
        self._all(writes.begin if new else writes.change, rows)

    def _moves(self, moves: Sequence[Move], posting: Posting) -> None:
        recorded = _last_recorded(posting)

        def way(move: Move) -> tuple[type[Any], bool]:
            return type(move.row), _may_begin(move)

        for (kind, begin), some in groupby(moves, key=way):
            writes = self._statements.writes.figures[kind]
            rows = [_move_values(m, writes, recorded.get(m.row.client, _EVER)) for m in some]
            if begin and writes.seed is not None:
                self._channel.write(writes.seed, rows)
            self._all(writes.begin if begin else writes.add, rows)

    def _timeline(self, posting: Posting) -> None:
        writes = self._statements.writes
        changed = [c.record for c in posting.changes if c.expected is not None]
        shown = {row.id: row for row in posting.timeline}
        former = [{"of_record": record.id} for record in changed if isinstance(record.id, UUID)]
        if former:
            self._channel.write(writes.hide, former)
        self._all(writes.show, [figures.timeline_item_values(row) for row in shown.values()])

    def _all(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write all of the rows, or refuse."""
        if rows and self._channel.write(statement, rows) != len(rows):
            raise _RefusedError

    def _conflict(self, posting: Posting, moves: Sequence[Move]) -> Conflict:
        """Find what a refused posting disagrees with: nothing of it is written any more."""
        writes = self._statements.writes
        for step in posting.heads:
            stale = self._stale(Head, writes.head, step.head.client, "version", step.expected)
            if stale:
                return stale
        for stand in posting.stands:
            member = stand.member
            stale = self._stale(
                Member, writes.records[Member], member.id, "revision", member.revision
            )
            if stale:
                return stale
        for claim in posting.claims:
            key = {"in_space": claim.space, "with_key": claim.key}
            ours = [other for other in posting.claims if other.id == claim.id]
            freed = any(other.id == claim.id for other in posting.freed)
            if len(ours) > 1 or (not freed and self._channel.rows(writes.claimed, key)):
                return Duplicate("already taken", field=claim.space, value=claim.key, passing=True)
        for change in posting.changes:
            kind, id = type(change.record), change.record.id
            stale = self._stale(kind, writes.records[kind], id, "revision", change.expected)
            if stale:
                return stale
        for move in moves:
            beyond = self._beyond(move, writes.figures[type(move.row)])
            if beyond:
                return beyond
        return Conflict("the book has changed", remedy="do it again", passing=True)

    def _stale(
        self, kind: type[Any], writes: RecordWrites, id: Any, name: str, wanted: int | None
    ) -> Stale | None:
        rows = self._channel.rows(writes.guard, {"of_record": id})
        found = rows[0].guard if rows else None
        if found == wanted:
            return None
        return Stale(
            f"the {kind.__name__.lower()} has changed: {name} is {found}, not {wanted}",
            field=name,
            value=found,
            remedy="read it again",
            passing=True,
        )

    def _beyond(self, move: Move, writes: FigureWrites) -> Conflict | None:
        key = _key_values(move, writes)
        rows = self._channel.rows(writes.amounts_of, key)
        for name, (least, most) in move.bounds.items():
            value = (getattr(rows[0], name) if rows else 0) + move.add.get(name, 0)
            if not least <= value <= most:
                return Conflict(
                    f"it would be {value} minor units, beyond {least} to {most}",
                    field=name,
                    value=value,
                    remedy="look at what is open now",
                    passing=True,
                )
        return None


def _last_recorded(posting: Posting) -> dict[UUID, datetime]:
    """When the facts of each client were recorded, the last of them."""
    found: dict[UUID, datetime] = {}
    for fact in posting.facts:
        if isinstance(fact, LedgerFact):
            found[fact.client] = max(fact.recorded_at, found.get(fact.client, fact.recorded_at))
    return found


def _may_begin(move: Move) -> bool:
    """Whether the move keeps its bounds on a row that is not there yet."""
    return all(
        least <= move.add.get(name, 0) <= most for name, (least, most) in move.bounds.items()
    )


def _bounds(move: Move, amounts: Iterable[str]) -> Values:
    """The least and the most that a row may hold before the move."""
    found = {}
    for name in amounts:
        least, most = move.bounds.get(name, (_LEAST, _MOST))
        added = move.add.get(name, 0)
        found[f"{name}_least"] = max(least - added, _LEAST)
        found[f"{name}_most"] = min(most - added, _MOST)
    return found


def _move_values(move: Move, writes: FigureWrites, recorded: datetime) -> Values:
    """What a statement may need: the row as it begins, its key, what is added, and the bounds."""
    return {
        **writes.values(move.row),
        **dict.fromkeys(writes.amounts, 0),
        **_key_values(move, writes),
        **{f"add_{name}": move.add.get(name, 0) for name in writes.amounts},
        "latest": max(move.latest, move.row.latest),
        "recorded_at": recorded,
        "add_latest": move.latest,
        "add_recorded_at": recorded,
        **_bounds(move, writes.amounts),
    }


def _key_values(move: Move, writes: FigureWrites) -> Values:
    return {f"of_{name}": value for name, value in writes.values(move.row).items()}
