"""The protocols of PostgreSQL and MariaDB, as far as it takes to find statements and answers.

Simple and extended queries of PostgreSQL, COM_QUERY of MariaDB; no TLS, which PostgreSQL's clients
are told.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import attrs

Protocol = Literal["postgresql", "mariadb"]


@attrs.frozen
class Request:
    """A message of a client: what it executes, and whether the server is going to answer it."""

    raw: bytes = b""
    statement: str | None = None
    asks: bool = False
    # What the proxy itself answers.
    answer: bytes = b""


@attrs.frozen
class Reply:
    """A message of a server, and whether it may end the answer to a request."""

    raw: bytes
    ends: bool


class Wire(ABC):
    """The messages of one conversation, taken off the front of what has arrived."""

    @abstractmethod
    def request(self, arrived: bytearray) -> Request | None:
        """Take the next message of the client, once it is whole."""

    @abstractmethod
    def reply(self, arrived: bytearray) -> Reply | None:
        """Take the next message of the server, once it is whole."""


def _take(arrived: bytearray, length: int) -> bytes | None:
    if len(arrived) < length:
        return None
    taken = bytes(arrived[:length])
    del arrived[:length]
    return taken


class _Postgresql(Wire):
    """A byte that says what it is, and four for the length; the very first has no such byte.

    An answer ends with ReadyForQuery: one for the start, for each simple query and each Sync.
    """

    NO_ENCRYPTION = b"N"
    ENCRYPTION = frozenset({80877103, 80877104})  # SSLRequest, GSSENCRequest

    def __init__(self) -> None:
        self._started = False
        self._prepared: dict[bytes, bytes] = {}
        self._portals: dict[bytes, bytes] = {}

    def request(self, arrived: bytearray) -> Request | None:
        if not self._started:
            return self._start(arrived)
        raw = self._typed(arrived)
        if raw is None:
            return None
        return Request(raw, self._statement(raw[:1], raw[5:]), asks=raw[:1] in b"QSF")

    def reply(self, arrived: bytearray) -> Reply | None:
        raw = self._typed(arrived)
        return None if raw is None else Reply(raw, ends=raw[:1] == b"Z")

    def _start(self, arrived: bytearray) -> Request | None:
        if len(arrived) < 8:
            return None
        length, code = struct.unpack("!II", arrived[:8])
        raw = _take(arrived, length)
        if raw is None:
            return None
        if code in self.ENCRYPTION:
            return Request(answer=self.NO_ENCRYPTION)
        self._started = True
        return Request(raw, asks=True)

    @staticmethod
    def _typed(arrived: bytearray) -> bytes | None:
        if len(arrived) < 5:
            return None
        return _take(arrived, 1 + int.from_bytes(arrived[1:5], "big"))

    def _statement(self, kind: bytes, body: bytes) -> str | None:
        """Tell what a message executes; Parse and Bind only say what Execute will mean."""
        executed: bytes | None = None
        if kind == b"Q":
            executed = body.rstrip(b"\0")
        elif kind == b"P":
            name, query = body.split(b"\0", 2)[:2]
            self._prepared[name] = query
        elif kind == b"B":
            portal, name = body.split(b"\0", 2)[:2]
            self._portals[portal] = self._prepared.get(name, b"")
        elif kind == b"E":
            executed = self._portals.get(body.split(b"\0", 1)[0], b"")
        return None if executed is None else executed.decode(errors="replace")


class _Mariadb(Wire):
    """Three bytes for the length, one that counts; a command begins to count at nought.

    Client and server take turns, so the first packet after a command is its answer, or begins it.
    """

    QUERY = 0x03
    UNANSWERED = frozenset({0x01, 0x18, 0x19})  # quit; data for a statement, its end

    def request(self, arrived: bytearray) -> Request | None:
        raw = self._packet(arrived)
        if raw is None:
            return None
        if raw[3] != 0 or len(raw) == 4:
            return Request(raw)
        statement = raw[5:].decode(errors="replace") if raw[4] == self.QUERY else None
        return Request(raw, statement, asks=raw[4] not in self.UNANSWERED)

    def reply(self, arrived: bytearray) -> Reply | None:
        raw = self._packet(arrived)
        return None if raw is None else Reply(raw, ends=True)

    @staticmethod
    def _packet(arrived: bytearray) -> bytes | None:
        if len(arrived) < 4:
            return None
        return _take(arrived, 4 + int.from_bytes(arrived[:3], "little"))


WIRES: Mapping[Protocol, type[Wire]] = {"postgresql": _Postgresql, "mariadb": _Mariadb}
