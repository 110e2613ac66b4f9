"""The SQL store keeps the contract, on a real SQLite file."""

from pathlib import Path

from clientledger.ports import Store
from clientledger.testing import StoreContract
from clientledger_sqlalchemy import SqlStore


class TestSqliteFile(StoreContract):
    def open_store(self, folder: Path) -> Store:
        return SqlStore.open(f"sqlite:///{folder / 'book.db'}")
