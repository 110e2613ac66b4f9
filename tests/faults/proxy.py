"""A TCP proxy before PostgreSQL or MariaDB that cuts a connection at a chosen instant.

It understands simple and extended queries of PostgreSQL, and COM_QUERY of MariaDB. It speaks no
TLS, and refuses it.
"""

import contextlib
import random
import select
import socket
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

import attrs
from tests.servers.wire import WIRES, Protocol, Wire

# The request is lost; the server is about to do it; it did it, and the reply is lost; half of the
# reply arrives.
Instant = Literal["request", "sent", "reply", "middle"]
# After each of these one knows what the server did.
INSTANTS: tuple[Instant, ...] = ("request", "reply", "middle")
READ, WRITE = select.POLLIN, select.POLLOUT


# ---------------------------------------------------------------- what to cut
@attrs.define
class _Order:
    """A cut that was asked for: at which statement, after how many like it, how often."""

    statement: str
    when: Instant
    skip: int
    times: int

    def meets(self, statement: str) -> bool:
        """Tell if this is the moment, and count it."""
        if not _begins(statement, self.statement):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@attrs.frozen
class _Chance:
    """Cuts by chance."""

    rng: random.Random
    share: float
    statement: str
    instants: Sequence[Instant]

    def instant(self, statement: str) -> Instant | None:
        """Draw."""
        if _begins(statement, self.statement) and self.rng.random() < self.share:
            return self.rng.choice(self.instants)
        return None


def _begins(statement: str, beginning: str) -> bool:
    return statement.lstrip().upper().startswith(beginning.upper())


class _Plan:
    """What is to be cut, and what was; used by the tests' threads and the proxy's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order] = []
        self._chance: _Chance | None = None
        self.statements = 0
        self.cuts: Counter[Instant] = Counter()

    def add(self, order: _Order) -> None:
        with self._lock:
            self._orders.append(order)

    def leave_to(self, chance: _Chance) -> None:
        with self._lock:
            self._chance = chance

    def forget(self) -> None:
        with self._lock:
            self._orders, self._chance = [], None

    def instant(self, statement: str) -> Instant | None:
        """Decide at which instant of a statement its connection is cut, if at all."""
        with self._lock:
            self.statements += 1
            for order in self._orders:
                if order.times and order.meets(statement):
                    return order.when
            return self._chance.instant(statement) if self._chance else None


# ---------------------------------------------------------------- one connection
class _Conversation:
    """A client and the server behind it."""

    def __init__(self, client: socket.socket, server: socket.socket, wire: Wire, plan: _Plan):
        self.client, self.server = client, server
        self.open = True
        self._wire, self._plan = wire, plan
        self._arrived = {client: bytearray(), server: bytearray()}
        self._unsent = {client: bytearray(), server: bytearray()}
        self._asked = self._answered = 0
        # The number of the answer that is not to arrive, and the instant.
        self._doomed: tuple[int, Instant] | None = None
        self._held = bytearray()

    def serve(self, side: socket.socket, events: int) -> None:
        """Do what one side is ready for."""
        if self.open and events & WRITE:
            self.write(side)
        if self.open and events & ~WRITE:
            self.read(side)

    def read(self, side: socket.socket) -> None:
        """Take in what has come from one side, and pass on what may pass."""
        try:
            data = side.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            self._break()
            return
        if not data:
            self.finish()
            return
        self._arrived[side] += data
        if side is self.client:
            self._requests()
        else:
            self._replies()
        for other in (self.client, self.server):
            self.write(other)

    def write(self, side: socket.socket) -> None:
        """Send what one side takes now."""
        if self.open and self._unsent[side]:
            try:
                del self._unsent[side][: side.send(self._unsent[side])]
            except BlockingIOError:
                pass
            except OSError:
                self._break()

    def events(self, side: socket.socket) -> int:
        """Tell what to wait for on one side."""
        return READ | WRITE if self._unsent[side] else READ

    def finish(self) -> None:
        """Close both sides in good order, as one of them did."""
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.settimeout(5)
                side.sendall(self._unsent[side])
            side.close()
        self.open = False

    def _requests(self) -> None:
        while (request := self._wire.request(self._arrived[self.client])) is not None:
            self._unsent[self.client] += request.answer
            if request.statement is not None and self._doomed is None:
                instant = self._plan.instant(request.statement)
                if instant == "request":
                    self._cut(instant)
                    return
                if instant == "sent":
                    self._leave(request.raw)
                    return
                if instant is not None:
                    self._doomed = (self._asked, instant)
            self._unsent[self.server] += request.raw
            self._asked += request.asks

    def _replies(self) -> None:
        while (reply := self._wire.reply(self._arrived[self.server])) is not None:
            ends = reply.ends and self._answered < self._asked
            if self._doomed is None or self._answered < self._doomed[0]:
                self._unsent[self.client] += reply.raw
                self._answered += ends
                continue
            self._held += reply.raw
            if ends:
                self._cut(self._doomed[1])
                return

    def _cut(self, instant: Instant) -> None:
        if instant == "middle":
            self._unsent[self.client] += self._held[: len(self._held) // 2]
            self.write(self.client)
        self._plan.cuts[instant] += 1
        self._break()

    def _leave(self, last: bytes) -> None:
        """Pass on a last request, and hang up: hard on the client, in good order on the server."""
        self._plan.cuts["sent"] += 1
        self._unsent[self.server] += last
        _reset(self.client)
        self.finish()

    def _break(self) -> None:
        self.open = False
        _reset(self.client)
        _reset(self.server)


def _reset(side: socket.socket) -> None:
    """Close a connection hard: without lingering, the system sends RST."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()


# ---------------------------------------------------------------- the proxy
class CuttingProxy:
    """A proxy on a free port of loopback, in front of a server: `with CuttingProxy(...) as proxy`.

    A host that begins with / is the folder of PostgreSQL's socket. Connections that are open when
    it closes are closed with it.
    """

    def __init__(self, host: str, port: int, *, protocol: Protocol) -> None:
        self._upstream = (host, port)
        self._wire = WIRES[protocol]
        self._plan = _Plan()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._bell, self._push = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"proxy {self.port}", daemon=True)

    @classmethod
    def before(cls, url: str) -> Self:
        """Make one in front of the server of a URL, such as the fixtures give."""
        parts = urlsplit(url)
        if parts.scheme.startswith("postgresql"):
            folder = parse_qs(parts.query).get("host", [""])[0]
            return cls(folder or parts.hostname or "", parts.port or 5432, protocol="postgresql")
        return cls(parts.hostname or "", parts.port or 3306, protocol="mariadb")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._push.close()
        self._thread.join()

    def url(self, url: str) -> str:
        """Give the URL that reaches a database through the proxy, from the one that does not."""
        parts = urlsplit(url)
        user, mark, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{mark}{self.host}:{self.port}", query="").geturl()

    def cut(self, statement: str, *, when: Instant, skip: int = 0, times: int = 1) -> None:
        """Cut where a statement is executed that begins so, in capitals or not.

        `request`: the server never sees it. `sent`: it does, but the client may hear of the cut
        before it is done. `reply`: the server has done it and answered, and nothing of the answer
        arrives. `middle`: half of the answer arrives. "" is any statement; the first `skip` that
        match are let pass.
        """
        self._plan.add(_Order(statement, when, skip, times))

    def cut_randomly(
        self,
        rng: random.Random,
        share: float = 0.3,
        *,
        statement: str = "",
        instants: Sequence[Instant] = INSTANTS,
    ) -> None:
        """Cut at this share of the statements that begin so, each at an instant by chance.

        With one connection at a time the same seed cuts the same.
        """
        self._plan.leave_to(_Chance(rng, share, statement, instants))

    def lead_to(self, host: str, port: int) -> None:
        """Lead new connections to another server, as a balancer does."""
        self._upstream = (host, port)

    def heal(self) -> None:
        """Cut no more."""
        self._plan.forget()

    @property
    def cuts(self) -> Counter[Instant]:
        """How many cuts were made at each instant."""
        return Counter(self._plan.cuts)

    @property
    def statements(self) -> int:
        """How many statements were executed, or were to be and got lost."""
        return self._plan.statements

    def _run(self) -> None:
        talks: list[_Conversation] = []
        while True:
            poll, sides = select.poll(), {}
            poll.register(self._bell, READ)
            poll.register(self._listener, READ)
            for talk in talks:
                for side in (talk.client, talk.server):
                    poll.register(side, talk.events(side))
                    sides[side.fileno()] = (talk, side)
            for number, events in poll.poll():
                if number in sides:
                    sides[number][0].serve(sides[number][1], events)
                elif number == self._listener.fileno():
                    talks += self._accept()
                else:
                    self._end(talks)
                    return
            talks = [talk for talk in talks if talk.open]

    def _accept(self) -> list[_Conversation]:
        client, _ = self._listener.accept()
        try:
            server = self._connect()
        except OSError:
            _reset(client)
            return []
        for side in (client, server):
            side.setblocking(False)
        return [_Conversation(client, server, self._wire(), self._plan)]

    def _connect(self) -> socket.socket:
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection((host, port), timeout=5)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            server.close()
            raise
        return server

    def _end(self, talks: list[_Conversation]) -> None:
        for talk in talks:
            if talk.open:
                talk.finish()
        self._listener.close()
        self._bell.close()
