"""Old books are upgraded: they say what they said, and their tables are those of a new book."""

import ast
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from adapters.sqlalchemy.tests.figures import figures_of
from adapters.sqlalchemy.tests.old_books import (
    VERSIONS,
    connected,
    content,
    differences,
    make_first_version,
    old_file,
    told_then,
)
from adapters.sqlalchemy.tests.shapes import Shape, shape
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from tests.servers.fixtures import opened_or_skip
from tests.servers.fresh import mariadb_database, postgresql_database

from clientledger import (
    Busy,
    Duplicate,
    InvalidValue,
    KeyReused,
    Money,
    NumberTaken,
    PeriodClosed,
    StoreError,
    open_book,
)
from clientledger.cli import main
from clientledger_sqlalchemy import SqlStore, upgrade
from clientledger_sqlalchemy.engines import engine_for
from clientledger_sqlalchemy.schema import NAMING, SCHEMA_VERSION, tables
from clientledger_sqlalchemy.upgrading import migrate

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "adapters/sqlalchemy/src/clientledger_sqlalchemy/migrations"
SERVERS = ["postgresql", "mariadb"]
OLD = [*VERSIONS, *SERVERS]
"""Old books: a file of each version, and the one of the first version on each server."""
FRESH = "zz_"
"""The prefix of a book beside an upgraded one."""

OldBook = Callable[[str], tuple[str, str]]


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Give the address of an empty database: a server's by its name, else a file's."""

    def find(name: str) -> str:
        if name in SERVERS:
            url: str = request.getfixturevalue(f"{name}_url")
            return url
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'book.db'}"

    return find


@pytest.fixture
def old_book(place: Callable[[str], str], tmp_path: Path) -> OldBook:
    """Make an old book, and give its address and which of the kept ones it is."""
    return lambda name: make_old(name, place(name), tmp_path)


def make_old(name: str, url: str, folder: Path) -> tuple[str, str]:
    if name in VERSIONS:
        return old_file(name, Path(url.removeprefix("sqlite:///"))), name
    make_first_version(url, old_file("v1", folder / "first.db"))
    return url, "v1"


@attrs.frozen
class Upgraded:
    """A book that was upgraded, to look at only.

    Attributes:
        kept: which of the kept ones it was.
        versions: before and after, as the upgrade told them.
        before, after: all of its rows.
    """

    url: str
    kept: str
    versions: tuple[int, int]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@pytest.fixture(scope="module", params=OLD)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    name, folder = request.param, tmp_path_factory.mktemp("upgraded")
    databases = {"postgresql": postgresql_database, "mariadb": mariadb_database}
    with ExitStack() as held:
        url = f"sqlite:///{folder / 'book.db'}"
        if name in databases:
            url = held.enter_context(opened_or_skip(databases[name]()))
        url, kept = make_old(name, url, folder)
        with connected(url) as connection:
            before = content(connection)
        versions = upgrade(url)
        with connected(url) as connection:
            after = content(connection)
        yield Upgraded(url, kept, versions, before, after)


def say(url: str, version: int) -> None:
    """Let a book say that it is of another version."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.execute(f"PRAGMA user_version = {version}")
        return
    with connected(url) as connection:
        connection.exec_driver_sql(f"UPDATE book SET schema_version = {version}")


def shape_of(url: str) -> Shape:
    with connected(url) as connection:
        return shape(connection)


# ------------------------------------------------------------ what an old book says
def test_an_upgraded_book_says_what_it_said_before(upgraded: Upgraded) -> None:
    assert upgraded.versions == (VERSIONS[upgraded.kept], SCHEMA_VERSION)
    with open_book(upgraded.url, actor="olena") as book:
        assert differences(told_then(upgraded.kept), figures_of(book)) == []
        report = book.verify()
        assert report.ok, "\n".join(map(str, report.problems))
        assert report.entries > 30


def test_what_is_said_otherwise_would_be_noticed(old_book: OldBook) -> None:
    url, kept = old_book("v1")
    upgrade(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.execute("UPDATE clients SET note = 'altered' WHERE note <> ''")
        file.execute("UPDATE timeline SET on_day = NULL")
        file.commit()
    with open_book(url, actor="olena") as book:
        found = differences(told_then(kept), figures_of(book))
        problems = book.verify().problems
    assert any("altered" in one for one in found)
    assert {problem.what for problem in problems} == {"TimelineItem"}


def test_no_row_of_a_fact_is_touched(upgraded: Upgraded) -> None:
    before, after = upgraded.before, upgraded.after
    for table in ("entry_lines", "instalments", "allocations", "releases", "events", "feed"):
        assert before[table] == after[table]
        assert before[table]
    had = {column for row in before["entries"] for column, _ in row}
    kept = [[cell for cell in row if cell[0] in had] for row in after["entries"]]
    assert sorted(kept) == before["entries"]


def test_lists_go_by_names_that_are_short_enough(upgraded: Upgraded) -> None:
    with connected(upgraded.url) as connection:
        rows = connection.exec_driver_sql("SELECT name, sort_name FROM clients").all()
    stored: dict[str, str] = {row[0]: row[1] for row in rows}
    with open_book(upgraded.url, read_only=True) as book:
        clients = book.clients.find(archived=None)
    assert {client.name: client.sort_name for client in clients} == stored
    assert max(map(len, stored.values())) == 255


@pytest.mark.parametrize("links", ["allocations", "releases"])
def test_heads_know_when_the_last_link_was_recorded(links: str, old_book: OldBook) -> None:
    url, _ = old_book("v1")
    late = "recorded_at = '2030-01-01 00:00:00.000000'"
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.execute(f"DROP TRIGGER {links}_no_update")
        file.execute(f"UPDATE {links} SET {late}")
        file.commit()
        upgrade(url)
        [own] = file.execute(f"SELECT count(DISTINCT client_id) FROM {links}").fetchone()
        assert file.execute(f"SELECT count(*) FROM heads WHERE {late}").fetchone() == (own,)
        assert own > 0


# ------------------------------------------------------------ work goes on
@pytest.mark.parametrize("name", OLD)
def test_an_upgraded_book_is_written_as_any_other(name: str, old_book: OldBook) -> None:
    url, _ = old_book(name)
    upgrade(url)
    with open_book(url, actor="olena") as book:
        [acme] = book.clients.find(external_id=("erp", "17"))
        before = book.ledger.account(acme, "EUR").balance
        position = len(book.changes(limit=None))
        [credit] = book.ledger.find(client=acme, number="P-1")
        sale = book.ledger.record_sale(acme, [("Beans", 2, "5.00")], number="NEW-1")
        book.ledger.record_payment(acme, "4.00 EUR")
        book.ledger.correct(sale, reason="a typo", lines_or_amount=[("Beans", 3, "5.00")])
        book.ledger.void(credit, reason="bounced")
        assert book.ledger.account(acme, "EUR").balance == before + Money("511.00", "EUR")
        book.clients.add("New after the upgrade")
        book.ledger.close_period(date(2024, 12, 31))
        with pytest.raises(PeriodClosed):
            book.ledger.record_sale(acme, "1.00 EUR", on=date(2024, 12, 31))
        book.ledger.record_sale(acme, "1.00 EUR", on=date(2025, 1, 15))
        assert book.settings.edition == 1
        book.change_settings(hash_chain=True)
        positions = [event.position for event in book.changes(limit=None)]
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) > position
        report = book.verify(book.anchor())
        assert report.ok, "\n".join(map(str, report.problems))
        assert report.sealed == len(positions)


def test_what_was_unique_before_is_so_still(upgraded: Upgraded) -> None:
    told = [("Coffee beans, 1 kg", 120, "9.90"), ("Кава мелена", "2.5", "4.44")]
    again: dict[str, Any] = {
        "on": date(2024, 1, 10),
        "due": date(2024, 2, 9),
        "number": "INV-17",
        "key": "sale-17",
        "external_ids": {"erp": "S17"},
    }
    with open_book(upgraded.url, actor="olena") as book:
        [acme] = book.clients.find(external_id=("erp", "17"))
        sale = book.ledger.record_sale(acme, told, **again)
        assert book.outcome("sale-17").result == str(sale.id)
        with pytest.raises(KeyReused):
            book.ledger.record_sale(acme, "2.00 EUR", key="sale-17")
        with pytest.raises(NumberTaken):
            book.ledger.record_sale(acme, "2.00 EUR", number="INV-17")
        with pytest.raises(Duplicate):
            book.clients.add("Another", external_ids={"erp": "17"})
    with connected(upgraded.url) as connection:
        assert content(connection)["entries"] == upgraded.after["entries"]


def test_a_closed_period_stays_closed(old_book: OldBook) -> None:
    url, _ = old_book("v2")
    upgrade(url)
    with open_book(url, actor="olena") as book:
        assert book.settings.closed_through == date(2024, 8, 31)
        assert book.settings.edition == 0
        for client in book.clients.find():
            with pytest.raises(PeriodClosed):
                book.ledger.record_sale(client, "1.00 EUR", on=date(2024, 8, 31))


# ------------------------------------------------------------ the tables
def test_upgraded_tables_are_those_of_a_new_book(upgraded: Upgraded, tmp_path: Path) -> None:
    if upgraded.url.startswith("sqlite"):
        fresh, prefix = f"sqlite:///{tmp_path / 'new.db'}", ""
    else:
        fresh, prefix = f"{upgraded.url}?prefix={FRESH}", FRESH
    SqlStore.open(fresh).close()
    made = {
        table.removeprefix(prefix): sorted(part.replace(prefix, "") for part in parts)
        for table, parts in shape_of(fresh).items()
        if table.startswith(prefix)
    }
    own = {table.name for table in tables(sa.MetaData()).every}
    old = {table: parts for table, parts in shape_of(upgraded.url).items() if table in own}
    assert old.keys() == made.keys() == own
    for table in own:
        assert [p.replace(prefix, "") for p in old[table]] == made[table]


def test_alembic_finds_no_difference_to_the_tables_of_the_program(upgraded: Upgraded) -> None:
    assert compared(upgraded.url) == []


def compared(url: str, prefix: str = "", schema: str | None = None) -> list[Any]:
    metadata = sa.MetaData(naming_convention=NAMING)
    tables(metadata, prefix, schema)

    def told(_: Any, found: sa.Column[Any], own: sa.Column[Any], kind: Any, __: Any) -> Any:
        # To SQLite VARCHAR(40), VARCHAR(255) and TEXT are the same, and older files have others.
        texts = isinstance(kind, sa.String) and isinstance(found.type, sa.String)
        return False if texts and url.startswith("sqlite") else None

    options: dict[str, Any] = {
        "target_metadata": metadata,
        "compare_type": told,
        "compare_server_default": True,
        "include_schemas": schema is not None,
        "include_name": lambda name, kind, _: (
            (kind != "schema" or name == schema)
            and not (kind == "table" and name.startswith(FRESH))
        ),
    }
    with connected(url) as connection:
        context = MigrationContext.configure(connection, opts=options)
        found: list[Any] = compare_metadata(context, metadata)
        return found


@pytest.mark.parametrize(
    ("name", "prefix", "schema"),
    [("postgresql", "crm_", "shop"), ("postgresql", "", "shop"), ("mariadb", "crm_", None)],
)
def test_migrations_make_a_book_under_a_prefix_and_in_a_schema(
    name: str, prefix: str, schema: str | None, place: Callable[[str], str]
) -> None:
    url = place(name)
    with connected(url) as connection:
        if schema:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        migrate(connection, prefix, schema)
    assert compared(url, prefix, schema) == []
    own = f"{url}?prefix={prefix}" + (f"&schema={schema}" if schema else "")
    with open_book(own, actor="olena") as book:
        book.ledger.record_sale(book.clients.add("Acme"), "5.00 EUR")
        assert book.verify().ok
        assert book.findings() == []
    assert upgrade(own) == (SCHEMA_VERSION, SCHEMA_VERSION)


def test_a_file_that_is_only_half_of_version_2_is_completed(old_book: OldBook) -> None:
    url, kept = old_book("v2")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.execute("DROP INDEX ix_entries_replaces")
        file.execute("ALTER TABLE timeline DROP COLUMN on_day")
        file.commit()
    upgrade(url)
    assert compared(url) == []
    with open_book(url, actor="olena") as book:
        assert book.verify().ok
        assert differences(told_then(kept), figures_of(book)) == []


# ------------------------------------------------------------ which books are upgraded
@pytest.mark.parametrize("name", OLD)
def test_an_old_book_is_not_opened_but_says_what_to_do(name: str, old_book: OldBook) -> None:
    url, kept = old_book(name)
    with connected(url) as connection:
        before = content(connection)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=f"of version {VERSIONS[kept]}, not 3") as refused:
            open_book(url, read_only=read_only)
        assert "clientledger upgrade" in refused.value.remedy
        assert "backup" in refused.value.remedy
    with connected(url) as connection:
        assert content(connection) == before


@pytest.mark.parametrize("name", ["file", *SERVERS])
def test_a_newer_book_is_neither_opened_nor_upgraded(
    name: str, place: Callable[[str], str]
) -> None:
    url = place(name)
    SqlStore.open(url).close()
    say(url, SCHEMA_VERSION + 1)
    for use in (open_book, upgrade):
        with pytest.raises(StoreError, match="newer than ours") as refused:
            use(url)
        assert "newer clientledger-sqlalchemy" in refused.value.remedy
    with pytest.raises(StoreError, match="newer than ours"):
        open_book(url, read_only=True)
    say(url, SCHEMA_VERSION)
    with open_book(url) as book:
        assert book.verify().ok


@pytest.mark.parametrize("name", ["file", *SERVERS])
def test_a_book_of_this_version_is_left_alone(name: str, place: Callable[[str], str]) -> None:
    url = place(name)
    with open_book(url, actor="olena") as book:
        book.clients.add("Acme")
    with connected(url) as connection:
        before = shape(connection), content(connection)
    assert upgrade(url) == (SCHEMA_VERSION, SCHEMA_VERSION)
    with connected(url) as connection:
        assert (shape(connection), content(connection)) == before


@pytest.mark.parametrize("name", ["file", *SERVERS])
def test_no_book_is_made_by_an_upgrade(name: str, place: Callable[[str], str]) -> None:
    url = place(name)
    with pytest.raises(StoreError, match="there is no") as refused:
        upgrade(url)
    assert refused.value.remedy
    if name == "file":
        assert not Path(url.removeprefix("sqlite:///")).exists()
    else:
        assert shape_of(url) == {}


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE book (id, application, schema_version)")
        file.execute("PRAGMA user_version = 1")
        file.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        upgrade(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", SERVERS)
def test_another_programs_tables_are_left_alone(name: str, place: Callable[[str], str]) -> None:
    url = place(name)
    with connected(url) as connection:
        connection.exec_driver_sql(
            "CREATE TABLE book (id INT, application VARCHAR(20), schema_version INT)"
        )
        connection.exec_driver_sql("INSERT INTO book VALUES (1, 'library', 1)")
    with pytest.raises(StoreError, match="another program"):
        upgrade(url)
    assert list(shape_of(url)) == ["book"]


@pytest.mark.parametrize("url", ["clients.db", "memory:", "oracle://x", "sqlite://"])
def test_only_an_address_of_a_database_is_upgraded(url: str) -> None:
    with pytest.raises(InvalidValue):
        upgrade(url)


# ------------------------------------------------------------ among others
@pytest.mark.parametrize("name", OLD)
def test_of_two_upgrades_at_once_one_does_it(name: str, old_book: OldBook) -> None:
    url, kept = old_book(name)
    ends: list[Any] = []
    begin = threading.Barrier(2)

    def work() -> None:
        begin.wait()
        try:
            ends.append(upgrade(url))
        except Busy as busy:
            ends.append(busy)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count((VERSIONS[kept], SCHEMA_VERSION)) == 1, ends
    assert (
        ends.count((SCHEMA_VERSION, SCHEMA_VERSION)) + sum(isinstance(end, Busy) for end in ends)
        == 1
    )
    with open_book(url) as book:
        assert book.verify().ok


def test_an_upgrade_waits_for_a_writer_no_longer_than_told(old_book: OldBook) -> None:
    url, _ = old_book("v1")
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            upgrade(f"{url}?wait=0.1")
        writer.execute("ROLLBACK")
    assert upgrade(url) == (1, SCHEMA_VERSION)


@pytest.mark.parametrize("name", SERVERS)
def test_an_upgrade_waits_for_the_tables_no_longer_than_told(name: str, old_book: OldBook) -> None:
    url, _ = old_book(name)
    engine, _options = engine_for(url, read_only=False, older=True)
    with engine.pool.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT * FROM heads").all()
        with pytest.raises(Busy):
            upgrade(f"{url}?wait=1")
        reader.exec_driver_sql("ROLLBACK")
    engine.close()
    assert upgrade(url) == (1, SCHEMA_VERSION)
    assert compared(url) == []


def test_rows_that_refer_to_nothing_are_found_before_the_commit(old_book: OldBook) -> None:
    url, _ = old_book("v1")
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO pending (event_id) VALUES ('none')")
        file.commit()
    with connected(url) as connection:
        before = content(connection)
    with pytest.raises(StoreError, match="refer to others that are not there"):
        upgrade(url)
    with connected(url) as connection:
        assert content(connection) == before


def test_a_book_is_upgraded_on_every_node_of_a_cluster(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    one, two, three = galera_urls
    _, kept = make_old("galera", one, tmp_path)
    assert upgrade(two) == (1, SCHEMA_VERSION)
    for node in galera_urls:
        with open_book(node, actor="olena") as book:
            assert differences(told_then(kept), figures_of(book)) == []
    with open_book(three, actor="olena") as book:
        [acme] = book.clients.find(external_id=("erp", "17"))
        book.ledger.record_sale(acme, "1.00 EUR")
        assert book.verify().ok


def test_where_there_is_no_room_the_book_stays_as_it_was(old_book: OldBook) -> None:
    url, _ = old_book("v2")
    with connected(url) as connection:
        before = content(connection)
    code = (
        "import resource, sys; from clientledger_sqlalchemy import upgrade; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); upgrade(sys.argv[1])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, url], capture_output=True, text=True, check=False
    )
    assert "StoreError" in told.stderr
    assert "disk" in told.stderr
    with connected(url) as connection:
        assert content(connection) == before
    assert upgrade(url) == (2, SCHEMA_VERSION)


# ------------------------------------------------------------ kills
@pytest.mark.parametrize("name", ["sqlite-v1", "sqlite-v2", *SERVERS])
def test_an_upgrade_that_is_killed_after_any_statement_is_run_again(
    name: str, request: pytest.FixtureRequest
) -> None:
    if name in SERVERS:
        request.getfixturevalue(f"{name}_url")  # skips where there is no such server
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-m", "adapters.sqlalchemy.tests.killing", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    [kills] = [int(word) for word in outcome.stdout.split() if word.isdigit()][:1]
    assert kills > 30, outcome.stdout


# ------------------------------------------------------------ the command
def test_the_command_upgrades_a_book_once(
    old_book: OldBook,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    old_book("v1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLIENTLEDGER_BOOK", raising=False)
    assert main(["find", "--book", "book.db"]) == 5
    assert "clientledger upgrade" in capsys.readouterr().err
    assert main(["upgrade", "book.db"]) == 0
    assert capsys.readouterr().out == "Upgraded the book from version 1 to 3.\n"
    assert main(["upgrade", "--book", "book.db"]) == 0
    assert "nothing to upgrade" in capsys.readouterr().out
    assert main(["upgrade", "book.db", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"before": 3, "after": 3}
    assert main(["find", "--book", "book.db"]) == 0
    assert main(["verify", "--book", "book.db"]) == 0


def test_the_command_refuses_what_is_no_book(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLIENTLEDGER_BOOK", raising=False)
    assert main(["upgrade"]) == 2
    assert main(["upgrade", "memory:"]) == 2
    assert main(["upgrade", "one.db", "--book", "other.db"]) == 2
    assert main(["upgrade", "one.db"]) == 5
    assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------ what migrations may know
def test_each_version_has_its_migration() -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == [f"{number:04d}" for number in range(SCHEMA_VERSION, 0, -1)]


def test_migrations_know_nothing_of_the_tables_as_they_are_now() -> None:
    allowed = {
        "clientledger_sqlalchemy.columns",
        "clientledger_sqlalchemy.migrations",
        "clientledger_sqlalchemy.migrations.steps",
    }
    for file in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = {name for name in names if name.startswith("clientledger")}
            assert ours <= allowed, file


def test_a_book_is_opened_without_loading_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from clientledger import open_book; "
        f"open_book('sqlite:///{tmp_path / 'book.db'}').close(); "
        "print([name for name in sys.modules if name.startswith(('alembic', 'mako'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
