"""Dumps for the tests: written, read, copied, and sealed by hand after a change."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs
from tests.books import rows

from clientledger import Allocation, Book, Entry, Release
from clientledger.ports import (
    AllocationQuery,
    BalanceQuery,
    EntryQuery,
    LedgerQuery,
    OpenItemQuery,
    PurchaseDayQuery,
    ReleaseQuery,
    TimelineQuery,
)

KINDS = (
    "settings", "member", "client", "interaction", "agreement", "entry", "allocation", "release",
    "head", "task", "claim", "event", "seal",
)  # fmt: skip


def dumped(book: Book) -> bytes:
    """All of a book."""
    file = io.BytesIO()
    book.dump(file)
    return file.getvalue()


def load(book: Book, data: bytes) -> Book:
    """A book with what a dump has."""
    book.load(io.BytesIO(data))
    return book


def compact(data: Any) -> str:
    """JSON as a dump has it."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def body(data: bytes) -> list[str]:
    """The lines of a dump, without the last one."""
    return data.decode().split("\n")[:-2]


def sealed(lines: Iterable[str], **told: Any) -> bytes:
    """Lines with the last line that fits them, counted and digested here once more."""
    text = "".join(f"{line}\n" for line in lines)
    counts = Counter(kind for line in text.split("\n")[1:-1] for kind in _kinds_of(line))
    end = {
        "counts": {kind: counts[kind] for kind in KINDS},
        "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        **told,
    }
    return (text + compact({"end": end}) + "\n").encode("utf-8", "surrogatepass")


def _kinds_of(line: str) -> list[str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return list(found) if isinstance(found, dict) else []


def assert_same(one: Book, other: Book) -> None:
    """Two books have the same records, and the same figures on any day, as known at any moment."""
    assert rows(one) == rows(other)
    figures: list[LedgerQuery[Any]] = [
        BalanceQuery(),
        OpenItemQuery(open_only=False),
        PurchaseDayQuery(),
    ]
    with one._desk.scope.snapshot() as before, other._desk.scope.snapshot() as after:
        assert before.find(TimelineQuery()) == after.find(TimelineQuery())
        facts: list[Entry | Allocation | Release] = [
            *before.find(EntryQuery()),
            *before.find(AllocationQuery()),
            *before.find(ReleaseQuery()),
        ]
        days = _some({fact.on for fact in facts})
        moments = _some({fact.recorded_at for fact in facts})
        for figure in figures:
            for day in (None, *days):
                for moment in (None, *moments):
                    asked = attrs.evolve(figure, as_of=day, known_at=moment)
                    assert after.find(asked) == before.find(asked), asked


def _some(values: set[Any]) -> list[Any]:
    found = sorted(values)
    return found[:: max(1, len(found) // 4)]
