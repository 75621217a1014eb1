"""An applicant and an expert who use the desk over HTTP, as a page or the system of a province would."""

import time
import uuid
from typing import Any

import httpx
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge
from support.embedded_desk import CAPTCHA_ANSWER, wait_for

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000"
    "000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


PICTURE_SECONDS = 20.0
"""How long a busy machine may take to draw more pictures of codes."""
LOOKUP_PAUSE = 0.5
"""Seconds between two look-ups, so that all tests of a desk stay below 120 look-ups in ten minutes from one address."""


class Applicant:
    """A synthetic applicant who uses the public routes."""

    def __init__(self, client: httpx.Client, place: int = 0) -> None:
        """``place`` is an index into the living synthetic people."""
        self.client = client
        living = [person for person in client.get("/demo/people").json() if not person["deceased"]]
        self.person: dict[str, Any] = living[place]
        self.token = ""

    @property
    def national_id(self) -> str:
        return str(self.person["national_id"])

    def identify(self) -> dict[str, Any]:
        """Look the name up in the registry; keep the token."""
        someone = {"national_id": self.national_id, "birth_date": self.person["birth_date"]}
        answer = self.client.post("/api/identities", json=someone | {"proof": self.proof()})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        found: dict[str, Any] = answer.json()
        return found

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file and return its id."""
        answer = self.client.post("/api/attachments", headers=self._bearer, files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def captcha(self, purpose: str) -> dict[str, str]:
        """Get a security code and read it."""
        wanted = {"purpose": purpose, "kind": "image"}
        challenge = self.client.post("/api/captchas", json=wanted)
        deadline = time.monotonic() + PICTURE_SECONDS
        while challenge.status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
            time.sleep(0.2)
            challenge = self.client.post("/api/captchas", json=wanted)
        assert challenge.status_code == 201, challenge.text
        return {"id": challenge.json()["id"], "answer": self.answer_to(challenge.json()["id"])}

    def answer_to(self, captcha_id: str) -> str:  # noqa: ARG002 - on a real desk every challenge has its own answer
        """Return the digits of a security code or of a code by SMS."""
        return CAPTCHA_ANSWER

    def mobile_code(self, mobile: str, purpose: str = "mobile") -> dict[str, str]:
        """Get a code by SMS and read it."""
        wanted = {"purpose": purpose, "kind": "sms", "mobile": mobile, "proof": self.proof("mobile")}
        challenge = self.client.post("/api/captchas", json=wanted)
        assert challenge.status_code == 201, challenge.text
        return {"id": challenge.json()["id"], "answer": self.answer_to(challenge.json()["id"])}

    def proof(self, purpose: str = "identity") -> dict[str, str]:
        """Do the proof of work that a look-up or a code by SMS requires."""
        asked = self.client.post("/api/captchas", json={"purpose": purpose, "kind": "work"})
        assert asked.status_code == 201, asked.text
        solution = solve_challenge(Challenge(ChallengeParameters.from_dict(asked.json()["challenge"])))
        assert solution is not None
        return {"id": asked.json()["id"], "solution": solution.derived_key}

    def form(self, **changed: object) -> dict[str, Any]:
        """Return a request as the page would send it; with typed names it has a code by SMS."""
        form = {
            "province": "isfahan",
            "mobile": "09120000000",
            "email": "applicant@example.com",
            "subject": "umrah",
            "sub_subject": "umrah_visa",
            "text": "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟",
            "attachments": [],
            "again": True,
            "captcha": self.captcha("submit"),
        } | changed
        if "applicant" in changed and "mobile_code" not in changed:
            form["mobile_code"] = self.mobile_code(str(form["mobile"]))
        return form

    def send(self, form: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Send the form."""
        return self.client.post(
            "/api/requests", json=form, headers=self._bearer | {"Idempotency-Key": key or str(uuid.uuid4())}
        )

    def submit(self, **changed: object) -> str:
        """Identify and send a request; return its tracking code."""
        self.identify()
        return self.submit_with_token(self.form(**changed))

    def submit_with_token(self, form: dict[str, Any]) -> str:
        """Send a request with the present token; return its tracking code."""
        answer = self.send(form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["tracking_code"])

    def track(self, tracking_code: str) -> httpx.Response:
        """Look up a request."""
        query = {"national_id": self.national_id, "tracking_code": tracking_code, "captcha": self.captcha("track")}
        return self.client.post("/api/tracking", json=query)

    def own_requests(self, mobile: str, code: dict[str, str] | None = None) -> httpx.Response:
        """List the requests whose contact has this mobile, with a code that was sent to it."""
        proven = code or self.mobile_code(mobile, "requests")
        query = {"national_id": self.national_id, "mobile": mobile, "mobile_code": proven}
        return self.client.post("/api/tracking/requests", json=query)

    def open_request(self, token: str) -> httpx.Response:
        """Open a request of the list."""
        return self.client.get("/api/tracking/request", headers={"Authorization": f"Bearer {token}"})

    def change_contact(
        self, token: str, mobile: str, code: dict[str, str] | None = None, key: str | None = None
    ) -> httpx.Response:
        """Give a request another mobile with the tracking token and a code that was sent to the mobile."""
        body = {"mobile": mobile, "mobile_code": code or self.mobile_code(mobile, "contact")}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post("/api/tracking/contact", json=body, headers=headers)

    def registry_lookups(self, token: str) -> list[dict[str, Any]]:
        """List when the civil registry was asked about the applicant, with the tracking token."""
        answer = self.client.get("/api/tracking/lookups", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["lookups"]
        return found

    def upload_for_reply(self, token: str, name: str, content: bytes) -> httpx.Response:
        """Upload a file for a reply with the tracking token."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post("/api/files", headers=headers, files={"file": (name, content)})

    def reply(self, token: str, text: str, files: list[str], key: str | None = None) -> httpx.Response:
        """Answer the experts' question with the tracking token."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post("/api/tracking/replies", json={"text": text, "files": files}, headers=headers)

    def object_to(self, token: str, text: str) -> httpx.Response:
        """Object to the answer with the tracking token."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        return self.client.post("/api/tracking/objection", json={"text": text}, headers=headers)

    def sees(self, tracking_code: str, state: str, *, entries: int = 1) -> dict[str, Any]:
        """Wait until the request is in a state and its history has ``entries``; return what the applicant sees.

        An earlier report may be handled after a later one; then the state is there before the whole history.
        """

        def seen() -> dict[str, Any] | None:
            answer = self.track(tracking_code)
            assert answer.status_code == 200, answer.text
            view: dict[str, Any] = answer.json()
            return view if view["state"] == state and len(view["history"]) >= entries else None

        found = wait_for(seen, pause=LOOKUP_PAUSE)
        assert found is not None
        return found

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Expert:
    """The experts of a province, at the console of the demonstration."""

    def __init__(self, client: httpx.Client, province: str = "isfahan") -> None:
        self.client = client
        self.province = province

    def requests(self) -> list[dict[str, Any]]:
        """List the requests that have reached the province."""
        found: list[dict[str, Any]] = self.client.get("/demo/requests", params={"province": self.province}).json()
        return found

    def receives(self, tracking_code: str) -> dict[str, Any]:
        """Wait until the request has arrived."""
        return wait_for(lambda: next((each for each in self.requests() if each["tracking_code"] == tracking_code), {}))

    def answer(self, tracking_code: str, text: str) -> httpx.Response:
        """Answer a request."""
        return self.client.post("/demo/answers", json={"tracking_code": tracking_code, "text": text})

    def ask(self, tracking_code: str, text: str) -> httpx.Response:
        """Ask the applicant a question."""
        return self.client.post("/demo/questions", json={"tracking_code": tracking_code, "text": text})
