"""The desk of a random history: a book, a clock, and commands that are refused without a trace."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from clientledger.book import Book
from clientledger.domain.clients import Client
from clientledger.domain.entries import Allocation, Entry, Instalment, Release
from clientledger.domain.money import Currency, Money, currency_of
from clientledger.domain.settings import Settings
from clientledger.errors import ClientLedgerError
from clientledger.memory import MemoryStore
from clientledger.ports import (
    RECORD_SETS,
    BalanceQuery,
    ClaimQuery,
    HeadQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    Query,
    Store,
    TimelineQuery,
)
from clientledger.testing.ledger.strategies import START, day_of_offset
from clientledger.testing.oracle import Keeper, Key
from clientledger.testing.tally import Tally

__all__ = ["FACTS", "LedgerDesk", "Reasons", "newest"]

T = TypeVar("T")
FACTS = (Entry, Allocation, Release)
Photo = dict[type[Any], list[Any]]
Reasons = list[type[ClientLedgerError]]

_ROWS: tuple[Query[Any], ...] = (
    BalanceQuery(),
    OpenItemQuery(open_only=False),
    PurchaseDayQuery(),
    TimelineQuery(),
)


class LedgerDesk(RuleBasedStateMachine):
    """A book with three clients, and everything that was seen of it."""

    make_store: Callable[[], Store] = MemoryStore
    keeps_rows: ClassVar[bool] = True
    """Whether figures are kept as rows, so that a refusal might leave a moved one behind."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.store = type(self).make_store()
        self.moment = START
        self.book = Book(self.store, actor="olena", clock=self._now)
        self.clients: list[Client] = []
        self.facts: dict[UUID, Any] = {}
        self.touched: set[UUID] = set()
        self._keepers: dict[UUID, Keeper] = {}
        self.photo = self.photograph()
        self.tally.histories += 1

    def _now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    @initialize(stock=st.integers(0, 3))
    def open_the_shop(self, stock: int) -> None:
        self.book.team.add("olena", "Olena")
        self.clients = [self.book.clients.add(name) for name in ("Acme", "Bolt", "Coda")]
        ledger = self.book.ledger
        for client in self.clients[:stock]:
            day = day_of_offset(-5)
            parts = [(day, "40.00"), (day_of_offset(25), "60.00")]
            ledger.record_payment(client, "30.00 EUR", on=day_of_offset(-9))
            sale = ledger.record_sale(client, "100.00 EUR", on=day, instalments=parts)
            ledger.record_payment(client, "50.00 EUR", on=day_of_offset(-3), allocate={})
            ledger.write_off(client, "10.00 EUR", reason="gone", on=day, allocate={sale: "10"})
        self.look()

    # ------------------------------------------------------------ looking

    def photograph(self) -> Photo:
        """All that is in the book: records, facts, claims, heads, settings, and derived rows."""
        with self.store.snapshot() as reading:
            found: Photo = {kind: reading.find(query()) for kind, query in RECORD_SETS.items()}
            others: list[Query[Any]] = [ClaimQuery(), HeadQuery()]
            for query in [*others, *(_ROWS if self.keeps_rows else ())]:
                found[query.record] = reading.find(query)
            settings = reading.lookup(Settings, Settings().id)
            found[Settings] = [] if settings is None else [settings]
        return found

    def look(self) -> None:
        """Look at the book after a command: facts have only been added, and to some clients."""
        self.photo = self.photograph()
        facts = {fact.id: fact for kind in FACTS for fact in self.photo[kind]}
        for id, fact in self.facts.items():
            assert facts.get(id) == fact, f"a fact has changed or gone: {fact} is {facts.get(id)}"
        touched = {fact.client for id, fact in facts.items() if id not in self.facts}
        for client in touched:
            self._keepers.pop(client, None)
        self.touched |= touched
        self.facts = facts

    def keeper(self, client: Client | UUID) -> Keeper:
        """The keeper of a client's accounts, with all facts so far."""
        id = client.id if isinstance(client, Client) else client
        if id not in self._keepers:
            self._keepers[id] = Keeper(
                *(tuple(fact for fact in self.photo[kind] if fact.client == id) for kind in FACTS)
            )
        return self._keepers[id]

    @property
    def settings(self) -> Settings:
        """How the book counts, as last seen."""
        return self.photo[Settings][0] if self.photo[Settings] else Settings()

    @property
    def documents(self) -> list[Entry]:
        """All documents as they were recorded."""
        return sorted(self.photo[Entry], key=lambda entry: entry.id)

    @property
    def live_documents(self) -> list[Entry]:
        """Those that have not been voided, and are no voids."""
        gone = {entry.undoes for entry in self.photo[Entry]}
        return [e for e in self.documents if e.kind != "void" and e.id not in gone]

    @property
    def links(self) -> list[Allocation]:
        """All allocations as they were recorded."""
        return sorted(self.photo[Allocation], key=lambda link: link.id)

    # ------------------------------------------------------------ doing

    def attempt(
        self,
        what: str,
        command: Callable[..., Any],
        *given: Any,
        because: Sequence[type[ClientLedgerError]] = (),
        surely: bool = True,
        **told: Any,
    ) -> Any:
        """Run a command, which may be refused for some reasons only, and then without a trace.

        Args:
            because: the classes of error that are right here.
            surely: whether one of them must be raised, where there are any.

        Returns:
            what it made, or None.
        """
        names = sorted(reason.__name__ for reason in because)
        try:
            value = command(*given, **told)
        except ClientLedgerError as error:
            note(f"    {what}: {type(error).__name__}: {error}")
            self.tally.refuse(what, error)
            if type(error) not in because:
                raise AssertionError(f"{what} was refused, and not for {names}") from error
            self.assert_untouched(what)
            return None
        note(f"    {what}: {_short(value)}")
        assert not (surely and because), f"{what} was accepted in spite of {names}"
        self.tally.accept(what)
        self.look()
        return value

    def assert_untouched(self, what: str) -> None:
        """The book is exactly what it was."""
        now = self.photograph()
        for kind, rows in self.photo.items():
            assert now[kind] == rows, f"{what} has left a trace in {kind.__name__}"

    # ------------------------------------------------------------ picking

    def client(self, n: int) -> Client:
        """One of the clients."""
        return self.clients[n % len(self.clients)]

    def day(self, offset: int | None) -> date:
        """A day by its offset; None is today, as the book takes it."""
        return self.moment.date() if offset is None else day_of_offset(offset)

    def unit(self, code: str) -> Currency:
        """A currency."""
        return currency_of(code)

    def money(self, minor: int, code: str) -> Money:
        """An amount of minor units."""
        return Money.from_minor(minor, currency_of(code))

    def target(self, key: Key, *, whole: bool = False) -> Entry | Instalment:
        """What a caller names an item by: the document, or of a debit the instalment."""
        owner: Entry = self.facts[key[0]]
        if whole or owner.side == "credit":
            return owner
        return next(part for part in owner.instalments if part.number == key[1])


def _short(value: object) -> str:
    match value:
        case Entry():
            return f"{value.kind} #{value.sequence} of {value.amount} on {value.on}"
        case Allocation():
            return f"{value.amount} from {value.on}, {value.live} holds"
        case tuple():
            return ", ".join(map(_short, value))
    return type(value).__name__


def newest(found: list[T], n: int) -> T:
    """The n-th newest of some, around and around."""
    return found[-1 - n % len(found)]
