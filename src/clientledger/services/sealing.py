"""Sealing: the hash chain over the change feed is made, and checked against an anchor."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from clientledger import codec
from clientledger.domain.events import Event
from clientledger.domain.posting import Posting
from clientledger.domain.seals import (
    ALLOCATED,
    BEGINNING,
    RELEASED,
    VOIDED,
    Anchor,
    Seal,
    personal_part,
    public_part,
    released_by,
)
from clientledger.domain.soundness import Problem
from clientledger.errors import NotAllowed
from clientledger.ports import (
    AllocationQuery,
    EntryQuery,
    EventQuery,
    Reading,
    ReleaseQuery,
    SealQuery,
    Store,
    UnitOfWork,
)
from clientledger.services.desk import Desk
from clientledger.services.rows import Rows

__all__ = ["FeedCheck", "anchor_of", "give_positions", "recorded"]

_AT_ONCE = 500
_LAST_ID = UUID(int=2**128 - 1)
_RECORDED = ".recorded"


def recorded(event: Event) -> bool:
    """Whether an event says that a document was recorded; its subject is the document."""
    return event.type.endswith(_RECORDED)


# ------------------------------------------------------------ making the chain
def give_positions(desk: Desk) -> None:
    """Give every committed event its position in the feed, and its seal where the book has a chain.

    In a unit of work, and in a book that is open for reading only, nothing is given.
    """
    if not isinstance(desk.scope, Store):
        return
    desk.scope.sequence()
    try:
        while _waits(desk) and desk.repeat(_seal_some):
            pass
    except NotAllowed:
        return  # open for reading only: whoever may write seals them


def anchor_of(desk: Desk) -> Anchor:
    """The end of the chain, after everything was sealed that can be.

    Raises:
        NotAllowed: the book has no chain.
    """
    give_positions(desk)
    with desk.glance() as glance:
        if not glance.settings.hash_chain:
            raise NotAllowed(
                "the book has no hash chain",
                field="hash_chain",
                value=False,
                remedy="switch it on first: book.change_settings(hash_chain=True)",
            )
        last = _last(glance.reading)
    return Anchor(0, BEGINNING) if last is None else Anchor(last.position, last.digest)


def _waits(desk: Desk) -> bool:
    """Whether the book has a chain, and an event that is not in it yet."""
    with desk.glance() as glance:
        return glance.settings.hash_chain and bool(_unsealed(glance.reading, 1))


def _last(reading: Reading) -> Seal | None:
    return next(iter(reading.find(SealQuery(limit=1))), None)


def _unsealed(reading: Reading, limit: int) -> list[Event]:
    last = _last(reading)
    after = None if last is None else (last.position, _LAST_ID)
    return reading.find(EventQuery(sequenced=True, limit=limit, after=after))


def _seal_some(unit: UnitOfWork) -> bool:
    """Seal the next events; whoever is quicker makes this one begin again.

    Returns:
        whether any was: none is beside a fact that cannot be read.
    """
    last = _last(unit)
    digest = BEGINNING if last is None else last.digest
    events = _unsealed(unit, _AT_ONCE)
    rows = Rows(unit)
    facts = _facts_of(rows, events)
    if rows.problems or not events:
        return False
    seals = []
    for event in events:
        salt = secrets.token_hex(32)
        personal = _personal(salt, event, facts[event.id])
        digest = _digest(digest, event, facts[event.id], personal)
        assert event.position is not None, "only events that have one are asked for"
        seals.append(Seal(position=event.position, digest=digest, personal=personal, salt=salt))
    unit.post(Posting(facts=tuple(seals)))
    return True


def _digest(before: str, event: Event, facts: Sequence[Any], personal: str) -> str:
    said = codec.canonical(public_part(event, facts))
    return _sha256(f"{before}\n{said}\n{personal}")


def _personal(salt: str, event: Event, facts: Sequence[Any]) -> str:
    return _sha256(f"{salt}\n{codec.canonical(personal_part(event, facts))}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# ------------------------------------------------------------ what an event tells of
def _facts_of(rows: Rows, events: Sequence[Event]) -> Mapping[UUID, list[Any]]:
    """The facts of the ledger that each event tells of, in one order."""
    wanted: dict[str, dict[UUID, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        kind, id = _told_by(event)
        if id is not None:
            wanted[kind][id].append(event.id)
    found: dict[UUID, list[Any]] = {event.id: [] for event in events}
    facts: list[tuple[str, UUID | None, Any]] = []
    if ids := tuple(wanted["recorded"]):
        facts += [("recorded", row.id, row) for row in rows.read(EntryQuery(ids=ids))]
    if ids := tuple(wanted["voided"]):
        facts += [("voided", row.undoes, row) for row in rows.read(EntryQuery(undoes=ids))]
    if ids := tuple(wanted["allocated"]):
        facts += [("allocated", row.id, row) for row in rows.read(AllocationQuery(ids=ids))]
    if ids := tuple(wanted["released"]):
        facts += [("released", row.id, row) for row in rows.read(ReleaseQuery(ids=ids))]
    for kind, id, fact in sorted(facts, key=lambda told: (told[2].id, told[2].client)):
        for event_id in wanted[kind].get(id, ()) if id is not None else ():
            found[event_id].append(fact)
    return found


def _told_by(event: Event) -> tuple[str, UUID | None]:
    """How an event tells of a fact, and the id that it tells it by."""
    if event.type == RELEASED:
        return "released", released_by(event)
    kind = {ALLOCATED: "allocated", VOIDED: "voided"}.get(event.type)
    if kind is None and not recorded(event):
        return "", None
    try:
        return kind or "recorded", UUID(event.subject)
    except ValueError:
        return "", None


# ------------------------------------------------------------ checking the chain
class FeedCheck:
    """A check of the change feed, and of the chain over it.

    Args:
        rows: the state that is looked at.
        chained: whether the book's settings say that it has a chain.
        anchor: the end of the chain at some moment, or None.

    Attributes:
        sealed: how many events have a seal.
        unsealed: how many at the end of the feed have none yet.
        forgotten: how many seals have lost their salt, so that what people wrote into their events
            cannot be checked.
    """

    def __init__(self, rows: Rows, chained: bool, anchor: Anchor | None) -> None:
        self._rows = rows
        self._chained = chained
        self._anchor = anchor
        self._has_seals = bool(rows.read(SealQuery(limit=1)))
        self._before: Seal | None = None
        self._bare: list[Event] = []
        self._at_anchor: Seal | None = None
        self.sealed = self.unsealed = self.forgotten = 0

    def run(self) -> Iterator[tuple[list[Event], list[Problem]]]:
        """Go through the feed: some events at a time, and what is wrong with them."""
        place: int | None = None  # what stands before position 1 is looked at, too
        ended = False
        while not ended:
            after = None if place is None else (place, _LAST_ID)
            query = EventQuery(sequenced=True, limit=_AT_ONCE, after=after)
            events, unread = self._rows.look(query)
            ended = len(events) + len(unread) < _AT_ONCE
            last = (events[-1].position or 0) if events else (place or 0) + _AT_ONCE
            found = [] if unread else list(_gaps(events, place or 0))
            if self._has_seals:
                until = None if ended else last
                since = None if place is None else place + 1
                seals = self._rows.read(SealQuery(since=since, until=until))
                found += self._compare(events, seals)
            else:
                self.unsealed += len(events)
            yield events, found
            place = last
        yield [], list(self._end())

    def _compare(self, events: Sequence[Event], seals: Sequence[Seal]) -> Iterator[Problem]:
        """Each event has its seal, and each seal its event."""
        facts = _facts_of(self._rows, events)
        at = {event.position or 0: event for event in events}
        sealed = {seal.position: seal for seal in seals}
        for place in sorted({*at, *sealed}):
            event, seal = at.get(place), sealed.get(place)
            if seal is None:
                self._bare.append(at[place])
                continue
            torn = bool(self._bare)
            yield from self._missing()
            self.sealed += 1
            self.forgotten += seal.salt is None
            if self._anchor is not None and place == self._anchor.position:
                self._at_anchor = seal
            if event is None:
                yield Problem(
                    what="Seal",
                    client=None,
                    row=str(place),
                    stored="a seal",
                    computed="no event at this position",
                )
            else:
                yield from self._broken(event, seal, facts[event.id], torn)
            self._before = seal

    def _missing(self) -> Iterator[Problem]:
        """Events without a seal, before one that has a seal."""
        for event in self._bare:
            yield _problem(event, "nothing", "a seal, since later events have one")
        self._bare = []

    def _broken(
        self, event: Event, seal: Seal, facts: Sequence[Any], torn: bool
    ) -> Iterator[Problem]:
        """Compare a seal with what it is of; after a missing one the chain itself cannot be."""
        before = BEGINNING if self._before is None else self._before.digest
        digest = _digest(before, event, facts, seal.personal)
        if digest != seal.digest and not torn:
            said = f"{digest}: it, what it tells of or its seal was altered"
            yield _problem(event, f"the digest {seal.digest}", said)
        personal = None if seal.salt is None else _personal(seal.salt, event, facts)
        if personal not in (None, seal.personal):
            said = f"{personal}: what was written into it was altered"
            yield _problem(event, f"the digest {seal.personal}", said)

    def _end(self) -> Iterator[Problem]:
        """The chain goes as far as it should, and is the one that was anchored."""
        self.unsealed += len(self._bare)
        if self._has_seals and not self._chained:
            yield Problem(
                what="Settings",
                client=None,
                row="hash_chain",
                stored="False",
                computed="True, since events are sealed",
            )
        if self._anchor is None:
            return
        held = BEGINNING if self._anchor.position == 0 else None
        if self._at_anchor is not None:
            held = self._at_anchor.digest
        if held != self._anchor.digest:
            last = 0 if self._before is None else self._before.position
            ends = f"no seal there, and the last one at {last}"
            became = "its end has gone" if held is None else "it was altered, and sealed anew"
            yield Problem(
                what="anchor",
                client=None,
                row=str(self._anchor.position),
                stored=ends if held is None else f"the digest {held}",
                computed=f"{self._anchor.digest}: {became}",
            )


def _gaps(events: Sequence[Event], place: int) -> Iterator[Problem]:
    """Positions run from 1 without gaps."""
    for event in events:
        found = event.position or 0
        if found != place + 1:
            last = found - 1 if found > place else found
            few = f"position {min(place + 1, last)}"
            yield Problem(
                what="feed",
                client=None,
                row=few if last <= place + 1 else f"positions {place + 1} to {last}",
                stored="nothing" if found > place else "an event",
                computed="positions one after the other from 1",
            )
        place = max(found, place)


def _problem(event: Event, stored: str, computed: str) -> Problem:
    return Problem(
        what="Seal",
        client=event.client,
        row=f"{event.position} ({event.type} {event.subject})",
        stored=stored,
        computed=computed,
    )
