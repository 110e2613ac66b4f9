"""What a plugin may say: the specifications of the hooks, and the marker for implementing them.

An implementation is a function with the hook's name, marked with ``clientledger.hookimpl``, in a
module or an object. It takes only the arguments it wants.
"""

from collections.abc import Callable
from typing import Protocol

import pluggy

from clientledger.ports import Store

__all__ = ["PROJECT", "RegisterStore", "StoreFactory", "hookimpl", "register_stores"]

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
