"""Dumping: a whole book written to a file, page by page of one consistent state."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

import attrs

from clientledger.domain.clients import Client
from clientledger.domain.posting import Head
from clientledger.domain.settings import Settings
from clientledger.errors import Busy, InvalidValue, NotAllowed, StoreError
from clientledger.ports import (
    ClaimQuery,
    ClientQuery,
    EventQuery,
    HeadQuery,
    MemberQuery,
    Query,
    Reading,
    SealQuery,
    TaskQuery,
)
from clientledger.services.desk import Desk
from clientledger.services.portable import (
    CLIENTS,
    ORDERS,
    Dump,
    Tally,
    end_line,
    header_line,
    line_of,
)
from clientledger.services.sealing import give_positions

__all__ = ["dump"]

R = TypeVar("R")
_PAGE = 500
_TRIES = 12


def dump(desk: Desk, file: BinaryIO) -> Dump:
    """Write the whole book.

    Raises:
        InvalidValue: the file takes no bytes.
        NotAllowed: events wait for their position in the feed, and cannot be given one here.
        Busy: others kept writing events.
        StoreError: the book holds what belongs to nothing.
    """
    _check_file(file)
    with _settled(desk) as reading:
        tally = Tally()
        tally.add(_write(file, header_line()))
        for kind, value in _lines(reading):
            tally.add(_write(file, line_of(kind, value)), kind)
        made = tally.dump
        _check_whole(reading, made)
        _write(file, end_line(made))
    return made


def _check_file(file: BinaryIO) -> None:
    try:
        file.write(b"")
    except (AttributeError, TypeError) as error:
        raise InvalidValue(
            "not a file that takes bytes",
            field="file",
            value=type(file).__name__,
            remedy='open it with "wb"',
        ) from error


def _write(file: BinaryIO, line: str) -> str:
    data = f"{line}\n".encode()
    written = file.write(data)
    if written not in (None, len(data)):  # some files that are not buffered take less
        raise OSError(f"only {written} of {len(data)} bytes were written")
    return line


@contextmanager
def _settled(desk: Desk) -> Iterator[Reading]:
    """Begin to read a state in which every event has its position."""
    seen: set[UUID] = set()
    for _ in range(_TRIES):
        give_positions(desk)
        with desk.scope.snapshot() as reading:
            waiting = {event.id for event in reading.find(EventQuery(sequenced=False, limit=1))}
            if not waiting:
                yield reading
                return
        if waiting & seen:  # as before: whoever writes meanwhile adds others
            raise NotAllowed(
                "events wait for their position in the feed",
                field="book",
                remedy="open it for writing, and dump it outside of a unit of work",
            )
        seen |= waiting
    raise Busy("others keep writing", remedy="try again", passing=True)


def _lines(reading: Reading) -> Iterator[tuple[str, Any]]:
    settings = reading.lookup(Settings, Settings().id)
    if settings is not None:
        yield "settings", settings
    for member in _pages(reading, MemberQuery()):
        yield "member", member
    for head in _pages(reading, HeadQuery()):
        yield from _client(reading, head)
    for task in _pages(reading, TaskQuery()):
        yield "task", task
    for claim in _pages(reading, ClaimQuery()):
        yield "claim", claim
    for event in _pages(reading, EventQuery(sequenced=True)):
        yield "event", event
    for seal in _pages(reading, SealQuery()):
        yield "seal", seal


def _client(reading: Reading, head: Head) -> Iterator[tuple[str, Any]]:
    yield "client", reading.get(Client, head.client)
    for kind in CLIENTS:
        for row in _pages(reading, ORDERS[kind](client=head.client)):  # type: ignore[call-arg]  # each has a client
            yield kind, row
    yield "head", head


def _check_whole(reading: Reading, made: Dump) -> None:
    """Refuse to end a dump that lacks what no head leads to."""
    for kind, query in {**ORDERS, "client": ClientQuery}.items():
        there = reading.total(query())
        if there != made.counts[kind]:
            raise StoreError(
                f"the book has {there} lines of kind {kind}, of which {made.counts[kind]} belong "
                "to something",
                remedy="look at what book.verify() says",
            )


def _pages(reading: Reading, query: Query[R]) -> Iterator[R]:
    """All rows of a query, a page at a time."""
    after = None
    while True:
        rows = reading.find(attrs.evolve(query, limit=_PAGE, after=after))
        yield from rows
        if len(rows) < _PAGE:
            return
        after = query.cursor(rows[-1])
        del rows  # before the next page is read
