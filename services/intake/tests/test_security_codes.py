import asyncio

import httpx
import pytest

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""


@pytest.fixture
async def form(desk):
    """A valid form with a file."""
    return desk.form(attachments=[await desk.attachment()])


@pytest.fixture
def nothing_lost(desk, nothing, form):
    """Check that the request was not stored and its uploaded files were kept."""

    async def check():
        assert await desk.stored() == nothing
        assert await desk.select("SELECT id FROM attachment WHERE request_id IS NULL") == [(form["attachments"][0],)]
        assert await desk.objects() == set(form["attachments"])

    return check


async def test_a_wrong_security_code_keeps_the_uploaded_files(desk, form, problem_of, nothing_lost):
    wrong = form | {"captcha": form["captcha"] | {"answer": "54321"}}

    problem = problem_of(await desk.submit(wrong), 422)

    assert problem["code"] == "captcha_wrong"
    assert [error["field"] for error in problem["errors"]] == ["captcha.answer"]
    await nothing_lost()


async def test_the_right_security_code_succeeds_after_a_wrong_one_with_the_same_key(desk, form):
    await desk.submit(form | {"captcha": form["captcha"] | {"answer": "54321"}}, key="the-same-key")

    assert (await desk.submit(form, key="the-same-key")).status_code == 201


async def test_an_expired_security_code_keeps_the_uploaded_files(desk, form, problem_of, nothing_lost):
    problem = problem_of(await desk.submit(form | {"captcha": {"id": "A" * 22, "answer": "12345"}}), 422)

    assert problem["code"] == "captcha_expired"
    assert [error["field"] for error in problem["errors"]] == ["captcha.answer"]
    await nothing_lost()


async def test_a_security_code_is_valid_for_one_request(desk, problem_of):
    captcha = desk.captcha.issue()
    await desk.submit(captcha=captcha)

    assert problem_of(await desk.submit(captcha=captcha), 422)["code"] == "captcha_expired"
    assert await desk.count("request") == 1


async def test_a_security_code_is_valid_for_one_of_two_simultaneous_requests(desk):
    captcha = desk.captcha.issue()

    answers = await asyncio.gather(*(desk.submit(captcha=captcha) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_the_captcha_service_receives_neither_national_id_nor_key(desk, zahra):
    await desk.submit(key="the-same-key")

    [asked] = desk.captcha.asked
    assert asked["purpose"] == "submit"
    assert zahra["sub"] not in asked["claim"]
    assert "the-same-key" not in asked["claim"]


NO_VERDICT = {
    "unreachable": httpx.ConnectError("no route"),
    "too slow": httpx.ReadTimeout("5 s"),
    "its own 503": httpx.Response(503, json={"code": "service_unavailable"}),
    "a proxy's page": httpx.Response(502, text="<html>Bad Gateway</html>"),
    "a proxy that refuses": httpx.Response(403, text="<html>Forbidden</html>"),
    "a proxy that sends elsewhere": httpx.Response(302, headers={"location": "http://elsewhere"}),
    "another service": httpx.Response(404, json={"code": "not_found"}),
    "another kind of JSON": httpx.Response(422, json=["captcha_expired"]),
}


@sqlite_only
@pytest.mark.parametrize("name", NO_VERDICT)
async def test_a_request_is_refused_while_the_captcha_service_gives_no_verdict(
    desk, form, problem_of, nothing_lost, name
):
    desk.captcha.override = NO_VERDICT[name]

    answer = await desk.submit(form)

    assert problem_of(answer, 503)["code"] == "service_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    await nothing_lost()
