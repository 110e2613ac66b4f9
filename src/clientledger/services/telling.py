"""Telling: each fact has an event that tells of it, and each event tells of something."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from clientledger.domain.agreements import Agreement
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.journal import Journal
from clientledger.domain.seals import ALLOCATED, RELEASED, VOIDED, released_by
from clientledger.domain.soundness import Problem
from clientledger.domain.tasks import Task
from clientledger.services.rows import Facts
from clientledger.services.sealing import recorded

__all__ = ["of_book", "of_client"]

_RECORDS: Mapping[str, type[Any]] = {
    "interaction": Interaction,
    "agreement": Agreement,
    "task": Task,
}
_TOLD_ONCE = ("recorded", VOIDED, ALLOCATED, RELEASED)


def of_client(client: UUID, facts: Facts) -> Iterator[Problem]:
    """Compare the events of a client with its facts and records; all of them could be read."""
    told: Counter[tuple[str, str]] = Counter()
    there = _there(client, facts)
    unnamed = _unnamed(facts.journal)
    for event in facts.of[Event]:
        manner, subject = _told(event)
        if manner == RELEASED and "release" not in event.data:
            subject = unnamed.get((event.subject, event.at), subject)
        told[manner, subject] += 1
        again = manner in _TOLD_ONCE and told[manner, subject] > 1
        if again or (manner in there and subject not in there[manner]):
            yield _unfounded(event, "what another event tells of" if again else "no such record")
    for what, manner, subject, id in _facts(facts.journal):
        if not told[manner, subject]:
            yield Problem(
                what=what,
                client=client,
                row=str(id),
                stored="no event that tells of it",
                computed="one for each fact",
            )


def of_book(events: Iterable[Event], there: Mapping[str, Iterable[str]]) -> Iterator[Problem]:
    """Compare events of no client with the records they may tell of, by the manner of telling."""
    for event in events:
        manner, subject = _told(event)
        if subject not in there.get(manner, () if manner in _TOLD_ONCE else (subject,)):
            yield _unfounded(event, "no such record")


def _unfounded(event: Event, computed: str) -> Problem:
    return Problem(
        what="Event",
        client=event.client,
        row=str(event.id),
        stored=f"{event.type} of {event.subject}",
        computed=computed,
    )


def _told(event: Event) -> tuple[str, str]:
    """The manner in which an event tells of something, and by which name."""
    if event.type == RELEASED:
        return RELEASED, str(released_by(event))
    if event.type in (VOIDED, ALLOCATED):
        return event.type, event.subject
    return ("recorded" if recorded(event) else event.type.partition(".")[0]), event.subject


def _unnamed(journal: Journal) -> Mapping[tuple[str, datetime], str]:
    """The releases by allocation and moment: older events name none, and tell of that one."""
    return {(str(back.allocation), back.recorded_at): str(back.id) for back in journal.releases}


def _facts(journal: Journal) -> Iterator[tuple[str, str, str, UUID]]:
    """Each fact, with how an event tells of it."""
    for entry in journal.entries:
        manner = "recorded" if entry.undoes is None else VOIDED
        yield "Entry", manner, str(entry.undoes or entry.id), entry.id
    for link in journal.allocations:
        yield "Allocation", ALLOCATED, str(link.id), link.id
    for back in journal.releases:
        yield "Release", RELEASED, str(back.id), back.id


def _there(client: UUID, facts: Facts) -> Mapping[str, set[str]]:
    """What of a client an event can tell of, by the manner of telling."""
    found: dict[str, set[str]] = {manner: set() for manner in _TOLD_ONCE}
    for _, manner, subject, _ in _facts(facts.journal):
        found[manner].add(subject)
    for name, kind in _RECORDS.items():
        if facts.whole(kind):
            found[name] = {str(record.id) for record in facts.of[kind]}
    return {**found, "client": {str(client)}}
