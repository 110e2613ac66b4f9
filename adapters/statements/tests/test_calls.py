"""The one call, its refusals, and the plugin."""

import decimal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from adapters.statements.tests.reading import sheet_rows
from adapters.statements.tests.statements import COMPANY, SINCE, UNTIL, plain

from clientledger import Exporter, InvalidValue, PluginError, Statement, open_book
from clientledger_statements import FORMATS, LANGUAGES, LAYOUTS, plugin, render


def test_formats_layouts_and_languages_are_as_promised() -> None:
    assert FORMATS == ("text", "html", "pdf", "xlsx")
    assert LAYOUTS == ("statement", "act")
    assert LANGUAGES == ("en", "uk", "ru", "de")


@pytest.mark.parametrize("format", ["PDF", "docx", "", None, 1, ["text"]])
def test_an_unknown_format_is_refused(two_documents: Statement, format: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        render(two_documents, format)
    assert refused.value.field == "format"
    assert refused.value.remedy == "text, html, pdf, xlsx"


@pytest.mark.parametrize("layout", ["Act", "invoice", "", None, 1])
def test_an_unknown_layout_is_refused(two_documents: Statement, layout: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        render(two_documents, "text", layout=layout)
    assert refused.value.field == "layout"
    assert refused.value.remedy == "statement, act"


@pytest.mark.parametrize(
    "locale", ["fr", "fr_FR", "pl", "", "english", "e", "de_", "../de", "de/..", None, 5, "uk\n"]
)
def test_an_unknown_locale_is_refused_and_the_four_languages_named(
    two_documents: Statement, locale: Any
) -> None:
    with pytest.raises(InvalidValue) as refused:
        render(two_documents, "text", locale=locale)
    assert refused.value.field == "locale"
    assert refused.value.value is locale
    for language in ("English (en)", "Ukrainian (uk)", "Russian (ru)", "German (de)"):
        assert language in refused.value.remedy


@pytest.mark.parametrize(
    ("locale", "tag"),
    [
        ("de", "de"),
        ("de_AT", "de-AT"),
        ("de-AT", "de-AT"),
        ("DE_at", "de-AT"),
        ("de_DE.UTF-8", "de-DE"),
        ("de_DE@euro", "de-DE"),
        ("de_FR", "de"),
        ("en_001", "en-001"),
        ("uk_UA", "uk-UA"),
        ("ru_KZ", "ru-KZ"),
    ],
)
def test_any_locale_of_a_language_is_taken(two_documents: Statement, locale: str, tag: str) -> None:
    page = render(two_documents, "html", locale=locale).decode()
    assert f'<html lang="{tag}">' in page


@pytest.mark.parametrize("value", [None, "statement", 5, object()])
def test_what_is_no_statement_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        render(value, "text")
    assert refused.value.field == "statement"


@pytest.mark.parametrize("format", [one for one in FORMATS if one != "pdf"])
def test_the_same_statement_is_the_same_file(two_documents: Statement, format: str) -> None:
    assert render(two_documents, format) == render(two_documents, format)


@pytest.mark.parametrize("format", [one for one in FORMATS if one != "pdf"])
def test_a_hosts_decimal_context_changes_no_figure(format: str) -> None:
    account = plain("EUR", "1234567.89", "0.01")
    plainly = render(account, format)
    with decimal.localcontext() as context:
        context.prec = 3
        context.rounding = decimal.ROUND_UP
        context.traps[decimal.Inexact] = True
        assert render(account, format) == plainly


def test_the_plugin_registers_an_exporter_for_each_format(two_documents: Statement) -> None:
    found: dict[str, Exporter] = {}
    plugin.register_exporters(found.__setitem__)
    assert tuple(found) == FORMATS
    for format in ("text", "html", "xlsx"):
        made = found[format](two_documents, locale="uk", layout="act")
        assert made == render(two_documents, format, locale="uk", layout="act")


def test_a_book_finds_the_exporters_that_are_installed() -> None:
    with open_book("memory:", actor="olena", settings={"company": COMPANY}) as book:
        acme = book.clients.add("Acme GmbH")
        account = book.ledger.statement(acme, "EUR", SINCE, UNTIL)
        assert book.export(account, "text", locale="de") == render(account, "text", locale="de")
        assert sheet_rows(book.export(account, "xlsx", layout="act"))


@pytest.mark.parametrize("error", ["OSError('cannot load libpango')", "ImportError('no module')"])
def test_without_weasyprint_or_pango_it_says_what_to_install(
    two_documents: Statement,
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "weasyprint.py").write_text(f"print('noise')\nraise {error}\n", encoding="utf-8")
    for name in [one for one in sys.modules if one.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError) as refused:
        render(two_documents, "pdf")
    for part in ("clientledger-statements[pdf]", "libpango-1.0-0", "libpangoft2-1.0-0"):
        assert part in refused.value.remedy
    assert capsys.readouterr().out == ""


def test_other_formats_do_not_load_weasyprint(
    two_documents: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    for format in ("text", "html", "xlsx"):
        assert render(two_documents, format)


@pytest.mark.usefixtures("pango")
def test_whatever_a_page_would_load_is_refused(
    two_documents: Statement, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import weasyprint

    asked = []

    class Page(weasyprint.HTML):  # type: ignore[misc]  # it has no types
        """A page that somebody has got an image and a style into."""

        def __init__(self, string: str, **options: Any) -> None:
            asked.append(options["url_fetcher"])
            foreign = '<img src="file:///etc/passwd"><link rel="stylesheet" href="http://[::1]/x">'
            super().__init__(string=string + foreign, **options)

    monkeypatch.setattr(weasyprint, "HTML", Page)
    assert render(two_documents, "pdf").startswith(b"%PDF")
    assert len(asked) == 1
    refused = [record.message for record in caplog.records if "disallowed" in record.message]
    assert len(refused) == 2


def test_the_plugin_loads_nothing_that_draws_before_it_is_asked() -> None:
    code = (
        "import sys, clientledger_statements.plugin;"
        "print([name for name in ('babel', 'jinja2', 'xlsxwriter', 'weasyprint', 'wcwidth')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
