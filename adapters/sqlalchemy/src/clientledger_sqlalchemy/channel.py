"""The way to the database within one transaction, whoever owns it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from clientledger import ClientLedgerError, HostTransactionAborted, StoreError
from clientledger_sqlalchemy.engines import Engine
from clientledger_sqlalchemy.engines.engine import Failure
from clientledger_sqlalchemy.prepared import Prepared

__all__ = ["Channel"]


class Channel:
    """Runs prepared statements on a driver's connection that is in a transaction.

    It never commits, rolls back or closes what it was given.

    Args:
        connection: of the driver (or a pool's proxy of it).
        engine: of the database.
    """

    def __init__(self, connection: Any, engine: Engine) -> None:
        self.connection = connection
        self.engine = engine
        self._cursor = connection.cursor()
        self._depth = 0
        self._refusal: StoreError | None = None
        self.lost = False
        """Whether the connection is of no more use."""
        self.committed = False

    def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[Any]:
        """Run a select; give its rows."""
        return statement.rows(self.raw(statement, values))

    def raw(self, statement: Prepared, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run a select; give its rows as the driver does."""
        self.check()
        parameters = statement.parameters(values)
        try:
            self._cursor.execute(statement.text, parameters)
            found: Sequence[Any] = self._cursor.fetchall()
        except UnicodeEncodeError:
            return []  # what is no text of Unicode stands nowhere in the book
        except self.engine.failures as error:
            if self.engine.unspeakable(error):
                return []
            raise self._failed(error) from error
        return found

    def examining(self) -> AbstractContextManager[None]:
        """Give back whatever is in a row, even where it is no text."""
        return self.engine.examining(self.connection)

    def write(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run an insert, update or delete once for each row; give the number of rows written."""
        self.check()
        parameters = [statement.parameters(row) for row in rows]
        try:
            if len(parameters) == 1:
                self._cursor.execute(statement.text, parameters[0])
            else:
                self._cursor.executemany(statement.text, parameters)
        except self.engine.failures as error:
            raise self._failed(error) from error
        return int(self._cursor.rowcount)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is done inside when it raises, and nothing else."""
        name = f"clientledger_{self._depth}"
        self.command(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._undo(name)
            raise
        else:
            self.command(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    def command(self, text: str) -> None:
        """Run a command of the transaction itself."""
        self.check()
        try:
            self._cursor.execute(text)
        except self.engine.failures as error:
            raise self._failed(error) from error

    def commit(self) -> Failure | None:
        """Commit, where the transaction is ours; give the failure that leaves its outcome open.

        Raises:
            ClientLedgerError: nothing was committed, for sure.
        """
        self.check()
        try:
            self._cursor.execute("COMMIT")
        except self.engine.failures as error:
            failure = self.engine.failure(error)
            self.lost = True
            if failure.refused:
                raise failure.error from error
            return failure
        if not self.engine.kept(self._cursor):
            raise StoreError(
                f"{self.engine.place}: the database has undone the unit of work, because a "
                "statement in it had failed",
                remedy="let the error out of the unit of work, or use a nested one",
            )
        self.committed = True
        return None

    def check(self) -> None:
        """Refuse to go on after the transaction has ended.

        Raises:
            StoreError: it has, by its owner.
            HostTransactionAborted: the database itself has undone it.
        """
        if self._refusal is not None:
            raise self._refusal

    def end(self) -> None:
        """Take nothing more: the connection goes back to its owner."""
        self._refusal = StoreError(
            f"{self.engine.place}: the unit of work has ended", remedy="begin another one"
        )

    def _failed(self, error: Exception) -> ClientLedgerError:
        """Say what an error means; after one that has undone the transaction, all is refused."""
        failure = self.engine.failure(error)
        if failure.killed:
            self._abort()
            self.lost = self.lost or not failure.refused
        return failure.error

    def _abort(self) -> None:
        self._refusal = HostTransactionAborted(
            f"{self.engine.place}: the database has undone the unit of work",
            remedy="begin it again, whole",
        )

    def _undo(self, savepoint: str) -> None:
        if self._refusal is not None:
            return
        try:
            self._cursor.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
            self._cursor.execute(f"RELEASE SAVEPOINT {savepoint}")
        except self.engine.failures:
            # The disk was full, or the like: the database has undone the whole transaction.
            self._abort()
