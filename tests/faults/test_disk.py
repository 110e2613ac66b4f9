"""The disk fails or is full: an error of ours or success, and nothing is lost or there in part."""

import sys

import pytest
from tests.faults.disk import failed, filled, ways
from tests.faults.failing import STARTS, Fault
from tests.faults.shim import WANTING

SEED = 20261123
needs_shim = pytest.mark.skipif(bool(WANTING), reason=WANTING)
GOING_ON = ("write EIO once", "write ENOSPC halved", "write+sync+truncate ENOSPC lasting")
SYNC = Fault.read("sync EIO once")
WHOLE = ("write EIO once", "write+sync+truncate ENOSPC lasting", "sync EIO lasting")
SAID_TO_BE_DONE = Fault.read("write none once")


@needs_shim
@pytest.mark.parametrize("fault", GOING_ON)
def test_every_write_of_a_command_can_fail(fault: str) -> None:
    found = failed([Fault.read(fault)], ["going on"], SEED, least=40)
    assert found.problems == []
    assert found.counts["points"] >= 40
    assert found.counts["outcome: StoreError"] > 0


@needs_shim
def test_every_sync_can_fail() -> None:
    found = failed([SYNC, Fault.read("sync EIO lasting")], ["going on"], SEED, least=20)
    assert found.problems == []
    assert found.counts["points"] >= 40


@needs_shim
def test_what_is_told_not_to_be_kept_is_not_there_after_a_crash_either() -> None:
    found = failed([SYNC], ["going on"], SEED, least=10)
    assert found.counts["points"] >= 10
    assert found.counts["failed, and recorded all the same after a crash"] == 0


@needs_shim
def test_copying_the_log_into_the_file_can_fail() -> None:
    faults = [Fault.read(f"{one} book.db") for one in ("write EIO once", "sync EIO once")]
    found = failed(faults, ["going on"], SEED, stride=10, least=1)
    assert found.problems == []
    assert found.counts["outcome: done all the same"] >= 10


@needs_shim
@pytest.mark.parametrize("start", STARTS)
def test_opening_and_closing_can_fail(start: str) -> None:
    found = failed([Fault.read(one) for one in WHOLE], [start], SEED, stride=13)
    assert found.problems == []
    assert found.counts["points"] >= 10


@needs_shim
def test_a_write_that_is_only_said_to_be_done_is_noticed() -> None:
    assert failed([SAID_TO_BE_DONE], ["going on"], SEED, least=1).problems


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
@pytest.mark.parametrize("way", ways())
def test_a_full_disk_loses_nothing_and_is_used_again_when_there_is_room(way: str) -> None:
    found = filled(way, 5, SEED)
    assert found.problems == []
    assert found.counts["rounds"] == 5
    assert found.counts["failed"] >= 25
    assert found.counts["given again"] >= 25
