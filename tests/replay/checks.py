"""What a case expects of the book, compared exactly."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from tests.replay import ageing
from tests.replay.fields import (
    AMOUNT,
    FROM,
    LINK_TO,
    TO,
    Fields,
    NotApplicable,
    read_day,
    read_links,
    rows_of,
    short,
    spelled,
)
from tests.replay.figures import Figures, by_ref
from tests.replay.play import EARLY, WHO, told_by
from tests.replay.words import FIGURES, expected_of, state_of

from clientledger import Allocation, Client, ClientLedgerError, Entry, EntryState


@attrs.define
class Checker(Figures):
    """Compares what is expected on a day, and gathers what differs."""

    def check(self, told: Any, where: str = "") -> None:
        if told is None:
            return
        if not isinstance(told, Mapping):
            raise NotApplicable(f"an expectation that is not understood: {short(told)}")
        for name, value in told.items():
            key = expected_of(name)
            if key is None:
                self.uncompared.append(where + str(name))
            elif value is not None:
                self._check(key, where + str(name), value)

    def _check(self, key: str, name: str, value: Any) -> None:
        try:
            if key in FIGURES:
                self.figure(key, name, value)
            elif key not in ("refusals", "silent"):
                getattr(self, key)(name, value)
            else:
                return
            self.compared.add(name)
        except NotApplicable as error:
            self.uncompared.append(f"{name} ({error})")
        except ClientLedgerError as error:
            self.differ(name, "an answer", told_by(error))

    def totals(self, name: str, told: Any) -> None:
        """By document what it is over, else what all owe, by currency or in the case's."""
        if isinstance(told, Mapping) and self._are_refs(told):
            self.amounts(name, told)
        elif isinstance(told, Mapping) and any(expected_of(one) in FIGURES for one in told):
            for figure, value in told.items():
                self._check(str(expected_of(figure)), f"{name}.{figure}", value)
        else:
            self.figure("balance", name, told)

    # ------------------------------------------------------------ documents
    def entry(self, name: str, ref: str) -> Entry | None:
        """The document of a ref, or a difference."""
        known = self.play.papers.get(self.play.split(ref)[0])
        if known is None:
            self.differ(f"{name}.{ref}", "a document", "none")
        return known

    def amounts(self, name: str, told: Any) -> None:
        for ref, amount in by_ref(told).items():
            if entry := self.entry(name, ref):
                self.same(f"{name}.{ref}", amount, entry.amount.amount)

    def paid(self, name: str, told: Any) -> None:
        """What is settled of a document, or used of a credit."""
        for ref, amount in by_ref(told).items():
            if isinstance(amount, bool):
                self.status(name, {ref: "paid" if amount else "unpaid"})
            elif entry := self.entry(name, ref):
                state = self.play.book.ledger.state(entry, as_of=self.day)
                self.same(f"{name}.{ref}", amount, (entry.amount - state.open).amount)

    def status(self, name: str, told: Any) -> None:
        for ref, expected in by_ref(told).items():
            wanted = state_of(expected)
            if wanted is None:
                self.uncompared.append(f"{name}.{ref}={expected}")
            elif entry := self.entry(name, ref):
                if wanted == "voided" and ref in self.play.older:
                    entry = self.play.older[ref]
                state = self.play.book.ledger.state(entry, as_of=self.day)
                if not _is_so(wanted, spelled(expected), state):
                    self.differ(f"{name}.{ref}", expected, _said(state))

    def voided(self, name: str, told: Any) -> None:
        listed = told if isinstance(told, list) else [ref for ref, so in by_ref(told).items() if so]
        self.status(name, {str(ref): "voided" for ref in listed})

    def due_dates(self, name: str, told: Any) -> None:
        for ref, expected in by_ref(told).items():
            entry = self.entry(name, ref)
            if entry is None:
                continue
            rows = expected if isinstance(expected, list) else [expected]
            if any(isinstance(row, Mapping) for row in rows):
                self.instalments(name, {ref: rows})
                continue
            dues = [str(one.due) for one in entry.instalments]
            self.same(f"{name}.{ref}", sorted(str(read_day(row)) for row in rows), dues)

    def instalments(self, name: str, told: Any) -> None:
        for ref, expected in by_ref(told).items():
            entry = self.entry(name, ref)
            if entry is None:
                continue
            state = self.play.book.ledger.state(entry, as_of=self.day)
            rows = sorted(
                rows_of(expected), key=lambda row: str(row.day("due_date", "due", "date"))
            )
            self.same(f"{name}.{ref}", len(rows), len(state.instalments))
            for n, (row, (part, left)) in enumerate(zip(rows, state.instalments, strict=False), 1):
                at = f"{name}.{ref}.{n}"
                found = {"due": part.due, "amount": part.amount.amount, "open": left.amount}
                wanted = {
                    "due": row.day("due_date", "due", "date"),
                    "amount": row.amount(),
                    "open": row.amount("open", "outstanding", "residual"),
                }
                for key, value in wanted.items():
                    if value is not None:
                        self.same(f"{at}.{key}", value, found[key])

    def allocations(self, name: str, told: Any) -> None:
        """What is put against what, added up by pair; nothing else may hold."""
        links = read_links(told) if isinstance(told, list) else []
        if isinstance(told, Mapping):
            for ref, rows in told.items():
                for link in read_links(rows):
                    links.append(attrs.evolve(link, fields=link.fields.updated({"from": ref})))
        expected: dict[tuple[str, str], Any] = {}
        for link in links:
            to = self.play.pick(link.fields, *TO) or self.play.pick(link.fields, *LINK_TO) or "?"
            pair = (self._name(link.fields.ref(*FROM) or "?"), self._name(self.play.split(to)[0]))
            if not isinstance(link.amount, Decimal):
                raise NotApplicable("an allocation without an amount")
            expected[pair] = expected.get(pair, Decimal(0)) + link.amount
        found: dict[tuple[str, str], Decimal] = {}
        for one in self._live():
            pair = (self.play.name_of(one.credit), self.play.name_of(one.debit))
            found[pair] = found.get(pair, Decimal(0)) + one.live.amount
        for pair in [*expected, *(one for one in found if one not in expected)]:
            self.same(f"{name}.{'>'.join(pair)}", expected.get(pair, 0), found.get(pair, 0))

    def _live(self) -> list[Allocation]:
        book = self.play.book
        found = {
            one.id: one
            for entry in book.ledger.find(until=self.day)
            if entry.side == "credit"
            for one in book.ledger.state(entry, as_of=self.day).allocations
            if one.live
        }
        return list(found.values())

    # ------------------------------------------------------------ reports
    def aging(self, name: str, told: Any) -> None:
        for row in rows_of(told):
            differences, uncompared = ageing.compare(self.play, self.day, row, name)
            self.differences += differences
            self.uncompared += uncompared

    def statement(self, name: str, told: Any) -> None:
        for row in rows_of(told):
            self._statement(name, row)

    def _statement(self, name: str, row: Fields) -> None:
        client = self.statement_client(row)
        currency = row.currency() or self.play.currency
        if currency is None:
            raise NotApplicable("a statement in no currency")
        found = self.play.book.ledger.statement(
            client,
            currency,
            row.day("since", "from", "start", "from_date", "start_date") or EARLY,
            row.day("until", "to", "end", "through", "to_date", "end_date", "as_of") or self.day,
        )
        for key, names in (
            ("opening", ("opening", "opening_balance", "balance_forward")),
            ("closing", ("closing", "closing_balance", "balance", "total")),
        ):
            if row.get(*names) is not None:
                self.same(f"{name}.{key}", row.get(*names), getattr(found, key).amount)
        rows = row.get("rows", "lines", "entries", "items")
        if rows is None:
            return
        listed = rows_of(rows)
        refs = [self.play.name_of(one.entry.id) for one in found.rows]
        wanted = [one.ref("ref", "document", "number", "entry", "name") for one in listed]
        self.same(f"{name}.rows", len(listed), len(found.rows))
        for n, (one, ref, is_) in enumerate(zip(listed, wanted, found.rows, strict=False), 1):
            at = f"{name}.rows.{n}"
            if ref is not None:
                self.same(f"{at}.ref", self._name(ref), refs[n - 1])
            if one.day("date", "on") is not None:
                self.same(f"{at}.date", one.day("date", "on"), is_.entry.on)
            for key in ("debit", "credit", "balance"):
                money = getattr(is_, key)
                if one.get(key) is not None:
                    self.same(f"{at}.{key}", one.get(key), 0 if money is None else money.amount)

    def statement_client(self, row: Fields) -> Client:
        name = row.get(*WHO)
        if name is None and len(self.play.clients) == 1:
            return next(iter(self.play.clients.values()))
        if str(name) not in self.play.clients:
            raise NotApplicable("a statement of no client of the case")
        return self.play.clients[str(name)]

    def debtors(self, name: str, told: Any) -> None:
        """Who owes: by client what, or their names in order."""
        rows = self.play.book.insights.debtors(as_of=self.day, currency=self.play.currency)
        names = {client.id: called for called, client in self.play.clients.items()}
        found = {names[row.client.id]: row.account.owed.amount for row in rows}
        if isinstance(told, list) and all(isinstance(one, str) for one in told):
            self.same(name, told, list(found))
            return
        if isinstance(told, list):
            told = {row.get(*WHO): row.get("owed", *AMOUNT, "balance") for row in rows_of(told)}
        for client in [*told, *(one for one in found if one not in told)]:
            self.same(f"{name}.{client}", told.get(client, 0), found.get(client, 0))

    def closed_through(self, name: str, told: Any) -> None:
        self.same(name, read_day(told), self.play.book.settings.closed_through)

    def at(self, name: str, told: Any) -> None:
        """Other days: a list of expectations each with its day, or expectations by day."""
        listed = (
            [{"as_of": day, "expect": one} for day, one in told.items()]
            if isinstance(told, Mapping) and not Fields.of(told).has("as_of", "date")
            else told
        )
        for row in rows_of(listed):
            day = row.day("as_of", "date", "on", "at")
            if not isinstance(day, date):
                raise NotApplicable("expectations without a day")
            inner = row.get("expect", "expected")
            if inner is None:
                inner = row.without("as_of", "date", "on", "at").data
            other = Checker(self.play, day, self.differences, self.uncompared, self.compared)
            other.check(inner, f"on {day} ")


def _is_so(wanted: str, word: str, state: EntryState) -> bool:
    """Whether a document is what is expected of it."""
    if wanted == "overdue":
        return state.overdue
    if wanted == "free" and word.startswith("part"):
        return state.status == "free" and state.open < state.entry.amount
    if wanted == "partly paid" and state.entry.side == "credit":
        return state.status == "free" and state.open < state.entry.amount
    if wanted == "unpaid" and state.entry.side == "credit":
        return state.open == state.entry.amount
    if wanted == "paid" and state.entry.side == "credit":
        return state.status == "used"
    if wanted == "used" and state.entry.side == "debit":
        return state.status == "paid"
    return state.status == wanted


def _said(state: EntryState) -> str:
    return f"{state.status}{' and overdue' if state.overdue else ''}"
