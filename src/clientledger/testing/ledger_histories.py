"""Random histories of the ledger: every command, valid or not, against an account keeper's books.

After each step the book is asked about the clients that were touched, and must say what
`clientledger.testing.oracle` says, which knows the facts alone. What was said once is asked for
again later, as known then. A refusal leaves no trace.
"""

import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from clientledger.domain.clients import Client
from clientledger.domain.entries import Entry, Instalment
from clientledger.domain.money import Money
from clientledger.errors import ClientArchived, OverAllocated
from clientledger.testing.ledger.answers import Answers, answers_of
from clientledger.testing.ledger.checks import ChecksAnswers
from clientledger.testing.ledger.desk import newest
from clientledger.testing.ledger.strategies import CLIENTS, CURRENCIES, DAYS, MINORS, PICKS
from clientledger.testing.oracle import Keeper

__all__ = ["LedgerHistory"]

Memory = tuple[datetime, dict[tuple[UUID, date], Answers]]


class LedgerHistory(ChecksAnswers):
    """A random history of a book's ledger; subclasses say how a fresh store is made."""

    def __init__(self) -> None:
        super().__init__()
        self.memories: list[Memory] = []
        self.steps = 0

    # ------------------------------------------------------------ as known then

    @rule(who=CLIENTS)
    def remember(self, who: int) -> None:
        """What is said now of some days is to be said again, for ever, as known now."""
        client = self.client(who).id
        days = self.some_days(self.keeper(client), 3)
        moment = self.moment
        answers = {(client, day): answers_of(self.book, client, day) for day in days}
        self.memories.append((moment, answers))

    @precondition(lambda self: self.memories)
    @rule(n=PICKS)
    def ask_again(self, n: int) -> None:
        self._ask_again(newest(self.memories, n))

    def _ask_again(self, memory: Memory) -> None:
        moment, answers = memory
        for (client, day), before in answers.items():
            self.tally.compared["answers as known"] += 1
            again = answers_of(self.book, client, day, moment)
            self.compare(f"on {day}, as known at {moment}", again, before)

    # ------------------------------------------------------------ recorded and voided at once

    @rule(
        kind=st.sampled_from(
            [
                "sale", "payment", "credit note", "refund", "write-off", "debt", "prepayment",
                "exchange",
            ]
        ),
        who=CLIENTS,
        minor=MINORS,
        code=CURRENCIES,
        when=DAYS,
    )  # fmt: skip
    def record_and_void(self, kind: str, who: int, minor: int, code: str, when: int | None) -> None:
        """A document that is voided on its own date leaves every figure of every day as it was."""
        client, on = self.client(who), self.day(when)
        before = self.keeper(client)
        days = [*self.some_days(before, 2), on]
        told = {day: answers_of(self.book, client.id, day).figures for day in days}
        made = self._recorded(kind, client, minor, code, on)
        if made is None:
            return
        self.attempt("void at once", self.book.ledger.void, made, reason="wrong", on=made.on)
        for day, right in told.items():
            self.tally.compared["voids"] += 1
            self.compare(
                f"on {day}, after the void of a new {kind}",
                answers_of(self.book, client.id, day).figures,
                right,
            )
        _same_on_all_days(before, self.keeper(client))

    def _recorded(self, kind: str, client: Client, minor: int, code: str, on: date) -> Entry | None:
        """A new document of a day; of what needs something open, as much as there is."""
        ledger, amount = self.book.ledger, self.money(minor, code)
        because = self.closed(on)
        given: tuple[Any, ...] = (client, amount)
        told: dict[str, Any] = {"on": on}
        if kind in ("refund", "write-off", "exchange"):
            found = self._first_open(client, code, "debit" if kind == "write-off" else "credit", on)
            if found is None:
                return None
            target, amount = found
            if kind == "refund" and amount.minor > self.free(self.keeper(client), code, on):
                because = [*because, OverAllocated]  # other refunds wait for it
            into = self.money(minor, "JPY" if code != "JPY" else "EUR")
            given = (target, amount, into) if kind == "exchange" else (client, amount)
            told |= {} if kind == "exchange" else {"allocate": {target: amount}}
        elif kind == "sale":
            because = [*because, *self.beyond_limit(client, amount, on)]
            because += [ClientArchived] if self.archived(client) else []
        elif kind == "prepayment":
            given = (client, -amount)
        if kind in ("credit note", "write-off"):
            told["reason"] = "so"
        commands: dict[str, Callable[..., Entry]] = {
            "sale": ledger.record_sale,
            "payment": ledger.record_payment,
            "credit note": ledger.record_credit_note,
            "refund": ledger.record_refund,
            "write-off": ledger.write_off,
            "debt": ledger.record_opening_balance,
            "prepayment": ledger.record_opening_balance,
            "exchange": ledger.exchange,
        }
        made: Entry | None = self.attempt(
            f"{kind} at once", commands[kind], *given, because=because, **told
        )
        return made

    def _first_open(
        self, client: Client, code: str, side: str, on: date
    ) -> tuple[Entry | Instalment, Money] | None:
        """The first item of an account that is open on a day, and how much of it from then on."""
        keeper = self.keeper(client)
        for key in keeper.open_keys(code, side):
            room = keeper.room(key, on)
            if room and keeper.by_id[key[0]].on <= on:
                return self.target(key), self.money(min(room, 10**15), code)
        return None

    # ------------------------------------------------------------ what is looked at

    @rule()
    def look_at_everything(self) -> None:
        self.audit()
        self.check_claims()
        self.check_letters()
        for client in self.clients:
            self.check_facts(client.id)
            self.check_rows(client.id)
            self.check_moment(client.id)

    @invariant()
    def all_that_was_touched_adds_up(self) -> None:
        self.tally.steps += bool(self.steps)  # the first time, only the shop has been opened
        self.steps += 1
        touched, self.touched = self.touched, set()
        if self.steps % 10 == 0:
            touched |= {client.id for client in self.clients}
        for client in sorted(touched):
            keeper = self.keeper(client)
            if not keeper.entries:
                continue
            day, other = self.some_days(keeper, 2)
            self.check_facts(client, [*self.some_days(keeper, 10), date.max])
            self.check_day(client, day)
            self.check_state(self.chance.choice(keeper.entries), other)
            if self.steps % 4 == 0:
                self.check_explanations(client, other)
            if self.steps % 4 == 2:
                self.check_moment(client)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # else a step has failed, and says what is wrong
                self.look_at_every_day()
        finally:
            self.store.close()

    def look_at_every_day(self) -> None:
        """Everything is right in the end, on every day on which anything happened."""
        self.look_at_everything()
        for memory in self.memories:
            self._ask_again(memory)
        for client in self.clients:
            keeper = self.keeper(client)
            for day in keeper.days:
                self.check_day(client.id, day)
            for entry in keeper.entries:
                self.check_state(entry, self.some_days(keeper, 1)[0])
            self.check_explanations(client.id, self.day(None), all_of_them=True)


def _same_on_all_days(before: Keeper, after: Keeper) -> None:
    """What was open of any document on any day still is."""
    for day in after.days:
        left = {key: minor for key, minor in after.on(day).open.items() if minor}
        assert left == {key: minor for key, minor in before.on(day).open.items() if minor}
