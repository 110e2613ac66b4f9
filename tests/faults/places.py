"""Where books for a run are made: in a database that is given, each under a prefix of its own."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
from tests.faults.auditor import audit, connected
from tests.faults.shim import scratch
from tests.servers import mariadb_database, postgresql_database

__all__ = ["PREFIX", "Place", "bare", "counted_again", "database", "with_options"]

PREFIX = r"p\d+_"
"""How the names of tables begin in the books that we make."""

_COUNT = itertools.count(1)


@attrs.frozen
class Place:
    """A database that takes several books.

    Attributes:
        url: of the database; of SQLite, of a file beside which the others will stand.
    """

    url: str

    def fresh(self, **options: str) -> str:
        """Give the URL of a book that is not there yet."""
        number = next(_COUNT)
        if self.url.startswith("sqlite"):
            return with_options(f"{self.url.removesuffix('.db')}-{number}.db", **options)
        return with_options(self.url, prefix=f"p{number}_", **options)


def with_options(url: str, **options: str) -> str:
    """Add options to a URL."""
    for name, value in options.items():
        url += f"{'&' if '?' in url else '?'}{name}={value.replace(' ', '+')}"
    return url


def bare(url: str) -> str:
    """A URL without options."""
    return url.partition("?")[0]


@contextmanager
def database(kind: str) -> Iterator[str]:
    """An empty database of a kind (sqlite, postgresql, mariadb), or the one that a URL names."""
    if "://" in kind:
        yield kind
    elif kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=scratch()) as name:
            yield f"sqlite:///{Path(name) / 'book.db'}"
    elif kind == "postgresql":
        with postgresql_database() as url:
            yield url
    else:
        with mariadb_database() as url:
            yield url


def counted_again(url: str, marker: str = "") -> list[str]:
    """What plain SQL finds wrong in a book."""
    prefix = url.partition("prefix=")[2].partition("&")[0]
    with closing(connected(bare(url))) as db:
        return list(audit(db, marker=marker, prefix=prefix).problems)
