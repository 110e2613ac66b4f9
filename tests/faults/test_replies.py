"""What a caller is told is what is recorded, wherever the connection is cut."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any

import pytest
from tests.faults.auditor import connected
from tests.faults.deeds import Deed, Truth
from tests.faults.places import bare, with_options
from tests.faults.proxy import CuttingProxy, Instant
from tests.faults.replies import ANY, EVER, Replies, Run, dark, guessing, hoping
from tests.servers import PrivateMariadb
from tests.servers.fixtures import opened_or_skip
from tests.servers.server import wait_until

from clientledger import Book, OutcomeUnknown, Unavailable, open_book

KINDS = ("postgresql", "mariadb")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def proxy(url: str) -> Iterator[CuttingProxy]:
    with CuttingProxy.before(url) as proxy:
        yield proxy


@pytest.fixture
def book(url: str, proxy: CuttingProxy) -> Iterator[Book]:
    with open_book(proxy.url(url)) as book:
        yield book


def replies(url: str, count: int, seed: int) -> Replies:
    found = Replies(Run(url=url, count=count, seed=seed))
    found.go()
    return found


def rows(url: str, *names: str) -> list[int]:
    """How many clients there are of each name."""
    with closing(connected(bare(url))) as db:
        cursor = db.cursor()
        found = []
        for name in names:
            cursor.execute("SELECT count(*) FROM clients WHERE name = %s", (name,))
            found.append(cursor.fetchone()[0])
    return found


# ------------------------------------------------------------ cuts by chance
def test_wherever_it_is_cut_a_caller_is_told_the_truth(url: str) -> None:
    found = replies(url, 40, seed=3)
    assert not found.problems
    assert found.counts["told done"] >= 10
    assert found.counts["told Unavailable"] >= 1


def test_wherever_it_is_cut_before_a_node_a_caller_is_told_the_truth(
    galera_urls: tuple[str, str, str],
) -> None:
    assert not replies(galera_urls[0], 12, seed=4).problems


@pytest.mark.parametrize("planted", [guessing, hoping])
def test_a_guess_at_what_became_of_a_commit_is_found(
    postgresql_url: str, planted: Callable[[], AbstractContextManager[None]]
) -> None:
    with planted():
        assert replies(postgresql_url, 60, seed=3).problems


# ------------------------------------------------------------ cuts at one place
def test_the_very_first_command_is_told_in_our_words(url: str) -> None:
    for skip in itertools.count(0, 3):
        name = f"Acme {skip}"
        with CuttingProxy.before(url) as proxy, open_book(proxy.url(url)) as book:
            proxy.cut("", when="reply", skip=skip)
            try:
                Deed(token=name, way="atomic", parts=("client",), keyed=False).do(book)
                told = 1
            except Unavailable:
                told = 0
            assert rows(url, f"{name}.0") == [told]
            if not proxy.cuts:
                break
    assert skip > 9


def test_a_command_that_changes_nothing_keeps_its_key(proxy: CuttingProxy, book: Book) -> None:
    client = book.clients.add("Acme")
    for when in ANY:
        proxy.cut("COMMIT", when=when)
        book.clients.update(client, note="", key=when)
        assert proxy.cuts[when] == 1
        assert book.outcome(when).recorded


# ------------------------------------------------------------ it does not come back in time
def test_what_cannot_be_asked_is_unknown_and_the_key_tells_later(
    url: str, proxy: CuttingProxy, book: Book
) -> None:
    ends: tuple[Instant, ...] = ("request", "reply")
    for way, when in itertools.product(("single", "run", "atomic"), ends):
        deed = Deed(token=f"{way}-{when}", way=way, parts=("client",))
        with dark(url, proxy, when, patience=0.2):
            if (way, when) == ("single", "reply"):  # its key may tell at once
                with suppress(OutcomeUnknown):
                    deed.do(book)
            else:
                with pytest.raises(OutcomeUnknown):
                    deed.do(book)
            proxy.cut("", when="request", times=EVER)
            with pytest.raises(Unavailable):
                book.outcome(deed.names[0])
        assert book.outcome(deed.names[0]).recorded == (when == "reply")
        deed.do(book)
        truth = Truth.of(deed, url)
        assert truth.there(deed) == [True]
        assert not truth.twice


def test_a_server_that_only_reads_now_says_nothing_of_a_commit(postgresql_url: str) -> None:
    def only_reads(word: str) -> None:
        with closing(connected(postgresql_url)) as db:
            name = postgresql_url.rpartition("/")[2]
            db.cursor().execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")
            db.commit()  # type: ignore[attr-defined]  # every driver has it

    def left_behind(book: Book) -> None:
        with book.atomic() as inner:
            inner.clients.add("Acme", key="k")
            only_reads("on")

    with CuttingProxy.before(postgresql_url) as proxy, open_book(proxy.url(postgresql_url)) as book:
        proxy.cut("COMMIT", when="reply")
        with pytest.raises(OutcomeUnknown):
            left_behind(book)
        assert book.outcome("k").recorded


def test_a_role_with_all_its_connections_in_use_is_unavailable(postgresql_url: str) -> None:
    role = postgresql_url.rpartition("/")[2]
    with closing(connected(postgresql_url)) as db:
        db.cursor().execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
        db.commit()  # type: ignore[attr-defined]  # every driver has it
        url = f"postgresql://{role}@{postgresql_url.partition('@')[2]}"
        with closing(connected(url)), pytest.raises(Unavailable):
            open_book(url)
        db.cursor().execute(f"DROP ROLE {role}")
        db.commit()  # type: ignore[attr-defined]  # every driver has it


# ------------------------------------------------------------ it is still on its way
SLOW = """
CREATE SEQUENCE tries;
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
PERFORM pg_sleep(1);
IF nextval('tries') = 1 AND NEW.name = 'Fails' THEN RAISE EXCEPTION 'no'; END IF;
RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON clients DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION slow();
"""


@pytest.mark.parametrize("name", ["Stays", "Fails"])
def test_a_commit_that_postgresql_is_still_making_is_waited_for(
    postgresql_url: str, name: str
) -> None:
    url = with_options(postgresql_url, wait="0.3")  # so that the question itself runs into it
    with CuttingProxy.before(url) as proxy, open_book(with_wait(proxy, url)) as book:
        with closing(connected(postgresql_url)) as db:
            db.cursor().execute(SLOW)
            db.commit()  # type: ignore[attr-defined]  # every driver has it
        began = time.monotonic()
        proxy.cut("COMMIT", when="sent")
        book.clients.add(name)
        assert time.monotonic() - began > 0.9
        assert proxy.cuts == {"sent": 1}
    assert rows(url, name) == [1]


def with_wait(proxy: CuttingProxy, url: str) -> str:
    return with_options(proxy.url(bare(url)), wait="0.3")


@contextmanager
def commits_held(url: str) -> Iterator[Any]:
    """Let no commit of a MariaDB be made; give a connection."""
    with closing(connected(url)) as db:
        cursor = db.cursor()
        for stage in ("START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT"):
            cursor.execute(f"BACKUP STAGE {stage}")
        yield cursor
        cursor.execute("BACKUP STAGE END")


HELD = "SELECT id FROM information_schema.processlist WHERE info = 'COMMIT' AND state LIKE '%lock%'"


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[PrivateMariadb]:
    with opened_or_skip(PrivateMariadb()) as server:
        yield server


@pytest.mark.parametrize("name", ["Stays", "Fails"])
def test_a_commit_that_mariadb_is_still_making_is_waited_for(
    own_mariadb: PrivateMariadb, name: str
) -> None:
    url = own_mariadb.database()
    with CuttingProxy.before(url) as proxy, open_book(proxy.url(url)) as book:
        caller = threading.Thread(target=book.clients.add, args=(name,))
        with commits_held(url) as held:
            proxy.cut("COMMIT", when="sent")
            caller.start()

            def waiting() -> bool:
                return bool(held.execute(HELD) == 1)

            wait_until(waiting, 10, "a commit is held")
            if name == "Fails":  # the server notices that the client has gone
                wait_until(lambda: not waiting(), 10, "it is held no more")
            else:
                time.sleep(0.3)
            assert caller.is_alive()
        caller.join(30)
        assert not caller.is_alive()
    assert proxy.cuts == {"sent": 1}
    assert rows(url, name) == [1]
