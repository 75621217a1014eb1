"""Tokens that are missing, crossed, forged or used too long, and other people's things: rows 8, 11, 12 and 24."""

import base64
import hmac
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from attacks.attacked_desk import AttackedDesk, Person
from joserfc import jwt
from joserfc.jwk import OKPKey
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_service import setting
from support.real_settings import CALLERS

from desk.chassis.crypto import TokenIssuer, new_key_pair, public_key_of
from desk.testing.service_keys import key_pair

pytestmark = pytest.mark.attacks

CONTRACTS = Path(__file__).parents[2] / "contracts"
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
SESSION_SECONDS = 7200
ID = "11111111-1111-4111-8111-111111111111"


def internal_routes() -> list[tuple[str, str, str]]:
    """Return service, method and path of each internal route of the contracts."""
    return [
        (name, method, re.sub(r"\{[^}]+\}", ID, path))
        for name in SERVICES
        for path, item in json.loads((CONTRACTS / f"{name}.openapi.json").read_text(encoding="utf-8"))["paths"].items()
        for method in item
        if path.startswith("/internal/")
    ]


def service_token(caller: str, audience: str, *, seconds: int = 60, key: str | None = None) -> str:
    return TokenIssuer(key or key_pair(caller)[0], caller).issue({}, audience=audience, seconds=seconds)[0]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# row 8


@pytest.mark.parametrize(("name", "method", "path"), internal_routes(), ids=lambda it: str(it).replace("/", " "))
def test_row_8_a_neighbour_without_the_right_token_is_refused_by_every_internal_route(
    desk: AttackedDesk, name: str, method: str, path: str
):
    callers = [caller for caller in (*SERVICES, "console", "province.isfahan") if caller != name]
    tokens = {
        "signed with another key": service_token("intake", name, key=new_key_pair()[0]),
        "expired": service_token("intake", name, seconds=-1),
        "for an hour": service_token("intake", name, seconds=3600),
        "for another audience": service_token("tracking", "unknown"),
        "of itself": service_token(name, name),
        "not a token": "x",
    } | {f"of {caller} for another service": service_token(caller, "elsewhere") for caller in callers}
    url = f"{desk.services[name].url}{path}"
    with httpx.Client(trust_env=False) as neighbour:
        refused = {"none": neighbour.request(method, url, json={}).status_code}
        refused |= {
            which: neighbour.request(method, url, json={}, headers=bearer(token)).status_code
            for which, token in tokens.items()
        }
        accepted = [
            caller
            for caller in callers
            if neighbour.request(method, url, json={}, headers=bearer(service_token(caller, name))).status_code != 401
        ]

    assert set(refused.values()) == {401}, refused
    assert accepted
    assert set(accepted) <= set(CALLERS[name]), "only services that call this one have a good token"
    public = desk.anywhere().client.request(method, path, json={}, headers=bearer(service_token(accepted[0], name)))
    assert public.status_code == 404, "not through the gateway, not even with a good token"


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready", "/docs", "/openapi.json"])
def test_row_8_metrics_and_health_are_neither_public_nor_on_the_port_of_a_service(desk: AttackedDesk, path: str):
    found = {name: httpx.get(f"{desk.services[name].url}{path}", trust_env=False).status_code for name in SERVICES}
    assert found == dict.fromkeys(SERVICES, 404)
    assert desk.anywhere().client.get(path).status_code == 404


# row 11


def secret(desk: AttackedDesk, service: str, name: str) -> str:
    return desk.services[service].environment[setting(service, name)]


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forgeries(token: str, private_key: str) -> dict[str, str]:
    """Return forged tokens with the claims of a good one; ``private_key`` signs the good ones."""
    _, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    own, own_public = new_key_pair()
    own_jwk = OKPKey.import_key(own_public).as_dict(private=False)
    now = int(time.time())

    def signed(key: str, header: dict[str, Any] | None = None, **changed: object) -> str:
        head = {"alg": "Ed25519"} | (header or {})
        signed = jwt.encode({"alg": "Ed25519"}, claims | changed, OKPKey.import_key(key), algorithms=["Ed25519"])
        if not header:
            return signed
        content = f"{part(head)}.{part(claims | changed)}"
        sign = OKPKey.import_key(key).get_op_key("sign").sign(content.encode())
        return f"{content}.{base64.urlsafe_b64encode(sign).rstrip(b'=').decode()}"

    hs256 = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{payload}"
    mac = hmac.digest(public_key_of(private_key).encode(), hs256.encode(), "sha256")
    return {
        "alg none": f"{part({'alg': 'none'})}.{payload}.",
        "alg none, signature kept": f"{part({'alg': 'none'})}.{payload}.{signature}",
        "HS256 with the public key": f"{hs256}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "another key": signed(own),
        "another key in jwk": signed(own, {"jwk": own_jwk}),
        "another key by jku": signed(own, {"jku": "http://127.0.0.1:1/keys.json"}),
        "another key by kid": signed(own, {"kid": "../../../../dev/null"}),
        "payload swapped": f"{token.split('.', 1)[0]}.{part(claims | {'sub': '0012345678'})}.{signature}",
        "expired": signed(private_key, exp=now - 1),
        "from the future": signed(private_key, iat=now + 3600, nbf=now + 3600, exp=now + 7200),
    }


def calls(client: httpx.Client) -> dict[str, Any]:
    """Return a call for each kind of token, which needs one."""
    upload = {"file": ("a.pdf", PDF)}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return {
        "identity": lambda it: client.post("/api/attachments", files=upload, headers=bearer(it)),
        "tracking": lambda it: client.post("/api/tracking/withdrawal", json={}, headers=bearer(it) | key),
        "tracking's files": lambda it: client.get(f"/api/files/{ID}", headers=bearer(it)),
        "office": lambda it: client.get(f"/api/office/files/{ID}", headers=bearer(it)),
        "case of office": lambda it: client.get("/api/office/cases/123456789018", headers=bearer(it)),
        "figures": lambda it: client.get("/api/office/figures", headers=bearer(it)),
        "counter": lambda it: client.post("/api/office/mobile-codes", json={"mobile": "x"}, headers=bearer(it)),
    }


def test_row_11_tokens_of_one_kind_are_refused_where_another_is_needed(desk: AttackedDesk):
    person = desk.person()
    code = person.submit()
    receipt = person.send(person.form()).json()["receipt"]["token"]
    tracking = person.track(code).json()["token"]
    office = TokenIssuer(desk.services.office_signing_keys["isfahan"][0], "isfahan")
    tokens = {
        "identity": person.token,
        "tracking": tracking,
        "service": service_token("tracking", "intake"),
        "receipt": receipt,
        "office": office.issue({}, audience="desk.files", seconds=60)[0],
    }
    answers = {
        (needed, kind): call(token).status_code
        for needed, call in calls(person.client).items()
        for kind, token in tokens.items()
        if not needed.startswith(kind)
    }
    assert set(answers.values()) == {401}, answers
    for kind in ("identity", "tracking", "receipt", "office"):
        answer = httpx.post(
            f"{desk.services['intake'].url}/internal/requests/find",
            json={},
            headers=bearer(tokens[kind]),
            trust_env=False,
        )
        assert answer.status_code == 401, kind


@pytest.mark.parametrize("kind", ["identity", "tracking", "office"])
def test_row_11_forged_expired_and_future_tokens_are_refused(desk: AttackedDesk, kind: str):
    person = desk.person()
    code = person.submit()
    good, private = {
        "identity": lambda: (person.token, secret(desk, "registry-gateway", "TOKEN_PRIVATE_KEY")),
        "tracking": lambda: (person.track(code).json()["token"], secret(desk, "tracking", "TOKEN_PRIVATE_KEY")),
        "office": lambda: (
            TokenIssuer(desk.services.office_signing_keys["isfahan"][0], "isfahan").issue(
                {}, audience="desk.files", seconds=60
            )[0],
            desk.services.office_signing_keys["isfahan"][0],
        ),
    }[kind]()
    call = calls(person.client)[kind]

    answers = {name: call(token).status_code for name, token in forgeries(good, private).items()}

    assert set(answers.values()) == {401}, answers
    assert call(good).status_code != 401


# row 12


def test_row_12_another_persons_file_request_and_code_are_not_found(desk: AttackedDesk):
    owner, other = desk.person(), desk.person()
    owner.identify()
    unclaimed, claimed = owner.upload("a.pdf", PDF), owner.upload("b.pdf", PDF)
    code = owner.send(owner.form(attachments=[claimed])).json()["tracking_code"]
    others = other.submit()
    token = other.track(others).json()["token"]

    assert other.client.delete(f"/api/attachments/{unclaimed}", headers=bearer(other.token)).status_code == 404
    assert other.send(other.form(attachments=[unclaimed])).json()["code"] == "attachment_unknown"
    assert other.client.get(f"/api/files/{claimed}", headers=bearer(token)).status_code == 404
    assert other.track(code).status_code == 404
    assert (
        owner.client.get(f"/api/files/{claimed}", headers=bearer(owner.track(code).json()["token"])).status_code == 200
    )


def test_row_12_another_offices_files_and_cases_are_out_of_reach(desk: AttackedDesk):
    person = desk.person()
    person.identify()
    file = person.upload("a.pdf", PDF)
    code = person.send(person.form(attachments=[file])).json()["tracking_code"]
    wait_for(lambda: desk.services.province.of(code))
    isfahan, qom = (TokenIssuer(desk.services.office_signing_keys[key][0], key) for key in ("isfahan", "qom"))

    def get(issuer: TokenIssuer, **claims: object) -> httpx.Response:
        token, _ = issuer.issue(claims, audience="desk.files", seconds=60)
        return person.client.get(f"/api/office/files/{file}", headers=bearer(token))

    assert (get(isfahan).status_code, get(qom).status_code) == (200, 404)
    token, _ = qom.issue({}, audience="desk.files", seconds=60)
    upload = person.client.post(
        "/api/office/files", data={"tracking_code": code}, files={"file": ("a.pdf", PDF)}, headers=bearer(token)
    )
    assert upload.status_code == 404

    refused = desk.qom.report(code, "case-answered", 1, text="پاسخ دفتری دیگر")
    query = "SELECT 1 FROM refusal WHERE event_id = $1"
    wait_for(lambda: desk.services.rows("tracking", query, refused))
    assert person.sees(code, "registered")["answer"] is None


def test_row_12_an_assertion_is_used_once_ends_soon_and_has_an_id(desk: AttackedDesk):
    client = desk.anywhere().client
    private = desk.services.office_signing_keys["isfahan"][0]
    once, _ = TokenIssuer(private, "isfahan").issue({}, audience="desk.files", seconds=60)
    hour, _ = TokenIssuer(private, "isfahan").issue({}, audience="desk.files", seconds=3600)
    now = int(time.time())
    claims = {"iss": "isfahan", "aud": "desk.files", "iat": now, "exp": now + 60}
    without_id = jwt.encode({"alg": "Ed25519"}, claims, OKPKey.import_key(private), algorithms=["Ed25519"])

    statuses = [
        client.get(f"/api/office/files/{ID}", headers=bearer(token)).status_code
        for token in (once, once, hour, without_id)
    ]

    assert statuses == [404, 401, 401, 401]


# row 24


def test_row_24_a_tracking_token_ends_two_hours_after_its_look_up_however_often_it_is_renewed(desk: AttackedDesk):
    person = desk.person()
    code = person.submit()
    wait_for(lambda: desk.services.province.of(code))
    desk.services.province.report(code, "case-info-requested", 1, question="کدام کاروان؟")
    first = person.sees(code, "info_requested")["token"]

    renewed = person.reply(first, "کاروان ۱۲", []).json()["token"]
    assert claims_of(renewed)["auth_time"] == claims_of(first)["auth_time"]
    assert claims_of(renewed)["exp"] <= claims_of(first)["auth_time"] + SESSION_SECONDS

    issuer = TokenIssuer(secret(desk, "tracking", "TOKEN_PRIVATE_KEY"), "tracking")
    old = {"sub": code, "auth_time": int(time.time()) - SESSION_SECONDS, "actions": ["withdraw"]}
    ended, _ = issuer.issue(old, audience="desk.tracking", seconds=900)
    answer = withdraw(person, ended)
    assert (answer.status_code, answer.json()["code"]) == (401, "tracking_token_expired")
    still = {**old, "auth_time": old["auth_time"] + 60}
    assert withdraw(person, issuer.issue(still, audience="desk.tracking", seconds=900)[0]).status_code == 200


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def withdraw(person: Person, token: str) -> httpx.Response:
    headers = bearer(token) | {"Idempotency-Key": str(uuid.uuid4())}
    return person.client.post("/api/tracking/withdrawal", json={}, headers=headers)
