"""The command `upgrade`: an old book is brought to the version of this program."""

from typing import Annotated

from cyclopts import Parameter

from clientledger.cli.options import COMMON, Common
from clientledger.cli.receipts import done
from clientledger.plugins import Plugins

__all__ = ["upgrade"]


def upgrade(
    book: Annotated[
        str | None, Parameter(metavar="BOOK", help="The book; the one of --book by default.")
    ] = None,
    /,
    *,
    common: Common = COMMON,
) -> int:
    """Bring a book that an older version has made to this version.

    Make a backup first, and end all programs that have the book open. What was recorded stays as it
    is. If the upgrade is interrupted, run it again.
    """
    named = common if book is None else common.of(book)
    before, after = Plugins(block=common.block or ()).upgrade(named.url)
    said = f"The book is of version {after} already: there is nothing to upgrade."
    if before != after:
        said = f"Upgraded the book from version {before} to {after}."
    return done(common, {"before": before, "after": after}, said)
