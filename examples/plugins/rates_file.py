"""A plugin with exchange rates out of a CSV file.

    from rates_file import RatesFile

    with open_book("sqlite:///clients.db", plugins=[RatesFile(Path("rates.csv"))]) as book:
        book.insights.converted_total("EUR")

The file has the columns date, from_currency, to_currency and end_of_day_rate, as ISO dates, ISO
codes and decimal text. The rate of a day is the newest one that is not older than `days`.
"""

import csv
from bisect import bisect_right
from collections import defaultdict
from datetime import date, timedelta
from decimal import Context, Decimal
from pathlib import Path

from clientledger import ExchangeRate, hookimpl

_DIGITS = Context(prec=16)


class RatesFile:
    """Rates out of a file, read once.

    Args:
        path: of the file.
        days: how old a rate may be; a week bridges weekends and feasts.
    """

    def __init__(self, path: Path, days: int = 7) -> None:
        self._name = path.name
        self._oldest = timedelta(days=days)
        self._rates: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                rate = date.fromisoformat(row["date"]), Decimal(row["end_of_day_rate"])
                self._rates[row["from_currency"], row["to_currency"]].append(rate)
        for found in self._rates.values():
            found.sort()

    @hookimpl
    def exchange_rate(self, base: str, quote: str, on: date) -> ExchangeRate | None:
        """The rate as told, or the inverse of the one that is told the other way round."""
        told = self._newest(base, quote, on)
        if told is None:
            inverse = self._newest(quote, base, on)
            if inverse is None:
                return None
            told = inverse[0], _DIGITS.divide(Decimal(1), inverse[1])
        return ExchangeRate(base=base, quote=quote, rate=told[1], on=told[0], source=self._name)

    def _newest(self, base: str, quote: str, on: date) -> tuple[date, Decimal] | None:
        rates = self._rates.get((base, quote), [])
        place = bisect_right(rates, on, key=lambda rate: rate[0])
        newest = rates[place - 1] if place else None
        return newest if newest is not None and newest[0] >= on - self._oldest else None
