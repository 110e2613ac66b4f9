"""Folders for servers under /tmp, each with a warden who ends the servers with it."""

import atexit
import functools
import itertools
import json
import os
import pwd
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers import warden
from tests.servers.absent import Absent

# Below the ports that the system hands out by itself, so that none is taken while a server is down.
PORTS = range(20000, 32000)


def free_port() -> int:
    """Choose a port of loopback on which nobody listens."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def account(name: str) -> str | None:
    """Name the system user for a server: none where we are not root, for then it is ourselves.

    Raises:
        Absent: we are root, servers refuse to run as root, and the machine has no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        raise Absent(f"this machine has no user {name} to run a server") from None


def make_room(room: Path, user: str | None) -> Path:
    """Make a folder that a user owns and everybody may enter."""
    room.mkdir()
    room.chmod(0o755)
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(room, entry.pw_uid, entry.pw_gid)
    return room


class Den:
    """A folder that the users of servers may enter, and the way to its warden."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    @classmethod
    def new(cls, owner: int | None = None) -> "Den":
        """Make a den that lasts as long as a process: this one, unless another is told."""
        if not hasattr(os, "pidfd_open"):
            raise Absent("servers of our own need Linux")
        us = os.getpid()
        folder = Path(tempfile.mkdtemp(prefix="clientledger-", dir="/tmp"))
        folder.chmod(0o755)
        subprocess.run(
            [sys.executable, "-I", "-S", warden.__file__, str(folder), str(owner or us)],
            check=True,
            stdin=subprocess.DEVNULL,
            cwd="/",
        )
        den = cls(folder)
        if owner in (None, us):
            # A forked child has the same list of things to do at its end, and must not do this.
            atexit.register(lambda: den.close() if os.getpid() == us else None)
        return den

    def room(self, name: str, user: str | None) -> Path:
        """Make a folder for one server, which its user owns."""
        return make_room(self.folder / f"{name}-{os.getpid()}-{next(self._numbers)}", user)

    def run(self, command: Sequence[str | Path], room: Path, user: str | None) -> str:
        """Run a command to its end, and give what it said.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        done = subprocess.run(
            [str(part) for part in command],
            cwd=room,
            env=_environment(room),
            user=user,
            group=_group(user),
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")
        return done.stdout

    def start(self, command: Sequence[str | Path], room: Path, user: str | None, log: Path) -> int:
        """Have the warden start a server that stays, and give its number.

        Raises:
            RuntimeError: it cannot be started.
        """
        reply = self._ask(
            do="start",
            command=[str(part) for part in command],
            cwd=str(room),
            env=_environment(room),
            user=user,
            group=_group(user),
            log=str(log),
        )
        if "pid" not in reply:
            raise RuntimeError(f"{command[0]} cannot be started: {reply.get('error')}")
        return int(reply["pid"])

    def close(self) -> None:
        """Kill all servers of the den, and remove it; a second time does nothing."""
        if self.folder.exists():
            try:
                self._ask(do="end")
            except (OSError, ValueError):  # the warden is gone
                warden.sweep(self.folder)

    def _ask(self, **request: object) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(self.folder / warden.DOOR))
            with caller.makefile("rw") as talk:
                talk.write(json.dumps(request) + "\n")
                talk.flush()
                reply: dict[str, Any] = json.loads(talk.readline())
        return reply


def own_den() -> Den:
    """Give the den of this process, made when first asked for."""
    return _den_of(os.getpid())


@functools.cache
def _den_of(process: int) -> Den:
    return Den.new(process)


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _environment(room: Path) -> dict[str, str]:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(room), "TMPDIR": str(room)}
