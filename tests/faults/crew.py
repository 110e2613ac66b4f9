"""A crew: processes that all do one function, each forked from a server that has it imported.

It reads a line for each order, and answers with a line. No book is open when it forks, so that a
worker inherits no connection. Who dies takes his crew along.
"""

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Crew", "let_go", "lines_of", "ready", "said"]

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds in which every worker must stand ready; no measure of speed."""


class Crew:
    """The server, as its client sees it. Workers that still live are killed at the end.

    Args:
        work: what a worker does, as "module:function"; what it is given is an order.
        url: a book that is opened once before, so that all is imported that it needs.
    """

    def __init__(self, work: str, url: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.crew", work, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
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

    def start(self, *order: Any) -> int:
        """Start a worker with an order of plain data; return its process id."""
        return int(self._ask("start", *order))

    def wait(self, worker: int) -> int:
        """Wait until a worker has ended; return how."""
        return int(self._ask("wait", worker))

    def wait_all(self, workers: Iterable[int]) -> list[str]:
        """Wait until all have ended; what went wrong."""
        codes = [self.wait(worker) for worker in workers]
        return [f"a worker ended with {code}" for code in codes if code]

    def kill(self, worker: int) -> int:
        """Kill a worker and wait for its death; return how it ended, which may be before."""
        return int(self._ask("kill", worker))

    def _ask(self, *order: Any) -> str:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return self._server.stdout.readline()


# ------------------------------------------------------------ all at once
def ready(folder: str) -> None:
    """In a worker: say that it is ready, and wait until all may begin."""
    gate = Path(folder)
    (gate / f"ready-{os.getpid()}").touch()
    while not (gate / "go").exists():
        time.sleep(0.001)


def let_go(folder: Path, count: int) -> None:
    """Wait until so many are ready, and let them begin.

    Raises:
        TimeoutError: some are not.
    """
    deadline = time.monotonic() + PATIENCE
    while (there := len(list(folder.glob("ready-*")))) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {there} of {count} workers are ready")
        time.sleep(0.002)
    (folder / "go").touch()


# ------------------------------------------------------------ what they tell
def said(file: str) -> Callable[[Any], None]:
    """How a worker tells a line of plain data at once, so that it outlives the worker."""
    number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(line: Any) -> None:
        os.write(number, f"{json.dumps(line)}\n".encode())

    return say


def lines_of(file: Path) -> list[Any]:
    """What a worker told; the last line may be cut short."""
    return [json.loads(line) for line in file.read_text().split("\n")[:-1]]


# ------------------------------------------------------------ in the server
def _with_parent() -> None:
    with suppress(AttributeError, OSError):  # Linux only
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _warm_up(url: str) -> None:
    from clientledger import open_book

    with open_book(url) as book:
        book.clients.find(limit=1)
    with open_book("memory:") as book:
        client = book.clients.add("Acme")
        book.ledger.record_sale(client, "2.00 EUR")
        book.ledger.record_payment(client, "1.00 EUR")


def _started(work: Callable[..., None], order: list[Any]) -> int:
    worker = os.fork()
    if worker:
        return worker
    code = 1
    try:
        _with_parent()
        os.close(0)
        work(*order)
        code = 0
    except BaseException:  # noqa: BLE001 - the worker must not go on as a server
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Fork, wait and kill as told, until nobody tells any more."""
    _with_parent()
    module, _, name = sys.argv[1].partition(":")
    work = getattr(importlib.import_module(module), name)
    _warm_up(sys.argv[2])
    living: set[int] = set()
    for line in sys.stdin:
        order, *told = json.loads(line)
        if order == "start":
            answer = _started(work, told)
            living.add(answer)
        else:
            living.discard(told[0])
            answer = _ended(told[0], kill=order == "kill")
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for worker in living:
        _ended(worker, kill=True)


def _ended(worker: int, *, kill: bool) -> int:
    if kill:
        os.kill(worker, signal.SIGKILL)  # it is our child, and a child waits until we ask for it
    _, status = os.waitpid(worker, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
