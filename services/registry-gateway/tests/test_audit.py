import asyncio

import pytest
from sqlalchemy import text

from desk.registry_gateway.domain import FailureKind, UnansweredError


async def test_a_match_is_recorded(post, ask, living, audit):
    await post(ask(living))

    [row] = await audit()
    assert (row.purpose, row.outcome) == ("submit", "matched")


async def test_a_mismatch_is_recorded_although_the_response_is_an_error(post, wrong, audit):
    await post(wrong)

    assert [row.outcome for row in await audit()] == ["not_matched"]


async def test_a_look_up_of_a_deceased_person_is_recorded(post, ask, deceased, audit):
    await post(ask(deceased))

    assert [row.outcome for row in await audit()] == ["deceased"]


@pytest.mark.parametrize("failure", [UnansweredError(FailureKind.DOWN, "timed out"), RuntimeError("a bug")])
async def test_a_look_up_without_an_answer_is_recorded(post, wrong, registry, audit, failure):
    registry.failure = failure

    await post(wrong)

    assert [row.outcome for row in await audit()] == ["unanswered"]


async def test_the_record_finds_a_number_by_its_keyed_hash(post, ask, living, audit, parts):
    await post(ask(living))

    [row] = await audit()
    assert row.number_index == parts.vault.index(living.identity.national_id.value, "national_id")
    assert row.source_index == parts.vault.index("198.51.100.7/32", "source")


async def test_no_personal_data_is_in_the_database_files(post, ask, living, tmp_path):
    await post(ask(living))

    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    identity = living.identity
    assert b"matched" in stored
    for personal in (identity.national_id.value, identity.first_name, identity.last_name, "198.51.100.7"):
        assert personal.encode() not in stored


async def test_no_identity_is_returned_unless_the_look_up_is_recorded(post, ask, living, parts):
    async with parts.database.transaction() as session:
        await session.execute(text("DROP TABLE ledger_head"))

    answer = await post(ask(living))

    assert answer.status_code >= 500
    assert "token" not in answer.json()


async def test_a_look_up_of_a_disconnected_caller_is_recorded(post, wrong, registry, audit):
    registry.answering.clear()
    asking = asyncio.create_task(post(wrong))
    await registry.reached.wait()

    asking.cancel()
    await asyncio.wait([asking])

    assert [row.outcome for row in await audit()] == ["unanswered"]
