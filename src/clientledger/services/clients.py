"""Clients: the card index itself."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.clients import Client, read_client_fields
from clientledger.domain.contact_points import Address, Contact, Email, Phone, read_phones
from clientledger.domain.events import Event
from clientledger.domain.pages import Page
from clientledger.domain.posting import Claim, Head, HeadStep, Posting
from clientledger.domain.text import SHORT, check_external_id, check_flag, check_text
from clientledger.domain.time import check_id
from clientledger.errors import InvalidValue, Stale
from clientledger.ports import ClientQuery, EventQuery
from clientledger.services.desk import Desk, made
from clientledger.services.work import ClientRef, Work, external_space

__all__ = ["Clients"]


@attrs.frozen
class Clients:
    """The clients of a book."""

    _desk: Desk

    def add(
        self,
        name: str,
        *,
        kind: str = "company",
        phones: Iterable[str | Phone] = (),
        emails: Iterable[str | Email] = (),
        addresses: Iterable[str | Address | Mapping[str, str]] = (),
        contacts: Iterable[str | Contact | Mapping[str, Any]] = (),
        tax_ids: Mapping[str, str] | None = None,
        bank_accounts: Iterable[str] = (),
        manager: str | None = None,
        tags: Iterable[str] = (),
        attributes: Mapping[str, str] | None = None,
        note: str = "",
        key: str | None = None,
        external_ids: Mapping[str, str] | None = None,
    ) -> Client:
        """Add a client.

        Phones are put into E.164 form and e-mail addresses normalised where they can be; what
        cannot is kept as written and marked. National phone numbers are read by the country of the
        first address, else by the book's region.

        Raises:
            InvalidValue: a field that can never be right.
            NotFound: no such manager.
            Duplicate: an external id that another client has.
        """
        given = {
            "name": name,
            "kind": kind,
            "phones": _kept(phones),
            "emails": _kept(emails),
            "addresses": _kept(addresses),
            "contacts": _kept(contacts),
            "tax_ids": {} if tax_ids is None else tax_ids,
            "bank_accounts": _kept(bank_accounts),
            "manager": manager,
            "tags": _kept(tags),
            "attributes": {} if attributes is None else attributes,
            "note": note,
        }

        def plan(work: Work) -> Client:
            fields = read_client_fields(given, work.settings.region)
            _check_manager(work, fields.get("manager"))
            id = work.new_id()
            client = Client(
                id=id,
                created_at=work.now,
                changed_at=work.now,
                external_ids=work.claim_external("client", external_ids, id),
                **fields,
            )
            head = Head(client=id, recorded_at=work.now, edition=work.settings.edition)
            work.add(Posting(heads=(HeadStep(head, None),)))
            work.insert(client, "client.added", client=id)
            return client

        arguments = {**given, "external_ids": external_ids}
        return self._desk.command("clients.add", arguments, plan, key=key, again=made(Client))

    def get(self, id: ClientRef) -> Client:
        """Return a client as it is now.

        Raises:
            NotFound: no such client.
        """
        with self._desk.glance() as glance:
            return glance.client(id)

    def find(
        self,
        text: str | None = None,
        *,
        phone: str | None = None,
        email: str | None = None,
        external_id: tuple[str, str] | None = None,
        manager: str | None = None,
        tag: str | None = None,
        archived: bool | None = False,
        limit: int | None = None,
        after: tuple[Any, ...] | None = None,
    ) -> Page[Client]:
        """Find clients, ordered by name.

        Args:
            text: each of its words stands somewhere in the names, e-mail addresses, phone numbers,
                tax ids, external ids or tags; without regard to case and accents.
            phone: a number in any notation.
            email: an address, without regard to case.
            external_id: a pair of source and id.
            manager: a member's key.
            tag: a tag, exactly.
            archived: False for those in use, True for the archived, None for both.
            limit: the most to return; None is all.
            after: the `next` of the page before.
        """
        with self._desk.glance() as glance:
            ids = None
            if external_id is not None:
                source, value = check_external_id(external_id)
                claim = glance.reading.lookup(Claim, (external_space("client", source), value))
                ids = () if claim is None else (UUID(claim.subject),)
            if phone is not None:
                known = read_phones((phone,), glance.settings.region, "phone")[0]
                phone = known.e164 or known.written
            query = ClientQuery(
                ids=ids,
                text=None if text is None else check_text(text, "text", most=SHORT),
                phone=phone,
                email=None if email is None else check_text(email, "email"),
                manager=None if manager is None else check_text(manager, "manager"),
                tag=None if tag is None else check_text(tag, "tag"),
                archived=None if archived is None else check_flag(archived, "archived"),
            )
            return glance.page(query, limit, after)

    def update(
        self,
        client: ClientRef,
        *,
        key: str | None = None,
        revision: int | None = None,
        **changes: Any,
    ) -> Client:
        """Change fields of a client; what was there before stays in its history.

        Args:
            client: given as a `Client`, its revision must still be the newest.
            revision: the revision that must still be the newest, where an id is given.
            changes: the fields, named and read as in `add`.

        Raises:
            Stale: somebody has changed it since.
            InvalidValue, NotFound: as in `add`.
        """
        expected = client.revision if isinstance(client, Client) else revision
        given = {name: _kept(value) for name, value in changes.items()}

        def plan(work: Work) -> Client:
            before = work.client(client)
            check_revision(before.revision, expected)
            country = next((a.country for a in before.addresses if a.country), None)
            fields = read_client_fields(given, country or work.settings.region)
            _check_manager(work, fields.get("manager"))
            after = attrs.evolve(before, **fields)
            if after == before:
                return before
            after = attrs.evolve(after, changed_at=work.now)
            return work.change(before, after, "client.changed", client=before.id)

        arguments = {"client": check_id(client, "client"), "revision": revision, **given}
        return self._desk.command("clients.update", arguments, plan, key=key, again=made(Client))

    def archive(self, client: ClientRef, *, key: str | None = None) -> Client:
        """Archive a client: it takes no new sale, agreement or task, and is found no more.

        `find(archived=True)` still finds it, and what it owes stays in the figures.
        """
        return self._set_archived(client, True, key)

    def restore(self, client: ClientRef, *, key: str | None = None) -> Client:
        """Take a client out of the archive."""
        return self._set_archived(client, False, key)

    def history(
        self, client: ClientRef, *, limit: int | None = None, after: tuple[Any, ...] | None = None
    ) -> Page[Event]:
        """Every event of a client, the oldest first."""
        with self._desk.glance() as glance:
            query = EventQuery(
                client=glance.client(client).id,
            )
            return glance.page(query, limit, after)

    def _set_archived(self, client: ClientRef, archived: bool, key: str | None) -> Client:
        action = "client.archived" if archived else "client.restored"

        def plan(work: Work) -> Client:
            work.step(work.head(check_id(client, "client")), archived=archived)
            before = work.client(client)
            if before.archived == archived:
                return before
            after = attrs.evolve(before, archived=archived, changed_at=work.now)
            return work.change(before, after, action, client=before.id)

        arguments = {"client": check_id(client, "client")}
        return self._desk.command(action, arguments, plan, key=key, again=made(Client))


def check_revision(found: int, expected: int | None) -> None:
    """Refuse a change that was made to an older state.

    Raises:
        Stale: the record is at another revision.
    """
    if expected is not None and type(expected) is not int:
        raise InvalidValue(
            "not a revision", field="revision", value=expected, remedy="give the record's revision"
        )
    if expected is not None and found != expected:
        raise Stale(
            f"the record is at revision {found}, not {expected}",
            field="revision",
            value=expected,
            remedy="read it again and make the change to what is there now",
        )


def _kept(values: Any, deep: int = 3) -> Any:
    """What can be read once only, kept; what is no list is left for its reader to refuse.

    As deep as the fields of a contact, which may be lists too.
    """
    if not deep or isinstance(values, str | bytes):
        return values
    if isinstance(values, Mapping):
        return {name: _kept(value, deep - 1) for name, value in values.items()}
    readable = isinstance(values, Iterable)
    return tuple(_kept(value, deep - 1) for value in values) if readable else values


def _check_manager(work: Work, manager: str | None) -> None:
    if manager is not None:
        work.active(manager, "manager")
