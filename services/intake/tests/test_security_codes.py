import asyncio

import httpx
import pytest

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""


@pytest.fixture
async def form(desk):
    """A good form with a file."""
    return desk.form(attachments=[await desk.attachment()])


@pytest.fixture
def nothing_lost(desk, nothing, form):
    """Check that nothing was kept of the request, and nothing lost of what was put up for it."""

    async def check():
        assert await desk.stored() == nothing
        assert await desk.select("SELECT id FROM attachment WHERE request_id IS NULL") == [(form["attachments"][0],)]
        assert desk.objects() == set(form["attachments"])

    return check


async def test_a_wrong_security_code_costs_nothing_that_was_sent(desk, form, problem_of, nothing_lost):
    wrong = form | {"captcha": form["captcha"] | {"answer": "54321"}}

    problem = problem_of(await desk.submit(wrong), 422)

    assert problem["code"] == "captcha_wrong"
    assert [error["field"] for error in problem["errors"]] == ["captcha.answer"]
    await nothing_lost()


async def test_after_a_wrong_security_code_the_right_one_goes_through_under_the_same_key(desk, form):
    await desk.submit(form | {"captcha": form["captcha"] | {"answer": "54321"}}, key="the-same-key")

    assert (await desk.submit(form, key="the-same-key")).status_code == 201


async def test_an_expired_security_code_costs_nothing_that_was_sent(desk, form, problem_of, nothing_lost):
    problem = problem_of(await desk.submit(form | {"captcha": {"id": "A" * 22, "answer": "12345"}}), 422)

    assert problem["code"] == "captcha_expired"
    assert [error["field"] for error in problem["errors"]] == ["captcha.answer"]
    await nothing_lost()


async def test_a_security_code_is_good_for_one_request(desk, problem_of):
    captcha = desk.captcha.issue()
    await desk.submit(captcha=captcha)

    assert problem_of(await desk.submit(captcha=captcha), 422)["code"] == "captcha_expired"
    assert await desk.count("request") == 1


async def test_a_security_code_is_good_for_one_of_two_requests_at_once(desk):
    captcha = desk.captcha.issue()

    answers = await asyncio.gather(*(desk.submit(captcha=captcha) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_the_captcha_service_learns_neither_number_nor_key(desk, zahra):
    await desk.submit(key="the-same-key")

    [asked] = desk.captcha.asked
    assert asked["purpose"] == "submit"
    assert zahra["sub"] not in asked["claim"]
    assert "the-same-key" not in asked["claim"]


AWAY = {
    "nobody there": httpx.ConnectError("no route"),
    "too slow": httpx.ReadTimeout("5 s"),
    "its own 503": httpx.Response(503, json={"code": "service_unavailable"}),
    "a proxy's page": httpx.Response(502, text="<html>Bad Gateway</html>"),
    "a proxy that refuses": httpx.Response(403, text="<html>Forbidden</html>"),
    "a proxy that sends elsewhere": httpx.Response(302, headers={"location": "http://elsewhere"}),
    "another service": httpx.Response(404, json={"code": "not_found"}),
    "another kind of JSON": httpx.Response(422, json=["captcha_expired"]),
}


@sqlite_only
@pytest.mark.parametrize("name", AWAY)
async def test_without_the_captcha_service_s_word_nothing_is_let_through(desk, form, problem_of, nothing_lost, name):
    desk.captcha.instead = AWAY[name]

    answer = await desk.submit(form)

    assert problem_of(answer, 503)["code"] == "service_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    await nothing_lost()
