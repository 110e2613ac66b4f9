"""Whatever a name or a reason holds, it is shown as text and breaks nothing."""

import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree

import pytest
from adapters.statements.tests.reading import (
    page_elements,
    page_tables,
    sheet_figures,
    sheet_rows,
    sheet_xml,
)
from adapters.statements.tests.statements import client, entry, made_of
from pypdf import PdfReader
from wcwidth import width

from clientledger import Address, Currency, Statement
from clientledger_statements import FORMATS, LAYOUTS, render

EUR = Currency("EUR", 2)
HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=http://example.org/x.png onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{ 7*7 }}{% for x in y %}",
    "{amount} {0.__class__} %s",
    "&lt;b&gt; &amp;",
    "=1+1",
    '=HYPERLINK("http://example.org")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "http://example.org/",
    "mailto:a@example.org",
    "internal:Sheet1!A1",
    "123.45",
    "_x0041_",
    "pay \u202e00.1 RUE\u202c \u2066me\u2069",
    "שלום עליכם 123",
    "شركة ٤٥",
    "two\nlines\r\n\tand a tab\u2028more",
    "nul\x00 bell\x07 escape\x1b[31m \x85 \x9b",
    "surrogate \ud800 noncharacter \uffff",
    "👩‍👩‍👧‍👦 family & 🇺🇦",
    "日本語の会社名株式会社とても長い名前がここにあります日本語の会社名株式会社",
    "Zero\u200bwidth\u00adsoft\ufeff",
    "longwordwithoutanyspace" * 10,
    "e\u0301\u0301\u0301 combined",
    "\\e0 \\ \"'; content: url(http://example.org)",
]


def account(text: str) -> Statement:
    owner = client(
        text,
        addresses=(Address(street=text, city=text, region=text, country="DE"),),
        tax_ids={text: text},
    )
    sale = entry(1, "debit", 123456, EUR, number=text, reason=text)
    paid = entry(2, "credit", 23456, EUR, number=text, method=text, reason=text)
    void = entry(3, "debit", 23456, EUR, kind="void", undoes=paid.id, reason=text)
    own = entry(4, "credit", 5, EUR, kind=text)
    return made_of([sale, paid, void, own], EUR, owner=owner, company=text)


def visible(text: str) -> str:
    """The text as it may be shown: on one line, what is unsafe replaced."""
    spaced = re.sub("[\t\n\r\x85\u2028]+", " ", text)
    unsafe = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\uffff]"
    return re.sub(unsafe, "\ufffd", spaced).strip()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_page_has_no_element_link_or_script_of_the_data(text: str, layout: str) -> None:
    page = render(account(text), "html", layout=layout).decode()
    elements = page_elements(page)
    assert elements == page_elements(render(account("Acme"), "html", layout=layout).decode())
    assert not {"script", "img", "link", "a", "iframe", "base"} & {tag for tag, _ in elements}
    attributes = {name for _, found in elements for name in found}
    assert not {"src", "href", "style"} & attributes
    shown = visible(text)
    assert [row[1] for row in page_tables(page)[0][1:-2]] == [
        f"Sale {shown} – {shown}",
        f"Payment {shown} – {shown} – {shown}",
        f"Void of payment {shown} – {shown}",
        shown,
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_spreadsheet_keeps_it_as_text_and_has_no_formula_or_link(text: str, layout: str) -> None:
    data = render(account(text), "xlsx", layout=layout)
    archive = zipfile.ZipFile(BytesIO(data))
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))
    xml = sheet_xml(data)
    assert "<f>" not in xml
    assert "<f " not in xml
    assert "hyperlink" not in xml.lower()
    assert not any("externalLink" in name or "hyperlink" in name for name in archive.namelist())
    cells = [cell for row in sheet_rows(data).values() for cell in row.values()]
    shown = visible(text)
    for wanted in (shown, f"{shown}: {shown}", f"Void of payment {shown} – {shown}"):
        assert wanted in cells


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_text_keeps_its_columns(text: str) -> None:
    shown = render(account(text), "text").decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff]", shown)
    lines = shown.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("Date "))
    table = lines[start : lines.index("", start)]
    amounts = [line for line in table if re.search(r" 1,\d{3}\.\d\d$", line)]
    assert {width(line) for line in amounts} == {100}
    assert [line[-40:].split() for line in amounts] == [
        ["1,234.56", "1,234.56"],
        ["234.56", "1,000.00"],
        ["234.56", "1,234.56"],
        ["0.05", "1,234.51"],
        ["1,234.51"],
    ]


def test_text_from_right_to_left_takes_no_amount_along() -> None:
    shown = render(account("שלום"), "text").decode()
    lines = [line for line in shown.split("\n") if "שלום" in line]
    for line in lines:
        assert line.count("\u2068") == line.count("\u2069") > 0
        assert line.rindex("\u2069") > line.rindex("ם")


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pdf_can_be_made_and_loads_nothing(layout: str, caplog: pytest.LogCaptureFixture) -> None:
    entries = [entry(n, "debit", 123456, EUR, number=text) for n, text in enumerate(HOSTILE)]
    for owner in (HOSTILE[1], HOSTILE[-1]):
        account = made_of(entries, EUR, owner=client(owner), company=owner)
        reader = PdfReader(BytesIO(render(account, "pdf", layout=layout)))
        # pypdf gives two bytes a letter where a glyph is missing from all fonts.
        printed = "".join(page.extract_text() for page in reader.pages).replace("\0", "")
        assert printed.count("1,234.56") >= 3 * len(HOSTILE)
        assert not any("/Annots" in page for page in reader.pages)
        assert not [record for record in caplog.records if "load" in record.message.lower()]


@pytest.mark.parametrize("format", [one for one in FORMATS if one != "pdf"])
def test_a_very_long_reason_breaks_nothing(format: str) -> None:
    long = entry(1, "debit", 123456, EUR, reason="reason " * 10_000)
    data = render(made_of([long], EUR), format)
    if format == "xlsx":
        rows = sheet_figures(data, made_of([long], EUR))[0]
        assert len(rows) == 4
        assert max(len(str(c)) for row in sheet_rows(data).values() for c in row.values()) == 32_767
