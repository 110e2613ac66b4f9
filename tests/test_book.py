"""The book itself: transactions, actors, settings, the change feed, the audit."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.books import KINDS, NOON, Clock, day, dump, in_memory, new_book, undone, url_of

from clientledger import (
    Book,
    Busy,
    Client,
    ClientLedgerError,
    Event,
    InvalidValue,
    MemoryStore,
    Money,
    NotFound,
    Settings,
    StoreError,
    open_book,
)
from clientledger.domain.recording import issue
from clientledger.ports import Head, HeadStep, Posting


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def book(kind: str, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    with new_book(kind, tmp_path, clock) as opened:
        yield opened
        assert opened.verify().ok


class Failure(Exception):
    """Something of the host's that goes wrong."""


def fail() -> None:
    raise Failure


# ------------------------------------------------------------ transactions
def test_what_is_done_in_one_transaction_is_kept_together(book: Book) -> None:
    with book.atomic() as inner:
        client = inner.clients.add("Acme")
        inner.ledger.record_sale(client, "10 EUR")
        inner.tasks.add("Call", client=client)
        assert inner.ledger.account(client, "EUR").owed == Money("10", "EUR")
    assert book.ledger.account(client, "EUR").owed == Money("10", "EUR")
    assert len(book.tasks.find(client)) == 1


def test_a_failure_half_way_leaves_nothing_of_a_transaction(book: Book) -> None:
    client = book.clients.add("Acme")
    before = dump(book)

    def work() -> None:
        with book.atomic() as inner:
            inner.clients.update(client, name="Beta")
            inner.ledger.record_sale(client, "10 EUR", number="1", key="k")
            fail()

    with pytest.raises(Failure):
        work()
    assert dump(book) == before
    assert book.ledger.record_sale(client, "10 EUR", number="1", key="k").sequence == 1


def test_the_outer_book_sees_nothing_before_the_end(book: Book) -> None:
    with book.atomic() as inner:
        client = inner.clients.add("Acme")
        assert list(book.clients.find()) == []
        assert [c.id for c in inner.clients.find()] == [client.id]
        with pytest.raises(NotFound):
            book.clients.get(client.id)
        assert not book.outcome("k")
    assert [c.id for c in book.clients.find()] == [client.id]


def test_a_nested_transaction_is_undone_alone(book: Book) -> None:
    with book.atomic() as outer:
        kept = outer.clients.add("Kept")
        with undone(outer) as inner:
            inner.clients.add("Undone")
            inner.ledger.record_sale(kept, "5 EUR")
        with outer.atomic() as inner:
            inner.ledger.record_sale(kept, "7 EUR")
    assert [c.name for c in book.clients.find()] == ["Kept"]
    assert book.ledger.account(kept, "EUR").owed == Money("7", "EUR")


def test_an_outer_failure_undoes_a_finished_nested_transaction(book: Book) -> None:
    with undone(book) as outer, outer.atomic() as inner:
        inner.clients.add("Acme")
    assert list(book.clients.find()) == []


def test_a_refusal_inside_a_transaction_spoils_only_itself(book: Book) -> None:
    with book.atomic() as inner:
        client = inner.clients.add("Acme")
        with pytest.raises(InvalidValue):
            inner.ledger.record_sale(client, "0 EUR")
        inner.ledger.record_sale(client, "5 EUR")
    assert book.ledger.account(client, "EUR").owed == Money("5", "EUR")


def test_a_function_run_in_a_transaction_gives_back_its_result(book: Book) -> None:
    client = book.run(lambda inner: inner.clients.add("Acme"))
    assert book.clients.get(client).name == "Acme"

    def spoil(inner: Book) -> None:
        inner.clients.update(client, name="Beta")
        fail()

    with pytest.raises(Failure):
        book.run(spoil)
    assert book.clients.get(client).name == "Acme"


def test_a_second_writer_in_one_thread_is_told_busy_and_not_left_hanging() -> None:
    book = in_memory()
    with book.atomic(), pytest.raises(Busy) as caught:
        book.clients.add("Acme")
    assert caught.value.remedy


def test_a_closed_book_says_so() -> None:
    book = open_book("memory:")
    book.close()
    book.close()
    with pytest.raises(StoreError, match="closed"):
        book.clients.find()
    with pytest.raises(StoreError, match="closed"):
        book.clients.add("Acme")


# ------------------------------------------------------------ who did it
def test_every_change_says_who_made_it(book: Book) -> None:
    client = book.clients.add("Acme")
    petro = book.as_actor("petro")
    petro.ledger.record_sale(client, "5 EUR")
    assert (book.actor, petro.actor) == ("olena", "petro")
    assert {event.actor for event in book.clients.history(client)} == {"olena", "petro"}
    assert book.ledger.find(client=client)[0].actor == "petro"
    assert [member.key for member in book.team.find()] == ["olena", "petro"]
    assert petro.as_actor(book.team.get("olena")).actor == "olena"


def test_without_an_actor_the_member_system_acts(kind: str, tmp_path: Path) -> None:
    with new_book(kind, tmp_path, actor=None) as book:
        client = book.clients.add("Acme")
        book.interactions.log(client, "call", "x")
        assert book.actor is None
        assert [member.key for member in book.team.find()] == ["system"]
        assert {event.actor for event in book.changes()} == {"system"}


def test_reading_makes_nobody_a_member(book: Book) -> None:
    book.clients.find()
    book.insights.debtors()
    assert list(book.team.find()) == []


def test_the_history_keeps_each_field_before_and_after_with_who_and_when(
    book: Book, clock: Clock
) -> None:
    client = book.clients.add("Acme", note="old", tags=["a"])
    clock.now += timedelta(days=1)
    changed = book.as_actor("petro").clients.update(client, name="Acme Ltd", tags=["b"], note="old")
    clock.now += timedelta(days=1)
    book.clients.archive(client)
    added, update, archive = (e for e in book.clients.history(client) if "client." in e.type)
    assert (added.type, added.actor, added.at) == ("client.added", "olena", NOON)
    assert (update.type, update.actor) == ("client.changed", "petro")
    assert update.at == NOON + timedelta(days=1) == changed.changed_at
    assert update.data == {
        "before": {"name": "Acme", "tags": ["a"]},
        "after": {"name": "Acme Ltd", "tags": ["b"]},
    }
    assert (archive.type, archive.data["after"]) == ("client.archived", {"archived": True})
    assert archive.at == NOON + timedelta(days=2)


def test_every_changeable_record_keeps_what_was_before(book: Book) -> None:
    client = book.clients.add("Acme")
    call = book.interactions.log(client, "call", "before")
    book.interactions.revise(call, summary="after")
    todo = book.tasks.add("x", client=client, due=day(1))
    book.tasks.postpone(todo, day(2))
    book.tasks.assign(todo, "olena")
    book.tasks.complete(todo, "done")
    promise = book.agreements.promise(client, "discount", "x")
    book.agreements.withdraw(promise, reason="r")
    book.change_settings(region="DE")
    book.change_settings(region="AT")
    book.team.add("petro", "Petro")
    book.team.deactivate("petro")
    told = {
        event.type: (event.data.get("before"), event.data.get("after")) for event in book.changes()
    }
    assert told["interaction.revised"] == ({"summary": "before"}, {"summary": "after"})
    assert told["task.postponed"] == (
        {"due_on": day(1).isoformat()},
        {"due_on": day(2).isoformat()},
    )
    assert told["task.completed"][1]["status"] == "done"  # type: ignore[index]  # it is there
    assert told["agreement.withdrawn"][0]["withdrawn_on"] is None  # type: ignore[index]  # there
    assert told["settings.changed"] == ({"region": "DE"}, {"region": "AT"})
    assert told["member.deactivated"] == ({"active": True}, {"active": False})


# ------------------------------------------------------------ the change feed
def work(book: Book, clients: list[Client], steps: list[int]) -> None:
    for number, which in enumerate(steps):
        client = clients[which % len(clients)]
        if number % 3 == 0:
            book.interactions.log(client, "note", f"{number}")
        elif number % 3 == 1:
            book.ledger.record_sale(client, "1 EUR")
        else:
            book.clients.update(client.id, note=f"{number}")


def read_on(book: Book, after: str | None, limit: int | None) -> list[Event]:
    found: list[Event] = []
    while page := book.changes(after=after, limit=limit):
        found += page
        after = page[-1].cursor
    return found


def check_feed(book: Book, found: list[Event]) -> None:
    assert [event.position for event in found] == list(range(1, len(found) + 1))
    assert len({event.id for event in found}) == len(found)
    for client in book.clients.find():
        own = [event for event in found if event.client == client.id]
        assert [event.id for event in own] == sorted(event.id for event in own)
        assert {event.id for event in own} == {e.id for e in book.clients.history(client)}


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 2), max_size=15),
    st.lists(st.integers(0, 2), max_size=15),
    st.one_of(st.none(), st.integers(1, 7)),
)
def test_a_reader_of_the_feed_misses_nothing_and_sees_nothing_twice(
    before: list[int], between: list[int], limit: int | None
) -> None:
    book = in_memory()
    clients = [book.clients.add(name) for name in ("Acme", "Beta", "Gamma")]
    work(book, clients, before)
    first = read_on(book, None, limit)
    work(book, clients, between)
    second = read_on(book, first[-1].cursor, limit)
    check_feed(book, first + second)
    assert [e.id for e in read_on(book, None, None)] == [e.id for e in first + second]
    assert book.verify().ok


def test_the_feed_of_any_kind_of_book_has_no_gaps(book: Book) -> None:
    clients = [book.clients.add(name) for name in ("Acme", "Beta", "Gamma")]
    first = read_on(book, None, 2)
    with undone(book) as inner:
        work(inner, clients, [0, 1, 2])
    work(book, clients, [0, 1, 2, 2, 1])
    check_feed(book, first + read_on(book, first[-1].cursor, 2))


def test_a_transaction_does_not_see_its_own_events_in_the_feed(book: Book) -> None:
    book.clients.add("Acme")
    seen = len(book.changes())
    with book.atomic() as inner:
        inner.clients.add("Beta")
        assert len(inner.changes()) == seen
    assert len(book.changes()) > seen


def test_a_change_that_changes_nothing_is_no_event(book: Book) -> None:
    client = book.clients.add("Acme", tags=["b", "a"])
    book.clients.archive(book.clients.add("Beta"))
    before = len(book.changes())
    assert book.clients.update(client, name="Acme", tags=["a", "b"]).revision == 1
    assert book.clients.restore(client).revision == 1
    book.clients.archive(book.clients.find(archived=True)[0])
    book.change_settings(time_zone="UTC")
    assert len(book.changes()) == before


# ------------------------------------------------------------ settings
def test_settings_stand_in_the_book(kind: str, tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "time_zone": "Europe/Kyiv",
        "region": "UA",
        "currency": "UAH",
        "ageing_bounds": [0, 10],
        "number_scope": "client",
        "rounding": "ROUND_HALF_UP",
        "use_prepayments": False,
    }
    with new_book(kind, tmp_path, settings=told) as book:
        found = attrs.asdict(book.settings)
        assert {name: found[name] for name in told} == {**told, "ageing_bounds": (0, 10)}
        assert book.settings.revision == 1
        assert book.change_settings(region="PL").revision == 2
        assert book.settings.zone.key == "Europe/Kyiv"


def test_a_new_book_counts_as_settings_say_by_default(book: Book) -> None:
    assert book.settings == Settings()


@pytest.mark.skipif("sqlite" not in KINDS, reason="needs a book that stays")
def test_a_book_with_other_settings_is_not_opened_by_mistake(tmp_path: Path) -> None:
    url = url_of("sqlite", tmp_path)
    with open_book(url, settings={"region": "DE"}) as book:
        book.clients.add("Acme")
    with open_book(url, settings={"region": "DE"}) as book:
        assert len(book.clients.find()) == 1
    with pytest.raises(InvalidValue, match="other settings"):
        open_book(url, settings={"region": "AT"})


def test_settings_of_a_new_book_are_refused_before_it_is_used() -> None:
    with pytest.raises(InvalidValue) as caught:
        open_book("memory:", settings={"time_zone": "Mars/Olympus"})
    assert caught.value.field == "time_zone"


# ------------------------------------------------------------ the clock
def test_a_clock_without_a_time_zone_is_refused() -> None:
    book = open_book("memory:", clock=lambda: datetime(2026, 1, 1))  # noqa: DTZ001 - refused
    with pytest.raises(InvalidValue) as caught:
        book.clients.add("Acme")
    assert caught.value.field == "clock"


def test_moments_are_kept_in_utc(book: Book, clock: Clock) -> None:
    from zoneinfo import ZoneInfo

    clock.now = datetime(2026, 7, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
    client = book.clients.add("Acme")
    assert client.created_at == datetime(2026, 7, 1, 0, tzinfo=UTC)
    assert client.created_at.tzinfo is UTC


# ------------------------------------------------------------ the audit
def spoiled() -> tuple[Book, MemoryStore, Client]:
    store = MemoryStore()
    book = Book(store, clock=Clock())
    client = book.clients.add("Acme")
    book.ledger.record_sale(client, "10 EUR")
    book.ledger.record_payment(client, "4 EUR")
    assert book.verify().ok
    return book, store, client


def test_the_audit_counts_what_it_looked_at() -> None:
    book, _, _ = spoiled()
    report = book.verify()
    assert (report.clients, report.entries, report.problems) == (1, 2, ())
    assert report.rows > 4


def test_the_audit_finds_a_gap_in_the_sequence() -> None:
    book, store, client = spoiled()
    with store.begin() as unit:
        head = unit.get(Head, client.id)
        moved = HeadStep(attrs.evolve(head, version=head.version + 1, sequence=3), head.version)
        unit.post(Posting(heads=(moved,)))
    report = book.verify()
    assert not report.ok
    assert [(p.what, p.client, p.row) for p in report.problems] == [("Head", client.id, "sequence")]


def test_the_audit_finds_more_settled_than_there_is() -> None:
    book, store, _ = spoiled()
    sale = book.ledger.find(kind="sale")[0]
    link = book.ledger.state(sale).allocations[0]
    with store.begin() as unit:
        twice = attrs.evolve(link, id=uuid4(), amount=Money("9", "EUR"), live=Money("9", "EUR"))
        unit.post(Posting(facts=(twice,)))
    problems = book.verify().problems
    assert {p.what for p in problems} == {"Allocation", "Entry", "conservation"}
    told = {(p.row, p.stored) for p in problems if p.what == "Allocation"}
    assert told == {(str(twice.id), "9.00 EUR"), (str(twice.id), "no event that tells of it")}
    assert all("EUR" in str(p) for p in problems if p.what != "Allocation")


def test_the_audit_finds_an_allocation_of_nothing() -> None:
    book, store, _ = spoiled()
    link = book.ledger.state(book.ledger.find(kind="sale")[0]).allocations[0]
    stray = attrs.evolve(link, id=uuid4(), debit=link.credit, credit=link.debit)
    with store.begin() as unit:
        unit.post(Posting(facts=(stray,)))
    assert "Allocation" in {p.what for p in book.verify().problems}


def test_the_audit_finds_an_entry_that_no_head_knows() -> None:
    book, store, _ = spoiled()
    sale = book.ledger.find(kind="sale")[0]
    id = uuid4()
    parts = tuple(attrs.evolve(part, entry=id) for part in sale.instalments)
    with store.begin() as unit:
        unit.post(issue(attrs.evolve(sale, id=id, sequence=3, instalments=parts)))
    found = {(p.what, p.row, p.stored) for p in book.verify().problems}
    assert found == {
        ("Entry", str(id), "no event that tells of it"),
        ("Head", "sequence", "2"),
    }


# ------------------------------------------------------------ the card
def test_the_card_shows_all_that_is_known(book: Book) -> None:
    book.team.add("petro", "Petro")
    contacts: list[Any] = [{"name": "Ann", "role": "CEO"}]
    client = book.clients.add("Acme", manager="petro", contacts=contacts)
    book.interactions.log(client, "call", "Asked")
    promise = book.agreements.promise(client, "discount", "5 %", percent=5)
    book.agreements.promise(client, "price", "old", valid_from=day(-9), valid_until=day(-1))
    sale = book.ledger.record_sale(client, [("Beans", 2, "5")], currency="EUR", due=day(2))
    todo = book.tasks.add("Call back", client=client)
    book.tasks.complete(book.tasks.add("Pack", client=client))
    card = book.card(client)
    assert (card.client, card.as_of) == (client, NOON.date())
    assert card.manager == book.team.get("petro")
    assert [str(contact) for contact in card.contacts] == ["Ann, CEO"]
    assert card.accounts["EUR"].balance == Money("10", "EUR")
    assert [item.entry for item in card.open_items] == [sale.id]
    assert card.purchases.count == 1
    assert [a.id for a in card.agreements] == [promise.id]
    assert [t.id for t in card.tasks] == [todo.id]
    assert {row.what for row in card.timeline} == {
        "interaction",
        "agreement",
        "entry",
        "task",
        "change",
    }
    past = book.card(client, as_of=day(-5))
    assert (past.accounts, list(past.open_items)) == ({}, [])
    assert [a.text for a in past.agreements] == ["old"]


def test_each_list_of_a_card_is_a_first_page(book: Book) -> None:
    client = book.clients.add("Acme")
    with book.atomic() as inner:
        for n in range(55):
            inner.ledger.record_sale(client, "1 EUR", on=day(-n), due=day(n))
            inner.agreements.promise(client, "discount", f"{n}")
        for n in range(25):
            inner.tasks.add(f"{n}", client=client, due=day(n))
    card = book.card(client)
    assert [len(p) for p in (card.open_items, card.agreements, card.tasks, card.timeline)] == [
        50,
        50,
        20,
        20,
    ]
    assert all(p.more for p in (card.open_items, card.agreements, card.tasks, card.timeline))
    rest = book.ledger.open_items(client, after=card.open_items.next)
    assert len(rest) == 5
    assert card.accounts["EUR"].owed == Money("55", "EUR")


def test_ids_rise_within_a_millisecond(book: Book) -> None:
    ids = [book.clients.add("Acme").id for _ in range(20)]
    assert ids == sorted(set(ids))
    assert all(isinstance(id, UUID) and id.version == 7 for id in ids)


def test_a_book_in_memory_is_a_new_one_each_time() -> None:
    with open_book("memory:") as one, open_book("memory:") as other:
        one.clients.add("Acme")
        assert list(other.clients.find()) == []
    with pytest.raises(ClientLedgerError):
        open_book("memory:shop")
