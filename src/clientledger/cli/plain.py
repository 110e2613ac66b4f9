"""Answers for programs: values as one JSON document, each amount exact text beside its currency."""

import json
import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from clientledger import Account, AgeingRow, Bucket, Money, Page, Report, Statement, codec

__all__ = ["days", "emit", "plain"]

_ALSO: Mapping[type[Any], tuple[str, ...]] = {
    Account: ("balance",),
    AgeingRow: ("balance",),
    Bucket: ("label",),
    Report: ("ok",),
    Statement: ("debits", "credits"),
}
"""What a value works out, and a reader of JSON wants to be given."""


def plain(value: Any) -> Any:
    """Turn an answer into plain data; a page becomes its rows and whether there are more."""
    if isinstance(value, Page):
        return {"rows": [plain(row) for row in value], "more": value.more}
    if isinstance(value, Fraction):
        return days(value)
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if attrs.has(type(value)) and not isinstance(value, Money):
        names = [field.name for field in attrs.fields(type(value)) if field.eq]
        return {name: plain(getattr(value, name)) for name in (*names, *_ALSO.get(type(value), ()))}
    return codec.dump(value)


def days(interval: Fraction) -> str:
    """A number of days: whole, or and a half, as a median of whole numbers is."""
    return f"{float(interval):g}"


def emit(value: Any) -> None:
    """Write one JSON document to stdout."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(plain(value), ensure_ascii=not utf8, indent=2))
