"""Random statements show the same figures in text, page and spreadsheet."""

from datetime import date, timedelta

from adapters.statements.tests.reading import (
    expected,
    figures,
    page_tables,
    read_texts,
    sheet_figures,
    text_tables,
)
from adapters.statements.tests.statements import SINCE, client, entry, made_of
from hypothesis import given
from hypothesis import strategies as st

from clientledger import Currency, Statement
from clientledger_statements import LANGUAGES, LAYOUTS, render

DIGITS = st.integers(0, 4)
NAMES = st.text(max_size=30)
NARROW = st.text(alphabet="Abc дЖ=+-<&>\"'{}%\n", max_size=30)


@st.composite
def statements(draw: st.DrawFn, names: st.SearchStrategy[str] = NARROW) -> Statement:
    unit = Currency("XCU", draw(DIGITS))
    kinds = st.sampled_from(["sale", "payment", "write-off", "opening balance", "exchange"])
    entries = [
        entry(
            n,
            draw(st.sampled_from(["debit", "credit"])),
            draw(st.integers(1, 10**15)),
            unit,
            kind=draw(kinds),
            number=draw(st.none() | names),
            reason=draw(names),
            method=draw(names),
            on=SINCE + timedelta(days=draw(st.integers(-60, 60))),
        )
        for n in range(draw(st.integers(0, 12)))
    ]
    until = date(2026, 3, 1) + timedelta(days=draw(st.integers(0, 90)))
    return made_of(entries, unit, owner=client(draw(names)), until=until, company=draw(names))


@given(account=statements(), language=st.sampled_from(LANGUAGES))
def test_a_random_statement_shows_the_same_figures(account: Statement, language: str) -> None:
    text = render(account, "text", locale=language).decode()
    page = render(account, "html", locale=language).decode()
    sheet = sheet_figures(render(account, "xlsx", locale=language), account)
    wanted = expected(account)
    assert figures(text_tables(text), language) == wanted
    assert figures(page_tables(page), language) == wanted
    assert read_texts(sheet, language) == wanted


@given(
    account=statements(NAMES),
    language=st.sampled_from(LANGUAGES),
    layout=st.sampled_from(LAYOUTS),
)
def test_any_text_can_be_written(account: Statement, language: str, layout: str) -> None:
    for format in ("text", "html", "xlsx"):
        assert render(account, format, locale=language, layout=layout)
