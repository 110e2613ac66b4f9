"""Entries that go in pairs, one correction an entry, and the business dates of the timeline.

Books of this version were made while it grew: a file that says 2 may lack any of it.
"""

import sqlalchemy as sa
from alembic import op

from clientledger_sqlalchemy.columns import Day, Id, Word
from clientledger_sqlalchemy.migrations.steps import add, index, live, or_none

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns and the index, and date the documents of the timeline."""
    add("entries", or_none("pair", Id))
    index("entries_replaces", "entries", "replaces", where="replaces IS NOT NULL", unique=True)
    add("timeline", or_none("on_day", Day))
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
