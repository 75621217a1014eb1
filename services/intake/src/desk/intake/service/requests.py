"""Submitting a request, and looking submitted requests up for tracking."""

import hmac
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.captcha import CaptchaClient
from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.chassis.storage import ObjectStore
from desk.database import Database
from desk.intake.domain import (
    Applicant,
    Attachment,
    Contact,
    IdempotencyKeyReusedError,
    Identity,
    IdentityState,
    Request,
    RequestNotFoundError,
    RequestRepeatedError,
    Titled,
    UnknownAttachmentError,
    UnknownProvinceKeyError,
    assign_documents,
    due_moment,
    new_tracking_code,
    read_fields,
)
from desk.intake.events import WholeRequest, request_pending, request_submitted
from desk.intake.forms import Submission
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


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request and its files."""

    request: Request
    attachments: Sequence[Attachment]


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
        applicant = identity.applicant(form.typed)
        key = _Key(
            claim=hmac.digest(idempotency_key.encode(), applicant.national_id.encode(), "sha256").hex(),
            idempotency_indexes=self.vault.indexes(f"{applicant.national_id}/{idempotency_key}", "idempotency"),
            fingerprints=self._fingerprints(form),
        )
        state = IdentityState.PENDING if identity.person is None else IdentityState.KNOWN
        request = self._compose(applicant, state, form)
        try:
            request = await self._check(request, form, key)
            return await self._store(request, form, key, source)
        except DomainError:
            # The first submission claimed the files, used the codes up and may have used up a limit, so a repeat is
            # refused here.
            async with self.database.transaction() as session:
                earlier = await self._repeated(session, key, form)
            if earlier is None:
                raise
            return earlier

    async def _check(self, request: Request, form: Submission, key: _Key) -> Request:
        """Check everything that costs others something, the codes last: each answer is right again for this key."""
        code = self.mobile_proof.required_code(request, form.mobile_code)
        if self.mobile_check is not None:
            await self.mobile_check.require_owner(request.applicant.national_id, form.mobile)
        await self._keep_files(form, request.applicant)
        await self.captcha.check_answer(form.captcha.id, form.captcha.answer, claim=key.claim)
        if code is not None:
            await self.mobile_proof.check(code, form.mobile, key.claim)
        return replace(request, mobile_proven=code is not None)

    async def _store(self, request: Request, form: Submission, key: _Key, source: str) -> Submitted:
        """Count the submission and store it. Raises RateLimitExceededError and the errors of :meth:`_write`."""
        reservation = await self.limits.reserve(request, source)
        stored = False
        try:
            for _ in range(_CODE_ATTEMPTS):
                try:
                    async with self._session(request, form, key) as session:
                        submitted = await self._write(session, request, form, key)
                except IntegrityError:  # another request has this tracking code
                    request = replace(request, tracking_code=new_tracking_code())
                else:
                    stored = submitted.request.id == request.id
                    return submitted
            raise ServiceUnavailableError("no free tracking code")
        finally:
            if not stored:  # refused, or a repeat of an earlier submission, which was counted then
                await self.limits.release(reservation)

    async def _keep_files(self, form: Submission, applicant: Applicant) -> None:
        """Make the store keep the files. Raises UnknownAttachmentError or StorageUnavailableError."""
        if not form.attachments:
            return
        async with self.database.transaction() as session:
            attachments = await self._own_files(session, form, applicant)
        await keep_objects(self.storage, attachments)

    def _session(self, request: Request, form: Submission, key: _Key) -> AbstractAsyncContextManager[AsyncSession]:
        """Return a session for :meth:`_write`: most requests need no transaction, because one statement inserts all.

        That statement is never the first of its session. A database that hangs would execute it later, although the
        applicant has read an error.
        """
        needs_lock = len(key.idempotency_indexes) > 1
        if form.again or form.attachments or request.identity is IdentityState.PENDING or needs_lock:
            return self.database.transaction()
        return self.database.one_write()

    async def _write(self, session: AsyncSession, request: Request, form: Submission, key: _Key) -> Submitted:
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
        self, session: AsyncSession, request: Request, event: WholeRequest, form: Submission, key: _Key
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

    async def _repeated(self, session: AsyncSession, key: _Key, form: Submission) -> Submitted | None:
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

    async def _own_files(self, session: AsyncSession, form: Submission, applicant: Applicant) -> list[Attachment]:
        ids = [str(file_id) for file_id in dict.fromkeys(form.attachments)]
        found = await AttachmentStore(session, self.vault).unclaimed(ids, applicant.national_id) if ids else []
        if len(found) != len(ids):
            raise UnknownAttachmentError
        return found

    def _compose(self, applicant: Applicant, state: IdentityState, form: Submission) -> Request:
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
            contact=Contact(
                mobile=form.mobile,
                landline=form.landline.e164 if form.landline else None,
                email=form.email,
                language=form.language,
            ),
            text=form.text,
            identity=state,
            office=sub_subject.office or "",
            catalog_version=current.version,
            fields=read_fields(sub_subject, form.fields),
            documents=assign_documents(
                sub_subject, {key: str(file) for key, file in form.documents.items()}, map(str, form.attachments)
            ),
        )

    def _fingerprints(self, form: Submission) -> list[str]:
        """Return keyed hashes of the content.

        It excludes the codes, since a retry may have new ones, the language, since the page may have been
        switched to another one, and the confirmation of a repeat. Typed names are compared separately.
        """
        return self.vault.indexes(
            form.model_dump_json(exclude={"captcha", "mobile_code", "applicant", "language", "again"}), "fingerprint"
        )


@dataclass(frozen=True, slots=True)
class SubmittedRequests:
    """Looks submitted requests up."""

    vault: Vault
    outbox: Outbox

    async def find(self, session: AsyncSession, national_id: str, tracking_code: str) -> Request:
        """Return an applicant's request by its code. Raises RequestNotFoundError."""
        request = await RequestStore(session, self.vault).find(national_id, tracking_code)
        if request is None:
            raise RequestNotFoundError
        return request

    async def identity_of(self, session: AsyncSession, tracking_code: str) -> IdentityState:
        """Return the state of the identity of a request by its code. Raises RequestNotFoundError."""
        state = await RequestStore(session, self.vault).identity_of(tracking_code)
        if state is None:
            raise RequestNotFoundError
        return state

    async def files_of(self, session: AsyncSession, request: Request) -> list[Attachment]:
        """Return the files of a request in the order of their upload."""
        return await AttachmentStore(session, self.vault).of_request(request.id)

    async def list_codes(
        self, session: AsyncSession, since: datetime, until: datetime, after: str, limit: int
    ) -> list[tuple[str, IdentityState, datetime | None]]:
        """List the codes of a period with the state of each identity and its moment; nothing personal."""
        store = RequestStore(session, self.vault)
        return await store.submitted_between(since, until, after=after, limit=limit)

    async def backlog(self, session: AsyncSession) -> tuple[int, float]:
        """Return the number of unsent events and the age of the oldest in seconds."""
        return await self.outbox.backlog(session)
