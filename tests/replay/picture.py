"""All that the public API shows of a book."""

from typing import Any

from tests.replay.play import FAR

from clientledger import Book, NotFound


def picture(book: Book) -> dict[str, Any]:
    """All that the public API shows of a book, to see whether anything has changed."""
    clients = list(book.clients.find(archived=None))
    entries = list(book.ledger.find(voided=True))
    return {
        "clients": clients,
        "documents": entries,
        "what has become of them": [_state(book, one.id) for one in entries],
        "accounts": {one.id: book.ledger.accounts(one, as_of=FAR) for one in clients},
        "open items": list(book.ledger.open_items(as_of=FAR)),
        "agreements": {one.id: list(book.agreements.find(one)) for one in clients},
        "settings": book.settings,
        "events": list(book.changes(limit=None)),
    }


def _state(book: Book, id: Any) -> Any:
    try:
        return book.ledger.state(id, as_of=FAR)
    except NotFound:
        return None
