"""Fixtures: each a fresh database on a real server, or a skipped test where there is none.

Loaded by the root conftest: `pytest_plugins = ["tests.servers.fixtures"]`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from tests.servers.absent import Absent
from tests.servers.connect import connect_mariadb
from tests.servers.fresh import (
    drop_on_mariadb,
    make_on_mariadb,
    mariadb_database,
    postgresql_database,
    random_name,
)
from tests.servers.galera import Galera
from tests.servers.galera_shared import lock, shared_galera
from tests.servers.postgres import postgresql18_database

R = TypeVar("R")

SEEN = "SET SESSION wsrep_sync_wait = 1"
"""Lets a node wait for what the others have committed before it answers."""


def here_or_skip(make: Callable[[], R]) -> R:
    """Do what needs a server, and skip the test where it is absent."""
    try:
        return make()
    except Absent as absent:
        pytest.skip(absent.reason)


@contextmanager
def opened_or_skip(manager: AbstractContextManager[R]) -> Iterator[R]:
    """Enter what needs a server, and skip the test where it is absent."""
    entered = here_or_skip(manager.__enter__)
    try:
        yield entered
    finally:
        manager.__exit__(None, None, None)


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """An empty database on the PostgreSQL that already runs."""
    with opened_or_skip(postgresql_database()) as url:
        yield url


@pytest.fixture
def postgresql18_url() -> Iterator[str]:
    """An empty database on an embedded PostgreSQL 18, one server for each process."""
    with opened_or_skip(postgresql18_database()) as url:
        yield url


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """An empty database on the MariaDB that already runs."""
    with opened_or_skip(mariadb_database()) as url:
        yield url


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def galera(run_folder: Path) -> Galera:
    """The cluster of this run: read and write, but leave its nodes alone; see `galera_alone`."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    owner = os.getppid() if worker else os.getpid()
    return here_or_skip(lambda: shared_galera(run_folder, owner))


@pytest.fixture
def galera_turn(galera: Galera, run_folder: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """A turn on the cluster, together with others unless the test wants to be alone."""
    alone = "galera_alone" in request.fixturenames
    with lock(run_folder / "galera.turn", shared=not alone):
        yield


@pytest.fixture
def galera_urls(galera: Galera, galera_turn: None) -> Iterator[tuple[str, str, str]]:
    """An empty database on the cluster, through each of its nodes."""
    name = random_name()
    make_on_mariadb(galera.url(1, ""), name)
    for n in (2, 3):
        with closing(connect_mariadb(galera.url(n, ""), init_command=SEEN)) as link:
            link.cursor().execute("SELECT 1")  # a connection cannot name it before it is there
    yield galera.urls(name)
    # Where none is up, the cluster ends with its run.
    if up := [node for node in galera.nodes if node.synced]:
        drop_on_mariadb(up[0].url(""), name)


@pytest.fixture
def galera_alone(galera: Galera, galera_turn: None) -> Iterator[Galera]:
    """The cluster, with no other test on it: nodes may be killed, and are brought back after."""
    galera.heal()
    yield galera
    galera.heal()
