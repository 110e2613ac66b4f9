"""What an address says beside where the database is."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
import sqlalchemy as sa

from clientledger import InvalidValue

__all__ = ["LEVELS", "Options", "read_url"]

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


@attrs.frozen(kw_only=True)
class Options:
    """How a book is opened, beside where.

    Attributes:
        wait: seconds to wait for other writers.
        pool: connections that are kept open between units of work.
        prefix: the beginning of the names of the book's tables.
        schema: the schema that they are in, or None; PostgreSQL only.
        partitions: into how many parts the tables of clients are split when they are made;
            PostgreSQL only.
        isolation: the level of units of work.
        sync: whether a node of a cluster first waits for what the others have committed.
        accept: names of findings of the doctor that are known and accepted.
        older: whether the book may be of an older version, as it is to be upgraded; no address
            says so.
    """

    wait: float = 5.0
    pool: int = 5
    prefix: str = ""
    schema: str | None = None
    partitions: int = 0
    isolation: str = "READ COMMITTED"
    sync: bool = True
    accept: frozenset[str] = frozenset()
    older: bool = False


def read_url(address: str) -> tuple[sa.URL, Options]:
    """Read an address: the part that is the driver's, and the options that are ours.

    Raises:
        InvalidValue: not an address, or an option with a value that cannot be.
    """
    try:
        url = _file(address) if address.startswith("sqlite:") else sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidValue(
            "not the address of a database",
            field="url",
            remedy='write "sqlite:///clients.db" or "postgresql://user@host/database"',
        ) from None
    given = {name: url.query[name] for name in url.query if name in _READERS}
    options = Options(**{name: _READERS[name](name, text) for name, text in given.items()})
    return url.difference_update_query(list(given)), options


def _file(address: str) -> sa.URL:
    """The address of a file: a name may have any character but "?", as it is."""
    name, _, options = address.partition("?")
    _, there, path = name.partition("sqlite:///")
    query = dict(parse_qsl(options, keep_blank_values=True))
    return sa.URL.create("sqlite", database=path if there else None, query=query)


def _number(least: float, most: float, kind: Callable[[str], Any]) -> Callable[[str, Any], Any]:
    def read(name: str, text: Any) -> Any:
        try:
            value = kind(text)
        except (TypeError, ValueError):
            value = None
        if value is None or not least <= value <= most:
            raise InvalidValue(
                "not such a number", field=name, value=text, remedy=f"{least:g} to {most:g}"
            )
        return value

    return read


def _level(name: str, text: Any) -> str:
    level = str(text).upper().replace("+", " ").replace("_", " ").replace("-", " ")
    if level not in LEVELS:
        raise InvalidValue(
            "not an isolation level", field=name, value=text, remedy=", ".join(LEVELS).lower()
        )
    return level


def _switch(name: str, text: Any) -> bool:
    if text not in ("on", "off"):
        raise InvalidValue("neither on nor off", field=name, value=text, remedy="on or off")
    return bool(text == "on")


def _names(name: str, text: Any) -> frozenset[str]:
    told = text if isinstance(text, tuple) else (text,)
    return frozenset(part.strip() for one in told for part in one.split(",") if part.strip())


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "wait": _number(0, 3600, float),
    "pool": _number(1, 1000, int),
    "prefix": lambda _, text: str(text),
    "schema": lambda _, text: str(text),
    "partitions": _number(0, 4096, int),
    "isolation": _level,
    "sync": _switch,
    "accept": _names,
}
