"""The steps of the probe against a desk that fails in each of them, and the messages of its command line."""

import httpx
import pytest

from desk.chassis.crypto import TokenIssuer, TokenReader, new_key_pair
from desk.probe.main import main
from desk.probe.run import ProbeFailedError, Run, run
from desk.probe.settings import Settings

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
CODE = "202611220064"
ANSWERS = {
    "/": (200, {}),
    "/api/captchas": (201, {}),
    "/api/probe/requests": (201, {"tracking_code": CODE}),
    "/api/probe/tracking": (200, {"tracking_code": CODE}),
}


class Desk:
    """A desk with these answers, which records the calls."""

    def __init__(self, **answers):
        self.answers = ANSWERS | answers
        self.tokens = []
        self.missing = 0

    def __call__(self, request):
        if "authorization" in request.headers:
            self.tokens.append((request.url.path, request.headers["authorization"].removeprefix("Bearer ")))
        if request.url.path == "/api/probe/tracking" and self.missing:
            self.missing -= 1
            return httpx.Response(404, json={"code": "request_not_found"})
        answer = self.answers[request.url.path]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], json=answer[1])


async def probe(desk):
    lines = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(desk), base_url="http://desk") as client:
        await Run(client, TokenIssuer(PRIVATE_KEY, "probe"), lines.append).steps()
    return [line.partition(":")[0] for line in lines]


async def test_it_waits_for_the_event_and_signs_each_call_with_an_assertion_of_its_own():
    desk = Desk()
    desk.missing = 1
    assert await probe(desk) == ["page", "security code", "submission", "look-up", "all steps"]
    audiences = {"/api/probe/requests": "desk.probe.intake", "/api/probe/tracking": "desk.probe.tracking"}
    claims = [
        TokenReader(PUBLIC_KEY, issuer="probe", audience=audiences[path], longest_seconds=120).read(token)
        for path, token in desk.tokens
    ]
    assert len({each["jti"] for each in claims}) == len(claims) == 3


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        ("/", (502, {}), "page: the desk answered 502"),
        ("/api/captchas", (503, {}), "security code: the desk answered 503"),
        ("/api/probe/requests", (401, {}), "submission: the desk answered 401"),
        ("/api/probe/requests", (201, {"code": 5}), "submission: the answer is not the one of this route"),
        ("/api/probe/tracking", httpx.ReadTimeout("…"), "look-up: no answer: ReadTimeout"),
    ],
)
async def test_a_failure_names_its_step(path, answer, message):
    with pytest.raises(ProbeFailedError) as failed:
        await probe(Desk(**{path: answer}))
    assert str(failed.value) == message


async def test_a_request_that_is_never_found_is_a_failure(monkeypatch):
    desk = Desk()
    desk.missing = 10**6
    client = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **given: client(transport=httpx.MockTransport(desk), **given))
    settings = Settings(
        url="http://desk", host="desk.example.ir, other.example.ir", private_key=PRIVATE_KEY, seconds=0.7
    )
    with pytest.raises(ProbeFailedError, match=r"^not complete after 0\.7 s$"):
        await run(settings, lambda _: None)


def test_a_setting_that_is_missing_or_wrong_is_one_line_without_its_value(monkeypatch):
    monkeypatch.setenv("DESK_PROBE_PRIVATE_KEY", PRIVATE_KEY.replace("-----BEGIN", "-----BEGUN"))
    with pytest.raises(SystemExit) as failed:
        main(["run"])
    message = str(failed.value)
    assert message.startswith("desk-probe: DESK_PROBE_URL: Field required; DESK_PROBE_PRIVATE_KEY: ")
    assert PRIVATE_KEY.splitlines()[1] not in message
