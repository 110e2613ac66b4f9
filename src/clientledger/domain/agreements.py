"""Agreements: what was promised to a client, from when to when."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import attrs

from clientledger.domain.mappings import mapping_field
from clientledger.domain.money import Money

__all__ = ["CREDIT_LIMIT", "PAYMENT_TERMS", "Agreement"]

CREDIT_LIMIT = "credit limit"
PAYMENT_TERMS = "payment terms"


@attrs.frozen(kw_only=True)
class Agreement:
    """A promise: discount, price, payment terms, credit limit or other.

    Attributes:
        kind: "discount", "price", "payment terms", "credit limit", or the host's own word. The
            newest that holds of the last two is what the ledger acts on: the terms of a sale that
            says nothing else, and the most that a client may owe in the limit's currency.
        percent: a percentage, such as Decimal("5").
        amount: a price or a limit; a limit of zero is a limit.
        sku: the article it is about, or "".
        terms: payment terms in words that `read_terms` understands, or "".
        interaction: the interaction out of which it came.
        by: the member who promised.
        valid_from, valid_until: both days are included; None is without end.
        withdrawn_on: the day from which it holds no more, or None.
    """

    id: UUID
    client: UUID
    kind: str
    text: str
    percent: Decimal | None = None
    amount: Money | None = None
    sku: str = ""
    terms: str = ""
    interaction: UUID | None = None
    by: str
    valid_from: date
    valid_until: date | None = None
    withdrawn_on: date | None = None
    withdrawn_because: str = ""
    external_ids: Mapping[str, str] = mapping_field()
    recorded_at: datetime
    revision: int = 1

    def valid_on(self, day: date) -> bool:
        """Whether the promise holds on a day."""
        return (
            self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
            and (self.withdrawn_on is None or day < self.withdrawn_on)
        )
