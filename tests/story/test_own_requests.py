"""An applicant who has lost the tracking codes gets them by a code that is sent to the mobile."""

from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for

MOBILE, OTHER = "09121112233", "09124445566"


def listed(applicant: Applicant, mobile: str) -> list[str]:
    answer = applicant.own_requests(mobile)
    assert answer.status_code == 200, answer.text
    return [each["tracking_code"] for each in answer.json()["requests"]]


def test_an_applicant_without_the_codes_lists_the_requests_and_opens_one(desk: RunningDesk):
    applicant = Applicant(desk.client, place=120)
    first = applicant.submit(province="gilan", mobile=MOBILE)
    second = applicant.submit(province="yazd", mobile=MOBILE)
    elsewhere = applicant.submit(province="yazd", mobile=OTHER)
    Expert(desk.client, "gilan").receives(first)
    applicant.sees(first, "received")
    wait_for(lambda: applicant.track(elsewhere).status_code == 200)

    codes = wait_for(lambda: _both(applicant))
    assert sorted(codes) == sorted([first, second])  # in any order: both may be of the same second

    found = {each["tracking_code"]: each for each in applicant.own_requests(MOBILE).json()["requests"]}
    assert found[second]["office"]["key"] == "yazd"
    opened = applicant.open_request(found[first]["token"]).json()
    assert (opened["tracking_code"], opened["state"]) == (first, "received")
    withdrawn = applicant.client.post(
        "/api/tracking/withdrawal",
        json={},
        headers={"Authorization": f"Bearer {opened['token']}", "Idempotency-Key": "own-requests-1"},
    )
    assert withdrawn.json()["state"] == "withdrawn"

    newest_sms = next(each for each in desk.client.get("/demo/messages").json() if each["template"] == "code_requests")
    assert "کد دیدن درخواست‌ها" in newest_sms["text"]


def _both(applicant: Applicant) -> list[str] | None:
    found = listed(applicant, MOBILE)
    return found if len(found) > 1 else None


def test_another_person_with_a_mobile_of_their_own_sees_nothing(desk: RunningDesk):
    victim, curious = Applicant(desk.client, place=121), Applicant(desk.client, place=122)
    code = victim.submit(mobile="09127778899")
    wait_for(lambda: victim.track(code).status_code == 200)
    curious.person = victim.person
    assert listed(curious, "09350000001") == []
    submission_code = curious.mobile_code("09350000001")
    refused = curious.own_requests("09350000001", submission_code)
    assert refused.json()["code"] == "mobile_code_expired"
