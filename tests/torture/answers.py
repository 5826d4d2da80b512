"""What the server said on the way: whether each answer is the one that the contract of phone and server names."""

from collections.abc import Iterator
from itertools import pairwise

from tests.torture.items import Item, Kind, Trick
from tests.torture.phones import Phone
from tests.torture.troubles import Findings, Trouble
from tests.torture.wire import TAKEN, Answer
from tests.torture.world import LEAVES


def check_answers(phones: list[Phone], findings: Findings) -> None:
    """Note every answer that is another than it should be."""
    for phone in phones:
        for item in phone.items:
            for words in _wrong(phone, item):
                findings.add(Trouble.ANSWER, item, words)
        lacking = [key for answer in phone.known for key in (answer.says or {}).get("lacking", ["no answer"])]
        if not phone.sender.has_left and lacking != [str(item.id) for item in phone.items if item.kind is Kind.BAD]:
            findings.add(Trouble.ANSWER, None, f"{phone.name}: the server says that it lacks {lacking[:5]}")
        changes = [answer.says["change"] for answer in phone.log if answer.says and answer.says.get("change")]
        for before, after in pairwise(changes):
            if after < before:
                findings.add(Trouble.ANSWER, None, f"{phone.name}: the change number went back, {before} to {after}")
    receipts = [answer for phone in phones for answers in phone.answers.values() for answer in _receipts(answers)]
    if len(epochs := {answer["epoch"] for answer in receipts}) > 1:
        findings.add(Trouble.ANSWER, None, f"{len(epochs)} epochs though nothing came back from a backup")


def _wrong(phone: Phone, item: Item) -> Iterator[str]:
    """What is wrong with the answers to one item, its forgeries and its attempts without a session."""
    answers = _settled(phone, phone.answers[item.id])
    if item.kind is Kind.BAD:
        yield from _unlike(answers, 422, "refused")
        return
    for answer in answers:
        if not answer.is_receipt_of(item):
            yield f"no receipt: {answer}"
    yield from _unlike(_settled(phone, phone.forged[item.id]), 409, "other")
    yield from _unlike(_settled(phone, phone.signed_out[item.id]), 401, "sign-in")
    if sum(answer.status == 201 for answer in answers) > 1:
        yield "stored twice"
    receipts = _receipts(answers)
    if len({(says["outcome"], says["at"]) for says in receipts}) > 1:
        yield f"receipts that differ: {receipts}"
    if any(says["outcome"] == "held" and not says.get("reason") for says in receipts):
        yield "held, and no reason said"
    if item.trick is Trick.AGAIN and len(answers) > 1 and answers[-1].status not in (200, 202):
        yield f"sent again when the day was over: {answers[-1]}"


def _unlike(answers: list[Answer], status: int, outcome: str) -> Iterator[str]:
    for answer in answers:
        if answer.status != status or not answer.says or answer.says.get("outcome") != outcome:
            yield f"not {status} {outcome}: {answer}"


def _settled(phone: Phone, answers: list[Answer]) -> list[Answer]:
    """Without those that ask for another attempt: later, or for somebody who left, elsewhere."""
    elsewhere = 410 if phone.worker.number == LEAVES else None
    return [answer for answer in answers if not answer.is_for_later and answer.status != elsewhere]


def _receipts(answers: list[Answer]) -> list[dict[str, object]]:
    return [answer.says for answer in answers if answer.status in TAKEN and answer.says]
