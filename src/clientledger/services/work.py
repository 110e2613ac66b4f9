"""What a command or a read call works with: what it reads, and the posting that it collects."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import attrs

from clientledger import codec
from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import Entry
from clientledger.domain.events import Event
from clientledger.domain.interactions import Interaction
from clientledger.domain.pages import Page, check_limit, no_cursor, page_of
from clientledger.domain.posting import (
    Change,
    Claim,
    Head,
    HeadStep,
    LedgerFact,
    Posting,
    Record,
    Stand,
)
from clientledger.domain.recording import Stamp
from clientledger.domain.settings import Settings
from clientledger.domain.tasks import Task
from clientledger.domain.team import Member
from clientledger.domain.text import check_mapping, check_text
from clientledger.domain.time import check_day, check_id, check_moment, day_of
from clientledger.errors import (
    ClientArchived,
    Duplicate,
    NotAllowed,
    NotFound,
    PeriodClosed,
    Stale,
)
from clientledger.ports import ClaimQuery, Cursor, HeadQuery, Query, Reading, UnitOfWork

__all__ = ["COMMANDS", "ClientRef", "Glance", "Work", "external_space"]

T = TypeVar("T")
Rec = TypeVar("Rec", Client, Member, Interaction, Agreement, Task, Settings)
ClientRef = Client | UUID | str
"""A client, or its id as a UUID or as text."""

COMMANDS = "command"
"""The space of claims that holds idempotency keys."""


def external_space(kind: str, source: str) -> str:
    """The space of claims in which a source's ids of one kind of record are unique."""
    return f"external:{kind}:{source}"


@attrs.define
class Glance:
    """A consistent state to read, with the book's settings and the moment of reading."""

    reading: Reading
    settings: Settings
    now: datetime

    @property
    def today(self) -> date:
        """Today in the book's time zone."""
        return day_of(self.now, self.settings.zone)

    def day(self, value: object, field: str = "as_of") -> date:
        """A business day as told, or today."""
        return self.today if value is None else check_day(value, field)

    def moment(self, value: object, field: str = "known_at") -> datetime | None:
        """A moment as told, or None."""
        return None if value is None else check_moment(value, field)

    def page(
        self, query: Query[T], limit: int | None = None, after: Cursor | None = None
    ) -> Page[T]:
        """A page of what a query finds: at most `limit` rows, from `after` on.

        Raises:
            InvalidValue: a limit that is no number of rows, or an `after` that is no page's `next`.
        """
        check_limit(limit)
        if after is not None and not query.is_cursor(after):
            raise no_cursor(after)
        one_more = None if limit is None else limit + 1
        rows = self.reading.find(attrs.evolve(query, limit=one_more, after=after))
        return page_of(rows, limit, query.cursor)

    def client(self, ref: object) -> Client:
        """The client that a caller names.

        Raises:
            NotFound: there is none.
        """
        return self.reading.get(Client, check_id(ref, "client"))

    def member(self, key: object, field: str) -> Member:
        """The member that a caller names by key.

        Raises:
            NotFound: there is none.
        """
        name = key.id if isinstance(key, Member) else check_text(key, field, empty=False)
        found = self.reading.lookup(Member, name)
        if found is None:
            raise NotFound(
                "no such member",
                field=field,
                value=key,
                remedy="add it first: book.team.add(key, name)",
            )
        return found


@attrs.define
class Work(Glance):
    """A command in the making: the unit it reads through, and the posting that it collects."""

    unit: UnitOfWork
    actor: str
    new_id: Callable[[], UUID]
    posting: Posting = attrs.field(factory=Posting)
    _heads: dict[UUID, Head] = attrs.field(factory=dict)
    _steps: dict[UUID, dict[str, Any]] = attrs.field(factory=dict)

    def head(self, client: UUID) -> Head:
        """The client's head; the command is then planned on it, and refused when it moves on.

        Read it before the client's facts.

        Raises:
            NotFound: no such client.
        """
        if client not in self._heads:
            head = self.unit.lookup(Head, client)
            if head is not None and head.edition != self.settings.edition:
                raise Stale("the rules of the book have changed", passing=True)
            if head is None:
                raise NotFound(
                    "no such client in the book",
                    field="client",
                    value=client,
                    remedy="look it up with book.clients.find(...)",
                )
            self._heads[client] = head
        return self._heads[client]

    def active(self, key: object, field: str) -> str:
        """The key of a member who may be given something: the actor, or one who has not left.

        Raises:
            NotFound: no such member.
            NotAllowed: the member has been deactivated.
        """
        if key == self.actor:  # who may write may be named; the desk has seen to it
            acting = self.unit.lookup(Member, self.actor)
            self.add(Posting(stands=() if acting is None else (Stand(acting),)))
            return self.actor
        member = self.member(key, field)
        if not member.active:
            raise NotAllowed(
                "the member has been deactivated",
                field=field,
                value=member.id,
                remedy="name an active member",
            )
        self.add(Posting(stands=(Stand(member),)))
        return member.id

    def open_head(self, client: Client) -> Head:
        """The head of a client that may take something new.

        Raises:
            ClientArchived: it may not.
        """
        head = self.head(client.id)
        if head.archived:
            raise ClientArchived(
                "an archived client takes no new sale, agreement or task",
                field="client",
                value=client.id,
                remedy="restore the client first: book.clients.restore(client)",
            )
        return head

    def stamp(self, head: Head | None = None) -> Stamp:
        """Who and when; never before what the client's head has seen."""
        at = self.now if head is None else max(self.now, head.recorded_at)
        return Stamp(self.actor, at, self.new_id)

    def add(self, posting: Posting) -> None:
        """Add to what will be written."""
        self.posting += posting

    def tell(
        self,
        type: str,
        subject: UUID | str,
        *,
        client: UUID | None = None,
        data: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Add the event of a change."""
        event = Event(
            id=self.new_id(),
            type=type,
            subject=str(subject),
            client=client,
            actor=self.actor,
            at=at or self.now,
            data=data or {},
        )
        self.add(Posting(facts=(event,)))
        return event

    def insert(self, record: Record, type: str, *, client: UUID | None = None) -> None:
        """Add a new record, its external ids and its event."""
        self.add(Posting(changes=(Change(record),)))
        self.tell(type, record.id, client=client)

    def change(self, before: Rec, after: Rec, type: str, *, client: UUID | None = None) -> Rec:
        """Add a changed record, with the fields before and after in its event."""
        moved = attrs.evolve(after, revision=before.revision + 1)
        self.add(Posting(changes=(Change(moved, before.revision),)))
        self.tell(type, before.id, client=client, data=codec.changed_fields(before, moved))
        return moved

    def claim_external(self, kind: str, given: object, subject: UUID) -> dict[str, str]:
        """Claim the external ids of a new record; each is unique per kind and source.

        Raises:
            Duplicate: another record has one of them.
        """
        ids = check_mapping({} if given is None else given, "external_ids")
        for source, value in ids.items():
            check_text(source, "external_ids", empty=False, hidden=False)
            check_text(value, f"external_ids[{source}]", empty=False, hidden=False)
            claim = Claim(external_space(kind, source), value, str(subject))
            self.claim(claim, Duplicate, f"external_ids[{source}]", kind)
        return ids

    def claim(self, claim: Claim, refusal: type[Duplicate], field: str, kind: str) -> None:
        """Claim what must be unique, or refuse with whose it is."""
        held = self.unit.lookup(Claim, claim.id)
        if held is not None:
            raise refusal(
                f"another {kind} has it: {held.subject}",
                field=field,
                value=claim.key,
                remedy="give another one, or void or change the other first",
            )
        self.add(Posting(claims=(claim,)))

    def free(self, subject: UUID) -> None:
        """Free the number and the external ids of a record; its idempotency key stays taken."""
        held = self.unit.find(ClaimQuery(subject=str(subject)))
        self.add(Posting(freed=tuple(claim for claim in held if claim.space != COMMANDS)))

    def check_open(self, head: Head, day: date, field: str = "on") -> date:
        """Return a business date, if no closed period has it.

        Raises:
            PeriodClosed: it is on the closing day, or before.
        """
        closed = self.settings.closed_through
        if closed is not None and day <= closed:
            raise PeriodClosed(
                f"closed through {closed}",
                field=field,
                value=day,
                remedy="date it later, or reopen the period: book.ledger.reopen_period",
            )
        return day

    def step_heads(self) -> Posting:
        """The heads on which the command was planned, each one version on.

        A command that writes nothing leaves them as they are.
        """
        if self.posting == Posting() and not self._steps:
            return Posting()
        facts = [f for f in self.posting.facts if isinstance(f, LedgerFact)]
        steps = []
        for before in self._heads.values():
            own = [fact for fact in facts if fact.client == before.client]
            head = attrs.evolve(
                before,
                version=before.version + 1,
                sequence=before.sequence + sum(isinstance(fact, Entry) for fact in own),
                recorded_at=max([before.recorded_at, *(fact.recorded_at for fact in own)]),
                **self._steps.get(before.client, {}),
            )
            steps.append(HeadStep(head, before.version))
        return Posting(heads=tuple(sorted(steps, key=lambda step: step.head.client)))

    def step(self, head: Head, **changes: Any) -> None:
        """Let a client's head say something new, such as that it is archived."""
        self._heads.setdefault(head.client, head)
        self._steps.setdefault(head.client, {}).update(changes)

    def new_edition(self, after: Settings) -> Settings:
        """Settings with which the rules that bind every client change: each head is told.

        A command that was planned under the former rules is then refused and planned again.
        """
        moved = attrs.evolve(after, edition=self.settings.edition + 1)
        for head in self.unit.find(HeadQuery()):
            self.step(head, edition=moved.edition)
        return moved

    def flush(self) -> None:
        """Post what has been collected, so that what is read next has it.

        The command is still one unit: what fails later undoes this too.
        """
        steps = self.step_heads()
        self.unit.post(steps + self.posting)
        self.posting = Posting()
        self._heads = {step.head.client: step.head for step in steps.heads}
        self._steps = {}
