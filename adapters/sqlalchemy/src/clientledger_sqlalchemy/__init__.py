"""The SQL store of clientledger."""

from clientledger_sqlalchemy.schema import tables
from clientledger_sqlalchemy.store import SqlStore
from clientledger_sqlalchemy.upgrading import upgrade

__all__ = ["SqlStore", "tables", "upgrade"]
