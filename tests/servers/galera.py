"""A Galera cluster of our own: three nodes of MariaDB on loopback."""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.absent import Absent
from tests.servers.connect import connect_mariadb
from tests.servers.den import Den, account, free_port, make_room, own_den
from tests.servers.mariadb import PrivateMariadb, program
from tests.servers.server import wait_until

LIBRARIES = (
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib/galera-4/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
)
SYNCED = "Synced"
NOWHERE = "00000000-0000-0000-0000-000000000000:-1"
# Where a node of a cluster listens beside its SQL port.
DOORS = ("sql", "group", "ist", "sst")
Ports = Mapping[str, int]


def library() -> Path:
    """Find Galera's library, and see that its state transfer can work.

    Raises:
        Absent: something is missing.
    """
    program("rsync")
    for name in LIBRARIES:
        if Path(name).exists():
            return Path(name)
    raise Absent("this machine has no libgalera_smm.so")


class GaleraNode(PrivateMariadb):
    """One node of a cluster; it is up when it is in step with the others."""

    def __init__(self, den: Den, room: Path, n: int, ports: Sequence[Ports]) -> None:
        here = ports[n - 1]
        members = ",".join(f"127.0.0.1:{one['group']}" for one in ports)
        provider = {
            "base_host": "127.0.0.1",
            "base_port": str(here["group"]),
            "gmcast.listen_addr": f"tcp://127.0.0.1:{here['group']}",
            "ist.recv_addr": f"127.0.0.1:{here['ist']}",
            "gcache.size": "32M",
        }
        settings = {
            "binlog_format": "ROW",
            "default_storage_engine": "InnoDB",
            "innodb_autoinc_lock_mode": "2",
            "wsrep_on": "ON",
            "wsrep_provider": str(library()),
            "wsrep_provider_options": f'"{";".join(f"{k}={v}" for k, v in provider.items())}"',
            "wsrep_cluster_name": "clientledger",
            "wsrep_cluster_address": f"gcomm://{members}",
            "wsrep_node_address": f"127.0.0.1:{here['group']}",
            "wsrep_node_name": f"n{n}",
            "wsrep_sst_method": "rsync",
            "wsrep_sst_receive_address": f"127.0.0.1:{here['sst']}",
        }
        super().__init__(settings=settings, den=den, room=room, port=here["sql"])

    @property
    def state(self) -> str:
        """What the node says of itself, such as Synced or Initialized; empty while it is down."""
        return self.status("wsrep_local_state_comment")

    @property
    def synced(self) -> bool:
        """Tell if it is in step with the others, and takes statements."""
        return self.state == SYNCED and self.status("wsrep_ready") == "ON"

    def launch(self, *more: str) -> None:
        # As Debian's service does it: without its position a crashed node wants a whole copy.
        if not self.running and self.data.exists():
            more = (*more, f"--wsrep-start-position={self.position()}")
        super().launch(*more)

    def found(self, timeout: float = 60) -> None:
        """Start it as the first of the cluster."""
        note = self.data / "grastate.dat"
        if note.exists():  # it may not know that it was the last
            told = note.read_text()
            note.write_text(told.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        self.launch("--wsrep-new-cluster")
        self.wait_ready(timeout)

    def position(self) -> str:
        """How far a node that is down has come: the cluster, a colon, its last transaction."""
        try:
            told = self._den.run([*self._command(), "--wsrep-recover"], self.room, self._user)
        except RuntimeError:  # killed while it took over the data of another
            return NOWHERE
        found = re.search(r"Recovered position: (\S+:-?\d+)", told)
        return found[1] if found else NOWHERE

    def _ready(self) -> bool:
        return self.running and self.synced


class Galera:
    """Three nodes, numbered from 1; as a context manager it starts, and is removed at the end."""

    def __init__(
        self, *, den: Den | None = None, room: Path | None = None, ports: Sequence[Ports] = ()
    ) -> None:
        library()
        den, user = den or own_den(), account("mysql")
        self.room = room or den.room("galera", None)
        self.ports = list(ports) or [{name: free_port() for name in DOORS} for _ in range(3)]
        self.nodes: list[GaleraNode] = []
        for n in range(1, 4):
            at = self.room / f"n{n}"
            if not at.exists():
                make_room(at, user)
            self.nodes.append(GaleraNode(den, at, n, self.ports))

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

    def node(self, n: int) -> GaleraNode:
        """Give a node by its number, from 1."""
        return self.nodes[n - 1]

    def start(self, timeout: float = 60) -> None:
        """Start the cluster, one node after the other, until all are in step."""
        self.node(1).found(timeout)
        for n in (2, 3):
            self.node(n).start(timeout)

    def url(self, n: int, database: str = "test") -> str:
        """Give the URL of a database through one node."""
        return self.node(n).url(database)

    def urls(self, database: str = "test") -> tuple[str, str, str]:
        """Give the URLs of one database through each node."""
        return self.url(1, database), self.url(2, database), self.url(3, database)

    def kill(self, n: int) -> None:
        """Crash a node."""
        self.node(n).kill()

    def stop(self, n: int) -> None:
        """Stop a node in good order."""
        self.node(n).stop()

    def restart(self, n: int, timeout: float = 60) -> None:
        """Stop a node if it runs, start it, and wait until it is in step."""
        self.node(n).restart(timeout)

    def bootstrap(self, n: int, timeout: float = 60) -> None:
        """Let a node be the cluster: one that is left without a majority, or one that is down.

        Raises:
            TimeoutError: it still has a majority, or never gets in step.
        """
        node = self.node(n)
        if not node.running:
            node.found(timeout)
            return
        # The others may have died only now; a node notices after seconds.
        wait_until(
            lambda: node.status("wsrep_cluster_status").lower() == "non-primary",
            timeout,
            f"node {n} has lost the majority",
        )
        with closing(connect_mariadb(node.url(""), autocommit=True)) as link:
            link.cursor().execute("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
        self.wait_synced(n, timeout)

    def state(self, n: int) -> str:
        """What a node says of itself, such as Synced or Initialized; empty while it is down."""
        return self.node(n).state

    def size(self, n: int) -> int:
        """How many nodes one of them sees, itself included; 0 while it is down."""
        return int(self.node(n).status("wsrep_cluster_size") or 0)

    def wait_synced(self, n: int, timeout: float = 60) -> None:
        """Wait until a node is in step with the others, and takes statements."""
        wait_until(lambda: self.node(n).synced, timeout, f"node {n} is synced")

    def heal(self, timeout: float = 60) -> None:
        """Bring all three nodes back in step, whatever was done to them."""
        if not any(node.running for node in self.nodes):
            max(self.nodes, key=lambda node: int(node.position().rpartition(":")[2])).found(timeout)
        for node in self.nodes:
            node.launch()
        for n in range(1, 4):
            self.wait_synced(n, timeout)

    def close(self) -> None:
        """Remove the cluster, with its data."""
        for node in self.nodes:
            node.close()
        shutil.rmtree(self.room, ignore_errors=True)
