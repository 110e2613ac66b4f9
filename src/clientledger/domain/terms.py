"""Payment terms: when which share of an amount falls due, read from plain English."""

import re
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

import attrs

from clientledger.domain.money import ROUNDINGS, Money, exact, read_money, round_to_minor
from clientledger.domain.text import check_flag, check_text, choose
from clientledger.domain.time import check_day
from clientledger.errors import InvalidValue, shown

__all__ = ["PaymentTerms", "TermsPart", "read_terms"]

_HUNDRED = Decimal(100)
_LONGEST = 200
_MOST_PARTS = 60
_MOST_DAYS = 3650
_MOST_MONTHS = 120
_MOST_DECIMALS = 6
_REMEDY = 'write it like "30 % now, rest in 30 days" or "end of month + 10"'

# All of these look at a text in small letters with single spaces. None repeats what may repeat.
_SEPARATOR = re.compile(r" ?[,;] ?(?:and )?(?:then )?| and (?:then )?| then ")
_SHARE = re.compile(r"(?P<percent>[0-9]+(?:\.[0-9]+)?) ?(?:%|per ?cent\b) ?")
_REST = re.compile(r"(?:the )?(?:rest|remainder|balance)\b ?")
_NOW = r"now|at once|immediately|cash|on receipt|on delivery|prepaid"
_NET = r"net ?(?P<count>[0-9]+)"
_SPAN = r"(?:net ?|in |within |after )?(?P<count>[0-9]+) ?(?P<unit>day|week|month)s?(?: net)?"
_END = r"(?:at )?(?:the )?(?P<end>end of (?:the )?month|eom)"
_END_OF_NEXT = r"(?:at )?(?:the )?(?P<next>end of (?:the )?next month)"
_PLUS = r"(?:(?: ?\+ ?| plus )(?P<later>[0-9]+)(?: ?(?P<step>day|week)s?)?)?"
_PAST = r"(?:net ?|in |within )?(?P<later>[0-9]+) ?(?P<step>day|week)s? after "
_FORMS = tuple(
    re.compile(f"(?:(?:due|payable|paid) )?(?:{form})")
    for form in (
        _NOW,
        _NET,  # net 30
        _SPAN,  # in 30 days
        _END + _PLUS,  # end of month + 10
        _END_OF_NEXT + _PLUS,
        f"{_NET} {_END}{_PLUS}",  # net 30 eom
        f"{_SPAN} {_END}{_PLUS}",  # 30 days end of month + 10
        _PAST + _END,  # 10 days after end of month
        _PAST + _END_OF_NEXT,
    )
)


@attrs.frozen(kw_only=True)
class TermsPart:
    """One part of the terms: a share of the total, and how its due date is counted.

    Attributes:
        share: percent of the total, above 0, with up to 6 decimals; None for what is left.
        days: 0 to 3650, added after the months.
        months: calendar months, 0 to 120: the same day of the month, or its last one.
        end_of_month: whether it then goes to the last day of that month.
        days_after: 0 to 3650, added after the end of the month, and only there.

    Raises:
        InvalidValue: one of them is out of its range.
    """

    share: Decimal | None
    days: int = 0
    months: int = 0
    end_of_month: bool = False
    days_after: int = 0

    def __attrs_post_init__(self) -> None:
        if self.share is not None and not _is_share(self.share):
            raise InvalidValue(
                f"not a share above 0 and up to 100 %, with up to {_MOST_DECIMALS} decimals",
                field="share",
                value=self.share,
                remedy='give a Decimal, such as Decimal("12.5"), or None for the rest',
            )
        after = _MOST_DAYS if check_flag(self.end_of_month, "end_of_month") else 0
        most = {"days": _MOST_DAYS, "months": _MOST_MONTHS, "days_after": after}
        for field, bound in most.items():
            value = getattr(self, field)
            if type(value) is not int or not 0 <= value <= bound:
                said = f"not 0 to {bound} {field.replace('_', ' ')}"
                raise InvalidValue(said, field=field, value=value, remedy="give an int")


@attrs.frozen
class PaymentTerms:
    """When which share of an amount falls due: ``read_terms("30 % now, rest in 30 days")``.

    Attributes:
        text: the terms in words, as told.
        parts: 1 to 60; their shares add up to 100, or the last one is what is left.

    Raises:
        InvalidValue: the text is not one of 1 to 200 characters, or the parts are not such parts.
    """

    text: str
    parts: tuple[TermsPart, ...]

    def __attrs_post_init__(self) -> None:
        check_text(self.text, "text", most=_LONGEST, empty=False)
        said = _wrong_parts(self.parts)
        if said:
            raise InvalidValue(said, field="parts", value=self.parts, remedy=_REMEDY)

    def schedule(self, amount: Money, on: date, rounding: str) -> tuple[tuple[date, Money], ...]:
        """Split an amount of a day into due dates and amounts, by date, each date once.

        The running share is rounded, and a part is the step from the one before it: so the parts
        add up to the amount to the minor unit and none is negative, whatever the rounding. What
        comes to nothing is left out; what falls due on one day is added together.

        Dates are counted as in Odoo 16 (months, days, end of month, days after); "end of month
        + 10" is ERPNext's "10 days after the end of the invoice month", and SAP's fixed day 10
        with one additional month. Both Odoo and ERPNext round each share by itself: Odoo's last
        line takes what that leaves, ERPNext refused what misses the total (its issue 12057).

        Raises:
            InvalidValue: the amount is not positive or too large for one document, `on` is not a
                date, the rounding is none of `ROUNDINGS`, or a part falls due after 2999.
        """
        whole, start = read_money(amount), check_day(on, "on")
        choose(rounding, "rounding", ROUNDINGS)
        share, before = Decimal(0), 0
        minors: dict[date, int] = {}
        for part in self.parts:
            share = _HUNDRED if part.share is None else exact.add(share, part.share)
            running = exact.scaleb(exact.multiply(whole.amount, share), -2)
            minor = round_to_minor(running, whole.unit, rounding)
            due = check_day(_due(part, start), "terms")
            minors[due] = minors.get(due, 0) + minor - before
            before = minor
        kept = sorted((due, minor) for due, minor in minors.items() if minor)
        return tuple((due, Money.from_minor(minor, whole.unit)) for due, minor in kept)


def read_terms(value: object, field: str = "terms") -> PaymentTerms:
    """Read payment terms: English words in any case, or `PaymentTerms` whose words agree.

    Parts are separated by a comma, a semicolon, "and" or "then"; each is a share ("30 %", or "the
    rest" in the last one; none where there is one part only) and a time: "now", "on receipt",
    "net 30", "in 2 weeks", "in 3 months", "end of month + 10", "10 days after end of month", "end
    of next month". "30 days end of month" and "net 30 eom" are the end of the month in which the
    30th day falls; 30 days after the end of the month are "end of month + 30".

    Raises:
        InvalidValue: empty, too long, not understood or ambiguous; shares that do not add up to
            100, and what else a `TermsPart` may not be; words of `PaymentTerms` that say
            something else than its parts (words that cannot be read are taken as they are).
    """
    try:
        return _agreeing(value) if isinstance(value, PaymentTerms) else _read(value)
    except InvalidValue as error:
        raise InvalidValue(error.message, field=field, value=value, remedy=_REMEDY) from None


def _read(value: object) -> PaymentTerms:
    given = check_text(value, "terms", most=_LONGEST, empty=False, lines=True)
    text = " ".join(given.split())
    if not text.isascii():  # "３０" is no number here
        raise InvalidValue("holds other characters than plain English ones")
    told = _SEPARATOR.split(text.lower())
    return PaymentTerms(text, tuple(_read_part(part, len(told) == 1) for part in told))


def _read_part(text: str, alone: bool) -> TermsPart:
    share, rest = _SHARE.match(text), _REST.match(text)
    said = share or rest
    if said is None and not alone:
        raise InvalidValue(f"no share, and no rest, is told in {shown(text)}")
    when = text[said.end() :] if said else text
    found = next((m for m in (form.fullmatch(when) for form in _FORMS) if m), None)
    if found is None:
        raise InvalidValue(f"{shown(text)} is not understood")
    told = found.groupdict()
    count = int(told.get("count") or 0)
    monthly = told.get("unit") == "month"
    return TermsPart(
        share=Decimal(share["percent"]) if share else None,
        days=0 if monthly else count * (7 if told.get("unit") == "week" else 1),
        months=count if monthly else int("next" in told),
        end_of_month="end" in told or "next" in told,
        days_after=int(told.get("later") or 0) * (7 if told.get("step") == "week" else 1),
    )


def _agreeing(terms: PaymentTerms) -> PaymentTerms:
    try:
        told = _read(terms.text).parts
    except InvalidValue:
        return terms  # in words of the host's own
    # The last share is what is left, whether it was told or not.
    one, other = ((*p[:-1], attrs.evolve(p[-1], share=None)) for p in (told, terms.parts))
    if one != other:
        raise InvalidValue("the text says something else than the parts")
    return terms


def _is_share(value: object) -> bool:
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value <= _HUNDRED:
        return False
    return -int(value.as_tuple().exponent) <= _MOST_DECIMALS


def _wrong_parts(parts: object) -> str:
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= _MOST_PARTS:
        return f"not a tuple of 1 to {_MOST_PARTS} parts"
    total, rest = Decimal(0), False
    for part in parts:
        if not isinstance(part, TermsPart):
            return "not parts of terms"
        if rest:
            return "two rests" if part.share is None else "the rest does not come last"
        rest = part.share is None
        total = exact.add(total, part.share or Decimal(0))
    if total < _HUNDRED if rest else total == _HUNDRED:
        return ""
    return f"the shares add up to {total:f}, which " + ("leaves no rest" if rest else "is not 100")


def _due(part: TermsPart, on: date) -> date:
    years, month = divmod(on.month - 1 + part.months, 12)
    first = date(on.year + years, month + 1, 1)
    day = first.replace(day=min(on.day, _last_day(first))) + timedelta(days=part.days)
    if part.end_of_month:
        day = day.replace(day=_last_day(day)) + timedelta(days=part.days_after)
    return day


def _last_day(day: date) -> int:
    return monthrange(day.year, day.month)[1]
