"""Headquarters as an office: take-overs, comments, the second objection, referrals there and back, and the trail."""

from datetime import UTC, datetime, timedelta

import pytest

HQ = "headquarters"
SUBMITTED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OFFICE_OF_HEADQUARTERS = {"key": HQ, "name": "ستاد سازمان حج و زیارت"}


@pytest.fixture
def events_to(tracking):
    """Return a function that lists the names of the events to an office, in the order of their numbers."""

    async def events_to(office):
        found = [each for each in await tracking.published() if each["routing_key"].endswith(f".{office}")]
        found.sort(key=lambda each: each["seq"])
        names = [each["routing_key"].removesuffix(f".{office}") for each in found]
        return [name for name in names if name != "request-status-changed"]  # for notifier only

    return events_to


async def test_a_request_about_a_subject_of_headquarters_is_its_case(tracking):
    code = await tracking.submit(office=OFFICE_OF_HEADQUARTERS)
    assert (await tracking.case(code)).province == HQ
    await tracking.report("case-received", code, province=HQ)
    await tracking.report("case-answered", code, province=HQ, seq=2)
    shown = (await tracking.look_up(code)).json()
    assert shown["state"] == "answered"
    assert shown["province"]["key"] == "isfahan"
    assert shown["office"] == OFFICE_OF_HEADQUARTERS


async def test_the_office_of_the_province_cannot_report_on_it(tracking):
    code = await tracking.submit(office=OFFICE_OF_HEADQUARTERS)
    await tracking.report("case-answered", code)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["foreign_case"]


async def test_headquarters_takes_a_case_over_and_answers(tracking, events_to):
    code = await tracking.submit()
    await tracking.report("case-received", code)
    await tracking.report("case-taken-over", code, province=HQ)

    case = await tracking.case(code)
    assert (case.province, case.state.value, case.turn, case.report_seq) == (HQ, "registered", 1, 1)
    [referred] = await tracking.published("request-referred")
    assert referred["routing_key"] == f"request-referred.{HQ}"
    assert referred["data"]["office"] == OFFICE_OF_HEADQUARTERS
    assert referred["data"]["province"]["key"] == "isfahan"
    assert referred["data"]["reason"] == "پاسخ دیر شده است."
    [taken] = await tracking.published("request-taken-over")
    assert taken["routing_key"] == "request-taken-over.isfahan"
    assert taken["data"]["office"] == OFFICE_OF_HEADQUARTERS

    await tracking.report("case-received", code, province=HQ, seq=2)
    await tracking.report("case-answered", code, province=HQ, seq=3)
    shown = (await tracking.look_up(code)).json()
    assert [each["state"] for each in shown["history"]] == [
        "registered",
        "received",
        "referred",
        "received",
        "answered",
    ]
    assert shown["history"][2]["note"] == "پاسخ دیر شده است."
    assert await tracking.refusals(code) == []


async def test_the_former_office_can_report_no_more(tracking):
    code = await tracking.submit()
    await tracking.report("case-received", code)
    await tracking.report("case-taken-over", code, province=HQ)
    await tracking.report("case-answered", code, seq=2)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["foreign_case"]
    assert (await tracking.case(code)).province == HQ


async def test_a_report_of_the_former_office_that_was_overtaken_is_added_to_the_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-assigned", code, seq=2)
    await tracking.report("case-taken-over", code, province=HQ)
    await tracking.report("case-received", code, seq=1)
    assert await tracking.states(code) == ["registered", "received", "in_progress", "referred"]
    assert (await tracking.case(code)).province == HQ


async def test_a_number_of_the_take_over_is_not_used_again(tracking):
    code = await tracking.submit()
    await tracking.report("case-taken-over", code, province=HQ, seq=3)
    await tracking.report("case-received", code, province=HQ, seq=3)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["sequence_used"]
    await tracking.report("case-received", code, province=HQ, seq=4)
    assert await tracking.state(code) == "received"


async def test_headquarters_refers_a_case_to_an_office_and_takes_it_over_again(tracking, events_to):
    code = await tracking.submit()
    await tracking.report("case-taken-over", code, province=HQ)
    await tracking.report("case-referred", code, province=HQ, seq=2, data={"province": "fars"})
    case = await tracking.case(code)
    assert (case.province, case.turn) == ("fars", 2)
    await tracking.report("case-received", code, province="fars")
    await tracking.report("case-taken-over", code, province=HQ, seq=3)
    await tracking.report("case-answered", code, province=HQ, seq=4)
    assert await tracking.state(code) == "answered"
    assert await events_to("fars") == ["request-referred", "request-taken-over"]
    referred = [each for each in await tracking.published("request-referred") if each["routing_key"].endswith("fars")]
    assert referred[0]["data"]["province"] == {"key": "fars", "name": "فارس"}


async def test_a_province_refers_a_case_to_headquarters(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code, data={"province": HQ})
    assert (await tracking.case(code)).province == HQ
    [referred] = await tracking.published("request-referred")
    assert referred["data"]["province"]["key"] == "isfahan"
    assert await tracking.published("request-taken-over") == []


@pytest.mark.parametrize(
    ("before", "reason"),
    [("case-answered", "illegal_move"), ("case-rejected", "illegal_move")],
)
async def test_a_decided_case_cannot_be_taken_over(tracking, before, reason):
    code = await tracking.submit()
    await tracking.report(before, code)
    await tracking.report("case-taken-over", code, province=HQ)
    assert [refusal[1:] for refusal in await tracking.refusals(code)] == [(HQ, "case-taken-over", reason)]
    assert (await tracking.case(code)).province == "isfahan"


async def test_an_own_case_is_neither_taken_over_nor_commented_on(tracking):
    code = await tracking.submit(office=OFFICE_OF_HEADQUARTERS)
    await tracking.report("case-taken-over", code, province=HQ)
    await tracking.report("case-commented", code, province=HQ, seq=2)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["same_province", "same_province"]


@pytest.mark.parametrize("name", ["case-taken-over", "case-commented"])
async def test_no_province_can_do_what_headquarters_may(tracking, name):
    code = await tracking.submit()
    await tracking.report(name, code, province="fars")
    await tracking.report(name, code, province="isfahan")
    reasons = [reason for *_, reason in await tracking.refusals(code)]
    assert reasons == ["forged_sender", "forged_sender"]
    assert (await tracking.case(code)).province == "isfahan"


@pytest.mark.parametrize("sender", ["province.isfahan", "province.headquarters", None])
async def test_headquarters_is_its_own_user(tracking, sender):
    code = await tracking.submit()
    await tracking.report("case-taken-over", code, province=HQ, sender=sender)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["forged_sender"]


async def test_a_comment_reaches_the_office_and_never_the_applicant(tracking):
    code = await tracking.submit()
    await tracking.report("case-commented", code, province=HQ)
    [commented] = await tracking.published("request-commented")
    assert commented["routing_key"] == "request-commented.isfahan"
    assert commented["data"]["text"] == "تا فردا پاسخ دهید."
    assert commented["data"]["office"] == OFFICE_OF_HEADQUARTERS
    shown = (await tracking.look_up(code)).text
    assert "تا فردا" not in shown
    assert await tracking.states(code) == ["registered"]


async def test_a_comment_on_an_unknown_case_waits_and_is_refused(tracking, new_code):
    code = new_code()
    await tracking.report("case-commented", code[:-1] + str((int(code[-1]) + 1) % 10), province=HQ)
    assert [each["data"]["reason"] for each in await tracking.published("case-refused")] == ["unknown_case"]


async def test_the_second_objection_is_a_case_of_headquarters(tracking, events_to):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await tracking.act("objection", code, {"text": "پاسخ درست نبود."})
    await tracking.report("case-answered", code, seq=2)
    answer = await tracking.act("objection", code, {"text": "باز هم درست نبود."}, key="key-00000002")
    assert answer.is_success

    case = await tracking.case(code)
    assert (case.province, case.state.value, case.overdue) == (HQ, "objected", 0)
    assert await events_to(HQ) == ["request-referred", "request-objected"]
    assert (await events_to("isfahan"))[-1] == "request-taken-over"
    await tracking.report("case-rejected", code, province=HQ)
    assert await tracking.state(code) == "rejected"


async def test_an_objection_to_headquarters_stays_there_and_is_the_only_one(tracking):
    code = await tracking.submit(office=OFFICE_OF_HEADQUARTERS)
    await tracking.report("case-answered", code, province=HQ)
    assert (await tracking.act("objection", code, {"text": "درست نبود."})).is_success
    await tracking.report("case-answered", code, province=HQ, seq=2)
    second = await tracking.act("objection", code, {"text": "درست نبود."}, key="key-00000002")
    assert second.json()["code"] == "already_objected"


async def test_an_escalation_names_the_offices_and_how_long_they_had_the_case(tracking):
    tracking.set_clock(SUBMITTED)
    code = await tracking.submit()
    tracking.set_clock(SUBMITTED + 2 * DAY)
    await tracking.report("case-referred", code, data={"province": "fars"})
    tracking.set_clock(SUBMITTED + 60 * DAY)
    await tracking.expire_cases()
    await tracking.expire_cases()
    [escalated] = await tracking.published("request-escalated")
    assert escalated["data"]["trail"] == [
        {
            "office": {"key": "isfahan", "name": "اصفهان"},
            "since": "2026-12-13T11:00:00Z",
            "until": "2026-12-15T11:00:00Z",
        },
        {"office": {"key": "fars", "name": "فارس"}, "since": "2026-12-15T11:00:00Z", "until": None},
    ]


async def test_the_end_of_the_stay_at_the_former_office_is_recorded(tracking):
    code = await tracking.submit()
    tracking.set_clock(SUBMITTED + DAY)
    await tracking.report("case-taken-over", code, province=HQ)
    async with tracking.parts.database.transaction() as session:
        stays = await tracking.context.cases(session).stays(code)
    assert [(each.province, each.since, each.until) for each in stays] == [("isfahan", SUBMITTED, SUBMITTED + DAY)]
