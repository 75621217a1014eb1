"""A case by its tracking code, as the desk has it: state, dates, offices. Nothing of it is personal."""

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from desk.expert.calls import SignedCalls
from desk.expert.errors import CaseRefusedError
from desk.expert.requests import Named, Titled

AUDIENCE = "desk.cases"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PastStay(_Read):
    """How long an office had a case. ``since`` is None if that was not recorded, ``until`` for the present office."""

    office: Named
    since: AwareDatetime | None
    until: AwareDatetime | None


class CaseStatus(_Read):
    """A case. ``province`` and the subjects are None once it is erased.

    ``due_at`` is the day promised to the applicant; ``office_due_at`` when the present office has to answer, if it got
    the case later. ``late`` is ``no``, ``office_notified`` or ``headquarters_notified``; others may be added.
    """

    tracking_code: str
    state: str
    state_title: str
    since: AwareDatetime
    office: Named
    province: Named | None
    subject: Titled | None
    sub_subject: Titled | None
    submitted_at: AwareDatetime
    due_at: AwareDatetime
    office_due_at: AwareDatetime | None = None
    next_deadline_at: AwareDatetime | None = None
    late: str = "no"
    objections: int = 0
    trail: list[PastStay] = Field(default_factory=list)
    """The offices that have had it, the present one last; only the latest stay of each."""


class Cases:
    """A client of the desk's route for single cases."""

    def __init__(
        self, url: str, office: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``office`` is a province's key or ``headquarters``; ``private_key`` the PEM of its own Ed25519 key."""
        self._calls = SignedCalls(url, office, private_key, AUDIENCE, CaseRefusedError, transport=transport)

    async def find(self, tracking_code: str) -> CaseStatus:
        """Return a case that the office has; headquarters finds those of all offices.

        Raises CaseRefusedError, with the code ``case_not_found`` also for a case of another office.
        """
        answer = await self._calls.send("GET", f"/api/office/cases/{tracking_code}")
        try:
            return CaseStatus.model_validate_json(self._calls.require_success(answer).content)
        except ValidationError as error:
            raise CaseRefusedError("unreadable", f"{error.error_count()} fields differ from the contract") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()
