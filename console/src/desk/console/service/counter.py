"""Registers requests for applicants at the counter or on the telephone.

What is known between the steps is in the pages themselves, encrypted for the account. The console stores of a request
that is not registered only a form whose session has expired.
"""

import base64
import binascii
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ValidationError

from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.cases import FILES_MAX
from desk.console.domain.counter import (
    DOCUMENT_PREFIX,
    FIELD_PREFIX,
    IDENTITY_FIELDS,
    REQUEST_FIELDS,
    CounterFaultsError,
    has_landline,
    has_representative,
    identity_faults,
    page_field,
    request_faults,
)
from desk.console.domain.errors import FieldError, FormExpiredError
from desk.console.encryption import DecryptionError, Encryption
from desk.console.service.subjects import Subjects
from desk.console.store.audit import AuditStore
from desk.console.store.reports import NewFile
from desk.database import Database
from desk.expert import (
    Code,
    Counter,
    CounterReceipt,
    CounterRequest,
    Identified,
    LandlineForm,
    RegistrationRefusedError,
    RepresentativeForm,
    SubSubject,
    TypedNames,
)
from desk.iran.digits import clean_number, to_persian

UNAVAILABLE = "میز خدمت اکنون پاسخ نمی‌دهد. آنچه نوشته‌اید در همین صفحه است؛ چند دقیقهٔ دیگر دوباره تلاش کنید."
CODES_OFF = "codes_off"


class Attached(BaseModel):
    """A file that was uploaded for the request."""

    id: str
    name: str


class CounterState(BaseModel):
    """A registration between its steps. ``code_id`` is set once a code was sent to the mobile of ``typed``."""

    source: str
    national_id: str
    birth_date: str
    person: Identified
    key: str
    typed: dict[str, str] = {}
    code_id: str = ""
    files: list[Attached] = []
    documents: dict[str, str] = {}
    """The file that is each document of the sub-subject, by the document's key."""


@dataclass(frozen=True, slots=True)
class CounterDesk:
    """The use cases of an expert at the counter. The caller checks that the account has the right."""

    database: Database
    encryption: Encryption
    clients: DeskClients
    subjects: Subjects
    clock: Callable[[], datetime]

    def seal(self, account: Account, state: CounterState) -> str:
        """Return a state for a form, readable by this account's requests only."""
        sealed = self.encryption.seal(state.model_dump_json().encode(), f"counter.state:{account.id}")
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, account: Account, sealed: str) -> CounterState:
        """Return the state of a form. Raises FormExpiredError for one of another account or a changed one."""
        try:
            plain = self.encryption.open(base64.urlsafe_b64decode(sealed.encode()), f"counter.state:{account.id}")
            return CounterState.model_validate_json(plain)
        except (binascii.Error, UnicodeEncodeError, DecryptionError, ValidationError):
            raise FormExpiredError from None

    def restore(self, account: Account, unsent: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """Return the person of a form that was not sent, and its sealed texts for :meth:`look_up`, if it has any.

        Files are not kept: they were uploaded with the token of the earlier look-up. Raises FormExpiredError.
        """
        typed = {name: unsent.get(name, "") for name in IDENTITY_FIELDS}
        if not unsent.get("state"):
            return typed, ""
        state = self.open(account, unsent["state"])
        texts = {name: text for name, text in unsent.items() if name in REQUEST_FIELDS or name.startswith(FIELD_PREFIX)}
        person = typed if any(typed.values()) else {name: getattr(state, name) for name in IDENTITY_FIELDS}
        changes = {"typed": texts or state.typed, "code_id": "", "files": [], "documents": {}}
        return person, self.seal(account, state.model_copy(update=changes))

    async def look_up(self, account: Account, typed: Mapping[str, str], earlier: str = "") -> CounterState:
        """Look a person up, which is recorded before; ``earlier``: sealed texts, used if they are of that person.

        Raises CounterFaultsError and FormExpiredError.
        """
        kept = self.open(account, earlier) if earlier else None
        if faults := identity_faults(typed):
            raise CounterFaultsError(faults)
        await self._record(account, "counter_look_up", about=self._hash_of(typed["national_id"]))
        try:
            person = await self._client(account).identify(
                typed["national_id"], typed["birth_date"], expert=account.username
            )
        except RegistrationRefusedError as error:
            raise _refusal(error, on_page="national_id") from error
        return CounterState(
            source=typed["source"],
            national_id=typed["national_id"],
            birth_date=typed["birth_date"],
            person=person,
            key=str(uuid.uuid4()),
            typed=kept.typed if kept and clean_number(kept.national_id) == clean_number(typed["national_id"]) else {},
        )

    async def attach(self, account: Account, state: CounterState, files: Sequence[tuple[str, NewFile]]) -> CounterState:
        """Upload files of the person, each with the key of its document or an empty text. Raises CounterFaultsError.

        Return the state with them.
        """
        if len(state.files) + len(files) > FILES_MAX:
            raise CounterFaultsError({"files": f"حداکثر {to_persian(FILES_MAX)} فایل می‌توانید پیوست کنید."})
        attached, documents = list(state.files), dict(state.documents)
        for document, file in files:
            try:
                stored = await self._client(account).upload(state.person.token, file.name, file.content)
            except RegistrationRefusedError as error:
                raise _refusal(error, on_page="files") from error
            attached.append(Attached(id=stored.id, name=stored.name))
            documents |= {document: stored.id} if document else {}
        return state.model_copy(update={"files": attached, "documents": documents})

    async def sub_subject(self, account: Account, state: CounterState) -> SubSubject | None:
        """Return the chosen sub-subject; None if there is none."""
        return await self.subjects.sub_subject(account.province, state.typed.get("sub_subject", ""))

    async def submit(
        self, account: Account, state: CounterState, *, again: bool = False
    ) -> CounterState | CounterReceipt:
        """Check what was typed; send a code if there is a mobile, and register the request otherwise.

        Return the state with the code's id, or the receipt. Raises CounterFaultsError.
        """
        named = state.person.status == "matched"
        faults = request_faults(state.typed, named=named, any_province=account.of_headquarters)
        chosen = await self.sub_subject(account, state)
        if faults := faults | (_missing(chosen, state) if chosen else {}):
            raise CounterFaultsError(faults)
        if state.typed["mobile_owner"] == "none":
            return await self.register(account, state, again=again)
        return await self.send_code(account, state, again=again)

    async def send_code(
        self, account: Account, state: CounterState, *, again: bool = False
    ) -> CounterState | CounterReceipt:
        """Send a code to the mobile; if the desk sends none, register the request. Raises CounterFaultsError."""
        await self._record(account, "counter_code")
        try:
            sent = await self._client(account).send_code(state.typed["mobile"])
        except RegistrationRefusedError as error:
            if error.code == CODES_OFF:
                return await self.register(account, state, again=again)
            raise _refusal(error, on_page="mobile") from error
        return state.model_copy(update={"code_id": sent.id})

    async def register(
        self, account: Account, state: CounterState, code: str = "", *, again: bool = False
    ) -> CounterReceipt:
        """Register the request, once for each state. Raises CounterFaultsError."""
        request = await self._request(account, state, code, again=again)
        try:
            receipt = await self._client(account).register(request, state.key)
        except RegistrationRefusedError as error:
            raise _refusal(error, on_page="code" if state.code_id else "text") from error
        await self._record(account, "counter_register", tracking_code=receipt.tracking_code)
        return receipt

    async def _request(self, account: Account, state: CounterState, code: str, *, again: bool) -> CounterRequest:
        typed = state.typed
        try:
            subject, named = await self.subjects.find(account.province, typed["sub_subject"])
        except FieldError as error:
            raise CounterFaultsError({"sub_subject": error.title}) from None
        chosen = await self.sub_subject(account, state)
        return CounterRequest.model_validate(
            {
                "identity_token": state.person.token,
                "source": state.source,
                "expert": account.username,
                "mobile_owner": typed["mobile_owner"],
                "mobile": typed["mobile"],
                "mobile_code": Code(id=state.code_id, answer=code) if state.code_id and code else None,
                "province": typed["province"] if account.of_headquarters else account.province,
                "subject": subject.key,
                "sub_subject": named.key,
                "text": typed["text"],
                "email": typed["email"] or None,
                "landline": _landline(typed),
                "applicant": _names(state),
                "representative": _representative(typed),
                "fields": _fields(chosen, typed) if chosen else {},
                "attachments": [each.id for each in state.files],
                "documents": _documents(chosen, state) if chosen else {},
                "again": again,
            }
        )

    def _client(self, account: Account) -> Counter:
        client = self.clients.get(account.province)
        if client is None:
            raise CounterFaultsError({}, title=UNAVAILABLE, status=503)
        return client.counter

    def _hash_of(self, national_id: str) -> str:
        return self.encryption.keyed_hashes(clean_number(national_id), "audit national id")[0]

    async def _record(
        self, account: Account, kind: str, *, tracking_code: str | None = None, about: str | None = None
    ) -> None:
        async with self.database.transaction() as session:
            log = AuditStore(session)
            await log.add(self.clock(), account.province, account.id, kind, tracking_code=tracking_code, about=about)


def _fields(sub_subject: SubSubject, typed: Mapping[str, str]) -> dict[str, str]:
    values = {each.key: typed.get(f"{FIELD_PREFIX}{each.key}", "") for each in sub_subject.fields}
    return {key: value for key, value in values.items() if value}


def _documents(sub_subject: SubSubject, state: CounterState) -> dict[str, str]:
    known, sent = {each.key for each in sub_subject.documents}, {each.id for each in state.files}
    return {key: file for key, file in state.documents.items() if key in known and file in sent}


def _missing(sub_subject: SubSubject, state: CounterState) -> dict[str, str]:
    """Return the required fields and documents of the sub-subject that are missing, by the field of the page."""
    fields, documents = _fields(sub_subject, state.typed), _documents(sub_subject, state)
    faults = {
        f"{FIELD_PREFIX}{each.key}": f"«{each.title}» را پر کنید."
        for each in sub_subject.fields
        if each.required and each.key not in fields
    }
    return faults | {
        f"{DOCUMENT_PREFIX}{each.key}": f"«{each.title}» را پیوست کنید."
        for each in sub_subject.documents
        if each.required and each.key not in documents
    }


def _names(state: CounterState) -> TypedNames | None:
    if state.person.status == "matched":
        return None
    return TypedNames.model_validate({name: state.typed[name] for name in TypedNames.model_fields})


def _landline(typed: Mapping[str, str]) -> LandlineForm | None:
    if not has_landline(typed):
        return None
    return LandlineForm(area_code=typed["landline_area_code"], number=typed["landline_number"])


def _representative(typed: Mapping[str, str]) -> RepresentativeForm | None:
    if not has_representative(typed):
        return None
    return RepresentativeForm(
        name=typed["representative_name"],
        national_id=typed["representative_national_id"],
        mobile=typed["representative_mobile"],
    )


def _refusal(error: RegistrationRefusedError, *, on_page: str) -> CounterFaultsError:
    """Return the faults by the fields of the page; a refusal without a field is shown at ``on_page``."""
    if error.code in {"desk_away", "unreadable", "unknown", "service_unavailable"}:
        return CounterFaultsError({}, code=error.code, title=UNAVAILABLE, status=503)
    faults = {page_field(field): text for field, text in error.faults.items()}
    return CounterFaultsError(faults or {on_page: error.title or UNAVAILABLE}, code=error.code)
