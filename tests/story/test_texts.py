"""The text of an SMS, changed by two people of headquarters through their console and the gateway."""

from collections.abc import Iterator

import pytest
from support.applicant import Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for

SMS = "میز خدمت سازمان حج و زیارت\nپاسخ شما در میز خدمت است.\nکد پیگیری: {{ code }}"


@pytest.fixture
def own_desk(tmp_path) -> Iterator[RunningDesk]:
    """A desk whose texts this test changes."""
    running = RunningDesk(tmp_path / "data")
    yield running
    running.kill()


def answered(desk: RunningDesk, place: int) -> str:
    """Answer a new request, and return its code when the SMS about the answer is queued."""
    applicant, expert = Applicant(desk.client, place=place), Expert(desk.client, "isfahan")
    code = applicant.submit(province="isfahan")
    expert.receives(code)
    assert expert.answer(code, "انجام شد.").is_success
    wait_for(lambda: sms_of(desk, code))
    return code


def sms_of(desk: RunningDesk, code: str) -> list[dict[str, str]]:
    """Return the SMS about the answer of a request."""
    found = desk.client.get("/demo/messages", params={"tracking_code": code}).json()
    return [each for each in found if (each["template"], each["channel"]) == ("answered", "sms")]


def test_the_next_answer_has_the_text_of_two_people_and_an_earlier_message_keeps_its_own(own_desk: RunningDesk):
    before = answered(own_desk, 41)
    with ConsoleClient(own_desk.url).sign_in("headquarters") as author:
        author.open("/texts")
        author.send("/texts/drafts", note="پاسخ کوتاه‌تر", from_version="")
        draft = author.path.rpartition("/")[2]
        notice = f"/texts/drafts/{draft}/notices/answered"
        author.open(notice)
        author.send(notice, revision="1", **{"fa-sms-text": SMS.replace("code", "code.__class__")})
        assert author.answer is not None
        assert author.answer.status_code == 422
        assert "به کار می‌رود" in author.text
        author.send(notice, revision="1", **{"fa-sms-text": SMS})
        assert author.answer.is_success
        author.send(f"/texts/drafts/{draft}/propose", revision="2")
        author.send(f"/texts/drafts/{draft}/approve", revision="2")
        assert author.answer.status_code in {400, 403}
    with ConsoleClient(own_desk.url).sign_in("headquarters.supervisor") as supervisor:
        supervisor.open(f"/texts/drafts/{draft}")
        supervisor.send(f"/texts/drafts/{draft}/approve", revision="2", in_force_at="")
        assert supervisor.answer is not None
        assert supervisor.answer.is_success
    after = answered(own_desk, 42)

    (old,), (new,) = sms_of(own_desk, before), sms_of(own_desk, after)
    assert new["text"] == SMS.replace("{{ code }}", after)
    assert old["text"] != SMS.replace("{{ code }}", before)


def test_a_province_has_no_pages_of_texts(own_desk: RunningDesk):
    with ConsoleClient(own_desk.url).sign_in("isfahan.supervisor") as console:
        assert "/texts" not in console.open("/cases")
        assert console.client.get("/texts").status_code == 403
