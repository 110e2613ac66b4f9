"""What can be told of a command before it is given: for what it must be refused, and what not."""

from datetime import date

from clientledger.domain.agreements import Agreement
from clientledger.domain.clients import Client
from clientledger.domain.entries import Entry
from clientledger.domain.money import Money
from clientledger.domain.posting import Claim
from clientledger.errors import CreditLimitExceeded, NumberTaken, PeriodClosed
from clientledger.testing.ledger.arithmetic import schedule
from clientledger.testing.ledger.desk import LedgerDesk, Reasons
from clientledger.testing.ledger.strategies import TERMS
from clientledger.testing.oracle import Keeper

__all__ = ["Foresees"]


class Foresees(LedgerDesk):
    """Knows the rules that depend on more than one document."""

    def closed(self, day: date) -> Reasons:
        """Why nothing is recorded on a day."""
        through = self.settings.closed_through
        return [PeriodClosed] if through is not None and day <= through else []

    def beyond_limit(self, client: Client, amount: Money, on: date) -> Reasons:
        """Whether a sale is above the newest limit that holds on its day."""
        limits = [
            one for one in self.holding(client, "credit limit", on)
            if one.amount is not None and one.amount.unit == amount.unit
        ]  # fmt: skip
        stand = self.keeper(client).in_all.accounts.get(amount.currency)
        owes = amount.minor + (stand.balance if stand else 0)
        if not limits or self.settings.credit_limit == "warn":
            return []
        limit = limits[-1].amount
        return [CreditLimitExceeded] if limit is not None and owes > limit.minor else []

    def agreed_schedule(self, client: Client, minor: int, on: date) -> list[tuple[date, int]]:
        """When a sale falls due without word: by the newest terms that hold, else at once."""
        terms = [one.terms for one in self.holding(client, "payment terms", on)]
        told = TERMS[terms[-1]] if terms else ((None, 0),)
        return schedule(minor, on, told, self.settings.rounding)

    def holding(self, client: Client, kind: str, on: date) -> list[Agreement]:
        """The agreements of a kind that hold on a day, the newest last."""
        found = [
            one for one in self.photo[Agreement]
            if (one.client, one.kind) == (client.id, kind) and one.valid_on(on)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.valid_from, one.id))

    def archived(self, client: Client) -> bool:
        """Whether a client is archived."""
        return any(one.archived for one in self.photo[Client] if one.id == client.id)

    def taken(self, kind: str, client: Client, number: str | None) -> Reasons:
        """Whether a live document has a number already."""
        scope = f"{client.id}/" if self.settings.number_scope == "client" else ""
        claims = {claim.id for claim in self.photo[Claim]}
        held = number is not None and (f"number:{kind}", scope + number) in claims
        return [NumberTaken] if held else []

    def free(self, before: Keeper, code: str, on: date) -> int:
        """What may be refunded on a day: the free credits, less the refunds that wait for some."""
        credits_ = [k for k in before.open_keys(code, "credit") if before.by_id[k[0]].on <= on]
        waiting = [
            before.in_all.open[key]
            for key in before.open_keys(code, "debit")
            if before.by_id[key[0]].kind == "refund"
        ]
        return sum(before.room(key, on) for key in credits_) - sum(waiting)

    def voided(self, entry: Entry) -> bool:
        """Whether a document has been voided, on whatever day."""
        return entry.id in self.keeper(entry.client).in_all.voids
