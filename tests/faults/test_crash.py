"""Nothing that was acknowledged is lost when a server dies, and its clients go on by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.crash import SERVERS, Crashing, Run
from tests.servers import PrivateMariadb, PrivatePostgres
from tests.servers.fixtures import here_or_skip, opened_or_skip


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres | PrivateMariadb]:
    own = here_or_skip(SERVERS[request.param])
    with opened_or_skip(own):
        yield own


def test_a_killed_server_has_all_that_was_acknowledged(
    server: PrivatePostgres | PrivateMariadb, tmp_path: Path
) -> None:
    crashing = Crashing(Run(count=3, seed=5, every=2), server, tmp_path)
    crashing.go()
    assert not crashing.problems
    assert crashing.counts["crashes"] >= 3
    assert crashing.counts["acknowledged"] >= 6
    assert crashing.counts["audits"] >= 2


def test_a_server_that_need_not_keep_its_commits_is_found(
    server: PrivatePostgres | PrivateMariadb, tmp_path: Path
) -> None:
    crashing = Crashing(Run(count=6, seed=5, unsynced=True), server, tmp_path)
    crashing.go()
    assert any("was acknowledged and is lost" in one for one in crashing.problems)
