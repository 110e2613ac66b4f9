"""One Galera cluster for a whole run of tests, whichever process asks first."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.den import Den
from tests.servers.galera import Galera, library
from tests.servers.warden import DOOR


@contextmanager
def lock(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock of all processes that name this file; several may hold it when shared."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def shared_galera(folder: Path, owner: int) -> Galera:
    """Give the cluster that a folder knows, started by whoever comes first.

    It lasts as long as the process `owner`, whose warden removes it.

    Raises:
        Absent: this machine cannot run it.
    """
    library()
    note = folder / "galera.json"
    with lock(folder / "galera.lock"):
        if note.exists():
            told = json.loads(note.read_text())
            room = Path(told["room"])
            if (room.parent / DOOR).exists():
                return Galera(den=Den(room.parent), room=room, ports=told["ports"])
        den = Den.new(owner)
        galera = Galera(den=den)
        try:
            galera.start()
        except BaseException:
            den.close()
            raise
        note.write_text(json.dumps({"room": str(galera.room), "ports": galera.ports}))
        return galera
