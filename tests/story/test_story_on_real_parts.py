"""The story on PostgreSQL, RabbitMQ, Redis and S3: five processes, and the system of a province at its queue."""

import httpx
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk


def test_a_request_with_a_file_reaches_its_province_and_the_answer_comes_back(clean_desk: RealDesk):
    applicant = clean_desk.applicant(1)
    file = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(1, attachments=[file]).code

    received = wait_for(lambda: clean_desk.province.of(code))
    assert [each["seq"] for each in received] == [1]
    assert received[0]["data"]["applicant"]["last_name"] == applicant.person["last_name"]
    assert [(each["id"], each["name"]) for each in received[0]["data"]["attachments"]] == [(file, "گذرنامه.pdf")]

    clean_desk.province.report(code, "case-received", 1)
    clean_desk.province.report(code, "case-answered", 2, text="روادید شما صادر شده است.")
    view = applicant.sees(code, "answered", entries=3)
    assert view["answer"]["text"] == "روادید شما صادر شده است."
    assert [step["state"] for step in view["history"]] == ["registered", "received", "answered"]


def test_the_applicant_is_notified_once_of_submission_and_answer(clean_desk: RealDesk):
    code = clean_desk.submit(2).code
    wait_for(lambda: clean_desk.province.of(code))
    clean_desk.province.report(code, "case-answered", 1, text="پاسخ شما آماده است.")

    def notices() -> list[tuple[str, ...]] | None:
        rows = clean_desk.rows(
            "notifier", "SELECT channel, template, state FROM message WHERE tracking_code = $1 ORDER BY 1, 2", code
        )
        done = len(rows) == 4 and all(state in {"delivered", "handed_over"} for _, _, state in rows)
        return rows if done else None

    assert wait_for(notices) == [
        ("email", "answered", "handed_over"),
        ("email", "submitted", "handed_over"),
        ("sms", "answered", "delivered"),
        ("sms", "submitted", "delivered"),
    ]
    assert len(clean_desk.mail.mails) == 2
    assert all(b"applicant-2@example.com" in mail for mail in clean_desk.mail.mails)


def test_a_request_goes_to_its_own_province_only(clean_desk: RealDesk):
    there = clean_desk.submit(3, province="qom").code
    here = clean_desk.submit(3).code
    wait_for(lambda: clean_desk.province.of(here))
    wait_for(lambda: clean_desk.broker.queue("province.qom").messages == 1)
    assert not clean_desk.province.of(there)


def test_a_request_can_be_tracked_before_tracking_has_received_it(clean_desk: RealDesk):
    clean_desk.rabbit.pause()
    try:
        sent = clean_desk.submit(4)
        view = clean_desk.applicant(4).track(sent.code)
    finally:
        clean_desk.rabbit.resume()
    assert view.status_code == 200
    assert view.json()["state"] == "registered"


def test_a_foreign_national_s_request_reaches_the_province_only_with_a_code_by_sms(clean_desk: RealDesk):
    applicant = RealApplicant(clean_desk, 5)
    applicant.person |= {"national_id": "123456789012"}
    applicant.identify()
    typed = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}
    refused = applicant.send(applicant.form(applicant=typed, mobile_code=None))
    assert (refused.status_code, refused.json()["code"]) == (httpx.codes.UNPROCESSABLE_ENTITY, "mobile_code_required")

    sent = applicant.send(applicant.form(applicant=typed))

    assert sent.status_code == httpx.codes.CREATED, sent.text
    clean_desk.note(sent.json()["tracking_code"], "foreign-national")
    clean_desk.execute("intake", "UPDATE identity_check SET next_check_at = now() WHERE state = 'pending'")
    received = wait_for(lambda: clean_desk.province.of(sent.json()["tracking_code"]))
    assert received[0]["data"]["identity"] == "unconfirmed"
    assert clean_desk.rows("notifier", "SELECT state, priority FROM message WHERE template = 'code'") == [
        ("delivered", 0)
    ]
