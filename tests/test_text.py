"""What text, keys, days, moments and ids may be."""

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientledger import InvalidValue
from clientledger.domain.text import check_key, check_mapping, check_tags, check_text, choose, fold
from clientledger.domain.time import (
    check_day,
    check_id,
    check_moment,
    check_zone,
    day_of,
    start_of,
    uuid7,
)

ZONES = [
    "Pacific/Auckland",
    "America/Los_Angeles",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
]
BAD_ZONES: list[Any] = ["", "../UTC", "/etc/passwd", "Europe/../UTC", "a\\b", "UTC\n", "x" * 65]
BAD_ZONES += [None, 5, "posix", b"UTC"]


def moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Moments of some years, in UTC."""
    begin, end = (date(year, 1, 2).toordinal() for year in (first, last))
    seconds = st.integers(0, (end - begin) * 86400 * 10**6)
    start = datetime(first, 1, 2, tzinfo=UTC)
    return seconds.map(lambda n: start + timedelta(microseconds=n))


BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(st.text(st.characters(), max_size=300), st.booleans(), st.booleans())
def test_text_is_given_back_composed_or_refused(text: str, lines: bool, empty: bool) -> None:
    controls = {c for c in text if unicodedata.category(c) in ("Cc", "Cs")}
    if lines:
        controls -= set("\n\r\t")
    wrong = (
        len(text) > 255
        or len(unicodedata.normalize("NFC", text)) > 255
        or controls
        or set(text) & set(BIDI)
        or (not lines and set(text) & {"\u2028", "\u2029"})
        or (not empty and not text.strip())
    )
    if wrong:
        with pytest.raises(InvalidValue) as caught:
            check_text(text, "name", lines=lines, empty=empty)
        assert caught.value.field == "name"
    else:
        found = check_text(text, "name", lines=lines, empty=empty)
        assert found == unicodedata.normalize("NFC", text)
        assert check_text(found, "name", lines=lines, empty=empty) == found


@given(st.text(max_size=20))
def test_a_key_is_printable_ascii_without_spaces_at_its_ends(text: str) -> None:
    right = bool(text) and all(" " <= c <= "~" for c in text) and text == text.strip(" ")
    if right:
        assert check_key(text, "key") == text
    else:
        with pytest.raises(InvalidValue):
            check_key(text, "key")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Köln", "koln"),
        ("KO\u0308LN", "koln"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ΚΑΦΈΣ", "καφεσ"),
        ("καφές", "καφεσ"),
        ("ｆｕｌｌ", "full"),
        ("ﬁne", "fine"),
        ("  a \t b\u3000c ", "a b c"),
        ("Ё", "е"),
        ("①", "1"),
        ("", ""),
    ],
)
def test_text_is_folded_for_search(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=40))
def test_folding_is_done_once_and_for_all_cases_alike(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_tags_stand_once_each_in_order_of_code_points() -> None:
    assert check_tags(["b", "a", "B", "ä", "a"]) == ("B", "a", "b", "ä")
    assert check_tags(iter(["e\u0301", "\u00e9"])) == ("\u00e9",)


def test_a_mapping_is_sorted_by_its_keys() -> None:
    assert list(check_mapping({"b": "1", "a": "2"}, "x")) == ["a", "b"]


def test_a_word_is_one_of_the_allowed() -> None:
    assert choose("a", "x", ("a", "b")) == "a"
    with pytest.raises(InvalidValue, match="a, b"):
        choose("c", "x", ("a", "b"))


# ------------------------------------------------------------ days and moments
@given(st.dates())
def test_a_day_is_taken_from_1900_to_2999(day: date) -> None:
    if 1900 <= day.year <= 2999:
        assert check_day(day, "on") == day
    else:
        with pytest.raises(InvalidValue):
            check_day(day, "on")


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_a_moment_is_aware_and_comes_back_in_utc(moment: datetime) -> None:
    if moment.tzinfo is None or not 1900 <= moment.year <= 2999:
        with pytest.raises(InvalidValue):
            check_moment(moment, "at")
    else:
        found = check_moment(moment, "at")
        assert found == moment.astimezone(UTC)
        assert found.tzinfo is UTC


@pytest.mark.parametrize("zone", ["Europe/Kyiv", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+5"])
def test_a_zone_is_known_by_its_name(zone: str) -> None:
    assert check_zone(zone).key == zone


@pytest.mark.parametrize("zone", BAD_ZONES)
def test_what_is_no_zone_is_refused(zone: Any) -> None:
    with pytest.raises(InvalidValue):
        check_zone(zone)


@given(moments(1950, 2037), st.sampled_from(ZONES))
def test_a_day_begins_at_or_before_each_of_its_moments(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    day = day_of(moment, zone)
    assert start_of(day, zone) <= moment + timedelta(hours=1)  # midnight may be skipped
    assert moment < start_of(day + timedelta(days=1), zone) + timedelta(hours=1)


# ------------------------------------------------------------ ids
@given(moments(2000, 2999), st.integers(0, 2**74 - 1))
def test_an_id_carries_its_moment(moment: datetime, noise: int) -> None:
    id = uuid7(moment, noise)
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    millis = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert id.int >> 80 == millis
    assert uuid7(moment + timedelta(milliseconds=1), 0) > id


def test_an_id_is_read_in_every_spelling_of_a_uuid() -> None:
    id = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    for told in (id, str(id), str(id).upper(), "{" + str(id) + "}", id.urn, id.hex):
        assert check_id(told, "client") == id


@pytest.mark.parametrize("told", ["", "x", "01890a5d", 5, None, b"x", [], object(), 1.5, True])
def test_what_is_no_id_is_refused(told: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_id(told, "client")
    assert caught.value.field == "client"


def test_a_moment_of_any_offset_is_the_same_moment() -> None:
    east = datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))
    assert check_moment(east, "at") == datetime(2026, 1, 1, tzinfo=UTC)
