"""A drawn check for the tests of screens: the worker's first household with three questions, one in each state."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotQuestion, SpotSample
from fieldapp.visits.rules import day_of
from tests.factories import Cast

ASKED: tuple[tuple[str, Any, list[Any]], ...] = (
    ("people", 1, [2, 1, 3]),
    ("head", "张桂兰", ["吴丽华", "张桂兰"]),
    (
        "care",
        [{"group": "高龄", "reason": "独居", "who": "张桂兰"}],
        [[{"group": "高龄", "reason": "独居", "who": "张桂兰"}], []],
    ),
)


@dataclass
class Drawn:
    """A check of one household; its questions: still open, answered wrong, contested."""

    check: SpotCheck
    sample: SpotSample
    open: SpotQuestion
    answered: SpotQuestion
    contested: SpotQuestion


def make_spot_check(session: Session, cast: Cast, now: datetime) -> Drawn:
    """Draw the first household, for which the worker answers; the director asked two of three questions."""
    check = SpotCheck(
        id=uuid7(),
        community_id=cast.community.id,
        month=f"{day_of(now):%Y-%m}",
        seed=7,
        plan={"number": 1, "districts": None, "care_share": 0.5, "again": False},
        drawn_on=day_of(now),
        drawn_at=now - timedelta(hours=2),
    )
    sample = SpotSample(
        id=uuid7(),
        community_id=cast.community.id,
        check_id=check.id,
        household_id=cast.households[0].id,
        district_id=cast.district.id,
        answerer_id=cast.users["worker"].id,
        position=1,
        stratum="care/long",
    )
    questions = [
        SpotQuestion(
            id=uuid7(),
            community_id=cast.community.id,
            sample_id=sample.id,
            position=position,
            kind=kind,
            expected=json.dumps({"value": value, "choices": choices}),
        )
        for position, (kind, value, choices) in enumerate(ASKED, 1)
    ]
    for made in ([check], [sample], questions):
        session.add_all(made)
        session.flush()
    for question in questions[1:]:
        session.add(_answer(question, cast.users["director"].id, now))
    session.flush()
    session.add(
        SpotContest(
            id=uuid7(),
            community_id=cast.community.id,
            question_id=questions[2].id,
            word="上周刚退出低保",
            contested_at=now - timedelta(minutes=30),
            contested_by_id=cast.users["worker"].id,
        )
    )
    session.flush()
    return Drawn(check, sample, *questions)


def _answer(question: SpotQuestion, by: UUID, now: datetime) -> SpotAnswer:
    at = now - timedelta(hours=1)
    return SpotAnswer(
        id=uuid7(),
        community_id=question.community_id,
        question_id=question.id,
        verdict="wrong",
        way="table",
        answered_at=at,
        recorded_at=at,
        entered_by_id=by,
    )
