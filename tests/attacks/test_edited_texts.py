"""Attempts to change the texts of SMS and email without being headquarters, or to make a text a template."""

import httpx
import pytest
from attacks.attacked_desk import AttackedDesk

from desk.chassis.crypto import TokenIssuer

pytestmark = pytest.mark.attacks

TEMPLATES = (
    "{{ code.__class__ }}",
    "{{ code }}{% for each in [].__class__.__mro__ %}{% endfor %}",
    "{{ code }} {{ self._TemplateReference__context }}",
    "{{ code }} {{ cycler.__init__.__globals__ }}",
    "{{ code }} {0.__class__}",
)


class Caller:
    """A caller with the key of one office, who signs as another one or for another audience."""

    def __init__(self, desk: AttackedDesk, key: str, office: str, audience: str = "desk.texts") -> None:
        self.client = desk.anywhere().client
        self.issuer, self.audience = TokenIssuer(desk.services.office_signing_keys[key][0], office), audience

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        claims = {"act": {"sub": "attacker"}}
        token, _ = self.issuer.issue(claims, audience=self.audience, seconds=60)
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.request(method, f"/api/office/texts{path}", json=body, headers=headers)


@pytest.mark.parametrize(
    ("key", "office", "audience", "status"),
    [
        ("isfahan", "isfahan", "desk.texts", 403),
        ("isfahan", "headquarters", "desk.texts", 401),
        ("headquarters", "headquarters", "desk.catalog", 401),
        ("headquarters", "headquarters", "notifier", 401),
    ],
)
def test_only_headquarters_reaches_the_texts(desk: AttackedDesk, key: str, office: str, audience: str, status: int):
    caller = Caller(desk, key, office, audience)
    answers = [
        caller.call("GET", "/versions"),
        caller.call("GET", "/versions/1/preview"),
        caller.call("POST", "/drafts", {"note": "متن دیگر"}),
        caller.call("DELETE", "/versions/1"),
    ]
    assert [each.status_code for each in answers] == [status] * len(answers)


def test_a_text_is_never_a_template_and_one_person_alone_changes_nothing(desk: AttackedDesk):
    caller = Caller(desk, "headquarters", "headquarters")
    draft = caller.call("POST", "/drafts", {"note": "متن دیگر"}).json()
    for text in TEMPLATES:
        draft["content"]["fa"]["answered"]["sms"]["text"] = text
        body = {name: draft[name] for name in ("id", "revision", "note", "content")}
        refused = caller.call("PUT", "/drafts", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "texts_invalid")
    draft["content"]["fa"]["answered"]["sms"]["text"] = "کد پیگیری شما: {{ code }}"
    body = {name: draft[name] for name in ("id", "revision", "note", "content")}
    saved = caller.call("PUT", "/drafts", body).json()
    revision = {"revision": saved["revision"]}
    assert caller.call("POST", f"/drafts/{saved['id']}/proposal", revision).status_code == 200
    assert caller.call("POST", f"/drafts/{saved['id']}/approval", revision).status_code == 403
    assert caller.call("GET", "/versions").json()["in_force"] == 1
    assert caller.call("DELETE", f"/drafts/{saved['id']}").status_code == 204
