"""What a household sheet may name: the community's buildings and care groups."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from unicodedata import normalize
from uuid import UUID


@dataclass(frozen=True)
class KnownBuilding:
    """A building that rows may name."""

    id: UUID
    code: str
    name: str
    is_courtyard: bool = False


class Directory:
    """Finds buildings by code or name. `care_groups` maps names to keys."""

    def __init__(self, buildings: Iterable[KnownBuilding], care_groups: Mapping[str, UUID]) -> None:
        self.care_groups = dict(care_groups)
        self._exact = {building.code: building for building in buildings}
        self.buildings = list(self._exact.values())
        self._codes: dict[str, list[KnownBuilding]] = defaultdict(list)
        self._names: dict[str, list[KnownBuilding]] = defaultdict(list)
        self._loose: dict[str, list[KnownBuilding]] = defaultdict(list)
        for building in self._exact.values():
            self._codes[_plain(building.code)].append(building)
            self._names[_plain(building.name)].append(building)
            self._loose[_loose(building.name)].append(building)

    def building(self, text: str) -> KnownBuilding | str | None:
        """The building that `text` names: by code, by name, or by a name without 号楼 and the like, if only one has it.

        None if there is none; where it may be several, their codes, each to be written as #code.
        """
        if text.startswith("#"):
            return self._exact.get(text[1:])
        named = self._names.get(_plain(text), []) or self._loose.get(_loose(text), [])
        found = {building.id: building for building in (*self._codes.get(_plain(text), ()), *named)}
        if len(found) > 1:
            return "、".join(f"#{building.code}" for building in list(found.values())[:5])
        return next(iter(found.values()), None)

    def token(self, building: KnownBuilding) -> str:
        """What a sheet writes to name this building and no other: its name where that is enough."""
        for text in (building.name, building.code):
            found = self.building(text)
            if isinstance(found, KnownBuilding) and found.id == building.id:
                return text
        return f"#{building.code}"


def _plain(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


def _loose(text: str) -> str:
    """A building's name as people shorten it: 3, 3栋, 3幢 and 3号楼 are one."""
    return re.sub(r"(号楼|号院|楼栋|栋|幢|号|楼|座)$", "", _plain(text).replace(" ", ""))
