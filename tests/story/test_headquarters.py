"""Headquarters over the embedded desk: a late case is taken over and answered, and its own subjects reach it."""

from collections.abc import Iterator

import pytest
from support.applicant import Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for
from support.late_cases import DEADLINES_EVERY_SECOND, escalate

HEADQUARTERS = "headquarters"


@pytest.fixture(scope="module")
def late_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that looks for late answers every second."""
    running = RunningDesk(tmp_path_factory.mktemp("late") / "data", prelude=DEADLINES_EVERY_SECOND)
    yield running
    running.kill()


def test_a_late_case_is_taken_over_answered_and_read_by_its_applicant(
    late_desk: RunningDesk,
):
    applicant = Applicant(late_desk.client, place=1)
    code = applicant.submit(province="ilam")
    escalate(late_desk, applicant, code)

    with ConsoleClient(late_desk.url).sign_in(HEADQUARTERS) as console:
        wait_for(lambda: f'data-code="{code}"' in console.open("/escalations"))
        assert "ایلام: ۰ روز" in console.text
        console.send("/escalations/comment", code=code, comment="لطفاً امروز پاسخ دهید.")
        with ConsoleClient(late_desk.url).sign_in("ilam") as office:
            wait_for(lambda: "لطفاً امروز پاسخ دهید." in office.open(f"/cases/{code}"))
        console.open("/escalations", code=code)
        console.send("/escalations/take-over", code=code, reason="پاسخ استان دیر شده است.")
        wait_for(lambda: code in console.open("/cases"))
        console.open(f"/cases/{code}")
        console.send(f"/cases/{code}/take")
        console.open(f"/cases/{code}")
        console.send(f"/cases/{code}/answer", text="روادید شما صادر شد.")
        assert f'data-code="{code}"' not in console.open("/escalations")

    view = applicant.sees(code, "answered", entries=4)
    assert view["answer"]["text"] == "روادید شما صادر شد."
    assert view["office"]["key"] == HEADQUARTERS
    assert view["province"]["key"] == "ilam"
    notes = [entry["note"] for entry in view["history"] if entry["note"]]
    assert notes == ["پاسخ استان دیر شده است."]
    assert "لطفاً امروز پاسخ دهید." not in str(view)
    with ConsoleClient(late_desk.url).sign_in("ilam") as office:
        wait_for(lambda: "رسیدگی به ستاد رسید" in office.open(f"/cases/{code}"))
        assert 'id="take"' not in office.text


def test_a_complaint_about_staff_reaches_headquarters_and_not_the_province(late_desk: RunningDesk):
    applicant = Applicant(late_desk.client, place=2)
    code = applicant.submit(province="fars", subject="complaints", sub_subject="staff_conduct")
    headquarters = Expert(late_desk.client, HEADQUARTERS)
    assert headquarters.receives(code)["province"]["key"] == "fars"
    assert Expert(late_desk.client, "fars").requests() == []
    assert headquarters.answer(code, "بررسی شد.").is_success
    view = applicant.sees(code, "answered")
    assert view["office"]["key"] == HEADQUARTERS


def test_the_second_objection_is_answered_by_headquarters(late_desk: RunningDesk):
    applicant = Applicant(late_desk.client, place=3)
    code = applicant.submit(province="qom")
    office = Expert(late_desk.client, "qom")
    office.receives(code)
    assert office.answer(code, "پاسخ نخست.").is_success
    assert applicant.object_to(applicant.sees(code, "answered")["token"], "درست نیست.").is_success
    wait_for(lambda: any(each["state"] == "objected" for each in office.requests()))
    assert office.answer(code, "پاسخ دوم.").is_success
    view = applicant.sees(code, "answered", entries=5)
    assert "object" in view["actions"]
    assert applicant.object_to(view["token"], "باز هم درست نیست.").is_success

    headquarters = Expert(late_desk.client, HEADQUARTERS)
    wait_for(lambda: any(each["state"] == "objected" for each in headquarters.requests()))
    assert headquarters.answer(code, "پاسخ ستاد.").is_success
    view = wait_for(
        lambda: seen if (seen := applicant.sees(code, "answered"))["answer"]["text"] == "پاسخ ستاد." else None
    )
    assert "object" not in view["actions"]
