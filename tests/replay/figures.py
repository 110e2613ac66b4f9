"""What a case expects to be open, and of accounts, compared exactly."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from tests.replay.fields import AMOUNT, Fields, NotApplicable, read_day, read_number, rows_of, short
from tests.replay.play import WHO, Play, digits_of
from tests.replay.words import FIGURES, expected_of

from clientledger import Account, OpenItem


@attrs.define
class Figures:
    """Compares open items and accounts on a day, and gathers what differs."""

    play: Play
    day: date
    differences: list[str] = attrs.field(factory=list)
    uncompared: list[str] = attrs.field(factory=list)
    compared: set[str] = attrs.field(factory=set)

    def differ(self, what: str, expected: object, found: object) -> None:
        self.differences.append(f"{what}: {shown(expected)} expected, {shown(found)} found")

    def same(self, what: str, expected: object, found: object) -> None:
        expected, found = read_number(expected), read_number(found)
        if expected != found:
            self.differ(what, expected, found)

    # ------------------------------------------------------------ open items
    def items(self, side: str) -> dict[str, list[OpenItem]]:
        """What is open of one side, by the name of the document."""
        found: dict[str, list[OpenItem]] = {}
        for item in self.play.book.ledger.open_items(as_of=self.day):
            if item.side == side:
                found.setdefault(self.play.name_of(item.entry), []).append(item)
        return found

    def open_items(self, name: str, told: Any) -> None:
        self._items(name, told, self.items("debit"), whole=True)

    def unallocated(self, name: str, told: Any) -> None:
        self._items(name, told, self.items("credit"), whole=True)

    def outstanding(self, name: str, told: Any) -> None:
        if isinstance(told, Mapping) and any(self.play.known(str(ref)) for ref in told):
            self._items(name, told, self.items("debit"), whole=False)
        else:
            self.figure("balance", name, told)

    def _items(
        self, name: str, told: Any, found: dict[str, list[OpenItem]], *, whole: bool
    ) -> None:
        """Compare what is open by document; where all is told, nothing else may be open."""
        if self._are_clients(told):
            self.figure("owed" if found == self.items("debit") else "prepaid", name, told)
            return
        seen = set()
        for ref, expected in by_ref(told).items():
            head, number = self.play.split(ref)
            due = read_day(head.rpartition("@")[2]) if "@" in head else None
            if isinstance(due, date):
                head = head.rpartition("@")[0]
            known = self._name(head)
            seen.add(known)
            items = found.get(known, [])
            if isinstance(due, date):
                items = [item for item in items if item.due == due]
            if number is not None:
                items = [item for item in items if item.instalment == number]
            self._item(f"{name}.{ref}", expected, items)
        for ref, items in found.items():
            if whole and ref not in seen:
                self.differ(f"{name}.{ref}", "nothing", spread(items))

    def _are_clients(self, told: Any) -> bool:
        names = [str(name) for name in told] if isinstance(told, Mapping) else []
        papers = any(self.play.known(name) for name in names)
        return bool(names) and not papers and all(name in self.play.clients for name in names)

    def _name(self, ref: str) -> str:
        entry = self.play.papers.get(ref)
        return ref if entry is None else self.play.name_of(entry.id)

    def _item(self, name: str, expected: Any, items: list[OpenItem]) -> None:
        if isinstance(expected, Mapping):
            fields = Fields.of(expected)
            if fields.has(*AMOUNT, "open", "outstanding"):
                self.same(name, fields.get("open", "outstanding", *AMOUNT), summed(items))
                if fields.currency() is not None and items:
                    self.same(f"{name}.currency", fields.currency(), items[0].currency)
                return
            expected = [{"key": key, "amount": value} for key, value in expected.items()]
        if isinstance(expected, list):
            self._parts(name, expected, items)
        elif len({item.currency for item in items}) > 1:
            self.differ(name, expected, spread(items))
        else:
            self.same(name, expected, summed(items))

    def _parts(self, name: str, expected: list[Any], items: list[OpenItem]) -> None:
        """The instalments of a document: by due date, number or currency, or in their order."""
        left = {item.instalment: item for item in items}
        for place, one in enumerate(expected, 1):
            row = Fields.of(one) if isinstance(one, Mapping) else Fields({"amount": one})
            key = row.get("key", "due_date", "due", "instalment", "installment", "number")
            part = [item for item in items if key is None and item.instalment == place]
            if key is not None:
                part = [item for item in items if _is_part(item, key)]
            for item in part:
                left.pop(item.instalment, None)
            at = place if key is None else key
            self.same(f"{name}.{at}", row.get("open", "outstanding", *AMOUNT), summed(part))
        if left:
            self.differ(name, "no more instalments", spread(left.values()))

    # ------------------------------------------------------------ accounts
    def figure(self, figure: str, name: str, told: Any) -> None:
        """A figure of accounts: in all, by currency, by client, or by client and currency."""
        if figure == "overdue" and isinstance(told, Mapping) and self._are_refs(told):
            self._overdue(name, told)
        elif figure == "prepaid" and isinstance(told, Mapping) and self._are_refs(told):
            self._items(name, told, self.items("credit"), whole=False)
        elif figure in ("balance", "owed") and isinstance(told, Mapping) and self._are_refs(told):
            self._items(name, told, self.items("debit"), whole=False)
        elif isinstance(told, list):
            for row in rows_of(told):
                currency = row.currency() or self.play.currency
                who = str(row.get(*WHO))
                amount = row.get(figure, *AMOUNT, "balance")
                self.same(f"{name}.{who}", amount, self._of(figure, who, currency))
        elif not isinstance(told, Mapping):
            self.same(name, told, self._all(figure, self.play.currency))
        else:
            for key, value in told.items():
                self._figure_of(figure, f"{name}.{key}", str(key), value)

    def _are_refs(self, told: Mapping[str, Any]) -> bool:
        names = [str(name) for name in told]
        clients = any(name in self.play.clients for name in names)
        return bool(names) and not clients and all(self.play.known(name) for name in names)

    def _figure_of(self, figure: str, name: str, key: str, value: Any) -> None:
        if key not in self.play.clients and len(key) == 3 and digits_of(key.upper()) is not None:
            self.same(name, value, self._all(figure, key.upper()))
        elif not isinstance(value, Mapping):
            accounts = self._accounts(key)
            used = [code for code, one in accounts.items() if getattr(one, figure)]
            alone = self.play.currency in (None, *used) or not used
            currency = self.play.currency if alone else used[0]
            self.same(name, value, self._of(figure, key, currency))
        else:
            codes = {str(code).upper(): amount for code, amount in value.items()}
            for code, amount in codes.items():
                self.same(f"{name}.{code}", amount, self._of(figure, key, code))
            for code, account in self._accounts(key).items():
                if code not in codes and getattr(account, figure):
                    self.differ(f"{name}.{code}", "nothing", getattr(account, figure).amount)

    def _accounts(self, client: str) -> dict[str, Account]:
        known = self.play.clients.get(client)
        return {} if known is None else self.play.book.ledger.accounts(known, as_of=self.day)

    def _of(self, figure: str, client: str, currency: str | None) -> Decimal:
        """A figure of a client; without an account there is nothing."""
        account = self._accounts(client).get(currency or "")
        return Decimal(0) if account is None else getattr(account, figure).amount

    def _all(self, figure: str, currency: str | None) -> Decimal:
        return sum((self._of(figure, one, currency) for one in self.play.clients), Decimal(0))

    def _overdue(self, name: str, told: Mapping[str, Any]) -> None:
        for ref, expected in told.items():
            entry = self.play.papers[self.play.split(str(ref))[0]]
            state = self.play.book.ledger.state(entry, as_of=self.day)
            if isinstance(expected, bool):
                self.same(f"{name}.{ref}", expected, state.overdue)
            else:
                late = self.play.book.ledger.open_items(
                    entry.client, overdue_only=True, as_of=self.day
                )
                own = [item for item in late if item.entry == entry.id]
                self.same(f"{name}.{ref}", expected, summed(own))

    def accounts(self, name: str, told: Any) -> None:
        for client, value in by_ref(told).items():
            fields = Fields.of(value)
            plain = {self.play.currency or "": value}
            by_code = plain if any(expected_of(one) in FIGURES for one in fields.data) else value
            for code, figures in by_code.items():
                for figure, amount in Fields.of(figures).data.items():
                    key = expected_of(figure)
                    if key in FIGURES:
                        found = self._of(str(key), client, str(code).upper())
                        self.same(f"{name}.{client}.{code}.{figure}", amount, found)
                    else:
                        self.uncompared.append(f"{name}.{client}.{code}.{figure}")


# ------------------------------------------------------------ small pieces
def by_ref(told: Any) -> dict[str, Any]:
    """What is told by document: a mapping, or a list of rows that name it."""
    if isinstance(told, Mapping):
        return {str(ref): value for ref, value in told.items()}
    if isinstance(told, list):
        found: dict[str, Any] = {}
        for row in rows_of(told):
            ref = row.ref("ref", "document", "number", "sale", "invoice", "payment", "id", "client")
            if ref is None:
                raise NotApplicable("a row without a ref")
            value = row.get("status", "state")
            if row.has("due_date", "due", "instalment", "installment"):
                found.setdefault(ref, []).append(row.data)
            else:
                found[ref] = row.get("open", "outstanding", *AMOUNT) if value is None else value
        return found
    raise NotApplicable(f"not by document: {short(told)}")


def summed(items: Iterable[OpenItem]) -> Decimal:
    return sum((item.open.amount for item in items), Decimal(0))


def spread(items: Iterable[OpenItem]) -> str:
    return " and ".join(str(item.open) for item in items)


def shown(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(one) for one in value) + "]"
    return short(value)


def _is_part(item: OpenItem, key: Any) -> bool:
    day = read_day(key)
    if isinstance(day, date):
        return item.due is not None and item.due == day
    return str(key) in (str(item.instalment), item.currency)
