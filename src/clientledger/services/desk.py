"""The desk: how every command and every read call runs.

A command reads through a unit of work, lets the domain decide, and collects one `Posting`; the
desk adds who did it and when, the idempotency key and the step of the client's head, posts it, and
plans the whole command again when another writer was quicker.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger import codec
from clientledger.domain.money import Currency
from clientledger.domain.posting import Claim, Posting
from clientledger.domain.rates import ExchangeRate
from clientledger.domain.settings import Settings
from clientledger.domain.team import SYSTEM, Member
from clientledger.domain.text import check_key
from clientledger.errors import (
    Busy,
    ClientLedgerError,
    Conflict,
    KeyReused,
    NotAllowed,
    OutcomeUnknown,
    Unavailable,
)
from clientledger.ports import Reading, Scope, Store, UnitOfWork
from clientledger.services.work import COMMANDS, Glance, Work

__all__ = ["AtDesk", "Desk", "Outcome", "busy", "made"]

T = TypeVar("T")

_SETTINGS_ID = Settings().id
_TRIES = 12


@attrs.frozen(kw_only=True)
class Outcome:
    """Whether a command with an idempotency key was recorded, and what it made."""

    key: str
    recorded: bool
    action: str | None = None
    result: str | None = None

    def __bool__(self) -> bool:
        return self.recorded


@attrs.frozen(kw_only=True)
class Desk:
    """What every service works with.

    Attributes:
        scope: where units of work begin.
        actor: the key of the member who acts, or None for the member "system".
        clock: the present moment, aware.
        new_id: a new UUIDv7 of that moment.
        rate: the rate from one currency into another on a day, of whoever knows it.
    """

    scope: Scope
    actor: str | None
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    rate: Callable[[Currency, Currency, date], ExchangeRate]

    @contextmanager
    def glance(self) -> Iterator[Glance]:
        """Read one consistent state."""
        with self.scope.snapshot() as reading:
            yield Glance(reading, _settings_of(reading), self.clock())

    def command(
        self,
        action: str,
        arguments: Mapping[str, Any],
        plan: Callable[[Work], T],
        *,
        key: str | None,
        again: Callable[[Reading, str], T],
    ) -> T:
        """Run a command: all of it or nothing, once for one idempotency key.

        Args:
            action: the name of the command.
            arguments: as given, for telling a repeat from another command.
            plan: reads, decides, collects the posting, and returns the value made (with an `id`).
            key: the idempotency key, or None.
            again: reads the value that an earlier run of the same key made, by its id.

        Raises:
            NotAllowed: the actor has been deactivated.
            KeyReused: the key was used for another command or other arguments.
            Busy: other writers were quicker, every time.
        """
        if key is not None:
            check_key(key, "key")

        def once(unit: UnitOfWork) -> T:
            if key is not None:
                held = unit.lookup(Claim, (COMMANDS, key))
                if held is not None:
                    _check_same(held, action, codec.digests(arguments))
                    return again(unit, held.subject)
            work = Work(
                reading=unit,
                settings=_settings_of(unit),
                now=self.clock(),
                unit=unit,
                actor=self.actor or SYSTEM,
                new_id=self.new_id,
            )
            known = _check_actor(work)
            value = plan(work)
            if not known:
                _join_team(work)
            posting = work.step_heads() + work.posting
            if key is not None:
                told = {"action": action, **codec.digests(arguments)}
                subject = str(getattr(value, "id", ""))
                posting += Posting(claims=(Claim(COMMANDS, key, subject, told),))
            if posting != Posting():
                unit.post(posting)
            return value

        try:
            return self.repeat(once)
        except KeyReused:
            raise
        except ClientLedgerError:
            # It may be refused because another run of the same command was quicker, and has
            # changed what this one was planned on while it waited.
            if key is None or not self._is_recorded(key):
                raise
        try:
            return self.repeat(once)
        except (Busy, Unavailable) as error:  # not "nothing was recorded": it was
            raise OutcomeUnknown(
                "it was recorded, and cannot be read now",
                field="key",
                value=key,
                remedy="run it again with the same key, or ask book.outcome(key)",
            ) from error

    def _is_recorded(self, key: str) -> bool:
        """Whether the key is taken by now; where nobody can tell, it is not."""
        try:
            return self.outcome(key).recorded
        except ClientLedgerError:
            return False

    def repeat(self, once: Callable[[UnitOfWork], T]) -> T:
        """Run a function in a unit of work; on an owned store, again, whole, after what passes.

        That is a conflict with another writer, and a database that was lost before the commit.

        Raises:
            Busy: it did not succeed within the bounds, or the scope cannot be repeated.
            Unavailable: the database did not come back within the bounds.
            OutcomeUnknown: it was lost during the commit, and has not said since what became of it.
        """
        tries = _TRIES if isinstance(self.scope, Store) else 1
        for attempt in range(1, tries + 1):
            try:
                with self.scope.begin() as unit:
                    return once(unit)
            except Conflict as error:
                if not error.passing:
                    raise
                if attempt == tries:
                    raise busy(error) from error
            except Unavailable:
                if attempt == tries:
                    raise
            time.sleep(random.uniform(0, 0.002 * 2**attempt))
        raise AssertionError("the last try returns or raises")

    def outcome(self, key: str) -> Outcome:
        """Say whether the command with a key was recorded."""
        check_key(key, "key")
        with self.scope.snapshot() as reading:
            held = reading.lookup(Claim, (COMMANDS, key))
        if held is None:
            return Outcome(key=key, recorded=False)
        return Outcome(key=key, recorded=True, action=held.data["action"], result=held.subject)


@attrs.frozen
class AtDesk:
    """Something that works with a desk; several of them make up one service."""

    _desk: Desk


def busy(conflict: Conflict) -> Busy:
    """What a caller is told when a conflict that passes did not pass in time."""
    return Busy(
        f"others wrote first: {conflict}",
        field=conflict.field,
        value=conflict.value,
        remedy="run the whole unit of work again, as book.run(function) does",
        passing=True,
    )


def made(kind: type[T]) -> Callable[[Reading, str], T]:
    """How a repeated command reads again what it made: by id."""
    return lambda reading, id: reading.get(kind, UUID(id))


def _settings_of(reading: Reading) -> Settings:
    return reading.lookup(Settings, _SETTINGS_ID) or Settings()


def _check_same(held: Claim, action: str, told: Mapping[str, str]) -> None:
    before = {"action": action, **told}
    differing = sorted(
        name for name in {*held.data, *before} if held.data.get(name) != before.get(name)
    )
    if "action" in differing:
        differing = ["action"]  # the arguments of two commands do not compare
    if differing:
        raise KeyReused(
            f"the key was used for {held.data['action']} with another {', '.join(differing)}",
            field="key",
            value=held.key,
            remedy="use a new key for a new command",
        )


def _check_actor(work: Work) -> bool:
    """Whether the actor is a member; one who has left writes no more."""
    member = work.unit.lookup(Member, work.actor)
    if member is not None and not member.active:
        raise NotAllowed(
            "the member has been deactivated",
            field="actor",
            value=work.actor,
            remedy="act as an active member: book.as_actor(member)",
        )
    return member is not None


def _join_team(work: Work) -> None:
    """The actor becomes a member on first use."""
    changes = work.posting.changes
    named = any(isinstance(c.record, Member) and c.record.id == work.actor for c in changes)
    if named or work.posting == Posting():
        return
    work.insert(
        Member(id=work.actor, name=work.actor, created_at=work.now), "member.added", client=None
    )
