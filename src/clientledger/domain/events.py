"""Events: what a change was. Stored in the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.mappings import mapping_field

__all__ = ["Event"]


@attrs.frozen(kw_only=True)
class Event:
    """A change: its type, subject, actor and time.

    A ledger document is its own record, so its event only points at it; the event of a changed
    record keeps the fields ``before`` and ``after`` in its data.

    Attributes:
        type: such as "sale.recorded" or "client.changed".
        subject: the id of the record that changed (for a member, the key).
        client: the client it belongs to, or None.
        actor: the key of the member who did it.
        at: when it was recorded (UTC).
        data: plain data, such as ``{"before": {...}, "after": {...}}``.
        position: its place in the book's change feed, from 1 without gaps; None until given.
    """

    id: UUID
    type: str
    subject: str
    client: UUID | None = None
    actor: str
    at: datetime
    data: Mapping[str, Any] = mapping_field()
    position: int | None = None

    @property
    def cursor(self) -> str:
        """Where a reader of the feed stands after this event: give it back as ``after=``."""
        return "" if self.position is None else str(self.position)
