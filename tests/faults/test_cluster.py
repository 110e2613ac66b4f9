"""Three nodes are one book: whatever happens to some of them, nothing is lost or there twice."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from tests.faults.auditor import connected
from tests.faults.cluster import Trial, blind, conflicts, paused, read_your_writes, served_alone
from tests.faults.deeds import Deed, Truth
from tests.faults.proxy import CuttingProxy
from tests.faults.replies import dark
from tests.servers import Galera

from clientledger import Book, Busy, OutcomeUnknown, Unavailable, open_book

Urls = tuple[str, str, str]


def test_what_is_written_through_one_node_is_read_through_another(galera_urls: Urls) -> None:
    assert read_your_writes(galera_urls, 40) == 0


@contextmanager
def behind(url: str) -> Iterator[None]:
    """Let a node apply nothing that comes from the others."""
    with closing(connected(url)) as db:
        db.cursor().execute("FLUSH TABLES WITH READ LOCK")
        yield
        db.cursor().execute("UNLOCK TABLES")


def test_a_node_that_is_behind_answers_when_it_has_caught_up(galera_alone: Galera) -> None:
    urls = galera_alone.urls(galera_alone.node(1).database().rpartition("/")[2])
    found: list[bool] = []
    with open_book(urls[0]) as first, open_book(urls[1]) as second, blind(urls[1]) as planted:

        def found_there(book: Book) -> None:
            found.append(book.outcome("k").recorded)

        found_there(second)
        found_there(planted)
        reader = threading.Thread(target=found_there, args=(second,))
        with behind(urls[1]):
            first.clients.add("Acme", key="k")
            found_there(planted)  # it is stale, and that is found
            reader.start()
            time.sleep(0.3)
            assert reader.is_alive()
        reader.join(30)
    assert found == [False, False, False, True]


def test_two_nodes_write_for_one_client_at_once_and_nobody_is_turned_away(
    galera_urls: Urls,
) -> None:
    ends = conflicts(galera_urls, 15)
    assert dict(+ends) == {"recorded": 30}


def test_what_a_node_left_open_is_given_again_through_another_with_its_key(
    galera_alone: Galera,
) -> None:
    urls = galera_alone.urls(galera_alone.node(1).database().rpartition("/")[2])
    deeds = [Deed(token=f"d{n}", way="atomic", parts=("client",), keyed=n == 0) for n in range(2)]
    with CuttingProxy.before(urls[0]) as proxy, open_book(proxy.url(urls[0])) as book:
        for deed in deeds:
            with dark(urls[0], proxy, "reply"), pytest.raises(OutcomeUnknown):
                deed.do(book)
    galera_alone.kill(1)
    with open_book(urls[1]) as book:
        for deed in deeds:
            deed.do(book)
    keyed, planted = (Truth.of(deed, urls[2]) for deed in deeds)
    assert keyed.rows == {"d0.0": 1}
    assert planted.twice, "without a key it is there twice, and that was not found"


def test_another_node_does_not_say_that_a_commit_was_not_made(galera_alone: Galera) -> None:
    urls = galera_alone.urls(galera_alone.node(1).database().rpartition("/")[2])
    for url in urls:
        with open_book(url) as book:
            book.clients.add("Acme")
    for name in ("Globex", "Initech"):
        turned_away(galera_alone, urls, name)
    galera_alone.wait_synced(1)
    with open_book(urls[0]) as book:
        assert [one.name for one in book.clients.find()] == ["Acme"] * 3 + ["Globex", "Initech"]


def turned_away(cluster: Galera, urls: Urls, name: str) -> None:
    """Add a client through a balancer, which turns to the second node when the first, that stands
    still, is about to commit."""
    second, tries = cluster.node(2), []
    with CuttingProxy.before(urls[0]) as balancer, open_book(balancer.url(urls[0])) as book:

        def add(inner: Book) -> None:
            inner.clients.add(name)
            tries.append(name)
            if len(tries) == 1:
                pauses.start()
                stopped.wait()
                balancer.lead_to(second.host, second.port)
                balancer.cut("COMMIT", when="sent")

        stopped = threading.Event()
        pauses = threading.Thread(target=paused, args=(cluster.node(1).room, 1.0, stopped))
        book.run(add)
        pauses.join()


def test_a_majority_that_is_lost_at_a_commit_is_told_in_our_words(galera_alone: Galera) -> None:
    urls = galera_alone.urls(galera_alone.node(1).database().rpartition("/")[2])
    told: list[str] = []
    with open_book(urls[0]) as book:
        over = threading.Event()

        def write(thread: int) -> None:
            for n in itertools.count():
                try:
                    book.clients.add(f"{thread}.{n}")
                    told.append("done")
                except (Busy, Unavailable, OutcomeUnknown) as error:
                    told.append(type(error).__name__)
                except Exception as error:  # noqa: BLE001 - that is what is looked for
                    told.append(f"{error!r} from {error.__cause__!r}")
                if over.is_set():
                    return

        threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        galera_alone.kill(2)
        galera_alone.kill(3)
        counts: Counter[str] = Counter()
        assert not list(served_alone(book, counts))
        assert counts["told Unavailable without a majority"] == 3  # reads as well
        galera_alone.bootstrap(1)
        over.set()
        for thread in threads:
            thread.join()
        assert {*told} <= {"done", "Busy", "Unavailable", "OutcomeUnknown"}
        assert book.verify().ok
        names = [client.name for client in book.clients.find(limit=None)]
        assert len(names) == len({*names}), "there twice"
        unsure = told.count("OutcomeUnknown")
        assert told.count("done") <= len(names) <= told.count("done") + unsure


def test_writers_lose_nothing_and_double_nothing(galera_alone: Galera, tmp_path: Path) -> None:
    faults = ("kill", "pause", "everything")
    trial = Trial(galera_alone, tmp_path, Random(6), pauses=(3.0,))
    trial.go(faults)
    assert not trial.problems
    assert all(trial.counts[fault] == 1 for fault in faults)
    assert trial.counts["acknowledged"] >= 12
