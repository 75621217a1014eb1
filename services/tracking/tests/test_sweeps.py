"""Row 24 of the faults: thousands of wrong tracking codes from one source, and from many. 10,000 with ``FULL=1``."""

import os

CODES = 10_000 if os.environ.get("FULL") == "1" else 400
SOURCES = 100 if os.environ.get("FULL") == "1" else 20
FREE = 3
"""The limit of misses in the settings of these tests."""


async def test_a_sweep_from_one_source_reaches_the_databases_a_few_times(tracking, new_code):
    answers = [await tracking.look_up(new_code()) for _ in range(CODES)]

    assert [each.status_code for each in answers] == [404] * FREE + [429] * (CODES - FREE)
    assert {each.json()["code"] for each in answers[FREE:]} == {"proof_required"}
    assert len(tracking.peers.calls_to("/internal/requests/")) == FREE


async def test_a_sweep_from_many_sources_reaches_the_databases_a_few_times_for_each(tracking, new_code):
    sources = [f"203.0.113.{number}" for number in range(SOURCES)]
    answers = [await tracking.look_up(new_code(), source=sources[number % SOURCES]) for number in range(CODES)]

    assert not [each for each in answers if each.status_code == 200]
    assert len(tracking.peers.calls_to("/internal/requests/")) == FREE * SOURCES
