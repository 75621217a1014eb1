"""Submitting a request: by its applicant, or by an office for an applicant."""

import hmac
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError

from desk.chassis.audit import AuditLog
from desk.chassis.captcha import CaptchaClient
from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.chassis.storage import ObjectStore
from desk.database import Database, DatabaseSession
from desk.intake.counter_forms import CounterSubmission
from desk.intake.domain import (
    Applicant,
    Attachment,
    IdempotencyKeyReusedError,
    Identity,
    IdentityState,
    Origin,
    Request,
    RequestRepeatedError,
    Titled,
    UnknownAttachmentError,
    UnknownProvinceKeyError,
    due_moment,
    new_tracking_code,
    require_other_person,
)
from desk.intake.events import WholeRequest, request_pending, request_submitted
from desk.intake.forms import RequestForm, Submission
from desk.intake.service.admission import Admission, Checks, CounterAdmission, WebAdmission
from desk.intake.service.attachments import keep_objects
from desk.intake.service.current_catalog import CurrentCatalog
from desk.intake.service.mobile_check import MobileCheck
from desk.intake.service.mobile_proof import MobileProof
from desk.intake.service.submission_limits import SubmissionLimits
from desk.intake.store import AttachmentStore, IdentityCheckStore, RequestStore
from desk.iran.provinces import UnknownProvinceError, province
from desk.iran.workdays import WorkCalendar

_CODE_ATTEMPTS = 3
_REPEATED_WITHIN = timedelta(days=1)
_NO_CONTENT = {"captcha", "mobile_code", "applicant", "language", "again", "identity_token"}
"""The fields of a form that a repeat may have other values of."""
_FIRST_FIELDS = {"province", "abroad", "mobile", "email", "landline", "subject", "sub_subject", "text", "attachments"}
"""The fields that every version has."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request and its files."""

    request: Request
    attachments: Sequence[Attachment]


@dataclass(frozen=True, slots=True)
class Registrar:
    """The office that registers a request, and the address of its program."""

    office: str
    source: str


@dataclass(frozen=True, slots=True)
class _Key:
    """Hashes that identify a repeated submission."""

    claim: str
    """Of applicant and Idempotency-Key, for which a security code is right again. It is short-lived, and needs no index
    key, so that old and new replicas agree while that key is changed."""
    idempotency_indexes: Sequence[str]
    """Of applicant and Idempotency-Key, under each index key, the current one first."""
    fingerprints: Sequence[str]
    """Of the content, in the same order."""


@dataclass(frozen=True, slots=True)
class RequestSubmission:
    """Submits requests."""

    database: Database
    vault: Vault
    outbox: Outbox
    storage: ObjectStore
    captcha: CaptchaClient
    catalog: CurrentCatalog
    limits: SubmissionLimits
    mobile_proof: MobileProof
    audit: AuditLog
    first_check_after: timedelta
    """The time from the submission to the first look-up of a pending identity."""
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    mobile_check: MobileCheck | None = None
    """None if the desk is not connected to the register of mobiles."""

    async def submit(self, identity: Identity, idempotency_key: str, form: Submission, source: str) -> Submitted:
        """Store a request with its files and its event, all of them or nothing.

        No province receives a request whose identity is pending before the applicant has been looked up.

        A repeat with the same key and content returns the first result again, even if its security code has expired.
        ``source`` is the caller's address. Raises DomainError subclasses for what the applicant must correct, and
        RateLimitExceededError.
        """
        admission = WebAdmission(self._checks, self.captcha, form, source)
        return await self._accept(identity, idempotency_key, form, form.origin, admission)

    async def register(
        self, identity: Identity, idempotency_key: str, form: CounterSubmission, registrar: Registrar
    ) -> Submitted:
        """Store a request that an office registers for an applicant; otherwise as :meth:`submit`."""
        admission = CounterAdmission(self._checks, self.audit, form, registrar.office, registrar.source)
        return await self._accept(identity, idempotency_key, form, form.origin_at(registrar.office), admission)

    @property
    def _checks(self) -> Checks:
        return Checks(self.limits, self.mobile_proof, self.mobile_check)

    async def _accept(
        self, identity: Identity, idempotency_key: str, form: RequestForm, origin: Origin, admission: Admission
    ) -> Submitted:
        applicant = identity.applicant(form.typed)
        require_other_person(applicant.national_id, origin)
        key = _Key(
            claim=hmac.digest(idempotency_key.encode(), applicant.national_id.encode(), "sha256").hex(),
            idempotency_indexes=self.vault.indexes(f"{applicant.national_id}/{idempotency_key}", "idempotency"),
            fingerprints=self._fingerprints(form),
        )
        state = IdentityState.PENDING if identity.person is None else IdentityState.KNOWN
        try:
            request = self._compose(applicant, state, form, origin)
            await self._keep_files(form, request.applicant)
            request = await admission.check(request, key.claim)
            return await self._store(request, form, key, admission)
        except DomainError:
            # A repeat: the first one claimed the files and used up the codes, and the catalogue may have changed since.
            async with self.database.transaction() as session:
                earlier = await self._repeated(session, key, form)
            if earlier is None:
                raise
            return earlier

    async def _store(self, request: Request, form: RequestForm, key: _Key, admission: Admission) -> Submitted:
        """Count the submission and store it. Raises RateLimitExceededError and the errors of :meth:`_write`."""
        reservation = await admission.reserve(request)
        stored = False
        try:
            for _ in range(_CODE_ATTEMPTS):
                try:
                    async with self._session(request, form, key, admission) as session:
                        submitted = await self._write(session, request, form, key)
                        if submitted.request.id == request.id:
                            await admission.record(session, request)
                except IntegrityError:  # another request has this tracking code
                    request = replace(request, tracking_code=new_tracking_code())
                else:
                    stored = submitted.request.id == request.id
                    return submitted
            raise ServiceUnavailableError("no free tracking code")
        finally:
            if not stored:  # refused, or a repeat of an earlier submission, which was counted then
                await self.limits.release(reservation)

    async def _keep_files(self, form: RequestForm, applicant: Applicant) -> None:
        """Make the store keep the files. Raises UnknownAttachmentError or StorageUnavailableError."""
        if not form.attachments:
            return
        async with self.database.transaction() as session:
            attachments = await self._own_files(session, form, applicant)
        await keep_objects(self.storage, attachments)

    def _session(
        self, request: Request, form: RequestForm, key: _Key, admission: Admission
    ) -> AbstractAsyncContextManager[DatabaseSession]:
        """Return a session for :meth:`_write`: most requests need no transaction, because one statement inserts all.

        That statement is never the first of its session. A database that hangs would execute it later, although the
        applicant has read an error.
        """
        several = len(key.idempotency_indexes) > 1 or admission.audited
        if form.again or form.attachments or request.identity is IdentityState.PENDING or several:
            return self.database.transaction()
        return self.database.one_write()

    async def _write(self, session: DatabaseSession, request: Request, form: RequestForm, key: _Key) -> Submitted:
        """Insert request, claims and event, or return the result of an earlier submission with this key.

        Raises IntegrityError if the tracking code is taken, and RequestRepeatedError.
        """
        store = RequestStore(session, self.vault)
        since = request.submitted_at - _REPEATED_WITHIN
        await store.lock_key(key.idempotency_indexes)
        if not form.again and await store.has_other_with_content(request, key.idempotency_indexes, since):
            raise RequestRepeatedError
        attachments = await self._own_files(session, form, request.applicant)
        pending = request.identity is IdentityState.PENDING
        event = (
            request_pending(request, attachments) if pending else request_submitted(request, attachments, "confirmed")
        )
        if not await self._add(session, request, event, form, key):
            earlier = await self._repeated(session, key, form)
            if earlier is None:
                raise ServiceUnavailableError("the earlier submission was rolled back")
            return earlier
        if attachments:
            await AttachmentStore(session, self.vault).claim([each.id for each in attachments], request.id)
        if pending:
            await IdentityCheckStore(session, self.vault).add(request, request.submitted_at + self.first_check_after)
        return Submitted(request, attachments)

    async def _add(
        self, session: DatabaseSession, request: Request, event: WholeRequest, form: RequestForm, key: _Key
    ) -> bool:
        """Insert request and event; False if the request repeats an earlier one. Raises IdempotencyKeyReusedError."""
        if len(key.idempotency_indexes) > 1 and await self._repeated(session, key, form) is not None:
            return False  # also if that one has the hash of the other index key
        return await RequestStore(session, self.vault).add(
            request,
            self.outbox.row(event, subject=request.tracking_code, key=request.first_office, seq=1),
            idempotency_index=key.idempotency_indexes[0],
            fingerprint=key.fingerprints[0],
        )

    async def _repeated(self, session: DatabaseSession, key: _Key, form: RequestForm) -> Submitted | None:
        """Return the result of an earlier submission with this key. Raises IdempotencyKeyReusedError.

        The registry may become available or unavailable between a submission and its repeat. Then only one of them
        has typed names, which does not count as different content.
        """
        found = await RequestStore(session, self.vault).by_key(key.idempotency_indexes)
        if found is None:
            return None
        request, first_fingerprint = found
        if first_fingerprint not in key.fingerprints:
            raise IdempotencyKeyReusedError
        if form.typed and request.identity is not IdentityState.KNOWN and request.applicant.person != form.typed:
            raise IdempotencyKeyReusedError
        return Submitted(request, await AttachmentStore(session, self.vault).of_request(request.id))

    async def _own_files(self, session: DatabaseSession, form: RequestForm, applicant: Applicant) -> list[Attachment]:
        ids = [str(file_id) for file_id in dict.fromkeys(form.attachments)]
        found = await AttachmentStore(session, self.vault).unclaimed(ids, applicant.national_id) if ids else []
        if len(found) != len(ids):
            raise UnknownAttachmentError
        return found

    def _compose(self, applicant: Applicant, state: IdentityState, form: RequestForm, origin: Origin) -> Request:
        try:
            chosen_province = province(form.province)
        except UnknownProvinceError:
            raise UnknownProvinceKeyError from None
        current = self.catalog.get()
        subject, sub_subject = current.catalog.choose_open(form.subject, form.sub_subject)
        now = datetime.now(UTC).replace(microsecond=0)
        return Request(
            id=uuid.uuid4(),
            tracking_code=new_tracking_code(),
            submitted_at=now,
            due_at=due_moment(now, sub_subject, current.calendar(self.calendar)),
            province=chosen_province.key,
            subject=Titled(subject.key, subject.title),
            sub_subject=Titled(sub_subject.key, sub_subject.title),
            applicant=applicant,
            contact=form.contact,
            content=form.content(sub_subject),
            identity=state,
            office=sub_subject.office or "",
            catalog_version=current.version,
            origin=origin,
        )

    def _fingerprints(self, form: RequestForm) -> list[str]:
        """Return keyed hashes of the content.

        It excludes the codes and the token, since a retry may have new ones, the language, since the page may have been
        switched to another one, and the confirmation of a repeat. Typed names are compared separately. Later fields
        count only if they are set, so that replicas of both versions agree.
        """
        later = type(form).model_fields.keys() - _FIRST_FIELDS
        unset = {name for name in later if not getattr(form, name)}
        return self.vault.indexes(form.model_dump_json(exclude=_NO_CONTENT | unset), "fingerprint")
