"""The program: its commands, and the one place where it begins and ends."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Literal

from cyclopts import App

from clientledger.cli import (
    amending,
    dumps,
    keeping,
    papers,
    periods,
    promises,
    proving,
    reading,
    writing,
)
from clientledger.cli.exits import OK, guarded
from clientledger.cli.explaining import explain
from clientledger.cli.importing import import_
from clientledger.cli.options import BEGIN, CLIENTS, LEDGER, READ
from clientledger.cli.screen import Screen
from clientledger.cli.statements import statement
from clientledger.cli.tasks import task
from clientledger.cli.tour import demo
from clientledger.cli.trials import what_if
from clientledger.cli.upgrading import upgrade

__all__ = ["app", "run"]

_EVERYWHERE = ("--book", "--actor", "--block")
_HELP = """The client base that knows the money.

One card for every client: who they are, what they owe and have prepaid, what was agreed, what has
to be done next. And across all clients: who owes us, who brings the most, who has gone quiet.

Try `clientledger demo` first. A book of your own is a file: `clientledger add-client "Acme GmbH"
--book clients.db`; or set CLIENTLEDGER_BOOK once.
"""
_EXITS = """Exit codes: 0 done; 1 the answer is no (nothing found, a book that is not in order, rows
refused); 2 wrong usage or value; 3 not found, or more than one; 4 refused by a rule or by another
writer; 5 the book cannot be opened or its store failed; 130 interrupted.
"""

app = App(
    name="clientledger",
    help=_HELP,
    help_epilogue=_EXITS,
    help_format="markdown",
    version=version("clientledger"),
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)

for group, commands in {
    BEGIN: (
        writing.settings,
        keeping.doctor,
        keeping.backup,
        keeping.restore,
        upgrade,
        dumps.dump,
        dumps.load,
    ),
    READ: (
        reading.card,
        reading.find,
        reading.debtors,
        reading.ageing,
        reading.best,
        reading.dormant,
        reading.agenda,
        reading.timeline,
        statement,
        explain,
        what_if,
        proving.verify,
        proving.anchor,
    ),
    LEDGER: (
        papers.sale,
        papers.payment,
        papers.credit_note,
        papers.refund,
        papers.write_off,
        papers.opening_balance,
        amending.allocate,
        amending.release,
        amending.exchange,
        amending.void,
        amending.correct,
        periods.close_period,
        periods.reopen_period,
    ),
    CLIENTS: (
        writing.add_client,
        writing.log,
        promises.promise,
        promises.withdraw,
        writing.hand_over,
        writing.add_member,
    ),
}.items():
    for command in commands:
        app.command(command, group=group)

app.command(task)
app.command(import_, name="import", group=BEGIN)
app.command(demo, group=BEGIN)


@app.command(group=BEGIN)
def completion(shell: Literal["bash", "zsh", "fish"] = "bash", /) -> int:
    """Print what lets a shell complete the commands: eval "$(clientledger completion bash)".

    Args:
        shell: which shell.
    """
    print(app.generate_completion(prog_name="clientledger", shell=shell))
    return OK


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    words = _options_last(arguments)

    def call() -> int:
        code = app(words, console=Screen(), error_console=Screen(stderr=True))
        return code if isinstance(code, int) else OK

    return guarded(call)


def _options_last(arguments: Sequence[str]) -> list[str]:
    """Let common options stand before the command, too: move them behind it."""
    rest, leading = list(arguments), []
    while rest:
        if rest[0] == "--json" or rest[0].startswith(tuple(f"{name}=" for name in _EVERYWHERE)):
            leading.append(rest.pop(0))
        elif rest[0] in _EVERYWHERE:
            leading += rest[:2]
            del rest[:2]
        else:
            break
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *leading, *rest[end:]]
