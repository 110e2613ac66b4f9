"""The tables of derived rows, which the transaction of the facts keeps."""

import sqlalchemy as sa

from clientledger_sqlalchemy.builder import (
    Builder,
    check,
    key,
    money,
    money_or_none,
    of,
    or_none,
)
from clientledger_sqlalchemy.columns import Amount, Day, Id, Long, Moment, Short, Word

__all__ = ["figure_tables"]


def figure_tables(new: Builder) -> dict[str, sa.Table]:
    """Make the tables of derived rows."""
    return {
        "balances": new.of_clients(
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
            new.index("balances_owing", "currency", "client_id", where="owed <> 0"),
            new.index("balances_latest", "latest"),
        ),
        "open_items": _open_items(new),
        "purchase_days": new.of_clients(
            "purchase_days",
            key("client_id", Id),
            key("currency", Word),
            key("day", Day),
            of("digits", sa.SmallInteger),
            of("count", sa.BigInteger),
            of("sold", Amount),
            of("latest", Day),
            check("count", "count >= 0"),
        ),
        "timeline": new.of_clients(
            "timeline",
            key("client_id", Id),
            key("at", Moment),
            key("id", Id),
            of("what", Word),
            of("kind", Short),
            of("title", Long),
            *money_or_none("amount"),
            or_none("on_day", Day),
            of("actor", Short),
            new.index("timeline_id", "id"),
        ),
    }


def _open_items(new: Builder) -> sa.Table:
    names = ("client_id", "entry_id", "instalment")
    ranked = ("due", "on_day", "sequence", "instalment")
    rest = ("kind", "side", "number", "amount", "currency", "digits", "open", "latest")
    return new.of_clients(
        "open_items",
        *(key(name, sa.Integer if name == "instalment" else Id) for name in names),
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
        new.index("open_items_entry", "entry_id", "instalment"),
        new.index("open_items_open", "client_id", *ranked, "entry_id", *rest, where="open <> 0"),
        new.index(
            "open_items_due",
            "due",
            "on_day",
            "client_id",
            "sequence",
            "instalment",
            where="open <> 0",
        ),
    )
