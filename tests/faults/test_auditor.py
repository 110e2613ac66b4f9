"""The audit finds whatever is planted, and nothing where nothing is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from tests.faults.auditor import audit, connected
from tests.faults.workload import MARKER, Chooser, Told, fresh, perform_all

from clientledger import open_book

COMMANDS = 300
LARGE = "SELECT id FROM entries WHERE line_count > 1 LIMIT 1"
PLANTS = {
    "a cent more is owed": "UPDATE balances SET owed = owed + 1 WHERE owed > 0",
    "a cent less is prepaid": "UPDATE balances SET prepaid = prepaid - 1 WHERE prepaid > 1",
    "an account is lost": "DELETE FROM balances WHERE owed > 0",
    "a cent less is open": "UPDATE open_items SET open = open - 1 WHERE open > 1",
    "an open item is lost": "DELETE FROM open_items WHERE open > 0",
    "an amount has changed": "UPDATE entries SET amount = amount + 1 WHERE kind = 'payment'",
    "a line is lost": f"DELETE FROM entry_lines WHERE number = 2 AND entry_id = ({LARGE})",
    "a line has changed": "UPDATE entry_lines SET total = total + 1",
    "an instalment is lost": "DELETE FROM instalments WHERE number = 2",
    "an allocation is lost": "DELETE FROM allocations WHERE id NOT IN"
    " (SELECT allocation_id FROM releases)",
    "a release is lost": "DELETE FROM releases",
    "an entry is lost": "DELETE FROM entries WHERE kind = 'void'",
    "a purchase is lost": "DELETE FROM purchase_days WHERE count > 0",
    "a purchase was counted twice": "UPDATE purchase_days SET count = count + 1",
    "a head has lost count": "UPDATE heads SET sequence = sequence - 1 WHERE sequence > 0",
    "an event is lost": "DELETE FROM events WHERE type = 'sale.recorded'",
    "an event waits no more": "DELETE FROM pending",
    "the feed has a gap": "DELETE FROM feed WHERE position = 3",
    "the timeline has a gap": "DELETE FROM timeline WHERE what = 'entry'",
    "a task is lost": "DELETE FROM tasks",
    "an interaction is lost": "DELETE FROM interactions",
    "a key is lost": "DELETE FROM claims WHERE space = 'command' AND data LIKE '%record_sale%'",
    "a key has nothing": "UPDATE claims SET subject = '00' WHERE space = 'command'",
    "a number is free again": "DELETE FROM claims WHERE space LIKE 'number:%'",
    "an external id is free again": "DELETE FROM claims WHERE space LIKE 'external:%'",
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    path, told = tmp_path_factory.mktemp("busy") / "book.db", Told()
    with open_book(f"sqlite:///{path}", actor="olena") as book:
        chooser = Chooser(book, Random(7), "k")
        perform_all(book, fresh(chooser, COMMANDS), told.hear, chooser.note)
        assert book.verify().ok
    return path, told


def test_a_busy_book_adds_up_by_plain_sql(busy: tuple[Path, Told]) -> None:
    path, told = busy
    with closing(connected(f"sqlite:///{path}?wait=5")) as db:
        found = audit(db, marker=MARKER)
    assert found.problems == ()
    assert told.problems(found.keys) == []
    assert len(told.kept) > COMMANDS / 2
    assert found.counts["entries"] > COMMANDS / 3
    assert min(found.counts.values()) > 0


@pytest.mark.parametrize("plant", PLANTS)
def test_the_audit_finds_what_is_planted(
    plant: str, busy: tuple[Path, Told], tmp_path: Path
) -> None:
    path = tmp_path / "book.db"
    shutil.copy(busy[0], path)
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(PLANTS[plant]).rowcount > 0, "nothing was planted"
        assert audit(db, marker=MARKER).problems


def test_what_was_told_and_what_is_recorded_are_compared(busy: tuple[Path, Told]) -> None:
    told = busy[1]
    recorded = {key for name in told.kept for key in told.commands[name].keys}
    assert told.problems(recorded) == []
    pair = next(one for one in told.commands.values() if one.kind == "pair")
    assert "lost" in told.problems(recorded - {pair.keys[0]})[0]
    told_less = Told(dict(told.commands), told.kept - {pair.key}, told.refused)
    assert "in part" in told_less.problems(recorded - {pair.keys[0]})[0]
    refused = min(told.refused)
    assert "refused" in told.problems(recorded | set(told.commands[refused].keys))[0]
