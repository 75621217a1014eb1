"""Proof of work in a web worker of the browser: the service accepts the result."""

import json

from browser.pages import SendPage, living
from playwright.sync_api import Page, Route, expect
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
