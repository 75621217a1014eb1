"""Dead letters about a request that is erased meanwhile: their replay brings nothing back."""

import pytest
from faults.preludes import EVERY_EVENT_FAILS_FOR_GOOD
from faults.scale import TEST_SECONDS
from support.embedded_desk import wait_for
from support.privacy import privacy
from support.real_broker import READ_QUEUES, STUCK_QUEUES
from support.real_desk import RealDesk
from support.stored_data import readable

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

REPORTS = "reports.isfahan"
SERVICES = ("intake", "tracking", "notifier")
WORD = "canary-of-a-dead-letter"


def fail_at(desk: RealDesk, *services: str) -> None:
    """Let these services dead-letter each event, and all others work."""
    for name in services:
        desk[name].restart(EVERY_EVENT_FAILS_FOR_GOOD)


def recover(desk: RealDesk, *services: str, dead: dict[str, int]) -> None:
    """Wait for the dead letters, and let the services work again."""
    queues = tuple(f"{queue}.dead" for queue in dead)
    wait_for(lambda: desk.broker.waiting(*queues) == {f"{queue}.dead": count for queue, count in dead.items()}, 60)
    for name in services:
        desk[name].restart()
    wait_for(desk.is_served, 60)


def replay(desk: RealDesk, *queues: str) -> None:
    """Replay as an operator does, and wait until all is handled; no event is dead-lettered again."""
    for queue in queues:
        assert "1 replayed" in desk.broker.topology("dead-letters", "replay", queue)
    wait_for(lambda: not desk.broker.waiting(*READ_QUEUES, REPORTS, *STUCK_QUEUES), 60)


def require_nothing_of(desk: RealDesk, code: str) -> None:
    """Require that the request is erased, and that no service has a text of it."""
    assert desk.rows("tracking", 'SELECT state FROM "case" WHERE tracking_code = $1', code) == [("erased",)]
    assert not [name for name in SERVICES if WORD in readable(desk, name)]
    assert desk.applicant(3).track(code).status_code == 404


def acknowledged(desk: RealDesk, code: str) -> set[str]:
    return {each["name"] for each in privacy(desk, "certificate", code)["asked"] if each["acknowledged_at"]}


def test_a_submission_that_is_replayed_after_the_erasure_is_not_opened(clean_desk: RealDesk):
    desk = clean_desk
    fail_at(desk, "tracking", "notifier")
    code = desk.submit(3, text=f"سلام {WORD}").code
    recover(desk, "tracking", "notifier", dead={"tracking": 1, "notifier": 1})
    assert WORD in readable(desk, "intake")
    privacy(desk, "erase", code, "--reason", "applicant", "--unknown")
    wait_for(lambda: acknowledged(desk, code) == {"intake", "notifier"})

    replay(desk, "tracking", "notifier")

    require_nothing_of(desk, code)
    assert desk.rows("notifier", "SELECT 1 FROM message WHERE tracking_code = $1", code) == []
    assert wait_for(lambda: desk.province.of(code, "request-erased")), "the office had the request"


def test_an_answer_and_a_reply_that_are_replayed_after_the_erasure_change_nothing(clean_desk: RealDesk):
    desk = clean_desk
    code = desk.submit(3, text=f"سلام {WORD}").code
    wait_for(lambda: desk.province.of(code))
    desk.province.report(code, "case-info-requested", 1, question=f"پرسش {WORD}")
    token = desk.applicant(3).sees(code, "info_requested")["token"]
    wait_for(lambda: not desk.broker.waiting(*READ_QUEUES, REPORTS))
    fail_at(desk, "tracking", "intake", "notifier")
    assert desk.applicant(3).reply(token, f"پاسخ {WORD}", []).status_code == 200
    desk.province.report(code, "case-answered", 2, text=f"پاسخ {WORD}")
    recover(desk, "tracking", "intake", "notifier", dead={REPORTS: 1, "intake": 1, "notifier": 1})
    privacy(desk, "erase", code, "--reason", "applicant")
    wait_for(lambda: acknowledged(desk, code) == {"intake", "notifier"})

    replay(desk, REPORTS, "intake", "notifier")

    require_nothing_of(desk, code)
    assert [each["data"]["reason"] for each in desk.province.of(code, "case-refused")] == ["erased"]
