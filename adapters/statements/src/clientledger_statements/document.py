"""What a statement shows, once for all formats: parties, tables and sentences."""

import attrs

from clientledger import Address, Bucket, Client, Money, OpenItem, Statement, StatementRow
from clientledger_statements.naming import clean, name_entry, name_item
from clientledger_statements.wording import Cell, Wording

__all__ = ["Column", "Document", "Party", "Row", "Table", "document_of"]

_BLANK = "_" * 24
_UPRIGHT_DIGITS = 11


@attrs.frozen
class Column:
    """A column: its heading, and whether it holds "day", "text", "number" or "amount"."""

    title: str
    kind: str


@attrs.frozen
class Row:
    """A row of cells, one for each column; a strong one is no document, but a sum."""

    cells: tuple[Cell, ...]
    strong: bool = False


@attrs.frozen(kw_only=True)
class Table:
    """A table.

    Attributes:
        groups: headings above the columns, with the number of columns each spans.
        nothing: what to say where there are no rows.
    """

    title: str = ""
    groups: tuple[tuple[str, int], ...] = ()
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    nothing: str = ""


@attrs.frozen
class Party:
    """One of the two sides: what it is to the other, its name, its address and tax ids."""

    role: str
    name: str
    lines: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Document:
    """All that is shown, in order.

    Attributes:
        facts: what it is of: each a label and a text.
        introduction, sentence, signed: of an act; else empty.
        note: what a minus sign means, where there is one.
        signed: for whom the two signatures are.
        digits: of the longest amount.
    """

    wording: Wording
    statement: Statement
    title: str
    parties: tuple[Party, ...]
    facts: tuple[tuple[str, str], ...]
    introduction: str = ""
    account: Table
    note: str = ""
    sentence: str = ""
    signed: tuple[str, ...] = ()
    open_items: Table
    ageing: Table
    digits: int

    @property
    def wide(self) -> bool:
        """Whether the columns of amounts need paper that lies on its long side."""
        return self.digits > _UPRIGHT_DIGITS


def document_of(statement: Statement, layout: str, wording: Wording) -> Document:
    """Lay a statement out as a statement of account or as a reconciliation act."""
    texts = wording.texts
    client = clean(statement.client.name)
    company = clean(statement.company)
    act = layout == "act"
    ours = company or (_BLANK if act else "")
    us = (Party(texts.company, ours),) if ours else ()
    balances = [statement.opening.minor, *(row.balance.minor for row in statement.rows)]
    sums = [statement.debits.minor, statement.credits.minor, *balances]
    long = {"since": wording.long_day(statement.since), "until": wording.long_day(statement.until)}
    return Document(
        wording=wording,
        statement=statement,
        title=texts.act if act else texts.statement,
        parties=(*us, Party(texts.client, client, _details(statement.client, wording))),
        facts=_facts(statement, wording),
        introduction=texts.introduction.format(**long) if act else "",
        account=(_act if act else _account)(statement, wording, ours, client),
        note=texts.minus if min(balances) < 0 and not act else "",
        sentence=_sentence(statement, wording, ours, client) if act else "",
        signed=_signed(wording, ours, client) if act else (),
        open_items=_open_items(statement, wording),
        ageing=_ageing(statement, wording),
        digits=max(len(str(abs(minor))) for minor in sums),
    )


def _details(client: Client, wording: Wording) -> tuple[str, ...]:
    found = _address(client.addresses[0], wording) if client.addresses else ()
    ids = (f"{clean(scheme)}: {clean(id)}" for scheme, id in client.tax_ids.items())
    return (*found, *ids)


def _address(address: Address, wording: Wording) -> tuple[str, ...]:
    city = f"{address.postal_code} {address.city}"
    country = wording.country(address.country) if address.country else ""
    lines = (clean(line) for line in (address.street, city, address.region, country))
    return tuple(line for line in lines if line)


def _facts(statement: Statement, wording: Wording) -> tuple[tuple[str, str], ...]:
    texts = wording.texts
    return (
        (texts.period, f"{wording.day(statement.since)} – {wording.day(statement.until)}"),
        (texts.currency, wording.currency(statement.currency)),
        (texts.known, wording.moment(statement.known_at)),
    )


def _account(statement: Statement, wording: Wording, ours: str, client: str) -> Table:
    texts = wording.texts
    opening: tuple[Cell, ...] = (statement.since, texts.opening, None, None, statement.opening)
    turnover: tuple[Cell, ...] = (None, texts.turnover, statement.debits, statement.credits, None)
    closing: tuple[Cell, ...] = (statement.until, texts.closing, None, None, statement.closing)
    columns = (
        *_first_columns(wording),
        Column(texts.debit, "amount"),
        Column(texts.credit, "amount"),
        Column(texts.balance, "amount"),
    )
    rows = tuple(
        Row((*_first_cells(row, wording), row.debit, row.credit, row.balance))
        for row in statement.rows
    )
    return Table(
        columns=columns,
        rows=(
            Row(opening, strong=True),
            *(rows or (Row((None, texts.no_documents, None, None, None)),)),
            Row(turnover, strong=True),
            Row(closing, strong=True),
        ),
    )


def _act(statement: Statement, wording: Wording, ours: str, client: str) -> Table:
    texts = wording.texts
    theirs = (None, None)
    sides = (Column(texts.debit, "amount"), Column(texts.credit, "amount"))
    opening: tuple[Cell, ...] = (statement.since, texts.opening, *_sided(statement.opening))
    turnover: tuple[Cell, ...] = (None, texts.turnover, statement.debits, statement.credits)
    closing: tuple[Cell, ...] = (statement.until, texts.closing, *_sided(statement.closing))
    rows = tuple(
        Row((*_first_cells(row, wording), row.debit, row.credit, *theirs)) for row in statement.rows
    )
    return Table(
        groups=(
            ("", 2),
            (texts.by_our_records.format(name=ours), 2),
            (texts.by_client_records.format(name=client), 2),
        ),
        columns=(*_first_columns(wording), *sides, *sides),
        rows=(
            Row((*opening, *theirs), strong=True),
            *(rows or (Row((None, texts.no_documents, None, None, *theirs)),)),
            Row((*turnover, *theirs), strong=True),
            Row((*closing, *theirs), strong=True),
        ),
    )


def _first_columns(wording: Wording) -> tuple[Column, Column]:
    return Column(wording.texts.date, "day"), Column(wording.texts.document, "text")


def _first_cells(row: StatementRow, wording: Wording) -> tuple[Cell, Cell]:
    return row.entry.on, name_entry(row.entry, row.about, wording)


def _sided(balance: Money) -> tuple[Cell, Cell]:
    """A balance in two columns, as acts have it: what we owe is a credit."""
    return (None, -balance) if balance.minor < 0 else (balance, None)


def _sentence(statement: Statement, wording: Wording, ours: str, client: str) -> str:
    texts, closing = wording.texts, statement.closing
    template = texts.owes if closing.minor > 0 else texts.owed if closing else texts.settled
    return template.format(
        date=wording.long_day(statement.until),
        client=client,
        company=ours,
        amount=wording.money(-closing if closing.minor < 0 else closing),
    )


def _signed(wording: Wording, ours: str, client: str) -> tuple[str, str]:
    texts = wording.texts
    return texts.signed_for_us.format(name=ours), texts.signed_for_client.format(name=client)


def _open_items(statement: Statement, wording: Wording) -> Table:
    texts = wording.texts
    seen: dict[object, int] = {}
    for item in statement.open_items:
        seen[item.entry] = seen.get(item.entry, 0) + 1
    return Table(
        title=texts.open_items.format(date=wording.long_day(statement.until)),
        columns=(
            *_first_columns(wording),
            Column(texts.due, "day"),
            Column(texts.days_overdue, "number"),
            Column(texts.amount, "amount"),
            Column(texts.open, "amount"),
        ),
        rows=tuple(
            Row(_open_item(item, seen[item.entry] > 1, statement, wording))
            for item in statement.open_items
        ),
        nothing=texts.nothing_open,
    )


def _open_item(
    item: OpenItem, several: bool, statement: Statement, wording: Wording
) -> tuple[Cell, ...]:
    late = None if item.due is None else max(0, (statement.until - item.due).days)
    return item.on, name_item(item, several, wording), item.due, late, item.amount, item.open


def _ageing(statement: Statement, wording: Wording) -> Table:
    texts, account = wording.texts, statement.account
    return Table(
        title=texts.ageing,
        columns=(Column("", "text"), Column(texts.amount, "amount")),
        rows=(
            *(Row((_age(bucket, wording), bucket.amount)) for bucket in statement.buckets),
            Row((texts.owed_by_client, account.owed), strong=True),
            Row((texts.prepaid, account.prepaid), strong=True),
            Row((texts.balance, account.balance), strong=True),
        ),
    )


def _age(bucket: Bucket, wording: Wording) -> str:
    texts, low, high = wording.texts, bucket.min_days, bucket.max_days
    if high is None:
        last = 0 if low is None else low - 1
        return wording.counted(texts.over, last, wording.number(last))
    if low is None:
        up_to = wording.counted(texts.up_to, high, wording.number(high))
        return up_to if high else texts.not_due
    dash = "–" if low >= 0 else " … "
    both = wording.number(high) if low == high else dash.join(map(wording.number, (low, high)))
    return wording.counted(texts.range, high, both)
