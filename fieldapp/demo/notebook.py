"""Writing visits down: when, where, whom they met, what was said and promised."""

from datetime import datetime, timedelta
from random import Random

from fieldapp.demo.plans import Home, Log, PromisePlan, VisitPlan
from fieldapp.demo.words import Note, met_note, moved_sentence, phone_sentence, refused_sentence, vacant_sentence
from fieldapp.households.rules import age_on
from fieldapp.visits.rules import MET, ZONE, Outcome, Way

LATE_ENTRIES, PLACES_OFFERED, ON_THE_PHONE = 0.02, 0.1, 0.05
"""Shares of visits: written down on the next morning, with the phone's position, made by phone after an earlier try."""


class Notebook:
    """Appends to one community's log; nothing is recorded after `now`."""

    def __init__(self, rng: Random, log: Log, now: datetime) -> None:
        self.rng, self.log, self.now = rng, log, now

    def write(self, worker: int, companion: int | None, home: Home, at: datetime, outcome: Outcome) -> VisitPlan:
        """Write a visit down, mostly at once, now and then on the next morning."""
        rng = self.rng
        recorded_at = min(at + timedelta(minutes=rng.randint(1, 4), seconds=rng.randint(0, 59)), self.now)
        if rng.random() < LATE_ENTRIES:
            later = at.astimezone(ZONE).replace(hour=8) + timedelta(days=1, minutes=rng.randint(0, 50))
            recorded_at = later if later < self.now else recorded_at
        visit = VisitPlan(len(self.log.visits), home, worker, companion, at, recorded_at, outcome)
        if rng.random() < PLACES_OFFERED:
            east, north = rng.gauss(0, 1e-4), rng.gauss(0, 1e-4)
            place = round(home.at[0] + east, 6), round(home.at[1] + north, 6)
            visit.at = (*place, float(rng.randint(6, 30)))
        self._word(visit)
        self.log.visits.append(visit)
        return visit

    def _word(self, visit: VisitPlan) -> None:
        rng, family = self.rng, visit.home.family
        if visit.outcome in MET:
            self._word_meeting(visit)
        elif visit.outcome is Outcome.REFUSED:
            visit.sentence = refused_sentence(rng)
        elif visit.outcome is Outcome.MOVED:
            visit.sentence = moved_sentence(rng)
        elif visit.outcome is Outcome.VACANT and family.note is None:
            visit.sentence = vacant_sentence(rng)

    def _word_meeting(self, visit: VisitPlan) -> None:
        rng, family, day = self.rng, visit.home.family, visit.visited_on
        ages = [age_on(person.birth_date, day) for person in family.people]
        there = [i for i, age in enumerate(ages) if age >= 15 and not family.people[i].is_away]
        visit.met = tuple(sorted(rng.sample(there, min(len(there), 1 if rng.random() < 0.65 else 2))))
        if visit.home.knocks and rng.random() < ON_THE_PHONE:
            visit.way, visit.sentence = Way.PHONE, phone_sentence(rng)
            return
        groups = [membership.group for membership in family.cares]
        note = met_note(rng, groups, max(ages), changed=visit.outcome is Outcome.CHANGED)
        if note:
            self._note(visit, note)

    def _note(self, visit: VisitPlan, note: Note) -> None:
        """Put a sentence on a visit; not every wish becomes a promise with a day."""
        visit.sentence, visit.topics = note.sentence, note.topics
        if note.promise and self.rng.random() < 0.75:
            due_on = visit.visited_on + timedelta(days=self.rng.choice((3, 5, 7, 7, 10, 14)))
            self.log.promises.append(PromisePlan(visit, note.promise, due_on))
