"""Events in, once and in any order; reports out, all of them, in order, whatever is away."""

import uuid
from datetime import timedelta

import pytest
from support.console_service import CODE, DUE, OTHER_CODE, SUBMITTED, event

from desk.console.domain.cases import State
from desk.console.domain.errors import CaseClaimedError, CaseNotHereError, CaseNotOpenError
from desk.console.service.experts import Referral
from desk.console.store.reports import NewFile
from desk.expert import FileRefusedError, Refusal, Told


async def test_a_request_that_comes_twice_is_one_case_and_acknowledged_once(console):
    request = event("request-submitted", 1)
    await console.handle(request, request)
    assert (await console.case()).state is State.NEW
    assert await console.send_all() == ["case-received"]


async def test_what_comes_before_its_request_waits_for_it(console):
    await console.handle(event("request-withdrawn", 4, reason="مشکل برطرف شد."))
    with pytest.raises(CaseNotHereError):
        await console.case()
    await console.handle(event("request-submitted", 1))
    assert (await console.case()).state is State.WITHDRAWN
    assert await console.send_all() == []


async def test_reports_are_numbered_in_the_order_in_which_they_were_made(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.claim(expert, CODE)
    await console.experts.ask(expert, CODE, "شمارهٔ گذرنامه را بنویسید.")
    await console.handle(event("request-replied", 5, text="B12345678"))
    await console.experts.answer(expert, CODE, "انجام شد.")
    assert await console.send_all() == ["case-received", "case-assigned", "case-info-requested", "case-answered"]
    assert [report.seq for report in console.client.sent] == [1, 2, 3, 4]
    assert console.client.sent[2].data == {"question": "شمارهٔ گذرنامه را بنویسید."}


async def test_nothing_is_lost_while_the_broker_is_away(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    console.client.unavailable = True
    await console.experts.answer(expert, CODE, "انجام شد.")
    assert await console.send_all() == []
    view = await console.experts.view("isfahan", CODE)
    assert view.unsent(console.now.replace(year=2027))

    console.client.unavailable, console.now = False, console.now.replace(year=2027)
    assert await console.send_all() == ["case-received", "case-answered"]
    assert not (await console.experts.view("isfahan", CODE)).unsent(console.now)


async def test_a_province_whose_broker_is_away_holds_up_no_other(console):
    console.client.unavailable = True
    await console.handle(event("request-submitted", 1))
    await console.handle(event("request-submitted", 1, code=OTHER_CODE), province="qom")
    await console.send_all()
    assert [report.name for report in console.other_client.sent] == ["case-received"]


async def test_a_file_goes_up_once_and_is_named_in_the_answer(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.send_all()
    await console.experts.answer(expert, CODE, "در پیوست است.", [NewFile("روادید.pdf", b"%PDF")])
    console.client.unavailable = True
    await console.send_all()
    console.client.unavailable, console.now = False, console.now.replace(year=2027)
    await console.send_all()
    assert console.client.files == [("روادید.pdf", b"%PDF")]
    assert [file["name"] for file in console.client.sent[-1].data["files"]] == ["روادید.pdf"]


async def test_an_answer_whose_file_the_desk_does_not_take_opens_the_case_again_and_says_so(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    console.client.refusing = FileRefusedError("type_not_allowed", "این نوع فایل پذیرفته نمی‌شود.")
    await console.experts.answer(expert, CODE, "در پیوست است.", [NewFile("x.exe", b"MZ")])
    assert await console.send_all() == ["case-received"]
    view = await console.experts.view("isfahan", CODE)
    assert (view.record.case.open, view.record.case.refused) == (True, True)
    assert view.history[-1].text == "این نوع فایل پذیرفته نمی‌شود."


async def test_an_answer_whose_file_cannot_go_up_yet_waits(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    console.client.refusing = FileRefusedError("desk_away", "", later=True)
    await console.experts.answer(expert, CODE, "در پیوست است.", [NewFile("روادید.pdf", b"%PDF")])
    await console.send_all()
    assert (await console.case()).state is State.ANSWERED
    console.client.refusing, console.now = None, console.now.replace(year=2027)
    assert await console.send_all() == ["case-received", "case-answered"]


async def test_a_report_that_the_desk_refuses_is_undone_and_stands_on_the_case(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.answer(expert, CODE, "انجام شد.")
    await console.send_all()
    answered = console.client.sent[-1]
    console.now += timedelta(minutes=1)
    refusal = Refusal(tracking_code=CODE, report="case-answered", report_id=answered.id, reason="illegal_move")
    await console.handle(Told(str(uuid.uuid4()), "case-refused", CODE, 5, {}, None, refusal))
    view = await console.experts.view("isfahan", CODE)
    assert (view.record.case.state, view.record.case.refused) == (State.NEW, True)
    assert (view.history[-1].kind, view.history[-1].text) == ("case-refused", "illegal_move")


async def test_one_expert_at_a_time_and_nobody_after_the_answer(console):
    first, second = await console.account("first"), await console.account("second")
    await console.handle(event("request-submitted", 1))
    await console.experts.claim(first, CODE)
    with pytest.raises(CaseClaimedError):
        await console.experts.answer(second, CODE, "من پاسخ می‌دهم.")
    await console.experts.answer(first, CODE, "انجام شد.")
    with pytest.raises(CaseNotOpenError):
        await console.experts.answer(second, CODE, "من هم.")


async def test_a_case_is_another_province_s_to_nobody_here(console):
    stranger = await console.account("stranger", province="qom")
    await console.handle(event("request-submitted", 1))
    with pytest.raises(CaseNotHereError):
        await console.experts.answer(stranger, CODE, "انجام شد.")


async def test_a_case_referred_within_the_console_is_with_the_other_province(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.refer(expert, CODE, Referral("qom"), "متقاضی ساکن قم است.")
    await console.handle(event("request-referred", 5, reason="متقاضی ساکن قم است."), province="qom")
    assert (await console.case()).state is State.REFERRED
    assert (await console.case(province="qom")).state is State.NEW
    assert await console.experts.province_of(CODE) == "qom"


async def test_a_late_case_s_date_is_the_desk_s(console):
    await console.handle(event("request-submitted", 1))
    later = DUE.replace(year=2027)
    await console.handle(event("request-overdue", 3, due_at=later.isoformat()))
    assert (await console.case()).due_at == later


async def test_many_cases_get_one_answer_and_the_others_a_reason(console):
    expert, colleague = await console.account("expert"), await console.account("colleague")
    await console.handle(event("request-submitted", 1), event("request-submitted", 1, code=OTHER_CODE))
    await console.experts.claim(colleague, OTHER_CODE)
    done, refused = await console.experts.answer_many(expert, [CODE, OTHER_CODE, "000000000000"], "انجام شد.")
    assert done == [CODE]
    assert set(refused) == {OTHER_CODE, "000000000000"}


async def test_nothing_personal_can_be_read_in_the_database_s_file(console, tmp_path):
    await console.handle(event("request-submitted", 1), event("request-replied", 2, text="شمارهٔ من ۱۲۳۴ است"))
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert CODE.encode() in stored
    for personal in ("8275737168", "نرگس", "باران", "9120000000", "applicant@example.com", "شمارهٔ من"):
        assert personal.encode() not in stored


async def test_the_figures_are_counted_and_the_median_is_in_the_middle(console):
    expert = await console.account("expert")
    for number, days in enumerate((1, 2, 9)):
        code = f"{number:012}"
        console.now = SUBMITTED.replace(day=SUBMITTED.day)
        await console.handle(event("request-submitted", 1, code=code))
        console.now = SUBMITTED.fromtimestamp(SUBMITTED.timestamp() + days * 86400, tz=SUBMITTED.tzinfo)
        await console.experts.answer(expert, code, "انجام شد.")
        await console.handle(event("request-rated", 4, code=code, rating=3 + number % 2, comment=None))
    await console.handle(event("request-submitted", 1))
    console.now = DUE.replace(year=2027)
    figures = await console.experts.figures(expert)
    assert (figures.open, figures.overdue, figures.done, figures.median_days) == (1, 1, 3, 2.0)
    assert (figures.rated, round(figures.average, 2)) == (3, 3.33)
