"""Every error that the library raises on purpose.

The tree (a builtin in brackets is a second parent, so that strangers catch it too)::

    ClientLedgerError
    ├── InvalidValue (ValueError)          a value that can never be right
    ├── NotFound (LookupError)             an id, number or name that is not in the book
    ├── NotAllowed (PermissionError)       the book, or a rule of the host, forbids it
    ├── Conflict                           somebody or something was there first
    │   ├── Stale                          the record has changed since it was read
    │   ├── Duplicate                      what must be unique is taken
    │   │   ├── NumberTaken                a document number
    │   │   └── KeyReused                  an idempotency key, with other arguments
    │   └── Busy                           others were writing, all the time
    ├── LedgerError                        a rule of the ledger refuses
    │   ├── OverAllocated                  above what is open on either side
    │   ├── PeriodClosed                   dated in a closed period
    │   ├── Voided                         the entry has been voided
    │   ├── WrongClient                    the two documents belong to different clients
    │   ├── WrongCurrency                  the two amounts are of different currencies
    │   ├── WrongDirection                 a debit where a credit is wanted, or the reverse
    │   ├── NotLinked                      nothing is allocated between the two
    │   ├── CreditLimitExceeded            the client would owe more than was agreed
    │   └── ClientArchived                 an archived client takes nothing new
    ├── StoreError                         the storage failed
    │   ├── Unavailable                    it cannot be reached now, and nothing was recorded
    │   ├── HostTransactionAborted         the database killed the host's transaction
    │   └── OutcomeUnknown                 the reply to a commit was lost
    ├── DeliveryError                      a notice could not be delivered
    └── PluginError                        a plugin is missing, broken or in conflict
"""

__all__ = [
    "Busy",
    "ClientArchived",
    "ClientLedgerError",
    "Conflict",
    "CreditLimitExceeded",
    "DeliveryError",
    "Duplicate",
    "HostTransactionAborted",
    "InvalidValue",
    "KeyReused",
    "LedgerError",
    "NotAllowed",
    "NotFound",
    "NotLinked",
    "NumberTaken",
    "OutcomeUnknown",
    "OverAllocated",
    "PeriodClosed",
    "PluginError",
    "Stale",
    "StoreError",
    "Unavailable",
    "Voided",
    "WrongClient",
    "WrongCurrency",
    "WrongDirection",
]

_SHOWN = 80


class ClientLedgerError(Exception):
    """The root: what was wrong, where, and what would be right.

    Attributes:
        field: the name of the argument or field, or None where no single one is to blame.
        value: the offending value as given (never shown in full in the message).
        remedy: what would be right, in a few words, or "".
    """

    def __init__(
        self, message: str, *, field: str | None = None, value: object = None, remedy: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy

    def __str__(self) -> str:
        parts = [f"{self.field}: {self.message}" if self.field else self.message]
        if self.value is not None:
            parts.append(f"(got {shown(self.value)})")
        text = " ".join(parts)
        return f"{text}; {self.remedy}" if self.remedy else text


def shown(value: object) -> str:
    """Show a value in a message: escaped to ASCII and at most 80 characters."""
    if isinstance(value, str):
        text = ascii(value[:_SHOWN]) + ("…" if len(value) > _SHOWN else "")
    elif isinstance(value, int):
        text = str(value) if abs(value) < 10**_SHOWN else "an enormous number"
    else:
        try:
            text = str(value)
        except Exception:  # noqa: BLE001 - a stranger's __str__ must not hide our message
            text = f"a {type(value).__name__}"
        text = text[: _SHOWN + 4].encode("ascii", "backslashreplace").decode()
    return text if len(text) <= _SHOWN + 3 else text[:_SHOWN] + "…"


class InvalidValue(ClientLedgerError, ValueError):
    """A value that can never be right: malformed, out of range, or of a wrong type."""


class NotFound(ClientLedgerError, LookupError):
    """An id, a number or a name that is not in the book."""


class NotAllowed(ClientLedgerError, PermissionError):
    """The book is read-only, or a rule of the host forbids the command."""


class Conflict(ClientLedgerError):
    """Somebody or something was there first.

    Attributes:
        passing: true when a store raised it while writing, so that the same command, planned
            again on fresh facts, may succeed or be refused for good.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str = "",
        passing: bool = False,
    ) -> None:
        super().__init__(message, field=field, value=value, remedy=remedy)
        self.passing = passing


class Stale(Conflict):
    """The record has changed since the caller read it."""


class Duplicate(Conflict):
    """What must be unique in the book is taken."""


class NumberTaken(Duplicate):
    """A document number that another live document of the kind has."""


class KeyReused(Duplicate):
    """An idempotency key that was used for another command or for other arguments."""


class Busy(Conflict):
    """Other writers kept the book, or the client, busy for longer than we wait."""


class LedgerError(ClientLedgerError):
    """A rule of the ledger refuses the document or the allocation."""


class OverAllocated(LedgerError):
    """More than is open on either side, today or on any other day."""


class PeriodClosed(LedgerError):
    """Dated in a closed period; the closing day itself is closed."""


class Voided(LedgerError):
    """The entry has been voided, or is a void, which stands for good."""


class WrongClient(LedgerError):
    """The two documents belong to different clients."""


class WrongCurrency(LedgerError):
    """The two amounts are of different currencies."""


class WrongDirection(LedgerError):
    """A debit stands where a credit is wanted, or the reverse."""


class NotLinked(LedgerError):
    """Nothing (left) is allocated between the two."""


class CreditLimitExceeded(LedgerError):
    """The client would owe more than was agreed."""


class ClientArchived(LedgerError):
    """An archived client takes no new sale, agreement or task."""


class StoreError(ClientLedgerError):
    """The storage failed: missing, foreign, damaged, full, read-only or unreachable."""


class Unavailable(StoreError):
    """The database cannot be reached now, or was lost before the commit: nothing was recorded."""


class HostTransactionAborted(StoreError):
    """The database killed the host's transaction; only the host can begin again."""


class OutcomeUnknown(StoreError):
    """The reply to a commit was lost: ask ``book.outcome(key)``."""


class DeliveryError(ClientLedgerError):
    """A notice could not be delivered."""


class PluginError(ClientLedgerError):
    """A plugin is missing, broken, or in conflict with another."""
