"""The commands on documents that are there: settling by hand, undoing, correcting, exchanging."""

from typing import Annotated, Any

from cyclopts import Parameter

from clientledger import Allocation, Book, Entry, Instalment, InvalidValue
from clientledger.cli.exits import OK
from clientledger.cli.lists import summed
from clientledger.cli.naming import ALWAYS, document_named, undone_named
from clientledger.cli.options import (
    COMMON,
    Common,
    Day,
    DocumentWords,
    Key,
    On,
    Switch,
    Texts,
)
from clientledger.cli.plain import emit, plain
from clientledger.cli.receipts import (
    called,
    recorded,
    standing,
    summary,
    title,
    told,
    void_title,
    written,
)
from clientledger.cli.screen import Screen
from clientledger.cli.told import read_allocation, read_content, read_instalments

__all__ = ["allocate", "correct", "exchange", "release", "void"]

Nth = Annotated[
    int | None, Parameter(metavar="N", help="Of the debit, which instalment, counted from 1.")
]
_LINED = ("sale", "credit note")


def allocate(
    credit: str,
    debit: str,
    amount: str,
    /,
    *,
    instalment: Nth = None,
    on: On = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Put an amount of what is prepaid against a document that is open.

    Args:
        credit: the payment, credit note or other credit that has something free: its number, id
            or source:id.
        debit: the sale or other debit that is open, named alike.
        amount: in the currency of both, such as 50.00.
    """
    with common.write() as book:
        free, owed = _pair(book, credit, debit)
        made = book.ledger.allocate(free, _part(owed, instalment), amount, on=on, key=key)
        said = f"{_capital(called(free))} settles {called(owed)}: {written(made.live)}"
        return _settled(common, book, free, [made], f"{said} from {made.on} on")


def release(
    credit: str,
    debit: str,
    amount: str | None = None,
    /,
    *,
    instalment: Nth = None,
    on: On = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Take back what one document has settled of another, the newest first.

    Args:
        credit: the payment, credit note or other credit: its number, id or source:id.
        debit: the sale or other debit that it settled, named alike.
        amount: how much; all of it by default.
    """
    with common.write() as book:
        free, owed = _pair(book, credit, debit)
        made = book.ledger.unallocate(free, _part(owed, instalment), amount, on=on, key=key)
        links = book.ledger.state(free, as_of=ALWAYS).allocations
        left = [link.live for link in links if link.debit == owed.id and link.live]
        holds = f"settles {written(summed(left)) if left else 'nothing'} of {called(owed)}"
        return _settled(common, book, free, made, f"Released: {called(free)} {holds}")


def exchange(
    credit: str,
    amount: str,
    into: str,
    /,
    *,
    reason: str = "",
    on: On = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Turn what is prepaid in one currency into a prepayment in another, at told amounts.

    Args:
        credit: the payment or other credit that has something free: its number, id or source:id.
        amount: what is given, in its currency, such as 100.00.
        into: what it counts as, such as "108.50 USD".
        reason: why, or at which rate.
    """
    with common.write() as book:
        free = document_named(book, credit, fits=_is_credit)
        made = book.ledger.exchange(free, amount, into, on=on, reason=reason, key=key)
        given = book.ledger.get(made.pair or made.id)
        name = book.clients.get(made.client).name
        before = book.ledger.account(made.client, given.amount.unit)
        if common.json:
            account = book.ledger.account(made.client, made.amount.unit)
            other = {**plain(given), "account": plain(before)}
            emit({**plain(made), "account": plain(account), "given": other})
            return OK
        lines = [
            f"{title(made)}. {name}.",
            f"  for {written(given.amount)} of {called(free)}",
            f"  {standing(before)}",
        ]
        return told(common, book, made, lines, handle=True)


def void(
    document: DocumentWords,
    /,
    *,
    reason: str,
    on: On = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Undo a document, such as a payment that bounced. Both stay visible.

    What it settled is open again, what had settled it is free, and so is its number.

    Args:
        reason: why.
    """
    with common.write() as book:
        gone = undone_named(book, document, key)
        made = book.ledger.void(gone, reason=reason, on=on, key=key)
        name = book.clients.get(made.client).name
        lines = [
            f"{void_title(made, gone)}. {name}.",
            *_open_again(book, gone),
            *_other_half(book, gone),
        ]
        return told(common, book, made, lines)


def correct(
    document: DocumentWords,
    /,
    *,
    reason: str,
    amount: str | None = None,
    line: Texts = None,
    currency: Annotated[str | None, Parameter(metavar="CODE")] = None,
    due: Day | None = None,
    terms: str | None = None,
    instalment: Annotated[
        list[str] | None, Parameter(metavar="YYYY-MM-DD=AMOUNT", negative=())
    ] = None,
    number: str | None = None,
    method: str | None = None,
    allocate: Annotated[list[str] | None, Parameter(metavar="DOC=AMOUNT", negative=())] = None,
    free: Switch = False,
    on: Day | None = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Record a document anew with changes in place of the old one, which is voided.

    What is not told stays as it was. What the old one settled, the new one does, as far as it fits.

    Args:
        reason: why.
        amount: the new amount.
        line: the new lines, "name;quantity;price" or "name;quantity;price;sku".
        currency: of the new amount or lines; the old one's by default.
        due: when it has to be paid.
        terms: in place of a due date, such as "30 % now, rest in 30 days".
        instalment: a part of it by its due date; may be given several times.
        number: another number.
        method: in your own words, such as "bank transfer".
        allocate: which document it settles, and how much of it; may be given several times.
        free: let it settle nothing.
        on: the date of both; the old one's by default. Give a later one where that is closed.
    """
    told_of = {"currency": currency, "due": due, "terms": terms, "number": number, "method": method}
    changes: dict[str, Any] = {name: value for name, value in told_of.items() if value is not None}
    if instalment is not None:
        changes["instalments"] = read_instalments(instalment)
    with common.write() as book:
        old = undone_named(book, document, key)
        if line is not None or amount is not None:
            changes |= _content(old, line, amount)
        linked = read_allocation(
            book, book.clients.get(old.client), allocate, free=free, credits=old.side == "debit"
        )
        if linked is not None:
            changes["allocate"] = linked
        if not changes and on is None:
            raise InvalidValue("nothing is told that changes", field="document", value=document)
        made = book.ledger.correct(old, reason=reason, on=on, key=key, **changes)
        client = book.clients.get(made.client)
        return recorded(common, book, client, made, f"  in place of {summary(old)}")


def _content(old: Entry, line: list[str] | None, amount: str | None) -> dict[str, Any]:
    """What a corrected document is over, under the name that its kind has for it.

    Raises:
        InvalidValue: lines of a document that has none, or lines beside an amount.
    """
    if line is not None and old.kind not in _LINED:
        raise InvalidValue(
            f"{called(old)} has no lines", field="line", value=line[0], remedy="give --amount"
        )
    content = read_content(line, amount, old.kind)
    return {"lines_or_amount" if old.kind in _LINED else "amount": content}


def _pair(book: Book, credit: str, debit: str) -> tuple[Entry, Entry]:
    """The credit and the debit that are named; the debit is one of the same client."""
    free = document_named(book, credit, fits=_is_credit)
    owed = document_named(book, debit, client=free.client, fits=lambda one: one.side == "debit")
    return free, owed


def _is_credit(entry: Entry) -> bool:
    return entry.side == "credit"


def _part(entry: Entry, number: int | None) -> Entry | Instalment:
    """An instalment of a document, or all of it.

    Raises:
        InvalidValue: it has no such instalment.
    """
    if number is None:
        return entry
    if not 1 <= number <= len(entry.instalments):
        raise InvalidValue(
            f"{called(entry)} has {len(entry.instalments)}",
            field="instalment",
            value=number,
            remedy="count them from 1, by due date",
        )
    return entry.instalments[number - 1]


def _settled(common: Common, book: Book, free: Entry, made: Any, said: str) -> int:
    client, account = free.client, book.ledger.account(free.client, free.amount.unit)
    if common.json:
        links: list[Allocation] = list(made)
        emit({"allocations": [plain(one) for one in links], "account": plain(account)})
    else:
        name = book.clients.get(client).name
        Screen().show(f"{said}. {name}.\n  {standing(account)}")
    return OK


def _open_again(book: Book, gone: Entry) -> list[str]:
    """What the undone document had settled, or been settled by, with what is open of it now."""
    links = book.ledger.state(gone, as_of=ALWAYS).allocations
    others = dict.fromkeys(link.credit if link.debit == gone.id else link.debit for link in links)
    lines = []
    for id in others:
        state = book.ledger.state(id, as_of=ALWAYS)
        if state.open:
            is_ = "open" if state.entry.side == "debit" else "free"
            lines.append(f"  {called(state.entry)} is {is_} again: {written(state.open)}")
    return lines


def _other_half(book: Book, gone: Entry) -> list[str]:
    """The other half of an exchange, which goes with the one that is undone."""
    if gone.kind != "exchange" or gone.pair is None:
        return []
    other = book.ledger.get(gone.pair)
    account = book.ledger.account(other.client, other.amount.unit)
    return [f"  and with it {summary(other)}", f"  {standing(account)}"]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
