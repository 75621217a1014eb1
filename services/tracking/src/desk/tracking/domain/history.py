"""The history of a case."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.iran.digits import to_persian
from desk.tracking.domain.request import File
from desk.tracking.domain.states import ACTIONS, CONTACT_TITLE, OPENED_TITLE, TITLES, Action, State


@dataclass(frozen=True, slots=True)
class Answer:
    """The experts' answer."""

    text: str
    at: datetime
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of a case's history; ``at`` is when it happened, not when it was recorded.

    ``seq`` is the number that the office of that ``turn`` gave its report; entries before any report have 0.
    """

    event_id: str
    at: datetime
    state: State
    note: str | None = None
    answer: Answer | None = None
    turn: int = 0
    seq: int = 0
    action: Action | None = None
    """The applicant's action, if the entry records one."""
    rating: int | None = None
    files: tuple[File, ...] = ()
    """The files of the applicant's reply."""
    opened: bool = False
    """Whether the entry only records that an expert opened the case."""
    contact_changed: bool = False
    """Whether the entry only records a new mobile; ``note`` is the masked number."""

    @property
    def is_record(self) -> bool:
        """Whether the entry records what changes no state, and is no action."""
        return self.opened or self.contact_changed

    @property
    def title(self) -> str:
        """The Persian title that the applicant reads."""
        if self.opened:
            return OPENED_TITLE
        if self.contact_changed:
            return CONTACT_TITLE
        if self.rating is not None:
            return f"{ACTIONS[Action.RATE].title}: {to_persian(str(self.rating))} از ۵"
        return ACTIONS[self.action].title if self.action else TITLES[self.state]

    def repeats(self, other: "HistoryEntry") -> bool:
        """Return whether the content of an applicant's action is the same as another's."""
        return (self.note, self.rating, self.file_ids) == (other.note, other.rating, other.file_ids)

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The ids of the files."""
        return tuple(file.id for file in self.files)


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """The facts of a history that decide which actions are possible."""

    answered: bool
    rated: bool
    """Whether the latest answer is rated."""
    objections: int
    """How often the applicant has objected."""


def find_decision(history: Sequence[HistoryEntry]) -> HistoryEntry | None:
    """Return the latest report that answered or rejected the request; None if there is none."""
    decided = {State.ANSWERED, State.REJECTED}
    reports = (entry for entry in reversed(history) if entry.action is None and not entry.is_record)
    return next((entry for entry in reports if entry.state in decided), None)


def find_question(history: Sequence[HistoryEntry]) -> HistoryEntry | None:
    """Return the latest question of an office; None if there is none. A new mobile has a note in the same state."""
    asked = (entry for entry in reversed(history) if entry.state is State.INFO_REQUESTED and entry.note)
    return next((entry for entry in asked if entry.action is None and not entry.is_record), None)


def find_first_answer(history: Iterable[HistoryEntry]) -> HistoryEntry | None:
    """Return the earliest answer of an office; None if there is none."""
    answers = (entry for entry in history if entry.state is State.ANSWERED and entry.action is None)
    return min((entry for entry in answers if not entry.is_record), key=lambda entry: entry.at, default=None)


def summarize(history: Sequence[HistoryEntry]) -> HistorySummary:
    """Return the facts of a history that decide which actions are possible."""
    answers = [place for place, entry in enumerate(history) if entry.answer is not None]
    since_answer = history[answers[-1] :] if answers else []
    return HistorySummary(
        answered=bool(answers),
        rated=any(entry.action is Action.RATE for entry in since_answer),
        objections=sum(entry.action is Action.OBJECT for entry in history),
    )
