"""Long statements are written in seconds, and a PDF of many pages can be read."""

import time
from datetime import timedelta
from io import BytesIO

import attrs
import pytest
from adapters.statements.tests.statements import SINCE, entry, made_of
from pypdf import PdfReader

from clientledger import Currency, InvalidValue, Statement
from clientledger_statements import LAYOUTS, render
from clientledger_statements.document import document_of
from clientledger_statements.wording import wording_of
from clientledger_statements.xlsx import write_xlsx

EUR = Currency("EUR", 2)
SECONDS = 30
"""A slow machine's measure; here each takes one or two."""


def long(count: int) -> Statement:
    return made_of(
        [
            entry(
                n,
                ("debit", "credit")[n % 2],
                100_000 + 7_919 * n,
                EUR,
                number=f"N-{n}",
                method="bank transfer",
                on=SINCE + timedelta(days=n % 60),
            )
            for n in range(count)
        ],
        EUR,
    )


@pytest.fixture(scope="module")
def ten_thousand() -> Statement:
    return long(10_000)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("format", ["text", "html", "xlsx"])
def test_ten_thousand_documents_are_written_in_seconds(
    ten_thousand: Statement, format: str, layout: str
) -> None:
    begun = time.perf_counter()
    assert len(render(ten_thousand, format, locale="uk", layout=layout)) > 100_000
    assert time.perf_counter() - begun < SECONDS


@pytest.mark.usefixtures("pango")
def test_each_page_of_a_pdf_has_headings_and_its_number() -> None:
    pages = PdfReader(BytesIO(render(long(500), "pdf", locale="de"))).pages
    texts = [page.extract_text() for page in pages]
    assert len(texts) > 10
    for n, text in enumerate(texts, start=1):
        assert f"Seite {n} von {len(texts)}" in text
        assert "Kontoauszug – Acme GmbH" in text
    for text in texts[:5]:
        assert "Datum Beleg Soll Haben Saldo" in text
    for page in pages:
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]


def test_more_rows_than_a_sheet_has_are_refused(two_documents: Statement) -> None:
    document = document_of(two_documents, "statement", wording_of("en"))
    rows = document.account.rows * 250_001
    endless = attrs.evolve(document, account=attrs.evolve(document.account, rows=rows))
    with pytest.raises(InvalidValue, match="more rows than a spreadsheet can have"):
        write_xlsx(endless)
