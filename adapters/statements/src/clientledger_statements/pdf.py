"""PDF, from the same page, by WeasyPrint: it is loaded only when a PDF is wanted."""

import warnings
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from clientledger import PluginError
from clientledger_statements.document import Document
from clientledger_statements.html import page_of

__all__ = ["write_pdf"]


def write_pdf(document: Document) -> bytes:
    """Write the document as PDF on A4, with numbered pages.

    Raises:
        PluginError: WeasyPrint, or the Pango that it draws with, is not installed.
    """
    weasyprint = _weasyprint()
    # A statement is whole in itself: whatever it would load is not ours.
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=())
    page = weasyprint.HTML(string=page_of(document), url_fetcher=fetcher)
    made: bytes = page.write_pdf()
    return made


def _weasyprint() -> Any:
    try:
        # Where a library is missing or old, it warns and prints, which is the host's output.
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)
            import weasyprint
    except (ImportError, OSError) as error:  # without Pango it is an OSError
        raise PluginError(
            f"PDF cannot be made: {error}",
            field="format",
            value="pdf",
            remedy="install clientledger-statements[pdf], and Pango beside it"
            " (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0)",
        ) from error
    return weasyprint
