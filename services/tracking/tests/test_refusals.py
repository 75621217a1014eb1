"""Every report whose office and case can be read is applied completely, or refused with a reason."""

import json
from dataclasses import replace

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desk.chassis.bus import ContractError
from desk.chassis.problem import ServiceUnavailableError
from desk.testing.event_keys import encrypted
from desk.tracking.domain import CaseNotReadyError
from desk.tracking.events import REPORTS, CaseErased, CaseOpened
from desk.tracking.store import refusal_table, step_table

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NAMES = [each.name for each in (*REPORTS, CaseOpened, CaseErased)]
OTHER_FILE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.fixture
def refusal(tracking):
    """Return a function that returns the data of the only refusal that was published."""

    async def refusal():
        [event] = await tracking.published("case-refused")
        return event["data"]

    return refusal


@pytest.fixture
def handle_broken(tracking):
    """Return a function that delivers a report with other bytes or properties, which must be dead-lettered."""

    async def handle_broken(message, body=None, **properties):
        content = message.body if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        with pytest.raises(ContractError):
            await tracking.bus.handle(replace(message, body=content, **properties))

    return handle_broken


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("case-answered", {"text": "x" * 8001}, ("data.text", "string_too_long")),
        ("case-answered", {"text": ""}, ("data.text", "string_too_short")),
        ("case-answered", {"text": None}, ("data.text", "string_type")),
        ("case-received", {"at": "2026-12-13T11:00:00"}, ("data.at", "timezone_aware")),
        ("case-referred", {"subject": {"key": "umrah"}}, ("data", "value_error")),
        ("case-answered", {"files": [{"id": OTHER_FILE}]}, ("data.files.0.name", "missing")),
    ],
)
async def test_a_report_that_breaks_the_schema_is_refused_with_field_and_rule(tracking, refusal, name, data, fault):
    code = await tracking.submit()
    with pytest.raises(ContractError):
        await tracking.report(name, code, data=data)
    refused = await refusal()
    assert (refused["reason"], (refused["field"], refused["rule"])) == ("contract_broken", fault)
    assert await tracking.states(code) == ["registered"]


async def test_a_missing_field_is_named(tracking, refusal, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-answered", code)
    data = {"tracking_code": code, "at": "2026-12-13T11:00:00Z"}
    await handle_broken(sent, encrypted(json.loads(sent.body) | {"data": data}, "tracking"))
    refused = await refusal()
    assert (refused["report_id"], refused["report"]) == (sent.id, "case-answered")
    assert (refused["field"], refused["rule"]) == ("data.text", "missing")


async def test_another_message_id_is_refused(tracking, refusal, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-received", code)
    await handle_broken(sent, id="other")
    refused = await refusal()
    assert (refused["report_id"], refused["field"], refused["rule"]) == (sent.id, "message_id", "differs_from_id")


async def test_data_for_other_keys_is_refused(tracking, refusal, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-received", code)
    foreign = encrypted(json.loads(sent.body) | {"data": {"tracking_code": code}}, "isfahan")
    await handle_broken(sent, foreign)
    refused = await refusal()
    assert (refused["field"], refused["rule"]) == ("data", "not_decrypted")


async def test_an_unknown_type_of_report_is_refused(tracking, refusal, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-received", code)
    await handle_broken(sent, json.loads(sent.body) | {"type": "ir.haj.desk.case-received.v9"})
    refused = await refusal()
    assert (refused["field"], refused["rule"]) == ("type", "unknown")


async def test_a_broken_report_that_is_delivered_again_is_refused_once(tracking, refusal, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-answered", code, data={"text": ""})
    await handle_broken(sent)
    await handle_broken(sent)
    assert (await refusal())["report_id"] == sent.id


async def test_a_corrected_report_with_the_same_id_is_applied(tracking, report, handle_broken):
    code = await tracking.submit()
    sent = report("case-answered", code)
    await handle_broken(sent, json.loads(sent.body) | {"seq": 0})
    await tracking.bus.handle(sent)
    assert await tracking.state(code) == "answered"


@ON_SQLITE
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"subject": "123"}', b'{"subject": null, "id": 5}', b"\xff"])
async def test_a_report_without_a_readable_case_is_dead_lettered_only(tracking, report, handle_broken, body):
    await handle_broken(report("case-received", await tracking.submit()), body)
    assert await tracking.published() == []


@ON_SQLITE
async def test_a_broken_event_of_a_service_is_refused_to_no_office(tracking, submission, new_code, handle_broken):
    sent = submission(new_code())
    await handle_broken(sent, json.loads(sent.body) | {"seq": 0})
    assert await tracking.published() == []


async def test_a_number_that_is_used_is_refused_with_the_expected_one(tracking, refusal):
    code = await tracking.submit()
    await tracking.report("case-received", code, seq=1)
    await tracking.report("case-answered", code, seq=1)
    refused = await refusal()
    assert (refused["reason"], refused["expected_seq"]) == ("sequence_used", 2)
    view = (await tracking.look_up(code)).json()
    assert (view["state"], view["answer"]) == ("received", None)


async def test_the_number_of_an_opening_is_used_too(tracking, refusal):
    code = await tracking.submit()
    await tracking.report("case-opened", code, seq=1)
    await tracking.report("case-answered", code, seq=1)
    assert ((await refusal())["reason"], await tracking.state(code)) == ("sequence_used", "registered")


async def test_an_answer_that_an_opening_overtook_is_applied(tracking):
    code = await tracking.submit()
    await tracking.report("case-opened", code, seq=2)
    await tracking.report("case-answered", code, seq=1)
    assert (await tracking.state(code), await tracking.refusals(code)) == ("answered", [])


@pytest.mark.parametrize("name", ["case-answered", "case-rejected", "case-referred"])
async def test_an_overtaken_decision_is_refused_and_leaves_nothing(tracking, refusal, name):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, seq=3)
    await tracking.report(name, code, seq=2)
    refused = await refusal()
    assert (refused["reason"], refused["expected_seq"]) == ("overtaken", 4)
    assert await tracking.states(code) == ["registered", "info_requested"]


async def test_a_decision_under_the_expected_number_is_applied(tracking, refusal):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, seq=3)
    await tracking.report("case-answered", code, seq=2)
    await tracking.report("case-answered", code, seq=(await refusal())["expected_seq"])
    assert await tracking.state(code) == "answered"


async def test_a_late_decision_of_the_office_before_is_refused(tracking, refusal):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=3)
    await tracking.report("case-answered", code, seq=2)
    assert (await refusal())["reason"] == "overtaken"
    assert await tracking.states(code) == ["registered", "referred"]


@pytest.mark.parametrize("file_id", [OTHER_FILE, "not-a-uuid", "x" * 300, "\x00"])
async def test_an_answer_with_an_unknown_file_is_refused(tracking, refusal, file_id):
    code = await tracking.submit()
    file = {"id": file_id, "name": "a.pdf", "size": 1, "media_type": "application/pdf", "sha256": "b" * 64}
    await tracking.report("case-answered", code, data={"files": [file]})
    refused = await refusal()
    assert (refused["reason"], refused["field"]) == ("unknown_file", "data.files")
    assert (await tracking.state(code), await tracking.states(code)) == ("registered", ["registered"])


async def test_the_files_of_an_answer_are_asked_of_intake_for_this_case_and_office(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    [(_, asked)] = tracking.peers.calls_to("/internal/requests/answer-files")
    assert (asked["tracking_code"], asked["office"]) == (code, "isfahan")


async def test_a_file_is_shown_as_intake_has_it(tracking):
    code = await tracking.submit()
    named = tracking.peers.answer_files[0] | {"name": "other.pdf", "size": 999}
    await tracking.report("case-answered", code, data={"files": [named]})
    [shown] = (await tracking.look_up(code)).json()["answer"]["files"]
    assert (shown["name"], shown["size"]) == ("قبض.pdf", 12)


async def test_an_answer_with_files_waits_while_intake_is_unavailable(tracking, report):
    code = await tracking.submit()
    sent = report("case-answered", code)
    tracking.peers.intake = httpx.ConnectError("refused")
    with pytest.raises(ServiceUnavailableError):
        await tracking.bus.handle(sent)
    tracking.peers.intake = None
    await tracking.bus.handle(sent)
    assert await tracking.state(code) == "answered"


async def test_a_referral_to_an_unknown_subject_is_refused(tracking, refusal):
    code = await tracking.submit()
    subjects = {"subject": {"key": "nope", "title": "x"}, "sub_subject": {"key": "nope", "title": "x"}}
    await tracking.report("case-referred", code, data=subjects)
    assert ((await refusal())["reason"], await tracking.state(code)) == ("unknown_subject", "registered")


async def test_a_sub_subject_of_another_subject_is_unknown(tracking, refusal):
    code = await tracking.submit()
    subjects = {"subject": {"key": "umrah"}, "sub_subject": {"key": "lost_receipt"}}
    await tracking.report("case-referred", code, data=subjects)
    assert (await refusal())["reason"] == "unknown_subject"


async def test_the_applicant_reads_the_titles_of_the_catalogue(tracking):
    code = await tracking.submit()
    subjects = {"subject": {"key": "umrah", "title": "x"}, "sub_subject": {"key": "umrah_visa"}}
    await tracking.report("case-referred", code, data=subjects)
    view = (await tracking.look_up(code)).json()
    assert view["subject"] == {"key": "umrah", "title": "عمرهٔ مفرده"}
    assert view["sub_subject"] == {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"}


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_report_waits_a_minute_for_its_case(tracking, report, new_code, failures):
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(replace(report("case-received", new_code()), failures=failures))
    assert tracking.peers.calls_to("/internal/requests/state") == []


async def test_after_a_minute_a_case_that_intake_does_not_have_is_unknown(tracking, refusal, report, new_code):
    await tracking.bus.handle(replace(report("case-received", new_code()), failures=2))
    assert (await refusal())["reason"] == "unknown_case"


async def test_a_report_waits_longer_for_a_case_that_intake_has(tracking, report, new_code):
    code = new_code()
    tracking.peers.codes[code] = "registered"
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(replace(report("case-received", code), failures=3))


async def test_a_report_waits_longer_while_intake_is_unavailable(tracking, report, new_code):
    tracking.peers.intake = httpx.ConnectError("refused")
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(replace(report("case-received", new_code()), failures=3))


async def test_a_pending_request_is_an_unknown_case_to_its_office(tracking, refusal, pending, report, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    tracking.peers.codes[code] = "identity_pending"
    await tracking.bus.handle(replace(report("case-received", code), failures=2))
    assert (await refusal())["reason"] == "unknown_case"


_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("x" * 9000), st.just([{}]),
    st.just("a\x00b"), st.just({"key": "umrah"}), st.just("2026-12-13T11:00:00"),
)  # fmt: skip
_in_data = st.sampled_from(
    [
        "tracking_code",
        "at",
        "text",
        "files",
        "question",
        "reason",
        "province",
        "subject",
        "sub_subject",
        "certificate_id",
    ]
)
_in_envelope = st.sampled_from(["specversion", "id", "source", "type", "time", "seq", "datacontenttype", "data"])
_REMOVED = object()
_changes = st.dictionaries(_in_data, st.one_of(_values, st.just(_REMOVED)), max_size=3)
_envelope_changes = st.dictionaries(_in_envelope, st.one_of(_values, st.just(_REMOVED)), max_size=1)


def _changed(fields, changes):
    return {key: value for key, value in (fields | changes).items() if value is not _REMOVED}


@ON_SQLITE
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150, deadline=None
)
@given(st.sampled_from(NAMES), _changes, _envelope_changes)
async def test_any_report_is_applied_or_refused_and_never_half_applied(  # noqa: PLR0917 - three drawn, three fixtures
    tracking, report, report_data, name, changes, envelope_changes
):
    code = await tracking.submit()
    sent = report(name, code)
    data = _changed(report_data(name, code), changes)
    clear = json.loads(sent.body) | {"data": data}
    sealed = _changed(encrypted(clear, "tracking"), envelope_changes)
    if isinstance(sealed.get("id"), str) and sealed["id"] != sent.id:
        sealed["id"] += sent.id  # a report with an id that was refused before is the same report
    before, counted = await tracking.history(code), len(await tracking.rows(select(refusal_table)))
    message = replace(sent, body=json.dumps(sealed).encode(), failures=2)
    try:
        await tracking.bus.handle(message)
    except ContractError:
        assert await tracking.history(code) == before
    refused = len(await tracking.rows(select(refusal_table))) - counted
    steps = len(await tracking.history(code)) - len(before)
    assert (steps, refused) in {(1, 0), (0, 1)}, "each report has one result"
    entries = await tracking.rows(select(step_table).where(step_table.c.tracking_code == code))
    state = await tracking.state(code)
    if steps:
        assert {entry.state for entry in entries} & {state, "referred"}, "the state is the one of the report"
    else:
        assert state == "registered"
