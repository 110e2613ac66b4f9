"""A disk that fails or is full: an error of ours or success, and nothing is lost or there in part.

    python -m tests.faults.disk --seed 1 --rounds 100

Calls fail one by one, by a library that is loaded before all others (`failing.py`), and disks are
filled (`full.py`), each in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from tests.faults.failing import FAULTS, STARTS, Failing, Fault, Found
from tests.faults.full import full
from tests.faults.shim import compiled, preloaded, scratch

__all__ = ["failed", "filled", "ways"]

ROOT = Path(__file__).parents[2]
SMALL = "16m"
_MOUNTED = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'


def failed(
    faults: Sequence[Fault], how: Sequence[str], seed: int, stride: int = 1, least: int = 100
) -> Found:
    """Let calls fail, in a process of its own.

    Args:
        how: "going on", or "closed", "killed", "new" for from opening to closing.
        stride: only every so many calls.
        least: how many calls are to fail of each fault in going on, if there are any.
    """
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        library = compiled(Path(name))
        place = Path(name) / "books"
        place.mkdir()
        told = ["failing", str(place), str(seed), str(stride), str(least), "|".join(how)]
        return _in_process([*told, "|".join(map(str, faults))], preloaded(library))


def filled(way: str, rounds: int, seed: int) -> Found:
    """Fill a disk, in a process of its own.

    Args:
        way: one of `ways()`.
    """
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        told = ["full", name, str(seed), way, str(rounds)]
        return _in_process(told, dict(os.environ), _mounting(name) if way == "tmpfs" else [])


@cache
def ways() -> tuple[str, ...]:
    """How a disk can be full here: by a limit, and on a file system of its own if we may mount."""
    with tempfile.TemporaryDirectory() as name:
        try:
            done = subprocess.run([*_mounting(name), "true"], capture_output=True, check=False)
        except OSError:
            return ("limit",)
    return ("limit", "tmpfs") if done.returncode == 0 else ("limit",)


def _mounting(folder: str) -> list[str]:
    """What runs a command with a small file system in a folder, which goes when it ends."""
    alone = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    return [*alone, "sh", "-c", _MOUNTED, SMALL, folder]


def _in_process(told: list[str], environment: dict[str, str], before: Sequence[str] = ()) -> Found:
    command = [*before, sys.executable, "-m", "tests.faults.disk", "--inside", *told]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    counts, problems = json.loads(done.stdout.splitlines()[-1])
    return Found(Counter(counts), problems)


def _inside(kind: str, place: str, seed: str, *told: str) -> Found:
    """What the process does."""
    if kind == "full":
        way, rounds = told
        return full(Path(place), way, int(rounds), int(seed))
    stride, least, how, faults = told
    failing = Failing(Path(place), int(seed))
    for fault in map(Fault.read, faults.split("|")):
        for one in how.split("|"):
            if one in STARTS:
                failing.whole(one, fault, stride=int(stride))
            else:
                failing.going_on(fault, stride=int(stride), least=int(least))
    return failing.found


def main() -> int:
    """Let the disk fail and be full; 1 if something was lost."""
    if sys.argv[1:2] == ["--inside"]:
        found = _inside(*sys.argv[2:])
        print(json.dumps([found.counts, found.problems]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.faults.disk", description=__doc__)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--least", type=int, default=100, help="calls that fail of each fault")
    parser.add_argument("--rounds", type=int, default=50, help="how often each disk is filled")
    parser.add_argument("--fault", action="append", help='such as "write EIO once"; all of them')
    parser.add_argument("--how", action="append", help="going on, closed, killed, new")
    told = parser.parse_args()
    faults = tuple(map(Fault.read, told.fault)) if told.fault else FAULTS
    how = tuple(told.how or ("going on", *STARTS))
    problems: list[str] = []
    print(f"seed {told.seed}")
    for one in how:
        began = time.monotonic()
        found = failed(faults, (one,), told.seed, told.stride, told.least)
        problems += _shown(f"calls that fail, {one}", found, began)
    for way in ways() if told.rounds else ():
        began = time.monotonic()
        problems += _shown(f"full by {way}", filled(way, told.rounds, told.seed), began)
    return int(bool(problems))


def _shown(title: str, found: Found, began: float) -> list[str]:
    print(f"\n{title}: {time.monotonic() - began:.0f} s")
    for name, count in sorted(found.counts.items()):
        print(f"  {name}: {count}")
    for problem in found.problems[:30]:
        print(f"  PROBLEM {problem}")
    if len(found.problems) > 30:
        print(f"  and {len(found.problems) - 30} more problems")
    return found.problems


if __name__ == "__main__":
    sys.exit(main())
