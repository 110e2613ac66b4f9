"""The tables of records, heads and claims."""

import sqlalchemy as sa

from clientledger_sqlalchemy.builder import (
    Builder,
    check,
    foreign,
    key,
    money_or_none,
    of,
    or_none,
)
from clientledger_sqlalchemy.columns import (
    Day,
    Exact,
    Flag,
    Id,
    Json,
    Long,
    Moment,
    Short,
    Word,
    text,
)

__all__ = ["record_tables"]


def record_tables(new: Builder) -> dict[str, sa.Table]:
    """Make the tables of records, and those of heads and claims that guard them."""
    return {
        **_guards(new),
        "book": new.table(
            "book",
            key("id", sa.SmallInteger),
            of("application", Short),
            of("schema_version", sa.Integer),
            check("one", "id = 1"),
        ),
        "versions": new.table("versions", key("version_num", sa.String(32))),
        "settings": new.table(
            "settings", key("id", Id), of("revision", sa.Integer), of("data", Json)
        ),
        "clients": _clients(new),
        "members": new.table(
            "members",
            key("id", Short),
            of("name", Short),
            or_none("email", Short),
            or_none("phone", Short),
            of("active", Flag),
            of("created_at", Moment),
            of("revision", sa.Integer),
            # One more with each command that gives the member something: so that it and a change
            # of the member notice each other at any level of isolation, and on any node.
            sa.Column("given", sa.BigInteger, nullable=False, server_default="0"),
        ),
        "interactions": new.of_clients(
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
            new.index("interactions_id", "id"),
            new.index("interactions_at", "client_id", "at", "id"),
            clustered=False,
        ),
        "agreements": _agreements(new),
        "tasks": _tasks(new),
    }


def _clients(new: Builder) -> sa.Table:
    nested = ("phones", "emails", "addresses", "contacts", "tax_ids", "bank_accounts", "tags")
    return new.table(
        "clients",
        key("id", Id),
        of("name", Short),
        of("sort_name", Short),
        of("search", Long),
        of("kind", Short),
        *(of(name, Json) for name in nested),
        or_none("manager", Short),
        of("attributes", Json),
        of("note", Long),
        of("external_ids", Json),
        of("archived", Flag),
        of("created_at", Moment),
        of("changed_at", Moment),
        of("revision", sa.Integer),
        new.index("clients_name", "sort_name", "id"),
        new.index("clients_manager", "manager", "sort_name", "id"),
    )


def _agreements(new: Builder) -> sa.Table:
    return new.of_clients(
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
        new.index("agreements_id", "id"),
        new.index("agreements_from", "client_id", "valid_from", "id"),
        clustered=False,
    )


def _tasks(new: Builder) -> sa.Table:
    still_open = "status = 'open'"
    return new.table(
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
        new.index("tasks_client", "client_id", "status", "due_on", "id"),
        new.index("tasks_open_assignee", "assignee", "due_on", "id", where=still_open),
        new.index("tasks_open", "due_on", "id", where=still_open),
        new.index("tasks_about", "about", where="about IS NOT NULL"),
    )


def _guards(new: Builder) -> dict[str, sa.Table]:
    editions = new.table("editions", key("number", sa.Integer))
    return {
        "editions": editions,
        "heads": new.of_clients(
            "heads",
            key("client_id", Id),
            of("version", sa.BigInteger),
            of("sequence", sa.Integer),
            of("recorded_at", Moment),
            of("archived", Flag),
            of("edition", sa.Integer),
            or_none("merged_into", Id),
            # There is one edition at a time. So a client who is added while it changes, by somebody
            # who has not seen that, is refused by the database itself.
            foreign(editions, ("edition", "number")),
        ),
        "claims": new.clustered(
            "claims",
            key("space", text(300)),
            key("claim_key", Short),
            of("subject", Short),
            of("data", Json),
            new.index("claims_subject", "subject"),
        ),
    }
