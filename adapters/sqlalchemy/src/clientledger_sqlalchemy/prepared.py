"""Statements compiled once: the text that a driver takes, and how values go in and come out."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

__all__ = ["Prepared"]

Processor = Callable[[Any], Any]


class Prepared:
    """A statement of SQLAlchemy Core as fixed text.

    Args:
        statement: an insert, update, delete or select with named parameters.
        dialect: of the database that will run it.
        columns: of an insert, the columns that are given.
    """

    def __init__(
        self, statement: Any, dialect: sa.Dialect, columns: Sequence[str] | None = None
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.text: str = compiled.string
        self._positional: bool = compiled.positional
        names = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._binds: list[tuple[str, Processor | None]] = []
        self._fixed: dict[str, Any] = {}
        for name in names:
            value = compiled.binds[name]
            processor = value.type.dialect_impl(dialect).bind_processor(dialect)
            self._binds.append((name, processor))
            if not value.required and value.value is not None:
                self._fixed[name] = value.value
        selected = list(statement.selected_columns) if isinstance(statement, sa.Select) else []
        names = [column.key for column in selected]
        self._row: Any = namedtuple("Row", names)  # type: ignore[misc]  # as the statement says
        self._readers: list[Processor | None] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Turn values by name into what the driver takes."""
        given = {**values, **self._fixed} if self._fixed else values
        if self._positional:
            return tuple([given[n] if p is None else p(given[n]) for n, p in self._binds])
        return {n: given[n] if p is None else p(given[n]) for n, p in self._binds}

    def rows(self, raw: Iterable[Sequence[Any]]) -> list[Any]:
        """Turn what the driver gives into rows with named values."""
        make, readers = self._row._make, self._readers
        return [
            make([v if read is None else read(v) for read, v in zip(readers, row, strict=True)])
            for row in raw
        ]

    def untouched(self, raw: Sequence[Any]) -> Any:
        """Name the values of a row as the driver gives them."""
        return self._row._make(raw)
