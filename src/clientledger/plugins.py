"""Finds, checks and names plugins: the only plugin manager.

No plugin is loaded by an import, and there is no global manager: each book has its own `Plugins`.
"""

import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

import pluggy

from clientledger import hookspecs
from clientledger.domain.text import check_several, check_text
from clientledger.errors import ClientLedgerError, InvalidValue, PluginError
from clientledger.hookspecs import PROJECT, StoreFactory
from clientledger.ports import Store

__all__ = ["Plugins"]

_SCHEME = re.compile(r"[a-z][a-z0-9]*(?:\+[a-z0-9]+)?\Z")

_ADAPTERS = {
    "sqlite": ("clientledger-sqlalchemy", "clientledger[sql]"),
}
"""Which distribution to install for a scheme that no installed plugin offers."""


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
        scheme = url.partition(":")[0] if isinstance(url, str) and ":" in url else ""
        if not _SCHEME.match(scheme):
            raise InvalidValue(
                "not the address of a book",
                field="url",
                value=_without_user(url),
                remedy='write "sqlite:///clients.db" or "memory:"',
            )
        stores = self._stores()
        if scheme not in stores:
            self.discover(scheme.partition("+")[0])
            stores = self._stores()
        if scheme not in stores:
            raise _nobody_opens(scheme, url, stores)
        name, factory = stores[scheme]
        try:
            store = factory(str(url), read_only=read_only)
        except ClientLedgerError:
            raise
        except Exception as error:  # a broken plugin is named, whatever it raises
            raise PluginError(
                f"the plugin {name} failed to open {scheme}: books: {error}",
                field="plugin",
                value=name,
                remedy="mend it, or block it by name",
            ) from error
        if not isinstance(store, Store):
            raise PluginError(
                f"the plugin {name} opened no store for {scheme}: books",
                field="plugin",
                value=name,
                remedy="let its factory return a Store",
            )
        return store

    def _stores(self) -> dict[str, tuple[str, StoreFactory]]:
        found: dict[str, tuple[str, StoreFactory]] = {}
        for implementation in self._manager.hook.register_stores.get_hookimpls():
            name = implementation.plugin_name

            def register(scheme: str, factory: StoreFactory, name: str = name) -> None:
                if (
                    not isinstance(scheme, str)
                    or not _SCHEME.match(scheme)
                    or not callable(factory)
                ):
                    raise PluginError(
                        f"the plugin {name} registers no store",
                        field="scheme",
                        value=scheme,
                        remedy='let it call register("scheme", factory), in small letters',
                    )
                if scheme in found:
                    raise PluginError(
                        f"the plugins {found[scheme][0]} and {name} both open {scheme}: books",
                        field="scheme",
                        value=scheme,
                        remedy="block one of them by name",
                    )
                found[scheme] = (name, factory)

            given = [{"register": register}[argument] for argument in implementation.argnames]
            try:
                implementation.function(*given)
            except PluginError:
                raise
            except Exception as error:  # a broken plugin is named, whatever it raises
                raise PluginError(
                    f"the plugin {name} failed in register_stores: {error}",
                    field="plugin",
                    value=name,
                    remedy="mend it, or block it by name",
                ) from error
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
