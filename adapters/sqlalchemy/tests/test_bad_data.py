"""Rows that others have spoiled are named, whatever they hold; what is derived is written anew."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest
from adapters.sqlalchemy.tests.tampering import Ticking, commands, stranger
from tests.servers.fixtures import opened_or_skip
from tests.servers.fresh import mariadb_database, postgresql_database

from clientledger import Book, NotAllowed, Problem, StoreError
from clientledger_sqlalchemy import SqlStore

OTHER = "01890a5d-ac96-774b-bcce-b302099a8057"
DERIVED = ("balances", "open_items", "purchase_days", "timeline")


@attrs.define
class Place:
    """A book with everything on one kind of database, and all its rows as they were."""

    url: str
    store: SqlStore
    book: Book
    photo: dict[str, list[Any]]

    @property
    def kind(self) -> str:
        return self.store.engine.dialect.name

    def spoil(self, *statements: str) -> None:
        """Let a stranger run statements, each of which changes something."""
        with stranger(self.store, self.url) as link:
            for statement in statements:
                assert link.run(statement.replace("{other}", link.id(OTHER))) > 0, statement

    def mend(self) -> None:
        with stranger(self.store, self.url) as link:
            link.restore(self.photo)

    def rows(self, *but: str) -> dict[str, list[Any]]:
        with stranger(self.store, self.url) as link:
            return link.photo(*but)

    def found(self) -> tuple[Problem, ...]:
        return self.book.verify().problems


def made(url: str) -> Place:
    store = SqlStore.open(url)
    book = Book(store, actor="olena", clock=Ticking())
    for _ in commands(book):
        pass
    with stranger(store, url) as link:
        return Place(url, store, book, link.photo())


SERVERS = ("postgresql", "mariadb")


def everywhere(table: Iterable[str], *few: str) -> pytest.MarkDecorator:
    """All of a table on files, and a few on servers, where each takes longer."""
    pairs = [("sqlite", name) for name in table] + [
        (kind, name) for kind in SERVERS for name in few
    ]
    return pytest.mark.parametrize(("own", "name"), pairs, indirect=["own"])


@pytest.fixture(scope="module")
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """The book, one for all tests of a kind of database."""
    with ExitStack() as stack:
        kind = getattr(request, "param", "sqlite")
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('bad') / 'book.db'}"
        elif kind == "postgresql":
            url = stack.enter_context(opened_or_skip(postgresql_database()))
        else:
            url = stack.enter_context(opened_or_skip(mariadb_database()))
        place = made(url)
        stack.callback(place.store.close)
        yield place


@pytest.fixture
def place(own: Place) -> Iterator[Place]:
    yield own
    own.mend()


def test_the_book_is_in_order(place: Place) -> None:
    report = place.book.verify()
    assert report.problems == ()
    assert report.rows > 40
    assert place.book.repair() == attrs.evolve(place.book.repair(), clients=(), rebuilt=(), left=())
    assert place.rows() == place.photo


# ------------------------------------------------------------ derived rows
DERIVED_ROWS = {
    "a balance": ("UPDATE balances SET owed = owed + 1 WHERE currency = 'EUR'", "Balance", "EUR"),
    "prepaid": ("UPDATE balances SET prepaid = 1 WHERE currency = 'USD'", "Balance", "USD"),
    "the day of a balance": ("UPDATE balances SET latest = '2020-01-01'", "Balance", "EUR"),
    "the moment of a balance": (
        "UPDATE balances SET recorded_at = '2020-01-01 00:00:00'", "Balance", "EUR",
    ),
    "no balances": ("DELETE FROM balances", "Balance", "JPY"),
    "a balance too many": (
        ("INSERT INTO balances SELECT client_id, 'CHF', digits, owed, prepaid, latest, recorded_at"
        " FROM balances WHERE currency = 'USD'"), "Balance", "CHF",
    ),
    "an open item": ("UPDATE open_items SET open = open + 1 WHERE open > 0", "OpenItem", "/"),
    "an item below zero": ("UPDATE open_items SET open = -1 WHERE open = 0", "OpenItem", "/"),
    "the due day of an item": (
        "UPDATE open_items SET due = '2020-01-01' WHERE instalment = 2", "OpenItem", "/2",
    ),
    "settled items are gone": ("DELETE FROM open_items WHERE open = 0", "OpenItem", "/"),
    "an item too many": (
        "UPDATE open_items SET instalment = 77 WHERE instalment = 2", "OpenItem", "/77",
    ),
    "a purchase day": ("UPDATE purchase_days SET sold = sold + 1", "PurchaseDay", "/EUR"),
    "a count of purchases": ("UPDATE purchase_days SET count = count + 1", "PurchaseDay", "/EUR"),
    "another purchase day": ("UPDATE purchase_days SET day = '2020-01-01'", "PurchaseDay", "2020-"),
    "no purchase days": ("DELETE FROM purchase_days", "PurchaseDay", "/EUR"),
    "a title of the timeline": (
        "UPDATE timeline SET title = 'x' WHERE what = 'entry'", "TimelineItem", "-",
    ),
    "rows of the timeline are gone": (
        "DELETE FROM timeline WHERE what = 'interaction'", "TimelineItem", "-",
    ),
    "a row of the timeline twice": (
        ("INSERT INTO timeline SELECT client_id, '2020-01-01 00:00:00', id, what, kind, title,"
        " amount, currency, digits, on_day, actor FROM timeline WHERE what = 'task'"),
        "TimelineItem", "-",
    ),
    "items of nobody": ("UPDATE open_items SET client_id = {other}", "OpenItem", "/"),
}  # fmt: skip


@everywhere(
    DERIVED_ROWS,
    "a balance",
    "the moment of a balance",
    "no balances",
    "an item below zero",
    "a row of the timeline twice",
    "another purchase day",
)
def test_a_derived_row_that_is_wrong_is_named_and_written_anew(place: Place, name: str) -> None:
    statement, what, row = DERIVED_ROWS[name]
    place.spoil(statement)
    found = place.found()
    assert {problem.what for problem in found} == {what}
    assert any(row in problem.row for problem in found)
    assert all(problem.stored != problem.computed for problem in found)
    facts = place.rows(*DERIVED, "events", "pending", "heads")
    repair = place.book.repair()
    assert repair.ok
    assert repair.left == ()
    assert {(p.what, p.row) for p in repair.rebuilt} == {(p.what, p.row) for p in found}
    assert set(repair.clients) == {problem.client for problem in found}
    assert place.found() == ()
    assert place.rows(*DERIVED, "events", "pending", "heads") == facts
    after = place.rows(*(name for name in place.photo if name not in DERIVED))
    for table in DERIVED:
        if table != "balances":  # whose moments may be later
            assert after[table] == place.photo[table]


def test_a_repair_tells_who_when_and_what(place: Place) -> None:
    place.spoil("UPDATE balances SET owed = owed + 1 WHERE currency = 'USD'")
    heads = place.rows()["heads"]
    [problem] = place.book.as_actor("petro").repair().rebuilt
    events = [event for event in place.book.changes() if event.type == "book.repaired"]
    [event] = events
    assert (event.actor, event.client, event.subject) == (
        "petro",
        problem.client,
        str(problem.client),
    )
    assert event.data["rows"] == [
        {"what": "Balance", "row": "USD", "before": "owed 0.01 USD", "after": "owed 0.00 USD"}
    ]
    assert len([row for row in place.rows()["heads"] if row not in heads]) == 1
    assert place.found() == ()


def test_nobody_repairs_a_book_that_is_open_for_reading_only(place: Place) -> None:
    place.spoil("UPDATE balances SET owed = owed + 1")
    before = place.rows()
    with Book(SqlStore.open(place.url, read_only=True)) as reader, pytest.raises(NotAllowed):
        reader.repair()
    assert place.rows() == before


@pytest.mark.parametrize("own", ["sqlite", *SERVERS], indirect=True)
def test_a_repair_and_writers_at_once_lose_nothing(place: Place) -> None:
    client = place.book.clients.find("Zoë")[0]
    failures: list[BaseException] = []

    def write(n: int) -> None:
        try:
            writer = place.book.as_actor(f"writer{n}")
            for i in range(6):
                writer.interactions.log(client, "call", f"{n} {i}")
                writer.ledger.record_sale(client, "1.00", on=date(2026, 3, 9))
        except BaseException as failure:  # noqa: BLE001 - told to the main thread
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    rebuilt = 0
    while any(thread.is_alive() for thread in threads):
        place.spoil("UPDATE timeline SET title = 'x' WHERE title LIKE '%asked%'")
        repair = place.book.repair()
        rebuilt += len(repair.rebuilt)
        assert repair.left == ()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rebuilt > 0
    assert place.found() == ()
    assert len(place.book.ledger.find(client=client, kind="sale")) == 19
    timeline = place.book.interactions.timeline(client, what=("interaction",), limit=None)
    assert len(timeline) == 19


# ------------------------------------------------------------ what is not derived
KEPT = {
    "a deleted allocation": ("DELETE FROM allocations WHERE amount = 2000", {"Event", "OpenItem"}),
    "a deleted release": ("DELETE FROM releases WHERE amount = 200", {"Event", "OpenItem"}),
    "a deleted entry": ("DELETE FROM entries WHERE kind = 'refund'", {"Event", "Entry"}),
    "the last entry deleted": (
        "DELETE FROM entries WHERE currency = 'JPY'", {"Event", "Head", "Balance", "Claim"},
    ),
    "an edited amount": (
        "UPDATE entries SET amount = amount + 1 WHERE kind = 'payment' AND number = '9'",
        {"Entry", "Balance", "OpenItem", "TimelineItem"},
    ),
    "an edited day": (
        "UPDATE entries SET on_day = '2026-03-01' WHERE kind = 'payment' AND number = '9'",
        {"Entry", "OpenItem", "TimelineItem"},
    ),
    "an amount below zero": (
        "UPDATE entries SET amount = -amount WHERE kind = 'refund'", {"Entry"},
    ),
    "another side": ("UPDATE entries SET side = 'credit' WHERE kind = 'refund'", {"Entry"}),
    "a side that is none": ("UPDATE entries SET side = 'x' WHERE kind = 'refund'", {"Entry"}),
    "a kind that is none": ("UPDATE entries SET kind = 'x' WHERE kind = 'refund'", {"Entry"}),
    "other decimals": ("UPDATE entries SET digits = 3 WHERE currency = 'USD'", {"Entry"}),
    "another client": (
        "UPDATE entries SET client_id = {other} WHERE kind = 'refund'", {"Entry", "Event"},
    ),
    "a missing line": ("DELETE FROM entry_lines WHERE name = 'Tea'", {"Entry"}),
    "a missing instalment": ("DELETE FROM instalments WHERE number = 2", {"Entry", "OpenItem"}),
    "a line of another amount": (
        "UPDATE entry_lines SET total = total + 1 WHERE name = 'Tea'", {"Entry"},
    ),
    "an instalment of another amount": (
        "UPDATE instalments SET amount = amount + 1 WHERE number = 2", {"Entry"},
    ),
    "a line of nobody": (
        "UPDATE entry_lines SET entry_id = {other} WHERE name = 'Tea'", {"Entry", "EntryLine"},
    ),
    "an instalment of nobody": (
        "UPDATE instalments SET client_id = {other} WHERE number = 2", {"Entry", "Instalment"},
    ),
    "a number of lines": ("UPDATE entries SET line_count = 7 WHERE line_count > 0", {"Entry"}),
    "no lines to read": ("UPDATE entries SET line_count = 0 WHERE line_count > 0", {"Entry"}),
    "another place of a line": ("UPDATE entry_lines SET number = 9 WHERE name = 'Tea'", {"Entry"}),
    "undoes nothing": (("UPDATE entries SET undoes = {other} WHERE amount = 3000"
                       " AND kind = 'void'"), {"Entry"}),
    "replaces nothing": (
        "UPDATE entries SET replaces = {other} WHERE replaces IS NOT NULL", {"Entry"},
    ),
    "pairs with nothing": (
        "UPDATE entries SET pair = {other} WHERE kind = 'exchange' AND side = 'debit'", {"Entry"},
    ),
    "of no sale": ("UPDATE entries SET sale = {other} WHERE sale IS NOT NULL", {"Entry"}),
    "of no allocation": (
        "UPDATE releases SET allocation_id = {other} WHERE amount = 200", {"Release"},
    ),
    "against itself": ("UPDATE allocations SET debit_id = credit_id WHERE amount = 2000",
                       {"Allocation"}),
    "an allocation too large": (
        "UPDATE allocations SET amount = amount * 100 WHERE amount = 2000", {"Allocation"},
    ),
    "a moment that goes back": (
        "UPDATE entries SET recorded_at = '2020-01-01 00:00:00' WHERE kind = 'refund'", {"Entry"},
    ),
    "a day that is none": (
        "UPDATE entries SET on_day = '1799-01-01' WHERE kind = 'refund'", {"Entry"},
    ),
    "the sequence of a head": ("UPDATE heads SET sequence = sequence + 1", {"Head"}),
    "the version of a head": ("UPDATE heads SET version = 1", {"Head"}),
    "the edition of a head": ("UPDATE heads SET edition = 7", {"Head"}),
    "the moment of a head": ("UPDATE heads SET recorded_at = '2027-01-01 00:00:00'", {"Head"}),
    "an archived head": ("UPDATE heads SET archived = TRUE", {"Head"}),
    "no heads": ("DELETE FROM heads", {"Head"}),
    "a deleted client": ("DELETE FROM clients WHERE name = 'Zoë'", {"Client"}),
    "a client that nobody finds": ("UPDATE clients SET search = 'x'", {"Client"}),
    "a client in another place": ("UPDATE clients SET sort_name = 'x'", {"Client"}),
    "no claims of numbers": ("DELETE FROM claims WHERE space LIKE 'number:%'", {"Claim"}),
    "no claims of external ids": ("DELETE FROM claims WHERE space LIKE 'external:%'", {"Claim"}),
    "a claim of nobody": (
        f"UPDATE claims SET subject = '{OTHER}' WHERE space = 'external:task:crm'", {"Claim"},
    ),
    "a claim of what is voided": (
        ("INSERT INTO claims SELECT 'number:payment', '77', claims.subject, claims.data"
        " FROM claims WHERE space = 'external:client:erp'"), {"Claim"},
    ),
    "a key that made nothing": (
        (f"INSERT INTO claims SELECT 'command', 'k', '{OTHER}', data FROM claims"
        " WHERE space = 'external:client:erp'"), {"Claim"},
    ),
    "an event of nothing": (
        f"UPDATE events SET subject = '{OTHER}' WHERE type = 'interaction.logged'", {"Event"},
    ),
    "an event twice": (
        ("UPDATE events SET subject = (SELECT subject FROM (SELECT * FROM events) AS e"
        " WHERE e.type = 'refund.recorded') WHERE type = 'write_off.recorded'"), {"Event", "Entry"},
    ),
    "an event that waits for nothing": ("DELETE FROM pending WHERE id > 9", {"Event"}),
    "no event": ("DELETE FROM events WHERE type = 'refund.recorded'", {"Entry", "pending"}),
    "deleted members": ("DELETE FROM members", {"Event"}),
    "a deleted interaction": ("DELETE FROM interactions", {"Event", "TimelineItem"}),
    "a deleted task": ("DELETE FROM tasks", {"Event", "TimelineItem", "Claim"}),
    "a deleted agreement": ("DELETE FROM agreements", {"Event", "TimelineItem", "Entry"}),
}  # fmt: skip


@everywhere(
    KEPT,
    "a deleted allocation",
    "an edited amount",
    "another client",
    "a missing line",
    "an instalment of nobody",
    "a claim of nobody",
    "no event",
    "no heads",
    "a client that nobody finds",
)
def test_what_is_not_derived_is_named_and_left(place: Place, name: str) -> None:
    statement, whats = KEPT[name]
    place.spoil(statement)
    found = place.found()
    assert whats <= {problem.what for problem in found}, found
    assert all(str(problem) for problem in found)
    derived = {problem for problem in found if problem.what in ("Balance", "OpenItem")}
    before = place.rows(*DERIVED, "events", "pending", "heads", "members")
    repair = place.book.repair()
    assert not repair.ok
    assert place.rows(*DERIVED, "events", "pending", "heads", "members") == before
    doubted = {problem.client for problem in found if problem.what in ("Entry", "Allocation")}
    assert not doubted & set(repair.clients)
    assert {problem for problem in derived if problem.client in doubted} <= set(repair.left)


def test_a_row_is_named_by_what_it_is(place: Place) -> None:
    with stranger(place.store, place.url) as link:
        [[id]] = link.rows("SELECT id FROM entries WHERE kind = 'refund'")
    place.spoil("UPDATE entries SET amount = -amount WHERE kind = 'refund'")
    named = [p for p in place.found() if p.what == "Entry" and "above zero" in p.computed]
    [problem] = named
    assert problem.row.replace("-", "") == str(id).replace("-", "")
    assert problem.stored == "-2.00 EUR"


# ------------------------------------------------------------ what cannot be read
UNREADABLE = {
    "data of events": ("UPDATE events SET data = '{' WHERE type = 'client.changed'", "Event"),
    "ids of an entry": ("UPDATE entries SET external_ids = '[1' WHERE kind = 'refund'", "Entry"),
    "a list for a mapping": ("UPDATE entries SET external_ids = '[1]' WHERE number = '3'", "Entry"),
    "numbers for texts": (
        "UPDATE entries SET external_ids = '{\"a\":1}' WHERE number = '3'", "Entry",
    ),
    "agreements": ("UPDATE entries SET agreements = '[1]' WHERE number = '3'", "Entry"),
    "a currency": ("UPDATE entries SET currency = '' WHERE kind = 'refund'", "Entry"),
    "decimals": ("UPDATE entries SET digits = 99 WHERE kind = 'refund'", "Entry"),
    "a quantity": ("UPDATE entry_lines SET quantity = 'many' WHERE name = 'Tea'", "EntryLine"),
    "phones": ("UPDATE clients SET phones = '[{}]' WHERE name = 'Zoë'", "Client"),
    "tags": ("UPDATE clients SET tags = '[1]' WHERE name = 'Zoë'", "Client"),
    "a balance": ("UPDATE balances SET currency = '' WHERE currency = 'USD'", "Balance"),
    "data of claims": ("UPDATE claims SET data = '' WHERE space = 'external:client:erp'", "Claim"),
    "ids of a task": ("UPDATE tasks SET external_ids = 'x'", "Task"),
    "text that is no Unicode": ("UPDATE tasks SET title = CAST(x'ff41' AS TEXT)", "Task"),
    "a name that is no Unicode": ("UPDATE clients SET name = CAST(x'ff41' AS TEXT)", "Client"),
    "settings": ("UPDATE settings SET data = '{}'", "Settings"),
    "settings that are no JSON": ("UPDATE settings SET data = 'x'", "Settings"),
}  # fmt: skip


@everywhere(UNREADABLE, "data of events", "a currency", "a quantity", "data of claims", "settings")
def test_a_row_that_cannot_be_read_is_named(place: Place, name: str) -> None:
    statement, what = UNREADABLE[name]
    place.spoil(statement)
    found = place.found()
    assert what in {problem.what for problem in found}
    before = place.rows("balances", "events", "pending", "heads", "timeline")
    place.book.repair() if what != "Settings" else None
    assert place.rows("balances", "events", "pending", "heads", "timeline") == before


def test_a_derived_row_that_cannot_be_read_is_written_anew(place: Place) -> None:
    place.spoil("UPDATE balances SET currency = '' WHERE currency = 'USD'")
    assert place.book.repair().ok
    assert place.found() == ()


def test_whoever_reads_a_row_that_cannot_be_read_is_told(place: Place) -> None:
    place.spoil("UPDATE entries SET agreements = '[1]' WHERE number = '3'")
    with pytest.raises(StoreError, match=r"kind Entry cannot be read.*verify"):
        place.book.ledger.find()


ANYTHING = [
    "UPDATE entries SET sequence = 'abc' WHERE kind = 'refund'",
    "UPDATE entries SET on_day = 'someday' WHERE kind = 'refund'",
    "UPDATE entries SET recorded_at = 5 WHERE kind = 'refund'",
    "UPDATE entries SET id = 'x' WHERE kind = 'refund'",
    "UPDATE entries SET amount = 1.5 WHERE kind = 'refund'",
    "UPDATE entries SET actor = x'ff00' WHERE kind = 'refund'",
    "UPDATE events SET at = 'never' WHERE type = 'refund.recorded'",
    "UPDATE events SET id = 'x' WHERE type = 'refund.recorded'",
    "UPDATE allocations SET instalment = 'x' WHERE amount = 2000",
    "UPDATE balances SET owed = 'much' WHERE currency = 'EUR'",
    "UPDATE heads SET version = 'x'",
    "UPDATE heads SET client_id = 'x' WHERE sequence > 5",
    "UPDATE clients SET id = 'x' WHERE name = 'Acme'",
    "UPDATE clients SET created_at = 'x'",
    "UPDATE instalments SET due = 'x'",
    "UPDATE members SET created_at = 'x'",
    "UPDATE claims SET space = 5",
]


@pytest.mark.parametrize("statement", ANYTHING)
def test_a_file_that_holds_anything_at_all_is_audited(tmp_path: Path, statement: str) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    with closing(SqlStore.open(url)) as store:
        book = Book(store, actor="olena", clock=Ticking())
        for _ in commands(book):
            pass
        anchor = book.anchor()
        place = Place(url, store, book, {})
        place.spoil(statement)
        report = book.verify(anchor)
        assert not report.ok
        assert all(str(problem) for problem in report.problems)
        before = place.rows(
            "balances",
            "open_items",
            "timeline",
            "purchase_days",
            "events",
            "pending",
            "heads",
            "feed",
            "seals",
            "salts",
        )
        book.repair()
        assert before == place.rows(
            "balances",
            "open_items",
            "timeline",
            "purchase_days",
            "events",
            "pending",
            "heads",
            "feed",
            "seals",
            "salts",
        )
