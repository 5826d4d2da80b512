"""Which pages a transaction changed, written down in that transaction: what a phone asks by, to renew its pack.

What a flush or a bulk statement touches is collected while the transaction lasts. Just before its commit it takes the
community's next number, by writing the community's one row, and writes that number at every household touched. Whoever
comes second waits for that row, so the changes of a community are committed in the order of their numbers: who has read
number 7 has seen all that 7 and those before it did. What is undone takes no number.

It errs towards too much: a model that this file does not know touches every page of its community. Statements of plain
text (`text("UPDATE …")`) are seen by nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, event, inspect, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, class_mapper

from fieldapp.accounts.models import AuditEntry, UnknownName, User
from fieldapp.households.models import Erasure, Household, NotSame, ResidentMerge
from fieldapp.places.models import Community, Dwelling, EntranceDistrict, Placement
from fieldapp.planning.models import Plan, PlanStep
from fieldapp.premises.models import Premise, PremiseCheck, PremiseFinding
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotDoor, SpotQuestion, SpotSample
from fieldapp.sync import queries
from fieldapp.sync.models import CommunityChange, Epoch, HeldItem, HouseholdChange, PhoneSeal, Receipt
from fieldapp.visits.models import Photo, Visit, VisitResident

ON_NO_PAGE = (
    *(AuditEntry, UnknownName, CommunityChange, HouseholdChange, Epoch, HeldItem, PhoneSeal, Receipt),
    *(ResidentMerge, NotSame, Erasure),
    *(SpotCheck, SpotSample, SpotQuestion, SpotAnswer, SpotContest, SpotDoor),
    *(Plan, PlanStep, EntranceDistrict),
)
"""What no page of a pack shows."""

_TABLES_ON_NO_PAGE = frozenset(model.__tablename__ for model in ON_NO_PAGE)
_OF_USERS = ("name", "username", "role", "active", "community_id")
"""What others read of an account; that a password was wrong is nobody's news."""

_VISITS = class_mapper(Visit)
_TOUCHED, _TAKEN = "touched", "change"


@dataclass
class Touched:
    """What a transaction has changed so far. Keys of households and placements lead to their community."""

    households: dict[UUID, UUID] = field(default_factory=dict)
    visits: set[UUID] = field(default_factory=set)
    dwellings: set[UUID] = field(default_factory=set)
    buildings: dict[UUID, UUID] = field(default_factory=dict)
    placements: dict[UUID, UUID] = field(default_factory=dict)
    whole: set[UUID | None] = field(default_factory=set)
    everywhere: bool = False


def init_app() -> None:
    """Track what every session of this program changes, from now on."""
    handlers: dict[str, Callable[..., Any]] = {
        "after_flush": _note_flush,
        "do_orm_execute": _note_bulk,
        "before_commit": _take_numbers,
        "after_transaction_end": _forget,
    }
    for name, handler in handlers.items():
        if not event.contains(Session, name, handler):
            event.listen(Session, name, handler)


def change_number(session: Session, community_id: UUID) -> int:
    """The community's number after the last commit of this session; asked of the database if that commit took none."""
    taken: dict[UUID, int] = session.info.get(_TAKEN, {})
    return taken.get(community_id) or queries.change(session, community_id).number


# --- collecting


def _note_flush(session: Session, _context: Any) -> None:
    touched: Touched = session.info.setdefault(_TOUCHED, Touched())
    for thing in session.new:
        _note(touched, thing, is_there=True)
    for thing in session.dirty:
        if session.is_modified(thing):
            _note(touched, thing, is_there=True)
    for thing in session.deleted:
        _note(touched, thing, is_there=False)


def _note(touched: Touched, thing: Any, *, is_there: bool) -> None:
    """Note what one object changes; its history is still that of before the flush."""
    if isinstance(thing, ON_NO_PAGE):
        return
    if isinstance(thing, Household):
        _note_household(touched, thing, is_there=is_there)
    elif isinstance(thing, Dwelling):
        _note_dwelling(touched, thing)
    elif isinstance(thing, Placement):
        touched.placements[thing.dwelling_id] = thing.community_id
    elif isinstance(thing, Photo | VisitResident):
        touched.visits.add(thing.visit_id)
    elif isinstance(thing, Premise | PremiseCheck | PremiseFinding):
        touched.dwellings.add(thing.dwelling_id)
    elif isinstance(thing, User):
        if not is_there or any(_values(thing, name) for name in _OF_USERS):
            touched.whole.update({thing.community_id, *_values(thing, "community_id")})
    elif hasattr(thing, "household_id"):
        concerned = {thing.household_id, *_values(thing, "household_id")}
        touched.households.update(dict.fromkeys(concerned, thing.community_id))
    elif isinstance(thing, Community):
        touched.whole.add(thing.id)
    elif hasattr(thing, "community_id"):
        touched.whole.add(thing.community_id)
    else:
        touched.everywhere = True


def _note_household(touched: Touched, household: Household, *, is_there: bool) -> None:
    """A household that comes or goes changes its building's page too, and there may be nobody left to bring that."""
    touched.households[household.id] = household.community_id
    if not is_there:
        touched.dwellings.add(household.dwelling_id)
    if _moved(household, "dwelling_id"):
        touched.whole.add(household.community_id)


def _note_dwelling(touched: Touched, dwelling: Dwelling) -> None:
    touched.dwellings.add(dwelling.id)
    touched.buildings[dwelling.building_id] = dwelling.community_id
    if _moved(dwelling, "district_id", "building_id"):
        touched.whole.add(dwelling.community_id)


def _moved(thing: Any, *names: str) -> bool:
    """Whether a row that was there before changes one of these."""
    state = inspect(thing)
    return state.has_identity and any(state.attrs[name].history.has_changes() for name in names)


def _values(thing: Any, name: str) -> set[Any]:
    """The old and the new value of an attribute that changes in this flush; nothing where it does not."""
    history = inspect(thing).attrs[name].history
    return {*history.added, *history.deleted} if history.has_changes() else set()


def _note_bulk(state: ORMExecuteState) -> None:
    """A bulk statement passes the flush by: every page of the communities whose rows it writes may be another."""
    if state.is_select or not (state.is_insert or state.is_update or state.is_delete):
        return
    table: Any = getattr(state.statement, "table", None)
    if table is None or table.name in _TABLES_ON_NO_PAGE:
        return
    touched: Touched = state.session.info.setdefault(_TOUCHED, Touched())
    concerned = _written_by(state, table)
    touched.whole.update(concerned or ())
    touched.everywhere |= concerned is None


def _written_by(state: ORMExecuteState, table: Any) -> set[UUID] | None:
    """The communities that a bulk statement writes to; None when it does not tell."""
    column = table.c.get("id" if table.name == Community.__tablename__ else "community_id")
    are_many = isinstance(state.parameters, list | tuple)
    if column is None or (are_many and not state.is_insert):
        return None
    if state.is_insert:
        rows: Any = state.parameters if are_many else [state.parameters or {}]
        told = {row.get(column.name) for row in rows}
        nobodys = {None} if table.name == User.__tablename__ else set()  # a street office's account
        return None if None in told - nobodys else told - nobodys
    where: Any = getattr(state.statement, "whereclause", None)
    statement = select(column).distinct()
    if where is not None:
        statement = statement.where(where)
    return set(state.session.connection().scalars(statement, state.parameters or {}))


# --- numbering


def _take_numbers(session: Session) -> None:
    """Take the next number of every community touched and write it at its households. Two statements, as a rule."""
    if session.in_nested_transaction():
        return
    session.flush()
    session.info[_TAKEN] = {}
    touched: Touched | None = session.info.pop(_TOUCHED, None)
    if touched is None:
        return
    _resolve(session, touched)
    whole, concerned = _communities(session, touched)
    if not concerned:
        return
    connection = session.connection()
    dialect = connection.dialect.name
    values = {"concerned": sorted(concerned), "whole": sorted(whole)}
    taken = {row[0]: row[1] for row in connection.execute(_take(dialect), values)}
    session.info[_TAKEN] = taken
    rows = [
        {"household_id": household, "community_id": community, "number": taken[community]}
        for household, community in sorted(touched.households.items())
        if community in taken and community not in whole  # one made in a savepoint that was undone takes no number
    ]
    if rows:
        connection.execute(_write(dialect), rows)


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_TOUCHED, None)


def _resolve(session: Session, touched: Touched) -> None:
    """Find the households behind visits, doors and buildings that are still unknown by their own key."""
    unknown = []
    for visit_id in touched.visits:
        visit = session.identity_map.get(_VISITS.identity_key_from_primary_key((visit_id,)))
        if visit is None:
            unknown.append(visit_id)
        else:
            touched.households[visit.household_id] = visit.community_id
    if unknown:
        rows = session.connection().execute(select(Visit.household_id, Visit.community_id).where(Visit.id.in_(unknown)))
        touched.households.update((row[0], row[1]) for row in rows)
    touched.whole.update(c for door, c in touched.placements.items() if door not in touched.dwellings)
    if touched.dwellings:
        _resolve_doors(session, touched)


def _resolve_doors(session: Session, touched: Touched) -> None:
    """A door stands on the page of its building, which travels with any household there; without one all travel."""
    of_doors = select(Dwelling.building_id).where(Dwelling.id.in_(touched.dwellings))
    behind = (
        select(Household.id, Household.community_id, Dwelling.building_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(or_(Dwelling.building_id.in_(touched.buildings), Dwelling.building_id.in_(of_doors)))
    )
    rows = session.connection().execute(behind).all()
    touched.households.update({household: community for household, community, _ in rows})
    lived_in = {building for *_, building in rows}
    touched.whole.update(c for building, c in touched.buildings.items() if building not in lived_in)


def _communities(session: Session, touched: Touched) -> tuple[set[UUID], set[UUID]]:
    """Those of which every page travels, and all that take a number."""
    if touched.everywhere:
        everyone = set(session.connection().scalars(select(Community.id)))
        return everyone, everyone
    whole = {community for community in touched.whole if community}
    return whole, whole | set(touched.households.values())


@cache
def _take(dialect: str) -> Any:
    """One statement for all communities, in the order of their keys: two transactions never wait for each other."""
    concerned = (
        select(
            Community.id,
            literal(1),
            case((Community.id.in_(bindparam("whole", expanding=True)), 1), else_=0),
        )
        .where(Community.id.in_(bindparam("concerned", expanding=True)))
        .order_by(Community.id)
    )
    statement = _insert(dialect, CommunityChange).from_select(["community_id", "number", "whole"], concerned)
    following = CommunityChange.number + 1
    return statement.on_conflict_do_update(
        index_elements=[CommunityChange.community_id],
        set_={
            "number": following,
            "whole": case((statement.excluded.whole > 0, following), else_=CommunityChange.whole),
        },
    ).returning(CommunityChange.community_id, CommunityChange.number)


@cache
def _write(dialect: str) -> Any:
    statement = _insert(dialect, HouseholdChange)
    return statement.on_conflict_do_update(
        index_elements=[HouseholdChange.household_id],
        set_={"number": statement.excluded.number, "community_id": statement.excluded.community_id},
    )


def _insert(dialect: str, model: Any) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(model)
