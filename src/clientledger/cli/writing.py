"""The commands that write to a book: clients, interactions, documents, members."""

from datetime import date
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from clientledger import Account, Book, Client, Entry, InvalidValue, Money
from clientledger.cli.exits import OK
from clientledger.cli.naming import client_named, external_ids
from clientledger.cli.options import COMMON, Common, Day, Key, read_moment
from clientledger.cli.plain import emit, plain
from clientledger.cli.screen import Screen, amount
from clientledger.cli.told import read_allocation, read_contact, read_line

__all__ = [
    "add_client",
    "add_member",
    "hand_over",
    "log",
    "payment",
    "sale",
    "settings",
]

_ALWAYS = date(2999, 12, 31)
Texts = Annotated[list[str] | None, Parameter(negative=())]
Sources = Annotated[
    list[str] | None,
    Parameter(metavar="SOURCE:ID", negative=(), help="What another system calls it."),
]


def add_client(
    name: str,
    /,
    *,
    kind: Literal["company", "person"] = "company",
    phone: Texts = None,
    email: Texts = None,
    contact: Texts = None,
    street: str = "",
    city: str = "",
    postal_code: str = "",
    country: str = "",
    vat: str | None = None,
    manager: str | None = None,
    tag: Texts = None,
    note: str = "",
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Add a client; a book that is not there yet is made.

    Args:
        name: of the company or person.
        kind: what it is.
        phone: a number; may be given several times.
        email: an address; may be given several times.
        contact: a person there, "name;role;phone;email"; may be given several times.
        street: of the address.
        city: of the address.
        postal_code: of the address.
        country: of the address, as two capital letters, such as DE.
        vat: its VAT number.
        manager: the key of the responsible member; the actor, or one who has been added.
        tag: a word to find it by; may be given several times.
        note: anything else.
    """
    place = {"street": street, "city": city, "postal_code": postal_code, "country": country}
    with common.make() as book:
        client = book.clients.add(
            name,
            kind=kind,
            phones=phone or (),
            emails=email or (),
            contacts=[read_contact(text) for text in contact or ()],
            addresses=[place] if any(place.values()) else (),
            tax_ids={"VAT": vat} if vat else None,
            manager=manager,
            tags=tag or (),
            note=note,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
    return _done(common, client, f"Added {client.name}, id {client.id}.")


def log(
    client: str,
    kind: str,
    summary: str,
    /,
    *,
    at: str | None = None,
    direction: Literal["in", "out"] | None = None,
    contact: str | None = None,
    body: str = "",
    outcome: str = "",
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Write down a call, meeting, message, e-mail, visit or note.

    Args:
        client: an id, an external id (source:id), or words that name exactly one client.
        kind: in your own words, such as call or visit.
        summary: what it was about.
        at: when it happened, "YYYY-MM-DD HH:MM" in the book's time zone; now by default.
        direction: whether they came to us, or we to them.
        contact: the name of the person.
        body: all that was said.
        outcome: what came of it.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.interactions.log(
            found,
            kind,
            summary,
            at=None if at is None else read_moment(at, book.settings.zone, "at"),
            direction=direction,
            contact=contact,
            body=body,
            outcome=outcome,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
    return _done(common, made, f"Noted for {found.name}: {made.kind}, {made.summary}.")


def sale(
    client: str,
    /,
    *,
    line: Texts = None,
    amount: str | None = None,
    currency: str | None = None,
    on: Day | None = None,
    due: Day | None = None,
    number: str | None = None,
    use_prepayments: bool | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a sale: its lines, or just its amount.

    Args:
        client: an id, an external id (source:id), or words that name exactly one client.
        line: "name;quantity;price" or "name;quantity;price;sku"; may be given several times.
        amount: in place of lines, such as "500.00 EUR".
        currency: of the lines, or of an amount without one; the book's by default.
        on: the date; today by default.
        due: when it has to be paid; on its own date by default.
        number: the document's number, unique among sales.
        use_prepayments: whether what is prepaid settles it; as the book's settings say by default.
    """
    if (line is None) == (amount is None):
        raise InvalidValue(
            "a sale has lines or an amount",
            field="line",
            remedy='give --line "name;quantity;price" (several times) or --amount "500.00 EUR"',
        )
    with common.write() as book:
        found = client_named(book, client)
        made = book.ledger.record_sale(
            found,
            amount if amount is not None else [read_line(text) for text in line or ()],
            currency=currency,
            on=on,
            due=due,
            number=number,
            use_prepayments=use_prepayments,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return _document(common, book, found, made)


def payment(
    client: str,
    amount: str,
    /,
    *,
    currency: str | None = None,
    allocate: Texts = None,
    free: Annotated[bool, Parameter(negative=())] = False,
    on: Day | None = None,
    method: str = "",
    number: str | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a payment. Without a word it settles the oldest due first; what is left is prepaid.

    Args:
        client: an id, an external id (source:id), or words that name exactly one client.
        amount: such as "500.00 EUR".
        currency: of an amount without one; the book's by default.
        allocate: what it settles, "number of the sale=amount"; may be given several times.
        free: let it settle nothing; all of it is prepaid.
        on: the date; today by default.
        method: in your own words, such as "bank transfer".
        number: the document's number, unique among payments.
    """
    if free and allocate:
        raise InvalidValue(
            "a payment is left free or allocated", field="free", remedy="leave one of them out"
        )
    with common.write() as book:
        found = client_named(book, client)
        told = {} if free else read_allocation(book, found, allocate) if allocate else None
        made = book.ledger.record_payment(
            found,
            amount,
            currency=currency,
            allocate=told,
            on=on,
            method=method,
            number=number,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
        return _document(common, book, found, made)


def hand_over(
    giver: str,
    taker: str,
    /,
    *,
    client: Texts = None,
    tasks: bool = True,
    reason: str = "",
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Give the clients and the open tasks of one member to another.

    Args:
        giver: the key of the member who gives.
        taker: the key of the member who takes.
        client: only this client of theirs; may be given several times.
        tasks: whether open tasks go along.
        reason: why, for the history.
    """
    with common.write() as book:
        chosen = None if client is None else [client_named(book, one) for one in client]
        made = book.team.hand_over(
            giver, taker, clients=chosen, tasks=tasks, reason=reason, key=key
        )
    clients, moved = _count(len(made.clients), "client"), _count(len(made.tasks), "open task")
    return _done(common, made, f"{giver} handed {clients} and {moved} over to {taker}.")


def add_member(
    key: str,
    name: str | None = None,
    /,
    *,
    email: str | None = None,
    phone: str | None = None,
    common: Common = COMMON,
) -> int:
    """Add a member of our own team, who can then be a manager or an assignee.

    Args:
        key: a short name that stays, such as olena.
        name: the full name.
        email: an address.
        phone: a number.
    """
    with common.make() as book:
        made = book.team.add(key, name or key, email=email, phone=phone)
    return _done(common, made, f"Added {made.name}, key {made.key}.")


def settings(
    *,
    currency: str | None = None,
    time_zone: str | None = None,
    region: str | None = None,
    use_prepayments: bool | None = None,
    common: Common = COMMON,
) -> int:
    """Show how the book counts, or change it; a book that is not there yet is made by a change.

    Args:
        currency: of amounts without one, such as EUR.
        time_zone: in which today is told, such as Europe/Kyiv.
        region: the country whose national phone numbers are understood, such as UA.
        use_prepayments: whether what is prepaid settles a new sale by itself.
    """
    told = {
        "currency": currency,
        "time_zone": time_zone,
        "region": region,
        "use_prepayments": use_prepayments,
    }
    changes: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    with common.make() if changes else common.read() as book:
        made = book.change_settings(**changes) if changes else book.settings
    lines = [
        f"{name}: {value}"
        for name, value in plain(made).items()
        if name not in ("id", "revision", "currencies")
    ]
    return _done(common, made, "\n".join(lines))


def _document(common: Common, book: Book, client: Client, entry: Entry) -> int:
    account = book.ledger.account(client, entry.amount.unit)
    if common.json:
        emit({**plain(entry), "account": plain(account)})
        return OK
    state = book.ledger.state(entry, as_of=_ALWAYS)
    title = f"{entry.kind.capitalize()} {entry.number}" if entry.number else entry.kind.capitalize()
    due = f", due {entry.due}" if entry.due and entry.due != entry.on else ""
    lines = [f"{title} of {entry.on}: {_written(entry.amount)}{due}. {client.name}."]
    for link in state.allocations:
        other = book.ledger.get(link.credit if link.debit == entry.id else link.debit)
        verb = "settled by" if link.debit == entry.id else "settles"
        named = f"{other.kind} {other.number or other.on}"
        lines.append(f"  {verb} {named}: {_written(link.live)}")
    lines.append(f"  {_standing(account)}")
    Screen().show("\n".join(lines))
    return OK


def _standing(account: Account) -> str:
    owes = _written(account.owed) if account.owed else f"nothing in {account.currency}"
    late = f" ({_written(account.overdue)} of it overdue)" if account.overdue else ""
    prepaid = f", and has {_written(account.prepaid)} prepaid" if account.prepaid else ""
    return f"now owes {owes}{late}{prepaid}"


def _written(money: Money) -> str:
    return amount(money, code=True).plain


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _done(common: Common, made: Any, said: str) -> int:
    if common.json:
        emit(made)
    else:
        Screen().show(said)
    return OK
