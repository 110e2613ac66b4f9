"""A case under way: its book, and its clients and documents by the names that the case gives."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
from tests.replay.fields import LINK_TO, Fields, Link, is_number, read_links, short
from tests.replay.words import refusals_of

from clientledger import (
    Allocation,
    Book,
    Client,
    ClientLedgerError,
    Currency,
    Entry,
    Instalment,
    InvalidValue,
    Money,
    NotFound,
)

FAR = date(2999, 12, 31)
EARLY = date(1900, 1, 1)
UNKNOWN = UUID("01900000-0000-7000-8000-000000000000")
"""No record has it: given to the ledger for what the case names and never made."""

WHO = (
    "client",
    "client_id",
    "client_ref",
    "customer",
    "customer_id",
    "party",
    "partner",
    "account",
)
ERROR = ("error", "expect_error", "expected_error", "error_code", "reason_code")


@attrs.define
class Clock:
    """A clock that stands at noon of a day, until it is set to a later one."""

    day: date

    def __call__(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)

    def to(self, day: object) -> None:
        if isinstance(day, date):
            self.day = max(self.day, day)


@attrs.frozen
class Event:
    """An event as told: its type by our name, its ref and day, and what else is said."""

    kind: str
    type: str
    ref: str | None
    on: Any
    dated: bool
    rejected: bool
    fields: Fields

    @property
    def title(self) -> str:
        return f"{self.ref or 'an event'} ({self.type})"

    @property
    def errors(self) -> list[str]:
        """What the event itself says about its refusal."""
        told = [self.fields.get(*ERROR), self.fields.get("rejected")]
        return [one for one in told if isinstance(one, str) and refusals_of(one)]

    def links(self, *names: str) -> list[Link] | None:
        """Its allocations as told; None where it has no such key."""
        name = next((n for n in names if self.fields.has(n)), None)
        if name is None or isinstance(self.fields.get(name), str):
            return None
        return read_links(self.fields.get(name) or [])


@attrs.frozen
class Waiting:
    """An allocation whose debit comes later in the case."""

    credit: Entry
    link: Link
    on: date


@attrs.define
class Play:
    """A case under way."""

    book: Book
    clock: Clock
    events: tuple[Event, ...]
    currency: str | None = None
    setup: Mapping[str, Fields] = attrs.field(factory=dict)
    """What the case says of its clients, by name."""
    clients: dict[str, Client] = attrs.field(factory=dict)
    papers: dict[str, Entry] = attrs.field(factory=dict)
    """The document that a ref names now."""
    older: dict[str, Entry] = attrs.field(factory=dict)
    """What a ref named before it was corrected under another one."""
    names: dict[UUID, str] = attrs.field(factory=dict)
    told: dict[str, Event] = attrs.field(factory=dict)
    links: dict[str, tuple[Allocation, ...]] = attrs.field(factory=dict)
    """The allocations that an event with a ref made."""
    turned: dict[UUID, tuple[Entry, ...]] = attrs.field(factory=dict)
    """The exchanges of a credit."""
    ended: dict[str, tuple[Allocation, ...]] = attrs.field(factory=dict)
    """What held of a document when it was voided."""
    waiting: tuple[Waiting, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    nothing: frozenset[str] = frozenset()
    """The refs of documents that were left out."""
    left_open: frozenset[str] = frozenset()
    """The refs of documents that the case expects to be open at the end."""
    at: int = 0

    # ------------------------------------------------------------ one event at a time
    @contextmanager
    def together(self, several: bool = True) -> Iterator[None]:
        """All that is done in it stands or falls together.

        Args:
            several: whether it is more than one command; a single one has to do so by itself.
        """
        outer = self.book
        if not several:
            yield
            return
        try:
            with outer.atomic() as inner:
                self.book = inner
                yield
        finally:
            self.book = outer

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """What is known by name is forgotten again when an event is refused."""
        kept = {
            field.name: dict(value)
            if isinstance(value := getattr(self, field.name), dict)
            else value
            for field in attrs.fields(Play)
        }
        try:
            yield
        except BaseException:
            for name, value in kept.items():
                setattr(self, name, value)
            raise

    def note(self, text: str) -> None:
        self.notes = (*self.notes, text)

    def leave_out(self, event: Event, why: str) -> None:
        self.left_out = (*self.left_out, f"{event.title}: {why}")
        self.nothing |= {event.ref or ""}

    # ------------------------------------------------------------ who and what
    def client(self, event: Event, *about: Entry | None) -> Client | UUID:
        """The client of an event, added when first named; without word, of what it is about."""
        told = event.fields.get(*WHO)
        if told is None:
            known = next((one.client for one in about if one is not None), None)
            if known is not None:
                return known
        name = self._client_name(told)
        if name not in self.clients:
            if self._is_nobody(event, name):
                return UNKNOWN
            self.add_client(name)
        return self.clients[name]

    def add_client(self, name: str) -> Client:
        if name not in self.clients:
            self.clients[name] = self.book.clients.add(name)
        return self.clients[name]

    def _client_name(self, told: object) -> str:
        if isinstance(told, Mapping):
            told = Fields.of(told).get("ref", "id", "name", "code")
        return "client" if told is None else str(told)

    def _is_nobody(self, event: Event, name: str) -> bool:
        """Whether a refused event names a client that the case never makes."""
        wanted = [one for error in event.errors for one in refusals_of(error)]
        others = (one for one in self.events if not one.rejected)
        named = {self._client_name(one.fields.get(*WHO)) for one in others} | set(self.setup)
        return event.rejected and NotFound in wanted and name not in named

    def name(self, event: Event, entry: Entry, as_: str | None = None) -> None:
        """Remember a new document by the ref of its event."""
        ref = as_ or event.ref or f"{event.type} of {entry.on}"
        self.names.setdefault(entry.id, ref)
        self.papers[ref] = entry
        self.told.setdefault(ref, event)

    def name_of(self, id: UUID) -> str:
        """What the case calls a document."""
        if id in self.names:
            return self.names[id]
        entry = self.book.ledger.get(id)
        about = entry.undoes or entry.pair
        return f"{entry.kind} of {self.names[about]}" if about in self.names else entry.kind

    def paper(self, ref: str | None) -> Entry | UUID:
        """The document of a ref; an id that nobody has, where the case never made it."""
        if ref is not None and ref in self.papers:
            return self.papers[ref]
        return UNKNOWN

    def known(self, ref: str | None) -> bool:
        return ref is not None and (ref in self.papers or self.split(ref)[0] in self.papers)

    def split(self, ref: str) -> tuple[str, int | None]:
        """A ref such as SI1#2, SI1/2 or SI1:2, where only SI1 is a document, and its instalment."""
        if ref in self.papers:
            return ref, None
        for mark in "#/:.-":
            head, _, tail = ref.rpartition(mark)
            if head in self.papers and tail.isdecimal():
                return head, int(tail)
        return ref, None

    def coming(self, ref: str | None) -> bool:
        """Whether an event that is still to come makes a document of this ref."""
        later = self.events[self.at + 1 :]
        return any(one.ref == ref and not one.rejected for one in later if ref is not None)

    def pick(self, fields: Fields, *names: str) -> str | None:
        """The ref that some fields name: one that is known, else that is coming, else any."""
        refs = list(fields.refs(*names))
        for asked in (self.known, self.coming):
            for ref in refs:
                if asked(ref):
                    return ref
        return refs[0] if refs else None

    def target(self, link: Link, names: tuple[str, ...]) -> Any:
        """What a link names: a document, one instalment of it, or an id that nobody has."""
        ref = self.pick(link.fields, *names)
        head, number = (None, None) if ref is None else self.split(ref)
        entry = self.paper(head)
        return entry if isinstance(entry, UUID) else self.part(entry, link.fields, number)

    def part(self, entry: Entry, fields: Fields, number: int | None = None) -> Entry | Instalment:
        """The instalment of a document that is named by its number or due date, else all of it."""
        told = fields.get("instalment", "installment", "instalment_no", "schedule_row", "part")
        if isinstance(told, Mapping):
            fields, told = Fields.of(told), Fields.of(told).get("number", "no")
        index = fields.get("index", "instalment_index", "installment_index")
        if isinstance(told, int | str) and str(told).isdecimal():
            number = int(told)
        elif isinstance(index, int):
            number = index + 1
        due = fields.day("due_date", "due", "instalment_due_date", "installment_due_date")
        for one in entry.instalments:
            if number == one.number or (number is None and due == one.due):
                return one
        if number is not None and entry.instalments:
            return attrs.evolve(entry.instalments[-1], number=number)  # the ledger has to refuse it
        return entry

    # ------------------------------------------------------------ amounts
    def unit(self, event: Event, *about: object) -> str | None:
        """The currency of an event: as told, of what it is about, or the case's."""
        told = event.fields.currency()
        if told is None:
            told = next((one.currency for one in about if isinstance(one, Entry)), None)
        return told or self.currency

    def room(self, target: Entry | Instalment) -> Decimal:
        """What is open of a document or an instalment, with all that is recorded."""
        if isinstance(target, Instalment):
            state = self.book.ledger.state(id_of(target), as_of=FAR)
            return next(
                left.amount for one, left in state.instalments if one.number == target.number
            )
        return self.book.ledger.state(target, as_of=FAR).open.amount

    def fill(self, pairs: list[tuple[Any, Any]], amount: Any) -> list[tuple[Any, Any]]:
        """Amounts by target, where what has none gets as much as fits."""
        told = [one for _, one in pairs if is_number(one)]
        left = amount - sum(told) if is_number(amount) else Decimal(0)
        filled = []
        for target, one in pairs:
            if one is None and not isinstance(target, UUID):
                one = min(left, self.room(target))
                left -= one
                if one <= 0:
                    self.note(f"nothing fits on {self.name_of(id_of(target))}")
                    continue
            filled.append((target, one))
        return filled

    def put(self, credit: Any, target: Any, amount: Any, on: Any) -> tuple[Allocation, ...]:
        """Put an amount of a credit against a debit, over its instalments where it has several."""
        parts = [(target, amount)]
        if isinstance(target, Entry) and len(target.instalments) > 1 and is_number(amount):
            spread = self._spread(target, amount)
            if sum(part for _, part in spread) == amount:
                parts = spread
        with self.together(len(parts) > 1):
            allocate = self.book.ledger.allocate
            return tuple(allocate(credit, one, part, on=on) for one, part in parts)

    def _spread(self, debit: Entry, amount: Decimal) -> list[tuple[Any, Decimal]]:
        parts: list[tuple[Any, Decimal]] = []
        for one, left in self.book.ledger.state(debit, as_of=FAR).instalments:
            part = min(left.amount, amount)
            amount -= part
            if part > 0:
                parts.append((one, part))
        return parts

    def live(self, entry: Entry) -> list[Allocation]:
        """The allocations that hold of a document, the newest first."""
        found = self.book.ledger.state(entry, as_of=FAR).allocations
        live = [one for one in found if one.live]
        return sorted(live, key=lambda one: (one.on, one.id), reverse=True)

    def take_back(
        self, credit: Entry, amount: Decimal, on: date, debit: UUID | None = None
    ) -> None:
        """Take so much of a credit back from what it settled, the newest first."""
        for one in self.live(credit):
            settled = self.book.ledger.get(one.debit)
            if (
                amount <= 0
                or settled.kind in ("refund", "exchange")
                or debit not in (None, one.debit)
            ):
                continue
            part = min(amount, one.live.amount)
            self.book.ledger.unallocate(credit, settled, part, on=max(on, one.on))
            amount -= part
            self.note(
                f"{part} of {self.name_of(credit.id)} was taken back from "
                f"{self.name_of(settled.id)} first"
            )

    # ------------------------------------------------------------ what waited
    def settle_waiting(self) -> None:
        """Put what waited for a document that has come."""
        still = []
        for one in self.waiting:
            target = self.target(one.link, LINK_TO)
            if isinstance(target, UUID):
                still.append(one)
                continue
            [(_, amount)] = self.fill([(target, one.link.amount)], self.room(one.credit)) or [
                (0, 0)
            ]
            if amount:
                self.put(one.credit, target, amount, one.on)
        self.waiting = tuple(still)


def id_of(target: Any) -> UUID:
    """The id of the document that is meant, be it told by an instalment."""
    if isinstance(target, Instalment):
        assert target.entry is not None
        return target.entry
    found: UUID = target.id
    return found


def digits_of(code: str) -> int | None:
    """The decimals of a currency, or None where ISO 4217 does not list it."""
    try:
        return Money(1, code).unit.digits
    except InvalidValue:
        return None


def own_currencies(codes: Counter[str]) -> list[Currency]:
    """Units that ISO 4217 does not list, with the decimals that the case uses."""
    return [
        Currency(code, min(8, max(2, decimals)))
        for code, decimals in codes.items()
        if digits_of(code) is None
    ]


def told_by(error: ClientLedgerError) -> str:
    """A refusal as a line shows it."""
    return f"{type(error).__name__}: {short(error)}"
