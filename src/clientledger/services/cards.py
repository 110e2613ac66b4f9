"""The card: all that is known of one client, in one consistent reading."""

from datetime import date, datetime

from clientledger.domain.insights import Card
from clientledger.domain.team import Member
from clientledger.ports import AgreementQuery, OpenItemQuery, TaskQuery
from clientledger.services.accounts import accounts_of, with_origin
from clientledger.services.desk import Desk
from clientledger.services.insights import purchases_of
from clientledger.services.interactions import timeline_of
from clientledger.services.work import ClientRef

__all__ = ["read_card"]

_OPEN_ITEMS = 50
_AGREEMENTS = 50
_TASKS = 20
_TIMELINE = 20


def read_card(desk: Desk, ref: ClientRef, as_of: date | None, known_at: datetime | None) -> Card:
    """Read the card of a client, each list its first page."""
    with desk.glance() as glance:
        client = glance.client(ref)
        day, moment = glance.day(as_of), glance.moment(known_at)
        manager = None if client.manager is None else glance.reading.lookup(Member, client.manager)
        timeline = timeline_of(glance, client.id, as_of)
        items = OpenItemQuery(client=client.id, as_of=day, known_at=moment)
        agreements = AgreementQuery(client=client.id, valid_on=day)
        tasks = TaskQuery(client=client.id, status="open")
        return Card(
            client=client,
            manager=manager,
            contacts=client.contacts,
            accounts=accounts_of(glance, client.id, day, moment),
            open_items=with_origin(glance.page(items, _OPEN_ITEMS), items),
            purchases=purchases_of(glance, client.id, day, moment),
            agreements=glance.page(agreements, _AGREEMENTS),
            timeline=glance.page(timeline, _TIMELINE),
            tasks=glance.page(tasks, _TASKS),
            as_of=day,
        )
