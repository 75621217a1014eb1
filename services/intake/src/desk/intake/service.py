"""Intake's use cases: put up a file, take it back, submit a request, find it again."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database
from desk.intake import files
from desk.intake.announcements import whole
from desk.intake.catalog import FILES_MAX
from desk.intake.clients import CaptchaClient
from desk.intake.codes import new_tracking_code
from desk.intake.domain import (
    Applicant,
    AttachmentNotFoundError,
    Bearer,
    Contact,
    IdempotencyKeyReusedError,
    IdentityState,
    Request,
    RequestNotFoundError,
    TooManyFilesError,
    UnknownAttachmentError,
    UnknownProvinceKeyError,
    choose_subject,
    due_moment,
)
from desk.intake.events import (
    RequestPending,
    RequestSubmitted,
    WholeRequest,
)
from desk.intake.forms import Submission
from desk.intake.receipts import Receipts
from desk.intake.store import Attachment, AttachmentStore, CheckStore, RequestStore
from desk.iran.provinces import UnknownProvinceError, province
from desk.iran.workdays import WorkCalendar

log = structlog.get_logger(__name__)

_CODE_TRIES = 3


class StorageUnavailableError(ServiceUnavailableError):
    """Files cannot be kept just now; everything else works."""

    code = "storage_unavailable"
    title = "در این لحظه نمی‌توان فایل دریافت کرد. می‌توانید کمی بعد دوباره تلاش کنید یا درخواست را بدون پیوست بفرستید."


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person behind an identity token, and the token's own id."""

    bearer: Bearer
    visit: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request and its files."""

    request: Request
    attachments: Sequence[Attachment]


@dataclass(frozen=True, slots=True)
class _Submission:
    """By what a repeat is known: keyed hashes of person and key, and of the content."""

    idempotency_index: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The submitted request and its attachments."""

    database: Database
    vault: Vault
    outbox: Outbox
    storage: ObjectStore
    captcha: CaptchaClient
    receipts: Receipts
    first_check_after: timedelta
    """How long an identity that is pending waits to be looked up."""
    calendar: WorkCalendar = field(default_factory=WorkCalendar)

    async def attach(self, visitor: Visitor, content: BinaryIO, name: str) -> Attachment:
        """Check a file and keep it until a request claims it. Raises the errors of :mod:`desk.intake.files`."""
        checked = await asyncio.to_thread(files.check, content, name)
        async with self.database.transaction() as session:
            await self._demand_room(session, visitor)
        file_id = str(uuid.uuid4())
        try:
            await self.storage.put(file_id, content, checked.size, checked.media_type)
        except ObjectStoreUnavailableError as error:
            raise StorageUnavailableError(str(error)) from error
        try:
            async with self.database.transaction() as session:
                store = AttachmentStore(session, self.vault)
                await store.lock_uploads(visitor.visit)
                await self._demand_room(session, visitor)  # again: files sent at the same time may have taken it
                await store.add(file_id, checked, national_id=visitor.bearer.national_id, visit=visitor.visit)
        except Exception:
            await self._delete_unrecorded(file_id)
            raise
        return Attachment(file_id, checked.name, checked.size, checked.media_type, checked.sha256)

    async def _delete_unrecorded(self, file_id: str) -> None:
        """Leave nothing of a file that got no row; if that fails too, the first failure is the one to tell."""
        try:
            await self.storage.delete(file_id)
        except ObjectStoreUnavailableError:
            log.warning("object left behind", object=file_id)

    async def _demand_room(self, session: AsyncSession, visitor: Visitor) -> None:
        if await AttachmentStore(session, self.vault).waiting(visitor.visit) >= FILES_MAX:
            raise TooManyFilesError

    async def detach(self, visitor: Visitor, file_id: uuid.UUID) -> None:
        """Take back a file that no request has claimed. Raises AttachmentNotFoundError or StorageUnavailableError."""
        async with self.database.transaction() as session:
            store = AttachmentStore(session, self.vault)
            if not await store.remove_unclaimed(str(file_id), visitor.bearer.national_id):
                raise AttachmentNotFoundError
            try:
                await self.storage.delete(str(file_id))
            except ObjectStoreUnavailableError as error:  # the row stays, so that the object is not forgotten
                raise StorageUnavailableError(str(error)) from error

    async def submit(self, bearer: Bearer, key: str, form: Submission) -> Submitted:
        """Take a request: all of it, with its files and its announcement, or nothing.

        If the identity is pending, no province hears of it before the applicant has been looked up.

        A repeat with the same key and content gives the first answer again, whatever has become of its security
        code. Raises DomainError subclasses for whatever the applicant must mend.
        """
        applicant = bearer.applicant(form.typed)
        submission = _Submission(
            idempotency_index=self.vault.index(f"{applicant.national_id}/{key}", "idempotency"),
            fingerprint=self._fingerprint(form),
        )
        identity = IdentityState.PENDING if bearer.person is None else IdentityState.KNOWN
        request = self._compose(applicant, identity, form)
        try:
            await self._keep_files(form, applicant)
            await self.captcha.demand(form.captcha.id, form.captcha.answer, claim=submission.idempotency_index)
        except DomainError:
            # A repeat finds its files claimed and its code spent: by the first, to which it gets the answer again.
            async with self.database.transaction() as session:
                earlier = await self._repeated(session, submission, form)
            if earlier is None:
                raise
            return earlier
        for _ in range(_CODE_TRIES):
            try:
                async with self.database.transaction() as session:
                    return await self._write(session, request, form, submission)
            except IntegrityError:  # somebody has this tracking code
                request = self._compose(applicant, identity, form)
        raise ServiceUnavailableError("no free tracking code")

    async def _keep_files(self, form: Submission, applicant: Applicant) -> None:
        """See that the files are there and will stay. Raises UnknownAttachmentError or StorageUnavailableError."""
        if not form.attachments:
            return
        async with self.database.transaction() as session:
            attachments = await self._own_files(session, form, applicant)
        try:
            await asyncio.gather(*(self.storage.keep(each.id) for each in attachments))
        except ObjectMissingError:
            raise UnknownAttachmentError("the object is gone") from None
        except ObjectStoreUnavailableError as error:
            raise StorageUnavailableError(str(error)) from error

    async def _write(
        self, session: AsyncSession, request: Request, form: Submission, submission: _Submission
    ) -> Submitted:
        """Write request, claims and announcement, or give the answer of who came first with this key.

        Raises IntegrityError if the tracking code is taken.
        """
        added = await RequestStore(session, self.vault).add(
            request, idempotency_index=submission.idempotency_index, fingerprint=submission.fingerprint
        )
        if not added:
            earlier = await self._repeated(session, submission, form)
            if earlier is None:
                raise ServiceUnavailableError("the request that came first was taken back")
            return earlier
        attachments = await self._own_files(session, form, request.applicant)
        if attachments:
            await AttachmentStore(session, self.vault).claim([each.id for each in attachments], request.id)
        submitted = Submitted(request, attachments)
        announcement: WholeRequest
        if request.identity is IdentityState.PENDING:
            await CheckStore(session, self.vault).add(request, request.submitted_at + self.first_check_after)
            announcement = RequestPending.model_validate(whole(request, attachments))
        else:
            announcement = RequestSubmitted.model_validate(whole(request, attachments) | {"identity": "confirmed"})
        await self.outbox.add(session, announcement, subject=request.tracking_code, key=request.province, seq=1)
        return submitted

    async def _repeated(self, session: AsyncSession, submission: _Submission, form: Submission) -> Submitted | None:
        """Give the answer to an earlier submission with this key. Raises IdempotencyKeyReusedError.

        Between a submission and its repeat the registry may have come back or gone away: then only one of them has
        typed names, and that is no other content.
        """
        found = await RequestStore(session, self.vault).by_key(submission.idempotency_index)
        if found is None:
            return None
        request, first_fingerprint = found
        if submission.fingerprint != first_fingerprint:
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

    def _compose(self, applicant: Applicant, identity: IdentityState, form: Submission) -> Request:
        try:
            chosen_province = province(form.province)
        except UnknownProvinceError:
            raise UnknownProvinceKeyError from None
        subject, sub_subject = choose_subject(form.subject, form.sub_subject)
        now = datetime.now(UTC).replace(microsecond=0)
        return Request(
            id=uuid.uuid4(),
            tracking_code=new_tracking_code(),
            submitted_at=now,
            due_at=due_moment(now, sub_subject, self.calendar),
            province=chosen_province.key,
            subject=subject,
            sub_subject=sub_subject,
            applicant=applicant,
            contact=Contact(
                mobile=form.mobile,
                landline=form.landline.e164 if form.landline else None,
                email=form.email,
                language=form.language,
            ),
            text=form.text,
            identity=identity,
        )

    def _fingerprint(self, form: Submission) -> str:
        """Keyed hash of the content.

        The security code is no part of it, since a retry may carry a new one, nor is the language, since the page may
        be read in another one; typed names are compared apart.
        """
        return self.vault.index(form.model_dump_json(exclude={"captcha", "applicant", "language"}), "fingerprint")

    async def find(self, session: AsyncSession, national_id: str, tracking_code: str) -> Request:
        """Find a person's request by its code. Raises RequestNotFoundError."""
        request = await RequestStore(session, self.vault).find(national_id, tracking_code)
        if request is None:
            raise RequestNotFoundError
        return request

    async def codes(
        self, session: AsyncSession, since: datetime, until: datetime, after: str, limit: int
    ) -> list[tuple[str, IdentityState, datetime | None]]:
        """List codes of a period with what is known of the identity, and since when: nothing personal."""
        store = RequestStore(session, self.vault)
        return await store.submitted_between(since, until, after=after, limit=limit)

    async def open_attachment(self, session: AsyncSession, file_id: str) -> tuple[Attachment, AsyncIterator[bytes]]:
        """Open a file that belongs to a request. Raises AttachmentNotFoundError."""
        attachment = await AttachmentStore(session, self.vault).claimed(file_id)
        if attachment is None:
            raise AttachmentNotFoundError
        return attachment, self.storage.read(file_id)
