"""The steps of a case's history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from desk.iran.digits import to_persian
from desk.tracking.domain import ACTION_TITLES, TITLES, Action, Past, State
from desk.tracking.events import AnswerData, FileReference


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a case's history; ``at`` is when it happened, whenever it was heard of.

    ``seq`` is the number the case's province of that ``turn`` gave its report; what comes before any report has none.
    """

    event_id: str
    at: datetime
    state: State
    note: str | None = None
    answer: AnswerData | None = None
    turn: int = 0
    seq: int = 0
    action: Action | None = None
    """What the applicant did, if it was the applicant's step."""
    rating: int | None = None
    files: list[FileReference] = field(default_factory=list)
    """What the applicant sent with it."""

    @property
    def title(self) -> str:
        """What the applicant reads."""
        if self.rating is not None:
            return f"{ACTION_TITLES[Action.RATE]}: {to_persian(str(self.rating))} از ۵"
        return ACTION_TITLES[self.action] if self.action else TITLES[self.state]

    def says_the_same(self, other: "Step") -> bool:
        """Tell whether an applicant's step repeats another."""
        return (self.note, self.rating, self.file_ids) == (other.note, other.rating, other.file_ids)

    @property
    def file_ids(self) -> list[str]:
        """What its files are known by."""
        return [file.id for file in self.files]


def past_of(history: Sequence[Step]) -> Past:
    """Tell what matters of a history for what the applicant may do."""
    answers = [place for place, step in enumerate(history) if step.answer is not None]
    since_answer = history[answers[-1] :] if answers else []
    return Past(
        answered=bool(answers),
        rated=any(step.action is Action.RATE for step in since_answer),
        objected=any(step.action is Action.OBJECT for step in history),
    )
