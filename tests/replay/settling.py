"""Allocations of a case that are events of their own, and taking them back."""

from datetime import date
from typing import Any
from uuid import UUID

from tests.replay.common import is_automatic, is_debit, paper_of
from tests.replay.credits import settle_oldest
from tests.replay.fields import ALLOCATIONS, FROM, LINK_TO, TO, Link, NotApplicable, is_number
from tests.replay.foreign import is_foreign, pay_across
from tests.replay.play import WHO, Event, Play

from clientledger import Allocation, Entry

Told = tuple[Any, Any, Any, Any, Link]
"""A credit, a debit, an amount, a day, and the words."""


def allocate(play: Play, event: Event) -> None:
    made: list[Allocation] = []
    told = _told(play, event)
    if not told and is_automatic(event):
        who = play.client(event) if event.fields.has(*WHO) else None
        settle_oldest(play, who, event.fields.currency(), event.on)
        return
    if not told:
        raise NotApplicable(f"{event.title} does not tell what is put against what")
    with play.together(len(told) > 1):
        for credit, debit, amount, on, link in told:
            known = isinstance(credit, Entry) and not isinstance(debit, UUID)
            if known and is_foreign(play, event, debit, credit.currency):
                pay_across(play, event, link, credit, debit, alone=False)
                continue
            if amount is None and known:
                amount = min(play.room(credit), play.room(debit))
            made += play.put(credit, debit, amount, on)
    if event.ref:
        play.links[event.ref] = tuple(made)


def _told(play: Play, event: Event) -> list[Told]:
    """What an event tells of credits and debits, each pair once."""
    links = event.links(*ALLOCATIONS)
    own = Link(event.fields)
    from_, to = play.pick(event.fields, *FROM), play.pick(event.fields, *TO)
    if links is None:
        if from_ is None and event.ref is not None and play.known(event.ref):
            from_ = event.ref
        if from_ is None or to is None:
            return []
        return [_pair(play, event, own, from_, to)]
    pairs = []
    for link in links:
        source = play.pick(link.fields, *FROM) or from_
        target = play.pick(link.fields, *TO) or play.pick(link.fields, *LINK_TO)
        if source is None or source == target:
            source, target = play.pick(link.fields, *FROM, *LINK_TO), to
            if source is None and event.ref is not None and play.known(event.ref):
                source = event.ref
        elif target is None:
            target = to
        if source is None and event.ref and play.known(event.ref):
            source = event.ref
        pairs.append(_pair(play, event, link, source, target))
    return pairs


def _pair(play: Play, event: Event, link: Link, from_: str | None, to: str | None) -> Told:
    credit: Any = play.paper(from_)
    debit: Any = play.paper(None if to is None else play.split(to)[0])
    if isinstance(debit, Entry):
        debit = play.part(debit, link.fields.without("due"), play.split(to or "")[1])
    if not event.rejected and is_debit(play, credit) and not is_debit(play, debit):
        credit, debit = debit, credit  # told the other way round
    return credit, debit, link.amount, link.on or event.on, link


def release(play: Play, event: Event) -> None:
    """Taken back: an allocation by its ref, what stands between two, or all of one document."""
    ref = play.pick(event.fields, "allocation", "of", *FROM, *TO)
    told = _told(play, event)
    if ref in play.links:
        release_links(play, play.links[ref], event)
    elif told:
        with play.together(len(told) > 1):
            for credit, debit, amount, on, _ in told:
                day = on if event.rejected else _late_enough(play, credit, on)
                play.book.ledger.unallocate(credit, debit, amount, on=day)
    else:
        _release_all(play, play.paper(ref if play.known(ref) else event.ref), event)


def _release_all(play: Play, own: Entry | UUID, event: Event) -> None:
    """Take back all that holds of a document, or an amount of it, the newest first."""
    left = event.fields.amount()
    live = [] if isinstance(own, UUID) else play.live(own)
    if not live or (is_number(left) and left > sum(one.live.amount for one in live)):
        raise NotApplicable(f"{event.title} names no allocation that can be taken back")
    with play.together():
        for one in live:
            part = one.live.amount if left is None else min(left, one.live.amount)
            if part > 0:
                play.book.ledger.release(one.id, part, on=max(event.on, one.on))
                left = None if left is None else left - part


def release_links(play: Play, links: tuple[Allocation, ...], event: Event) -> None:
    """Take back some allocations, or an amount of them, the newest first."""
    left = event.fields.amount()
    with play.together():
        for one in reversed(links):
            part = min(left, one.amount.amount) if is_number(left) else None
            if part is None or part > 0:
                day = max(event.on, one.on) if isinstance(event.on, date) else event.on
                play.book.ledger.release(one.id, part, on=day)
                left = left - part if is_number(left) else left


def _late_enough(play: Play, credit: Any, on: Any) -> Any:
    paper = paper_of(play, credit)
    days = [] if paper is None else [one.on for one in play.live(paper)]
    return max([on, *days]) if isinstance(on, date) else on
