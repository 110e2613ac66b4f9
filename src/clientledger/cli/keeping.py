"""The commands that look after the storage: `doctor`, `backup` and `restore`."""

from pathlib import Path

from clientledger import InvalidValue, StoreError, open_book
from clientledger.cli.exits import NO, OK
from clientledger.cli.options import COMMON, Common, book_file
from clientledger.cli.plain import emit
from clientledger.cli.receipts import count, done
from clientledger.cli.screen import Screen, table

__all__ = ["backup", "doctor", "restore"]


def doctor(*, common: Common = COMMON) -> int:
    """Say why the database, as it is set up, cannot keep what a book promises; ends with 1 then.

    Looked at are, each where the database has it: how commits reach the disk, how transactions
    begin and are kept apart, how text is kept and compared, which rules are checked, what guards
    the documents, and whether the file lies on a network.
    """
    with common.read() as book:
        found = book.findings()
    if common.json:
        emit({"findings": [{"name": f.name, "said": f.said, "remedy": f.remedy} for f in found]})
    elif found:
        Screen().show(
            table("=finding|what is wrong|remedy", [(f.name, f.said, f.remedy) for f in found])
        )
    else:
        Screen().show("Nothing is wrong: this database keeps what the book promises.")
    return NO if found else OK


def backup(file: Path, /, *, common: Common = COMMON) -> int:
    """Write a copy of an SQLite book to a new file, while others go on writing.

    The copy is whole, as of one moment, and has been checked. A server is copied by its own tools;
    `dump` writes a copy of any book that any other store can load.

    Args:
        file: the file to write.
    """
    target = file.expanduser().resolve()
    with common.read() as book:
        book.backup(target)
    size = target.stat().st_size
    return done(common, {"file": str(target), "bytes": size}, f"Wrote {file}: {size:,} bytes.")


def restore(file: Path, /, *, common: Common = COMMON) -> int:
    """Make a book from a backup: the file must not be there yet, so that nothing is lost.

    The backup is audited first.

    Args:
        file: the backup.
    """
    target = book_file(common.url)
    if target is None:
        raise InvalidValue(
            "a backup becomes an SQLite file",
            field="book",
            value=common.book,
            remedy="name a new file: --book clients.db",
        )
    if target.exists():
        raise StoreError(
            f"{target.name}: there is such a book already",
            field="book",
            remedy="move it aside, with its -wal, or name another file",
        )
    with open_book(f"sqlite:///{file.expanduser().resolve()}", read_only=True) as book:
        report = book.verify()
        if not report.ok:
            raise StoreError(
                f"{file}: the backup is not in order: {report.problems[0]}",
                field="file",
                remedy="take an older one, or copy it by hand and run clientledger verify",
            )
        book.backup(target.resolve())
    made = {"book": str(target), "clients": report.clients, "entries": report.entries}
    told = f"{count(report.clients, 'client')}, {count(report.entries, 'document')}"
    return done(common, made, f"Made {target} from {file}: {told}.")
