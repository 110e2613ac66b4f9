"""How a locale writes: its texts, days, numbers and amounts."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, format_currency, format_decimal, parse_pattern

from clientledger import InvalidValue, Money
from clientledger_statements.languages import TEXTS

__all__ = ["Cell", "Wording", "wording_of"]

Cell = Money | date | int | str | None
"""What stands at one place of a table, before it is written in a format."""

_TAG = re.compile(r"[A-Za-z]{2}(?:[_-][A-Za-z0-9]{2,4}){0,2}(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?")
_NBSP = "\u00a0"


class Wording:
    """The texts of a language, and the habits of one locale of it."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.texts = TEXTS[locale.language]
        self._patterns: dict[tuple[str, int], NumberPattern] = {}

    @property
    def tag(self) -> str:
        """The language tag of BCP 47, such as de-AT."""
        parts = (self.locale.language, self.locale.script, self.locale.territory)
        return "-".join(part for part in parts if part)

    def cell(self, value: Cell) -> str:
        """Write whatever stands in a table; nothing is empty."""
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, Money):
            return self.amount(value)
        return self.day(value) if isinstance(value, date) else self.number(value)

    def day(self, day: date) -> str:
        """Write a date for a table."""
        return format_date(day, self.texts.day, self.locale)

    def long_day(self, day: date) -> str:
        """Write a date for a sentence, with the month's name."""
        return format_date(day, "long", self.locale)

    def moment(self, moment: datetime) -> str:
        """Write a moment to the second, in UTC."""
        known = moment.astimezone(UTC)
        time = format_time(known, "medium", tzinfo=UTC, locale=self.locale)
        return f"{self.day(known.date())}, {time} UTC"

    def number(self, number: int) -> str:
        """Write a whole number."""
        return format_decimal(number, locale=self.locale)

    def amount(self, money: Money) -> str:
        """Write an amount without its currency, with all decimals that the currency has."""
        pattern = self._pattern(self.locale.decimal_formats[None], money.unit.digits)
        return format_decimal(money.amount, pattern, self.locale)

    def money(self, money: Money) -> str:
        """Write an amount with its currency's code, on the side where the locale has it."""
        pattern = self._pattern(self.locale.currency_formats["standard"], money.unit.digits)
        return format_currency(
            money.amount, money.currency, pattern, self.locale, currency_digits=False
        )

    def currency(self, code: str) -> str:
        """Name a currency: its code, and its name where the language has one."""
        name = self.locale.currencies.get(code)
        return f"{code} – {name}" if name else code

    def country(self, code: str) -> str:
        """Name a country by its ISO 3166 code."""
        return str(self.locale.territories.get(code, code))

    def counted(self, forms: Mapping[str, str], number: int, shown: str) -> str:
        """Fill in the form that goes with a number of days."""
        return forms[self.locale.plural_form(abs(number))].format(days=shown)

    def _pattern(self, found: NumberPattern, digits: int) -> NumberPattern:
        """A pattern with the decimals of ISO 4217: Babel's own are those of CLDR."""
        key = (found.pattern, digits)
        if key not in self._patterns:
            # Codes are as long as words: they need a space where signs do without.
            spaced = re.sub("¤(?=[#0])", f"¤{_NBSP}", found.pattern)
            made: NumberPattern = parse_pattern(spaced.replace("¤", "¤¤"))
            made.frac_prec = (digits, digits)
            self._patterns[key] = made
        return self._patterns[key]


def wording_of(locale: object) -> Wording:
    """Find the wording for a locale of one of the languages, such as de, de_AT or de-AT.

    A country for which the language has no habits of its own gets those of the language.

    Raises:
        InvalidValue: no locale, or one of another language.
    """
    tag = locale.replace("-", "_") if isinstance(locale, str) and _TAG.fullmatch(locale) else ""
    language = tag[:2].lower()
    if language not in TEXTS:
        raise InvalidValue(
            "not a locale of a language that statements are written in",
            field="locale",
            value=locale,
            remedy="English (en), Ukrainian (uk), Russian (ru) or German (de),"
            " with or without a country: de_AT",
        )
    try:
        return Wording(Locale.parse(tag))
    except (UnknownLocaleError, ValueError):
        return Wording(Locale(language))
