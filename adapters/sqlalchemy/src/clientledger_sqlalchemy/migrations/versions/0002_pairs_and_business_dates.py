"""Entries that go in pairs, one correction an entry, and the business dates of the timeline.

Heads know of allocations and releases, too, when the last fact was recorded.

Books of this version were made while it grew: a file that says 2 may lack any of it.
"""

import sqlalchemy as sa
from alembic import op

from clientledger_sqlalchemy.columns import Day, Id, Moment, Word
from clientledger_sqlalchemy.migrations.steps import add, index, live, or_none

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns and the index, date the documents of the timeline, and advance heads."""
    add("entries", or_none("pair", Id))
    index("entries_replaces", "entries", "replaces", where="replaces IS NOT NULL", unique=True)
    add("timeline", or_none("on_day", Day))
    _timeline()
    _heads("allocations")
    _heads("releases")


def _timeline() -> None:
    keys = (or_none("client_id", Id), or_none("id", Id), or_none("on_day", Day))
    entries = live("entries", *keys)
    timeline = live("timeline", *keys, or_none("what", Word))
    own = sa.and_(entries.c.client_id == timeline.c.client_id, entries.c.id == timeline.c.id)
    day = sa.select(entries.c.on_day).where(own).scalar_subquery()
    op.execute(
        sa.update(timeline)
        .values(on_day=day)
        .where(timeline.c.what == "entry", timeline.c.on_day.is_(None))
    )


def _heads(links: str) -> None:
    keys = (or_none("client_id", Id), or_none("recorded_at", Moment))
    heads, facts = live("heads", *keys), live(links, *keys)
    own = facts.c.client_id == heads.c.client_id
    last = sa.select(sa.func.max(facts.c.recorded_at)).where(own).scalar_subquery()
    op.execute(sa.update(heads).values(recorded_at=last).where(heads.c.recorded_at < last))
