"""Clients: the card's first page."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.contact_points import (
    Address,
    Contact,
    Email,
    Phone,
    digits_of,
    read_addresses,
    read_contacts,
    read_emails,
    read_phones,
)
from clientledger.domain.mappings import mapping_field
from clientledger.domain.text import (
    LONG,
    SHORT,
    check_mapping,
    check_tags,
    check_text,
    choose,
    fold,
)
from clientledger.errors import InvalidValue

__all__ = ["CLIENT_KINDS", "Client", "read_client_fields", "search_key"]

_NUMBER_LIKE = re.compile(r"[0-9+\-()./ ]{3,}")
CLIENT_KINDS = ("company", "person")


@attrs.frozen(kw_only=True)
class Client:
    """A company or a person we deal with.

    Attributes:
        id: UUIDv7, made when the client was added.
        kind: "company" or "person".
        phones, emails, addresses, contacts: how to reach them; what could not be normalised is
            kept as written and marked (``.valid`` is false).
        tax_ids: by scheme, such as ``{"VAT": "DE123456789"}``.
        manager: the key of the responsible member, or None.
        tags: once each, ordered by code point.
        attributes: the host's own fields, text by name.
        external_ids: the host's ids, by source.
        archived: takes no new sale, agreement or task.
        revision: 1 when added, one more with each change.
    """

    id: UUID
    name: str
    kind: str = "company"
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    tax_ids: Mapping[str, str] = mapping_field()
    bank_accounts: tuple[str, ...] = ()
    manager: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, str] = mapping_field()
    note: str = ""
    external_ids: Mapping[str, str] = mapping_field()
    archived: bool = False
    created_at: datetime
    changed_at: datetime
    revision: int = 1

    @property
    def sort_name(self) -> str:
        """The name as lists order by it: folded, by code point, and short enough for any index."""
        return fold(self.name)[:SHORT]


def read_client_fields(given: Mapping[str, Any], region: str | None) -> dict[str, Any]:
    """Read the fields of a client as told, or refuse the first that cannot be right.

    The country of the first address, else `region`, says how national phone numbers are read.
    """
    unknown = set(given) - set(_READERS) - _LOCAL
    if unknown:
        name = min(unknown)
        raise InvalidValue(
            "not a field of a client that can be given",
            field=name,
            value=given[name],
            remedy=", ".join(sorted(set(_READERS) | _LOCAL)),
        )
    read = {name: _READERS[name](value) for name, value in given.items() if name in _READERS}
    country = next((a.country for a in read.get("addresses", ()) if a.country), None) or region
    if "phones" in given:
        read["phones"] = read_phones(given["phones"], country)
    if "contacts" in given:
        read["contacts"] = read_contacts(given["contacts"], country)
    return read


def _bank_accounts(values: object) -> tuple[str, ...]:
    return tuple(
        check_text(v, "bank_accounts", empty=False) for v in _listed(values, "bank_accounts")
    )


def _listed(values: object, field: str) -> list[object]:
    if isinstance(values, list | tuple):
        return list(values)
    raise InvalidValue("not a list", field=field, value=values, remedy="give a list or a tuple")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": lambda v: check_text(v, "name", empty=False),
    "kind": lambda v: choose(v, "kind", CLIENT_KINDS),
    "emails": read_emails,
    "addresses": read_addresses,
    "tax_ids": lambda v: check_mapping(v, "tax_ids"),
    "bank_accounts": _bank_accounts,
    "manager": lambda v: v if v is None else check_text(v, "manager", empty=False),
    "tags": check_tags,
    "attributes": lambda v: check_mapping(v, "attributes"),
    "note": lambda v: check_text(v, "note", most=LONG, lines=True),
}
_LOCAL = {"phones", "contacts"}  # read by the country that the addresses name


def search_key(client: Client) -> str:
    """All that a search looks into, folded, one thing a line."""
    people: list[Client | Contact] = [client, *client.contacts]
    found = [
        client.name,
        *(c.name for c in client.contacts),
        *client.tax_ids.values(),
        *client.external_ids.values(),
        *client.tags,
    ]
    found += [text for one in people for e in one.emails for text in (e.written, str(e))]
    folded = [fold(text) for text in found]
    # What is written like a phone number is looked for by its digits alone.
    numbers = [digits_of(run) for text in folded for run in _NUMBER_LIKE.findall(text)]
    numbers += [
        text for one in people for p in one.phones for text in (digits_of(p.written), p.e164 or "")
    ]
    return "\n".join(text for text in dict.fromkeys(folded + numbers) if text)
