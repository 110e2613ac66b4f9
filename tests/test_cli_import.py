"""Imports from CSV: strict, all or nothing, and the same again a second time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clientledger import Money, open_book
from clientledger.cli import main

CLIENTS = "id,name,phone,city,country,tags\nA1,Krüger,+49 30 901821,Berlin,DE,b;a\nA2,Müller,,,,\n"
SALES = (
    "id,client,date,currency,due,number,item,quantity,price,sku\n"
    "S1,A1,2024-01-05,EUR,2024-02-05,K-1,Flour,10,12.50,F\n"
    "S1,A1,2024-01-05,EUR,2024-02-05,K-1,Yeast,2,3.20,\n"
    "S2,A2,2024-02-01,EUR,,K-2,Flour,1,12.50,F\n"
)
PAYMENTS = (
    "id,client,date,amount,currency,method,sale\n"
    "P1,A1,2024-02-01,100.00,EUR,bank,S1\n"
    "P2,A1,2024-02-02,10.00,EUR,bank,K-1\n"
    "P3,A2,2024-02-03,20.00,EUR,cash,\n"
)

Bring = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bring:
    """Give a function that writes a file and imports it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CLIENTLEDGER_BOOK", "clients.db")
    monkeypatch.setenv("CLIENTLEDGER_ACTOR", "olena")

    def run(kind: str, content: str | bytes, *options: str) -> tuple[int, str, str]:
        raw = content.encode() if isinstance(content, str) else content
        Path("in.csv").write_bytes(raw)
        code = main(["import", kind, "in.csv", "--source", "shop", *options])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def full(bring: Bring) -> Bring:
    for kind, content in (("clients", CLIENTS), ("sales", SALES), ("payments", PAYMENTS)):
        code, _, err = bring(kind, content)
        assert code == 0, err
    return bring


def counts() -> tuple[int, int, int]:
    with open_book("sqlite:///clients.db", read_only=True) as book:
        entries = book.ledger.find()
        kinds = [entry.kind for entry in entries]
        return len(book.clients.find()), kinds.count("sale"), kinds.count("payment")


def told(out: str) -> Any:
    return json.loads(out)


def test_what_is_imported_is_there(full: Bring) -> None:
    assert counts() == (2, 2, 3)
    with open_book("sqlite:///clients.db", read_only=True) as book:
        krueger = book.clients.find(external_id=("shop", "A1"))[0]
        assert krueger.tags == ("a", "b")
        assert book.ledger.account(krueger, "EUR").owed == Money("21.40", "EUR")
        mueller = book.clients.find(external_id=("shop", "A2"))[0]
        assert book.ledger.account(mueller, "EUR").prepaid == Money("7.50", "EUR")
        assert book.verify().ok


def test_a_second_time_changes_nothing_and_says_so(full: Bring) -> None:
    with open_book("sqlite:///clients.db") as book:
        before = len(book.changes(limit=None))
    for kind, content in (("clients", CLIENTS), ("sales", SALES), ("payments", PAYMENTS)):
        code, out, _ = full(kind, content)
        assert code == 0
        assert out.startswith("Nothing new in in.csv")
    with open_book("sqlite:///clients.db") as book:
        assert len(book.changes(limit=None)) == before


def test_a_changed_row_is_refused_and_not_taken_twice(full: Bring) -> None:
    code, _, err = full("payments", PAYMENTS.replace("100.00", "101.00"))
    assert code == 4
    assert "line 2: imported before with another" in err
    assert counts() == (2, 2, 3)


def test_one_bad_row_at_the_end_leaves_nothing(full: Bring) -> None:
    rows = [f"Q{n},A1,2024-03-01,1.00,EUR" for n in range(50)]
    content = "\n".join(["id,client,date,amount,currency", *rows, "Q99,A1,2024-03-01,x,EUR"])
    code, out, err = full("payments", content)
    assert (code, out) == (2, "")
    assert "line 52: amount" in err
    assert "nothing was imported" in err
    assert counts() == (2, 2, 3)


BAD = (
    "id,client,date,amount,currency\n"
    'Q1,A1,2024-02-01,"1,000.00",EUR\n'
    "Q2,A9,2024-02-01,20.00,EUR\n"
    "Q3,A1,01.02.2024,20.00,EUR\n"
    "Q4,A1,2024-02-01,20.00\n"
    "Q5,A1,2024-02-01,20.00,EUR\n"
    "P1,A1,2024-02-01,21.00,EUR\n"
    "Q5,A1,2024-02-02,20.00,EUR\n"
    ",A1,2024-02-01,20.00,EUR\n"
    "Q6,A1,2024-02-01,20.00,XXX\n"
)


def test_good_rows_are_kept_when_told_and_the_others_listed(full: Bring) -> None:
    code, out, err = full("payments", BAD, "--rows", "--json")
    assert (code, err) == (1, "")
    result = told(out)
    assert (result["new"], result["known"]) == (1, 0)
    assert [row["line"] for row in result["refused"]] == [2, 3, 4, 5, 7, 8, 9, 10]
    assert all(row["error"].startswith(f"line {row['line']}: ") for row in result["refused"])
    assert counts() == (2, 2, 4)
    code, out, _ = full("payments", BAD, "--rows")
    assert code == 1
    assert "8 refused" in out
    assert counts() == (2, 2, 4)


def test_the_same_files_give_the_same_answer_every_time(bring: Bring) -> None:
    answers = set()
    for _ in range(5):
        for file in Path().glob("clients.db*"):
            file.unlink()
        for kind, content in (("clients", CLIENTS), ("sales", SALES), ("payments", PAYMENTS)):
            assert bring(kind, content)[0] == 0
        answers.add(bring("payments", BAD, "--rows"))
    assert len(answers) == 1


def test_a_dry_run_tells_and_writes_nothing(full: Bring) -> None:
    code, out, _ = full("payments", BAD, "--rows", "--dry-run")
    assert code == 1
    assert "1 payment would be imported" in out
    assert counts() == (2, 2, 3)


def test_a_dry_run_of_clients_makes_no_book(bring: Bring) -> None:
    assert bring("clients", CLIENTS, "--dry-run")[1].startswith("2 clients would be imported")
    assert not Path("clients.db").exists()


@pytest.mark.parametrize("kind", ["sales", "payments"])
def test_documents_need_a_book_that_is_there(bring: Bring, kind: str) -> None:
    assert bring(kind, SALES if kind == "sales" else PAYMENTS)[0] == 5
    assert not Path("clients.db").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "missing: 'id', 'name'"),
        (b"\n\n", "missing: 'id', 'name'"),
        (b"id,name,color\n1,x,red\n", "unknown: 'color'"),
        (b"id,name,name\n1,x,y\n", "twice: 'name'"),
        (b"id;name\n1;x\n", "--delimiter ';'"),
        (b"id\tname\n1\tx\n", "--delimiter tab"),
        (b"ID,Name\n1,x\n", "missing: 'id', 'name'"),
        (b"id,name\n1,x\n2,\"oops\n3,y\n", "line 3 of in.csv: a quote is opened"),
        (b"id,name\n1,\"a\"b\n", "line 2 of in.csv"),
        (b"id,name\n1,x\0\n", "line 2 of in.csv holds a NUL"),
        (b"id,name\n1,x\n2,M\xfcller\n", "line 3 of in.csv is not UTF-8"),
        ("id,name\n1,x\n".encode("utf-16"), "line 1 of in.csv is not UTF-8"),
        (b"id,name\n1," + b"x" * 200_000, "line 2 of in.csv"),
        (b"id,name\n1," + b"x" * 300, "line 2: name"),
        (b"id,name\n1,\n", "line 2: name"),
        (b"id,name\n,x\n", "line 2: id: empty"),
        (b"id,name\n1,x,y\n", "line 2: 3 cells under 2 columns"),
        (b"id,name\n1,\"a\nb\"\n2,y\n", "line 2: name"),
        (b"id,name\n1,x\n1,y\n", "line 3: id: line 2 has the same id"),
        (b"id,name,kind\n1,x,shop\n", "line 2: kind"),
        (b"id,name,contact_role\n1,x,boss\n", "line 2: contact"),
        (b"id,name\n" + b"1" * 250 + b",x\n", "line 2: key"),
        ("id,name\n1,a\u202eb\n".encode(), "line 2: name"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_with_its_line(bring: Bring, content: bytes, said: str) -> None:
    code, out, err = bring("clients", content)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 3
    if Path("clients.db").exists():
        assert counts()[0] == 0


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("sales", "id,client,date\nS9,A1,2024-01-01\n", "line 2: amount"),
        (
            "sales",
            "id,client,date,amount,item,quantity,price\nS9,A1,2024-01-01,1,a,1,1\n",
            "line 2",
        ),
        ("sales", "id,client,date,item,quantity,price\nS9,A1,2024-01-01,a,-1,1\n", "quantity"),
        (
            "sales",
            (
                "id,client,date,currency,item,quantity,price\n"
                "S9,A1,2024-01-01,EUR,a,1,1\nS9,A1,2024-01-02,EUR,b,1,1\n"
            ),
            "line 2: date: another date than in line 2",
        ),
        (
            "sales",
            "id,client,date,currency,amount\nS9,A1,2024-01-01,EUR,1\nS9,A1,2024-01-01,EUR,1\n",
            "the id stands in the line before",
        ),
        ("payments", "id,client,date,amount\nP9,A1,2024-01-01,1\n", "no currency is known"),
        ("payments", "id,client,date,amount,currency\nP9,A1,2024-01-01,1 EUR,EUR\n", "amount"),
        ("payments", "id,client,date,amount,currency\nP9,A1,20240101,1,EUR\n", "date"),
    ],
)
def test_a_bad_document_is_refused(full: Bring, kind: str, content: str, said: str) -> None:
    code, _, err = full(kind, content)
    assert code == 2
    assert said in err
    assert counts() == (2, 2, 3)


def test_a_rule_of_the_ledger_refuses_a_row(full: Bring) -> None:
    content = "id,client,date,amount,currency,sale\nP9,A1,2024-03-01,999.00,EUR,K-1\n"
    assert full("payments", content)[0] == 4
    assert full("payments", content.replace("K-1", "K-2"))[0] == 3
    assert counts() == (2, 2, 3)


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ((), b"\xef\xbb\xbfid,name\r\n1,x\r\n"),
        ((), b"id,name\r1,x\r"),
        (("--delimiter", ";"), b"id;name\n1;x\n"),
        (("--delimiter", "tab"), b"id\tname\n1\tx\n"),
        ((), b'"id","name"\n\n1,"a ""b"", c"\n\n'),
        ((), "id,name\n№ 1,=1+1\n".encode()),
    ],
)
def test_a_well_formed_file_is_taken(
    bring: Bring, options: tuple[str, ...], content: bytes
) -> None:
    assert bring("clients", content, *options)[0] == 0
    assert bring("clients", content, *options)[1].startswith("Nothing new")
    assert counts()[0] == 1


@pytest.mark.parametrize(
    "options", [("--delimiter", ""), ("--delimiter", "ab"), ("--delimiter", "a")]
)
def test_a_delimiter_is_one_mark(bring: Bring, options: tuple[str, ...]) -> None:
    assert bring("clients", CLIENTS, *options)[0] == 2


def test_files_and_names_that_are_not_right(
    bring: Bring, capsys: pytest.CaptureFixture[str]
) -> None:
    bring("clients", CLIENTS)
    assert main(["import", "clients", "nothere.csv"]) == 2
    assert main(["import", "clients", "."]) == 2
    assert main(["import", "clients", "in.csv", "--source", "a:b"]) == 2
    assert main(["import", "widgets", "in.csv"]) == 2
    assert "Traceback" not in capsys.readouterr().err
