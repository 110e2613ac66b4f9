"""The warden: starts servers for a process, and ends them all once that process is gone.

A program of its own, so that nothing is left over however a test run ends. It belongs to a folder,
takes requests through the socket `door` in it, and knows its servers by where they work: each has
its working directory in the folder. `den.py` runs it as `warden.py FOLDER OWNER`, and nothing but
the standard library is imported here.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DOOR = "door"
# From linux/prctl.h and sys/ipc.h.
PR_SET_PDEATHSIG = 1
IPC_RMID = 0


def members(folder: Path) -> list[int]:
    """Find the servers that work in a folder; those that have ended are none."""
    prefix = f"{folder}/"
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                inside = f"{os.readlink(f'/proc/{name}/cwd')}/".startswith(prefix)
                if inside and not _has_terminal(name):
                    found.append(int(name))
    return found


def _has_terminal(process: str) -> bool:
    """Tell a person's shell, that only looks at the folder, from our servers."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[4] != "0"


def slay(folder: Path) -> None:
    """Kill what works in a folder, and come back when it is dead."""
    while found := members(folder):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def sweep(folder: Path) -> None:
    """Kill what works in a folder, and remove it with all that is in it."""
    slay(folder)
    for note in folder.glob("**/postmaster.pid"):
        _free_shared_memory(note)
    shutil.rmtree(folder, ignore_errors=True)


def _free_shared_memory(note: Path) -> None:
    """Free what a killed PostgreSQL could not: its seventh line says 'key id'."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        segment = int(note.read_text().splitlines()[6].split()[1])
        ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)


class _End(Exception):
    """The warden is to end."""


def _die_with_the_warden() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(request: dict[str, Any]) -> int:
    """Start a server, and tell its number."""
    with open(request["log"], "ab") as log:
        return subprocess.Popen(
            request["command"],
            cwd=request["cwd"],
            env=request["env"],
            user=request["user"],
            group=request["group"],
            extra_groups=[] if request["user"] is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Safe: the warden has one thread.
            preexec_fn=_die_with_the_warden,  # noqa: PLW1509
        ).pid


def _answer(caller: socket.socket, folder: Path) -> None:
    with caller, caller.makefile("rw") as talk:
        request = json.loads(talk.readline())
        if request["do"] == "end":
            sweep(folder)
            talk.write("{}\n")
            raise _End
        try:
            reply: dict[str, Any] = {"pid": _start(request)}
        except (OSError, subprocess.SubprocessError) as error:
            reply = {"error": str(error)}
        talk.write(json.dumps(reply) + "\n")


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _end(*_: object) -> None:
    raise _End


def _watch(door: socket.socket, folder: Path, owner: int) -> None:
    """Serve until the owner is gone."""
    gone = os.pidfd_open(owner)
    waited: list[Any] = [door, gone]
    while gone not in (ready := select.select(waited, [], [])[0]):
        if door in ready:
            # Whoever hangs up in the middle of a request loses only that.
            with contextlib.suppress(OSError, ValueError):
                _answer(door.accept()[0], folder)


def _detach() -> None:
    """Leave the terminal and the session of whoever started us."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def main() -> None:
    """Watch over a folder until its owner is gone, or somebody asks for the end."""
    folder, owner = Path(sys.argv[1]), int(sys.argv[2])
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / DOOR))
        door.listen()
        _detach()
        signal.signal(signal.SIGCHLD, _reap)
        signal.signal(signal.SIGTERM, _end)
        with contextlib.suppress(_End, ProcessLookupError):
            _watch(door, folder, owner)
    sweep(folder)


if __name__ == "__main__":
    main()
