"""Random histories of a book, run on a store and on its definition at once.

Every command and every question of the history goes to `MemoryStore` and to the store under test
(`PairedStore`), so that each answer is compared. In between, every record set is asked with random
filters, every figure is compared with the domain's functions, and the book is audited.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from clientledger.book import Book
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import Allocation, Entry, Line, Release
from clientledger.domain.money import MAX_MINOR, Money
from clientledger.domain.tasks import Task
from clientledger.errors import ClientLedgerError
from clientledger.memory import MemoryStore
from clientledger.ports import (
    RECORD_SETS,
    BalanceQuery,
    EntryQuery,
    LedgerQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Query,
    Reading,
    Store,
    TimelineQuery,
)
from clientledger.testing.paired import PairedStore

__all__ = ["BookHistory", "compare_answers"]

_START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAYS = st.integers(-40, 40).map(lambda n: date(2026, 2, 28) + timedelta(days=n))
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "JPY", "KWD"])
# Boundaries find what uniform numbers miss: the smallest, around one another, the largest.
MINORS = st.sampled_from([1, 2, 99, 100, 101, 999, 1000, 5000, 900_001, MAX_MINOR - 1, MAX_MINOR])
PARTS = st.sampled_from([1, 2, 99, 100, 1000, 5000])
NAMES = st.sampled_from(
    [
        "Acme GmbH",
        "acme gmbh",
        "Ünal",
        "Иванов и сыновья",
        "株式会社",
        "O'Brien %_\\",
        "🙂 shop",
        "Z",
    ]
)
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip() != "" and not any("\u202a" <= c <= "\u2069" for c in text))


def compare_answers(reading: Reading) -> None:
    """Ask a store everything, and compare with the definition: the queries' own `select`."""
    for query_of in RECORD_SETS.values():
        everything = query_of()
        rows = reading.find(everything)
        assert rows == everything.select(rows), f"{query_of.__name__}: wrong order"
        assert reading.examine(everything) == (rows, []), f"{query_of.__name__}: not readable"
        _compare_pages(reading, everything, rows)
        for narrowed in _narrowed(everything, rows):
            assert reading.find(narrowed) == narrowed.select(rows), f"{narrowed}"
            counted = _with(narrowed, limit=None).select(rows)
            assert reading.total(narrowed) == len(counted), f"{narrowed}"
    assert reading.strays() == []
    figures: list[LedgerQuery[Any]] = [
        BalanceQuery(),
        OpenItemQuery(open_only=False),
        PurchaseDayQuery(),
    ]
    for figure in figures:
        for asked in (figure, *_figure_days(figure, reading)):
            found = reading.find(asked)
            assert found == reading.compute(asked), f"{asked}"
            _compare_pages(reading, asked, found)
    shown = reading.find(TimelineQuery())
    for row in (None, *shown[:: max(1, len(shown) // 3)]):
        part = TimelineQuery() if row is None else TimelineQuery(until=row.at, dated_until=row.on)
        rows = reading.find(part)
        assert rows == reading.compute(part), f"{part}"
        _compare_pages(reading, part, rows)


def _compare_pages(reading: Reading, query: Query[Any], rows: list[Any]) -> None:
    """Pages of two, one after the other, lose nothing and repeat nothing."""
    paged: list[Any] = []
    after = None
    for _ in range(4):
        part = reading.find(attrs.evolve(query, limit=2, after=after))
        paged += part
        if len(part) < 2:
            break
        after = query.cursor(part[-1])
    assert paged == rows[: len(paged)], f"{query}: a page lost or repeated a row"
    assert len(paged) == min(len(rows), max(len(paged), 8)), f"{query}: pages end early"


Q = TypeVar("Q", bound=Query[Any])


def _with(query: Q, **filters: Any) -> Q:
    return attrs.evolve(query, **filters)


def _narrowed(query: Query[Any], rows: list[Any]) -> list[Query[Any]]:
    """The query with each filter set to what some of the rows have."""
    found: list[Query[Any]] = []
    for row in rows[:: max(1, len(rows) // 3)]:
        told = {field.name: getattr(row, field.name, None) for field in attrs.fields(type(query))}
        for name, value in told.items():
            if (
                value is not None
                and not callable(value)
                and name
                not in (
                    "undoes",
                    "replaces",
                )
            ):
                found.append(_with(query, **{name: value}))
        match row:
            case Client():
                texts = [row.name, row.name[:2], row.name.upper(), "no such", "%", "_"]
                found += [_with(query, text=text) for text in texts]
                found += [_with(query, tag=tag) for tag in row.tags]
                found += [_with(query, phone=str(phone)) for phone in row.phones]
                found += [_with(query, ids=(row.id,)), _with(query, archived=False)]
            case Agreement():
                found += [_with(query, valid_on=row.valid_from)]
            case Task():
                found += [_with(query, due_until=row.due_on), _with(query, status="open")]
            case Allocation() | Release():
                found += [_with(query, touching=(row.credit,)), _with(query, touching=(row.debit,))]
            case Entry():
                found += [
                    _with(query, since=row.on),
                    _with(query, until=row.on),
                    _with(query, excluding=(row.id,)),
                    _with(query, undoes=(row.undoes or row.id,)),
                    _with(query, replaces=(row.replaces or row.id,)),
                    _with(query, kind="sale", client=row.client, limit=1),
                ]
    return found


def _figure_days(figure: LedgerQuery[Any], reading: Reading) -> list[LedgerQuery[Any]]:
    days = [date(2026, 2, 28) + timedelta(days=n) for n in (-40, -1, 0, 1, 40)]
    found = [_with(figure, as_of=day) for day in days]
    moments = [entry.recorded_at for entry in reading.find(EntryQuery())]
    if moments:
        middle = sorted(moments)[len(moments) // 2]
        found += [_with(figure, known_at=middle), _with(figure, known_at=middle, as_of=days[2])]
    return found


class BookHistory(RuleBasedStateMachine):
    """A random history of commands; subclasses say how a fresh store is made."""

    clients = Bundle("clients")
    sales = Bundle("sales")
    payments = Bundle("payments")
    links = Bundle("links")
    tasks = Bundle("tasks")
    agreements = Bundle("agreements")
    interactions = Bundle("interactions")

    make_store: Callable[[], Store] = MemoryStore

    def __init__(self) -> None:
        super().__init__()
        self.store = PairedStore(MemoryStore(), type(self).make_store())
        self._moment = _START
        self.book = Book(self.store, actor="olena", clock=self._now)
        self.added = 0

    def _now(self) -> datetime:
        self._moment += timedelta(seconds=7)
        return self._moment

    def _try(self, command: Callable[..., Any], *given: Any, **told: Any) -> Any:
        """Run a command; a refusal is an answer too, and the pair has compared it."""
        try:
            return command(*given, **told)
        except ClientLedgerError:
            return None

    def _made(self, value: Any) -> Any:
        return multiple() if value is None else value

    @initialize(target=clients)
    def begin(self) -> Any:
        self.book.team.add("olena", "Olena")
        self.book.team.add("petro", "Petro")
        return multiple(*(self.book.clients.add(name) for name in ("Acme GmbH", "Zoë & Co")))

    @precondition(lambda self: self.added < 3)
    @rule(target=clients, name=NAMES, tag=WORDS, note=WORDS, source=st.sampled_from(["a", "b"]))
    def add_client(self, name: str, tag: str, note: str, source: str) -> Any:
        self.added += 1
        return self._made(
            self._try(
                self.book.clients.add,
                name,
                tags=[tag],
                note=note,
                phones=["+49 30 901820", "12"],
                manager="olena",
                external_ids={source: name},
            )
        )

    @rule(client=clients, name=NAMES)
    def rename(self, client: Any, name: str) -> None:
        self._try(self.book.clients.update, client.id, name=name)

    @rule(client=clients, archived=st.booleans())
    def archive(self, client: Any, archived: bool) -> None:
        act = self.book.clients.archive if archived else self.book.clients.restore
        self._try(act, client)

    @rule(
        target=sales,
        client=clients,
        minor=MINORS,
        currency=CURRENCIES,
        on=DAYS,
        number=st.sampled_from([None, "1", "2", "INV-3", "inv-3"]),
        parts=st.integers(0, 3),
        use=st.sampled_from([None, None, False]),
    )
    def sell(
        self, client: Any, minor: int, currency: str, on: date, number: Any, parts: int, use: Any
    ) -> Any:
        amount = Money.from_minor(minor, currency)
        instalments = None
        if 0 < parts <= minor:
            cut = [Money.from_minor(1, currency)] * (parts - 1)
            cut.append(Money.from_minor(minor - parts + 1, currency))
            instalments = [(on + timedelta(days=9 * n), part) for n, part in enumerate(cut)]
        return self._made(
            self._try(
                self.book.ledger.record_sale,
                client,
                amount,
                on=on,
                instalments=instalments,
                number=number,
                use_prepayments=use,
            )
        )

    @rule(
        target=sales,
        client=clients,
        quantity=st.sampled_from([1, "0.333333", 12]),
        price=st.sampled_from(["9.90", "0.12345678", 100]),
        percent=st.sampled_from([None, "12.5"]),
        name=WORDS,
    )
    def sell_lines(self, client: Any, quantity: Any, price: Any, percent: Any, name: str) -> Any:
        lines = [Line(name, quantity, price, discount_percent=percent), ("second", 2, "3.5")]
        return self._made(self._try(self.book.ledger.record_sale, client, lines, currency="EUR"))

    @rule(
        target=payments,
        client=clients,
        minor=MINORS,
        currency=CURRENCIES,
        on=DAYS,
        free=st.booleans(),
    )
    def pay(self, client: Any, minor: int, currency: str, on: date, free: bool) -> Any:
        amount = Money.from_minor(minor, currency)
        told: dict[Any, Any] | None = {} if free else None
        return self._made(
            self._try(self.book.ledger.record_payment, client, amount, on=on, allocate=told)
        )

    @rule(target=payments, sale=st.one_of(sales, sales, payments), minor=PARTS, on=DAYS)
    def pay_one(self, sale: Any, minor: int, on: date) -> Any:
        amount = Money.from_minor(minor, sale.amount.unit)
        pay = self.book.ledger.record_payment
        return self._made(self._try(pay, sale.client, amount, on=on, allocate={sale: amount}))

    @rule(
        target=links, credit=payments, debit=st.one_of(sales, sales, payments), minor=PARTS, on=DAYS
    )
    def allocate(self, credit: Any, debit: Any, minor: int, on: date) -> Any:
        amount = Money.from_minor(minor, credit.amount.unit)
        target = debit.instalments[-1] if debit.instalments else debit
        return self._made(self._try(self.book.ledger.allocate, credit, target, amount, on=on))

    @rule(target=links, client=clients, minor=PARTS, on=DAYS)
    def allocate_what_is_free(self, client: Any, minor: int, on: date) -> Any:
        """Put what some credit has free against some open debit, as a clerk would."""
        ledger, last = self.book.ledger, date(2026, 12, 31)
        sold = {"on": on, "use_prepayments": False, "currency": "EUR"}
        if self._try(ledger.record_sale, client, "70.00", **sold) is None:
            return multiple()
        ledger.record_payment(client, "90.00 EUR", on=on, allocate={})
        items = ledger.open_items(client, currency="EUR", as_of=last)
        free = [item for item in items if item.side == "credit"]
        owed = [item for item in items if item.side == "debit"]
        credit, debit = free[minor % len(free)], owed[minor % len(owed)]
        amount = min(credit.open, debit.open, Money.from_minor(minor, "EUR"))
        return self._made(self._try(ledger.allocate, credit, debit, amount, on=on))

    @rule(link=links, minor=st.sampled_from([None, 1, 100]), on=st.one_of(st.none(), DAYS))
    def release(self, link: Any, minor: int | None, on: date | None) -> None:
        amount = None if minor is None else Money.from_minor(minor, link.amount.unit)
        self._try(self.book.ledger.release, link, amount, on=on)

    @rule(entry=st.one_of(sales, payments), on=st.one_of(st.none(), DAYS))
    def void(self, entry: Any, on: date | None) -> None:
        self._try(self.book.ledger.void, entry, reason="a mistake", on=on)

    @rule(target=interactions, client=clients, summary=WORDS)
    def log(self, client: Any, summary: str) -> Any:
        return self._made(self._try(self.book.interactions.log, client, "call", summary))

    @rule(interaction=interactions, summary=WORDS)
    def revise(self, interaction: Any, summary: str) -> None:
        self._try(self.book.interactions.revise, interaction.id, summary=summary)

    @rule(target=agreements, client=clients, text=WORDS, since=DAYS)
    def promise(self, client: Any, text: str, since: date) -> Any:
        promise = self.book.agreements.promise
        return self._made(
            self._try(promise, client, "discount", text, percent="2.5", valid_from=since)
        )

    @rule(agreement=consumes(agreements))
    def withdraw(self, agreement: Any) -> None:
        self._try(self.book.agreements.withdraw, agreement, reason="over")

    @rule(
        target=tasks,
        client=st.one_of(st.none(), clients),
        title=WORDS,
        due=st.one_of(st.none(), DAYS, st.just(_START)),
    )
    def plan(self, client: Any, title: str, due: Any) -> Any:
        return self._made(self._try(self.book.tasks.add, title, client=client, due=due))

    @rule(task=tasks, due=DAYS, done=st.booleans())
    def move_task(self, task: Any, due: date, done: bool) -> None:
        if done:
            self._try(self.book.tasks.complete, task, "done")
        else:
            self._try(self.book.tasks.postpone, task, due)

    @precondition(lambda self: self.added)
    @rule(back=st.booleans())
    def hand_over(self, back: bool) -> None:
        names = ("petro", "olena") if back else ("olena", "petro")
        self._try(self.book.team.hand_over, *names, reason="holiday")

    @rule(client=clients)
    def half_a_unit(self, client: Any) -> None:
        """A unit that ends in an exception leaves no trace, nor does one that ended inside it."""
        try:
            with self.book.atomic() as book:
                book.ledger.record_payment(client, "3.00 EUR", on=date(2026, 2, 1))
                with book.atomic() as inner:
                    inner.interactions.log(client, "note", "never said")
                raise InterruptedError
        except InterruptedError:
            pass

    @rule()
    def read_feed(self) -> None:
        self.store.sequence()
        one, other = self.store.feeds()
        assert [event.position for event in other] == list(range(1, len(one) + 1))
        assert {event.id for event in one} == {event.id for event in other}

    @rule(client=clients)
    def read_card(self, client: Any) -> None:
        self.book.card(client)
        self.book.card(client, as_of=date(2026, 2, 28))

    @rule()
    def audit(self) -> None:
        report = self.book.verify()
        assert report.ok, "\n".join(map(str, report.problems))

    @invariant()
    def every_client_adds_up(self) -> None:
        with self.store.snapshot() as reading:
            for row in reading.find(BalanceQuery()):
                assert row.owed.minor >= 0
                assert row.prepaid.minor >= 0

    def teardown(self) -> None:
        try:
            report = self.book.verify()
            assert report.ok, "\n".join(map(str, report.problems))
            with self.store.snapshot() as reading:
                compare_answers(reading)
        finally:
            self.store.close()
