"""A spreadsheet: amounts are numbers, dates are dates, and all other is text, never a formula."""

from datetime import UTC
from io import BytesIO

from xlsxwriter import Workbook

from clientledger import InvalidValue
from clientledger_statements.document import Document, Table
from clientledger_statements.sheet import Sheet

__all__ = ["write_xlsx"]

_MOST_ROWS = 1_000_000
_A4 = 9
_RIGHT = ("amount", "number")


def write_xlsx(document: Document) -> bytes:
    """Write the document as a workbook of one sheet that prints on A4.

    Raises:
        InvalidValue: more rows than a sheet can have.
    """
    rows = len(document.account.rows) + len(document.open_items.rows)
    if rows > _MOST_ROWS:
        raise InvalidValue(
            "more rows than a spreadsheet can have",
            field="statement",
            value=rows,
            remedy="take a shorter span of days, or the format html",
        )
    made = BytesIO()
    workbook = Workbook(made, {"in_memory": True})
    known = document.statement.known_at.astimezone(UTC).replace(tzinfo=None)
    workbook.set_properties({"title": document.title, "created": known})
    amount = max(16, document.digits * 4 // 3 + 4)
    widths = [16, 52, amount, amount, amount, amount]
    _write(document, Sheet(workbook, document.title, document.wording, widths))
    workbook.close()
    return made.getvalue()


def _write(document: Document, sheet: Sheet) -> None:
    _set_up(document, sheet)
    sheet.put(0, document.title, "title")
    sheet.end()
    sheet.next += 1
    _head(document, sheet)
    if document.introduction:
        sheet.next += 1
        sheet.line(document.introduction)
    sheet.next += 1
    _table(document.account, sheet, repeat=True)
    for said, style in ((document.note, "note"), (document.sentence, "name")):
        if said:
            sheet.next += 1
            sheet.line(said, style)
    _signatures(document, sheet)
    for table, first in ((document.open_items, 0), (document.ageing, 1)):
        sheet.next += 1
        sheet.line(table.title, "name")
        if table.rows:
            _table(table, sheet, first)
        else:
            sheet.line(table.nothing)


def _set_up(document: Document, sheet: Sheet) -> None:
    paper, texts = sheet.paper, document.wording.texts
    paper.set_paper(_A4)
    if document.wide:
        paper.set_landscape()
    paper.fit_to_pages(1, 0)
    paper.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    paper.hide_gridlines(2)
    paper.set_footer("&R" + texts.page.format(page="&P", pages="&N"))


def _head(document: Document, sheet: Sheet) -> None:
    for party in document.parties:
        sheet.pair(party.role, party.name, "name")
        for line in party.lines:
            sheet.pair("", line)
    for label, fact in document.facts:
        sheet.pair(label, fact)


def _table(table: Table, sheet: Sheet, first: int = 0, *, repeat: bool = False) -> None:
    boxed = "boxed " if table.groups else ""
    top = sheet.next
    if table.groups:
        lines, column = [], first
        for title, count in table.groups:
            lines.append(sheet.group(column, count, title))
            column += count
        sheet.end(lines)
    sheet.end(
        [
            sheet.put(
                n, column.title, f"{boxed}heading", "right" if column.kind in _RIGHT else "left"
            )
            for n, column in enumerate(table.columns, first)
        ]
    )
    if repeat:
        sheet.paper.repeat_rows(top, sheet.next - 1)
    for row in table.rows:
        style = boxed + ("strong" if row.strong else "cell")
        sheet.end([sheet.put(n, cell, style) for n, cell in enumerate(row.cells, first)])


def _signatures(document: Document, sheet: Sheet) -> None:
    texts = document.wording.texts
    for name in document.signed:
        sheet.next += 1
        sheet.line(name, "name")
        for label in (texts.signatory, texts.signature, texts.signed_on):
            sheet.next += 1
            sheet.pair("", label, "signature")
        sheet.pair("", texts.stamp, "note")
