"""Sealing everything anew, after a new key was made."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.households.models import FactChange, FactProposal, Resident
from fieldapp.premises.models import Premise
from fieldapp.spotchecks.models import SpotDoor, SpotQuestion
from fieldapp.sync.models import HeldItem

SEALED = (
    (Resident, ("id_number", "phone", "guardian_phone")),
    (FactChange, ("old", "new")),
    (FactProposal, ("saw", "value")),
    (Premise, ("phone",)),
    (SpotQuestion, ("expected",)),
    (SpotDoor, ("note",)),
    (HeldItem, ("fields",)),
)
"""Every sealed attribute there is."""


def reseal(session: Session) -> int:
    """Seal every value with the newest key; gives how many rows. The caller commits."""
    count = 0
    for model, names in SEALED:
        for row in session.scalars(select(model).execution_options(yield_per=500)):
            for name in names:
                said = getattr(row, name)
                if said is not None:
                    setattr(row, name, said)
            count += 1
    session.flush()
    return count
