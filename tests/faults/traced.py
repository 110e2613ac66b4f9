"""A real process with a real book on SQLite, of which every call to its files is written down.

Several processes after each other have the same book; some end in order, others are killed. Beside
them a plain writer on `sqlite3` that may be told to sync too little: with it the harness must find
losses.
"""

import argparse
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import attrs
from tests.faults.disk_trace import Operation, operations
from tests.faults.shim import preloaded
from tests.faults.workload import Chooser, Command, fresh, perform_all, printed

__all__ = ["Phase", "Trace", "phases", "recorded"]

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Phase:
    """What processes do until the next ones follow.

    Attributes:
        writer: "book", or "raw-normal" or "raw-full": `sqlite3` with that mode of syncing.
        count: how many commands each gives.
        end: "close" or "kill".
        processes: how many at once.
    """

    writer: str
    count: int
    end: str
    processes: int = 1


def phases(writer: str, commands: int) -> list[Phase]:
    """Share so many commands out: to a process, to one that is killed, and to two at once."""
    quarter = commands // 4
    return [
        Phase(writer, commands - 3 * quarter, "close"),
        Phase(writer, quarter, "kill"),
        Phase(writer, quarter, "close", processes=2),
    ]


@attrs.frozen
class Trace:
    """What processes did, in order.

    Attributes:
        writer: who worked.
        operations: all calls.
        marks: how many operations there were when each process had ended, and the digest of each
            file that it left.
    """

    writer: str
    operations: Sequence[Operation]
    marks: Sequence[tuple[int, Mapping[str, bytes]]]


def recorded(library: Path, folder: Path, plan: Sequence[Phase], seed: int) -> Trace:
    """Let processes work one after the other, and read their trace.

    Args:
        library: the compiled shim.
        folder: an empty one.
    """
    watched, trace = folder / "book", folder / "trace"
    watched.mkdir()
    ends = []
    for number, phase in enumerate(plan):
        _run(library, watched, trace, phase, f"p{number}", seed + 10 * number)
        files = {path.name: digest(path.read_bytes()) for path in watched.iterdir()}
        ends.append((trace.stat().st_size, files))
    data = trace.read_bytes()
    trace.unlink()
    marks = [(sum(1 for _ in operations(data[:size])), files) for size, files in ends]
    return Trace(plan[0].writer, list(operations(data)), marks)


def digest(data: bytes) -> bytes:
    """What tells files apart."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _run(library: Path, watched: Path, trace: Path, phase: Phase, prefix: str, seed: int) -> None:
    running = []
    for one in range(phase.processes):
        told = [watched / "book.db", f"{prefix}{one}", phase.writer, phase.count, phase.end]
        command = [sys.executable, "-m", "tests.faults.traced", *map(str, [*told, seed + one])]
        environment = preloaded(library, watched, trace)
        running.append(
            subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        )
    wanted = 0 if phase.end == "close" else -signal.SIGKILL
    codes = [process.wait() for process in running]
    if codes != [wanted] * phase.processes:
        raise RuntimeError(f"the traced processes ended with {codes}")


# ------------------------------------------------------------ in the traced process
def _book(path: Path, prefix: str, count: int, seed: int) -> Callable[[], None]:
    from clientledger import open_book

    book = open_book(f"sqlite:///{path}", actor="olena")
    chooser = Chooser(book, Random(seed), prefix)
    perform_all(book, fresh(chooser, count), printed(sys.stdout.fileno()), chooser.note)
    return book.close


def _raw(path: Path, prefix: str, count: int, mode: str) -> Callable[[], None]:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA busy_timeout = 60000")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {mode}")
    db.execute("CREATE TABLE IF NOT EXISTS claims (claim_key TEXT PRIMARY KEY, filler TEXT)")
    say = printed(sys.stdout.fileno())
    for n in range(count):
        command = Command(f"{prefix}-{n}", "raw", {})
        say(f"? {command.dump()}")
        db.execute("INSERT INTO claims VALUES (?, ?)", (command.key, "x" * 6000))
        say(f"+ {command.key}")
    return db.close


def main() -> None:
    """Work, and end as told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("writer")
    parser.add_argument("count", type=int)
    parser.add_argument("end")
    parser.add_argument("seed", type=int)
    told = parser.parse_args()
    if told.writer == "book":
        close = _book(told.path, told.prefix, told.count, told.seed)
    else:
        close = _raw(told.path, told.prefix, told.count, told.writer.removeprefix("raw-"))
    if told.end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    close()


if __name__ == "__main__":
    main()
