"""What a user names in words: a client, a task, a document."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from clientledger import Agreement, Book, Client, Entry, InvalidValue, NotFound, Task

__all__ = [
    "ALWAYS",
    "agreement_named",
    "client_named",
    "document_handle",
    "document_named",
    "external_ids",
    "names_of",
    "short",
    "task_named",
    "undone_named",
]

ALWAYS = date(2999, 12, 31)
"""The day by which everything recorded counts."""

_NUMBERED = ("sale", "payment", "credit note", "refund")
_SHOWN = 5
_FEW = 50


def client_named(book: Book, told: str) -> Client:
    """The one client that an id, a ``source:id`` or words name.

    Raises:
        NotFound: there is none, or there are several.
    """
    id = _id(told)
    if id is not None:
        return book.clients.get(id)
    source, colon, value = told.partition(":")
    if colon and source and value:
        held = book.clients.find(external_id=(source, value), archived=None)
        if held:
            return held[0]
    found: Sequence[Client] = ()
    if told.strip():
        found = book.clients.find(told) or book.clients.find(told, archived=True)
    exact = [client for client in found if client.name.casefold() == told.casefold()]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0]
    if not found:
        raise NotFound(
            "no such client",
            field="client",
            value=told,
            remedy="see clientledger find; or name it by id or source:id",
        )
    listed = [f"{client.name} [{_handle(client)}]" for client in found]
    raise NotFound(f"{len(found)} clients match", field="client", value=told, remedy=_which(listed))


def task_named(book: Book, told: str) -> Task:
    """The one task that an id, the end of an id, or the title of an open task names.

    Raises:
        NotFound: there is none, or there are several.
    """
    id = _id(told)
    if id is not None:
        return book.tasks.get(id)
    open_ = book.tasks.find(status="open")
    word = told.casefold().strip()
    found = [task for task in open_ if len(word) >= 4 and task.id.hex.endswith(word)]
    found = found or [task for task in open_ if word and word == task.title.casefold()]
    found = found or [task for task in open_ if word and word in task.title.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            "no such open task", field="task", value=told, remedy="see clientledger agenda"
        )
    listed = [f"{task.title} [{short(task.id)}]" for task in found]
    raise NotFound(f"{len(found)} tasks match", field="task", value=told, remedy=_which(listed))


def document_named(
    book: Book,
    told: str,
    *,
    client: Client | UUID | None = None,
    fits: Callable[[Entry], bool] = lambda entry: True,
) -> Entry:
    """The one document that an id, or of the live ones a ``source:id`` or a number names.

    Where several kinds have the number, ``kind/number`` says which, such as ``payment/17``.

    Args:
        client: whose it is; anybody's without.
        fits: what it should be, where several are named.

    Raises:
        NotFound: there is none, or there are several.
    """
    id = _id(told)
    if id is not None:
        return _of(client, book.ledger.get(id), told)
    found = _documents(book, told.strip(), client)
    found = [entry for entry in found if fits(entry)] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            "no live document has this number or external id",
            field="document",
            value=told,
            remedy="see clientledger statement CLIENT --ids; or name it by id or source:id",
        )
    kinds = [entry.kind for entry in found]
    names = names_of(book, (entry.client for entry in found))
    listed = [
        f"{entry.kind} {entry.number or entry.on} of {names[entry.client]} "
        f"[{document_handle(entry) if kinds.count(entry.kind) == 1 else entry.id}]"
        for entry in found
    ]
    raise NotFound(
        f"{len(found)} documents match", field="document", value=told, remedy=_which(listed)
    )


def undone_named(book: Book, told: str, key: str | None) -> Entry:
    """The document that is to be undone: with a key of a command that did so, what it undid.

    So the same words with the same key name the same document again, though it is live no more.
    """
    before = None if key is None else book.outcome(key)
    if before and before.result and before.action in ("ledger.void", "ledger.correct"):
        made = book.ledger.get(before.result)
        old = made.undoes or made.replaces
        if old is not None and _names(book.ledger.get(old), told.strip()):
            return book.ledger.get(old)
    return document_named(book, told)


def document_handle(entry: Entry) -> str:
    """What names a document of a book, or else its id."""
    return f"{entry.kind.replace(' ', '-')}/{entry.number}" if entry.number else str(entry.id)


def agreement_named(book: Book, client: Client, told: str) -> Agreement:
    """The one agreement of a client that an id, the end of an id, its kind or its words name.

    Of several, the one that has not been withdrawn.

    Raises:
        NotFound: there is none, or there are several.
    """
    every = book.agreements.find(client)
    word = told.casefold().strip()
    tests: tuple[Callable[[Agreement], bool], ...] = (
        lambda one: one.id == _id(told),
        lambda one: len(word) >= 4 and one.id.hex.endswith(word),
        lambda one: word == one.kind.casefold(),
        lambda one: bool(word) and word in one.text.casefold(),
    )
    found = next((some for test in tests if (some := [one for one in every if test(one)])), [])
    found = [one for one in found if one.withdrawn_on is None] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            f"no such agreement with {client.name}",
            field="agreement",
            value=told,
            remedy="see clientledger card",
        )
    listed = [f"{one.text} [{short(one.id)}]" for one in found]
    raise NotFound(
        f"{len(found)} agreements match", field="agreement", value=told, remedy=_which(listed)
    )


def external_ids(told: Iterable[str]) -> dict[str, str] | None:
    """Read ``source:id`` texts; None where there are none.

    Raises:
        InvalidValue: one is written otherwise.
    """
    pairs = {}
    for text in told:
        source, _, value = text.partition(":")
        if not source or not value or source in pairs:
            raise InvalidValue(
                "not an external id",
                field="external-id",
                value=text,
                remedy="write it source:id, each source once",
            )
        pairs[source] = value
    return pairs or None


def names_of(book: Book, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names of clients by id."""
    wanted = {id for id in ids if id is not None}
    if len(wanted) <= _FEW:
        return {id: book.clients.get(id).name for id in wanted}
    return {client.id: client.name for client in book.clients.find(archived=None)}


def short(id: UUID) -> str:
    """The end of an id, which is enough to name a task."""
    return id.hex[-6:]


def _id(told: str) -> UUID | None:
    try:
        return UUID(told) if len(told) in (32, 36) else None
    except ValueError:
        return None


def _documents(book: Book, told: str, client: Client | UUID | None) -> list[Entry]:
    """The live documents that a number, a ``kind/number`` or a ``source:id`` names."""
    searches: list[dict[str, Any]] = [{"number": told}] if told else []
    kind, _, number = told.partition("/")
    kind = kind.casefold().replace("-", " ")
    if kind in _NUMBERED and number:
        searches.append({"number": number, "kind": kind})
    source, _, value = told.partition(":")
    if source and value:
        searches.append({"external_id": (source, value)})
    found = {
        entry.id: entry
        for search in searches
        for entry in book.ledger.find(client=client, voided=True, **search)
    }
    return [entry for entry in found.values() if not _is_voided(book, entry)]


def _of(client: Client | UUID | None, entry: Entry, told: str) -> Entry:
    """A document, if it is the client's."""
    if client is None or entry.client == getattr(client, "id", client):
        return entry
    raise NotFound(
        "a document of another client",
        field="document",
        value=told,
        remedy="name one of the client's own",
    )


def _is_voided(book: Book, entry: Entry) -> bool:
    return book.ledger.state(entry, as_of=ALWAYS).voided_by is not None


def _names(entry: Entry, told: str) -> bool:
    """Whether words are a name of a document, live or not."""
    others = (f"{source}:{id}" for source, id in entry.external_ids.items())
    return _id(told) == entry.id or told in (
        entry.number,
        document_handle(entry),
        document_handle(entry).replace("-", " ", 1),
        *others,
    )


def _handle(client: Client) -> str:
    return next((f"{source}:{id}" for source, id in client.external_ids.items()), str(client.id))


def _which(listed: Sequence[str]) -> str:
    more = f", and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"say which: {', '.join(listed[:_SHOWN])}{more}"
