from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clientledger import Book
from clientledger_sqlalchemy import SqlStore

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore.open(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def book(store: SqlStore) -> Book:
    return Book(store, actor="olena", clock=lambda: NOW)
