"""The command: files in, a line per case out."""

import argparse
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.replay.case import FAILED, NOT_APPLICABLE, PASSED, CaseError, Verdict, read_case, replay

USAGE = """Replay cases of debts and payments through the public API of clientledger.

Prints a line per case: passed; failed, with the difference; or not applicable, with the reason.
A case that its file calls peer-specific is replayed too, and never fails: where it differs, it is
not applicable. Ends with 0 where nothing failed, 1 where something did, 2 where a file is no file
of cases.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    try:
        url = _Url(told.url)
        cases = [case for file in told.files for case in read_file(Path(file))]
        verdicts = []
        for n, case in enumerate(cases, 1):
            verdict = replay(case, url.of(n), n)
            verdicts.append(verdict)
            show(verdict, told.verbose)
    except CaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    counts = [
        sum(one.outcome == end for one in verdicts) for end in (PASSED, FAILED, NOT_APPLICABLE)
    ]
    passed, failed, rest = counts
    cases_ = "1 case" if len(verdicts) == 1 else f"{len(verdicts)} cases"
    print(f"{cases_}: {passed} passed, {failed} failed, {rest} not applicable")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.replay",
        description=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON: a list of cases")
    parser.add_argument(
        "--url",
        default="memory:",
        help="the store: each case has a new book, so {} in it is the number of the case; "
        "sqlite:///books/book.db alone makes book-1.db, book-2.db and so on",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="each difference in full, and how it was told"
    )
    return parser


class _Url:
    """The address of each case's own book."""

    def __init__(self, told: str) -> None:
        if not told.startswith("memory:") and "{}" not in told:
            head, dot, tail = told.rpartition(".")
            if not told.startswith("sqlite:") or not dot or "/" in tail:
                raise CaseError(
                    f"{told} holds one book: put {{}} where each case's number is to be"
                )
            told = f"{head}-{{}}.{tail}"
        self._told = told

    def of(self, n: int) -> str:
        return self._told.replace("{}", str(n))


def read_file(path: Path) -> list[Any]:
    """The cases of a file, their numbers exact.

    Raises:
        CaseError: it cannot be read, or is no list of cases.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: cannot be read: {error}") from None
    try:
        told = json.loads(text, parse_float=Decimal, parse_constant=str)
    except ValueError as error:
        listed = _lines(text)
        if listed is None:
            raise CaseError(f"{path}: not JSON: {error}") from None
        told = listed
    if isinstance(told, dict):
        told = next((told[key] for key in ("cases", "examples", "tests") if key in told), [told])
    if not isinstance(told, list):
        raise CaseError(f"{path}: not a list of cases")
    for n, case in enumerate(told, 1):
        try:
            read_case(case, n)
        except CaseError as error:
            raise CaseError(f"{path}: {error}") from None
    return told


def _lines(text: str) -> list[Any] | None:
    """A case a line; None where that is not how the file is written."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(one, parse_float=Decimal, parse_constant=str) for one in lines] or None
    except ValueError:
        return None


def show(verdict: Verdict, verbose: bool) -> None:
    print(verdict.line(), flush=True)
    for line in verdict.details() if verbose else ():
        print(line)
