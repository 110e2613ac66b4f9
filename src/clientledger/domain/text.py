"""What text may be: rules for names, notes and keys, and the folded form that search uses."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from clientledger.errors import InvalidValue

__all__ = [
    "LONG",
    "SHORT",
    "check_external_id",
    "check_flag",
    "check_key",
    "check_mapping",
    "check_several",
    "check_tags",
    "check_text",
    "choose",
    "fold",
]

SHORT = 255
"""The most code points of a name, number, label or other one-line text."""

LONG = 100_000
"""The most code points of a note, body or other long text."""

# Overrides and isolates reorder what a reader sees: a name must not pass for another one.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")


def check_text(
    value: object,
    field: str,
    *,
    most: int = SHORT,
    empty: bool = True,
    lines: bool = False,
    hidden: bool = True,
) -> str:
    """Return the text in Unicode's composed form (NFC), or refuse it.

    Args:
        value: the text as given.
        field: the name of the argument, for the message.
        most: the most code points it may have.
        empty: whether nothing (or only spaces) is allowed.
        lines: whether it may have line ends and tabs.
        hidden: whether it may have characters that cannot be seen, such as zero-width joiners:
            names need them, numbers and ids that people compare by eye may not have them.

    Raises:
        InvalidValue: not text, empty, too long, control or bidirectional override characters,
            or a lone surrogate.
    """
    if not isinstance(value, str):
        raise InvalidValue("not text", field=field, value=value, remedy="give a str")
    said = _wrong_length(value, most) or _wrong_character(value, lines, hidden)
    if said:
        remedy = "shorten it" if said.startswith("longer") else "take it out"
        raise InvalidValue(said, field=field, value=value, remedy=remedy)
    if not empty and not value.strip():
        raise InvalidValue("empty", field=field, value=value, remedy="give some text")
    composed = unicodedata.normalize("NFC", value)
    said = _wrong_length(composed, most)  # a few characters have a composed form that is longer
    if said:
        raise InvalidValue(said, field=field, value=value, remedy="shorten it")
    return composed


def _wrong_length(value: str, most: int) -> str:
    return f"longer than {most} characters" if len(value) > most else ""


def _wrong_character(value: str, lines: bool, hidden: bool) -> str:
    for character in value:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and not (lines and character in "\n\r\t")):
            return "holds a control character or a lone surrogate"
        if character in _BIDI or (character in "\u2028\u2029" and not lines):
            return "holds a character that reorders or breaks the line"
        if category == "Cf" and not hidden:
            return "holds a character that cannot be seen"
    return ""


def check_flag(value: object, field: str) -> bool:
    """Return True or False as given; nothing else passes for one of them."""
    if isinstance(value, bool):
        return value
    raise InvalidValue("not True or False", field=field, value=value, remedy="give a bool")


def check_several(values: object, field: str) -> tuple[object, ...]:
    """Return the values of something that can be gone through, but is no text or mapping."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidValue("not a list", field=field, value=values, remedy="give a list or a tuple")
    return tuple(values)


def check_external_id(value: object, field: str = "external_id") -> tuple[str, str]:
    """Return an id of the host's: a pair of source and id."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InvalidValue(
            "not an external id", field=field, value=value, remedy='give ("source", "id")'
        )
    source, id = (check_text(part, field, empty=False, hidden=False) for part in value)
    return source, id


def check_key(value: object, field: str) -> str:
    """Return a machine's key as given: 1 to 255 printable ASCII, no space at the ends."""
    if not isinstance(value, str) or not _KEY.match(value):
        raise InvalidValue(
            "not a key",
            field=field,
            value=value,
            remedy="1 to 255 printable ASCII characters, no space at the ends",
        )
    return value


def check_mapping(value: object, field: str, *, most: int = 200) -> dict[str, str]:
    """Return a plain mapping of short text to text, sorted by its keys."""
    if not isinstance(value, Mapping) or len(value) > most:
        raise InvalidValue(
            "not a mapping of text to text",
            field=field,
            value=value,
            remedy=f"a dict of at most {most}",
        )
    pairs = {
        check_text(key, field, empty=False): check_text(
            text, f"{field}[{key}]", most=LONG, lines=True
        )
        for key, text in value.items()
    }
    return dict(sorted(pairs.items()))


def check_tags(values: object, field: str = "tags") -> tuple[str, ...]:
    """Return tags once each, sorted by code point."""
    told = check_several(values, field)
    return tuple(sorted({check_text(tag, field, empty=False) for tag in told}))


def choose(value: object, field: str, allowed: Iterable[str]) -> str:
    """Return the value if it is one of the allowed words."""
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        raise InvalidValue(
            "not one of the allowed", field=field, value=value, remedy=", ".join(words)
        )
    return value


def fold(text: str) -> str:
    """Fold text for search: compatibility form, without case and accents.

    NFKD, marks dropped, casefold, NFKC, and runs of spaces made one: ``"Köln"`` is found by
    ``"KOLN"``. İ folds to i, ß to ss, ς to σ.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return " ".join(unicodedata.normalize("NFKC", bare.casefold()).split())
