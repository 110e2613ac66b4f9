"""The same figures in each format and language."""

from decimal import Decimal
from io import BytesIO

import pytest
from adapters.statements.tests.reading import (
    amounts_in,
    expected,
    figures,
    number_formats,
    page_tables,
    read_texts,
    sheet_figures,
    sheet_rows,
    text_tables,
)
from adapters.statements.tests.statements import SINCE, entry, every_kind, made_of, plain
from pypdf import PdfReader

from clientledger import Currency, Money, Statement
from clientledger_statements import LANGUAGES, LAYOUTS, render

EUR = Currency("EUR", 2)
ACCOUNTS = {
    "euro": lambda: every_kind("EUR"),
    "dollar": lambda: every_kind("USD"),
    "yen": lambda: plain("JPY", "1234567", "1"),
    "dinar": lambda: plain("KWD", "1234.567", "0.001"),
    "unidad de fomento": lambda: plain("CLF", "12345.6789", "20000.0001"),
    "toman, without decimals for CLDR": lambda: plain("IRR", "1234.56", "0.01"),
    "prepaid": lambda: plain("EUR", "10.00", "1010.00"),
    "settled": lambda: plain("EUR", "10.00", "10.00"),
    "empty": lambda: made_of([], EUR),
    "only before": lambda: made_of([entry(-40, "debit", 12345, EUR)], EUR),
    "of the largest amounts": lambda: made_of(
        [entry(n, "debit", 10**15 - 7 * n, EUR) for n in range(9)], EUR
    ),
}


@pytest.fixture(params=ACCOUNTS, scope="module")
def account(request: pytest.FixtureRequest) -> Statement:
    return ACCOUNTS[request.param]()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_shows_the_figures(account: Statement, language: str) -> None:
    text = render(account, "text", locale=language).decode()
    assert figures(text_tables(text), language) == expected(account)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_shows_the_figures(account: Statement, language: str) -> None:
    page = render(account, "html", locale=language).decode()
    assert figures(page_tables(page), language) == expected(account)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_spreadsheet_holds_the_figures(account: Statement, language: str) -> None:
    data = render(account, "xlsx", locale=language)
    shown = sheet_figures(data, account)
    texts = [cell for row in shown[0] for cell in row if isinstance(cell, str)]
    assert bool(texts) == (account.closing.minor > 10**15)
    assert read_texts(shown, language) == expected(account)


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pdf_shows_the_figures(everything: Statement, language: str) -> None:
    pages = PdfReader(BytesIO(render(everything, "pdf", locale=language))).pages
    text = "\n".join(page.extract_text() for page in pages)
    account, items, ages = expected(everything)
    exchanged = next(n for n, row in enumerate(everything.rows) if row.entry.kind == "exchange")
    account.insert(exchanged + 1, (Decimal("100.00"),))  # "exchange into 100.00 USD"
    assert amounts_in(text, language, 2) == [
        cell
        for row in (*account, *items, *ages)
        for cell in row
        if isinstance(cell, Decimal) and cell.as_tuple().exponent == -2
    ]


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pdf_is_the_page_printed(everything: Statement, layout: str) -> None:
    page = render(everything, "html", locale="uk", layout=layout).decode()
    pdf = PdfReader(BytesIO(render(everything, "pdf", locale="uk", layout=layout)))
    printed = "".join("".join(page.extract_text() for page in pdf.pages).split())
    cells = ["".join(cell.split()) for table in page_tables(page) for row in table for cell in row]
    assert [cell for cell in cells if cell not in printed] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_act_has_our_columns_filled_and_theirs_blank(
    everything: Statement, language: str
) -> None:
    text = render(everything, "text", locale=language, layout="act").decode()
    page = render(everything, "html", locale=language, layout="act").decode()
    sheet = sheet_rows(render(everything, "xlsx", locale=language, layout="act"))
    wanted = [row[:3] for row in expected(everything)[0][1:-2]]
    for table in (text_tables(text)[0], page_tables(page)[0]):
        shown = figures([[row[:4] for row in table], []], language)[0]
        assert shown[1:-2] == wanted
        assert all(row[4:] == ["", ""] for row in table)
    first = next(n for n, row in sheet.items() if row.get("A") == SINCE)
    cells = [sheet[first + 1 + n] for n in range(len(wanted))]
    assert [(row["A"], row.get("C"), row.get("D")) for row in cells] == wanted
    assert not any(row.get("E") or row.get("F") for row in cells)


@pytest.mark.parametrize(
    ("amounts", "debit", "credit"),
    [(("10.00", "9.00"), "1.00", ""), (("9.00", "10.00"), "", "1.00")],
)
def test_the_closing_balance_of_an_act_stands_on_its_side(
    amounts: tuple[str, str], debit: str, credit: str
) -> None:
    page = render(plain("EUR", *amounts), "html", layout="act").decode()
    assert page_tables(page)[0][-1][2:] == [debit, credit, "", ""]


def test_a_balance_that_we_owe_has_a_minus_and_a_word_for_it() -> None:
    text = render(plain("EUR", "10.00", "1010.00"), "text", locale="de").decode()
    assert "-1.000,00" in text
    assert "Ein Saldo mit Minuszeichen ist ein Guthaben des Kunden." in text
    assert "Minuszeichen" not in render(plain(), "text", locale="de").decode()


def test_a_spreadsheet_has_the_decimals_of_the_currency() -> None:
    assert "#,##0.000" in number_formats(render(plain("KWD", "1.250", "0.001"), "xlsx"))
    assert "#,##0.00" in number_formats(render(plain("IRR", "1.25", "0.01"), "xlsx"))
    yen = number_formats(render(plain("JPY", "1250", "1"), "xlsx"))
    assert not any("0.0" in form for form in yen)


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (999_999_999_999_999, None),
        (123_456_789_012_345, None),
        (10**15, None),
        (10**18, None),
        (1_000_000_000_000_001, "10,000,000,000,000.01"),
        (9_007_199_254_740_993, "90,071,992,547,409.93"),
        (-9_007_199_254_740_993, "-90,071,992,547,409.93"),
    ],
)
def test_an_amount_is_a_number_only_where_a_spreadsheet_keeps_it(
    minor: int, text: str | None
) -> None:
    side = "debit" if minor > 0 else "credit"
    account = made_of([entry(0, side, abs(minor), EUR)], EUR)
    data = render(account, "xlsx")
    shown = sheet_figures(data, account)[0][1][3]
    assert shown == (text or Money.from_minor(minor, EUR).amount)
