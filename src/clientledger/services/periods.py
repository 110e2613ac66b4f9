"""Periods: closing the books through a day, and opening them again."""

from datetime import date, timedelta
from uuid import UUID

import attrs

from clientledger.domain.posting import Change, Posting
from clientledger.domain.settings import Settings
from clientledger.domain.text import check_text
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue
from clientledger.ports import Reading
from clientledger.services.desk import AtDesk
from clientledger.services.work import Work

__all__ = ["Periods"]


@attrs.frozen
class Periods(AtDesk):
    """The closed periods of a book."""

    def close_period(self, through: date, *, reason: str = "", key: str | None = None) -> Settings:
        """Close the books through a day: nothing dated on it or before is recorded any more.

        That holds for documents, voids, allocations and releases of every client. Commands that
        began before the close do not commit behind it: it steps every client's head.

        Raises:
            InvalidValue: that day is closed already.
        """
        day = check_day(through, "through")

        def plan(work: Work) -> Settings:
            before = work.settings.closed_through
            if before is not None and day <= before:
                raise InvalidValue(
                    f"closed through {before} already",
                    field="through",
                    value=day,
                    remedy="close a later day, or reopen the period: reopen_period",
                )
            return _close(work, day, "period.closed", reason)

        arguments = {"through": through, "reason": reason or None}
        return self._desk.command("ledger.close_period", arguments, plan, key=key, again=_settings)

    def reopen_period(self, from_: date, *, reason: str, key: str | None = None) -> Settings:
        """Open the books again from a day on.

        Raises:
            InvalidValue: that day is open, or no reason.
        """
        day = check_day(from_, "from_")
        check_text(reason, "reason", most=1000, empty=False, lines=True)

        def plan(work: Work) -> Settings:
            before = work.settings.closed_through
            if before is None or day > before:
                raise InvalidValue(
                    "open already",
                    field="from_",
                    value=day,
                    remedy=f"the books are closed through {before}"
                    if before
                    else "nothing is closed",
                )
            first = day == date(1900, 1, 1)
            until = None if first else day - timedelta(days=1)
            return _close(work, until, "period.reopened", reason)

        arguments = {"from_": from_, "reason": reason or None}
        return self._desk.command("ledger.reopen_period", arguments, plan, key=key, again=_settings)


def _close(work: Work, through: date | None, type: str, reason: str) -> Settings:
    """Write through which day the books are closed: in the settings, as a new edition of them."""
    before = work.settings
    after = work.new_edition(
        attrs.evolve(before, closed_through=through, revision=before.revision + 1)
    )
    work.add(Posting(changes=(Change(after, before.revision or None),)))
    told = {
        "through": None if through is None else through.isoformat(),
        "before": None if before.closed_through is None else before.closed_through.isoformat(),
        "reason": check_text(reason, "reason", most=1000, lines=True),
    }
    work.tell(type, after.id, data=told)
    return after


def _settings(reading: Reading, id: str) -> Settings:
    return reading.get(Settings, UUID(id))
