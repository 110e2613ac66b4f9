"""What is looked at after each step: the facts, and every answer of the book about a client."""

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from clientledger import codec
from clientledger.domain.accounts import EntryState
from clientledger.domain.entries import Entry
from clientledger.domain.explaining import Explanation
from clientledger.domain.money import Money
from clientledger.domain.posting import Claim, Head
from clientledger.ports import BalanceQuery, LedgerQuery, OpenItemQuery, PurchaseDayQuery
from clientledger.testing.ledger.answers import answers_of, differences, right_answers
from clientledger.testing.ledger.desk import FACTS
from clientledger.testing.ledger.nonsense import TalksNonsense
from clientledger.testing.oracle import Keeper, Sheet, due_of

__all__ = ["ChecksAnswers"]

_DAY = timedelta(days=1)


class ChecksAnswers(TalksNonsense):
    """Compares what a book says of a client with what its keeper says."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = Random(0)  # the same choices for the same history
        self.written: dict[UUID, str] = {}

    def some_days(self, keeper: Keeper, count: int) -> list[date]:
        """Some of the days on which anything happened, each perhaps one earlier or later."""
        days = keeper.days or [self.day(0)]
        due = [part.due for entry in keeper.entries for part in entry.instalments]
        found = self.chance.choices([*days, *due], k=count)
        return [day + self.chance.choice((-1, 0, 0, 1)) * _DAY for day in found]

    # ------------------------------------------------------------ of one client

    def check_facts(self, client: UUID, days: Iterable[date] | None = None) -> None:
        """The facts keep their order, and each account adds up on some days, or on all."""
        complaints = list(self.keeper(client).complaints(days))
        assert not complaints, "\n".join(complaints)
        head = next(one for one in self.photo[Head] if one.client == client)
        assert head.sequence == len(self.keeper(client).entries)

    def check_day(self, client: UUID, day: date) -> None:
        """The book gives the keeper's answers for a day."""
        found = answers_of(self.book, client, day)
        self.compare(f"on {day}", found, right_answers(self.keeper(client), day))

    def check_moment(self, client: UUID) -> None:
        """The book gives the answers of the keeper who knew only what was known at a moment."""
        facts = list(self.keeper(client).facts)
        if not facts:
            return
        moment = self.chance.choice(facts).recorded_at
        known = self.keeper(client).known(moment)
        day = self.some_days(known, 1)[0]
        found = answers_of(self.book, client, day, moment)
        self.compare(f"on {day}, known at {moment}", found, right_answers(known, day))

    def compare(self, when: str, found: Any, right: Any) -> None:
        """Two answers are the same."""
        self.tally.compared["answers of a day"] += 1
        assert found == right, f"{when}, the book says\n  " + "\n  ".join(differences(found, right))

    # ------------------------------------------------------------ of one document

    def check_state(self, entry: Entry, day: date) -> None:
        """What the book says of a document, and of its allocations."""
        keeper = self.keeper(entry.client)
        if entry.on > day or entry.kind == "void":
            return
        self.tally.compared["states"] += 1
        state, sheet = self.book.ledger.state(entry, as_of=day), keeper.on(day)
        left = sheet.left_of(entry)
        void = sheet.voids.get(entry.id)
        late = [
            number
            for (id, number), minor in sheet.open.items()
            if id == entry.id and minor and entry.instalments and due_of(entry, number) < day
        ]
        assert (state.entry, state.open.minor, state.status, state.overdue) == (
            entry,
            left,
            sheet.status(entry),
            bool(late),
        )
        assert state.voided_by == (void.id if void else None)
        self._check_parts(entry, state, sheet)

    def _check_parts(self, entry: Entry, state: EntryState, sheet: Sheet) -> None:
        for part, left in state.instalments:
            assert left.minor == sheet.open[entry.id, part.number]
        held = {
            link.id: sheet.held[link.id]
            for link in self.keeper(entry.client).allocations
            if entry.id in (link.credit, link.debit) and link.id in sheet.held
        }
        assert {link.id: link.live.minor for link in state.allocations} == held
        new = [one.id for one in sheet.entries.values() if one.replaces == entry.id]
        assert state.replaced_by == (new[0] if new else None)

    # ------------------------------------------------------------ explanations

    def check_explanations(self, client: UUID, day: date, *, all_of_them: bool = False) -> None:
        """Every explanation adds up to its figure, and so do the items in it."""
        ledger = self.book.ledger
        found = ledger.accounts(client, as_of=day).values()
        figures: list[tuple[Any, Money]] = [(account, account.balance) for account in found]
        for row in self.book.insights.ageing(client=client, as_of=day):
            figures += [(bucket, bucket.amount) for bucket in row.buckets]
            figures.append((row, row.balance))
        figures += [(item, item.open) for item in ledger.open_items(client, as_of=day)]
        if not all_of_them:
            figures = self.chance.sample(figures, min(3, len(figures)))
        for figure, amount in figures:
            self.tally.compared["explanations"] += 1
            said = ledger.explain(figure)
            assert said.amount == amount, f"{figure} is explained as {said.amount}"
            _adds_up(said)

    # ------------------------------------------------------------ of the whole book

    def check_rows(self, client: UUID) -> None:
        """The rows that a store keeps are those that the domain computes, on any day."""
        keeper = self.keeper(client)
        moments = [None, *(fact.recorded_at for fact in keeper.facts)]
        asked: list[LedgerQuery[Any]] = [
            BalanceQuery(client=client),
            OpenItemQuery(client=client, open_only=False),
            PurchaseDayQuery(client=client),
        ]
        for day in [None, *self.some_days(keeper, 2)]:
            moment = self.chance.choice(moments)
            with self.store.snapshot() as reading:
                for query in asked:
                    kind = type(query)
                    query = kind(**{**_told(query), "as_of": day, "known_at": moment})
                    assert reading.find(query) == reading.compute(query), f"{query}"
                    self.tally.compared["derived rows"] += 1

    def check_claims(self) -> None:
        """Each live document holds its number and its external ids, and nobody else holds any."""
        documents = {str(entry.id) for entry in self.photo[Entry]}
        held = {
            (claim.space, claim.key.rpartition("/")[2], claim.subject)
            for claim in self.photo[Claim]
            if claim.subject in documents and claim.space != "command"
        }
        wanted = set()
        for one in self.live_documents:
            if one.number is not None:
                wanted.add((f"number:{one.kind}", one.number, str(one.id)))
            for source, value in one.external_ids.items():
                wanted.add((f"external:{one.kind}:{source}", value, str(one.id)))
        assert held == wanted

    def check_letters(self) -> None:
        """Each fact is, letter by letter, what it was when it was first seen."""
        for kind in FACTS:
            for fact in self.photo[kind]:
                now = codec.dump_json(fact)
                assert self.written.setdefault(fact.id, now) == now

    def audit(self) -> None:
        """The book finds no problem in itself."""
        self.tally.compared["audits"] += 1
        report = self.book.verify()
        assert report.ok, "\n".join(map(str, report.problems))


def _told(query: LedgerQuery[Any]) -> dict[str, Any]:
    named = {"client": query.client}
    return {**named, "open_only": False} if isinstance(query, OpenItemQuery) else named


def _adds_up(said: Explanation) -> None:
    assert sum(part.amount.minor for part in said.parts) == said.amount.minor, f"{said}"
    if said.items:
        sides = [1 if one.item and one.item.side == "debit" else -1 for one in said.items]
        together = sum(side * one.amount.minor for side, one in zip(sides, said.items, strict=True))
        assert together == said.amount.minor, f"the items of {said} come to {together}"
    for one in said.items:
        _adds_up(one)
