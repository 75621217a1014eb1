import json

import pytest


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


@pytest.fixture
def contact(desk):
    async def contact():
        [message] = await desk.events()
        return json.loads(message.body)["data"]["contact"]

    return contact


@pytest.mark.parametrize(("said", "told"), [({}, "fa"), ({"language": "fa"}, "fa"), ({"language": "en"}, "en")])
async def test_the_language_of_the_page_is_the_language_of_notices(desk, contact, said, told):
    assert (await desk.submit(**said)).status_code == 201

    assert (await contact())["language"] == told


async def test_a_language_the_desk_does_not_write_is_refused(desk, problem_of):
    problem = problem_of(await desk.submit(language="fr"), 422)

    assert [error["field"] for error in problem["errors"]] == ["language"]


async def test_a_repeat_from_the_page_in_another_language_is_the_same_request(desk):
    answers = [await desk.submit(key="the-same-key", language=language) for language in ("en", "fa")]

    assert [each.status_code for each in answers] == [201, 201]
    assert len({each.json()["tracking_code"] for each in answers}) == 1


async def test_a_request_from_before_is_told_of_in_persian(desk, zahra):
    assert (await _stored(desk, zahra)).contact.language == "en"
    assert (await _stored(desk, zahra, without="language")).contact.language == "fa"


async def _stored(desk, applicant, *, without=""):
    """Submit, and read back what is stored, as a version before this would have written it."""
    code = (await desk.submit(language="en")).json()["tracking_code"]
    request_id, sealed = (await desk.select("SELECT id, personal FROM request ORDER BY submitted_at, rowid"))[-1]
    vault, place = desk.parts.vault, f"request.personal:{request_id}"
    personal = json.loads(vault.open(sealed, place))
    assert personal["contact"].keys() == {"mobile", "landline", "email"}, "replicas of the version before read this"
    personal.pop(without, None)
    sealed = vault.seal(json.dumps(personal).encode(), place)
    await desk.change("UPDATE request SET personal = :personal WHERE id = :id", personal=sealed, id=request_id)
    async with desk.parts.database.transaction() as session:
        return await desk.app.state.services.requests.find(session, applicant["sub"], code)
