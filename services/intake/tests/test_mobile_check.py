"""The owner of a mobile is checked during submission where a register of mobiles is connected."""

from dataclasses import replace

import httpx
import pytest

from desk.intake.clients import RegistryClient
from desk.intake.service.mobile_check import MobileCheck


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


@pytest.fixture
def register(desk):
    """Connect a register of mobiles that answers what the test sets."""
    asked = []

    def answer(response, *, limit="10/hour"):
        def handle(request):
            asked.append(request)
            if isinstance(response, Exception):
                raise response
            return response

        http = httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://registry")
        check = MobileCheck(RegistryClient(http), desk.parts.rate_limits, desk.parts.vault, limit)
        desk.replace_services(submission=replace(desk.app.state.services.submission, mobile_check=check))
        return asked

    return answer


async def test_a_mobile_of_another_owner_is_refused_at_its_field_and_nothing_is_stored(desk, register, problem_of):
    register(httpx.Response(200, json={"outcome": "mismatch"}))
    form = desk.form()

    problem = problem_of(await desk.submit(form), 422)

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("mobile", "mobile_not_owned")]
    assert await desk.count("request") == 0
    register(httpx.Response(200, json={"outcome": "match"}))
    assert (await desk.submit(form)).status_code == 201, "the security code is still good"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, json={"outcome": "unknown"}),
        httpx.Response(503, json={"code": "service_unavailable"}),
        httpx.Response(200, text="<html>"),
        httpx.ConnectError("refused"),
    ],
    ids=["unknown", "unavailable", "no JSON", "unreachable"],
)
async def test_a_submission_continues_if_the_owner_is_unknown(desk, register, response):
    asked = register(response)

    assert (await desk.submit()).status_code == 201
    assert len(asked) == 1


async def test_owners_cannot_be_guessed_without_end(desk, register, problem_of):
    register(httpx.Response(200, json={"outcome": "mismatch"}), limit="2/hour")
    for _ in range(2):
        problem_of(await desk.submit(), 422)

    problem_of(await desk.submit(), 429)


async def test_without_a_register_nothing_is_asked(desk):
    assert desk.app.state.services.submission.mobile_check is None
    assert (await desk.submit()).status_code == 201
    assert desk.registry.asked == []
