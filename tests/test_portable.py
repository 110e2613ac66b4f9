"""What leaves can come back: a dump, loaded into any other store, is the same book."""

import hashlib
import io
import itertools
import json
import re
import sys
import tracemalloc
from collections.abc import Callable
from decimal import ROUND_DOWN, Context, localcontext
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from examples import northwind
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.books import (
    KINDS,
    Clock,
    ContestedStore,
    FailingStore,
    HinderedStore,
    audit,
    day,
    in_memory,
    new_book,
    rows,
    undone,
    url_of,
)
from tests.dumps import assert_same, body, compact, dumped, load, sealed
from tests.stocked import stocked

from clientledger import (
    Book,
    Busy,
    Currency,
    Duplicate,
    InvalidValue,
    KeyReused,
    MemoryStore,
    NotAllowed,
    NumberTaken,
    PeriodClosed,
    StoreError,
    open_book,
)
from clientledger.ports import Change, Posting, Seal, Store, UnitOfWork
from clientledger.testing import BookHistory, LedgerHistory


def full(book: Book) -> Book:
    """A book with something of every kind in it, and in settings of its own."""
    shop = stocked(book)
    acme, told = shop.acme, {"erp": "7"}
    book.change_settings(currencies=[Currency("DEM", 3)], company="Rösterei", region="DE")
    book.ledger.record_sale(acme, "40.125 DEM", on=day(-3), key="k-dem")
    call = book.interactions.log(
        acme, "call", "Preis?", body="two\nlines\t“”", contact="E\u0301", external_ids=told
    )
    book.interactions.revise(call, summary="Preise!")
    book.agreements.promise(acme, "credit limit", "frame", amount="9.125 DEM", external_ids=told)
    kept = book.agreements.promise(acme, "discount", "5 %", percent="2.50", interaction=call)
    book.agreements.withdraw(kept, reason="over")
    book.team.add("petro", "Петро")
    book.tasks.add("Call", client=acme, due=day(3), assignee="petro", external_ids=told)
    book.tasks.complete(book.tasks.add("Clean up"), "done")
    book.clients.update(acme, phones=["030 901820"], note="🙂 = 1+1", tags=["a", "b"])
    book.team.hand_over("olena", "petro", reason="holiday")
    book.change_settings(currencies=[Currency("DEM", 3), Currency("XEN", 8)])
    return book


@pytest.fixture
def source(book: Book) -> Book:
    return full(book)


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    (tmp_path / "target").mkdir()
    with new_book(request.param, tmp_path / "target") as opened:
        yield opened


# ------------------------------------------------------------ what is in it
def test_a_dump_is_lines_of_json_in_order_with_a_last_one_that_counts_them(source: Book) -> None:
    data = dumped(source)
    *lines, end = data.decode().splitlines(keepends=True)
    records = [json.loads(line) for line in lines]
    assert records[0] == {"format": "clientledger book", "version": 1}
    told = json.loads(end)["end"]
    assert told["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    kinds = [kind for record in records[1:] for kind in record]
    assert len(kinds) == len(lines) - 1
    assert told["counts"] == {kind: kinds.count(kind) for kind in told["counts"]}
    there = {name.lower(): len(found) for name, found in rows(source).items()}
    assert told["counts"] == there
    assert [kind for kind, number in there.items() if not number] == ["seal"]
    assert all(line == compact(record) + "\n" for line, record in zip(lines, records, strict=True))
    assert list(dict.fromkeys(kinds)) == [
        "settings", "member", "client", "interaction", "agreement", "entry", "allocation",
        "release", "head", "task", "claim", "event",
    ]  # fmt: skip
    assert data == sealed(body(data))


def test_what_is_computed_is_not_in_it_and_amounts_say_their_decimals(source: Book) -> None:
    lines = [json.loads(line) for line in body(dumped(source))[1:]]
    links = [line["allocation"] for line in lines if "allocation" in line]
    assert links
    assert all("live" not in link for link in links)
    texts = compact(lines)
    assert '"amount":"40.125","currency":"DEM","digits":3' in texts
    assert '"amount":"100.00","currency":"EUR","digits":2' in texts
    assert not re.search(r'"(open_item|balance|owed|overdue|prepaid)', texts)


def test_what_dump_returns_is_what_load_returns_and_what_the_last_line_says(source: Book) -> None:
    file = io.BytesIO()
    made = source.dump(file)
    again = in_memory().load(io.BytesIO(file.getvalue()))
    end = json.loads(file.getvalue().splitlines()[-1])["end"]
    assert made == again
    assert dict(made.counts) == end["counts"]
    assert made.sha256 == end["sha256"]


def test_the_host_s_decimal_context_changes_no_byte(source: Book) -> None:
    data = dumped(source)
    with localcontext(Context(prec=1, rounding=ROUND_DOWN)):
        assert dumped(source) == data
        assert dumped(load(in_memory(), data)) == data


def test_an_empty_book_is_a_book(book: Book, target: Book) -> None:
    data = dumped(book)
    assert len(data.splitlines()) == 2
    assert dumped(load(target, data)) == data
    target.clients.add("Acme")
    assert target.verify().ok


# ------------------------------------------------------------ there and back
def test_a_copy_is_the_same_book(source: Book, target: Book) -> None:
    data = dumped(source)
    load(target, data)
    assert dumped(target) == data
    assert target.verify().problems == ()
    assert_same(source, target)
    for client in target.clients.find(archived=None):
        audit(target, client.id)
        assert target.card(client.id) == source.card(client.id)
        assert target.clients.history(client.id) == source.clients.history(client.id)


def test_a_copy_of_a_copy_in_another_store_is_the_same_book(tmp_path: Path) -> None:
    data = dumped(full(in_memory()))
    for number, kind in enumerate([*KINDS, *reversed(KINDS)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with new_book(kind, folder) as copy:
            assert dumped(load(copy, data)) == data


def test_the_northwind_shop_comes_back(tmp_path: Path) -> None:
    shop = open_book("memory:", actor="olena")
    northwind.build(shop)
    data = dumped(shop)
    with new_book(KINDS[-1], tmp_path) as copy:
        load(copy, data)
        assert dumped(copy) == data
        assert copy.verify().ok
        on = northwind.AS_OF
        for book in (shop, copy):
            assert len(book.clients.find()) == 91
        assert copy.insights.debtors(as_of=on) == shop.insights.debtors(as_of=on)
        assert copy.insights.ageing(as_of=on) == shop.insights.ageing(as_of=on)
        assert copy.insights.best_clients(until=on) == shop.insights.best_clients(until=on)
        assert copy.insights.dormant(as_of=on) == shop.insights.dormant(as_of=on)
        assert copy.tasks.agenda(until=on) == shop.tasks.agenda(until=on)


def test_a_copy_goes_on_as_the_book_would(source: Book, target: Book) -> None:
    load(target, dumped(source))
    feed = source.changes(limit=None)
    assert target.changes(limit=None) == feed
    assert target.outcome("k-sale") == source.outcome("k-sale")
    assert target.outcome("k-sale").recorded
    acme = target.clients.get(source.clients.find("acme")[0].id)
    beans: dict[str, Any] = {
        "currency": "EUR", "on": day(-20), "due": day(-5), "number": "N-1",
        "use_prepayments": False, "external_ids": {"erp": "1"}, "key": "k-sale",
    }  # fmt: skip
    again = target.ledger.record_sale(acme, [("Beans", 10, "10.00")], **beans)
    assert str(again.id) == source.outcome("k-sale").result
    with pytest.raises(KeyReused):
        target.ledger.record_sale(acme, "1 EUR", key="k-sale")
    with pytest.raises(NumberTaken):
        target.ledger.record_sale(acme, "1 EUR", number="N-1")
    with pytest.raises(Duplicate):
        target.ledger.record_sale(acme, "1 EUR", external_ids={"erp": "1"})
    with pytest.raises(PeriodClosed):
        target.ledger.record_sale(acme, "1 EUR", on=day(-100))
    assert target.changes(limit=None) == feed
    target.ledger.record_payment(acme, "1 EUR")
    later = target.changes(after=feed[-1].cursor)
    assert [event.position for event in later] == [len(feed) + 1 + n for n in range(len(later))]
    assert later
    assert target.verify().ok


def test_a_copy_takes_the_commands_that_the_book_takes(source: Book, tmp_path: Path) -> None:
    """Whatever is settled, released and voided afterwards leaves the same figures in both."""
    copy = load(in_memory(), dumped(source))
    for book in (source, copy):
        book.ledger.record_payment(source.clients.find("acme")[0].id, "250 EUR", on=day(-1))
        for entry in book.ledger.find(kind="sale"):
            if entry.on > day(-99) and entry.currency == "EUR":
                book.ledger.void(entry, reason="again")
    for client in source.clients.find(archived=None):
        assert copy.ledger.accounts(client) == source.ledger.accounts(client)
        audit(copy, client.id)


def test_the_loader_writes_nothing_of_its_own(source: Book) -> None:
    copy = Book(MemoryStore(), actor="stranger", clock=Clock())
    load(copy, dumped(source))
    assert {member.key for member in copy.team.find()} == {"olena", "petro"}
    assert len(copy.changes(limit=None)) == len(source.changes(limit=None))


def test_lists_longer_than_a_page_come_back_whole(target: Book) -> None:
    long = in_memory()
    with long.atomic() as unit:
        acme, *_ = (unit.clients.add(f"Client {n}", key=f"c{n}") for n in range(3))
        for n in range(1100):
            unit.interactions.log(acme, "note", f"number {n}")
        for n in range(501):
            unit.team.add(f"m{n}", "Member")
            unit.tasks.add(f"task {n}", key=f"t{n}", due=day(1) if n % 3 else None)
    data = dumped(long)
    assert dumped(load(target, data)) == data
    assert len(target.interactions.timeline(acme)) == len(long.interactions.timeline(acme)) > 1100


def test_a_currency_that_left_the_list_of_iso_comes_back(source: Book, target: Book) -> None:
    """The book says its decimals, whatever the installed list of currencies knows."""
    lines = [line.replace('"EUR"', '"QQE"') for line in body(dumped(source))]
    data = sealed(lines)
    load(target, data)
    assert dumped(target) == data
    acme = source.clients.find("acme")[0]
    account = source.ledger.account(acme, "EUR")
    assert target.ledger.accounts(acme)["QQE"].balance.amount == account.balance.amount
    assert target.verify().ok


@pytest.fixture
def chained() -> Book:
    """A book with a hash chain."""
    book = full(in_memory())
    book.change_settings(hash_chain=True)
    return book


def test_the_hash_chain_comes_back_and_an_anchor_from_before_fits(
    chained: Book, target: Book
) -> None:
    data = dumped(chained)
    assert data.count(b'{"seal":') == len(chained.changes(limit=None))
    anchor = chained.anchor()
    load(target, data)
    assert dumped(target) == data
    assert target.anchor() == anchor
    report = target.verify(anchor)
    assert report.problems == ()
    assert report.sealed == len(target.changes(limit=None))


def test_what_was_changed_on_the_way_does_not_fit_the_anchor(chained: Book, target: Book) -> None:
    anchor = chained.anchor()
    lines = [line.replace('"method":""', '"method":"cash"') for line in body(dumped(chained))]
    load(target, sealed(lines))
    assert not target.verify(anchor).ok


def test_a_seal_whose_salt_was_forgotten_comes_back_without(chained: Book, target: Book) -> None:
    lines = [re.sub('"salt":"[0-9a-f]*"', '"salt":null', line) for line in body(dumped(chained))]
    data = sealed(lines)
    load(target, data)
    assert dumped(target) == data
    assert target.verify(chained.anchor()).problems == ()
    assert target.verify().forgotten == target.verify().sealed > 0


class Unsealed(HinderedStore):
    """A store that takes no seals."""

    def write(self, unit: UnitOfWork, posting: Posting) -> None:
        if posting.of(Seal):
            raise StoreError("the disk is full")
        unit.post(posting)


def test_seals_that_cannot_be_written_leave_nothing(chained: Book) -> None:
    copy = Book(Unsealed())
    with pytest.raises(StoreError, match="disk is full"):
        load(copy, dumped(chained))
    assert not any(rows(copy).values())


# ------------------------------------------------------------ any history
def copied(book: Book, kinds: list[str], folder: Path, numbers: Any) -> None:
    data = dumped(book)
    for kind in kinds:
        place = folder / str(next(numbers))
        place.mkdir()
        with new_book(kind, place) as copy:
            load(copy, data)
            assert dumped(copy) == data
            report = copy.verify()
            assert report.ok, "\n".join(map(str, report.problems))
            assert_same(book, copy)


def machine(base: Any, folder: Path, **fields: Any) -> Any:
    """A random history whose book is copied in the end, in place of what it checks itself."""
    numbers = itertools.count()

    def teardown(self: Any) -> None:
        try:
            if sys.exc_info()[0] is None:
                copied(self.book, KINDS, folder, numbers)
        finally:
            self.store.close()

    return type("Copied", (base,), {"teardown": teardown, **fields})


@pytest.mark.parametrize("base", [BookHistory, LedgerHistory], ids=lambda base: base.__name__)
def test_any_history_comes_back(base: Any, tmp_path: Path) -> None:
    def make_store() -> Store:
        number = len(list(tmp_path.glob("s*")))
        place = tmp_path / f"s{number}"
        place.mkdir()
        store = open_book(url_of(KINDS[-1], place))._desk.scope
        assert isinstance(store, Store)
        return store

    # Of BookHistory both stores are asked for each page, so their dumps are the same bytes.
    fields = {"make_store": staticmethod(make_store)} if base is BookHistory else {}
    run_state_machine_as_test(
        machine(base, tmp_path, **fields),
        settings=settings(
            max_examples=12,
            stateful_step_count=35,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# ------------------------------------------------------------ where it is not possible
def test_only_an_empty_book_is_loaded_into(source: Book, target: Book) -> None:
    data = dumped(source)
    target.team.add("olena", "Olena")
    before = rows(target)
    with pytest.raises(NotAllowed, match=r"book: the book is not empty .*member") as caught:
        load(target, data)
    assert "new" in caught.value.remedy
    assert rows(target) == before


@pytest.mark.parametrize(
    "fill",
    [
        lambda book: book.change_settings(region="DE"),
        lambda book: book.clients.add("Acme"),
        lambda book: book.tasks.add("something"),
    ],
)
def test_whatever_is_in_a_book_makes_it_full(fill: Any) -> None:
    book = in_memory()
    fill(book)
    with pytest.raises(NotAllowed):
        load(book, dumped(in_memory()))


def test_a_load_within_a_unit_of_work_falls_with_it(source: Book, target: Book) -> None:
    data = dumped(source)
    with undone(target) as unit:
        load(unit, data)
        assert unit.verify().ok
    assert not any(rows(target).values())
    with target.atomic() as unit:
        load(unit, data)
    assert dumped(target) == data


def test_a_store_that_fails_at_the_end_holds_nothing(source: Book) -> None:
    data = dumped(source)
    store = FailingStore()
    store.fails = True
    with pytest.raises(StoreError, match="disk is full"):
        load(Book(store), data)
    store.fails = False
    assert not any(rows(Book(store)).values())


def test_another_writer_who_was_quicker_makes_it_busy(source: Book) -> None:
    data = dumped(source)
    store = ContestedStore()
    store.conflicts = 1
    with pytest.raises(Busy):
        load(Book(store), data)
    assert not any(rows(Book(store)).values())
    assert dumped(load(Book(store), data)) == data


def test_a_book_that_another_one_holds_is_busy_as_always(source: Book) -> None:
    data = dumped(source)
    store = MemoryStore(wait=0.01)
    with store.begin(), pytest.raises(Busy, match="has held the book"):
        load(Book(store), data)
    assert dumped(load(Book(store), data)) == data


def test_a_dump_that_would_lack_something_is_refused() -> None:
    """A book in which something belongs to nobody is damaged; no dump hides that."""
    book = in_memory()
    call = book.interactions.log(book.clients.add("Acme"), "call", "Beans?")
    lost = attrs.evolve(call, id=uuid4(), client=uuid4())
    with book._desk.scope.begin() as unit:
        unit.post(Posting(changes=(Change(lost),)))
    with pytest.raises(StoreError, match=r"2 lines of kind interaction, of which 1 .*verify"):
        dumped(book)


def test_what_is_written_meanwhile_is_not_in_a_dump(book: Book) -> None:
    full(book)
    before = dumped(book)

    class Slow(io.BytesIO):
        lines = 0

        def write(self, data: Any) -> int:
            self.lines += 1
            if self.lines in (3, 30, 100):
                book.clients.add("Late")
            return super().write(data)

    file = Slow()
    book.dump(file)
    assert file.lines > 100
    assert file.getvalue() == before
    assert len(book.clients.find("late")) == 3
    assert dumped(book) != before


def test_events_without_a_place_are_given_one_or_the_dump_is_refused(tmp_path: Path) -> None:
    with new_book(KINDS[-1], tmp_path) as book:
        book.clients.add("Acme")
        with book.atomic() as unit:
            unit.clients.add("Beta")
            with pytest.raises(NotAllowed, match="position in the feed"):
                dumped(unit)
        if KINDS[-1] != "memory":
            with open_book(url_of(KINDS[-1], tmp_path), read_only=True) as reader:
                file = io.BytesIO()
                with pytest.raises(NotAllowed, match="position in the feed"):
                    reader.dump(file)
                assert file.getvalue() == b""
                data = dumped(book)
                assert dumped(reader) == data
        with book.atomic() as unit:
            assert dumped(unit) == dumped(book)
        assert len(book.changes(limit=None)) == 3


class Endless(MemoryStore):
    """A store in which somebody else writes as soon as all events have their places."""

    def sequence(self) -> int:
        given = super().sequence()
        Book(self, clock=Clock()).clients.add("Acme")
        return given


def test_a_dump_waits_for_no_end_of_writing() -> None:
    store = Endless()
    with pytest.raises(Busy):
        Book(store, clock=Clock()).dump(io.BytesIO())


@pytest.mark.parametrize("file", [io.StringIO(), None, "clients.jsonl"])
def test_what_takes_or_gives_no_bytes_is_refused(file: Any) -> None:
    for call in (in_memory().dump, in_memory().load):
        with pytest.raises(InvalidValue, match="file: not a file that"):
            call(file)


class Short(io.BytesIO):
    """A file that takes only a part."""

    def write(self, data: Any) -> int:
        return super().write(data[:5])


def test_a_file_that_takes_less_than_all_is_noticed() -> None:
    with pytest.raises(OSError, match="only 5 of"):
        in_memory().dump(Short())


# ------------------------------------------------------------ memory
UUIDS = re.compile(r"(?<=\")[0-9a-f]{8}-[0-9a-f]{4}(?=-7[0-9a-f]{3}-[89ab])")


def with_clients(number: int, path: Path) -> None:
    """Write the dump of a book of so many clients, each with a sale and a task."""
    one = in_memory()
    acme = one.clients.add("Acme", note="n" * 3000)
    one.ledger.record_sale(acme, "29.70 EUR", due=day(9))
    one.tasks.add("Call", client=acme)
    first, *lines = body(dumped(one))
    team = [line for line in lines if line.startswith('{"member"')]
    tasks = [line for line in lines if line.startswith('{"task"')]
    events = [line for line in lines if line.startswith('{"event"')]
    own = [line for line in lines if line not in (*team, *tasks, *events)]
    later = [
        UUIDS.sub(lambda found, n=n: _later(found[0], n), line)  # type: ignore[misc]  # n is of the loop
        for part in (own, tasks, events)
        for n in range(number)
        for line in part
    ]
    position = itertools.count(1)
    later = [
        re.sub(r'"position":\d+', lambda _: f'"position":{next(position)}', line) for line in later
    ]
    path.write_bytes(sealed([first, *team, *later]))


def _later(prefix: str, n: int) -> str:
    text = f"{int(prefix.replace('-', ''), 16) + n:012x}"
    return f"{text[:8]}-{text[8:]}"


class Nowhere(io.BytesIO):
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


def peak(call: Callable[[], object]) -> int:
    """The most bytes that Python held at once during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.skipif("sqlite" not in KINDS, reason="in memory all of a book is in memory")
def test_a_book_twice_as_large_needs_no_more_memory(tmp_path: Path) -> None:
    peaks: list[tuple[int, int]] = []
    for number in (10, 500, 1000):  # the first one only loads and prepares what is used
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "book.jsonl"
        with_clients(number, path)
        with new_book("sqlite", folder) as book, path.open("rb") as file:
            peaks.append((peak(partial(book.load, file)), peak(partial(book.dump, Nowhere()))))
            assert dumped(book) == path.read_bytes()
    _, small, large = peaks
    # There are over 2 MB more to read and to write; only caches of ids keep anything of them.
    assert large[0] - small[0] < 1_000_000, peaks
    assert large[1] - small[1] < 1_000_000, peaks
