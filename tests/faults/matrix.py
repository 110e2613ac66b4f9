"""The kill matrix: faults are planted in the library one by one, and the tests must notice each.

    python -m tests.faults.matrix
    python -m tests.faults.matrix --list
    python -m tests.faults.matrix --only "synchronous" --only "phantom"

The tree is copied to a temporary folder. There all named tests run unchanged first, and must pass.
Then each fault of `bugs.py` is planted alone, and each test that it names must fail: one that
passes all the same notices nothing. What only looks like a fault is planted too, and its
tests must pass. An entry whose old text is not in its file exactly once is out of date: a failure.

Tests that need a cluster share one, which ends with this process.
"""

import argparse
import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

import attrs
from tests.faults.bugs import BUGS, Bug

__all__ = ["Copy", "Outcome", "Verdict", "judged", "out_of_date"]

ROOT = Path(__file__).parents[2]
COPIED = ("src", "adapters", "tests", "examples", "docs")
FILES = ("conftest.py", "pyproject.toml", "constraints.txt")
NOT_COPIED = ("__pycache__", "*.pyc", ".hypothesis", ".*_cache")
IMPORTED = ("src", "adapters/sqlalchemy/src", "adapters/statements/src")
PATIENCE = 120.0
"""Seconds after which a test is stopped; it says nothing then."""

RED, GREEN, STOPPED = "red", "green", "stopped"
PROBE = """
import subprocess, sys
from importlib.metadata import entry_points
from pathlib import Path

HERE = Path(__file__).parents[1]
ASK = "import clientledger, clientledger_sqlalchemy as s; print(clientledger.__file__, s.__file__)"


def test_what_is_tested_is_the_copy() -> None:
    told = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    plugin = entry_points(group="clientledger")["sqlite"].load()
    for file in (*told.stdout.split(), plugin.__file__, sys.modules["clientledger.ports"].__file__):
        assert Path(file).is_relative_to(HERE), file
"""
"""A test that the copy is imported, not what is installed: here, in children, as a plugin."""


@attrs.frozen
class Outcome:
    """How a test ended: red, green, or in a way that says nothing; and what it said."""

    test: str
    end: str
    said: str = ""


@attrs.frozen
class Verdict:
    """What the tests of a bug noticed."""

    bug: Bug
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def wanted(self) -> tuple[str, ...]:
        """How its tests may end."""
        if self.bug.harmless:
            return (GREEN,)
        return (RED, STOPPED) if self.bug.hangs else (RED,)

    @property
    def good(self) -> bool:
        """Whether every test ended so."""
        return all(outcome.end in self.wanted for outcome in self.outcomes)

    @property
    def end(self) -> str:
        """In one word: red where each of its tests is."""
        ends = {outcome.end for outcome in self.outcomes}
        return ends.pop() if len(ends) == 1 else "mixed"


@attrs.define
class Copy:
    """A copy of the tree, in which bugs are planted.

    Attributes:
        folder: of the copy.
        runs: where the tests put their files.
    """

    folder: Path
    runs: Path
    _count: int = 0

    @classmethod
    def made(cls, into: Path) -> "Copy":
        """Copy the tree into a folder."""
        folder, runs = into / "copy", into / "runs"
        leave = shutil.ignore_patterns(*NOT_COPIED)
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        (folder / "tests/test_probe.py").write_text(PROBE, encoding="utf-8")
        runs.mkdir()
        return cls(folder, runs)

    @contextmanager
    def planted(self, bug: Bug) -> Iterator[None]:
        """Plant a bug, for a while."""
        paths = {edit.file: self.folder / edit.file for edit in bug.edits}
        before = {file: path.read_text(encoding="utf-8") for file, path in paths.items()}
        after = dict(before)
        for edit in bug.edits:
            after[edit.file] = after[edit.file].replace(edit.old, edit.new)
        try:
            self._write(after)
            yield
        finally:
            self._write(before)

    def _write(self, texts: Mapping[str, str]) -> None:
        for file, text in texts.items():
            path = self.folder / file
            path.write_text(text, encoding="utf-8")
            # Of the same second and size, the compiled file would be taken for that of the new one.
            Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def run(self, tests: Sequence[str], *, strict: bool = False) -> Outcome:
        """Run some tests, and say how they ended together.

        Args:
            strict: let a skipped test be red, and tell all that is said.
        """
        code, said = self._pytest(tests, strict)
        if code is not None and code < 0:  # somebody else has ended it
            code, said = self._pytest(tests, strict)
        ends = {0: GREEN, 1: RED, None: STOPPED}
        end = ends.get(code, f"exit {code}")
        told = said if strict else "" if end == GREEN else _why(said)
        return Outcome(" ".join(tests), end, told)

    def _pytest(self, tests: Sequence[str], strict: bool) -> tuple[int | None, str]:
        """Run pytest; give its exit code, or None where it had to be stopped, and what it said."""
        self._count += 1
        base = self.runs / str(self._count)
        options = ["-q", "--tb=short", "-rfE", "-p", "no:cacheprovider", f"--basetemp={base}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.folder,
            env=self._environment(strict),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=PATIENCE * len(tests))
            return process.returncode, said
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            _end(process)
            shutil.rmtree(base, ignore_errors=True)

    def _environment(self, strict: bool) -> dict[str, str]:
        told = {
            "PYTHONPATH": os.pathsep.join(str(self.folder / one) for one in (*IMPORTED, ".")),
            "HYPOTHESIS_PROFILE": "ci",  # the same examples each time
            "COLUMNS": "500",  # so that pytest tells why in the line of a failure
            "PYTEST_XDIST_WORKER": "matrix",  # so that all runs have one cluster, and it is ours
        }
        left = {name: os.environ[name] for name in os.environ if name != "CLIENTLEDGER_NO_SKIP"}
        no_skip = {"CLIENTLEDGER_NO_SKIP": "1"} if strict else {}
        return {**left, **told, **no_skip}


def _end(process: "subprocess.Popen[str]") -> None:
    """End what is left of a run of ours."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _why(said: str) -> str:
    """What the first test that failed says."""
    for line in said.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.partition(" - ")[2].strip()
    return said.strip().rpartition("\n")[2]


def out_of_date(bug: Bug, tree: Path = ROOT) -> list[str]:
    """What of a bug does not fit the tree any more."""
    found, texts = [], dict[str, str]()
    for edit in bug.edits:
        path = tree / edit.file
        if not path.is_file():
            found.append(f"{edit.file} is not there")
            continue
        text = texts.setdefault(edit.file, path.read_text(encoding="utf-8"))
        if (count := text.count(edit.old)) != 1:
            found.append(f"{edit.file} has {edit.old.strip()[:60]!r} {count} times")
        texts[edit.file] = text.replace(edit.old, edit.new)
    found += [told for file, text in texts.items() if (told := _broken(file, text))]
    found += [f"{one} is not there" for one in _files(bug) if not (tree / one).is_file()]
    return found


def _broken(file: str, text: str) -> str:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return f"{file} is no Python any more: {error}"
    return ""


def _files(bug: Bug) -> set[str]:
    return {test.partition("::")[0] for test in bug.tests}


def judged(copy: Copy, bug: Bug) -> Verdict:
    """Plant a bug, and run the tests that must notice it."""
    began = time.monotonic()
    with copy.planted(bug):
        outcomes = [copy.run([test]) for test in bug.tests]
    named = [attrs.evolve(one, test=test) for one, test in zip(outcomes, bug.tests, strict=True)]
    return Verdict(bug, tuple(named), time.monotonic() - began)


# ------------------------------------------------------------ what is told
def _row(verdict: Verdict) -> str:
    names = ", ".join(outcome.test.rpartition("/")[2] for outcome in verdict.outcomes)
    mark = "" if verdict.good else "SURVIVED "
    bug = verdict.bug
    return f"{verdict.end:8} {verdict.seconds:6.1f} s  {bug.guarantee:6} {mark}{bug.name}: {names}"


def _details(verdict: Verdict) -> Iterator[str]:
    for outcome in verdict.outcomes:
        if outcome.said or outcome.end not in verdict.wanted:
            yield f"{'':19}{outcome.end}: {outcome.said[:150]}"
    if verdict.bug.harmless:
        yield f"{'':19}no bug: {verdict.bug.harmless}"


def _unchanged(copy: Copy, bugs: Sequence[Bug]) -> bool:
    """Whether all tests pass as long as nothing is planted."""
    print(f"copied to {copy.folder}; first, all tests unchanged", flush=True)
    began = time.monotonic()
    tests = dict.fromkeys(test for bug in bugs for test in bug.tests)
    told = copy.run(["tests/test_probe.py", *tests], strict=True)
    good = told.end == GREEN
    print("\n".join(told.said.splitlines()[-1 if good else -60 :]))
    print(f"{told.end}, {time.monotonic() - began:.0f} s", flush=True)
    return good


def _fitting(bugs: Sequence[Bug], tree: Path) -> list[Bug]:
    """The bugs that fit a tree; print which do not, and why."""
    fitting = []
    for bug in bugs:
        if found := out_of_date(bug, tree):
            print(f"OUT OF DATE {bug.name}: {'; '.join(found)}")
        else:
            fitting.append(bug)
    return fitting


def _listed(bug: Bug) -> str:
    places = ", ".join(dict.fromkeys(edit.file.rpartition("/")[2] for edit in bug.edits))
    return f"{bug.guarantee:6} {bug.name} ({places}): {', '.join(bug.tests)}"


def _planted(bugs: Sequence[Bug], folder: Path) -> bool:
    """Plant all of them in a copy, one after the other; whether each was noticed."""
    folder.chmod(0o755)  # servers of other users have files in it
    copy = Copy.made(folder)
    fitting = _fitting(bugs, copy.folder)
    if not _unchanged(copy, fitting):
        return False
    verdicts = []
    for bug in fitting:
        verdicts.append(judged(copy, bug))
        print("\n".join([_row(verdicts[-1]), *_details(verdicts[-1])]), flush=True)
    survived = [verdict.bug.name for verdict in verdicts if not verdict.good]
    seconds = sum(verdict.seconds for verdict in verdicts)
    stale = len(bugs) - len(fitting)
    print(
        f"{len(fitting)} planted in {seconds:.0f} s, {len(survived)} survived, {stale} out of date"
    )
    print("\n".join(survived) or "each was noticed")
    return not survived and not stale


def main() -> int:
    """Plant, and say what was noticed; 1 if a bug survives or an entry is out of date."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a part of the name of a bug")
    parser.add_argument("--smoke", action="store_true", help="every tenth bug only")
    parser.add_argument("--list", action="store_true", help="say what would be planted, and where")
    told = parser.parse_args()
    bugs = [bug for bug in BUGS if not told.only or any(one in bug.name for one in told.only)]
    bugs = bugs[:: 10 if told.smoke else 1]
    if told.list:
        fitting = _fitting(bugs, ROOT)
        print("\n".join(map(_listed, fitting)))
        return int(len(fitting) < len(bugs))
    if not bugs:
        parser.error("no bug has such a name; see --list")
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the copy goes, and what runs in it
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        return int(not _planted(bugs, Path(name)))


if __name__ == "__main__":
    sys.exit(main())
