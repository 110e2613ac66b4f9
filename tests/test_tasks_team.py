"""Tasks, the team, and what passes from one to another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.books import KINDS, NOON, TODAY, Clock, FailingStore, day, dump, new_book

from clientledger import (
    Book,
    Conflict,
    Member,
    NotAllowed,
    NotFound,
    StoreError,
    Task,
)


@pytest.fixture(params=KINDS)
def book(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    with new_book(request.param, tmp_path, clock) as opened:
        for key in ("petro", "ira"):
            opened.team.add(key, key.title())
        yield opened
        assert opened.verify().ok


def titles(tasks: Any) -> list[str]:
    return [task.title for task in tasks]


# ------------------------------------------------------------ tasks
def test_a_task_is_due_on_a_day_or_at_a_moment(book: Book) -> None:
    book.change_settings(time_zone="Pacific/Auckland")
    at = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    one = book.tasks.add("On a day", due=day(1))
    other = book.tasks.add("At a moment", due=at)
    none = book.tasks.add("Some day")
    assert (one.due, one.due_on, one.due_at) == (day(1), day(1), None)
    assert (other.due, other.due_at, other.due_on) == (at, at, day(3))
    assert none.due is None
    assert titles(book.tasks.find()) == ["On a day", "At a moment", "Some day"]


def test_a_task_goes_to_the_clients_manager_else_to_the_actor(book: Book) -> None:
    client = book.clients.add("Acme", manager="petro")
    assert book.tasks.add("x", client=client).assignee == "petro"
    assert book.tasks.add("x").assignee == "olena"
    assert book.tasks.add("x", client=client, assignee="ira").assignee == "ira"


def test_the_agenda_is_what_is_open_and_due_by_a_day(book: Book) -> None:
    book.tasks.add("today", due=TODAY)
    book.tasks.add("yesterday", due=day(-1), assignee="petro")
    book.tasks.add("tomorrow", due=day(1))
    book.tasks.add("some day")
    book.tasks.complete(book.tasks.add("done", due=TODAY))
    assert titles(book.tasks.agenda()) == ["yesterday", "today"]
    assert titles(book.tasks.agenda(until=day(1))) == ["yesterday", "today", "tomorrow"]
    assert titles(book.tasks.agenda(assignee="petro")) == ["yesterday"]
    first = book.tasks.agenda(limit=1)
    assert titles(book.tasks.agenda(after=first.next)) == ["today"]


def test_a_task_is_closed_postponed_assigned_and_keeps_its_revisions(
    book: Book, clock: Clock
) -> None:
    task = book.tasks.add("Call", due=day(1), remind=NOON, note="a\nb")
    assert book.tasks.postpone(task, day(5)).due == day(5)
    assert book.tasks.postpone(task, NOON).due == NOON
    assert book.tasks.assign(task, "ira").assignee == "ira"
    clock.now += timedelta(hours=1)
    done = book.tasks.complete(task, "They will pay")
    assert (done.status, done.outcome, done.closed_at) == ("done", "They will pay", clock.now)
    assert (done.revision, book.tasks.get(task)) == (5, done)
    dropped = book.tasks.cancel(book.tasks.add("x"), "not needed")
    assert (dropped.status, dropped.outcome) == ("cancelled", "not needed")
    assert titles(book.tasks.find(status="done")) == ["Call"]
    with pytest.raises(NotAllowed, match="done"):
        book.tasks.cancel(task)


def test_tasks_are_found_by_client_assignee_and_what_they_are_about(book: Book) -> None:
    client = book.clients.add("Acme")
    sale = book.ledger.record_sale(client, "5 EUR")
    about = book.tasks.add("Remind", client=client, about=sale, assignee="petro")
    book.tasks.add("Other", client=client)
    assert titles(book.tasks.find(about=sale)) == ["Remind"]
    assert titles(book.tasks.find(about=sale.id)) == ["Remind"]
    assert titles(book.tasks.find(client, assignee="petro")) == ["Remind"]
    assert about.about == sale.id
    assert len(book.tasks.find(client, "open")) == 2


# ------------------------------------------------------------ the team
def test_a_member_is_named_by_a_key(book: Book) -> None:
    book.change_settings(region="DE")
    member = book.team.add(
        "a.schmidt@shop", "Anna Schmidt", email="Anna@SHOP.example", phone="030 901820"
    )
    assert (member.key, member.name) == ("a.schmidt@shop", "Anna Schmidt")
    assert (member.email, member.phone) == ("Anna@shop.example", "+4930901820")
    assert book.team.get("a.schmidt@shop") == member
    assert [m.key for m in book.team.find()] == ["a.schmidt@shop", "ira", "olena", "petro"]
    with pytest.raises(NotFound):
        book.team.get("A.Schmidt@shop")


def test_handing_over_takes_clients_archived_ones_too_and_open_tasks(book: Book) -> None:
    one, two = (book.clients.add(name, manager="petro") for name in ("Acme", "Beta"))
    kept = book.clients.add("Gamma", manager="ira")
    book.clients.archive(two)
    mine = book.tasks.add("Call", client=one)
    loose = book.tasks.add("Sweep", assignee="petro")
    done = book.tasks.complete(book.tasks.add("Pack", client=one))
    over = book.team.hand_over("petro", "ira", reason="leaves")
    assert (over.from_, over.to, over.reason, over.actor) == ("petro", "ira", "leaves", "olena")
    assert set(over.clients) == {one.id, two.id}
    assert set(over.tasks) == {mine.id, loose.id}
    assert {c.manager for c in book.clients.find(archived=None)} == {"ira"}
    assert book.tasks.get(done).assignee == "petro"
    assert book.clients.get(kept).revision == 1
    event = next(e for e in book.clients.history(one) if e.type == "client.handed_over")
    assert event.data == {"before": {"manager": "petro"}, "after": {"manager": "ira"}}
    assert event.actor == "olena"


def test_handing_over_some_clients_takes_their_tasks_only(book: Book) -> None:
    one, two = (book.clients.add(name, manager="petro") for name in ("Acme", "Beta"))
    task = book.tasks.add("Call", client=one)
    other = book.tasks.add("Call", client=two)
    over = book.team.hand_over("petro", "ira", clients=[one, one.id])
    assert (over.clients, over.tasks) == ((one.id,), (task.id,))
    assert book.clients.get(two).manager == "petro"
    assert book.tasks.get(other).assignee == "petro"
    bare = book.team.hand_over("petro", "ira", clients=[two], tasks=False)
    assert bare.tasks == ()


def test_members_may_be_given_as_they_are(book: Book) -> None:
    petro: Any = book.team.get("petro")
    ira: Any = book.team.get("ira")
    client = book.clients.add("Acme", manager="petro")
    over = book.team.hand_over(petro, ira, key="k")
    assert over.clients == (client.id,)
    assert book.team.hand_over("petro", "ira", key="k") == over


def test_a_member_leaves_only_with_nothing_left(book: Book) -> None:
    client = book.clients.add("Acme", manager="petro")
    book.clients.archive(client)
    with pytest.raises(Conflict, match="1 clients and 0 open tasks"):
        book.team.deactivate("petro")
    book.tasks.add("x", assignee="petro")
    with pytest.raises(Conflict, match="1 clients and 1 open tasks"):
        book.team.deactivate("petro")
    gone = book.team.deactivate("petro", successor="ira")
    assert not gone.active
    assert book.clients.get(client).manager == "ira"
    assert [m.key for m in book.team.find(active=False)] == ["petro"]
    assert book.team.deactivate("petro") == gone
    assert [e.type for e in book.changes()].count("member.deactivated") == 1


# ------------------------------------------------------------ a store that fails half-way
def test_a_hand_over_that_fails_half_way_leaves_everything_as_it_was() -> None:
    store = FailingStore()
    book = Book(store, actor="olena", clock=Clock())
    for key in ("petro", "ira"):
        book.team.add(key, key)
    for n in range(5):
        book.tasks.add("x", client=book.clients.add(f"c{n}", manager="petro"))
    before = dump(book)
    store.fails = True
    with pytest.raises(StoreError):
        book.team.hand_over("petro", "ira", key="k")
    with pytest.raises(StoreError):
        book.team.deactivate("petro", successor="ira")
    assert dump(book) == before
    store.fails = False
    assert len(book.team.hand_over("petro", "ira", key="k").clients) == 5


def test_a_hand_over_with_one_foreign_client_hands_over_none(book: Book) -> None:
    mine = book.clients.add("Acme", manager="petro")
    foreign = book.clients.add("Beta", manager="ira")
    before = dump(book)
    with pytest.raises(ValueError, match="its manager is ira"):
        book.team.hand_over("petro", "olena", clients=[mine, foreign])
    assert dump(book) == before


# ------------------------------------------------------------ interactions and agreements
def test_what_was_said_is_revised_and_stays_visible(book: Book, clock: Clock) -> None:
    client = book.clients.add("Acme")
    call = book.interactions.log(
        client, "call", "Asked", direction="in", contact="Ann", body="a\nb", outcome="later"
    )
    assert (call.at, call.by, call.direction, call.contact) == (NOON, "olena", "in", "Ann")
    better = book.interactions.revise(call, summary="Asked for beans", direction=None)
    assert (better.revision, better.direction, better.at) == (2, None, NOON)
    assert book.interactions.get(call) == better
    assert book.interactions.revise(better, summary="Asked for beans") == better
    event = book.clients.history(client)[-1]
    assert event.data["before"] == {"direction": "in", "summary": "Asked"}


def test_the_timeline_is_everything_newest_first(book: Book, clock: Clock) -> None:
    client = book.clients.add("Acme")
    clock.now += timedelta(minutes=1)
    book.interactions.log(client, "call", "old", at=NOON - timedelta(days=3))
    book.ledger.record_sale(client, [("Beans", 1, "5")], currency="EUR", on=day(-2), number="7")
    clock.now += timedelta(minutes=1)
    book.agreements.promise(client, "discount", "5 %")
    clock.now += timedelta(minutes=1)
    book.tasks.add("Call", client=client)
    shown = [(row.what, row.title) for row in book.interactions.timeline(client)]
    assert shown == [
        ("task", "Call"),
        ("agreement", "5 %"),
        ("change", "added"),
        ("entry", "sale 7: Beans"),
        ("interaction", "old"),
    ]
    only = book.interactions.timeline(client, what=("entry", "interaction"))
    assert [row.what for row in only] == ["entry", "interaction"]
    until = book.interactions.timeline(client, as_of=day(-3))
    assert [row.title for row in until] == ["old"]
    first = book.interactions.timeline(client, limit=2)
    rest = book.interactions.timeline(client, after=first.next)
    assert [row.title for row in (*first, *rest)] == [title for _, title in shown]


def test_promises_hold_from_their_first_to_their_last_day(book: Book, clock: Clock) -> None:
    client = book.clients.add("Acme")
    call = book.interactions.log(client, "call", "x")
    promise = book.agreements.promise(
        client,
        "price",
        "Beans at 9",
        amount="9 EUR",
        sku="B1",
        interaction=call,
        by="petro",
        valid_from=day(1),
        valid_until=day(3),
    )
    assert (promise.interaction, promise.by, promise.sku) == (call.id, "petro", "B1")

    def holds() -> list[int]:
        return [n for n in range(6) if book.agreements.find(client, valid_on=day(n))]

    assert holds() == [1, 2, 3]
    clock.to(day(2))
    gone = book.agreements.withdraw(promise, reason="too cheap")
    assert (gone.withdrawn_on, gone.withdrawn_because) == (day(2), "too cheap")
    assert holds() == [1]
    assert [a.id for a in book.agreements.find(client)] == [promise.id]
    assert list(book.agreements.find(client, kind="discount")) == []


def test_the_newest_promise_comes_first(book: Book) -> None:
    client = book.clients.add("Acme")
    for offset in (-3, 2, -1):
        book.agreements.promise(client, "discount", f"{offset}", valid_from=day(offset))
    assert [a.text for a in book.agreements.find(client)] == ["2", "-1", "-3"]
    first = book.agreements.find(client, limit=1)
    assert [a.text for a in book.agreements.find(client, after=first.next)] == ["-1", "-3"]


def test_a_sale_names_the_promises_it_was_made_under(book: Book) -> None:
    client = book.clients.add("Acme")
    promise = book.agreements.promise(client, "discount", "5 %")
    sale = book.ledger.record_sale(client, "5 EUR", agreements=[promise])
    assert book.ledger.get(sale).agreements == (promise.id,)


def test_members_and_tasks_are_frozen_values(book: Book) -> None:
    task, member = book.tasks.add("x"), book.team.get("petro")
    assert isinstance(task, Task)
    assert isinstance(member, Member)
    for value, name in ((task, "status"), (member, "name")):
        with pytest.raises(AttributeError):
            setattr(value, name, "y")
