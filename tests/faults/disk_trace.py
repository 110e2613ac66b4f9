"""A disk that forgets: what a traced process did to its files, and what of it a power loss leaves.

A file is what was synced, and the writes since. A name lasts once its folder was synced. At a power
loss each of the rest may be there, wholly or in part, in any order; only what was synced must be.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from random import Random

import attrs

__all__ = ["SECTOR", "WAYS", "Disk", "Operation", "operations"]

SECTOR = 512
_RECORD = struct.Struct("<iiiiQQ")
_WITH_DATA = "WRA"
WAYS = ("nothing", "everything", "prefix", "some", "torn")
"""What is left of what was not synced: nothing, all of it, its first part, some of the writes, or
some of the sectors of each."""


@attrs.frozen
class Operation:
    """One call that succeeded.

    Attributes:
        kind: O open, C close, W write, T truncate, S sync, U unlink, R rename, A acknowledgement.
        process: who called.
        file: the descriptor.
        name: of the file in its folder; "." is the folder.
        offset: of a write; of an open, its flags.
        length: of a write, or what a file was cut to.
        data: what was written; of a rename, the new name.
    """

    kind: str
    process: int
    file: int
    name: str
    offset: int
    length: int
    data: bytes


def operations(trace: bytes) -> Iterator[Operation]:
    """Read a trace."""
    at = 0
    while at < len(trace):
        kind, process, file, name, offset, length = _RECORD.unpack_from(trace, at)
        at += _RECORD.size
        named = trace[at : at + name].decode()
        at += name
        data = trace[at : at + length] if chr(kind) in _WITH_DATA else b""
        at += len(data)
        yield Operation(chr(kind), process, file, named, offset, length, data)


@attrs.define
class _File:
    """A file: what of it was synced, and what was done since: (offset, data), or (length, None)."""

    synced: bytearray = attrs.field(factory=bytearray)
    since: list[tuple[int, bytes | None]] = attrs.field(factory=list)

    def sync(self) -> None:
        for at, data in self.since:
            if data is None:
                del self.synced[at:]
                self.synced.extend(bytes(at - len(self.synced)))
            else:
                self.synced.extend(bytes(max(0, at - len(self.synced))))
                self.synced[at : at + len(data)] = data
        self.since.clear()


class Disk:
    """The files of one folder, as a machine that loses its power has them.

    Args:
        deaf: ends of names of files whose syncs are not heard: a planted fault.
    """

    def __init__(self, *, deaf: tuple[str, ...] = ()) -> None:
        self._deaf = deaf
        self._names: dict[str, _File] = {}
        self._synced: dict[str, _File] = {}
        self._renamed: list[tuple[str, _File | None]] = []
        self._open: dict[tuple[int, int], _File | None] = {}

    def do(self, one: Operation) -> None:
        """Do what a process did."""
        if one.kind == "S" and one.name.endswith(self._deaf):
            return
        match one.kind:
            case "O":
                self._open[one.process, one.file] = self._opened(one)
            case "C":
                self._open.pop((one.process, one.file), None)
            case "W":
                self._of(one).since.append((one.offset, one.data))
            case "T":
                self._of(one).since.append((one.length, None))
            case "S" if one.name == ".":
                self._synced = dict(self._names)
                self._renamed.clear()
            case "S":
                self._of(one).sync()
            case "U":
                del self._names[one.name]
                self._renamed.append((one.name, None))
            case "R":
                self._name(one.data.decode(), self._names.pop(one.name))
                self._renamed.append((one.name, None))

    def now(self) -> dict[str, bytes]:
        """What the running machine sees in its files."""
        return {name: bytes(_whole(file)) for name, file in self._names.items()}

    def lose_power(self, chance: Random, folder: Path) -> str:
        """Write into an empty folder what a power loss leaves now; return in which way."""
        way = chance.choice(WAYS)
        for name, file in self._left(way, chance).items():
            if name.endswith("-shm"):
                continue  # it is mapped into memory: nobody knows what of it there is
            _write(folder / name, file, way, chance)
        if chance.random() < 0.5:
            (folder / "book.db-shm").write_bytes(chance.randbytes(chance.choice([0, 100, 32768])))
        return way

    def _opened(self, one: Operation) -> _File | None:
        if one.name == ".":
            return None
        if one.name not in self._names:
            self._name(one.name, _File())
        return self._names[one.name]

    def _name(self, name: str, file: _File) -> None:
        self._names[name] = file
        self._renamed.append((name, file))

    def _of(self, one: Operation) -> _File:
        file = self._open[one.process, one.file]
        assert file is not None, one
        return file

    def _left(self, way: str, chance: Random) -> dict[str, _File]:
        if way == "everything":
            return self._names
        left = dict(self._synced)
        if way != "nothing":
            for name, file in self._renamed:
                if chance.random() < 0.5 and file is not None:
                    left[name] = file
                elif chance.random() < 0.5:
                    left.pop(name, None)
        return left


def _whole(file: _File) -> bytearray:
    copy = _File(bytearray(file.synced), list(file.since))
    copy.sync()
    return copy.synced


def _write(path: Path, file: _File, way: str, chance: Random) -> None:
    """Write what was synced, and what the way leaves of the rest."""
    with path.open("wb", buffering=0) as out:
        out.write(file.synced)
        if way == "nothing" or not file.since:
            return
        end = max(at + len(data or b"") for at, data in file.since)
        if end > len(file.synced) and way in ("some", "torn") and chance.random() < 0.5:
            # the file has grown, and nobody knows what is in the new part
            grown = end - len(file.synced)
            out.write(chance.randbytes(grown) if chance.random() < 0.5 else bytes(grown))
        for at, data in _kept(file.since, way, chance):
            if data is None:
                os.ftruncate(out.fileno(), at)
            else:
                os.pwrite(out.fileno(), data, at)


def _kept(
    since: list[tuple[int, bytes | None]], way: str, chance: Random
) -> Iterator[tuple[int, bytes | None]]:
    if way == "everything":
        yield from since
        return
    if way == "prefix":
        yield from since[: chance.randrange(len(since) + 1)]
        return
    likely = chance.choice([0.1, 0.5, 0.9])
    for at, data in since:
        if data is None or way == "some":
            if chance.random() < likely:
                yield at, data
            continue
        first = at // SECTOR * SECTOR
        for sector in range(first, at + len(data), SECTOR):
            if chance.random() < likely:
                begin, end = max(sector, at), min(sector + SECTOR, at + len(data))
                yield begin, data[begin - at : end - at]
