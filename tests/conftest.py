"""A book on every kind of store, audited when a test has done with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.books import KINDS, Clock, audit, new_book

from clientledger import Book, Client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def book(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    with new_book(request.param, tmp_path, clock) as opened:
        yield opened
        for client in opened.clients.find(archived=None):
            audit(opened, client.id)


@pytest.fixture
def acme(book: Book) -> Client:
    return book.clients.add("Acme GmbH")
