"""Plugins are found, checked and named; the core registers its own store like everybody."""

import sys
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clientledger import (
    Book,
    ExchangeRate,
    InvalidValue,
    MemoryStore,
    Money,
    NotAllowed,
    NotFound,
    PluginError,
    Statement,
    hookimpl,
    hookspecs,
    open_book,
)
from clientledger.hookspecs import RegisterExporter, RegisterStore, RegisterUpgrader
from clientledger.plugins import Plugins
from clientledger.ports import Store


class Shelf:
    """A plugin that keeps books on a shelf."""

    def __init__(self, scheme: Any = "shelf", factory: Any = None) -> None:
        self.scheme = scheme
        self.factory = factory or self.open
        self.opened: list[tuple[str, bool]] = []

    def open(self, url: str, *, read_only: bool) -> Store:
        self.opened.append((url, read_only))
        return MemoryStore()

    @hookimpl
    def register_stores(self, register: RegisterStore) -> None:
        register(self.scheme, self.factory)


class Cupboard(Shelf):
    """Another one."""


def test_a_plugin_given_outright_opens_books_of_its_scheme() -> None:
    shelf = Shelf()
    with open_book("shelf://kitchen/1?x=y", plugins=[shelf], read_only=True) as book:
        book.clients.add("Acme")
    assert shelf.opened == [("shelf://kitchen/1?x=y", True)]


def test_a_plugin_may_be_a_module() -> None:
    module = ModuleType("shelves")
    module.register_stores = hookimpl(  # type: ignore[attr-defined]  # a module of our own
        lambda register: register("shelf", Shelf().open)
    )
    with open_book("shelf:", plugins=[module]) as book:
        book.clients.add("Acme")


def test_a_scheme_may_name_a_driver() -> None:
    shelf = Shelf("shelf+oak")
    with open_book("shelf+oak://x", plugins=[shelf]):
        assert shelf.opened == [("shelf+oak://x", False)]


def test_a_hook_takes_only_the_arguments_it_wants() -> None:
    called = []

    class Silent:
        @hookimpl
        def register_stores(self) -> None:
            called.append(1)

    with open_book("memory:", plugins=[Silent()]):
        assert called


def test_the_core_opens_its_memory_through_the_same_hook() -> None:
    with open_book("memory:") as book:
        assert isinstance(book, Book)
    with pytest.raises(NotAllowed) as refused:
        open_book("memory:", read_only=True)
    assert refused.value.remedy


def test_two_plugins_on_one_scheme_are_both_named() -> None:
    with pytest.raises(PluginError, match=r"Shelf and Cupboard|Cupboard and Shelf") as caught:
        open_book("shelf:", plugins=[Shelf(), Cupboard()])
    assert (caught.value.field, caught.value.value) == ("scheme", "shelf")
    assert "block" in caught.value.remedy


def test_nobody_takes_the_memory_from_the_core() -> None:
    with pytest.raises(PluginError, match="Shelf"):
        open_book("memory:", plugins=[Shelf("memory")])


def test_one_of_two_plugins_can_be_blocked_by_name() -> None:
    shelf, cupboard = Shelf(), Cupboard()
    with open_book("shelf:", plugins=[shelf, cupboard], block=["Cupboard"]):
        pass
    assert (len(shelf.opened), len(cupboard.opened)) == (1, 0)


def test_a_blocked_plugin_opens_nothing() -> None:
    with pytest.raises(InvalidValue, match="no installed plugin opens shelf: books"):
        open_book("shelf:", plugins=[Shelf()], block=["Shelf"])


def test_a_plugin_given_twice_is_named() -> None:
    shelf = Shelf()
    with pytest.raises(PluginError, match="Shelf"):
        open_book("shelf:", plugins=[shelf, shelf])


def test_a_hook_that_does_not_exist_is_refused_by_name() -> None:
    class Eager:
        @hookimpl
        def register_storez(self, register: RegisterStore) -> None: ...

    with pytest.raises(PluginError, match=r"Eager.*register_storez") as caught:
        open_book("memory:", plugins=[Eager()])
    assert (caught.value.field, caught.value.value) == ("plugin", "Eager")


def test_a_hook_with_an_argument_that_does_not_exist_is_refused_by_name() -> None:
    class Greedy:
        @hookimpl
        def register_stores(self, register: RegisterStore, database: object) -> None: ...

    with pytest.raises(PluginError, match="Greedy"):
        open_book("memory:", plugins=[Greedy()])


@pytest.mark.parametrize(
    "scheme", ["", "Shelf", "shelf:", "1shelf", "sh elf", "shelf\n", "sh-elf", "a+b+c", None, 7, []]
)
def test_a_malformed_scheme_is_refused_and_its_plugin_named(scheme: Any) -> None:
    with pytest.raises(PluginError, match="Shelf") as caught:
        open_book("memory:", plugins=[Shelf(scheme)])
    assert (caught.value.field, caught.value.value) == ("scheme", scheme)
    assert caught.value.remedy


def test_a_store_that_is_not_made_by_a_function_is_refused() -> None:
    with pytest.raises(PluginError, match="Shelf"):
        open_book("memory:", plugins=[Shelf(factory="not a function")])


def broken(register: RegisterStore) -> None:
    raise KeyError("oops")


@pytest.mark.parametrize("error", [KeyError("oops"), RecursionError("oops"), ImportError("oops")])
def test_a_plugin_that_fails_to_register_is_named(error: Exception) -> None:
    class Broken:
        @hookimpl
        def register_stores(self, register: RegisterStore) -> None:
            raise error

    with pytest.raises(PluginError, match=r"Broken.*oops") as caught:
        open_book("memory:", plugins=[Broken()])
    assert caught.value.__cause__ is error
    assert caught.value.value == "Broken"


def test_a_plugin_that_fails_to_open_is_named() -> None:
    def explode(url: str, *, read_only: bool) -> Store:
        raise RuntimeError("no oak left")

    with pytest.raises(PluginError, match=r"Shelf.*no oak left") as caught:
        open_book("shelf:", plugins=[Shelf(factory=explode)])
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_error_of_ours_passes_through_a_plugin_as_it_is() -> None:
    def refuse(url: str, *, read_only: bool) -> Store:
        raise InvalidValue("no such shelf", field="url", value=url, remedy="shelf:1")

    with pytest.raises(InvalidValue, match="no such shelf"):
        open_book("shelf:9", plugins=[Shelf(factory=refuse)])


def test_a_plugin_that_opens_what_is_no_store_is_named() -> None:
    with pytest.raises(PluginError, match="Shelf"):
        open_book("shelf:", plugins=[Shelf(factory=lambda url, read_only: {})])


def test_a_plugin_asking_the_process_to_end_is_not_held_back() -> None:
    class Quitting:
        @hookimpl
        def register_stores(self, register: RegisterStore) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_book("memory:", plugins=[Quitting()])


def test_a_manager_belongs_to_one_book() -> None:
    with open_book("shelf:", plugins=[Shelf()]), pytest.raises(InvalidValue):
        open_book("shelf:")


def test_a_book_on_a_scope_of_ones_own_loads_nothing_more() -> None:
    book = Book(MemoryStore(), plugins=[Shelf()])
    assert "Shelf" in book._plugins.names
    assert Book(MemoryStore(), plugins=Plugins([Shelf()]))._plugins.names == ("Shelf",)


# ------------------------------------------------------------ upgraders
class Carpenter(Shelf):
    """A plugin that mends the shelves of older versions."""

    def __init__(self, scheme: Any = "shelf", upgrader: Any = None) -> None:
        super().__init__()
        self.mends = scheme
        self.upgrader = upgrader or self.mend
        self.mended: list[str] = []

    def mend(self, url: str) -> tuple[int, int]:
        self.mended.append(url)
        return 1, 2

    @hookimpl
    def register_upgraders(self, register: RegisterUpgrader) -> None:
        register(self.mends, self.upgrader)


def test_a_book_is_upgraded_by_the_plugin_of_its_scheme() -> None:
    carpenter = Carpenter()
    assert Plugins([carpenter]).upgrade("shelf://kitchen/1") == (1, 2)
    assert carpenter.mended == ["shelf://kitchen/1"]
    assert carpenter.opened == []


def test_a_book_that_is_of_every_version_is_not_upgraded() -> None:
    with pytest.raises(InvalidValue, match="never upgraded") as caught:
        Plugins([Shelf()]).upgrade("shelf://olena:secret@kitchen/1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["kitchen", "", None, "Shelf:", "attic:1"])
def test_only_the_book_of_an_address_is_upgraded(url: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        Plugins([Carpenter()]).upgrade(url)
    assert caught.value.field == "url"


@pytest.mark.parametrize("scheme", ["Shelf", "", "shelf:", None])
def test_an_upgrader_under_no_scheme_is_named(scheme: Any) -> None:
    with pytest.raises(PluginError, match="Carpenter registers no upgrader"):
        Plugins([Carpenter(scheme)]).upgrade("shelf:")


def test_an_upgrader_that_fails_is_named_and_one_that_refuses_is_heard() -> None:
    def fails(url: str) -> tuple[int, int]:
        raise ZeroDivisionError

    def refuses(url: str) -> tuple[int, int]:
        raise NotFound("no such shelf")

    with pytest.raises(PluginError, match=r"Carpenter failed to upgrade shelf: books"):
        Plugins([Carpenter(upgrader=fails)]).upgrade("shelf:")
    with pytest.raises(NotFound):
        Plugins([Carpenter(upgrader=refuses)]).upgrade("shelf:")
    with pytest.raises(PluginError, match="Carpenter"):
        Plugins([Carpenter(upgrader=lambda url: None)]).upgrade("shelf:")


def test_two_upgraders_of_one_scheme_are_both_named() -> None:
    class Joiner:
        @hookimpl
        def register_upgraders(self, register: RegisterUpgrader) -> None:
            register("shelf", lambda url: (1, 2))

    with pytest.raises(PluginError, match=r"Carpenter and Joiner|Joiner and Carpenter"):
        Plugins([Carpenter(), Joiner()]).upgrade("shelf:")


# ------------------------------------------------------------ installed plugins
Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Give a function that installs a distribution with one plugin, for the time of a test."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def installing(distribution: str, name: str, code: str) -> None:
        module = f"plugin_{distribution}_{name}"
        made.append(module)
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(
            f"[clientledger]\n{name} = {module}\n", encoding="utf-8"
        )

    yield installing
    for module in made:
        sys.modules.pop(module, None)


GOOD = """
from clientledger import MemoryStore, hookimpl

@hookimpl
def register_stores(register):
    register("{scheme}", lambda url, read_only: MemoryStore())
"""


def test_a_url_loads_just_the_plugin_that_it_needs(install: Install) -> None:
    install("oak", "oak", GOOD.format(scheme="oak"))
    install("ash", "ash", "raise RuntimeError('not asked for')")
    with open_book("oak:") as book:
        book.clients.add("Acme")
    assert "plugin_ash_ash" not in sys.modules
    with open_book("memory:"):
        assert "plugin_ash_ash" not in sys.modules


def test_a_url_with_a_driver_loads_the_plugin_of_its_base(install: Install) -> None:
    install("oak", "oak", GOOD.format(scheme="oak+fast"))
    with open_book("oak+fast:") as book:
        book.clients.add("Acme")


def test_all_installed_plugins_are_loaded_where_that_is_asked_for(install: Install) -> None:
    install("oak", "wood", GOOD.format(scheme="oak"))
    with pytest.raises(InvalidValue):
        open_book("oak:")
    with open_book("oak:", discover=True) as book:
        assert any("wood" in name for name in book._plugins.names)


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('broken oak')", "import no_such_module_at_all", "def x(:"]
)
def test_a_plugin_that_cannot_be_loaded_is_named(install: Install, code: str) -> None:
    install("oak", "oak", code)
    with pytest.raises(PluginError, match=r"oak:oak") as caught:
        open_book("oak:")
    assert 'block=["oak"]' in caught.value.remedy
    with open_book("memory:"):
        pass


@pytest.mark.parametrize("name", ["oak", "tree:oak"])
def test_an_installed_plugin_can_be_blocked_by_either_name(install: Install, name: str) -> None:
    install("tree", "oak", "raise RuntimeError('blocked, so never loaded')")
    with pytest.raises(InvalidValue, match="no installed plugin opens oak: books"):
        open_book("oak:", block=[name])


def test_two_installed_plugins_on_one_scheme_are_both_named(install: Install) -> None:
    install("one", "oak", GOOD.format(scheme="oak"))
    install("two", "oak", GOOD.format(scheme="oak"))
    with pytest.raises(PluginError, match=r"one:oak and two:oak|two:oak and one:oak"):
        open_book("oak:")


# ------------------------------------------------------------ exporters
class Printer:
    """A plugin that prints statements."""

    def __init__(self, format: Any = "print", answer: Any = None) -> None:
        self.format = format
        self.answer = answer or (lambda statement, *, locale, layout: b"")

    @hookimpl
    def register_exporters(self, register: RegisterExporter) -> None:
        register(self.format, self.answer)


class OtherPrinter(Printer):
    """Another one."""


def statement_of(book: Book) -> Statement:
    return book.ledger.statement(
        book.clients.add("Acme"), "EUR", date(2026, 3, 1), date(2026, 3, 31)
    )


def test_a_statement_is_exported_by_the_plugin_of_its_format() -> None:
    def answer(statement: Statement, *, locale: str, layout: str) -> bytes:
        return f"{statement.client.name}, {statement.currency}, {locale}, {layout}".encode()

    with open_book("memory:", plugins=[Printer(answer=answer)]) as book:
        made = statement_of(book)
        assert book.export(made, "print") == b"Acme, EUR, en, statement"
        assert book.export(made, "print", locale="uk", layout="act") == b"Acme, EUR, uk, act"


@pytest.mark.parametrize("format", ["nothing", "", "PDF", "../x", None, 1])
def test_a_format_that_nobody_has_is_refused_with_what_there_is(format: Any) -> None:
    with open_book("memory:", plugins=[Printer()]) as book:
        with pytest.raises(InvalidValue, match="print") as caught:
            book.export(statement_of(book), format)
        assert caught.value.field == "format"
        assert "clientledger-statements" in caught.value.remedy


def test_only_a_statement_is_exported() -> None:
    with open_book("memory:", plugins=[Printer()]) as book:
        for junk in (None, "statement", book):
            with pytest.raises(InvalidValue, match="not a statement"):
                book.export(junk, "print")  # type: ignore[arg-type]  # on purpose


def test_an_exporter_that_fails_is_named_and_one_that_refuses_is_heard() -> None:
    def broken(statement: Statement, *, locale: str, layout: str) -> bytes:
        raise RuntimeError("out of ink")

    def refusing(statement: Statement, *, locale: str, layout: str) -> bytes:
        raise InvalidValue("no such language", field="locale", value=locale)

    book = open_book("memory:", plugins=[Printer(answer=broken)])
    with pytest.raises(PluginError, match="Printer failed to export print: out of ink"):
        book.export(statement_of(book), "print")
    book = open_book("memory:", plugins=[Printer(answer=refusing)])
    with pytest.raises(InvalidValue, match="no such language"):
        book.export(statement_of(book), "print", locale="xx")


@pytest.mark.parametrize("format", ["Print", "", 7, None, "a b"])
def test_an_exporter_under_no_name_is_named(format: Any) -> None:
    plugin = Printer()
    plugin.format = format
    book = open_book("memory:", plugins=[plugin])
    with pytest.raises(PluginError, match="Printer registers no exporter"):
        book.export(statement_of(book), "print")


def test_two_exporters_of_one_format_are_both_named() -> None:
    book = open_book("memory:", plugins=[Printer(), OtherPrinter()])
    with pytest.raises(PluginError, match=r"Printer and OtherPrinter both export print"):
        book.export(statement_of(book), "print")


EXPORTER = """
from clientledger import hookimpl

@hookimpl
def register_exporters(register):
    register("papyrus", lambda statement, *, locale, layout: b"rolled")
"""


def test_a_format_loads_just_the_installed_plugin_of_its_name(install: Install) -> None:
    install("scribe", "papyrus", EXPORTER)
    install("ash", "ash", "raise RuntimeError('not asked for')")
    with open_book("memory:") as book:
        assert book.export(statement_of(book), "papyrus") == b"rolled"
    assert "plugin_ash_ash" not in sys.modules


# ------------------------------------------------------------ rates
class Bank:
    """A plugin that knows some rates."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, date]] = []

    @hookimpl
    def exchange_rate(self, base: str, quote: str, on: date) -> ExchangeRate | None:
        self.asked.append((base, quote, on))
        found: ExchangeRate | None = self.answer(base, quote, on)
        return found


class OtherBank(Bank):
    """Another one."""


def dollars(base: str, quote: str, on: date) -> ExchangeRate | None:
    if (base, quote) != ("USD", "EUR"):
        return None
    return ExchangeRate(base=base, quote=quote, rate=Decimal("0.92345"), on=on, source="bank")


def knows_nothing(base: str, quote: str, on: date) -> None:
    return None


def test_a_total_is_converted_by_the_rate_of_the_first_plugin_that_knows_it() -> None:
    silent, bank = OtherBank(knows_nothing), Bank(dollars)
    with open_book("memory:", plugins=[bank, silent]) as book:
        client, day = book.clients.add("Acme"), date(2026, 3, 2)
        book.ledger.record_sale(client, "10.01 USD", on=day)
        book.ledger.record_sale(client, "5.00 EUR", on=day)
        total = book.insights.converted_total("EUR", as_of=date(2026, 3, 5))
        assert total.balance == Money("14.24", "EUR")
        own, converted = total.rows
        assert (own.rate, own.balance) == (None, Money("5.00", "EUR"))
        assert converted.balance == Money("9.24", "EUR")
        assert converted.rate is not None
        assert (converted.rate.on, converted.rate.source) == (date(2026, 3, 5), "bank")
        assert silent.asked == bank.asked == [("USD", "EUR", date(2026, 3, 5))]
        assert book.ledger.account(client, "USD", as_of=day).owed == Money("10.01", "USD")


def test_a_rate_that_nobody_knows_is_not_found() -> None:
    with open_book("memory:", plugins=[Bank(knows_nothing)]) as book:
        book.ledger.record_sale(book.clients.add("Acme"), "1 USD")
        with pytest.raises(NotFound, match="from USD to EUR") as caught:
            book.insights.converted_total("EUR")
        assert "exchange_rate" in caught.value.remedy
        assert book.insights.converted_total("USD").balance == Money("1.00", "USD")


def wrong_pair(base: str, quote: str, on: date) -> ExchangeRate:
    return ExchangeRate(base=quote, quote=base, rate=Decimal(1), on=on)


@pytest.mark.parametrize("answer", [lambda *_: 1.5, lambda *_: "0.9", wrong_pair])
def test_an_answer_that_is_no_rate_names_the_plugin(answer: Any) -> None:
    with open_book("memory:", plugins=[Bank(answer)]) as book:
        book.ledger.record_sale(book.clients.add("Acme"), "1 USD")
        with pytest.raises(PluginError, match="Bank gave no rate"):
            book.insights.converted_total("EUR")


def test_a_bank_that_fails_is_named() -> None:
    def broken(base: str, quote: str, on: date) -> ExchangeRate:
        raise OSError("closed today")

    with open_book("memory:", plugins=[Bank(broken)]) as book:
        book.ledger.record_sale(book.clients.add("Acme"), "1 USD")
        with pytest.raises(PluginError, match="Bank failed in exchange_rate: closed today"):
            book.insights.converted_total("EUR")


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(-1), 0.9, Decimal("NaN")])
def test_a_rate_is_positive_and_exact(rate: Any) -> None:
    with pytest.raises(InvalidValue):
        ExchangeRate(base="USD", quote="EUR", rate=rate, on=date(2026, 3, 2))


# ------------------------------------------------------------ completeness
def test_every_hook_has_a_test_and_says_what_it_is_for() -> None:
    hooks = {
        name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "clientledger_spec")
    }
    tested = Path(__file__).read_text(encoding="utf-8")
    assert hooks
    for name in hooks:
        assert f"def {name}(self, " in tested
        assert getattr(hookspecs, name).__doc__
        assert name in hookspecs.__all__
