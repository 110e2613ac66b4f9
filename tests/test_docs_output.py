"""The documents are true: examples print what stands below them, and nothing is left out."""

import re
from pathlib import Path

import attrs
import pytest

import clientledger
from clientledger import Settings, errors

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(
    r"^```python\n(.*?)^```$(?:\n\n(?:It prints:\n\n)?^```text\n(.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
DOCUMENTS = [
    "README.md",
    "docs/tutorial.md",
    "docs/concepts.md",
    "docs/ledger.md",
    "docs/moving.md",
    "docs/upgrading.md",
    "adapters/sqlalchemy/README.md",
    "adapters/statements/README.md",
]


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_example_prints_what_stands_below_it(
    document: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = text_of(document)
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("\n```python\n") > 0
    assert sum(bool(printed) for _, printed in examples) == text.count("\n```text\n")
    names: dict[str, object] = {}
    for code, printed in examples:
        exec(compile(code, document, "exec"), names)
        assert capsys.readouterr().out == printed, code


def test_the_reference_shows_all_that_is_exported() -> None:
    named = re.compile(r"^::: clientledger(?:\.ports)?\.(\w+)$", re.MULTILINE)
    shown = set(named.findall(text_of("docs/reference.md")))
    listed = re.findall(r"members: \[(.*)\]", text_of("docs/reference.md"))
    shown |= {name.strip() for names in listed for name in names.split(",")}
    assert set(clientledger.__all__) - {*errors.__all__, "hookimpl"} <= shown


def test_the_concepts_show_all_settings_with_their_defaults() -> None:
    text = text_of("docs/concepts.md").replace('"', "'")
    told = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", text, re.MULTILINE))
    defaults = {
        field.name: repr(getattr(Settings(), field.name))
        for field in attrs.fields(Settings)
        if field.name not in ("id", "revision", "edition")
    }
    assert {name: told.get(name) for name in defaults} == defaults
