"""The timeline: everything that happened with a client, as one list, newest first."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.entries import Entry
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.money import Money
from clientledger.domain.tasks import Task

__all__ = ["TimelineItem", "timeline_item"]


@attrs.frozen(kw_only=True)
class TimelineItem:
    """One row of a client's timeline.

    Attributes:
        id: the id of the record it shows.
        at: when it happened (UTC). A ledger document that was recorded on another day than its
            business date stands at the beginning of its business date.
        what: "interaction", "entry", "agreement", "task" or "change".
        kind: of the record, such as "call", "sale" or "client.changed".
        title: one line.
        amount: of a ledger document, else None.
        on: the business date of a ledger document, else None.
        actor: the key of the member.
    """

    id: UUID
    client: UUID
    at: datetime
    what: str
    kind: str
    title: str
    amount: Money | None = None
    on: date | None = None
    actor: str


def timeline_item(record: object) -> TimelineItem | None:
    """Show a record as a row of the timeline; None where it has no place there.

    An entry, interaction, task or agreement is its own row, so only those events show that tell
    of the client itself.
    """
    match record:
        case Entry(client=client):
            at = _business_moment(record.on, record.recorded_at)
            return _row(
                record, client, at, "entry", record.kind, _entry_title(record), record.actor
            )
        case Interaction(client=client):
            return _row(
                record, client, record.at, "interaction", record.kind, record.summary, record.by
            )
        case Agreement(client=client):
            ended = f" (withdrawn: {record.withdrawn_because})" if record.withdrawn_on else ""
            title = record.text + ended
            return _row(
                record, client, record.recorded_at, "agreement", record.kind, title, record.by
            )
        case Task(client=UUID() as client):
            title = record.title if record.status == "open" else f"{record.title} ({record.status})"
            at = record.closed_at or record.created_at
            return _row(record, client, at, "task", record.kind, title, record.by)
        case Event(client=UUID() as client) if record.type.startswith("client."):
            return _row(
                record,
                client,
                record.at,
                "change",
                record.type,
                _change_title(record),
                record.actor,
            )
    return None


def _row(
    record: Any, client: UUID, at: datetime, what: str, kind: str, title: str, actor: str
) -> TimelineItem:
    entry = record if isinstance(record, Entry) else None
    return TimelineItem(
        id=record.id,
        client=client,
        at=at,
        what=what,
        kind=kind,
        title=title,
        amount=None if entry is None else entry.amount,
        on=None if entry is None else entry.on,
        actor=actor,
    )


def _business_moment(on: date, recorded_at: datetime) -> datetime:
    return recorded_at if recorded_at.date() == on else datetime.combine(on, time(), UTC)


def _entry_title(entry: Entry) -> str:
    named = f"{entry.kind} {entry.number}" if entry.number else entry.kind
    said = entry.method or entry.reason or ", ".join(line.name for line in entry.lines[:3])
    more = (
        f" and {len(entry.lines) - 3} more"
        if not (entry.method or entry.reason) and len(entry.lines) > 3
        else ""
    )
    return f"{named}: {said}{more}" if said else named


def _change_title(event: Event) -> str:
    fields = ", ".join(sorted(event.data.get("after", ())))
    return (
        f"{event.type.removeprefix('client.')}: {fields}"
        if fields
        else event.type.removeprefix("client.")
    )
