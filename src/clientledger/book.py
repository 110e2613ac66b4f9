"""The book: the one face of the library."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

import attrs

from clientledger import memory
from clientledger.domain.events import Event
from clientledger.domain.insights import Card
from clientledger.domain.pages import Page, check_limit
from clientledger.domain.seals import Anchor, read_anchor
from clientledger.domain.settings import Settings, read_settings, recounted
from clientledger.domain.statements import Statement
from clientledger.domain.team import Member
from clientledger.domain.text import check_key, check_several, choose
from clientledger.domain.time import check_moment, uuid7
from clientledger.errors import Busy, Conflict, InvalidValue, NotAllowed
from clientledger.plugins import Plugins
from clientledger.ports import EntryQuery, EventQuery, Finding, Reading, Scope, Store, UnitOfWork
from clientledger.services.agreements import Agreements
from clientledger.services.audit import Report, verify
from clientledger.services.cards import read_card
from clientledger.services.clients import Clients
from clientledger.services.desk import Desk, Outcome, busy
from clientledger.services.dumping import dump
from clientledger.services.insights import Insights
from clientledger.services.interactions import Interactions
from clientledger.services.ledger import Ledger
from clientledger.services.loading import load
from clientledger.services.portable import Dump
from clientledger.services.repairing import Repair, repair
from clientledger.services.sealing import anchor_of, give_positions
from clientledger.services.tasks import Tasks
from clientledger.services.team import Team
from clientledger.services.work import ClientRef, Work

__all__ = ["Book", "open_book"]

T = TypeVar("T")
Clock = Callable[[], datetime]


class _ForReading(Scope):
    """A scope in which nothing is written."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        raise NotAllowed(
            "this book is for reading only",
            remedy="use the book that it was made from",
        )

    def snapshot(self) -> AbstractContextManager[Reading]:
        return self._scope.snapshot()


class _NeverKept(Exception):
    """Ends a trial."""


class _Ids:
    """Makes UUIDv7s of the present moment that rise strictly within the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = UUID(int=0)
        self._lock = threading.Lock()

    def __call__(self) -> UUID:
        fresh = uuid7(self._clock(), int.from_bytes(os.urandom(10), "big") >> 6)
        with self._lock:
            if fresh <= self._last:
                # The low 62 bits are random: adding one to them keeps version and variant.
                fresh = UUID(int=self._last.int + 1)
            self._last = fresh
        return fresh


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Book:
    """An open client base. `open_book` makes one; an app that embeds it gives a scope of its own.

    Args:
        scope: a `Store`, or a unit of work that somebody else began.
        actor: the key of the member who acts; without one, the member "system".
        plugins: modules or objects with hook implementations; nothing else is loaded.
        block: names of plugins that must not be used.
        clock: the present moment, aware; for tests and for replays.

    Attributes:
        clients, interactions, agreements, ledger, insights, tasks, team: what it can do.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        actor: str | None = None,
        plugins: Iterable[object] | Plugins = (),
        block: Iterable[str] = (),
        clock: Clock | None = None,
    ) -> None:
        told = clock or _utc_now
        self._replica: Store | None = None
        known = (
            plugins
            if isinstance(plugins, Plugins)
            else Plugins((memory, *check_several(plugins, "plugins")), block)
        )
        desk = Desk(
            scope=scope,
            actor=None if actor is None else check_key(actor, "actor"),
            clock=lambda: check_moment(told(), "clock"),
            new_id=_Ids(lambda: check_moment(told(), "clock")),
            rate=known.rate,
        )
        self._fill(desk, known)

    def _fill(self, desk: Desk, plugins: Plugins) -> None:
        self._desk = desk
        self._plugins = plugins
        self.clients = Clients(desk)
        self.interactions = Interactions(desk)
        self.agreements = Agreements(desk)
        self.ledger = Ledger(desk)
        self.insights = Insights(desk)
        self.tasks = Tasks(desk)
        self.team = Team(desk)

    def _with(self, **changes: Any) -> "Book":
        book = object.__new__(type(self))
        book._replica = self._replica
        book._fill(attrs.evolve(self._desk, **changes), self._plugins)
        return book

    @property
    def actor(self) -> str | None:
        """The key of the member who acts."""
        return self._desk.actor

    @property
    def settings(self) -> Settings:
        """How the book counts."""
        with self._desk.glance() as glance:
            return glance.settings

    def change_settings(self, *, key: str | None = None, **changes: Any) -> Settings:
        """Change settings; the change is an event.

        Raises:
            InvalidValue: not a setting, or not a value for it.
            NotAllowed: a currency in use would be lost, or have other decimals.
        """
        if "currencies" in changes:
            changes["currencies"] = check_several(changes["currencies"], "currencies")

        def plan(work: Work) -> Settings:
            after = read_settings(work.settings, changes)
            if after == work.settings:
                return after
            if recounted(work.settings, after):
                _keep_currencies(work, after)
                after = work.new_edition(after)
            if work.settings.revision:
                return work.change(work.settings, after, "settings.changed")
            first = attrs.evolve(after, revision=1)
            work.insert(first, "settings.changed")
            return first

        return self._desk.command(
            "change_settings",
            changes,
            plan,
            key=key,
            again=lambda reading, id: reading.get(Settings, UUID(id)),
        )

    def reading(self, *, consistency: str = "strong") -> "Book":
        """The same book for reading only: for reports, which then burden no writer.

        Args:
            consistency: "strong" reads what has been committed. "eventual" reads from the replica
                that the book was opened with, which may be a little behind; without one it is as
                "strong".

        Raises:
            InvalidValue: another word. Every command of the book that is returned raises
                `NotAllowed`.
        """
        choose(consistency, "consistency", ("strong", "eventual"))
        replica = self._replica if consistency == "eventual" else None
        return self._with(scope=_ForReading(replica or self._desk.scope))

    def findings(self) -> Sequence[Finding]:
        """Say why the storage, as it is set up, cannot keep what a book promises.

        Where there is anything that was not accepted by name, the first command is refused.
        """
        return self._store("findings").findings()

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a whole, consistent copy of the book to a new file, while others go on writing.

        An SQLite file is copied so. The copy is a book: to go back to it, put it in the place of
        the file, with no "-wal" beside it.

        Raises:
            NotAllowed: the storage is copied by its own tools.
            StoreError: there is such a file already, or it cannot be written.
        """
        self._store("backup").backup(Path(os.fspath(path)))

    def _store(self, what: str) -> Store:
        if not isinstance(self._desk.scope, Store):
            raise NotAllowed(
                "only the book itself can do that, not a unit of work in it",
                field=what,
                remedy="ask the book that open_book returned",
            )
        return self._desk.scope

    def as_actor(self, member: str | Member) -> "Book":
        """The same book, acted on by another member."""
        key = member.key if isinstance(member, Member) else member
        return self._with(actor=check_key(key, "actor"))

    @contextmanager
    def atomic(self) -> Iterator["Book"]:
        """Begin a transaction: all that the given book does in it stands or falls together.

        Only the book that it gives is in the transaction. It cannot be repeated, so a conflict with
        another writer is `Busy`; `run` repeats by itself.
        """
        try:
            with self._desk.scope.begin() as unit:
                yield self._with(scope=unit)
        except Conflict as error:
            if not error.passing or isinstance(error, Busy):
                raise
            raise busy(error) from error

    def run(self, function: Callable[["Book"], T]) -> T:
        """Call a function with a book in one transaction; again, whole, when others were quicker.

        The function may run several times: it should do nothing that cannot be done twice.

        Raises:
            Busy: it did not succeed within the bounds.
        """

        def once(unit: UnitOfWork) -> T:
            return function(self._with(scope=unit))

        return self._desk.repeat(once)

    @contextmanager
    def what_if(self) -> Iterator["Book"]:
        """Give a book on trial: whatever is done in it is shown by it, and never kept.

        ::

            with book.what_if() as trial:
                trial.ledger.record_payment(acme, "500.00 EUR")
                trial.card(acme).accounts["EUR"].balance

        It is a unit of work that is always undone. While it lasts, other writers wait, as for any
        other; in a book in memory and in an SQLite file readers do not.
        """
        with suppress(_NeverKept), self._desk.scope.begin() as unit:
            yield self._with(scope=unit)
            raise _NeverKept

    def export(
        self,
        statement: Statement,
        format: str,
        *,
        locale: str = "en",
        layout: str = "statement",
    ) -> bytes:
        """Render a statement of account as a file, by a plugin such as clientledger-statements.

        Args:
            statement: what `book.ledger.statement` gave.
            format: such as "text", "html", "pdf" or "xlsx".
            locale: whose words, dates and numbers, such as "de_AT" or "uk".
            layout: "statement", or "act" for a reconciliation act that both sides sign.

        Raises:
            InvalidValue: a format, locale or layout that nobody has.
            PluginError: the plugin is broken, or lacks something.
        """
        if not isinstance(statement, Statement):
            raise InvalidValue(
                "not a statement",
                field="statement",
                value=statement,
                remedy="give what book.ledger.statement(...) returned",
            )
        return self._plugins.exporter(format)(statement, locale=locale, layout=layout)

    def card(
        self,
        client: ClientRef,
        *,
        as_of: date | None = None,
        known_at: datetime | None = None,
    ) -> Card:
        """All that is known of a client, each list its first page.

        Raises:
            NotFound: no such client.
        """
        return read_card(self._desk, client, as_of, known_at)

    def changes(self, after: str | None = None, limit: int | None = 1000) -> Page[Event]:
        """The change feed: every event of the book once, in an order that never changes.

        Args:
            after: the `cursor` of the last event that was seen.
            limit: the most to return; None is all.
        """
        check_limit(limit)
        place = None if after in (None, "") else _position(after)
        give_positions(self._desk)
        with self._desk.glance() as glance:
            cursor = None if place is None else (place, UUID(int=2**128 - 1))
            return glance.page(EventQuery(sequenced=True), limit, cursor)

    def outcome(self, key: str) -> Outcome:
        """Say whether the command with an idempotency key was recorded, and what it made."""
        return self._desk.outcome(key)

    def dump(self, file: BinaryIO) -> Dump:
        """Write the whole book to a file, from which `load` makes the same book on any store.

        The file is text, a line of JSON for each record. The same book gives the same bytes on
        every store, and what others write meanwhile is not in it. It is written as it is read, so
        a large book needs no more memory than a small one.

        Args:
            file: open for writing bytes, such as ``open("clients.jsonl", "wb")``.

        Returns:
            how much of what is in it, and its digest.

        Raises:
            NotAllowed: the book is open for reading only or in a unit of work, and events wait for
                their position in the feed.
            Busy: others kept writing.
            InvalidValue: the file takes no bytes.
        """
        return dump(self._desk, file)

    def load(self, file: BinaryIO) -> Dump:
        """Read a file that `dump` has written into this book, which must be empty.

        All of it or nothing. The loader writes nothing of its own: the book is the same afterwards,
        with every id, moment, actor, idempotency key and place in the change feed.

        Args:
            file: open for reading bytes, such as ``open("clients.jsonl", "rb")``.

        Returns:
            what `dump` returned.

        Raises:
            NotAllowed: the book is not empty, or is open for reading only.
            InvalidValue: the file is no dump, was cut off or altered, or holds what cannot be
                right; the error names the line.
            Busy: another writer was quicker.
        """
        return load(self._desk, file)

    def anchor(self) -> Anchor:
        """Seal what has no seal yet, and return the end of the hash chain, to be kept elsewhere.

        As text it is ``"1234:ab12..."``. `verify` with it notices whatever was altered, removed,
        added or put elsewhere, up to there, behind the book's back.

        Raises:
            NotAllowed: the book has no hash chain: ``change_settings(hash_chain=True)``.
        """
        return anchor_of(self._desk)

    def verify(self, anchor: Anchor | str | None = None) -> Report:
        """Recompute everything from the entries, and name each row that disagrees.

        It reads and never writes, and ends with a report whatever lies in the store: a row that
        cannot be read is a problem like others. In a book with a hash chain each seal is compared
        with its event and with what that tells of.

        Args:
            anchor: what `anchor` returned once, or its text. Without it nobody can tell that the
                end of the chain was cut off, or that all of it was made anew.

        Raises:
            InvalidValue: not an anchor.
            StoreError: the store itself cannot be read.
        """
        return verify(self._desk, None if anchor is None else read_anchor(anchor))

    def repair(self) -> Repair:
        """Write derived rows anew, from the facts, for each client with some that disagree.

        Balances, open items, purchase days and the timeline can be computed at any time. Nothing
        else is written but an event for each client, "book.repaired", with the rows before and
        after. Facts, records, heads and claims are named and left, and so are the rows of a client
        whose facts are in doubt.

        Raises:
            NotAllowed: the book is open for reading only, or the actor has left.
            Busy: others kept writing.
        """
        return repair(self._desk)

    def close(self) -> None:
        """Close the store; a unit of work that somebody else began is left alone."""
        if isinstance(self._desk.scope, Store):
            self._desk.scope.close()
            if self._replica is not None:
                self._replica.close()

    def __enter__(self) -> "Book":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _keep_currencies(work: Work, after: Settings) -> None:
    for code in recounted(work.settings, after):
        if work.unit.total(EntryQuery(currency=code)):
            raise NotAllowed(
                "documents are in this currency, as it is now",
                field="currencies",
                value=code,
                remedy="leave it as it is, and give the other one another code",
            )


def _position(after: object) -> int:
    if isinstance(after, str) and after.isascii() and after.isdigit() and len(after) <= 18:
        return int(after)
    raise InvalidValue(
        "not a place in the feed", field="after", value=after, remedy="give back an event's cursor"
    )


def open_book(
    url: str,
    *,
    actor: str | None = None,
    settings: Mapping[str, Any] | None = None,
    plugins: Iterable[object] = (),
    discover: bool = False,
    block: Iterable[str] = (),
    read_only: bool = False,
    replica: str | None = None,
    clock: Clock | None = None,
) -> Book:
    """Open a book by its URL, making it where it is not there yet.

    Args:
        url: ``"memory:"`` or, with the SQL adapter installed, ``"sqlite:///clients.db"``.
        actor: the key of the member who acts; without one, the member "system".
        settings: by name (`Settings`); they are written when the book is new, and must agree with
            what it has otherwise.
        plugins: modules or objects with hook implementations.
        discover: load every installed plugin, not only the one that the URL needs.
        block: names of plugins that must not be used.
        read_only: never write, not even to make the book.
        replica: the URL of a copy that the database keeps itself, such as a streaming replica or
            another node of a cluster. ``book.reading(consistency="eventual")`` reads from it;
            commands never do.
        clock: the present moment, aware.

    Raises:
        InvalidValue: not a URL, or a scheme that nobody offers.
        StoreError: the store cannot be opened, or is something else.
        PluginError: a plugin is broken, or two are in conflict.
    """
    found = Plugins((memory, *check_several(plugins, "plugins")), block)
    if discover:
        found.discover()
    store = found.open_store(url, read_only=read_only)
    book = Book(store, actor=actor, plugins=found, clock=clock)
    try:
        if settings is not None:
            _settle(book, settings)
        if replica is not None:
            book._replica = found.open_store(replica, read_only=True)
    except BaseException:
        book.close()
        raise
    return book


def _settle(book: Book, wanted: Mapping[str, Any]) -> None:
    has = book.settings
    wanted = dict(wanted) if isinstance(wanted, Mapping) else wanted
    meant = read_settings(has, wanted)
    if has.revision == 0:
        book.change_settings(**wanted)
    elif meant != has:
        raise InvalidValue(
            "the book has other settings",
            field="settings",
            value=", ".join(sorted(wanted)),
            remedy="open it without settings, and use book.change_settings(...)",
        )
