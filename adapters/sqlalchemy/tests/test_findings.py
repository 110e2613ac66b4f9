"""Where a promise cannot be kept the first command is refused, by name, unless it is accepted."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.servers import PrivateMariadb, PrivatePostgres, connect_mariadb, connect_postgresql
from tests.servers.fixtures import opened_or_skip

from clientledger import Book, InvalidValue, StoreError
from clientledger_sqlalchemy import SqlStore
from clientledger_sqlalchemy.engines import sqlite as sqlite_engine

Ill = Callable[[SqlStore], None]
"""Sets something up wrongly in the connections of a store."""


def told(*statements: str) -> Ill:
    """Run statements on each connection, after ours."""

    def spoil(store: SqlStore) -> None:
        def run(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            cursor.close()

        sa.event.listen(store.engine.pool, "connect", run)
        store.engine.close()

    return spoil


def begins_by_itself(store: SqlStore) -> None:
    def run(connection: Any, _: object) -> None:
        connection.isolation_level = ""

    sa.event.listen(store.engine.pool, "connect", run)
    store.engine.close()


def without_trigger(name: str) -> Ill:
    def spoil(store: SqlStore) -> None:
        with store.engine.pool.connect() as connection:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")

    return spoil


SQLITE: dict[str, list[Ill]] = {
    "journal_mode": [told("PRAGMA journal_mode = DELETE"), told("PRAGMA journal_mode = TRUNCATE")],
    "synchronous": [told("PRAGMA synchronous = NORMAL"), told("PRAGMA synchronous = OFF")],
    "foreign_keys": [told("PRAGMA foreign_keys = OFF")],
    "recursive_triggers": [told("PRAGMA recursive_triggers = OFF")],
    "transaction_mode": [begins_by_itself],
    "triggers": [
        without_trigger(name)
        for name in (
            "entries_no_update",
            "entries_no_delete",
            "allocations_no_update",
            "events_no_delete",
            "seals_no_delete",
        )
    ],
}


def refused(store: SqlStore, name: str) -> None:
    """The first command is refused, names what is wrong, and leaves nothing."""
    book = Book(store, actor="olena")
    assert name in [finding.name for finding in store.findings()]
    with pytest.raises(StoreError, match=rf"\b{name}: .*accept=.*{name}"):
        book.clients.add("Acme")
    assert len(book.clients.find()) == 0


@pytest.mark.parametrize(
    ("name", "spoil"), [(name, spoil) for name, some in SQLITE.items() for spoil in some]
)
def test_a_file_that_is_set_up_wrongly_is_named(store: SqlStore, name: str, spoil: Ill) -> None:
    spoil(store)
    refused(store, name)


def test_a_file_in_another_encoding_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA encoding = 'UTF-16'")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("DROP TABLE t")
    store = SqlStore.open(f"sqlite:///{path}")
    refused(store, "encoding")
    store.close()


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"])
def test_a_file_on_a_network_is_named(
    store: SqlStore, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_engine, "_file_system", lambda path: kind)
    refused(store, "network_file_system")


def test_the_file_system_is_the_one_that_the_file_lies_on() -> None:
    assert sqlite_engine._file_system(Path("/proc/self/status")) == "proc"
    assert sqlite_engine._file_system(Path("/dev/shm/x")) == "tmpfs"


def test_what_is_accepted_by_name_is_written(path: Path) -> None:
    SqlStore.open(f"sqlite:///{path}").close()
    store = SqlStore.open(f"sqlite:///{path}?accept=synchronous,foreign_keys")
    told("PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = OFF")(store)
    Book(store, actor="olena").clients.add("Acme")
    told("PRAGMA recursive_triggers = OFF")(store)
    Book(store, actor="olena").clients.add("Zoë")  # what a book was trusted with once stays so
    store.close()


def test_a_good_database_is_found_good(store: SqlStore) -> None:
    assert store.findings() == []


@pytest.mark.parametrize("url", ["postgresql_url", "postgresql18_url", "mariadb_url"])
def test_a_good_server_is_found_good(url: str, request: pytest.FixtureRequest) -> None:
    store = SqlStore.open(request.getfixturevalue(url))
    assert store.findings() == []
    store.close()


# ------------------------------------------------------------ PostgreSQL

POSTGRESQL = {
    "synchronous_commit": told("SET synchronous_commit = off"),
    "triggers": told("ALTER TABLE entries DISABLE TRIGGER entries_no_change"),
    "collation": told('ALTER TABLE clients ALTER COLUMN name TYPE varchar(255) COLLATE "POSIX"'),
}


@pytest.mark.parametrize("name", POSTGRESQL)
def test_a_postgresql_that_is_set_up_wrongly_is_named(postgresql_url: str, name: str) -> None:
    store = SqlStore.open(postgresql_url)
    POSTGRESQL[name](store)
    refused(store, name)
    store.close()


def test_a_postgresql_that_does_not_sync_is_named() -> None:
    lax = {"fsync": "off", "full_page_writes": "off"}
    with opened_or_skip(PrivatePostgres(settings=lax)) as server:
        store = SqlStore.open(server.url())
        assert {finding.name for finding in store.findings()} == set(lax)
        refused(store, "fsync")
        store.close()


def test_a_postgresql_database_in_no_encoding_is_named(postgresql_url: str) -> None:
    name = f"{postgresql_url.rpartition('/')[2]}_ascii"
    with connect_postgresql(postgresql_url, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'")
        store = SqlStore.open(f"{postgresql_url}_ascii")
        refused(store, "encoding")
        store.close()
        link.execute(f"DROP DATABASE {name}")


# ------------------------------------------------------------ MariaDB

MARIADB = {
    "sql_mode": told("SET SESSION sql_mode = ''"),
    "foreign_key_checks": told("SET SESSION foreign_key_checks = 0"),
    "unique_checks": told("SET SESSION unique_checks = 0"),
    "tx_isolation": told("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"),
    "character_set_connection": told("SET NAMES latin1"),
    "engine": told("ALTER TABLE salts ENGINE = MyISAM"),
    "collation": told(
        "ALTER TABLE claims MODIFY claim_key VARCHAR(255) NOT NULL COLLATE utf8mb4_bin"
    ),
    "triggers": told("DROP TRIGGER IF EXISTS releases_no_update"),
}


@pytest.mark.parametrize("name", MARIADB)
def test_a_mariadb_that_is_set_up_wrongly_is_named(mariadb_url: str, name: str) -> None:
    store = SqlStore.open(mariadb_url)
    MARIADB[name](store)
    refused(store, name)
    store.close()


def test_a_mariadb_that_does_not_flush_is_named() -> None:
    with opened_or_skip(PrivateMariadb()) as server:
        with closing(connect_mariadb(server.url(""))) as link:
            link.cursor().execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
            link.cursor().execute("CREATE DATABASE IF NOT EXISTS test")
        store = SqlStore.open(server.url("test"))
        refused(store, "innodb_flush_log_at_trx_commit")
        store.close()


# ------------------------------------------------------------ addresses


def test_options_of_the_driver_reach_it(postgresql_url: str) -> None:
    url = f"{postgresql_url}?application_name=shop&wait=7&options=-c%20geqo%3Doff&pool=2"
    store = SqlStore.open(url)
    with store.engine.pool.connect() as connection:
        run = connection.exec_driver_sql
        assert run("SHOW application_name").scalar() == "shop"
        assert run("SHOW geqo").scalar() == "off"
        assert run("SHOW lock_timeout").scalar() == "7s"
    store.close()


def test_a_connection_is_encrypted_when_the_address_says_so(postgresql_url: str) -> None:
    with connect_postgresql(postgresql_url) as link:
        [encrypts] = link.execute("SHOW ssl").fetchone() or [""]
    if encrypts != "on":  # a server without TLS is not spoken to in the clear
        with pytest.raises(StoreError):
            SqlStore.open(f"{postgresql_url}?sslmode=require")
        return
    store = SqlStore.open(f"{postgresql_url}?sslmode=require")
    with store.engine.pool.connect() as connection:
        ask = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.exec_driver_sql(ask).scalar() is True
    store.close()


def test_a_mariadb_whose_certificate_cannot_be_checked_is_not_spoken_to(
    mariadb_url: str, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("no certificate")
    with pytest.raises(StoreError):
        SqlStore.open(f"{mariadb_url}?ssl_ca={authority}&ssl_verify_cert=true")


@pytest.mark.parametrize(
    "options",
    ["wait=soon", "wait=-1", "pool=0", "pool=many", "isolation=dirty", "wait=nan", "partitions=-2"],
)
def test_an_option_that_cannot_be_is_refused(path: Path, options: str) -> None:
    with pytest.raises(InvalidValue, match=options.partition("=")[0]):
        SqlStore.open(f"sqlite:///{path}?{options}")
    assert not path.exists()


@pytest.mark.parametrize("options", ["prefix=a_", "schema=b", "partitions=4"])
def test_a_file_is_one_book(path: Path, options: str) -> None:
    with pytest.raises(InvalidValue, match="one book"):
        SqlStore.open(f"sqlite:///{path}?{options}")
