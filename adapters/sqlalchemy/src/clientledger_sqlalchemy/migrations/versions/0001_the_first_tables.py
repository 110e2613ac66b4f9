"""The first tables: facts, records, heads and claims, derived rows, and the feed.

Books of this version exist in SQLite files alone. Elsewhere the tables have from here on the
types that those of version 3 were given, which there were none to compare with before.
"""

import sqlalchemy as sa

from clientledger_sqlalchemy.columns import (
    Amount,
    Day,
    Exact,
    Flag,
    Growing,
    Id,
    Json,
    Long,
    Moment,
    Short,
    Word,
    text,
)
from clientledger_sqlalchemy.migrations.steps import (
    check,
    foreign,
    index,
    keep,
    key,
    money,
    money_or_none,
    of,
    or_none,
    table,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and what guards the facts."""
    _guards()
    _records()
    _facts()
    _figures()
    for name in (
        "entries",
        "entry_lines",
        "instalments",
        "allocations",
        "releases",
        "events",
        "feed",
    ):
        keep(name)


def _guards() -> None:
    table(
        "book",
        key("id", sa.SmallInteger),
        of("application", Short),
        of("schema_version", sa.Integer),
        check("one", "id = 1"),
    )
    table(
        "heads",
        key("client_id", Id),
        of("version", sa.BigInteger),
        of("sequence", sa.Integer),
        of("recorded_at", Moment),
        of("archived", Flag),
        or_none("closed_through", Day),
        or_none("merged_into", Id),
        clustered=True,
    )
    table(
        "claims",
        key("space", text(300)),
        key("claim_key", Short),
        of("subject", Short),
        of("data", Json),
        clustered=True,
    )
    index("claims_subject", "claims", "subject")


def _records() -> None:
    table("settings", key("id", Id), of("revision", sa.Integer), of("data", Json))
    table(
        "clients",
        key("id", Id),
        of("name", Short),
        of("sort_name", Short),
        of("search", Long),
        of("kind", Short),
        of("phones", Json),
        of("emails", Json),
        of("addresses", Json),
        of("contacts", Json),
        of("tax_ids", Json),
        of("bank_accounts", Json),
        of("tags", Json),
        or_none("manager", Short),
        of("attributes", Json),
        of("note", Long),
        of("external_ids", Json),
        of("archived", Flag),
        of("created_at", Moment),
        of("changed_at", Moment),
        of("revision", sa.Integer),
    )
    index("clients_name", "clients", "sort_name", "id")
    index("clients_manager", "clients", "manager", "sort_name", "id")
    table(
        "members",
        key("id", Short),
        of("name", Short),
        or_none("email", Short),
        or_none("phone", Short),
        of("active", Flag),
        of("created_at", Moment),
        of("revision", sa.Integer),
    )
    table(
        "interactions",
        key("client_id", Id),
        key("id", Id),
        of("kind", Short),
        of("summary", Long),
        of("at", Moment),
        or_none("direction", Short),
        of("contact", Long),
        of("body", Long),
        of("outcome", Long),
        of("by_member", Short),
        of("external_ids", Json),
        of("recorded_at", Moment),
        of("revision", sa.Integer),
    )
    index("interactions_id", "interactions", "id", unique=True)
    index("interactions_at", "interactions", "client_id", "at", "id")
    table(
        "agreements",
        key("client_id", Id),
        key("id", Id),
        of("kind", Short),
        of("text", Long),
        or_none("percent", Exact),
        *money_or_none("amount"),
        of("sku", Short),
        of("terms", Long),
        or_none("interaction", Id),
        of("by_member", Short),
        of("valid_from", Day),
        or_none("valid_until", Day),
        or_none("withdrawn_on", Day),
        of("withdrawn_because", Long),
        of("external_ids", Json),
        of("recorded_at", Moment),
        of("revision", sa.Integer),
    )
    index("agreements_id", "agreements", "id", unique=True)
    index("agreements_from", "agreements", "client_id", "valid_from", "id")
    table(
        "tasks",
        key("id", Id),
        or_none("client_id", Id),
        of("title", Long),
        of("kind", Short),
        or_none("due_on", Day),
        or_none("due_at", Moment),
        or_none("assignee", Short),
        or_none("remind", Moment),
        or_none("about", Id),
        of("note", Long),
        of("status", Word),
        of("outcome", Long),
        of("by_member", Short),
        of("external_ids", Json),
        of("created_at", Moment),
        or_none("closed_at", Moment),
        of("revision", sa.Integer),
    )
    still_open = "status = 'open'"
    index("tasks_client", "tasks", "client_id", "status", "due_on", "id")
    index("tasks_open_assignee", "tasks", "assignee", "due_on", "id", where=still_open)
    index("tasks_open", "tasks", "due_on", "id", where=still_open)
    index("tasks_about", "tasks", "about", where="about IS NOT NULL")


def _facts() -> None:
    of_entry = (("client_id", "client_id"), ("entry_id", "id"))
    table(
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
        of("agreements", Json),
        of("external_ids", Json),
        of("line_count", sa.Integer),
        of("instalment_count", sa.Integer),
        check("amount", "amount > 0"),
        check("side", "side IN ('debit', 'credit')"),
        sa.UniqueConstraint("client_id", "sequence"),
        clustered=True,
    )
    index("entries_id", "entries", "id", unique=True)
    index("entries_day", "entries", "client_id", "on_day", "sequence")
    index("entries_book_day", "entries", "on_day", "client_id", "sequence")
    index("entries_number", "entries", "number", where="number IS NOT NULL")
    index("entries_undoes", "entries", "undoes", where="undoes IS NOT NULL", unique=True)
    table(
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
        foreign("entries", *of_entry),
        check("number", "number >= 1"),
        check("total", "total >= 0"),
        clustered=True,
    )
    table(
        "instalments",
        key("client_id", Id),
        key("entry_id", Id),
        key("number", sa.Integer),
        of("due", Day),
        of("amount", Amount),
        foreign("entries", *of_entry),
        check("number", "number >= 1"),
        check("amount", "amount > 0"),
        clustered=True,
    )
    _links("allocations")
    _links(
        "releases",
        of("allocation_id", Id),
        foreign("allocations", ("client_id", "client_id"), ("allocation_id", "id")),
    )
    table(
        "events",
        key("id", Id),
        or_none("client_id", Id),
        of("type", Word),
        of("subject", Short),
        of("actor", Short),
        of("at", Moment),
        of("data", Json),
    )
    index("events_client", "events", "client_id", "id")
    index("events_subject", "events", "subject", "id")
    table(
        "pending",
        sa.Column("id", Growing, primary_key=True),
        of("event_id", Id),
        or_none("client_id", Id),
        foreign("events", ("event_id", "id")),
    )
    table(
        "feed",
        key("position", Growing),
        of("event_id", Id),
        or_none("client_id", Id),
        foreign("events", ("event_id", "id")),
        check("position", "position >= 1"),
    )
    index("feed_event", "feed", "event_id", unique=True)


def _links(name: str, *more: sa.schema.SchemaItem) -> None:
    own = "client_id", "client_id"
    table(
        name,
        key("client_id", Id),
        key("id", Id),
        *more,
        of("credit_id", Id),
        of("debit_id", Id),
        of("instalment", sa.Integer),
        *money("amount"),
        of("on_day", Day),
        of("recorded_at", Moment),
        of("actor", Short),
        foreign("entries", own, ("credit_id", "id")),
        foreign("entries", own, ("debit_id", "id")),
        check("amount", "amount > 0"),
        clustered=True,
    )
    index(f"{name}_id", name, "id", unique=True)
    index(f"{name}_credit", name, "credit_id")
    index(f"{name}_debit", name, "debit_id")


def _figures() -> None:
    table(
        "balances",
        key("client_id", Id),
        key("currency", Word),
        of("digits", sa.SmallInteger),
        of("owed", Amount),
        of("prepaid", Amount),
        of("latest", Day),
        of("recorded_at", Moment),
        check("owed", "owed >= 0"),
        check("prepaid", "prepaid >= 0"),
        clustered=True,
    )
    index("balances_owing", "balances", "currency", "client_id", where="owed <> 0")
    index("balances_latest", "balances", "latest")
    _open_items()
    table(
        "purchase_days",
        key("client_id", Id),
        key("currency", Word),
        key("day", Day),
        of("digits", sa.SmallInteger),
        of("count", sa.BigInteger),
        of("sold", Amount),
        of("latest", Day),
        check("count", "count >= 0"),
        clustered=True,
    )
    table(
        "timeline",
        key("client_id", Id),
        key("at", Moment),
        key("id", Id),
        of("what", Word),
        of("kind", Short),
        of("title", Long),
        *money_or_none("amount"),
        of("actor", Short),
        clustered=True,
    )
    index("timeline_id", "timeline", "id")


def _open_items() -> None:
    table(
        "open_items",
        key("client_id", Id),
        key("entry_id", Id),
        key("instalment", sa.Integer),
        of("sequence", sa.Integer),
        of("kind", Word),
        of("side", Word),
        or_none("number", Short),
        of("on_day", Day),
        or_none("due", Day),
        *money("amount", "open"),
        of("latest", Day),
        check("amount", "amount > 0"),
        check("open", "open >= 0 AND open <= amount"),
        clustered=True,
    )
    ranked = ("due", "on_day", "sequence", "instalment")
    rest = ("kind", "side", "number", "amount", "currency", "digits", "open", "latest")
    still_open = "open <> 0"
    index("open_items_entry", "open_items", "entry_id", "instalment")
    index(
        "open_items_open",
        "open_items",
        "client_id",
        *ranked,
        "entry_id",
        *rest,
        where=still_open,
    )
    index(
        "open_items_due",
        "open_items",
        "due",
        "on_day",
        "client_id",
        "sequence",
        "instalment",
        where=still_open,
    )
