"""One case: its events one after the other, what the book then says, and the verdict."""

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import attrs
from tests.replay.checks import Checker
from tests.replay.events import DOCUMENTS, run_one
from tests.replay.fields import (
    AMOUNT,
    DAY,
    Fields,
    NotApplicable,
    rows_of,
    short,
    spelled,
)
from tests.replay.others import agreed, change_settings
from tests.replay.picture import picture
from tests.replay.play import WHO, Clock, Event, Play, own_currencies, told_by
from tests.replay.words import event_of, lacking, refusals_of

import clientledger
from clientledger import ClientLedgerError, open_book

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
SHOWN = 3
LIBRARY = Path(clientledger.__file__).parent
REJECTED = ("rejected", "refused", "fails", "must_fail", "expect_rejected", "should_fail")
EXPECT = ("expect", "expected", "expectation", "expectations", "then")


class CaseError(Exception):
    """What is no case at all: the file is not of the schema."""


@attrs.frozen
class Verdict:
    """How a case ended.

    Attributes:
        outcome: "passed", "failed" or "not applicable".
        why: why it does not apply, or "".
        differences: what differs, one by one.
        notes: how the events were told to the ledger, where that is no matter of course.
        left_out: events that were not replayed, each with the reason.
        uncompared: expectations that have no counterpart.
    """

    id: str
    outcome: str
    why: str = ""
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.outcome == PASSED

    @property
    def failed(self) -> bool:
        return self.outcome == FAILED

    def line(self) -> str:
        """The verdict on one line."""
        said = [self.why] if self.why else []
        if self.differences:
            few = "; ".join(self.differences[:SHOWN])
            more = len(self.differences) - SHOWN
            said.append(f"{few}; and {more} more" if more > 0 else few)
        text = f"{self.id}: {self.outcome}" + (f": {' '.join(said)}" if said else "")
        if self.left_out:
            text += f" [left out: {'; '.join(self.left_out)}]"
        if self.uncompared:
            text += f" [not compared: {', '.join(self.uncompared)}]"
        return short(text)

    def details(self) -> Iterator[str]:
        """Each difference in full, and how the events were told."""
        yield from (f"  differs: {one}" for one in self.differences)
        yield from (f"  note: {one}" for one in self.notes)


# ------------------------------------------------------------ reading a case
@attrs.frozen
class Case:
    """A case as told."""

    id: str
    fields: Fields
    events: tuple[Event, ...]
    as_of: date

    @property
    def expect(self) -> Mapping[str, Any]:
        told = self.fields.get(*EXPECT)
        return told if isinstance(told, Mapping) else {}

    @property
    def errors(self) -> list[str]:
        """The names of the refusals that the case expects."""
        fields = Fields.of(self.expect)
        told = fields.get("error", "errors", "refusal", "refused")
        listed = told if isinstance(told, list) else [told]
        listed = [Fields.of(one).get("error", "code", "type", "name") if isinstance(one, Mapping)
                  else one for one in listed]  # fmt: skip
        return [str(one) for one in listed if one not in (None, False, "")]


def read_case(told: object, n: int = 1) -> Case:
    """Read a case.

    Raises:
        CaseError: it is no mapping with a list of events.
    """
    if not isinstance(told, Mapping):
        raise CaseError(f"case {n} is not an object")
    fields = Fields.of(told)
    id = str(fields.get("id", "name", "title") or f"case {n}")
    listed = fields.get("events", "steps", "given", "transactions")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise CaseError(f"{id} has no list of events")
    rows = [Fields.of(one) for one in listed]
    if not all(row.get("type", "event", "kind", "action") for row in rows):
        raise CaseError(f"{id} has an event without a type")
    as_of = fields.day("as_of", "date", "today")
    days = [day for row in rows if isinstance(day := row.day(*DAY), date)]
    if not isinstance(as_of, date):
        as_of = max(days, default=date(2024, 6, 14))
    return Case(id, fields, tuple(_events(rows, fields, min([*days[:1], as_of]))), as_of)


def _events(rows: list[Fields], case: Fields, day: date) -> Iterator[Event]:
    """The events, each on its own day; without one, on the day of the event before it."""
    expected = case.get(*EXPECT)
    fails = isinstance(expected, Mapping) and Fields.of(expected).get("error", "refusal")
    told = any(row.flag(*REJECTED) for row in rows)
    for n, row in enumerate(rows):
        type = row.get("type", "event", "kind", "action")
        if spelled(type) in ("document", "entry", "transaction", "voucher"):
            type = row.get("kind", "document_type", "doc_type", "voucher_type") or type
        on = row.day(*DAY)
        if isinstance(on, date):
            day = on
        last = n == len(rows) - 1
        yield Event(
            kind=event_of(type) or "",
            type=str(type),
            ref=row.ref("ref", "id"),
            on=day if on is None else on,
            dated=on is not None,
            rejected=row.flag(*REJECTED) or (last and bool(fails) and not told),
            fields=row,
        )


# ------------------------------------------------------------ replaying it
def replay(told: object, url: str = "memory:", n: int = 1) -> Verdict:
    """Replay a case on a new book.

    Raises:
        CaseError: it is no case.
    """
    case = read_case(told, n)
    run = _Run(case)
    try:
        run.on(url)
    except NotApplicable as error:
        needs = ", ".join(map(str, _listed(case.fields.get("requires"))))
        return run.verdict(NOT_APPLICABLE, f"{error}" + (f" (requires {needs})" if needs else ""))
    if not run.differences:
        if case.events and len(run.left_out) == len(case.events):
            return run.verdict(NOT_APPLICABLE, "nothing of it could be recorded")
        if not run.compared and not run.refusals:
            return run.verdict(NOT_APPLICABLE, "nothing that it expects can be compared")
        return run.verdict(PASSED)
    if case.fields.flag("peer_specific"):
        return run.verdict(NOT_APPLICABLE, "peer-specific, differs:")
    lacks = lacking(_listed(case.fields.get("requires")))
    if lacks:
        return run.verdict(NOT_APPLICABLE, f"requires {', '.join(lacks)}; differs:")
    return run.verdict(FAILED)


def _listed(told: Any) -> list[Any]:
    if told is None or told == "":
        return []
    return list(told) if isinstance(told, list | Mapping) else [told]


@attrs.define
class _Run:
    """A case under way, and what differs."""

    case: Case
    differences: list[str] = attrs.field(factory=list)
    uncompared: list[str] = attrs.field(factory=list)
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    refusals: list[ClientLedgerError] = attrs.field(factory=list)
    compared: set[str] = attrs.field(factory=set)

    def verdict(self, outcome: str, why: str = "") -> Verdict:
        shown = why.endswith("differs:") or not why
        return Verdict(
            id=self.case.id,
            outcome=outcome,
            why=why,
            differences=tuple(self.differences) if shown else (),
            notes=self.notes,
            left_out=self.left_out,
            uncompared=tuple(dict.fromkeys(self.uncompared)),
        )

    def on(self, url: str) -> None:
        """Replay it on a new book."""
        for event in self.case.events:
            if not event.kind:
                raise NotApplicable(f"no such event as {event.type}")
        currency = _currency(self.case)
        days = [event.on for event in self.case.events if isinstance(event.on, date)]
        clock = Clock(min([*days, self.case.as_of]))
        settings = _settings(self.case)
        with open_book(url, clock=clock, settings=settings or None) as book:
            play = Play(book, clock, self.case.events, currency=currency)
            open_items = self.case.expect.get("open_items")
            play.left_open = frozenset(open_items if isinstance(open_items, Mapping) else ())
            try:
                self._setup(play)
                self._replay(play)
            except NotApplicable:
                raise
            except ClientLedgerError as error:
                self.differences.append(f"refused before the first event: {told_by(error)}")
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)
                said = f"{type(error).__name__}: {short(error)} in {frames[-1].name}"
                if not any(Path(frame.filename).is_relative_to(LIBRARY) for frame in frames):
                    raise NotApplicable(f"not understood ({said})") from error
                self.differences.append(f"broke with {said}, which is no error of the library")
            finally:
                self.notes, self.left_out = play.notes, play.left_out

    def _setup(self, play: Play) -> None:
        """What the case says beside its events: clients and settings."""
        told = self.case.fields.get("settings", "config", "configuration")
        if isinstance(told, Mapping):
            change_settings(play, Fields.of(told), strict=False)
        clients = self.case.fields.get("clients", "customers", "parties")
        if isinstance(clients, Mapping):
            play.setup = {
                str(name): Fields.of(one if isinstance(one, Mapping) else {})
                for name, one in clients.items()
            }
        elif isinstance(clients, list):
            named = [one if isinstance(one, Mapping) else {"ref": one} for one in clients]
            play.setup = {
                str(row.get("ref", "id", "name", "code", *WHO)): row for row in rows_of(named)
            }
        for name, fields in play.setup.items():
            added = play.add_client(name)
            agreed(play, added, fields, fields.currency() or play.currency)
            if fields.flag("archived", "inactive", "disabled"):
                play.book.clients.archive(added)

    def _replay(self, play: Play) -> None:
        for place, event in enumerate(self.case.events):
            play.at = place
            play.clock.to(event.on)
            if not (self._rejected(play, event) if event.rejected else self._done(play, event)):
                return
            expected = event.fields.get(*EXPECT)
            if isinstance(expected, Mapping) and isinstance(event.on, date):
                self._check(play, event.on, expected, f"after {event.ref or event.type} ")
            elif event.kind == "check":
                day = event.on if isinstance(event.on, date) else self.case.as_of
                rest = event.fields.without("type", "ref", *DAY, "as_of", "kind", "event")
                self._check(play, event.fields.day("as_of") or day, rest.data, f"at {event.on} ")
        play.clock.to(self.case.as_of)
        for one in play.waiting:
            self.differences.append(f"{one.link.fields.get('to')} never came")
        self._check_errors()
        self._check(play, self.case.as_of, self.case.expect, "")
        for key in ("expect_at", "checks", "timeline", "snapshots", "history"):
            if self.case.fields.get(key) is not None:
                self._check(play, self.case.as_of, {"expect_at": self.case.fields.get(key)}, "")
        report = play.book.verify()
        if not report.ok:
            said = "; ".join(str(one) for one in report.problems)
            self.differences.append(f"the book does not verify: {said}")

    def _check(self, play: Play, day: date, told: Mapping[str, Any], where: str) -> None:
        checker = Checker(play, day)
        checker.check(told, where)
        self.differences += checker.differences
        self.uncompared += checker.uncompared
        self.compared |= checker.compared

    def _done(self, play: Play, event: Event) -> bool:
        """Do what an event tells; whether the ledger took it."""
        try:
            with play.remembering():
                run_one(play, event)
            play.settle_waiting()
        except ClientLedgerError as error:
            self.differences.append(f"{event.title} was refused: {told_by(error)}")
            return False
        return True

    def _rejected(self, play: Play, event: Event) -> bool:
        """Let an event be refused, and see that nothing in the book has changed."""
        with play.remembering():
            told = event.fields.get(*WHO) is not None or event.kind in ("payment", *DOCUMENTS)
            if told and event.kind != "client":
                _known_client(play, event)
        before = picture(play.book)
        try:
            with play.remembering():
                run_one(play, event)
        except ClientLedgerError as error:
            changed = [name for name, value in picture(play.book).items() if value != before[name]]
            if changed:
                self.differences.append(
                    f"{event.title} was refused, and yet changed {', '.join(changed)}"
                )
            self.refusals.append(error)
            self._check_refusal(event, error, event.errors)
            return True
        self.differences.append(f"{event.title} was accepted, though the case wants it refused")
        return False

    def _check_refusal(self, event: Event, error: ClientLedgerError, names: list[str]) -> None:
        for name in names:
            classes = refusals_of(name)
            if classes and not isinstance(error, classes):
                wanted = " or ".join(one.__name__ for one in classes)
                self.differences.append(
                    f"{event.title} was refused with {told_by(error)}, not as {name} ({wanted})"
                )

    def _check_errors(self) -> None:
        """Each error that the case names was the reason of a refusal."""
        names = self.case.errors
        if names and not self.refusals:
            self.differences.append(f"nothing was refused, though the case wants {names[0]}")
            return
        for name in names:
            classes = refusals_of(name)
            said = ", ".join(dict.fromkeys(told_by(one) for one in self.refusals))
            if not classes:
                self.uncompared.append(f"error {name}, refused with {said}")
            elif not any(isinstance(one, classes) for one in self.refusals):
                wanted = " or ".join(one.__name__ for one in classes)
                self.differences.append(f"error: {name} ({wanted}) expected, {said} found")


def _known_client(play: Play, event: Event) -> None:
    """Add the client of an event that is to be refused, as far as the ledger takes it."""
    try:
        play.client(event)
    except ClientLedgerError as error:
        play.note(f"{event.title}: {told_by(error)}")


def _currency(case: Case) -> str | None:
    """What an event without a currency is in: the case's, else the first that is told."""
    told = [case.fields.currency(), *(event.fields.currency() for event in case.events)]
    balances = Fields.of(case.expect).get("balance", "balances")
    for one in balances.values() if isinstance(balances, Mapping) else ():
        told += [str(code).upper() for code in one] if isinstance(one, Mapping) else []
    return next((one for one in told if one is not None), None)


def _settings(case: Case) -> dict[str, Any]:
    """Currencies that ISO 4217 does not list: the book is given them as its own."""
    codes: Counter[str] = Counter()
    for row in (case.fields, *(event.fields for event in case.events if not event.rejected)):
        code = row.currency()
        if code is not None:
            codes[code] = max(codes[code], _decimals(row.get(*AMOUNT)))
    try:
        own = own_currencies(codes)
    except ClientLedgerError:
        return {}
    return {"currencies": own} if own else {}


def _decimals(told: object) -> int:
    _, _, after = str(told).partition(".")
    return len(after) if after.isdecimal() else 0
