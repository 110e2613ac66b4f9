"""The plugin that opens ``sqlite:`` books."""

from clientledger import RegisterStore, hookimpl
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["register_stores"]


@hookimpl
def register_stores(register: RegisterStore) -> None:
    """Supply the store for ``sqlite:///clients.db``."""
    register("sqlite", SqlStore.open)
