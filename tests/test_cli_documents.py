"""What the page of the command line shows is what the commands print, in order, on one book."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from clientledger.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
TASK = re.compile(r"(?<=[Ii]d )[0-9a-f]{6}\b|\b[0-9a-f]{6}$", re.MULTILINE)


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Give each command of the page with what stands below it."""
    for block in BLOCK.findall(page):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            yield command, output


def even(text: str) -> str:
    """The text without what differs from run to run, and without spaces at line ends."""
    text = DIGEST.sub("DIGEST", "\n".join(map(str.rstrip, text.splitlines())))
    text = TASK.sub("TASKID", ID.sub("ID", text))
    return text.strip("\n")


def _text(name: str) -> str:
    return Path(name).read_text(encoding="utf-8").strip()


class Session:
    """A shell that knows just what the page uses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys, self.code = monkeypatch, capsys, 0

    def run(self, command: str, shown: str) -> str:
        words, _, head = command.partition(" | head -")
        words, _, target = words.partition(" > ")
        words = re.sub(r"\$\(cat (\S+)\)", lambda name: _text(name[1]), words)
        match shlex.split(words):
            case ["export", *settings]:
                for setting in settings:
                    self.monkeypatch.setenv(*setting.split("=", 1))
                return ""
            case ["cat", name]:
                Path(name).write_text(shown, encoding="utf-8")
                return shown
            case ["echo", "$?"]:
                return f"{self.code}\n"
            case ["clientledger", *arguments]:
                self.code = main(arguments)
                out, err = self.capsys.readouterr()
                if target:
                    Path(target).write_text(out, encoding="utf-8")
                    return err
                lines = out.splitlines(keepends=True)
                return "".join(lines[: int(head)] if head else lines) + err
        raise AssertionError(command)


@pytest.fixture
def session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Session:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Session(monkeypatch, capsys)


def test_the_page_shows_what_the_commands_print(session: Session) -> None:
    found = [
        (command, even(session.run(command, shown)), even(shown))
        for command, shown in steps(PAGE.read_text(encoding="utf-8"))
    ]
    assert len(found) > 20
    assert [(command, told) for command, told, _ in found] == [
        (command, shown) for command, _, shown in found
    ]


def test_the_page_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    main(["--help"])
    commands = re.findall(r"^│ ([a-z][a-z-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) == 43
    assert [name for name in commands if not re.search(rf"`(clientledger )?{name}\b", page)] == []
