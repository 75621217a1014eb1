"""The civil registry is unavailable: requests are accepted, no province receives them, and a later check decides."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from support.applicant import LOOKUP_PAUSE, Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for

TYPED = {"first_name": "زهره", "last_name": "نوشته‌شده", "gender": "female"}


@pytest.fixture(scope="module")
def switchable_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk whose registry is switched off and on."""
    running = RunningDesk(tmp_path_factory.mktemp("lonely") / "data")
    yield running
    running.kill()


@pytest.fixture
def registry(switchable_desk: RunningDesk) -> Iterator[Callable[..., None]]:
    """Switch the civil registry on or off. It is on after the test."""

    def switch(*, on: bool) -> None:
        answer = switchable_desk.client.post("/demo/registry", data={"answers": str(on).lower()})
        assert answer.status_code == 303, answer.text

    yield switch
    switch(on=True)


def send_pending(applicant: Applicant, **changed: object) -> str:
    found = applicant.identify()
    assert (found["status"], found["first_name"]) == ("pending", None)
    answer = applicant.send(applicant.form(applicant=TYPED, **changed))
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "identity_pending"
    return str(answer.json()["tracking_code"])


def intake_has_the_withdrawal(desk: RunningDesk) -> bool:
    with closing(sqlite3.connect(f"file:{desk.folder / 'intake.sqlite3'}?mode=ro", uri=True)) as store:
        return bool(store.execute("SELECT 1 FROM identity_check WHERE state = 'withdrawn'").fetchone())


def messages(desk: RunningDesk, code: str, count: int) -> list[tuple[str, str]]:
    """Wait for ``count`` messages about a request; return the template and channel of each."""

    def found() -> list[dict[str, Any]] | None:
        all_of_them = desk.client.get("/demo/messages", params={"tracking_code": code}).json()
        return all_of_them if len(all_of_them) >= count else None

    return sorted((each["template"], each["channel"]) for each in wait_for(found) or [])


def test_a_request_waits_for_the_registry_and_then_goes_to_its_province(
    switchable_desk: RunningDesk, registry: Callable[..., None]
):
    applicant, expert = Applicant(switchable_desk.client, place=1), Expert(switchable_desk.client, "fars")
    registry(on=False)
    code = send_pending(applicant, province="fars")

    view = applicant.sees(code, "identity_pending")
    assert [step["state"] for step in view["history"]] == ["identity_pending"]
    assert messages(switchable_desk, code, 2) == [("pending", "email"), ("pending", "sms")]
    assert expert.requests() == []

    registry(on=True)
    received = expert.receives(code)
    assert received["identity"] == "confirmed"
    assert received["applicant"]["last_name"] == applicant.person["last_name"]
    view = applicant.sees(code, "received")
    assert [step["state"] for step in view["history"]] == ["identity_pending", "registered", "received"]
    assert [lookup["purpose"] for lookup in applicant.registry_lookups(view["token"])] == ["confirm"]
    assert messages(switchable_desk, code, 4) == [
        ("pending", "email"),
        ("pending", "sms"),
        ("submitted", "email"),
        ("submitted", "sms"),
    ]
    assert [each["tracking_code"] for each in expert.requests()] == [code], "once"


def test_a_request_under_a_wrong_birth_date_ends_and_the_applicant_is_notified(
    switchable_desk: RunningDesk, registry: Callable[..., None]
):
    applicant = Applicant(switchable_desk.client, place=2)
    applicant.person |= {"birth_date": Applicant(switchable_desk.client, place=3).person["birth_date"]}
    registry(on=False)
    code = send_pending(applicant, province="qom")

    registry(on=True)
    view = applicant.sees(code, "identity_rejected")
    assert "با هم نمی‌خوانند" in view["history"][-1]["note"]
    assert messages(switchable_desk, code, 4) == [
        ("identity_rejected", "email"),
        ("identity_rejected", "sms"),
        ("pending", "email"),
        ("pending", "sms"),
    ]
    assert Expert(switchable_desk.client, "qom").requests() == []


def test_a_request_withdrawn_while_pending_ends_there(switchable_desk: RunningDesk, registry: Callable[..., None]):
    applicant, next_one = Applicant(switchable_desk.client, place=6), Applicant(switchable_desk.client, place=7)
    expert = Expert(switchable_desk.client, "ilam")
    registry(on=False)
    code = send_pending(applicant, province="ilam")
    # Until tracking has the request, intake serves the page, which offers no actions.
    view = wait_for(
        lambda: seen if "withdraw" in (seen := applicant.track(code).json())["actions"] else None, pause=LOOKUP_PAUSE
    )
    assert view["state"] == "identity_pending"
    headers = {"Authorization": f"Bearer {view['token']}", "Idempotency-Key": "taken-back-0001"}
    withdrawn = switchable_desk.client.post("/api/tracking/withdrawal", json={}, headers=headers)
    assert (withdrawn.status_code, withdrawn.json().get("state")) == (200, "withdrawn"), withdrawn.text
    wait_for(lambda: intake_has_the_withdrawal(switchable_desk))
    later = send_pending(next_one, province="ilam")

    registry(on=True)
    next_one.sees(later, "received")
    view = applicant.sees(code, "withdrawn")

    assert [step["state"] for step in view["history"]] == ["identity_pending", "withdrawn"]
    assert applicant.registry_lookups(view["token"]) == [], "the withdrawn applicant was looked up"
    assert [each["tracking_code"] for each in expert.requests()] == [later]


def test_a_foreign_national_s_request_reaches_the_province_marked_as_unconfirmed(switchable_desk: RunningDesk):
    applicant = Applicant(switchable_desk.client, place=4)
    applicant.person |= {"national_id": "123456789012"}
    code = send_pending(applicant, province="yazd")

    received = Expert(switchable_desk.client, "yazd").receives(code)
    assert received["identity"] == "unconfirmed"
    assert received["applicant"]["last_name"] == TYPED["last_name"]
    assert applicant.registry_lookups(applicant.sees(code, "received")["token"]) == []


def test_the_applicant_sees_that_their_name_was_read_and_why(switchable_desk: RunningDesk):
    applicant = Applicant(switchable_desk.client, place=5)
    code = applicant.submit()

    view = applicant.sees(code, "received")
    assert [lookup["purpose"] for lookup in applicant.registry_lookups(view["token"])] == ["submit"]


def test_no_request_can_be_sent_for_a_deceased_person(switchable_desk: RunningDesk):
    applicant = Applicant(switchable_desk.client)
    applicant.person = next(each for each in switchable_desk.client.get("/demo/people").json() if each["deceased"])
    someone = {"national_id": applicant.national_id, "birth_date": applicant.person["birth_date"]}

    answer = switchable_desk.client.post("/api/identities", json=someone | {"proof": applicant.proof()})

    assert (answer.status_code, answer.json()["code"]) == (422, "identity_deceased")
    assert "ادارهٔ حج و زیارت استان" in answer.json()["title"]
