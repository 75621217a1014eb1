"""The callers of the operations that are generated from the OpenAPI documents."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from support.applicant import PDF, Applicant, Expert

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


def moment(**later):
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


def document_of(path):
    return next((each for each in DOCUMENTS if path.startswith(each)), None)
