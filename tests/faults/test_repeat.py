"""However often a command is given, it is recorded once; and a desk that does not see to it fails."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.faults.repeat import KEYLESS, UNCHECKED, Repeating, Run
from tests.faults.tries import KINDS, planned

from clientledger import open_book

COMMANDS = 32


def repeated(urls: Sequence[str], folder: Path, kills: int = 0, plant: str = "") -> Repeating:
    run = Run(
        urls=urls,
        commands=COMMANDS,
        processes=3,
        kills=kills,
        longest=0.4,
        seed=20261125,
        plant=plant,
    )
    found = Repeating(run, folder)
    found.go()
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_what_is_given_again_and_again_is_recorded_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sqlite = kind == "sqlite"
    url = f"sqlite:///{tmp_path / 'b.db'}" if sqlite else request.getfixturevalue(f"{kind}_url")
    found = repeated([url], tmp_path, kills=4)
    assert found.problems == []
    assert found.counts["killed"] == 4
    assert found.counts["answered"] > COMMANDS
    assert found.counts["forgotten"] > COMMANDS / 2
    assert found.counts["misuse refused"] > 0


def test_what_is_given_through_every_node_is_recorded_once(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    assert repeated(galera_urls, tmp_path).problems == []


@pytest.mark.parametrize(
    ("plant", "said"), [(KEYLESS, "times there"), (UNCHECKED, "misuse accepted")]
)
def test_a_desk_that_ignores_keys_or_arguments_is_noticed(
    plant: str, said: str, tmp_path: Path
) -> None:
    found = repeated([f"sqlite:///{tmp_path / 'b.db'}"], tmp_path, plant=plant)
    assert any(said in problem for problem in found.problems)


def test_the_plan_has_every_kind_and_keys_that_nearly_are_the_same() -> None:
    with open_book("memory:") as book:
        plan = planned(book, COMMANDS)
    assert {told.kind for told in plan} == set(KINDS)
    keys = [told.key for told in plan]
    assert len(set(keys)) == COMMANDS
    folded = {" ".join(key.lower().split()) for key in keys}
    assert len(folded) < COMMANDS - 4, "none is nearly the same as another"
