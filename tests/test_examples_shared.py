"""The examples whose data are not shipped, compared with figures computed straight from them.

The data stand in `../shared/data` beside the checkout, or where CLIENTLEDGER_SHARED_DATA says.
"""

import csv
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
from examples import cdnow, chinook, receivables
from tests.expected import Debt, Debts, Paid, Put

from clientledger import Book, open_book

BESIDE = Path(__file__).parents[2] / "shared" / "data"
SHARED = Path(os.environ.get("CLIENTLEDGER_SHARED_DATA") or BESIDE)
Stores = Callable[[str], str]


class Built(NamedTuple):
    """A book that an example has filled, and the ids in the data by the clients' own."""

    book: Book
    ids: dict[str, str]


def folder(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"the data set {name} is not at hand: set CLIENTLEDGER_SHARED_DATA")
    return SHARED / name


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    def make(name: str) -> str:
        if request.param == "memory":
            return "memory:"
        return f"sqlite:///{tmp_path_factory.mktemp(name)}/{name}.db"

    return make


def ids_of(book: Book, source: str) -> dict[str, str]:
    return {str(client.id): client.external_ids[source] for client in book.clients.find()}


def cents(text: str) -> int:
    return int(Decimal(text) * 100)


def table(name: str, file: str) -> list[dict[str, str]]:
    with (folder(name) / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


# ---------------------------------------------------------------- receivables
def day_of(text: str) -> date:
    return date(int(text[6:]), int(text[3:5]), int(text[:2]))


@pytest.fixture(scope="module")
def debts() -> Debts:
    shop = Debts()
    for row in table("receivables", "accounts_receivable"):
        number, amount = row["invoiceNumber"], cents(row["InvoiceAmount"])
        day, due, settled = map(day_of, (row["InvoiceDate"], row["DueDate"], row["SettledDate"]))
        shop.add(Debt(row["customerID"], number, day, due, amount))
        shop.add(Paid(row["customerID"], f"paid {number}", settled, amount))
        shop.add(Put(f"paid {number}", number, settled, amount))
    return shop


@pytest.fixture(scope="module")
def invoices(url: Stores) -> Iterator[Built]:
    with open_book(url("receivables")) as book:
        told = receivables.build(book, folder("receivables"))
        assert told == receivables.Summary(clients=50, sales=1267, payments=1267)
        yield Built(book, ids_of(book, "receivables"))


@pytest.mark.parametrize(
    ("day", "owed", "count", "clients", "overdue"),
    [
        (date(2012, 12, 31), "3071.08", 54, 30, "473.26"),
        (date(2013, 6, 30), "2996.59", 49, 26, "486.06"),
    ],
)
def test_what_is_open_on_a_day(
    invoices: Built, day: date, owed: str, count: int, clients: int, overdue: str
) -> None:
    items = invoices.book.ledger.open_items(as_of=day)
    assert (sum(item.open.minor for item in items), len(items)) == (cents(owed), count)
    late = invoices.book.ledger.open_items(as_of=day, overdue_only=True)
    assert sum(item.open.minor for item in late) == cents(overdue)
    debtors = invoices.book.insights.debtors(as_of=day)
    assert len(debtors) == clients
    assert sum(row.account.owed.minor for row in debtors) == cents(owed)
    assert sum(row.account.overdue.minor for row in debtors) == cents(overdue)


def days_to_ask() -> list[date]:
    """The days at which something changes for an invoice that was paid late, and some others."""
    row = next(
        row
        for row in table("receivables", "accounts_receivable")
        if int(row["DaysLate"]) > 1 and row["InvoiceDate"].endswith("2013")
    )
    day, due, settled = map(day_of, (row["InvoiceDate"], row["DueDate"], row["SettledDate"]))
    one = timedelta(days=1)
    edges = [day - one, day, due, due + one, settled - one, settled]
    return [*edges, date(2012, 1, 2), date(2012, 12, 31), date(2013, 6, 30), date(2014, 1, 9)]


def test_each_client_owes_what_the_dates_say(invoices: Built, debts: Debts) -> None:
    for day in days_to_ask():
        check_ageing(invoices, debts, day, "due")
        check_debtors(invoices, debts, day, overdue_only=False)


def test_ageing_by_date_and_who_is_late(invoices: Built, debts: Debts) -> None:
    for day in (date(2012, 12, 31), date(2013, 6, 30)):
        check_ageing(invoices, debts, day, "date")
        check_debtors(invoices, debts, day, overdue_only=True)


def check_ageing(invoices: Built, debts: Debts, day: date, by: str) -> None:
    rows = invoices.book.insights.ageing(as_of=day, by=by)
    assert {
        invoices.ids[str(row.client.id)]: (
            tuple(part.amount.minor for part in row.buckets),
            row.prepaid.minor,
        )
        for row in rows
    } == debts.aged(day, by)


def check_debtors(invoices: Built, debts: Debts, day: date, *, overdue_only: bool) -> None:
    aged, late = debts.aged(day), debts.overdue(day)
    wanted = [
        (late.get(customer, 0), aged[customer].owed, id)
        for id, customer in invoices.ids.items()
        if customer in (late if overdue_only else aged)
    ]
    debtors = invoices.book.insights.debtors(as_of=day, overdue_only=overdue_only)
    assert [
        (row.account.overdue.minor, row.account.owed.minor, str(row.client.id)) for row in debtors
    ] == sorted(wanted, key=lambda row: (-row[0], -row[1], row[2]))


def test_the_statement_of_a_client(invoices: Built, debts: Debts) -> None:
    book, ids = invoices
    since, until = date(2012, 7, 1), date(2012, 12, 31)
    customer = max(debts.debts, key=lambda id: (len(debts.debts[id]), id))
    rows = [(debt.day, 1, debt.cents) for debt in debts.debts[customer]]
    rows += [(paid.day, -1, paid.cents) for paid in debts.paid[customer]]
    before = sum(sign * amount for day, sign, amount in rows if day < since)
    client = next(id for id, name in ids.items() if name == customer)
    told = book.ledger.statement(client, "USD", since, until)
    within = [row for row in rows if since <= row[0] <= until]
    balances = {}
    running = before
    for day, sign, amount in sorted(within):
        running += sign * amount
        balances[day] = running
    assert told.opening.minor == before
    assert told.closing.minor == running
    assert {row.entry.on: row.balance.minor for row in told.rows} == balances
    assert sorted(
        (row.entry.on, 1 if row.debit else -1, (row.debit or row.entry.amount).minor)
        for row in told.rows
    ) == sorted(within)
    assert len(within) > 10


def test_invoices_a_second_time_change_nothing(invoices: Built) -> None:
    book = invoices.book
    before = book.changes(limit=None), book.insights.ageing(as_of=date(2013, 1, 1))
    receivables.build(book, folder("receivables"))
    assert (book.changes(limit=None), book.insights.ageing(as_of=date(2013, 1, 1))) == before
    assert book.verify().ok


# ---------------------------------------------------------------- cdnow
class Bought(NamedTuple):
    """What a customer bought by a day."""

    cents: int
    sales: int
    days: list[date]

    @property
    def usual(self) -> Fraction | None:
        gaps = [(after - before).days for before, after in pairwise(self.days)]
        return Fraction(median(gaps)) if len(self.days) >= 3 else None


LAST = date(1998, 6, 30)


def purchases(since: date = date.min, until: date = LAST) -> dict[str, Bought]:
    found: dict[str, list[tuple[date, int]]] = {}
    for line in (folder("cdnow") / "CDNOW_sample.txt").read_text().splitlines():
        on = date(int(line[12:16]), int(line[16:18]), int(line[18:20]))
        if since <= on <= until and (amount := cents(line[23:].strip())):
            found.setdefault(line[1:6], []).append((on, amount))
    return {
        id: Bought(sum(c for _, c in own), len(own), sorted({day for day, _ in own}))
        for id, own in found.items()
    }


@pytest.fixture(scope="module")
def discs(url: Stores) -> Iterator[Built]:
    with open_book(url("cdnow")) as book:
        told = cdnow.build(book, folder("cdnow"))
        assert told == cdnow.Summary(clients=2357, sales=6919 - 8, free=8)
        yield Built(book, ids_of(book, "cdnow"))


@pytest.mark.parametrize(
    ("since", "until"), [(None, LAST), (date(1997, 7, 1), date(1997, 12, 31))], ids=["all", "half"]
)
@pytest.mark.parametrize("by", ["sold", "count"])
def test_who_brings_the_most(discs: Built, since: date | None, until: date, by: str) -> None:
    wanted = purchases(since or date.min, until)
    best = discs.book.insights.best_clients(since=since, until=until, by=by)
    assert {
        discs.ids[str(row.client.id)]: (row.sold.minor, row.count, row.last) for row in best
    } == {id: (one.cents, one.sales, one.days[-1]) for id, one in wanted.items()}
    figures = [row.sold.minor if by == "sold" else row.count for row in best]
    assert figures == sorted(figures, reverse=True)
    if since is None:
        assert sum(row.sold.minor for row in best) == 24409194
    top = discs.book.insights.best_clients(since=since, until=until, by=by, limit=10)
    assert top.rows == best[:10]


@pytest.mark.parametrize("as_of", [LAST, date(1997, 9, 30)], ids=str)
def test_who_has_gone_quiet(discs: Built, as_of: date) -> None:
    bought = purchases(until=as_of)
    silent = {id: (as_of - one.days[-1]).days for id, one in bought.items()}
    for days in (0, 90, 365):
        quiet = discs.book.insights.dormant(days=days, as_of=as_of)
        assert {discs.ids[str(row.client.id)]: row.days for row in quiet} == {
            id: n for id, n in silent.items() if n >= days
        }
    for factor in ("2", "1.5"):
        quiet = discs.book.insights.dormant(factor=factor, as_of=as_of)
        found = {discs.ids[str(row.client.id)]: (row.days, row.usual_interval) for row in quiet}
        assert found == {
            id: (silent[id], one.usual)
            for id, one in bought.items()
            if one.usual is not None and silent[id] > Fraction(factor) * one.usual
        }
        assert [row.days for row in quiet] == sorted((row.days for row in quiet), reverse=True)
        assert quiet


def test_what_cost_nothing_is_noted(discs: Built) -> None:
    assert len(discs.ids) == 2357
    assert sum(one.cents for one in purchases().values()) == cents("244091.94")
    client = next(id for id, name in discs.ids.items() if name == "01101")
    notes = discs.book.interactions.timeline(client, what=("interaction",))
    assert [note.at.date() for note in notes] == [date(1997, 1, 5)]


def test_purchases_a_second_time_change_nothing(discs: Built) -> None:
    before = len(discs.book.changes(limit=None)), discs.book.insights.best_clients(until=LAST)
    cdnow.build(discs.book, folder("cdnow"))
    after = len(discs.book.changes(limit=None)), discs.book.insights.best_clients(until=LAST)
    assert after == before
    assert discs.book.verify().ok


# ---------------------------------------------------------------- chinook
@pytest.fixture(scope="module")
def music(url: Stores) -> Iterator[Built]:
    with open_book(url("chinook")) as book:
        told = chinook.build(book, folder("chinook"))
        assert told == chinook.Summary(members=8, clients=59, sales=412, lines=2240)
        yield Built(book, ids_of(book, "chinook"))


def test_everything_is_sold_and_paid(music: Built) -> None:
    sales = music.book.ledger.find(kind="sale")
    assert {sale.number: sale.amount.minor for sale in sales} == {
        row["InvoiceId"]: cents(row["Total"]) for row in table("chinook", "Invoice")
    }
    assert (len(sales), sum(sale.amount.minor for sale in sales)) == (412, cents("2328.60"))
    for day in (date(2021, 1, 1), date(2023, 6, 15), date(2025, 12, 22)):
        assert not music.book.ledger.open_items(as_of=day)
        assert not music.book.insights.debtors(as_of=day)
    states = {music.book.ledger.state(sale, as_of=sale.on).status for sale in sales}
    assert states == {"paid"}


def test_each_client_is_who_the_tables_say(music: Built) -> None:
    employees = {
        row["EmployeeId"]: f"{row['FirstName']}.{row['LastName']}".lower()
        for row in table("chinook", "Employee")
    }
    customers = {row["CustomerId"]: row for row in table("chinook", "Customer")}
    totals = dict.fromkeys(customers, 0)
    for row in table("chinook", "Invoice"):
        totals[row["CustomerId"]] += cents(row["Total"])
    for client in music.book.clients.find():
        row = customers[client.external_ids["chinook"]]
        assert client.manager == employees[row["SupportRepId"]]
        assert client.name == (row["Company"] or f"{row['FirstName']} {row['LastName']}")
        assert [email.address for email in client.emails] == [row["Email"]]
        told = music.book.insights.purchases(client, as_of=date(2025, 12, 31))
        assert told.totals["USD"].minor == totals[row["CustomerId"]]


def test_music_a_second_time_changes_nothing(music: Built) -> None:
    before = music.book.changes(limit=None), music.book.ledger.find()
    chinook.build(music.book, folder("chinook"))
    assert (music.book.changes(limit=None), music.book.ledger.find()) == before
    assert music.book.verify().ok
