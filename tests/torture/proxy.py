"""A cutting proxy: stands between phones and the server as a stairwell does, and hangs up at seeded random points.

    python -m tests.torture.proxy --port 8001 --upstream 8000 --chance 0.25 --seed 1

One request a connection: it asks the server to close after its reply, and so tells the client.
"""

import argparse
import asyncio
import re
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import TracebackType

HEAD_LIMIT = 64 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)
_PHONE = re.compile(rb"^Outbox-Phone: *([^\r]*)", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(rb"^Outbox-Number: *([^\r]*)", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^Content-Length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_KEPT = re.compile(rb"^Connection:[^\n]*\n", re.IGNORECASE | re.MULTILINE)


class Cut(StrEnum):
    """Where a connection is cut: before connecting to the server, in mid-body, when all was sent and the server works,
    when its answer begins to arrive (so it has committed) and none of it was passed on, in mid-reply."""

    CONNECT = "connect"
    BODY = "body"
    WORK = "work"
    COMMIT = "commit"
    REPLY = "reply"


@dataclass(frozen=True)
class Fate:
    """Where a request is cut, how far in (share of the body or of the reply), and whether with a reset or an end."""

    cut: Cut | None
    share: float = 0.0
    reset: bool = False


class Fates:
    """Deals the fates. The n-th attempt of a request has the same fate whatever happens beside it in other threads."""

    def __init__(self, seed: int, chance: float) -> None:
        self.seed, self.chance = seed, chance
        self._attempts: Counter[str] = Counter()

    def next(self, key: str) -> Fate:
        """The fate of the next attempt of the request that `key` names."""
        self._attempts[key] += 1
        chance = Random(f"{self.seed} {key} {self._attempts[key]}")
        if chance.random() >= self.chance:
            return Fate(None)
        return Fate(chance.choice(list(Cut)), chance.random(), chance.random() < 0.5)


class Proxy:
    """Listens on `port` of this machine in a thread of its own from `with` on; `cuts` counts what it cut."""

    def __init__(self, upstream: int, fates: Fates, port: int = 0) -> None:
        self.upstream, self.fates, self.port = upstream, fates, port
        self.cuts: Counter[Cut] = Counter()
        self._running: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=HEAD_LIMIT)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        running = [task for task in self._running if task]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection; whoever hangs up on either side ends it on both."""
        # When a phone has gone, nothing else in the loop would hold on to a task that waits for the server.
        self._running.add(asyncio.current_task())
        server: asyncio.StreamWriter | None = None
        fate = Fate(None)
        try:
            head = await client.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            body = await client.readexactly(int(found[1])) if found else b""
            fate = self.fates.next(_name(head))
            if fate.cut is Cut.CONNECT:
                self.cuts[fate.cut] += 1
                return
            reply, server = await asyncio.open_connection("127.0.0.1", self.upstream)
            await self._pass_on(fate, _closing(head), body, server, reply, answer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            for end in (server, answer):
                _hang_up(end, fate.reset)
            self._running.discard(asyncio.current_task())

    async def _pass_on(
        self,
        fate: Fate,
        head: bytes,
        body: bytes,
        server: asyncio.StreamWriter,
        reply: asyncio.StreamReader,
        answer: asyncio.StreamWriter,
    ) -> None:
        if fate.cut is Cut.BODY:
            # Of a form without a body, the head is cut.
            server.write(head + body[: int(fate.share * len(body))] if body else head[: int(fate.share * len(head))])
            await server.drain()
            self.cuts[fate.cut] += 1
            return
        server.write(head + body)
        await server.drain()
        if fate.cut is Cut.WORK:
            await asyncio.sleep(fate.share / 50)
            self.cuts[fate.cut] += 1
            return
        first = await reply.read(HEAD_LIMIT)
        if fate.cut is Cut.COMMIT and first:
            self.cuts[fate.cut] += 1
            return
        if fate.cut is Cut.REPLY:
            first += await reply.read()
            answer.write(first[: int(fate.share * len(first))])
            await answer.drain()
            self.cuts[fate.cut] += bool(first)
            return
        while first:
            answer.write(first)
            await answer.drain()
            first = await reply.read(HEAD_LIMIT)


def _name(head: bytes) -> str:
    """What the attempts of a request have in common, and nothing that a clock had a part in, as in an item's key: the
    phone, and its running number or else method and path."""
    phone, number = (found[1] if (found := part.search(head)) else b"" for part in (_PHONE, _NUMBER))
    return b" ".join([phone, number or head.split(b" HTTP/", 1)[0]]).decode("latin-1")


def _closing(head: bytes) -> bytes:
    """The head, with the wish that the server closes after its reply: its end is the reply's end."""
    return _KEPT.sub(b"", head)[:-2] + b"Connection: close\r\n\r\n"


def _hang_up(end: asyncio.StreamWriter | None, reset: bool) -> None:
    """Close as a phone does that says goodbye, or as one whose signal is gone and whose number somebody else has."""
    if end is None:
        return
    if not reset:
        end.close()
        return
    with suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    end.transport.abort()


def main() -> None:
    """Run until stopped, then say what was cut."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.proxy")
    parser.add_argument("--port", type=int, default=8001, help="where phones connect (%(default)s)")
    parser.add_argument("--upstream", type=int, default=8000, help="where the server listens (%(default)s)")
    parser.add_argument("--chance", type=float, default=0.25, help="that a request is cut (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        Proxy(options.upstream, Fates(options.seed, options.chance), options.port) as proxy,
        suppress(KeyboardInterrupt),
    ):
        threading.Event().wait()
    for cut, times in proxy.cuts.items():
        print(f"{cut}: {times}")


if __name__ == "__main__":
    main()
