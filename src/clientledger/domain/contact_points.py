"""How a client is reached: phones, e-mail addresses, postal addresses and contact persons."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from clientledger.domain.text import SHORT, check_text
from clientledger.errors import InvalidValue

__all__ = [
    "Address",
    "Contact",
    "Email",
    "Phone",
    "digits_of",
    "read_addresses",
    "read_contacts",
    "read_country",
    "read_emails",
    "read_phones",
]

_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_SEVERAL = re.compile(r"[,;<>\s]")


@attrs.frozen
class Phone:
    """A phone number: as it was written, and in E.164 form where it could be recognised.

    Attributes:
        written: the number as given.
        e164: ``+`` and the digits of country code and number (ITU-T E.164), or None.
        extension: the extension's digits, or "".
    """

    written: str
    e164: str | None = None
    extension: str = ""

    @property
    def valid(self) -> bool:
        """Whether the number was recognised and is in E.164 form."""
        return self.e164 is not None

    def __str__(self) -> str:
        number = self.e164 or self.written
        return f"{number} ext. {self.extension}" if self.e164 and self.extension else number


@attrs.frozen
class Email:
    """An e-mail address: as it was written, and normalised where it is one.

    Attributes:
        written: the address as given.
        address: the normalised address, or None where it is not a valid one.
    """

    written: str
    address: str | None = None

    @property
    def valid(self) -> bool:
        """Whether the address has the form of RFC 5321 (no server is asked)."""
        return self.address is not None

    def __str__(self) -> str:
        return self.address or self.written


@attrs.frozen(kw_only=True)
class Address:
    """A postal address, in free text and with the country's ISO 3166 code where it is known."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    def __str__(self) -> str:
        city = f"{self.postal_code} {self.city}".strip()
        return ", ".join(part for part in (self.street, city, self.region, self.country) if part)


@attrs.frozen
class Contact:
    """A person at the client's: name, role, and how to reach them."""

    name: str
    role: str = attrs.field(default="", kw_only=True)
    phones: tuple[Phone, ...] = attrs.field(default=(), kw_only=True)
    emails: tuple[Email, ...] = attrs.field(default=(), kw_only=True)
    note: str = attrs.field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{self.name}, {self.role}" if self.role else self.name


def digits_of(number: str) -> str:
    """The ASCII digits of a phone number as written."""
    return "".join(c for c in number if c in "0123456789")


def read_country(value: object, field: str = "country") -> str:
    """Return an ISO 3166 alpha-2 code or ""."""
    text = check_text(value, field)
    if text and not _COUNTRY.match(text):
        raise InvalidValue(
            "not a country code", field=field, value=text, remedy="two capital letters, as DE"
        )
    return text


def read_phones(values: object, region: str | None, field: str = "phones") -> tuple[Phone, ...]:
    """Read phone numbers; a national one is understood by the region, else kept as written."""
    return tuple(_read_phone(value, region, field) for value in _several(values, field))


def _read_phone(value: object, region: str | None, field: str) -> Phone:
    import phonenumbers  # its metadata is loaded only where a number is read

    written = check_text(value.written if isinstance(value, Phone) else value, field, empty=False)
    if not digits_of(written):
        return Phone(written)
    try:
        number = phonenumbers.parse(written, region or None)
    except phonenumbers.NumberParseException:
        return Phone(written)
    if not phonenumbers.is_valid_number(number):
        return Phone(written)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(written, e164, number.extension or "")


def read_emails(values: object, field: str = "emails") -> tuple[Email, ...]:
    """Read e-mail addresses: one in each value; what is not a valid one is kept and marked."""
    return tuple(_read_email(value, field) for value in _several(values, field))


def _read_email(value: object, field: str) -> Email:
    import email_validator  # loaded only where an address is read

    written = check_text(value.written if isinstance(value, Email) else value, field, empty=False)
    if _SEVERAL.search(written):
        raise InvalidValue(
            "more than one address, or a space",
            field=field,
            value=written,
            remedy="give each address apart",
        )
    try:
        found = email_validator.validate_email(
            written, check_deliverability=False, globally_deliverable=False, strict=True
        )
    except email_validator.EmailNotValidError:
        return Email(written)
    return Email(written, found.normalized)


def read_addresses(values: object, field: str = "addresses") -> tuple[Address, ...]:
    """Read addresses: `Address`, a mapping of its fields, or a line of text (the street)."""
    return tuple(_read_address(value, field) for value in _several(values, field))


def _read_address(value: object, field: str) -> Address:
    given = {"street": value} if isinstance(value, str) else _fields(value, Address, field)
    country = read_country(given.pop("country", ""), f"{field}.country")
    return Address(
        country=country,
        **{
            name: check_text(text, f"{field}.{name}", most=4 * SHORT, lines=True)
            for name, text in given.items()
        },
    )


def read_contacts(
    values: object, region: str | None, field: str = "contacts"
) -> tuple[Contact, ...]:
    """Read contact persons: `Contact`, a mapping of its fields, or a name."""
    return tuple(_read_contact(value, region, field) for value in _several(values, field))


def _read_contact(value: object, region: str | None, field: str) -> Contact:
    given = {"name": value} if isinstance(value, str) else _fields(value, Contact, field)
    return Contact(
        check_text(given.get("name", ""), f"{field}.name", empty=False),
        role=check_text(given.get("role", ""), f"{field}.role"),
        phones=read_phones(given.get("phones", ()), region, f"{field}.phones"),
        emails=read_emails(given.get("emails", ()), f"{field}.emails"),
        note=check_text(given.get("note", ""), f"{field}.note", most=4 * SHORT, lines=True),
    )


def _several(values: object, field: str) -> list[object]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidValue("not a list", field=field, value=values, remedy="give a list or a tuple")
    several = list(values)
    if len(several) > 200:
        raise InvalidValue(
            "more than 200", field=field, value=len(several), remedy="give the ones in use"
        )
    return several


def _fields(value: object, kind: type[attrs.AttrsInstance], field: str) -> dict[str, Any]:
    if isinstance(value, kind):
        return {a.name: getattr(value, a.name) for a in attrs.fields(kind)}
    allowed = {a.name for a in attrs.fields(kind)}
    if isinstance(value, Mapping) and set(value) <= allowed:
        return dict(value)
    raise InvalidValue(
        f"not a {kind.__name__}",
        field=field,
        value=value,
        remedy=f"give a {kind.__name__} or a dict of {', '.join(sorted(allowed))}",
    )
