"""What a trial found, with what was aimed for."""

from dataclasses import dataclass, field

Aim = tuple[str, float]
"""How a figure compares with its aim: (">=", 98)."""


@dataclass
class Trials:
    """What was tried, of how many, the figures with their aims, and notes about single ones."""

    title: str
    of: str
    figures: dict[str, tuple[float, Aim | None]]
    notes: list[str] = field(default_factory=list)


def missed(value: float, aim: Aim) -> bool:
    """Whether a figure is not what was aimed for."""
    how, wanted = aim
    return not {">=": value >= wanted, "<=": value <= wanted, "<": value < wanted}[how]
