"""The driver fails at each statement in turn: what passes is repeated whole, the rest is told."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pymysql
import pytest
from tests.servers import connect_postgresql

from clientledger import (
    Book,
    Busy,
    ClientLedgerError,
    HostTransactionAborted,
    Money,
    OutcomeUnknown,
    PeriodClosed,
    StoreError,
    Unavailable,
    open_book,
)
from clientledger.ports import Claim, Posting
from clientledger_sqlalchemy import SqlStore
from clientledger_sqlalchemy import store as store_module
from clientledger_sqlalchemy.channel import Channel

KNOWN: list[UUID] = []


class Failing:
    """A cursor that runs so many statements, then fails once, before or after it has run one."""

    def __init__(self, cursor: Any, plan: "Plan") -> None:
        self._cursor, self._plan = cursor, plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, text: str, *parameters: Any) -> Any:
        return self._run(text, lambda: self._cursor.execute(text, *parameters))

    def executemany(self, text: str, rows: Any) -> Any:
        return self._run(text, lambda: self._cursor.executemany(text, rows))

    def _run(self, text: str, run: Callable[[], Any]) -> Any:
        fails = self._plan.fails(text)
        if fails and not self._plan.after:
            raise self._plan.error()
        result = run()
        if fails:
            raise self._plan.error()
        return result


class Plan:
    """When to fail: at the n-th statement, or at the commit; `times` times."""

    def __init__(
        self,
        error: Callable[[], Exception],
        at: int | str,
        *,
        after: bool = False,
        times: int = 1,
    ) -> None:
        self.error, self.at, self.after, self.left = error, at, after, times
        self.seen = 0

    def fails(self, text: str) -> bool:
        self.seen += 1
        now = text.startswith(self.at) if isinstance(self.at, str) else self.seen == self.at
        if now and self.left:
            self.left -= 1
            self.seen = 0 if self.left else self.seen
            return True
        return False


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> Iterator[Plan]:
    begun = Channel.__init__

    def begin(channel: Channel, connection: Any, engine: Any) -> None:
        begun(channel, connection, engine)
        channel._cursor = Failing(channel._cursor, plan)

    with monkeypatch.context() as patch:
        patch.setattr(Channel, "__init__", begin)
        yield plan


def of_sqlite(code: int) -> Callable[[], Exception]:
    def make() -> Exception:
        error = sqlite3.OperationalError("as told")
        error.sqlite_errorcode = code
        return error

    return make


def of_postgresql(state: str) -> Callable[[], Exception]:
    return lambda: psycopg.errors.lookup(state)("as told")


def of_mariadb(code: int) -> Callable[[], Exception]:
    return lambda: pymysql.err.OperationalError(code, "as told")


PASSING = {
    "postgresql_url": [of_postgresql(state) for state in ("40001", "40P01", "55P03", "57P01")],
    "mariadb_url": [of_mariadb(code) for code in (1213, 1205, 1020, 1047, 2013, 2006, 1053)],
}
LOST = {
    "postgresql_url": lambda: psycopg.OperationalError("server closed the connection"),
    "mariadb_url": of_mariadb(2013),
}
SERVERS = list(LOST)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    """A book on a server with a client who owes 9.00; it waits only shortly before it repeats."""
    monkeypatch.setattr("clientledger.services.desk.time.sleep", lambda _: None)
    store = SqlStore.open(request.getfixturevalue(request.param))
    book = Book(store, actor="olena")
    client = book.clients.add("Acme")
    KNOWN.append(client.id)
    book.ledger.record_sale(client, "9.00 EUR")
    yield book
    book.close()


def server_name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["server"])


def pay(book: Book, key: str | None = None) -> object:
    """One command, and no more: it is told the client by an id that was looked up before."""
    return book.ledger.record_payment(KNOWN[-1], "2.00 EUR", key=key)


def paid(book: Book) -> int:
    """How many payments there are; the account says the same, and all is in order."""
    [client] = book.clients.find()
    count = len(book.ledger.find(client=client, kind="payment"))
    owed = Money.from_minor(900 - 200 * count, "EUR")
    assert book.ledger.account(client, "EUR").owed == owed
    assert book.verify().ok
    return count


def statements(monkeypatch: pytest.MonkeyPatch, book: Book) -> int:
    """How many statements a payment runs."""
    with failing(monkeypatch, Plan(InterruptedError, 10**6)) as plan:
        pay(book, "counted")
    return plan.seen


def test_what_passes_is_repeated_whole(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, count = server_name(request), statements(monkeypatch, server)
    assert count > 15
    made = 1
    for n in range(1, count + 1):
        error = PASSING[name][n % len(PASSING[name])]
        server.ledger.record_sale(KNOWN[-1], "2.00 EUR", use_prepayments=False)
        with failing(monkeypatch, Plan(error, n)) as plan:
            pay(server, key=f"k{n}")
        assert plan.left == 0
        made += 1
    assert len(server.ledger.find(client=KNOWN[-1], kind="payment")) == made
    assert server.verify().ok


def test_a_lost_reply_to_a_commit_is_settled_and_nothing_is_done_twice(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LOST[server_name(request)]
    for after in (True, False):
        for key in ("a key", None):
            before = paid(server)
            told = None if key is None else f"{key} {after}"
            with failing(monkeypatch, Plan(lost, "COMMIT", after=after)) as plan:
                pay(server, told)
            assert plan.left == 0
            assert paid(server) == before + 1


def test_a_lost_reply_to_the_commit_of_a_whole_function_is_settled(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LOST[server_name(request)]
    for after in (True, False):
        with failing(monkeypatch, Plan(lost, "COMMIT", after=after)):
            server.run(pay)
    assert paid(server) == 2


def test_the_key_of_another_command_is_no_proof(server: Book) -> None:
    """A commit was not made, and by the time of the question another command has the key."""
    proofs = []
    for subject, ends in (("ours", suppress(ZeroDivisionError)), ("another's", nullcontext())):
        with ends, server._desk.scope.begin() as unit:
            unit.post(Posting(claims=(Claim("command", "k", subject),)))
            proofs.append(unit.proof)  # type: ignore[attr-defined]  # the SQL store's
            assert subject != "ours" or 1 // 0
    store = server._desk.scope
    assert isinstance(store, SqlStore)
    assert [store._recorded(proof) for proof in proofs] == [False, True]


def test_a_commit_that_was_a_rollback_is_told(postgresql_url: str) -> None:
    """PostgreSQL undoes what goes on after an error, and answers to COMMIT: ROLLBACK."""
    with open_book(postgresql_url, actor="olena") as book:
        with pytest.raises(StoreError, match="undone"), book.atomic() as shop:  # noqa: PT012
            shop.clients.add("Acme")
            with suppress(StoreError):
                shop._desk.scope._channel.command("SELECT 1 / 0")  # type: ignore[attr-defined]  # the SQL store's
        assert len(book.clients.find()) == 0


def test_connections_that_died_while_they_rested_are_replaced(postgresql_url: str) -> None:
    """All of them at once: no reader is told, and nobody else repeats a read."""
    with open_book(postgresql_url, actor="olena") as book:
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(book._desk.scope.snapshot())
        with connect_postgresql(postgresql_url, autocommit=True) as link:
            link.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert len(book.clients.find()) == 0


def test_a_command_that_knew_the_former_rules_is_planned_again(
    server: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, day = Channel.raw, date(2026, 1, 5)
    closes = [day]

    def meanwhile(channel: Channel, statement: Any, values: Any) -> Any:
        if closes and "FROM heads" in statement.text:
            server.ledger.close_period(closes.pop())
        return raw(channel, statement, values)

    with monkeypatch.context() as patch, pytest.raises(PeriodClosed):  # noqa: PT012
        patch.setattr(Channel, "raw", meanwhile)
        server.ledger.record_payment(KNOWN[-1], "2.00 EUR", on=day)
    assert closes == []


def test_an_event_that_is_committed_while_positions_are_given_gets_one(
    server: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write = server._desk.scope, Channel.write
    assert isinstance(store, SqlStore)

    def meanwhile(channel: Channel, statement: Any, rows: Any) -> int:
        if statement is store._statements.writes.clear_pending:
            server.clients.add("Late")
        return write(channel, statement, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Channel, "write", meanwhile)
        assert store.sequence() > 0
    assert server.verify().ok
    assert len(server.changes()) == 4


def test_a_unit_of_work_sees_nothing_that_is_not_committed(server: Book) -> None:
    store = server._desk.scope
    with store.begin() as one:
        one.post(Posting(claims=(Claim("command", "k", "s"),)))
        with store.begin() as other:
            assert other.lookup(Claim, ("command", "k")) is None


def test_two_who_give_positions_at_once_take_turns(
    server: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write, given = server._desk.scope, Channel.write, list[int]()
    assert isinstance(store, SqlStore)
    other = threading.Thread(target=lambda: given.append(store.sequence()))

    def meanwhile(channel: Channel, statement: Any, rows: Any) -> int:
        if statement is store._statements.writes.clear_pending and other.ident is None:
            other.start()
            other.join(0.5)
        return write(channel, statement, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Channel, "write", meanwhile)
        assert store.sequence() > 0
        other.join()
    assert given == [0]


def test_an_outcome_that_nobody_can_tell_is_said_to_be_so(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LOST[server_name(request)]
    monkeypatch.setattr(store_module, "_PATIENCE", 0.3)

    def unreachable(store: SqlStore, proof: object) -> bool:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "_recorded", unreachable)
        with (
            failing(monkeypatch, Plan(lost, "COMMIT", after=True)),
            pytest.raises(OutcomeUnknown, match="outcome"),
        ):
            pay(server)
        assert paid(server) == 1
        with failing(monkeypatch, Plan(lost, "COMMIT", after=True)) as plan:
            pay(server, "k")  # its key tells, as the database is there again
        assert plan.left == 0
    assert server.outcome("k").recorded
    assert paid(server) == 2
    pay(server, "k")
    assert paid(server) == 2


def test_a_transaction_that_the_database_has_undone_takes_nothing_more(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = PASSING[server_name(request)][0]

    def go_on(shop: Book) -> None:
        pay(shop)
        with failing_now(monkeypatch, shop, error), pytest.raises(Busy):
            pay(shop)
        calls: list[Callable[[], object]] = [lambda: pay(shop), shop.clients.find, shop.verify]
        for call in calls:
            with pytest.raises(HostTransactionAborted):
                call()

    with pytest.raises(HostTransactionAborted):
        server.run(go_on)
    assert paid(server) == 0


@contextmanager
def failing_now(
    monkeypatch: pytest.MonkeyPatch, book: Book, error: Callable[[], Exception]
) -> Iterator[None]:
    """Let the next insert in a transaction that has begun fail."""
    channel = book._desk.scope._channel  # type: ignore[attr-defined]  # the SQL store's
    with monkeypatch.context() as patch:
        patch.setattr(channel, "_cursor", Failing(channel._cursor, Plan(error, "INSERT")))
        yield


def test_what_does_not_pass_ends_with_busy_or_unavailable(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in PASSING[server_name(request)]:
        with (
            failing(monkeypatch, Plan(error, 9, times=10**6)),
            pytest.raises((Busy, Unavailable)),
        ):
            pay(server, "never")
    assert paid(server) == 0
    assert not server.outcome("never").recorded


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_IOERR, "disk failed"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_READONLY, "read-only"),
        (sqlite3.SQLITE_NOMEM, "database failed"),
    ],
)
def test_a_failing_disk_is_named_and_leaves_nothing(
    path: Path, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore.open(f"sqlite:///{path}")
    book = Book(store, actor="olena")
    client = book.clients.add("Acme")
    KNOWN.append(client.id)
    book.ledger.record_sale(client, "9.00 EUR")
    count = statements(monkeypatch, book)
    for n in range(1, count + 1):
        with failing(monkeypatch, Plan(of_sqlite(code), n)), pytest.raises(StoreError, match=said):
            pay(book, f"k{n}")
        assert not book.outcome(f"k{n}").recorded
    assert paid(book) == 1
    book.close()


def test_an_error_of_ours_repeats_nothing_that_the_driver_says(
    server: Book, request: pytest.FixtureRequest
) -> None:
    """Drivers show the row that was refused, the key that was there, and the address."""
    store, canary = server._desk.scope, "Zanzibar-Kanari"
    assert isinstance(store, SqlStore)
    errors: list[Exception] = [pymysql.err.OperationalError(n, canary) for n in (1062, 1366, 2013)]
    if server_name(request) == "postgresql_url":
        errors = [psycopg.errors.lookup(state)(canary) for state in ("23505", "23514", "08006")]
    for error in errors:
        told = store.engine.failure(error).error
        assert canary not in f"{told} {told!r}"


def test_no_error_shows_what_is_personal_or_secret(
    server: Book, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither parameters nor passwords are in what is told, nor in its causes."""
    canary = "Zanzibar-Kanari"
    for state in ("22001", "23514", "XX000"):
        error = (
            of_postgresql(state)
            if server_name(request) == "postgresql_url"
            else of_mariadb(int(state[:2] == "XX") + 1366)
        )
        with (
            failing(monkeypatch, Plan(error, "INSERT")),
            pytest.raises(ClientLedgerError) as caught,
        ):
            server.clients.add(canary, note=canary, phones=["+49 30 901820"])
        told = f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
        assert canary not in told
    with pytest.raises(StoreError) as refused:
        SqlStore.open("postgresql://olena:geheim@127.0.0.1:1/none?wait=0")
    assert "geheim" not in f"{refused.value} {refused.value!r}"
    assert refused.value.__cause__ is not None
    assert "geheim" not in str(refused.value.__cause__)
