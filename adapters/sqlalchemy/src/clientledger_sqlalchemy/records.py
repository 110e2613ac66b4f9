"""Records to rows and back: what has a revision, and the heads and claims that guard it."""

from typing import Any

from clientledger.codec import dump, load
from clientledger.ports import (
    Address,
    Agreement,
    Claim,
    Client,
    Contact,
    Email,
    Head,
    Interaction,
    Member,
    Phone,
    Settings,
    Task,
    search_key,
)
from clientledger_sqlalchemy.money import Values, money_or_none, money_values

__all__ = [
    "agreement_of",
    "agreement_values",
    "claim_of",
    "claim_values",
    "client_of",
    "client_values",
    "head_of",
    "head_values",
    "interaction_of",
    "interaction_values",
    "member_of",
    "member_values",
    "settings_of",
    "settings_values",
    "task_of",
    "task_values",
]


def client_values(client: Client) -> Values:
    """Write a client, with the keys that lists and searches use."""
    return {
        "id": client.id,
        "name": client.name,
        "sort_name": client.sort_name,
        "search": search_key(client),
        "kind": client.kind,
        "phones": dump(client.phones),
        "emails": dump(client.emails),
        "addresses": dump(client.addresses),
        "contacts": dump(client.contacts),
        "tax_ids": dict(client.tax_ids),
        "bank_accounts": list(client.bank_accounts),
        "manager": client.manager,
        "tags": list(client.tags),
        "attributes": dict(client.attributes),
        "note": client.note,
        "external_ids": dict(client.external_ids),
        "archived": client.archived,
        "created_at": client.created_at,
        "changed_at": client.changed_at,
        "revision": client.revision,
    }


def client_of(row: Any) -> Client:
    """Read a client."""
    return Client(
        id=row.id,
        name=row.name,
        kind=row.kind,
        phones=load(tuple[Phone, ...], row.phones),
        emails=load(tuple[Email, ...], row.emails),
        addresses=load(tuple[Address, ...], row.addresses),
        contacts=load(tuple[Contact, ...], row.contacts),
        tax_ids=row.tax_ids,
        bank_accounts=tuple(row.bank_accounts),
        manager=row.manager,
        tags=tuple(row.tags),
        attributes=row.attributes,
        note=row.note,
        external_ids=row.external_ids,
        archived=row.archived,
        created_at=row.created_at,
        changed_at=row.changed_at,
        revision=row.revision,
    )


def member_values(member: Member) -> Values:
    """Write a member."""
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "phone": member.phone,
        "active": member.active,
        "created_at": member.created_at,
        "revision": member.revision,
    }


def member_of(row: Any) -> Member:
    """Read a member."""
    return Member(
        id=row.id,
        name=row.name,
        email=row.email,
        phone=row.phone,
        active=row.active,
        created_at=row.created_at,
        revision=row.revision,
    )


def interaction_values(interaction: Interaction) -> Values:
    """Write an interaction."""
    return {
        "client_id": interaction.client,
        "id": interaction.id,
        "kind": interaction.kind,
        "summary": interaction.summary,
        "at": interaction.at,
        "direction": interaction.direction,
        "contact": interaction.contact,
        "body": interaction.body,
        "outcome": interaction.outcome,
        "by_member": interaction.by,
        "external_ids": dict(interaction.external_ids),
        "recorded_at": interaction.recorded_at,
        "revision": interaction.revision,
    }


def interaction_of(row: Any) -> Interaction:
    """Read an interaction."""
    return Interaction(
        client=row.client_id,
        id=row.id,
        kind=row.kind,
        summary=row.summary,
        at=row.at,
        direction=row.direction,
        contact=row.contact,
        body=row.body,
        outcome=row.outcome,
        by=row.by_member,
        external_ids=row.external_ids,
        recorded_at=row.recorded_at,
        revision=row.revision,
    )


def agreement_values(agreement: Agreement) -> Values:
    """Write an agreement."""
    return {
        "client_id": agreement.client,
        "id": agreement.id,
        "kind": agreement.kind,
        "text": agreement.text,
        "percent": agreement.percent,
        **money_values(agreement.amount),
        "sku": agreement.sku,
        "terms": agreement.terms,
        "interaction": agreement.interaction,
        "by_member": agreement.by,
        "valid_from": agreement.valid_from,
        "valid_until": agreement.valid_until,
        "withdrawn_on": agreement.withdrawn_on,
        "withdrawn_because": agreement.withdrawn_because,
        "external_ids": dict(agreement.external_ids),
        "recorded_at": agreement.recorded_at,
        "revision": agreement.revision,
    }


def agreement_of(row: Any) -> Agreement:
    """Read an agreement."""
    return Agreement(
        client=row.client_id,
        id=row.id,
        kind=row.kind,
        text=row.text,
        percent=row.percent,
        amount=money_or_none(row.amount, row),
        sku=row.sku,
        terms=row.terms,
        interaction=row.interaction,
        by=row.by_member,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        withdrawn_on=row.withdrawn_on,
        withdrawn_because=row.withdrawn_because,
        external_ids=row.external_ids,
        recorded_at=row.recorded_at,
        revision=row.revision,
    )


def task_values(task: Task) -> Values:
    """Write a task."""
    return {
        "id": task.id,
        "client_id": task.client,
        "title": task.title,
        "kind": task.kind,
        "due_on": task.due_on,
        "due_at": task.due_at,
        "assignee": task.assignee,
        "remind": task.remind,
        "about": task.about,
        "note": task.note,
        "status": task.status,
        "outcome": task.outcome,
        "by_member": task.by,
        "external_ids": dict(task.external_ids),
        "created_at": task.created_at,
        "closed_at": task.closed_at,
        "revision": task.revision,
    }


def task_of(row: Any) -> Task:
    """Read a task."""
    return Task(
        id=row.id,
        client=row.client_id,
        title=row.title,
        kind=row.kind,
        due_on=row.due_on,
        due_at=row.due_at,
        assignee=row.assignee,
        remind=row.remind,
        about=row.about,
        note=row.note,
        status=row.status,
        outcome=row.outcome,
        by=row.by_member,
        external_ids=row.external_ids,
        created_at=row.created_at,
        closed_at=row.closed_at,
        revision=row.revision,
    )


def settings_values(settings: Settings) -> Values:
    """Write the settings of the book."""
    return {"id": settings.id, "revision": settings.revision, "data": dump(settings)}


def settings_of(row: Any) -> Settings:
    """Read the settings of the book."""
    return load(Settings, row.data)


def head_values(head: Head) -> Values:
    """Write the head of a client."""
    return {
        "client_id": head.client,
        "version": head.version,
        "sequence": head.sequence,
        "recorded_at": head.recorded_at,
        "archived": head.archived,
        "edition": head.edition,
        "merged_into": head.merged_into,
    }


def head_of(row: Any) -> Head:
    """Read the head of a client."""
    return Head(
        client=row.client_id,
        version=row.version,
        sequence=row.sequence,
        recorded_at=row.recorded_at,
        archived=row.archived,
        edition=row.edition,
        merged_into=row.merged_into,
    )


def claim_values(claim: Claim) -> Values:
    """Write a claim."""
    return {
        "space": claim.space,
        "claim_key": claim.key,
        "subject": claim.subject,
        "data": dict(claim.data),
    }


def claim_of(row: Any) -> Claim:
    """Read a claim."""
    return Claim(row.space, row.claim_key, row.subject, row.data)
