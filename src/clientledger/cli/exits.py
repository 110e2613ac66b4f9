"""Exit codes, and errors as a person reads them: what was wrong, and what would be right."""

import contextlib
import os
import sys
from collections.abc import Callable

from cyclopts import CycloptsError

from clientledger import (
    ClientLedgerError,
    Conflict,
    DeliveryError,
    InvalidValue,
    LedgerError,
    NotAllowed,
    NotFound,
    PluginError,
    StoreError,
)

__all__ = [
    "INTERRUPTED",
    "NO",
    "OK",
    "REFUSED",
    "STORE",
    "UNKNOWN",
    "USAGE",
    "code_of",
    "complain",
    "guarded",
]

OK = 0
NO = 1
"""The question was answered with no: nothing found, not in order, rows refused."""
USAGE = 2
UNKNOWN = 3
REFUSED = 4
STORE = 5
INTERRUPTED = 130

_CODES: tuple[tuple[type[ClientLedgerError], int], ...] = (
    (InvalidValue, USAGE),
    (NotFound, UNKNOWN),
    (LedgerError, REFUSED),
    (Conflict, REFUSED),
    (NotAllowed, REFUSED),
    (StoreError, STORE),
    (PluginError, STORE),
    (DeliveryError, STORE),
)

_OPTIONS = {
    "debit_or_instalment": "debit",
    "entry": "document",
    "external_ids": "external-id",
    "figure": "document",
    "from_": "from",
    "instalments": "instalment",
    "lines": "line",
    "lines_or_amount": "line",
    "through": "day",
    "url": "book",
    "valid_from": "from",
    "valid_until": "until",
}
# What the library would have a program do, as a command.
_COMMANDS = {
    "book.clients.find(...)": "clientledger find TEXT",
    "book.anchor() returned": "clientledger anchor printed",
    "book.change_settings(hash_chain=True)": "clientledger settings --hash-chain",
    "book.dump": "clientledger dump",
    "book.verify()": "clientledger verify",
    "book.team.add(key, name)": "clientledger add-member KEY NAME",
    "book.ledger.reopen_period": "clientledger reopen-period",
    "reopen the period: reopen_period": "reopen the period: clientledger reopen-period",
    'give currency="EUR", or set': "give --currency EUR, or set",
    'give Money("500.00", "EUR"), "500.00 EUR", or currency=': 'write "500.00 EUR" or --currency',
    "ledger.exchange": "clientledger exchange",
    "open it for writing first": "make a book: clientledger add-client NAME",
    'block=["': '--block "',
    '"]': '"',
}


def code_of(error: ClientLedgerError) -> int:
    """The exit code of an error of the library."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), STORE)


def told(error: ClientLedgerError) -> str:
    """What was wrong, in one line."""
    field = _OPTIONS.get(error.field or "", error.field)
    return _line(str(ClientLedgerError(error.message, field=field, value=error.value)))


def complain(error: ClientLedgerError | str, remedy: str = "") -> None:
    """Write an error to stderr: a line of what was wrong, a line of what would be right."""
    if isinstance(error, ClientLedgerError):
        remedy = error.remedy
        error = told(error)
    for spoken, written in _COMMANDS.items():
        remedy = remedy.replace(spoken, written)
    print(f"clientledger: {_line(error)}", file=sys.stderr)
    if remedy:
        print(f"  {_line(remedy)}", file=sys.stderr)


def guarded(call: Callable[[], int]) -> int:
    """Call, and turn what a user may run into into a message and an exit code."""
    try:
        code = call()
        sys.stdout.flush()
    except ClientLedgerError as error:
        complain(error)
        return code_of(error)
    except CycloptsError as error:
        complain(str(error), _help_for(error))
        return USAGE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return OK
    except OSError as error:
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return STORE
    return code


def _help_for(error: CycloptsError) -> str:
    chain = " ".join(("clientledger", *(error.command_chain or ())))
    return f"see {chain} --help"


def _line(text: str) -> str:
    return " ".join(text.split())


def _forget_stdout() -> None:
    """Let the interpreter flush at its end into nothing, rather than complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
