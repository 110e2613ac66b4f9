"""One history on every database gives the same answers, in the same order, to the last byte."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from clientledger import Book, ClientLedgerError, open_book
from clientledger.ports import (
    Change,
    Claim,
    ClaimQuery,
    Client,
    ClientQuery,
    Event,
    EventQuery,
    Head,
    HeadStep,
    Interaction,
    InteractionQuery,
    Posting,
    Store,
    TimelineQuery,
)
from clientledger.testing import BookHistory, LedgerHistory, PairedStore
from clientledger_sqlalchemy import SqlStore

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)
QUICK = settings(
    max_examples=2, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def fresh(
    tmp_path: Path,
    postgresql_url: str,
    postgresql18_url: str,
    mariadb_url: str,
    galera_urls: tuple[str, str, str],
) -> Callable[[], list[Store]]:
    """Makes a new, empty store on each database, each time it is called."""
    turn = itertools.count()

    def make() -> list[Store]:
        n = next(turn)
        servers = (
            f"{postgresql_url}?",
            f"{postgresql18_url}&",
            f"{mariadb_url}?",
            f"{galera_urls[n % 3]}?",
        )
        urls = [f"sqlite:///{tmp_path}/{n}.db", *(f"{url}prefix=h{n}_" for url in servers)]
        return [SqlStore.open(url) for url in urls]

    return make


def as_one(stores: list[Store]) -> Store:
    """All of them as one store, which fails where an answer differs."""
    first, *rest = stores
    return PairedStore(first, as_one(rest)) if rest else first


def same_dumps(stores: list[Store]) -> bytes:
    dumps = []
    for store in stores:
        file = BytesIO()
        Book(store).dump(file)
        dumps.append(file.getvalue())
    assert len(dumps) > 3
    assert all(dump == dumps[0] for dump in dumps)
    return dumps[0]


@pytest.mark.parametrize("kind", [BookHistory, LedgerHistory])
def test_random_histories_are_the_same_on_all(kind: Any, fresh: Callable[[], list[Store]]) -> None:
    sizes: list[int] = []

    class OnAll(kind):  # type: ignore[misc]  # one of the two
        def __init__(self) -> None:
            self.stores = fresh()
            type(self).make_store = staticmethod(lambda: as_one(self.stores))
            super().__init__()

        def teardown(self) -> None:
            self.store.sequence()
            sizes.append(len(same_dumps(self.stores)))
            super().teardown()

    run_state_machine_as_test(OnAll, settings=QUICK)
    assert max(sizes) > 2000, "the histories were empty"


# ------------------------------------------------------------ text

# All of Unicode but what no text of a book may have.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
NASTY = [
    *"aAßİı%_\\'\"\t \u2028\ufffd\uffff\U0010ffff",
    *("a ", "á", "a\u0301", "ss", "🙂👩\u200d👧", "\r\n", "é" * 255, "𐍈" * 255),
]


def a_client(id: UUID, name: str, note: str) -> Posting:
    client = Client(
        id=id,
        name=name,
        note=note,
        attributes={name[:50]: note},
        tags=(name,),
        created_at=NOW,
        changed_at=NOW,
    )
    return Posting(
        heads=(HeadStep(Head(client=id, recorded_at=NOW), None),), changes=(Change(client),)
    )


def posted(stores: list[Store], posting: Posting) -> None:
    for store in stores:
        with store.begin() as unit:
            unit.post(posting)


def answers(stores: list[Store], *queries: Any) -> list[Any]:
    """The answers to some questions, which are the same on all."""
    found = []
    for store in stores:
        with store.snapshot() as reading:
            found.append([reading.find(query) for query in queries])
    assert all(one == found[0] for one in found)
    return found[0]


def test_texts_come_back_and_order_alike_everywhere(fresh: Callable[[], list[Store]]) -> None:
    stores, ids = fresh(), itertools.count(1)

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ANYTHING, min_size=1, max_size=8, unique=True), ANYTHING)
    @example(NASTY, "x" * 100_000)
    @example(["株式会社" * 60], "🙂" * 50_000)
    def run(names: list[str], note: str) -> None:
        made = [(UUID(int=next(ids)), name) for name in names]
        posting = sum((a_client(id, name, note) for id, name in made), Posting())
        claims = tuple(Claim("command", f"{id}{name}"[:255], name) for id, name in made)
        posted(stores, posting + Posting(claims=claims))
        chosen = tuple(id for id, _ in made)
        clients, _, _ = answers(
            stores, ClientQuery(ids=chosen), ClientQuery(limit=5), ClaimQuery(key=claims[0].key)
        )
        assert {client.id: client.name for client in clients} == dict(made)
        assert all(client.note == note for client in clients)
        answers(stores, *(ClientQuery(text=name[:200], limit=20) for name in names[:3]))
        answers(stores, *(ClientQuery(tag=name, limit=20) for name in names[:3]))

    run()
    answers(stores, ClientQuery(), ClaimQuery())
    for store in stores:
        store.close()


MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is the strategy's
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def test_moments_and_data_come_back_alike_everywhere(fresh: Callable[[], list[Store]]) -> None:
    stores, ids = fresh(), itertools.count(1)
    client = UUID(int=next(ids))
    posted(stores, a_client(client, "Acme", ""))
    data = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | ANYTHING,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
        max_leaves=8,
    )

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(MOMENTS, st.dictionaries(ANYTHING, data, max_size=3))
    def run(at: datetime, told: dict[str, Any]) -> None:
        event = Event(
            id=UUID(int=next(ids)),
            type="x",
            subject="s",
            client=client,
            actor="o",
            at=at,
            data=told,
        )
        call = Interaction(
            id=UUID(int=next(ids)), client=client, kind="call", summary="s", at=at, by="o",
            recorded_at=at,
        )  # fmt: skip
        posted(stores, Posting(facts=(event,), changes=(Change(call),)))
        [events] = answers(stores, EventQuery(client=client))
        [found] = [one for one in events if one.id == event.id]
        assert found == attrs.evolve(event, position=found.position)
        answers(stores, InteractionQuery(client=client), TimelineQuery(client=client, limit=9))

    run()
    for store in stores:
        store.close()


# ------------------------------------------------------------ refusals


BAD: list[Callable[[Book], object]] = [
    lambda book: book.clients.find(text="a\x00b"),
    lambda book: book.clients.find(text="\ud800"),
    lambda book: book.clients.get(UUID(int=9)),
    lambda book: book.clients.add("a\x00b"),
    lambda book: book.clients.add("x" * 256),
    lambda book: book.team.add("a\ud800", "x"),
    lambda book: book.ledger.find(number="\x00"),
    lambda book: book.ledger.find(number="\ud800"),
    lambda book: book.clients.find(external_id=("erp", "\x00")),
    lambda book: book.outcome("\x00"),
    lambda book: book.changes(after="9" * 18),
    lambda book: book.tasks.agenda(assignee="\x00"),
    lambda book: book.insights.debtors(as_of=date(9999, 12, 31)),
    lambda book: book.clients.find(limit=2**63),
    lambda book: book.clients.find(limit=2**64),
]


@pytest.mark.parametrize("n", range(len(BAD)))
def test_what_can_stand_in_no_book_is_answered_alike(
    n: int, tmp_path: Path, postgresql_url: str, mariadb_url: str
) -> None:
    told = []
    for url in ("memory:", f"sqlite:///{tmp_path}/b.db", postgresql_url, mariadb_url):
        with open_book(url, actor="olena", clock=lambda: NOW) as book:
            try:
                told.append(repr(BAD[n](book)))
            except ClientLedgerError as error:
                told.append(f"{type(error).__name__}: {error}")
            assert book.verify().ok
    assert told == [told[0]] * 4
