"""The kill matrix fits the tree: each bug can be planted, and its tests are there."""

import pytest
from tests.faults.bugs import BUGS, Bug
from tests.faults.matrix import out_of_date


def test_there_are_many_bugs_of_many_kinds() -> None:
    assert len(BUGS) > 100
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({bug.guarantee for bug in BUGS}) > 15


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_be_planted(bug: Bug) -> None:
    assert out_of_date(bug) == []
