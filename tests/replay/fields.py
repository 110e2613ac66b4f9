"""What a case says: keys in any spelling, amounts and days read exactly and never as floats."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\s\-./]+")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z")
_LONGEST = 60

AMOUNT = ("amount", "total", "value", "gross", "grand_total", "total_amount", "sum", "paid_amount")
CURRENCY = ("currency", "currency_code", "ccy")
DAY = ("date", "on", "posting_date", "document_date", "invoice_date", "payment_date", "issue_date")
REF = ("ref", "id", "name", "code")
TO = (
    "to",
    "to_ref",
    "sale",
    "sale_ref",
    "invoice",
    "invoice_ref",
    "debit",
    "target",
    "target_ref",
    "document",
    "doc",
    "bill",
    "for",
    "against",
    "reference",
    "original",
    "of",
    "debit_note",
    "refund",
    "opening_balance",
)
LINK_TO = (*TO, "ref", "id")
FROM = (
    "from",
    "from_ref",
    "credit",
    "credit_ref",
    "payment",
    "payment_ref",
    "receipt",
    "source",
    "source_ref",
    "credit_note",
    "credit_memo",
    "prepayment",
    "advance",
    "deposit",
    "using",
    "with",
)
OF = (
    "of",
    "of_ref",
    "ref_of",
    "target_ref",
    "target",
    "voids",
    "reverses",
    "cancels",
    "undoes",
    "corrects",
    "replaces",
    "amends",
    "document",
    "doc",
    "entry",
    "original",
    "original_ref",
    "transaction",
)
"""Names that say which document an event is about, and nothing else."""

ABOUT = ("allocation", *TO, *FROM, "write_off", "writeoff", "exchange", "reference_ref")
ALLOCATIONS = (
    "allocations",
    "allocated_to",
    "applications",
    "applied_to",
    "applies_to",
    "references",
    "invoices",
    "sales",
    "payments",
    "credits",
    "sources",
    "settles",
    "pairs",
)


class NotApplicable(Exception):
    """The case asks for something that the ledger, or the replayer, does not have."""


def spelled(name: object) -> str:
    """A name as all its spellings have it: dueDate, due-date and Due Date are due_date."""
    return _GAP.sub("_", _HUMP.sub("_", str(name).strip())).lower()


@attrs.frozen
class Fields:
    """What a mapping of a case says, by keys of one spelling."""

    data: Mapping[str, Any]

    @classmethod
    def of(cls, told: Mapping[Any, Any]) -> "Fields":
        return cls({spelled(name): value for name, value in told.items()})

    def get(self, *names: str) -> Any:
        """The first of these that is told, and not as null."""
        return next((self.data[n] for n in names if self.data.get(n) is not None), None)

    def has(self, *names: str) -> bool:
        return any(name in self.data for name in names)

    def day(self, *names: str) -> Any:
        return read_day(self.get(*names))

    def amount(self, *names: str) -> Any:
        return read_number(self.get(*(names or AMOUNT)))

    def currency(self, *names: str) -> str | None:
        told = self.get(*(names or CURRENCY))
        if told is None and isinstance(self.get(*AMOUNT), Mapping):
            told = Fields.of(self.get(*AMOUNT)).get(*CURRENCY)
        return None if told is None else str(told).strip().upper()

    def flag(self, *names: str) -> bool:
        told = self.get(*names)
        return told is not None and str(told).strip().lower() not in ("false", "no", "0", "")

    def ref(self, *names: str) -> str | None:
        """The first of these that names a document."""
        return next(iter(self.refs(*names)), None)

    def refs(self, *names: str) -> Iterator[str]:
        """All of these that may name a document, each once."""
        seen = set()
        for name in names:
            value = self.data.get(name)
            if isinstance(value, Mapping):
                value = Fields.of(value).get(*REF)
            if isinstance(value, str | int) and not isinstance(value, bool):
                if str(value) not in seen:
                    yield str(value)
                seen.add(str(value))

    def without(self, *names: str) -> "Fields":
        return Fields({name: value for name, value in self.data.items() if name not in names})

    def updated(self, others: Mapping[str, Any]) -> "Fields":
        return Fields({**self.data, **others})


@attrs.frozen
class Link:
    """An allocation as told: what is put against what, and what else is said of it."""

    fields: Fields

    @property
    def amount(self) -> Any:
        names = (*AMOUNT, "allocated_amount", "allocated", "applied", "applied_amount")
        return self.fields.amount(*names)

    @property
    def on(self) -> Any:
        return self.fields.day("date", "on", "as_of", "allocated_on", "posting_date")


def read_links(told: Any) -> list[Link]:
    """Allocations as told: a list of mappings or of pairs, or amounts by document."""
    if isinstance(told, Mapping):
        if told and {spelled(name) for name in told} & {*TO, *FROM}:
            return [Link(Fields.of(told))]
        told = [
            {**value, "to": name} if isinstance(value, Mapping) else {"to": name, "amount": value}
            for name, value in told.items()
        ]
    if isinstance(told, str):
        told = [told]
    if not isinstance(told, list):
        raise NotApplicable(f"allocations that are not understood: {told!r}")
    links = []
    for one in told:
        match one:
            case Mapping():
                links.append(Link(Fields.of(one)))
            case [to, amount]:
                links.append(Link(Fields({"to": to, "amount": amount})))
            case str():
                links.append(Link(Fields({"to": one})))
            case _:
                raise NotApplicable(f"an allocation that is not understood: {one!r}")
    return links


def rows_of(told: Any) -> list[Fields]:
    """A list of mappings; a single one counts as a list."""
    listed = [told] if isinstance(told, Mapping) else told
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise NotApplicable(f"not understood: {told!r}")
    return [Fields.of(one) for one in listed]


def read_number(told: Any) -> Any:
    """An amount as a Decimal without idle zeros; what is no plain number is left as it is."""
    if isinstance(told, Mapping):
        return read_number(Fields.of(told).get(*AMOUNT))
    if isinstance(told, str) and _PLAIN.match(told.strip()):
        told = Decimal(told.strip())
    if isinstance(told, int) and not isinstance(told, bool):
        return Decimal(told)
    if not isinstance(told, Decimal) or not told.is_finite():
        return told
    exponent = int(told.as_tuple().exponent)
    if not -_LONGEST <= exponent <= _LONGEST:
        return told
    text = f"{told:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def read_day(told: Any) -> Any:
    """A day, of a moment too; what is neither is left as it is."""
    if isinstance(told, datetime):
        return told.date()
    if isinstance(told, str):
        text = told.strip().replace("/", "-")
        for part in (text, text[:10]):
            try:
                return datetime.fromisoformat(part).date()
            except ValueError:
                continue
    return told


def read_whole(told: Any) -> int:
    """A whole number, such as of days."""
    number = read_number(told)
    if isinstance(number, Decimal) and number == number.to_integral_value() and abs(number) < 10**6:
        return int(number)
    raise NotApplicable(f"no whole number: {short(told)}")


def days_after(day: date, count: object) -> date:
    return day + timedelta(days=read_whole(count))


def is_number(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def short(value: object) -> str:
    """A value on one line."""
    return " ".join(str(value).split())
