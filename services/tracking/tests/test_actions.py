"""The applicant's actions by tracking token: allowed once, and published."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desk.chassis.crypto import TokenReader
from desk.tracking.domain import Party, State, is_allowed
from desk.tracking.store import case_table, refusal_table, step_table

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Every state with every action, and random sequences; the other tests run each action on PostgreSQL too."""
REPLY = {"text": "شمارهٔ گذرنامه B12345678 است."}
WITHDRAWAL = {"reason": "مشکل برطرف شد."}
RATING = {"rating": 4, "comment": "پاسخ روشن بود."}
OBJECTION = {"text": "پاسخ به پرسش من نبود."}
BODIES = {"replies": REPLY, "withdrawal": WITHDRAWAL, "rating": RATING, "objection": OBJECTION}
EVENTS = {
    "replies": "request-replied",
    "withdrawal": "request-withdrawn",
    "rating": "request-rated",
    "objection": "request-objected",
}
PUBLISHED_DATA = {
    "replies": {"text": REPLY["text"], "files": []},
    "withdrawal": WITHDRAWAL,
    "rating": RATING,
    "objection": OBJECTION | {"for_role": "supervisor"},
}
REPORTS_TO_STATE = {
    "registered": [],
    "received": ["case-received"],
    "in_progress": ["case-assigned"],
    "info_requested": ["case-info-requested"],
    "answered": ["case-answered"],
    "rejected": ["case-rejected"],
}
ALLOWED = {
    "registered": {"withdrawal": "withdrawn"},
    "received": {"withdrawal": "withdrawn"},
    "in_progress": {"withdrawal": "withdrawn"},
    "info_requested": {"replies": "in_progress", "withdrawal": "withdrawn"},
    "answered": {"rating": "answered", "objection": "objected"},
    "rejected": {"objection": "objected"},
}
ALLOWED_CASES = [(state, action, after) for state, actions in ALLOWED.items() for action, after in actions.items()]
FORBIDDEN_CASES = [(state, action) for state in REPORTS_TO_STATE for action in BODIES if action not in ALLOWED[state]]
ACTION_NAMES = {"replies": "reply", "withdrawal": "withdraw", "rating": "rate", "objection": "object"}


@pytest.fixture
def case_in(tracking):
    """Return a function that opens a case and reports it into a state."""

    async def case_in(state):
        code = await tracking.submit()
        for seq, name in enumerate(REPORTS_TO_STATE[state], start=1):
            await tracking.report(name, code, seq=seq)
        return code

    return case_in


@ON_SQLITE
@pytest.mark.parametrize("state", REPORTS_TO_STATE)
async def test_the_response_lists_the_possible_actions(tracking, case_in, state):
    shown = (await tracking.look_up(await case_in(state))).json()
    assert sorted(shown["actions"]) == sorted(ACTION_NAMES[action] for action in ALLOWED[state])


@ON_SQLITE
@pytest.mark.parametrize(("state", "action", "after"), ALLOWED_CASES)
async def test_an_allowed_action_changes_the_state(tracking, case_in, state, action, after):
    code = await case_in(state)
    answer = await tracking.act(action, code, BODIES[action])
    assert (answer.status_code, answer.json()["state"], await tracking.state(code)) == (200, after, after)


@pytest.mark.parametrize(("state", "action", "after"), ALLOWED_CASES)
async def test_an_action_is_published_to_the_province(tracking, case_in, state, action, after):
    code = await case_in(state)
    await tracking.act(action, code, BODIES[action])
    [event] = await tracking.published(EVENTS[action])
    assert event["routing_key"] == f"{EVENTS[action]}.isfahan"
    assert event["subject"] == event["data"].pop("tracking_code") == code
    assert event["data"].pop("at")
    objected_report = event["data"].pop("answer_report_id", None)
    assert (objected_report is not None) == (action == "objection")
    assert event["data"] == PUBLISHED_DATA[action]
    changed = [each["data"]["state"] for each in await tracking.published("request-status-changed")]
    assert (changed[-1:] == [after]) == (after != state or bool(REPORTS_TO_STATE[state]))


@ON_SQLITE
@pytest.mark.parametrize(("state", "action"), FORBIDDEN_CASES)
async def test_an_action_that_is_not_allowed_changes_and_publishes_nothing(tracking, case_in, state, action):
    code = await case_in(state)
    history, published = await tracking.history(code), await tracking.published()
    answer = await tracking.act(action, code, BODIES[action])
    assert (answer.status_code, answer.json()["code"]) == (409, "action_not_possible")
    assert (await tracking.history(code), await tracking.published()) == (history, published)


@pytest.mark.parametrize(("state", "action", "after"), ALLOWED_CASES)
async def test_a_double_click_acts_once_and_each_call_succeeds(tracking, case_in, state, action, after):
    code = await case_in(state)
    answers = await asyncio.gather(*(tracking.act(action, code, BODIES[action]) for _ in range(3)))
    assert [(each.status_code, each.json()["state"]) for each in answers] == [(200, after)] * 3
    assert len(await tracking.published(EVENTS[action])) == 1
    assert len([entry for entry in await tracking.history(code) if entry.action]) == 1


async def test_a_repeat_succeeds_even_after_a_later_report(tracking, case_in):
    code = await case_in("info_requested")
    await tracking.act("replies", code, REPLY)
    await tracking.report("case-answered", code, seq=2)
    answer = await tracking.act("replies", code, REPLY)
    assert (answer.status_code, answer.json()["state"]) == (200, "answered")


async def test_a_key_cannot_be_reused_with_another_text(tracking, case_in):
    code = await case_in("info_requested")
    await tracking.act("replies", code, REPLY)
    answer = await tracking.act("replies", code, {"text": "شمارهٔ دیگر"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_second_question_can_be_answered_too(tracking, case_in):
    code = await case_in("info_requested")
    await tracking.act("replies", code, REPLY)
    await tracking.report("case-info-requested", code, seq=2)
    answer = await tracking.act("replies", code, {"text": "این هم پاسخ دوم"}, key="key-00000002")
    assert answer.is_success
    assert [entry["title"] for entry in answer.json()["history"]] == [
        "ثبت شد",
        "نیازمند توضیح شما",
        "توضیح شما فرستاده شد",
        "نیازمند توضیح شما",
        "توضیح شما فرستاده شد",
    ]


async def test_a_reply_comes_after_its_question_even_if_the_provinces_clock_is_ahead(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, at="2099-01-01T00:00:00Z")
    await tracking.act("replies", code, REPLY)
    await tracking.report("case-assigned", code, seq=2, at="2098-01-01T00:00:00Z")
    assert [(entry.state.value, entry.action) for entry in await tracking.history(code)] == [
        ("registered", None),
        ("info_requested", None),
        ("in_progress", "reply"),
        ("in_progress", None),
    ]


async def test_a_rating_is_shown_with_its_number_and_comment(tracking, case_in):
    code = await case_in("answered")
    last = (await tracking.act("rating", code, RATING)).json()["history"][-1]
    assert (last["title"], last["note"], last["action"]) == ("ارزیابی شما ثبت شد: ۴ از ۵", RATING["comment"], "rate")


async def test_each_answer_can_be_rated_once(tracking, case_in):
    code = await case_in("answered")
    await tracking.act("rating", code, RATING)
    second = await tracking.act("rating", code, {"rating": 1}, key="key-00000002")
    assert (second.status_code, second.json()["code"]) == (409, "already_rated")
    await tracking.act("objection", code, OBJECTION)
    await tracking.report("case-answered", code, seq=2)
    assert (await tracking.act("rating", code, {"rating": 1}, key="key-00000003")).is_success


async def test_an_applicant_can_object_twice_and_then_headquarters_has_the_case(tracking, case_in):
    code = await case_in("answered")
    await tracking.act("objection", code, OBJECTION)
    await tracking.report("case-answered", code, seq=2)
    second = await tracking.act("objection", code, OBJECTION, key="key-00000002")
    assert second.json()["office"]["key"] == "headquarters"
    await tracking.report("case-answered", code, province="headquarters")
    third = await tracking.act("objection", code, OBJECTION, key="key-00000003")
    assert (third.status_code, third.json()["code"]) == (409, "already_objected")
    assert (await tracking.look_up(code)).json()["actions"] == ["rate"]


async def test_the_response_contains_the_last_moment_of_an_objection(tracking, case_in):
    shown = (await tracking.look_up(await case_in("answered"))).json()
    left = datetime.fromisoformat(shown["objection_until"]) - datetime.now(UTC)
    assert timedelta(days=15) <= left <= timedelta(days=16)
    assert (await tracking.look_up(await case_in("received"))).json()["objection_until"] is None


async def test_an_objection_after_the_period_is_refused(tracking, case_in):
    code = await case_in("answered")
    tracking.set_clock(datetime.now(UTC) + timedelta(days=17))
    answer = await tracking.act("objection", code, OBJECTION)
    assert (answer.status_code, answer.json()["code"]) == (409, "objection_too_late")
    assert "object" not in (await tracking.look_up(code)).json()["actions"]


async def test_a_province_can_report_after_an_objection(tracking, case_in):
    code = await case_in("answered")
    await tracking.act("objection", code, OBJECTION)
    await tracking.report("case-assigned", code, seq=2)
    assert await tracking.states(code) == ["registered", "answered", "objected", "in_progress"]


async def test_a_report_after_a_withdrawal_is_refused(tracking, case_in):
    code = await case_in("received")
    await tracking.act("withdrawal", code, WITHDRAWAL)
    event_id = await tracking.report("case-answered", code, seq=2)
    assert await tracking.refusals(code) == [(event_id, "isfahan", "case-answered", "illegal_move")]


async def test_a_withdrawal_before_the_look_up_is_published_to_the_province_after_the_release(
    tracking, pending, submission, new_code
):
    code = new_code()
    await tracking.bus.handle(pending(code))
    assert (await tracking.act("withdrawal", code, {})).json()["state"] == "withdrawn"
    assert await tracking.published("request-withdrawn") == []
    await tracking.bus.handle(submission(code, seq=2))
    [event] = await tracking.published("request-withdrawn")
    assert event["seq"] > 2, "the release was number 2"
    assert await tracking.state(code) == "withdrawn"


async def test_a_withdrawal_before_the_look_up_is_published_to_intake_once(tracking, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    for _ in range(2):
        await tracking.act("withdrawal", code, WITHDRAWAL)
    [event] = await tracking.published("request-pending-withdrawn")
    assert (event["routing_key"], event["subject"]) == ("request-pending-withdrawn.isfahan", code)
    assert sorted(event["data"]) == ["at", "tracking_code"], "without the reason"


async def test_a_withdrawal_after_the_release_is_not_published_to_intake(tracking, case_in):
    await tracking.act("withdrawal", await case_in("registered"), {})
    assert await tracking.published("request-pending-withdrawn") == []


async def test_a_rejection_after_a_withdrawal_changes_and_publishes_nothing(
    tracking, pending, identity_rejected, new_code
):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await tracking.act("withdrawal", code, {})
    history, published = await tracking.history(code), await tracking.published()
    await tracking.bus.handle(identity_rejected(code))
    assert await tracking.state(code) == "withdrawn"
    assert (await tracking.history(code), await tracking.published()) == (history, published)


async def test_a_withdrawal_after_a_rejection_is_refused(tracking, pending, identity_rejected, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await tracking.bus.handle(identity_rejected(code))
    assert (await tracking.act("withdrawal", code, {})).json()["code"] == "action_not_possible"
    assert await tracking.states(code) == ["identity_pending", "identity_rejected"]
    assert await tracking.published("request-pending-withdrawn") == []


@pytest.mark.parametrize(
    ("token", "code"),
    [("none", "tracking_token_missing"), ("forged", "tracking_token_invalid"), ("old", "tracking_token_expired")],
)
async def test_an_action_without_a_valid_token_is_refused(tracking, case_in, token, code):
    tracking_code = await case_in("received")
    tokens = {"none": "", "forged": "abc", "old": tracking.token(tracking_code, seconds=-1)}
    headers = {"idempotency-key": "key-00000001"}
    headers |= {"authorization": f"Bearer {tokens[token]}"} if tokens[token] else {}
    answer = await tracking.act("withdrawal", tracking_code, {}, token=tokens[token] or " ")
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert await tracking.state(tracking_code) == "received"


async def test_a_token_with_another_audience_is_refused(tracking, case_in):
    code = await case_in("received")
    answer = await tracking.act("withdrawal", code, {}, token=tracking.token(code, audience="desk.identity"))
    assert answer.json()["code"] == "tracking_token_invalid"


@ON_SQLITE
@pytest.mark.parametrize("key", [None, "short", "with spaces in", "ک" * 9])
async def test_an_action_requires_a_valid_idempotency_key(tracking, case_in, key):
    code = await case_in("received")
    sent = key.encode() if key else None
    answer = await tracking.act("withdrawal", code, {}, key=sent)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


@ON_SQLITE
@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("replies", {}, "text"),
        ("replies", {"text": " \u200c\n"}, "text"),
        ("replies", {"text": "ا" * 4001}, "text"),
        ("objection", {"text": ""}, "text"),
        ("rating", {"rating": 0}, "rating"),
        ("rating", {"rating": 6}, "rating"),
        ("rating", {"rating": 4, "comment": "ا" * 1001}, "comment"),
        ("withdrawal", {"reason": "ا" * 1001}, "reason"),
    ],
)
async def test_invalid_fields_are_refused_by_name(tracking, case_in, action, body, field):
    answer = await tracking.act(action, await case_in("answered"), body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_actions_on_one_request_are_rate_limited(tracking, case_in):
    code = await case_in("registered")
    answers = [await tracking.act("rating", code, RATING) for _ in range(31)]
    assert (answers[29].status_code, answers[30].status_code) == (409, 429)


async def test_an_action_on_an_unknown_request_is_not_possible_yet(tracking, new_code):
    assert (await tracking.act("withdrawal", new_code(), {})).json()["code"] == "action_not_possible"


anything = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25, deadline=None
)
reports = st.tuples(
    st.sampled_from(["case-received", "case-assigned", "case-info-requested", "case-answered", "case-rejected"]),
    st.integers(min_value=1, max_value=8),
)
actions = st.tuples(st.sampled_from(sorted(BODIES)), st.integers(min_value=1, max_value=3))


@ON_SQLITE
@anything
@given(st.lists(st.one_of(reports, actions), max_size=12), st.data())
async def test_no_sequence_of_reports_and_actions_reaches_an_illegal_state_or_loses_one(tracking, report, drawn, data):
    code = await tracking.submit()
    messages = [report(name, code, seq=number) if name not in BODIES else (name, number) for name, number in drawn]
    repeated = data.draw(st.lists(st.sampled_from(messages), max_size=4)) if messages else []
    token = tracking.token(code)
    tracking.settings.moves_per_request = "1000/hour"
    acted = set()
    before = (await tracking.case(code)).state
    for message in data.draw(st.permutations(messages + repeated)):
        if isinstance(message, tuple):
            action, number = message
            answer = await tracking.act(action, code, BODIES[action], key=f"key-0000000{number}", token=token)
            assert answer.status_code in {200, 409}
            party = Party.APPLICANT
            acted |= {message} if answer.is_success else set()
        else:
            await tracking.bus.handle(message)
            party = Party.PROVINCE
        after = (await tracking.case(code)).state
        assert after is before or is_allowed(party, before, after)
        before = after
    await _assert_nothing_is_lost(tracking, code, acted, {each.id for each in messages if not isinstance(each, tuple)})


async def _assert_nothing_is_lost(tracking, code, acted, reported):
    entries = await tracking.rows(select(step_table).where(step_table.c.tracking_code == code))
    refused = await tracking.rows(select(refusal_table.c.event_id).where(refusal_table.c.tracking_code == code))
    assert sum(entry.action is not None for entry in entries) == len(acted)
    recorded = [row.event_id for row in [*entries, *refused]]
    assert len(recorded) == len(set(recorded)) == len(reported) + len(acted) + 1
    numbers = await tracking.numbers_of(code)
    assert sorted(numbers) == list(range(2, 2 + len(numbers)))
    [case] = await tracking.rows(select(case_table).where(case_table.c.tracking_code == code))
    assert State(case.state) in State
    assert case.seq == 1 + len(numbers)


async def test_tracking_tokens_end_two_hours_after_the_look_up_however_often_they_are_renewed(tracking, case_in):
    code = await case_in("answered")

    almost = await tracking.act("rating", code, {"rating": 5}, token=tracking.token(code, seconds_ago=7150))
    assert almost.status_code == 200
    reader = TokenReader(tracking.public_key, issuer="tracking", audience="desk.tracking")
    claims = reader.read(almost.json()["token"])
    assert claims["exp"] <= claims["auth_time"] + 7200

    late = await tracking.act("objection", code, {"text": "نه"}, token=tracking.token(code, seconds_ago=7200))
    assert (late.status_code, late.json()["code"]) == (401, "tracking_token_expired")
