"""The commands that read a book."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from clientledger import InvalidValue
from clientledger.cli.card import card_view
from clientledger.cli.exits import NO, OK
from clientledger.cli.lists import (
    Parts,
    ageing_tables,
    agenda_table,
    best_tables,
    clients_table,
    cut_each,
    debtors_tables,
    dormant_table,
    timeline_table,
)
from clientledger.cli.naming import client_named, names_of
from clientledger.cli.options import COMMON, AsOf, Common, Day, Limit, today
from clientledger.cli.plain import emit, plain
from clientledger.cli.screen import Screen, note

__all__ = [
    "ageing",
    "agenda",
    "best",
    "card",
    "debtors",
    "dormant",
    "find",
    "timeline",
]

Currency = Annotated[str | None, Parameter(metavar="CODE", help="Only this currency, such as EUR.")]


def card(client: str, /, *, as_of: AsOf = None, common: Common = COMMON) -> int:
    """Show all that is known of one client.

    Who it is and how to reach it, what it owes, has prepaid and is late with in each currency,
    what is open, what it bought, what was agreed, what has to be done next, and what happened last.

    Args:
        client: an id, an external id (source:id), or words that name exactly one client.
    """
    with common.read() as book:
        found = book.card(client_named(book, client), as_of=as_of)
        if common.json:
            emit(found)
        else:
            screen = Screen()
            screen.show(card_view(found, screen, book.settings.zone))
    return OK


def find(
    text: str = "",
    /,
    *,
    phone: str | None = None,
    email: str | None = None,
    tag: str | None = None,
    manager: str | None = None,
    archived: Annotated[bool, Parameter(negative=())] = False,
    ids: Annotated[bool, Parameter(negative=())] = False,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Find clients by words of their names, phones, e-mail addresses, ids or tags.

    Case and accents do not matter. Ends with 1 where nobody is found.

    Args:
        text: the words; without any, all clients.
        phone: a number in any notation.
        email: an address.
        tag: a tag, exactly.
        manager: the key of the responsible member.
        archived: show archived clients too.
        ids: show the ids rather than how to reach them.
    """
    with common.read() as book:
        page = book.clients.find(
            text or None,
            phone=phone,
            email=email,
            tag=tag,
            manager=manager,
            archived=None if archived else False,
            limit=_limit(limit),
        )
    if common.json:
        emit(page)
    elif page:
        more = [note(f"The first {len(page)}; --limit 0 shows all.")] if page.more else []
        Screen().show(*clients_table(page, ids), *more)
    else:
        Screen(stderr=True).show(note("Nobody is found."))
    return OK if page else NO


def debtors(
    *,
    currency: Currency = None,
    overdue: Annotated[bool, Parameter(negative=())] = False,
    as_of: AsOf = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show who owes us: the most overdue first, then the most owed.

    Args:
        overdue: only those who are late with something.
    """
    with common.read() as book:
        day = today(book, as_of)
        rows = book.insights.debtors(currency=currency, overdue_only=overdue, as_of=day)
    return _answer(common, debtors_tables(rows, _checked(limit)), rows, limit, as_of=day)


def ageing(
    *,
    client: str | None = None,
    by: Literal["due", "date"] = "due",
    bounds: Annotated[list[int] | None, Parameter(negative=(), consume_multiple=True)] = None,
    currency: Currency = None,
    as_of: AsOf = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show what is owed by days past due, the most owed first.

    Args:
        client: only this one.
        by: count from the due dates, or from the dates of the documents.
        bounds: the last days of the classes, such as 0 30 60 90.
    """
    with common.read() as book:
        day = today(book, as_of)
        owner = None if client is None else client_named(book, client)
        rows = book.insights.ageing(
            by=by, bounds=bounds, currency=currency, client=owner, as_of=day
        )
    parts = ageing_tables(rows, _checked(limit), Screen().width)
    named = [{"name": row.client.name, **plain(row), "client": str(row.client.id)} for row in rows]
    return _answer(common, parts, named, limit, as_of=day)


def best(
    *,
    since: Day | None = None,
    until: Day | None = None,
    by: Literal["sold", "count"] = "sold",
    currency: Currency = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show who brings the most: sales less credit notes, in a span of days.

    Args:
        since: the first day; from the beginning by default.
        until: the last day, which the figures are for; today by default.
        by: rank by what was sold, or by the count of sales.
    """
    with common.read() as book:
        day = today(book, until)
        rows = book.insights.best_clients(since=since, until=day, by=by, currency=currency)
    parts = best_tables(rows, _checked(limit))
    return _answer(common, parts, rows, limit, since=since, until=day)


def dormant(
    *,
    days: int | None = None,
    factor: str = "2",
    as_of: AsOf = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show who has gone quiet, the longest silence first.

    That is who has not bought for more than twice its own usual interval.

    Args:
        days: rather who has bought nothing for that many days or more.
        factor: how many times the usual interval.
    """
    with common.read() as book:
        day = today(book, as_of)
        rows = book.insights.dormant(days=days, factor=factor, as_of=day)
    return _answer(common, dormant_table(rows, _checked(limit)), rows, limit, as_of=day)


def agenda(
    *,
    until: Day | None = None,
    assignee: str | None = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show what has to be done: open tasks due today or earlier, the oldest first.

    Args:
        until: rather those due by that day.
        assignee: only those of this member.
    """
    with common.read() as book:
        day, zone = today(book), book.settings.zone
        page = book.tasks.agenda(until=until, assignee=assignee, limit=_limit(limit))
        names = names_of(book, (task.client for task in page))
    if common.json:
        rows = [
            {"name": names.get(task.client) if task.client else None, **plain(task)}
            for task in page
        ]
        emit({"until": until or day, "rows": rows, "more": page.more})
        return OK
    more = [note(f"The first {len(page)}; --limit 0 shows all.")] if page.more else []
    Screen().show(*agenda_table(page, names, day, zone), *more)
    return OK


def timeline(
    client: str,
    /,
    *,
    what: list[Literal["interaction", "entry", "task", "agreement", "change"]] | None = None,
    as_of: AsOf = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> int:
    """Show what happened with a client, the newest first.

    Args:
        client: an id, an external id (source:id), or words that name exactly one client.
        what: only these kinds of rows.
    """
    with common.read() as book:
        found = client_named(book, client)
        page = book.interactions.timeline(
            found, what=tuple(what) if what else None, as_of=as_of, limit=_limit(limit)
        )
        zone = book.settings.zone
    if common.json:
        emit({"client": found, **plain(page)})
        return OK
    more = [note(f"The last {len(page)}; --limit 0 shows all.")] if page.more else []
    Screen().show(*timeline_table(page, zone), *more)
    return OK


def _answer(common: Common, parts: Parts, rows: Any, limit: int, **told: Any) -> int:
    """Print a list: tables, or JSON with the same rows."""
    if common.json:
        shown = cut_each([plain(row) for row in rows], limit, _code)
        emit({**told, "rows": shown, "more": len(shown) < len(rows)})
    else:
        Screen().show(*parts)
    return OK


def _code(row: Mapping[str, Any]) -> str:
    """The currency of a row of plain data, or "" where it has none."""
    account, sold = row.get("account"), row.get("sold")
    told = account["owed"] if account else sold or row
    return str(told.get("currency", ""))


def _checked(limit: int) -> int:
    if limit < 0:
        raise InvalidValue("not a number of rows", field="limit", value=limit, remedy="0 or more")
    return limit


def _limit(limit: int) -> int | None:
    return _checked(limit) or None
