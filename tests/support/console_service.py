"""A console with a clock and a client of the desk that a test controls, and a browser without scripts."""

import asyncio
import re
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

from support.counter_desk import CounterDesk

from desk.console.domain.accounts import Role
from desk.console.encryption import Encryption, new_key
from desk.console.service.attempts import Attempts
from desk.console.service.colleagues import Colleagues
from desk.console.service.events import EventHandler
from desk.console.service.experts import Experts
from desk.console.service.headquarters import Headquarters
from desk.console.service.proofs import Proofs
from desk.console.service.reports import ReportSender
from desk.console.service.sessions import Sessions
from desk.console.service.sign_in import SignIn
from desk.console.service.supervision import Supervision
from desk.console.store.accounts import AccountStore
from desk.database import Database
from desk.expert import (
    BrokerUnavailableError,
    CaseEvent,
    CaseRefusedError,
    Erasure,
    Escalation,
    FigureSet,
    FiguresRefusedError,
    FileReference,
    Request,
    Silence,
)
from desk.iran.workdays import WorkCalendar
from desk.security.rate_limits import RateLimits

CODE, OTHER_CODE = "123456789018", "210987654321"
SUBMITTED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DUE = datetime(2026, 12, 6, 20, 29, 59, tzinfo=UTC)
PASSWORD = "an expert's own word"
_FORM_WORD = re.compile(r'name="form_word" value="([^"]+)"')


def request_data(code=CODE, **changed):
    return {
        "tracking_code": code,
        "submitted_at": SUBMITTED,
        "due_at": DUE,
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "umrah", "title": "عمرهٔ مفرده"},
        "sub_subject": {"key": "umrah_visa", "title": "روادید و گذرنامه"},
        "applicant": {
            "national_id": "8275737168",
            "birth_date": "1361-12-05",
            "first_name": "نرگس",
            "last_name": "باران‌دشت",
            "gender": "female",
        },
        "contact": {"mobile": "+989120000000", "email": "applicant@example.com"},
        "text": "روادید من هنوز صادر نشده است.",
        "attachments": [],
    } | changed


def event(kind, seq, code=CODE, event_id=None, **data):
    """Return an event as the library delivers it."""
    request = (
        Request.model_validate(request_data(code) | data) if kind in {"request-submitted", "request-referred"} else None
    )
    data = {"tracking_code": code, "at": (SUBMITTED + timedelta(hours=seq)).isoformat()} | data
    return CaseEvent(event_id or str(uuid.uuid4()), kind, code, seq, data, request, None)


def erasure(seq, code=CODE, certificate_id="3f2504e0-4f89-41d3-9a0c-0305e82c3301"):
    """Return the event that asks to erase a case, as the library delivers it."""
    asked = event("request-erased", seq, code, certificate_id=certificate_id, reason="applicant")
    return replace(asked, erasure=Erasure.model_validate(asked.data))


def escalation(code=CODE):
    """Return the event about a late answer of Isfahan, after a referral by Qom, as the library delivers it."""
    named = {"isfahan": {"key": "isfahan", "name": "اصفهان"}, "qom": {"key": "qom", "name": "قم"}}
    late = event(
        "request-escalated",
        9,
        code,
        due_at=DUE.isoformat(),
        state="in_progress",
        province=named["isfahan"],
        subject={"key": "umrah", "title": "عمرهٔ مفرده"},
        sub_subject={"key": "umrah_visa", "title": "روادید و گذرنامه"},
        trail=[
            {
                "office": named["qom"],
                "since": SUBMITTED.isoformat(),
                "until": (SUBMITTED + timedelta(days=3)).isoformat(),
            },
            {"office": named["isfahan"], "since": (SUBMITTED + timedelta(days=3)).isoformat()},
        ],
    )
    return replace(late, escalation=Escalation.model_validate(late.data))


def silent(office="qom", waiting=12):
    """Return the event about a silent office, as the library delivers it."""
    data = {
        "province": {"key": office, "name": "قم"},
        "at": SUBMITTED.isoformat(),
        "waiting": waiting,
        "oldest_since": SUBMITTED.isoformat(),
    }
    return CaseEvent(
        str(uuid.uuid4()), "province-silent", office, 1, data, None, None, silence=Silence.model_validate(data)
    )


def figure_set(*offices):
    """Return the desk's figures of a month: for each office of ``(key, name, requests, median)``."""
    counts = {
        "open": 3,
        "overdue": "<5",
        "answered": 40,
        "p90_days": 9,
        "objections": 0,
        "ratings": 6,
        "rating_mean": 4.5,
    }
    rows = [(key, name, counts | {"requests": requests, "median_days": days}) for key, name, requests, days in offices]
    total = counts | {"requests": 50, "median_days": 5}
    return FigureSet.model_validate(
        {
            "from": "1405-09",
            "until": "1405-09",
            "at": SUBMITTED,
            "office": None,
            "offices": [row | {"office": key, "name": name, "incomplete": []} for key, name, row in rows],
            "months": [total | {"month": "1405-09", "incomplete": []}],
            "office_months": [row | {"office": key, "month": "1405-09"} for key, _, row in rows],
            "figures": [],
        }
    )


class FakeClient:
    """A client of the desk that records what is sent; a test sets ``unavailable`` and ``refusing``."""

    def __init__(self):
        self.sent, self.files, self.stored = [], [], {}
        self.subject_list, self.counter_desk = [], CounterDesk()
        self.counter = self.counter_desk.client("isfahan")
        self.figure_set, self.period = None, None
        self.statuses = {}
        self.unavailable, self.refusing, self.consuming, self.rejected = False, None, True, 0
        self.handle = asyncio.get_running_loop().create_future()

    async def consume(self, handle):
        self.handle.set_result(handle)
        await asyncio.Event().wait()

    async def handler(self):
        """Return the console's event handler, once it consumes."""
        async with asyncio.timeout(30):
            return await self.handle

    async def send(self, report):
        if self.unavailable:
            raise BrokerUnavailableError("cut")
        self.sent.append(report)

    async def upload(self, _tracking_code, name, content):
        if self.refusing is not None:
            raise self.refusing
        self.files.append((name, content))
        return FileReference(
            id=str(len(self.files)), name=name, size=len(content), media_type="application/pdf", sha256="0" * 64
        )

    @asynccontextmanager
    async def open(self, file):
        async def chunks():
            yield self.stored[file.id]

        yield chunks()

    async def subjects(self):
        return self.subject_list

    async def figures(self, first, last):
        if self.figure_set is None:
            raise FiguresRefusedError("unavailable", "")
        self.period = (first, last)
        return self.figure_set

    async def find_case(self, tracking_code):
        if tracking_code not in self.statuses:
            raise CaseRefusedError("case_not_found", "", later=True)
        found = self.statuses[tracking_code]
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self):
        pass


class ConsoleFixture:
    """The parts of a console of two provinces and headquarters."""

    def __init__(self, url):
        self.now = SUBMITTED + timedelta(days=1)
        self.key = new_key()
        self.database, self.encryption, self.calendar = Database(url), Encryption.from_text(self.key), WorkCalendar()
        self.client, self.other_client, self.headquarters_client = FakeClient(), FakeClient(), FakeClient()
        self.clients = {"isfahan": self.client, "qom": self.other_client, "headquarters": self.headquarters_client}
        common = {"database": self.database, "encryption": self.encryption, "clock": self.clock}
        self.event_handler = EventHandler(**common, calendar=self.calendar)
        self.sender = ReportSender(**common, calendar=self.calendar, clients=self.clients)
        self.experts = Experts(**common, calendar=self.calendar, clients=self.clients)
        self.sign_in = SignIn(**common, attempts=self.attempts_in(RateLimits()), second_factor=True)
        self.sessions = Sessions(**common)
        self.supervision = Supervision(**common)
        self.headquarters = Headquarters(**common, calendar=self.calendar)
        self.colleagues = Colleagues(**common, calendar=self.calendar)

    def attempts_in(self, limits):
        return Attempts(limits, Proofs(limits, b"proofs", self.clock), b"attempts")

    def clock(self):
        return self.now

    async def handle(self, *events, province="isfahan"):
        for each in events:
            await self.event_handler.handle(province, each)

    async def account(self, username, role=Role.EXPERT, province="isfahan"):
        await self.supervision.add_account(province, username, "کسی", role, by=None, password=PASSWORD)
        return await self.account_of(username)

    async def account_of(self, username):
        """Return an account by its user name."""
        async with self.database.read() as session:
            return (await AccountStore(session, self.encryption).by_username(username))[0]

    async def case(self, code=CODE, province="isfahan"):
        return (await self.experts.view(province, code)).record.case

    async def send_all(self):
        while await self.sender.send_due():
            pass
        return [report.name for report in self.client.sent]


class Browser:
    """A browser without scripts; sends forms with the form word of the open page."""

    def __init__(self, client, app):
        self.client, self.page, self._app = client, None, app

    def running(self):
        """Run the background tasks."""
        return self._app.router.lifespan_context(self._app)

    async def open(self, path, **options):
        self.page = await self.client.get(path, **options)
        return unescape(self.page.text)

    async def send(self, path, *, word=None, files=None, **fields):
        word = word if word is not None else unescape(_FORM_WORD.search(self.page.text)[1])
        self.page = await self.client.post(path, data={"form_word": word, **fields}, files=files)
        return unescape(self.page.text)

    async def sign_in(self, username, password=PASSWORD):
        await self.open("/sign-in")
        await self.send("/sign-in", username=username, password=password)
        return self
