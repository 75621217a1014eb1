"""Requests that an office registers for a person, at its counter or on the telephone."""

from dataclasses import dataclass

from desk.chassis.audit import AuditLog
from desk.chassis.crypto import Vault
from desk.chassis.problem import DomainError
from desk.chassis.rate_limits import RateLimits
from desk.database import Database
from desk.intake.counter_clients import CodeSender, CounterIdentity, CounterRegistry, SentCode
from desk.intake.counter_forms import CounterIdentityForm, CounterSubmission, MobileCodeForm
from desk.intake.domain import CodesOffError, Identity, MobileProofMode, ProvinceOfOtherOfficeError
from desk.intake.service.requests import Registrar, RequestSubmission, Submitted
from desk.iran.digits import clean_number
from desk.iran.offices import HEADQUARTERS


@dataclass(frozen=True, slots=True)
class Counter:
    """What offices may do for persons. Every look-up and every registration is in the audit log."""

    database: Database
    vault: Vault
    rate_limits: RateLimits
    audit: AuditLog
    registry: CounterRegistry
    codes: CodeSender
    codes_per_office: str
    mode: MobileProofMode
    submission: RequestSubmission

    async def identify(self, form: CounterIdentityForm, registrar: Registrar) -> CounterIdentity:
        """Look a person up, and record it before the names are returned; a look-up without a result is recorded too.

        Raises the errors of :meth:`CounterRegistry.identify`.
        """
        outcome = "unanswered"
        try:
            found = await self.registry.identify(form.national_id, form.birth_date, registrar.office)
            outcome = found.status
        except DomainError as error:
            outcome = error.code
            raise
        finally:
            await self._record_look_up(form, registrar, outcome)
        return found

    async def _record_look_up(self, form: CounterIdentityForm, registrar: Registrar, outcome: str) -> None:
        async with self.database.transaction() as session:
            await self.audit.add(
                session,
                f"office {registrar.office}",
                "identity_looked_up",
                subject=self.vault.index(clean_number(form.national_id), "national_id"),
                source=registrar.source,
                about=f"{outcome} by {form.expert}",
            )

    async def send_code(self, form: MobileCodeForm, registrar: Registrar) -> SentCode:
        """Send a code that the person reads out as consent; it counts for the office before it is sent.

        Raises CodesOffError, RateLimitExceededError, CodesExhaustedError or ServiceUnavailableError.
        """
        if self.mode == "off":
            raise CodesOffError
        await self.rate_limits.reserve(self.codes_per_office, "counter_codes", registrar.office)
        return await self.codes.send(form.mobile, form.language)

    async def register(self, identity: Identity, key: str, form: CounterSubmission, registrar: Registrar) -> Submitted:
        """Register a request of the office's own province; headquarters may for any.

        Raises ProvinceOfOtherOfficeError and the errors of :meth:`RequestSubmission.register`.
        """
        if registrar.office not in {form.province, HEADQUARTERS.key}:
            raise ProvinceOfOtherOfficeError
        return await self.submission.register(identity, key, form, registrar)
