"""Time the first steps of a book: `python -m benchmarks [clients]`."""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

from clientledger import open_book


def add_clients(url: str, count: int) -> float:
    with open_book(url, actor="bench") as book:
        start = perf_counter()
        for number in range(count):
            book.clients.add(f"Client {number}")
        return count / (perf_counter() - start)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        for url in ("memory:", f"sqlite:///{Path(folder, 'bench.db')}"):
            scheme = url.partition(":")[0]
            print(f"{scheme:>8}: {add_clients(url, count):10,.0f} clients added a second")


if __name__ == "__main__":
    main()
