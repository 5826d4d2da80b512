"""A residents' sheet that waits to be looked through: sealed in a file of its own, gone when applied or a day old."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from fieldapp.db import uuid7
from fieldapp.exchange.resident_columns import Headings
from fieldapp.exchange.sheet import Row
from fieldapp.seals import Unsealable, keyring

KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """An uploaded sheet: whose community's, its rows, and its headings as they were guessed or put right."""

    id: UUID
    community_id: UUID
    made_at: datetime
    rows: list[Row]
    headings: Headings


class Drafts:
    """The folder of waiting sheets, for this program's user alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, draft: Draft) -> None:
        """Write a sheet down, or write it anew."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = json.dumps(
            {
                "community": draft.community_id.hex,
                "at": draft.made_at.isoformat(),
                "row": draft.headings.row,
                "names": list(draft.headings.names.items()),
                "places": list(draft.headings.places.items()),
                "rows": [[number, [_put(cell) for cell in cells]] for number, cells in draft.rows],
            }
        )
        sealed = keyring().seal(said, "draft", draft.id, "sheet")
        fresh = self._file(draft.id).with_suffix(f".{uuid7().hex}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(sealed)
        fresh.replace(self._file(draft.id))

    def find(self, draft_id: UUID, community_id: UUID | None, now: datetime) -> Draft | None:
        """A sheet of this community that is not too old."""
        try:
            said = json.loads(keyring().open(self._file(draft_id).read_text(), "draft", draft_id, "sheet"))
        except (FileNotFoundError, Unsealable):
            return None
        made_at = datetime.fromisoformat(said["at"])
        if UUID(said["community"]) != community_id or now - made_at > KEPT_FOR:
            return None
        headings = Headings(said["row"], dict(said["names"]), dict(said["places"]))
        rows: list[Row] = [(number, [_take(cell) for cell in cells]) for number, cells in said["rows"]]
        return Draft(draft_id, UUID(said["community"]), made_at, rows, headings)

    def drop(self, draft_id: UUID) -> None:
        """Forget a sheet."""
        self._file(draft_id).unlink(missing_ok=True)

    def tidy(self, now: datetime) -> None:
        """Forget what is too old, by when it was written."""
        if not self.folder.is_dir():
            return
        for file in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if now.timestamp() - file.stat().st_mtime > KEPT_FOR.total_seconds():
                    file.unlink()

    def _file(self, draft_id: UUID) -> Path:
        return self.folder / f"{draft_id.hex}.sheet"


def _put(cell: Any) -> Any:
    if isinstance(cell, (datetime, date)):
        return {"day": cell.isoformat()}
    return str(cell) if isinstance(cell, (time, timedelta)) else cell


def _take(cell: Any) -> Any:
    return datetime.fromisoformat(cell["day"]) if isinstance(cell, dict) else cell
