"""The reference store keeps the contract that it defines."""

from pathlib import Path

from clientledger import MemoryStore
from clientledger.ports import Store
from clientledger.testing import StoreContract


class TestMemoryStore(StoreContract):
    persistent = False
    keeps_rows = False

    def open_store(self, folder: Path) -> Store:
        return MemoryStore()
