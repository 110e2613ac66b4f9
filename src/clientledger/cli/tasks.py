"""The command `task`: add, complete, cancel, postpone, assign."""

from cyclopts import App

from clientledger import Book, Task
from clientledger.cli.exits import OK
from clientledger.cli.lists import due_text
from clientledger.cli.naming import client_named, external_ids, short, task_named
from clientledger.cli.options import CLIENTS, COMMON, Common, Key, Sources
from clientledger.cli.plain import emit
from clientledger.cli.screen import Screen
from clientledger.cli.told import read_due

__all__ = ["task"]

task = App(name="task", group=CLIENTS, help="Add a task, or say what became of one.")


@task.command
def add(
    title: str,
    /,
    *,
    client: str | None = None,
    due: str | None = None,
    assignee: str | None = None,
    kind: str = "to do",
    note: str = "",
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Add a task.

    Args:
        title: what has to be done.
        client: for whom: an id, an external id (source:id), or words that name one client.
        due: YYYY-MM-DD, or "YYYY-MM-DD HH:MM" in the book's time zone.
        assignee: who does it; the client's manager by default, else the actor.
        kind: in your own words, such as call.
        note: anything else.
    """
    with common.write() as book:
        made = book.tasks.add(
            title,
            client=None if client is None else client_named(book, client),
            due=None if due is None else read_due(due, book.settings.zone),
            assignee=assignee,
            kind=kind,
            note=note,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return _done(common, book, made, "Added")


@task.command
def complete(task: str, /, *, outcome: str = "", key: Key = None, common: Common = COMMON) -> int:
    """Close a task as done.

    Args:
        task: its id, the end of its id as shown, or words of the title of one open task.
        outcome: what came of it.
    """
    with common.write() as book:
        made = book.tasks.complete(task_named(book, task), outcome, key=key)
        return _done(common, book, made, "Done")


@task.command
def cancel(task: str, /, *, reason: str = "", key: Key = None, common: Common = COMMON) -> int:
    """Close a task that need not be done.

    Args:
        task: its id, the end of its id as shown, or words of the title of one open task.
        reason: why.
    """
    with common.write() as book:
        made = book.tasks.cancel(task_named(book, task), reason, key=key)
        return _done(common, book, made, "Cancelled")


@task.command
def postpone(task: str, due: str, /, *, key: Key = None, common: Common = COMMON) -> int:
    """Give a task another day.

    Args:
        task: its id, the end of its id as shown, or words of the title of one open task.
        due: YYYY-MM-DD, or "YYYY-MM-DD HH:MM" in the book's time zone.
    """
    with common.write() as book:
        found = task_named(book, task)
        made = book.tasks.postpone(found, read_due(due, book.settings.zone), key=key)
        return _done(common, book, made, "Postponed")


@task.command
def assign(task: str, member: str, /, *, key: Key = None, common: Common = COMMON) -> int:
    """Give a task to a member.

    Args:
        task: its id, the end of its id as shown, or words of the title of one open task.
        member: the member's key.
    """
    with common.write() as book:
        made = book.tasks.assign(task_named(book, task), member, key=key)
        return _done(common, book, made, "Assigned")


def _done(common: Common, book: Book, made: Task, verb: str) -> int:
    if common.json:
        emit(made)
        return OK
    due = due_text(made, made.due_on, book.settings.zone).plain if made.due_on else ""
    due = f", due {due}" if due and made.status == "open" else ""
    Screen().show(f"{verb}: {made.title}{due}, {made.assignee}. Task id {short(made.id)}.")
    return OK
