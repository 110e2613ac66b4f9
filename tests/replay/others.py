"""What a case tells beside documents: clients, agreements, periods and settings."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tests.replay.common import PLAIN_TO, reason_of
from tests.replay.contents import NET_DAYS, TERMS, terms_of
from tests.replay.fields import Fields, NotApplicable, is_number, spelled
from tests.replay.play import EARLY, WHO, Event, Play

from clientledger import Client, Money

LIMIT = ("credit_limit", "limit", "amount", "value", "max")
SINCE = ("valid_from", "from", "since", "effective_from")
THROUGH = ("through", "until", "to", "closing_date", "end_date", "period_end", "lock_date", "end")
REOPENED = ("from", "from_date", "since", "period_start", "start_date", "start", "reopen_from")
SETTINGS: Mapping[str, str] = {
    "use_prepayments": "use_prepayments auto_apply_credits auto_apply_prepayments auto_apply",
    "number_scope": "number_scope",
    "credit_limit": "credit_limit credit_limit_mode credit_limit_action credit_check",
    "ageing_bounds": "ageing_bounds aging_bounds ageing_buckets aging_buckets",
    "rounding": "rounding rounding_mode rounding_method",
    "time_zone": "time_zone timezone tz",
    "currency": "currency default_currency company_currency base_currency",
    "company": "company company_name",
    "region": "region country",
}
_SETTING = {name: setting for setting, names in SETTINGS.items() for name in names.split()}
_ROUNDINGS = {"half_even", "half_up", "half_down", "up", "down", "ceiling", "floor"}


# ------------------------------------------------------------ clients
def client(play: Play, event: Event) -> None:
    who = event.fields.get(*WHO, "ref", "id", "name")
    added = play.add_client(str(who))
    agreed(play, added, event.fields, play.unit(event))
    if event.fields.get("active", "enabled") is False or event.fields.flag("archived", "disabled"):
        play.book.clients.archive(added)


def archive(play: Play, event: Event) -> None:
    play.book.clients.archive(_whose(play, event))


def unarchive(play: Play, event: Event) -> None:
    play.book.clients.restore(_whose(play, event))


def _whose(play: Play, event: Event) -> Any:
    about = play.pick(event.fields, *PLAIN_TO, "ref")
    if play.known(about):
        raise NotApplicable(f"{event.title}: only clients are archived, documents are not")
    if event.fields.get(*WHO) is None and event.ref in play.clients:
        return play.clients[event.ref or ""]
    return play.client(event)


# ------------------------------------------------------------ agreements
def credit_limit(play: Play, event: Event) -> None:
    limit(play, play.client(event), event.fields, play.unit(event))


def payment_terms(play: Play, event: Event) -> None:
    who = play.client(event)
    assert isinstance(who, Client)
    told = event.fields.get(*TERMS, "text", "value")
    days = event.fields.get(*NET_DAYS, "days")
    _terms(play, who, f"{days} days" if told is None else told, _since(event.fields))


def agreed(play: Play, owner: Client, fields: Fields, currency: str | None) -> None:
    """What is told of a client beside its name."""
    if fields.has("credit_limit"):
        limit(play, owner, fields.without("limit", "amount", "value", "max"), currency)
    told = fields.get(*TERMS)
    days = fields.get(*NET_DAYS)
    if told is not None or days is not None:
        _terms(play, owner, f"{days} days" if told is None else told, EARLY)


def limit(play: Play, owner: Any, fields: Fields, currency: str | None) -> None:
    """Agree on a credit limit; without an amount there is none any more."""
    told = fields.amount(*LIMIT)
    if told is None or (isinstance(told, str) and spelled(told) in ("none", "unlimited", "")):
        for agreement in play.book.agreements.find(owner, kind="credit limit"):
            if agreement.withdrawn_on is None:
                play.book.agreements.withdraw(agreement, reason="no limit any more")
        return
    amount = Money(told, currency) if is_number(told) and currency and told >= 0 else told
    play.book.agreements.promise(
        owner, "credit limit", "as the case tells", amount=amount, valid_from=_since(fields)
    )


def _terms(play: Play, owner: Client, told: Any, since: date) -> None:
    terms = terms_of(told)
    if not isinstance(terms, str):
        raise NotApplicable("payment terms of a client in parts, which have no words")
    play.book.agreements.promise(owner, "payment terms", terms, terms=terms, valid_from=since)


def _since(fields: Fields) -> Any:
    """From the first day on where none is told: documents may be dated back."""
    told = fields.day(*SINCE)
    return EARLY if told is None else told


# ------------------------------------------------------------ periods and settings
def close_period(play: Play, event: Event) -> None:
    through = event.fields.day(*THROUGH)
    if through is None:
        through = event.on
    closed = play.book.settings.closed_through
    if event.rejected or closed is None or not isinstance(through, date) or through > closed:
        play.book.ledger.close_period(through, reason=reason_of(event))
    elif through < closed:
        after = through + timedelta(days=1)
        play.book.ledger.reopen_period(after, reason=reason_of(event))
        play.note(f"{event.title}: closed through {closed} before, so it is opened from {after} on")


def reopen_period(play: Play, event: Event) -> None:
    day = event.fields.day(*REOPENED)
    play.book.ledger.reopen_period(EARLY if day is None else day, reason=reason_of(event))


def setting(play: Play, event: Event) -> None:
    told = event.fields.get("settings", "changes", "values")
    name = event.fields.get("name", "setting", "key", "option")
    if isinstance(told, Mapping):
        change_settings(play, Fields.of(told), strict=True)
    elif isinstance(name, str):
        value = event.fields.get("value", "to", "enabled")
        change_settings(play, Fields.of({name: value}), strict=True)
    else:
        rest = event.fields.without("type", "ref", "date", "on", *WHO, "text", "notes", "rejected")
        change_settings(play, rest, strict=True)


def change_settings(play: Play, told: Fields, *, strict: bool) -> None:
    for name, value in told.data.items():
        known = _SETTING.get(name)
        if known is None:
            if strict:
                raise NotApplicable(f"no such setting as {name}")
            play.note(f"setting {name} is none of the book's, and left out")
            continue
        if known == "ageing_bounds" and isinstance(value, list):
            value = tuple(value)
        if known == "rounding" and spelled(value) in _ROUNDINGS:
            value = f"ROUND_{spelled(value).upper()}"
        if known == "credit_limit" and value in (True, False):
            value = "refuse" if value else "warn"
        play.book.change_settings(**{known: value})
