"""Loading: a dump read into an empty book, all of it or nothing.

Each line must be just what a dump writes of the value on it, and stand where a dump puts it. So a
book that was loaded gives the same dump again, byte for byte.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

import attrs

from clientledger import codec
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import CLIENT_KINDS, Client
from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import DIRECTIONS, Interaction
from clientledger.domain.journal import Journal
from clientledger.domain.money import Currency, currency_of
from clientledger.domain.posting import Change, Claim, Head, Posting, Record
from clientledger.domain.restoring import restore
from clientledger.domain.seals import Seal
from clientledger.domain.settings import Settings, read_settings
from clientledger.domain.tasks import TASK_STATUSES, Task
from clientledger.domain.team import Member
from clientledger.domain.text import check_text, choose
from clientledger.errors import (
    Busy,
    Conflict,
    InvalidValue,
    LedgerError,
    NotAllowed,
)
from clientledger.ports import RECORD_SETS, ClaimQuery, HeadQuery, Reading, Store, UnitOfWork
from clientledger.services.desk import Desk, busy
from clientledger.services.portable import (
    CLIENTS,
    END,
    KINDS,
    LONGEST,
    ORDERS,
    Dump,
    Line,
    Tally,
    check_end,
    check_header,
    line_of,
    read_line,
)

__all__ = ["load"]

T = TypeVar("T")
_AT_ONCE = 500
_SPOOLED = 2**20
_PLACES = {kind: place for place, kind in enumerate([*KINDS, END])}
_INSIDE = (*CLIENTS, "head")
_UNRULED = ("id", "currency", "closed_through", "edition", "revision")
"""Settings that no rule is for, and the currency, which may be off ISO's list by now."""


def load(desk: Desk, file: BinaryIO) -> Dump:
    """Read a dump into the book.

    Raises:
        NotAllowed: the book is not empty.
        InvalidValue: no dump, or not as it was written; `field` names the line.
        Busy: another writer was quicker.
        StoreError: the storage failed.
    """
    scope = desk.scope
    try:
        with scope.begin() as unit:
            _check_empty(unit)
            made = _Loading(unit, file).run()
    except Conflict as error:
        if not error.passing or isinstance(error, Busy):
            raise
        raise busy(error) from error  # the file has been read, so nothing is done again here
    if isinstance(scope, Store):
        scope.sequence()
    return made


def _check_empty(reading: Reading) -> None:
    queries = [query(limit=1) for query in (*RECORD_SETS.values(), HeadQuery, ClaimQuery)]
    found = [type(row) for query in queries for row in reading.find(query)]
    found += [Settings] if reading.lookup(Settings, Settings().id) else []
    if found:
        names = [kind for kind, what in KINDS.items() if what in found]
        raise NotAllowed(
            "the book is not empty",
            field="book",
            value=", ".join(names[:3]),
            remedy="load into a new one, opened without settings",
        )


class _Loading:
    """A dump on its way into a unit of work."""

    def __init__(self, unit: UnitOfWork, file: BinaryIO) -> None:
        self._unit = unit
        self._file = file
        self._number = 0
        self._tally = Tally()
        self._ranks: dict[str, Any] = {}  # of the last line of each kind
        self._client: Client | None = None  # whose own lines are being read
        self._held: list[Any] = []  # read, and not posted yet
        self._numbers: dict[Any, int] = {}  # of their lines
        self._settings = Settings()
        self._units: dict[str, Currency] = {}
        self._is_client: Callable[[UUID], bool] = lru_cache(_AT_ONCE)(
            lambda id: unit.lookup(Client, id) is not None
        )

    def run(self) -> Dump:
        """Read all lines, and post what is on them.

        Raises:
            InvalidValue: something is not as a dump has it.
        """
        self._tally.add(check_header(self._next()))
        place = -1
        while (line := self._next_line()).kind != END:
            place = self._check_place(line, place)
            value = self._value(line)
            self._check_order(line, value)
            self._take(line, value)
            self._tally.add(line.text, line.kind)
        self._check_place(line, place)
        self._post()
        check_end(line, self._tally.dump)
        if self._next():
            raise attrs.evolve(line, number=self._number).wrong("the dump has ended before it")
        return self._tally.dump

    def _next_line(self) -> Line:
        raw = self._next()
        return read_line(self._number, raw)

    def _next(self) -> bytes:
        self._number += 1
        try:
            raw = self._file.readline(LONGEST)
        except AttributeError:
            raw = None  # what is no file is refused below
        if isinstance(raw, bytes):
            return raw
        raise InvalidValue(
            "not a file that gives bytes",
            field="file",
            value=type(self._file).__name__,
            remedy='open it with "rb"',
        )

    def _check_place(self, line: Line, last: int) -> int:
        """Where a line stands: kinds follow each other, and a client ends with its head."""
        place = _PLACES[line.kind]
        next_client = line.kind == "client" and last == _PLACES["head"]
        inside = self._client is not None
        if inside != (line.kind in _INSIDE) or (place < last and not next_client):
            raise line.wrong(f"no place for a line of kind {line.kind}")
        return place

    def _check_order(self, line: Line, value: Any) -> None:
        """Lines of one kind rise, so none stands twice."""
        if line.kind in ORDERS:
            query = ORDERS[line.kind]
            rank = query.rank(query.cursor(value))
        else:
            rank = value.id
        if line.kind in self._ranks and rank <= self._ranks[line.kind]:
            raise line.wrong(f"out of order, or there is such a {line.kind} already")
        self._ranks[line.kind] = rank

    def _value(self, line: Line) -> Any:
        """The value on a line, if it is written in the one way in which it is."""
        try:
            _check_plain(line.data)
            value = codec.load(KINDS[line.kind], line.data)
            written = line_of(line.kind, value)
            for check in _CHECKS.get(line.kind, ()):
                check(value)
            self._check_unit(value)
        except (InvalidValue, LedgerError) as error:
            raise line.because(error) from error
        except RecursionError as error:
            raise line.wrong("nested too deeply") from error
        if written != line.text:
            raise line.wrong(f"not how a dump writes this {line.kind}")
        return value

    def _check_unit(self, value: Any) -> None:
        """One code is one currency, in all documents of the book."""
        if not isinstance(value, Entry):
            return
        unit: Currency = value.amount.unit
        if unit.code not in self._units:
            try:
                self._units[unit.code] = currency_of(unit.code, self._settings.known)
            except InvalidValue:
                self._units[unit.code] = unit  # it was on ISO's list
        if unit != self._units[unit.code]:
            raise InvalidValue(
                f"a currency with {unit.digits} decimals",
                field="currency",
                value=unit.code,
                remedy=f"it has {self._units[unit.code].digits} in this book",
            )

    def _take(self, line: Line, value: Any) -> None:
        match value:
            case Settings():
                self._settings = value
                self._unit.post(Posting(changes=(Change(value),)))
            case Client():
                self._post()
                self._client = value
                for kind in CLIENTS:
                    self._ranks.pop(kind, None)
            case Head():
                self._end_client(line, value)
            case Event() if value.position != self._tally.count("event") + 1:
                raise line.wrong("positions run from 1 without gaps", value.position)
            case Seal() if not 1 <= value.position <= self._tally.count("event"):
                raise line.wrong("no event has this position", value.position)
            case _:
                self._hold(line, value)
        if self._client is None and len(self._held) >= _AT_ONCE:
            self._post()

    def _hold(self, line: Line, value: Any) -> None:
        """Keep a value until it is posted with others."""
        owner = getattr(value, "client", None)
        if self._client is not None and owner != self._client.id:
            raise line.wrong("of another client", owner)
        if self._client is None and owner is not None and not self._is_client(owner):
            raise line.wrong("no such client", owner)
        if value.id in self._numbers or self._unit.lookup(type(value), value.id) is not None:
            raise line.wrong(f"there is such a {line.kind} already", value.id)
        self._numbers[value.id] = line.number
        self._held.append(value)

    def _end_client(self, line: Line, head: Head) -> None:
        """Post a client with all that is its own."""
        client, edition = self._client, self._settings.edition
        assert client is not None, "a head ends a client"
        if (head.client, head.archived, head.edition) != (client.id, client.archived, edition):
            raise line.wrong("the head does not fit its client and the settings", head.client)
        held = self._held_of
        try:
            posting = restore(head, Journal(held(Entry), held(Allocation), held(Release)))
        except (InvalidValue, LedgerError) as error:
            number = self._numbers.get(error.value, line.number)
            kind = error.field if error.field in KINDS else line.kind
            raise Line(number, "", str(kind), None).because(error) from error
        records: tuple[Record, ...] = (client, *held(Interaction), *held(Agreement))
        self._unit.post(posting + Posting(changes=tuple(Change(one) for one in records)))
        self._client = None
        self._forget()

    def _post(self) -> None:
        """Post what is held."""
        held = self._held_of
        records: tuple[Record, ...] = (*held(Member), *held(Task))
        posting = Posting(
            claims=held(Claim),
            facts=(*(attrs.evolve(one, position=None) for one in held(Event)), *held(Seal)),
            changes=tuple(Change(one) for one in records),
        )
        if self._held:
            self._unit.post(posting)
        self._forget()

    def _held_of(self, kind: type[T]) -> tuple[T, ...]:
        return tuple(value for value in self._held if isinstance(value, kind))

    def _forget(self) -> None:
        self._held.clear()
        self._numbers.clear()


# ------------------------------------------------------------ what is on a line
def _check_plain(data: Any) -> None:
    """Refuse text that no command takes: a store might not even hold it."""
    if isinstance(data, str):
        if not (data.isascii() and data.isprintable()):  # most are, and need no closer look
            check_text(data, "text", most=LONGEST, lines=True)
    elif isinstance(data, dict):
        for name, one in data.items():
            _check_plain(name)
            _check_plain(one)
    elif isinstance(data, list):
        for one in data:
            _check_plain(one)


def _check_settings(settings: Settings) -> None:
    names = sorted({field.name for field in attrs.fields(Settings)} - {*_UNRULED})
    told = {name: getattr(settings, name) for name in names}
    read = read_settings(Settings(), told)
    wrong = [name for name in names if getattr(read, name) != told[name]]
    if wrong or settings.id != Settings().id or settings.revision < 1:
        raise InvalidValue("not the settings of a book", value=", ".join(wrong) or None)


_CHECKS: Mapping[str, tuple[Callable[[Any], object], ...]] = {
    "settings": (_check_settings,),
    "client": (lambda one: choose(one.kind, "kind", CLIENT_KINDS),),
    "interaction": (lambda one: choose(one.direction or "in", "direction", DIRECTIONS),),
    "task": (lambda one: choose(one.status, "status", TASK_STATUSES),),
}
