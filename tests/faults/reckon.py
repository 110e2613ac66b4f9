"""What processes were told, compared with what is there: by plain SQL, and by whole numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from tests.faults.auditor import audit, connected
from tests.faults.hot import Answer, command_of
from tests.faults.places import bare
from tests.faults.workload import MARKER, Told

from clientledger import open_book

__all__ = ["percentile", "prefix_of", "reckoned", "selected"]

UNSURE = ("OutcomeUnknown", "Unavailable")
"""Errors that say that it may have been recorded."""


def reckoned(url: str, answers: Sequence[Answer], mark: str) -> list[str]:
    """Everything that does not agree.

    Args:
        url: of a book in which nobody else has written entries.
        mark: the beginning of all keys.
    """
    with open_book(url) as book:
        found = [f"verify: {problem}" for problem in book.verify().problems]
        balances = {
            (str(client.id), unit): account.balance.minor
            for client in book.clients.find(archived=None)
            for unit, account in book.ledger.accounts(client).items()
        }
    with closing(connected(bare(url))) as db:
        audited = audit(db, marker=MARKER, prefix=prefix_of(url))
    found += audited.problems
    found += _keys(answers, audited.keys, mark)
    found += _documents(answers, balances)
    return found


def _keys(answers: Iterable[Answer], recorded: frozenset[str], mark: str) -> Iterator[str]:
    """Whoever was told so is recorded, nobody else is, and nothing that nobody gave."""
    told = Told()
    for answer in answers:
        told.commands[answer.key] = command_of(answer)
        if answer.kept:
            told.kept.add(answer.key)
        elif answer.error not in UNSURE:
            told.refused.add(answer.key)
    yield from told.problems(recorded)
    for key in sorted(recorded - set(told.commands)):
        if key.startswith(mark):
            yield f"key {key} is recorded, and nobody was told so"


def _documents(answers: Sequence[Answer], balances: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Sequences have no gap, numbers are held once, and balances are the sums of what was told.

    It holds only where no process died before it told.
    """
    made = [answer.made for answer in answers if answer.kept and "sequence" in answer.made]
    voided = {one["undoes"] for one in made if one["undoes"]}
    of_client: dict[str, list[int]] = defaultdict(list)
    sums: Counter[tuple[str, str]] = Counter()
    holders: Counter[str] = Counter()
    for one in made:
        of_client[one["client"]].append(one["sequence"])
        sums[one["client"], one["currency"]] += one["signed"]
        if one["number"] and one["id"] not in voided:
            holders[one["number"]] += 1
    for client, own in of_client.items():
        if sorted(own) != list(range(1, len(own) + 1)):
            strange = sorted(set(range(1, max(own) + 1)) ^ set(own))[:5]
            yield f"client {client}: {len(own)} entries are not numbered 1 to n: {strange}"
    for number, count in holders.items():
        if count > 1:
            yield f"{count} live sales have the number {number}"
    for key in sorted({*sums, *balances}):
        if sums[key] != balances.get(key, 0):
            yield f"account {key}: {balances.get(key)}, but {sums[key]} was acknowledged"


def selected(url: str, query: str, *tables: str) -> list[tuple[Any, ...]]:
    """The rows of a query in plain SQL.

    Args:
        tables: names that stand in it as {}, and get the prefix of the book.
    """
    prefix = prefix_of(url)
    with closing(connected(bare(url))) as db:
        cursor = db.cursor()
        cursor.execute(query.format(*(f"{prefix}{table}" for table in tables)))
        return [tuple(row) for row in cursor.fetchall()]


def prefix_of(url: str) -> str:
    """How the names of the tables of a book begin."""
    return url.partition("prefix=")[2].partition("&")[0]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which a share of some values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
