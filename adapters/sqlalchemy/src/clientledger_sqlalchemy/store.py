"""The store: units of work that are durable when they end, on an engine of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from clientledger import NotAllowed, StoreError
from clientledger.ports import Reading, Store, UnitOfWork
from clientledger_sqlalchemy import sqlite
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.failures import FAILURES, failure_of
from clientledger_sqlalchemy.reading import SqlReading
from clientledger_sqlalchemy.schema import NAMING, Tables, tables
from clientledger_sqlalchemy.statements import Statements
from clientledger_sqlalchemy.unit import SqlUnit

__all__ = ["SqlStore"]


class SqlStore(Store):
    """A book in a database of its own.

    Each unit of work has a connection from the pool; several threads and processes may use one
    book. Writers wait for each other, readers never wait.

    Args:
        engine: of the database, with the tables in it; the store closes it.
        tables: the tables of the book.
        place: what to call the storage in messages.
        read_only: whether to refuse units of work.
    """

    def __init__(
        self, engine: sa.Engine, tables: Tables, place: str, *, read_only: bool = False
    ) -> None:
        self._engine = engine
        self._statements = Statements(tables, engine.dialect)
        self._place = place
        self._read_only = read_only
        self._closed = False

    @classmethod
    def open(cls, url: str, *, read_only: bool = False, wait: float = 5.0) -> "SqlStore":
        """Open ``sqlite:///clients.db``, making the book where there is no file yet.

        Args:
            read_only: never write, nor make the file.
            wait: seconds to wait for other writers.

        Raises:
            InvalidValue: not the address of a file.
            StoreError: the file cannot be opened, or is not a book.
        """
        path = sqlite.path_of(url)
        made = tables(sa.MetaData(naming_convention=NAMING))
        engine = sqlite.engine_for(path, read_only=read_only, wait=wait)
        if not read_only:
            try:
                sqlite.make_book(engine, path, made, wait)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine, made, str(path), read_only=read_only)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        if self._read_only:
            raise NotAllowed("the book is open for reading only", remedy="open it for writing")
        with self._transaction("BEGIN IMMEDIATE") as channel:
            yield SqlUnit(channel, self._statements)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        with self._transaction("BEGIN") as channel:
            channel.rows(self._statements.pin, {})  # a snapshot begins with its first read
            yield SqlReading(channel, self._statements)

    def sequence(self) -> int:
        if self._read_only:
            return 0
        with self._transaction("BEGIN") as channel:
            if not channel.rows(self._statements.any_pending, {}):
                return 0
        with self._transaction("BEGIN IMMEDIATE") as channel:
            given = channel.write(self._statements.writes.give_positions, [{}])
            channel.write(self._statements.writes.clear_pending, [{}])
            return given

    def close(self) -> None:
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Channel]:
        """Begin, and commit; whatever is raised undoes it."""
        connection = self._connection()
        channel = Channel(connection, self._place)
        try:
            channel.command(begin)
            yield channel
            channel.command("COMMIT")
        finally:
            channel.end()
            connection.close()  # the pool rolls back what was not committed

    def _connection(self) -> Any:
        if self._closed:
            raise StoreError("the book is closed", remedy="open it again")
        try:
            return self._engine.raw_connection()
        except FAILURES as error:
            raise failure_of(error, self._place) from error
