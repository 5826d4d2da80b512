"""The signal between a phone and the program: a gate that every connection goes through, and that a test can shut.

Chromium's own offline switch does not reach what a service worker sends by itself; a shut gate does.
"""

import re
import socket
import threading
import time
from contextlib import suppress

_REQUEST = re.compile(rb"^([A-Z]+ \S+) HTTP/1\.1\r\n")


class Gate:
    """Forwards TCP connections to `port` while it is open; shut, it ends them and refuses new ones.

    `asked` is every request that went through, like "POST /sign-out"; each piece of one takes `pace` seconds.
    """

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.is_open = True
        self.pace = 0.0
        self.asked: list[str] = []
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """What a phone opens."""
        return f"http://127.0.0.1:{self.port}"

    def shut(self) -> None:
        """No signal: what is under way breaks off."""
        self.is_open = False
        for pair in list(self._pairs):
            self._end(pair)

    def open(self) -> None:
        """Signal again."""
        self.is_open = True

    def close(self) -> None:
        """End for good."""
        self.shut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            self._pairs.add(pair)
            for source, target in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(source, target, pair), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        try:
            while data := source.recv(65536):
                if source is pair[0]:
                    self._note(data)
                target.sendall(data)
        except OSError:
            pass
        self._end(pair)

    def _note(self, data: bytes) -> None:
        if found := _REQUEST.match(data):
            self.asked.append(found[1].decode())
        time.sleep(self.pace)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for end in pair:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
