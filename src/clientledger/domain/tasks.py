"""Tasks: what has to be done next."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import attrs

from clientledger.domain.mappings import mapping_field

__all__ = ["TASK_STATUSES", "Task"]

TASK_STATUSES = ("open", "done", "cancelled")


@attrs.frozen(kw_only=True)
class Task:
    """Something to do, usually for a client.

    Attributes:
        kind: the host's word, such as "to do", "call" or "payment reminder".
        due_on: the day it is due in the book's time zone, or None.
        due_at: the moment it is due (UTC), where a time was given.
        assignee: the key of the member who should do it, or None.
        remind: the moment of a reminder (UTC), or None.
        about: the id of the record it is about (a sale, an agreement), or None.
        status: "open", "done" or "cancelled".
        outcome: what came of it, or why it was cancelled.
    """

    id: UUID
    title: str
    client: UUID | None = None
    kind: str = "to do"
    due_on: date | None = None
    due_at: datetime | None = None
    assignee: str | None = None
    remind: datetime | None = None
    about: UUID | None = None
    note: str = ""
    status: str = "open"
    outcome: str = ""
    by: str
    external_ids: Mapping[str, str] = mapping_field()
    created_at: datetime
    closed_at: datetime | None = None
    revision: int = 1

    @property
    def due(self) -> date | datetime | None:
        """When it is due, as it was given: a date, a moment, or None."""
        return self.due_at or self.due_on
