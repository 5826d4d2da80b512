"""One attempt to send one item, with the standard library; what comes back, if anything does."""

import http.client
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.torture.items import Item

PATIENCE = 60
"""Seconds until a phone gives an attempt up; longer than a killed worker's successor takes to start."""
TAKEN = (200, 201, 202)
LATER = (408, 429)


@dataclass(frozen=True)
class Answer:
    """A whole answer: its status and what its JSON says; `says` is None where it is no JSON."""

    status: int
    says: dict[str, Any] | None

    def is_receipt_of(self, item: Item) -> bool:
        """Whether the phone may delete the item."""
        return self.status in TAKEN and self.says is not None and self.says.get("id") == str(item.id)

    @property
    def is_for_later(self) -> bool:
        """Whether the same is to be sent again, later."""
        return self.status >= 500 or self.status in LATER


@dataclass
class Sender:
    """The network of one phone: where it connects, who it says it is, how wrong its clock is, and its session.

    Once it `has_left`, the server having said that the account is closed, it sends everything to the one door left.
    """

    port: int
    user: uuid.UUID
    phone: uuid.UUID
    clock: timedelta
    cookie: str = ""
    has_left: bool = False

    def sign_in(self, username: str, password: str) -> bool:
        """Whether somebody is signed in now; False where no answer came."""
        body = urlencode({"username": username, "password": password}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Outbox-Phone": str(self.phone)}
        reply = self._exchange("/sign-in", body, headers)
        return reply is not None and reply[0] == 303 and bool(self.cookie)

    def send(self, item: Item, *, signed_in: bool = True) -> Answer | None:
        """One attempt. None: nothing whole came back."""
        body, kind = _body(item)
        headers = {
            "Content-Type": kind,
            "Outbox-Id": str(item.id),
            "Outbox-User": str(self.user),
            "Outbox-Phone": str(self.phone),
            "Outbox-Number": str(item.number),
            "Outbox-Made-At": _moment(item.made_at),
            "Outbox-Sent-At": _moment(datetime.now(UTC) + self.clock),
        }
        path = item.path
        if self.has_left:
            headers["Outbox-Path"], path = path, "/sync/left"
        return _answer(self._exchange(path, body, headers, signed_in=signed_in))

    def ask_known(self, items: list[Item]) -> Answer | None:
        """Ask which items the server has no receipt for, as after a backup."""
        body = urlencode([("ids", str(item.id)) for item in items]).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Outbox-Phone": str(self.phone)}
        return _answer(self._exchange("/sync/known", body, headers))

    def _exchange(
        self, path: str, body: bytes, headers: dict[str, str], *, signed_in: bool = True
    ) -> tuple[int, bytes] | None:
        """Status and body of an answer that came whole; one that was cut in its head may have lost its length."""
        headers["Sec-Fetch-Site"] = "same-origin"
        if signed_in and self.cookie:
            headers["Cookie"] = self.cookie
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if response.headers["Content-Length"] != str(len(data)):
            return None
        if signed_in and (given := response.headers["Set-Cookie"]):
            self.cookie = given.split(";", 1)[0]
        return response.status, data


def _answer(reply: tuple[int, bytes] | None) -> Answer | None:
    if reply is None:
        return None
    try:
        says = json.loads(reply[1])
    except ValueError:
        says = None
    return Answer(reply[0], says if isinstance(says, dict) else None)


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(item: Item) -> tuple[bytes, str]:
    """The form as bytes and its type. A photo's boundary is another at every attempt."""
    if item.photo is None:
        return urlencode(item.fields).encode(), "application/x-www-form-urlencoded"
    boundary = uuid.uuid4().hex
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="photos"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    data = head.encode() + item.photo + f"\r\n--{boundary}--\r\n".encode()
    return data, f"multipart/form-data; boundary={boundary}"
