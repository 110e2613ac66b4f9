"""Commands that are repeated, and commands that others get in the way of."""

import threading
from functools import partial
from typing import Any

import pytest
from tests.books import (
    NOON,
    Clock,
    ContestedStore,
    account,
    audit,
    day,
    dump,
    eur,
    undone,
)

from clientledger import (
    Book,
    Busy,
    Client,
    Entry,
    InvalidValue,
    KeyReused,
    Money,
    OverAllocated,
)


# ------------------------------------------------------------ repeating a command
def commands(book: Book, acme: Client) -> dict[str, Any]:
    """Each command of the book that takes a key, as a function of the key."""
    ledger = book.ledger
    sale = ledger.record_sale(acme, "50 EUR", on=day(-3))
    voidable = ledger.record_sale(acme, "5 EUR", on=day(-3))
    credit = ledger.record_payment(acme, "20 EUR", on=day(-2), allocate={})
    linked = ledger.record_payment(acme, "5 EUR", on=day(-2), allocate={sale: "5"})
    link = ledger.state(linked).allocations[0]
    call = book.interactions.log(acme, "call", "x")
    promise = book.agreements.promise(acme, "discount", "x")
    todo = [book.tasks.add(f"t{n}", client=acme) for n in range(4)]
    for key in ("petro", "ira", "anna"):
        book.team.add(key, key.title())
    beta = book.clients.add("Beta", manager="anna")
    return {
        "clients.add": lambda k: book.clients.add("Gamma", tags=iter(["a", "b"]), key=k),
        "clients.update": lambda k: book.clients.update(beta.id, note="y", tags=iter("ab"), key=k),
        "clients.archive": lambda k: book.clients.archive(beta, key=k),
        "clients.restore": lambda k: book.clients.restore(beta, key=k),
        "interactions.log": lambda k: book.interactions.log(acme, "call", "y", at=NOON, key=k),
        "interactions.revise": lambda k: book.interactions.revise(call, body="y", key=k),
        "agreements.promise": lambda k: book.agreements.promise(
            acme, "discount", "y", percent="5.0", key=k
        ),
        "agreements.withdraw": lambda k: book.agreements.withdraw(promise, reason="r", key=k),
        "ledger.record_sale": lambda k: ledger.record_sale(
            acme, iter([("Beans", 2, "1.5")]), currency="EUR", key=k
        ),
        "ledger.record_payment": lambda k: ledger.record_payment(
            acme, "7 EUR", allocate=iter([(sale, "5")]), key=k
        ),
        "ledger.allocate": lambda k: ledger.allocate(credit, sale, "5", key=k),
        "ledger.release": lambda k: ledger.release(link, "1", key=k),
        "ledger.void": lambda k: ledger.void(voidable, reason="r", key=k),
        "tasks.add": lambda k: book.tasks.add("z", client=acme, due=day(1), key=k),
        "tasks.complete": lambda k: book.tasks.complete(todo[0], key=k),
        "tasks.cancel": lambda k: book.tasks.cancel(todo[1], key=k),
        "tasks.postpone": lambda k: book.tasks.postpone(todo[2], day(5), key=k),
        "tasks.assign": lambda k: book.tasks.assign(todo[3], "ira", key=k),
        "team.add": lambda k: book.team.add("new", "New", idempotency_key=k),
        "team.hand_over": lambda k: book.team.hand_over("anna", "petro", key=k),
        "team.deactivate": lambda k: book.team.deactivate("ira", successor="petro", key=k),
        "change_settings": lambda k: book.change_settings(currencies=iter([]), region="DE", key=k),
    }


def test_every_command_that_takes_a_key_is_done_once(book: Book, acme: Client) -> None:
    known = commands(book, acme)
    for number, (name, command) in enumerate(known.items()):
        key = f"k-{number}"
        assert not book.outcome(key), name
        made = command(key)
        events = len(book.changes(limit=None))
        before = dump(book)
        outcome = book.outcome(key)
        assert outcome.recorded, name
        assert outcome.result == str(made.id), name
        again = command(key)
        assert again.id == made.id, name
        if isinstance(made, Entry):
            assert again == made
        assert dump(book) == before, name
        assert len(book.changes(limit=None)) == events, name


def test_a_refusal_uses_up_no_key(book: Book, acme: Client) -> None:
    with pytest.raises(InvalidValue):
        book.ledger.record_payment(acme, "0 EUR", key="k")
    assert not book.outcome("k").recorded
    payment = book.ledger.record_payment(acme, "5 EUR", key="k")
    assert book.outcome("k").result == str(payment.id)
    assert book.outcome("k").action == "ledger.record_payment"


def test_a_key_is_answered_before_any_other_check(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "5 EUR", number="1", key="k")
    book.clients.archive(acme)
    assert book.ledger.record_sale(acme, "5 EUR", number="1", key="k") == sale
    book.ledger.void(sale, reason="r", key="v")
    assert book.ledger.record_sale(acme, "5 EUR", number="1", key="k") == sale
    assert book.ledger.void(sale, reason="r", key="v").undoes == sale.id


def test_arguments_that_mean_the_same_are_the_same(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "50 EUR")
    told = {"tax": "1", "vat": "2"}
    first = book.clients.add("Gamma", attributes=told, key="a")
    same = dict(reversed(told.items()))
    assert book.clients.add("Gamma", attributes=same, tags=[], key="a").id == first.id
    paid = book.ledger.record_payment(acme, Money("5.00", "EUR"), allocate={sale: 5}, key="p")
    again = book.ledger.record_payment(
        str(acme.id), Money("5", "EUR"), allocate=[(sale.id, 5)], key="p"
    )
    assert again == paid
    item = book.ledger.open_items(acme)[0]
    link = book.ledger.record_payment(acme, "5 EUR", allocate={item: "5"}, key="i")
    fresh = book.ledger.open_items(acme)[0]
    assert fresh.open != item.open
    assert book.ledger.record_payment(acme, "5 EUR", allocate={fresh: "5"}, key="i") == link


def test_keys_are_told_apart_byte_by_byte(book: Book) -> None:
    keys = ["key", "KEY", "kEy", "key1", "key-", "k ey", "k  ey", "ke", "k" * 255, "k" * 254]
    made = {book.clients.add(f"c{n}", key=key).id for n, key in enumerate(keys)}
    assert len(made) == len(keys)
    for n, key in enumerate(keys):
        assert book.clients.add(f"c{n}", key=key).name == f"c{n}"


def test_a_key_recorded_in_a_unit_that_was_undone_is_free(book: Book) -> None:
    with undone(book) as inner:
        first = inner.clients.add("Acme", key="k")
        assert inner.clients.add("Acme", key="k") == first
    assert not book.outcome("k").recorded
    assert book.clients.add("Acme", key="k").id != first.id
    with pytest.raises(KeyReused):
        book.clients.add("Beta", key="k")


# ------------------------------------------------------------ others are in the way
@pytest.fixture
def contested() -> tuple[Book, ContestedStore]:
    store = ContestedStore()
    return Book(store, actor="olena", clock=Clock()), store


def test_a_command_is_planned_again_when_others_were_quicker(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    for number, (name, command) in enumerate(commands(book, book.clients.add("Acme")).items()):
        store.conflicts = 3
        made = command(f"k-{number}")
        assert store.conflicts == 0, name
        if name == "clients.add":
            assert made.tags == ("a", "b")
        if name == "clients.update":
            assert (made.tags, made.revision) == (("a", "b"), 2)
        if name == "ledger.record_sale":
            assert len(made.lines) == 1
        if name == "ledger.record_payment":
            assert book.ledger.state(made).open == eur("2")
    for client in book.clients.find(archived=None):
        audit(book, client.id)


def test_contacts_that_can_be_read_once_only_survive_a_second_plan(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    store.conflicts = 2
    people: Any = ({"name": name, "phones": iter(["+49 30 901820"])} for name in ("Ann", "Bo"))
    client = book.clients.add("Acme", contacts=people)
    assert [(c.name, len(c.phones)) for c in client.contacts] == [("Ann", 1), ("Bo", 1)]


def test_a_whole_unit_is_run_again_when_others_were_quicker(
    contested: tuple[Book, ContestedStore],
) -> None:
    book, store = contested
    acme = book.clients.add("Acme")
    store.conflicts = 2
    runs = []

    def day_of_business(inner: Book) -> Entry:
        runs.append(1)
        inner.ledger.record_sale(acme, "10 EUR")
        return inner.ledger.record_payment(acme, "10 EUR")

    payment = book.run(day_of_business)
    assert len(runs) == 3
    assert payment.sequence == 2
    assert book.ledger.state(payment).status == "used"
    audit(book, acme.id)


def test_who_is_never_quick_enough_is_told_busy(contested: tuple[Book, ContestedStore]) -> None:
    book, store = contested
    before = dump(book)
    store.conflicts = 10**6
    with pytest.raises(Busy) as caught:
        book.run(lambda inner: inner.clients.add("Acme"))
    assert caught.value.remedy
    with pytest.raises(Busy), book.atomic() as inner:
        inner.clients.add("Acme")
    assert dump(book) == before


def test_two_threads_on_one_client_lose_nothing(book: Book, acme: Client) -> None:
    barrier, failures = threading.Barrier(2), []

    def deal(number: str, inner: Book) -> None:
        inner.ledger.record_sale(acme, "10 EUR", number=number)
        inner.ledger.record_payment(acme, "9.99 EUR")

    def trade(number: int) -> None:
        try:
            barrier.wait(timeout=10)
            for n in range(8):
                book.run(partial(deal, f"{number}-{n}"))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=trade, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    entries = book.ledger.find(client=acme)
    assert sorted(e.sequence for e in entries) == list(range(1, 33))
    assert book.ledger.account(acme, "EUR").balance == eur("0.16")


def test_two_threads_never_settle_more_than_is_open(book: Book, acme: Client) -> None:
    sale = book.ledger.record_sale(acme, "10 EUR")
    free = [book.ledger.record_payment(acme, "10 EUR", allocate={}) for _ in range(2)]
    barrier, refused = threading.Barrier(2), []

    def settle(credit: Entry) -> None:
        barrier.wait(timeout=10)
        for _ in range(10):
            try:
                book.ledger.allocate(credit, sale, "1")
            except OverAllocated as error:
                refused.append(error)

    threads = [threading.Thread(target=settle, args=(credit,)) for credit in free]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(refused) == 10
    assert account(book, acme)[:2] == ("0.00", "10.00")
