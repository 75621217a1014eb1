"""The time of the page's worker for a proof of work at base difficulty, in a real Chromium."""

import argparse
import dataclasses
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Route, sync_playwright
from pydantic.alias_generators import to_camel

from desk.captcha.service import create_work
from desk.captcha.settings import Settings

WORKER = Path(__file__).parents[1] / "gateway" / "web" / "assets" / "js" / "work-worker.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ORIGIN = "https://desk.example.ir"  # served below and never contacted
TIMED = """challenge => new Promise((resolve, reject) => {
  const worker = new Worker("/work-worker.js");
  const begun = performance.now();
  worker.onmessage = ({ data }) => {
    if (data.failed) reject(data.failed);
    if (data.solution) resolve({ ms: performance.now() - begun, solution: data.solution });
  };
  worker.postMessage(challenge);
})"""


def answer(route: Route) -> None:
    """Return an empty page, or the worker."""
    is_worker = route.request.url.endswith(WORKER.name)
    body = WORKER.read_text(encoding="utf-8") if is_worker else "<!doctype html>"
    route.fulfill(body=body, content_type="text/javascript" if is_worker else "text/html")


def main() -> None:
    """Do proofs one after another and print their durations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    base = Settings.model_fields["work_most"].default
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("work: Chromium is not installed; make test installs it, or install Debian's package chromium")
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.route("**/*", answer)
        page.goto(ORIGIN)
        for _ in range(options.count):
            work = create_work(base)
            challenge = {to_camel(name): value for name, value in dataclasses.asdict(work).items() if name != "answer"}
            done = page.evaluate(TIMED, challenge)
            if done["solution"] != work.answer:
                raise SystemExit("work: the worker found a different key than expected")
            seconds.append(done["ms"] / 1000)
        browser.close()
    tenths = statistics.quantiles(seconds, n=10)
    print(
        f"a proof of work: median {statistics.median(seconds):.2f} s, of ten the second quickest {tenths[1]:.2f} s and "
        f"the second slowest {tenths[7]:.2f} s, the longest {max(seconds):.2f} s (wanted: 0.3 to 1.5 s)"
    )


if __name__ == "__main__":
    main()
