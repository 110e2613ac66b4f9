"""The one call: a statement in, a file out."""

from collections.abc import Callable
from decimal import Context, localcontext
from typing import TYPE_CHECKING

from clientledger import InvalidValue, Statement

if TYPE_CHECKING:
    from clientledger_statements.document import Document

__all__ = ["FORMATS", "LAYOUTS", "render"]

FORMATS: tuple[str, ...] = ("text", "html", "pdf", "xlsx")
"""The formats: plain text (UTF-8), a page (HTML), PDF, and a spreadsheet (xlsx)."""

LAYOUTS: tuple[str, ...] = ("statement", "act")
"""The layouts: a statement of account, and a reconciliation act that both sides sign."""


def render(
    statement: Statement,
    format: str,
    *,
    locale: str = "en",
    layout: str = "statement",
) -> bytes:
    """Give a statement as the bytes of a file.

    The same figures stand in each format and language.

    Args:
        statement: what `book.ledger.statement` gives.
        format: one of `FORMATS`.
        locale: a locale of one of `LANGUAGES`, such as "de", "de_AT" or "en-GB".
        layout: one of `LAYOUTS`.

    Raises:
        InvalidValue: no statement, or an unknown format, locale or layout; for a spreadsheet
            also more rows than one can have.
        PluginError: PDF is wanted, and WeasyPrint or Pango is not installed.
    """
    if not isinstance(statement, Statement):
        raise InvalidValue(
            "not a statement",
            field="statement",
            value=statement,
            remedy="give what book.ledger.statement returns",
        )
    write = _writer(_one_of(format, "format", FORMATS))
    chosen = _one_of(layout, "layout", LAYOUTS)
    # What draws a file is slow to import, and a plugin may be loaded and never asked.
    from clientledger_statements.document import document_of
    from clientledger_statements.wording import wording_of

    wording = wording_of(locale)
    # Babel rounds by the thread's context, which may be a host's of small precision.
    with localcontext(Context(prec=60)):
        return write(document_of(statement, chosen, wording))


def _writer(format: str) -> Callable[["Document"], bytes]:
    match format:
        case "text":
            from clientledger_statements.text import write_text as write
        case "html":
            from clientledger_statements.html import write_html as write
        case "pdf":
            from clientledger_statements.pdf import write_pdf as write
        case _:
            from clientledger_statements.xlsx import write_xlsx as write
    return write


def _one_of(value: object, field: str, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise InvalidValue(f"not a {field}", field=field, value=value, remedy=", ".join(allowed))
