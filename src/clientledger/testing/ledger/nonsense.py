"""What no book may take: for each class of refusal, commands that must end in it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from clientledger.domain.clients import Client
from clientledger.domain.entries import Entry
from clientledger.domain.money import MAX_MINOR, Money
from clientledger.errors import (
    ClientArchived,
    CreditLimitExceeded,
    InvalidValue,
    NotFound,
    OverAllocated,
    PeriodClosed,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)
from clientledger.testing.ledger.desk import Reasons, newest
from clientledger.testing.ledger.running import Command, RunsTheShop
from clientledger.testing.ledger.strategies import CLIENTS, PICKS, day_of_offset

__all__ = ["TalksNonsense"]

_NOBODY = UUID(int=7)
_AMOUNTS: tuple[tuple[Any, Reasons], ...] = (
    (0, [InvalidValue]),
    (-1, [InvalidValue]),
    (Decimal("-0"), [InvalidValue]),
    (Money.from_minor(-1, "EUR"), [InvalidValue]),
    (1.5, [InvalidValue]),
    (True, [InvalidValue]),
    (None, [InvalidValue]),
    ("", [InvalidValue]),
    ("1,50", [InvalidValue]),
    ("١٢", [InvalidValue]),
    (" 12", [InvalidValue]),
    ("9" * 5000, [InvalidValue]),
    ("1.001", [InvalidValue]),
    (Decimal("NaN"), [InvalidValue]),
    (Decimal("Infinity"), [InvalidValue]),
    (Money.from_minor(MAX_MINOR + 1, "EUR"), [InvalidValue]),
    ("1 JPY", [WrongCurrency]),
    ("1 XXX", [InvalidValue]),
)
_DATES: tuple[Any, ...] = (
    "2026-03-01",
    datetime(2026, 3, 1, tzinfo=UTC),
    date(1899, 12, 31),
    date(3000, 1, 1),
    20260301,
)


class TalksNonsense(RunsTheShop):
    """Asks for what is wrong in one way, and expects just that error."""

    @rule(
        what=st.sampled_from(["amount", "date", "name", "instalments"]),
        who=CLIENTS,
        n=PICKS,
        m=PICKS,
    )
    def say_what_is_none(self, what: str, who: int, n: int, m: int) -> None:
        says = {
            "amount": self._amount,
            "date": self._date,
            "name": self._name_of_nobody,
            "instalments": self._instalments,
        }
        says[what](self.client(who), n, m)

    def _amount(self, client: Client, n: int, m: int) -> None:
        told, because = _AMOUNTS[m % len(_AMOUNTS)]
        ledger = self.book.ledger
        commands: list[tuple[Any, dict[str, Any]]] = [
            (ledger.record_sale, {}),
            (ledger.record_payment, {}),
            (ledger.record_credit_note, {"reason": "r"}),
            (ledger.record_refund, {}),
            (ledger.write_off, {"reason": "r"}),
            (ledger.record_payment, {"allocate": {}}),
        ]
        command, extra = commands[n % len(commands)]
        self.attempt(
            "an amount that is none",
            command,
            client,
            told,
            currency="EUR",
            because=[*because, *([ClientArchived] if self.archived(client) else [])],
            **extra,
        )

    def _date(self, client: Client, n: int, m: int) -> None:
        ledger, day = self.book.ledger, _DATES[m % len(_DATES)]
        command: Any = [ledger.record_payment, ledger.record_opening_balance][n % 2]
        self.attempt(
            "a date that is none", command, client, "1 EUR", on=day, because=[InvalidValue]
        )

    def _name_of_nobody(self, client: Client, n: int, m: int) -> None:
        ledger = self.book.ledger
        entry = newest(self.documents, n).id if self.documents else _NOBODY
        commands: list[Command] = [
            (ledger.record_payment, (_NOBODY, "1 EUR"), {}),
            (ledger.void, (_NOBODY,), {"reason": "r"}),
            (ledger.correct, (_NOBODY,), {"reason": "r"}),
            (ledger.record_payment, (client, "1 EUR"), {"allocate": {_NOBODY: "1"}}),
            (ledger.release, (entry,), {}),
            (ledger.allocate, (_NOBODY, entry, "1"), {}),
            (ledger.record_credit_note, (client, "1 EUR"), {"sale": _NOBODY, "reason": "r"}),
        ]
        command, given, told = commands[m % len(commands)]
        if command != ledger.release:
            told["on"] = self.first_open_day()
        self.attempt("nobody", command, *given, because=[NotFound], **told)

    def _instalments(self, client: Client, n: int, m: int) -> None:
        minor, day = (2, 100)[n % 2], self.first_open_day()
        one = self.money(1, "EUR")
        rest = self.money(minor - 1, "EUR")
        later = day + timedelta(days=1)
        all_told: list[dict[str, Any]] = [
            {"instalments": [(day, one), (later, rest + one)]},
            {"instalments": [(day, one), (day, rest)]},
            {"instalments": []},
            {"instalments": [(day, rest), (later, one)], "due": later},
            {"terms": "60 % now, 60 % in 2 weeks"},
            {"instalments": [(day, self.money(minor + 1, "EUR")), (later, -one)]},
        ]
        archived = [ClientArchived] if self.archived(client) else []
        self.attempt(
            "instalments that do not add up",
            self.book.ledger.record_sale,
            client,
            self.money(minor, "EUR"),
            on=day,
            because=[InvalidValue, *archived],
            **all_told[m % len(all_told)],
        )

    def first_open_day(self) -> date:
        """A day that is not closed."""
        through = self.settings.closed_through
        return day_of_offset(0) if through is None else max(
            day_of_offset(0), through + timedelta(days=1)
        )  # fmt: skip

    # ------------------------------------------------------------ two that do not go together

    @rule(
        what=st.sampled_from(["two", "target", "twice", "more", "gone"]),
        who=CLIENTS,
        n=PICKS,
        m=PICKS,
    )
    def link_what_does_not_go_together(self, what: str, who: int, n: int, m: int) -> None:
        if not self.documents:
            return
        links = {
            "two": self._two,
            "target": self._target,
            "twice": self._twice,
            "more": self._more_than_holds,
            "gone": self._gone,
        }
        links[what](self.client(who), n, m)

    def _two(self, _: Client, n: int, m: int) -> None:
        """Of another client, of another currency, two of one side, itself, or gone."""
        credit, debit = newest(self.documents, n), newest(self.documents, m)
        because: Reasons = []
        if "void" in (credit.kind, debit.kind) or self.voided(credit) or self.voided(debit):
            because.append(Voided)
        if credit.side != "credit" or debit.side != "debit":
            because.append(WrongDirection)
        if credit.client != debit.client:
            because.append(WrongClient)
        if credit.currency != debit.currency:
            because.append(WrongCurrency)
        if not because:
            return
        self.attempt(
            "two that do not go together",
            self.book.ledger.allocate,
            credit,
            debit,
            self.money(1, credit.currency),
            on=self.first_open_day(),
            because=because,
        )

    def _target(self, client: Client, n: int, m: int) -> None:
        """A payment or a refund against what it cannot be against."""
        aim, kind = newest(self.documents, n), ("payment", "refund")[m % 2]
        side = "debit" if kind == "payment" else "credit"
        because: Reasons = []
        if aim.kind == "void" or self.voided(aim):
            because.append(Voided)
        if aim.side != side:
            because.append(WrongDirection)
        if aim.client != client.id:
            because.append(WrongClient)
        if aim.currency != "EUR":
            because.append(WrongCurrency)
        if not because:
            return
        ledger = self.book.ledger
        self.attempt(
            "a target that is none",
            ledger.record_payment if kind == "payment" else ledger.record_refund,
            client,
            "1.00 EUR",
            allocate={aim: "1.00"},
            on=self.first_open_day(),
            because=because,
        )

    def _twice(self, client: Client, n: int, m: int) -> None:
        """Twice the same target, together beyond what is open of it."""
        before, over = self.keeper(client), (1, 1000)[m % 2]
        codes = sorted(before.in_all.accounts)
        found = [key for code in codes for key in before.open_keys(code, "debit")]
        if not found:
            return
        key = newest(found, n)
        code, left = before.by_id[key[0]].currency, before.in_all.open[key]
        amounts = [self.money(part, code) for part in (left, over)]
        self.attempt(
            "one target twice",
            self.book.ledger.record_payment,
            client,
            amounts[0] + amounts[1],
            allocate=[(self.target(key), amount) for amount in amounts],
            on=self.first_open_day(),
            because=[OverAllocated] if left + over <= MAX_MINOR else [OverAllocated, InvalidValue],
        )

    def _more_than_holds(self, _: Client, n: int, m: int) -> None:
        held = [(link, self.keeper(link.client).in_all.held[link.id]) for link in self.links]
        held = [pair for pair in held if pair[1]]
        if held:
            link, minor = newest(held, n + m)
            self.attempt(
                "more than holds",
                self.book.ledger.release,
                link,
                self.money(minor + 1, link.amount.currency),
                on=max(link.on, self.first_open_day()),
                because=[OverAllocated],
            )

    def _gone(self, _: Client, n: int, m: int) -> None:
        """A second void, and a correction of what is voided."""
        gone = [e for e in self.documents if e.kind == "void" or self.voided(e)]
        if gone:
            entry: Entry = newest(gone, n + m)
            day = max(entry.on, self.first_open_day())
            for what in ("void", "correct"):
                act = getattr(self.book.ledger, what)
                self.attempt("a second void", act, entry, reason="r", on=day, because=[Voided])

    # ------------------------------------------------------------ up to a limit, and beyond it

    @rule(
        what=st.sampled_from(["number", "closing day", "credit limit", "archive"]),
        who=CLIENTS,
        n=PICKS,
        m=PICKS,
    )
    def go_up_to_a_limit_and_beyond(self, what: str, who: int, n: int, m: int) -> None:
        goes = {
            "number": self._number_twice,
            "closing day": self._around_the_closing_day,
            "credit limit": self._up_to_the_limit,
            "archive": self._while_archived,
        }
        goes[what](self.client(who), n, m)

    def _number_twice(self, client: Client, n: int, m: int) -> None:
        other, number = self.client(n), ("T-1", "t-1")[m % 2]
        day = self.first_open_day()
        for owner in (client, other):
            self.attempt(
                "a number twice",
                self.book.ledger.record_payment,
                owner,
                "0.01 EUR",
                number=number,
                on=day,
                allocate={},
                because=self.taken("payment", owner, number),
            )

    def _around_the_closing_day(self, client: Client, n: int, m: int) -> None:
        """On the closing day nothing is recorded, and on the day after it everything is."""
        through = self.settings.closed_through
        if through is None:
            return
        for day, because in ((through, [PeriodClosed]), (through + timedelta(days=1), [])):
            self.attempt(
                "around the closing day",
                self.book.ledger.record_payment,
                client,
                self.money(1 + n, "EUR"),
                on=day,
                because=because,
            )

    def _up_to_the_limit(self, client: Client, n: int, m: int) -> None:
        """A sale up to the limit is taken, and one minor unit more is not."""
        more, day = n % 3, self.first_open_day()
        if self.archived(client) or self.settings.credit_limit == "warn":
            return
        stand = self.keeper(client).in_all.accounts.get("EUR")
        owes = stand.balance if stand else 0
        if owes + more < 0:
            return
        self.attempt(
            "promise credit limit",
            self.book.agreements.promise,
            client,
            "credit limit",
            "just so",
            amount=self.money(owes + more, "EUR") if owes + more <= MAX_MINOR else "1 EUR",
            valid_from=day,
        )
        for minor in (more + 1, more):
            amount = self.money(minor, "EUR")
            because = self.beyond_limit(client, amount, day) if minor else [InvalidValue]
            self.attempt(
                "a sale at the limit",
                self.book.ledger.record_sale,
                client,
                amount,
                on=day,
                because=because,
            )
            if minor > more and owes + more <= MAX_MINOR:
                assert CreditLimitExceeded in because

    def _while_archived(self, client: Client, n: int, m: int) -> None:
        """An archived client takes no new sale, and pays."""
        day = self.first_open_day()
        self.attempt("archive", self.book.clients.archive, client)
        self.attempt(
            "a sale to an archived client",
            self.book.ledger.record_sale,
            client,
            "1 EUR",
            on=day,
            because=[ClientArchived],
        )
        ledger = self.book.ledger
        self.attempt("record_payment", ledger.record_payment, client, "0.01 EUR", on=day)
        self.attempt("restore", self.book.clients.restore, client)
