"""The Northwind shop as a book: 91 clients, their 830 orders, and what became of them.

    python examples/northwind.py sqlite:///northwind.db

The data tell who bought what and when, but not who paid: payments follow the `RULE`.
"""

import csv
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import attrs

from clientledger import Address, Book, Client, Contact, Entry, Line, Money, open_book

FOLDER = Path(__file__).parent / "data" / "northwind"
AS_OF = date(1998, 5, 6)  # the day of the last order
SHOW = "QUICK"  # the best client, and late with some of its orders
RULE = (
    "Each order is due after 30 days, as agreed, and paid after 25, but one whose number ends in 7 "
    "in two halves after 25 and 75 days, in 8 after 60, and in 9 after 140. Clients in Germany and "
    "the UK do not say what they pay for, those in the UK round up to the next hundred dollars, "
    "and the two who have not ordered yet have sent 500 dollars ahead."
)
DAYS_TO_PAY = {"7": (25, 75), "8": (60,), "9": (140,)}
COUNTRIES = {
    "Argentina": "AR", "Austria": "AT", "Belgium": "BE", "Brazil": "BR", "Canada": "CA",
    "Denmark": "DK", "Finland": "FI", "France": "FR", "Germany": "DE", "Ireland": "IE",
    "Italy": "IT", "Mexico": "MX", "Norway": "NO", "Poland": "PL", "Portugal": "PT", "Spain": "ES",
    "Sweden": "SE", "Switzerland": "CH", "UK": "GB", "USA": "US", "Venezuela": "VE",
}  # fmt: skip

Row = dict[str, str]
Progress = Callable[[str, int, int], None]


@attrs.frozen(kw_only=True)
class Summary:
    """What the book holds, the rule of its payments, a day to look at it, and whom to show."""

    clients: int
    sales: int
    lines: int
    payments: int
    tasks: int
    rule: str
    as_of: date
    show: UUID


def build(book: Book, folder: Path = FOLDER, progress: Progress | None = None) -> Summary:
    """Fill a book with the shop, all of it or nothing; a second time it changes nothing."""
    with book.atomic() as unit:
        shop = Northwind(unit, folder, progress or (lambda stage, done, total: None))
        shop.add_team()
        shop.add_clients()
        shop.agree_terms()
        payments = shop.add_documents() + shop.add_prepayments()
        shop.note_late_shipments()
        tasks = shop.add_reminders()
    return Summary(
        clients=len(shop.clients),
        sales=len(shop.sales),
        lines=sum(len(sale.lines) for sale in shop.sales.values()),
        payments=payments,
        tasks=tasks,
        rule=RULE,
        as_of=AS_OF,
        show=shop.clients[SHOW].id,
    )


class Northwind:
    """The tables of the shop on their way into a book."""

    def __init__(self, book: Book, folder: Path, tell: Progress) -> None:
        self.book, self.folder, self.tell = book, folder, tell
        self.customers = {row["customer_id"]: row for row in self.read("customers")}
        self.orders = {row["order_id"]: row for row in self.read("orders")}
        self.team: dict[str, str] = {}
        self.clients: dict[str, Client] = {}
        self.sales: dict[str, Entry] = {}

    def read(self, table: str) -> list[Row]:
        with (self.folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def add_team(self) -> None:
        for row in self.read("employees"):
            name = f"{row['first_name']} {row['last_name']}"
            key = name.lower().replace(" ", ".")
            phone = row["home_phone"]
            self.book.team.add(key, name, phone=phone, idempotency_key=f"northwind/team/{key}")
            self.team[row["employee_id"]] = key

    def add_clients(self) -> None:
        """Who took a client's last order is its manager; its country reads its phone number."""
        managers = {row["customer_id"]: row["employee_id"] for row in self.orders.values()}
        for n, (id, row) in enumerate(self.customers.items(), 1):
            address = Address(
                street=row["address"],
                city=row["city"],
                region=row["region"],
                postal_code=row["postal_code"],
                country=COUNTRIES[row["country"]],
            )
            self.clients[id] = self.book.clients.add(
                row["company_name"],
                phones=[row["phone"]],
                addresses=[address],
                contacts=[Contact(row["contact_name"], role=row["contact_title"])],
                manager=self.team[managers[id]] if id in managers else None,
                tags=[row["country"]],
                attributes={"fax": row["fax"]} if row["fax"] else {},
                external_ids={"northwind": id},
                key=f"northwind/client/{id}",
            )
            self.tell("clients", n, len(self.customers))

    def agree_terms(self) -> None:
        first = {row["customer_id"]: row for row in reversed(self.orders.values())}
        for id, row in first.items():
            self.book.agreements.promise(
                self.clients[id],
                "payment terms",
                "To be paid within 30 days",
                terms="30 days",
                by=self.team[row["employee_id"]],
                valid_from=date.fromisoformat(row["order_date"]),
                external_ids={"northwind": id},
                key=f"northwind/terms/{id}",
            )

    def add_documents(self) -> int:
        """Record orders (part 0) and their payments as the days went by; count the payments."""
        documents = [
            (date.fromisoformat(row["order_date"]) + timedelta(days=days), order, part)
            for order, row in self.orders.items()
            for part, days in enumerate((0, *DAYS_TO_PAY.get(order[-1], (25,))))
        ]
        happened = sorted(document for document in documents if document[0] <= AS_OF)
        lines = self.lines()
        for n, (day, order, part) in enumerate(happened, 1):
            if part == 0:
                self.add_sale(day, order, lines[order])
            else:
                self.add_payment(day, order, part)
            self.tell("documents", n, len(happened))
        return len(happened) - len(self.sales)

    def add_sale(self, day: date, order: str, lines: list[Line]) -> None:
        row = self.orders[order]
        seller = self.book.as_actor(self.team[row["employee_id"]])
        self.sales[order] = seller.ledger.record_sale(
            self.clients[row["customer_id"]],
            lines,
            currency="USD",
            on=day,
            due=day + timedelta(days=30),
            number=order,
            external_ids={"northwind": order},
            key=f"northwind/order/{order}",
        )

    def add_payment(self, day: date, order: str, part: int) -> None:
        """Told to settle its order, or without word: then it settles the oldest due."""
        sale, customer = self.sales[order], self.orders[order]["customer_id"]
        country = self.customers[customer]["country"]
        minor = sale.amount.minor
        if order[-1] == "7":
            minor = minor // 2 if part == 1 else minor - minor // 2
        if country == "UK":
            minor = -(-minor // 100_00) * 100_00
        told = None if country in ("Germany", "UK") else sale
        self.pay(customer, Money.from_minor(minor, "USD"), day, f"{order}/{part}", told)

    def add_prepayments(self) -> int:
        """Whoever has not ordered yet has sent something ahead."""
        waiting = self.customers.keys() - {row["customer_id"] for row in self.orders.values()}
        for customer in sorted(waiting):
            self.pay(customer, Money("500.00", "USD"), AS_OF, f"{customer}/ahead")
        return len(waiting)

    def pay(
        self, customer: str, amount: Money, on: date, id: str, told: Entry | None = None
    ) -> None:
        self.book.ledger.record_payment(
            self.clients[customer],
            amount,
            allocate=None if told is None else {told.id: amount},
            on=on,
            method="bank transfer",
            external_ids={"northwind": id},
            key=f"northwind/payment/{id}",
        )

    def note_late_shipments(self) -> None:
        for order, row in self.orders.items():
            wanted, left = row["required_date"], row["shipped_date"]
            if left > wanted:
                seller = self.book.as_actor(self.team[row["employee_id"]])
                seller.interactions.log(
                    self.clients[row["customer_id"]],
                    "note",
                    f"Order {order} was wanted by {wanted} and left on {left}",
                    at=datetime.combine(date.fromisoformat(left), time(12), UTC),
                    external_ids={"northwind": order},
                    key=f"northwind/late/{order}",
                )

    def add_reminders(self) -> int:
        """A task for each overdue sale, due on the day it became so, for the client's manager."""
        sales = {sale.id: sale for sale in self.sales.values()}
        overdue = self.book.ledger.open_items(overdue_only=True, as_of=AS_OF)
        late = [sales[item.entry] for item in overdue if item.entry in sales]
        for n, sale in enumerate(late, 1):
            self.book.tasks.add(
                f"Remind about order {sale.number}",
                client=sale.client,
                kind="payment reminder",
                due=sale.on + timedelta(days=31),
                about=sale,
                external_ids={"northwind": str(sale.number)},
                key=f"northwind/reminder/{sale.number}",
            )
            self.tell("tasks", n, len(late))
        return len(late)

    def lines(self) -> dict[str, list[Line]]:
        """The lines by order. Prices and discounts carry the noise of binary floats."""
        names = {row["product_id"]: row["product_name"] for row in self.read("products")}
        lines: dict[str, list[Line]] = {order: [] for order in self.orders}
        for row in self.read("order_details"):
            product, price = row["product_id"], round(Decimal(row["unit_price"]), 2)
            percent = round(Decimal(row["discount"]), 2) * 100 or None
            line = Line(
                names[product], row["quantity"], price, sku=product, discount_percent=percent
            )
            lines[row["order_id"]].append(line)
        return lines


if __name__ == "__main__":
    with open_book(sys.argv[1] if len(sys.argv) > 1 else "memory:") as book:
        print(build(book))
