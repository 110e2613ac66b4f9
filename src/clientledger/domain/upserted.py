"""What an upsert has done."""

import attrs

from clientledger.domain.entries import Entry

__all__ = ["Upserted"]


@attrs.frozen
class Upserted:
    """A document that follows one of another system.

    Attributes:
        outcome: "created", "changed" or "unchanged".
    """

    entry: Entry
    outcome: str
