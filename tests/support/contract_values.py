"""Values that the operations of the OpenAPI documents accept, by operation; a caller makes them."""

import uuid

from support.applicant import PDF
from support.contract_callers import CATALOG, MOBILE, TEXTS, moment
from support.embedded_desk import CAPTCHA_ANSWER


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
