"""Tasks: what has to be done next, and today."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.pages import Page
from clientledger.domain.tasks import TASK_STATUSES, Task
from clientledger.domain.text import LONG, check_text, choose
from clientledger.domain.time import check_day, check_id, check_moment, day_of
from clientledger.errors import NotAllowed
from clientledger.ports import TaskQuery
from clientledger.services.desk import Desk, made
from clientledger.services.work import ClientRef, Glance, Work

__all__ = ["Tasks"]

TaskRef = Task | UUID | str


@attrs.frozen
class Tasks:
    """The tasks of a book."""

    _desk: Desk

    def add(
        self,
        title: str,
        *,
        client: ClientRef | None = None,
        kind: str = "to do",
        due: date | datetime | None = None,
        assignee: str | None = None,
        remind: datetime | None = None,
        about: object = None,
        note: str = "",
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Task:
        """Add a task.

        Args:
            client: the client it is for, or None.
            due: a day, or an aware moment.
            assignee: the member who should do it; the client's manager by default, else the actor.
            remind: an aware moment.
            about: a record (a sale, an agreement) or its id.

        Raises:
            NotFound: no such client or member.
            ClientArchived: the client takes nothing new.
            InvalidValue: a field that can never be right.
        """

        def plan(work: Work) -> Task:
            id = work.new_id()
            owner = None if client is None else work.client(client)
            if owner is not None:
                work.open_head(owner)
                owner = work.client(owner)  # as it is when the head has been waited for
            manager = None if owner is None else owner.manager
            due_on, due_at = _due(work, due)
            task = Task(
                id=id,
                title=check_text(title, "title", empty=False),
                client=None if owner is None else owner.id,
                kind=check_text(kind, "kind", empty=False),
                due_on=due_on,
                due_at=due_at,
                assignee=work.active(
                    (manager or work.actor) if assignee is None else assignee, "assignee"
                ),
                remind=None if remind is None else check_moment(remind, "remind"),
                about=None if about is None else check_id(about, "about"),
                note=check_text(note, "note", most=LONG, lines=True),
                by=work.actor,
                created_at=work.now,
                external_ids=work.claim_external("task", external_ids, id),
            )
            work.insert(task, "task.added", client=task.client)
            return task

        arguments = {
            "title": title,
            "client": None if client is None else check_id(client, "client"),
            "kind": kind,
            "due": due,
            "assignee": assignee,
            "remind": remind,
            "about": about,
            "note": note,
            "external_ids": external_ids,
        }
        return self._desk.command("tasks.add", arguments, plan, key=key, again=made(Task))

    def get(self, id: TaskRef) -> Task:
        """Return a task as it is now."""
        with self._desk.glance() as glance:
            return glance.reading.get(Task, check_id(id, "task"))

    def find(
        self,
        client: ClientRef | None = None,
        status: str | None = None,
        *,
        assignee: str | None = None,
        about: object = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Task]:
        """Find tasks, by the day they are due; those without a day come last."""
        with self._desk.glance() as glance:
            query = TaskQuery(
                client=None if client is None else glance.client(client).id,
                status=None if status is None else choose(status, "status", TASK_STATUSES),
                assignee=None if assignee is None else glance.member(assignee, "assignee").id,
                about=None if about is None else check_id(about, "about"),
            )
            return glance.page(query, limit, after)

    def agenda(
        self,
        *,
        until: date | None = None,
        assignee: str | None = None,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Task]:
        """What has to be done: open tasks due at or before a day (today), the oldest first."""
        with self._desk.glance() as glance:
            query = TaskQuery(
                status="open",
                due_until=glance.day(until, "until"),
                assignee=None if assignee is None else glance.member(assignee, "assignee").id,
            )
            return glance.page(query, limit, after)

    def complete(self, task: TaskRef, outcome: str = "", *, key: str | None = None) -> Task:
        """Close a task as done.

        Raises:
            NotAllowed: it is not open.
        """
        return self._close(task, "done", "task.completed", outcome, key)

    def cancel(self, task: TaskRef, reason: str = "", *, key: str | None = None) -> Task:
        """Close a task that need not be done.

        Raises:
            NotAllowed: it is not open.
        """
        return self._close(task, "cancelled", "task.cancelled", reason, key)

    def postpone(self, task: TaskRef, due: date | datetime, *, key: str | None = None) -> Task:
        """Give an open task another due day or moment."""

        def change(work: Work, before: Task) -> Task:
            due_on, due_at = _due(work, due)
            return attrs.evolve(before, due_on=due_on, due_at=due_at)

        return self._change(task, "task.postponed", {"due": due}, change, key)

    def assign(self, task: TaskRef, member: str, *, key: str | None = None) -> Task:
        """Give an open task to a member."""

        def change(work: Work, before: Task) -> Task:
            return attrs.evolve(before, assignee=work.active(member, "member"))

        return self._change(task, "task.assigned", {"member": member}, change, key)

    def _close(self, task: TaskRef, status: str, event: str, outcome: str, key: str | None) -> Task:
        def change(work: Work, before: Task) -> Task:
            text = check_text(outcome, "outcome", most=LONG, lines=True)
            return attrs.evolve(before, status=status, outcome=text, closed_at=work.now)

        return self._change(task, event, {"outcome": outcome}, change, key)

    def _change(
        self,
        task: TaskRef,
        event: str,
        told: Mapping[str, Any],
        change: Any,
        key: str | None,
    ) -> Task:
        id = check_id(task, "task")

        def plan(work: Work) -> Task:
            before = work.unit.get(Task, id)
            if before.status != "open":
                raise NotAllowed(
                    f"the task is {before.status}",
                    field="task",
                    value=id,
                    remedy="only open tasks change; add a new one",
                )
            after: Task = change(work, before)
            return work.change(before, after, event, client=before.client)

        return self._desk.command(event, {"task": id, **told}, plan, key=key, again=made(Task))


def _due(glance: Glance, due: object) -> tuple[date | None, datetime | None]:
    if due is None:
        return None, None
    if isinstance(due, datetime):
        at = check_moment(due, "due")
        return day_of(at, glance.settings.zone), at
    return check_day(due, "due"), None
