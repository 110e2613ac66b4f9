"""What a plugin may say: the specifications of the hooks, and the marker for implementing them.

An implementation is a function with the hook's name, marked with ``clientledger.hookimpl``, in a
module or an object. It takes only the arguments it wants.
"""

from collections.abc import Callable
from datetime import date
from typing import Protocol

import pluggy

from clientledger.domain.rates import ExchangeRate
from clientledger.domain.statements import Statement
from clientledger.ports import Store

__all__ = [
    "PROJECT",
    "Exporter",
    "RegisterExporter",
    "RegisterStore",
    "RegisterUpgrader",
    "StoreFactory",
    "Upgrader",
    "exchange_rate",
    "hookimpl",
    "register_exporters",
    "register_stores",
    "register_upgraders",
]

PROJECT = "clientledger"
"""The name of the pluggy project, and of the entry-point group that plugins are found by."""

_hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class StoreFactory(Protocol):
    """Opens a store by its URL."""

    def __call__(self, url: str, *, read_only: bool) -> Store:
        """Open the store, making it where it is not there yet and may be written."""


RegisterStore = Callable[[str, StoreFactory], None]


@_hookspec
def register_stores(register: RegisterStore) -> None:
    """Supply stores: call ``register(scheme, factory)`` for each URL scheme.

    `factory(url, read_only=...)` is called when a book is opened with a URL of the scheme, the part
    before the first colon. A scheme that is malformed or taken is a `PluginError` that names the
    plugins.
    """


class Upgrader(Protocol):
    """Brings a book that is there to the version that its store is of."""

    def __call__(self, url: str) -> tuple[int, int]:
        """Upgrade it, and return the versions before and after: the same where that was not needed.

        It may be interrupted anywhere, and is then called again.

        Raises:
            StoreError: there is no book, or one that is newer than the store.
        """


RegisterUpgrader = Callable[[str, Upgrader], None]


@_hookspec
def register_upgraders(register: RegisterUpgrader) -> None:
    """Supply what upgrades books: call ``register(scheme, upgrader)`` for each URL scheme.

    `upgrader(url)` is called by ``clientledger upgrade``. A store that opens books of every
    version needs none. A scheme that is malformed or taken is a `PluginError` that names the
    plugins.
    """


class Exporter(Protocol):
    """Renders a statement of account as a file."""

    def __call__(self, statement: Statement, *, locale: str, layout: str) -> bytes:
        """Render it, in the words and the number formats of a locale such as "de_AT".

        Raises:
            InvalidValue: a locale or a layout that the exporter does not have.
        """


RegisterExporter = Callable[[str, Exporter], None]


@_hookspec
def register_exporters(register: RegisterExporter) -> None:
    """Supply exporters of statements: call ``register(format, exporter)`` for each format.

    `exporter(statement, locale=..., layout=...)` is called by ``book.export``. A format is named
    in small letters and digits, such as "pdf"; one that is malformed or taken is a `PluginError`
    that names the plugins.
    """


@_hookspec(firstresult=True)
def exchange_rate(base: str, quote: str, on: date) -> ExchangeRate | None:
    """Say how many units of `quote` one unit of `base` was worth on a day; None where unknown.

    `base` and `quote` are currency codes. The first plugin that knows is believed. It is asked for
    totals that are shown converted and for exchange differences, never for a debt. An exception is
    a `PluginError` that names the plugin.
    """
