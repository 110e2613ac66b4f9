"""What all servers of our own have in common: they start, stop, are killed, and start again."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.den import Den
from tests.servers.warden import members, slay, sweep


def wait_until(holds: Callable[[], bool], timeout: float, what: str) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it did not in time.
    """
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(0.01)


class Server(ABC):
    """A server in a room of a den, in the hands of a test.

    As a context manager it starts, and is removed with its data at the end. All processes of the
    room are its own. Another process that knows the room may stop and start it too.
    """

    def __init__(self, den: Den, room: Path, user: str | None) -> None:
        self._den = den
        self.room = room
        self._user = user

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """Give the command that becomes the server."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make its data, where it has none yet."""

    @abstractmethod
    def _ready(self) -> bool:
        """Tell if it takes connections."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The number of its main process; none while it is down."""
        note = self.room / "pid"
        pid = int(note.read_text()) if note.exists() else None
        return pid if pid in members(self.room) else None

    @property
    def running(self) -> bool:
        """Tell if its main process is there."""
        return self.pid is not None

    def start(self, timeout: float = 60) -> None:
        """Start it, and wait until it takes connections; nothing happens where it runs.

        Raises:
            RuntimeError: it ended at once; with the end of its log.
            TimeoutError: it does not come up.
        """
        self.launch()
        self.wait_ready(timeout)

    def launch(self, *more: str) -> None:
        """Start it, and do not wait; its command may be told more."""
        if self.running:
            return
        self._prepare()
        # What a killed server leaves running must not meet its successor.
        slay(self.room)
        pid = self._den.start([*self._command(), *more], self.room, self._user, self.room / "log")
        (self.room / "pid").write_text(str(pid))

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until it takes connections."""
        wait_until(self._is_ready, timeout, f"{self.room.name} takes connections")

    def _is_ready(self) -> bool:
        if self._ready():
            return True
        if not self.running:
            raise RuntimeError(f"{self.room.name} ended: {self.log()[-2000:]}")
        return False

    def kill(self) -> None:
        """Crash it: SIGKILL to every process of it, and wait until they are dead."""
        slay(self.room)

    def restart(self, timeout: float = 60) -> None:
        """Stop it if it runs, and start it."""
        self.stop()
        self.start(timeout)

    def stop(self) -> None:
        """Stop it in good order; nothing happens where it is down."""
        self._signal(signal.SIGTERM)

    def close(self) -> None:
        """Remove it, with its data."""
        sweep(self.room)

    def log(self) -> str:
        """Read what it wrote."""
        return (self.room / "log").read_text(errors="replace")

    def _signal(self, number: int, timeout: float = 60) -> None:
        """Ask it to end, and wait until it has."""
        if (pid := self.pid) is not None:
            os.kill(pid, number)
            wait_until(lambda: not members(self.room), timeout, f"{self.room.name} ends")
