"""Dates are dates, moments are aware: what may be a day or a moment, and ids that carry time."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from clientledger.errors import InvalidValue

__all__ = ["check_day", "check_id", "check_moment", "check_zone", "day_of", "start_of", "uuid7"]

_FIRST = date(1900, 1, 1)
_LAST = date(2999, 12, 31)
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+){0,2}\Z")


def check_day(value: object, field: str) -> date:
    """Return a business date: a `date` that is not a `datetime`, between 1900 and 2999."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidValue("not a date", field=field, value=value, remedy="give a datetime.date")
    if not _FIRST <= value <= _LAST:
        raise InvalidValue("out of range", field=field, value=value, remedy="between 1900 and 2999")
    return value


def check_moment(value: object, field: str) -> datetime:
    """Return an aware moment, turned to UTC."""
    if not isinstance(value, datetime):
        raise InvalidValue(
            "not a moment", field=field, value=value, remedy="give a datetime with tzinfo"
        )
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidValue(
            "a moment without a time zone",
            field=field,
            value=value,
            remedy="give it a tzinfo, such as UTC",
        )
    if not _FIRST <= value.date() <= _LAST:
        raise InvalidValue("out of range", field=field, value=value, remedy="between 1900 and 2999")
    return value.astimezone(UTC)


def check_zone(value: object, field: str = "time_zone") -> ZoneInfo:
    """Return an IANA time zone by name; never looks at a file outside the zone data."""
    if isinstance(value, str) and len(value) <= 64 and _ZONE.match(value):
        try:
            return ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            pass
    raise InvalidValue(
        "not a time zone", field=field, value=value, remedy="an IANA name such as Europe/Kyiv"
    )


def check_id(value: object, field: str) -> UUID:
    """Return the id of a record: a UUID, its text, or the record itself (anything with `.id`)."""
    found = getattr(value, "id", value)
    if isinstance(found, UUID):
        return found
    if isinstance(found, str):
        try:
            return UUID(found)
        except ValueError:
            pass
    raise InvalidValue("not an id", field=field, value=value, remedy="give the record or its UUID")


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a moment in a time zone."""
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which a day begins in a time zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def uuid7(moment: datetime, noise: int) -> UUID:
    """Make a version 7 UUID (RFC 9562) of a moment and 74 random bits."""
    millis = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (noise >> 62 & 0xFFF) << 64
    return UUID(int=value | 0b10 << 62 | noise & (1 << 62) - 1)
