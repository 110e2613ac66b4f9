"""The store: units of work that are durable when they end, on an engine of ours."""

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from clientledger import Busy, Duplicate, NotAllowed, StoreError, Unavailable
from clientledger.ports import Claim, Finding, Reading, Store, UnitOfWork
from clientledger_sqlalchemy.channel import Channel
from clientledger_sqlalchemy.engines import Engine, engine_for
from clientledger_sqlalchemy.engines.engine import Failure
from clientledger_sqlalchemy.reading import SqlReading
from clientledger_sqlalchemy.records import claim_values
from clientledger_sqlalchemy.schema import NAMING, Tables, tables
from clientledger_sqlalchemy.statements import statements_for
from clientledger_sqlalchemy.unit import Proof, SqlUnit

__all__ = ["SqlStore"]

_INHERITED: list[object] = []
"""Pools of a parent process, kept so that no connection of theirs is closed here."""

_PATIENCE = 30.0
"""Seconds for which a database is asked what became of a commit."""


@lru_cache(maxsize=64)
def _tables(prefix: str, schema: str | None, partitions: int) -> Tables:
    """The tables of a book in a database of its own; they are the same for all its stores."""
    return tables(sa.MetaData(naming_convention=NAMING), prefix, schema, partitions)


class SqlStore(Store):
    """A book in a database of its own.

    Each unit of work has a connection from the pool; several threads and processes may use one
    book. In a file writers wait for each other, on a server only those of the same client do;
    readers never wait.

    Args:
        engine: of the database, with the tables in it; the store closes it.
        tables: the tables of the book.
        accept: names of findings that are known and accepted.
    """

    def __init__(self, engine: Engine, tables: Tables, *, accept: frozenset[str] = frozenset()):
        self.engine = engine
        self.tables = tables
        self._statements = statements_for(tables, engine.dialect)
        self._accept = accept
        self._trusted = False
        self._closed = False
        self._process = os.getpid()

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> "SqlStore":
        """Open a book by its address, making it where there is none yet.

        Such as ``sqlite:///clients.db``, ``postgresql://olena@db.example/shop?sslmode=require`` or
        ``mariadb://olena@db.example/shop``. Our own options stand beside those of the driver:
        ``wait`` (seconds, for other writers), ``pool`` (connections kept open), ``prefix`` and
        ``schema`` (of the tables), ``partitions``, ``isolation``, ``accept`` (findings).

        Args:
            read_only: never write, nor make the book.

        Raises:
            InvalidValue: not an address, or an option that cannot be.
            StoreError: the database cannot be opened, or is not a book.
        """
        engine, options = engine_for(url, read_only=read_only)
        try:
            made = _tables(options.prefix, options.schema, options.partitions)
            engine.make(made)
        except BaseException:
            engine.close()
            raise
        return cls(engine, made, accept=options.accept)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        if self.engine.read_only:
            raise NotAllowed("the book is open for reading only", remedy="open it for writing")
        with self._transaction(self.engine.writing, turn=True) as channel:
            self._trust(channel)
            unit = SqlUnit(channel, self._statements)
            yield unit
            failure = channel.commit()
            if failure is not None and unit.proof is not None:
                unit.proof = attrs.evolve(unit.proof, node=self.engine.node(channel.connection))
        # The connection is closed by now, so that it cannot be what the question waits for.
        if failure is not None:
            if unit.proof is None:  # nothing that could not be done twice
                raise failure.error
            self._settle(failure, unit.proof)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        with self._transaction(self.engine.reading) as channel:
            channel.rows(self._statements.pin, {})  # a snapshot begins with its first read
            yield SqlReading(channel, self._statements)
            channel.commit()

    def sequence(self) -> int:
        if self.engine.read_only:
            return 0
        with self.snapshot() as reading:
            assert isinstance(reading, SqlReading)
            if not reading.is_pending():
                return 0
        with self.begin() as unit:
            assert isinstance(unit, SqlUnit)
            return unit.give_positions()

    def findings(self) -> list[Finding]:
        with self._transaction(self.engine.reading) as channel:
            return self._found(channel)

    def backup(self, path: Path) -> None:
        if path.exists():
            raise StoreError(
                f"{path}: there is such a file already", field="path", remedy="name another one"
            )
        self.engine.backup(path)

    def close(self) -> None:
        self._closed = True
        self.engine.close()

    def _trust(self, channel: Channel) -> None:
        """Refuse to write where the promises cannot be kept: looked at before the first write."""
        if self._trusted:
            return
        refused = [finding for finding in self._found(channel) if finding.name not in self._accept]
        if refused:
            names = ",".join(finding.name for finding in refused)
            raise StoreError(
                f"{self.engine.place}: here the book cannot keep what it promises: "
                + "; ".join(map(str, refused)),
                remedy=f"or accept that by name, in the address: ?accept={names}",
            )
        self._trusted = True

    def _found(self, channel: Channel) -> list[Finding]:
        try:
            return self.engine.findings(channel.connection, self.tables)
        except self.engine.failures as error:
            failure = self.engine.failure(error)
            channel.lost = channel.lost or failure.killed
            raise failure.error from error

    @contextmanager
    def _transaction(self, begin: Sequence[str], *, turn: bool = False) -> Iterator[Channel]:
        """Begin; whatever is raised, and whatever is not committed by then, is undone."""
        channel = self._begun(begin, turn)
        try:
            yield channel
        finally:
            channel.end()
            self._give_back(channel)

    @staticmethod
    def _give_back(channel: Channel) -> None:
        """Undo what was not committed, and give the connection back; one of no use is dropped.

        The pool would do the same, and would log what failed, with all that led to it.
        """
        if not channel.lost and not channel.committed:
            try:
                channel.connection.rollback()
            except channel.engine.failures:
                channel.lost = True
        if channel.lost:
            channel.connection.invalidate()
        channel.connection.close()

    def _begun(self, begin: Sequence[str], turn: bool) -> Channel:
        """Begin; once again where a connection that had rested was dead."""
        try:
            return self._begin(begin, turn)
        except Unavailable:
            self.engine.close()  # the others that rest will be no better
            return self._begin(begin, turn)

    def _begin(self, begin: Sequence[str], turn: bool) -> Channel:
        connection = self._connection()
        try:
            channel = Channel(connection, self.engine)
            if turn:
                with self.engine.turn():
                    self._run(channel, begin)
            else:
                self._run(channel, begin)
        except self.engine.failures as error:  # it was closed while it rested
            connection.invalidate()
            raise self.engine.failure(error).error from error
        except BaseException as error:
            if isinstance(error, Unavailable):
                connection.invalidate()
            connection.close()
            raise
        return channel

    @staticmethod
    def _run(channel: Channel, commands: Sequence[str]) -> None:
        for command in commands:
            channel.command(command)

    def _connection(self) -> Any:
        if self._closed:
            raise StoreError("the book is closed", remedy="open it again")
        if self._process != os.getpid():  # a fork: the connections are the parent's
            _INHERITED.append(self.engine.pool.pool)
            self.engine.pool.dispose(close=False)
            self._process = os.getpid()
        try:
            return self.engine.pool.raw_connection()
        except self.engine.failures as error:
            raise self.engine.failure(error).error from error

    def _settle(self, failure: Failure, proof: Proof) -> None:
        """After a commit that failed without saying what became of it: return if it was made.

        Raises:
            ClientLedgerError: what failed; nothing was recorded, for sure.
            OutcomeUnknown: the database does not say.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if self._recorded(proof):
                    return
                break
            except (Busy, Unavailable) as error:
                if time.monotonic() > deadline:
                    raise self.engine.unknown() from error
                time.sleep(random.uniform(0.05, 0.2))
            except (NotAllowed, StoreError) as error:
                if isinstance(failure.error, Unavailable):  # what fails now says nothing of it
                    raise self.engine.unknown() from error
                raise
        self._overwrite()
        raise failure.error

    def _overwrite(self) -> None:
        """Where a log may still hold the commit that failed, see that no recovery brings it back.

        Raises:
            OutcomeUnknown: that cannot be done now, so it may come back.
        """
        if not self.engine.overwriting:
            return
        try:
            with self._transaction(self.engine.writing, turn=True) as channel:
                self._run(channel, self.engine.overwriting)
                failure = channel.commit()
        except (Busy, StoreError) as error:
            raise self.engine.unknown() from error
        if failure is not None:
            raise self.engine.unknown() from failure.error

    def _recorded(self, proof: Proof) -> bool:
        """Whether a fact is there; whoever may still be writing it is waited for.

        To insert it again is the one question that no transaction on its way can slip past.

        Raises:
            Unavailable: it is not there, but another node may still be about to commit it.
        """
        with self._transaction(self.engine.probing, turn=True) as channel:
            try:
                with channel.savepoint():
                    if channel.write(proof.insert, [proof.values]):
                        if self.engine.node(channel.connection) == proof.node:
                            return False  # the transaction is not committed
                        raise Unavailable(f"{self.engine.place}: another node answers")
            except Duplicate:
                pass
            held = SqlReading(channel, self._statements).lookup(proof.kind, proof.id)
            if isinstance(held, Claim):  # the key may be another command's
                return claim_values(held) == proof.values
            return held is not None
