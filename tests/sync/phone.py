"""A phone of the tests: what it keeps, and how it sends it."""

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fieldapp.db import uuid7
from tests.conftest import NOW, Person


def said(moment: datetime) -> str:
    """A moment as a browser's toISOString writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Phone:
    """Somebody's phone; `ahead` is how much its clock is wrong."""

    person: Person
    user: UUID
    id: UUID = field(default_factory=uuid7)
    ahead: timedelta = timedelta()
    number: int = 0

    def headers(self, item: UUID, made_at: datetime | None = None, **more: str) -> dict[str, str]:
        """The headers of an item, saved a while ago by default."""
        self.number += 1
        return {
            "Outbox-Id": str(item),
            "Outbox-User": str(self.user),
            "Outbox-Phone": str(self.id),
            "Outbox-Number": str(self.number),
            "Outbox-Made-At": said((made_at or NOW - timedelta(hours=2)) + self.ahead),
            "Outbox-Sent-At": said(NOW + self.ahead),
        } | more

    def send(self, path: str, form: dict[str, Any] | None = None, item: UUID | None = None, **more: Any) -> Any:
        """Send a form as an item; a new one where no key is given."""
        headers = self.headers(item or uuid7(), more.pop("made_at", None), **more.pop("headers", {}))
        return self.person.post(path, form or {}, headers=headers, **more)

    def visit(self, household: Any, item: UUID | None = None, /, **form: Any) -> Any:
        """Send a visit under its key."""
        more = {name: form.pop(name) for name in ("made_at", "headers") if name in form}
        key = item or uuid7()
        fields = {"visit_id": str(key), "outcome": "met"} | form
        return self.send(f"/households/{household.id}/visits", fields, key, **more)

    def photo(self, visit: UUID, data: bytes, item: UUID | None = None, **more: Any) -> Any:
        """Send one photo of a visit."""
        return self.send(f"/visits/{visit}/photos", {"photos": (io.BytesIO(data), "photo.jpg")}, item, **more)
