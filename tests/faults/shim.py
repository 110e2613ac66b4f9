"""The shim: a small library in C that is loaded before all others, and sees every call to a file.

It is chosen over strace for both uses of it. It can make the n-th call fail inside one process, so
that a thousand faults take seconds; it needs a compiler and nothing that a container may forbid
(ptrace), nor a parser of what strace prints; and the bytes of the trace are those that were
written. What it could miss would show: the trace is replayed and must give the very files that the
process left (`power.py`), and a sync that it missed would count as one that never was, which loses
acknowledged commands. That direction errs on the side of too many losses, never of too few.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import attrs

__all__ = ["CALLS", "WANTING", "Shim", "compiled", "preloaded", "scratch"]

SOURCE = Path(__file__).with_name("shim.c")
CALLS = {"read": 1, "write": 2, "sync": 4, "truncate": 8, "open": 16, "unlink": 32}
"""The kinds of calls that can be made to fail; the numbers are those of `shim.c`."""

COMPILER = shutil.which("cc") or shutil.which("gcc")
WANTING = "" if sys.platform == "linux" and COMPILER else "needs Linux and a C compiler (gcc)"
"""What a test of this kind is skipped for."""


def compiled(folder: Path) -> Path:
    """Compile the shim into a folder; return the library."""
    library = folder / "faults.so"
    if COMPILER is None:
        raise OSError("no C compiler: install gcc")
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, "-o", library, SOURCE, "-ldl"], check=True)
    return library


def preloaded(
    library: Path, folder: Path | None = None, trace: Path | None = None
) -> dict[str, str]:
    """The environment of a process with the shim in it.

    Args:
        folder: whose files are watched; `Shim.watch` can say so later.
        trace: the file that is added to.
    """
    told = {"FAULTS_FOLDER": folder, "FAULTS_TRACE": trace}
    given = {name: str(path) for name, path in told.items() if path is not None}
    return {**os.environ, "LD_PRELOAD": str(library), **given}


def scratch() -> Path | None:
    """Where files are that no disk has to keep: in memory, where the system has that."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


@attrs.frozen
class Shim:
    """The shim in this process, which must have been started with `preloaded`."""

    _library: ctypes.CDLL = attrs.field(factory=lambda: ctypes.CDLL(None))

    def watch(self, folder: Path) -> None:
        """Watch the files of a folder from now on, and no others."""
        self._library.faults_watch(os.fsencode(folder))

    def arm(
        self,
        calls: int,
        nth: int,
        error: int,
        *,
        lasting: bool = False,
        halved: bool = False,
        only: str = "",
    ) -> None:
        """Let the n-th of some calls fail from now on.

        Args:
            calls: kinds of calls, added up.
            error: the number of the error; 0 lets a write be said to be done.
            lasting: whether all later ones fail too.
            halved: whether half of the write is done first.
            only: the name of the file that is meant; every file of the folder by default.
        """
        name = os.fsencode(only)
        self._library.faults_arm(calls, ctypes.c_long(nth), error, lasting, halved, name)

    def stop(self) -> None:
        """Let nothing fail any more; what was counted stays."""
        self._library.faults_stop()

    @property
    def seen(self) -> int:
        """How many such calls there were since it was armed."""
        return int(self._library.faults_seen())

    @property
    def fired(self) -> int:
        """How many of them failed."""
        return int(self._library.faults_fired())
