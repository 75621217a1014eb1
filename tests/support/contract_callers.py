"""The callers of the operations that are generated from the OpenAPI documents, and values that the desk knows."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import CAPTCHA_ANSWER

CALLERS = {
    "/internal/captchas/{captcha_id}/answers": "tracking",
    "/internal/identities": "intake",
    "/internal/lookups": "tracking",
    "/internal/mobiles": "intake",
    "/internal/erasures": "tracking",
    "/internal/erasures/list": "tracking",
    "/internal/requests/answer-files": "tracking",
    "/internal/requests/codes": "tracking",
    "/internal/requests/files": "tracking",
    "/internal/requests/find": "tracking",
    "/internal/requests/state": "tracking",
    "/internal/codes": "captcha",
    "/internal/mobile-codes": "intake",
    "/internal/office-identities": "intake",
}
AUDIENCES = {
    "/api/office/figures": "desk.figures",
    "/api/office/cases/{tracking_code}": "desk.cases",
    "/api/office/identities": "desk.counter",
    "/api/office/mobile-codes": "desk.counter",
    "/api/office/requests": "desk.counter",
}
"""The audiences of offices' assertions; all others are for files."""
CATALOG, TEXTS = "/api/office/catalog", "/api/office/texts"
DOCUMENTS = {CATALOG: "desk.catalog", TEXTS: "desk.texts"}
"""The documents in versions, and the audiences of the assertions with which headquarters edits them."""
ASKED, ANSWERED = ("ask", "info_requested"), ("answer", "answered")
STATES = {
    "/api/files": ASKED,
    "/api/files/{file_id}": ASKED,
    "/internal/requests/files": ASKED,
    "/api/tracking/replies": ASKED,
    "/api/tracking/objection": ANSWERED,
    "/api/tracking/rating": ANSWERED,
}
"""What the experts do to a request before the operation is possible, and its state afterwards."""
MOBILE = {"mobile": "09120000000"}
USES = 25
"""So often a token, a request or a file is used before another one is created, because actions on it are limited."""
PEOPLE = 150
"""So many of the synthetic people are applicants in turn."""
places = itertools.cycle(range(PEOPLE))


class CaseOfApplicant(NamedTuple):
    """A submitted request with a file, and one more file if a reply is expected."""

    national_id: str
    code: str
    token: str
    file: str
    reply_file: str

    @property
    def pair(self):
        return {"national_id": self.national_id, "tracking_code": self.code}


def new_applicant(desk):
    """Return the next of the synthetic people."""
    return Applicant(desk.client, next(places))


class Caller:
    """The caller of one operation: an applicant with a request in the state that the operation needs, or a service."""

    def __init__(self, desk, service, operation):
        self.desk, self.service, self.operation = desk, service, operation
        self.applicant, self.expert = new_applicant(desk), Expert(desk.client)
        self._kept = {}

    def token(self):
        """Return the token that the operation's security scheme requires; None for a public one."""
        schemes = {name for each in self.operation.definition.raw.get("security", []) for name in each}
        if "service-token" in schemes:
            return self.desk.service_token(CALLERS[self.operation.path], self.service)
        if (document := document_of(self.operation.path)) is not None:
            return self.desk.assertion(DOCUMENTS[document], office="headquarters", person="second")
        if {"assertion", "counter_assertion"} & schemes:
            return self.desk.assertion(AUDIENCES.get(self.operation.path, "desk.files"))
        if "tracking" in schemes or (schemes and self.service == "tracking"):
            return self.case.token
        return self._keep("identity", self._identify) if schemes else None

    @property
    def case(self):
        return self._keep("case", self._new_case)

    @property
    def file(self):
        return self._keep("file", self._upload)

    @property
    def office_file(self):
        """A file that the office has uploaded for the case."""
        uploaded = self.desk.client.post(
            "/api/office/files",
            data={"tracking_code": self.case.code},
            files={"file": ("c.pdf", PDF)},
            headers={"Authorization": f"Bearer {self.desk.assertion()}"},
        )
        return uploaded.raise_for_status().json()["id"]

    @property
    def person(self):
        return {name: self.applicant.person[name] for name in ("national_id", "birth_date")}

    def _keep(self, name, create):
        uses, kept = self._kept.get(name, (0, None))
        kept = create() if uses % (2 * USES) == 0 else kept  # the token and a known value use it
        self._kept[name] = uses + 1, kept
        return kept

    def _identify(self):
        self.applicant.identify()
        return self.applicant.token

    def _upload(self):
        self.applicant.identify()
        return self.applicant.upload("a.pdf", PDF)

    def _new_case(self):
        self.applicant = new_applicant(self.desk)  # the files of one identity are limited
        file, number = self._upload(), self.applicant.national_id
        code = self.applicant.submit_with_token(self.applicant.form(attachments=[file]))
        self.expert.receives(code)
        does, state = STATES.get(self.operation.path, (None, None))
        if does is None:
            return CaseOfApplicant(number, code, self.applicant.track(code).json()["token"], file, "")
        getattr(self.expert, does)(code, "لطفاً شمارهٔ گذرنامهٔ خود را بفرستید.")
        token = self.applicant.sees(code, state)["token"]
        reply = self.applicant.upload_for_reply(token, "b.pdf", PDF).json()["id"] if state == ASKED[1] else ""
        return CaseOfApplicant(number, code, token, file, reply)

    def edit(self, document, method, path, body=None, *, person="author"):
        """Call a route of a document in versions as the author of drafts, who is not the person of :meth:`token`."""
        assertion = self.desk.assertion(DOCUMENTS[document], office="headquarters", person=person)
        headers = {"Authorization": f"Bearer {assertion}"}
        return self.desk.client.request(method, document + path, json=body, headers=headers).raise_for_status().json()

    def draft(self, document):
        """Return a new draft that differs from the newest version."""
        draft = self.edit(document, "POST", "/drafts", {"note": "مهلت دیگر"})
        if document == CATALOG:
            notice = {"text": f"اعلان {uuid.uuid4()}", "text_en": "A notice", "pages": ["home"]}
            draft["content"]["notices"].append(notice)
        else:
            draft["content"]["en"]["answered"]["sms"]["text"] = (
                f"Your request {{{{ code }}}} was answered. {uuid.uuid4()}"
            )
        saved = {name: draft[name] for name in ("id", "revision", "note", "content")}
        return self.edit(document, "PUT", "/drafts", saved)

    def proposed_draft(self, document):
        draft = self.draft(document)
        return self.edit(document, "POST", f"/drafts/{draft['id']}/proposal", {"revision": draft["revision"]})

    def later_version(self, document):
        draft = self.proposed_draft(document)
        body = {"revision": draft["revision"], "in_force_at": moment(days=200)}
        return self.edit(document, "POST", f"/drafts/{draft['id']}/approval", body, person="second")["number"]

    @property
    def office_token(self):
        """An identity token of the office."""
        headers = {"Authorization": f"Bearer {self.desk.assertion('desk.counter')}"}
        body = self.person | {"expert": "n.baran"}
        found = self.desk.client.post("/api/office/identities", json=body, headers=headers)
        return found.raise_for_status().json()["token"]

    def challenge(self, kind):
        return self.desk.client.post("/api/captchas", json={"purpose": "track", "kind": kind}).json()["id"]


def document_of(path):
    return next((each for each in DOCUMENTS if path.startswith(each)), None)


def of_document(document):
    """Return the values of the routes of a document in versions."""
    return {
        f"GET {document}/versions/{{number}}": lambda _: {"number": 1},
        f"DELETE {document}/versions/{{number}}": lambda caller: {"number": caller.later_version(document)},
        f"POST {document}/drafts": lambda _: {"note": "پیش‌نویس تازه", "from_version": None},
        f"PUT {document}/drafts": lambda caller: {
            name: value
            for name, value in caller.draft(document).items()
            if name in {"id", "revision", "note", "content"}
        },
        f"GET {document}/drafts/{{draft_id}}": lambda caller: of_draft(caller.draft(document)),
        f"DELETE {document}/drafts/{{draft_id}}": lambda caller: of_draft(caller.draft(document)),
        f"POST {document}/drafts/{{draft_id}}/proposal": lambda caller: of_draft(caller.draft(document), "revision"),
        f"POST {document}/drafts/{{draft_id}}/approval": lambda caller: (
            of_draft(caller.proposed_draft(document), "revision") | {"in_force_at": moment(days=300)}
        ),
    }


def of_draft(draft, *names):
    """Return the id of a draft as the parameter of a path, and fields of it."""
    return {"draft_id": draft["id"]} | {name: draft[name] for name in names}


def registration(caller):
    """Return a request of an office for a person without a mobile."""
    nothing = dict.fromkeys(("landline", "applicant", "mobile_code", "email", "representative"))
    return (
        caller.applicant.form()
        | {"abroad": False, "language": "fa", "again": True, "attachments": [], "fields": {}, "documents": {}}
        | {"mobile": "", "mobile_owner": "none", "source": "counter", "expert": "n.baran", "province": "isfahan"}
        | {"identity_token": caller.office_token}
        | nothing
    )


def moment(**later):
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


KNOWN = {
    "POST /api/captchas": lambda caller: {"purpose": "mobile"} | MOBILE | {"proof": caller.applicant.proof("mobile")},
    "GET /api/captchas/{captcha_id}/sound": lambda caller: {"captcha_id": caller.challenge("sound")},
    "POST /internal/captchas/{captcha_id}/answers": lambda caller: {
        "captcha_id": caller.challenge("image"),
        "purpose": "track",
        "answer": CAPTCHA_ANSWER,
        "mobile": None,
    },
    "POST /api/identities": lambda caller: caller.person | {"proof": caller.applicant.proof()},
    "POST /internal/identities": lambda caller: caller.person,
    "POST /internal/lookups": lambda caller: caller.person,
    "POST /internal/mobiles": lambda caller: caller.person | MOBILE,
    "POST /api/attachments": lambda _: {"file": PDF},
    "DELETE /api/attachments/{attachment_id}": lambda caller: {"attachment_id": caller.file},
    "GET /api/files/{file_id}": lambda caller: {"file_id": caller.case.file},
    "POST /api/files": lambda _: {"file": PDF},
    "DELETE /api/files/{file_id}": lambda caller: {"file_id": caller.case.reply_file},
    "GET /api/office/files/{file_id}": lambda caller: {"file_id": caller.case.file},
    "GET /api/office/cases/{tracking_code}": lambda caller: {"tracking_code": caller.case.code},
    "POST /api/office/files": lambda caller: {"file": PDF, "tracking_code": caller.case.code},
    "POST /api/requests": lambda caller: (
        caller.applicant.form()
        | {"abroad": False, "fields": {}, "documents": {}}
        | dict.fromkeys(("landline", "applicant", "mobile_code", "representative"))
    ),
    "GET /api/catalog/previews/{preview}": lambda caller: {"preview": caller.draft(CATALOG)["preview"]},
    **of_document(CATALOG),
    **of_document(TEXTS),
    f"GET {TEXTS}/versions/{{number}}/preview": lambda _: {"number": 1},
    f"GET {TEXTS}/drafts/{{draft_id}}/preview": lambda caller: of_draft(caller.draft(TEXTS)),
    "POST /api/office/identities": lambda caller: caller.person | {"expert": "n.baran"},
    "POST /api/office/mobile-codes": lambda _: MOBILE | {"language": "fa"},
    "POST /api/office/requests": registration,
    "POST /internal/mobile-codes": lambda _: {"mobile": "+989120000000", "language": "fa"},
    "POST /internal/office-identities": lambda caller: caller.person | {"office": "isfahan"},
    "POST /internal/erasures": lambda _: {"tracking_code": "123456789018"},
    "POST /internal/erasures/list": lambda _: {"after": "", "limit": 10},
    "POST /internal/requests/codes": lambda _: {
        "since": moment(days=-1),
        "until": moment(days=1),
        "after": "",
        "limit": 10,
    },
    "POST /internal/requests/answer-files": lambda caller: {
        "tracking_code": caller.case.code,
        "office": "isfahan",
        "files": [caller.office_file],
    },
    "POST /internal/requests/find": lambda caller: caller.case.pair,
    "POST /internal/requests/state": lambda caller: {"tracking_code": caller.case.code},
    "POST /internal/requests/files": lambda caller: {
        "tracking_code": caller.case.code,
        "reply": str(uuid.uuid4()),
        "files": [caller.case.reply_file],
    },
    "POST /api/tracking": lambda caller: (
        caller.case.pair | {"captcha": caller.applicant.captcha("track"), "proof": None}
    ),
    "POST /api/tracking/requests": lambda caller: (
        {"national_id": caller.case.national_id, "proof": None}
        | MOBILE
        | {"mobile_code": caller.applicant.mobile_code(MOBILE["mobile"], "requests")}
    ),
    "POST /api/tracking/contact": lambda caller: {
        "mobile": "09120000009",
        "mobile_code": caller.applicant.mobile_code("09120000009", "contact"),
    },
    "POST /api/tracking/replies": lambda _: {"text": "شمارهٔ گذرنامه ۱۲۳۴ است.", "files": []},
    "POST /api/tracking/objection": lambda _: {"text": "پاسخ کامل نیست."},
    "POST /api/tracking/rating": lambda _: {"rating": 4, "comment": None},
    "POST /api/tracking/withdrawal": lambda _: {"reason": None},
    "POST /internal/codes": lambda _: {
        "mobile": "+989120000000",
        "code": "12345",
        "language": "fa",
        "expires_at": moment(minutes=5),
        "purpose": "mobile",
    },
}
"""Values that an operation accepts, by the name of the field or parameter; those without input have none."""
