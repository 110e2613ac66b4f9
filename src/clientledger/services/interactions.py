"""Interactions: what happened with a client, and the timeline of everything."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.interactions import DIRECTIONS, Interaction
from clientledger.domain.pages import Page
from clientledger.domain.text import LONG, check_several, check_text, choose
from clientledger.domain.time import check_id, check_moment, start_of
from clientledger.domain.timeline import TimelineItem
from clientledger.errors import InvalidValue
from clientledger.ports import TimelineQuery
from clientledger.services.clients import check_revision
from clientledger.services.desk import Desk, made
from clientledger.services.work import ClientRef, Glance, Work

__all__ = ["Interactions", "timeline_of"]

_SHOWN = ("interaction", "entry", "task", "agreement", "change")
InteractionRef = Interaction | UUID | str


@attrs.frozen
class Interactions:
    """The interactions of a book."""

    _desk: Desk

    def log(
        self,
        client: ClientRef,
        kind: str,
        summary: str,
        *,
        at: datetime | None = None,
        direction: str | None = None,
        contact: str | None = None,
        body: str = "",
        outcome: str = "",
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Interaction:
        """Write down a call, meeting, message, e-mail, visit or note.

        Args:
            at: when it happened, aware; now by default.
            direction: "in", "out" or None.
            contact: the name of the contact person.

        Raises:
            NotFound: no such client.
            InvalidValue: a field that can never be right.
        """
        given = {
            "kind": kind,
            "summary": summary,
            "at": at,
            "direction": direction,
            "contact": contact or "",
            "body": body,
            "outcome": outcome,
        }

        def plan(work: Work) -> Interaction:
            id = work.new_id()
            fields = _read(given)
            fields["at"] = fields["at"] or work.now
            owner = work.client(client)
            interaction = Interaction(
                id=id,
                client=owner.id,
                by=work.actor,
                recorded_at=work.now,
                external_ids=work.claim_external("interaction", external_ids, id),
                **fields,
            )
            work.insert(interaction, "interaction.logged", client=owner.id)
            return interaction

        arguments = {**given, "client": check_id(client, "client"), "external_ids": external_ids}
        return self._desk.command(
            "interactions.log", arguments, plan, key=key, again=made(Interaction)
        )

    def get(self, id: InteractionRef) -> Interaction:
        """Return an interaction as it is now."""
        with self._desk.glance() as glance:
            return glance.reading.get(Interaction, check_id(id, "interaction"))

    def revise(
        self, interaction: InteractionRef, *, key: str | None = None, **changes: Any
    ) -> Interaction:
        """Correct what was written; what was there before stays visible in the client's history.

        Args:
            interaction: given as an `Interaction`, its revision must still be the newest.
            changes: kind, summary, at, direction, contact, body, outcome.

        Raises:
            Stale: somebody has revised it since.
        """
        expected = interaction.revision if isinstance(interaction, Interaction) else None
        id = check_id(interaction, "interaction")

        def plan(work: Work) -> Interaction:
            before = work.unit.get(Interaction, id)
            check_revision(before.revision, expected)
            fields = _read(changes)
            if "at" in fields:
                fields["at"] = check_moment(changes["at"], "at")
            after = attrs.evolve(before, **fields)
            if after == before:
                return before
            return work.change(before, after, "interaction.revised", client=before.client)

        arguments = {"interaction": id, **changes}
        return self._desk.command(
            "interactions.revise", arguments, plan, key=key, again=made(Interaction)
        )

    def timeline(
        self,
        client: ClientRef,
        *,
        what: tuple[str, ...] | None = None,
        as_of: date | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[TimelineItem]:
        """Interactions, ledger documents, tasks, agreements and changes of a client, newest first.

        Args:
            what: only these: "interaction", "entry", "task", "agreement", "change".
            as_of: nothing that happened after this day.
        """
        with self._desk.glance() as glance:
            query = timeline_of(glance, glance.client(client).id, as_of)
            if what is not None:
                shown = check_several(what, "what")
                query = attrs.evolve(
                    query, what=tuple(choose(one, "what", _SHOWN) for one in shown)
                )
            return glance.page(query, limit, after)


def timeline_of(glance: Glance, client: UUID, as_of: date | None) -> TimelineQuery:
    """The timeline of a client through a day in the book's time zone, or all of it."""
    if as_of is None:
        return TimelineQuery(client=client)
    day = glance.day(as_of)
    last = start_of(day + timedelta(days=1), glance.settings.zone) - timedelta(microseconds=1)
    return TimelineQuery(client=client, until=last, dated_until=day)


_READERS: Mapping[str, Any] = {
    "kind": lambda v: check_text(v, "kind", empty=False),
    "summary": lambda v: check_text(v, "summary", most=1000, empty=False, lines=True),
    "at": lambda v: None if v is None else check_moment(v, "at"),
    "direction": lambda v: None if v is None else choose(v, "direction", DIRECTIONS),
    "contact": lambda v: check_text(v, "contact"),
    "body": lambda v: check_text(v, "body", most=LONG, lines=True),
    "outcome": lambda v: check_text(v, "outcome", most=LONG, lines=True),
}


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if name not in _READERS:
            raise InvalidValue(
                "not a field of an interaction",
                field=name,
                value=value,
                remedy=", ".join(sorted(_READERS)),
            )
    return {name: _READERS[name](value) for name, value in given.items()}
