"""The command line in process: each command in words and as JSON, and each exit code."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientledger import Money, Problem, Report, open_book
from clientledger.cli import main
from clientledger.cli.exits import code_of
from clientledger.errors import (
    Busy,
    ClientLedgerError,
    CreditLimitExceeded,
    DeliveryError,
    OutcomeUnknown,
    PluginError,
)


@attrs.frozen
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Give the command, working on a file that is not there yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("CLIENTLEDGER_BOOK", "clients.db")
    monkeypatch.setenv("CLIENTLEDGER_ACTOR", "olena")

    def run(*arguments: str) -> Said:
        code = main(arguments)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a book with two clients, one of which owes in two currencies."""
    book = tmp_path_factory.mktemp("template") / "clients.db"
    for arguments in (
        ["settings", "--currency", "EUR"],
        ["add-client", "Acme GmbH", "--phone", "+49 30 901820", "--external-id", "erp:17"],
        ["add-client", "Beta [bold] & Sons", "--manager", "olena", "--tag", "vip"],
        ["sale", "acme", "--line", "Beans;120;9.90;B1", "--on", "2024-01-10", "--number", "I-1"],
        ["sale", "acme", "--amount", "5000 JPY", "--on", "2024-01-20", "--due", "2024-03-01"],
        ["payment", "erp:17", "500.00 EUR", "--on", "2024-02-01", "--method", "bank"],
        ["log", "acme", "call", "About the price", "--at", "2024-02-02 11:30"],
        ["task", "add", "Remind Acme", "--client", "acme", "--due", "2024-02-12"],
    ):
        assert main([*arguments, "--book", str(book), "--actor", "olena"]) == 0
    return book


@pytest.fixture
def shop(cli: Cli, template: Path) -> Cli:
    """Give the command on a copy of that book."""
    for file in template.parent.iterdir():
        shutil.copy(file, ".")
    return cli


READING = [
    ["card", "acme"],
    ["find", "acme"],
    ["debtors"],
    ["ageing"],
    ["best"],
    ["dormant", "--days", "30"],
    ["agenda"],
    ["timeline", "acme"],
    ["statement", "acme", "--currency", "EUR"],
    ["verify"],
    ["settings"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_reading_answers_in_words_and_in_json(shop: Cli, command: list[str]) -> None:
    words, data = shop(*command), shop(*command, "--json")
    assert (words.code, data.code) == (0, 0)
    assert (words.err, data.err) == ("", "")
    assert words.out.strip()
    assert isinstance(data.json, dict)
    assert max(map(len, words.out.splitlines())) <= 80
    assert "\x1b" not in words.out + data.out


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_reading_makes_no_book(cli: Cli, command: list[str]) -> None:
    said = cli(*command)
    assert (said.code, said.out) == (5, "")
    assert len(said.err.splitlines()) <= 3
    assert not Path("clients.db").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["sale", "acme", "--amount", "5 EUR"],
        ["payment", "acme", "5 EUR"],
        ["log", "acme", "call", "x"],
        ["task", "add", "x"],
        ["hand-over", "a", "b"],
    ],
    ids=" ".join,
)
def test_writing_to_a_mistyped_book_makes_none(cli: Cli, command: list[str]) -> None:
    assert cli(*command).code == 5
    assert not Path("clients.db").exists()


def test_the_card_says_who_what_and_how_much(shop: Cli) -> None:
    out = shop("card", "erp:17", "--as-of", "2024-02-20").out
    for told in ("Acme GmbH", "+4930901820", "688.00", "5,000", "Beans", "Remind Acme", "call"):
        assert told in out
    accounts = shop("card", "erp:17", "--as-of", "2024-02-20", "--json").json["accounts"]
    assert accounts["EUR"] == {
        "owed": {"amount": "688.00", "currency": "EUR"},
        "prepaid": {"amount": "0.00", "currency": "EUR"},
        "overdue": {"amount": "688.00", "currency": "EUR"},
        "balance": {"amount": "688.00", "currency": "EUR"},
    }
    assert accounts["JPY"]["owed"] == {"amount": "5000", "currency": "JPY"}
    assert accounts["JPY"]["overdue"] == {"amount": "0", "currency": "JPY"}


def test_currencies_stand_apart_and_limits_count_in_each(shop: Cli) -> None:
    out = shop("debtors", "--limit", "1").out
    assert re.findall(r"^(EUR|JPY) ", out, re.MULTILINE) == ["EUR", "JPY"]
    data = shop("debtors", "--limit", "1", "--json").json
    assert [row["account"]["owed"]["currency"] for row in data["rows"]] == ["EUR", "JPY"]
    assert data["more"] is False


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 160, 200])
def test_no_width_cuts_a_number_off(shop: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shop("sale", "acme", "--amount", "1234567890.12 USD", "--on", "2024-01-11", "--number", "I-9")
    monkeypatch.setenv("COLUMNS", str(width))
    for command in (["card", "acme"], ["debtors"], ["ageing"], ["statement", "erp:17"]):
        more = ["--currency", "USD"] if command[0] == "statement" else []
        out = shop(*command, *more).out
        assert "1,234,567,890.12" in out
        assert "Acme" in out
        assert "…" not in out


def test_a_name_is_shown_as_it_is(shop: Cli) -> None:
    assert "Beta [bold] & Sons" in shop("find", "beta").out


def test_a_half_day_interval_is_exact_text(shop: Cli) -> None:
    for day in ("2024-01-01", "2024-01-05", "2024-01-20"):
        shop("sale", "beta", "--amount", "1 EUR", "--on", day)
    card = shop("card", "beta", "--json").json
    assert card["purchases"]["usual_interval"] == "9.5"
    assert "usually every 9.5 days" in shop("card", "beta").out


def test_a_sale_is_recorded_once_for_a_key(shop: Cli) -> None:
    sale = ["sale", "beta", "--line", "Tea;2;3.50", "--number", "I-2", "--key", "k", "--json"]
    assert shop(*sale).json["id"] == shop(*sale).json["id"]
    again = shop("sale", "beta", "--amount", "1 EUR", "--key", "k")
    assert again.code == 4
    assert "key" in again.err


def test_a_payment_settles_what_it_is_told_to(shop: Cli) -> None:
    shop("sale", "acme", "--amount", "10 EUR", "--number", "I-2")
    told = shop("payment", "acme", "15.00 EUR", "--allocate", "I-2=10", "--json").json
    assert told["account"]["prepaid"] == {"amount": "5.00", "currency": "EUR"}
    free = shop("payment", "acme", "1", "--free", "--json").json
    assert free["account"]["prepaid"] == {"amount": "6.00", "currency": "EUR"}
    assert shop("payment", "acme", "1", "--free", "--allocate", "I-1=1").code == 2
    assert shop("payment", "acme", "1", "--allocate", "I-1").code == 2
    assert shop("payment", "acme", "2", "--allocate", "I-1=1", "--allocate", "I-1=1").code == 2
    assert shop("payment", "acme", "1", "--allocate", "X-1=1").code == 3
    assert shop("payment", "acme", "1", "--allocate", "I-1=2").code == 4


def test_tasks_are_named_by_id_end_of_id_or_title(shop: Cli) -> None:
    task = shop("task", "add", "Call about tea", "--due", "2024-03-01 15:00", "--json").json
    assert task["due_at"].startswith("2024-03-01T15:00")
    assert shop("task", "postpone", "about TEA", "2024-04-01", "--json").json["due_on"] == (
        "2024-04-01"
    )
    assert shop("add-member", "ivan", "Ivan Franko").code == 0
    end = task["id"].replace("-", "")[-6:]
    assert shop("task", "assign", end, "ivan", "--json").json["assignee"] == "ivan"
    assert shop("task", "complete", task["id"], "--outcome", "done").code == 0
    assert shop("task", "complete", task["id"]).code == 4
    assert shop("task", "cancel", "remind", "--reason", "paid", "--json").json["status"] == (
        "cancelled"
    )
    assert shop("task", "cancel", "remind").code == 3


def test_a_hand_over_moves_clients_and_tasks(shop: Cli) -> None:
    shop("add-member", "ivan", "Ivan Franko")
    said = shop("hand-over", "olena", "ivan", "--reason", "leave")
    assert said.out == "olena handed 1 client and 1 open task over to ivan.\n"
    back = shop("hand-over", "ivan", "olena", "--client", "beta", "--no-tasks", "--json").json
    assert (len(back["clients"]), back["tasks"]) == (1, [])
    unknown = shop("hand-over", "ivan", "petro")
    assert unknown.code == 3
    assert "clientledger add-member" in unknown.err


def test_a_client_takes_every_field(cli: Cli) -> None:
    said = cli(
        *["add-client", "Erika Muster", "--kind", "person", "--phone", "030 901820"],
        *["--email", "e@acme.example", "--contact", '"Weber; Dr.";doctor;;w@acme.example'],
        *["--street", "Ring 1", "--city", "Wien", "--postal-code", "1010", "--country", "AT"],
        *["--vat", "ATU1", "--tag", "b", "--tag", "a", "--note", "x", "--external-id", "a:b:c"],
        "--json",
    )
    client = said.json
    assert client["contacts"][0]["name"] == "Weber; Dr."
    assert client["contacts"][0]["emails"][0]["address"] == "w@acme.example"
    assert client["external_ids"] == {"a": "b:c"}
    assert (client["tags"], client["tax_ids"]) == (["a", "b"], {"VAT": "ATU1"})
    assert cli("card", "a:b:c").code == 0
    assert cli("card", client["id"]).code == 0


def test_common_options_stand_before_or_behind_a_command(shop: Cli) -> None:
    assert shop("--book", "clients.db", "--json", "find", "acme").json["rows"]
    assert shop("--book=clients.db", "task", "add", "x", "--json").json["by"] == "olena"
    assert shop("--actor", "ivan", "task", "add", "y", "--json").json["by"] == "ivan"
    assert shop("--json", "log", "acme", "note", "--", "- dash").json["summary"] == "- dash"


def test_a_path_and_a_url_are_one_book(shop: Cli, tmp_path: Path) -> None:
    for book in ("clients.db", "sqlite:///clients.db", str(tmp_path / "clients.db")):
        assert shop("find", "acme", "--book", book).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["find", "nobody"], 1, "Nobody is found"),
        (["find", "nobody", "--json"], 1, ""),
        (["crad"], 2, "crad"),
        (["card"], 2, "CLIENT"),
        (["card", "acme", "--bok", "x"], 2, "--bok"),
        (["card", "acme", "--as-of", "2024-13-01"], 2, "YYYY-MM-DD"),
        (["card", "acme", "--as-of", "20240101"], 2, "YYYY-MM-DD"),
        (["card", "acme", "--as-of", "1899-01-01"], 2, "1900"),
        (["debtors", "--limit", "-1"], 2, "limit"),
        (["debtors", "--currency", "XXX"], 2, "XXX"),
        (["debtors", "--book", ""], 2, "CLIENTLEDGER_BOOK"),
        (["debtors", "--book", "memory:"], 2, "clients.db"),
        (["debtors", "--book", "nosuch:x"], 2, "nosuch"),
        (["debtors", "--actor", "Олена"], 2, "actor"),
        (["ageing", "--bounds", "30", "0"], 2, "bounds"),
        (["dormant", "--factor", "x"], 2, "factor"),
        (["statement", "acme"], 2, "--currency"),
        (["statement", "acme", "--currency", "EUR", "--since", "2024-03-01", "--until",
          "2024-02-01"], 2, "until"),
        (["sale", "acme"], 2, "--line"),
        (["sale", "acme", "--line", "Tea;1"], 2, "name;quantity;price"),
        (["sale", "acme", "--line", 'Tea;1;"2'], 2, "line"),
        (["sale", "acme", "--amount", "1,000.00 EUR"], 2, "amount"),
        (["payment", "acme", "1.005"], 2, "decimals"),
        (["log", "acme", "call", "x", "--at", "yesterday"], 2, "YYYY-MM-DD HH:MM"),
        (["task", "add", "x", "--due", "soon"], 2, "due"),
        (["add-client", "  "], 2, "name"),
        (["add-client", "x", "--external-id", "17"], 2, "source:id"),
        (["add-client", "x", "--contact", "a;b;c;d;e"], 2, "contact"),
        (["card", "nobody"], 3, "no such client"),
        (["card", " "], 3, "no such client"),
        (["card", "erp:99"], 3, "erp:99"),
        (["card", "01890a5d-ac96-774b-bcce-b302099a8057"], 3, "client"),
        (["add-client", "x", "--manager", "petro"], 3, "add-member"),
        (["add-client", "x", "--external-id", "erp:17"], 4, "external_ids"),
        (["sale", "acme", "--amount", "1", "--number", "I-1"], 4, "number"),
        (["hand-over", "olena", "olena"], 2, "member"),
        (["find", "--book", "."], 5, "book"),
        (["find", "--book", "nofolder/clients.db"], 5, "folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_goes_wrong_has_a_code_and_says_so_shortly(
    shop: Cli, arguments: list[str], code: int, told: str
) -> None:
    said = shop(*arguments)
    assert said.code == code, said
    assert told in said.err
    assert said.out == "" or "--json" in arguments
    assert len(said.err.splitlines()) <= 3
    assert "Traceback" not in said.err


def test_several_matches_are_listed(shop: Cli) -> None:
    shop("add-client", "Acme Foods")
    said = shop("card", "acme")
    assert said.code == 3
    assert "Acme GmbH [erp:17]" in said.err
    assert "Acme Foods [" in said.err
    assert shop("card", "ACME foods").code == 0
    shop("add-client", "Acme")
    assert "Acme ·" in shop("card", "acme").out


def test_a_file_that_is_no_book_is_left_alone(cli: Cli) -> None:
    Path("clients.db").write_text("notes, and more notes\n" * 100, encoding="utf-8")
    before = Path("clients.db").read_bytes()
    assert cli("find").code == 5
    assert cli("add-client", "x").code == 5
    assert Path("clients.db").read_bytes() == before


def test_verify_ends_with_one_where_a_row_disagrees(
    shop: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem(what="Balance", client=None, row="EUR", stored="1", computed="2")
    report = Report(clients=1, entries=1, rows=1, problems=(problem,))
    monkeypatch.setattr("clientledger.Book.verify", lambda book, anchor: report)
    said = shop("verify")
    assert said.code == 1
    assert "stored 1, the facts say 2" in said.out
    assert shop("verify", "--json").json["ok"] is False


def test_verify_repairs_what_is_derived(shop: Cli) -> None:
    assert shop("verify", "--repair").out.startswith("Nothing was written anew.\nAll is in order")
    with closing(sqlite3.connect("clients.db")) as db:
        db.execute("UPDATE balances SET owed = owed + 1 WHERE currency = 'EUR'")
        db.commit()
    assert shop("verify").code == 1
    said = shop("verify", "--repair")
    assert said.code == 0
    assert "derived row of 1 client written anew:\n- Balance EUR: stored owed" in said.out
    assert shop("verify").code == 0
    with closing(sqlite3.connect("clients.db")) as db:
        db.execute("UPDATE balances SET owed = owed + 1 WHERE currency = 'EUR'")
        db.commit()
    told = shop("verify", "--repair", "--json").json
    assert (told["ok"], [row["what"] for row in told["rebuilt"]]) == (True, ["Balance"])


def test_an_anchor_is_printed_and_taken(shop: Cli) -> None:
    said = shop("anchor")
    assert (said.code, said.out) == (4, "")
    assert "clientledger settings --hash-chain" in said.err
    shop("settings", "--hash-chain")
    made = shop("anchor", "--json").json
    assert shop("anchor").out == f"{made['anchor']}\n"
    told = shop("verify", "--anchor", made["anchor"], "--json").json
    assert (told["ok"], told["sealed"], told["unsealed"]) == (True, made["position"], 0)
    shop("add-client", "Later")
    said = shop("verify", "--anchor", made["anchor"])
    assert said.code == 0
    assert "event has no seal yet" in said.out
    other = f"{made['position'] + 9}:{made['digest']}"
    assert shop("verify", "--anchor", other).code == 1
    said = shop("verify", "--anchor", "x")
    assert said.code == 2
    assert "clientledger anchor printed" in said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Busy, 4),
        (CreditLimitExceeded, 4),
        (OutcomeUnknown, 5),
        (PluginError, 5),
        (DeliveryError, 5),
        (ClientLedgerError, 5),
    ],
)
def test_every_error_has_a_code(error: type[ClientLedgerError], code: int) -> None:
    assert code_of(error("x")) == code


def test_an_archived_client_takes_no_sale_and_is_found_by_name(shop: Cli) -> None:
    with open_book("sqlite:///clients.db", actor="olena") as book:
        book.clients.archive(book.clients.find("beta")[0])
    assert shop("sale", "beta", "--amount", "1 EUR").code == 4
    assert "archived" in shop("card", "beta").out
    assert shop("find", "beta").code == 1
    assert shop("find", "beta", "--archived").code == 0


def test_what_the_command_line_wrote_is_what_the_library_reads(shop: Cli) -> None:
    with open_book("sqlite:///clients.db", read_only=True) as book:
        acme = book.clients.find("acme")[0]
        assert book.ledger.account(acme, "EUR").owed == Money("688.00", "EUR")
        assert book.tasks.find(acme)[0].due_on == date(2024, 2, 12)


def test_completion_is_offered_for_each_shell(cli: Cli) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "hand-over" in cli("completion", shell).out


def test_help_and_version_need_no_book(cli: Cli) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", cli("--version").out)
    out = cli("--help").out
    assert "Exit codes" in out
    assert "Usage: clientledger card" in cli("card", "--help").out
    assert cli().code == 0
