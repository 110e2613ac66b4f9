"""Plain text of about a hundred columns, aligned by how wide characters are shown."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from wcwidth import ljust, rjust, width, wrap

from clientledger_statements.document import Document, Table

__all__ = ["write_text"]

_WIDTH = 100
_GAP = "  "
_NARROWEST = 24
_RIGHT = ("amount", "number")


def write_text(document: Document) -> bytes:
    """Write the document as UTF-8 text with lines of about a hundred columns."""
    lines = [document.title, "=" * width(document.title), ""]
    lines += _head(document)
    if document.introduction:
        lines += ["", *_wrapped(document.introduction, _WIDTH)]
    lines += ["", *_table(document.account, document)]
    for said in (document.note, document.sentence):
        if said:
            lines += ["", *_wrapped(said, _WIDTH)]
    if document.signed:
        lines += ["", *_signatures(document)]
    for table in (document.open_items, document.ageing):
        lines += ["", table.title, *(_table(table, document) if table.rows else [table.nothing])]
    return ("\n".join(line.rstrip(" ") for line in lines) + "\n").encode()


def _head(document: Document) -> list[str]:
    pairs = [
        (party.role if n == 0 else "", line)
        for party in document.parties
        for n, line in enumerate((party.name, *party.lines))
    ]
    pairs += document.facts
    label = max(width(role) for role, _ in pairs) + len(_GAP)
    return [
        ljust(role if n == 0 else "", label) + line
        for role, text in pairs
        for n, line in enumerate(_wrapped(text, _WIDTH - label))
    ]


def _signatures(document: Document) -> list[str]:
    texts = document.wording.texts
    half = _WIDTH // 2 - len(_GAP)
    labels = (texts.signatory, texts.signature, texts.signed_on)
    label = max(map(width, labels)) + 1
    blanks = [
        line
        for text in labels
        for line in ("", ljust(text, label) + "_" * (half - label - len(_GAP)))
    ]
    columns = [[*_wrapped(name, half), *blanks, "", texts.stamp] for name in document.signed]
    return [_GAP.join(ljust(cell, half) for cell in row) for row in _level(columns)]


def _table(table: Table, document: Document) -> list[str]:
    kinds = [column.kind for column in table.columns]
    rows = [[document.wording.cell(cell) for cell in row.cells] for row in table.rows]
    widths = _widths(table, rows)
    rule = _GAP.join("-" * one for one in widths)
    lines = [*_groups(table, widths)]
    if any(column.title for column in table.columns):
        lines += _row([column.title for column in table.columns], kinds, widths)
    lines.append(rule)
    strong = table.rows[0].strong
    for row, cells in zip(table.rows, rows, strict=True):
        if row.strong != strong:
            lines.append(rule)
        strong = row.strong
        lines += _row(cells, kinds, widths)
    return [*lines, rule]


def _widths(table: Table, rows: Sequence[Sequence[str]]) -> list[int]:
    """As wide as what stands in them; the texts get what is left."""
    widths = [
        max(
            *(width(word) for word in column.title.split() or [""]),
            *(width(row[n]) for row in rows),
            1,
        )
        for n, column in enumerate(table.columns)
    ]
    place = [column.kind for column in table.columns].index("text")
    amounts = [n for n, column in enumerate(table.columns) if column.kind == "amount"]
    for n in amounts:
        # Columns to be filled in by hand are as wide as those that are filled.
        widths[n] = max(12, *(widths[m] for m in amounts))
    left = _WIDTH - sum(widths) + widths[place] - len(_GAP) * (len(widths) - 1)
    widths[place] = max(_NARROWEST, min(left, widths[place] if len(widths) == 2 else left))
    return widths


def _groups(table: Table, widths: Sequence[int]) -> Iterable[str]:
    first, spans = 0, []
    for _, count in table.groups:
        own = widths[first : first + count]
        spans.append(sum(own) + len(_GAP) * (count - 1))
        first += count
    return _row([title for title, _ in table.groups], ["text"] * len(spans), spans)


def _row(cells: Sequence[str], kinds: Sequence[str], widths: Sequence[int]) -> list[str]:
    columns = [
        [
            rjust(line, size) if kind in _RIGHT else ljust(line, size)
            for line in _wrapped(cell, size)
        ]
        for cell, kind, size in zip(cells, kinds, widths, strict=True)
    ]
    filled = [
        [line or " " * size for line, size in zip(row, widths, strict=True)]
        for row in _level(columns)
    ]
    return [_GAP.join(row) for row in filled]


def _level(columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return list(zip_longest(*columns, fillvalue=""))


def _wrapped(text: str, size: int) -> list[str]:
    if text.isascii() and len(text) <= size:
        return [text]
    # Only spaces may break a line: what a locale groups digits by may not.
    lines = [text] if width(text) <= size else wrap(text, size, break_on_hyphens=False)
    return [_isolated(line) for line in lines]


def _isolated(line: str) -> str:
    """Keep text that runs from right to left from taking the amounts beside it along."""
    runs_left = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in line)
    return f"\u2068{line}\u2069" if runs_left else line
