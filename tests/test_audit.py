"""What `verify`, `anchor` and `repair` promise, on a book in memory."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.books import Clock, day

from clientledger import (
    Anchor,
    Book,
    Client,
    Entry,
    InvalidValue,
    MemoryStore,
    NotAllowed,
    Problem,
    read_anchor,
)
from clientledger.domain.posting import Claim, HeadStep, Posting
from clientledger.domain.seals import BEGINNING, Seal
from clientledger.domain.soundness import misfit
from clientledger.ports import ClaimQuery, EventQuery, Head, SealQuery


@attrs.define
class Shop:
    """A book in memory with a hash chain, and a way behind its back."""

    store: MemoryStore
    book: Book
    client: Client
    sale: Entry
    payment: Entry

    def post(self, *facts: Any, **parts: Any) -> None:
        """Write facts as they are; one with the id of another stands in its place."""
        with self.store.begin() as unit:
            unit.post(Posting(facts=facts, **parts))

    def whats(self, anchor: Anchor | None = None) -> set[str]:
        """Of which kinds something is wrong."""
        return {problem.what for problem in self.book.verify(anchor).problems}


@pytest.fixture
def shop() -> Shop:
    return a_shop()


def a_shop() -> Shop:
    store = MemoryStore()
    book = Book(store, actor="olena", clock=Clock())
    book.change_settings(hash_chain=True)
    client = book.clients.add("Acme", external_ids={"erp": "C"})
    lines = [("Beans", 2, "5.00"), ("Tea", 1, "3.00")]
    sale = book.ledger.record_sale(client, lines, currency="EUR", number="1", key="k")
    payment = book.ledger.record_payment(client, "4.00 EUR", method="cash")
    book.ledger.release(book.ledger.state(sale).allocations[0], "1.00 EUR")
    assert book.verify().problems == ()
    return Shop(store, book, client, sale, payment)


# ------------------------------------------------------------ anchors
@given(st.integers(0, 10**18 - 1), st.integers(0, 2**256 - 1))
def test_an_anchor_is_read_from_its_text(position: int, digest: int) -> None:
    anchor = Anchor(position, f"{digest:064x}")
    assert read_anchor(str(anchor)) == anchor == read_anchor(anchor)


@pytest.mark.parametrize(
    "told",
    [
        "", "x", "5", "5:", ":" + "0" * 64, "5:" + "0" * 63, "-1:" + "0" * 64, "5:" + "F" * 64,
        " 5:" + "0" * 64, "5:" + "0" * 64 + "\n", "٥:" + "0" * 64, 5, None, b"5", Anchor(-1, "x"),
        "1" * 19 + ":" + "0" * 64,
    ],
)  # fmt: skip
def test_what_is_no_anchor_is_refused(shop: Shop, told: Any) -> None:
    with pytest.raises(InvalidValue, match="anchor"):
        read_anchor(told)
    if told is not None:
        with pytest.raises(InvalidValue, match="anchor"):
            shop.book.verify(told)


def test_a_book_without_a_chain_has_no_anchor(book: Book) -> None:
    with pytest.raises(NotAllowed, match="hash_chain=True"):
        book.anchor()
    anchor = Anchor(1, "0" * 64)
    assert [problem.what for problem in book.verify(anchor).problems] == ["anchor"]


def test_the_anchor_of_an_empty_book_is_the_beginning() -> None:
    book = Book(MemoryStore())
    assert book.verify(Anchor(0, BEGINNING)).ok
    assert not book.verify(Anchor(0, "1" * 64)).ok


def test_an_anchor_holds_for_ever(shop: Shop) -> None:
    anchors = [shop.book.anchor()]
    for n in range(3):
        shop.book.ledger.record_sale(shop.client, "1 EUR", number=f"x{n}")
        anchors.append(shop.book.anchor())
    assert len(set(anchors)) == 4
    for anchor in anchors:
        report = shop.book.verify(str(anchor))
        assert (report.problems, report.sealed) == ((), anchors[-1].position)
        assert shop.book.verify(attrs.evolve(anchor, position=anchor.position + 1)).problems


def test_two_books_with_the_same_content_have_different_chains() -> None:
    """The salts differ, so that nobody can guess what people wrote from a digest."""
    found = []
    for _ in range(2):
        book = Book(MemoryStore(), clock=Clock())
        book.change_settings(hash_chain=True)
        found.append(book.anchor().digest)
    assert found[0] != found[1]


# ------------------------------------------------------------ the chain
ALTERED: dict[str, Callable[[Shop], Any]] = {
    "the reason": lambda shop: attrs.evolve(shop.payment, reason="x"),
    "the method": lambda shop: attrs.evolve(shop.payment, method="x"),
    "the actor": lambda shop: attrs.evolve(shop.payment, actor="x"),
    "the number": lambda shop: attrs.evolve(shop.payment, number="77"),
    "the name of a line": lambda shop: attrs.evolve(
        shop.sale, lines=(attrs.evolve(shop.sale.lines[0], name="x"), *shop.sale.lines[1:])
    ),
    "the order of the lines": lambda shop: attrs.evolve(shop.sale, lines=shop.sale.lines[::-1]),
    "a due day": lambda shop: attrs.evolve(
        shop.sale, instalments=(attrs.evolve(shop.sale.instalments[0], due=day(9)),)
    ),
    "an external id": lambda shop: attrs.evolve(shop.sale, external_ids={"erp": "9"}),
    "an allocation's actor": lambda shop: attrs.evolve(
        shop.book.ledger.state(shop.sale).allocations[0], actor="x"
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_fact_that_was_altered_is_named(shop: Shop, name: str) -> None:
    anchor = shop.book.anchor()
    shop.post(ALTERED[name](shop))
    assert "Seal" in shop.whats()
    assert "Seal" in shop.whats(anchor)


def test_what_was_altered_before_it_was_sealed_is_sealed_as_it_is(shop: Shop) -> None:
    """The chain proves what was there when it was made, and nothing before."""
    shop.post(attrs.evolve(shop.payment, actor="x"))
    shop.book.anchor()
    assert shop.whats() == set()


def test_an_event_and_a_seal_that_were_altered_are_named(shop: Shop) -> None:
    anchor = shop.book.anchor()
    with shop.store.snapshot() as reading:
        event = reading.find(EventQuery(sequenced=True))[3]
        seal = reading.find(SealQuery())[2]
    assert seal.position < anchor.position
    before = shop.store._state
    for fact in (
        attrs.evolve(event, actor="x"),
        attrs.evolve(event, data={"x": 1}),
        attrs.evolve(event, type="client.x"),
    ):
        shop.store._state = before.with_rows([fact])
        assert shop.whats() >= {"Seal"}, fact
    for changed in (
        attrs.evolve(seal, digest="0" * 64),
        attrs.evolve(seal, personal="0" * 64),
        attrs.evolve(seal, salt="0" * 64),
    ):
        shop.store._state = before.with_rows([changed])
        assert shop.whats() == {"Seal"}, changed
    shop.store._state = before.with_rows([attrs.evolve(seal, salt=None)])
    report = shop.book.verify(anchor)
    assert (report.problems, report.forgotten) == ((), 1)
    shop.store._state = before.with_rows([], [seal])
    [problem] = shop.book.verify(anchor).problems
    assert problem.row.startswith(f"{seal.position} ")
    assert problem.stored == "nothing"
    shop.store._state = before


def test_a_position_is_sealed_once(shop: Shop) -> None:
    shop.book.anchor()
    with shop.store.snapshot() as reading:
        [seal] = reading.find(SealQuery(since=2, until=2))
        assert reading.get(Seal, 2) == seal
        assert [one.position for one in reading.find(SealQuery(limit=2, until=5))] == [5, 4]


def test_a_chain_stays_on(shop: Shop) -> None:
    with pytest.raises(NotAllowed, match="hash_chain"):
        shop.book.change_settings(hash_chain=False)
    assert shop.book.change_settings(hash_chain=True).hash_chain


# ------------------------------------------------------------ facts and events
def test_a_fact_without_an_event_is_named(shop: Shop) -> None:
    link = shop.book.ledger.state(shop.sale).allocations[0]
    one = attrs.evolve(link, id=uuid4(), amount=link.live, live=link.live)
    shop.post(one)
    found = [p for p in shop.book.verify().problems if "no event" in p.stored]
    assert [(p.what, p.row) for p in found] == [("Allocation", str(one.id))]


def test_an_event_without_a_fact_is_named(shop: Shop) -> None:
    with shop.store.snapshot() as reading:
        event = next(e for e in reading.find(EventQuery()) if e.type == "sale.recorded")
    false = attrs.evolve(event, id=uuid4(), subject=str(uuid4()), position=None)
    twice = attrs.evolve(event, id=uuid4(), position=None)
    shop.post(false)
    shop.post(twice)
    found = {(p.row, p.computed) for p in shop.book.verify().problems}
    assert found == {
        (str(false.id), "no such record"),
        (str(twice.id), "what another event tells of"),
    }


# ------------------------------------------------------------ heads and claims
@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"sequence": 7}, "sequence"),
        ({"sequence": 1}, "sequence"),
        ({"version": 1}, "version"),
        ({"edition": 4}, "edition"),
        ({"archived": True}, "archived"),
        ({"recorded_at": Clock()().replace(year=2030)}, "recorded_at"),
    ],
)
def test_a_head_that_is_wrong_is_named(shop: Shop, changes: dict[str, Any], row: str) -> None:
    with shop.store.begin() as unit:
        head = unit.get(Head, shop.client.id)
        unit.post(Posting(heads=(HeadStep(attrs.evolve(head, **changes), head.version),)))
    found = shop.book.verify().problems
    assert [(p.what, p.client, p.row) for p in found] == [("Head", shop.client.id, row)]


def test_claims_are_held_by_those_who_should(shop: Shop) -> None:
    with shop.store.snapshot() as reading:
        claims = {claim.id: claim for claim in reading.find(ClaimQuery())}
    number = claims["number:sale", "1"]
    erp = claims["external:client:erp", "C"]
    for freed, made, told in (
        (number, None, "nothing"),
        (erp, None, "nothing"),
        (number, attrs.evolve(number, subject=str(shop.payment.id)), str(shop.payment.id)),
        (None, attrs.evolve(number, key="2"), str(shop.sale.id)),
        (None, Claim("number:sale", "3", str(uuid4())), "held by"),
        (None, Claim("external:task:crm", "3", str(uuid4())), "held by"),
        (None, Claim("command", "none", str(uuid4())), "held by"),
        (None, Claim("command", "none", "nobody"), "held by nobody"),
    ):
        before = shop.store._state
        shop.post(freed=(freed,) if freed else (), claims=(made,) if made else ())
        found = shop.book.verify().problems
        assert {problem.what for problem in found} == {"Claim"}
        assert any(told in problem.stored for problem in found), told
        shop.store._state = before
    shop.post(claims=(Claim("a plugin's own", "x", "whoever"),))
    assert shop.whats() == set()


def test_what_every_command_makes_is_held_by_its_key(book: Book) -> None:
    client = book.clients.add("Acme", key="1")
    book.team.add("petro", "Petro", idempotency_key="2")
    book.change_settings(company="We", key="3")
    sale = book.ledger.record_sale(client, "9 EUR", key="4")
    paid = book.ledger.record_payment(client, "5 EUR", allocate={}, key="5")
    link = book.ledger.allocate(paid, sale, "2 EUR", key="6")
    book.ledger.release(link, "1 EUR", key="7")
    book.ledger.allocate(paid, sale, "2 EUR", key="8")
    book.ledger.unallocate(paid, sale, key="9")
    book.ledger.upsert_sale(("erp", "S"), client, "1 EUR", key="10")
    book.ledger.upsert_sale(("erp", "S"), client, "2 EUR", key="11")
    book.team.hand_over("olena", "petro", key="12")
    book.ledger.close_period(day(-90), key="13")
    task = book.tasks.add("x", key="14", external_ids={"crm": "1"})
    book.tasks.complete(task, key="15")
    book.interactions.log(client, "call", "x", key="16")
    book.agreements.promise(client, "discount", "x", key="17")
    book.clients.update(client, note="x", key="18")
    book.ledger.void(sale, reason="x", key="19")
    assert book.outcome("19").recorded
    assert book.verify().problems == ()


def test_a_number_in_the_scope_of_a_client_is_held_too(book: Book) -> None:
    one = book.clients.add("One")
    book.ledger.record_sale(one, "1 EUR", number="A")
    book.change_settings(number_scope="client")
    for client in (one, book.clients.add("Two")):
        book.ledger.record_sale(client, "1 EUR", number="7")
    assert book.verify().problems == ()


# ------------------------------------------------------------ whatever lies in the store
def nonsense(shop: Shop) -> dict[str, Any]:
    evolve: Any = attrs.evolve
    return {
        "a sequence": evolve(shop.sale, sequence="one"),
        "a side": evolve(shop.sale, side="x"),
        "no amount": evolve(shop.sale, amount=None),
        "lines of text": evolve(shop.sale, lines=("x",)),
        "ids of numbers": evolve(shop.sale, external_ids={"erp": 1}),
        "tags": evolve(shop.client, tags=(1,)),
    }


@pytest.mark.parametrize("name", nonsense(a_shop()))
def test_an_audit_ends_with_a_report(shop: Shop, name: str) -> None:
    row = nonsense(shop)[name]
    shop.store._state = shop.store._state.with_rows([row])
    found = shop.book.verify().problems
    assert type(row).__name__ in {problem.what for problem in found} | {"Entry"}
    assert found
    assert all(str(problem) for problem in found)


def test_what_fits_its_types_is_no_misfit(shop: Shop) -> None:
    with shop.store.snapshot() as reading:
        for row in (shop.sale, shop.client, shop.payment, *reading.find(EventQuery())):
            assert misfit(row) == ""
    evolve: Any = attrs.evolve
    assert misfit(evolve(shop.sale, sequence=True)) == "sequence True"
    assert misfit(evolve(shop.sale, number=5)) == "number 5"


# ------------------------------------------------------------ repairing
def test_a_book_in_memory_has_nothing_to_repair(shop: Shop) -> None:
    before = shop.store._state
    repair = shop.book.repair()
    assert (repair.ok, repair.clients, repair.rebuilt, repair.left) == (True, (), (), ())
    assert shop.store._state is before


def test_a_repair_leaves_what_is_not_derived(shop: Shop) -> None:
    shop.post(attrs.evolve(shop.sale, side="credit"))
    before = shop.store._state
    repair = shop.book.repair()
    assert not repair.ok
    assert repair.left == shop.book.verify().problems != ()
    assert shop.store._state is before


def test_a_problem_says_which_row_what_is_stored_and_what_the_facts_say() -> None:
    problem = Problem(what="Balance", client=UUID(int=1), row="EUR", stored="1", computed="2")
    assert str(problem) == "Balance EUR: stored 1, the facts say 2"
