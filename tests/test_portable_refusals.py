"""A file that is not a dump, or not any more, changes nothing, and the error says where it is."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.books import KINDS, day, in_memory, new_book, rows
from tests.dumps import body, compact, dumped, load, sealed

from clientledger import Book, InvalidValue

Lines = list[str]


def small() -> bytes:
    """A dump of two clients with a document of each kind that matters here."""
    book = in_memory()
    book.change_settings(region="DE")
    acme, beta = book.clients.add("Acme", key="k1"), book.clients.add("Beta")
    book.interactions.log(acme, "call", "one")
    book.interactions.log(acme, "call", "two")
    book.agreements.promise(acme, "credit limit", "frame", amount="500 EUR")
    ledger = book.ledger
    parts = [(day(1), "40"), (day(9), "60")]
    ledger.record_sale(acme, "100 EUR", on=day(-9), instalments=parts, number="1")
    ledger.record_sale(acme, [("Beans", 2, "9.90")], currency="EUR", on=day(-8))
    payment = ledger.record_payment(acme, "70 EUR", on=day(-5))
    ledger.release(ledger.state(payment).allocations[0], "15")
    ledger.void(ledger.record_sale(acme, "5 USD", on=day(-3)), reason="a slip")
    ledger.record_sale(beta, "8 EUR", on=day(-3))
    book.tasks.add("first", due=day(1))
    book.tasks.add("second", client=acme)
    return dumped(book)


DATA = small()
LINES = body(DATA)


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with new_book(request.param, tmp_path) as opened:
        yield opened


def refused(book: Book, data: bytes) -> InvalidValue:
    """Load, be refused, and find nothing of it in the book."""
    with pytest.raises(InvalidValue) as caught:
        load(book, data)
    assert not any(rows(book).values())
    assert book.changes(limit=None) == []
    assert caught.value.remedy
    assert caught.value.field is not None
    return caught.value


def where(error: InvalidValue) -> int:
    found = re.fullmatch(r"line (\d+)", error.field or "")
    assert found, error
    return int(found[1])


def lines_of(kind: str) -> list[int]:
    """The numbers of the lines of a kind."""
    start = f'{{"{kind}":'
    return [n for n, line in enumerate(LINES, 1) if line.startswith(start)]


# ------------------------------------------------------------ damage
def test_what_is_damaged_here_is_whole_before(target: Book) -> None:
    assert dumped(load(target, sealed(LINES))) == DATA
    assert all(lines_of(kind) for kind in ("settings", "member", "release", "claim", "event"))


def test_a_file_that_was_cut_off_is_noticed_wherever_it_was(target: Book) -> None:
    ends = [n + 1 for n, byte in enumerate(DATA) if byte == ord("\n")]
    for end in [0, 1, *ends[:-1], *(end - 1 for end in ends), *(end + 9 for end in ends[:-1])]:
        error = refused(target, DATA[:end])
        assert "cut off" in error.message
        assert where(error) == DATA[:end].count(b"\n") + 1
    load(target, DATA)


@given(place=st.integers(0, len(DATA) - 1), byte=st.integers(0, 255))
def test_a_byte_that_is_another_one_is_noticed(place: int, byte: int) -> None:
    data = DATA[:place] + bytes([byte]) + DATA[place + 1 :]
    if data != DATA:
        refused(in_memory(), data)


@given(data=st.data())
def test_lines_that_are_left_out_repeated_or_moved_are_noticed(data: st.DataObject) -> None:
    lines = DATA.splitlines(keepends=True)
    one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    moved = [line for n, line in enumerate(lines) if n != one]
    moved[other:other] = [lines[one]] * data.draw(st.integers(0, 2))
    if moved != lines:
        refused(in_memory(), b"".join(moved))
        # Repeated or moved ones are, even with a last line that fits.
        told = [line.decode().rstrip("\n") for line in moved if not line.startswith(b'{"end"')]
        if told != LINES and len(told) >= len(LINES):
            refused(in_memory(), sealed(told))


@given(data=st.binary(max_size=60))
def test_any_other_file_is_refused(data: bytes) -> None:
    assert where(refused(in_memory(), data)) == 1
    assert where(refused(in_memory(), LINES[0].encode() + b"\n" + data)) == 2


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ('{"end":{"counts":{},"sha256":"0"}}\n', "the digest says"),
        ('{"end":[]}\n', "the digest says"),
        ("\n", "not JSON"),
        ("", "cut off"),
        (DATA.decode().splitlines()[-1] + "\n\n", "has ended"),
        (DATA.decode().splitlines()[-1] + "\n" + LINES[-1] + "\n", "has ended"),
    ],
)
def test_the_last_line_is_the_last_and_fits(target: Book, end: str, said: str) -> None:
    error = refused(target, ("\n".join(LINES) + "\n" + end).encode())
    assert said in error.message
    assert where(error) == len(LINES) + 1 + (said == "has ended")


def test_wrong_counts_are_noticed_where_the_digest_is_right(target: Book) -> None:
    counts = json.loads(DATA.splitlines()[-1])["end"]["counts"]
    for kind in counts:
        error = refused(target, sealed(LINES, counts={**counts, kind: counts[kind] + 1}))
        assert "counts" in error.message
        assert where(error) == len(LINES) + 1


# ------------------------------------------------------------ the first line
@pytest.mark.parametrize(
    ("first", "said"),
    [
        ('{"format":"clientledger book","version":2}', "of another version"),
        ('{"format":"clientledger book","version":0}', "of another version"),
        ('{"format":"clientledger book","version":"1"}', "of another version"),
        ('{"format":"clientledger book","version":true}', "begins"),
        ('{"format":"clientledger book","version":1.0}', "begins"),
        ('{"format":"clientledger book","version":1,"x":1}', "begins"),
        ('{"format": "clientledger book", "version": 1}', "begins"),
        ('{"format":"clientledger","version":1}', "begins"),
        ('{"format":"clientledger book"}', "begins"),
        ("[]", "begins"),
        ("name,phone", "begins"),
        ("\ufeff" + LINES[0], "begins"),
        (LINES[0] + "\r", "begins"),
    ],
)
def test_a_file_of_another_kind_or_version_is_told_so(target: Book, first: str, said: str) -> None:
    error = refused(target, sealed([first, *LINES[1:]]))
    assert where(error) == 1
    assert said in error.message
    if "another version" in said:
        assert "version 1" in error.remedy


# ------------------------------------------------------------ lines that are sealed again
def changed(kind: str, edit: Callable[[dict[str, Any]], object], nth: int = 0) -> Lines:
    """The lines, with what is on one of them changed."""
    number = lines_of(kind)[nth] - 1
    data = json.loads(LINES[number])
    edit(data[kind])
    return [*LINES[:number], compact(data), *LINES[number + 1 :]]


def put(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.update(fields)


def money(amount: str, currency: str = "EUR", digits: int = 2) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "digits": digits}


OTHER = json.loads(LINES[lines_of("client")[1] - 1])["client"]["id"]
ACME = json.loads(LINES[lines_of("client")[0] - 1])["client"]["id"]
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
SALE, SECOND, PAYMENT, _, VOID = (
    json.loads(LINES[n - 1])["entry"]["id"] for n in lines_of("entry")[:5]
)

FIELDS: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    *((kind, put(evil=2)) for kind in ("settings", "member", "client", "entry", "head", "event")),
    *((kind, lambda data: data.pop("id")) for kind in ("client", "task", "release", "event")),
    ("client", put(name=12)),
    ("client", put(archived="false")),
    ("client", put(note=None)),
    ("client", put(note="a\u0000b")),
    ("client", put(note="a\u202eb")),
    ("client", put(kind="robot")),
    ("client", put(attributes={"a\u0007": "b"})),
    ("client", put(created_at="2026-03-02T12:00:00Z")),
    ("client", put(created_at="2026-03-02T13:00:00+01:00")),
    ("client", put(created_at="2026-03-02T12:00:00")),
    ("client", put(id=ACME.upper())),
    ("client", put(id=ACME.replace("-", ""))),
    ("client", put(tags="a")),
    ("interaction", put(direction="up")),
    ("interaction", put(client=OTHER)),
    ("interaction", put(client=UNKNOWN)),
    ("agreement", put(amount={"amount": "500.00", "currency": "EUR"})),
    ("agreement", put(amount=money("500.000"))),
    ("agreement", put(percent=2)),
    ("task", put(status="lost")),
    ("task", put(due_on="20260303")),
    ("settings", put(time_zone="Europe/Atlantis")),
    ("settings", put(rounding="ROUND_05UP")),
    ("settings", put(ageing_bounds=[3, 2])),
    ("settings", put(revision=0)),
    ("settings", put(id=UNKNOWN)),
    ("settings", put(region="Germany")),
    ("claim", put(data={"action": 1})),
    ("entry", put(amount="100 EUR")),
    ("entry", put(amount={"amount": 100, "currency": "EUR", "digits": 2})),
    ("entry", put(amount=money("1e2"))),
    ("entry", put(amount=money("100"))),
    ("entry", put(amount=money("100.00", digits=3))),
    ("entry", put(amount=money("100.000", digits=3))),
    ("entry", put(amount=money("100.00", digits=-1))),
    ("entry", put(amount=money("100.00", "eur"))),
    ("entry", put(amount=money("9" * 60))),
    ("event", put(position=2)),
    ("event", put(position=None)),
    ("event", put(position=0)),
    ("event", put(client=UNKNOWN)),
    ("event", put(data={"a": 10**18})),
]


@pytest.mark.parametrize(("kind", "edit"), FIELDS)
def test_a_field_that_no_dump_writes_is_refused_with_its_line(
    target: Book, kind: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    error = refused(target, sealed(changed(kind, edit)))
    assert where(error) == lines_of(kind)[0]


TEXTS: list[tuple[str, str, str]] = [
    ("entry", '"sequence":1', '"sequence":1.0'),
    ("entry", '"sequence":1', '"sequence":1e0'),
    ("entry", '"sequence":1', '"sequence":NaN'),
    ("entry", '"sequence":1', '"sequence":Infinity'),
    ("entry", '"sequence":1', '"sequence":true'),
    ("entry", '"sequence":1', '"sequence":' + "9" * 5000),
    ("entry", '"sequence":1', '"sequence":-0'),
    ("entry", '"amount":"100.00"', '"amount":100.00'),
    ("entry", '"sequence":1', '"sequence":1,"sequence":1'),
    ("entry", '"method":""', '"method":"\\u0041"'),
    ("entry", '"method":""', '"method":"\\ud800"'),
    ("entry", '"method":""', '"method": ""'),
    ("entry", '"method":"",', ""),
    ("entry", '"lines":[]', '"lines":' + "[" * 100_000 + "]" * 100_000),
    ("event", '"data":{}', '"data":{"a":' + "[" * 5000 + "]" * 5000 + "}"),
    ("event", '"data":{}', '"data":{"a":0.5}'),
    ("client", '{"client":', '{"klient":'),
    ("client", '{"client":', '{"head":'),
    ("client", '{"client":', '{"a":1,"client":'),
    ("client", '{"client":', '[{"client":'),
    ("client", "}}", "}"),
    ("client", "}}", "}}}"),
    ("client", "}}", "}}\r"),
    ("member", "olena", "olen\udcff"),
]


@pytest.mark.parametrize(("kind", "old", "new"), TEXTS)
def test_a_line_that_no_dump_writes_is_refused_with_its_number(
    target: Book, kind: str, old: str, new: str
) -> None:
    number = lines_of(kind)[0]
    lines = list(LINES)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    assert where(refused(target, sealed(lines))) == number


def test_whatever_is_nested_is_taken_or_refused_with_its_line() -> None:
    number = lines_of("event")[0]
    refusals = []
    for depth in (50, 200, 350, 500, 700, *range(900, 1000, 10), 1200):
        lines = list(LINES)
        nested = '"data":{"a":' + "[" * depth + "]" * depth + "}"
        lines[number - 1] = lines[number - 1].replace('"data":{}', nested, 1)
        book = in_memory()
        try:
            load(book, sealed(lines))
        except InvalidValue as error:
            refusals.append(where(error))
        else:
            assert dumped(book) == sealed(lines)
    assert len(refusals) > 5
    assert {*refusals} == {number}


@pytest.mark.parametrize("line", ["5", "null", "true", '"client"', "[]", "[[1]]", "{}", '{"":{}}'])
def test_a_line_that_holds_no_record_is_refused(target: Book, line: str) -> None:
    assert where(refused(target, sealed([LINES[0], line, *LINES[1:]]))) == 2


def test_a_currency_has_the_same_decimals_in_all_of_the_book(target: Book) -> None:
    thousandths = money("8.000", digits=3)

    def edit(data: dict[str, Any]) -> None:
        data["amount"] = data["instalments"][0]["amount"] = thousandths

    error = refused(target, sealed(changed("entry", edit, 5)))
    assert where(error) == lines_of("entry")[5]
    assert error.value == "EUR"
    assert "2 in this book" in error.remedy


def test_the_error_names_an_unknown_field_and_an_unknown_kind(target: Book) -> None:
    error = refused(target, sealed(changed("client", put(evil=2))))
    assert "evil" in str(error)
    error = refused(target, sealed([LINES[0], '{"shop":{}}', *LINES[1:]]))
    assert (where(error), error.value) == (2, "shop")
    assert "client" in error.remedy


# ------------------------------------------------------------ facts that cannot be
def with_line(kind: str, nth: int, *more: str) -> Lines:
    """The lines, with others behind one of them."""
    number = lines_of(kind)[nth]
    return [*LINES[:number], *more, *LINES[number:]]


def like(kind: str, nth: int, **fields: Any) -> str:
    data = json.loads(LINES[lines_of(kind)[nth] - 1])
    data[kind].update(fields)
    return compact(data)


def both(edit: Callable[[dict[str, Any]], object], kind: str, *places: int) -> Lines:
    lines = list(LINES)
    for nth in places:
        number = lines_of(kind)[nth] - 1
        data = json.loads(lines[number])
        edit(data[kind])
        lines[number] = compact(data)
    return lines


FACTS: dict[str, Lines] = {
    "an amount of nothing": changed("entry", put(amount=money("0.00")), 2),
    "an amount below zero": changed("entry", put(amount=money("-70.00")), 2),
    "an amount beyond all": changed("entry", put(amount=money("9" * 15 + ".99")), 2),
    "another amount than the instalments": changed("entry", put(amount=money("99.00"))),
    "another amount than the lines": changed(
        "entry",
        lambda data: (
            data["instalments"][0].update(amount=money("9.80")) or data.update(amount=money("9.80"))
        ),
        1,
    ),
    "instalments that are numbered from 2": changed(
        "entry",
        lambda data: [part.update(number=part["number"] + 1) for part in data["instalments"]],
    ),
    "an instalment of another document": changed(
        "entry", lambda data: data["instalments"][0].update(entry=SECOND)
    ),
    "a payment in instalments": changed(
        "entry",
        put(
            instalments=[
                {"amount": money("70.00"), "due": "2026-03-03", "entry": PAYMENT, "number": 1}
            ]
        ),
        2,
    ),
    "a gap in the sequence": changed("entry", put(sequence=9), 4),
    "a place in the sequence taken twice": changed("entry", put(sequence=1), 1),
    "a head that counts less": changed("head", put(sequence=4)),
    "a head before its documents": changed("head", put(recorded_at="2026-03-01T12:00:00+00:00")),
    "a head of another client": changed("head", put(client=OTHER)),
    "a head that is archived": changed("head", put(archived=True)),
    "a head of other rules": changed("head", put(edition=7)),
    "a moment that goes back": changed("entry", put(recorded_at="2026-03-01T12:00:00+00:00"), 3),
    "a kind that nobody knows": changed("entry", put(kind="gift"), 2),
    "a payment that is a debit": changed("entry", put(side="debit"), 2),
    "a date before all dates": changed("entry", put(on="1899-12-31")),
    "an entry of another client": changed("entry", put(client=OTHER), 2),
    "a void of nothing": changed("entry", put(undoes=None), 4),
    "a void of what is not there": changed("entry", put(undoes=UNKNOWN), 4),
    "a void of itself": changed("entry", put(undoes=VOID), 4),
    "a void of another amount": changed("entry", put(amount=money("4.00", "USD")), 4),
    "a void before its document": changed("entry", put(on="2026-02-20"), 4),
    "a payment that undoes": changed("entry", put(undoes=SECOND), 2),
    "a credit note for a sale elsewhere": changed("entry", put(sale=UNKNOWN), 2),
    "a correction of what is not there": changed("entry", put(replaces=UNKNOWN), 2),
    "an allocation above the instalment": changed("allocation", put(amount=money("41.00"))),
    "an allocation of nothing": changed("allocation", put(amount=money("0.00"))),
    "an allocation in another currency": changed("allocation", put(amount=money("40.00", "USD"))),
    "an allocation of a debit": changed("allocation", put(credit=SECOND)),
    "an allocation to a credit": changed("allocation", put(debit=PAYMENT)),
    "an allocation by a void": changed("allocation", put(credit=VOID)),
    "an allocation to an instalment that is not there": changed("allocation", put(instalment=3)),
    "an allocation to what is not there": changed("allocation", put(debit=UNKNOWN)),
    "an allocation before its documents": changed("allocation", put(on="2026-02-20")),
    "an allocation that is told twice what it holds": changed(
        "allocation", put(live=money("40.00"))
    ),
    "a release above the allocation": changed("release", put(amount=money("40.01"))),
    "a release in another currency": changed("release", put(amount=money("1.00", "USD"))),
    "a release before the allocation": changed("release", put(on="2026-02-20")),
    "a release of what is not there": changed("release", put(allocation=UNKNOWN)),
    "a release of another sale": changed("release", put(debit=SALE)),
}


@pytest.mark.parametrize("lines", FACTS.values(), ids=FACTS)
def test_facts_that_no_command_records_are_refused(target: Book, lines: Lines) -> None:
    assert lines != LINES
    error = refused(target, sealed(lines))
    assert where(error) in range(lines_of("client")[0], lines_of("head")[0] + 1)


def test_the_error_is_on_the_line_of_the_fact_that_is_to_blame(target: Book) -> None:
    for kind, nth, edit in (
        ("entry", 0, put(amount=money("99.00"))),
        ("entry", 4, put(undoes=UNKNOWN)),
        ("allocation", 0, put(on="2026-02-20")),
        ("release", 0, put(amount=money("40.01"))),
        ("head", 0, put(sequence=4)),
    ):
        error = refused(target, sealed(changed(kind, edit, nth)))
        wanted = lines_of("allocation")[0] if kind == "release" else lines_of(kind)[nth]
        assert where(error) == wanted, error


ORDERS: dict[str, Lines] = {
    "a document twice": with_line("entry", 0, LINES[lines_of("entry")[0] - 1]),
    "an id twice": with_line("entry", 4, like("entry", 4, on="2026-03-04", sequence=6)),
    "an id twice in two clients": both(
        lambda data: data.update(id=SALE, instalments=[{**data["instalments"][0], "entry": SALE}]),
        "entry",
        5,
    ),
    "an event twice": with_line("event", -1, LINES[-1]),
    "an event twice, in another place": with_line(
        "event", -1, like("event", -1, position=len(lines_of("event")) + 1)
    ),
    "a task twice": with_line("task", -1, LINES[lines_of("task")[-1] - 1]),
    "a task twice, due later": with_line("task", 0, like("task", 0, due_on="2026-03-05")),
    "a claim twice": with_line("claim", 0, LINES[lines_of("claim")[0] - 1]),
    "a claim that two hold": with_line("claim", 0, like("claim", 0, subject="x")),
    "a member twice": with_line("member", 0, LINES[lines_of("member")[0] - 1]),
    "settings twice": with_line("settings", 0, like("settings", 0, revision=2)),
    "a head twice": with_line("head", 0, LINES[lines_of("head")[0] - 1]),
    "no head": [line for n, line in enumerate(LINES, 1) if n != lines_of("head")[0]],
    "no last head": [line for n, line in enumerate(LINES, 1) if n != lines_of("head")[-1]],
    "nothing behind a client": LINES[: lines_of("client")[-1]],
    "no client": [line for n, line in enumerate(LINES, 1) if n != lines_of("client")[0]],
    "an interaction behind the agreements": with_line(
        "agreement", 0, like("interaction", 0, id=UNKNOWN)
    ),
    "an entry among the tasks": with_line("task", 0, LINES[lines_of("entry")[0] - 1]),
    "a client behind the tasks": with_line(
        "task", 1, like("client", 1, id=f"f{OTHER[1:]}"), like("head", 1, client=f"f{OTHER[1:]}")
    ),
    "a member behind the clients": with_line("head", 1, like("member", 0, id="petro")),
    "settings behind the members": with_line("member", 0, LINES[lines_of("settings")[0] - 1]),
    "the first line twice": [LINES[0], *LINES],
    "interactions the other way round": [
        *LINES[: lines_of("interaction")[0] - 1],
        LINES[lines_of("interaction")[1] - 1],
        LINES[lines_of("interaction")[0] - 1],
        *LINES[lines_of("interaction")[1] :],
    ],
}


@pytest.mark.parametrize("lines", ORDERS.values(), ids=ORDERS)
def test_lines_that_are_not_where_a_dump_has_them_are_refused(target: Book, lines: Lines) -> None:
    where(refused(target, sealed(lines)))


SEAL = {"digest": "a" * 64, "personal": "b" * 64, "position": 1, "salt": None}


@pytest.mark.parametrize(
    "seals",
    [
        [{**SEAL, "position": 0}],
        [{**SEAL, "position": len(lines_of("event")) + 1}],
        [SEAL, {**SEAL, "position": 2}],
        [SEAL, SEAL],
        [{**SEAL, "evil": 1}],
    ],
)
def test_a_seal_of_no_event_or_out_of_order_is_refused(
    target: Book, seals: list[dict[str, Any]]
) -> None:
    error = refused(target, sealed([*LINES, *(compact({"seal": seal}) for seal in seals)]))
    assert where(error) == len(LINES) + len(seals)


def test_after_a_refusal_the_right_file_is_loaded(target: Book) -> None:
    refused(target, sealed(FACTS["a release above the allocation"]))
    assert dumped(load(target, DATA)) == DATA
    assert target.verify().ok
    with pytest.raises(InvalidValue):
        in_memory().load(io.BytesIO(b""))
