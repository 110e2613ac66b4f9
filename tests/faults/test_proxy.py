"""The proxy cuts where it was told to, and what the server did is known for each cut."""

import random
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pymysql
import pytest
from tests.faults.proxy import INSTANTS, CuttingProxy, Instant
from tests.servers import connect_mariadb, connect_postgresql
from tests.servers.server import wait_until

LOST = (psycopg.OperationalError, pymysql.OperationalError)
KINDS = ("postgresql", "mariadb")


def connect(url: str) -> Any:
    """Connect by the driver of the URL; Any, for the two agree only by custom."""
    return connect_postgresql(url) if url.startswith("postgresql") else connect_mariadb(url)


def write(url: str, n: int) -> None:
    """Commit a row."""
    with closing(connect(url)) as link:
        link.cursor().execute("INSERT INTO kept VALUES (%s)", (n,))
        link.commit()


def rows(url: str) -> list[int]:
    with closing(connect(url)) as link:
        cursor = link.cursor()
        cursor.execute("SELECT n FROM kept ORDER BY n")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """The way to a server past the proxy; a table is there."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    with closing(connect(url)) as link:
        link.cursor().execute("CREATE TABLE kept (n INT PRIMARY KEY)")
        link.commit()
    return url


@pytest.fixture
def proxy(url: str) -> Iterator[CuttingProxy]:
    with CuttingProxy.before(url) as proxy:
        yield proxy


def test_without_a_cut_everything_passes(url: str, proxy: CuttingProxy) -> None:
    through, text = proxy.url(url), "Büro " * 400_000
    write(through, 1)
    with closing(connect(through)) as link:
        cursor = link.cursor()
        cursor.execute("SELECT %s", (text,))
        assert cursor.fetchone() == (text,)
    assert rows(through) == [1]
    assert not proxy.cuts
    assert proxy.statements >= 4


@pytest.mark.parametrize(("when", "kept"), [("request", []), ("reply", [1]), ("middle", [1])])
def test_a_cut_at_commit(url: str, proxy: CuttingProxy, when: Instant, kept: list[int]) -> None:
    proxy.cut("commit", when=when)
    with pytest.raises(LOST):
        write(proxy.url(url), 1)
    assert rows(url) == kept
    assert proxy.cuts == {when: 1}
    write(proxy.url(url), 2)
    assert rows(url) == [*kept, 2]


@pytest.mark.parametrize("when", INSTANTS)
def test_a_cut_before_commit_keeps_nothing(url: str, proxy: CuttingProxy, when: Instant) -> None:
    proxy.cut("INSERT INTO kept", when=when)
    with pytest.raises(LOST):
        write(proxy.url(url), 1)
    # The server may still be about to notice that its client has gone.
    assert rows(url) == []
    assert proxy.cuts == {when: 1}


@pytest.mark.parametrize("when", INSTANTS)
def test_a_cut_in_a_long_answer(url: str, proxy: CuttingProxy, when: Instant) -> None:
    proxy.cut("SELECT", when=when)
    with closing(connect(proxy.url(url))) as link, pytest.raises(LOST):
        link.cursor().execute("SELECT %s", ("long " * 100_000,))
    assert proxy.cuts == {when: 1}


def test_the_first_that_match_may_be_let_pass(url: str, proxy: CuttingProxy) -> None:
    proxy.cut("COMMIT", when="request", skip=2)
    for n in (1, 2):
        write(proxy.url(url), n)
    with pytest.raises(LOST):
        write(proxy.url(url), 3)
    write(proxy.url(url), 4)
    assert rows(url) == [1, 2, 4]


def test_a_healed_proxy_cuts_no_more(url: str, proxy: CuttingProxy) -> None:
    proxy.cut("COMMIT", when="request", times=5)
    proxy.cut_randomly(random.Random(1), 1.0)
    proxy.heal()
    write(proxy.url(url), 1)
    assert rows(url) == [1]


def outcomes(url: str, seed: int) -> list[str]:
    """Write thirty rows while the proxy cuts one commit in two, and tell how each ended."""
    told = []
    with CuttingProxy.before(url) as proxy:
        proxy.cut_randomly(random.Random(seed), 0.5, statement="COMMIT")
        for n in range(30):
            before = proxy.cuts
            try:
                write(proxy.url(url), n)
                told.append("done")
            except LOST:
                told += proxy.cuts - before
    return told


def test_cuts_by_chance_are_counted_and_repeat_with_their_seed(url: str) -> None:
    told = outcomes(url, 5)
    assert rows(url) == [n for n, end in enumerate(told) if end != "request"]
    assert {*told} == {"done", *INSTANTS}
    with closing(connect(url)) as link:
        link.cursor().execute("DELETE FROM kept")
        link.commit()
    assert outcomes(url, 5) == told


def test_both_sides_are_closed_hard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        with (
            CuttingProxy(host, port, protocol="mariadb") as proxy,
            socket.create_connection((proxy.host, proxy.port)) as client,
            listener.accept()[0] as server,
        ):
            proxy.cut("COMMIT", when="request")
            client.sendall(b"\x07\0\0\0\x03COMMIT")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            with pytest.raises(ConnectionResetError):
                server.recv(1)


def test_the_server_notices_the_cut_at_once(url: str, proxy: CuttingProxy) -> None:
    proxy.cut("SELECT 1", when="reply")
    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        if url.startswith("postgresql")
        else "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE()"
    )
    with closing(connect(url)) as watcher, closing(connect(proxy.url(url))) as link:

        def connections() -> int:
            cursor = watcher.cursor()
            cursor.execute(count)
            found: int = cursor.fetchone()[0]
            watcher.rollback()
            return found

        assert connections() == 2
        with pytest.raises(LOST):
            link.cursor().execute("SELECT 1")
        wait_until(lambda: connections() == 1, 5, "the server has noticed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_not_there_is_not_there_through_the_proxy(kind: str) -> None:
    with (
        CuttingProxy.before(f"{kind}://root@127.0.0.1:1/test") as proxy,
        pytest.raises(LOST),
    ):
        connect(proxy.url(f"{kind}://root@127.0.0.1:1/test"))


# ---------------------------------------------------------------- extended queries
@pytest.fixture
def table(postgresql_url: str) -> str:
    with connect_postgresql(postgresql_url) as link:
        link.execute("CREATE TABLE kept (n INT PRIMARY KEY)")
    return postgresql_url


@pytest.mark.parametrize(("when", "kept"), [("request", []), ("reply", [1]), ("middle", [1])])
def test_a_cut_at_a_prepared_commit(table: str, when: Instant, kept: list[int]) -> None:
    with (
        CuttingProxy.before(table) as proxy,
        connect_postgresql(proxy.url(table), autocommit=True) as link,
    ):
        for _ in range(3):
            link.execute("BEGIN", prepare=True)
            link.execute("COMMIT", prepare=True)
        proxy.cut("COMMIT", when=when)
        link.execute("BEGIN", prepare=True)
        link.execute("INSERT INTO kept VALUES (%s)", (1,), prepare=True)
        with pytest.raises(psycopg.OperationalError):
            link.execute("COMMIT", prepare=True)
        assert rows(table) == kept
        assert proxy.cuts == {when: 1}


@pytest.mark.parametrize(("when", "kept"), [("request", []), ("reply", [1]), ("middle", [1])])
def test_a_cut_at_a_commit_in_a_pipeline(table: str, when: Instant, kept: list[int]) -> None:
    def write_in_a_pipeline(url: str) -> None:
        with connect_postgresql(url) as link, link.pipeline():
            link.execute("INSERT INTO kept VALUES (%s)", (1,))
            link.commit()

    with CuttingProxy.before(table) as proxy:
        proxy.cut("COMMIT", when=when)
        with pytest.raises(psycopg.OperationalError):
            write_in_a_pipeline(proxy.url(table))
        assert rows(table) == kept
        assert proxy.cuts == {when: 1}


def test_a_statement_executed_again_by_its_name_is_found(table: str) -> None:
    insert = "INSERT INTO kept VALUES (%s)"
    with (
        CuttingProxy.before(table) as proxy,
        connect_postgresql(proxy.url(table), autocommit=True) as link,
    ):
        proxy.cut("INSERT", when="reply", skip=7)
        for n in range(7):
            link.execute(insert, (n,))
        with pytest.raises(psycopg.OperationalError):
            link.execute(insert, (7,))
    assert rows(table) == list(range(8))


def test_the_embedded_server_is_reached_through_its_socket(postgresql18_url: str) -> None:
    with CuttingProxy.before(postgresql18_url) as proxy:
        proxy.cut("SELECT 2", when="middle")
        with connect_postgresql(proxy.url(postgresql18_url)) as link:
            assert link.execute("SELECT 1").fetchone() == (1,)
            with pytest.raises(psycopg.OperationalError):
                link.execute("SELECT 2")
