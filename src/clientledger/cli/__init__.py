"""The command line: a book read and written from a shell."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the words after the name of the program; those it was called with by default.
    """
    if find_spec("cyclopts") is None or find_spec("rich") is None:
        print(
            "clientledger: the command line is an extra: pip install 'clientledger[cli]'",
            file=sys.stderr,
        )
        return 5
    try:
        from clientledger.cli.app import run  # needs what has just been looked for
    except KeyboardInterrupt:
        print("clientledger: interrupted", file=sys.stderr)
        return 130
    return run(sys.argv[1:] if arguments is None else arguments)
