"""What happens on the way, each after a seeded number of receipts: deaths of workers, a power cut, changes of staff."""

import threading
import time
from collections.abc import Callable
from random import Random

from tests.torture.phones import Phone
from tests.torture.server import Server

Deed = Callable[[], None]


class Incidents(threading.Thread):
    """Does each deed once, when certain phones have been given so many receipts; `over` ends the wait for the rest."""

    def __init__(self, phones: list[Phone], chance: Random) -> None:
        super().__init__(name="incidents", daemon=True)
        self.phones, self.chance = phones, chance
        self.over = threading.Event()
        self._planned: list[tuple[list[Phone], int, Deed]] = []

    def plan_deaths(self, server: Server, kills: int) -> None:
        """`kills` workers and once everything, anywhere between the first receipts and the last."""
        items = sum(len(phone.items) for phone in self.phones)
        between = range(items // 20, items * 9 // 10 + 1)
        moments = self.chance.sample(between, min(kills + 1, len(between)))
        self.plan(self.phones, moments.pop(), server.lose_power)
        for moment in moments:
            self.plan(self.phones, moment, lambda: server.kill_worker(self.chance))

    def plan(self, phones: list[Phone], moment: int, deed: Deed) -> None:
        """Do something once these phones have so many receipts together."""
        self._planned.append((phones, moment, deed))

    def run(self) -> None:
        """Wait for each moment; a pause of some milliseconds lets it fall anywhere in a request."""
        while self._planned and not self.over.wait(0.005):
            for planned in list(self._planned):
                phones, moment, deed = planned
                if sum(phone.receipts for phone in phones) >= moment:
                    self._planned.remove(planned)
                    time.sleep(self.chance.random() * 0.02)
                    deed()
