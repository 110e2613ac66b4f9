"""Members of our own team, and the handing over of what one of them looks after."""

from datetime import datetime
from uuid import UUID

import attrs

__all__ = ["SYSTEM", "HandOver", "Member"]

SYSTEM = "system"
"""The member that writes where a book was opened without an actor."""


@attrs.frozen(kw_only=True)
class Member:
    """Somebody of our own team, named by a key: a client's manager, a task's assignee, an actor."""

    id: str
    name: str
    email: str | None = None
    phone: str | None = None
    active: bool = True
    created_at: datetime
    revision: int = 1

    @property
    def key(self) -> str:
        """The key by which the member is named everywhere."""
        return self.id


@attrs.frozen(kw_only=True)
class HandOver:
    """What passed from one member to another, in one transaction."""

    id: UUID
    from_: str
    to: str
    clients: tuple[UUID, ...]
    tasks: tuple[UUID, ...]
    reason: str
    at: datetime
    actor: str
