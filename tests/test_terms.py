"""Payment terms read as a shopkeeper writes them, and split an amount to the minor unit."""

import decimal
import re
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.books import eur

from clientledger import Currency, InvalidValue, Money
from clientledger.domain.money import MAX_MINOR, ROUNDINGS
from clientledger.domain.terms import PaymentTerms, TermsPart, read_terms

MARCH = date(2026, 3, 10)
LAST = date(2999, 12, 31)
WHOLE = 10**8  # a hundred percent, in the smallest share
CODES = st.sampled_from(["JPY", "EUR", "KWD", "CLF"])
EDGES = [1, 2, 3, 50, 99, 100, 101, 12345, MAX_MINOR - 1, MAX_MINOR]
MINORS = st.one_of(st.sampled_from(EDGES), st.integers(1, MAX_MINOR))
RULES = st.sampled_from(ROUNDINGS)
DAYS = st.dates(date(1900, 1, 1), date(2950, 12, 31))
WORDS = re.findall(
    r"\S+",
    "30 70 100 0 12.5 3650 3651 0.0000001 % percent rest the remainder balance now cash at once on "
    "receipt delivery net in within after days day weeks month months end of next eom + plus , ; "
    "and then due payable paid 2/10 ３０ -5 tomorrow",
)


def part(share: str | None = None, **offset: Any) -> TermsPart:
    return TermsPart(share=None if share is None else Decimal(share), **offset)


def due(terms: str, on: date) -> date:
    """When terms of one part fall due."""
    [(day, _)] = read_terms(terms).schedule(eur("1"), on, "ROUND_HALF_EVEN")
    return day


def plan(terms: str, amount: str, rounding: str = "ROUND_HALF_EVEN") -> list[tuple[str, str]]:
    """What falls due when of an amount of 10 March 2026."""
    found = read_terms(terms).schedule(Money.parse(amount), MARCH, rounding)
    return [(day.isoformat(), str(money.amount)) for day, money in found]


def refusal(value: object) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        read_terms(value, "agreement.terms")
    assert caught.value.field == "agreement.terms"
    assert caught.value.value is value
    assert '"30 % now, rest in 30 days" or "end of month + 10"' in caught.value.remedy
    return caught.value


# ------------------------------------------------------------ what reads
def test_thirty_percent_now_and_the_rest_in_thirty_days() -> None:
    terms = read_terms("30 % now, rest in 30 days")
    assert terms == PaymentTerms(
        "30 % now, rest in 30 days", (part("30", days=0), part(None, days=30))
    )
    assert plan(terms.text, "1000.00 EUR") == [("2026-03-10", "300.00"), ("2026-04-09", "700.00")]


@pytest.mark.parametrize(
    "words",
    [
        "now",
        "at once",
        "Immediately",
        "CASH",
        "on receipt",
        "due on receipt",
        "on delivery",
        "prepaid",
        "payable now",
        "paid at once",
        "due on delivery",
        "rest now",
        "100 % now",
    ],
)
def test_what_is_due_at_once_is_due_on_the_day_itself(words: str) -> None:
    assert due(words, MARCH) == MARCH


@pytest.mark.parametrize(
    ("words", "offset"),
    [
        ("net 30", {"days": 30}),
        ("net30", {"days": 30}),
        ("Net 30 Days", {"days": 30}),
        ("30 days", {"days": 30}),
        ("30days", {"days": 30}),
        ("30 days net", {"days": 30}),
        ("in 30 days", {"days": 30}),
        ("within 30 days", {"days": 30}),
        ("after 30 days", {"days": 30}),
        ("due in 30 days", {"days": 30}),
        ("payable within 30 days", {"days": 30}),
        ("paid after 1 day", {"days": 1}),
        ("in 0 days", {"days": 0}),
        ("in 1 week", {"days": 7}),
        ("in 2 weeks", {"days": 14}),
        ("net 3 weeks", {"days": 21}),
        ("in 1 month", {"months": 1}),
        ("in 3 months", {"months": 3}),
        ("3 months", {"months": 3}),
        ("in 3650 days", {"days": 3650}),
        ("in 120 months", {"months": 120}),
    ],
)
def test_days_weeks_and_months_are_counted_from_the_day(words: str, offset: Any) -> None:
    assert read_terms(words).parts == (part(**offset),)


@pytest.mark.parametrize(
    ("words", "offset"),
    [
        ("end of month", {}),
        ("EOM", {}),
        ("at the end of the month", {}),
        ("due end of month", {}),
        ("end of month + 10", {"days_after": 10}),
        ("end of month+10", {"days_after": 10}),
        ("eom + 10", {"days_after": 10}),
        ("eom +10 days", {"days_after": 10}),
        ("end of month plus 10 days", {"days_after": 10}),
        ("end of month plus 2 weeks", {"days_after": 14}),
        ("10 days after end of month", {"days_after": 10}),
        ("within 10 days after the end of the month", {"days_after": 10}),
        ("due 2 weeks after eom", {"days_after": 14}),
        ("30 days end of month", {"days": 30}),
        ("net 30 eom", {"days": 30}),
        ("net 30 eom + 10", {"days": 30, "days_after": 10}),
        ("net 30 days end of month", {"days": 30}),
        ("30 days end of month + 10", {"days": 30, "days_after": 10}),
        ("2 months end of month", {"months": 2}),
        ("end of next month", {"months": 1}),
        ("at the end of the next month", {"months": 1}),
        ("end of next month + 10", {"months": 1, "days_after": 10}),
        ("10 days after end of next month", {"months": 1, "days_after": 10}),
        ("eom + 3650", {"days_after": 3650}),
    ],
)
def test_the_end_of_a_month_and_days_after_it(words: str, offset: Any) -> None:
    assert read_terms(words).parts == (part(end_of_month=True, **offset),)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("50% now; 50% in 14 days", (part("50"), part("50", days=14))),
        (
            "30 % now, 30 % in 30 days and 40 % in 60 days",
            (part("30"), part("30", days=30), part("40", days=60)),
        ),
        (
            "20 % at once, the rest end of month + 10",
            (part("20"), part(end_of_month=True, days_after=10)),
        ),
        ("12.5 % now then the remainder in 1 month", (part("12.5"), part(months=1))),
        ("30 percent now, and then balance net 30", (part("30"), part(days=30))),
        ("30 per cent now,rest due eom", (part("30"), part(end_of_month=True))),
        ("0.000001 % now; rest in 1 day", (part("0.000001"), part(days=1))),
        ("60 % in 60 days, 40 % now", (part("60", days=60), part("40"))),
    ],
)
def test_several_parts_with_their_shares(words: str, parts: tuple[TermsPart, ...]) -> None:
    assert read_terms(words).parts == parts


@pytest.mark.parametrize(
    "spaced", ["  30 %   now,\n\trest in\u00a030 days ", "30 % now, rest in 30 days"]
)
def test_spaces_of_any_kind_are_one_space_and_the_case_stays_as_told(spaced: str) -> None:
    assert read_terms(spaced.upper()).text == "30 % NOW, REST IN 30 DAYS"
    assert read_terms(spaced).parts == read_terms(spaced.upper()).parts


# ------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "not text"),
        (30, "not text"),
        (b"net 30", "not text"),
        (["net 30"], "not text"),
        (TermsPart(share=None), "not text"),
        ("", "empty"),
        (" \t ", "empty"),
        ("net 30" + " " * 195, "longer than 200 characters"),
        ("net 30\x00", "control character"),
        ("net ３０", "other characters than plain English"),
        ("net ٣٠", "other characters than plain English"),
        ("fällig in 30 Tagen", "other characters than plain English"),
    ],
)
def test_what_is_no_english_text_is_refused(value: object, said: str) -> None:
    assert said in refusal(value).message


@pytest.mark.parametrize(
    "words",
    [
        "tomorrow",
        "30",
        "in 30",
        "days",
        "net",
        "net -5",
        "net 30.5",
        "in half a year",
        "2/10 net 30",
        "end of month + 1 month",
        "1 month after end of month",
        "end of month + end of month",
        "30 days end of next month",
        "in 1 month 5 days",
        "eom 10",
        "30 days after",
        "+ 10",
        "30 %",
        "rest",
        "now 30 %",
        "100 %",
        "-5 % now",
        ".5 % now",
        "5. % now",
        "1e1 % now",
        "net 30.",
        "the net 30",
        "in 30 days from receipt",
        "due",
        "due due now",
        "due 30 % now",
    ],
)
def test_words_that_are_not_understood_are_refused(words: str) -> None:
    assert f"'{words}' is not understood" in refusal(words).message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("60 % now, 50 % in 30 days", "add up to 110, which is not 100"),
        ("60 % now, 50 % in 30 days, rest eom", "add up to 110, which leaves no rest"),
        ("30 % now, 60 % in 30 days", "add up to 90, which is not 100"),
        ("30 % now", "add up to 30, which is not 100"),
        ("33.333333 % now, 33.333333 % eom, 33.333333 % net 30", "add up to 99.999999"),
        ("100 % now, rest in 30 days", "add up to 100, which leaves no rest"),
        ("50 % now, 50 % eom, rest net 30", "add up to 100, which leaves no rest"),
        ("0 % now, rest in 30 days", "not a share"),
        ("101 % now", "not a share"),
        ("0.0000001 % now, rest eom", "not a share"),
        (f"{'9' * 150} % now", "not a share"),
        ("30 % now, rest eom, rest net 30", "two rests"),
        ("rest eom, 30 % now", "the rest does not come last"),
        ("now, in 30 days", "no share, and no rest, is told in 'now'"),
        ("30 % now, in 30 days", "no share, and no rest, is told in 'in 30 days'"),
        ("2 % 10 days, net 30", "no share, and no rest, is told in 'net 30'"),
        ("12,5 % now, rest eom", "no share, and no rest, is told in '12'"),
        ("net 30,", "no share, and no rest, is told in"),
        (",,,", "no share, and no rest, is told in ''"),
    ],
)
def test_shares_that_are_not_clear_are_refused(words: str, said: str) -> None:
    assert said in refusal(words).message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("in 3651 days", "not 0 to 3650 days"),
        ("in 522 weeks", "not 0 to 3650 days"),
        (f"net {'9' * 190}", "not 0 to 3650 days"),
        ("in 121 months", "not 0 to 120 months"),
        ("eom + 3651", "not 0 to 3650 days after"),
        ("522 weeks after end of month", "not 0 to 3650 days after"),
    ],
)
def test_what_lies_too_far_ahead_is_refused(words: str, said: str) -> None:
    assert said in refusal(words).message


def read_or_refuse(text: str) -> None:
    """Read what can be read, and again from its own words; all else is refused as it should."""
    found = read_or_error(text)
    if isinstance(found, PaymentTerms):
        assert read_terms(found.text) == read_terms(found) == found
    else:
        assert (found.field, found.value) == ("terms", text)
        assert found.remedy
        assert str(found).replace("…", "").isascii()


def read_or_error(text: str) -> PaymentTerms | InvalidValue:
    try:
        return read_terms(text)
    except InvalidValue as error:
        return error


@given(st.one_of(st.text(max_size=220), st.from_regex(r"[0-9]{1,3} ?% [a-z +0-9,;]{1,60}\Z")))
@example("9" * 200)
@example("9 " * 100)
@example("% " * 100)
@example("and " * 50)
@example("end of month + " * 13)
@example("30 % in 1 day, " * 13)
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from(["", " ", "  "]))
def test_any_words_of_terms_are_read_or_refused(words: list[str], gap: str) -> None:
    read_or_refuse(gap.join(words))


# ------------------------------------------------------------ terms made by hand
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"share": Decimal(0)}, "share"),
        ({"share": Decimal(-1)}, "share"),
        ({"share": Decimal("100.000001")}, "share"),
        ({"share": Decimal("1E+999999")}, "share"),
        ({"share": Decimal("1E-7")}, "share"),
        ({"share": Decimal("NaN")}, "share"),
        ({"share": Decimal("sNaN")}, "share"),
        ({"share": Decimal("Infinity")}, "share"),
        ({"share": 50}, "share"),
        ({"share": 0.5}, "share"),
        ({"share": "50"}, "share"),
        ({"days": -1}, "days"),
        ({"days": 3651}, "days"),
        ({"days": True}, "days"),
        ({"days": 1.0}, "days"),
        ({"days": None}, "days"),
        ({"months": 121}, "months"),
        ({"end_of_month": 1}, "end_of_month"),
        ({"end_of_month": True, "days_after": 3651}, "days_after"),
        ({"days_after": 1}, "days_after"),
    ],
)
def test_a_part_that_can_never_be_right_is_refused(wrong: Any, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        TermsPart(**{"share": None, **wrong})
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    "parts",
    [
        (),
        [part()],
        None,
        "net 30",
        (30,),
        (part(), part()),
        (part(), part("100")),
        (part("100"), part()),
        (part("50"), part("49.999999")),
        (part("1"),) * 60 + (part(),),
    ],
)
def test_parts_that_do_not_make_terms_are_refused(parts: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        PaymentTerms("as agreed", parts)
    assert caught.value.field == "parts"
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "a\x00b", None, 5])
def test_terms_are_told_in_words(text: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        PaymentTerms(text, (part(),))
    assert caught.value.field == "text"


@pytest.mark.parametrize(
    "terms",
    [
        PaymentTerms("як домовлено", (part("50"), part(days=45, months=1))),
        PaymentTerms("net 30", (part(days=30),)),
        PaymentTerms("NET 30", (part("100", days=30),)),
        PaymentTerms("50 % now, rest net 30", (part("50.0"), part("50", days=30))),
        PaymentTerms("sixty", (part("1"),) * 59 + (part(),)),
    ],
)
def test_terms_made_by_hand_are_taken_as_they_are(terms: PaymentTerms) -> None:
    assert read_terms(terms) is terms


def test_words_that_say_something_else_than_the_parts_are_refused() -> None:
    assert "something else" in refusal(PaymentTerms("net 30", (part(days=60),))).message
    halves = PaymentTerms("50 % now, rest net 30", (part("40"), part(days=30)))
    assert "something else" in refusal(halves).message


# ------------------------------------------------------------ due dates, one by one
@pytest.mark.parametrize(
    ("words", "on", "day"),
    [
        ("in 1 month", date(2026, 1, 31), date(2026, 2, 28)),
        ("in 1 month", date(2024, 1, 31), date(2024, 2, 29)),
        ("in 1 month", date(2026, 1, 28), date(2026, 2, 28)),
        ("in 1 month", date(2026, 2, 28), date(2026, 3, 28)),
        ("in 1 month", date(2026, 3, 31), date(2026, 4, 30)),
        ("in 1 month", date(2026, 12, 31), date(2027, 1, 31)),
        ("in 3 months", date(2026, 11, 30), date(2027, 2, 28)),
        ("in 12 months", date(2024, 2, 29), date(2025, 2, 28)),
        ("in 48 months", date(2024, 2, 29), date(2028, 2, 29)),
        ("in 120 months", date(1900, 12, 31), date(1910, 12, 31)),
        ("in 30 days", date(2026, 1, 31), date(2026, 3, 2)),
        ("in 1 day", date(2024, 2, 28), date(2024, 2, 29)),
        ("in 1 day", date(2026, 2, 28), date(2026, 3, 1)),
        ("in 1 day", date(2026, 12, 31), date(2027, 1, 1)),
        ("end of month", date(2026, 4, 30), date(2026, 4, 30)),
        ("end of month", date(2026, 4, 1), date(2026, 4, 30)),
        ("end of month", date(2024, 2, 1), date(2024, 2, 29)),
        ("end of month", date(1900, 2, 1), date(1900, 2, 28)),
        ("end of month", date(2026, 12, 1), date(2026, 12, 31)),
        ("end of month + 10", date(2026, 12, 31), date(2027, 1, 10)),
        ("end of month + 31", date(2026, 1, 15), date(2026, 3, 3)),
        ("30 days end of month", date(2026, 1, 31), date(2026, 3, 31)),
        ("30 days end of month", date(2026, 1, 1), date(2026, 1, 31)),
        ("net 30 eom", date(2026, 1, 2), date(2026, 2, 28)),
        ("30 days end of month + 10", date(2026, 12, 5), date(2027, 2, 10)),
        ("end of next month", date(2026, 1, 31), date(2026, 2, 28)),
        ("end of next month", date(2026, 12, 5), date(2027, 1, 31)),
        ("end of next month", date(2026, 2, 28), date(2026, 3, 31)),
        ("2 months end of month", date(2023, 12, 31), date(2024, 2, 29)),
        ("now", LAST, LAST),
        ("end of month", date(2999, 12, 1), LAST),
    ],
)
def test_a_due_date_at_the_ends_of_months_and_in_leap_years(
    words: str, on: date, day: date
) -> None:
    assert due(words, on) == day


def test_months_come_before_days_and_both_before_the_end_of_the_month() -> None:
    terms = PaymentTerms("by hand", (part(months=1, days=1, end_of_month=True, days_after=1),))
    # 28 February, 1 March, 31 March, 1 April
    [(day, _)] = terms.schedule(eur("1"), date(2026, 1, 31), "ROUND_UP")
    assert day == date(2026, 4, 1)


@pytest.mark.parametrize(
    "words", ["in 1 day", "in 1 month", "eom + 1", "1 % now, rest in 120 months", "in 3650 days"]
)
def test_a_due_date_beyond_all_days_is_refused(words: str) -> None:
    with pytest.raises(InvalidValue, match="2999") as caught:
        read_terms(words).schedule(eur("1"), LAST, "ROUND_UP")
    assert caught.value.field == "terms"


def test_the_farthest_terms_on_the_last_day_are_refused_as_any_other() -> None:
    far = part(months=120, days=3650, end_of_month=True, days_after=3650)
    with pytest.raises(InvalidValue):
        PaymentTerms("by hand", (far,)).schedule(eur("1"), LAST, "ROUND_UP")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": eur("0")}, "amount"),
        ({"amount": -eur("1")}, "amount"),
        ({"amount": Money.from_minor(MAX_MINOR + 1, "EUR")}, "amount"),
        ({"amount": Decimal(5)}, "amount"),
        ({"amount": None}, "amount"),
        ({"on": "2026-03-10"}, "on"),
        ({"on": datetime(2026, 3, 10)}, "on"),  # noqa: DTZ001 - a moment is no day
        ({"on": date(1899, 12, 31)}, "on"),
        ({"rounding": "ROUND_05UP"}, "rounding"),
        ({"rounding": None}, "rounding"),
    ],
)
def test_only_an_amount_of_a_day_is_split_by_a_known_rule(changes: Any, field: str) -> None:
    given = {"amount": eur("1"), "on": MARCH, "rounding": "ROUND_UP", **changes}
    with pytest.raises(InvalidValue) as caught:
        read_terms("net 30").schedule(**given)
    assert caught.value.field == field


# ------------------------------------------------------------ amounts
THIRDS = "33.333333 % now, 33.333333 % in 30 days, rest in 60 days"


def test_thirds_of_a_cent_are_given_where_the_running_share_passes_a_half() -> None:
    assert [money for _, money in plan(THIRDS, "100.00 EUR")] == ["33.33", "33.34", "33.33"]
    assert [money for _, money in plan(THIRDS, "100 JPY")] == ["33", "34", "33"]


def test_the_rule_decides_who_gets_the_only_cent() -> None:
    halves = "50 % now, 50 % in 30 days"
    assert plan(halves, "0.01 EUR", "ROUND_UP") == [("2026-03-10", "0.01")]
    assert plan(halves, "0.01 EUR", "ROUND_DOWN") == [("2026-04-09", "0.01")]
    assert plan(halves, "0.03 EUR", "ROUND_HALF_EVEN")[0] == ("2026-03-10", "0.02")
    assert plan(halves, "0.03 EUR", "ROUND_HALF_DOWN")[0] == ("2026-03-10", "0.01")


def test_rounding_up_each_part_never_takes_more_than_there_is() -> None:
    terms = "34 % now, 33 % in 1 day, 33 % in 2 days"
    assert plan(terms, "2 JPY", "ROUND_UP") == [("2026-03-10", "1"), ("2026-03-11", "1")]


def test_parts_of_one_day_are_added_together_and_days_stand_in_order() -> None:
    terms = "20 % in 21 days, 30 % in 3 weeks, 10 % end of month, rest now"
    assert plan(terms, "10.00 EUR") == [("2026-03-10", "4.00"), ("2026-03-31", "6.00")]


def tells(shares: list[int], rounding: str, minor: int) -> list[int]:
    """What each share of an amount is, told on whole numbers alone."""
    running = []
    for share in accumulate(shares):
        whole, left = divmod(minor * share, WHOLE)
        up = {
            "ROUND_HALF_EVEN": 2 * left > WHOLE or (2 * left == WHOLE and whole % 2 == 1),
            "ROUND_HALF_UP": 2 * left >= WHOLE,
            "ROUND_HALF_DOWN": 2 * left > WHOLE,
            "ROUND_UP": left > 0,
            "ROUND_CEILING": left > 0,
        }
        running.append(whole + up.get(rounding, False))
    return [after - before for before, after in pairwise([0, *running])]


@st.composite
def shares_of_a_whole(draw: st.DrawFn) -> list[int]:
    """Shares in millionths of a percent that add up to a whole, many of them round."""
    cut = st.one_of(st.integers(1, 99).map(lambda n: n * 10**6), st.integers(1, WHOLE - 1))
    cuts = sorted(draw(st.sets(cut, max_size=draw(st.sampled_from([1, 3, 59])))))
    return [after - before for before, after in pairwise([0, *cuts, WHOLE])]


OFFSETS = st.builds(
    lambda days, months, end, after: {
        "days": days,
        "months": months,
        "end_of_month": end,
        "days_after": after if end else 0,
    },
    st.sampled_from([0, 0, 1, 30, 45, 3650]),
    st.sampled_from([0, 0, 1, 12, 120]),
    st.booleans(),
    st.sampled_from([0, 10, 3650]),
)


@given(CODES, MINORS, RULES, shares_of_a_whole(), st.booleans(), DAYS, st.data())
def test_the_parts_add_up_to_the_amount_whatever_is_split(
    code: str,
    minor: int,
    rounding: str,
    shares: list[int],
    rest: bool,
    on: date,
    data: st.DataObject,
) -> None:
    told = [part(str(Decimal(share).scaleb(-6)), **data.draw(OFFSETS)) for share in shares]
    if rest:
        told[-1] = attrs.evolve(told[-1], share=None)
    amount = Money.from_minor(minor, code)
    schedule = PaymentTerms("by hand", tuple(told)).schedule(amount, on, rounding)
    assert sum(money.minor for _, money in schedule) == minor
    assert all(money.minor > 0 and money.unit == amount.unit for _, money in schedule)
    assert all(one < other for (one, _), (other, _) in pairwise(schedule))
    assert on <= schedule[0][0]
    expected: dict[date, int] = {}
    for one, split in zip(told, tells(shares, rounding, minor), strict=True):
        alone = PaymentTerms("by hand", (attrs.evolve(one, share=None),))
        [(day, _)] = alone.schedule(amount, on, rounding)
        expected[day] = expected.get(day, 0) + split
    assert {day: money.minor for day, money in schedule} == {d: m for d, m in expected.items() if m}


@given(MINORS, RULES, st.integers(1, WHOLE - 1))
def test_a_currency_of_ones_own_is_split_too(minor: int, rounding: str, share: int) -> None:
    amount = Money.from_minor(minor, Currency("GRAM", 8))
    terms = read_terms(f"{Decimal(share).scaleb(-6):f} % now, rest in 1 day")
    schedule = terms.schedule(amount, MARCH, rounding)
    assert sum(money.minor for _, money in schedule) == minor


@given(CODES, MINORS, RULES, st.integers(1, WHOLE - 1))
def test_a_hostile_decimal_context_changes_nothing(
    code: str, minor: int, rounding: str, share: int
) -> None:
    words = f"{Decimal(share).scaleb(-6):f} % now, rest eom + 10"
    amount = Money.from_minor(minor, code)
    terms = read_terms(words)
    schedule = terms.schedule(amount, MARCH, rounding)
    with decimal.localcontext() as context:
        context.prec = 1
        context.rounding = decimal.ROUND_05UP
        context.Emax = context.Emin = 0
        for signal in context.traps:
            context.traps[signal] = True
        assert read_terms(words) == terms
        assert read_terms(terms) is terms
        assert terms.schedule(amount, MARCH, rounding) == schedule
        assert "add up to 99.999999" in refusal("33.333333 % now, 66.666666 % eom").message
