"""The floors and doors of the architecture hold, and would be missed if they did not."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = Path("src/clientledger")
ADAPTER = Path("adapters/sqlalchemy/src/clientledger_sqlalchemy")
STATEMENTS = Path("adapters/statements/src/clientledger_statements")
FOLDERS = (CORE, ADAPTER, STATEMENTS)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of the sources that a test may spoil."""
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    sources = os.pathsep.join(str(checkout / folder.parent) for folder in FOLDERS)
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": sources, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def append(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


def module_of(layer: Path) -> Path:
    """Give the file of a layer, be it a module or a package."""
    return layer / "__init__.py" if layer.is_dir() else layer.with_suffix(".py")


def test_all_contracts_hold(checkout: Path) -> None:
    outcome = lint(checkout)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("lower", "line", "named"),
    [
        ("domain", "import clientledger.services", "clientledger.domain -> clientledger.services"),
        ("errors", "import clientledger.domain", "clientledger.errors -> clientledger.domain"),
        ("ports", "import clientledger.codec", "clientledger.ports -> clientledger.codec"),
        ("memory", "import clientledger.plugins", "clientledger.memory -> clientledger.plugins"),
        ("services", "import cattrs", "clientledger.services -> cattrs"),
        ("book", "import pluggy", "clientledger.book -> pluggy"),
        ("memory", "import sqlalchemy", "clientledger.memory -> sqlalchemy"),
        ("cli", "import clientledger_sqlalchemy", "clientledger.cli -> clientledger_sqlalchemy"),
    ],
)
def test_a_forbidden_import_in_the_core_is_named(
    checkout: Path, lower: str, line: str, named: str
) -> None:
    append(module_of(checkout / CORE / lower), line)
    outcome = lint(checkout)
    assert outcome.returncode == 1
    assert named in outcome.stdout


@pytest.mark.parametrize("adapter", [ADAPTER, STATEMENTS], ids=lambda path: path.name)
def test_an_adapter_that_imports_the_domain_is_named(checkout: Path, adapter: Path) -> None:
    append(checkout / adapter / "plugin.py", "import clientledger.domain")
    outcome = lint(checkout)
    assert outcome.returncode == 1
    assert f"{adapter.name}.plugin -> clientledger.domain" in outcome.stdout


def test_a_module_without_a_floor_is_refused(checkout: Path) -> None:
    (checkout / CORE / "attic.py").write_text('"""No floor."""\n', encoding="utf-8")
    outcome = lint(checkout)
    assert outcome.returncode == 1
    assert "clientledger.attic" in outcome.stdout


def test_a_circle_within_a_floor_is_refused(checkout: Path) -> None:
    for one, other in (("chicken", "egg"), ("egg", "chicken")):
        line = f"import clientledger.domain.{other}\n"
        (checkout / CORE / "domain" / f"{one}.py").write_text(line, encoding="utf-8")
    outcome = lint(checkout)
    assert outcome.returncode == 1
    assert "No cycles are allowed in clientledger.domain" in outcome.stdout


def test_every_floor_but_the_doors_is_closed_to_adapters() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = {
            contract["id"]: contract
            for contract in tomllib.load(file)["tool"]["importlinter"]["contracts"]
        }
    floors = {
        f"clientledger.{module.strip()}"
        for layer in contracts["floors"]["layers"]
        for module in layer.split("|")
    }
    doors = {"clientledger.ports", "clientledger.codec"}
    assert set(contracts["doors"]["forbidden_modules"]) == floors - doors
