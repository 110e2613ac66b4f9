"""The card index: how clients are reached, found and changed."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.books import KINDS, NOON, Clock, in_memory, new_book

from clientledger import Address, Book, Client, Contact, Email, InvalidValue, Phone, Stale

SHARED = Path(__file__).parents[2] / "shared" / "data" / "phones" / "example_numbers.csv"
FEW = """region,calling_code,type,e164,international,national,rfc3966
DE,49,FIXED_LINE,+4930123456,+49 30 123456,030 123456,tel:+49-30-123456
FR,33,MOBILE,+33612345678,+33 6 12 34 56 78,06 12 34 56 78,tel:+33-6-12-34-56-78
GB,44,FIXED_LINE,+441212345678,+44 121 234 5678,0121 234 5678,tel:+44-121-234-5678
UA,380,MOBILE,+380501234567,+380 50 123 4567,050 123 4567,tel:+380-50-123-4567
US,1,FIXED_LINE,+12015550123,+1 201-555-0123,(201) 555-0123,tel:+1-201-555-0123
"""


@pytest.fixture(params=KINDS)
def book(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Book]:
    with new_book(request.param, tmp_path, clock) as opened:
        yield opened
        assert opened.verify().ok


def names(clients: Any) -> list[str]:
    return [client.name for client in clients]


# ------------------------------------------------------------ phones
def test_a_national_number_is_read_by_the_country_of_the_address(book: Book) -> None:
    book.change_settings(region="UA")
    client = book.clients.add(
        "Acme",
        addresses=["somewhere", {"city": "Berlin", "country": "DE"}, Address(country="FR")],
        phones=["030 901820"],
    )
    assert client.phones == (Phone("030 901820", "+4930901820"),)
    assert book.clients.add("Beta", phones=["044 234 5678"]).phones[0].e164 == "+380442345678"


def test_an_international_number_needs_no_country(book: Book) -> None:
    client = book.clients.add("Acme", phones=["+49 (30) 901820", "tel:+33-6-12-34-56-78"])
    assert [str(phone) for phone in client.phones] == ["+4930901820", "+33612345678"]
    assert all(phone.valid for phone in client.phones)


@pytest.mark.parametrize("junk", ["ask at the bar", "030 901820", "12", "+999 123", "☎", "0" * 60])
def test_what_is_no_number_is_kept_as_written_and_marked(book: Book, junk: str) -> None:
    phone = book.clients.add("Acme", phones=[junk]).phones[0]
    assert (phone.written, phone.e164, phone.valid, str(phone)) == (junk, None, False, junk)
    assert book.clients.get(book.clients.find()[0]).phones == (phone,)


def test_an_extension_is_kept_apart(book: Book) -> None:
    phone = book.clients.add("Acme", phones=["+1 201-555-0123 ext. 89"]).phones[0]
    assert (phone.e164, phone.extension) == ("+12015550123", "89")
    assert str(phone) == "+12015550123 ext. 89"


def test_a_contacts_number_is_read_like_the_clients(book: Book) -> None:
    told: Any = [{"name": "Ann", "phones": ["030 901820"], "emails": ["Ann@ACME.example"]}, "Bo"]
    client = book.clients.add("Acme", addresses=[{"country": "DE"}], contacts=told)
    assert client.contacts[0].phones[0].e164 == "+4930901820"
    assert str(client.contacts[0].emails[0]) == "Ann@acme.example"
    assert client.contacts[1] == Contact("Bo")
    again = book.clients.update(client, contacts=client.contacts)
    assert again == client


def test_every_example_number_is_read_in_every_notation() -> None:
    text = SHARED.read_text(encoding="utf-8") if SHARED.exists() else FEW
    table = list(csv.DictReader(text.splitlines()))
    assert len(table) in (5, 823)
    book = in_memory()
    kept = 0
    for row in table:
        spellings = [row[name] for name in ("e164", "international", "national", "rfc3966")]
        client = book.clients.add(
            "Acme", addresses=[Address(country=row["region"])], phones=spellings
        )
        for phone, written in zip(client.phones, spellings, strict=True):
            assert phone.written == written
            assert phone.e164 in (row["e164"], None), row
            kept += phone.e164 is None
        assert {phone.e164 for phone in client.phones[:2]} == {row["e164"]}, row
    assert kept <= len(table) // 100


# ------------------------------------------------------------ e-mails
@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Office@ACME.Example", "Office@acme.example"),
        ("o'brien+beans@acme.example", "o'brien+beans@acme.example"),
        ("user@пошта.укр", "user@пошта.укр"),
        ("info@till", "info@till"),
        ("office-at-acme", None),
        ("a@@b.example", None),
        (".a@b.example", None),
        ("a" * 65 + "@b.example", None),
        ("@", None),
    ],
)
def test_an_address_is_normalised_or_kept_and_marked(
    book: Book, written: str, address: str | None
) -> None:
    email = book.clients.add("Acme", emails=[written]).emails[0]
    assert email == Email(written, address)
    assert (email.valid, str(email)) == (address is not None, address or written)


# ------------------------------------------------------------ names
SCRIPTS = [
    "Acme GmbH",
    "Köln Süd & Söhne",
    "ТОВ «Кава»",
    "Καφές ΑΕ",
    "株式会社コーヒー",
    "شركة القهوة",
    "קפה בע״מ",
    "กาแฟ จำกัด",
    "कॉफ़ी प्रा॰ लि॰",
    "Cà phê Việt",
    "☕🫘 Ltd",
    "O'Brien\"; DROP TABLE client; --",
    "100 % <b>Beans</b> \\n {0} ${x}",
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_name_of_any_script_is_kept_and_found(book: Book, name: str) -> None:
    client = book.clients.add(name, note=name * 3, tags=[name])
    assert book.clients.get(client).name == name
    assert names(book.clients.find(name)) == [name]
    assert names(book.clients.find(name.upper())) == [name]
    assert names(book.clients.find(tag=name)) == [name]
    assert book.clients.find(name.split(maxsplit=1)[0])[0] == client


def test_text_is_kept_in_its_composed_form(book: Book) -> None:
    client = book.clients.add("Ko\u0308ln", external_ids={"erp": "u\u0308"})
    assert client.name == "K\u00f6ln"
    assert book.clients.find(external_id=("erp", "\u00fc"))[0] == client
    assert book.clients.find(external_id=("erp", "u\u0308"))[0] == client


@pytest.mark.parametrize(
    "name", ["24/7 Kiosk 100", "Shop 12-34", "123-45-6789", "+1 (2) 345", "7.11.2026", "٢٤٧ ١٠٠"]
)
def test_a_name_written_like_a_number_is_found_as_it_is_written(book: Book, name: str) -> None:
    client = book.clients.add(name)
    other = book.clients.add("Other", tax_ids={"EIN": name})
    assert {found.id for found in book.clients.find(name)} == {client.id, other.id}
    for part in name.split():
        assert client in book.clients.find(part)


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30),
        st.text("0123456789+-()./ ab", min_size=1, max_size=12),
    )
)
def test_any_name_that_is_taken_is_found_again(name: str) -> None:
    book = in_memory()
    try:
        client = book.clients.add(name)
    except InvalidValue:
        return
    assert book.clients.get(client) == client
    assert list(book.clients.find(client.name)) == [client]


# ------------------------------------------------------------ finding
@pytest.fixture
def full(book: Book) -> Book:
    book.team.add("petro", "Petro")
    book.clients.add(
        "Kaffee Köln",
        phones=["+49 221 9876543"],
        emails=["Office@Koeln.example"],
        tags=["beans", "Süd"],
        tax_ids={"VAT": "DE123456789"},
        external_ids={"erp": "C-1"},
    )
    people: Any = [{"name": "Zoë Müller", "emails": ["zoe@straße.example"], "phones": ["555 0123"]}]
    book.clients.add("acme 100%", manager="petro", contacts=people, attributes={"city": "Rome"})
    book.clients.add("Acme_2", kind="person", tags=["beans"])
    book.clients.archive(book.clients.add("Acme old"))
    return book


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": "koln"}, ["Kaffee Köln"]),
        ({"text": "KÖLN kaffee"}, ["Kaffee Köln"]),
        ({"text": "zoe"}, ["acme 100%"]),
        ({"text": "MULLER"}, ["acme 100%"]),
        ({"text": "strasse"}, ["acme 100%"]),
        ({"text": "office@koeln"}, ["Kaffee Köln"]),
        ({"text": "DE123456789"}, ["Kaffee Köln"]),
        ({"text": "sud"}, ["Kaffee Köln"]),
        ({"text": "c-1"}, ["Kaffee Köln"]),
        ({"text": "221 987-6543"}, ["Kaffee Köln"]),
        ({"text": "5550123"}, ["acme 100%"]),
        ({"text": "%"}, ["acme 100%"]),
        ({"text": "_"}, ["Acme_2"]),
        ({"text": "acme"}, ["acme 100%", "Acme_2"]),
        ({"text": "\\"}, []),
        ({"text": "["}, []),
        ({"text": "*"}, []),
        ({"text": "(a+)+$"}, []),
        ({"text": "rome"}, []),
        ({"phone": "+49 221 9876543"}, ["Kaffee Köln"]),
        ({"phone": "0221/9876543"}, ["Kaffee Köln"]),
        ({"phone": "5550123"}, ["acme 100%"]),
        ({"phone": "nobody"}, []),
        ({"email": "OFFICE@koeln.EXAMPLE"}, ["Kaffee Köln"]),
        ({"email": "office"}, []),
        ({"external_id": ("erp", "C-1")}, ["Kaffee Köln"]),
        ({"external_id": ("erp", "c-1")}, []),
        ({"external_id": ["shop", "C-1"]}, []),
        ({"manager": "petro"}, ["acme 100%"]),
        ({"manager": "nobody"}, []),
        ({"tag": "beans"}, ["Acme_2", "Kaffee Köln"]),
        ({"tag": "Beans"}, []),
        ({"tag": "bean"}, []),
        ({"tag": "beans", "text": "acme"}, ["Acme_2"]),
        ({"archived": True}, ["Acme old"]),
        ({"text": "acme", "archived": None}, ["acme 100%", "Acme old", "Acme_2"]),
        ({}, ["acme 100%", "Acme_2", "Kaffee Köln"]),
    ],
    ids=str,
)
def test_clients_are_found_by_each_field(full: Book, asked: Any, found: list[str]) -> None:
    assert names(full.clients.find(**asked)) == found


def test_pages_lose_nothing_whatever_their_size(book: Book) -> None:
    told = ["b", "A", "a", "Ä", "B", "", "ß", "ss", "😀", "a"]
    made = [book.clients.add(name or "-") for name in told]
    whole = list(book.clients.find())
    assert {client.id for client in whole} == {client.id for client in made}
    for limit in (1, 2, 3, 9, 10, 11):
        found: list[Client] = []
        after = None
        while True:
            page = book.clients.find(limit=limit, after=after)
            assert len(page) <= limit
            found += page
            after = page.next
            if after is None:
                break
        assert found == whole


# ------------------------------------------------------------ changing
def test_a_change_needs_the_newest_revision_where_one_is_told(book: Book) -> None:
    first = book.clients.add("Acme")
    second = book.clients.update(first, name="Beta")
    assert (first.revision, second.revision) == (1, 2)
    assert book.clients.update(first.id, note="x").revision == 3
    for client, revision in ((first, None), (second, None), (first.id, 2)):
        with pytest.raises(Stale):
            book.clients.update(client, revision=revision, name="Gamma")
    assert book.clients.update(first.id, revision=3, name="Gamma").name == "Gamma"


def test_a_change_touches_just_what_is_told(book: Book, clock: Clock) -> None:
    told: dict[str, Any] = {
        "kind": "person",
        "phones": ["+49 30 901820"],
        "emails": ["a@b.example"],
        "addresses": ["Main Street 1"],
        "contacts": ["Ann"],
        "tax_ids": {"VAT": "1"},
        "bank_accounts": ["DE02"],
        "manager": "olena",
        "tags": ["b", "a", "b"],
        "attributes": {"z": "1", "a": "2"},
        "note": "n",
        "external_ids": {"erp": "1"},
    }
    before = book.clients.add("Acme", **told)
    assert before.tags == ("a", "b")
    assert list(before.attributes) == ["a", "z"]
    clock.now = NOON.replace(hour=13)
    after = book.clients.update(before, manager=None, phones=[])
    assert (after.manager, after.phones) == (None, ())
    kept = set(told) - {"manager", "phones"}
    assert {name: getattr(after, name) for name in kept} == {
        name: getattr(before, name) for name in kept
    }
    assert (after.created_at, after.changed_at) == (NOON, clock.now)
    assert book.clients.get(before.id) == after


def test_a_new_country_reads_new_numbers(book: Book) -> None:
    client = book.clients.add("Acme", addresses=[{"country": "DE"}])
    assert book.clients.update(client, phones=["030 901820"]).phones[0].e164 == "+4930901820"
    french: Any = {"addresses": [{"country": "FR"}], "phones": ["06 12 34 56 78"]}
    assert book.clients.update(client.id, **french).phones[0].e164 == "+33612345678"


def test_an_archived_client_leaves_the_lists_and_comes_back(book: Book) -> None:
    client = book.clients.add("Acme")
    gone = book.clients.archive(client)
    assert gone.archived
    assert names(book.clients.find()) == []
    assert names(book.clients.find(archived=True)) == ["Acme"]
    assert book.clients.get(client).archived
    back = book.clients.restore(gone)
    assert (back.archived, back.revision) == (False, 3)
    assert names(book.clients.find()) == ["Acme"]
    book.ledger.record_sale(back, "1 EUR")


def test_mappings_of_a_client_cannot_be_changed_in_place(book: Book) -> None:
    told = {"VAT": "1"}
    client = book.clients.add("Acme", tax_ids=told)
    told["VAT"] = "2"
    assert client.tax_ids == {"VAT": "1"}
    with pytest.raises(TypeError):
        client.tax_ids["VAT"] = "3"  # type: ignore[index]  # that is the point
    assert hash(client) == hash(book.clients.get(client))
