"""Commands that record documents, and what each of them must then have settled."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from clientledger.domain.clients import Client
from clientledger.domain.entries import Entry, Line
from clientledger.domain.money import MAX_MINOR, Money
from clientledger.errors import (
    ClientArchived,
    InvalidValue,
    OverAllocated,
    Voided,
    WrongCurrency,
)
from clientledger.testing.ledger.arithmetic import line_minor, schedule
from clientledger.testing.ledger.desk import newest
from clientledger.testing.ledger.foresight import Foresees
from clientledger.testing.ledger.strategies import (
    CLIENTS,
    CURRENCIES,
    DAYS,
    DUES,
    LINES,
    MINORS,
    NUMBERS,
    PARTS,
    PICKS,
    TERMS,
    USES,
)
from clientledger.testing.oracle import Keeper, Key, keys_of

__all__ = ["RecordsDocuments"]


class RecordsDocuments(Foresees):
    """Records every kind of document, by its own rule and as told."""

    # ------------------------------------------------------------ sales

    @rule(
        who=CLIENTS,
        minor=MINORS,
        code=CURRENCIES,
        when=DAYS,
        due=DUES,
        parts=st.sampled_from([0, 0, 0, 2, 3]),
        number=NUMBERS,
        use=USES,
    )
    def sell(
        self,
        who: int,
        minor: int,
        code: str,
        when: int | None,
        due: int | None,
        parts: int,
        number: str | None,
        use: bool | None,
    ) -> None:
        on = self.day(when)
        first = on + timedelta(days=due or 0)
        wanted = None if due is None else [(first, minor)]
        told: dict[str, Any] = {} if due is None else {"due": first}
        if 1 < parts <= minor:
            sizes = [minor - parts + 1, *[1] * (parts - 1)]
            wanted = [(first + timedelta(days=9 * n), size) for n, size in enumerate(sizes)]
            told = {"instalments": [(day, self.money(size, code)) for day, size in wanted][::-1]}
        amount = self.money(minor, code)
        self._sell(self.client(who), amount, amount, when, wanted, number, use, told)

    @rule(who=CLIENTS, minor=MINORS, code=CURRENCIES, when=DAYS, terms=st.sampled_from([*TERMS]))
    def sell_on_terms(self, who: int, minor: int, code: str, when: int | None, terms: str) -> None:
        wanted = schedule(minor, self.day(when), TERMS[terms], self.settings.rounding)
        amount = self.money(minor, code)
        told = {"terms": terms}
        self._sell(self.client(who), amount, amount, when, wanted, None, None, told)

    @rule(who=CLIENTS, lines=LINES, code=CURRENCIES, when=DAYS)
    def sell_lines(self, who: int, lines: list[Any], code: str, when: int | None) -> None:
        digits, rounding = self.unit(code).digits, self.settings.rounding
        minor = sum(line_minor(q, price, off, digits, rounding) for q, price, off in lines)
        told = {"currency": code}
        given = [Line("x", q, price, discount_percent=percent) for q, price, percent in lines]
        self._sell(self.client(who), given, self.money(minor, code), when, None, None, None, told)

    def _sell(
        self,
        client: Client,
        content: Any,
        amount: Money,
        when: int | None,
        wanted: list[tuple[date, int]] | None,
        number: str | None,
        use: bool | None,
        told: dict[str, Any],
    ) -> None:
        """Record a sale, unless it must be refused, and look at what was made of it."""
        on = self.day(when)
        before = self.keeper(client)
        because = [*self.closed(on), *self.taken("sale", client, number)]
        because += [ClientArchived] if self.archived(client) else []
        because += [] if amount else [InvalidValue]
        because += self.beyond_limit(client, amount, on)
        sale = self.attempt(
            "record_sale",
            self.book.ledger.record_sale,
            client,
            content,
            on=None if when is None else on,
            number=number,
            use_prepayments=use,
            because=because,
            **told,
        )
        if sale is None:
            return
        assert (sale.amount, sale.on, sale.number) == (amount, on, number)
        if wanted is None:
            wanted = self.agreed_schedule(client, amount.minor, on)
        assert [(part.due, part.amount.minor) for part in sale.instalments] == sorted(wanted)
        takes = self.settings.use_prepayments if use is None else use
        self.settled(before, sale, before.open_keys(sale.currency, "credit") if takes else [])

    # ------------------------------------------------------------ credits and refunds

    @rule(who=CLIENTS, minor=MINORS, code=CURRENCIES, when=DAYS, number=NUMBERS, free=st.booleans())
    def pay(
        self, who: int, minor: int, code: str, when: int | None, number: str | None, free: bool
    ) -> None:
        client, on = self.client(who), self.day(when)
        before = self.keeper(client)
        payment = self.attempt(
            "record_payment",
            self.book.ledger.record_payment,
            client,
            self.money(minor, code),
            on=None if when is None else on,
            number=number,
            allocate={} if free else None,
            because=[*self.closed(on), *self.taken("payment", client, number)],
        )
        if payment is not None:
            self.settled(before, payment, [] if free else before.open_keys(code, "debit"))

    @rule(who=CLIENTS, minor=MINORS, code=CURRENCIES, when=DAYS)
    def give_credit(self, who: int, minor: int, code: str, when: int | None) -> None:
        client, on = self.client(who), self.day(when)
        before = self.keeper(client)
        note_ = self.attempt(
            "record_credit_note",
            self.book.ledger.record_credit_note,
            client,
            self.money(minor, code),
            reason="goodwill",
            on=None if when is None else on,
            because=self.closed(on),
        )
        if note_ is not None:
            self.settled(before, note_, [])

    @rule(n=PICKS, minor=MINORS, when=DAYS, lines=st.booleans(), foreign=st.booleans())
    def give_credit_for_a_sale(
        self, n: int, minor: int, when: int | None, lines: bool, foreign: bool
    ) -> None:
        sales = [entry for entry in self.documents if entry.kind == "sale"]
        if not sales:
            return
        sale, on = newest(sales, n), self.day(when)
        before = self.keeper(sale.client)
        other = foreign and sale.currency != "JPY"
        amount = self.money(minor, "JPY" if other else sale.currency)
        because = [*self.closed(on), *([Voided] if self.voided(sale) else [])]
        because += [WrongCurrency] if other else []
        made = self.attempt(
            "record_credit_note",
            self.book.ledger.record_credit_note,
            sale.client,
            [("came back", 1, amount.amount)] if lines else amount,
            currency=amount.currency if lines else None,
            sale=sale,
            reason="came back",
            on=None if when is None else on,
            because=because,
        )
        if made is not None:
            self.settled(before, made, [key for key in keys_of(sale) if before.in_all.open[key]])

    @rule(who=CLIENTS, minor=MINORS, code=CURRENCIES, when=DAYS)
    def refund(self, who: int, minor: int, code: str, when: int | None) -> None:
        self._wholly("refund", self.client(who), minor, code, when)

    @rule(who=CLIENTS, part=PARTS, code=CURRENCIES, when=DAYS)
    def refund_and_settle_later(
        self, who: int, part: int | None, code: str, when: int | None
    ) -> None:
        client, on = self.client(who), self.day(when)
        before = self.keeper(client)
        free = self.free(before, code, on)
        minor = part or max(1, min(free, MAX_MINOR))
        made = self.attempt(
            "record_refund",
            self.book.ledger.record_refund,
            client,
            self.money(minor, code),
            allocate={},
            on=None if when is None else on,
            because=[*self.closed(on), *([OverAllocated] if minor > free else [])],
        )
        if made is not None:
            self.settled(before, made, [])

    @rule(who=CLIENTS, minor=MINORS, code=CURRENCIES, when=DAYS)
    def write_off(self, who: int, minor: int, code: str, when: int | None) -> None:
        self._wholly("write-off", self.client(who), minor, code, when)

    def _wholly(self, kind: str, client: Client, minor: int, code: str, when: int | None) -> None:
        """Record what must be wholly against what is open on its day, the first of it first."""
        on = self.day(when)
        before = self.keeper(client)
        side = "credit" if kind == "refund" else "debit"
        keys = [key for key in before.open_keys(code, side) if before.by_id[key[0]].on <= on]
        there = sum(before.spread(minor, keys, on).values())
        if there and minor > 10_000_000:
            minor = there  # what is there is rarely as much as the largest amounts
        beyond = minor > there or (kind == "refund" and minor > self.free(before, code, on))
        command, extra = self._recorder(kind)
        made = self.attempt(
            command.__name__,
            command,
            client,
            self.money(minor, code),
            on=None if when is None else on,
            because=[*self.closed(on), *([OverAllocated] if beyond else [])],
            **extra,
        )
        if made is not None:
            self.settled(before, made, keys)

    @rule(
        who=CLIENTS,
        minor=MINORS,
        code=CURRENCIES,
        when=DAYS,
        debt=st.booleans(),
        due=DUES,
    )
    def open_with_a_balance(
        self, who: int, minor: int, code: str, when: int | None, debt: bool, due: int | None
    ) -> None:
        on = self.day(when)
        amount = self.money(minor, code)
        last = on + timedelta(days=due or 0)
        made = self.attempt(
            "record_opening_balance",
            self.book.ledger.record_opening_balance,
            self.client(who),
            amount if debt else -amount,
            on=on,
            due=last if debt and due is not None else None,
            because=self.closed(on),
        )
        if made is not None:
            assert (made.side, made.amount) == ("debit" if debt else "credit", amount)
            assert made.due == (last if debt else None)

    # ------------------------------------------------------------ as told

    @rule(
        kind=st.sampled_from(["payment", "payment", "credit note", "refund", "write-off"]),
        who=CLIENTS,
        picks=st.lists(st.tuples(PICKS, PARTS), min_size=1, max_size=3),
        more=st.sampled_from([0, 0, 1, 1000]),
        when=DAYS,
        whole=st.booleans(),
    )
    def settle_as_told(
        self,
        kind: str,
        who: int,
        picks: list[tuple[int, int | None]],
        more: int,
        when: int | None,
        whole: bool,
    ) -> None:
        client, on = self.client(who), self.day(when)
        before = self.keeper(client)
        told = self._told(before, "credit" if kind == "refund" else "debit", picks, on, whole)
        if not told:
            return
        code = before.by_id[next(iter(told))[0]].currency
        amount = self.money(sum(part for part, _ in told.values()) + more, code)
        beyond = any(part > room for part, room in told.values())
        too_large = [InvalidValue] if amount.minor > MAX_MINOR else []
        if kind == "refund":
            beyond = beyond or amount.minor > self.free(before, code, on)
        elif kind == "write-off":
            beyond = beyond or bool(more) or any(before.by_id[key[0]].on > on for key in told)
        command, extra = self._recorder(kind)
        made = self.attempt(
            f"{command.__name__} as told",
            command,
            client,
            amount,
            allocate=[
                (self.target(key, whole=whole), self.money(part, code))
                for key, (part, _) in told.items()
            ],
            on=None if when is None else on,
            because=[*self.closed(on), *([OverAllocated] if beyond else []), *too_large],
            **extra,
        )
        if made is not None:
            settled: dict[Key | UUID, int] = {}
            for (other, _), minor in self.keeper(client).linked(made.id).items():
                name = other[0] if whole else other
                settled[name] = settled.get(name, 0) + minor
            assert settled == {key[0] if whole else key: part for key, (part, _) in told.items()}

    def _recorder(self, kind: str) -> tuple[Any, dict[str, Any]]:
        ledger = self.book.ledger
        return {
            "payment": (ledger.record_payment, {"method": "cash"}),
            "credit note": (ledger.record_credit_note, {"reason": "came back"}),
            "refund": (ledger.record_refund, {"method": "cash"}),
            "write-off": (ledger.write_off, {"reason": "gone"}),
        }[kind]

    def _told(
        self,
        before: Keeper,
        side: str,
        picks: list[tuple[int, int | None]],
        on: date,
        whole: bool,
    ) -> dict[Key, tuple[int, int]]:
        """Some items of one account, each with what is told of it and what it has room for."""
        codes = sorted(before.in_all.accounts)
        keys = [key for code in codes for key in before.open_keys(code, side)]
        found: dict[Key, tuple[int, int]] = {}
        code = ""
        for n, part in picks:
            key = newest(keys, n) if keys else None
            if key is None or key in found or (code and before.by_id[key[0]].currency != code):
                continue
            owner = before.by_id[key[0]]
            if whole and any(other[0] == owner.id for other in found):
                continue
            code = owner.currency
            named = keys_of(owner) if whole else [key]
            room = sum(before.room(one, max(on, owner.on)) for one in named)
            found[key] = (part or max(1, room), room)
        return found

    # ------------------------------------------------------------ what it must have settled

    def settled(self, before: Keeper, made: Entry, keys: list[Key]) -> None:
        """The document has settled these items in their order, and no others.

        Of its own instalments, the first are settled first.
        """
        wanted = before.spread(made.amount.minor, keys, made.on)
        settled: dict[Key, int] = {}
        own: dict[int, int] = {}
        for (other, number), minor in self.keeper(made.client).linked(made.id).items():
            settled[other] = settled.get(other, 0) + minor
            own[number] = own.get(number, 0) + minor
        assert settled == wanted, f"{made.kind} #{made.sequence} settled {settled}, not {wanted}"
        left = sum(wanted.values())
        for part in made.instalments:
            assert own.get(part.number, 0) == min(left, part.amount.minor)
            left -= own.get(part.number, 0)
