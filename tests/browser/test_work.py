"""Proof of work in a web worker of the browser: the service accepts the result."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.pages import SendPage, TrackPage, living
from playwright.sync_api import Browser, Page, Route, expect
from stdnum.damm import calc_check_digit
from support.applicant import Applicant
from support.embedded_desk import RunningDesk

WORK = """async () => {
  const { solveProof } = await import("/assets/js/work.js");
  return solveProof("identity", 0);
}"""
ABORTED = """async () => {
  const { solveProof } = await import("/assets/js/work.js");
  const call = new AbortController();
  const proof = solveProof("identity", 0, { signal: call.signal });
  call.abort();
  return proof.then(() => "proved", (error) => error.name);
}"""


def test_a_worker_finds_the_key_of_the_service(page: Page, desk: RunningDesk):
    page.goto("/")
    with page.expect_response("**/api/captchas") as answer:
        proof = page.evaluate(WORK)

    asked = answer.value.json()
    assert proof["id"] == asked["id"]
    assert len(proof["solution"]) == 2 * asked["challenge"]["keyLength"]
    assert proof["solution"].startswith(asked["challenge"]["keyPrefix"])


def test_work_that_is_no_longer_needed_stops(page: Page):
    page.goto("/")

    assert page.evaluate(ABORTED) == "AbortError"


def test_a_look_up_carries_its_proof(page: Page, desk: RunningDesk):
    send = SendPage(page).open()

    with page.expect_request("**/api/identities") as sent:
        send.identify(living(desk.client, 35))

    proof = sent.value.post_data_json["proof"]
    assert set(proof) == {"id", "solution"}
    assert len(proof["solution"]) == 64


def test_slow_work_shows_its_progress(page: Page, desk: RunningDesk):
    def endless(route: Route) -> None:
        """Ask for a key that no counter produces."""
        if route.request.post_data_json["kind"] != "work":
            route.continue_()
            return
        answer = route.fetch()
        asked = answer.json()
        asked["challenge"] |= {"keyPrefix": "00" * 16, "most": 1_000_000}
        route.fulfill(response=answer, body=json.dumps(asked))

    page.route("**/api/captchas", endless)
    send, person = SendPage(page).open(), living(desk.client, 36)
    send.type_birth_date(person)
    send.type_national_id(person["national_id"])

    expect(page.get_by_role("progressbar", name="پیشرفت محاسبهٔ دستگاه شما")).to_be_visible()
    expect(page.locator("#identity_status")).to_contain_text("محاسبه‌ای کوتاه")

    page.unroute("**/api/captchas")
    other = living(desk.client, 37)
    send.type_birth_date(other)
    send.type_national_id(other["national_id"])
    send.has_read(other)
    expect(page.locator("#identity_progress")).to_be_hidden()


def with_check_digit(digits: str) -> str:
    return digits + calc_check_digit(digits)


@pytest.fixture
def tried_desk(chromium_path: str, tmp_path: Path) -> Iterator[RunningDesk]:
    """A desk at which a visitor at this address has tried as many wrong dates and codes as are free."""
    desk = RunningDesk(tmp_path / "data")
    applicant = Applicant(desk.client, place=1)
    for _ in range(5):
        wrong = {"national_id": applicant.national_id, "birth_date": "1300-01-01", "proof": applicant.proof()}
        assert desk.client.post("/api/identities", json=wrong).status_code == 404
    for number in range(10):
        assert applicant.track(with_check_digit(f"1234567890{number}")).status_code == 404
    yield desk
    desk.stop()


def test_the_right_person_at_a_shared_address_is_served_after_more_work(chromium: Browser, tried_desk: RunningDesk):
    context = chromium.new_context(base_url=tried_desk.url, locale="fa-IR", reduced_motion="reduce")
    page = context.new_page()
    person = living(tried_desk.client, 0)
    send = SendPage(page).open()
    with page.expect_response(lambda answer: answer.status == 429) as required:
        send.identify(person)
    assert required.value.json()["code"] == "proof_required"
    send.has_read(person)

    applicant = Applicant(tried_desk.client, place=0)
    send.fill_rest()
    send.read_code()
    send.submit.click()
    code = send.received_code()
    with page.expect_response(lambda answer: answer.status == 429 and "/api/tracking" in answer.url):
        TrackPage(page).open().ask(applicant.national_id, code)
        expect(page.locator("#tracking_work_status")).to_contain_text("چند تلاش نادرست")
    expect(page.locator("#result_code")).to_be_visible()
    context.close()
