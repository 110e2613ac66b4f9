"""The command as a process of its own: pipes, interrupts, what it loads, and the demo."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from clientledger.cli import main; sys.exit(main())"]


def environment(**more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CLIENTLEDGER_", "COV_"))}
    return {**clean, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", **more}


def run(*arguments: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the demo's book."""
    folder = tmp_path_factory.mktemp("shop")
    made = run("demo", "--keep", "shop.db", folder=folder)
    assert made.returncode == 0, made.stderr
    (folder / "tour.txt").write_text(made.stdout, encoding="utf-8")
    return folder


def test_the_demo_shows_what_a_book_is_for(shop: Path) -> None:
    out = (shop / "tour.txt").read_text(encoding="utf-8")
    headings = re.findall(r"^(\S.*?)  clientledger .*─", out, re.MULTILINE)
    assert headings == [
        "One client at a glance",
        "Who owes us",
        "How late they are",
        "Who brings the most",
        "Who has gone quiet",
        "What has to be done",
        "What to try next",
    ]
    assert "91 clients, 830 sales" in " ".join(out.split())
    assert "2155 lines" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("shop.db") >= 1


def test_the_kept_book_is_a_book(shop: Path) -> None:
    def answer(*arguments: str) -> object:
        done = run(*arguments, "--book", "shop.db", "--json", folder=shop)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    report = answer("verify")
    assert isinstance(report, dict)
    assert report["ok"]
    card = answer("card", "northwind:QUICK", "--as-of", "1998-05-06")
    assert isinstance(card, dict)
    assert card["client"]["name"] == "QUICK-Stop"
    again = run("demo", "--keep", "shop.db", folder=shop)
    assert again.returncode == 2
    assert "there already" in again.stderr


def test_the_demo_speaks_json_and_leaves_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    done = run("demo", "--json", folder=tmp_path, TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["built"]["clients"] == 91
    assert data["book"] is None
    assert {"card", "debtors", "ageing", "best", "dormant", "agenda"} <= set(data)
    assert done.stderr == ""
    assert list(scratch.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_an_interrupt_ends_with_130_and_one_line(tmp_path: Path) -> None:
    default = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    process = subprocess.Popen(
        [sys.executable, "-c", default + COMMAND[2], "demo"],
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*/demo.db")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.strip() == "clientledger: interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
@pytest.mark.parametrize(
    "arguments",
    [["find", "--limit", "0"], ["find", "--limit", "0", "--json"], ["--help"]],
    ids=" ".join,
)
def test_a_broken_pipe_is_quiet(shop: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=shop,
            env=environment(CLIENTLEDGER_BOOK="shop.db"),
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_under_the_output_is_told(shop: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "find", "--limit", "0"],
            cwd=shop,
            env=environment(CLIENTLEDGER_BOOK="shop.db"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 5
    assert done.stderr.startswith("clientledger: No space left")
    assert "Traceback" not in done.stderr


def test_a_terminal_without_accents_is_no_error(shop: Path) -> None:
    done = run("find", "godos", "--book", "shop.db", folder=shop, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "T\\xedpica" in done.stdout
    data = run(
        "find", "godos", "--book", "shop.db", "--json", folder=shop, PYTHONIOENCODING="ascii"
    )
    assert json.loads(data.stdout)["rows"][0]["name"] == "Godos Cocina Típica"


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_its_extra_the_command_says_so_in_one_line(tmp_path: Path, missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; {COMMAND[2]}"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1
    assert "clientledger[cli]" in done.stderr


def test_help_loads_no_database(tmp_path: Path) -> None:
    code = (
        "import sys; from clientledger.cli import main; main(['--help']); "
        "print([m for m in sys.modules if m.startswith(('sqlalchemy', 'clientledger_'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
