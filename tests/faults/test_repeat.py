"""However often a command is given, it is recorded once; a desk that does not see to it fails."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.faults.repeat import KEYLESS, UNCHECKED, Repeating, Run
from tests.faults.tries import DAY, KINDS, planned

from clientledger import Book, ClientLedgerError, open_book

COMMANDS = 24


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
    found = repeated([url], tmp_path, kills=3)
    assert found.problems == []
    assert found.counts["killed"] == 3
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


# ------------------------------------------------------------ beside the first time
def _made(book: Book) -> dict[str, str]:
    """Documents that commands can be given on, once each."""
    client = book.clients.add("Acme")
    debits = [
        book.ledger.record_sale(client, "5.00 EUR", on=DAY, use_prepayments=False) for _ in range(3)
    ]
    credits_ = [
        book.ledger.record_payment(client, "5.00 EUR", on=DAY, allocate={}) for _ in range(2)
    ]
    link = book.ledger.allocate(credits_[0], debits[0], "5.00 EUR")
    other = book.clients.add("Other")
    book.ledger.record_payment(other, "5.00 EUR", on=DAY)
    return {
        "client": str(client.id),
        "link": str(link.id),
        "credit": str(credits_[1].id),
        "debit": str(debits[1].id),
        "sale": str(debits[2].id),
        "other": str(other.id),
    }


def _sold(book: Book, has: Mapping[str, str], **more: Any) -> Any:
    return book.ledger.record_sale(has["client"], "1.00 EUR", use_prepayments=False, **more)


ONCE: Mapping[str, Callable[[Book, Mapping[str, str], str], Any]] = {
    "sale": lambda book, has, key: _sold(book, has, key=key),
    "number": lambda book, has, key: _sold(book, has, number="N-1", key=key),
    "external id": lambda book, has, key: _sold(book, has, external_ids={"shop": "1"}, key=key),
    "void": lambda book, has, key: book.ledger.void(has["sale"], reason="a mistake", key=key),
    "release": lambda book, has, key: book.ledger.release(has["link"], key=key),
    "allocate": lambda book, has, key: book.ledger.allocate(
        has["credit"], has["debit"], "5.00 EUR", key=key
    ),
    "refund": lambda book, has, key: book.ledger.record_refund(
        has["other"], "5.00 EUR", on=DAY, key=key
    ),
    "member": lambda book, has, key: book.team.add("taras", "Taras", idempotency_key=key),
}
"""Commands that are refused when they are given twice without a key, and one that is not."""


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_repeat_that_runs_beside_the_first_time_has_its_answer(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url, wrong = request.getfixturevalue(f"{kind}_url"), dict[str, Any]()
    with open_book(url) as book, open_book(url) as other:
        has = _made(book)
        for what in ONCE:
            answers = _beside(book, other, lambda one: ONCE[what](one, has, what).id)  # noqa: B023
            if answers[0] != answers[1]:
                wrong[what] = answers
    assert wrong == {}


def _beside(book: Book, other: Book, command: Callable[[Book], Any]) -> list[Any]:
    """What a command answers, and what its repeat does, given before the first is committed."""
    answers: list[Any] = []

    def again() -> None:
        try:
            answers.append(command(other))
        except ClientLedgerError as error:
            answers.append(error)

    repeat = threading.Thread(target=again)
    with book.atomic() as inner:
        answers.append(command(inner))
        repeat.start()
        time.sleep(0.15)
    repeat.join()
    return answers
