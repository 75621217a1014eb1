"""The services that tracking calls, with responses that a test chooses."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from support.tracking_events import ANSWER_FILE, SUBMITTED_AT

CATALOG = {
    "subjects": [
        {
            "key": "umrah",
            "title": "عمرهٔ مفرده",
            "sub_subjects": [
                {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"},
                {"key": "umrah_costs", "title": "هزینه‌های عمره"},
            ],
        },
        {
            "key": "hajj_deposit",
            "title": "ودیعه‌گذاری و قبوض حج تمتع",
            "sub_subjects": [{"key": "lost_receipt", "title": "گم شدن قبض"}],
        },
    ]
}


@dataclass
class Peers:
    """Fakes of captcha, intake and registry-gateway: the calls they received, and the responses they send."""

    captcha: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(204))
    intake: httpx.Response | Exception | None = None
    registry: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json={"lookups": []}))
    requests: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """Intake's requests, by national ID and tracking code."""
    codes: dict[str, str] = field(default_factory=dict)
    """The codes and states that intake lists for a period with the moment ``submitted_at``."""
    submitted_at: datetime = SUBMITTED_AT
    erased: set[str] = field(default_factory=set)
    """The codes on intake's list of erased ones."""
    files: list[dict[str, Any]] = field(default_factory=list)
    """The uploads for replies at intake."""
    answer_files: list[dict[str, Any]] = field(default_factory=lambda: [ANSWER_FILE])
    """The uploads of offices for answers at intake."""
    unsent: tuple[int, float] = (0, 0.0)
    files_unannounced: int = 0
    proof: httpx.Response = field(default_factory=lambda: httpx.Response(200, json={"level": 1}))
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sms_codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """The codes by SMS that captcha has sent, by id."""

    def calls_to(self, path: str) -> list[tuple[str, dict[str, Any]]]:
        """Return path and body of each call whose path starts with ``path``."""
        return [(called, body) for called, body in self.calls if called.startswith(path)]

    def client(self, answer: Callable[[dict[str, Any]], httpx.Response | Exception]) -> httpx.AsyncClient:
        def handle(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content or "{}")
            self.calls.append((request.url.path, body))
            response = answer(body)
            if isinstance(response, Exception):
                raise response
            return httpx.Response(response.status_code, content=response.content, headers=response.headers)

        return httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://peer")

    def refuse_captcha(self, code: str) -> None:
        self.captcha = httpx.Response(422, json={"code": code, "title": "…", "status": 422})

    def check_proof(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.proof

    def answer_captcha(self, body: dict[str, Any]) -> httpx.Response | Exception:
        sent = self.sms_codes.get(self.calls[-1][0].split("/")[-2])
        return self.captcha if sent is None else self.check_sms_code(sent, body)

    def check_sms_code(self, sent: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        """Check a code as captcha does: it is right for its purpose and mobile, and for one claim."""
        if (body["purpose"], body.get("mobile")) != (sent["purpose"], sent["mobile"]):
            return httpx.Response(422, json={"code": "captcha_expired"})
        if body["answer"] != sent["answer"]:
            return httpx.Response(422, json={"code": "captcha_wrong"})
        if sent.setdefault("claim", body["claim"]) != body["claim"]:
            return httpx.Response(422, json={"code": "captcha_expired"})
        return httpx.Response(200, json={"level": 0})

    def send_code(self, purpose: str, mobile: str, answer: str = "40967") -> dict[str, str]:
        """Let captcha have sent a code; return its id and answer as the page sends them."""
        captcha_id = f"sms-code-{len(self.sms_codes):04}"
        self.sms_codes[captcha_id] = {"purpose": purpose, "mobile": mobile, "answer": answer}
        return {"id": captcha_id, "answer": answer}

    def list_lookups(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.registry

    def list_erased(self, body: dict[str, Any]) -> httpx.Response:
        if "tracking_code" in body:
            self.erased.add(body["tracking_code"])
            return httpx.Response(204)
        page = [code for code in sorted(self.erased) if code > body["after"]][: body["limit"]]
        return httpx.Response(200, json=page)

    def find_files(self, body: dict[str, Any]) -> httpx.Response:
        uploads = self.files if "reply" in body else self.answer_files
        found = [file for each in body["files"] for file in uploads if file["id"] == each]
        if len(found) < len(body["files"]):
            return httpx.Response(422, json={"code": "attachment_unknown"})
        return httpx.Response(200, json=found)

    def find_request(self, body: dict[str, Any]) -> httpx.Response | Exception:
        if self.intake is not None:
            return self.intake
        if self.calls[-1][0].startswith("/internal/erasures"):
            return self.list_erased(body)
        return self.find_known(body)

    def find_known(self, body: dict[str, Any]) -> httpx.Response:
        if "since" in body:
            since, until = (datetime.fromisoformat(body[name]) for name in ("since", "until"))
            codes = sorted(self.codes) if since <= self.submitted_at < until else []
            page = [code for code in codes if code > body["after"]][: body["limit"]]
            requests = [{"tracking_code": code, "state": self.codes[code]} for code in page]
            count, oldest = self.unsent
            answer = {"requests": requests, "unsent": count, "oldest_unsent_seconds": oldest}
            return httpx.Response(200, json=answer | {"files_unannounced": self.files_unannounced})
        if not body:
            return httpx.Response(200, json=CATALOG)
        if "files" in body:
            return self.find_files(body)
        if body.keys() == {"tracking_code"}:
            state = self.codes.get(body["tracking_code"])
            found_state = httpx.Response(200, json={"state": state})
            return found_state if state else httpx.Response(404, json={"code": "request_not_found"})
        found = self.requests.get((body["national_id"], body["tracking_code"]))
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"code": "request_not_found"})
