"""The one place where the program reads a clock. Rules get the time as an argument."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

COMMUNITY_ZONE = ZoneInfo("Asia/Shanghai")
"""Days and months are the community's: all of China keeps this one time."""


def now() -> datetime:
    """This moment, aware, in UTC; `NOW` in the configuration (an aware datetime) stands still for tests."""
    fixed = current_app.config.get("NOW") if has_app_context() else None
    return fixed or datetime.now(UTC)


def today() -> date:
    """The community's calendar day."""
    return local_day(now())


def local_day(moment: datetime) -> date:
    """The community's calendar day of an aware moment."""
    return moment.astimezone(COMMUNITY_ZONE).date()
