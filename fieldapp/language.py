"""Which language a reader gets. Simplified Chinese is what the templates are written in; English is translated."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from flask import Flask, g, session
from flask_babel import Babel, get_domain, get_locale
from flask_login import current_user
from markupsafe import Markup

from fieldapp import clock

LANGUAGES = {"zh_Hans": "简体中文", "en": "English"}
DEFAULT = "zh_Hans"


def init_app(app: Flask) -> None:
    """Set up translation and the ways dates are written."""
    Babel(
        app,
        default_locale=DEFAULT,
        default_timezone=str(clock.COMMUNITY_ZONE),
        default_translation_directories=str(Path(__file__).parent / "translations"),
        locale_selector=chosen,
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.filters.update(
        day=day, short_day=short_day, day_and_weekday=day_and_weekday, listed=listed, clock_time=clock_time
    )
    app.jinja_env.globals.update(html_language=html_language, LANGUAGES=LANGUAGES, _=translated)


def chosen() -> str:
    """The reader's language: their own choice, this browser's, the community's, Chinese."""
    if current_user and current_user.is_authenticated and current_user.language in LANGUAGES:
        return str(current_user.language)
    kept = session.get("language")
    if kept in LANGUAGES:
        return str(kept)
    community = g.get("community")
    return community.language if community and community.language in LANGUAGES else DEFAULT


def translated(text: str, **values: Any) -> Markup:
    """`_` in the templates, with `values` escaped.

    Jinja's own asks for the reader's language at every text, eighty times a page: a tenth of Today's time.
    """
    words = g.get("words")
    if words is None:
        words = g.words = _words_of(get_domain().get_translations())
    return words[text] % values if values else words[text]


class Words(dict[str, Markup]):
    """The texts of one language, each looked up once: a pack asks 30,000 times."""

    def __init__(self, catalogue: Any) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, text: str) -> Markup:
        found = self[text] = Markup(self._catalogue.gettext(text))  # noqa: S704 - ours; values are escaped when put in
        return found


_words_of = lru_cache(8)(Words)


def is_english() -> bool:
    """Whether the reader gets English."""
    locale = get_locale()
    return locale is not None and locale.language == "en"


def html_language() -> str:
    """The `lang` of a page."""
    return "en" if is_english() else "zh-Hans"


def _local(value: date | datetime) -> date:
    return clock.local_day(value) if isinstance(value, datetime) else value


def day(value: date | datetime) -> str:
    """11月18日, with the year when it is not this one."""
    value = _local(value)
    this_year = value.year == clock.today().year
    if is_english():
        return format_date(value, "d MMM" if this_year else "d MMM y", locale="en")
    return f"{value.month}月{value.day}日" if this_year else f"{value.year}年{value.month}月{value.day}日"


def short_day(value: date | datetime) -> str:
    """11/20, for chips and narrow columns."""
    value = _local(value)
    return (
        f"{value.month}/{value.day}" if value.year == clock.today().year else f"{value.year}/{value.month}/{value.day}"
    )


def day_and_weekday(value: date | datetime) -> str:
    """11月18日 周三, or Wed 18 Nov."""
    if is_english():
        return f"{format_date(_local(value), 'EEE', locale='en')} {day(value)}"
    return f"{day(value)} {format_date(_local(value), 'EEE', locale='zh_Hans')}"


def listed(values: Iterable[str]) -> str:
    """张三、李四 or Zhang San, Li Si."""
    return (", " if is_english() else "、").join(values)


def clock_time(value: datetime) -> str:
    """9:41, in the community's zone."""
    local = value.astimezone(clock.COMMUNITY_ZONE)
    return f"{local.hour}:{local.minute:02d}"
