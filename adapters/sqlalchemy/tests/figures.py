"""All that a book says, as plain data: it runs on the code of every version since the first."""

import json
from datetime import date
from typing import Any

from clientledger import Book
from clientledger.codec import dump

DAYS = (date(2024, 2, 15), date(2024, 6, 30), date(2025, 1, 31))
_LAST = DAYS[-1]


def figures_of(book: Book) -> dict[str, Any]:
    """Ask a book for everything; what is asked has meant the same since the first version."""
    clients = list(book.clients.find(archived=None))
    told = {
        "settings": _plain(book.settings),
        "clients": [_plain(client) for client in clients],
        "members": [_plain(member) for member in book.team.find()],
        "tasks": [_plain(task) for task in book.tasks.find()],
        "agenda": [str(task.id) for task in book.tasks.agenda(until=_LAST)],
        "entries": [_plain(entry) for entry in book.ledger.find(voided=True)],
        "live": [str(entry.id) for entry in book.ledger.find()],
        "changes": [_plain(event) for event in book.changes(limit=None)],
        "each": {str(client.id): _of_client(book, client) for client in clients},
        "across": {day.isoformat(): _across(book, day) for day in DAYS},
    }
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]  # plain data


def _of_client(book: Book, client: Any) -> dict[str, Any]:
    ledger = book.ledger
    return {
        "history": [str(event.id) for event in book.clients.history(client)],
        "timeline": [_plain(item) for item in book.interactions.timeline(client)],
        "agreements": [_plain(one) for one in book.agreements.find(client)],
        "states": {
            str(entry.id): ledger.state(entry, as_of=_LAST).status
            for entry in ledger.find(client=client, until=_LAST)
        },
        "days": {day.isoformat(): _on_day(book, client, day) for day in DAYS},
    }


def _on_day(book: Book, client: Any, day: date) -> dict[str, Any]:
    accounts = book.ledger.accounts(client, as_of=day)
    return {
        "accounts": {code: _account(account) for code, account in sorted(accounts.items())},
        "items": [
            [str(item.entry), item.instalment, str(item.due), str(item.amount), str(item.open)]
            for item in book.ledger.open_items(client, as_of=day)
        ],
        "statements": [
            _statement(book.ledger.statement(client, code, date(2024, 1, 1), day))
            for code in sorted(accounts)
        ],
        "purchases": [str(total.sold) for total in _totals(book, client, day)],
    }


def _totals(book: Book, client: Any, day: date) -> list[Any]:
    return [row for row in book.insights.best_clients(until=day) if row.client.id == client.id]


def _account(account: Any) -> list[str]:
    return [str(account.owed), str(account.prepaid), str(account.overdue), str(account.balance)]


def _statement(found: Any) -> list[Any]:
    rows = [[str(row.entry.id), str(row.balance)] for row in found.rows]
    return [str(found.opening), rows, str(found.closing)]


def _across(book: Book, day: date) -> dict[str, Any]:
    insights = book.insights
    return {
        "debtors": [
            [str(row.client.id), *_account(row.account)] for row in insights.debtors(as_of=day)
        ],
        "ageing": [
            [str(row.client.id), row.currency, [str(bucket.amount) for bucket in row.buckets]]
            for row in insights.ageing(as_of=day)
        ],
        "best": [
            [str(row.client.id), str(row.sold), row.count, str(row.last)]
            for row in insights.best_clients(until=day)
        ],
        "dormant": [
            [str(row.client.id), str(row.last), row.days] for row in insights.dormant(as_of=day)
        ],
        "due": [
            [str(item.entry), item.instalment, str(item.open)]
            for item in book.ledger.open_items(as_of=day, overdue_only=True)
        ],
    }


def _plain(value: Any) -> Any:
    return dump(value)
