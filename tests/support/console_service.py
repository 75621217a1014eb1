"""A console on a SQLite file, with a clock to turn and a line to the desk that a test holds in its hands."""

import asyncio
import re
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import unescape

from desk.console.domain.accounts import Role
from desk.console.seal import Seal, new_key
from desk.console.service.experts import Experts
from desk.console.service.hearing import Hearing
from desk.console.service.sending import Sender
from desk.console.service.sign_in import SignIn
from desk.console.service.supervising import Supervising
from desk.database import Database
from desk.expert import BrokerAwayError, FileReference, Request, Told
from desk.iran.workdays import WorkCalendar

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


def told(kind, seq, code=CODE, event_id=None, **data):
    """An event as the library gives it."""
    request = (
        Request.model_validate(request_data(code) | data) if kind in {"request-submitted", "request-referred"} else None
    )
    data = {"tracking_code": code, "at": (SUBMITTED + timedelta(hours=seq)).isoformat()} | data
    return Told(event_id or str(uuid.uuid4()), kind, code, seq, data, request, None)


class Line:
    """A way to the desk: keeps what was sent; ``away`` and ``refusing`` are a test's to set."""

    def __init__(self):
        self.sent, self.files, self.stored = [], [], {}
        self.away, self.refusing, self.alive = False, None, True
        self.take = asyncio.get_running_loop().create_future()

    async def listen(self, take):
        self.take.set_result(take)
        await asyncio.Event().wait()

    async def taken_by(self):
        """Give what the console takes events with, once it listens."""
        async with asyncio.timeout(30):
            return await self.take

    async def send(self, report):
        if self.away:
            raise BrokerAwayError("cut")
        self.sent.append(report)

    async def put_up(self, _tracking_code, name, content):
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
        return []

    async def close(self):
        pass


class House:
    """All parts of a console of two provinces."""

    def __init__(self, url):
        self.now = SUBMITTED + timedelta(days=1)
        self.database, self.seal, self.calendar = Database(url), Seal.from_text(new_key()), WorkCalendar()
        self.line, self.other_line = Line(), Line()
        self.lines = {"isfahan": self.line, "qom": self.other_line}
        everywhere = {"database": self.database, "seal": self.seal, "clock": self.clock}
        self.hearing = Hearing(**everywhere, calendar=self.calendar)
        self.sender = Sender(**everywhere, calendar=self.calendar, lines=self.lines)
        self.experts = Experts(**everywhere, calendar=self.calendar, lines=self.lines)
        self.sign_in = SignIn(**everywhere, second_factor=True)
        self.supervising = Supervising(**everywhere)

    def clock(self):
        return self.now

    async def hear(self, *events, province="isfahan"):
        for event in events:
            await self.hearing.take(province, event)

    async def account(self, username, role=Role.EXPERT, province="isfahan"):
        await self.supervising.add_account(province, username, "کسی", role, by=None, password=PASSWORD)
        return next(each for each in await self.supervising.accounts(province) if each.username == username)

    async def case(self, code=CODE, province="isfahan"):
        return (await self.experts.view(province, code)).known.case

    async def send_all(self):
        while await self.sender.send_due():
            pass
        return [report.name for report in self.line.sent]


class Browser:
    """Somebody at the pages; sends forms with the word of the page that is open."""

    def __init__(self, client, app):
        self.client, self.page, self._app = client, None, app

    def running(self):
        """Run what goes on beside the pages for a while."""
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
