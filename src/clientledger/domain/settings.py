"""The settings of a book, stored in it."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from clientledger.domain.contact_points import read_country
from clientledger.domain.money import ROUNDINGS, Currency, currency_of
from clientledger.domain.text import check_flag, check_text, choose
from clientledger.domain.time import check_zone
from clientledger.errors import InvalidValue, NotAllowed

__all__ = ["Settings", "read_bounds", "read_settings", "recounted"]

_ONLY = UUID(int=0)
NUMBER_SCOPES = ("book", "client")
LIMITS = ("refuse", "warn")


@attrs.frozen(kw_only=True)
class Settings:
    """How a book counts.

    Attributes:
        time_zone: IANA name; "today" and the days of moments are in it.
        region: ISO 3166 code of the country whose national phone numbers are understood, or None.
        currency: the code that amounts without a currency are in, or None.
        currencies: the book's own, beside ISO 4217's current list.
        rounding: the rule for a line's total, a name of the decimal module.
        use_prepayments: whether a new sale takes free credits by itself.
        number_scope: a document number is unique per kind in the "book", or per "client".
        ageing_bounds: inclusive last days of the buckets.
        credit_limit: what a client's agreed limit does: "refuse" a sale above it, or "warn" by an
            event.
        company: the name of our own side, which statements show.
        hash_chain: whether every event of the change feed is sealed, so that `book.verify` notices
            what was altered behind the book's back. Once on, it stays on.
        closed_through: the last closed business day, or None; set by closing a period only.
        edition: of the rules that bind every client (closed periods, what a currency is): one more
            with each change of them. Every head has it too, so that no command that was planned
            under other rules is written.
        revision: one more with each change.
    """

    id: UUID = _ONLY
    time_zone: str = "UTC"
    region: str | None = None
    currency: str | None = None
    currencies: tuple[Currency, ...] = ()
    rounding: str = "ROUND_HALF_EVEN"
    use_prepayments: bool = True
    number_scope: str = "book"
    ageing_bounds: tuple[int, ...] = (0, 30, 60, 90)
    credit_limit: str = "refuse"
    company: str = ""
    hash_chain: bool = False
    closed_through: date | None = None
    edition: int = 0
    revision: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @property
    def known(self) -> Mapping[str, Currency]:
        """The book's own currencies by code."""
        return {unit.code: unit for unit in self.currencies}


def read_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return the settings with changes, or refuse the first that cannot be right.

    Raises:
        InvalidValue: not a setting, or not a value for it.
        NotAllowed: the hash chain would be switched off.
    """
    if not isinstance(changes, Mapping):
        raise InvalidValue(
            "not settings", field="settings", value=changes, remedy='give {"region": "DE"}'
        )
    for name, value in changes.items():
        if name not in _READERS:
            raise InvalidValue(
                "not a setting", field=str(name), value=value, remedy=", ".join(sorted(_READERS))
            )
    changed = attrs.evolve(
        settings, **{name: _READERS[name](value) for name, value in changes.items()}
    )
    if changed.currency is not None:
        currency_of(changed.currency, changed.known)
    if settings.hash_chain and not changed.hash_chain:
        raise NotAllowed(
            "a hash chain that ends could be ended by anybody",
            field="hash_chain",
            value=False,
            remedy="leave it on",
        )
    return changed


def recounted(before: Settings, after: Settings) -> tuple[str, ...]:
    """The codes of currencies that would be lost, or have other decimals, after a change."""
    codes = sorted({*before.known, *after.known})
    return tuple(code for code in codes if _unit(code, before) not in (None, _unit(code, after)))


def _unit(code: str, settings: Settings) -> Currency | None:
    try:
        return currency_of(code, settings.known)
    except InvalidValue:
        return None


def read_bounds(value: object, field: str = "bounds") -> tuple[int, ...]:
    """Return ageing bounds: rising whole days, such as (0, 30, 60, 90)."""
    bounds = tuple(value) if isinstance(value, list | tuple) else ()
    whole = all(type(bound) is int and -36500 <= bound <= 36500 for bound in bounds)
    if not bounds or not whole or list(bounds) != sorted(set(bounds)) or len(bounds) > 50:
        raise InvalidValue(
            "not ageing bounds", field=field, value=value, remedy="rising days: (0, 30, 60, 90)"
        )
    return bounds


def _currencies(value: object) -> tuple[Currency, ...]:
    units = tuple(value) if isinstance(value, Iterable) else ()
    if not all(isinstance(unit, Currency) for unit in units) or len({u.code for u in units}) != len(
        units
    ):
        raise InvalidValue(
            "not currencies",
            field="currencies",
            value=value,
            remedy='give [Currency("DEM", 2)], each once',
        )
    return tuple(sorted(units, key=lambda unit: unit.code))


_READERS: Mapping[str, Any] = {
    "time_zone": lambda v: check_zone(v).key,
    "region": lambda v: None if v is None else read_country(v, "region") or None,
    "currency": lambda v: None if v is None else str(v),
    "currencies": _currencies,
    "rounding": lambda v: choose(v, "rounding", ROUNDINGS),
    "use_prepayments": lambda v: check_flag(v, "use_prepayments"),
    "number_scope": lambda v: choose(v, "number_scope", NUMBER_SCOPES),
    "ageing_bounds": lambda v: read_bounds(v, "ageing_bounds"),
    "credit_limit": lambda v: choose(v, "credit_limit", LIMITS),
    "company": lambda v: check_text(v, "company"),
    "hash_chain": lambda v: check_flag(v, "hash_chain"),
}
