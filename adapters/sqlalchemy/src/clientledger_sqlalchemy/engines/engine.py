"""What a store asks of a database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import attrs
import sqlalchemy as sa

from clientledger import ClientLedgerError, NotAllowed, OutcomeUnknown
from clientledger.ports import Finding
from clientledger_sqlalchemy.schema import Tables

__all__ = ["Engine", "Failure"]


@attrs.frozen(kw_only=True)
class Failure:
    """What an error of a driver means.

    Attributes:
        error: what it is to a caller.
        killed: whether the database has undone the whole transaction, so that nothing more can be
            done in it.
        refused: whether a commit that fails so has surely not been made.
    """

    error: ClientLedgerError
    killed: bool = False
    refused: bool = False


@attrs.define
class Engine(ABC):
    """A database, with a pool of connections to it.

    Attributes:
        pool: makes connections of the driver, and knows the dialect.
        place: what to call the database in messages, without secrets.
        read_only: whether the book is never written.
        failures: what the driver may raise.
        writing: commands that begin a unit of work.
        reading: commands that begin to read one state.
        probing: commands that begin a unit which sees all that was committed before each
            statement.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = ()
    overwriting: ClassVar[tuple[str, ...]] = ()
    """Commands that write something, and leave nothing, where the log of a commit that failed has
    to be written over; none where the database sees to that itself."""

    pool: sa.Engine
    place: str
    read_only: bool
    writing: tuple[str, ...]
    reading: tuple[str, ...]
    probing: tuple[str, ...]

    @property
    def dialect(self) -> sa.Dialect:
        """How the database is spoken to."""
        return self.pool.dialect

    @abstractmethod
    def make(self, tables: Tables) -> None:
        """Make the book where there is none, or see that it is one of this version.

        Raises:
            StoreError: the database has no book and may not be written, or something else.
        """

    @abstractmethod
    def upgrade(self, tables: Tables, migrate: Callable[[sa.Connection], None]) -> tuple[int, int]:
        """Bring an older book to this version, and return the versions before and after.

        Args:
            migrate: changes the tables, on a connection that nobody else makes or upgrades the
                book on; it is called only where there is anything to do.

        Raises:
            StoreError: there is no book, or one that is newer than this version.
        """

    @abstractmethod
    def failure(self, error: Exception) -> Failure:
        """Say what one of `failures` means."""

    @abstractmethod
    def findings(self, connection: Any, tables: Tables) -> list[Finding]:
        """Why the database cannot keep what the book promises, as a connection sees it."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn among the writers, where the database itself has no fair queue."""
        yield

    @contextmanager
    def examining(self, connection: Any) -> Iterator[None]:
        """Let a connection give back whatever is in a row, even where it is no text."""
        yield

    def kept(self, cursor: Any) -> bool:
        """Whether the commit that a cursor has just run was one, and not a rollback in silence."""
        return True

    def node(self, connection: Any) -> object:
        """Which server a connection goes to, where several take writes and share an address."""
        return None

    def unspeakable(self, error: Exception) -> bool:
        """Whether the driver refused to ask, because a text can stand in no book."""
        return isinstance(error, UnicodeEncodeError)

    def backup(self, path: Path) -> None:
        """Write a whole, consistent copy of the database to a new file.

        Raises:
            NotAllowed: that is for the database's own tools.
        """
        raise NotAllowed(
            f"{self.place}: a server is copied by its own tools",
            remedy="pg_dump or mariadb-backup; or clientledger dump, which any store can load",
        )

    def unknown(self) -> OutcomeUnknown:
        """What a caller is told when the reply to a commit was lost for good."""
        return OutcomeUnknown(
            f"{self.place}: the connection was lost during the commit",
            remedy="ask book.outcome(key) when the database is back",
        )

    def close(self) -> None:
        """Close all connections."""
        self.pool.dispose()
