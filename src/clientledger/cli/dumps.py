"""The commands `dump` and `load`: a whole book into a file, and a file into a new book."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import attrs
from cyclopts import Parameter

from clientledger import InvalidValue, NotAllowed
from clientledger.cli.exits import OK
from clientledger.cli.options import COMMON, Common, Switch, book_file
from clientledger.cli.plain import plain
from clientledger.cli.receipts import count, done
from clientledger.services.portable import Dump

__all__ = ["dump", "load"]

_STREAM = "-"
_TOLD = {"client": "client", "entry": "document", "event": "event"}

BookName = Annotated[
    str, Parameter(metavar="BOOK", help="A file such as clients.db (SQLite), or a URL.")
]
FileName = Annotated[str, Parameter(metavar="FILE", allow_leading_hyphen=True)]


def dump(
    book: BookName,
    file: FileName,
    /,
    *,
    replace: Switch = False,
    common: Common = COMMON,
) -> int:
    """Write a whole book to a file, from which `load` makes the same book in any store.

    The file is text, a line of JSON for each record. It has its name only when all of it is there.

    Args:
        file: the file to write; - writes to stdout.
        replace: write it even if there is such a file.
    """
    named = _named(common, book)
    if file == _STREAM:
        if common.json:
            raise InvalidValue(
                "stdout holds the dump", field="json", remedy="leave out --json, or name a file"
            )
        sys.stdout.flush()
        _dumped(named, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return OK
    target = Path(file).expanduser().resolve()
    _check_target(target, file, named, replace)
    with _finished(target, file, replace) as out:
        made = _dumped(named, out)
    return done(common, {"file": file, **plain(made)}, f"Wrote {file}: {_told(made.counts)}.")


def load(
    file: FileName,
    book: BookName,
    /,
    *,
    common: Common = COMMON,
) -> int:
    """Read a file that `dump` has written into a book, which is made if it is not there yet.

    All of it or nothing. The book must be empty, and is the same as the one that was dumped.

    Args:
        file: the file to read; - reads from stdin.
    """
    with _opened(file) as source, _named(common, book).make() as opened:
        made = opened.load(source)
    return done(common, {"book": book, **plain(made)}, f"Loaded {_told(made.counts)} into {book}.")


def _named(common: Common, book: str) -> Common:
    """The options with the book that stands among the words of the command."""
    if common.book not in (None, book, os.environ.get("CLIENTLEDGER_BOOK")):
        raise InvalidValue(
            "two books are named",
            field="book",
            value=common.book,
            remedy="name it where the command wants it, without --book",
        )
    return attrs.evolve(common, book=book)


def _dumped(common: Common, out: BinaryIO) -> Dump:
    with common.read() as book:
        try:
            return book.dump(out)
        except NotAllowed:  # events wait for their places, which only a writer can give
            pass
    with common.write() as book:
        return book.dump(out)


def _check_target(target: Path, told: str, common: Common, replace: bool) -> None:
    own = book_file(common.url)
    if own is not None and own.exists() and target.exists() and target.samefile(own):
        raise InvalidValue("that is the book", field="file", remedy="name another file")
    if target.exists() and not target.is_file():
        raise InvalidValue(
            "no plain file", field="file", value=told, remedy="name one, or - for stdout"
        )
    if target.exists() and not replace:
        raise _taken(told)


@contextmanager
def _finished(target: Path, told: str, replace: bool) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole, and on the disk; else nothing is left of it."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InvalidValue(
            f"the file cannot be written: {error.strerror}", field="file", value=told
        ) from error
    try:
        with os.fdopen(number, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if replace:
            os.replace(name, target)
        else:
            _name_new(name, target, told)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _name_new(name: str, target: Path, told: str) -> None:
    """Give a file its name, if nobody has taken it meanwhile."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise _taken(told) from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise _taken(told) from None
        os.replace(name, target)


def _taken(told: str) -> InvalidValue:
    return InvalidValue(
        "the file is there already",
        field="file",
        value=told,
        remedy="name a new one, or give --replace",
    )


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == _STREAM:
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).expanduser().open("rb")
    except OSError as error:
        raise InvalidValue(
            f"the file cannot be read: {error.strerror}", field="file", value=file
        ) from error
    with source:
        yield source


def _told(counts: Mapping[str, int]) -> str:
    """How much there is of what a person counts."""
    parts = [count(counts[kind], name) for kind, name in _TOLD.items()]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
