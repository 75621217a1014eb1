"""CPU time of a ticket at django-helpdesk: its form page, the form sent with one email, and the public view."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, TypeVar

import aiohttp
from benchmarks.applicants import Process, in_parallel
from benchmarks.figures import Asked, Figure, Operation, Part
from benchmarks.helpdesk.server import Helpdesk, open_helpdesk
from benchmarks.meter import Meter
from benchmarks.operations import LOOKUP, SUBMISSION
from benchmarks.servers import Servers
from support.background import BackgroundLoop, MailServer
from support.embedded_desk import wait_for

WARM_UP = 100
IDLE_SECONDS = 10.0
SETTLE_SECONDS = 60.0
OK, FOUND = 200, 302
ASKED_RATIO = Asked(0.75)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form:
    """A form page that a visitor has open: the secret of the cookie and that of the form."""

    number: int
    cookie: str
    token: str


def helpdesk(servers: Servers, count: int) -> Part:
    """Measure ``count`` tickets, each of another visitor with another email address."""
    loop = BackgroundLoop()
    mail, process = MailServer(loop), Process()
    try:
        with open_helpdesk(servers.postgres, mail.port) as website:
            return _measure(website, servers, mail, process, count)
    finally:
        process.close()
        mail.close()
        loop.close()


def _measure(website: Helpdesk, servers: Servers, mail: MailServer, process: Process, count: int) -> Part:
    def send(forms: Sequence[Form]) -> list[str]:
        expected = len(mail.mails) + len(forms)
        tickets = process.run(send_forms, website, forms)
        wait_for(lambda: len(mail.mails) >= expected, SETTLE_SECONDS)
        if len(mail.mails) != expected:
            raise SystemExit("a ticket must cause one email")
        return tickets

    process.run(view_tickets, send(process.run(open_forms, website, range(WARM_UP))))
    meter = Meter({"gunicorn": [website.pid], "postgres": servers.pids["postgres"]})
    meter.learn_idle(IDLE_SECONDS)
    page, form, view = dict[str, float](), dict[str, float](), dict[str, float]()
    with meter.measured(count, page):
        forms = process.run(open_forms, website, range(WARM_UP, WARM_UP + count))
    with meter.measured(count, form):
        tickets = send(forms)
    with meter.measured(count, view):
        process.run(view_tickets, tickets)
    ticket = Operation("django-helpdesk, ticket", {name: page[name] + form[name] for name in page})
    return Part(
        "django-helpdesk",
        operations=[ticket, Operation("django-helpdesk, ticket view", view)],
        figures=[
            Figure("ticket: its form page, with the CSRF cookie", sum(page.values()), "CPU-ms"),
            Figure("ticket: the form sent, with one email", sum(form.values()), "CPU-ms"),
        ],
    )


def compared(desk: Mapping[str, float], helpdesk: Part) -> Part:
    """Return the desk's sums, by operation, as a share of the helpdesk's."""
    ticket, view = helpdesk.operations
    ratios = [
        Figure("submission ÷ ticket", desk[SUBMISSION] / ticket.total, "", ASKED_RATIO),
        Figure("tracking look-up ÷ ticket view", desk[LOOKUP] / view.total, ""),
    ]
    return replace(helpdesk, figures=[*ratios, *helpdesk.figures])


# what the other process runs


def open_forms(website: Helpdesk, numbers: Sequence[int]) -> list[Form]:
    """Open the form page for each visitor."""

    async def open_form(http: aiohttp.ClientSession, number: int) -> Form:
        async with http.get(f"{website.url}/tickets/submit/") as answer:
            page = await answer.text()
            if answer.status != OK or (found := _TOKEN.search(page)) is None:
                raise SystemExit(f"the form page of the helpdesk: {answer.status}")
            return Form(number, answer.cookies["csrftoken"].value, found[1])

    return asyncio.run(_with_http(lambda http: in_parallel(lambda number: open_form(http, number), numbers)))


def send_forms(website: Helpdesk, forms: Sequence[Form]) -> list[str]:
    """Send each form; return the addresses of the tickets."""

    async def send(http: aiohttp.ClientSession, form: Form) -> str:
        fields = {
            "csrfmiddlewaretoken": form.token,
            "queue": str(website.queue),
            "title": "روادید عمره",
            "body": "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟",
            "priority": "3",
            "submitter_email": f"applicant{form.number}@example.com",
        }
        async with http.post(
            f"{website.url}/tickets/submit/",
            data=fields,
            headers={"Cookie": f"csrftoken={form.cookie}"},
            allow_redirects=False,
        ) as answer:
            if answer.status != FOUND:
                raise SystemExit(f"the form of the helpdesk: {answer.status} {await answer.text()}")
            return unescape(website.url + answer.headers["Location"])

    return asyncio.run(_with_http(lambda http: in_parallel(lambda form: send(http, form), forms)))


def view_tickets(tickets: Sequence[str]) -> None:
    """Look each ticket up as its visitor does."""

    async def view(http: aiohttp.ClientSession, ticket: str) -> None:
        async with http.get(ticket) as answer:
            if answer.status != OK or "روادید عمره" not in await answer.text():
                raise SystemExit(f"the view of a ticket at the helpdesk: {answer.status}")

    asyncio.run(_with_http(lambda http: in_parallel(lambda ticket: view(http, ticket), tickets)))


async def _with_http(work: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, T]]) -> T:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        return await work(http)
