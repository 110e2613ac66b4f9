"""A report is of one moment, whatever is written meanwhile; one that is not is noticed."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.faults.reports import Reports, Run

KINDS = ("sqlite", "postgresql", "mariadb")


def reported(urls: Sequence[str], folder: Path, moves: int = 40, *, torn: bool = False) -> Reports:
    run = Run(urls=urls, movers=2, readers=1, reports=40, moves=moves, seed=20261125, torn=torn)
    found = Reports(run, folder)
    found.go()
    return found


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


def test_every_report_is_of_one_moment(url: str, tmp_path: Path) -> None:
    found = reported([url], tmp_path)
    assert found.problems == []
    assert found.counts["both"] + found.counts["void"] > 10, "hardly anything moved"


def test_every_report_of_a_node_is_of_one_moment(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    assert reported(galera_urls, tmp_path).problems == []


def test_a_report_that_reads_what_is_committed_meanwhile_is_noticed(
    url: str, tmp_path: Path
) -> None:
    assert reported([url], tmp_path, moves=3_000, torn=True).problems
