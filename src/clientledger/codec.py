"""Values of the domain to plain data and back: the only user of cattrs.

Plain data is what JSON holds: dicts, lists, text, whole numbers, booleans and None. Money is
``{"amount": "500.00", "currency": "EUR"}``, with its digits where the currency is not of ISO 4217;
moments are ISO 8601 in UTC, dates ISO 8601, decimals text. Reading is strict: unknown fields,
missing fields and values of another type are refused, nothing is coerced.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin
from uuid import UUID

import attrs
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from clientledger.domain.journal import OpenItem
from clientledger.domain.money import Currency, Money, currency_of, exact
from clientledger.errors import ClientLedgerError, InvalidValue

__all__ = ["canonical", "changed_fields", "digests", "dump", "dump_json", "load", "load_json"]

T = TypeVar("T")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_FRACTION = re.compile(r"-?[0-9]{1,60}(?:/[1-9][0-9]{0,59})?\Z")
_NUMBER = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:E[+-]?[0-9]{1,3})?\Z")


def dump(value: Any) -> Any:
    """Turn a value of the domain into plain data."""
    return _converter.unstructure(value)


def load(kind: type[T], data: Any) -> T:
    """Turn plain data back into a value of the domain.

    Raises:
        InvalidValue: a field is missing, unknown or of another type.
    """
    try:
        return _converter.structure(data, kind)
    except ClientLedgerError:
        raise
    except (
        BaseValidationError,
        ForbiddenExtraKeysError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
    ) as error:
        raise InvalidValue(
            f"not a {getattr(kind, '__name__', kind)}: {_cause(error)}",
            field=getattr(kind, "__name__", str(kind)),
            remedy="give exactly its fields, each of its own type",
        ) from error


def dump_json(value: Any) -> str:
    """Turn a value into JSON text."""
    return canonical(dump(value))


def load_json(kind: type[T], text: str) -> T:
    """Turn JSON text into a value; numbers with a point are refused, not rounded.

    Raises:
        InvalidValue: not JSON, or as `load`.
    """
    try:
        data = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
    except ClientLedgerError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidValue(
            f"not JSON: {error}",
            field=getattr(kind, "__name__", str(kind)),
            remedy="give JSON text",
        ) from error
    return load(kind, data)


def _no_float(text: str) -> Any:
    raise _refuse(text, "a number without a point; amounts are text")


def canonical(data: Any) -> str:
    """Write plain data as JSON in one way only: keys sorted, no spaces, no escapes of letters."""
    return json.dumps(
        data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def digests(arguments: Mapping[str, Any]) -> dict[str, str]:
    """A short digest of each argument of a command, for telling a repeat from another command.

    An argument counts as what it names: a record and its id are the same, numbers are compared
    by value, mappings without regard to order. What was left out counts as not given.
    """
    return {
        name: _digest(name, value) for name, value in sorted(arguments.items()) if value is not None
    }


def _digest(name: str, value: Any) -> str:
    try:
        text = canonical(_argument(value))
    except RecursionError:
        raise InvalidValue("nested too deeply", field=name, remedy="give it flat") from None
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def changed_fields(before: Any, after: Any) -> dict[str, dict[str, Any]]:
    """The fields that differ between two states of a record, as plain data before and after."""
    old, new = dump(before), dump(after)
    names = [
        name for name in new if old[name] != new[name] and name not in ("revision", "changed_at")
    ]
    return {
        "before": {name: old[name] for name in names},
        "after": {name: new[name] for name in names},
    }


def _argument(value: Any) -> Any:
    found = getattr(value, "id", None)
    if isinstance(found, UUID) or (isinstance(found, str) and attrs.has(type(value))):
        return str(found)
    if isinstance(value, OpenItem):
        return [str(value.entry), value.instalment]  # whatever is open of it by now
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return {"number": _number(Decimal(value))}
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return _day_or_moment(value)
    if attrs.has(type(value)):
        return {a.name: _argument(getattr(value, a.name)) for a in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return sorted(([_argument(k), _argument(v)] for k, v in value.items()), key=canonical)
    if isinstance(value, list | tuple | set | frozenset):
        parts = [_argument(part) for part in value]
        return sorted(parts, key=canonical) if isinstance(value, set | frozenset) else parts
    return type(value).__qualname__  # of such a type nothing was ever taken


def _day_or_moment(value: date) -> str:
    """The same text for the same moment, in whatever time zone it is told."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            return value.astimezone(UTC).isoformat()
        except OverflowError:  # at the ends of the calendar, where it will be refused
            pass
    return value.isoformat()


def _number(value: Decimal) -> str:
    """The same text for equal numbers, whatever the thread's decimal context."""
    if not value.is_finite():
        return str(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    power = int(exponent) + len(text) - len(stripped)
    return f"{'-' if sign and stripped else ''}{stripped or '0'}e{power if stripped else 0}"


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def _refuse(value: object, wanted: str) -> InvalidValue:
    return InvalidValue(f"not {wanted}", value=value, remedy=f"give {wanted}")


def _strict(kind: type[Any]) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _refuse(value, kind.__name__)
        return value

    return structure


def _money_out(money: Money) -> dict[str, Any]:
    data: dict[str, Any] = {"amount": f"{money.amount:f}", "currency": money.currency}
    return data if _is_iso(money.unit) else {**data, "digits": money.unit.digits}


def _is_iso(unit: Currency) -> bool:
    try:
        return currency_of(unit.code) == unit
    except InvalidValue:
        return False


def _money_in(data: Any, _: Any) -> Money:
    if not isinstance(data, dict) or not {"amount", "currency"} <= set(data) <= {
        "amount",
        "currency",
        "digits",
    }:
        raise _refuse(data, "money: amount and currency")
    if not isinstance(data["amount"], str):
        raise _refuse(data["amount"], "the amount as text")
    unit = (
        Currency(data["currency"], data["digits"])
        if "digits" in data
        else currency_of(data["currency"])
    )
    return Money(data["amount"], unit)


def _moment_in(value: Any, _: Any) -> datetime:
    written = isinstance(value, str) and _MOMENT.match(value)
    moment = datetime.fromisoformat(value) if written else None
    if moment is None or moment.tzinfo is None:
        raise _refuse(value, "an ISO 8601 moment with its offset")
    return moment.astimezone(UTC)


def _date_in(value: Any, _: Any) -> date:
    if not isinstance(value, str) or not _DATE.match(value):
        raise _refuse(value, "a date as YYYY-MM-DD")
    return date.fromisoformat(value)


def _decimal_in(value: Any, _: Any) -> Decimal:
    if not isinstance(value, str) or not _NUMBER.match(value):
        raise _refuse(value, "a number as text")
    return Decimal(value)


def _fraction_in(value: Any, _: Any) -> Fraction:
    if not isinstance(value, str) or not _FRACTION.match(value):
        raise _refuse(value, "a fraction as text")
    return Fraction(value)


def _id_in(value: Any, _: Any) -> UUID:
    if not isinstance(value, str):
        raise _refuse(value, "a UUID as text")
    return UUID(value)


def _date_or_moment_in(value: Any, _: Any) -> Any:
    if value is None:
        return None
    short = isinstance(value, str) and len(value) == 10
    return _date_in(value, None) if short else _moment_in(value, None)


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is Mapping


def _mapping_in(value: Any, kind: Any) -> Any:
    held = get_args(kind)[1]
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise _refuse(value, "a mapping of text")
    return (
        value
        if held is Any
        else {name: _converter.structure(one, held) for name, one in value.items()}
    )


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple_in(value: Any, kind: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise _refuse(value, "a list")
    held = get_args(kind)[0]
    return tuple(_converter.structure(one, held) for one in value)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _union_in(value: Any, kind: Any) -> Any:
    kinds = [one for one in get_args(kind) if one is not type(None)]
    if value is None and len(kinds) < len(get_args(kind)):
        return None
    if set(kinds) == {date, datetime}:
        return _date_or_moment_in(value, None)
    return _converter.structure(value, kinds[0])


def _made() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _strict(plain))
    converter.register_unstructure_hook(Money, _money_out)
    converter.register_structure_hook(Money, _money_in)
    for out, kinds in (
        (str, (UUID, Fraction)),
        (exact.to_sci_string, (Decimal,)),
        (lambda v: v.isoformat(), (date, datetime)),
    ):
        for kind in kinds:
            converter.register_unstructure_hook(kind, out)
    converter.register_structure_hook(datetime, _moment_in)
    converter.register_structure_hook(date, _date_in)
    converter.register_structure_hook(Decimal, _decimal_in)
    converter.register_structure_hook(Fraction, _fraction_in)
    converter.register_structure_hook(UUID, _id_in)
    converter.register_structure_hook_func(_is_mapping, _mapping_in)
    converter.register_unstructure_hook_func(
        _is_mapping, lambda v: {k: converter.unstructure(one) for k, one in v.items()}
    )
    converter.register_structure_hook_func(_is_tuple, _tuple_in)
    converter.register_structure_hook_func(_is_union, _union_in)
    converter.register_unstructure_hook_factory(
        attrs.has,
        lambda kind: make_dict_unstructure_fn(kind, converter, _cattrs_include_init_false=False),
    )
    converter.register_structure_hook_factory(
        attrs.has,
        lambda kind: make_dict_structure_fn(
            kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=False
        ),
    )
    converter.register_unstructure_hook(Money, _money_out)
    converter.register_structure_hook(Money, _money_in)
    return converter


_converter = _made()
