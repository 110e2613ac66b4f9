"""Types of columns: exact on every database, and ordered as the values are."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from clientledger.codec import canonical

__all__ = ["Amount", "Day", "Exact", "Flag", "Id", "Json", "Listed", "Long", "Moment", "Short"]


@lru_cache(maxsize=4096)
def _read_id(text: str | None) -> UUID | None:
    """Read an id; a page of rows has the same few again and again."""
    return None if text is None else UUID(text)


class _Id(sa.Uuid[UUID]):
    """A UUID as 32 hexadecimal digits, which order as the UUID does."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(native_uuid=False)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return _read_id


class _Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond; its text orders as time does."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class _Exact(sa.types.TypeDecorator[Decimal]):
    """A decimal number as text: no digit is lost, nor a zero at the end."""

    impl = sa.String(255)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class _Json(sa.types.TypeDecorator[Any]):
    """Plain data as JSON text, written in one way only."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


class _Listed(sa.types.TypeDecorator[Any]):
    """Ids or words as one parameter, however many they are."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any] | None, dialect: sa.Dialect) -> str:
        return json.dumps(
            [one.hex if isinstance(one, UUID) else str(one) for one in value or ()],
            ensure_ascii=False,
        )


def _by_code_point(kind: sa.String) -> sa.types.TypeEngine[str]:
    """Text that compares and orders by code point on every server."""
    return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql").with_variant(
        type(kind)(kind.length, collation="utf8mb4_nopad_bin"), "mysql", "mariadb"
    )


Id = _Id()
Day = sa.Date()
Moment = _Moment()
Exact = _Exact()
Json = _Json()
Listed = _Listed()
Flag = sa.Boolean()

Amount = sa.BigInteger()
"""Whole minor units, beside the currency and its number of decimals."""

Short = _by_code_point(sa.String(255))
Long = _by_code_point(sa.Text())
