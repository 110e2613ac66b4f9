"""The ledger on the command line: each command, what it refuses, and what a figure is made of."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientledger import open_book
from clientledger.cli import main


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
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> Cli:
    """Give the command, working on a file that is not there yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("CLIENTLEDGER_BOOK", "clients.db")
    monkeypatch.setenv("CLIENTLEDGER_ACTOR", "olena")

    def run(*arguments: str) -> Said:
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return Said(code, out.decode("utf-8", "surrogateescape"), err.decode())

    return run


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a book of two clients: one owes 130.00 EUR and has 25.00 USD, one owes nothing."""
    book = tmp_path_factory.mktemp("ledger") / "clients.db"
    for arguments in (
        ["settings", "--currency", "EUR"],
        ["add-client", "Acme [bold] GmbH", "--external-id", "erp:17"],
        ["add-client", "Beta & Sons"],
        ["sale", "acme", "--line", "Beans;10;9.90", "--on", "2024-01-10", "--number", "I-1"],
        ["payment", "acme", "60.00", "--on", "2024-01-20", "--number", "17", "--method", "cheque"],
        ["sale", "acme", "--amount", "91.00", "--on", "2024-02-01", "--due", "2024-03-01",
         "--number", "I-2", "--external-id", "erp:S2"],
        ["payment", "acme", "25 USD", "--on", "2024-02-02", "--number", "P-2"],
    ):  # fmt: skip
        assert main([*arguments, "--book", str(book), "--actor", "olena"]) == 0
    return book


@pytest.fixture
def shop(cli: Cli, template: Path) -> Cli:
    """Give the command on a copy of that book."""
    for file in template.parent.iterdir():
        shutil.copy(file, ".")
    return cli


def amounts(account: Any) -> dict[str, str]:
    return {name: told["amount"] for name, told in account.items()}


LEDGER: list[tuple[list[str], str]] = [
    (
        ["sale", "acme", "--amount", "90", "--on", "2024-01-31", "--number", "I-3",
         "--terms", "30 % now, rest in 1 month"],
        """
        Sale I-3 of 2024-01-31: 90.00 EUR, in 2 instalments. Acme [bold] GmbH.
          due 2024-01-31: 27.00 EUR
          due 2024-02-29: 63.00 EUR
          now owes 220.00 EUR (220.00 EUR of it overdue)
        """,
    ),
    (
        ["sale", "acme", "--amount", "9", "--on", "2024-01-31", "--number", "I-3",
         "--instalment", "2024-02-29=6", "--instalment", "2024-02-01=3.00 EUR"],
        """
        Sale I-3 of 2024-01-31: 9.00 EUR, in 2 instalments. Acme [bold] GmbH.
          due 2024-02-01: 3.00 EUR
          due 2024-02-29: 6.00 EUR
          now owes 139.00 EUR (139.00 EUR of it overdue)
        """,
    ),
    (
        ["credit-note", "acme", "--line", "Beans;2;9.90", "--sale", "I-1", "--reason", "2 kg back",
         "--number", "17", "--on", "2024-01-25"],
        """
        Credit note 17 of 2024-01-25: 19.80 EUR. Acme [bold] GmbH.
          settles sale I-1: 19.80 EUR
          now owes 110.20 EUR (110.20 EUR of it overdue)
        """,
    ),
    (
        ["credit-note", "acme", "--amount", "20", "--reason", "x", "--allocate", "I-1=5",
         "--allocate", "erp:S2=15", "--number", "C-1", "--on", "2024-02-03"],
        """
        Credit note C-1 of 2024-02-03: 20.00 EUR. Acme [bold] GmbH.
          settles sale I-1: 5.00 EUR
          settles sale I-2: 15.00 EUR
          now owes 110.00 EUR (110.00 EUR of it overdue)
        """,
    ),
    (
        ["credit-note", "acme", "--amount", "20", "--reason", "x", "--sale", "I-1", "--free",
         "--on", "2024-02-03"],
        """
        Credit note of 2024-02-03: 20.00 EUR. Acme [bold] GmbH.
          now owes 130.00 EUR (130.00 EUR of it overdue), and has 20.00 EUR prepaid
          document id ID
        """,
    ),
    (
        ["refund", "acme", "10 USD", "--on", "2024-02-05", "--number", "R-1", "--method", "cash"],
        """
        Refund R-1 of 2024-02-05: 10.00 USD. Acme [bold] GmbH.
          out of payment P-2: 10.00 USD
          now owes nothing in USD, and has 15.00 USD prepaid
        """,
    ),
    (
        ["refund", "acme", "10 USD", "--on", "2024-02-05", "--number", "R-1",
         "--allocate", "payment/P-2=10"],
        """
        Refund R-1 of 2024-02-05: 10.00 USD. Acme [bold] GmbH.
          out of payment P-2: 10.00 USD
          now owes nothing in USD, and has 15.00 USD prepaid
        """,
    ),
    (
        ["write-off", "acme", "40", "--reason", "too small", "--on", "2024-03-05"],
        """
        Write-off of 2024-03-05: 40.00 EUR. Acme [bold] GmbH.
          writes off sale I-1: 39.00 EUR
          writes off sale I-2: 1.00 EUR
          now owes 90.00 EUR (90.00 EUR of it overdue)
          document id ID
        """,
    ),
    (
        ["opening-balance", "beta", "500.00", "--on", "2023-12-31", "--due", "2024-01-15"],
        """
        Opening balance of 2023-12-31: 500.00 EUR, due 2024-01-15. Beta & Sons.
          now owes 500.00 EUR (500.00 EUR of it overdue)
          document id ID
        """,
    ),
    (
        ["exchange", "P-2", "20", "18.40 EUR", "--reason", "at 0.92", "--on", "2024-02-03"],
        """
        Exchange of 2024-02-03: 18.40 EUR. Acme [bold] GmbH.
          for 20.00 USD of payment P-2
          now owes nothing in USD, and has 5.00 USD prepaid
          now owes 130.00 EUR (130.00 EUR of it overdue), and has 18.40 EUR prepaid
          document id ID
        """,
    ),
    (
        ["release", "17", "I-1", "20", "--on", "2024-02-06"],
        """
        Released: payment 17 settles 40.00 EUR of sale I-1. Acme [bold] GmbH.
          now owes 150.00 EUR (150.00 EUR of it overdue), and has 20.00 EUR prepaid
        """,
    ),
    (
        ["release", "17", "I-1"],
        """
        Released: payment 17 settles nothing of sale I-1. Acme [bold] GmbH.
          now owes 190.00 EUR (190.00 EUR of it overdue), and has 60.00 EUR prepaid
        """,
    ),
    (
        ["void", "17", "--reason", "the cheque bounced", "--on", "2024-02-07"],
        """
        Void of 2024-02-07: payment 17 of 2024-01-20, 60.00 EUR. Acme [bold] GmbH.
          sale I-1 is open again: 99.00 EUR
          now owes 190.00 EUR (190.00 EUR of it overdue)
        """,
    ),
    (
        ["void", "I-1", "--reason", "twice"],
        """
        Void of TODAY: sale I-1 of 2024-01-10, 99.00 EUR. Acme [bold] GmbH.
          payment 17 is free again: 60.00 EUR
          now owes 91.00 EUR (91.00 EUR of it overdue), and has 60.00 EUR prepaid
        """,
    ),
    (
        ["correct", "I-2", "--amount", "80", "--due", "2024-03-31", "--number", "I-4",
         "--reason", "the price was wrong"],
        """
        Sale I-4 of 2024-02-01: 80.00 EUR, due 2024-03-31. Acme [bold] GmbH.
          in place of sale I-2 of 2024-02-01, 91.00 EUR
          now owes 119.00 EUR (119.00 EUR of it overdue)
        """,
    ),
    (
        ["correct", "17", "--amount", "70", "--method", "bank", "--reason", "a typing error"],
        """
        Payment 17 of 2024-01-20: 70.00 EUR. Acme [bold] GmbH.
          settles sale I-1: 70.00 EUR
          in place of payment 17 of 2024-01-20, 60.00 EUR
          now owes 120.00 EUR (120.00 EUR of it overdue)
        """,
    ),
    (
        ["correct", "17", "--allocate", "I-2=60", "--reason", "mistaken", "--on", "2024-02-10"],
        """
        Payment 17 of 2024-02-10: 60.00 EUR. Acme [bold] GmbH.
          settles sale I-2: 60.00 EUR
          in place of payment 17 of 2024-01-20, 60.00 EUR
          now owes 130.00 EUR (130.00 EUR of it overdue)
        """,
    ),
    (
        ["correct", "I-1", "--line", "Beans;9;9.90", "--reason", "one less"],
        """
        Sale I-1 of 2024-01-10: 89.10 EUR. Acme [bold] GmbH.
          settled by payment 17: 60.00 EUR
          in place of sale I-1 of 2024-01-10, 99.00 EUR
          now owes 120.10 EUR (120.10 EUR of it overdue)
        """,
    ),
    (
        ["correct", "I-2", "--terms", "end of month", "--reason", "as agreed"],
        """
        Sale I-2 of 2024-02-01: 91.00 EUR, due 2024-02-29. Acme [bold] GmbH.
          in place of sale I-2 of 2024-02-01, 91.00 EUR
          now owes 130.00 EUR (130.00 EUR of it overdue)
        """,
    ),
    (
        ["close-period", "2024-01-31", "--reason", "audited"],
        """
        The books are closed through 2024-01-31.
        """,
    ),
    (
        ["promise", "acme", "discount", "5 % from 100 kg", "--percent", "5", "--sku", "B1",
         "--from", "2024-01-01", "--until", "2024-12-31"],
        """
        Agreed with Acme [bold] GmbH: discount, 5 % from 100 kg (B1), from 2024-01-01
        until 2024-12-31. Agreement id SHORT.
        """,
    ),
]  # fmt: skip


def even(text: str) -> str:
    """The text without what differs from run to run."""
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    text = re.sub(r"(?<=Agreement id )[0-9a-f]{6}", "SHORT", text)
    text = re.sub(r"(?<=Void of )20(?!24)\d\d-\d\d-\d\d", "TODAY", text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("command", "told"), LEDGER, ids=lambda it: " ".join(it) if isinstance(it, list) else ""
)
def test_a_command_says_what_it_recorded_and_what_is_owed_now(
    shop: Cli, command: list[str], told: str
) -> None:
    said = shop(*command)
    assert (said.code, said.err) == (0, "")
    assert even(said.out) == even(told)
    assert shop("verify").code == 0


@pytest.mark.parametrize(
    ("command", "told"), LEDGER, ids=lambda it: " ".join(it) if isinstance(it, list) else ""
)
def test_a_command_gives_its_document_and_the_account_as_json(
    shop: Cli, command: list[str], told: str
) -> None:
    data = shop(*command, "--json").json
    owes = re.search(r"now owes (?:nothing in )?([\d.]*) ?([A-Z]{3})[^\n]*\n(?!.*now owes)", told)
    assert isinstance(data, dict)
    if owes:
        account = data["account"]
        assert account["owed"] == {"amount": owes[1] or "0.00", "currency": owes[2]}
        assert {"prepaid", "overdue", "balance"} < set(account)
        assert "allocations" in data or data["kind"]


def test_amounts_go_by_hand_to_a_document_or_an_instalment(shop: Cli) -> None:
    shop("sale", "beta", "--amount", "90", "--on", "2024-02-01", "--number", "B-1", "--terms",
         "30 % now, rest in 1 month")  # fmt: skip
    shop("payment", "beta", "50", "--on", "2024-02-02", "--number", "B-1", "--free")
    said = shop("allocate", "B-1", "B-1", "20", "--instalment", "2", "--on", "2024-02-03")
    assert said.out == (
        "Payment B-1 settles sale B-1: 20.00 EUR from 2024-02-03 on. Beta & Sons.\n"
        "  now owes 70.00 EUR (70.00 EUR of it overdue), and has 30.00 EUR prepaid\n"
    )
    (link,) = shop("allocate", "B-1", "B-1", "5", "--json").json["allocations"]
    assert (link["instalment"], link["live"]["amount"]) == (1, "5.00")
    assert shop("release", "B-1", "B-1", "1", "--instalment", "2").code == 0
    open_ = shop("explain", "beta", "--document", "sale/B-1", "--json").json["rows"]
    assert [row["amount"]["amount"] for row in open_] == ["22.00", "44.00"]
    assert shop("allocate", "B-1", "B-1", "5", "--instalment", "3").code == 2
    assert shop("release", "B-1", "B-1", "25").code == 4


def test_an_exchange_is_undone_in_both_currencies(shop: Cli) -> None:
    made = shop("exchange", "P-2", "20", "18.40 EUR", "--on", "2024-02-03", "--json").json
    assert (made["amount"]["amount"], made["given"]["amount"]["amount"]) == ("18.40", "20.00")
    assert amounts(made["given"]["account"])["prepaid"] == "5.00"
    said = shop("void", made["id"], "--reason", "the rate was wrong", "--on", "2024-02-04")
    assert "and with it exchange of 2024-02-03, 20.00 USD" in said.out
    assert "has 25.00 USD prepaid" in said.out
    other = shop("exchange", "P-2", "5", "4.60 EUR", "--json").json
    assert shop("correct", other["id"], "--amount", "1", "--reason", "x").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["-50.00 EUR", "--on", "2023-12-31"],
        ["--on", "2023-12-31", "--", "-50.00 EUR"],
        ["50.00 EUR", "--prepaid", "--on", "2023-12-31"],
        ["-50", "--on", "2023-12-31"],
    ],
    ids=" ".join,
)
def test_an_opening_balance_may_be_prepaid(shop: Cli, words: list[str]) -> None:
    said = shop("opening-balance", "beta", *words)
    assert said.out.startswith("Opening balance of 2023-12-31: 50.00 EUR, prepaid. Beta & Sons.\n")
    assert "has 50.00 EUR prepaid" in said.out


def test_a_document_is_named_by_id_external_id_number_or_kind_and_number(shop: Cli) -> None:
    rows = shop("statement", "acme", "--currency", "EUR", "--json").json["rows"]
    ids = {row["entry"]["number"]: row["entry"]["id"] for row in rows}
    shop("credit-note", "acme", "--amount", "1", "--reason", "x", "--number", "17", "--sale", "I-2")
    shop("sale", "beta", "--amount", "1", "--number", "erp:S2")
    several = shop("void", "17", "--reason", "x")
    assert several.code == 3
    assert "payment 17 of Acme [bold] GmbH [payment/17]" in several.err
    assert "credit note 17 of Acme [bold] GmbH [credit-note/17]" in several.err
    both = shop("void", "erp:S2", "--reason", "x")
    assert (both.code, "sale erp:S2 of Beta & Sons" in both.err) == (3, True)
    assert shop("void", "credit note/17", "--reason", "x").code == 0
    assert shop("void", "17", "--reason", "x").code == 0
    assert shop("void", ids["I-1"], "--reason", "x").code == 0
    for gone in ("17", "payment/17", "I-1", "i-2", "refund/I-2", "", "erp:none"):
        said = shop("void", gone, "--reason", "x")
        assert (said.code, "no live document" in said.err) == (3, True), gone
    assert shop("void", ids["I-1"], "--reason", "x").code == 4


def test_numbers_that_each_client_counts_apart_are_told_apart(cli: Cli) -> None:
    cli("add-client", "Acme")
    cli("add-client", "Beta")
    with open_book("sqlite:///clients.db", actor="olena") as book:
        book.change_settings(number_scope="client", currency="EUR")
    for client in ("acme", "beta"):
        assert cli("sale", client, "--amount", "5", "--number", "1").code == 0
    said = cli("void", "1", "--reason", "x")
    assert said.code == 3
    found = re.findall(r"sale 1 of (\w+) \[([0-9a-f-]{36})\]", said.err)
    assert {name for name, _ in found} == {"Acme", "Beta"}
    assert cli("payment", "beta", "2", "--allocate", "1=2").code == 0
    id = dict(found)["Acme"]
    assert cli("payment", "beta", "2", "--allocate", f"{id}=2").code == 3
    assert cli("void", id, "--reason", "x").code == 0


@pytest.mark.parametrize(
    "command",
    [
        ["void", "17", "--reason", "bounced", "--on", "2024-02-07"],
        ["correct", "I-2", "--amount", "80", "--reason", "a typing error"],
        ["correct", "erp:S2", "--number", "I-9", "--reason", "a typing error"],
        ["release", "17", "I-1"],
        ["exchange", "P-2", "20", "18.40 EUR", "--on", "2024-02-03"],
        ["write-off", "acme", "5", "--reason", "x"],
        ["close-period", "2024-01-31"],
    ],
    ids=" ".join,
)
def test_a_key_records_a_command_once(shop: Cli, command: list[str]) -> None:
    first, again = shop(*command, "--key", "k"), shop(*command, "--key", "k")
    assert (first.code, again) == (0, first)
    assert shop("void", "I-1", "--reason", "x", "--key", "k").code == 4


def test_a_closed_period_takes_nothing_until_it_is_opened(shop: Cli) -> None:
    assert shop("close-period", "2024-02-29", "--json").json["closed_through"] == "2024-02-29"
    refused = shop("payment", "acme", "5", "--on", "2024-02-29")
    assert refused.code == 4
    assert "clientledger reopen-period" in refused.err
    assert shop("void", "17", "--reason", "x", "--on", "2024-02-01").code == 4
    assert shop("close-period", "2024-02-29").code == 2
    said = shop("reopen-period", "2024-02-15", "--reason", "a late invoice")
    assert said.out == "The books are closed through 2024-02-14.\n"
    assert shop("payment", "acme", "5", "--on", "2024-02-29").code == 0
    assert shop("reopen-period", "2024-02-15", "--reason", "x").code == 2
    last = shop("reopen-period", "1900-01-01", "--reason", "x")
    assert last.out == "The books are open on every day.\n"


def test_what_was_promised_takes_effect_on_sales(shop: Cli) -> None:
    shop("promise", "acme", "credit limit", "up to 200", "--amount", "200", "--from", "2024-02-01")
    shop("promise", "acme", "payment terms", "net 30", "--terms", "net 30", "--from", "2024-02-01")
    sale = ["sale", "acme", "--amount", "100", "--on", "2024-02-10"]
    refused = shop(*sale)
    assert refused.code == 4
    assert "200.00 EUR was agreed" in refused.err
    assert shop("what-if", "acme", "--sale", "100", "--on", "2024-02-10").code == 4
    shop("settings", "--credit-limit", "warn")
    said = shop(*sale)
    assert "100.00 EUR, due 2024-03-11." in said.out
    assert "\n  above the credit limit of 200.00 EUR\n" in said.out
    gone = shop("withdraw", "acme", "credit limit", "--reason", "paid well", "--key", "w")
    assert re.match(r"Withdrawn on \S+: credit limit, up to 200 \(200.00 EUR\)\. Acme", gone.out)
    assert shop("withdraw", "acme", "credit limit", "--reason", "paid well", "--key", "w") == gone
    assert "above" not in shop("sale", "acme", "--amount", "100").out
    assert shop("withdraw", "acme", "credit limit", "--reason", "x").code == 4
    assert shop("withdraw", "acme", "discount", "--reason", "x").code == 3


def test_an_agreement_is_named_by_id_kind_or_words(shop: Cli) -> None:
    promise = ["promise", "acme", "discount"]
    assert shop(*promise, "5 % on beans", "--percent", "5").code == 0
    made = shop(*promise, "3 % on tea", "--percent", "3", "--json").json
    several = shop("withdraw", "acme", "discount", "--reason", "x")
    assert several.code == 3
    assert "5 % on beans [" in several.err
    assert shop("withdraw", "acme", "on BEANS", "--reason", "x").code == 0
    end = made["id"].replace("-", "")[-6:]
    assert shop("withdraw", "acme", end, "--reason", "x", "--json").json["text"] == "3 % on tea"
    assert shop("withdraw", "acme", made["id"], "--reason", "x").code == 4


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["sale", "acme", "--amount", "5", "--terms", "soon"], 2, "terms"),
        (["sale", "acme", "--amount", "5", "--terms", "net 5", "--due", "2024-01-01"], 2, "terms"),
        (["sale", "acme", "--amount", "5", "--instalment", "2024-01-01"], 2, "=100.00"),
        (["sale", "acme", "--amount", "5", "--instalment", "soon=5"], 2, "YYYY-MM-DD"),
        (["sale", "acme", "--amount", "5", "--instalment", "2099-01-01=4"], 2, "add up"),
        (["credit-note", "acme", "--amount", "5"], 2, "reason"),
        (["credit-note", "acme", "--reason", "x"], 2, "--line"),
        (["credit-note", "acme", "--amount", "5", "--reason", " "], 2, "reason"),
        (["credit-note", "acme", "--amount", "5", "--reason", "x", "--sale", "I-7"], 3, "I-7"),
        (["credit-note", "acme", "--amount", "5", "--reason", "x", "--sale", "17"], 4, "sale"),
        (["credit-note", "beta", "--amount", "5", "--reason", "x", "--sale", "I-1"], 3, "I-1"),
        (["credit-note", "acme", "--amount", "5", "--reason", "x", "--free", "--allocate",
          "I-1=5"], 2, "free"),
        (["refund", "acme", "5 EUR"], 4, "only 0.00 EUR"),
        (["refund", "acme", "5 USD", "--allocate", "I-1=5"], 4, "a debit"),
        (["refund", "acme", "5 USD", "--allocate", "P-2"], 2, "INV-17=100.00"),
        (["write-off", "acme", "500", "--reason", "x"], 4, "130.00 EUR"),
        (["write-off", "acme", "5"], 2, "reason"),
        (["opening-balance", "acme", "5"], 2, "--on"),
        (["opening-balance", "acme", "--on", "2024-01-01"], 2, "AMOUNT"),
        (["opening-balance", "acme", "-5", "--prepaid", "--on", "2024-01-01"], 2, "--prepaid"),
        (["opening-balance", "acme", "--5", "--on", "2024-01-01"], 2, "amount"),
        (["allocate", "P-2", "I-1", "5"], 4, "USD"),
        (["allocate", "I-1", "17", "5"], 4, "credit"),
        (["allocate", "17", "I-1", "5"], 4, "open"),
        (["release", "P-2", "I-1"], 4, "amount"),
        (["exchange", "P-2", "5", "5 USD"], 2, "into"),
        (["exchange", "P-2", "500", "5 EUR"], 4, "25.00 USD"),
        (["exchange", "I-1", "5", "5 USD"], 4, "credit"),
        (["void", "17"], 2, "reason"),
        (["void", "17", "--reason", "x", "--on", "2024-01-01"], 2, "2024-01-20"),
        (["correct", "17", "--reason", "x"], 2, "nothing is told"),
        (["correct", "17", "--reason", "x", "--line", "a;1;2"], 2, "--amount"),
        (["correct", "17", "--reason", "x", "--due", "2024-02-02"], 2, "due"),
        (["correct", "I-1", "--reason", "x", "--line", "a;1;2", "--amount", "2"], 2, "--line"),
        (["correct", "17", "--reason", "x", "--number", "P-2"], 4, "number"),
        (["close-period", "soon"], 2, "YYYY-MM-DD"),
        (["reopen-period", "2024-01-01", "--reason", "x"], 2, "nothing is closed"),
        (["promise", "acme", "credit limit", "x"], 2, "amount"),
        (["promise", "acme", "payment terms", "x"], 2, "terms"),
        (["promise", "acme", "price", "x", "--from", "2024-02-01", "--until", "2024-01-01"], 2,
         "until"),
        (["explain", "acme"], 2, "--currency"),
        (["explain", "acme", "--currency", "EUR", "--bucket", "soon"], 2, "31-60"),
        (["explain", "acme", "--bucket", "1-30", "--document", "I-1"], 2, "one of them"),
        (["explain", "beta", "--document", "I-1"], 3, "I-1"),
        (["what-if", "acme"], 2, "--payment"),
        (["what-if", "beta", "--void", "I-1"], 3, "I-1"),
        (["what-if", "acme", "--write-off", "500"], 4, "130.00 EUR"),
        (["settings", "--credit-limit", "never"], 2, "credit-limit"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)  # fmt: skip
def test_what_the_ledger_refuses_has_a_code_and_says_so_shortly(
    shop: Cli, arguments: list[str], code: int, told: str
) -> None:
    before = shop("timeline", "acme", "--json").out
    said = shop(*arguments)
    assert (said.code, said.out) == (code, ""), said
    assert told in said.err
    assert len(said.err.splitlines()) <= 3
    assert "book." not in said.err
    assert shop("timeline", "acme", "--json").out == before


@pytest.mark.parametrize(
    "command",
    [
        ["credit-note", "acme", "--amount", "5", "--reason", "x"],
        ["void", "17", "--reason", "x"],
        ["close-period", "2024-01-31"],
        ["promise", "acme", "price", "x"],
        ["explain", "acme"],
        ["what-if", "acme", "--sale", "5"],
    ],
    ids=" ".join,
)
def test_a_mistyped_book_is_not_made(cli: Cli, command: list[str]) -> None:
    assert cli(*command).code == 5
    assert not Path("clients.db").exists()


def test_settings_know_our_own_name_and_what_a_limit_does(shop: Cli) -> None:
    out = shop("settings", "--company", "Rösterei [Nord]", "--credit-limit", "warn").out
    assert "company: Rösterei [Nord]\n" in out
    assert "credit_limit: warn\n" in out
    assert "closed_through: none\n" in out


GROUPS = {
    "Begin": ["backup", "completion", "demo", "doctor", "dump", "import", "load", "restore",
              "settings", "upgrade"],
    "Read": ["ageing", "agenda", "anchor", "best", "card", "debtors", "dormant", "explain", "find",
             "statement", "timeline", "verify", "what-if"],
    "Ledger": ["allocate", "close-period", "correct", "credit-note", "exchange", "opening-balance",
               "payment", "refund", "release", "reopen-period", "sale", "void", "write-off"],
    "Clients and work": ["add-client", "add-member", "hand-over", "log", "promise", "task",
                         "withdraw"],
}  # fmt: skip


def test_help_shows_the_commands_in_groups(cli: Cli) -> None:
    found: dict[str, list[str]] = {}
    for line in cli("--help").out.splitlines():
        if head := re.match(r"╭─ ([^─]+) ─", line):
            found[head[1]] = []
        elif command := re.match(r"│ ([a-z][a-z-]+)  ", line):
            list(found.values())[-1].append(command[1])
    del found["Commands"]
    assert found == GROUPS
    assert list(found) == list(GROUPS)


@pytest.mark.parametrize(
    "command", [*GROUPS["Ledger"], "explain", "what-if", "promise", "withdraw"]
)
def test_every_command_explains_each_of_its_words(cli: Cli, command: str) -> None:
    out = cli(command, "--help").out
    assert f"Usage: clientledger {command}" in out
    assert max(map(len, out.splitlines())) <= 80
    for word in re.findall(r"^│ [* ]* *(--[a-z-]+|[A-Z]{3,})\s", out, re.MULTILINE):
        assert re.search(rf"{word}[^\n]*? [A-Za-z\"'-]\S* \S+", out), word
