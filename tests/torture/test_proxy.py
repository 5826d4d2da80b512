"""The cutting proxy alone, before a server that counts what reached it whole."""

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.torture.proxy import Cut, Fate, Fates, Proxy

BODY = b"sentence=" + b"x" * 5000
REPLY = b"r" * 20_000


class Chosen(Fates):
    """Fates that are told beforehand, and then spare everybody."""

    def __init__(self, *fates: Fate) -> None:
        super().__init__(1, 0)
        self.left = list(fates)
        self.asked: list[str] = []

    def next(self, key: str) -> Fate:
        self.asked.append(key)
        return self.left.pop(0) if self.left else Fate(None)


class Counting(ThreadingHTTPServer):
    """Remembers the bodies that came, and how many of them whole."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.came = threading.Semaphore(0)
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    """Takes a form, answers 20 KB."""

    server: Counting

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.came.release()
        self.send_response(201)
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.server.came.release()


@pytest.fixture
def server() -> Iterator[Counting]:
    counting = Counting()
    thread = threading.Thread(target=counting.serve_forever, args=(0.01,))
    thread.start()
    yield counting
    counting.shutdown()
    thread.join()
    counting.server_close()


def post(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/x", BODY, {"Outbox-Phone": "a", "Outbox-Number": "1"})
        return connection.getresponse().read()
    finally:
        connection.close()


def test_what_is_not_cut_passes_whole(server: Counting) -> None:
    with Proxy(server.server_port, Fates(1, 0.0)) as proxy:
        assert [post(proxy.port) for _ in range(3)] == [REPLY] * 3
    assert server.bodies == [BODY] * 3
    assert not proxy.cuts


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize(
    ("cut", "reached"), [(Cut.CONNECT, 0), (Cut.BODY, 0), (Cut.WORK, 1), (Cut.COMMIT, 1), (Cut.REPLY, 1)]
)
def test_each_cut_is_where_it_says(server: Counting, cut: Cut, reached: int, reset: bool) -> None:
    with Proxy(server.server_port, Chosen(Fate(cut, 0.5, reset))) as proxy:
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy.port)
        assert proxy.cuts == Counter({cut: 1})
        if cut is not Cut.CONNECT:
            # Also what was cut in mid-body must have arrived before we look, or nothing would be proved. A reset may
            # throw away what was sent whole before it: then nothing arrives, as on a bad line.
            assert server.came.acquire(timeout=10)
        assert post(proxy.port) == REPLY
    whole = server.bodies.count(BODY) - 1
    assert whole <= reached if reset and cut is Cut.WORK else whole == reached


def test_a_server_that_is_away_hangs_up_and_counts_no_cut() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with Proxy(nobody.getsockname()[1], Fates(1, 0.0)) as proxy:
            with pytest.raises((OSError, http.client.HTTPException)):
                post(proxy.port)
            assert not proxy.cuts


def test_attempts_of_one_item_are_counted_together(server: Counting) -> None:
    fates = Chosen()
    with Proxy(server.server_port, fates) as proxy:
        post(proxy.port)
        post(proxy.port)
    assert fates.asked == ["a 1", "a 1"]


def test_the_same_seed_deals_the_same_fates_in_any_order() -> None:
    one, other = Fates(7, 0.5), Fates(7, 0.5)
    keys = [f"item {number}" for number in range(200)]
    first = {key: [one.next(key), one.next(key)] for key in keys}
    again = {key: [other.next(key)] for key in reversed(keys)}
    for key in keys:
        again[key].append(other.next(key))
    assert first == again
    assert {fate.cut for fates in first.values() for fate in fates} == {None, *Cut}
    assert first != {key: [Fates(8, 0.5).next(key)] * 2 for key in keys}
