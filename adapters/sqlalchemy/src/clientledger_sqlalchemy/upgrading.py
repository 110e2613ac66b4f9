"""Upgrades a book: brings its tables to the version of this program.

It is run when nobody works with the book, after a backup. On SQLite and PostgreSQL all of it is
one transaction. MariaDB commits each change of a table by itself; there an upgrade that was
interrupted is run again, and does what is not done yet. It can always be run again.
"""

import threading

import sqlalchemy as sa

from clientledger_sqlalchemy.engines import engine_for
from clientledger_sqlalchemy.schema import NAMING, tables

__all__ = ["migrate", "upgrade"]

_SCRIPTS = "clientledger_sqlalchemy:migrations"
_turn = threading.Lock()


def upgrade(url: str) -> tuple[int, int]:
    """Bring the tables of a book to the version of this program.

    Returns:
        the version that they had, and the one that they have. The same twice where there was
        nothing to do.

    Raises:
        InvalidValue: not an address, or an option that cannot be.
        StoreError: there is no book, or one that is newer than this program.
        Busy: others work with the book, or upgrade it, for longer than we wait.
    """
    engine, options = engine_for(url, read_only=False, older=True)
    try:
        own = tables(
            sa.MetaData(naming_convention=NAMING),
            options.prefix,
            options.schema,
            options.partitions,
        )

        def steps(connection: sa.Connection) -> None:
            migrate(connection, options.prefix, options.schema)

        return engine.upgrade(own, steps)
    finally:
        engine.close()


def migrate(
    connection: sa.Connection, prefix: str = "", schema: str | None = None, to: str = "head"
) -> None:
    """Run the migrations that a book has not had yet, in the transaction of the caller.

    Args:
        to: the last one to run, such as "0002".
    """
    # They are loaded where they are needed: books are opened without them.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes.update(connection=connection, prefix=prefix, schema=schema)
    with _turn:  # Alembic has one environment a process
        command.upgrade(config, to)
