"""The hash chain notices what was altered in the file behind the book's back."""

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from decimal import Context, localcontext
from pathlib import Path
from random import Random
from typing import Any

import pytest
from adapters.sqlalchemy.tests.tampering import (
    Files,
    Stranger,
    Ticking,
    alterations,
    commands,
    made_files,
    opened,
    stranger,
    verified,
)

from clientledger import Anchor, Book, NotAllowed
from clientledger.ports import EventQuery, SealQuery
from clientledger_sqlalchemy import SqlStore

COUNT = int(os.environ.get("CLIENTLEDGER_ALTERATIONS", "100"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made_files(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def file(files: Files, tmp_path: Path) -> Path:
    """A copy of the book, to be altered."""
    return Path(shutil.copy(files.path, tmp_path / "copy.db"))


def altered(path: Path, *statements: str) -> Path:
    store = SqlStore.open(f"sqlite:///{path}")
    with stranger(store, f"sqlite:///{path}") as link:
        for statement in statements:
            assert link.run(statement) != 0, statement
    store.close()
    return path


def test_the_book_is_in_order_after_each_command(files: Files) -> None:
    assert len(files.paths) > 15
    for path, anchor in zip(files.paths, files.anchors, strict=True):
        report = verified(path, anchor)
        assert report.problems == ()
        assert report.sealed == anchor.position > 0
        assert (report.unsealed, report.forgotten) == (0, 0)
    assert len({anchor.digest for anchor in files.anchors}) == len(files.anchors)


def test_an_anchor_notices_every_alteration(files: Files) -> None:
    tried: Counter[str] = Counter()
    missed = []
    for done, path in alterations(files, COUNT, Random(COUNT)):
        tried[done.way] += 1
        if verified(path, files.anchor).ok:
            missed.append(done)
    assert missed == []
    assert COUNT < 100 or set(tried) == {"edit", "delete", "insert", "swap"}


# ------------------------------------------------------------ what needs an anchor
@pytest.mark.parametrize("commands_lost", range(1, 8))
def test_a_tail_that_was_cut_off_is_noticed_with_an_anchor_alone(
    files: Files, commands_lost: int
) -> None:
    """The file of some commands ago is what is left when all that belongs to them is removed."""
    path = files.paths[-1 - commands_lost]
    assert verified(path, None).ok
    problems = verified(path, files.anchor).problems
    assert [(problem.what, problem.row) for problem in problems] == [
        ("anchor", str(files.anchor.position))
    ]
    assert "its end has gone" in problems[0].computed


def test_a_chain_made_anew_is_noticed_with_an_anchor_alone(files: Files, file: Path) -> None:
    altered(
        file,
        "UPDATE interactions SET body = 'something else'",  # no fact: not in the chain
        "UPDATE entries SET actor = 'nobody' WHERE kind = 'exchange'",
        "UPDATE timeline SET actor = 'nobody' WHERE kind = 'exchange'",
    )
    assert {problem.what for problem in verified(file, None).problems} == {"Seal"}
    altered(file, "DELETE FROM salts", "DELETE FROM seals")
    with opened(file) as book:
        anchor = book.anchor()
    assert anchor.position == files.anchor.position
    assert verified(file, None).ok
    [problem] = verified(file, files.anchor).problems
    assert problem.what == "anchor"
    assert "sealed anew" in problem.computed


def test_seals_that_were_removed_at_the_end_are_noticed_with_an_anchor(
    files: Files, file: Path
) -> None:
    last = files.anchor.position
    altered(file, f"DELETE FROM seals WHERE position > {last - 3}", "DELETE FROM salts")
    report = verified(file, None)
    assert (report.ok, report.unsealed) == (True, 3)
    assert [problem.what for problem in verified(file, files.anchor).problems] == ["anchor"]


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE entries SET reason = 'x' WHERE kind = 'credit note'", "credit_note.recorded"),
        ("UPDATE entry_lines SET name = 'x' WHERE name = 'Tea'", "sale.recorded"),
        ("UPDATE entry_lines SET sku = 'x' WHERE name = 'Tea'", "sale.recorded"),
        ("UPDATE events SET data = '{}' WHERE type = 'client.changed'", "client.changed"),
        ("UPDATE allocations SET actor = 'x' WHERE amount = 2000", "allocation.made"),
        ("UPDATE releases SET actor = 'x' WHERE amount = 200", "allocation.released"),
        ("UPDATE entries SET actor = 'x' WHERE kind = 'void' AND amount = 3000", "entry.voided"),
    ],
)
def test_an_edit_is_named_by_its_event(file: Path, statement: str, row: str) -> None:
    found = verified(altered(file, statement), None).problems
    seals = [problem for problem in found if problem.what == "Seal"]
    assert len(seals) == 1
    assert f"({row} " in seals[0].row


@pytest.mark.parametrize("position", [-67, 0, 999])
def test_a_seal_or_an_event_in_a_place_that_is_none_is_named(file: Path, position: int) -> None:
    altered(file, f"INSERT INTO seals SELECT {position}, digest, personal FROM seals LIMIT 1")
    found = verified(file, None).problems
    assert {p.what for p in found} == {"Seal"}
    assert str(position) in {p.row for p in found}
    altered(file, f"DELETE FROM seals WHERE position = {position}")
    altered(file, f"UPDATE feed SET position = {position} WHERE position = 35")
    assert {p.what for p in verified(file, None).problems} == {"feed", "Seal"}


# ------------------------------------------------------------ what is forgotten
def test_what_people_wrote_can_be_forgotten_and_the_chain_still_holds(
    files: Files, file: Path
) -> None:
    altered(
        file,
        "DELETE FROM salts",
        "UPDATE entry_lines SET name = 'erased' WHERE name = 'Beans'",
        "UPDATE events SET data = '{}' WHERE type = 'client.changed'",
        "UPDATE timeline SET title = replace(title, 'Beans', 'erased')",
        "UPDATE timeline SET title = 'changed' WHERE kind = 'client.changed'",
    )
    report = verified(file, files.anchor)
    assert report.problems == ()
    assert report.forgotten == report.sealed > 10
    altered(file, "UPDATE entry_lines SET sku = 'x' WHERE name = 'erased'")
    assert {problem.what for problem in verified(file, files.anchor).problems} == {"Seal"}


# ------------------------------------------------------------ how it is made
def test_the_chain_can_be_recomputed_from_the_rows_alone(tmp_path: Path) -> None:
    """By plain SQL, hashlib and json: this is the format, which must never change."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        book.change_settings(currency="EUR", hash_chain=True)
        client = book.clients.add("Acme")
        lines = [("Tea, 1 kg", "0.50", "7.00")]
        book.ledger.record_sale(client, lines, number="7", external_ids={"erp": "S"})
        book.ledger.record_payment(client, "1.00", method="cash")
        anchor = book.anchor()
    with closing(sqlite3.connect(path)) as db:
        digest, place = "0" * 64, 0
        for row in db.execute(
            "SELECT s.position, s.digest, s.personal, t.salt, e.id, e.type, e.subject, e.client_id,"
            " e.actor, e.at, e.data FROM seals s JOIN salts t USING (position)"
            " JOIN feed f USING (position) JOIN events e ON e.id = f.event_id ORDER BY 1"
        ).fetchall():
            place, stored, personal, salt, id, type_, subject, owner, actor, at, data = row
            event = {
                "position": place, "id": dashed(id), "type": type_, "subject": subject,
                "client": dashed(owner), "actor": actor, "at": moment(at),
            }  # fmt: skip
            facts, written = facts_of(db, type_, subject)
            told = {"event": json.loads(data), "facts": written}
            assert personal == sha256(f"{salt}\n{compact(told)}")
            digest = sha256(f"{digest}\n{compact({'event': event, 'facts': facts})}\n{personal}")
            assert digest == stored, type_
    assert Anchor(place, digest) == anchor
    assert place > 5


def facts_of(db: sqlite3.Connection, type_: str, subject: str) -> tuple[list[Any], list[Any]]:
    key = subject.replace("-", "")
    public: list[Any] = []
    written: list[Any] = []
    if type_ == "allocation.made":
        for row in db.execute(
            "SELECT id, client_id, amount, currency, digits, on_day, recorded_at, actor,"
            " credit_id, debit_id, instalment FROM allocations WHERE id = ?", [key]
        ):  # fmt: skip
            public.append({
                **common("Allocation", row), "credit": dashed(row[8]), "debit": dashed(row[9]),
                "instalment": row[10],
            })  # fmt: skip
            written.append({})
    if type_.endswith(".recorded"):
        for row in db.execute(
            "SELECT id, client_id, amount, currency, digits, on_day, recorded_at, actor,"
            " sequence, kind, side, number, method, reason, external_ids FROM entries"
            " WHERE id = ?", [key]
        ).fetchall():  # fmt: skip
            lines = db.execute(
                "SELECT quantity, price, sku, total, name FROM entry_lines WHERE entry_id = ?"
                " ORDER BY number", [key]
            ).fetchall()  # fmt: skip
            parts = db.execute(
                "SELECT number, due, amount FROM instalments WHERE entry_id = ?", [key]
            ).fetchall()
            public.append({
                **common("Entry", row),
                **dict.fromkeys(("undoes", "sale", "replaces", "pair")),
                "sequence": row[8], "kind": row[9], "side": row[10], "number": row[11],
                "agreements": [],
                "lines": [
                    {"quantity": quantity, "price": price, "sku": sku, "discount_percent": None,
                     "discount": None, "tax": None, "total": [total, row[3], row[4]]}
                    for quantity, price, sku, total, _ in lines
                ],
                "instalments": [[n, due, [minor, row[3], row[4]]] for n, due, minor in parts],
            })  # fmt: skip
            written.append({
                "method": row[12], "reason": row[13], "names": [line[4] for line in lines],
                "external_ids": json.loads(row[14]),
            })  # fmt: skip
    return public, written


def common(what: str, row: Any) -> dict[str, Any]:
    id, client, minor, currency, digits, on, recorded_at, actor, *_ = row
    return {
        "what": what, "id": dashed(id), "client": dashed(client),
        "amount": [minor, currency, digits], "on": on, "recorded_at": moment(recorded_at),
        "actor": actor,
    }  # fmt: skip


def dashed(id: str | None) -> str | None:
    if id is None:
        return None
    return "-".join((id[:8], id[8:12], id[12:16], id[16:20], id[20:]))


def moment(text: str) -> str:
    return text.replace(" ", "T").removesuffix(".000000") + "+00:00"


def compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_context_of_decimals_changes_no_digest(files: Files) -> None:
    with localcontext(Context(prec=1, capitals=0)):
        assert verified(files.path, files.anchor).ok


def test_a_chain_switched_on_later_begins_at_the_beginning(tmp_path: Path) -> None:
    with opened(tmp_path / "book.db") as book:
        with book.atomic() as inner:
            for n in range(520):  # more events than are sealed at once
                inner.clients.add(f"Client {n}")
        with pytest.raises(NotAllowed, match="no hash chain"):
            book.anchor()
        assert book.verify().unsealed == 0
        book.change_settings(hash_chain=True)
        waiting = book.verify()
        anchor = book.anchor()
        assert anchor.position > 520
        assert waiting.ok
        report = book.verify(anchor)
        assert (report.problems, report.sealed) == ((), anchor.position)
        with pytest.raises(NotAllowed, match="hash_chain"):
            book.change_settings(hash_chain=False)
        assert book.settings.hash_chain


def test_a_chain_whose_setting_was_switched_off_is_noticed(files: Files, file: Path) -> None:
    changed = "UPDATE settings SET data = replace(data, 'hash_chain\":true', 'hash_chain\":false')"
    assert [p.row for p in verified(altered(file, changed), None).problems] == ["hash_chain"]


def test_reading_the_feed_seals_it_and_a_reader_does_not(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with opened(path) as book:
        for _ in commands(book):
            pass
        report = book.verify()
        assert (report.ok, report.sealed) == (True, 0)
        events = book.changes()
        assert book.verify().sealed == len(events)
        book.clients.add("Later")
        book.run(lambda inner: inner.changes())  # in a unit of work nothing is given
        assert book.verify().sealed == len(events)
    with Book(SqlStore.open(f"sqlite:///{path}", read_only=True)) as reader:
        assert reader.anchor().position == len(events)
        assert len(reader.changes()) == len(events)


def test_a_fact_that_cannot_be_read_holds_the_seals_up_and_not_the_readers(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with opened(path) as book:
        book.change_settings(currency="EUR", hash_chain=True)
        client = book.clients.add("Acme")
        sealed = book.anchor()
        book.ledger.record_sale(client, "5.00")
    altered(path, "UPDATE entries SET agreements = '['")
    with opened(path) as book:
        assert len(book.changes()) > sealed.position
        assert book.anchor() == sealed
        report = book.verify(sealed)
        assert [(p.what, "cannot be read" in p.stored) for p in report.problems] == [
            ("Entry", True)
        ]
    altered(path, "UPDATE entries SET agreements = '[]'")
    with opened(path) as book:
        assert book.anchor().position > sealed.position
        assert book.verify(sealed).ok


# ------------------------------------------------------------ on every database
@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    return str(request.getfixturevalue(f"{request.param}_url"))


def test_several_who_seal_at_once_make_one_chain(url: str) -> None:
    stores = [SqlStore.open(url) for _ in range(3)]
    with ExitStack() as stack:
        for store in stores:
            stack.callback(store.close)
        _seal_at_once(stores)


def _seal_at_once(stores: list[SqlStore]) -> None:
    books = [Book(store, actor="olena") for store in stores]
    books[0].change_settings(hash_chain=True)
    with books[0].atomic() as inner:
        for n in range(300):
            inner.clients.add(f"Client {n}")
    found: list[Anchor] = []
    failures: list[BaseException] = []
    together = threading.Barrier(len(books))

    def seal(book: Book) -> None:
        try:
            together.wait()
            book.changes(limit=1)
            found.append(book.anchor())
        except BaseException as failure:  # noqa: BLE001 - told to the main thread
            failures.append(failure)

    threads = [threading.Thread(target=seal, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(found)) == 1
    with stores[0].snapshot() as reading:
        assert reading.total(SealQuery()) == reading.total(EventQuery()) == found[0].position > 300
    assert books[0].verify(found[0]).problems == ()


EDITS: list[Callable[[Stranger], int]] = [
    lambda link: link.run("UPDATE entries SET recorded_at = '2026-03-02 09:00:00.5'"),
    lambda link: link.run("UPDATE events SET actor = 'x' WHERE type = 'sale.recorded'"),
    lambda link: link.run("DELETE FROM seals WHERE position = 4"),
    lambda link: link.run("UPDATE feed SET position = position + 1000 WHERE position > 6"),
    lambda link: link.run("DELETE FROM releases"),
]


def test_a_chain_holds_and_is_broken_on_every_database(url: str) -> None:
    with closing(SqlStore.open(url)) as store:
        book = Book(store, actor="olena", clock=Ticking())
        for _ in commands(book):
            pass
        anchor = book.anchor()
        assert book.verify(anchor).problems == ()
        for edit in EDITS:
            with stranger(store, url) as link:
                before = link.photo()
                assert edit(link) != 0
            assert "Seal" in {problem.what for problem in book.verify(anchor).problems}
            with stranger(store, url) as link:
                link.restore(before)
            assert book.verify(anchor).problems == ()
