"""The commands that write to a book: clients, interactions, members, settings."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from clientledger.cli.naming import client_named, external_ids
from clientledger.cli.options import COMMON, Common, Key, Sources, Switch, Texts, read_moment
from clientledger.cli.plain import plain
from clientledger.cli.receipts import count, done
from clientledger.cli.told import read_contact

__all__ = ["add_client", "add_member", "hand_over", "log", "settings"]


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
    return done(common, client, f"Added {client.name}, id {client.id}.")


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
    return done(common, made, f"Noted for {found.name}: {made.kind}, {made.summary}.")


def hand_over(
    giver: Annotated[str, Parameter(name="from")],
    taker: Annotated[str, Parameter(name="to")],
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
    clients, moved = count(len(made.clients), "client"), count(len(made.tasks), "open task")
    return done(common, made, f"{giver} handed {clients} and {moved} over to {taker}.")


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
    return done(common, made, f"Added {made.name}, key {made.key}.")


def settings(
    *,
    currency: str | None = None,
    time_zone: str | None = None,
    region: str | None = None,
    use_prepayments: bool | None = None,
    credit_limit: Literal["refuse", "warn"] | None = None,
    company: str | None = None,
    hash_chain: Switch = False,
    common: Common = COMMON,
) -> int:
    """Show how the book counts, or change it; a book that is not there yet is made by a change.

    Args:
        currency: of amounts without one, such as EUR.
        time_zone: in which today is told, such as Europe/Kyiv.
        region: the country whose national phone numbers are understood, such as UA.
        use_prepayments: whether what is prepaid settles a new sale by itself.
        credit_limit: whether a sale above a client's agreed limit is refused, or only told of.
        company: the name of our own side, for statements.
        hash_chain: let every event be sealed from now on, for good; see `anchor`.
    """
    told = {
        "currency": currency,
        "time_zone": time_zone,
        "region": region,
        "use_prepayments": use_prepayments,
        "credit_limit": credit_limit,
        "company": company,
        "hash_chain": hash_chain or None,
    }
    changes: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    with common.make() if changes else common.read() as book:
        made = book.change_settings(**changes) if changes else book.settings
    lines = [
        f"{name}: {'none' if value in (None, '') else value}"
        for name, value in plain(made).items()
        if name not in ("id", "revision", "edition", "currencies")
    ]
    return done(common, made, "\n".join(lines))
