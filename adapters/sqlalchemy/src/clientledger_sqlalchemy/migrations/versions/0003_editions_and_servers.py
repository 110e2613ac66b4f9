"""Editions of the rules instead of closing days on every head, seals, and room for partitions.

What is unique names the client too, so that tables can be split by it; names to sort by are short
enough for an index on any server.
"""

import sqlalchemy as sa
from alembic import op

from clientledger_sqlalchemy.columns import Flag, Growing, Hash, Id, Json, Moment, Short
from clientledger_sqlalchemy.migrations.steps import (
    add,
    bound_to,
    drop,
    foreign,
    has,
    index,
    is_sqlite,
    keep,
    key,
    live,
    of,
    only_rows,
    or_none,
    remade,
    required,
    table,
)

revision = "0003"
down_revision = "0002"

_FIRST = 0
_LONGEST = 255


def upgrade() -> None:
    """Make the new tables, move what heads and settings say, and shape indexes and names anew."""
    table("versions", key("version_num", sa.String(32)))
    table(
        "seals",
        key("position", Growing),
        of("digest", Hash),
        of("personal", Hash),
    )
    keep("seals")
    add("members", sa.Column("given", sa.BigInteger, nullable=False, server_default="0"))
    table("salts", key("position", Growing), of("salt", Hash))
    _editions()
    _settings()
    _names()
    for name in ("entries", "allocations", "releases", "interactions", "agreements"):
        index(f"{name}_id", name, "id")
    for name in ("undoes", "replaces"):
        condition = f"{name} IS NOT NULL"
        index(f"entries_{name}", "entries", name, "client_id", where=condition, unique=True)


def _editions() -> None:
    table("editions", key("number", sa.Integer))
    only_rows("editions", number=_FIRST)
    if is_sqlite():
        _heads_anew()
        return
    add("heads", or_none("edition", sa.Integer))
    heads = live("heads", or_none("edition", sa.Integer))
    op.execute(sa.update(heads).values(edition=_FIRST).where(heads.c.edition.is_(None)))
    required("heads", "edition", sa.Integer())
    bound_to("heads", "editions", ("edition", "number"))
    drop("heads", "closed_through")


def _heads_anew() -> None:
    if has("heads", "edition"):
        return
    remade(
        "heads",
        key("client_id", Id),
        of("version", sa.BigInteger),
        of("sequence", sa.Integer),
        of("recorded_at", Moment),
        of("archived", Flag),
        of("edition", sa.Integer),
        or_none("merged_into", Id),
        foreign("editions", ("edition", "number")),
        edition=_FIRST,
    )


def _settings() -> None:
    settings = live("settings", or_none("id", Id), or_none("data", Json))
    for row in op.get_bind().execute(sa.select(settings)).all():
        if "edition" not in row.data:
            told = {**row.data, "edition": _FIRST}
            op.execute(sa.update(settings).values(data=told).where(settings.c.id == row.id))


def _names() -> None:
    if is_sqlite():  # elsewhere the column has never had room for more
        clients = live("clients", or_none("sort_name", Short))
        op.execute(
            sa.update(clients)
            .values(sort_name=sa.func.substr(clients.c.sort_name, 1, _LONGEST))
            .where(sa.func.length(clients.c.sort_name) > _LONGEST)
        )
