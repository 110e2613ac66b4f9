"""Errors of drivers and of SQLAlchemy to errors of ours, told apart by code."""

import sqlite3

import sqlalchemy as sa

from clientledger import Busy, ClientLedgerError, StoreError

__all__ = ["FAILURES", "failure_of"]

FAILURES = (sa.exc.SQLAlchemyError, sqlite3.Error)
"""What a driver or SQLAlchemy may raise."""

_FREE_SPACE = "free some space on the disk, then do it again"
_SQLITE = {
    sqlite3.SQLITE_READONLY: ("it is read-only", "allow writing to the file and its folder"),
    sqlite3.SQLITE_FULL: ("the disk is full", _FREE_SPACE),
    sqlite3.SQLITE_IOERR: ("the disk failed or is full", "look after the disk; nothing was kept"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("the file is no SQLite database", "name another file"),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "check that its folder is there and may be written to",
    ),
    sqlite3.SQLITE_PERM: ("access is not permitted", "change the rights of the file"),
    sqlite3.SQLITE_CONSTRAINT: (
        "a rule of the tables refuses the rows",
        "this is a fault of the program: report it",
    ),
}


def failure_of(error: Exception, place: str) -> ClientLedgerError:
    """Say in our words what failed; the original is to be the cause.

    Args:
        error: one of `FAILURES`.
        place: the path or the address of the storage, without secrets.
    """
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(
            "other writers have held the book for too long",
            remedy="end the other unit of work first, or try again",
        )
    if code in _SQLITE:
        said, remedy = _SQLITE[code]
        return StoreError(f"{place}: {said}", remedy=remedy)
    return StoreError(
        f"{place}: the database failed ({type(original).__name__})",
        remedy="the cause says what it told",
    )
