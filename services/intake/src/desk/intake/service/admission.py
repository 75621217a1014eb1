"""What a request must pass before it is stored: on the public pages, and at the counter of an office."""

from dataclasses import dataclass, replace
from typing import Protocol

from desk.chassis.audit import AuditLog
from desk.chassis.captcha import CaptchaClient
from desk.chassis.rate_limits import Reservation
from desk.database import DatabaseSession
from desk.intake.counter_forms import CounterSubmission
from desk.intake.domain import Request
from desk.intake.forms import Submission
from desk.intake.service.mobile_check import MobileCheck
from desk.intake.service.mobile_proof import MobileProof
from desk.intake.service.submission_limits import SubmissionLimits


class Admission(Protocol):
    """The checks of one submission."""

    @property
    def audited(self) -> bool:
        """Whether :meth:`record` writes an entry, which needs a transaction."""

    async def check(self, request: Request, claim: str) -> Request:
        """Check everything that costs others something, the codes last: each answer is right again for ``claim``.

        Return the request with the result of the check of its mobile. Raises DomainError subclasses.
        """

    async def reserve(self, request: Request) -> Reservation:
        """Count the submission before it is stored. Raises RateLimitExceededError or ServiceUnavailableError."""

    async def record(self, session: DatabaseSession, request: Request) -> None:
        """Record the submission in the transaction that stores it."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What the checks of all submissions have in common."""

    limits: SubmissionLimits
    mobile_proof: MobileProof
    mobile_check: MobileCheck | None
    """None if the desk is not connected to the register of mobiles."""


@dataclass(frozen=True, slots=True)
class WebAdmission:
    """The checks of a submission on the public pages by a caller at the address ``source``."""

    checks: Checks
    captcha: CaptchaClient
    form: Submission
    source: str
    audited: bool = False

    async def check(self, request: Request, claim: str) -> Request:
        """Check the mobile, the security code and, where one is needed, the code by SMS."""
        proof, captcha = self.checks.mobile_proof, self.form.captcha
        code = proof.required_code(request, self.form.mobile_code)
        if self.checks.mobile_check is not None:
            await self.checks.mobile_check.require_owner(request.applicant.national_id, request.contact.mobile)
        await self.captcha.check_answer(captcha.id, captcha.answer, claim=claim)
        if code is not None:
            await proof.check(code, request.contact.mobile, claim)
        return replace(request, mobile_proven=code is not None)

    async def reserve(self, request: Request) -> Reservation:
        """Count the submission for its identity, its recipients and the caller's network."""
        return await self.checks.limits.reserve(request, self.source)

    async def record(self, session: DatabaseSession, request: Request) -> None:
        """Record nothing: the request itself is the record."""


@dataclass(frozen=True, slots=True)
class CounterAdmission:
    """The checks of a request that an office registers; its assertion takes the place of a security code."""

    checks: Checks
    audit: AuditLog
    form: CounterSubmission
    office: str
    source: str
    audited: bool = True

    async def check(self, request: Request, claim: str) -> Request:
        """Check the owner of the applicant's own mobile, and the code that the applicant received as consent."""
        proof, mobile = self.checks.mobile_proof, request.contact.mobile
        code = proof.required_consent(mobile, self.form.mobile_code)
        is_own = self.form.mobile_owner == "own"
        if is_own and self.checks.mobile_check is not None:
            await self.checks.mobile_check.require_owner(request.applicant.national_id, mobile)
        if code is not None:
            await proof.check(code, mobile, claim)
        return replace(request, mobile_proven=is_own and code is not None)

    async def reserve(self, request: Request) -> Reservation:
        """Count the registration for its identity, its recipients and the office."""
        return await self.checks.limits.reserve_for_office(request, self.office)

    async def record(self, session: DatabaseSession, request: Request) -> None:
        """Record which office and which of its experts registered the request."""
        await self.audit.add(
            session,
            f"office {self.office}",
            "request_registered",
            subject=request.tracking_code,
            source=self.source,
            about=f"{self.form.source} by {self.form.expert}",
        )
