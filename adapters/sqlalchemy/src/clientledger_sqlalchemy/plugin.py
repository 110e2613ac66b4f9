"""The plugin that opens books in SQLite files, and on PostgreSQL, MariaDB and Galera."""

from clientledger import RegisterStore, hookimpl
from clientledger_sqlalchemy.engines import SCHEMES
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["register_stores"]


@hookimpl
def register_stores(register: RegisterStore) -> None:
    """Supply the store for ``sqlite:///clients.db``, ``postgresql://`` and ``mariadb://``."""
    for scheme in SCHEMES:
        register(scheme, SqlStore.open)
