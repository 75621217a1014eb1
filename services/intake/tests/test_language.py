import json

import pytest

from desk.database import DataKeys
from desk.testing.event_keys import decrypted


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


@pytest.fixture
def contact(desk):
    async def contact():
        [message] = await desk.events()
        return decrypted(message.body, "tracking")["data"]["contact"]

    return contact


@pytest.mark.parametrize(("changes", "language"), [({}, "fa"), ({"language": "fa"}, "fa"), ({"language": "en"}, "en")])
async def test_the_language_of_the_page_is_the_language_of_notices(desk, contact, changes, language):
    assert (await desk.submit(**changes)).status_code == 201

    assert (await contact())["language"] == language


async def test_an_unsupported_language_is_refused(desk, problem_of):
    problem = problem_of(await desk.submit(language="fr"), 422)

    assert [error["field"] for error in problem["errors"]] == ["language"]


async def test_a_repeat_in_another_language_is_the_same_request(desk):
    answers = [await desk.submit(key="the-same-key", language=language) for language in ("en", "fa")]

    assert [each.status_code for each in answers] == [201, 201]
    assert len({each.json()["tracking_code"] for each in answers}) == 1


async def test_a_request_without_a_language_has_notices_in_persian(desk, zahra):
    assert (await _stored(desk, zahra)).contact.language == "en"
    assert (await _stored(desk, zahra, without="language")).contact.language == "fa"


async def _stored(desk, applicant, *, without=""):
    """Submit, remove a field as if an earlier version had stored the request, and read it back."""
    code = (await desk.submit(language="en")).json()["tracking_code"]
    query = (
        "SELECT r.id, personal, wrapped FROM request r JOIN data_key k ON k.id = r.id ORDER BY submitted_at, r.rowid"
    )
    request_id, sealed, wrapped = (await desk.select(query))[-1]
    vault, place = desk.parts.vault, f"request.personal:{request_id}"
    personal = json.loads(DataKeys(vault).open(sealed, place, request_id, wrapped))
    assert personal["contact"].keys() == {"mobile", "landline", "email"}, "replicas of an earlier version read this"
    personal.pop(without, None)
    sealed = vault.seal(json.dumps(personal).encode(), place)
    await desk.change("UPDATE request SET personal = :personal WHERE id = :id", personal=sealed, id=request_id)
    async with desk.parts.database.transaction() as session:
        return await desk.app.state.services.requests.find(session, applicant["sub"], code)
