"""Every text in every language, in the right form."""

import string
from collections.abc import Mapping

import attrs
import pytest
from adapters.statements.tests.reading import page_tables, text_tables
from adapters.statements.tests.statements import UNTIL, client, entry, every_kind, made_of, plain
from adapters.statements.tests.words import AGES, ROWS, SENTENCES

from clientledger import Currency, Statement
from clientledger_statements import LANGUAGES, LAYOUTS, render
from clientledger_statements.languages import TEXTS
from clientledger_statements.texts import Kind, Texts
from clientledger_statements.wording import wording_of

EUR = Currency("EUR", 2)
KINDS = {
    "sale",
    "payment",
    "credit note",
    "refund",
    "write-off",
    "opening balance",
    "exchange",
    "void",
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def said(texts: Texts) -> dict[str, str]:
    """Every text by its name; of a mapping each by its key too."""
    found: dict[str, str] = {}
    for name, value in attrs.asdict(texts, recurse=False).items():
        if isinstance(value, Kind):
            found |= {f"{name}.word": value.word, f"{name}.of": value.of}
        elif isinstance(value, Mapping):
            for key, one in value.items():
                parts = attrs.astuple(one) if isinstance(one, Kind) else (one,)
                found |= {f"{name}.{key}.{n}": part for n, part in enumerate(parts)}
        else:
            found[name] = value
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_stands_in_every_language_with_the_same_places_to_fill(language: str) -> None:
    texts = TEXTS[language]
    assert all(text.strip() == text and text for text in said(texts).values())
    for field in attrs.fields(Texts):
        value, english = getattr(texts, field.name), getattr(TEXTS["en"], field.name)
        if isinstance(value, str) and field.name != "day":
            assert placeholders(value) == placeholders(english), field.name
    assert set(texts.kinds) == KINDS
    forms = set(wording_of(language).locale.plural_form.tags) | {"other"}
    for counted in (texts.range, texts.up_to, texts.over):
        assert set(counted) == forms
        assert all(placeholders(form) == {"days"} for form in counted.values())


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_text_was_left_in_english(language: str) -> None:
    texts, english = said(TEXTS[language]), said(TEXTS["en"])
    same = {name for name in texts if texts[name] == english.get(name)}
    assert same <= {"day", "numbered"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_document_is_named_by_kind_number_and_what_it_is_about(
    everything: Statement, language: str, layout: str
) -> None:
    page = render(everything, "html", locale=language, layout=layout).decode()
    assert [row[1] for row in page_tables(page)[0][1:-2]] == ROWS[language]


def test_the_other_half_of_an_exchange_says_what_it_was() -> None:
    page = render(every_kind("USD"), "html", locale="de").decode()
    assert page_tables(page)[0][1][1] == "Währungstausch von 90,00\u00a0EUR – pays in dollars"


def test_open_items_name_instalments_and_free_credits(everything: Statement) -> None:
    page = render(everything, "html").decode()
    assert [row[1] for row in page_tables(page)[1]] == [
        "Opening balance entry",
        "Opening balance entry",
        "Sale",
        "Sale INV-1, instalment 1",
        "Sale INV-3",
        "Sale INV-1, instalment 2",
        "Sale INV-4",
    ]
    page = render(plain("EUR", "10.00", "30.00"), "html", locale="uk").decode()
    assert [row[1] for row in page_tables(page)[1]] == ["Оплата – переплата"]


def test_a_kind_that_nobody_knows_is_shown_as_it_is() -> None:
    card = entry(1, "debit", 100, EUR, kind="gift card", number="G-1")
    void = entry(2, "credit", 100, EUR, kind="void", undoes=card.id, number="V-9")
    orphan = entry(3, "credit", 100, EUR, kind="void", reason="its entry is not here")
    page = render(made_of([card, void, orphan], EUR), "html", locale="uk").decode()
    assert [row[1] for row in page_tables(page)[0][1:-2]] == [
        "gift card № G-1",
        "Сторно gift card № G-1, № V-9",
        "Сторно – its entry is not here",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_ages_agree_with_their_numbers(language: str) -> None:
    account = made_of([entry(1, "debit", 100, EUR)], EUR, bounds=(-5, 0, 1, 21))
    text = render(account, "text", locale=language).decode()
    assert [row[0] for row in text_tables(text)[-1][:5]] == AGES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_closing_balance_of_an_act_is_said_in_a_sentence(language: str) -> None:
    accounts = [("10.01", "0.01"), ("10.00", "20.00"), ("10.00", "10.00")]
    for sentence, (sold, paid) in zip(SENTENCES[language], accounts, strict=True):
        account = plain("EUR", sold, paid)
        page = render(account, "html", locale=language, layout="act").decode()
        assert f'<p class="sentence">{sentence}</p>' in page
        text = render(account, "text", locale=language, layout="act").decode()
        assert sentence in text.replace("\n", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_act_has_places_for_both_signatures(two_documents: Statement, language: str) -> None:
    texts = TEXTS[language]
    for format in ("text", "html"):
        shown = render(two_documents, format, locale=language, layout="act").decode()
        assert shown.count(texts.signature) == 2
        assert shown.count(texts.signatory) == 2
        assert texts.signature not in render(two_documents, format, locale=language).decode()


def test_an_act_without_our_name_has_a_blank_for_it() -> None:
    nameless = made_of([entry(1, "debit", 1000, EUR)], EUR, company="")
    act = render(nameless, "text", layout="act").decode()
    assert "Acme GmbH owes ________________________ EUR\u00a010.00." in act
    account = render(nameless, "text").decode()
    assert "Company" not in account
    assert "____" not in account


@pytest.mark.parametrize("format", ["text", "html"])
def test_the_head_names_client_address_tax_ids_and_moment(
    two_documents: Statement, format: str
) -> None:
    shown = render(two_documents, format, locale="de_AT").decode()
    for part in (
        "Muster Handels GmbH",
        "Invalidenstraße 117",
        "10115 Berlin",
        "Deutschland",
        "VAT: DE123456789",
        "EUR – Euro",
        "01.03.2026 – 30.04.2026",
        "30.04.2026, 09:15:07 UTC",
    ):
        assert part in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_statement_says_so(language: str) -> None:
    empty = made_of([], EUR, until=UNTIL, owner=client("Nobody"))
    texts = TEXTS[language]
    for format in ("text", "html"):
        shown = render(empty, format, locale=language).decode()
        assert texts.no_documents in shown
        assert texts.nothing_open in shown


@pytest.mark.parametrize(
    ("locale", "amount", "day"),
    [
        ("en_GB", "1,234.50", "2 Mar 2026"),
        ("en_IN", "1,234.50", "2 Mar 2026"),
        ("de_CH", "1’234.50", "02.03.2026"),
        ("uk_UA", "1\u00a0234,50", "02.03.2026"),
        ("ru_UA", "1\u00a0234,50", "02.03.2026"),
    ],
)
def test_a_country_writes_as_it_does(
    two_documents: Statement, locale: str, amount: str, day: str
) -> None:
    text = render(two_documents, "text", locale=locale).decode()
    assert amount in text
    assert day in text


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("en", "POINTS\u00a05"), ("de", "5\u00a0POINTS"), ("de_AT", "POINTS\u00a05")],
)
def test_a_currency_of_the_book_is_shown_by_its_code(locale: str, shown: str) -> None:
    points = made_of([entry(1, "debit", 5, Currency("POINTS", 0))], Currency("POINTS", 0))
    assert f"{shown}." in render(points, "text", locale=locale, layout="act").decode()
    old = made_of([entry(1, "debit", 500, Currency("DEM", 2))], Currency("DEM", 2))
    assert "DEM – Deutsche Mark" in render(old, "text", locale="de").decode()
