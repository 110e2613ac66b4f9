"""Cases of debts and payments that were shared with us, replayed through the book on every store.

They stand in `../shared/cases` beside the checkout, or where CLIENTLEDGER_SHARED_CASES says. The
replayer, which also looks whether the book verifies, is `tests/replay`; our own cases are in
`tests/cases` (see `test_replay.py`).
"""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.books import KINDS, url_of
from tests.replay import replay
from tests.replay.command import read_file

BESIDE = Path(__file__).parents[2] / "shared" / "cases"
FOLDER = Path(os.environ.get("CLIENTLEDGER_SHARED_CASES") or BESIDE)
CASES: dict[str, Any] = {
    f"{file.stem}-{case.get('id', n)}": case
    for file in sorted(FOLDER.glob("*.json"))
    for n, case in enumerate(read_file(file), 1)
}

pytestmark = pytest.mark.skipif(
    not CASES, reason="the cases are not at hand: set CLIENTLEDGER_SHARED_CASES"
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", CASES)
def test_the_book_gives_what_the_case_expects(id: str, kind: str, tmp_path: Path) -> None:
    verdict = replay(CASES[id], url_of(kind, tmp_path))
    assert verdict.passed, "\n".join([verdict.line(), *verdict.details()])
    assert not verdict.uncompared
    assert not verdict.left_out
