"""Every query is answered as the definition answers it, whatever is asked."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientledger import Book, MemoryStore, NotFound
from clientledger.ports import (
    BalanceQuery,
    Change,
    Claim,
    Client,
    ClientQuery,
    Email,
    Entry,
    EntryQuery,
    HeadQuery,
    Member,
    MemberQuery,
    OpenItemQuery,
    Phone,
    Posting,
    Query,
    Task,
    TaskQuery,
)
from clientledger.testing import PairedStore
from clientledger_sqlalchemy import SqlStore

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

WORDS = ("Acme", "ACME GmbH", "Zoë", "%", "_", "a_b", "50%", "\\", "Ünal", '"vip"', "x\\", "日本")
NUMBERS = ("+49 30 901820", "030 901820", "901820", "12", "000", "junk", "", "(030) 90-18-20")
MAILS = ("A@B.example", "a@b.example", "12-34", "no mail", "@", "")


class Undone(Exception):
    """Nothing is kept of a unit of work."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """A store in which nothing stays."""
    with closing(SqlStore.open(f"sqlite:///{tmp_path_factory.mktemp('book') / 'b.db'}")) as store:
        yield store


def a_client(name: str, tag: str, number: str, mail: str) -> Client:
    e164 = "+4930901820" if number == "+49 30 901820" else None
    return Client(
        id=uuid4(),
        name=name,
        tags=(tag,),
        phones=(Phone(number, e164),) if number else (),
        emails=(Email(mail, mail.lower() if "@b" in mail.lower() else None),) if mail else (),
        created_at=NOW,
        changed_at=NOW,
    )


@given(
    clients=st.lists(
        st.builds(
            a_client,
            st.sampled_from(WORDS),
            st.sampled_from(WORDS),
            st.sampled_from(NUMBERS),
            st.sampled_from(MAILS),
        ),
        max_size=8,
    ),
    asked=st.sampled_from([*WORDS, *NUMBERS, *MAILS, " ", "\ud800", "\0", "a " * 30, "ac m"]),
    limit=st.sampled_from([None, 0, 1, 3]),
)
def test_clients_are_found_as_the_definition_finds_them(
    clients: list[Client], asked: str, limit: int | None, empty: SqlStore
) -> None:
    with suppress(Undone), empty.begin() as unit:
        unit.post(Posting(changes=tuple(map(Change, clients))))
        for name in ("text", "phone", "email", "tag", "manager"):
            query = attrs.evolve(ClientQuery(limit=limit), **{name: asked})  # type: ignore[arg-type]  # each takes text
            assert unit.find(query) == query.select(clients), name
            assert unit.total(query) == len(attrs.evolve(query, limit=None).select(clients))
        raise Undone


def test_pages_go_through_what_has_no_day_and_what_has(store: SqlStore) -> None:
    days = [None, date(2026, 1, 2), date(2026, 1, 1), None, date(2026, 1, 1), None]
    tasks = [Task(id=uuid4(), title="t", due_on=day, by="o", created_at=NOW) for day in days]
    with store.begin() as unit:
        unit.post(Posting(changes=tuple(map(Change, tasks))))
        for size in (1, 2, 5):
            for status in (None, "open"):
                seen: list[Task] = []
                query = TaskQuery(limit=size, status=status)
                while page := unit.find(query):
                    seen += page
                    query = attrs.evolve(query, after=TaskQuery.cursor(page[-1]))
                assert seen == TaskQuery().select(tasks)


def test_moments_are_the_same_wherever_a_process_runs(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(id=uuid4(), title="t", due_at=NOW, by="o", created_at=NOW)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-5:30")
        time.tzset()
        with store.begin() as unit:
            unit.post(Posting(changes=(Change(task),)))
    time.tzset()
    with store.snapshot() as reading:
        assert reading.get(Task, task.id) == task


def test_more_ids_than_a_statement_has_parameters(store: SqlStore) -> None:
    members = [Member(id=f"m{n}", name="x", created_at=NOW) for n in range(10)]
    client = a_client("Acme", "t", "", "")
    wanted = (*(uuid4() for _ in range(50_000)), client.id)
    with store.begin() as unit:
        unit.post(Posting(changes=(*map(Change, members), Change(client))))
        assert unit.find(ClientQuery(ids=wanted)) == [client]
        assert unit.find(ClientQuery(ids=())) == []
        assert unit.find(HeadQuery(clients=wanted)) == []
        assert unit.find(EntryQuery(ids=wanted, undoes=wanted, excluding=wanted)) == []
        assert unit.find(OpenItemQuery(entries=wanted)) == []
        assert unit.total(MemberQuery()) == 10


@attrs.frozen(kw_only=True)
class _Shouting(MemberQuery):
    """A query that the store has never heard of."""

    shout: bool = False

    def matches(self, row: Member) -> bool:
        return super().matches(row) and row.name.isupper() == self.shout


@attrs.frozen(kw_only=True)
class _Large(BalanceQuery):
    least: int = 0

    def matches(self, row: Any) -> bool:
        return super().matches(row) and row.owed.minor >= self.least


def test_a_query_that_is_not_known_is_answered_by_its_definition(
    book: Book, store: SqlStore
) -> None:
    book.team.add("a", "ANN")
    book.team.add("b", "Ben")
    client = book.clients.add("Acme")
    book.ledger.record_sale(client, "10.00 EUR")
    with store.snapshot() as reading:
        assert [m.id for m in reading.find(_Shouting(shout=True))] == ["a"]
        assert reading.total(_Shouting(limit=0)) == reading.total(MemberQuery()) - 1
        assert len(reading.find(_Large(least=1000, client=client.id))) == 1
        assert reading.find(_Large(least=1001)) == []


def test_figures_of_a_day_come_from_rows_and_from_facts_together(store: SqlStore) -> None:
    """One client has moved since the day, one has not; the paired store compares all answers."""
    moment = [NOW]
    pair = PairedStore(MemoryStore(), store)
    book = Book(pair, actor="olena", clock=lambda: moment[0])
    early, late = book.clients.add("early"), book.clients.add("late")
    for client in (early, late):
        book.ledger.record_sale(client, "10.00 EUR", on=date(2026, 1, 5), due=date(2026, 2, 1))
    moment[0] = NOW.replace(day=24)
    book.ledger.record_payment(late, "4.00 EUR", on=date(2026, 3, 1))
    day = date(2026, 2, 15)
    with pair.snapshot() as reading:
        both = {row.client: row.owed.minor for row in reading.find(BalanceQuery(as_of=day))}
        assert both == {early.id: 1000, late.id: 1000}
        queries: list[Query[Any]] = [
            BalanceQuery(as_of=day, limit=1),
            BalanceQuery(as_of=day, owing=False),
            BalanceQuery(known_at=NOW),
            BalanceQuery(known_at=NOW, as_of=day),
            BalanceQuery(as_of=day, client=late.id),
            OpenItemQuery(as_of=day, limit=1),
            OpenItemQuery(as_of=day, due_before=day),
            OpenItemQuery(as_of=day, client=late.id, after=(day, day, early.id, 1, 1)),
            OpenItemQuery(as_of=date(2026, 1, 1)),
        ]
        for query in queries:
            reading.find(query)
            reading.total(query)


def test_what_is_no_id_is_not_found(store: SqlStore) -> None:
    with store.snapshot() as reading:
        for kind, id in (
            (Client, "x"),
            (Entry, None),
            (Member, "\ud800"),
            (Claim, ("command", "\ud800")),
            (dict, 1),
        ):
            with pytest.raises(NotFound):
                reading.get(kind, id)
