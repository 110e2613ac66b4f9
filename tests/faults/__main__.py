"""All faults, one run after the other, with the counts that every change or every release gets.

    python -m tests.faults --tier 0
    python -m tests.faults --tier 1 --only kill --only power
    python -m tests.faults --tier 1 --list

Tier 0 is part of every check, tier 1 takes hours on two cores. Each run is a script of its own,
which can be run alone with other counts; what it prints is shown when it has ended.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import attrs
from tests.faults.places import database

ROOT = Path(__file__).parents[2]
TIERS = (0, 1)


@attrs.frozen
class Run:
    """One script on one database.

    Attributes:
        script: the module; those without a dot are in this folder.
        on: the database or cluster.
        always: arguments of every tier.
        counts: arguments of each tier; None where it has no such run.
    """

    script: str
    on: str
    always: str
    counts: tuple[str | None, str | None]

    @property
    def name(self) -> str:
        return f"{self.script.rpartition('.')[2]} {self.on}"

    def command(self, tier: int, url: str) -> list[str]:
        """The command of a tier, where it has one."""
        module = self.script if "." in self.script else f"tests.faults.{self.script}"
        told = f"{self.always} {self.counts[tier]}".replace("{url}", url)
        return [sys.executable, "-m", module, *shlex.split(told)]


_MONEY = "allocate/allocate limit/limit release/release payment/payment"


def _runs() -> Iterator[Run]:
    servers = ("postgresql", "mariadb")
    everywhere = ("sqlite", *servers, "galera")
    yield Run(
        "clientledger.testing", "memory", "--store memory", ("--steps 50000", "--steps 1000000")
    )
    yield Run("clientledger.testing", "sqlite", "--store sqlite", (None, "--steps 100000"))
    for on in servers:
        each = "--store '{url}?prefix=h{n}_'"
        yield Run("clientledger.testing", on, each, (None, "--steps 20000"))
    yield Run("kill", "sqlite", "--url sqlite --workers 2", ("--cycles 300", "--cycles 10000"))
    for on in servers:
        yield Run("kill", on, f"--url {on} --workers 2 --longest 0.3", (None, "--cycles 200"))
    yield Run("power", "sqlite", "--jobs 2", ("--points 2000 --commands 200", "--points 50000"))
    yield Run("disk", "sqlite", "", (None, "--rounds 60"))
    for on, count in (("postgresql", 300), ("mariadb", 200)):
        yield Run("crash", on, f"--server {on}", (None, f"--count {count}"))
    for on in servers:
        yield Run("replies", on, f"--server {on}", ("--count 200", "--count 1000"))
    yield Run("replies", "galera", "--server galera", (None, "--count 200"))
    for on, levels in (
        ("postgresql", "'read committed' 'repeatable read'"),
        ("mariadb", "'repeatable read'"),
    ):
        few = f"--pairs {_MONEY} --levels {levels} --preemptions 1"
        yield Run("interleave", on, f"--url {on}", (few, ""))
    yield Run("interleave", "sqlite", "--url sqlite", (None, ""))
    for on in everywhere:
        for clients in (3, 300):
            most = f"--commands 2000 --clients {clients}"
            yield Run("load", on, f"--url {on} --processes 8", (None, most))
    for on in everywhere:
        yield Run("linear", on, f"--url {on} --processes 4", (None, "--calls 500 --accounts 2"))
        yield Run("repeat", on, f"--url {on} --processes 4", (None, "--commands 500 --kills 50"))
        yield Run("reports", on, f"--url {on}", (None, "--reports 500"))
    yield Run("cluster", "galera", "", (None, "--count 5"))
    yield Run("matrix", "all", "", ("--smoke", ""))


RUNS = tuple(_runs())


def ran(run: Run, tier: int) -> tuple[Run, int, float, str]:
    """Run one script; how it ended, after how many seconds, and what it printed."""
    with database(run.on) if "{url}" in run.always else nullcontext("") as url:
        began = time.monotonic()
        done = subprocess.run(
            run.command(tier, url),
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return run, done.returncode, time.monotonic() - began, done.stdout


def main() -> int:
    """Run what is asked for; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--tier", type=int, choices=TIERS, default=0)
    parser.add_argument("--only", action="append", default=[], help='part of a name, "kill sqlite"')
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument("--list", action="store_true", help="say what would be run")
    told = parser.parse_args()
    wanted = [
        run
        for run in RUNS
        if run.counts[told.tier] is not None
        and (not told.only or any(part in run.name for part in told.only))
    ]
    if told.list:
        for run in wanted:
            print(shlex.join(run.command(told.tier, "{url}")[1:]))
        return 0
    failed = []
    with ThreadPoolExecutor(told.jobs) as threads:
        for run, code, seconds, text in threads.map(lambda run: ran(run, told.tier), wanted):
            print(f"== {run.name}: {'ok' if not code else 'FAILED'}, {seconds:.0f} s\n{text}")
            sys.stdout.flush()
            failed += [run.name] if code else []
    print(f"{len(wanted)} runs, {len(failed)} failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
