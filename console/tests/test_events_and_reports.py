"""Events are handled once and in any order; every report is sent, in order, after any outage."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.console_service import CODE, DUE, OTHER_CODE, SUBMITTED, event

from desk.console import main
from desk.console.domain.errors import CaseClaimedError, CaseNotHereError, CaseNotOpenError
from desk.console.domain.states import State
from desk.console.service.experts import Referral
from desk.console.store.reports import NewFile
from desk.expert import CaseEvent, FileRefusedError, NoticeFailure, Refusal


async def test_a_request_that_is_delivered_twice_is_acknowledged_once(console):
    request = event("request-submitted", 1)
    await console.handle(request, request)
    assert (await console.case()).state is State.NEW
    assert await console.send_all() == ["case-received"]


async def test_an_event_before_its_request_is_applied_once_the_request_arrives(console):
    await console.handle(event("request-withdrawn", 4, reason="مشکل برطرف شد."))
    with pytest.raises(CaseNotHereError):
        await console.case()
    await console.handle(event("request-submitted", 1))
    assert (await console.case()).state is State.WITHDRAWN
    assert await console.send_all() == []


async def test_the_reason_of_a_withdrawal_is_in_the_history(console):
    await console.handle(event("request-submitted", 1), event("request-withdrawn", 4, reason="مشکل برطرف شد."))
    view = await console.experts.view("isfahan", CODE)
    assert view.record.case.state is State.WITHDRAWN
    assert (view.history[-1].kind, view.history[-1].text) == ("request-withdrawn", "مشکل برطرف شد.")


async def test_reports_are_numbered_in_order(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.claim(expert, CODE)
    await console.experts.ask(expert, CODE, "شمارهٔ گذرنامه را بنویسید.")
    await console.handle(event("request-replied", 5, text="B12345678"))
    await console.experts.answer(expert, CODE, "انجام شد.")
    assert await console.send_all() == ["case-received", "case-assigned", "case-info-requested", "case-answered"]
    assert [report.seq for report in console.client.sent] == [1, 2, 3, 4]
    assert console.client.sent[2].data == {
        "question": "شمارهٔ گذرنامه را بنویسید.",
        "answer_within_days": 10,
    }


async def test_reports_survive_a_broker_outage(console):
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


async def test_a_broker_outage_of_one_province_does_not_delay_another(console):
    console.client.unavailable = True
    await console.handle(event("request-submitted", 1))
    await console.handle(event("request-submitted", 1, code=OTHER_CODE), province="qom")
    await console.send_all()
    assert [report.name for report in console.other_client.sent] == ["case-received"]


async def test_a_file_is_uploaded_once_and_listed_in_the_answer(console):
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


async def test_an_answer_with_a_refused_file_reopens_the_case_with_the_reason(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    console.client.refusing = FileRefusedError("type_not_allowed", "این نوع فایل پذیرفته نمی‌شود.")
    await console.experts.answer(expert, CODE, "در پیوست است.", [NewFile("x.exe", b"MZ")])
    assert await console.send_all() == ["case-received"]
    view = await console.experts.view("isfahan", CODE)
    assert (view.record.case.open, view.record.case.refused) == (True, True)
    assert view.history[-1].text == "این نوع فایل پذیرفته نمی‌شود."


async def test_an_answer_waits_until_its_file_can_be_uploaded(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    console.client.refusing = FileRefusedError("desk_away", "", later=True)
    await console.experts.answer(expert, CODE, "در پیوست است.", [NewFile("روادید.pdf", b"%PDF")])
    await console.send_all()
    assert (await console.case()).state is State.ANSWERED
    console.client.refusing, console.now = None, console.now.replace(year=2027)
    assert await console.send_all() == ["case-received", "case-answered"]


async def test_a_refused_report_is_undone_and_added_to_the_history(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.answer(expert, CODE, "انجام شد.")
    await console.send_all()
    answered = console.client.sent[-1]
    console.now += timedelta(minutes=1)
    refusal = Refusal(tracking_code=CODE, report="case-answered", report_id=answered.id, reason="illegal_move")
    await console.handle(CaseEvent(str(uuid.uuid4()), "case-refused", CODE, 5, {}, None, refusal))
    view = await console.experts.view("isfahan", CODE)
    assert (view.record.case.state, view.record.case.refused) == (State.NEW, True)
    assert (view.history[-1].kind, view.history[-1].text) == ("case-refused", "illegal_move")


async def test_after_a_restore_reports_continue_with_the_number_that_a_refusal_names(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.answer(expert, CODE, "انجام شد.")
    await console.send_all()
    answered = console.client.sent[-1]
    refusal = Refusal(
        tracking_code=CODE, report="case-answered", report_id=answered.id, reason="sequence_used", expected_seq=7
    )
    await console.handle(CaseEvent(str(uuid.uuid4()), "case-refused", CODE, 5, {}, None, refusal))

    await console.experts.answer(expert, CODE, "انجام شد.")
    await console.send_all()

    assert (console.client.sent[-1].name, console.client.sent[-1].seq) == ("case-answered", 7)


def test_the_page_of_a_case_says_every_reason_of_a_refusal_in_words():
    page = (Path(main.__file__).parent / "templates" / "case.html").read_text(encoding="utf-8")
    contract = json.loads((Path(__file__).parents[2] / "contracts" / "desk.asyncapi.json").read_text(encoding="utf-8"))
    reasons = contract["components"]["schemas"]["RefusalReason"]["enum"]

    assert [reason for reason in reasons if f'"{reason}": "' not in page] == []


async def test_only_the_expert_with_the_claim_can_answer_and_only_once(console):
    first, second = await console.account("first"), await console.account("second")
    await console.handle(event("request-submitted", 1))
    await console.experts.claim(first, CODE)
    with pytest.raises(CaseClaimedError):
        await console.experts.answer(second, CODE, "من پاسخ می‌دهم.")
    await console.experts.answer(first, CODE, "انجام شد.")
    with pytest.raises(CaseNotOpenError):
        await console.experts.answer(second, CODE, "من هم.")


async def test_an_expert_cannot_answer_a_case_of_another_province(console):
    stranger = await console.account("stranger", province="qom")
    await console.handle(event("request-submitted", 1))
    with pytest.raises(CaseNotHereError):
        await console.experts.answer(stranger, CODE, "انجام شد.")


async def test_a_case_referred_to_a_province_of_the_same_console_is_new_there(console):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1))
    await console.experts.refer(expert, CODE, Referral("qom"), "متقاضی ساکن قم است.")
    await console.handle(event("request-referred", 5, reason="متقاضی ساکن قم است."), province="qom")
    assert (await console.case()).state is State.REFERRED
    assert (await console.case(province="qom")).state is State.NEW
    assert await console.experts.province_of(CODE) == "qom"


async def test_an_overdue_case_has_the_deadline_of_the_desk(console):
    await console.handle(event("request-submitted", 1))
    later = DUE.replace(year=2027)
    await console.handle(event("request-overdue", 3, due_at=later.isoformat()))
    assert (await console.case()).due_at == later


async def test_one_answer_to_many_cases_returns_the_reason_of_each_failure(console):
    expert, colleague = await console.account("expert"), await console.account("colleague")
    await console.handle(event("request-submitted", 1), event("request-submitted", 1, code=OTHER_CODE))
    await console.experts.claim(colleague, OTHER_CODE)
    done, refused = await console.experts.answer_many(expert, [CODE, OTHER_CODE, "000000000000"], "انجام شد.")
    assert done == [CODE]
    assert set(refused) == {OTHER_CODE, "000000000000"}


async def test_personal_data_cannot_be_read_in_the_database_file(console, tmp_path):
    await console.handle(event("request-submitted", 1), event("request-replied", 2, text="شمارهٔ من ۱۲۳۴ است"))
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert CODE.encode() in stored
    secrets = ("8275737168", "نرگس", "باران", "9120000000", "applicant@example.com", "شمارهٔ من")
    assert not [secret for secret in secrets if secret.encode() in stored]


async def test_the_figures_of_a_province(console):
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


async def test_a_case_that_comes_late_is_due_when_this_office_has_to_answer(console, browse):
    await console.account("expert")
    own = DUE + timedelta(days=9)
    late = event("request-referred", 3, reason="موضوع این استان است.", office_due_at=own.isoformat())
    await console.handle(late, event("request-overdue", 5, due_at=DUE.isoformat(), office_due_at=own.isoformat()))
    assert (await console.case()).due_at == own
    page = await (await browse().sign_in("expert")).open(f"/cases/{CODE}")
    assert "روز وعده به متقاضی" in page


async def test_a_failed_sms_is_shown_in_the_case_until_the_applicant_acts(console, browse):
    await console.account("expert")
    failed = event("request-notice-failed", 3, notice="info_requested", channel="sms", reason="bad_recipient")
    failed = replace(failed, notice_failure=NoticeFailure.model_validate(failed.data))
    await console.handle(event("request-submitted", 1), failed)
    browser = await browse().sign_in("expert")
    page = await browser.open(f"/cases/{CODE}")
    assert 'id="unreached"' in page
    assert "پیامک پرسش شما: شمارهٔ تلفن همراه پذیرفته نشد." in page
    await console.handle(event("request-replied", 4, text="پاسخ متقاضی"))
    page = await browser.open(f"/cases/{CODE}")
    assert 'id="unreached"' not in page
    assert "شمارهٔ تلفن همراه پذیرفته نشد." in page
