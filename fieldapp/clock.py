"""The one place where the program reads a clock. Rules get the time as an argument."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import current_app, g, has_app_context

COMMUNITY_ZONE = ZoneInfo("Asia/Shanghai")
"""Days and months are the community's: all of China keeps this one time."""


def now() -> datetime:
    """This moment, aware, in UTC; `NOW` in the configuration (an aware datetime) stands still for tests."""
    if not has_app_context():
        return datetime.now(UTC)
    return g.get("moment") or current_app.config.get("NOW") or datetime.now(UTC)


def stand_still() -> datetime:
    """Let this moment be now until the request is answered: what is sent for a minute is all of one day."""
    g.moment = now()
    return g.moment


def today() -> date:
    """The community's calendar day."""
    return local_day(now())


def local_day(moment: datetime) -> date:
    """The community's calendar day of an aware moment."""
    return moment.astimezone(COMMUNITY_ZONE).date()
