"""The figures of one client on the command line: statement, explain, what-if."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from tests import test_cli_ledger
from tests.test_cli_ledger import Cli, amounts

cli, shop, template = test_cli_ledger.cli, test_cli_ledger.shop, test_cli_ledger.template


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (["--currency", "EUR"], "EUR, balance on 2024-03-05"),
        (["--currency", "USD"], "USD, balance on 2024-03-05"),
        (["--currency", "EUR", "--bucket", "31-60"], "EUR, 31-60 on 2024-03-05"),
        (["--currency", "EUR", "--bucket", " 1-30"], "EUR, 1-30 on 2024-03-05"),
        (["--document", "I-1"], "sale I-1 on 2024-03-05"),
        (["--document", "P-2"], "payment P-2 on 2024-03-05"),
        (["--document", "credit-note/17"], "credit note 17 on 2024-03-05"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_an_explanation_adds_up_to_its_figure(shop: Cli, words: list[str], title: str) -> None:
    shop("credit-note", "acme", "--amount", "9", "--reason", "x", "--number", "17", "--sale", "I-1",
         "--on", "2024-02-03")  # fmt: skip
    shop("sale", "acme", "--amount", "3", "--on", "2024-02-04", "--number", "I-3")
    shop("void", "I-3", "--reason", "x", "--on", "2024-02-05")
    command = ["explain", "acme", *words, "--as-of", "2024-03-05"]
    said, data = shop(*command), shop(*command, "--json").json
    assert said.out.splitlines()[0].split() == ["Acme", "[bold]", "GmbH", *title.split()]
    (row,) = data["rows"]
    parts = [Decimal(part["amount"]["amount"]) for part in row["parts"]]
    assert sum(parts) == Decimal(row["amount"]["amount"])
    assert parts
    rows = [line for line in said.out.splitlines() if line.strip()]
    foot = next(n for n, line in enumerate(rows) if n > 3 and line.startswith("───"))
    assert rows[foot + 1].split()[-1] == f"{Decimal(row['amount']['amount']):,}"


def test_an_explanation_shows_what_settled_a_document(shop: Cli) -> None:
    out = shop("explain", "acme", "--document", "I-1", "--as-of", "2024-03-05").out
    assert [line.split() for line in out.splitlines()[3:5]] == [
        ["2024-01-10", "sale", "I-1", "2024-01-10", "55", "d", "late", "99.00"],
        ["2024-01-20", "settled", "by", "payment", "17", "-60.00", "39.00"],
    ]
    gone = shop("void", "17", "--reason", "x", "--on", "2024-02-05", "--json").json
    out = shop("explain", "acme", "--document", gone["undoes"], "--as-of", "2024-03-05").out
    assert re.search(r"2024-02-05 +void +-60.00 +0.00", out)
    assert shop("explain", "acme", "--document", gone["id"]).code == 2
    assert shop("explain", "acme", "--document", "I-1", "--as-of", "2024-01-01").code == 2
    assert "void of payment 17" in shop("explain", "acme", "--currency", "EUR").out


def test_an_empty_bucket_is_made_of_nothing(shop: Cli) -> None:
    command = ["explain", "acme", "--currency", "EUR", "--bucket", "Over 90", "--as-of"]
    assert shop(*command, "2024-01-31").out == (
        "Acme [bold] GmbH  EUR, over 90 on 2024-01-31\nNothing is in it.\n"
    )
    (row,) = shop(*command, "2024-01-31", "--json").json["rows"]
    assert (row["amount"]["amount"], row["parts"]) == ("0.00", [])


WHAT_IF = ["what-if", "acme", "--on", "2024-03-05"]


def test_what_if_shows_before_and_after_and_keeps_nothing(shop: Cli) -> None:
    before = shop("statement", "acme", "--currency", "EUR", "--ids").out
    out = shop(*WHAT_IF, "--payment", "100.00", "--void", "17").out
    assert out.splitlines() == [
        "Acme [bold] GmbH  if on 2024-03-05",
        "Void of 2024-03-05: payment 17 of 2024-01-20, 60.00 EUR",
        "Payment of 2024-03-05: 100.00 EUR",
        "  settles sale I-1: 99.00 EUR",
        "  settles sale I-2: 1.00 EUR",
        "",
        *[
            line
            for line in out.splitlines()
            if re.match(r"EUR|─|owes|  not due|  \d|  over|overdue|prepaid|balance", line)
        ],
        "",
        "Nothing was recorded.",
    ]
    assert re.search(r"^owes +130.00 +90.00 +-40.00 *$", out, re.MULTILINE)
    assert re.search(r"^  31-60 +39.00 +-39.00 *$", out, re.MULTILINE)
    assert re.search(r"^balance +130.00 +90.00 +-40.00 *$", out, re.MULTILINE)
    data = shop(
        *WHAT_IF, "--sale", "5 JPY", "--credit-note", "1", "--write-off", "2", "--json"
    ).json
    assert [one["kind"] for one in data["documents"]] == ["sale", "credit note", "write-off"]
    assert set(data["before"]) == {"EUR", "USD"}
    assert data["after"]["JPY"]["owed"]["amount"] == "5"
    assert [one["label"] for one in data["after"]["JPY"]["buckets"]][:2] == ["not due", "1-30"]
    assert amounts({k: v for k, v in data["after"]["EUR"].items() if k != "buckets"}) == {
        "owed": "128.00", "prepaid": "1.00", "overdue": "128.00", "balance": "127.00",
    }  # fmt: skip
    assert shop("statement", "acme", "--currency", "EUR", "--ids").out == before
    assert "JPY" not in shop("card", "acme").out


def test_what_if_takes_terms_and_another_currency(shop: Cli) -> None:
    out = shop(*WHAT_IF, "--sale", "100 JPY", "--terms", "net 30").out
    assert "Sale of 2024-03-05: 100 JPY, due 2024-04-04" in out
    assert re.search(r"^  not due +100 +\+100 *$", out, re.MULTILINE)
    assert re.search(r"^JPY +before +after +change", out, re.MULTILINE)


def test_a_statement_shows_what_is_open_and_how_late(shop: Cli) -> None:
    shop("credit-note", "acme", "--amount", "9", "--reason", "x", "--number", "17", "--sale", "I-1",
         "--on", "2024-02-03")  # fmt: skip
    shop("void", "payment/17", "--reason", "x", "--on", "2024-02-05")
    statement = ["statement", "acme", "--currency", "EUR", "--until", "2024-02-20"]
    out = shop(*statement).out
    for told in (
        r"^2024-02-03  credit note 17 for sale I-1 +9.00 +121.00$",
        r"^2024-02-05  void of payment 17 +60.00 +181.00$",
        r"^2024-01-10  41 d late  sale I-1 +99.00 +90.00 *$",
        r"^2024-03-01 +sale I-2 +91.00 +91.00 *$",
        r"^ +all +181.00 *$",
        r"^  91.00 +90.00 +181.00$",
    ):
        assert re.search(told, out, re.MULTILINE), told
    data = shop(*statement, "--json").json
    assert data["name"] == "Acme [bold] GmbH"
    assert (data["debits"]["amount"], data["credits"]["amount"]) == ("250.00", "69.00")
    assert amounts(data["account"])["owed"] == "181.00"
    assert len(data["open_items"]) == 2
    ids = shop(*statement, "--ids").out
    assert all(row["entry"]["id"] in ids for row in data["rows"])
    assert max(map(len, ids.splitlines())) <= 80


PLUGIN = """
from clientledger import InvalidValue, hookimpl

@hookimpl
def register_exporters(register):
    register("plain", lambda statement, *, locale, layout: (
        f"{statement.client.name}|{statement.currency}|{locale}|{layout}\\n".encode()))
    register("blob", lambda statement, *, locale, layout: b"\\xff\\0blob")
"""


@pytest.fixture
def exporting(shop: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Give the command with a plugin that exports, and no other one that does."""
    plugin = tmp_path / "plugins"
    (plugin / "exporting-1.dist-info").mkdir(parents=True)
    (plugin / "exporting_for_cli.py").write_text(PLUGIN, encoding="utf-8")
    (plugin / "exporting-1.dist-info" / "METADATA").write_text("Name: exporting\nVersion: 1\n")
    points = "[clientledger]\nexporting = exporting_for_cli\n"
    (plugin / "exporting-1.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(plugin))
    block = [f"--block={name}" for name in ("text", "html", "pdf", "xlsx")]
    return lambda *words: shop(*words, *block)


def test_a_statement_becomes_a_file(exporting: Cli) -> None:
    statement = ["statement", "acme", "--currency", "EUR"]
    out = exporting(*statement, "--format", "plain", "--locale", "uk").out
    assert out == "Acme [bold] GmbH|EUR|uk|statement\n"
    out = exporting(*statement, "--format", "plain", "--act").out
    assert out == "Acme [bold] GmbH|EUR|en|act\n"
    said = exporting(*statement, "--format", "blob", "--output", "a.bin", "--until", "2024-02-20")
    assert said.out == "Wrote a.bin: Acme [bold] GmbH, EUR, 2024-01-10 to 2024-02-20.\n"
    assert Path("a.bin").read_bytes() == b"\xff\0blob"
    assert exporting(*statement, "--format", "blob").out.encode(errors="surrogateescape") == (
        b"\xff\0blob"
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--format", "pdf"], 2, "clientledger-statements"),
        (["--act"], 2, "'text'"),
        (["--locale", "de"], 2, "'text'"),
        (["--output", "a.PDF"], 2, "'pdf'"),
        (["--output", "a.htm"], 2, "'html'"),
        (["--output", "a.doc"], 2, "--format"),
        (["--format", "plain", "--json"], 2, "--json"),
        (["--format", "plain", "--output", "clients.db"], 2, "that is the book"),
        (["--format", "plain", "--output", "nowhere/a.txt"], 5, "nowhere/a.txt"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_a_file_that_cannot_be_made_is_refused(
    exporting: Cli, words: list[str], code: int, told: str
) -> None:
    said = exporting("statement", "acme", "--currency", "EUR", *words)
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert exporting("verify").code == 0


def test_a_terminal_gets_no_bytes(exporting: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    statement = ["statement", "acme", "--currency", "EUR"]
    said = exporting(*statement, "--format", "blob")
    assert (said.code, said.out) == (2, "")
    assert "--output FILE.blob" in said.err
    assert exporting(*statement, "--format", "plain").code == 0


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_no_width_cuts_a_number_off(shop: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shop("sale", "beta", "--amount", "1234567890.12", "--on", "2024-01-11", "--number", "B-1")
    monkeypatch.setenv("COLUMNS", str(width))
    for command in (
        ["explain", "beta"],
        ["explain", "beta", "--bucket", "over 90"],
        ["explain", "beta", "--document", "B-1"],
        ["statement", "beta", "--ids"],
        ["what-if", "beta", "--sale", "0.88"],
    ):
        out = shop(*command).out
        assert "1,234,567,890.12" in out
        assert "…" not in out
