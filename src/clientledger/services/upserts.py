"""Upserts: documents of another system, recorded once and corrected when they change there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import attrs

from clientledger.domain.entries import Entry, read_instalments
from clientledger.domain.terms import read_terms
from clientledger.domain.text import check_external_id, check_mapping, check_several
from clientledger.domain.time import check_day, check_id
from clientledger.domain.upserted import Upserted
from clientledger.errors import WrongClient
from clientledger.ports import Claim, Reading
from clientledger.services.correcting import check_told, correct_entry
from clientledger.services.desk import AtDesk
from clientledger.services.documents import entry_of, kept
from clientledger.services.issuing import Paper, read_content, record
from clientledger.services.links import kept_pairs
from clientledger.services.work import ClientRef, Work, external_space

__all__ = ["Upserts", "kept_told"]


@attrs.frozen
class Upserts(AtDesk):
    """Documents that follow those of another system."""

    def upsert_sale(
        self,
        external_id: tuple[str, str],
        client: ClientRef,
        lines_or_amount: Any,
        *,
        key: str | None = None,
        **told: Any,
    ) -> Upserted:
        """Record a sale of another system, or correct the one that is here if it has changed.

        Args:
            external_id: a pair of source and id, by which it is known again.
            told: the other arguments of `record_sale`. What is not told is not compared.

        Returns:
            the sale, and whether it was "created", "changed" (voided and recorded anew, as
            `correct` does) or is "unchanged".

        Raises:
            WrongClient: it belongs to another client here: void it, and record it anew.
            InvalidValue and others: as `record_sale` and `correct`.
        """
        return self._upsert("sale", external_id, client, lines_or_amount, told, key)

    def upsert_payment(
        self,
        external_id: tuple[str, str],
        client: ClientRef,
        amount: Any,
        *,
        key: str | None = None,
        **told: Any,
    ) -> Upserted:
        """Record a payment of another system, or correct the one that is here: see `upsert_sale`.

        What it settles is not compared.
        """
        return self._upsert("payment", external_id, client, amount, told, key)

    def upsert_credit_note(
        self,
        external_id: tuple[str, str],
        client: ClientRef,
        lines_or_amount: Any,
        *,
        reason: str,
        key: str | None = None,
        **told: Any,
    ) -> Upserted:
        """Record a credit note of another system, or correct the one here: see `upsert_sale`.

        What it settles is not compared, nor its reason.
        """
        return self._upsert(
            "credit note", external_id, client, lines_or_amount, told, key, reason=reason
        )

    def _upsert(
        self,
        kind: str,
        external_id: object,
        client: ClientRef,
        content: Any,
        told: Mapping[str, Any],
        key: str | None,
        **always: Any,
    ) -> Upserted:
        source, value = check_external_id(external_id)
        rest = {name: one for name, one in told.items() if name != "on"}
        name = "amount" if kind == "payment" else "lines_or_amount"
        check_told(kind, {name: content, **rest})
        given = {name: kept(content), **kept_told(rest)}
        on = None if told.get("on") is None else check_day(told["on"], "on")
        owner = check_id(client, "client")

        def plan(work: Work) -> _Made:
            fields = {field: one for field, one in given.items() if field != name}
            ids = check_mapping(fields.pop("external_ids", None) or {}, "external_ids")
            paper = Paper(
                kind=kind,
                client=owner,
                content=given[name],
                on=on,
                external_ids={**ids, source: value},
                **fields,
                **always,
            )
            held = work.unit.lookup(Claim, (external_space(kind, source), value))
            if held is None:
                return _Made(Upserted(record(work, paper)[0], "created"))
            old = entry_of(work, UUID(held.subject))
            work.head(old.client)
            if old.client != owner:
                raise WrongClient(
                    "it belongs to another client here",
                    field="client",
                    value=owner,
                    remedy="void it, and record it anew",
                )
            if _same(work, old, paper):
                return _Made(Upserted(old, "unchanged"))
            day = max(old.on, on or old.on)
            said = f"changed in {source}"
            changes = {field: one for field, one in given.items() if field != "external_ids"}
            return _Made(
                Upserted(correct_entry(work, old, said, day, changes, on or old.on), "changed")
            )

        arguments = {"external_id": (source, value), "client": owner, "on": on, **given, **always}
        action = f"ledger.upsert_{kind}".replace(" ", "_")
        return self._desk.command(action, arguments, plan, key=key, again=_Made.again).upserted


@attrs.frozen
class _Made:
    """What an upsert made, under an id that tells a repeat all of it."""

    upserted: Upserted

    @property
    def id(self) -> str:
        return f"{self.upserted.entry.id}/{self.upserted.outcome}"

    @classmethod
    def again(cls, reading: Reading, id: str) -> "_Made":
        entry, _, outcome = id.partition("/")
        return cls(Upserted(reading.get(Entry, UUID(entry)), outcome))


def kept_told(told: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, with what can be read once only kept for a repeat."""
    found = {
        name: kept_pairs(value) if name == "allocate" and value is not None else kept(value)
        for name, value in told.items()
    }
    if "agreements" in found:
        listed = check_several(found["agreements"], "agreements")
        found["agreements"] = tuple(check_id(one, "agreements") for one in listed)
    return found


def _same(work: Work, old: Entry, paper: Paper) -> bool:
    """Whether a document is already as it is told; what is not told is not compared."""
    amount, lines, _ = read_content(work, paper)
    day = paper.on or old.on
    wanted: dict[str, Any] = {
        "amount": amount,
        "lines": lines or None,
        "on": paper.on,
        "number": paper.number,
        "method": paper.method or None,
        "sale": None if paper.sale is None else check_id(paper.sale, "sale"),
        "agreements": paper.agreements or None,
    }
    parts = paper.instalments
    if paper.terms is not None:
        parts = read_terms(paper.terms).schedule(amount, day, work.settings.rounding)
    if parts is not None or paper.due is not None:
        known = work.settings.known
        wanted["instalments"] = read_instalments(
            amount, day, due=paper.due, instalments=parts, entry=old.id, known=known
        )
    return all(one is None or one == getattr(old, name) for name, one in wanted.items())
