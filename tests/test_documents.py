"""What the documents show runs, and the files name no place that only one machine knows."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "adapters/*/README.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
NO_SOURCES = {".git", ".venv", ".cache", ".hypothesis", "__pycache__", "build", "dist", "site"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_python_block_runs(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parsed = Sybil([PythonCodeBlockParser(), SkipParser()]).parse(ROOT / document)
    for example in parsed.examples():
        example.evaluate()


def test_the_first_example_of_the_readme_is_found() -> None:
    parsed = Sybil([PythonCodeBlockParser()]).parse(ROOT / "README.md")
    assert "open_book(" in next(parsed.examples()).parsed


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    hosts = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com")]
    folders = ["work", "root", "home/[a-z]+", "Users/[A-Za-z]+", "opt"]
    places = re.compile(
        "|".join([*(rf"\b{name}\.{end}\b" for name, end in hosts)])
        + rf"|(?<![\w.}}-])/(?:{'|'.join(folders)})/",
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked_files()
        for number, line in enumerate(lines(path), start=1)
        if places.search(line)
    ]
    assert found == []


def tracked_files() -> Iterator[Path]:
    """Give what git has or would take; without git, all but what is made by tools."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    else:
        paths = (
            path
            for path in ROOT.rglob("*")
            if not any(
                part in NO_SOURCES or part.endswith("_cache")
                for part in path.relative_to(ROOT).parts
            )
        )
    return (path for path in paths if path.is_file())


def lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
