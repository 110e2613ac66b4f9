"""Cases of debts and payments, replayed through the book.

They stand in `../shared/cases` beside the checkout, or where CLIENTLEDGER_SHARED_CASES says. A case
with events that the book cannot record yet is listed by id in NOT_COVERED, and nowhere skipped.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientledger import Book, Client, Entry, InvalidValue, LedgerError, open_book

BESIDE = Path(__file__).parents[2] / "shared" / "cases"
FILE = Path(os.environ.get("CLIENTLEDGER_SHARED_CASES") or BESIDE) / "ar_examples.json"
CASES: dict[str, dict[str, Any]] = (
    {case["id"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))}
    if FILE.exists()
    else {}
)
NOT_COVERED = {
    "ex-erpnext-return-netted-on-sale": {"credit_note"},
    "ex-killbill-negative-line-credit-rejected": {"credit_note"},
}
ERRORS = {"negative_amount": InvalidValue}
NONE_TOLD: list[Any] = []

pytestmark = pytest.mark.skipif(
    not CASES, reason="the cases are not at hand: set CLIENTLEDGER_SHARED_CASES"
)


@attrs.define
class Replay:
    """A case under way: its clients and documents by the names that the case gives them."""

    book: Book
    clients: dict[str, Client] = attrs.field(factory=dict)
    entries: dict[str, Entry] = attrs.field(factory=dict)

    def run(self, event: Mapping[str, Any]) -> None:
        name = event["client"]
        if name not in self.clients:
            self.clients[name] = self.book.clients.add(name)
        self.entries[event["ref"]] = RECORDED[event["type"]](self, self.clients[name], event)

    def told(self, event: Mapping[str, Any]) -> list[tuple[Entry, str]]:
        """What the event settles; nothing unless it says so."""
        pairs = event.get("allocations", NONE_TOLD)
        return [(self.entries[pair["to"]], pair["amount"]) for pair in pairs]


def sale(replay: Replay, client: Client, event: Mapping[str, Any]) -> Entry:
    lines = [(line["text"], 1, line["amount"]) for line in event.get("lines", NONE_TOLD)]
    recorded = replay.book.ledger.record_sale(
        client,
        lines or event["amount"],
        currency=event["currency"],
        on=date.fromisoformat(event["date"]),
        due=date.fromisoformat(event["due_date"]),
        number=event["ref"],
        use_prepayments=False,
    )
    assert recorded.amount.amount == Decimal(event["amount"])
    return recorded


def payment(replay: Replay, client: Client, event: Mapping[str, Any]) -> Entry:
    return replay.book.ledger.record_payment(
        client,
        event["amount"],
        currency=event["currency"],
        allocate=replay.told(event),
        on=date.fromisoformat(event["date"]),
        number=event["ref"],
    )


def credit_note(replay: Replay, client: Client, event: Mapping[str, Any]) -> Entry:
    ledger: Any = replay.book.ledger
    recorded: Entry = ledger.record_credit_note(
        client,
        event["amount"],
        currency=event["currency"],
        allocate=replay.told(event),
        reason="as the case tells",
        on=date.fromisoformat(event["date"]),
        number=event["ref"],
    )
    return recorded


RECORDED: Mapping[str, Callable[[Replay, Client, Mapping[str, Any]], Entry]] = {
    "sale": sale,
    "payment": payment,
    "credit_note": credit_note,
}


def test_what_is_not_covered_yet_is_known_by_name() -> None:
    with open_book("memory:") as book:
        able = {type for type in RECORDED if hasattr(book.ledger, f"record_{type}")}
    missing = {
        id: types
        for id, case in CASES.items()
        if (types := {event["type"] for event in case["events"]} - able)
    }
    assert missing == NOT_COVERED


@pytest.mark.parametrize("id", sorted(CASES.keys() - NOT_COVERED.keys()))
def test_the_book_gives_what_the_case_expects(id: str) -> None:
    case = CASES[id]
    day, expected = date.fromisoformat(case["as_of"]), case["expect"]
    with open_book("memory:") as book:
        replay = Replay(book)
        refusals = []
        for event in case["events"]:
            if event.get("rejected"):
                with pytest.raises((InvalidValue, LedgerError)) as caught:
                    replay.run(event)
                refusals.append(caught.type)
            else:
                replay.run(event)
        assert refusals == ([ERRORS[expected["error"]]] if "error" in expected else [])
        items = book.ledger.open_items(as_of=day)
        assert by_number(items, "debit") == amounts(expected["open_items"])
        assert by_number(items, "credit") == amounts(expected["unallocated"])
        for name, balances in expected["balance"].items():
            found = book.ledger.accounts(replay.clients[name], as_of=day)
            assert {code: account.balance.amount for code, account in found.items()} == amounts(
                balances
            )
        if "aging" in expected:
            check_ageing(replay, day, case["currency"], expected["aging"])
        assert book.verify().ok


def check_ageing(replay: Replay, day: date, currency: str, aging: Mapping[str, Any]) -> None:
    """Compare classes of age; a free credit counts against the class of its own date."""
    assert (aging["as_of"], aging["credits"]) == (day.isoformat(), "own_date")
    client = replay.clients[aging["client"]] if "client" in aging else None
    by = {"posting_date": "date", "due_date": "due"}[aging["basis"]]
    bounds = [part["max_days"] for part in aging["buckets"] if part["max_days"] is not None]
    rows = replay.book.insights.ageing(
        by=by, bounds=bounds, currency=currency, client=client, as_of=day
    )
    found = [sum(part) for part in zip(*map(bucket_amounts, rows), strict=True)]
    for item in replay.book.ledger.open_items(client, currency=currency, as_of=day):
        if item.side == "credit":
            found[sum((day - item.on).days > bound for bound in bounds)] -= item.open.amount
    assert found == [Decimal(part["amount"]) for part in aging["buckets"]]
    assert sum(found) == Decimal(aging["total"])


def bucket_amounts(row: Any) -> list[Decimal]:
    return [bucket.amount.amount for bucket in row.buckets]


def by_number(items: Any, side: str) -> dict[str, Decimal]:
    return {item.number: item.open.amount for item in items if item.side == side}


def amounts(told: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in told.items()}
