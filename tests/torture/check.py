"""Looks into the database when all is over, and compares it with what the phones hold receipts for."""

import hashlib
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

from PIL import Image

from fieldapp.visits.photos import PhotoStore, clean
from tests.torture.answers import check_answers
from tests.torture.items import WORDS, Item, Kind, Said
from tests.torture.phones import Phone
from tests.torture.record import Record, grouped
from tests.torture.troubles import Findings, Trouble


class Check:
    """One run's check; `run` gives what it found."""

    def __init__(self, phones: list[Phone], found: Record, store: PhotoStore) -> None:
        self.phones, self.found, self.store = phones, found, store
        self.findings = Findings()
        self._effects: dict[Kind, Callable[[Phone, Item], bool]] = {
            Kind.VISIT: self._visit,
            Kind.NOBODY: self._visit,
            Kind.PHOTO: self._photo,
            Kind.TICK: self._tick,
            Kind.EDIT: self._edit,
        }

    def run(self) -> Findings:
        """Look at every item, then at what nobody sent, then at orders and answers."""
        for phone in self.phones:
            for item in phone.items:
                self._item(phone, item)
            self._order(phone)
        self._history()
        self._strangers()
        self._files()
        check_answers(self.phones, self.findings)
        return self.findings

    def _item(self, phone: Phone, item: Item) -> None:
        """Lost, partial or there: the phone's receipt, the server's receipt and the effect go together."""
        told = any(answer.is_receipt_of(item) for answer in phone.answers[item.id])
        written = item.id in self.found.receipts
        if item.kind is Kind.BAD:
            if told or written or item.id in self.found.visits:
                self.findings.add(Trouble.ANSWER, item, "taken in though nothing was chosen")
            return
        there = self._held(phone, item) if self._is_held(item) else self._effects[item.kind](phone, item)
        if not told:
            self.findings.add(Trouble.LOST, item, f"never accepted: {phone.answers[item.id][-2:]}")
        if told and not there:
            self.findings.add(Trouble.LOST, item, "the phone holds a receipt, and there is no effect")
        elif written and not self._is_told(phone, item):
            self.findings.add(Trouble.PARTIAL, item, "its receipt says something else than the phone")
        elif there != written:
            self.findings.add(Trouble.PARTIAL, item, f"effect {there}, row of the receipt {written}")

    def _is_held(self, item: Item) -> bool:
        receipt = self.found.receipts.get(item.id)
        return receipt is not None and receipt.outcome == "held"

    def _held(self, phone: Phone, item: Item) -> bool:
        """Whether it is kept apart for the director, word for word, and nowhere else."""
        held, found = self.found.held.get(item.id), self.found
        if held is None:
            return False
        if any(item.id in rows for rows in (found.visits, found.changes, found.proposals, found.photo_ids)):
            self.findings.add(Trouble.DUPLICATED, item, "held, and on record")
        said = (phone.worker.user, item.path, [list(pair) for pair in item.fields], item.made_at)
        files = [_cleaned(item.photo)] if item.photo else []
        row = (held.user_id, held.path, held.fields, held.made_at)
        if row != said or [file["sha256"] for file in held.files] != files:
            self.findings.add(Trouble.PARTIAL, item, f"said {said}, held {row}, {held.files}")
        return True

    def _is_told(self, phone: Phone, item: Item) -> bool:
        receipt = self.found.receipts[item.id]
        said = (receipt.user_id, receipt.phone, receipt.number, receipt.made_at)
        return said == (phone.worker.user, phone.sender.phone, item.number, item.made_at)

    def _visit(self, phone: Phone, item: Item) -> bool:
        """Whether the visit is there; and if so, whether it is whole."""
        assert item.said
        visit = self.found.visits.get(item.effect)
        if visit is None:
            return False
        said, met = item.said, self.found.met[visit.id]
        row = Said(
            visit.outcome,
            said.visited_at,
            visit.sentence,
            frozenset(met),
            tuple(visit.topics),
            said.promise,
            visit.is_urgent,
            visit.corrects_id,
        )
        if row != said or visit.household_id != item.household or visit.visitor_id != phone.worker.user:
            self.findings.add(Trouble.PARTIAL, item, f"said {said}, on record {row}")
        self._promise(item, said, self.found.promises[visit.id])
        if visit.visited_at.replace(microsecond=0) != said.visited_at.replace(microsecond=0):
            self.findings.add(Trouble.MISTIMED, item, f"said {said.visited_at}, on record {visit.visited_at}")
        return True

    def _promise(self, item: Item, said: Said, promises: list[str]) -> None:
        wanted = [said.promise] if said.promise else []
        if promises != wanted:
            trouble = Trouble.DUPLICATED if len(promises) > len(wanted) else Trouble.PARTIAL
            self.findings.add(trouble, item, f"promised {wanted}, on record {promises}")

    def _photo(self, _phone: Phone, item: Item) -> bool:
        assert item.photo and item.needs
        wanted = _cleaned(item.photo)
        kept = [photo for photo in self.found.photos[item.needs] if photo.sha256 == wanted]
        if len(kept) > 1:
            self.findings.add(Trouble.DUPLICATED, item, f"the photo is there {len(kept)} times")
        return bool(kept)

    def _tick(self, phone: Phone, item: Item) -> bool:
        """Whether it is as the phone's last word on it wants it; of earlier words only the receipt can tell."""
        same = [other for other in phone.items if other.kind is Kind.TICK and other.effect == item.effect]
        last = [other for other in same if not self._is_held(other)][-1]
        follow_up = self.found.follow_ups[item.effect]
        wanted = phone.worker.user if item.done else None
        return last is not item or (follow_up.done_by_id == wanted and (follow_up.done_at is not None) == item.done)

    def _edit(self, phone: Phone, item: Item) -> bool:
        """Whether it is in the history, or waits for a decision because somebody else had written."""
        change, proposal = self.found.changes.get(item.id), self.found.proposals.get(item.id)
        if change and proposal:
            self.findings.add(Trouble.DUPLICATED, item, "written and proposed")
        if proposal and item.is_own:
            self.findings.add(Trouble.ANSWER, item, "proposed though nobody else wrote there")
        row = (change.resident_id, change.new, change.changed_by_id) if change else None
        row = (proposal.resident_id, proposal.value, proposal.proposed_by_id) if proposal else row
        if row and row != (item.effect, item.value, phone.worker.user):
            self.findings.add(Trouble.PARTIAL, item, f"on record {row}")
        return row is not None

    def _history(self) -> None:
        """Each change goes on from the one before, and what is on record is the last one's."""
        changes = sorted(self.found.changes.values(), key=lambda change: change.changed_at)
        for resident, rows in grouped((change.resident_id, change) for change in changes).items():
            for before, after in pairwise(rows):
                if before.new != after.old:
                    self.findings.add(Trouble.PARTIAL, None, f"a change from {after.old} after one to {before.new}")
            if self.found.phones[resident] != rows[-1].new:
                self.findings.add(Trouble.PARTIAL, None, f"{self.found.phones[resident]} on record, not {rows[-1].new}")

    def _order(self, phone: Phone) -> None:
        """Of what was not urgent, what was written first at a household is on record first."""
        words = [item for item in phone.items if item.lane == WORDS and item.id in self.found.receipts]
        for items in grouped((item.household, item) for item in words).values():
            for earlier, later in pairwise(items):
                if self._recorded_at(earlier) > self._recorded_at(later):
                    self.findings.add(Trouble.DISORDERED, later, f"on record before {earlier.number}")

    def _recorded_at(self, item: Item) -> datetime:
        visit = self.found.visits.get(item.effect)
        return visit.recorded_at if visit else self.found.receipts[item.id].received_at

    def _strangers(self) -> None:
        """What is on record and was never said, or was said once and is there again."""
        items = [item for phone in self.phones for item in phone.items]
        for key in self.found.visits.keys() - {item.effect for item in items if item.said}:
            self.findings.add(Trouble.DUPLICATED, None, f"visit {key} is nobody's: {self.found.visits[key].sentence}")
        for rows in (self.found.receipts, self.found.held, self.found.changes, self.found.proposals):
            for key in rows.keys() - {item.id for item in items}:
                self.findings.add(Trouble.DUPLICATED, None, f"{rows[key]} {key} is nobody's")
        sent = Counter(item.needs for item in items if item.photo)
        for visit, photos in self.found.photos.items():
            if len(photos) > sent[visit]:
                self.findings.add(Trouble.DUPLICATED, None, f"{len(photos)} photos of {visit}, not {sent[visit]}")

    def _files(self) -> None:
        """A photo without its picture is half a photo."""
        photos = [photo for photos in self.found.photos.values() for photo in photos]
        files = [(photo.id, name) for photo in photos for name in (photo.sha256, photo.thumbnail_sha256)]
        for held in self.found.held.values():
            files += [(held.id, name) for file in held.files for name in (file["sha256"], file["thumbnail_sha256"])]
        for key, name in files:
            if fault := _fault(self.store.path(name), name):
                self.findings.add(Trouble.PARTIAL, None, f"photo {key}: {fault}")


@cache
def _cleaned(photo: bytes) -> str:
    """The name under which the server keeps a picture; the check of a harmed copy asks again."""
    return clean(photo).sha256


def _fault(path: Path, name: str) -> str | None:
    """What is wrong with a stored picture."""
    try:
        data = path.read_bytes()
        Image.open(io.BytesIO(data)).load()
    except OSError as error:
        return str(error)
    return None if hashlib.sha256(data).hexdigest() == name else "other bytes than its name says"
