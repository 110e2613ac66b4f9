"""The servers do what the tests of others take for granted."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from tests.servers import (
    Absent,
    Galera,
    PrivateMariadb,
    PrivatePostgres,
    connect_mariadb,
    connect_postgresql,
    mariadb_database,
    postgresql_database,
)
from tests.servers.fixtures import here_or_skip
from tests.servers.warden import members

ROOT = Path(__file__).parents[2]


def write(url: str, n: int) -> None:
    """Commit a row, in a table that the first makes."""
    create = "CREATE TABLE IF NOT EXISTS kept (n INT PRIMARY KEY)"
    if url.startswith("postgresql"):
        with connect_postgresql(url) as link:
            link.execute(create.encode())
            link.execute("INSERT INTO kept VALUES (%s)", (n,))
    else:
        with closing(connect_mariadb(url)) as other, other.cursor() as cursor:
            cursor.execute(create)
            cursor.execute("INSERT INTO kept VALUES (%s)", (n,))
            other.commit()


def rows(url: str) -> list[int]:
    query = "SELECT n FROM kept ORDER BY n"
    if url.startswith("postgresql"):
        with connect_postgresql(url) as link:
            return [row[0] for row in link.execute(query).fetchall()]
    wait = "SET SESSION wsrep_sync_wait = 1"
    with closing(connect_mariadb(url, init_command=wait)) as other, other.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    with here_or_skip(PrivatePostgres) as server:
        yield server


@pytest.fixture
def mariadb() -> Iterator[PrivateMariadb]:
    with here_or_skip(PrivateMariadb) as server:
        yield server


# ---------------------------------------------------------------- fresh databases
def test_a_fresh_database_of_postgresql_is_empty_and_in_utf8(postgresql_url: str) -> None:
    with connect_postgresql(postgresql_url) as link:
        assert link.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone() == (0,)
        assert link.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_a_fresh_database_of_mariadb_is_empty_and_in_utf8mb4(mariadb_url: str) -> None:
    with closing(connect_mariadb(mariadb_url)) as link, link.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == ()
        cursor.execute("SELECT @@character_set_database")
        assert cursor.fetchone() == ("utf8mb4",)


def test_the_embedded_postgresql_is_reached_by_sqlalchemy_over_its_socket(
    postgresql18_url: str,
) -> None:
    url = sqlalchemy.make_url(postgresql18_url).set(drivername="postgresql+psycopg")
    assert str(url.query["host"]).startswith("/tmp/")
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as link:
        version = link.scalar(sqlalchemy.text("SHOW server_version"))
    engine.dispose()
    assert str(version).startswith("18.")


def test_a_database_is_dropped_though_a_connection_was_left_open() -> None:
    def left_open() -> None:
        with postgresql_database() as url:
            link = connect_postgresql(url)
        link.close()
        with mariadb_database() as url:
            other = connect_mariadb(url)
            other.cursor().execute("CREATE TABLE kept (n INT)")
            other.cursor().execute("SELECT * FROM kept")
        other.close()

    here_or_skip(left_open)


def test_a_server_that_is_not_there_is_absent() -> None:
    with pytest.raises(Absent, match="no PostgreSQL can be reached"):
        postgresql_database("postgresql://postgres@127.0.0.1:1/postgres").__enter__()
    with pytest.raises(Absent, match="no MariaDB can be reached"):
        mariadb_database("mysql://root@127.0.0.1:1/test").__enter__()


# ---------------------------------------------------------------- private servers
def test_postgres_keeps_what_was_committed_when_it_is_killed(postgres: PrivatePostgres) -> None:
    url = postgres.database()
    with connect_postgresql(url) as idle:
        write(url, 1)
        postgres.kill()
        assert not postgres.running
        idle.close()
    postgres.start()
    write(url, 2)
    for mode in ("fast", "immediate", "smart"):
        postgres.stop(mode)
        assert not postgres.running
        postgres.start()
    postgres.restart()
    assert rows(url) == [1, 2]


def test_mariadb_keeps_what_was_committed_when_it_is_killed(mariadb: PrivateMariadb) -> None:
    url = mariadb.database()
    write(url, 1)
    mariadb.kill()
    assert not mariadb.running
    mariadb.start()
    write(url, 2)
    mariadb.restart()
    assert rows(url) == [1, 2]


def test_a_commit_of_postgres_is_on_the_disk(postgres: PrivatePostgres) -> None:
    with connect_postgresql(postgres.url()) as link:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert link.execute(f"SHOW {setting}".encode()).fetchone() == ("on",)


def test_a_commit_of_mariadb_is_on_the_disk(mariadb: PrivateMariadb) -> None:
    with closing(connect_mariadb(mariadb.url())) as link, link.cursor() as cursor:
        cursor.execute("SELECT @@innodb_flush_log_at_trx_commit")
        assert cursor.fetchone() == (1,)


def test_a_replica_follows_and_can_take_over(postgres: PrivatePostgres) -> None:
    url = postgres.database()
    with postgres.replica() as replica:
        followed = replica.url(url.rpartition("/")[2])
        write(url, 1)
        replica.wait_caught_up()
        assert rows(followed) == [1]
        replica.kill()
        write(url, 2)
        replica.start()
        replica.wait_caught_up()
        assert rows(followed) == [1, 2]
        postgres.kill()
        replica.promote()
        write(followed, 3)
        assert rows(followed) == [1, 2, 3]


def test_a_server_started_in_a_thread_outlives_it(postgres: PrivatePostgres) -> None:
    postgres.stop()
    thread = threading.Thread(target=postgres.start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert postgres.running


# ---------------------------------------------------------------- nothing is left over
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_leaves_no_process_and_no_folder(number: int) -> None:
    here_or_skip(PrivatePostgres).close()
    command = [sys.executable, "-m", "tests.servers", "replica"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("primary: postgresql://")
        den = next(
            one for one in Path("/tmp").glob("clientledger-*") if str(run.pid) in _names(one)
        )
        assert len(members(den)) > 5
        run.send_signal(number)
    wait(lambda: not den.exists())
    assert members(den) == []


def _names(den: Path) -> str:
    return " ".join(one.name for one in den.iterdir())


def wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


# ---------------------------------------------------------------- the cluster
def test_a_row_written_through_one_node_is_read_through_the_others(
    galera_urls: tuple[str, str, str],
) -> None:
    write(galera_urls[0], 1)
    assert rows(galera_urls[1]) == rows(galera_urls[2]) == [1]


def test_the_cluster_goes_on_without_a_node_and_takes_it_back(
    galera_alone: Galera, galera_urls: tuple[str, str, str]
) -> None:
    write(galera_urls[0], 1)
    galera_alone.kill(3)
    assert galera_alone.state(3) == ""
    write(galera_urls[0], 2)
    assert rows(galera_urls[1]) == [1, 2]
    galera_alone.restart(3)
    assert galera_alone.size(3) == 3
    assert rows(galera_urls[2]) == [1, 2]
