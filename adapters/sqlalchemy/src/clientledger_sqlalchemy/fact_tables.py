"""The tables of facts: entries with their parts, what links them, events, and the feed."""

import sqlalchemy as sa

from clientledger_sqlalchemy.builder import (
    Builder,
    check,
    foreign,
    key,
    money,
    of,
    or_none,
)
from clientledger_sqlalchemy.columns import (
    Amount,
    Day,
    Exact,
    Growing,
    Hash,
    Id,
    Json,
    Long,
    Moment,
    Short,
    Word,
)

__all__ = ["fact_tables"]


def fact_tables(new: Builder) -> dict[str, sa.Table]:
    """Make the tables of facts, and of the feed."""
    entries = _entries(new)
    of_entry = (("client_id", "client_id"), ("entry_id", "id"))
    allocations = _links(new, "allocations", entries)
    events = new.table(
        "events",
        key("id", Id),
        or_none("client_id", Id),
        of("type", Word),
        of("subject", Short),
        of("actor", Short),
        of("at", Moment),
        of("data", Json),
        new.index("events_client", "client_id", "id"),
        new.index("events_subject", "subject", "id"),
    )
    feed = new.table(
        "feed",
        key("position", Growing),
        of("event_id", Id),
        or_none("client_id", Id),
        foreign(events, ("event_id", "id")),
        check("position", "position >= 1"),
        new.index("feed_event", "event_id", unique=True),
    )
    return {
        "entries": entries,
        "entry_lines": new.of_clients(
            "entry_lines",
            key("client_id", Id),
            key("entry_id", Id),
            key("number", sa.Integer),
            of("name", Short),
            of("quantity", Exact),
            of("price", Exact),
            of("sku", Short),
            or_none("discount_percent", Exact),
            or_none("discount", Amount),
            or_none("tax", Amount),
            of("total", Amount),
            foreign(entries, *of_entry),
            check("number", "number >= 1"),
            check("total", "total >= 0"),
        ),
        "instalments": new.of_clients(
            "instalments",
            key("client_id", Id),
            key("entry_id", Id),
            key("number", sa.Integer),
            of("due", Day),
            of("amount", Amount),
            foreign(entries, *of_entry),
            check("number", "number >= 1"),
            check("amount", "amount > 0"),
        ),
        "allocations": allocations,
        "releases": _links(new, "releases", entries, allocations),
        "events": events,
        "pending": new.table(
            "pending",
            sa.Column("id", Growing, primary_key=True),
            of("event_id", Id),
            or_none("client_id", Id),
            foreign(events, ("event_id", "id")),
        ),
        "feed": feed,
        "seals": new.table(
            "seals",
            key("position", Growing),
            of("digest", Hash),
            of("personal", Hash),
        ),
        "salts": new.table("salts", key("position", Growing), of("salt", Hash)),
    }


def _entries(new: Builder) -> sa.Table:
    return new.of_clients(
        "entries",
        key("client_id", Id),
        key("id", Id),
        of("sequence", sa.Integer),
        of("kind", Word),
        of("side", Word),
        *money("amount"),
        of("on_day", Day),
        of("recorded_at", Moment),
        of("actor", Short),
        or_none("number", Short),
        of("method", Long),
        of("reason", Long),
        or_none("undoes", Id),
        or_none("sale", Id),
        or_none("replaces", Id),
        or_none("pair", Id),
        of("agreements", Json),
        of("external_ids", Json),
        of("line_count", sa.Integer),
        of("instalment_count", sa.Integer),
        check("amount", "amount > 0"),
        check("side", "side IN ('debit', 'credit')"),
        sa.UniqueConstraint("client_id", "sequence"),
        new.index("entries_id", "id"),
        new.index("entries_day", "client_id", "on_day", "sequence"),
        new.index("entries_book_day", "on_day", "client_id", "sequence"),
        new.index("entries_number", "number", where="number IS NOT NULL"),
        new.index("entries_undoes", "undoes", "client_id", where="undoes IS NOT NULL", unique=True),
        new.index(
            "entries_replaces", "replaces", "client_id", where="replaces IS NOT NULL", unique=True
        ),
    )


def _links(
    new: Builder, name: str, entries: sa.Table, released: sa.Table | None = None
) -> sa.Table:
    """Make allocations; or releases, which name the allocation too."""
    own = "client_id", "client_id"
    named = [] if released is None else [of("allocation_id", Id)]
    rules = [] if released is None else [foreign(released, own, ("allocation_id", "id"))]
    return new.of_clients(
        name,
        key("client_id", Id),
        key("id", Id),
        *named,
        of("credit_id", Id),
        of("debit_id", Id),
        of("instalment", sa.Integer),
        *money("amount"),
        of("on_day", Day),
        of("recorded_at", Moment),
        of("actor", Short),
        *rules,
        foreign(entries, own, ("credit_id", "id")),
        foreign(entries, own, ("debit_id", "id")),
        check("amount", "amount > 0"),
        new.index(f"{name}_id", "id"),
        new.index(f"{name}_credit", "credit_id"),
        new.index(f"{name}_debit", "debit_id"),
    )
