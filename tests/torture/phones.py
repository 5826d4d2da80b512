"""A model of a phone: an outbox that lets go of an item on a receipt only, and sends the rest again."""

import threading
import time
from collections import defaultdict
from dataclasses import replace
from random import Random
from uuid import UUID

from tests.torture.items import WORDS, Item, Kind, Trick
from tests.torture.wire import Answer, Sender
from tests.torture.world import PASSWORD, Worker

LONGEST_BURST = 30
"""How many items a phone has at most written when it finds the signal again."""
MOST_ATTEMPTS = 300
"""In a row, without any answer; over the day, a tenth of it for each item."""
MOST_ASKED = 2000
LONGEST_WAIT = 0.5
REFUSED = (400, 403, 404, 409, 413, 422)


class Phone(threading.Thread):
    """Sends a day's items through `port`. What is left in `outbox` in the end was never taken in.

    `answers` are all whole answers to each item in the order they came, `forged` those to other bodies under its key,
    `signed_out` those to a phone without a session, `log` all that came one by one; `tray` is what was refused, `known`
    what the server said in the end of what it has.
    """

    def __init__(self, port: int, worker: Worker, items: list[Item], chance: Random) -> None:
        super().__init__(name=worker.username, daemon=True)
        self.worker, self.items, self.chance = worker, items, chance
        self.sender = Sender(port, worker.user, UUID(int=chance.getrandbits(128)), worker.clock)
        self.outbox: list[Item] = []
        self.tray: list[Item] = []
        self.answers: dict[UUID, list[Answer]] = defaultdict(list)
        self.forged: dict[UUID, list[Answer]] = defaultdict(list)
        self.signed_out: dict[UUID, list[Answer]] = defaultdict(list)
        self.known: list[Answer] = []
        self.log: list[Answer] = []
        self.attempts = self.receipts = 0
        self._failures = 0

    def run(self) -> None:
        """The day: write some, send them, write some more."""
        self._sign_in()
        left = list(self.items)
        while left and not self._has_given_up:
            burst = self.chance.randint(1, LONGEST_BURST)
            self.outbox += left[:burst]
            del left[:burst]
            while self.outbox and not self._has_given_up:
                self._drain()
        self.outbox += left
        for item in self.items:
            if item.trick is Trick.AGAIN and item not in self.outbox:
                self._send_until_answered(item, self.answers)
        if not self.sender.has_left:
            self._ask_known()

    def _ask_known(self) -> None:
        for first in range(0, len(self.items), MOST_ASKED):
            for _ in range(MOST_ATTEMPTS):
                answer = self.sender.ask_known(self.items[first : first + MOST_ASKED])
                if answer and not answer.is_for_later:
                    self.known.append(answer)
                    break
                self._wait()

    @property
    def _has_given_up(self) -> bool:
        return self.attempts > MOST_ATTEMPTS + MOST_ATTEMPTS // 10 * len(self.items) or self._failures > MOST_ATTEMPTS

    def _sign_in(self) -> None:
        for _ in range(MOST_ATTEMPTS):
            self.attempts += 1
            if self.sender.sign_in(self.worker.username, PASSWORD):
                return
            self._wait()

    def _drain(self) -> None:
        """Once through the outbox: urgent, words, photos. What got no receipt holds up the words of its household."""
        stuck: set[UUID] = set()
        for item in sorted(self.outbox, key=lambda item: (item.lane, item.number)):
            waiting = {other.id for other in self.outbox}
            if (item.household in stuck and item.lane == WORDS) or item.needs in waiting:
                continue
            answer = self._send(item)
            if answer and answer.is_receipt_of(item):
                self._let_go(item)
                if item.trick is Trick.FORGED:
                    self._send_until_answered(_forged(item), self.forged)
            elif answer and answer.status in REFUSED:
                self.outbox.remove(item)
                self.tray.append(item)
            else:
                stuck.add(item.household)
                if answer and answer.status == 401:
                    self._sign_in()
                elif answer and answer.status == 410:
                    self.sender.has_left = True
                self._wait()

    def _let_go(self, item: Item) -> None:
        self.outbox.remove(item)
        self.receipts += 1

    def _send(self, item: Item) -> Answer | None:
        """An attempt, with what the item's trick makes of the first."""
        is_first = not self.answers[item.id]
        if is_first and item.trick is Trick.FORGOTTEN and not self.signed_out[item.id]:
            self._send_until_answered(item, self.signed_out, signed_in=False)
        if is_first and item.trick is Trick.TWICE:
            return self._send_twice(item)
        return self._attempt(item, self.answers)

    def _attempt(self, item: Item, answers: dict[UUID, list[Answer]], *, signed_in: bool = True) -> Answer | None:
        self.attempts += 1
        answer = self.sender.send(item, signed_in=signed_in)
        if answer:
            answers[item.id].append(answer)
            self.log.append(answer)
            self._failures = self._failures if answer.is_for_later else 0
        return answer

    def _send_twice(self, item: Item) -> Answer | None:
        """From two threads at the same moment; either one's receipt is a receipt."""
        start = threading.Barrier(2)
        came: list[Answer | None] = []

        def attempt() -> None:
            twin = replace(self.sender)
            start.wait()
            came.append(twin.send(item))

        threads = [threading.Thread(target=attempt) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.attempts += 2
        whole = [answer for answer in came if answer]
        self._failures = 0 if whole else self._failures
        self.answers[item.id] += whole
        return next((answer for answer in whole if answer.is_receipt_of(item)), whole[0] if whole else None)

    def _send_until_answered(self, item: Item, answers: dict[UUID, list[Answer]], *, signed_in: bool = True) -> None:
        for _ in range(MOST_ATTEMPTS):
            answer = self._attempt(item, answers, signed_in=signed_in)
            if answer and answer.status == 410:
                self.sender.has_left = True
            elif answer and not answer.is_for_later:
                return
            self._wait()

    def _wait(self) -> None:
        """Longer from failure to failure, as a phone does, and short enough for a test."""
        self._failures += 1
        time.sleep(min(self.chance.random() * 0.01 * 2 ** min(self._failures, 10), LONGEST_WAIT))


def _forged(item: Item) -> Item:
    """The same key with another body: another sentence, another picture, the opposite deed."""
    match item.kind:
        case Kind.PHOTO:
            return replace(item, photo=(item.photo or b"") + b"\n")
        case Kind.TICK:
            return replace(item, path=f"/follow-ups/{item.effect}/{'undone' if item.done else 'done'}")
        case Kind.VISIT:
            other = ((name, f"{value}。另一句" if name == "sentence" else value) for name, value in item.fields)
            return replace(item, fields=tuple(other))
        case _:
            return replace(item, fields=(*item.fields, ("note", "另一句")))
