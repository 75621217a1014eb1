"""Submissions and reports: the state of the case, its history and the published events."""

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desk.chassis.bus import ContractError
from desk.tracking.domain import TITLES, CaseNotReadyError, Party, State, is_allowed
from desk.tracking.store import case_table, refusal_table, step_table

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Every state with every report, and random sequences; the other tests run each report on PostgreSQL too."""
STATE_AFTER = {
    "case-received": "received",
    "case-assigned": "in_progress",
    "case-info-requested": "info_requested",
    "case-answered": "answered",
    "case-rejected": "rejected",
    "case-referred": "registered",
}
REPORTS_TO_STATE = {
    "registered": [],
    "received": ["case-received"],
    "in_progress": ["case-assigned"],
    "info_requested": ["case-info-requested"],
    "answered": ["case-answered"],
    "rejected": ["case-rejected"],
}
"""The reports that bring a case into each state."""
ALLOWED = {
    "registered": set(STATE_AFTER),
    "received": set(STATE_AFTER) - {"case-received"},
    "in_progress": set(STATE_AFTER) - {"case-received"},
    "info_requested": set(STATE_AFTER) - {"case-received"},
    "answered": set(),
    "rejected": set(),
}
ALL = [(state, name) for state in REPORTS_TO_STATE for name in STATE_AFTER]
ALLOWED_CASES = [(state, name) for state, name in ALL if name in ALLOWED[state]]
FORBIDDEN_CASES = [(state, name) for state, name in ALL if name not in ALLOWED[state]]
STORY = ["case-received", "case-assigned", "case-info-requested", "case-assigned", "case-answered"]


@pytest.fixture
def case_in(tracking):
    """Return a function that opens a case and reports it into a state."""

    async def case_in(state):
        code = await tracking.submit()
        for seq, name in enumerate(REPORTS_TO_STATE[state], start=1):
            await tracking.report(name, code, seq=seq)
        return code

    return case_in


async def test_a_submission_opens_a_case(tracking):
    code = await tracking.submit()
    case = await tracking.case(code)
    assert (case.state, case.province, case.seq, case.report_seq) == (State.REGISTERED, "isfahan", 1, 0)
    assert case.submitted_at.isoformat() == "2026-12-13T11:00:00+00:00"
    assert case.due_at.isoformat() == "2026-12-20T20:29:59+00:00"


async def test_a_new_case_has_one_history_entry(tracking):
    code = await tracking.submit()
    assert await tracking.states(code) == ["registered"]


async def test_opening_a_case_publishes_nothing(tracking):
    await tracking.submit()
    assert await tracking.published() == []


async def test_a_submission_delivered_twice_opens_one_case(tracking, submission, new_code):
    message = submission(new_code())
    await tracking.bus.handle(message)
    await tracking.bus.handle(message)
    assert len(await tracking.rows(select(step_table))) == 1


async def test_a_submission_published_twice_does_not_reset_the_case(tracking, submission):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await tracking.bus.handle(submission(code))
    assert (await tracking.state(code), await tracking.states(code)) == ("answered", ["registered", "answered"])


@ON_SQLITE
@pytest.mark.parametrize(
    "changes",
    [
        {"tracking_code": "12345"},
        {"due_at": "2026-12-20T20:29:59"},
        {"applicant": None},
        {"contact": {"email": "zahra.rezaei@example.ir"}},
        {"province": {"key": "isfahan"}},
    ],
)
async def test_a_submission_that_breaks_the_contract_opens_nothing(tracking, changes):
    with pytest.raises(ContractError):
        await tracking.submit(**changes)
    assert await tracking.rows(select(case_table)) == []


@ON_SQLITE
@pytest.mark.parametrize(("state", "name"), ALLOWED_CASES)
async def test_an_allowed_report_changes_the_state(tracking, case_in, state, name):
    code = await case_in(state)
    await tracking.report(name, code, seq=5)
    assert await tracking.state(code) == STATE_AFTER[name]


@ON_SQLITE
@pytest.mark.parametrize(("state", "name"), FORBIDDEN_CASES)
async def test_a_report_that_is_not_allowed_changes_no_state(tracking, case_in, state, name):
    code = await case_in(state)
    history = await tracking.history(code)
    await tracking.report(name, code, seq=5)
    assert (await tracking.state(code), await tracking.history(code)) == (state, history)


@ON_SQLITE
@pytest.mark.parametrize(("state", "name"), FORBIDDEN_CASES)
async def test_a_report_that_is_not_allowed_is_recorded_as_refused(tracking, case_in, state, name):
    code = await case_in(state)
    event_id = await tracking.report(name, code, seq=5)
    assert await tracking.refusals(code) == [(event_id, "isfahan", name, "illegal_move")]


async def test_a_refusal_is_published_to_the_province(tracking, case_in):
    code = await case_in("answered")
    event_id = await tracking.report("case-rejected", code, seq=5)
    [refused] = await tracking.published("case-refused")
    assert refused["routing_key"] == "case-refused.isfahan"
    assert refused["subject"] == code
    assert {**refused["data"], "at": "..."} == {
        "tracking_code": code,
        "report": "case-rejected",
        "report_id": event_id,
        "reason": "illegal_move",
        "explanation": "answered cannot become rejected",
        "field": None,
        "rule": None,
        "expected_seq": None,
        "at": "...",
    }


async def test_a_refused_report_publishes_no_new_state(tracking, case_in):
    code = await case_in("answered")
    await tracking.report("case-rejected", code, seq=5)
    changes = await tracking.published("request-status-changed")
    assert [change["data"]["state"] for change in changes] == ["answered"]


async def test_a_report_after_a_refused_one_is_applied(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=5, data={"province": "isfahan"})
    await tracking.report("case-answered", code, seq=2)
    assert await tracking.state(code) == "answered"


async def test_a_report_delivered_twice_is_applied_once(tracking, report):
    code = await tracking.submit()
    message = report("case-received", code)
    await tracking.bus.handle(message)
    await tracking.bus.handle(message)
    assert (await tracking.states(code), await tracking.refusals(code)) == (["registered", "received"], [])
    assert len(await tracking.published()) == 1


async def test_a_report_delivered_twice_is_refused_once(tracking, case_in, report):
    code = await case_in("answered")
    message = report("case-rejected", code, seq=5)
    await tracking.bus.handle(message)
    await tracking.bus.handle(message)
    assert len(await tracking.published("case-refused")) == 1


async def test_reports_at_the_same_time_are_applied_one_after_another(tracking, report):
    code = await tracking.submit()
    messages = [report("case-assigned", code, seq=seq) for seq in range(1, 9)]
    await asyncio.gather(*(tracking.bus.handle(message) for message in messages))
    assert (len(await tracking.history(code)), (await tracking.case(code)).report_seq) == (9, 8)


async def test_an_overtaken_report_changes_no_state(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=3)
    await tracking.report("case-assigned", code, seq=2)
    assert await tracking.state(code) == "answered"


async def test_a_second_report_under_the_same_number_changes_no_state(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, seq=3)
    await tracking.report("case-assigned", code, seq=3)
    assert await tracking.state(code) == "info_requested"


async def test_an_overtaken_report_is_part_of_the_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=3)
    await tracking.report("case-received", code, seq=1)
    assert await tracking.states(code) == ["registered", "received", "answered"]


async def test_reports_of_one_second_are_ordered_by_number(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=2, at="2026-12-14T08:00:00Z")
    await tracking.report("case-received", code, seq=1, at="2026-12-14T08:00:00Z")
    assert await tracking.states(code) == ["registered", "received", "answered"]


async def test_a_referral_and_a_reception_of_one_second_are_ordered(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=2, at="2026-12-14T08:00:00Z")
    await tracking.report("case-received", code, province="fars", seq=1, at="2026-12-14T08:00:00Z")
    await tracking.report("case-received", code, seq=1, at="2026-12-14T08:00:00Z")
    assert await tracking.states(code) == ["registered", "received", "referred", "received"]


async def test_an_overtaken_report_publishes_nothing(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=3)
    await tracking.report("case-assigned", code, seq=2)
    assert [each["data"]["state"] for each in await tracking.published()] == ["answered"]


@ON_SQLITE
@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_reports_in_any_order_end_in_the_same_state_and_history(tracking, order):
    code = await tracking.submit()
    names = ["case-received", "case-assigned", "case-answered"]
    for number in order:
        await tracking.report(names[number], code, seq=number + 1)
    assert await tracking.state(code) == "answered"
    assert await tracking.states(code) == ["registered", "received", "in_progress", "answered"]
    assert await tracking.refusals(code) == []


FORGERIES = {
    "another province's source": {"source": "/office/fars"},
    "a service's source": {"source": "/desk/tracking"},
    "no province's source": {"source": "/office/atlantis"},
    "a source that only begins so": {"source": "/office/isfahan/x"},
    "another province's routing key": {"routing_key": "case-answered.fars"},
    "another report's routing key": {"routing_key": "case-received.isfahan"},
    "another province's user": {"sender": "province.fars"},
    "no user": {"sender": None},
    "a user that is no office's": {"sender": "isfahan"},
}


@ON_SQLITE
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_report_changes_nothing(tracking, name):
    code = await tracking.submit()
    await tracking.report("case-answered", code, **FORGERIES[name])
    assert (await tracking.state(code), await tracking.states(code)) == ("registered", ["registered"])


@ON_SQLITE
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_report_is_recorded_as_forged(tracking, name):
    code = await tracking.submit()
    await tracking.report("case-answered", code, **FORGERIES[name])
    assert [(report, reason) for _, _, report, reason in await tracking.refusals(code)] == [
        ("case-answered", "forged_sender")
    ]


async def test_the_refusal_of_a_forged_report_goes_to_the_authenticated_user(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, sender="province.fars")
    [refused] = await tracking.published()
    assert refused["routing_key"] == "case-refused.fars"


@pytest.mark.parametrize("details", [{"sender": "notifier"}, {"routing_key": "case-answered.nowhere", "sender": None}])
async def test_a_report_of_no_province_breaks_the_contract(tracking, details):
    code = await tracking.submit()
    with pytest.raises(ContractError):
        await tracking.report("case-answered", code, **details)
    assert await tracking.state(code) == "registered"


async def test_a_report_about_another_provinces_case_is_refused(tracking):
    code = await tracking.submit()
    event_id = await tracking.report("case-answered", code, province="fars")
    assert await tracking.state(code) == "registered"
    assert await tracking.refusals(code) == [(event_id, "fars", "case-answered", "foreign_case")]


async def test_a_refusal_to_another_province_contains_nothing_of_the_case(tracking, secrets_of_people):
    code = await tracking.submit()
    await tracking.report("case-answered", code, province="fars")
    [refused] = await tracking.published()
    assert refused["routing_key"] == "case-refused.fars"
    assert not any(word in str(refused) for word in (*secrets_of_people, "isfahan"))


async def test_a_report_whose_subject_is_another_case_is_refused(tracking, new_code):
    code = await tracking.submit()
    await tracking.report("case-answered", code, subject=new_code())
    assert [reason for *_, reason in await tracking.refusals(code)] == ["wrong_subject"]


async def test_a_report_on_an_unknown_case_is_retried(tracking, report, submission, new_code):
    code = new_code()
    early = report("case-received", code)
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(early)
    assert await tracking.received_count() == 0

    await tracking.bus.handle(submission(code))
    await tracking.bus.handle(early)
    assert await tracking.state(code) == "received"


async def test_a_report_on_an_unknown_case_is_refused_at_the_last_attempt(tracking, report, new_code):
    code = new_code()
    mistyped = report("case-answered", code)
    await tracking.bus.handle(replace(mistyped, last_attempt=True))
    assert await tracking.refusals(code) == [(mistyped.id, "isfahan", "case-answered", "unknown_case")]
    [refused] = await tracking.published()
    assert (refused["routing_key"], refused["seq"]) == ("case-refused.isfahan", 1)
    assert (refused["data"]["report_id"], refused["data"]["reason"]) == (mistyped.id, "unknown_case")


@ON_SQLITE
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("case-answered", {"text": ""}),
        ("case-answered", {"text": " \n "}),
        ("case-answered", {"text": "x" * 8001}),
        ("case-answered", {"text": None}),
        ("case-answered", {"files": [{"id": "f-1"}]}),
        ("case-info-requested", {"question": ""}),
        ("case-rejected", {"reason": ""}),
        ("case-referred", {"reason": ""}),
        ("case-referred", {"subject": {"key": "umrah", "title": "عمره"}}),
        ("case-referred", {"subject": {"key": "A B", "title": "x"}, "sub_subject": {"key": "b", "title": "y"}}),
        ("case-received", {"at": "2026-12-13T11:00:00"}),
        ("case-received", {"at": "9999-12-31T23:59:59-10:00"}),
        ("case-received", {"tracking_code": "12345678901"}),
    ],
)
async def test_a_report_that_breaks_the_contract_is_dead_lettered(tracking, name, data):
    code = await tracking.submit()
    with pytest.raises(ContractError):
        await tracking.report(name, code, data=data)
    assert await tracking.states(code) == ["registered"]


async def test_a_referral_hands_the_case_to_the_other_province(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code)
    case = await tracking.case(code)
    assert (case.province, case.state) == ("fars", State.REGISTERED)


async def test_a_referral_is_part_of_the_history_with_its_reason(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code)
    entries = await tracking.history(code)
    assert [(entry.state.value, entry.note) for entry in entries] == [
        ("registered", None),
        ("referred", "ساکن استان دیگری هستید."),
    ]


async def test_after_a_referral_the_new_province_reports_from_its_own_first_number(tracking):
    code = await tracking.submit()
    await tracking.report("case-assigned", code, seq=7)
    await tracking.report("case-referred", code, seq=8)
    await tracking.report("case-received", code, province="fars", seq=1, at="2026-12-14T08:00:00Z")
    await tracking.report("case-answered", code, province="fars", seq=2, at="2026-12-14T09:00:00Z")
    assert await tracking.state(code) == "answered"
    assert await tracking.states(code) == ["registered", "in_progress", "referred", "received", "answered"]


@pytest.mark.parametrize("seq", [1, 2])
async def test_after_a_referral_the_old_province_is_refused(tracking, seq):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=1)
    await tracking.report("case-answered", code, seq=seq)
    assert await tracking.state(code) == "registered"
    assert [reason for *_, reason in await tracking.refusals(code)] == ["foreign_case"]


async def test_a_late_report_from_before_a_referral_is_part_of_the_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=3)
    await tracking.report("case-assigned", code, seq=2)
    assert (await tracking.case(code)).province == "fars"
    assert await tracking.states(code) == ["registered", "in_progress", "referred"]
    assert await tracking.refusals(code) == []


async def test_a_case_can_be_referred_back_and_on_again(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=1)
    await tracking.report("case-referred", code, province="fars", seq=1, data={"province": "isfahan"})
    await tracking.report("case-assigned", code, seq=4)
    await tracking.report("case-referred", code, seq=5, data={"province": "qom"})
    await tracking.report("case-received", code, province="qom")
    case = await tracking.case(code)
    assert (case.province, case.state, await tracking.refusals(code)) == ("qom", State.RECEIVED, [])


@pytest.mark.parametrize(("province", "reason"), [("atlantis", "unknown_province"), ("isfahan", "same_province")])
async def test_a_referral_to_an_unknown_or_the_same_province_is_refused(tracking, province, reason):
    code = await tracking.submit()
    await tracking.report("case-referred", code, data={"province": province})
    assert (await tracking.case(code)).province == "isfahan"
    assert [each for *_, each in await tracking.refusals(code)] == [reason]


OTHER_SUBJECT = {
    "subject": {"key": "umrah", "title": "عمرهٔ مفرده"},
    "sub_subject": {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"},
}


async def test_a_referral_to_another_subject_keeps_province_code_and_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-assigned", code, seq=1)
    await tracking.report("case-referred", code, seq=2, data=OTHER_SUBJECT | {"province": "isfahan"})
    await tracking.report("case-answered", code, seq=3)
    case = await tracking.case(code)
    assert (case.province, case.state, case.report_seq, case.turn) == ("isfahan", State.ANSWERED, 3, 0)
    assert await tracking.states(code) == ["registered", "in_progress", "referred", "answered"]
    view = (await tracking.look_up(code)).json()
    assert {part: view[part] for part in OTHER_SUBJECT} == OTHER_SUBJECT


async def test_a_referral_to_another_subject_is_published_with_it(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, data=OTHER_SUBJECT)
    [referred] = await tracking.published("request-referred")
    assert referred["routing_key"] == "request-referred.fars"
    assert {part: referred["data"][part] for part in OTHER_SUBJECT} == OTHER_SUBJECT


async def test_a_referral_to_the_same_province_and_subject_is_refused(tracking, request_data):
    code = await tracking.submit()
    same = {part: request_data(code)[part] for part in OTHER_SUBJECT}
    await tracking.report("case-referred", code, data=same | {"province": "isfahan"})
    assert [reason for *_, reason in await tracking.refusals(code)] == ["same_province"]


async def test_a_refused_referral_changes_no_subject(tracking, request_data):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await tracking.report("case-referred", code, seq=2, data=OTHER_SUBJECT)
    assert (await tracking.look_up(code)).json()["subject"] == request_data(code)["subject"]


async def test_a_referral_contains_the_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    await tracking.act("replies", code, {"text": "شمارهٔ گذرنامه B12345678 است."})
    await tracking.report("case-answered", code, seq=2)
    await tracking.act("objection", code, {"text": "پاسخ به پرسش من نبود."}, key="key-00000002")
    await tracking.report("case-referred", code, seq=3)
    [referred] = await tracking.published("request-referred")
    history = [(each["state"], each["action"], each["note"]) for each in referred["data"]["history"]]
    assert history == [
        ("registered", None, None),
        ("info_requested", None, "شماره فیش شما چیست؟"),
        ("in_progress", "reply", "شمارهٔ گذرنامه B12345678 است."),
        ("answered", None, None),
        ("objected", "object", "پاسخ به پرسش من نبود."),
    ]
    assert referred["data"]["history"][3]["answer"]["files"][0]["id"] == "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10"


async def test_a_referral_contains_the_whole_request(tracking, request_data):
    code = await tracking.submit()
    await tracking.report("case-referred", code)
    [referred] = await tracking.published("request-referred")
    assert referred["routing_key"] == "request-referred.fars"
    assert [each["state"] for each in referred["data"].pop("history")] == ["registered"]
    assert referred["data"] == {
        **request_data(code),
        "contact": {**request_data(code)["contact"], "language": "fa"},
        "province": {"key": "fars", "name": "فارس"},
        "office": {"key": "fars", "name": "فارس"},
        "identity": "confirmed",
        "reason": "ساکن استان دیگری هستید.",
        "attachments": [each | {"document": None} for each in request_data(code)["attachments"]],
        "fields": [],
        "source": "web",
        "representative": None,
        "registration": None,
        "office_due_at": None,
    }


@pytest.mark.parametrize("name", ["case-referred", "case-answered"])
async def test_every_new_state_is_published_with_the_language(tracking, request_data, name):
    contact = {**request_data("1" * 12)["contact"], "language": "en"}
    code = await tracking.submit(contact=contact)
    await tracking.report(name, code)
    [changed] = await tracking.published("request-status-changed")
    assert changed["data"]["contact"]["language"] == "en"


async def test_a_status_change_is_published_completely(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, at="2026-12-14T12:30:00+03:30")
    [changed] = await tracking.published()
    assert changed["routing_key"] == "request-status-changed.isfahan"
    assert (changed["source"], changed["subject"], changed["seq"]) == ("/desk/tracking", code, 2)
    assert changed["data"] == {
        "tracking_code": code,
        "state": "answered",
        "state_title": "پاسخ داده شد",
        "at": "2026-12-14T09:00:00Z",
        "due_at": "2026-12-20T20:29:59Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "office": {"key": "isfahan", "name": "اصفهان"},
        "note": None,
        "answer": {
            "text": "قبض شما صادر شد.\nبه دفتر استان بیایید.",
            "at": "2026-12-14T09:00:00Z",
            "files": [
                {
                    "id": "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10",
                    "name": "قبض.pdf",
                    "size": 12,
                    "media_type": "application/pdf",
                    "sha256": "a" * 64,
                    "document": None,
                }
            ],
        },
        "reminder": False,
        "reply_until": None,
        "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
        "contact": {
            "mobile": "+989123456789",
            "landline": "+983132223344",
            "email": "zahra.rezaei@example.ir",
            "language": "fa",
        },
    }


@pytest.mark.parametrize(
    ("name", "state", "note"),
    [
        ("case-received", "received", None),
        ("case-assigned", "in_progress", None),
        ("case-info-requested", "info_requested", "شماره فیش شما چیست؟"),
        ("case-rejected", "rejected", "مدرک‌ها کامل نیست."),
        ("case-referred", "referred", "ساکن استان دیگری هستید."),
    ],
)
async def test_each_report_is_published_with_its_title_and_note(tracking, name, state, note):
    code = await tracking.submit()
    await tracking.report(name, code)
    [changed] = await tracking.published("request-status-changed")
    data = changed["data"]
    assert (data["state"], data["state_title"], data["note"]) == (state, TITLES[State(state)], note)


async def test_the_published_events_of_a_case_are_numbered_without_gap(tracking):
    code = await tracking.submit(seq=1)
    await tracking.report("case-received", code, seq=1)
    await tracking.report("case-received", code, seq=2)
    await tracking.report("case-referred", code, seq=3)
    await tracking.report("case-answered", code, province="fars", seq=1)
    assert [each["seq"] for each in await tracking.published()] == [2, 3, 4, 5, 6]


async def test_a_status_change_without_email_and_landline_contains_null(tracking):
    code = await tracking.submit(contact={"mobile": "+989123456789"})
    await tracking.report("case-received", code)
    [changed] = await tracking.published()
    assert changed["data"]["contact"] == {
        "mobile": "+989123456789",
        "landline": None,
        "email": None,
        "language": "fa",
    }


names = st.sampled_from(sorted(STATE_AFTER))
deliveries = st.lists(
    st.tuples(names, st.integers(min_value=1, max_value=6), st.sampled_from(["isfahan", "fars"])), max_size=8
)
anything = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25, deadline=None
)


@ON_SQLITE
@anything
@given(deliveries, st.data())
async def test_no_sequence_of_reports_reaches_an_illegal_state_or_loses_one(tracking, report, given_reports, data):
    code = await tracking.submit()
    messages = [
        report(name, code, province=province, seq=seq, data={"province": "qom"} if province == "fars" else None)
        for name, seq, province in given_reports
    ]
    repeated = data.draw(st.lists(st.sampled_from(messages), max_size=3)) if messages else []
    before = await tracking.case(code)
    for message in data.draw(st.permutations(messages + repeated)):
        await tracking.bus.handle(message)
        after = await tracking.case(code)
        allowed = is_allowed(Party.PROVINCE, before.state, after.state)
        referred = after.state is State.REGISTERED and after.province != before.province
        assert after.state is before.state or allowed or referred
        before = after
    entries = await tracking.rows(select(step_table.c.event_id).where(step_table.c.tracking_code == code))
    refused = await tracking.rows(select(refusal_table.c.event_id).where(refusal_table.c.tracking_code == code))
    recorded = [row.event_id for row in entries + refused]
    assert len(recorded) == len(messages) + 1
    assert {message.id for message in messages} < set(recorded)


@ON_SQLITE
@anything
@given(st.permutations([0, 1, 2, 3, 4, 0, 3]), st.sampled_from(["case-answered", "case-rejected", "case-referred"]))
async def test_a_sequence_of_reports_in_any_order_ends_in_the_same_state(tracking, report, order, end):
    code = await tracking.submit()
    messages = [report(name, code, seq=seq) for seq, name in enumerate([*STORY[:-1], end], start=1)]
    for number in order:
        await tracking.bus.handle(messages[number])
    assert await tracking.state(code) == STATE_AFTER[end]
    assert await tracking.refusals(code) == []
    assert (await tracking.states(code))[:5] == [
        "registered",
        "received",
        "in_progress",
        "info_requested",
        "in_progress",
    ]
