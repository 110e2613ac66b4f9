"""Claims, looked at in an audit: who should hold one holds it, and nobody else does."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import ENTRY_KINDS, Allocation, Entry
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.posting import Claim
from clientledger.domain.settings import Settings
from clientledger.domain.soundness import Problem
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.errors import NotFound, StoreError
from clientledger.ports import AllocationQuery, ClaimQuery, ClientQuery, EntryQuery
from clientledger.services.rows import Rows
from clientledger.services.work import COMMANDS, external_space

__all__ = ["claims_of_nobody", "claims_of_records"]

_AT_ONCE = 500
_Holder = Client | Interaction | Agreement | Task | Entry
_KINDS: Mapping[str, type[Any]] = {
    "client": Client,
    "interaction": Interaction,
    "agreement": Agreement,
    "task": Task,
    **dict.fromkeys(ENTRY_KINDS, Entry),
}
"""Whose external ids the spaces hold."""


def claims_of_records(
    rows: Rows, records: Iterable[_Holder], voided: Collection[UUID] = ()
) -> Iterator[Problem]:
    """Compare the claims of some records with the numbers and external ids that they have.

    Args:
        voided: those of the records that have given theirs free.
    """
    known = {str(record.id): record for record in records}
    held: dict[str, set[tuple[str, str]]] = {subject: set() for subject in known}
    for claim in rows.read(ClaimQuery(subjects=tuple(known))) if known else ():
        if claim.space != COMMANDS:
            held[claim.subject].add(claim.id)
    for subject, record in known.items():
        left = held[subject]
        for ways in () if record.id in voided else _wanted(record):
            kept = left & ways
            left = left - ways
            if not kept:
                space, key = min(ways, key=lambda way: len(way[1]))
                yield _problem(record, space, key, _holder(rows, space, key), f"held by {subject}")
        for space, key in sorted(left):
            yield _problem(record, space, key, f"held by {subject}", "which has no such one, live")


def _wanted(record: _Holder) -> Iterator[set[tuple[str, str]]]:
    """What a record has to hold; each in one of the ways in which it could have been claimed."""
    kind = record.kind if isinstance(record, Entry) else type(record).__name__.lower()
    if isinstance(record, Entry) and record.number is not None:
        number, space = record.number, f"number:{kind}"
        yield {(space, number), (space, f"{record.client}/{number}")}
    for source, value in record.external_ids.items():
        yield {(external_space(kind, source), value)}


def _holder(rows: Rows, space: str, key: str) -> str:
    found = rows.read(ClaimQuery(space=space, key=key))
    return f"held by {found[0].subject}" if found else "nothing"


def _problem(record: _Holder, space: str, key: str, stored: str, computed: str) -> Problem:
    owner = record.id if isinstance(record, Client) else record.client
    return Problem(
        what="Claim", client=owner, row=f"{space} {key}", stored=stored, computed=computed
    )


# ------------------------------------------------------------ the other way round
def claims_of_nobody(rows: Rows) -> Iterator[Problem]:
    """Name the claims whose subject is not there."""
    query = ClaimQuery(limit=_AT_ONCE)
    while True:
        claims, unread = rows.look(query)
        yield from _of_nobody(rows, claims)
        if len(claims) + len(unread) < _AT_ONCE or not claims:
            return
        query = attrs.evolve(query, after=ClaimQuery.cursor(claims[-1]))


def _of_nobody(rows: Rows, claims: list[Claim]) -> Iterator[Problem]:
    subjects = {id for claim in claims for id in _subjects(claim)}
    if _all_there(rows, subjects):
        return
    there = _there(rows, subjects)
    for claim in claims:
        kind = _kind_of(claim)
        for id in _subjects(claim):
            if id not in there and not _is_there(rows, kind, id):
                yield Problem(
                    what="Claim",
                    client=None,
                    row=f"{claim.space} {claim.key}",
                    stored=f"held by {claim.subject}",
                    computed="no such record",
                )


def _subjects(claim: Claim) -> list[str]:
    """What holds a claim: of a command all that it made."""
    if claim.space != COMMANDS:
        return [claim.subject]
    return [one.partition("/")[0] for one in claim.subject.split(",") if one]


def _kind_of(claim: Claim) -> tuple[type[Any], ...]:
    """Which records can hold a claim; none where the space is not ours."""
    space, _, rest = claim.space.partition(":")
    if space == COMMANDS:
        return (Client, Entry, Allocation, Interaction, Agreement, Task, Event, Settings, Member)
    if space == "number":
        return (Entry,)
    kind = _KINDS.get(rest.partition(":")[0]) if space == "external" else None
    return () if kind is None else (kind,)


def _all_there(rows: Rows, subjects: set[str]) -> bool:
    """Whether all are documents, clients or allocations: counted, which is quicker than read."""
    ids = tuple(id for id in map(_id, sorted(subjects)) if id is not None)
    total = rows.reading.total
    found = (
        total(EntryQuery(ids=ids)) + total(ClientQuery(ids=ids)) + total(AllocationQuery(ids=ids))
    )
    return len(ids) == len(subjects) == found


def _there(rows: Rows, subjects: set[str]) -> set[str]:
    """Those of some ids that most claims are held by: documents, clients and allocations."""
    ids = tuple(id for id in map(_id, sorted(subjects)) if id is not None)
    found: list[Any] = []
    if ids:
        found += rows.read(EntryQuery(ids=ids))
        found += rows.read(ClientQuery(ids=ids))
        found += rows.read(AllocationQuery(ids=ids))
    return {str(row.id) for row in found}


def _is_there(rows: Rows, kinds: tuple[type[Any], ...], subject: str) -> bool:
    """Whether there is such a record, even one that cannot be read."""
    for kind in kinds:
        id = subject if kind is Member else _id(subject)
        try:
            if id is not None:
                rows.reading.get(kind, id)
                return True
        except NotFound:
            continue
        except StoreError:
            return True
    return not kinds


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
