"""Finds, checks and names plugins: the only plugin manager.

No plugin is loaded by an import, and there is no global manager: each book has its own `Plugins`.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import attrs
import pluggy

from clientledger import hookspecs
from clientledger.domain.money import Currency
from clientledger.domain.rates import ExchangeRate
from clientledger.domain.statements import Statement
from clientledger.domain.text import check_several, check_text
from clientledger.errors import ClientLedgerError, InvalidValue, NotFound, PluginError
from clientledger.hookspecs import PROJECT, Exporter
from clientledger.ports import Store

__all__ = ["Plugins"]

_SCHEME = re.compile(r"[a-z][a-z0-9]*(?:\+[a-z0-9]+)?\Z")

_ADAPTERS = {
    "sqlite": ("clientledger-sqlalchemy", "clientledger[sql]"),
    "postgresql": ("clientledger-sqlalchemy[postgresql]", "clientledger[postgresql]"),
    "mariadb": ("clientledger-sqlalchemy[mariadb]", "clientledger[mariadb]"),
    "mysql": ("clientledger-sqlalchemy[mariadb]", "clientledger[mariadb]"),
}
"""Which distribution to install for a scheme that no installed plugin offers."""


@attrs.frozen(kw_only=True)
class _Kind:
    """Something that plugins register by name."""

    hook: str
    what: str
    field: str
    named: re.Pattern[str]
    usage: str
    does: str


_STORES = _Kind(
    hook="register_stores",
    what="store",
    field="scheme",
    named=_SCHEME,
    usage='register("scheme", factory)',
    does="open {}: books",
)
_UPGRADERS = _Kind(
    hook="register_upgraders",
    what="upgrader",
    field="scheme",
    named=_SCHEME,
    usage='register("scheme", upgrader)',
    does="upgrade {}: books",
)
_EXPORTERS = _Kind(
    hook="register_exporters",
    what="exporter",
    field="format",
    named=re.compile(r"[a-z][a-z0-9]{0,31}\Z"),
    usage='register("format", exporter)',
    does="export {}",
)


@contextmanager
def _named(plugin: str, what: str) -> Iterator[None]:
    """Let whatever a plugin raises, but for our own errors, name it."""
    try:
        yield
    except ClientLedgerError:
        raise
    except Exception as error:  # a broken plugin is named, whatever it raises
        raise PluginError(
            f"the plugin {plugin} {what}: {error}",
            field="plugin",
            value=plugin,
            remedy="mend it, or block it by name",
        ) from error


class Plugins:
    """The plugins of one book.

    Args:
        plugins: modules or objects with hook implementations, registered as they are.
        block: names of plugins that must not be used, however they come.

    Raises:
        PluginError: a plugin is no plugin, or implements a hook that does not exist.
    """

    def __init__(self, plugins: Iterable[object] = (), block: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        for name in check_several(block, "block"):
            self._manager.set_blocked(check_text(name, "block", empty=False))
        for plugin in check_several(plugins, "plugins"):
            self._register(plugin, _name_of(plugin))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the plugins in use, in order."""
        return tuple(
            sorted(name for name, plugin in self._manager.list_name_plugin() if plugin is not None)
        )

    def discover(self, only: str | None = None) -> None:
        """Load installed plugins: all of them, or those of one entry-point name.

        Raises:
            PluginError: one of them cannot be loaded; it is named.
        """
        for entry in entry_points(group=PROJECT):
            wanted = only is None or entry.name == only
            if (
                not wanted
                or self._manager.is_blocked(_entry_name(entry))
                or self._manager.is_blocked(entry.name)
            ):
                continue
            try:
                plugin = entry.load()
            except Exception as error:  # whatever a plugin does at import must not pass for ours
                raise PluginError(
                    f"the plugin {_entry_name(entry)} cannot be loaded: {error}",
                    field="plugin",
                    value=entry.value,
                    remedy=f'install it anew, or block it by name: block=["{entry.name}"]',
                ) from error
            if not self._manager.is_registered(plugin):
                self._register(plugin, _entry_name(entry))

    def open_store(self, url: object, *, read_only: bool = False) -> Store:
        """Open the store that a URL names.

        Raises:
            InvalidValue: not a URL, or a scheme that nobody offers; it names what is installed and
                what to install.
            PluginError: two plugins offer one scheme, or the one that offers it is broken.
        """
        scheme, stores = self._stores(url)
        name, factory = stores[scheme]
        with _named(name, f"failed to open {scheme}: books"):
            store = factory(str(url), read_only=read_only)
        if not isinstance(store, Store):
            raise PluginError(
                f"the plugin {name} opened no store for {scheme}: books",
                field="plugin",
                value=name,
                remedy="let its factory return a Store",
            )
        return store

    def upgrade(self, url: object) -> tuple[int, int]:
        """Upgrade the book that a URL names, and return the versions before and after.

        Raises:
            InvalidValue: not a URL, or a scheme that nobody offers, or whose books need that never.
            StoreError: there is no book, or one that is newer than its store.
            PluginError: two plugins upgrade one scheme, or the one that does is broken.
        """
        scheme, _ = self._stores(url)
        upgraders = self._provided(_UPGRADERS)
        if scheme not in upgraders:
            raise InvalidValue(
                "such books are never upgraded",
                field="url",
                value=_without_user(url),
                remedy="open it: it is read as it is",
            )
        name, upgrader = upgraders[scheme]
        with _named(name, f"failed to upgrade {scheme}: books"):
            before, after = upgrader(str(url))
        return before, after

    def _stores(self, url: object) -> tuple[str, dict[str, tuple[str, Any]]]:
        """The scheme of a URL, and all stores; an installed plugin of its name is loaded."""
        scheme = url.partition(":")[0] if isinstance(url, str) and ":" in url else ""
        if not _SCHEME.match(scheme):
            raise InvalidValue(
                "not the address of a book",
                field="url",
                value=_without_user(url),
                remedy='write "sqlite:///clients.db" or "memory:"',
            )
        stores = self._provided(_STORES)
        if scheme not in stores:
            self.discover(scheme.partition("+")[0])
            stores = self._provided(_STORES)
        if scheme not in stores:
            raise _nobody_opens(scheme, url, stores)
        return scheme, stores

    def exporter(self, format: object) -> Exporter:
        """The exporter of statements for a format; an installed plugin of its name is loaded.

        Raises:
            InvalidValue: a format that nobody offers; it names what there is, and what to install.
            PluginError: two plugins offer one format, or one of them is broken.
        """
        exporters = self._provided(_EXPORTERS)
        name = format if isinstance(format, str) else ""
        if name not in exporters and _EXPORTERS.named.match(name):
            self.discover(name)
            exporters = self._provided(_EXPORTERS)
        if name not in exporters:
            raise InvalidValue(
                "no installed plugin exports it",
                field="format",
                value=format,
                remedy=f"installed: {', '.join(sorted(exporters)) or 'none'}; "
                "clientledger-statements (clientledger[statements]) has text, html, pdf and xlsx",
            )
        plugin, exporter = exporters[name]

        def export(statement: Statement, *, locale: str, layout: str) -> bytes:
            with _named(plugin, f"failed to export {name}"):
                return cast(bytes, exporter(statement, locale=locale, layout=layout))

        return export

    def rate(self, base: Currency, quote: Currency, on: date) -> ExchangeRate:
        """The rate from one currency into another on a day: of the first plugin that knows it.

        Raises:
            NotFound: none knows it.
            PluginError: a plugin fails, or answers with something else.
        """
        told = {"base": base.code, "quote": quote.code, "on": on}
        for implementation in reversed(self._manager.hook.exchange_rate.get_hookimpls()):
            name = implementation.plugin_name
            with _named(name, "failed in exchange_rate"):
                found = implementation.function(*(told[word] for word in implementation.argnames))
            if found is None:
                continue
            if isinstance(found, ExchangeRate) and found.pair == (base.code, quote.code):
                return found
            raise PluginError(
                f"the plugin {name} gave no rate from {base} to {quote}",
                field="plugin",
                value=name,
                remedy="let exchange_rate return an ExchangeRate between the two, or None",
            )
        raise NotFound(
            f"no plugin knows the rate from {base} to {quote} on {on}",
            field="currency",
            value=base.code,
            remedy="give a plugin with the hook exchange_rate",
        )

    def _provided(self, kind: "_Kind") -> dict[str, tuple[str, Any]]:
        """What plugins register by name through a hook, and which plugin each is of."""
        found: dict[str, tuple[str, Any]] = {}
        for implementation in getattr(self._manager.hook, kind.hook).get_hookimpls():
            plugin = implementation.plugin_name

            def register(name: str, provider: Any, plugin: str = plugin) -> None:
                named = isinstance(name, str) and kind.named.match(name)
                if not named or not callable(provider):
                    raise PluginError(
                        f"the plugin {plugin} registers no {kind.what}",
                        field=kind.field,
                        value=name,
                        remedy=f"let it call {kind.usage}, in small letters",
                    )
                if name in found:
                    raise PluginError(
                        f"the plugins {found[name][0]} and {plugin} both {kind.does.format(name)}",
                        field=kind.field,
                        value=name,
                        remedy="block one of them by name",
                    )
                found[name] = (plugin, provider)

            given = [{"register": register}[argument] for argument in implementation.argnames]
            with _named(plugin, f"failed in {kind.hook}"):
                implementation.function(*given)
        return found

    def _register(self, plugin: object, name: str) -> None:
        try:
            self._manager.register(plugin, name)  # which leaves a blocked one out
            self._manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginError(
                f"the plugin {name} cannot be used: {error}",
                field="plugin",
                value=name,
                remedy="give each plugin once, with hooks that clientledger has",
            ) from error


def _nobody_opens(scheme: str, url: object, offered: Iterable[str]) -> InvalidValue:
    distribution, extra = _ADAPTERS.get(scheme.partition("+")[0], ("", ""))
    install = f"; install {distribution} (or {extra})" if distribution else ""
    return InvalidValue(
        f"no installed plugin opens {scheme}: books",
        field="url",
        value=_without_user(url),
        remedy=f"installed: {', '.join(sorted(offered))}{install}",
    )


def _without_user(url: object) -> object:
    """An address without the name and the password in it, which no message may show."""
    return re.sub(r"//.*@", "//", url, flags=re.DOTALL) if isinstance(url, str) else url


def _entry_name(entry: EntryPoint) -> str:
    return f"{entry.dist.name}:{entry.name}" if entry.dist else entry.name


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", type(plugin).__name__))
