"""MariaDB of our own, to crash and restart."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.servers.absent import Absent
from tests.servers.connect import connect_mariadb
from tests.servers.den import Den, account, free_port, own_den
from tests.servers.fresh import make_on_mariadb, random_name
from tests.servers.server import Server

SETTINGS = {
    "bind-address": "127.0.0.1",
    "skip-name-resolve": "ON",
    "character-set-server": "utf8mb4",
    "innodb_flush_log_at_trx_commit": "1",
    "innodb_buffer_pool_size": "64M",
    "innodb_log_file_size": "16M",
}


def program(name: str) -> Path:
    """Find a program of the machine.

    Raises:
        Absent: there is none of this name.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        raise Absent(f"this machine has no {name}")
    return Path(found)


class PrivateMariadb(Server):
    """A MariaDB of our own on loopback, that writes every commit to the disk.

    `settings` go beside or instead of ours.
    """

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        den: Den | None = None,
        room: Path | None = None,
        port: int | None = None,
    ) -> None:
        user, self._program = account("mysql"), program("mariadbd")
        self._installer = program("mariadb-install-db")
        den = den or own_den()
        super().__init__(den, room or den.room("mariadb", user), user)
        self.host, self.port = "127.0.0.1", port or free_port()
        self._settings = {
            "datadir": str(self.data),
            "socket": str(self.room / "socket"),
            "pid-file": str(self.room / "mariadbd.pid"),
            "port": str(self.port),
            **SETTINGS,
            **(settings or {}),
        }

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.room / "data"

    def url(self, database: str = "test") -> str:
        """Give the URL of a database, whether it exists or not; `test` is there from the start."""
        return f"mariadb://root@{self.host}:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database, and give its URL; it goes with the server."""
        return make_on_mariadb(self.url(""), random_name())

    def status(self, name: str) -> str:
        """Read a figure of SHOW STATUS; empty where there is none, or no answer."""
        from pymysql import MySQLError

        try:
            link = connect_mariadb(self.url(""), autocommit=True, read_timeout=5)
            with closing(link), link.cursor() as cursor:
                cursor.execute("SHOW GLOBAL STATUS LIKE %s", (name,))
                row: tuple[Any, ...] | None = cursor.fetchone()
        except MySQLError:
            return ""
        return str(row[1]) if row else ""

    def _prepare(self) -> None:
        if self.data.exists():
            return
        options = ["--no-defaults", f"--datadir={self.data}", "--innodb-log-file-size=16M"]
        # Without --skip-test-db there is an open database `test` at once.
        self._den.run(
            [self._installer, *options, "--auth-root-authentication-method=normal"],
            self.room,
            self._user,
        )
        lines = [f"{name}={value}\n" for name, value in self._settings.items()]
        (self.room / "my.cnf").write_text("[mysqld]\n" + "".join(lines))

    def _command(self) -> Sequence[str | Path]:
        return [self._program, f"--defaults-file={self.room / 'my.cnf'}"]

    def _ready(self) -> bool:
        return self.running and self.status("Uptime") != ""
