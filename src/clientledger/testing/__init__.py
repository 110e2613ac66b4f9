"""The conformance kit: proves a store, in five lines, against the domain's own definition.

Needs the extra ``clientledger[testing]`` (pytest and Hypothesis)::

    class TestMyStore(StoreContract):
        def open_store(self, folder: Path) -> Store:
            return MyStore(folder / "book")
"""

from clientledger.testing.contract import StoreContract
from clientledger.testing.histories import BookHistory
from clientledger.testing.ledger_histories import LedgerHistory
from clientledger.testing.paired import PairedStore

__all__ = ["BookHistory", "LedgerHistory", "PairedStore", "StoreContract"]
