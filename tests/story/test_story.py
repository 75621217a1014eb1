"""The story over HTTP: from an applicant to a province's expert, and the answer back."""

from support.applicant import PDF, PNG, Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for


def test_a_request_reaches_its_province_and_the_answer_comes_back(desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=1), Expert(desk.client, "fars")
    applicant.identify()
    files = [applicant.upload("گذرنامه.pdf", PDF), applicant.upload("عکس.png", PNG)]
    code = applicant.send(applicant.form(province="fars", attachments=files)).json()["tracking_code"]

    received = expert.receives(code)
    assert received["applicant"]["last_name"] == applicant.person["last_name"]
    assert [file["name"] for file in received["attachments"]] == ["گذرنامه.pdf", "عکس.png"]
    assert desk.client.get(f"/demo/files/{files[0]}").content == PDF

    assert expert.answer(code, "روادید شما صادر شده است.").status_code == 202
    view = applicant.sees(code, "answered")
    assert view["answer"]["text"] == "روادید شما صادر شده است."
    assert [step["state"] for step in view["history"]] == ["registered", "received", "answered"]


def test_the_request_reaches_no_other_province(desk: RunningDesk):
    code = Applicant(desk.client, place=2).submit(province="qom")
    Expert(desk.client, "qom").receives(code)
    every = desk.client.get("/demo/requests").json()
    assert [each["province"]["key"] for each in every if each["tracking_code"] == code] == ["qom"]


def test_the_applicant_is_notified_once_of_submission_and_answer(desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=3), Expert(desk.client, "yazd")
    code = applicant.submit(province="yazd")
    expert.receives(code)
    expert.answer(code, "پاسخ شما آماده است.")
    applicant.sees(code, "answered")

    def messages():
        found = desk.client.get("/demo/messages", params={"tracking_code": code}).json()
        return found if len(found) >= 4 else None

    sent = wait_for(messages)
    assert sorted((message["channel"], message["template"]) for message in sent) == [
        ("email", "answered"),
        ("email", "submitted"),
        ("sms", "answered"),
        ("sms", "submitted"),
    ]
    assert all(code in message["text"] for message in sent if message["channel"] == "sms")


def test_a_request_can_be_tracked_the_moment_it_is_submitted(desk: RunningDesk):
    applicant = Applicant(desk.client, place=4)
    code = applicant.submit()
    view = applicant.track(code)
    assert view.status_code == 200
    assert view.json()["state"] in {"registered", "received"}


def test_an_expert_cannot_answer_twice(desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=5), Expert(desk.client, "gilan")
    code = applicant.submit(province="gilan")
    expert.receives(code)
    assert expert.answer(code, "نخستین پاسخ").status_code == 202
    assert expert.answer(code, "پاسخ دوم").status_code == 409


def test_internal_and_operator_paths_are_not_public(desk: RunningDesk):
    for path in ("/internal/requests/find", "/metrics", "/health/live", "/health/ready", "/openapi.json", "/docs"):
        assert desk.client.get(path).status_code == 404, path
        assert desk.client.post(path, json={}).status_code in {404, 405}, path


def test_pages_may_load_nothing_from_other_hosts(desk: RunningDesk):
    for page in ("/", "/send", "/track", "/help"):
        answer = desk.client.get(page)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text


def test_an_unknown_page_is_a_friendly_404(desk: RunningDesk):
    answer = desk.client.get("/no-such-page")
    assert answer.status_code == 404
    assert 'lang="fa"' in answer.text
