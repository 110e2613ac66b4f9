"""Under load from several processes nothing is lost, doubled or moved; and what is, is found."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from tests.faults.hot import Answer
from tests.faults.load import Loading, Run
from tests.faults.rewrites import rewritten

from clientledger import Task, open_book

PROCESSES, COMMANDS, CLIENTS = 3, 40, 3


def loaded(urls: Sequence[str], folder: Path, *, rewrites: bool = False) -> Loading:
    run = Run(
        urls=urls,
        processes=PROCESSES,
        commands=COMMANDS,
        clients=CLIENTS,
        seed=20261125,
        rewrites=rewrites,
    )
    loading = Loading(run, folder)
    loading.write()
    return loading


def sound(loading: Loading) -> None:
    loading.reckon()
    assert loading.problems == []
    assert not sum((share.others for share in loading.shares), start=type(loading.failures[0])())
    kept = sum(share.kept for share in loading.shares)
    assert kept > PROCESSES * COMMANDS / 3, "most was refused: nothing was shown"


def on_sqlite(folder: Path) -> list[str]:
    return [f"sqlite:///{folder / 'book.db'}"]


# ------------------------------------------------------------ under load
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_all_that_was_acknowledged_is_there_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sqlite = kind == "sqlite"
    urls = on_sqlite(tmp_path) if sqlite else [request.getfixturevalue(f"{kind}_url")]
    loading = loaded(urls, tmp_path, rewrites=True)
    sound(loading)
    assert loading.deadlocks == 0
    kinds = {one.kind for one in loading.changed if one.kept}
    assert {"close", "archive", "hand over"} <= kinds, "nobody rewrote: nothing was shown"


def test_all_that_any_node_acknowledged_is_there_once(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    sound(loaded(galera_urls, tmp_path))


# ------------------------------------------------------------ what is planted is found
@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Loading:
    folder = tmp_path_factory.mktemp("load")
    loading = loaded(on_sqlite(folder), folder)
    loading.reckon()
    assert loading.problems == []
    return loading


def again(once: Loading, folder: Path, *queries: str) -> Loading:
    """The same, with something done behind the back of the book."""
    path = folder / "book.db"
    with (
        closing(sqlite3.connect(once.run.urls[0].partition("///")[2])) as source,
        closing(sqlite3.connect(path)) as db,
    ):
        source.backup(db)
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            db.execute(f"DROP TRIGGER {name}")
        for query in queries:
            assert db.execute(query).rowcount > 0, "nothing was planted"
        db.commit()
    later = Loading(attrs.evolve(once.run, urls=[f"sqlite:///{path}"]), folder)
    later.written = once.written
    later.reckon()
    return later


def test_a_command_that_was_acknowledged_and_is_gone_is_missed(
    once: Loading, tmp_path: Path
) -> None:
    answers = [one for own in once.written for one in own]
    gone = next(one for one in answers if one.kind == "interaction" and one.kept)
    id = gone.made["id"].replace("-", "")
    here = f"(SELECT id FROM events WHERE replace(lower(subject), '-', '') = '{id}')"
    queries = (
        f"DELETE FROM pending WHERE event_id IN {here}",
        f"DELETE FROM events WHERE id IN {here}",
        f"DELETE FROM timeline WHERE lower(hex(id)) = '{id}' OR lower(id) = '{id}'",
        f"DELETE FROM interactions WHERE lower(hex(id)) = '{id}' OR lower(id) = '{id}'",
        f"DELETE FROM claims WHERE replace(lower(subject), '-', '') = '{id}'",
    )
    found = again(once, tmp_path, *queries).problems
    assert found == [f"interaction {gone.key} was acknowledged and is lost"]


def test_a_sum_of_what_was_acknowledged_that_is_not_there_is_missed(once: Loading) -> None:
    """A lost update that every table agrees about is found by what the callers were told."""
    more = attrs.evolve(once.run)
    later = Loading(more, Path(once.run.urls[0]).parent)
    later.written = [list(own) for own in once.written]
    own = later.written[0]
    place, sale = next(
        (n, one) for n, one in enumerate(own) if one.made.get("kind") == "sale" and one.kept
    )
    own[place] = attrs.evolve(sale, made={**sale.made, "signed": sale.made["signed"] + 1})
    later.reckon()
    assert any("was acknowledged" in problem for problem in later.problems)


def test_a_number_that_two_live_sales_have_is_noticed(once: Loading) -> None:
    later = Loading(once.run, Path(once.run.urls[0]).parent)
    later.written = [list(own) for own in once.written]
    sales = [one for one in later.written[0] if one.made.get("kind") == "sale"]
    for sale in sales:
        place = later.written[0].index(sale)
        later.written[0][place] = attrs.evolve(sale, made={**sale.made, "number": "N-none"})
    later.reckon()
    assert any("live sales have the number N-none" in one for one in later.problems)


# ------------------------------------------------------------ rewrites
def answer(kind: str, begin: float, end: float, error: str = "", **told: str) -> Answer:
    return Answer(key=f"{kind}-{begin}", kind=kind, begin=begin, end=end, error=error, told=told)


@pytest.fixture
def rewritten_book(tmp_path: Path) -> str:
    [url] = on_sqlite(tmp_path)
    with open_book(url) as book:
        book.team.add("m0", "Olena")
        book.team.add("m1", "Taras")
        book.clients.add("Acme", manager="m0")
        book.team.deactivate("m1")
    return url


CLOSE = answer("close", 1, 2, on="2026-01-05")
ARCHIVE, RESTORE = answer("archive", 1, 2, client="c"), answer("restore", 5, 6, client="c")
WRONG: dict[str, Callable[[], Answer]] = {
    "in a closed period": lambda: answer("sale", 3, 4, on="2026-01-05", client="d"),
    "and the period was open": lambda: answer(
        "payment", 3, 4, "PeriodClosed", on="2026-01-06", client="d"
    ),
    "recorded for an archived client": lambda: answer("task", 3, 4, client="c"),
    "was not archived": lambda: answer("sale", 7, 8, "ClientArchived", client="c"),
}


@pytest.mark.parametrize("said", WRONG)
def test_a_command_that_a_rewrite_should_have_bound_is_noticed(
    said: str, rewritten_book: str
) -> None:
    [problem] = rewritten(rewritten_book, [WRONG[said]()], [CLOSE, ARCHIVE, RESTORE])
    assert said in problem


def test_a_command_that_ran_while_it_was_rewritten_may_end_both_ways(rewritten_book: str) -> None:
    both = [
        answer("sale", 1.5, 4, on="2026-01-05", client="d"),
        answer("sale", 1.6, 1.7, "PeriodClosed", on="2026-01-05", client="d"),
        answer("task", 5.5, 5.6, client="c"),
        answer("task", 5.6, 5.7, "ClientArchived", client="c"),
    ]
    assert rewritten(rewritten_book, both, [CLOSE, ARCHIVE, RESTORE]) == []


def test_a_member_who_has_left_and_has_a_client_is_noticed(rewritten_book: str) -> None:
    with closing(sqlite3.connect(rewritten_book.partition("///")[2])) as db:
        db.execute("UPDATE clients SET manager = 'm1'")
        db.commit()
    [problem] = rewritten(rewritten_book, [], [])
    assert "m1 has left, and has client" in problem


def test_an_addition_that_was_lost_is_noticed(rewritten_book: str) -> None:
    with open_book(rewritten_book) as book:
        [acme] = book.clients.find()
        book.clients.update(acme, attributes={"count": "1"})
    counts = [answer("count", n, n + 0.5, client=str(acme.id)) for n in (1, 2)]
    [problem] = rewritten(rewritten_book, [], counts)
    assert "2 were added to 1" in problem


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_task_that_waits_for_a_hand_over_goes_to_the_new_manager(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url, made = request.getfixturevalue(f"{kind}_url"), list[Task]()
    with open_book(url) as book, open_book(url) as other:
        for key in ("olena", "taras"):
            book.team.add(key, key)
        acme = book.clients.add("Acme", manager="olena")
        adds = threading.Thread(target=lambda: made.append(other.tasks.add("Call", client=acme)))
        with book.atomic() as inner:
            inner.ledger.record_sale(acme, "1.00 EUR")  # it holds the client
            adds.start()
            time.sleep(0.2)
            other.team.hand_over("olena", "taras")
        adds.join()
        [task] = book.tasks.find(client=acme)
    assert task.assignee == "taras"
