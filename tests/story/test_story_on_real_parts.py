"""The story on PostgreSQL, RabbitMQ, Redis and S3: five processes, and a province's own system at its queue."""

from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk


def test_a_request_with_a_file_reaches_its_province_and_the_answer_comes_back(calm_desk: RealDesk):
    applicant = calm_desk.applicant(1)
    file = applicant.upload("گذرنامه.pdf", PDF)
    code = calm_desk.submit(1, attachments=[file]).code

    received = wait_for(lambda: calm_desk.province.of(code))
    assert [each["seq"] for each in received] == [1]
    assert received[0]["data"]["applicant"]["last_name"] == applicant.person["last_name"]
    assert [(each["id"], each["name"]) for each in received[0]["data"]["attachments"]] == [(file, "گذرنامه.pdf")]

    calm_desk.province.report(code, "case-received", 1)
    calm_desk.province.report(code, "case-answered", 2, text="روادید شما صادر شده است.")
    view = applicant.sees(code, "answered")
    assert view["answer"]["text"] == "روادید شما صادر شده است."
    assert [step["state"] for step in view["history"]] == ["registered", "received", "answered"]


def test_the_applicant_is_told_once_of_submission_and_answer(calm_desk: RealDesk):
    code = calm_desk.submit(2).code
    wait_for(lambda: calm_desk.province.of(code))
    calm_desk.province.report(code, "case-answered", 1, text="پاسخ شما آماده است.")

    def told() -> list[tuple[str, ...]] | None:
        rows = calm_desk.rows(
            "notifier", "SELECT channel, template, state FROM message WHERE tracking_code = $1 ORDER BY 1, 2", code
        )
        done = len(rows) == 4 and all(state in {"delivered", "handed_over"} for _, _, state in rows)
        return rows if done else None

    assert wait_for(told) == [
        ("email", "answered", "handed_over"),
        ("email", "submitted", "handed_over"),
        ("sms", "answered", "delivered"),
        ("sms", "submitted", "delivered"),
    ]
    assert len(calm_desk.mail.mails) == 2
    assert all(b"applicant-2@example.com" in mail for mail in calm_desk.mail.mails)


def test_a_request_goes_to_its_own_province_only(calm_desk: RealDesk):
    there = calm_desk.submit(3, province="qom").code
    here = calm_desk.submit(3).code
    wait_for(lambda: calm_desk.province.of(here))
    wait_for(lambda: calm_desk.broker.queue("province.qom").messages == 1)
    assert not calm_desk.province.of(there)


def test_a_request_can_be_tracked_before_tracking_has_heard_of_it(calm_desk: RealDesk):
    calm_desk.rabbit.pause()
    try:
        sent = calm_desk.submit(4)
        view = calm_desk.applicant(4).track(sent.code)
    finally:
        calm_desk.rabbit.resume()
    assert view.status_code == 200
    assert view.json()["state"] == "registered"
