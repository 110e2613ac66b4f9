"""The replayer itself: our own cases pass, and it notices whatever is wrong in a case."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.replay import CaseError, Verdict, replay
from tests.replay.command import main, read_file
from tests.replay.events import HANDLERS, run_one
from tests.replay.fields import is_number, read_number, spelled
from tests.replay.play import Event, Play
from tests.replay.words import EVENTS, FIGURES, KEYS, event_of, expected_of, lacking, refusals_of

import clientledger
from clientledger import (
    Book,
    ClientArchived,
    ClientLedgerError,
    CreditLimitExceeded,
    Duplicate,
    InvalidValue,
    NotFound,
    NotLinked,
    NumberTaken,
    OverAllocated,
    PeriodClosed,
    Problem,
    Report,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tests" / "cases").glob("*.json"))
LISTED = [told for file in FILES for told in read_file(file)]
OWN: dict[str, dict[str, Any]] = {told["id"]: told for told in LISTED}

# Expectations of these cases have no counterpart on purpose.
UNCOMPARED = {"refusal-of-an-unknown-name"}
LEFT_OUT = {"sale-of-nothing-is-left-out"}


# ------------------------------------------------------------ our own cases
@pytest.mark.parametrize("id", OWN)
def test_our_own_case_passes(id: str) -> None:
    verdict = replay(OWN[id])
    assert verdict.passed, "\n".join([verdict.line(), *verdict.details()])
    assert bool(verdict.uncompared) == (id in UNCOMPARED)
    assert bool(verdict.left_out) == (id in LEFT_OUT)


def test_our_own_cases_are_many_and_each_says_how_its_figures_come_about() -> None:
    assert len(LISTED) == len(OWN) >= 60
    assert all(len(told["notes"]) > 20 for told in LISTED)


def test_every_event_and_expectation_that_is_understood_stands_in_a_case() -> None:
    events = {event_of(event["type"]) for told in LISTED for event in told["events"]}
    assert events >= set(HANDLERS) - {"pass"}
    named = {expected_of(name) for told in LISTED for name in told["expect"]}
    assert named >= {*KEYS, *FIGURES} - {"outstanding", "silent"}


# ------------------------------------------------------------ whatever is spoilt is noticed
def amounts_in(told: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of the amounts in an expectation."""
    if isinstance(told, dict | list):
        for key, value in told.items() if isinstance(told, dict) else enumerate(told):
            yield from amounts_in(value, (*path, key))
    elif is_number(read_number(told)) and not {"min_days", "max_days"} & set(path):
        yield path


def spoilt(told: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The case with another amount in one place."""
    other = copy.deepcopy(told)
    place = other["expect"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = str(read_number(place[path[-1]]) + Decimal("0.5"))
    return other


@pytest.mark.parametrize("id", OWN)
def test_another_amount_in_any_place_of_an_expectation_fails(id: str) -> None:
    for path in amounts_in(OWN[id]["expect"]):
        verdict = replay(spoilt(OWN[id], path))
        if id == "what-only-the-peer-refuses":
            assert not verdict.passed
        else:
            assert verdict.failed, (path, verdict.line())


@pytest.mark.parametrize("id", [id for id, told in OWN.items() if "error" in told["expect"]])
def test_a_refusal_of_another_kind_fails(id: str) -> None:
    other = copy.deepcopy(OWN[id])
    wrong = "over_allocation" if "limit" in str(other["expect"]["error"]) else "credit_limit"
    other["expect"]["error"] = wrong
    verdict = replay(other)
    assert verdict.failed
    assert f"error: {wrong}" in verdict.line()


@pytest.mark.parametrize(
    "id", [id for id, told in OWN.items() if any(e.get("rejected") for e in told["events"])]
)
def test_a_refused_event_that_is_not_marked_fails(id: str) -> None:
    other = copy.deepcopy(OWN[id])
    for event in other["events"]:
        event.pop("rejected", None)
    other["expect"].pop("error", None)
    other["expect"].pop("errors", None)
    assert not replay(other).passed


def test_what_is_open_and_not_expected_fails() -> None:
    verdict = replay(one_sale(expect={"open_items": {}}))
    assert verdict.failed
    assert verdict.differences == ("open_items.S1: nothing expected, 10.00 EUR found",)


def test_a_currency_that_is_not_expected_fails() -> None:
    told = one_sale(expect={"balance": {"C1": {"USD": "0.00"}}})
    assert replay(told).differences == ("balance.C1.EUR: nothing expected, 10.00 found",)


def test_an_accepted_event_that_is_marked_refused_fails() -> None:
    verdict = replay(one_sale(rejected=True))
    assert verdict.failed
    assert "S1 (sale) was accepted, though the case wants it refused" in verdict.line()


def test_a_refusal_that_changes_the_book_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(play: Play, event: Event) -> None:
        run_one(play, event)
        if event.rejected:
            raise InvalidValue("too late")

    monkeypatch.setattr("tests.replay.case.run_one", half)
    verdict = replay(one_sale(rejected=True))
    assert verdict.failed
    assert "was refused, and yet changed documents, what has become of them" in verdict.line()


def test_an_exception_that_is_none_of_the_library_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, *told: object, **named: object) -> None:
        raise ZeroDivisionError("in the library")

    broken.__code__ = broken.__code__.replace(co_filename=clientledger.__file__)
    monkeypatch.setattr("clientledger.services.ledger.Ledger.record_sale", broken)
    verdict = replay(one_sale())
    assert verdict.failed
    assert "broke with ZeroDivisionError: in the library" in verdict.line()


def test_a_book_that_does_not_verify_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(what="balance", client=None, row="C1 in EUR", stored="10.00", computed="9.00")
    report = Report(clients=1, entries=1, rows=1, problems=(problem,))
    monkeypatch.setattr(Book, "verify", lambda book: report)
    verdict = replay(one_sale())
    assert verdict.failed
    said = "the book does not verify: balance C1 in EUR: stored 10.00, the facts say 9.00"
    assert verdict.differences == (said,)


def one_sale(**changes: Any) -> dict[str, Any]:
    """A case of one sale, with changes of the event or of the case."""
    event = {"type": "sale", "ref": "S1", "client": "C1", "date": "2024-03-01", "amount": "10.00"}
    told = {
        "id": "one-sale",
        "as_of": "2024-03-01",
        "currency": "EUR",
        "events": [event],
        "expect": {"open_items": {"S1": "10.00"}},
    }
    for name, value in changes.items():
        (told if name in ("expect", "events", "requires", "peer_specific") else event)[name] = value
    return told


# ------------------------------------------------------------ what does not apply
def test_an_unknown_event_does_not_apply_and_is_named() -> None:
    verdict = replay(one_sale(type="subscription", requires=["subscriptions"]))
    assert verdict.line() == (
        "one-sale: not applicable: no such event as subscription (requires subscriptions)"
    )


def test_a_difference_of_a_peer_specific_case_does_not_apply() -> None:
    verdict = replay(one_sale(expect={"open_items": {"S1": "11.00"}}, peer_specific=True))
    assert verdict.line() == (
        "one-sale: not applicable: peer-specific, differs: open_items.S1: 11 expected, 10 found"
    )


def test_a_difference_where_a_feature_is_lacking_names_it() -> None:
    wrong = {"open_items": {"S1": "11.00"}}
    verdict = replay(one_sale(expect=wrong, requires=["interest", "sales"]))
    assert verdict.line() == (
        "one-sale: not applicable: requires interest; differs: open_items.S1: 11 expected, 10 found"
    )
    assert replay(one_sale(requires=["interest"])).passed
    assert replay(one_sale(expect=wrong, requires=["sales"])).failed


def test_a_draft_is_left_out_and_named() -> None:
    told = one_sale(expect={"open_items": {"S2": "5.00"}})
    draft = {**told["events"][0], "status": "draft"}
    other = {**told["events"][0], "ref": "S2", "amount": "5.00"}
    verdict = replay({**told, "events": [draft, other]})
    assert verdict.line() == "one-sale: passed [left out: S1 (sale): a draft]"
    assert replay({**told, "events": [draft]}).failed


def test_an_expectation_without_a_counterpart_is_named() -> None:
    expect = {"open_items": {"S1": "10.00"}, "mood": "good", "status": {"S1": "draft"}}
    assert replay(one_sale(expect=expect)).line() == (
        "one-sale: passed [not compared: mood, status.S1=draft]"
    )
    assert replay(one_sale(expect={"mood": "good"})).line() == (
        "one-sale: not applicable: nothing that it expects can be compared [not compared: mood]"
    )


def test_a_way_of_counting_credits_that_is_unknown_is_not_compared() -> None:
    aging = {"basis": "due_date", "credits": "by_moon", "total": "1.00", "buckets": []}
    verdict = replay(one_sale(expect={"open_items": {"S1": "10.00"}, "aging": aging}))
    assert verdict.passed
    assert [one.split(" (")[0] for one in verdict.uncompared] == ["aging"]


# ------------------------------------------------------------ the command
def written(folder: Path, *cases: Any) -> str:
    file = folder / "cases.json"
    file.write_text(json.dumps(list(cases)), encoding="utf-8")
    return str(file)


def test_a_line_a_case_and_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {**one_sale(expect={"open_items": {"S1": "9.00"}}), "id": "wrong"}
    strange = {**one_sale(type="dividend"), "id": "strange"}
    assert main([written(tmp_path, one_sale(), wrong, strange)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "one-sale: passed",
        "wrong: failed: open_items.S1: 9 expected, 10 found",
        "strange: not applicable: no such event as dividend",
        "3 cases: 1 passed, 1 failed, 1 not applicable",
    ]
    assert main([written(tmp_path, one_sale(), strange)]) == 0


def test_verbose_shows_each_difference_and_how_it_was_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = copy.deepcopy(OWN["refund-of-an-allocated-payment"])
    told["expect"]["open_items"] = dict.fromkeys(("S1", "S2", "S3", "S4", "S5"), "1.00")
    assert main([written(tmp_path, told), "--verbose"]) == 1
    out = capsys.readouterr().out
    assert "; and 2 more" in out.splitlines()[0]
    assert out.count("  differs: open_items.S") == 5
    assert "  note: 20.00 of P1 was taken back from S1 first" in out


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.replay", written(tmp_path, one_sale())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "one-sale: passed\n1 case: 1 passed, 0 failed, 0 not applicable\n"


def test_another_store_has_a_book_a_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("clientledger_sqlalchemy")
    file = written(tmp_path, OWN["bounced-payment"], OWN["closed-period"])
    assert main([file, "--url", f"sqlite:///{(tmp_path / 'book.db').as_posix()}"]) == 0
    assert main([file, "--url", f"sqlite:///{(tmp_path / 'own-{}.sqlite').as_posix()}"]) == 0
    made = {one.name for one in tmp_path.iterdir() if one.suffix in (".db", ".sqlite")}
    assert made == {"book-1.db", "book-2.db", "own-1.sqlite", "own-2.sqlite"}
    assert main([file, "--url", "sqlite:///folder/book"]) == 2
    assert "put {} where each case's number is to be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('"a"', "not a list of cases"),
        ("[1]", "case 1 is not an object"),
        ('[{"id": "a"}]', "a has no list of events"),
        ('[{"id": "a", "events": [1]}]', "a has no list of events"),
        ('[{"id": "a", "events": [{"ref": "S1"}]}]', "a has an event without a type"),
    ],
)
def test_a_malformed_file_is_told_and_ends_with_two(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.json"
    file.write_text(text, encoding="utf-8")
    assert main([str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert str(file) in told.err


def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"cases": [one_sale()]}),
        json.dumps(one_sale()),
        f"{json.dumps(one_sale())}\n{json.dumps(one_sale())}\n",
    ],
)
def test_a_file_may_hold_cases_in_other_ways(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(text, encoding="utf-8")
    assert {told["id"] for told in read_file(file)} == {"one-sale"}


def test_amounts_never_go_through_floats(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    text = json.dumps([one_sale(expect={"open_items": {"S1": 0}})])
    file.write_text(text.replace('"10.00"', "1000000000000.01").replace(": 0}", ": 1e12}"))
    [told] = read_file(file)
    assert told["events"][0]["amount"] == Decimal("1000000000000.01")
    [difference] = replay(told).differences
    assert difference == "open_items.S1: 1000000000000 expected, 1000000000000.01 found"


def test_the_case_in_the_readme_passes() -> None:
    text = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    [told] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert replay(json.loads(told, parse_float=Decimal)).line() == "prepayment: passed"
    rows = re.findall(r"^\| ([a-z_, ]+) \|", text, re.MULTILINE)
    listed = {event_of(name.strip()) for row in rows for name in row.split(",")}
    assert listed >= set(HANDLERS) - {"pass"}


def test_a_case_of_another_shape_is_refused() -> None:
    with pytest.raises(CaseError, match="case 1 is not an object"):
        replay([1])


# ------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("told", "event"),
    [
        ("Sales Invoice", "sale"),
        ("salesInvoice", "sale"),
        ("debit-note", "sale"),
        ("Payment Entry", "payment"),
        ("record_payment", "payment"),
        ("customer_deposit", "payment"),
        ("creditNote", "credit note"),
        ("refund_payment", "refund"),
        ("invoice_write_off", "write-off"),
        ("payment_void", "void"),
        ("delete_invoice", "void"),
        ("payment_allocation", "allocate"),
        ("unapply_credit_note", "release"),
        ("currency_exchange", "exchange"),
        ("update_payment", "correct"),
        ("lock_period", "close period"),
        ("create_customer", "client"),
        ("dividend", None),
    ],
)
def test_events_by_the_names_of_others(told: str, event: str | None) -> None:
    assert event_of(told) == event


def test_no_name_means_two_events() -> None:
    names = [name for known in EVENTS.values() for name in known.split()]
    assert len(names) == len(set(names))
    assert names == [spelled(name) for name in names]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("negative_amount", InvalidValue),
        ("zero_amount", InvalidValue),
        ("instalments_mismatch", InvalidValue),
        ("unknown_currency", InvalidValue),
        ("lines_mismatch", InvalidValue),
        ("invalid_currency", WrongCurrency),
        ("account_closed", ClientArchived),
        ("void_before_document", InvalidValue),
        ("overAllocation", OverAllocated),
        ("payment exceeds open amount", OverAllocated),
        ("invoice-already-paid", OverAllocated),
        ("over_refund", OverAllocated),
        ("client_mismatch", WrongClient),
        ("different_customer", WrongClient),
        ("currency_mismatch", WrongCurrency),
        ("wrong_direction", WrongDirection),
        ("period_locked", PeriodClosed),
        ("date_in_closed_period", PeriodClosed),
        ("duplicate_number", Duplicate),
        ("number_taken", Duplicate),
        ("already_voided", Voided),
        ("exceeds_credit_limit", CreditLimitExceeded),
        ("customer_credit_limit", CreditLimitExceeded),
        ("not_found", NotFound),
        ("unknown_client", NotFound),
        ("customer_disabled", ClientArchived),
        ("not_linked", NotLinked),
    ],
)
def test_errors_by_the_names_of_others(name: str, meant: type[ClientLedgerError]) -> None:
    assert meant in refusals_of(name)


def test_an_error_is_as_exact_as_its_name() -> None:
    assert refusals_of("duplicate_number") == (Duplicate,)
    assert issubclass(NumberTaken, Duplicate)
    assert all(refusals_of(name) == () for name in ("E4711", "amount_too_high", "invalid_refund"))


def test_features_that_the_ledger_lacks() -> None:
    has = [
        "credit_note",
        "payment_against_invoice",
        "instalments",
        "multi_currency",
        "closed_periods",
        "idempotency",
    ]
    assert lacking([*has, "interest", "fx_gain_loss", "teleport"]) == [
        "interest",
        "fx_gain_loss",
        "teleport",
    ]


def test_a_verdict_is_one_line() -> None:
    verdict = Verdict("a", "failed", differences=("one\ntwo", "three"))
    assert verdict.line() == "a: failed: one two; three"
