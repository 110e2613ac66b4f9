"""A fair queue among the writers of a file.

SQLite lets whoever comes at the right moment write, and others sleep for longer and longer: of two
busy writers one gets nearly every turn. Here each waits at a turnstile that the next writer holds
only until the database is his, so that the one who has just written stands behind those who wait.
"""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from clientledger import Busy

try:
    import fcntl
except ImportError:  # where there is none, SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]

__all__ = ["Queue"]


class Queue:
    """The turnstile of one file: a lock on an empty file beside it.

    Args:
        path: of the file.
        wait: seconds to wait.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path.with_name(f"{path.name}-queue")
        self._wait = wait

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turnstile, where there can be one.

        Raises:
            Busy: others held it for longer than we wait.
        """
        with ExitStack() as held:
            if fcntl is not None:
                with suppress(OSError):  # a full disk is told by the database itself
                    file = held.enter_context(self._path.open("ab"))  # closing it lets go
                    self._hold(file)
            yield

    def _hold(self, file: BinaryIO) -> None:
        deadline = time.monotonic() + self._wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy(
                        "other writers have held the book for too long",
                        remedy="end the other unit of work first, or try again",
                    ) from None
                time.sleep(random.uniform(0.0002, 0.001))
            else:
                return
