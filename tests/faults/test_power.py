"""The power fails at any instant: what was acknowledged is there, whole."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.faults.power import Losses, points, replayed, same_files
from tests.faults.shim import WANTING, compiled
from tests.faults.traced import Trace, phases, recorded

pytestmark = pytest.mark.skipif(bool(WANTING), reason=WANTING)
SEED = 20261123
COMMANDS = 240
POINTS = 500
FEW = 100

Traced = Callable[[str], Trace]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """The trace of a writer: of a book, or of `sqlite3` alone."""
    library = compiled(tmp_path_factory.mktemp("shim"))

    @cache
    def trace(writer: str) -> Trace:
        folder: Path = tmp_path_factory.mktemp(writer)
        return recorded(library, folder, phases(writer, COMMANDS), SEED)

    return trace


def wrong(found: Losses) -> dict[str, int]:
    return {name: found.counts[name] for name in Losses.WRONG if found.counts[name]}


def test_the_trace_gives_the_very_files_that_the_processes_left(traced: Traced) -> None:
    trace = traced("book")
    assert same_files(trace) == []
    synced = Counter(one.name for one in trace.operations if one.kind == "S")
    told = [line for one in trace.operations for line in one.data.splitlines() if one.kind == "A"]
    written = sum(line.startswith(b"+") for line in told)
    assert synced["book.db-wal"] > 0.8 * written > 100
    assert synced["book.db"] > 2, "the log was never copied into the file"
    assert synced["."] > 1, "no name was ever made to last"


def test_no_instant_of_a_power_loss_loses_or_halves_what_was_acknowledged(traced: Traced) -> None:
    trace = traced("book")
    found = replayed(trace, points(trace, POINTS, SEED, early=0), seed=SEED)
    assert found.counts["points"] == POINTS
    assert found.counts["opened with the library"] >= POINTS / 200
    assert wrong(found) == {}, "\n".join(found.problems)


def test_a_book_that_was_being_made_when_the_power_failed_can_be_opened(traced: Traced) -> None:
    trace = traced("book")
    found = replayed(trace, points(trace, FEW, SEED, early=1), seed=SEED)
    assert found.counts["opened with the library"] > FEW / 2
    assert wrong(found) == {}, "\n".join(found.problems)


@pytest.mark.parametrize("deaf", ["-wal", ".db", "."])
def test_a_sync_that_is_not_heard_is_noticed(deaf: str, traced: Traced) -> None:
    trace = traced("book")
    found = replayed(trace, points(trace, FEW, SEED, early=0), seed=SEED, deaf=(deaf,))
    assert found.counts["losses"] > FEW / 10


def test_a_writer_that_syncs_too_little_is_noticed(traced: Traced) -> None:
    trace = traced("raw-normal")
    found = replayed(trace, points(trace, FEW, SEED), seed=SEED)
    assert same_files(trace) == []
    assert found.counts["losses"] > FEW / 10


def test_a_writer_that_syncs_enough_is_not_blamed(traced: Traced) -> None:
    trace = traced("raw-full")
    found = replayed(trace, points(trace, FEW, SEED), seed=SEED)
    assert wrong(found) == {}, "\n".join(found.problems)
