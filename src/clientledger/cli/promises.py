"""The commands on agreements: what was promised to a client, and what holds no more."""

from typing import Annotated

from cyclopts import Parameter

from clientledger.cli.card import agreed
from clientledger.cli.naming import agreement_named, client_named, external_ids, short
from clientledger.cli.options import COMMON, ClientWords, Common, Day, Key, Sources
from clientledger.cli.receipts import done

__all__ = ["promise", "withdraw"]


def promise(
    client: ClientWords,
    kind: str,
    text: str,
    /,
    *,
    amount: str | None = None,
    percent: str | None = None,
    sku: str | None = None,
    terms: str | None = None,
    from_: Annotated[Day | None, Parameter(name="--from")] = None,
    until: Day | None = None,
    external_id: Sources = None,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """Write down what was agreed with a client.

    A "credit limit" and "payment terms" take effect on its sales; anything else is there to be
    seen.

    Args:
        kind: "credit limit", "payment terms", or in your own words, such as discount or price.
        text: what was agreed.
        amount: of a credit limit or a price, such as "5000.00 EUR".
        percent: of a discount, 0 to 100.
        sku: the article number it is about.
        terms: of payment terms, such as "30 % now, rest in 30 days" or "end of month + 10".
        from_: the first day; today by default.
        until: the last day; without end by default.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.agreements.promise(
            found,
            kind,
            text,
            amount=amount,
            percent=percent,
            sku=sku,
            terms=terms,
            valid_from=from_,
            valid_until=until,
            external_ids=external_ids(external_id or ()),
            key=key,
        )
    span = f"from {made.valid_from}" + (f" until {made.valid_until}" if made.valid_until else "")
    said = f"Agreed with {found.name}: {made.kind}, {agreed(made)}, {span}."
    return done(common, made, f"{said} Agreement id {short(made.id)}.")


def withdraw(
    client: ClientWords,
    agreement: str,
    /,
    *,
    reason: str,
    key: Key = None,
    common: Common = COMMON,
) -> int:
    """End an agreement: from today on it holds no more.

    Args:
        agreement: its id, the end of its id as shown, its kind, or words of its text.
        reason: why.
    """
    with common.write() as book:
        found = client_named(book, client)
        made = book.agreements.withdraw(
            agreement_named(book, found, agreement), reason=reason, key=key
        )
    said = f"Withdrawn on {made.withdrawn_on}: {made.kind}, {agreed(made)}. {found.name}."
    return done(common, made, said)
