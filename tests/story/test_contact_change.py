"""An applicant corrects the mobile of a request; the office, its console and later messages have the new one."""

from support.applicant import Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for

from desk.iran.digits import to_persian

BEFORE, AFTER = "09122220001", "09122220002"


def sms_of(desk: RunningDesk, code: str) -> list[tuple[str, str]]:
    """Return template and recipient of each SMS about a request."""
    messages = desk.client.get("/demo/messages").json()
    return [
        (each["template"], each["recipient"]) for each in messages if each["channel"] == "sms" and code in each["text"]
    ]


def test_a_corrected_mobile_reaches_the_office_the_console_and_later_messages(desk: RunningDesk):
    applicant = Applicant(desk.client, place=140)
    code = applicant.submit(province="kerman", mobile=BEFORE)
    expert = Expert(desk.client, "kerman")
    expert.receives(code)
    token = applicant.sees(code, "received")["token"]

    submission_code = applicant.mobile_code(AFTER)
    assert applicant.change_contact(token, AFTER, submission_code).json()["code"] == "mobile_code_expired"
    changed = applicant.change_contact(token, AFTER)
    assert changed.status_code == 200, changed.text
    assert changed.json()["contact"]["mobile"] == "0912*****02"
    assert changed.json()["history"][-1]["action"] == "contact_changed"

    wait_for(lambda: ("contact_changed", "+989122220001") in sms_of(desk, code))
    with ConsoleClient(desk.url).sign_in("kerman") as console:
        wait_for(lambda: "متقاضی شمارهٔ همراه خود را تغییر داد" in console.open(f"/cases/{code}"))
        assert to_persian(AFTER) in console.text
        assert to_persian(BEFORE) not in console.text

    expert.answer(code, "روادید شما صادر شده است.")
    applicant.sees(code, "answered")
    wait_for(lambda: ("answered", "+989122220002") in sms_of(desk, code))
    assert ("answered", "+989122220001") not in sms_of(desk, code)
    assert [each["tracking_code"] for each in applicant.own_requests(AFTER).json()["requests"]] == [code]
    assert applicant.own_requests(BEFORE).json()["requests"] == []
