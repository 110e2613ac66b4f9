"""The plugin that opens books in SQLite files, and on PostgreSQL, MariaDB and Galera."""

from clientledger import RegisterStore, RegisterUpgrader, hookimpl
from clientledger_sqlalchemy.engines import SCHEMES
from clientledger_sqlalchemy.store import SqlStore
from clientledger_sqlalchemy.upgrading import upgrade

__all__ = ["register_stores", "register_upgraders"]


@hookimpl
def register_stores(register: RegisterStore) -> None:
    """Supply the store for ``sqlite:///clients.db``, ``postgresql://`` and ``mariadb://``."""
    for scheme in SCHEMES:
        register(scheme, SqlStore.open)


@hookimpl
def register_upgraders(register: RegisterUpgrader) -> None:
    """Supply what brings the tables of those books to the version of this program."""
    for scheme in SCHEMES:
        register(scheme, upgrade)
