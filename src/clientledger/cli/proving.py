"""The commands `verify` and `anchor`: whether a book is in order, and what proves that it was."""

from typing import Annotated

from cyclopts import Parameter

from clientledger.cli.exits import NO, OK
from clientledger.cli.lists import repair_text, report_text
from clientledger.cli.options import COMMON, Common, Switch
from clientledger.cli.plain import emit, plain
from clientledger.cli.receipts import done
from clientledger.cli.screen import Screen

__all__ = ["anchor", "verify"]

AnchorText = Annotated[str | None, Parameter(metavar="TEXT")]


def verify(*, anchor: AnchorText = None, repair: Switch = False, common: Common = COMMON) -> int:
    """Recompute everything from the entries; ends with 1 where a row disagrees.

    In a book with a hash chain, each event is compared with its seal, too.

    Args:
        anchor: what `anchor` once printed: nothing up to there was altered, removed or added.
        repair: first write balances, open items, purchase days and timelines anew where they
            disagree. Documents and all else are named, and never changed.
    """
    opened = common.write() if repair else common.read()
    with opened as book:
        made = book.repair() if repair else None
        report = book.verify(anchor)
    if common.json:
        emit({**(plain({"rebuilt": made.rebuilt}) if made else {}), **plain(report)})
    else:
        Screen().show(*(repair_text(made) if made else ()), *report_text(report))
    return OK if report.ok else NO


def anchor(*, common: Common = COMMON) -> int:
    """Seal what has no seal yet, and print the end of the hash chain: keep it elsewhere.

    `verify --anchor` with it notices whatever was altered in the book behind its back. The chain
    is switched on by `settings --hash-chain`.
    """
    with common.write() as book:
        made = book.anchor()
    return done(common, {**plain(made), "anchor": str(made)}, str(made))
