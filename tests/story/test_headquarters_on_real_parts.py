"""Headquarters and the counter on real servers: an escalation end to end, and a request that an office registers."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from support.embedded_desk import wait_for
from support.late_cases import DEADLINES_EVERY_SECOND
from support.province_system import ProvinceSystem
from support.real_desk import RealDesk

from desk.expert import Counter, CounterRequest

OFFICE = "isfahan"
TEXT = "روادید عمرهٔ من هنوز صادر نشده است."
LATE = "UPDATE \"case\" SET alarm_at = '2026-01-01 00:00:00+00' WHERE tracking_code = '{}' AND overdue < {}"


@pytest.fixture
def headquarters(clean_desk: RealDesk) -> Iterator[ProvinceSystem]:
    """The system of headquarters."""
    running = ProvinceSystem(clean_desk.loop, clean_desk.broker.url("headquarters"), "headquarters")
    yield running
    running.close()


def test_an_escalation_is_taken_over_and_answered_and_the_applicant_reads_the_trail(
    clean_desk: RealDesk, headquarters: ProvinceSystem
):
    desk = clean_desk
    desk["tracking"].kill()
    desk["tracking"].start(prelude=DEADLINES_EVERY_SECOND)
    sent = desk.submit(12, province=OFFICE)
    applicant, code = desk.applicant(12), sent.code
    wait_for(lambda: desk.province.of(code))
    desk.province.report(code, "case-received", 1)
    applicant.sees(code, "received", entries=2)

    def escalated(period: int) -> bool:
        """Let the next period pass, until headquarters is notified."""
        desk.execute("tracking", LATE.format(code, period))
        return bool(
            headquarters.of(code, "request-escalated") if period > 1 else desk.province.of(code, "request-overdue")
        )

    wait_for(lambda: escalated(1), pause=0.5)
    wait_for(lambda: escalated(2), pause=0.5)
    [event] = headquarters.of(code, "request-escalated")
    assert [each["office"]["key"] for each in event["data"]["trail"]] == [OFFICE]
    headquarters.report(code, "case-taken-over", 1, reason="پاسخ استان دیر شده است.")
    wait_for(lambda: desk.province.of(code, "request-taken-over"))
    wait_for(lambda: headquarters.of(code, "request-referred"))
    headquarters.report(code, "case-answered", 2, text="روادید شما صادر شد.")

    view = applicant.sees(code, "answered", entries=4)
    assert (view["office"]["key"], view["province"]["key"]) == ("headquarters", OFFICE)
    assert [entry["state"] for entry in view["history"]] == ["registered", "received", "referred", "answered"]
    assert [entry["note"] for entry in view["history"] if entry["note"]] == ["پاسخ استان دیر شده است."]
    assert view["answer"]["text"] == "روادید شما صادر شد."


async def register(url: str, private_key: str, person: dict[str, object]) -> str:
    """Look a person up and register a request for them; return the tracking code."""
    counter = Counter(url, OFFICE, private_key)
    try:
        found = await counter.identify(str(person["national_id"]), str(person["birth_date"]), expert="expert-17")
        assert found.status == "matched"
        request = CounterRequest(
            identity_token=found.token,
            expert="expert-17",
            source="counter",
            province=OFFICE,
            subject="umrah",
            sub_subject="umrah_visa",
            text=TEXT,
            mobile_owner="none",
        )
        key = str(uuid.uuid4())
        first, again = await counter.register(request, key), await counter.register(request, key)
    finally:
        await counter.close()
    assert first == again
    return first.tracking_code


def test_an_office_registers_a_request_for_a_person_without_a_mobile(clean_desk: RealDesk, public_url: str):
    applicant = clean_desk.applicant(13)
    private_key = clean_desk.office_signing_keys[OFFICE][0]
    code = asyncio.run(register(public_url, private_key, applicant.person))

    [event] = wait_for(lambda: clean_desk.province.of(code))
    data = event["data"]
    assert (data["source"], data["text"], data["contact"]["mobile"]) == ("counter", TEXT, "")
    assert data["registration"]["expert"] == "expert-17"
    assert applicant.sees(code, "registered")["source"] == "counter"
