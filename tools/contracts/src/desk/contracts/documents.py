"""Generates ``contracts/``: the contracts between services, with the pages and with the provinces.

One OpenAPI document per service, one AsyncAPI document for the events with a page for people, and an example per event.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import desk.intake.events as intake
import desk.tracking.events as tracking
from desk.chassis.events import Event, Moment
from desk.contracts import asyncapi, catalogues, pages, settings
from desk.contracts.contract_page import page
from desk.contracts.encrypted import Envelope, Vectors
from desk.local.app import create_app
from desk.local.gateway_table import CHECKOUT, GATEWAY, LANGUAGES
from desk.local.services import LocalSettings
from desk.tracking.domain import TITLES, ErasureReason, State

FOLDER = CHECKOUT / "contracts"
PUBLISHED = "published"
"""The folder with the last published contract; the generator does not write it."""
ENCRYPTED = "encrypted"
"""The folder with the encrypted examples and their keys."""
VECTORS = "vectors"
"""Test vectors, which are written by hand."""
_ASYNCAPI = "desk.asyncapi.json"

_CODE, _AT, _DUE = (
    "123456789018",
    datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    datetime(2026, 12, 6, 20, 29, 59, tzinfo=UTC),
)
_TIME: TypeAdapter[datetime] = TypeAdapter(Moment)
_PERSON = {"first_name": "نرگس", "last_name": "باران‌دشت", "gender": "female"}
_CONTACT = {"mobile": "+989120000000", "landline": "+983132345678", "email": "applicant@example.com"}
_FILE = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "name": "گذرنامه.pdf",
    "size": 183204,
    "media_type": "application/pdf",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_REQUEST: Mapping[str, Any] = {
    "tracking_code": _CODE,
    "submitted_at": _AT,
    "due_at": _DUE,
    "province": {"key": "isfahan", "name": "اصفهان"},
    "subject": {"key": "umrah", "title": "عمرهٔ مفرده"},
    "sub_subject": {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"},
    "applicant": _PERSON | {"national_id": "8275737168", "birth_date": "1361-12-05"},
    "contact": _CONTACT,
    "text": "روادید عمرهٔ من هنوز صادر نشده است. لطفاً راهنمایی کنید.",
    "attachments": [_FILE],
}
_HISTORY = [
    {"at": _AT, "state": state, "title": title, "note": note, "action": action, "answer": None, "files": files}
    for state, title, note, action, files in (
        ("registered", "ثبت شد", None, None, []),
        ("info_requested", "نیازمند توضیح شما", "تصویر گذرنامه را بفرستید.", None, []),
        ("in_progress", "توضیح شما فرستاده شد", "تصویر گذرنامه پیوست است.", "reply", [_FILE]),
    )
]
_CERTIFICATE = "c2b4f1d0-5d1c-4d8e-9a55-0b6f3a9d7e21"
_ANSWER = "روادید شما صادر شده است و به دفتر کاروان تحویل می‌شود."


def examples() -> list[tuple[str, Event]]:
    """Return one example of each event, with the source that publishes it."""
    case = {"tracking_code": _CODE, "at": _AT}
    late = case | {"due_at": _DUE, "state": "in_progress"}
    late |= {part: _REQUEST[part] for part in ("province", "subject", "sub_subject")}
    province = "/office/isfahan"
    return [
        ("/desk/intake", intake.RequestSubmitted.model_validate({**_REQUEST, "identity": "confirmed"})),
        ("/desk/intake", intake.RequestPending.model_validate(_REQUEST)),
        (
            "/desk/intake",
            intake.RequestIdentityRejected(tracking_code=_CODE, at=_AT, reason="not_matched"),
        ),
        (
            "/desk/tracking",
            tracking.RequestStatusChanged(
                tracking_code=_CODE,
                state=State.ANSWERED,
                state_title=TITLES[State.ANSWERED],
                at=_AT,
                due_at=_DUE,
                province=tracking.Named(key="isfahan", name="اصفهان"),
                note=None,
                answer=tracking.AnswerData(text=_ANSWER, at=_AT, files=[tracking.FileReference.model_validate(_FILE)]),
                applicant=tracking.ApplicantName.model_validate(_PERSON),
                contact=tracking.Contact.model_validate(_CONTACT),
            ),
        ),
        (
            "/desk/tracking",
            tracking.RequestReferred.model_validate(
                {**_REQUEST, "reason": "محل سکونت متقاضی در استان شماست.", "history": _HISTORY}
            ),
        ),
        (
            "/desk/tracking",
            tracking.RequestReplied.model_validate(case | {"text": "تصویر گذرنامه پیوست است.", "files": [_FILE]}),
        ),
        ("/desk/tracking", tracking.RequestWithdrawn.model_validate(case | {"reason": "مشکل برطرف شد."})),
        ("/desk/tracking", tracking.RequestPendingWithdrawn.model_validate(case)),
        ("/desk/tracking", tracking.RequestRated.model_validate(case | {"rating": 4, "comment": "پاسخ روشن بود."})),
        (
            "/desk/tracking",
            tracking.RequestObjected.model_validate(
                case | {"text": "پاسخ به پرسش من نبود.", "answer_report_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
            ),
        ),
        ("/desk/tracking", tracking.RequestOverdue.model_validate(late)),
        ("/desk/tracking", tracking.RequestEscalated.model_validate(late)),
        (
            "/desk/tracking",
            tracking.ProvinceSilent.model_validate(
                {"province": _REQUEST["province"], "at": _DUE, "waiting": 12, "oldest_since": _AT}
            ),
        ),
        (
            "/desk/tracking",
            tracking.RequestErased(
                tracking_code=_CODE, reason=ErasureReason.RETENTION, certificate_id=_CERTIFICATE, at=_AT
            ),
        ),
        (
            "/desk/intake",
            intake.ErasureDone(
                tracking_code=_CODE,
                certificate_id=_CERTIFICATE,
                at=_AT,
                removed={"requests": 1, "files": 2, "keys": 3},
            ),
        ),
        (
            "/desk/tracking",
            tracking.CaseRefused(
                tracking_code=_CODE,
                report="case-answered",
                report_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
                reason="illegal_move",
                explanation="closed cannot become answered",
                at=_AT,
            ),
        ),
        (province, tracking.CaseReceived.model_validate(case)),
        (province, tracking.CaseAssigned.model_validate(case)),
        (province, tracking.CaseOpened.model_validate(case)),
        (province, tracking.CaseInfoRequested.model_validate(case | {"question": "شمارهٔ گذرنامه را بنویسید."})),
        (province, tracking.CaseAnswered.model_validate(case | {"text": _ANSWER, "files": [_FILE]})),
        (province, tracking.CaseRejected.model_validate(case | {"reason": "مهلت ثبت‌نام به پایان رسیده است."})),
        (province, tracking.CaseReferred.model_validate(case | {"province": "fars", "reason": "کاروان در فارس است."})),
        (province, tracking.CaseErased.model_validate(case | {"certificate_id": _CERTIFICATE})),
    ]


def documents() -> dict[str, str]:
    """Return the committed files of ``contracts/`` by their path there."""
    files = {f"{name}.openapi.json": _text(document) for name, document in _openapi()}
    vectors = _vectors()
    files[f"{ENCRYPTED}/keys.json"] = _text(vectors.keys)
    for source, event in examples():
        clear = _envelope(source, event)
        files[f"events/{event.name}.json"] = _text(clear)
        files[f"{ENCRYPTED}/{event.name}.json"] = _text(vectors.envelope(event, clear))
    files[_ASYNCAPI] = _text(_described())
    return files


@cache
def _vectors() -> Vectors:
    return Vectors(FOLDER / ENCRYPTED)


def _described() -> dict[str, Any]:
    return asyncapi.document(examples(), _envelope, _vectors())


def built() -> dict[Path, str]:
    """Return the pages of the contract for people, which are built by ``make contracts`` and not committed."""
    described = _described()
    return {FOLDER / f"desk.asyncapi.{each}.html": page(described, each, whole=True) for each in LANGUAGES}


def copies() -> dict[Path, str]:
    """Return the generated files outside ``contracts/``: the pages with the contract, and the list of settings."""
    described = _described()
    return (
        pages.documents()
        | settings.documents()
        | {
            **{GATEWAY / "web" / each / "contract.html": page(described, each, whole=False) for each in LANGUAGES},
        }
    )


def write() -> None:
    """Write all generated files, and remove those that the code no longer generates."""
    wanted = documents()
    for path in _present():
        if path not in wanted:
            (FOLDER / path).unlink()
    copied = copies()
    for stray in pages.strays(copied):
        stray.unlink()
    for target, text in ({FOLDER / path: text for path, text in wanted.items()} | copied | built()).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def differences() -> list[str]:
    """Return the paths of files that differ from what the code generates."""
    wanted = documents()
    present = {path: (FOLDER / path).read_text(encoding="utf-8") for path in _present()}
    differing = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
    differing += [f"gateway/words: {fault}" for fault in catalogues.faults()]
    copied = copies()
    differing += [f"{path.relative_to(CHECKOUT).as_posix()} is no longer generated" for path in pages.strays(copied)]
    return differing + [
        path.relative_to(CHECKOUT).as_posix()
        for path, text in copied.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def _present() -> list[str]:
    paths = (path.relative_to(FOLDER) for path in FOLDER.rglob("*.json"))
    return [path.as_posix() for path in paths if path.parts[0] not in {PUBLISHED, VECTORS}]


def _openapi() -> Iterator[tuple[str, dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        services = create_app(LocalSettings(Path(folder))).services
    for name, app in services.items():
        document = app.openapi()
        if document["paths"]:
            yield name, document


def _envelope(source: str, event: Event) -> Envelope:
    """Return an example as it is before its data is encrypted."""
    return {
        "specversion": "1.0",
        "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "source": source,
        "type": event.type(),
        "subject": _CODE,
        "time": _TIME.dump_python(_AT, mode="json"),
        "seq": 1,
        "datacontenttype": "application/json",
        "data": event.model_dump(mode="json"),
    }


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
