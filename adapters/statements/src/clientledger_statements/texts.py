"""What a language must say: every text of every layout, so that none can be left out."""

from collections.abc import Mapping

import attrs

__all__ = ["Kind", "Texts"]


@attrs.frozen
class Kind:
    """The name of a kind of document.

    Attributes:
        word: as it stands within a sentence.
        of: as it stands after "void of" or "correction of": in the genitive, with its article
            where the language wants one.
    """

    word: str
    of: str


@attrs.frozen(kw_only=True)
class Texts:
    """The texts of one language. Words in braces are filled in.

    Attributes:
        day: how a date is written in a table, a format or pattern of Babel.
        numbered, dated: how a document is named by its number, and without one by its date.
        void_of, correction_of: `what` is the genitive of the kind, and how it is named.
        taken_back: a write-off on the debit side.
        for_sale: of a credit note.
        range, up_to, over: age classes, by the plural category of their last number.
        by_our_records and what follows: of an act, so built that no name is inflected.
        owes, owed, settled: the closing balance in words.
    """

    day: str
    statement: str
    act: str
    company: str
    client: str
    period: str
    currency: str
    known: str
    page: str

    date: str
    document: str
    debit: str
    credit: str
    balance: str
    opening: str
    turnover: str
    closing: str
    no_documents: str
    minus: str

    kinds: Mapping[str, Kind]
    taken_back: Kind
    numbered: str
    dated: str
    void_of: str
    correction_of: str
    for_sale: str
    exchange_of: str
    exchange_into: str
    instalment: str
    free_credit: str

    open_items: str
    due: str
    days_overdue: str
    amount: str
    open: str
    nothing_open: str

    ageing: str
    not_due: str
    range: Mapping[str, str]
    up_to: Mapping[str, str]
    over: Mapping[str, str]
    owed_by_client: str
    prepaid: str

    introduction: str
    by_our_records: str
    by_client_records: str
    owes: str
    owed: str
    settled: str
    signed_for_us: str
    signed_for_client: str
    signatory: str
    signature: str
    signed_on: str
    stamp: str
