"""Events in, once and in any order; reports out, all of them, in order, whatever is away."""

import uuid
from datetime import timedelta

import pytest
from support.console_service import CODE, DUE, OTHER_CODE, SUBMITTED, told

from desk.console.domain.cases import State
from desk.console.domain.errors import CaseHeldError, CaseNotHereError, CaseNotOpenError
from desk.console.service.experts import Referral
from desk.console.store.reports import NewFile
from desk.expert import FileRefusedError, Refusal, Told


async def test_a_request_that_comes_twice_is_one_case_and_acknowledged_once(house):
    request = told("request-submitted", 1)
    await house.hear(request, request)
    assert (await house.case()).state is State.NEW
    assert await house.send_all() == ["case-received"]


async def test_what_comes_before_its_request_waits_for_it(house):
    await house.hear(told("request-withdrawn", 4, reason="مشکل برطرف شد."))
    with pytest.raises(CaseNotHereError):
        await house.case()
    await house.hear(told("request-submitted", 1))
    assert (await house.case()).state is State.WITHDRAWN
    assert await house.send_all() == []


async def test_reports_are_numbered_in_the_order_in_which_they_were_made(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    await house.experts.take(expert, CODE)
    await house.experts.ask(expert, CODE, "شمارهٔ گذرنامه را بنویسید.")
    await house.hear(told("request-replied", 5, text="B12345678"))
    await house.experts.answer(expert, CODE, "انجام شد.")
    assert await house.send_all() == ["case-received", "case-assigned", "case-info-requested", "case-answered"]
    assert [report.seq for report in house.line.sent] == [1, 2, 3, 4]
    assert house.line.sent[2].data == {"question": "شمارهٔ گذرنامه را بنویسید."}


async def test_nothing_is_lost_while_the_broker_is_away(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    house.line.away = True
    await house.experts.answer(expert, CODE, "انجام شد.")
    assert await house.send_all() == []
    view = await house.experts.view("isfahan", CODE)
    assert view.unsent(house.now.replace(year=2027))

    house.line.away, house.now = False, house.now.replace(year=2027)
    assert await house.send_all() == ["case-received", "case-answered"]
    assert not (await house.experts.view("isfahan", CODE)).unsent(house.now)


async def test_a_province_whose_broker_is_away_holds_up_no_other(house):
    house.line.away = True
    await house.hear(told("request-submitted", 1))
    await house.hear(told("request-submitted", 1, code=OTHER_CODE), province="qom")
    await house.send_all()
    assert [report.name for report in house.other_line.sent] == ["case-received"]


async def test_a_file_goes_up_once_and_is_named_in_the_answer(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    await house.send_all()
    await house.experts.answer(expert, CODE, "در پیوست است.", [NewFile("روادید.pdf", b"%PDF")])
    house.line.away = True
    await house.send_all()
    house.line.away, house.now = False, house.now.replace(year=2027)
    await house.send_all()
    assert house.line.files == [("روادید.pdf", b"%PDF")]
    assert [file["name"] for file in house.line.sent[-1].data["files"]] == ["روادید.pdf"]


async def test_an_answer_whose_file_the_desk_does_not_take_opens_the_case_again_and_says_so(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    house.line.refusing = FileRefusedError("type_not_allowed", "این نوع فایل پذیرفته نمی‌شود.")
    await house.experts.answer(expert, CODE, "در پیوست است.", [NewFile("x.exe", b"MZ")])
    assert await house.send_all() == ["case-received"]
    view = await house.experts.view("isfahan", CODE)
    assert (view.known.case.open, view.known.case.refused) == (True, True)
    assert view.history[-1].text == "این نوع فایل پذیرفته نمی‌شود."


async def test_an_answer_whose_file_cannot_go_up_yet_waits(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    house.line.refusing = FileRefusedError("desk_away", "", later=True)
    await house.experts.answer(expert, CODE, "در پیوست است.", [NewFile("روادید.pdf", b"%PDF")])
    await house.send_all()
    assert (await house.case()).state is State.ANSWERED
    house.line.refusing, house.now = None, house.now.replace(year=2027)
    assert await house.send_all() == ["case-received", "case-answered"]


async def test_a_report_that_the_desk_refuses_is_undone_and_stands_on_the_case(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    await house.experts.answer(expert, CODE, "انجام شد.")
    await house.send_all()
    answered = house.line.sent[-1]
    house.now += timedelta(minutes=1)
    refusal = Refusal(tracking_code=CODE, report="case-answered", report_id=answered.id, reason="illegal_move")
    await house.hear(Told(str(uuid.uuid4()), "case-refused", CODE, 5, {}, None, refusal))
    view = await house.experts.view("isfahan", CODE)
    assert (view.known.case.state, view.known.case.refused) == (State.NEW, True)
    assert (view.history[-1].kind, view.history[-1].text) == ("case-refused", "illegal_move")


async def test_one_expert_at_a_time_and_nobody_after_the_answer(house):
    first, second = await house.account("first"), await house.account("second")
    await house.hear(told("request-submitted", 1))
    await house.experts.take(first, CODE)
    with pytest.raises(CaseHeldError):
        await house.experts.answer(second, CODE, "من پاسخ می‌دهم.")
    await house.experts.answer(first, CODE, "انجام شد.")
    with pytest.raises(CaseNotOpenError):
        await house.experts.answer(second, CODE, "من هم.")


async def test_a_case_is_another_province_s_to_nobody_here(house):
    stranger = await house.account("stranger", province="qom")
    await house.hear(told("request-submitted", 1))
    with pytest.raises(CaseNotHereError):
        await house.experts.answer(stranger, CODE, "انجام شد.")


async def test_a_case_referred_within_the_console_is_with_the_other_province(house):
    expert = await house.account("expert")
    await house.hear(told("request-submitted", 1))
    await house.experts.refer(expert, CODE, Referral("qom"), "متقاضی ساکن قم است.")
    await house.hear(told("request-referred", 5, reason="متقاضی ساکن قم است."), province="qom")
    assert (await house.case()).state is State.REFERRED
    assert (await house.case(province="qom")).state is State.NEW
    assert await house.experts.province_of(CODE) == "qom"


async def test_a_late_case_s_date_is_the_desk_s(house):
    await house.hear(told("request-submitted", 1))
    later = DUE.replace(year=2027)
    await house.hear(told("request-overdue", 3, due_at=later.isoformat()))
    assert (await house.case()).due_at == later


async def test_many_cases_get_one_answer_and_the_others_a_reason(house):
    expert, colleague = await house.account("expert"), await house.account("colleague")
    await house.hear(told("request-submitted", 1), told("request-submitted", 1, code=OTHER_CODE))
    await house.experts.take(colleague, OTHER_CODE)
    done, refused = await house.experts.answer_many(expert, [CODE, OTHER_CODE, "000000000000"], "انجام شد.")
    assert done == [CODE]
    assert set(refused) == {OTHER_CODE, "000000000000"}


async def test_nothing_personal_can_be_read_in_the_database_s_file(house, tmp_path):
    await house.hear(told("request-submitted", 1), told("request-replied", 2, text="شمارهٔ من ۱۲۳۴ است"))
    await house.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert CODE.encode() in stored
    for personal in ("8275737168", "نرگس", "باران", "9120000000", "applicant@example.com", "شمارهٔ من"):
        assert personal.encode() not in stored


async def test_the_figures_are_counted_and_the_median_is_in_the_middle(house):
    expert = await house.account("expert")
    for number, days in enumerate((1, 2, 9)):
        code = f"{number:012}"
        house.now = SUBMITTED.replace(day=SUBMITTED.day)
        await house.hear(told("request-submitted", 1, code=code))
        house.now = SUBMITTED.fromtimestamp(SUBMITTED.timestamp() + days * 86400, tz=SUBMITTED.tzinfo)
        await house.experts.answer(expert, code, "انجام شد.")
        await house.hear(told("request-rated", 4, code=code, rating=3 + number % 2, comment=None))
    await house.hear(told("request-submitted", 1))
    house.now = DUE.replace(year=2027)
    figures = await house.experts.figures(expert)
    assert (figures.open, figures.overdue, figures.done, figures.median_days) == (1, 1, 3, 2.0)
    assert (figures.rated, round(figures.average, 2)) == (3, 3.33)
