"""Interactions: what happened with a client."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from clientledger.domain.mappings import mapping_field

__all__ = ["DIRECTIONS", "Interaction"]

DIRECTIONS = ("in", "out")


@attrs.frozen(kw_only=True)
class Interaction:
    """A call, meeting, message, e-mail, visit or note: who, when, with whom, what came of it.

    Attributes:
        kind: the host's word, such as "call".
        at: when it happened (UTC).
        direction: "in", "out" or None.
        contact: the name of the contact person, or "".
        by: the member who had it.
        revision: 1 as logged; revising makes it one more, what was before stays in the history.
    """

    id: UUID
    client: UUID
    kind: str
    summary: str
    at: datetime
    direction: str | None = None
    contact: str = ""
    body: str = ""
    outcome: str = ""
    by: str
    external_ids: Mapping[str, str] = mapping_field()
    recorded_at: datetime
    revision: int = 1
