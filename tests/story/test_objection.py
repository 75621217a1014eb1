"""An objection over the embedded desk: the expert who answered cannot take it, a supervisor decides it."""

from support.applicant import Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for

PROVINCE, OBJECTION = "ilam", "پاسخ به پرسش من نبود."


def test_an_objection_is_decided_by_a_supervisor_and_not_by_who_answered(desk: RunningDesk):
    applicant = Applicant(desk.client, place=41)
    code = applicant.submit(province=PROVINCE)
    experts = Expert(desk.client, PROVINCE)
    experts.receives(code)
    assert experts.answer(code, "انجام شد.").is_success
    token = applicant.sees(code, "answered")["token"]
    assert applicant.object_to(token, OBJECTION).is_success
    wait_for(lambda: any(each["state"] == "objected" for each in experts.requests()))

    with ConsoleClient(desk.url).sign_in(PROVINCE) as console:
        assert "خود شما داده‌اید" in console.open(f"/cases/{code}")
        console.send(f"/cases/{code}/answer", text="همان است.")
        assert console.answer is not None
        assert console.answer.status_code == 403
    with ConsoleClient(desk.url).sign_in(f"{PROVINCE}.supervisor") as console:
        assert code in console.open("/cases", list="urgent")
        console.open(f"/cases/{code}")
        console.send(f"/cases/{code}/take")
        assert code in console.open("/cases", list="urgent")
        console.open(f"/cases/{code}")
        console.send(f"/cases/{code}/answer", text="بررسی شد.")
    assert applicant.sees(code, "answered")["answer"]["text"] == "بررسی شد."
