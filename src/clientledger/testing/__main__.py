"""Long random ledgers by hand: ``python -m clientledger.testing --steps 100000 --seed 7``.

Prints what was done and how fast; ends with 1, and the shortest history found, when something was
wrong.
"""

import argparse
import itertools
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from clientledger import memory
from clientledger.memory import MemoryStore
from clientledger.plugins import Plugins
from clientledger.ports import Store
from clientledger.testing.ledger_histories import LedgerHistory
from clientledger.testing.tally import Tally

__all__ = ["main"]

_AT_ONCE = 50


def main(given: list[str] | None = None) -> int:
    """Run histories until there were as many steps as asked for; 1 if something was wrong."""
    asked = _asked(given)
    tally, began = Tally(), time.monotonic()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        machine = type(
            "Ledgers",
            (LedgerHistory,),
            {
                "make_store": staticmethod(_fresh(asked.store, Path(folder))),
                "keeps_rows": asked.store != "memory",
                "tally": tally,
            },
        )
        for round_ in itertools.count():
            failed = _fails(seed(asked.seed + round_)(machine), asked.length)
            _say(f"{tally.steps} steps, {_speed(tally, began)}")
            if failed or tally.steps >= asked.steps:
                break
    _say(f"\nstore {asked.store}, seed {asked.seed}, {_speed(tally, began)}\n{tally}")
    _say(f"mismatches: {int(failed)}")
    return int(failed)


def _asked(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clientledger.testing", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000, help="how many, at least")
    parser.add_argument("--length", type=int, default=50, help="most steps of one history")
    parser.add_argument(
        "--store",
        default="memory",
        help='"memory", "sqlite" (in a folder that is removed), or a URL with {n} in it, '
        "the number of the history",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args(given)
    if asked.store not in ("memory", "sqlite") and "{n}" not in asked.store:
        parser.error("each history needs a store of its own: put {n} into the URL")
    return asked


def _fresh(store: str, folder: Path) -> Callable[[], Store]:
    """How a new store is made for each history."""
    if store == "memory":
        return MemoryStore
    numbers = itertools.count(1)
    plugins = Plugins((memory,))

    def open_next() -> Store:
        n = next(numbers)
        if store != "sqlite":
            return plugins.open_store(store.replace("{n}", str(n)))
        for former in folder.iterdir():
            former.unlink()
        return plugins.open_store(f"sqlite:///{(folder / f'{n}.db').as_posix()}")

    return open_next


def _fails(machine: type[LedgerHistory], length: int) -> bool:
    """Whether some histories fail; the shortest that does is shown."""
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=_AT_ONCE,
                stateful_step_count=length,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
        _say(traceback.format_exc())
        return True
    return False


def _speed(tally: Tally, began: float) -> str:
    seconds = time.monotonic() - began
    return f"{seconds:.1f} s, {tally.steps / seconds:.0f} steps/s"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
