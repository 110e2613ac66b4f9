"""The way to the database within one transaction, whoever owns it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from clientledger import Conflict, StoreError
from clientledger_sqlalchemy.failures import FAILURES, failure_of
from clientledger_sqlalchemy.prepared import Prepared

__all__ = ["Channel"]


class Channel:
    """Runs prepared statements on a driver's connection that is in a transaction.

    It never commits, rolls back or closes what it was given.

    Args:
        connection: of the driver (or a pool's proxy of it).
        place: what to call the storage in messages.
    """

    def __init__(self, connection: Any, place: str) -> None:
        self._cursor = connection.cursor()
        self._place = place
        self._depth = 0
        self._refusal: tuple[str, str] | None = None

    def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[Any]:
        """Run a select; give its rows."""
        self.check()
        parameters = statement.parameters(values)
        try:
            self._cursor.execute(statement.text, parameters)
            return statement.rows(self._cursor.fetchall())
        except UnicodeEncodeError:
            return []  # what is no text of Unicode stands nowhere in the book
        except FAILURES as error:
            raise failure_of(error, self._place) from error

    def write(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run an insert, update or delete once for each row; give the number of rows written."""
        self.check()
        parameters = [statement.parameters(row) for row in rows]
        try:
            if len(parameters) == 1:
                self._cursor.execute(statement.text, parameters[0])
            else:
                self._cursor.executemany(statement.text, parameters)
        except FAILURES as error:
            raise failure_of(error, self._place) from error
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
        except FAILURES as error:
            raise failure_of(error, self._place) from error

    def check(self) -> None:
        """Refuse to go on after the transaction has ended.

        Raises:
            StoreError: it has, by its owner or by the database itself.
        """
        if self._refusal is not None:
            said, remedy = self._refusal
            raise StoreError(f"{self._place}: {said}", remedy=remedy)

    def end(self) -> None:
        """Take nothing more: the connection goes back to its owner."""
        self._refusal = ("the unit of work has ended", "begin another one")

    def _undo(self, savepoint: str) -> None:
        try:
            self.command(f"ROLLBACK TO SAVEPOINT {savepoint}")
            self.command(f"RELEASE SAVEPOINT {savepoint}")
        except (Conflict, StoreError):
            # The disk was full, or the like: the database has undone the whole transaction.
            self._refusal = ("the database has undone the unit of work", "mend the cause first")
