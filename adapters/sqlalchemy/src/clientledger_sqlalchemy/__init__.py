"""The SQL store of clientledger."""

from clientledger_sqlalchemy.schema import tables
from clientledger_sqlalchemy.store import SqlStore

__all__ = ["SqlStore", "tables"]
