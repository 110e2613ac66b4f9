"""What is the same on all servers: making the book there, and looking at it."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import attrs
import sqlalchemy as sa

from clientledger import Busy, StoreError
from clientledger_sqlalchemy.engines.engine import Engine
from clientledger_sqlalchemy.schema import (
    APPLICATION,
    SCHEMA_VERSION,
    Tables,
    check_not_newer,
    check_version,
    first_rows,
)

__all__ = ["ServerEngine", "address", "busy_making"]


def address(url: sa.URL) -> str:
    """What to call a server in messages: its address, without the password and the options."""
    return url.set(query={}, password=None).render_as_string()


@attrs.define
class ServerEngine(Engine):
    """A database on a server."""

    def make(self, tables: Tables) -> None:
        with self.told(), self.pool.connect() as connection:
            if self._made(connection, tables):
                return
            if self.read_only:
                raise self._missing()
            connection.rollback()  # what was looked at is looked at again, alone
            with self._alone(connection, tables):
                if not self._made(connection, tables):
                    self._refuse_others(connection, tables)
                    tables.book.create(connection, checkfirst=True)  # by it a rest is known as ours
                    made = [table for table in tables.every if table is not tables.book]
                    tables.book.metadata.create_all(connection, tables=made)
                    first_rows(connection, tables)
                connection.commit()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Let what the driver raises be told in our words."""
        try:
            yield
        except self.failures as error:
            raise self.failure(error).error from error

    @abstractmethod
    def _alone(self, connection: sa.Connection, tables: Tables) -> AbstractContextManager[None]:
        """Make sure that nobody else makes the same book."""

    def upgrade(self, tables: Tables, migrate: Callable[[sa.Connection], None]) -> tuple[int, int]:
        with self.told(), self.pool.connect() as connection:
            before = self._older(connection, tables)
            if before < SCHEMA_VERSION:
                connection.rollback()
                with self._alone(connection, tables):
                    before = self._older(connection, tables)  # others may have done it meanwhile
                    if before < SCHEMA_VERSION:
                        migrate(connection)
                    connection.commit()
            return before, SCHEMA_VERSION

    def _older(self, connection: sa.Connection, tables: Tables) -> int:
        """The version of a book that is there, and not newer than ours."""
        version = self._version(connection, tables)
        if version is None:
            raise self._missing()
        check_not_newer(version, self.place)
        return version

    def _missing(self) -> StoreError:
        return StoreError(
            f"{self.place}: there is no book",
            field="url",
            remedy="check the address, or open it for writing first",
        )

    def _made(self, connection: sa.Connection, tables: Tables) -> bool:
        """Whether the book is there, whole; one of another version is refused."""
        version = self._version(connection, tables)
        if version is None:
            return False
        check_version(version, self.place)
        return True

    def _version(self, connection: sa.Connection, tables: Tables) -> int | None:
        """The version of the book that is there, whole, or None."""
        book = tables.book
        if not sa.inspect(connection).has_table(book.name, schema=book.schema):
            return None
        columns = {c["name"] for c in sa.inspect(connection).get_columns(book.name, book.schema)}
        if not set(book.c.keys()) <= columns:
            raise self._foreign([book.name])
        rows = connection.execute(sa.select(book.c.application, book.c.schema_version)).all()
        if not rows:
            return None  # a server without DDL in transactions was stopped on the way
        if rows[0].application != APPLICATION:
            raise self._foreign([book.name])
        version: int = rows[0].schema_version
        return version

    def _refuse_others(self, connection: sa.Connection, tables: Tables) -> None:
        there = set(sa.inspect(connection).get_table_names(schema=tables.book.schema))
        if tables.book.name in there:
            return
        taken = sorted(there & {table.name for table in tables.every})
        if taken:
            raise self._foreign(taken)

    def _foreign(self, names: list[str]) -> StoreError:
        return StoreError(
            f"{self.place}: another program has tables of these names: {', '.join(names)}",
            field="url",
            remedy="name another database, or a prefix: ?prefix=crm_",
        )


def busy_making() -> Busy:
    """What is told when somebody else has been making the book for longer than we wait."""
    return Busy("others are making the book", remedy="try again")
