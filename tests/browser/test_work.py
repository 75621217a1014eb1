"""Proof of work in a browser's worker: the service takes what it finds."""

from desk_process import RunningDesk
from playwright.sync_api import Page

WORK = """async () => {
  const { prove } = await import("/assets/js/work.js");
  return prove(new AbortController().signal, () => {});
}"""
ABORTED = """async () => {
  const { prove } = await import("/assets/js/work.js");
  const call = new AbortController();
  const proof = prove(call.signal, () => {});
  call.abort();
  return proof.then(() => "proved", (error) => error.name);
}"""


def test_a_worker_finds_the_key_the_service_has_set(page: Page, desk: RunningDesk):
    page.goto("/")
    asked = []
    page.on("response", lambda answer: asked.append(answer.json()) if "/api/captchas" in answer.url else None)

    proof = page.evaluate(WORK)

    assert proof["id"] == asked[0]["id"]
    assert len(proof["solution"]) == 2 * asked[0]["challenge"]["keyLength"]
    assert proof["solution"].startswith(asked[0]["challenge"]["keyPrefix"])


def test_work_that_is_no_longer_wanted_ends(page: Page):
    page.goto("/")

    assert page.evaluate(ABORTED) == "AbortError"
