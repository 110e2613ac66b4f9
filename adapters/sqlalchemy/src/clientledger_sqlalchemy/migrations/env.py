"""How Alembic runs the migrations: on a connection, and for the tables of one book in it.

`config.attributes` has the `connection`, and the `prefix` and the `schema` of the tables. Who
begins and ends the transaction is the caller's business.
"""

import sqlalchemy as sa
from alembic import context
from alembic.operations import Operations

from clientledger_sqlalchemy.migrations import steps

_told = context.config.attributes
context.configure(
    connection=_told["connection"],
    target_metadata=sa.MetaData(naming_convention=steps.NAMING),
    version_table=f"{_told['prefix']}versions",
    version_table_schema=_told["schema"],
    prefix=_told["prefix"],
    schema=_told["schema"],
)
with Operations.context(context.get_context()):
    # Alembic makes this table where it is missing, but not as the others are.
    steps.table("versions", steps.key("version_num", sa.String(32)))
context.run_migrations()
with Operations.context(context.get_context()):
    steps.tell_version(int(context.get_context().get_current_revision() or 0))
