"""A server that forks workers: they are at work at once, since it has done such work before.

It reads a line for each order, and answers with a line. It closes every book before it forks, so
that a worker inherits no connection.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from tests.faults.workload import Chooser, Command, fresh, perform_all, printed

__all__ = ["Forks"]

ROOT = Path(__file__).parents[2]


class Forks:
    """The server, as its client sees it. Workers that still live are killed at the end."""

    def __init__(self, url: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks", url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Forks":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def start(
        self, prefix: str, seed: int, told: Path, again: list[Command], *, too_soon: bool = False
    ) -> int:
        """Start a worker; return its process id.

        Args:
            told: the file that it tells its commands to.
            again: commands that it gives again before its own.
            too_soon: whether it tells before it has done.
        """
        lines = [command.dump() for command in again]
        return int(self._ask("start", prefix, seed, str(told), lines, too_soon))

    def kill(self, worker: int) -> int:
        """Kill a worker and wait for its death; return how it ended, which may be before."""
        return int(self._ask("kill", worker))

    def _ask(self, *order: Any) -> str:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return self._server.stdout.readline()


# ------------------------------------------------------------ in the server
def _warm_up(url: str) -> None:
    """Let everything be imported and compiled that a worker will need."""
    from clientledger import open_book

    with open_book(url) as book:
        Chooser(book, Random(0), "none")
    with open_book("memory:") as book:
        chooser = Chooser(book, Random(0), "warm")
        perform_all(book, fresh(chooser, 100), lambda line: None, chooser.note)


def _work(url: str, prefix: str, seed: int, told: str, again: list[str], too_soon: bool) -> None:
    from clientledger import open_book

    say = printed(os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    with open_book(url, actor="olena") as book:
        perform_all(book, map(Command.load, again), say)
        chooser = Chooser(book, Random(seed), prefix)
        perform_all(book, fresh(chooser, None), say, chooser.note, too_soon=too_soon)


def _started(url: str, *told: Any) -> int:
    worker = os.fork()
    if worker:
        return worker
    try:
        os.close(0)
        _work(url, *told)
    except BaseException:  # noqa: BLE001 - the worker must not go on as a server
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(1)


def main() -> None:
    """Fork and kill as told, until nobody tells any more."""
    _warm_up(sys.argv[1])
    living: set[int] = set()
    for line in sys.stdin:
        order, *told = json.loads(line)
        if order == "start":
            worker = _started(sys.argv[1], *told)
            living.add(worker)
            answer = worker
        else:
            answer = _killed(told[0])
            living.discard(told[0])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for worker in living:
        _killed(worker)


def _killed(worker: int) -> int:
    os.kill(worker, signal.SIGKILL)  # it is our child, and a child waits until we ask for it
    _, status = os.waitpid(worker, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
