"""The contract of a store, as tests: subclass it, say how a store is opened, and no more."""

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from clientledger.book import Book
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.contact_points import Address, Contact, Email, Phone
from clientledger.domain.entries import CREDIT, DEBIT, Entry, EntryLine, Instalment
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import new_items
from clientledger.domain.money import MAX_MINOR, Currency, Money
from clientledger.domain.posting import Change, Claim, Head, HeadStep, Posting, Stand
from clientledger.domain.recording import Stamp, issue, link
from clientledger.domain.seals import Seal
from clientledger.domain.settings import Settings
from clientledger.domain.settling import Room, settle
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.time import uuid7
from clientledger.errors import Busy, Conflict, Duplicate, NotFound, Stale, StoreError
from clientledger.ports import (
    BalanceQuery,
    ClaimQuery,
    ClientQuery,
    EntryQuery,
    EventQuery,
    FigureQuery,
    LedgerQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    SealQuery,
    Store,
    TimelineQuery,
)
from clientledger.testing.histories import BookHistory, compare_answers
from clientledger.testing.ledger_histories import LedgerHistory

__all__ = ["StoreContract"]

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)
DAY = date(2026, 11, 23)
_numbers = itertools.count(1)


def new_id() -> UUID:
    """An id that rises with each call."""
    return uuid7(NOW + timedelta(milliseconds=next(_numbers)), 0)


def client_posting(name: str = "Acme", **fields: object) -> tuple[Client, Posting]:
    """A new client and the posting that adds it."""
    client = Client(id=new_id(), name=name, created_at=NOW, changed_at=NOW, **fields)  # type: ignore[arg-type]  # fields as given by a test
    head = HeadStep(Head(client=client.id, recorded_at=NOW), None)
    return client, Posting(heads=(head,), changes=(Change(client),))


def sale_of(client: Client, amount: Money, sequence: int, on: date = DAY) -> Entry:
    """A sale that is due at once."""
    id = new_id()
    return Entry(
        id=id,
        client=client.id,
        sequence=sequence,
        kind="sale",
        side=DEBIT,
        amount=amount,
        on=on,
        recorded_at=NOW,
        actor="olena",
        instalments=(Instalment(on, amount, 1, id),),
    )


def payment_of(client: Client, amount: Money, sequence: int) -> Entry:
    """A payment."""
    return attrs.evolve(
        sale_of(client, amount, sequence), kind="payment", side=CREDIT, instalments=()
    )


class StoreContract(ABC):
    """What every store must do. Subclass it as ``TestMyStore`` and implement `open_store`."""

    persistent: ClassVar[bool] = True
    """Whether a store opened again in the same folder holds what was committed."""

    keeps_rows: ClassVar[bool] = True
    """Whether figures are kept as rows, so that a move outside its bounds can be noticed."""

    examples: ClassVar[int] = 25
    """How many random histories are run."""

    steps: ClassVar[int] = 30
    """How many commands a random history has at most."""

    ledgers: ClassVar[int] = 30
    """How many random ledgers are kept, for each hundred examples of Hypothesis's profile."""

    ledger_steps: ClassVar[int] = 40
    """How many steps a random ledger has at most."""

    @abstractmethod
    def open_store(self, folder: Path) -> Store:
        """Open the store that lives in a folder of its own, making it where it is new."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """A fresh store."""
        store = self.open_store(tmp_path)
        yield store
        store.close()

    # ------------------------------------------------------------ units of work

    def test_a_unit_that_ends_cleanly_is_kept(self, store: Store) -> None:
        client, posting = client_posting()
        with store.begin() as unit:
            unit.post(posting)
            assert unit.get(Client, client.id) == client
        with store.snapshot() as reading:
            assert reading.get(Client, client.id) == client

    def test_an_exception_undoes_all_of_a_unit(self, store: Store) -> None:
        client, posting = client_posting()
        with pytest.raises(InterruptedError), store.begin() as unit:
            unit.post(posting)
            raise InterruptedError
        with store.snapshot() as reading:
            assert reading.lookup(Client, client.id) is None

    def test_an_inner_error_undoes_the_inner_unit_alone(self, store: Store) -> None:
        outer, first = client_posting()
        inner, second = client_posting()
        with store.begin() as unit:
            unit.post(first)
            with pytest.raises(InterruptedError), unit.begin() as nested:
                nested.post(second)
                raise InterruptedError
        with store.snapshot() as reading:
            assert reading.find(ClientQuery()) == [outer]
            assert reading.lookup(Client, inner.id) is None

    def test_an_outer_error_undoes_a_finished_inner_unit(self, store: Store) -> None:
        _, posting = client_posting()
        with pytest.raises(InterruptedError), store.begin() as unit:
            with unit.begin() as nested:
                nested.post(posting)
            assert len(unit.find(ClientQuery())) == 1
            raise InterruptedError
        with store.snapshot() as reading:
            assert reading.find(ClientQuery()) == []

    def test_nobody_sees_a_unit_before_it_ends(self, store: Store) -> None:
        client, posting = client_posting()
        with store.begin() as unit:
            unit.post(posting)
            with store.snapshot() as reading:
                assert reading.lookup(Client, client.id) is None

    def test_a_snapshot_does_not_see_what_is_committed_later(self, store: Store) -> None:
        _, posting = client_posting()
        with store.snapshot() as reading:
            assert reading.find(ClientQuery()) == []
            with store.begin() as unit:
                unit.post(posting)
            assert reading.find(ClientQuery()) == []

    def test_a_closed_store_refuses_and_closes_twice(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        store.close()
        store.close()
        with pytest.raises(StoreError), store.begin():
            pass
        with pytest.raises(StoreError), store.snapshot():
            pass

    # ------------------------------------------------------------ conflicts

    def test_what_is_not_there_is_not_found(self, store: Store) -> None:
        with store.snapshot() as reading:
            for kind in (Client, Entry, Head, Event):
                with pytest.raises(NotFound):
                    reading.get(kind, new_id())
            with pytest.raises(NotFound):
                reading.get(Claim, ("command", "none"))
            assert reading.lookup(Settings, Settings().id) is None

    def test_a_head_that_has_moved_on_refuses_the_whole_posting(self, store: Store) -> None:
        client, posting = client_posting()
        head = posting.heads[0].head
        later = HeadStep(attrs.evolve(head, version=2), 1)
        with store.begin() as unit:
            unit.post(posting)
            unit.post(Posting(heads=(later,)))
            other, unwanted = client_posting("Other")
            with pytest.raises(Stale) as caught:
                unit.post(unwanted + Posting(heads=(later,)))
            assert caught.value.passing
            assert unit.find(ClientQuery()) == [client]
            assert unit.get(Head, client.id).version == 2
            assert unit.lookup(Client, other.id) is None

    def test_a_revision_that_has_moved_on_refuses_the_whole_posting(self, store: Store) -> None:
        client, posting = client_posting()
        renamed = attrs.evolve(client, name="Renamed", revision=2)
        with store.begin() as unit:
            unit.post(posting)
            unit.post(Posting(changes=(Change(renamed, 1),)))
            again = attrs.evolve(client, name="Lost", revision=2)
            claim = Claim("external:client:erp", "9", str(client.id))
            with pytest.raises(Stale) as caught:
                unit.post(Posting(claims=(claim,), changes=(Change(again, 1),)))
            assert caught.value.passing
            assert unit.get(Client, client.id) == renamed
            assert unit.lookup(Claim, claim.id) is None

    def test_a_member_who_does_not_stand_refuses_the_whole_posting(self, store: Store) -> None:
        member = Member(id="olena", name="Olena", created_at=NOW)
        left = attrs.evolve(member, active=False, revision=2)
        client, posting = client_posting()
        with store.begin() as unit:
            unit.post(Posting(changes=(Change(member),)))
            unit.post(Posting(stands=(Stand(member), Stand(member))))
            assert unit.get(Member, "olena") == member
            unit.post(Posting(changes=(Change(left, 1),)))
            with pytest.raises(Stale) as caught:
                unit.post(posting + Posting(stands=(Stand(member),)))
            assert caught.value.passing
            assert unit.lookup(Client, client.id) is None
            unit.post(posting + Posting(stands=(Stand(left),)))
            assert unit.get(Client, client.id) == client

    def test_a_new_record_under_a_taken_id_is_refused(self, store: Store) -> None:
        _, posting = client_posting()
        with store.begin() as unit:
            unit.post(posting)
            with pytest.raises(Conflict):
                unit.post(posting)
            assert len(unit.find(ClientQuery())) == 1

    def test_a_claim_is_taken_once_and_can_be_freed(self, store: Store) -> None:
        claim = Claim("number:sale", "INV-1", "a", {"x": "1"})
        other = Claim("number:sale", "INV-1", "b")
        with store.begin() as unit:
            unit.post(Posting(claims=(claim,)))
            client, posting = client_posting()
            with pytest.raises(Duplicate) as caught:
                unit.post(posting + Posting(claims=(other,)))
            assert caught.value.passing
            assert unit.lookup(Client, client.id) is None
            assert unit.get(Claim, claim.id) == claim
            unit.post(Posting(freed=(claim,), claims=(other,)))
            assert unit.get(Claim, other.id).subject == "b"

    def test_claims_compare_byte_for_byte(self, store: Store) -> None:
        keys = ["k", "K", "key", "key ", "José", "Jose\u0301", "Jose", "ß", "ss", "%", "_", "日本"]
        with store.begin() as unit:
            unit.post(Posting(claims=tuple(Claim("command", key, key) for key in keys)))
        with store.snapshot() as reading:
            for key in keys:
                assert reading.get(Claim, ("command", key)).subject == key
            assert [claim.key for claim in reading.find(ClaimQuery())] == sorted(keys)

    def test_a_move_outside_its_bounds_refuses_the_whole_posting(self, store: Store) -> None:
        if not self.keeps_rows:
            return
        client, posting = client_posting()
        amount = Money("10.00", "EUR")
        with store.begin() as unit:
            unit.post(posting + issue(sale_of(client, amount, 1)))
            [item] = unit.find(OpenItemQuery(client=client.id))
            payment = payment_of(client, Money("25.00", "EUR"), 2)
            links = settle([Room(new_items(payment)[0])], [Room(item)])
            stamp = Stamp("olena", NOW, new_id)
            twice = issue(payment) + link(links, stamp) + link(links, stamp)
            with pytest.raises(Conflict) as caught:
                unit.post(twice)
            assert caught.value.passing
            assert unit.find(OpenItemQuery(client=client.id)) == [item]
            assert unit.lookup(Entry, payment.id) is None
            unit.post(issue(payment) + link(links, stamp))
            [free] = unit.find(OpenItemQuery(client=client.id))
            assert free.open == Money("15.00", "EUR")

    # ------------------------------------------------------------ fidelity

    def test_every_value_comes_back_as_it_was_written(self, store: Store) -> None:
        client, posting = client_posting(
            "Ünal & Söhne 株式会社 🙂 \u0301",
            kind="person",
            phones=(Phone("030 901820", "+4930901820", "5"), Phone("junk")),
            emails=(Email("A@B.example", "A@b.example"), Email("no")),
            addresses=(Address(street="a\nb", city="Kyїv", country="UA", postal_code="01001"),),
            contacts=(Contact("Ann", role="boss", phones=(Phone("1"),), note="x\ty"),),
            tax_ids={"VAT": "DE1", "inn": "7"},
            bank_accounts=("DE00", "b"),
            manager="olena",
            tags=("a", "B", "é"),
            attributes={"x": "", "y": "1"},
            note="line\r\nline \\ % _ ' \" ; --",
            external_ids={"erp": "C-1"},
        )
        unit_of = Currency("OLD1", 8)
        sale = attrs.evolve(
            sale_of(client, Money.from_minor(MAX_MINOR, unit_of), 1, date(1900, 1, 1)),
            number="№ 1",
            method="m",
            reason="r",
            agreements=(new_id(),),
            external_ids={"erp": "S-1"},
            lines=(
                EntryLine(
                    name="beans",
                    quantity=Decimal("0.333333"),
                    price=Decimal("12345.12345678"),
                    sku="B-1",
                    discount_percent=Decimal("12.50"),
                    discount=Money.from_minor(1, unit_of),
                    tax=Money.from_minor(0, unit_of),
                    total=Money.from_minor(MAX_MINOR, unit_of),
                ),
                EntryLine(
                    name="x",
                    quantity=Decimal(0),
                    price=Decimal("1E+3"),
                    total=Money.from_minor(0, unit_of),
                ),
            ),
        )
        records = (
            Member(id="olena", name="Olena", email="o@x.example", phone="+491", created_at=NOW),
            Interaction(
                id=new_id(), client=client.id, kind="call", summary="s", at=NOW, direction="in",
                contact="Ann", body="b", outcome="o", by="olena", recorded_at=NOW,
                external_ids={"pbx": "1"},
            ),
            Agreement(
                id=new_id(), client=client.id, kind="price", text="t", percent=Decimal("5.50"),
                amount=Money("1.5", "KWD"), sku="B", terms="net 30", interaction=new_id(),
                by="olena", valid_from=DAY, valid_until=DAY, withdrawn_on=DAY,
                withdrawn_because="w", recorded_at=NOW,
            ),
            Task(
                id=new_id(), title="t", client=client.id, kind="k", due_on=DAY, due_at=NOW,
                assignee="olena", remind=NOW, about=sale.id, note="n", status="done", outcome="o",
                by="olena", created_at=NOW, closed_at=NOW, external_ids={"x": "1"},
            ),
            Task(id=new_id(), title="bare", by="olena", created_at=NOW),
            Settings(currency="EUR", currencies=(unit_of,), region="DE", revision=1),
        )  # fmt: skip
        event = Event(
            id=new_id(), type="client.added", subject=str(client.id), client=client.id,
            actor="olena", at=NOW, data={"before": {"a": [1, None, "é"]}, "after": {}},
        )  # fmt: skip
        changes = Posting(changes=tuple(Change(record) for record in records), facts=(event,))
        with store.begin() as unit:
            unit.post(posting + issue(sale) + changes)
        with store.snapshot() as reading:
            assert reading.get(Client, client.id) == client
            assert reading.get(Entry, sale.id) == sale
            assert reading.get(Event, event.id) == event
            for record in records:
                assert reading.get(type(record), record.id) == record
            found = reading.get(Entry, sale.id)
            assert str(found.lines[1].price) == "1E+3"
            assert str(found.lines[0].discount_percent) == "12.50"
            compare_answers(reading)

    def test_amounts_at_the_limit_add_up(self, store: Store) -> None:
        client, posting = client_posting()
        amount = Money.from_minor(MAX_MINOR, "JPY")
        with store.begin() as unit:
            unit.post(posting)
            for n in range(1, 31):
                unit.post(issue(sale_of(client, amount, n)))
            [row] = unit.find(BalanceQuery(client=client.id))
            assert row.owed.minor == 30 * MAX_MINOR
            assert unit.total(EntryQuery(client=client.id)) == 30

    def test_many_ids_can_be_asked_for_at_once(self, store: Store) -> None:
        client, posting = client_posting()
        ids = tuple(new_id() for _ in range(5000))
        with store.begin() as unit:
            unit.post(posting)
            assert unit.find(ClientQuery(ids=(*ids, client.id))) == [client]
            assert unit.find(ClientQuery(ids=())) == []

    # ------------------------------------------------------------ the feed

    def test_positions_have_no_gaps_and_keep_the_order_of_a_client(self, store: Store) -> None:
        client, posting = client_posting()

        def tell() -> Event:
            return Event(id=new_id(), type="x", subject="s", client=client.id, actor="o", at=NOW)

        first, lost, second = tell(), tell(), tell()
        with store.begin() as unit:
            unit.post(posting + Posting(facts=(first,)))
        with suppress(InterruptedError), store.begin() as unit:
            unit.post(Posting(facts=(lost,)))
            raise InterruptedError
        assert store.sequence() == 1
        with store.begin() as unit:
            unit.post(Posting(facts=(second,)))
        with store.snapshot() as reading:
            assert reading.get(Event, second.id).position is None
        assert store.sequence() == 1
        assert store.sequence() == 0
        with store.snapshot() as reading:
            found = reading.find(EventQuery(sequenced=True))
            assert [(event.id, event.position) for event in found] == [
                (first.id, 1),
                (second.id, 2),
            ]
            assert found[0] == attrs.evolve(first, position=1)

    def test_a_seal_comes_back_and_its_position_takes_no_other(self, store: Store) -> None:
        _, posting = client_posting()
        events = tuple(
            Event(id=new_id(), type="x", subject="s", actor="o", at=NOW) for _ in range(3)
        )
        with store.begin() as unit:
            unit.post(posting + Posting(facts=events))
        store.sequence()
        seals = tuple(
            Seal(
                position=n, digest=f"{n:064x}", personal="a" * 64, salt="b" * 64 if n < 3 else None
            )
            for n in (1, 2, 3)
        )
        with store.begin() as unit:
            unit.post(Posting(facts=seals))
            other = attrs.evolve(seals[1], digest="c" * 64)
            client, unwanted = client_posting("Other")
            with pytest.raises(Conflict) as caught:
                unit.post(unwanted + Posting(facts=(other,)))
            assert caught.value.passing
            assert unit.lookup(Client, client.id) is None
        with store.snapshot() as reading:
            assert reading.get(Seal, 2) == seals[1]
            assert reading.lookup(Seal, 4) is None
            assert reading.find(SealQuery()) == list(seals[::-1])
            assert reading.find(SealQuery(since=2, limit=1)) == [seals[2]]
            assert reading.find(SealQuery(until=2)) == [seals[1], seals[0]]

    # ------------------------------------------------------------ derived rows

    def test_derived_rows_are_written_anew_from_the_facts(self, store: Store) -> None:
        book = Book(store, actor="olena")
        client, other = book.clients.add("Acme"), book.clients.add("Other")
        for one in (client, other):
            book.ledger.record_sale(one, [("Beans", 3, "9.90")], currency="EUR", on=DAY)
            book.ledger.record_payment(one, "5.00 EUR", on=DAY)
            book.interactions.log(one, "call", "x")
        stray = issue(sale_of(client, Money("7.00", "EUR"), 9)).moves
        ledger: list[LedgerQuery[Any]] = [
            BalanceQuery(),
            OpenItemQuery(open_only=False),
            PurchaseDayQuery(),
        ]
        queries: list[FigureQuery[Any]] = [*ledger, TimelineQuery()]
        with store.begin() as unit:
            unit.post(Posting(moves=stray))
            assert (unit.find(queries[0]) != unit.compute(queries[0])) is self.keeps_rows
            unit.rederive(client.id)
            for query in queries:
                assert unit.find(query) == unit.compute(query)
        with store.snapshot() as reading:
            for query in queries:
                assert reading.find(query) == reading.compute(query)
            for asked in ledger:
                dated = attrs.evolve(asked, known_at=NOW)
                assert reading.find(dated) == reading.compute(dated)

    def test_a_repair_leaves_a_book_in_order(self, store: Store) -> None:
        book = Book(store, actor="olena")
        client = book.clients.add("Acme")
        book.ledger.record_sale(client, "5.00 EUR", on=DAY)
        assert book.repair().rebuilt == ()
        stray = issue(attrs.evolve(sale_of(client, Money("7.00", "EUR"), 9), lines=())).moves
        with store.begin() as unit:
            unit.post(Posting(moves=stray))
        repair = book.repair()
        assert (bool(repair.rebuilt), repair.left) == (self.keeps_rows, ())
        assert book.verify().problems == ()
        told = [event.type for event in book.clients.history(client)]
        assert ("book.repaired" in told) is self.keeps_rows

    # ------------------------------------------------------------ many at once

    def test_writers_at_once_lose_nothing(self, store: Store) -> None:
        book = Book(store, actor="olena")
        client = book.clients.add("Acme")
        failures: list[BaseException] = []

        def work(n: int) -> None:
            try:
                for i in range(8):
                    number = f"{n}-{i}"
                    book.ledger.record_sale(client, "1.00 EUR", on=DAY, number=number)
                    book.ledger.record_payment(client, "0.75 EUR", on=DAY)
            except BaseException as failure:  # noqa: BLE001 - told to the main thread
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [failure for failure in failures if not isinstance(failure, Busy)] == []
        assert failures == []
        account = book.ledger.account(client, "EUR", as_of=DAY)
        assert account.balance == Money("8.00", "EUR")
        assert book.verify().ok

    # ------------------------------------------------------------ histories

    def test_a_store_opened_again_holds_the_same_book(self, tmp_path: Path) -> None:
        if not self.persistent:
            return
        book = Book(self.open_store(tmp_path), actor="olena")
        client = book.clients.add("Acme", tags=["x"], phones=["+49 30 901820"])
        sale = book.ledger.record_sale(client, [("Beans", 3, "9.90")], currency="EUR", on=DAY)
        book.ledger.record_payment(client, "5.00 EUR", on=DAY, key="once")
        before = (book.card(client, as_of=DAY), [event.cursor for event in book.changes()])
        book.close()
        again = Book(self.open_store(tmp_path), actor="olena")
        after = (again.card(client, as_of=DAY), [event.cursor for event in again.changes()])
        assert after == before
        assert again.ledger.get(sale) == sale
        assert again.outcome("once").recorded
        assert again.verify().ok
        again.close()

    def test_random_histories_give_the_answers_of_the_definition(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        def fresh() -> Store:
            return self.open_store(tmp_path_factory.mktemp("history"))

        class History(BookHistory):
            make_store = staticmethod(fresh)

        run_state_machine_as_test(
            History,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=self.steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    def test_random_ledgers_keep_every_rule(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        def fresh() -> Store:
            return self.open_store(tmp_path_factory.mktemp("ledger"))

        class Ledgers(LedgerHistory):
            make_store = staticmethod(fresh)
            keeps_rows = self.keeps_rows

        run_state_machine_as_test(
            Ledgers,
            settings=settings(
                max_examples=self.ledgers * settings().max_examples // 100,
                stateful_step_count=self.ledger_steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
