"""The office that is being developed against ``desk up --amqp``: its keys, its addresses, its reports."""

import io
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from desk.chassis.captcha import CaptchaClient
from desk.expert import KeysMissingError, OfficeKeys
from desk.expert.keys import make
from desk.intake.domain import CaptchaExpiredError, CaptchaWrongError, Identity, Person, Uploader
from desk.intake.forms import CaptchaAnswer, Submission
from desk.intake.service.attachments import Uploads
from desk.intake.service.requests import RequestSubmission
from desk.iran.offices import HEADQUARTERS
from desk.local.brokers import RabbitBrokers
from desk.local.report_log import ReportLog
from desk.registry_gateway.adapters.simulator import people
from desk.topology.table import office_queue

ENVIRONMENT = "environment"
"""The name of the file with the office's settings, for ``set -a; . FILE``."""
SAMPLE_PROVINCE = "isfahan"
"""The province of a sample request for headquarters."""
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True, slots=True)
class DevelopedOffice:
    """An office whose system runs outside the embedded desk, over a real RabbitMQ."""

    key: str
    keys: OfficeKeys
    brokers: RabbitBrokers
    reports: ReportLog
    desk_url: str

    @classmethod
    def start(cls, key: str, folder: Path, desk_url: str, desk_private_key: str) -> "DevelopedOffice":
        """Start the broker, make the office's keys if ``folder`` has none, and write its settings there.

        ``desk_private_key`` reads reports. Raises ServerUnavailableError if there is no RabbitMQ, and OSError.
        """
        keys = _keys(folder)
        reports = ReportLog(key, desk_private_key, _event_keys(keys))
        office = cls(key, keys, RabbitBrokers.start(reports.observed), reports, desk_url)
        path = folder / ENVIRONMENT
        path.touch(mode=0o600)
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in office.environment.items())
        path.write_text(text, encoding="utf-8")
        return office

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of the office's system, by the names that ``desk-expert check`` gives it too."""
        former = self.keys.former_events_private
        return {
            "BROKER_URL": self.brokers.url(office_queue(self.key)),
            "DESK_URL": self.desk_url,
            "PROVINCE": self.key,
            "PRIVATE_KEY": self.keys.files_private,
            "EVENT_PRIVATE_KEY": self.keys.events_private,
            **({} if former is None else {"FORMER_EVENT_PRIVATE_KEY": former}),
        }


def _keys(folder: Path) -> OfficeKeys:
    try:
        return OfficeKeys.read(folder)
    except KeysMissingError:
        make(folder)
        return OfficeKeys.read(folder)


def _event_keys(keys: OfficeKeys) -> list[str]:
    return [keys.events_private, *filter(None, [keys.former_events_private])]


class SampleRequests:
    """Sends requests of a synthetic person, with a file, as the applicant's page would."""

    def __init__(self, submission: RequestSubmission, uploads: Uploads) -> None:
        accepted = httpx.MockTransport(lambda _: httpx.Response(204))
        captcha = CaptchaClient(
            httpx.AsyncClient(transport=accepted, base_url="http://captcha"),
            "submit",
            wrong=CaptchaWrongError,
            expired=CaptchaExpiredError,
        )
        self._submission, self._uploads = replace(submission, captcha=captcha), uploads

    async def send(self, office: str) -> str:
        """Send one request to an office; return its tracking code."""
        someone = next(person for person in people() if not person.deceased).identity
        number, person = someone.national_id.value, Person(someone.first_name, someone.last_name, someone.gender)
        file = await self._uploads.add(
            Uploader(number, upload_session=str(uuid.uuid4())), io.BytesIO(_PDF), "نمونه.pdf"
        )
        to_headquarters = office == HEADQUARTERS.key
        form = Submission(
            province=SAMPLE_PROVINCE if to_headquarters else office,
            mobile="09120000000",
            email="applicant@example.com",
            subject="complaints" if to_headquarters else "umrah",
            sub_subject="staff_conduct" if to_headquarters else "umrah_visa",
            text="این یک درخواست نمونه برای آزمودن سامانهٔ استان است.",
            attachments=[uuid.UUID(file.id)],
            captcha=CaptchaAnswer(id="a-sample", answer="00000"),
            again=True,
        )
        identity = Identity(number, someone.birth_date.isoformat(), person)
        submitted = await self._submission.submit(identity, str(uuid.uuid4()), form, "127.0.0.1")
        return submitted.request.tracking_code
