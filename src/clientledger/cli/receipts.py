"""What a command says of what it has recorded: the document, what it settled, what is owed now."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from clientledger import Account, Book, Client, Entry, EntryState, Instalment, Money, OpenItem
from clientledger.cli.exits import OK
from clientledger.cli.naming import ALWAYS
from clientledger.cli.options import Common
from clientledger.cli.plain import emit, plain
from clientledger.cli.screen import Screen, amount

__all__ = [
    "above_limit",
    "called",
    "count",
    "done",
    "links",
    "recorded",
    "standing",
    "summary",
    "title",
    "told",
    "void_title",
    "written",
]

_FEW = 12
_SETTLED_BY = defaultdict(lambda: "settled by", refund="out of", exchange="out of")
_SETTLES = defaultdict(lambda: "settles", {"write-off": "writes off"})


def recorded(common: Common, book: Book, client: Client, entry: Entry, *said: str) -> int:
    """Print a document with what it settled, what else is to be said, and what is owed now."""
    lines = [f"{title(entry)}. {client.name}.", *links(book, entry), *said]
    return told(common, book, entry, lines, handle=True)


def told(
    common: Common, book: Book, entry: Entry, lines: Iterable[str], *, handle: bool = False
) -> int:
    """Print what is said of a document, and what is owed now.

    Args:
        handle: end with the id, if nothing else names the document.
    """
    account = book.ledger.account(entry.client, entry.amount.unit)
    if common.json:
        emit({**plain(entry), "account": plain(account)})
        return OK
    nameless = handle and not (entry.number or entry.external_ids)
    id = [f"  document id {entry.id}"] if nameless else []
    Screen().show("\n".join([*lines, f"  {standing(account)}", *id]))
    return OK


def title(entry: Entry) -> str:
    """A document in a line: what it is, of which day, over how much, and when it falls due."""
    named = f"{entry.kind} {entry.number}" if entry.number else entry.kind
    named = named[0].upper() + named[1:]
    return f"{named} of {entry.on}: {written(entry.amount)}{_due(entry)}"


def void_title(void: Entry, gone: Entry) -> str:
    """A void in a line: of which day, and of what."""
    return f"Void of {void.on}: {summary(gone)}"


def summary(entry: Entry) -> str:
    """A document in a few words: what it is, of which day, over how much."""
    of = f" of {entry.on}" if entry.number else ""
    return f"{called(entry)}{of}, {written(entry.amount)}"


def called(item: Entry | OpenItem) -> str:
    """How a document is spoken of: by its kind and number, or its day."""
    return f"{item.kind} {item.number}" if item.number else f"{item.kind} of {item.on}"


def links(book: Book, entry: Entry) -> list[str]:
    """The instalments of a document where it has several, and each document that it settled."""
    state = book.ledger.state(entry, as_of=ALWAYS)
    verb = _SETTLED_BY if entry.side == "debit" else _SETTLES
    held: dict[UUID, Money] = {}
    for link in state.allocations:
        other = link.credit if link.debit == entry.id else link.debit
        if link.live:
            held[other] = held[other] + link.live if other in held else link.live
    return _instalments(state) + [
        f"  {verb[entry.kind]} {called(book.ledger.get(id))}: {written(amount)}"
        for id, amount in held.items()
    ]


def above_limit(book: Book, sale: Entry) -> list[str]:
    """That a sale went above the client's credit limit, where the settings let it."""
    if book.settings.credit_limit != "warn":
        return []
    return [
        f"  above the credit limit of {event.data['limit']}"
        for event in book.clients.history(sale.client)
        if event.type == "client.credit_limit_exceeded" and event.data["sale"] == str(sale.id)
    ]


def standing(account: Account) -> str:
    """What is owed now, what of it is late, and what is prepaid."""
    owes = written(account.owed) if account.owed else f"nothing in {account.currency}"
    late = f" ({written(account.overdue)} of it overdue)" if account.overdue else ""
    prepaid = f", and has {written(account.prepaid)} prepaid" if account.prepaid else ""
    return f"now owes {owes}{late}{prepaid}"


def written(money: Money) -> str:
    """An amount with its thousands set apart and its currency."""
    return amount(money, code=True).plain


def count(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def done(common: Common, made: Any, said: str) -> int:
    """Print what was made, or what is to be said of it."""
    if common.json:
        emit(made)
    else:
        Screen().show(said)
    return OK


def _due(entry: Entry) -> str:
    if entry.kind == "opening balance" and entry.side == "credit":
        return ", prepaid"
    if len(entry.instalments) > 1:
        return f", in {len(entry.instalments)} instalments"
    return f", due {entry.due}" if entry.due and entry.due != entry.on else ""


def _instalments(state: EntryState) -> list[str]:
    parts: list[Instalment] = [part for part, _ in state.instalments]
    if len(parts) < 2:
        return []
    lines = [f"  due {part.due}: {written(part.amount)}" for part in parts[:_FEW]]
    return [*lines, *([f"  and {len(parts) - _FEW} more"] if len(parts) > _FEW else [])]
