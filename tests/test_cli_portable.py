"""The commands `dump` and `load`: a whole book into a file and back, never a half one."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.dumps import body, sealed

from clientledger import open_book
from clientledger.cli import main

COMMAND = [sys.executable, "-c", "import sys; from clientledger.cli import main; sys.exit(main())"]


@attrs.frozen
class Said:
    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> Cli:
    """Give the command, in a folder with a book of one client in the file clients.db."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("CLIENTLEDGER_BOOK", raising=False)
    monkeypatch.setenv("CLIENTLEDGER_ACTOR", "olena")

    def run(*arguments: str, given: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return Said(code, out, err.decode())

    with open_book("sqlite:///clients.db", actor="olena") as book:
        acme = book.clients.add("Café Acme", key="k")
        book.ledger.record_sale(acme, "5 EUR", number="1")
        book.ledger.record_payment(acme, "7 EUR")
    return run


def files() -> set[str]:
    """What is in the folder, apart from the books."""
    return {name for name in os.listdir() if ".db" not in name}


def add_members(number: int) -> None:
    """Make the book longer than a pipe holds, and leave no event without its place."""
    with open_book("sqlite:///clients.db") as book:
        with book.atomic() as unit:
            for n in range(number):
                unit.team.add(f"m{n}", "Member")
        book.changes()


def test_a_book_goes_into_a_file_and_comes_back(cli: Cli) -> None:
    made = cli("dump", "clients.db", "clients.jsonl")
    assert (made.code, made.err) == (0, "")
    assert made.out == b"Wrote clients.jsonl: 1 client, 2 documents and 5 events.\n"
    data = Path("clients.jsonl").read_bytes()
    assert sealed(body(data)) == data
    again = cli("load", "clients.jsonl", "new.db")
    assert (again.code, again.err) == (0, "")
    assert again.out == b"Loaded 1 client, 2 documents and 5 events into new.db.\n"
    assert cli("dump", "new.db", "-").out == data
    assert cli("verify", "--book", "new.db").code == 0
    with open_book("sqlite:///new.db") as book:
        assert book.outcome("k")
        assert [member.key for member in book.team.find()] == ["olena"]


def test_a_pipe_from_book_to_book(cli: Cli) -> None:
    sent = cli("dump", "sqlite:///clients.db", "-")
    assert (sent.code, sent.err) == (0, "")
    taken = cli("load", "-", "sqlite:///new.db", given=sent.out)
    assert (taken.code, taken.err) == (0, "")
    assert cli("dump", "new.db", "-").out == sent.out


def test_both_speak_json(cli: Cli) -> None:
    made = cli("dump", "clients.db", "clients.jsonl", "--json").json
    end = json.loads(Path("clients.jsonl").read_text(encoding="utf-8").splitlines()[-1])["end"]
    assert made == {"file": "clients.jsonl", **end}
    again = cli("load", "clients.jsonl", "new.db", "--json").json
    assert again == {"book": "new.db", **end}
    refused = cli("dump", "clients.db", "-", "--json")
    assert (refused.code, refused.out) == (2, b"")
    assert "json: stdout holds the dump" in refused.err


def test_a_file_that_is_there_is_replaced_only_when_told(cli: Cli) -> None:
    Path("clients.jsonl").write_text("mine", encoding="utf-8")
    refused = cli("dump", "clients.db", "clients.jsonl")
    assert (refused.code, refused.out) == (2, b"")
    assert "file: the file is there already" in refused.err
    assert "--replace" in refused.err
    assert Path("clients.jsonl").read_text(encoding="utf-8") == "mine"
    assert cli("dump", "clients.db", "clients.jsonl", "--replace").code == 0
    assert Path("clients.jsonl").read_bytes() == cli("dump", "clients.db", "-").out
    assert files() == {"clients.jsonl"}


def test_a_link_stays_a_link_to_what_is_replaced(cli: Cli) -> None:
    Path("real.jsonl").write_text("mine", encoding="utf-8")
    Path("link.jsonl").symlink_to("real.jsonl")
    assert cli("dump", "clients.db", "link.jsonl", "--replace").code == 0
    assert Path("link.jsonl").is_symlink()
    assert Path("real.jsonl").read_bytes() == cli("dump", "clients.db", "-").out


def test_only_the_user_can_read_the_file(cli: Cli) -> None:
    cli("dump", "clients.db", "clients.jsonl")
    assert os.name != "posix" or Path("clients.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("file", ["clients.db", "./clients.db", "."])
def test_the_book_itself_and_a_folder_are_never_written_over(cli: Cli, file: str) -> None:
    before = cli("dump", "clients.db", "-").out
    refused = cli("dump", "clients.db", file, "--replace")
    assert (refused.code, refused.out) == (2, b"")
    assert "name" in refused.err
    assert cli("dump", "clients.db", "-").out == before
    assert files() == set()


def test_what_fails_half_way_leaves_no_file(cli: Cli, tmp_path: Path) -> None:
    """No file may be larger than 64 KiB; what had the name before still has it."""
    limits = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)); "
    ignored = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    Path("old.jsonl").write_text("mine", encoding="utf-8")
    add_members(400)
    assert len(cli("dump", "clients.db", "-").out) > 100_000
    for name, more in (("new.jsonl", []), ("old.jsonl", ["--replace"])):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                limits + ignored + COMMAND[-1],
                "dump",
                "clients.db",
                name,
                *more,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 5, done
        assert "File too large" in done.stderr
    assert files() == {"old.jsonl"}
    assert Path("old.jsonl").read_text(encoding="utf-8") == "mine"


def test_a_reader_that_closes_the_pipe_early_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    add_members(400)
    sending = subprocess.Popen(
        [*COMMAND, "dump", "clients.db", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert sending.stdout is not None
    assert sending.stderr is not None
    assert b"clientledger book" in sending.stdout.readline()
    sending.stdout.close()
    assert sending.stderr.read() == b""
    sending.stderr.close()
    assert sending.wait(120) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-20], "the file is cut off here"),
        (lambda data: data.replace(b'"number":1', b'"number":2'), "entry: instalments numbered"),
        (lambda data: data.replace(b"Caf", b"Kaf"), "the digest says"),
        (lambda data: data + b"\n", "the dump has ended before it"),
        (lambda data: data.replace(b'"version":1', b'"version":2'), "a dump of another version"),
        (lambda data: b"id,name\n", "not how a dump begins"),
        (lambda data: b"", "not how a dump begins"),
    ],
)
def test_a_bad_file_is_told_by_its_line_and_leaves_the_book_empty(
    cli: Cli, change: Callable[[bytes], bytes], said: str
) -> None:
    data = cli("dump", "clients.db", "-").out
    Path("bad.jsonl").write_bytes(change(data))
    for refused in (
        cli("load", "bad.jsonl", "new.db"),
        cli("load", "-", "new.db", given=change(data)),
    ):
        assert (refused.code, refused.out) == (2, b"")
        first, remedy = refused.err.splitlines()
        assert first.startswith("clientledger: line ")
        assert said in first
        assert remedy.startswith("  ")
        assert "book.dump" not in remedy
    with open_book("sqlite:///new.db") as book:
        assert book.changes() == []
        assert book.clients.find() == []
    assert cli("load", "-", "new.db", given=data).code == 0


def test_only_a_new_book_is_loaded_into(cli: Cli) -> None:
    data = cli("dump", "clients.db", "-").out
    refused = cli("load", "-", "clients.db", given=data)
    assert (refused.code, refused.out) == (4, b"")
    assert "book: the book is not empty (got 'member, client, entry')" in refused.err
    assert cli("dump", "clients.db", "-").out == data


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["dump", "other.db", "a.jsonl"], 5, "there is no such file"),
        (["dump", "memory:", "a.jsonl"], 2, "a book in memory is gone"),
        (["load", "a.jsonl", "memory:"], 2, "the file cannot be read"),
        (["load", "none.jsonl", "new.db"], 2, "file: the file cannot be read: No such file"),
        (["dump", "clients.db", "nowhere/a.jsonl"], 2, "file: the file cannot be written: No such"),
        (["dump", "clients.db"], 2, "requires an argument"),
        (["load", "a.jsonl"], 2, "requires an argument"),
        (["dump", "clients.db", "a.jsonl", "--book", "b.db"], 2, "book: two books are named"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_nothing(
    cli: Cli, arguments: list[str], code: int, said: str
) -> None:
    refused = cli(*arguments)
    assert (refused.code, refused.out) == (code, b"")
    assert said in refused.err
    assert files() == set()
    assert not Path("new.db").exists()
    assert not Path("other.db").exists()


def test_the_book_of_the_environment_does_not_stand_in_the_way(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENTLEDGER_BOOK", "clients.db")
    assert cli("dump", "clients.db", "a.jsonl").code == 0
    assert cli("load", "a.jsonl", "new.db").code == 0
    assert cli("load", "a.jsonl", "third.db", "--book", "third.db").code == 0
    assert cli("dump", "third.db", "-").out == Path("a.jsonl").read_bytes()


def test_a_book_that_waits_for_its_feed_is_dumped_all_the_same(cli: Cli) -> None:
    """Events wait for their places; the command gives them, and loses none."""
    with open_book("sqlite:///clients.db", actor="olena") as book:
        book.clients.add("Beta")
    data = cli("dump", "clients.db", "-").out
    with open_book("sqlite:///clients.db") as book:
        assert data.count(b'{"event"') == len(book.changes(limit=None)) == 6
