"""A desk that registers requests for offices: it answers as a test asks, and records the calls."""

import json

import httpx

from desk.chassis.crypto import new_key_pair
from desk.expert import Counter

CODE = "123456789018"
MATCHED = {
    "status": "matched",
    "first_name": "نرگس",
    "last_name": "باران‌دشت",
    "gender": "female",
    "token": "identity-token",
    "expires_at": "2026-11-23T10:30:00Z",
}
PENDING = {"status": "pending", "token": "identity-token", "expires_at": "2026-11-23T10:30:00Z"}


def receipt_for(form):
    """Return the receipt of a registered request."""
    return {
        "tracking_code": CODE,
        "state": "registered",
        "submitted_at": "2026-11-23T10:00:00Z",
        "due_at": "2026-12-07T20:29:59Z",
        "province": {"key": form["province"], "name": "اصفهان"},
        "office": {"key": form["province"], "name": "اصفهان"},
        "subject": {"key": form["subject"], "title": "عمرهٔ مفرده"},
        "sub_subject": {"key": form["sub_subject"], "title": "روادید و گذرنامه"},
        "national_id_masked": "827*****68",
        "mobile_masked": "0912*****00" if form["mobile"] else "",
        "text": form["text"],
        "attachments": 0,
        "source": form["source"],
        "representative": form.get("representative", {}).get("name"),
        "receipt": {"token": "signed-receipt"},
    }


class CounterDesk:
    """The three routes; ``refusals`` answers the next call of a path with a problem."""

    def __init__(self):
        self.person, self.codes, self.calls, self.keys, self.refusals = MATCHED, 0, [], [], {}

    def refuse(self, path, code, status=422, **faults):
        """Refuse the next call of ``path``."""
        errors = [{"field": field, "code": "c", "message": text} for field, text in faults.items()]
        problem = {"code": code, "title": f"میز خدمت نپذیرفت: {code}", "errors": errors}
        self.refusals[path] = httpx.Response(status, json=problem)

    def answer(self, request):
        path, body = request.url.path.removeprefix("/api/office/"), json.loads(request.content)
        self.calls.append((path, body))
        if path in self.refusals:
            return self.refusals.pop(path)
        match path:
            case "identities":
                return httpx.Response(200, json=self.person)
            case "mobile-codes":
                self.codes += 1
                return httpx.Response(201, json={"id": f"code-{self.codes}", "expires_at": "2026-11-23T10:05:00Z"})
            case _:
                self.keys.append(request.headers["idempotency-key"])
                return httpx.Response(201, json=receipt_for(body))

    def client(self, office):
        """Return the library's client on this desk."""
        return Counter("http://desk", office, new_key_pair()[0], transport=httpx.MockTransport(self.answer))

    def bodies(self, path):
        """Return the bodies of the calls of a path."""
        return [body for called, body in self.calls if called == path]
