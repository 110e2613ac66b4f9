"""The SQL store keeps the contract, on every database and at every level of isolation."""

import itertools
import zlib
from pathlib import Path
from typing import ClassVar

import pytest

from clientledger.ports import Store
from clientledger.testing import StoreContract
from clientledger_sqlalchemy import SqlStore


class TestSqliteFile(StoreContract):
    ledgers = 15

    def open_store(self, folder: Path) -> Store:
        return SqlStore.open(f"sqlite:///{folder / 'book.db'}")


class OnServer(StoreContract):
    """Each folder is a book of its own in one database: its tables have a prefix of their own."""

    examples, ledgers = 2, 2
    options: ClassVar[str] = ""

    urls: tuple[str, ...] = ()
    """The database, through each of its nodes; books are opened on one after the other."""

    _turn = itertools.count()

    def open_store(self, folder: Path) -> Store:
        url = self.urls[next(self._turn) % len(self.urls)]
        mark = "&" if "?" in url else "?"
        prefix = f"b{zlib.crc32(str(folder).encode())}_"
        return SqlStore.open(f"{url}{mark}prefix={prefix}{self.options}")


class TestPostgresql(OnServer):
    @pytest.fixture(autouse=True)
    def database(self, postgresql_url: str) -> None:
        self.urls = (postgresql_url,)


class TestPostgresqlSerializable(TestPostgresql):
    """As CockroachDB and YugabyteDB are: every conflict fails, and is retried whole."""

    options = "&isolation=serializable"


class TestPostgresqlRepeatableRead(TestPostgresql):
    examples, ledgers = 1, 1
    options = "&isolation=repeatable-read"


class TestPostgresqlPartitioned(TestPostgresql):
    examples, ledgers = 1, 1
    options = "&partitions=4"


class TestPostgresql18(OnServer):
    @pytest.fixture(autouse=True)
    def database(self, postgresql18_url: str) -> None:
        self.urls = (postgresql18_url,)


class TestMariadb(OnServer):
    @pytest.fixture(autouse=True)
    def database(self, mariadb_url: str) -> None:
        self.urls = (mariadb_url,)


class TestMariadbRepeatableRead(TestMariadb):
    examples, ledgers = 1, 1
    options = "&isolation=repeatable-read"


class TestMariadbSerializable(TestMariadb):
    examples, ledgers = 1, 1
    options = "&isolation=serializable"


class TestGalera(OnServer):
    """Three nodes: each book is opened on another one than the last."""

    @pytest.fixture(autouse=True)
    def database(self, galera_urls: tuple[str, str, str]) -> None:
        self.urls = galera_urls
