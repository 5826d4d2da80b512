"""Where the work is: community, district, building, dwelling; and who answered for which district, when.

Periods are half-open: a row holds from the day `since` up to, not including, the day `until`. `ALWAYS` and `FOREVER`
stand for "as far back as anyone knows" and "still so", so that a plain comparison finds the row of any day.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from fieldapp.db import Base, Keyed
from fieldapp.places.rules import ALWAYS, FOREVER


class OfCommunity:
    """A row of one community; every query of it goes through the wall."""

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"), index=True)


class Period:
    """A row that holds for some days."""

    since: Mapped[date] = mapped_column(default=ALWAYS)
    until: Mapped[date] = mapped_column(default=FOREVER)


class Community(Keyed, Base):
    """A residents' committee's area, and its settings."""

    __tablename__ = "community"

    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    street_code: Mapped[str | None] = mapped_column(String(32), index=True)
    language: Mapped[str] = mapped_column(String(16), default="zh_Hans")
    quota: Mapped[int] = mapped_column(default=30)
    district_size: Mapped[int] = mapped_column(default=200)
    district_tolerance: Mapped[int] = mapped_column(default=25)
    routine_days: Mapped[int] = mapped_column(default=90)
    quiet_days: Mapped[int] = mapped_column(default=7)
    basemap: Mapped[str] = mapped_column(String(12), default="none")
    """Whose tiles lie under the map: a word of `places.basemaps.KINDS`."""
    tiles_key: Mapped[str | None] = mapped_column(String(64))
    tiles_url: Mapped[str | None] = mapped_column(String(300))
    tiles_attribution: Mapped[str | None] = mapped_column(String(200))
    topics: Mapped[list[str]] = mapped_column(default=list)
    is_demo: Mapped[bool] = mapped_column(default=False)
    registry_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the registry keeps and how often it is checked: words of `households.rules`."""
    has_notice: Mapped[bool] = mapped_column(default=False)
    """Whether a month's notice of districts (红旗台) may be printed."""


class District(Keyed, OfCommunity, Base):
    """A 包干区: about 200 households that two workers answer for."""

    __tablename__ = "district"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(default=0)
    opened_on: Mapped[date | None]
    """The first day of a district that a plan made; None: as long as anyone knows."""
    closed_on: Mapped[date | None]
    district_id: Mapped[UUID] = synonym("id")  # what the wall looks at


class DistrictBoundary(Keyed, OfCommunity, Period, Base):
    """The polygon a district had for some days: a GeoJSON Polygon or MultiPolygon, WGS-84."""

    __tablename__ = "district_boundary"
    __table_args__ = (Index(None, "district_id", "since"),)

    district_id: Mapped[UUID] = mapped_column(ForeignKey("district.id"))
    geometry: Mapped[dict[str, Any]]


class Assignment(Keyed, OfCommunity, Period, Base):
    """Who was lead (片长) or partner (交叉) of a district for some days."""

    __tablename__ = "assignment"
    __table_args__ = (Index(None, "user_id", "since"), Index(None, "district_id", "since"))

    district_id: Mapped[UUID] = mapped_column(ForeignKey("district.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    part: Mapped[str] = mapped_column(String(8))


class Building(Keyed, OfCommunity, Base):
    """A block with entrances, or a courtyard of one-storey houses (平房)."""

    __tablename__ = "building"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    code: Mapped[str] = mapped_column(String(48))
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(12), default="block")
    street: Mapped[str | None] = mapped_column(String(64))
    house_number: Mapped[str | None] = mapped_column(String(32))
    position: Mapped[int] = mapped_column(default=0)
    entrances: Mapped[int | None]
    levels: Mapped[int | None]
    households_planned: Mapped[int | None]
    geometry: Mapped[dict[str, Any] | None]
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @property
    def is_courtyard(self) -> bool:
        """Whether the doors stand around a yard instead of in stairwells."""
        return self.kind == "courtyard"


class Dwelling(Keyed, OfCommunity, Base):
    """A door: a flat, a one-storey house or a shop. `column`, `row` and the spans place its cell on the door matrix.

    In a block the matrix's row is the floor; a courtyard's doors have a `row` of their own. Flats made into one are one
    dwelling whose room reads 501+502 and whose `span` is 2.
    """

    __tablename__ = "dwelling"
    __table_args__ = (
        UniqueConstraint("building_id", "entrance", "room"),
        Index(None, "community_id", "district_id"),
    )

    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    district_id: Mapped[UUID | None] = mapped_column(ForeignKey("district.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8), default="flat")
    entrance: Mapped[int] = mapped_column(default=1)
    floor: Mapped[int] = mapped_column(default=1)
    room: Mapped[str] = mapped_column(String(24))
    name: Mapped[str | None] = mapped_column(String(64))
    column: Mapped[int] = mapped_column(default=1)
    row: Mapped[int | None]
    span: Mapped[int] = mapped_column(default=1)
    row_span: Mapped[int] = mapped_column(default=1)

    building: Mapped[Building] = relationship(lazy="raise")

    @property
    def is_shop(self) -> bool:
        """Whether nobody lives here by trade; shops do not count as households."""
        return self.kind == "shop"


class EntranceDistrict(Keyed, OfCommunity, Base):
    """An entrance's district where it is not that of the building's point: a plan cut the building in two."""

    __tablename__ = "entrance_district"
    __table_args__ = (UniqueConstraint("building_id", "entrance"),)

    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    entrance: Mapped[int]
    district_id: Mapped[UUID] = mapped_column(ForeignKey("district.id"))


class Placement(Keyed, OfCommunity, Period, Base):
    """Which district a dwelling belonged to for some days. `Dwelling.district_id` repeats the one of today."""

    __tablename__ = "placement"
    __table_args__ = (Index(None, "dwelling_id", "since"), Index(None, "community_id", "since", "until"))

    dwelling_id: Mapped[UUID] = mapped_column(ForeignKey("dwelling.id"))
    district_id: Mapped[UUID | None] = mapped_column(ForeignKey("district.id"))
