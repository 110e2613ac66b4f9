"""Start a server by hand: `python -m tests.servers galera|postgres|mariadb|replica`."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from tests.servers.absent import Absent
from tests.servers.galera import Galera
from tests.servers.mariadb import PrivateMariadb
from tests.servers.postgres import PrivatePostgres

Urls = Mapping[str, str]


@contextmanager
def postgres() -> Iterator[Urls]:
    with PrivatePostgres() as server:
        yield {"postgres": server.database()}


@contextmanager
def replica() -> Iterator[Urls]:
    with PrivatePostgres() as server, closing(server.replica()) as follower:
        url = server.database()
        yield {"primary": url, "replica": follower.url(url.rpartition("/")[2])}


@contextmanager
def mariadb() -> Iterator[Urls]:
    with PrivateMariadb() as server:
        yield {"mariadb": server.database()}


@contextmanager
def galera() -> Iterator[Urls]:
    with Galera() as cluster:
        name = cluster.node(1).database().rpartition("/")[2]
        yield {f"node {n}": url for n, url in enumerate(cluster.urls(name), 1)}


KINDS: Mapping[str, Callable[[], AbstractContextManager[Urls]]] = {
    "galera": galera,
    "mariadb": mariadb,
    "postgres": postgres,
    "replica": replica,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers",
        description="Start a server, with an empty database, and keep it until Ctrl-C.",
    )
    parser.add_argument("kind", choices=sorted(KINDS))
    kind = parser.parse_args().kind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with KINDS[kind]() as urls:
            for name, url in urls.items():
                print(f"{name}: {url}", flush=True)
            print("Ctrl-C ends it, and removes its data.", flush=True)
            signal.pause()
    except Absent as absent:
        print(f"error: {absent}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
