"""The Northwind example, compared with figures computed straight from its tables."""

import csv
import runpy
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import attrs
import pytest
from examples import northwind
from tests.expected import Debt, Debts, Paid, Put

from clientledger import Book, open_book

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "data" / "northwind"
AS_OF = date(1998, 5, 6)
CENT = Decimal("0.01")


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CUSTOMERS = {row["customer_id"]: row for row in table("customers")}
ORDERS = {row["order_id"]: row for row in table("orders")}
EMPLOYEES = {
    row["employee_id"]: f"{row['first_name']}.{row['last_name']}".lower()
    for row in table("employees")
}


def order_cents() -> dict[str, int]:
    """The orders' totals: each line is rounded once to cents, a half to the even one."""
    totals = dict.fromkeys(ORDERS, 0)
    for row in table("order_details"):
        cents = int((Decimal(row["unit_price"]) * 100).to_integral_value())
        percent = int((Decimal(row["discount"]) * 100).to_integral_value())
        whole, rest = divmod(cents * int(row["quantity"]) * (100 - percent), 100)
        totals[row["order_id"]] += whole + (rest > 50 or (rest == 50 and whole % 2 == 1))
    return totals


CENTS = order_cents()


def what_happened() -> Debts:
    """Follow the example's rule, day by day."""
    shop = Debts()
    steps = []
    for order, row in ORDERS.items():
        day = date.fromisoformat(row["order_date"])
        steps.append((day, order, 0))
        for part, days in enumerate({"7": [25, 75], "8": [60], "9": [140]}.get(order[4], [25]), 1):
            steps.append((day + timedelta(days), order, part))
    for day, order, part in sorted(steps):
        if day <= AS_OF:
            client, cents = ORDERS[order]["customer_id"], CENTS[order]
            if part == 0:
                shop.add(Debt(client, order, day, day + timedelta(30), cents))
            else:
                if order[4] == "7":
                    cents = cents // 2 if part == 1 else cents - cents // 2
                if CUSTOMERS[client]["country"] == "UK":
                    cents += -cents % 10000
                shop.add(Paid(client, f"{order}/{part}", day, cents))
            told = part and CUSTOMERS[client]["country"] not in ("UK", "Germany")
            settle(shop, client, day, order if told else None)
    for client in CUSTOMERS.keys() - {row["customer_id"] for row in ORDERS.values()}:
        shop.add(Paid(client, client, AS_OF, 50000))
    return shop


def settle(shop: Debts, client: str, day: date, only: str | None) -> None:
    """Put what is free of a client against what it owes, the oldest first; or against one order."""
    owed = sorted(shop.open_debts(day, client), key=lambda pair: (pair[0].due, pair[0].id))
    free = dict(shop.free(day, client))
    for debt, cents in owed:
        for paid, left in free.items():
            if only in (None, debt.id) and min(cents, left):
                put = min(cents, left)
                shop.add(Put(paid.id, debt.id, day, put))
                free[paid] -= put
                cents -= put


@pytest.fixture(scope="module")
def happened() -> Debts:
    return what_happened()


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def book(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("northwind")
    url = "memory:" if request.param == "memory" else f"sqlite:///{folder}/northwind.db"
    with open_book(url) as book:
        yield book


@pytest.fixture(scope="module")
def summary(book: Book) -> northwind.Summary:
    return northwind.build(book, FOLDER)


@pytest.fixture(scope="module")
def ids(book: Book, summary: northwind.Summary) -> dict[str, str]:
    """The customers' ids by the clients' own."""
    return {str(client.id): client.external_ids["northwind"] for client in book.clients.find()}


def test_the_summary_counts_what_the_tables_hold(
    summary: northwind.Summary, happened: Debts
) -> None:
    told = attrs.asdict(summary)
    assert told.pop("show")
    assert told == {
        "clients": 91,
        "sales": 830,
        "lines": 2155,
        "payments": sum(map(len, happened.paid.values())),
        "tasks": len(late_orders(happened)),
        "rule": northwind.RULE,
        "as_of": AS_OF,
    }


def test_all_orders_add_up_to_the_rounded_lines(book: Book, summary: northwind.Summary) -> None:
    exact = sum(
        Decimal(row["unit_price"]) * int(row["quantity"]) * (1 - Decimal(row["discount"]))
        for row in table("order_details")
    )
    assert Decimal(exact).quantize(CENT, ROUND_HALF_EVEN) == Decimal("1265793.04")
    # The exact total has fractions of cents in it; rounding each line gives 2 cents less.
    assert sum(CENTS.values()) == 1265793_02
    sales = book.ledger.find(kind="sale")
    assert {sale.number: sale.amount.minor for sale in sales} == CENTS
    assert {sale.external_ids["northwind"] for sale in sales} == set(ORDERS)
    rows = [(sale, ORDERS[str(sale.number)]) for sale in sales]
    assert all(sale.on == date.fromisoformat(row["order_date"]) for sale, row in rows)
    assert all(sale.actor == EMPLOYEES[row["employee_id"]] for sale, row in rows)


def test_noise_of_floats_is_gone(book: Book, summary: northwind.Summary) -> None:
    lines = [line for sale in book.ledger.find(kind="sale") for line in sale.lines]
    assert len(lines) == 2155
    assert all(line.price == line.price.quantize(CENT) for line in lines)
    percents = {line.discount_percent for line in lines}
    assert percents == {None, *map(Decimal, ("1", "2", "3", "4", "5", "6", "10", "15", "20", "25"))}


def test_each_client_bought_what_the_tables_say(book: Book, ids: dict[str, str]) -> None:
    for id, customer in ids.items():
        own = [order for order, row in ORDERS.items() if row["customer_id"] == customer]
        days = sorted({date.fromisoformat(ORDERS[order]["order_date"]) for order in own})
        gaps = [(after - before).days for before, after in pairwise(days)]
        told = book.insights.purchases(id, as_of=AS_OF)
        assert told.count == len(own)
        assert {code: sold.minor for code, sold in told.totals.items()} == (
            {"USD": sum(CENTS[order] for order in own)} if own else {}
        )
        assert (told.first, told.last) == ((days[0], days[-1]) if own else (None, None))
        assert told.usual_interval == (Fraction(median(gaps)) if len(days) >= 3 else None)


@pytest.mark.parametrize(
    "day",
    [AS_OF, date(1998, 4, 30), date(1997, 12, 31), date(1996, 8, 3), date(1996, 8, 4)],
    ids=str,
)
def test_each_client_owes_what_the_rule_leaves(
    book: Book, ids: dict[str, str], happened: Debts, day: date
) -> None:
    for by in ("due", "date"):
        rows = book.insights.ageing(as_of=day, by=by)
        found = {
            ids[str(row.client.id)]: (
                tuple(bucket.amount.minor for bucket in row.buckets),
                row.prepaid.minor,
            )
            for row in rows
        }
        assert found == happened.aged(day, by)
    late = happened.overdue(day)
    wanted = {
        customer: (aged.owed, aged.prepaid, late.get(customer, 0))
        for customer, aged in happened.aged(day).items()
        if aged.owed
    }
    debtors = book.insights.debtors(as_of=day)
    assert {
        ids[str(row.client.id)]: (
            row.account.owed.minor,
            row.account.prepaid.minor,
            row.account.overdue.minor,
        )
        for row in debtors
    } == wanted
    ranks = [(row.account.overdue.minor, row.account.owed.minor) for row in debtors]
    assert ranks == sorted(ranks, reverse=True)


def test_each_order_is_open_as_far_as_the_rule_leaves_it(
    book: Book, summary: northwind.Summary, happened: Debts
) -> None:
    wanted = {debt.id: (debt.due, cents) for debt, cents in happened.open_debts(AS_OF)}
    items = book.ledger.open_items(as_of=AS_OF)
    assert {
        item.number: (item.due, item.open.minor) for item in items if item.side == "debit"
    } == wanted
    assert sum(item.open.minor for item in items if item.side == "credit") == sum(
        cents for _, cents in happened.free(AS_OF)
    )


def test_there_are_clients_of_every_sort(
    book: Book, summary: northwind.Summary, happened: Debts
) -> None:
    aged, late = happened.aged(AS_OF), happened.overdue(AS_OF)
    partly = [debt for debt, cents in happened.open_debts(AS_OF) if cents < debt.cents]
    assert len(CUSTOMERS.keys() - aged.keys()) >= 20  # paid all
    assert len(late) >= 20
    assert len([one for one in aged.values() if one.prepaid]) >= 3
    assert len({debt.client for debt in partly}) >= 5
    assert all(sum(one.buckets[place] for one in aged.values()) for place in range(5))
    card = book.card(summary.show, as_of=summary.as_of)
    assert card.accounts["USD"].overdue
    assert all([card.tasks, card.agreements, card.timeline.more, card.purchases.bought])
    assert any(item.open < item.amount for item in card.open_items)


def test_the_agenda_of_the_day_is_to_remind_of_what_is_late(
    book: Book, ids: dict[str, str], happened: Debts
) -> None:
    managers = {row["customer_id"]: EMPLOYEES[row["employee_id"]] for row in ORDERS.values()}
    wanted = {
        (
            debt.client,
            f"Remind about order {debt.id}",
            debt.due + timedelta(1),
            managers[debt.client],
        )
        for debt in late_orders(happened)
    }
    agenda = book.tasks.agenda(until=AS_OF)
    assert {(ids[str(one.client)], one.title, one.due, one.assignee) for one in agenda} == wanted
    assert len(agenda) == len(wanted)
    clients = book.clients.find()
    assert {ids[str(one.id)]: one.manager for one in clients if one.manager} == managers


def late_orders(happened: Debts) -> list[Debt]:
    return [debt for debt, _ in happened.open_debts(AS_OF) if debt.due < AS_OF]


def test_late_shipments_are_noted(book: Book, ids: dict[str, str]) -> None:
    late = [row for row in ORDERS.values() if row["shipped_date"] > row["required_date"]]
    notes = [
        (ids[id], item.at.date().isoformat())
        for id in ids
        for item in book.interactions.timeline(id, what=("interaction",))
    ]
    assert sorted(notes) == sorted((row["customer_id"], row["shipped_date"]) for row in late)
    assert len(late) == 37


def test_national_phone_numbers_are_read_by_the_country(
    book: Book, summary: northwind.Summary
) -> None:
    alfreds = book.clients.find(external_id=("northwind", "ALFKI"))[0]
    assert alfreds.phones[0].e164 == "+49300074321"
    assert book.clients.find(phone="+49 30 0074321")[0] == alfreds


def test_a_second_time_changes_nothing(book: Book, summary: northwind.Summary) -> None:
    before = book.changes(limit=None), book.insights.ageing(as_of=AS_OF), book.tasks.find()
    assert northwind.build(book, FOLDER) == summary
    assert (
        book.changes(limit=None),
        book.insights.ageing(as_of=AS_OF),
        book.tasks.find(),
    ) == before


def test_the_book_agrees_with_itself(book: Book, summary: northwind.Summary) -> None:
    report = book.verify()
    assert report.ok, report.problems
    assert (report.clients, report.entries) == (91, 830 + summary.payments)


def test_progress_is_told_to_the_end() -> None:
    told: dict[str, tuple[int, int]] = {}
    with open_book("memory:") as book:
        northwind.build(
            book, FOLDER, lambda stage, done, total: told.update({stage: (done, total)})
        )
    assert set(told) == {"clients", "documents", "tasks"}
    assert all(done == total for done, total in told.values())


def test_an_import_that_breaks_off_leaves_nothing() -> None:
    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "documents" and done == 10:
            raise Stop

    with open_book("memory:") as book:
        with pytest.raises(Stop):
            northwind.build(book, FOLDER, stop)
        assert not book.clients.find()
        assert not book.changes()


def test_it_runs_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["northwind.py", "memory:"])
    runpy.run_path(str(ROOT / "examples" / "northwind.py"), run_name="__main__")
    assert "clients=91, sales=830, lines=2155" in capsys.readouterr().out
