"""The pages compared with their limits: bytes, a slow phone, layout shift, time until an action shows something.

A real Chromium uses the real gateway (nginx, TLS, HTTP/2) in front of the embedded desk. The slow phone is Chromium's
simulation: 4 × CPU, 400 kbit/s, 400 ms. The run fails if a limit is exceeded.
"""

import argparse
import contextlib
import datetime as dt
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, CDPSession, FilePayload, Page, sync_playwright

from desk.local.gateway_table import load_table
from desk.testing.gateway import open_gateway
from desk.testing.ports import free_port

START = Path(__file__).resolve().parents[1] / "gateway" / "nginx" / "start"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
CODE, PATIENCE_MS = "12345", 60_000
SLOW_LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
SLOW_CPU = 4
PHONE = {"width": 360, "height": 640}
KB = 1024

USABLE = "#submit:not([disabled]), #captcha[data-state=ready], #province option:nth-child(2)"
"""All three must be present: the script has run, the security code is visible, the lists are filled."""

# Runs before the page's scripts: records when some selectors are painted, and every layout shift.
OBSERVER = """
window.desk = { shift: 0, acted: 0, selectors: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) desk.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
const noted = (event) => { desk.acted ||= event.timeStamp; };
for (const kind of ["click", "change", "input"]) addEventListener(kind, noted, true);
desk.look = () => {
  if (desk.selectors.length === 0 || !desk.selectors.every((each) => document.querySelector(each))) return;
  desk.selectors = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => desk.resolve(performance.now());
  requestAnimationFrame(() => port2.postMessage(null));
};
desk.waitFor = (...selectors) => {
  desk.painted = new Promise((resolve, reject) => {
    desk.resolve = resolve;
    setTimeout(() => reject(new Error(`not seen: ${selectors}`)), 60_000);
  });
  Object.assign(desk, { selectors, acted: 0 });
  desk.look();
};
new MutationObserver(desk.look).observe(document, { subtree: true, childList: true, attributes: true });
"""


@dataclass
class Figures:
    """Measurements and their limits."""

    missed: list[str] = field(default_factory=list)

    def show(self, name: str, value: float, limit: float, unit: str) -> None:
        """Print a figure with its limit and their ratio."""
        print(f"  {name:65} {value:8.2f} {unit:2} of {limit:g} {unit:2}  {value / limit:5.2f}")

    def check(self, name: str, value: float, limit: float, unit: str) -> None:
        """Print a figure, and record it if it exceeds its limit."""
        self.show(name, value, limit, unit)
        if value > limit:
            self.missed.append(name)


def write_certificate(folder: Path) -> None:
    """Write a temporary certificate for nginx."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "desk")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "tls.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "tls.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


@contextlib.contextmanager
def served() -> Iterator[tuple[str, httpx.Client]]:
    """Run the embedded desk behind the real gateway; yield the gateway's address and a client of the desk."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        program = "from desk.local.main import main; main()"
        command = [sys.executable, "-c", program, "up", "--captcha-answer", CODE, "--port", str(port)]
        with subprocess.Popen(  # noqa: S603 - our own
            [*command, "--data-dir", f"{folder}/desk"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as desk:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
            try:
                while desk.poll() is None:
                    with contextlib.suppress(httpx.TransportError):
                        client.get("/api/catalog").raise_for_status()
                        break
                    time.sleep(0.1)
                (tls := Path(folder) / "tls").mkdir()
                write_certificate(tls)
                services = {route.service: f"127.0.0.1:{port}" for route in load_table().routes}
                with open_gateway(START, services, tls_folder=str(tls)) as gateway:
                    yield gateway.tls_url, client
            finally:
                client.close()
                desk.terminate()


@dataclass
class FirstTimeUser:
    """A first-time user: nothing is cached."""

    page: Page
    session: CDPSession
    bytes_of: dict[str, float] = field(default_factory=dict)
    """Bytes received, with headers, by kind."""
    protocols: set[str] = field(default_factory=set)

    def shift(self) -> float:
        """Return the layout shift so far that was not caused by input."""
        return float(self.page.evaluate("desk.shift"))

    def painted(self) -> float:
        """Wait until the selectors are painted; return the time in ms since the page was requested."""
        return float(self.page.evaluate("desk.painted"))

    def reaction(self, selector: str, action: Callable[[], object]) -> float:
        """Return the ms from an action until its first sign was painted."""
        self.page.evaluate("selector => { desk.waitFor(selector); }", selector)
        action()
        return self.painted() - float(self.page.evaluate("desk.acted"))


@contextlib.contextmanager
def first_time_user(browser: Browser, url: str, *, slow: bool = False) -> Iterator[FirstTimeUser]:
    """Open a page with an empty cache."""
    context = browser.new_context(base_url=url, viewport=PHONE, locale="fa-IR", ignore_https_errors=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.add_init_script(OBSERVER)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if slow:
        session.send("Network.emulateNetworkConditions", SLOW_LINE)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_CPU})
    came = FirstTimeUser(page, session)
    kinds: dict[str, str] = {}

    def answered(event: dict[str, object]) -> None:
        kinds[str(event["requestId"])] = str(event["type"])
        came.protocols.add(str(event["response"].get("protocol")))  # type: ignore[attr-defined]

    def finished(event: dict[str, object]) -> None:
        kind = kinds.get(str(event["requestId"]), "Other")
        came.bytes_of[kind] = came.bytes_of.get(kind, 0) + float(str(event["encodedDataLength"]))

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", finished)
    yield came
    context.close()


def weigh(browser: Browser, url: str, figures: Figures) -> None:
    """Measure the bytes of the first page and the send page with an empty cache."""
    for name, path, limit in (("first page", "/", 60), ("send page", "/send", 120)):
        with first_time_user(browser, url) as came:
            came.page.goto(path, wait_until="networkidle")
            parts = came.bytes_of
            font = parts.pop("Font", 0)
            listed = ", ".join(f"{kind} {size / KB:.1f}" for kind, size in sorted(parts.items()))
            figures.check(f"{name}, all but fonts", sum(parts.values()) / KB, limit, "KB")
            print(f"    ({listed} KB; over {', '.join(sorted(came.protocols - {'data', 'blob'}))})")
            figures.check(f"{name}, fonts", font / KB, 60, "KB")


def on_a_slow_phone(browser: Browser, url: str, rounds: int, figures: Figures) -> None:
    """Measure the time until the send page can be used."""
    took = []
    for _ in range(rounds):
        with first_time_user(browser, url, slow=True) as came:
            came.page.add_init_script(f"desk.waitFor(...{USABLE.split(', ')})")
            came.page.goto("/send", wait_until="commit")
            took.append(came.painted() / 1000)
    print(f"    (slow phone, each round: {', '.join(f'{each:.2f}' for each in took)} s)")
    figures.check("slow phone: the send page is usable, median", statistics.median(took), 4, "s")


def in_use(browser: Browser, url: str, person: dict[str, str], figures: Figures, *, slow: bool) -> None:
    """Fill and send the form: measure layout shift, and the time until each action shows something.

    The latter has its limit only on a normal device; a slow phone shows a pressed button within it.
    """
    where = "slow phone" if slow else "plain device"
    signs = figures.show if slow else figures.check
    with first_time_user(browser, url, slow=slow) as came:
        page = came.page
        page.goto("/send")
        page.locator("#captcha[data-state=ready]").wait_for()
        page.locator("#province option:nth-child(2)").wait_for(state="attached")
        figures.check(f"{where}: layout shift while the send page loads", came.shift(), 0.05, "")
        reactions = {name: came.reaction(selector, action) for name, selector, action in actions(page, person)}
        figures.check(f"{where}: layout shift after identity, typing and files", came.shift(), 0.05, "")
        page.locator("#success .notice-success").wait_for()
        for name, took in reactions.items():
            signs(f"{where}: first sign after {name}", took, 100, "ms")
    with first_time_user(browser, url, slow=slow) as came:
        came.page.goto("/track")
        came.page.locator("#captcha[data-state=ready]").wait_for()
        figures.check(f"{where}: layout shift while the tracking page loads", came.shift(), 0.05, "")
        came.page.locator("#national_id").fill(person["national_id"])
        came.page.locator("#tracking_code").fill("000000000000")
        came.page.locator("#captcha_answer").fill(CODE)
        took = came.reaction("#submit[data-state=busy]", came.page.locator("#submit").click)
        signs(f"{where}: first sign after asking for a request", took, 100, "ms")


def actions(page: Page, person: dict[str, str]) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield each action of an applicant, and the selector of its first sign. Typing happens in between."""
    submit = page.locator("#submit")
    # The button is only marked as disabled and can still be pressed.
    yield "pressing the button too early", "#error_summary:not([hidden])", lambda: submit.click(force=True)
    yield "opening the calendar", "#calendar[open]", lambda: page.locator("#open_calendar").click()
    yield "closing it", "#calendar:not([open])", lambda: page.locator("#calendar_close").click()
    yield "asking for another code", "#captcha[data-state=loading]", lambda: page.locator("#new_captcha").click()
    page.locator("#captcha[data-state=ready]").wait_for()
    year, month, day = (str(int(part)) for part in person["birth_date"].split("-"))
    page.locator("#birth_day").press_sequentially(day)
    page.locator("#birth_month").select_option(month)
    page.locator("#birth_year").press_sequentially(year)
    page.locator("#national_id").press_sequentially(person["national_id"][:-1])

    def finish_national_id() -> None:
        page.keyboard.type(person["national_id"][-1])
        page.keyboard.press("Tab")

    yield "typing the national ID to its end", "#identity[data-state=busy]", finish_national_id
    page.locator("#identity[data-state=matched]").wait_for()
    search = page.locator("#province_search")
    yield "searching the province", "#province_list [data-value=isfahan]", lambda: search.press_sequentially("isf")
    page.locator("#province_list [data-value=isfahan]").click()
    page.locator("#mobile").press_sequentially("09120000000")
    choose = page.locator("#subject").select_option
    yield "choosing the subject", "#sub_subject option:nth-child(2)", lambda: choose("umrah")
    page.locator("#sub_subject").select_option("umrah_visa")
    page.locator("#text").press_sequentially("What is measured is typed as well.")
    pdf: FilePayload = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF\n"}
    yield "choosing a file", ".file", lambda: page.locator("#attachments").set_input_files([pdf])
    page.locator(".file[data-state=sent]").wait_for()
    page.locator("#captcha_answer").press_sequentially(CODE)
    yield "sending", "#submit[data-state=busy]", submit.click


def main() -> None:
    """Measure everything; fail if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        sys.exit("pages: no Chromium here; install Debian's package `chromium`")
    figures = Figures()
    with served() as (url, client), sync_playwright() as playwright:
        person = next(each for each in client.get("/demo/people").json() if not each["deceased"])
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        print("the pages, each figure with its limit and their ratio")
        weigh(browser, url, figures)
        on_a_slow_phone(browser, url, options.rounds, figures)
        for slow in (False, True):
            in_use(browser, url, person, figures, slow=slow)
        browser.close()
    if figures.missed:
        sys.exit(f"missed: {'; '.join(figures.missed)}")
    print("every figure is within its limit")


if __name__ == "__main__":
    main()
