"""Types of columns: exact on every database, and ordered as the values are."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from clientledger.codec import canonical

__all__ = [
    "Amount",
    "Day",
    "Exact",
    "Flag",
    "Growing",
    "Hash",
    "Id",
    "Json",
    "Listed",
    "Long",
    "Moment",
    "Short",
    "Word",
    "text",
]

_MYSQL = ("mysql", "mariadb")
_ASCII = {"charset": "ascii", "collation": "ascii_nopad_bin"}
_UNICODE = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


@lru_cache(maxsize=4096)
def _read_id(text: str | None) -> UUID | None:
    """Read an id; a page of rows has the same few again and again."""
    return None if text is None else UUID(text)


class _Id(sa.types.TypeDecorator[UUID]):
    """A UUID, which orders by its bytes: natively, or as 32 hexadecimal digits."""

    impl = sa.CHAR(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.Uuid())
        if dialect.name in _MYSQL:
            return dialect.type_descriptor(mysql.CHAR(32, **_ASCII))
        return dialect.type_descriptor(sa.CHAR(32))

    def process_bind_param(self, value: UUID | None, dialect: sa.Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.hex

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> UUID | None:
        return value if isinstance(value, UUID) else _read_id(value)


class _Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond, which orders as time does."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        if dialect.name in _MYSQL:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class _Exact(sa.types.TypeDecorator[Decimal]):
    """A decimal number as text: no digit is lost, nor a zero at the end."""

    impl = sa.String(255)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(_text(255, dialect, _ASCII))

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class _Json(sa.types.TypeDecorator[Any]):
    """Plain data as JSON text, written in one way only."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(_text(None, dialect, _UNICODE))

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


class _Listed(sa.types.TypeDecorator[Any]):
    """Ids or words as one parameter, however many they are: JSON, or an array of PostgreSQL's."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.ARRAY(sa.Text()))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: sa.Dialect) -> Any:
        told = [one.hex if isinstance(one, UUID) else str(one) for one in value or ()]
        return told if dialect.name == "postgresql" else json.dumps(told, ensure_ascii=False)


class _Text(sa.types.TypeDecorator[str]):
    """Text that compares and orders by code point on every server.

    Args:
        length: the most code points, or None for as many as one likes.
        plain: whether it is made of ASCII letters alone, so that an index has room for more.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int | None = None, *, plain: bool = False) -> None:
        self.length, self.plain = length, plain
        super().__init__(length)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(
            _text(self.length, dialect, _ASCII if self.plain else _UNICODE)
        )


def _text(
    length: int | None, dialect: sa.Dialect, charset: dict[str, str]
) -> sa.types.TypeEngine[str]:
    if dialect.name == "postgresql":
        return sa.Text(collation="C") if length is None else sa.String(length, collation="C")
    if dialect.name in _MYSQL:
        if length is None:
            return mysql.LONGTEXT(**charset)
        return mysql.VARCHAR(length, **charset)
    return sa.Text() if length is None else sa.String(length)


def text(length: int) -> sa.types.TypeEngine[str]:
    """Text of at most so many code points."""
    return _Text(length)


Id = _Id()
Day = sa.Date()
Moment = _Moment()
Exact = _Exact()
Json = _Json()
Listed = _Listed()
Flag = sa.Boolean()

Amount = sa.BigInteger()
"""Whole minor units, beside the currency and its number of decimals."""

Growing = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that the database may give; in SQLite the row's own."""

Short = _Text(255)
Long = _Text()

Word = _Text(40, plain=True)
"""A word of ours, such as a kind or a side, or a currency's code."""

Hash = _Text(64, plain=True)
"""A SHA-256 digest in hexadecimal digits."""
