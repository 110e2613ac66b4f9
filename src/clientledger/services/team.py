"""Our own team: members, and what passes from one to another."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.clients import Client
from clientledger.domain.contact_points import read_emails, read_phones
from clientledger.domain.events import Event
from clientledger.domain.pages import Page
from clientledger.domain.team import HandOver, Member
from clientledger.domain.text import check_flag, check_key, check_several, check_text
from clientledger.domain.time import check_id
from clientledger.errors import Conflict, Duplicate, InvalidValue
from clientledger.ports import ClientQuery, MemberQuery, Reading, TaskQuery
from clientledger.services.desk import Desk
from clientledger.services.work import ClientRef, Work

__all__ = ["Team"]


@attrs.frozen
class Team:
    """The members of a book."""

    _desk: Desk

    def add(
        self,
        key: str,
        name: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        idempotency_key: str | None = None,
    ) -> Member:
        """Add a member, named by a key. The book's actor becomes one by itself on first use.

        Args:
            key: 1 to 255 printable ASCII characters, as "olena"; it is the member's for ever.

        Raises:
            Duplicate: the key is taken.
        """

        def plan(work: Work) -> Member:
            name_key = check_key(key, "key")
            if work.unit.lookup(Member, name_key) is not None:
                raise Duplicate(
                    "a member has it", field="key", value=key, remedy="choose another key"
                )
            region = work.settings.region
            member = Member(
                id=name_key,
                name=check_text(name, "name", empty=False),
                email=None if email is None else str(read_emails((email,), "email")[0]),
                phone=None if phone is None else str(read_phones((phone,), region, "phone")[0]),
                created_at=work.now,
            )
            work.insert(member, "member.added")
            return member

        arguments = {"key": key, "name": name, "email": email, "phone": phone}
        return self._desk.command("team.add", arguments, plan, key=idempotency_key, again=_member)

    def get(self, key: str) -> Member:
        """Return a member by key."""
        with self._desk.glance() as glance:
            return glance.member(key, "key")

    def find(
        self,
        *,
        active: bool | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Member]:
        """The members, by key."""
        with self._desk.glance() as glance:
            wanted = None if active is None else check_flag(active, "active")
            return glance.page(MemberQuery(active=wanted), limit, after)

    def hand_over(
        self,
        from_: str,
        to: str,
        *,
        clients: Iterable[ClientRef] | None = None,
        tasks: bool = True,
        reason: str = "",
        key: str | None = None,
    ) -> HandOver:
        """Give the clients and the open tasks of a member to another, in one transaction.

        Args:
            clients: only these, which must be the member's; None is all, archived ones too.
            tasks: whether open tasks go along: all that the member has, or those of the clients.

        Raises:
            NotFound: no such member or client.
            InvalidValue: a client that is not the member's, or both members are one.
        """
        chosen = (
            None
            if clients is None
            else tuple(check_id(c, "clients") for c in check_several(clients, "clients"))
        )
        with_tasks = check_flag(tasks, "tasks")

        def plan(work: Work) -> HandOver:
            return _hand_over(work, from_, to, chosen, with_tasks, reason)

        arguments = {
            "from_": from_,
            "to": to,
            "clients": chosen,
            "tasks": tasks,
            "reason": reason,
        }
        return self._desk.command("team.hand_over", arguments, plan, key=key, again=_handed_over)

    def deactivate(
        self, member: str, *, successor: str | None = None, key: str | None = None
    ) -> Member:
        """Let a member leave: the history stays, nothing new can be given to them.

        Args:
            successor: who takes over all clients and open tasks first.

        Raises:
            Conflict: the member still has clients or open tasks, and no successor is named.
        """

        def plan(work: Work) -> Member:
            before = after = work.member(member, "member")
            if before.active:
                # First, so that whoever is giving the member something is waited for, or refused.
                after = work.change(
                    before, attrs.evolve(before, active=False), "member.deactivated"
                )
                work.flush()
            if successor is not None:
                _hand_over(work, before.id, successor, None, True, "deactivated")
            else:
                left = work.unit.total(ClientQuery(manager=before.id))
                open_ = work.unit.total(TaskQuery(assignee=before.id, status="open"))
                if left or open_:
                    raise Conflict(
                        f"still has {left} clients and {open_} open tasks",
                        field="member",
                        value=before.id,
                        remedy="hand them over first, or name a successor",
                    )
            return after

        arguments = {"member": member, "successor": successor}
        return self._desk.command("team.deactivate", arguments, plan, key=key, again=_member)


def _hand_over(
    work: Work,
    from_: str,
    to: str,
    chosen: tuple[UUID, ...] | None,
    tasks: bool,
    reason: str,
) -> HandOver:
    giver = work.member(from_, "from_").id
    if giver == (to.id if isinstance(to, Member) else to):
        raise InvalidValue("the same member", field="to", value=to, remedy="name another member")
    taker = work.active(to, "to")
    told = check_text(reason, "reason", most=1000, lines=True)
    passed = _clients_of(work, giver, chosen)
    for client in passed:
        after = attrs.evolve(client, manager=taker, changed_at=work.now)
        work.change(client, after, "client.handed_over", client=client.id)
    moved = work.unit.find(TaskQuery(assignee=giver, status="open")) if tasks else []
    if chosen is not None:
        moved = [task for task in moved if task.client in chosen]
    for task in moved:
        work.change(task, attrs.evolve(task, assignee=taker), "task.assigned", client=task.client)
    event = work.tell(
        "team.handed_over",
        giver,
        data={
            "to": taker,
            "clients": [str(client.id) for client in passed],
            "tasks": [str(task.id) for task in moved],
            "reason": told,
        },
    )
    return _from_event(event)


def _clients_of(work: Work, giver: str, chosen: tuple[UUID, ...] | None) -> list[Client]:
    if chosen is None:
        return work.unit.find(ClientQuery(manager=giver))
    passed = [work.client(id) for id in dict.fromkeys(chosen)]
    for client in passed:
        if client.manager != giver:
            raise InvalidValue(
                f"its manager is {client.manager}",
                field="clients",
                value=client.id,
                remedy=f"name clients of {giver}",
            )
    return passed


def _from_event(event: Event) -> HandOver:
    return HandOver(
        id=event.id,
        from_=event.subject,
        to=event.data["to"],
        clients=tuple(UUID(id) for id in event.data["clients"]),
        tasks=tuple(UUID(id) for id in event.data["tasks"]),
        reason=event.data["reason"],
        at=event.at,
        actor=event.actor,
    )


def _handed_over(reading: Reading, id: str) -> HandOver:
    return _from_event(reading.get(Event, UUID(id)))


def _member(reading: Reading, id: str) -> Member:
    return reading.get(Member, id)
