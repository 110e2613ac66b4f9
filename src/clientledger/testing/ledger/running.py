"""What surrounds documents: periods, settings, agreements, trials, units that fail, keys."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from clientledger.book import Book
from clientledger.domain.clients import Client
from clientledger.errors import (
    ClientArchived,
    ClientLedgerError,
    CreditLimitExceeded,
    InvalidValue,
    KeyReused,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)
from clientledger.testing.ledger.desk import newest
from clientledger.testing.ledger.strategies import (
    CLIENTS,
    CURRENCIES,
    DAYS,
    MINORS,
    PICKS,
    TERMS,
    day_of_offset,
)
from clientledger.testing.ledger.undoing import UndoesDocuments

__all__ = ["Command", "RunsTheShop"]


Command = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A command, and what is told to it by place and by name."""


@attrs.frozen(kw_only=True)
class Kept:
    """A command that was given with a key, and the id of what it made."""

    key: str
    command: Callable[..., Any]
    given: tuple[Any, ...]
    told: dict[str, Any]
    made: str


class RunsTheShop(UndoesDocuments):
    """Closes and opens periods, changes settings, agrees, tries, fails, and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Kept] = []
        self.unused: list[str] = []

    @rule(days=st.sampled_from([1, 1, 2, 10]))
    def time_passes(self, days: int) -> None:
        self.moment += timedelta(days=days)

    # ------------------------------------------------------------ periods, settings, agreements

    @rule(through=st.sampled_from([-45, -30, -20, -10, -5, 0]))
    def close_period(self, through: int) -> None:
        before, day = self.settings.closed_through, day_of_offset(through)
        made = self.attempt(
            "close_period",
            self.book.ledger.close_period,
            day,
            because=[InvalidValue] if before is not None and day <= before else [],
        )
        assert made is None or made.closed_through == day

    @precondition(lambda self: self.settings.closed_through is not None)
    @rule(days=st.sampled_from([0, 0, 1, 30, -1]))
    def reopen_period(self, days: int) -> None:
        through = self.settings.closed_through
        assert through is not None
        day = through - timedelta(days=days)
        made = self.attempt(
            "reopen_period",
            self.book.ledger.reopen_period,
            day,
            reason="forgot one",
            because=[InvalidValue] if day > through else [],
        )
        assert made is None or made.closed_through == day - timedelta(days=1)

    @rule(
        change=st.sampled_from(
            [
                {"number_scope": "client"},
                {"number_scope": "book"},
                {"use_prepayments": False},
                {"use_prepayments": True},
                {"credit_limit": "warn"},
                {"credit_limit": "refuse"},
                {"rounding": "ROUND_HALF_UP"},
                {"rounding": "ROUND_DOWN"},
                {"rounding": "ROUND_HALF_EVEN"},
            ]
        )
    )
    def change_settings(self, change: dict[str, Any]) -> None:
        made = self.attempt("change_settings", self.book.change_settings, **change)
        assert made is not None
        assert all(getattr(made, name) == value for name, value in change.items())

    @rule(
        who=CLIENTS,
        minor=st.one_of(st.just(0), MINORS),
        code=CURRENCIES,
        terms=st.sampled_from([*TERMS, None, None]),
        when=DAYS,
    )
    def promise(self, who: int, minor: int, code: str, terms: str | None, when: int | None) -> None:
        """Agree on a credit limit (of nothing too), or on payment terms."""
        client = self.client(who)
        kind = "credit limit" if terms is None else "payment terms"
        told: dict[str, Any] = {"terms": terms} if terms else {"amount": self.money(minor, code)}
        self.attempt(
            f"promise {kind}",
            self.book.agreements.promise,
            client,
            kind,
            "as agreed",
            valid_from=None if when is None else self.day(when),
            because=[ClientArchived] if self.archived(client) else [],
            **told,
        )

    @rule(who=CLIENTS, back=st.booleans())
    def archive(self, who: int, back: bool) -> None:
        clients = self.book.clients
        act = clients.restore if back else clients.archive
        self.attempt("restore" if back else "archive", act, self.client(who))

    # ------------------------------------------------------------ documents of another system

    @rule(
        kind=st.sampled_from(["sale", "payment", "credit note"]),
        name=st.sampled_from(["1", "2"]),
        who=CLIENTS,
        minor=st.sampled_from([1, 100, 5000]),
        when=DAYS,
    )
    def upsert(self, kind: str, name: str, who: int, minor: int, when: int | None) -> None:
        client, amount = self.client(who), self.money(minor, "EUR")
        on = None if when is None else self.day(when)
        old = next(
            (
                e
                for e in self.live_documents
                if e.kind == kind and e.external_ids.get("erp") == name
            ),
            None,
        )
        same = old is not None and old.amount == amount and on in (None, old.on)
        foreign = old is not None and old.client != client.id
        command = getattr(self.book.ledger, f"upsert_{kind}".replace(" ", "_"))
        before = self.photo
        made = self.attempt(
            f"upsert {kind}",
            command,
            ("erp", name),
            client,
            amount,
            on=on,
            because=[WrongClient] if foreign else [] if same else _ANY,
            surely=foreign,
            **({"reason": "so"} if kind == "credit note" else {}),
        )
        if made is None:
            return
        outcome = "created" if old is None else "unchanged" if same else "changed"
        assert (made.outcome, made.entry.amount) == (outcome, amount)
        assert made.entry.on == (on or (old.on if old else self.day(None)))
        assert made.entry.external_ids == {"erp": name}
        assert made.entry.replaces == (old.id if old and not same else None) or same
        assert not same or self.photo == before

    # ------------------------------------------------------------ what leaves nothing

    @rule(who=CLIENTS, minor=MINORS, n=PICKS, tried=st.booleans())
    def leave_nothing(self, who: int, minor: int, n: int, tried: bool) -> None:
        """A unit that fails at its end is as if it had never begun, and so is a trial."""
        if tried:
            with self.book.what_if() as book:
                self._look_ahead(book, self.client(who), minor)
                self._do_several(book, who, minor, n)
        else:
            with suppress(InterruptedError), self.book.atomic() as book:
                self._do_several(book, who, minor, n)
                with book.atomic() as inner:
                    self._do_several(inner, who, minor, n + 1)
                raise InterruptedError
        self.assert_untouched("a trial" if tried else "a unit that failed")

    def _look_ahead(self, book: Book, client: Client, minor: int) -> None:
        """A trial shows what would be, on the day from which it would be, and on no other."""
        day, ledger = self.day(None), book.ledger
        before = ledger.account(client, "EUR", as_of=day).balance
        ledger.record_opening_balance(client, self.money(minor, "EUR"), on=_LATE)
        assert ledger.account(client, "EUR", as_of=day).balance == before
        after = ledger.account(client, "EUR", as_of=_LATE).balance
        assert after.minor == minor + self._balance_on_last_day(client)

    def _balance_on_last_day(self, client: Client) -> int:
        stand = self.keeper(client).in_all.accounts.get("EUR")
        return stand.balance if stand else 0

    def _do_several(self, book: Book, who: int, minor: int, n: int) -> None:
        """Some commands in a book whose unit will be undone; refusals are answers too."""
        client, day = self.client(who), self.day(0)
        entry = newest(self.documents, n) if self.documents else None
        commands: list[Command] = [
            (
                book.ledger.record_payment,
                (client, self.money(minor, "EUR")),
                {"on": day, "key": "u"},
            ),
            (book.ledger.record_sale, (client, self.money(minor, "JPY")), {"number": "U"}),
            (book.ledger.void, (entry,), {"reason": "tried"}),
            (book.ledger.close_period, (day,), {}),
        ]
        for command, given, told in commands:
            try:
                command(*given, **told)
            except ClientLedgerError as error:
                self.tally.refuse("in a unit", error)

    # ------------------------------------------------------------ keys

    @rule(
        what=st.sampled_from(
            [
                "sale", "payment", "credit note", "refund", "write-off", "opening balance",
                "exchange", "allocate", "release", "unallocate", "void", "correct", "promise",
                "close", "settings",
            ]
        ),
        n=PICKS,
        minor=st.sampled_from([1, 99, 100]),
    )  # fmt: skip
    def command_with_a_key(self, what: str, n: int, minor: int) -> None:
        found = self._keyed(what, n, minor)
        if found is None:
            return
        command, given, told = found
        key = self.unused.pop() if self.unused else f"key {len(self.kept)}"
        made = self.attempt(
            f"{what} with a key",
            command,
            *given,
            key=key,
            because=_ANY,
            surely=False,
            **told,
        )
        if made is None:
            assert not self.book.outcome(key).recorded
            self.unused.append(key)  # a refusal uses up no key
            return
        assert self.book.outcome(key).recorded
        kept = Kept(key=key, command=command, given=given, told=told, made=_name(made))
        self.kept.append(kept)

    def _keyed(self, what: str, n: int, minor: int) -> Command | None:
        """A command, if there is what it is about."""
        ledger, client, day = self.book.ledger, self.client(n), self.day(0)
        amount = self.money(minor, "EUR")
        said = {"reason": "so"}
        plain: dict[str, Command] = {
            "sale": (ledger.record_sale, (client, amount), {"on": day}),
            "payment": (ledger.record_payment, (client, amount), {"method": "cash"}),
            "credit note": (ledger.record_credit_note, (client, amount), said),
            "refund": (ledger.record_refund, (client, amount), {}),
            "write-off": (ledger.write_off, (client, amount), said),
            "opening balance": (ledger.record_opening_balance, (client, amount), {"on": day}),
            "promise": (
                self.book.agreements.promise,
                (client, "credit limit", "x"),
                {"amount": self.money(10**15, "EUR")},
            ),
            "close": (ledger.close_period, (day_of_offset(-50 + n),), {}),
            "settings": (self.book.change_settings, (), {"company": f"Shop {n}"}),
        }
        if what in plain:
            return plain[what]
        settles = what in ("allocate", "release", "unallocate")
        return self._keyed_link(what, n) if settles else self._keyed_entry(what, n, minor)

    def _keyed_link(self, what: str, n: int) -> Command | None:
        if not self.links:
            return None
        ledger, link = self.book.ledger, newest(self.links, n)
        debit = self.target((link.debit, link.instalment))
        part = self.money(1, link.amount.currency)
        commands: dict[str, Command] = {
            "allocate": (ledger.allocate, (link.credit, debit, part), {}),
            "release": (ledger.release, (link, part), {}),
            "unallocate": (ledger.unallocate, (link.credit, debit, part), {}),
        }
        return commands[what]

    def _keyed_entry(self, what: str, n: int, minor: int) -> Command | None:
        if not self.documents:
            return None
        ledger, entry = self.book.ledger, newest(self.documents, n)
        into = self.money(minor, "JPY" if entry.currency != "JPY" else "EUR")
        commands: dict[str, Command] = {
            "void": (ledger.void, (entry,), {"reason": "so"}),
            "correct": (ledger.correct, (entry,), {"reason": "so", "number": f"K-{n}"}),
            "exchange": (ledger.exchange, (entry, self.money(1, entry.currency), into), {}),
        }
        return commands[what]

    @precondition(lambda self: self.kept)
    @rule(n=PICKS, m=PICKS, same=st.booleans())
    def repeat_a_key(self, n: int, m: int, same: bool) -> None:
        """The same command is answered and not done again; another one is refused."""
        kept = newest(self.kept, n)
        if same:
            again = kept.command(*kept.given, key=kept.key, **kept.told)
            assert _name(again) == kept.made
            self.assert_untouched("a repeat")
            self.tally.accept("a repeat")
            return
        self.attempt(
            "reuse of a key",
            self.book.ledger.record_refund,
            self.client(m),
            "1.00 EUR",
            key=kept.key,
            method="never told with a key",
            because=[KeyReused],
        )


_LATE = day_of_offset(20_000)
_ANY = (
    ClientArchived,
    CreditLimitExceeded,
    InvalidValue,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Voided,
    WrongCurrency,
    WrongDirection,
)
"""What any command of the ledger may be refused for."""


def _name(made: Any) -> str:
    if isinstance(made, tuple):
        return ",".join(str(one.id) for one in made)
    return str(made.id)
