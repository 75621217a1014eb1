"""What the pages show of cases: a page of a list, and one case with everything about it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from desk.console.domain.states import Kind
from desk.console.store.cases import CaseRecord, HistoryEntry, SubSubject
from desk.console.store.reports import SentReport
from desk.console.store.templates import Template
from desk.expert import APPLICANT_ACTIONS, FileReference

UNANNOUNCED = frozenset({Kind.RECEIVED, Kind.ASSIGNED, Kind.OPENED})
"""Reports that decide nothing: the page does not mention that they are on their way."""
NOTICE_FAILED = "request-notice-failed"
CONTACT_CHANGED = "request-contact-changed"
USUAL_DELAY = timedelta(seconds=15)
"""How long a report may take to reach the desk before the page mentions it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. ``names`` are those of the experts who have claimed cases, by account id."""

    cases: list[CaseRecord]
    names: dict[str, str]
    sub_subjects: list[SubSubject]
    more: bool
    sending: frozenset[str] = frozenset()
    """Tracking codes of cases whose latest report the desk has not accepted yet."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything that its page shows. ``names`` are those of the accounts in it, by account id."""

    record: CaseRecord
    history: list[HistoryEntry]
    names: dict[str, str]
    templates: list[Template]
    reports: list[SentReport] = field(default_factory=list)

    @property
    def files(self) -> dict[str, FileReference]:
        """The applicant's files, by id: those of the request and of replies, to this province or one before."""
        request = self.record.request
        files = [file for entry in self.history for file in entry.files]
        if request is not None:
            files += [*request.attachments, *(file for step in request.history for file in step.files)]
        return {file.id: file for file in files}

    @property
    def unreached(self) -> bool:
        """Whether an SMS failed after the latest action of the applicant, who may not know what it said.

        Another mobile answers it too: the applicant has just been on the tracking page.
        """
        for entry in reversed(self.history):
            if entry.kind == NOTICE_FAILED:
                return True
            if entry.kind in APPLICANT_ACTIONS or entry.kind == CONTACT_CHANGED:
                return False
        return False

    @property
    def sending(self) -> bool:
        """Whether the desk has not accepted the latest decision or question yet; until then it may refuse a file."""
        actions = [each for each in self.reports if each.name not in UNANNOUNCED]
        return bool(actions) and not actions[-1].sent and actions[-1].refused is None

    def unsent(self, now: datetime) -> bool:
        """Return whether a report of an expert takes unusually long to reach the desk."""
        waiting = (each for each in self.reports if not each.sent and each.refused is None)
        return any(each.name not in {Kind.RECEIVED, Kind.OPENED} and now - each.at > USUAL_DELAY for each in waiting)
