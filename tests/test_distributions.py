"""The distributions build, and work for a stranger: a new environment, outside the checkout."""

import gzip
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from uv import find_uv_bin

pytestmark = pytest.mark.distributions

ROOT = Path(__file__).parents[1]
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"
ADD_AND_REOPEN = """
import sys
from clientledger import open_book

url, reopened = sys.argv[1], sys.argv[2] == "reopened"
with open_book(url, actor="olena") as book:
    client = book.clients.add("Acme GmbH")
    assert book.clients.get(client.id).name == "Acme GmbH"
if reopened:
    with open_book(url, actor="olena") as book:
        assert book.clients.get(client.id).name == "Acme GmbH"
print("done")
"""

UPGRADE = """
import sys
from clientledger import open_book
from clientledger_sqlalchemy import upgrade

before, after = upgrade(sys.argv[1])
with open_book(sys.argv[1]) as book:
    print(before < after and book.verify().ok)
"""

RENDER = """
from datetime import date
from clientledger import open_book

with open_book("memory:", actor="olena", settings={"company": "Muster GmbH"}) as book:
    acme = book.clients.add("Acme GmbH")
    book.ledger.record_sale(acme, "1250.50 EUR", on=date(2026, 3, 2), number="INV-1")
    march = book.ledger.statement(acme, "EUR", date(2026, 3, 1), date(2026, 3, 31))
    assert "Rechnung INV-1" in book.export(march, "text", locale="de").decode()
    assert "1.250,50" in book.export(march, "html", locale="de_AT", layout="act").decode()
    assert book.export(march, "xlsx", locale="uk").startswith(b"PK")
    try:
        book.export(march, "pdf")
    except Exception as error:
        print(type(error).__name__, error.remedy)
"""

Outcome = subprocess.CompletedProcess[str]


def run(*command: str | Path, folder: Path) -> Outcome:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "COV_", "CLIENTLEDGER_"))
    }
    return subprocess.run(
        command,
        cwd=folder,
        env={**clean, "COLUMNS": "120", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def succeed(*command: str | Path, folder: Path) -> str:
    outcome = run(*command, folder=folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


class Environment:
    """A new virtual environment with our wheels in it and nothing of the checkout."""

    def __init__(self, folder: Path, requirements: list[str]) -> None:
        self.folder = folder
        self.scripts = folder / "env" / SCRIPTS
        uv = find_uv_bin()
        succeed(uv, "venv", "--python", sys.executable, folder / "env", folder=folder)
        install: list[str | Path] = [uv, "pip", "install", "--python"]
        install += [self.scripts / "python", "--constraint", ROOT / "constraints.txt"]
        succeed(*install, *requirements, folder=folder)

    def python(self, code: str, *arguments: str) -> Outcome:
        return run(self.scripts / "python", "-c", code, *arguments, folder=self.folder)

    def command(self, *arguments: str) -> Outcome:
        return run(self.scripts / "clientledger", *arguments, folder=self.folder)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with every sdist, and with every wheel, each built from its sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build: list[str | Path] = [find_uv_bin(), "build"]
    build += ["--build-constraints", ROOT / "constraints.txt"]
    for project in (ROOT, ROOT / "adapters/sqlalchemy", ROOT / "adapters/statements"):
        succeed(*build, "--out-dir", folder, project, folder=folder)
    return folder


@pytest.fixture(scope="session")
def core_wheel(dist: Path) -> Path:
    return next(dist.glob("clientledger-*.whl"))


@pytest.fixture(scope="session")
def adapter_wheel(dist: Path) -> Path:
    return next(dist.glob("clientledger_sqlalchemy-*.whl"))


@pytest.fixture(scope="session")
def statements_wheel(dist: Path) -> Path:
    return next(dist.glob("clientledger_statements-*.whl"))


@pytest.fixture(scope="session")
def make_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Environment]:
    def make(*requirements: object) -> Environment:
        return Environment(
            tmp_path_factory.mktemp("stranger"), [str(requirement) for requirement in requirements]
        )

    return make


@pytest.fixture(scope="session")
def core(make_environment: Callable[..., Environment], core_wheel: Path) -> Environment:
    return make_environment(core_wheel)


@pytest.fixture(scope="session")
def core_and_sql(
    make_environment: Callable[..., Environment], core_wheel: Path, adapter_wheel: Path
) -> Environment:
    return make_environment(f"{core_wheel}[sql]", adapter_wheel)


@pytest.fixture(scope="session")
def core_and_statements(
    make_environment: Callable[..., Environment], core_wheel: Path, statements_wheel: Path
) -> Environment:
    return make_environment(core_wheel, statements_wheel)


@pytest.fixture(scope="session")
def core_and_cli(make_environment: Callable[..., Environment], core_wheel: Path) -> Environment:
    return make_environment(f"{core_wheel}[cli]")


def test_each_distribution_is_an_sdist_and_a_wheel(dist: Path) -> None:
    kinds = {(path.name.partition("-")[0], path.suffix) for path in dist.glob("clientledger*")}
    assert kinds == {
        ("clientledger", ".gz"),
        ("clientledger", ".whl"),
        ("clientledger_sqlalchemy", ".gz"),
        ("clientledger_sqlalchemy", ".whl"),
        ("clientledger_statements", ".gz"),
        ("clientledger_statements", ".whl"),
    }


def test_the_wheel_carries_types_demo_and_licences(core_wheel: Path) -> None:
    names = set(zipfile.ZipFile(core_wheel).namelist())
    assert {
        "clientledger/py.typed",
        "clientledger/cli/demo/northwind.py",
        "clientledger/cli/demo/data/northwind/orders.csv",
        "clientledger/cli/demo/data/northwind/LICENSE-Ms-PL.txt",
    } <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"clientledger"}


def test_the_adapter_wheel_carries_types_migrations_and_licence(adapter_wheel: Path) -> None:
    names = set(zipfile.ZipFile(adapter_wheel).namelist())
    assert {
        "clientledger_sqlalchemy/py.typed",
        "clientledger_sqlalchemy/migrations/env.py",
        "clientledger_sqlalchemy/migrations/versions/0001_the_first_tables.py",
    } <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_has_examples_and_tests_and_no_adapter(dist: Path) -> None:
    with tarfile.open(next(dist.glob("clientledger-*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"examples/data/northwind/orders.csv", "tests/test_distributions.py"} <= names
    assert not any(name.startswith(("adapters/", ".venv/")) for name in names)


def test_the_core_alone_keeps_a_book_in_memory(core: Environment) -> None:
    outcome = core.python(ADD_AND_REOPEN, "memory:", "once")
    assert outcome.stdout == "done\n", outcome.stderr


def test_the_core_alone_says_what_a_database_needs(core: Environment) -> None:
    outcome = core.python(ADD_AND_REOPEN, "sqlite:///x.db", "once")
    assert outcome.returncode != 0
    last = outcome.stderr.strip().splitlines()[-1]
    assert "clientledger-sqlalchemy" in last or "clientledger[sql]" in last
    assert not (core.folder / "x.db").exists()


def test_the_command_without_its_extra_says_so_in_one_line(core: Environment) -> None:
    outcome = core.command("--help")
    assert outcome.returncode != 0
    said = (outcome.stdout + outcome.stderr).strip()
    assert "clientledger[cli]" in said
    assert len(said.splitlines()) == 1, said


def test_the_adapter_keeps_a_book_in_a_file(core_and_sql: Environment) -> None:
    outcome = core_and_sql.python(ADD_AND_REOPEN, "sqlite:///clients.db", "reopened")
    assert outcome.stdout == "done\n", outcome.stderr
    assert (core_and_sql.folder / "clients.db").exists()


def test_the_adapter_upgrades_an_old_book(core_and_sql: Environment) -> None:
    kept = ROOT / "adapters/sqlalchemy/tests/fixtures/v1.db.gz"
    (core_and_sql.folder / "old.db").write_bytes(gzip.decompress(kept.read_bytes()))
    outcome = core_and_sql.python(UPGRADE, "sqlite:///old.db")
    assert outcome.stdout == "True\n", outcome.stderr


def test_the_statements_wheel_carries_types_page_languages_and_licence(
    statements_wheel: Path,
) -> None:
    names = set(zipfile.ZipFile(statements_wheel).namelist())
    assert {
        "clientledger_statements/py.typed",
        "clientledger_statements/page.html",
        "clientledger_statements/languages/ukrainian.py",
    } <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_statements_are_found_and_written_and_pdf_says_what_it_needs(
    core_and_statements: Environment,
) -> None:
    outcome = core_and_statements.python(RENDER)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("PluginError install clientledger-statements[pdf]")


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"]], ids=" ".join)
def test_the_command_explains_itself(core_and_cli: Environment, arguments: list[str]) -> None:
    outcome = core_and_cli.command(*arguments)
    assert outcome.returncode == 0, outcome.stderr
    assert "Usage" in outcome.stdout
