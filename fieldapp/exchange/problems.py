"""What is wrong with a file, as values; `words.py` says it in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RowProblem:
    """One cell that cannot be taken: the row as Excel shows it, the column's header as in the file, what stands there.

    `row` is None where the whole file is meant, `column` empty where a whole row is. `detail` is what the text of this
    `code` names besides: another row, the words that would be right.
    """

    row: int | None
    column: str
    value: str
    code: str
    detail: str = ""


class Refused(ValueError):
    """A sheet is refused. `problems` says why, in the order of the rows."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = list(problems)
        # Codes only: an exception's text may end up in a log, and the values are people's.
        super().__init__(", ".join(sorted({problem.code for problem in problems})))


def refuse_file(code: str, detail: str = "") -> Refused:
    """The refusal of a whole file."""
    return Refused([RowProblem(None, "", "", code, detail)])
