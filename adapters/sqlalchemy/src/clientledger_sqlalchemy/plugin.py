"""The plugin that opens ``sqlite:`` books."""

from collections.abc import Callable

from clientledger import hookimpl
from clientledger.ports import Store
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["register_stores"]


@hookimpl
def register_stores(register: Callable[[str, Callable[..., Store]], None]) -> None:
    """Supply the store for ``sqlite:///clients.db``."""
    register("sqlite", SqlStore.open)
