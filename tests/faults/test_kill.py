"""Processes are killed at any instant: what they were told is there, whole and once."""

import sys
from pathlib import Path

import pytest
from tests.faults.kill import Killing, Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and kill -9")
CYCLES = 12


def test_what_was_acknowledged_survives_the_death_of_its_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    killing = Killing(Run(url=url, cycles=CYCLES, seed=20261123, workers=2, every=6), tmp_path)
    killing.go()
    assert killing.problems == []
    counts = killing.counts
    assert counts["cycles"] == CYCLES
    assert counts["audits"] == CYCLES // 6
    assert counts["acknowledged"] > 2 * CYCLES, "the workers hardly worked: nothing was shown"
    assert counts["cycles without an acknowledgement"] < CYCLES / 4
    assert counts["given again"] > 0


def test_a_worker_that_tells_before_it_has_done_is_noticed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    killing = Killing(Run(url=url, cycles=3 * CYCLES, seed=20261123, too_soon=True), tmp_path)
    killing.go()
    assert any("was acknowledged and is lost" in problem for problem in killing.problems)
