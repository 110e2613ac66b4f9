"""A dump: a whole book as lines of JSON, the same bytes for the same book on every store.

The first line says what the file is. Then comes a line for each record, ``{"client": {...}}``, in
the order of `KINDS`; what belongs to a client stands between its own line and that of its head.
The last line counts the others and has their digest, so that a file that was cut off or altered is
noticed. What is computed (balances, open items, the timeline) is not in it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs

from clientledger import codec
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import Allocation, Entry, Release
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.mappings import mapping_field
from clientledger.domain.money import Currency
from clientledger.domain.posting import Claim, Head
from clientledger.domain.seals import Seal
from clientledger.domain.settings import Settings
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.errors import InvalidValue, LedgerError
from clientledger.ports import (
    AgreementQuery,
    AllocationQuery,
    ClaimQuery,
    EntryQuery,
    EventQuery,
    HeadQuery,
    InteractionQuery,
    MemberQuery,
    Query,
    ReleaseQuery,
    SealQuery,
    TaskQuery,
)

__all__ = [
    "CLIENTS",
    "END",
    "KINDS",
    "LONGEST",
    "ORDERS",
    "Dump",
    "Line",
    "Tally",
    "check_end",
    "check_header",
    "end_line",
    "header_line",
    "line_of",
    "read_line",
]

KINDS: Mapping[str, type[Any]] = {
    "settings": Settings,
    "member": Member,
    "client": Client,
    "interaction": Interaction,
    "agreement": Agreement,
    "entry": Entry,
    "allocation": Allocation,
    "release": Release,
    "head": Head,
    "task": Task,
    "claim": Claim,
    "event": Event,
    "seal": Seal,
}
"""What a line can hold, in the order of the lines."""

CLIENTS = ("interaction", "agreement", "entry", "allocation", "release")
"""What stands between a client's own line and that of its head."""

END = "end"
"""What the last line holds."""

ORDERS: Mapping[str, type[Query[Any]]] = {
    "member": MemberQuery,
    "interaction": InteractionQuery,
    "agreement": AgreementQuery,
    "entry": EntryQuery,
    "allocation": AllocationQuery,
    "release": ReleaseQuery,
    "head": HeadQuery,
    "task": TaskQuery,
    "claim": ClaimQuery,
    "event": EventQuery,
    "seal": SealQuery,
}
"""By which query the lines of a kind, those of one client among themselves, are in order."""

LONGEST = 2**30
"""More bytes than any line has."""

_FORMAT = "clientledger book"
_VERSION = 1
_AMOUNTS = ("amount", "discount", "tax", "total")
_MOST_DIGITS = 18
_WRITTEN = "give a file that book.dump has written"
_UNCHANGED = "give the file as it was written, whole and unchanged"


@attrs.frozen(kw_only=True)
class Dump:
    """A whole book in a file: what is in it.

    Attributes:
        counts: how many lines there are of each kind of record.
        sha256: the digest of all lines but the last, hexadecimal. Two books with one digest are
            the same book.
    """

    counts: Mapping[str, int] = mapping_field()
    sha256: str


class Tally:
    """Counts lines and digests them, as they are written or read."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._counts: Counter[str] = Counter()

    def add(self, text: str, kind: str | None = None) -> None:
        """Take a line; the first one is of no kind."""
        self._digest.update(f"{text}\n".encode())
        if kind is not None:
            self._counts[kind] += 1

    def count(self, kind: str) -> int:
        """How many lines of a kind have been taken."""
        return self._counts[kind]

    @property
    def dump(self) -> Dump:
        """What has been taken so far."""
        counts = {kind: self._counts[kind] for kind in KINDS}
        return Dump(counts=counts, sha256=self._digest.hexdigest())


# ------------------------------------------------------------ written
def header_line() -> str:
    """The first line."""
    return codec.canonical({"format": _FORMAT, "version": _VERSION})


def line_of(kind: str, value: Any) -> str:
    """The line of a value, written in the one way in which it is."""
    return codec.canonical({kind: _plain(value)})


def end_line(made: Dump) -> str:
    """The last line."""
    return codec.canonical({END: codec.dump(made)})


def _plain(value: Any) -> Any:
    """A value as plain data that needs nothing beside it to be understood."""
    data = codec.dump(value)
    match value:
        case Entry():
            for part in (data, *data["lines"], *data["instalments"]):
                _add_digits(part, value.amount.unit)
        case Allocation():
            del data["live"]  # a figure: releases and voids say what of it holds
            _add_digits(data, value.amount.unit)
        case Release() | Agreement() if value.amount is not None:
            _add_digits(data, value.amount.unit)
    return data


def _add_digits(part: dict[str, Any], unit: Currency) -> None:
    """Say the decimals of each amount: what is on ISO's list today may be off it tomorrow."""
    for name in _AMOUNTS:
        if part.get(name) is not None:
            part[name] = {**part[name], "digits": unit.digits}


# ------------------------------------------------------------ read
@attrs.frozen
class Line:
    """A line as it was read: the kind of what is on it, and that as plain data."""

    number: int
    text: str
    kind: str
    data: Any

    def wrong(self, said: str, value: object = None, remedy: str = _UNCHANGED) -> InvalidValue:
        """The error that is about this line."""
        return _wrong(self.number, said, value, remedy)

    def because(self, error: InvalidValue | LedgerError) -> InvalidValue:
        """The error that is about this line, since what is on it was refused."""
        named = error.field not in (None, self.kind, KINDS[self.kind].__name__)
        said = f"{error.field}: {error.message}" if named else error.message
        return self.wrong(f"{self.kind}: {said}", error.value, error.remedy or _UNCHANGED)


def _wrong(number: int, said: str, value: object = None, remedy: str = _UNCHANGED) -> InvalidValue:
    return InvalidValue(said, field=f"line {number}", value=value, remedy=remedy)


def check_header(raw: bytes) -> str:
    """Return the first line, if the file is a dump of this version.

    Raises:
        InvalidValue: it is none, or one of another version.
    """
    try:
        text, data = _parsed(1, raw)
    except InvalidValue as error:
        raise _wrong(1, f"not how a dump begins: {error.message}", None, _WRITTEN) from error
    if set(data) != {"format", "version"} or data["format"] != _FORMAT:
        raise _wrong(1, "not how a dump begins", text, _WRITTEN)
    if data["version"] != _VERSION:
        remedy = f"read it with the clientledger that wrote it; this one reads version {_VERSION}"
        raise _wrong(1, "a dump of another version", data["version"], remedy)
    if text != header_line():
        raise _wrong(1, "not how a dump begins", text, _WRITTEN)
    return text


def read_line(number: int, raw: bytes) -> Line:
    """Read a line that holds one thing.

    Raises:
        InvalidValue: the file ends within it, it is no JSON, or of no known kind.
    """
    text, data = _parsed(number, raw)
    kind = next(iter(data), "")
    if len(data) != 1 or kind not in (*KINDS, END):
        known = ", ".join([*KINDS, END])
        raise _wrong(number, "not one record of a known kind", ", ".join(data), f"one of {known}")
    return Line(number, text, kind, data[kind])


def check_end(line: Line, made: Dump) -> None:
    """Refuse a last line that does not say what has been read.

    Raises:
        InvalidValue: another digest, or other counts.
    """
    if line.text == end_line(made):
        return
    if isinstance(line.data, dict) and line.data.get("sha256") == made.sha256:
        raise line.wrong("it counts other lines than there are", str(line.data.get("counts")))
    raise line.wrong("the digest says that the lines before are others", made.sha256)


def _parsed(number: int, raw: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a line, and the JSON object that it is."""
    if not raw.endswith(b"\n"):
        said = "longer than a line can be" if len(raw) >= LONGEST else "the file is cut off here"
        raise _wrong(number, said)
    try:
        text = raw[:-1].decode()
        data = json.loads(text, parse_float=_no_float, parse_constant=_no_float, parse_int=_whole)
    except InvalidValue as error:
        raise _wrong(number, error.message, error.value, error.remedy) from None
    except UnicodeDecodeError as error:
        raise _wrong(number, "not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(number, f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise _wrong(number, "not a JSON object", text)
    return text, data


def _no_float(text: str) -> Any:
    raise InvalidValue("a number with a point", value=text, remedy="amounts are text")


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise InvalidValue("a number too large", value=text[:99], remedy="at most 18 digits")
    return int(text)
