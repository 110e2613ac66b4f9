"""Every interleaving of two commands, on real servers; and that it finds what is planted."""

from collections.abc import Sequence
from pathlib import Path

from tests.faults.interleave import Run, explore_all
from tests.faults.places import Place
from tests.faults.plants import rebasing, without_bounds

BOUNDED = Run(preemptions=2, random=3, seed=7)
FEWER = Run(preemptions=1, random=3, seed=7)
MONEY = ("allocate/allocate", "limit/limit", "release/release")


def explored(
    url: str, names: Sequence[str], level: str, way: str, run: Run = BOUNDED
) -> tuple[int, list[str]]:
    """How many schedules were played, and what was wrong."""
    played, wrong = 0, []
    for _, found in explore_all(Place(url), names, level, way, run):
        assert found.complete
        played += found.counts["schedules"]
        wrong += found.violations
    return played, wrong


def test_two_commands_at_once_end_as_one_after_the_other_on_postgresql(postgresql_url: str) -> None:
    names = (*MONEY, "same key", "same number", "close/add and sale")
    played, wrong = explored(postgresql_url, names, "read committed", "plain")
    assert not wrong, wrong[0]
    assert played >= 100


def test_two_commands_at_once_end_as_one_after_the_other_on_mariadb(mariadb_url: str) -> None:
    names = (*MONEY, "same number")
    played, wrong = explored(mariadb_url, names, "read committed", "plain")
    assert not wrong, wrong[0]
    assert played >= 60


def test_two_commands_at_once_end_as_one_after_the_other_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    played, wrong = explored(url, MONEY[:2], "", "plain", FEWER)
    assert not wrong, wrong[0]
    assert played >= 4


def test_a_transaction_that_has_read_before_breaks_no_limit_on_postgresql(
    postgresql_url: str,
) -> None:
    played, wrong = explored(postgresql_url, MONEY[1:], "repeatable read", "read", FEWER)
    assert not wrong, wrong[0]
    assert played >= 20


def test_a_transaction_that_has_read_before_breaks_no_limit_on_mariadb(mariadb_url: str) -> None:
    played, wrong = explored(mariadb_url, MONEY[1:], "repeatable read", "read", FEWER)
    assert not wrong, wrong[0]
    assert played >= 20


def test_a_member_who_has_left_is_given_nothing(postgresql_url: str) -> None:
    names = ("deactivate/add", "deactivate/hand over")
    _, wrong = explored(postgresql_url, names, "read committed", "plain", FEWER)
    assert not wrong, wrong[0]


def test_a_limit_checked_on_facts_that_have_changed_is_found(postgresql_url: str) -> None:
    with rebasing():
        _, wrong = explored(postgresql_url, ["limit/limit"], "read committed", "plain", FEWER)
    assert any("130.00 EUR" in one for one in wrong)


def test_more_allocated_than_there_is_is_found(postgresql_url: str) -> None:
    with rebasing(), without_bounds():
        _, wrong = explored(postgresql_url, ["allocate/allocate"], "read committed", "plain", FEWER)
    assert any("-60.00 EUR" in one for one in wrong)
    assert any("open item" in one for one in wrong), "nor did plain SQL find it"
