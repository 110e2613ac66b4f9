"""How documents are named: their kind and number, and what they undo or are for."""

import re

from clientledger import Entry, OpenItem
from clientledger_statements.texts import Kind
from clientledger_statements.wording import Wording

__all__ = ["clean", "name_entry", "name_item"]

_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
# Controls, lone surrogates and noncharacters break files; overrides make figures change places.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def clean(text: str) -> str:
    """Make a text of one line, in which nothing can break a file or reorder a line."""
    return _UNSAFE.sub("\ufffd", _BREAKS.sub(" ", text)).strip()


def name_entry(entry: Entry, about: Entry | None, wording: Wording) -> str:
    """Name a document of a row: "Void of payment P-7 – bounced"."""
    parts = (_head(entry, about, wording), clean(entry.method), clean(entry.reason))
    return " – ".join(part for part in parts if part)


def name_item(item: OpenItem, several: bool, wording: Wording) -> str:
    """Name an open item; an instalment by its place where the document has several."""
    texts = wording.texts
    word = _kind(item.kind, item.side, wording).word
    named = f"{word} {_numbered(item.number, wording)}".strip()
    if several or item.instalment > 1:
        named += ", " + texts.instalment.format(number=wording.number(item.instalment))
    named = _begun(named, item.kind, wording)
    return f"{named} – {texts.free_credit}" if item.side == "credit" else named


def _head(entry: Entry, about: Entry | None, wording: Wording) -> str:
    texts = wording.texts
    number = _numbered(entry.number, wording)
    word = _kind(entry.kind, entry.side, wording).word
    if about is not None and entry.undoes == about.id:
        word = texts.void_of.format(what=_what(about, wording)) + ("," if number else "")
    elif about is not None and entry.pair == about.id and entry.kind == "exchange":
        template = texts.exchange_into if entry.side == "debit" else texts.exchange_of
        word = template.format(amount=wording.money(about.amount))
    head = f"{word} {number}".strip()
    return _begun(head, entry.kind, wording) + _aside(entry, about, wording)


def _aside(entry: Entry, about: Entry | None, wording: Wording) -> str:
    """What a document is for, or stands for."""
    texts = wording.texts
    if about is None:
        return ""
    if entry.sale == about.id:
        return " " + texts.for_sale.format(named=_named(about, wording))
    if entry.replaces == about.id:
        return ", " + texts.correction_of.format(what=_what(about, wording))
    if entry.pair == about.id and entry.kind == about.kind == "write-off":
        word = _kind(about.kind, about.side, wording).word
        return f" ({word} {_named(about, wording)})"
    return ""


def _what(entry: Entry, wording: Wording) -> str:
    return f"{_kind(entry.kind, entry.side, wording).of} {_named(entry, wording)}"


def _named(entry: Entry, wording: Wording) -> str:
    dated = wording.texts.dated.format(date=wording.day(entry.on))
    return _numbered(entry.number, wording) or dated


def _numbered(number: str | None, wording: Wording) -> str:
    shown = clean(number or "")
    return wording.texts.numbered.format(number=shown) if shown else ""


def _kind(kind: str, side: str, wording: Wording) -> Kind:
    if kind == "write-off" and side == "debit":
        return wording.texts.taken_back
    shown = clean(kind)
    return wording.texts.kinds.get(kind, Kind(shown, shown))


def _begun(text: str, kind: str, wording: Wording) -> str:
    """Begin with a capital, unless the kind is a stranger's, which stays as it is."""
    return text[:1].upper() + text[1:] if kind in wording.texts.kinds else text
