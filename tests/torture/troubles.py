"""What can be wrong when all is over."""

from dataclasses import dataclass, field
from enum import StrEnum

from tests.torture.items import Item


class Trouble(StrEnum):
    """What can be wrong in the end."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    PARTIAL = "partial"
    DISORDERED = "out of order"
    MISTIMED = "wrong time"
    ANSWER = "wrong answer"


@dataclass
class Findings:
    """Every trouble that was found, in words."""

    troubles: list[tuple[Trouble, str]] = field(default_factory=list)

    def add(self, trouble: Trouble, item: Item | None, words: str) -> None:
        """Note a trouble of an item, or of what is nobody's."""
        whose = f"{item.kind} {item.number} ({item.id}): " if item else ""
        self.troubles.append((trouble, whose + words))

    def count(self, trouble: Trouble) -> int:
        """How many there are of a kind."""
        return sum(found is trouble for found, _ in self.troubles)
