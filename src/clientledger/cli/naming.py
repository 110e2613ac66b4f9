"""What a user names in words: a client, a task, a document."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from clientledger import Book, Client, Entry, InvalidValue, NotFound, Task

__all__ = ["client_named", "debit_named", "external_ids", "names_of", "short", "task_named"]

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


def debit_named(book: Book, client: Client, told: str) -> Entry:
    """The live sale or other debit of a client that an id or a number names.

    Raises:
        NotFound: there is none, or there are several.
    """
    id = _id(told)
    if id is not None:
        return book.ledger.get(id)
    found = [
        entry for entry in book.ledger.find(number=told, client=client) if entry.side == "debit"
    ]
    if len(found) == 1:
        return found[0]
    raise NotFound(
        f"{len(found) or 'no'} documents of {client.name} have this number",
        field="number",
        value=told,
        remedy="see clientledger card; or name it by id",
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


def _handle(client: Client) -> str:
    return next((f"{source}:{id}" for source, id in client.external_ids.items()), str(client.id))


def _which(listed: Sequence[str]) -> str:
    more = f", and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"say which: {', '.join(listed[:_SHOWN])}{more}"
