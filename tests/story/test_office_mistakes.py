"""Every mistake of an office on a real RabbitMQ, against ``desk up --amqp``: it learns what became of each report."""

import asyncio
import json
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey
from support.applicant import PDF, Applicant
from support.background import BackgroundLoop
from support.embedded_desk import RunningDesk, wait_for
from support.province_system import ProvinceSystem

from desk.expert import Files, OfficeKeys

SECONDS = 60
AT = "2026-11-29T10:00:00Z"


class Office:
    """The system of an office that makes mistakes, and reads what the desk answers."""

    def __init__(self, desk: RunningDesk) -> None:
        folder = desk.folder / "office"
        text = (folder / "environment").read_text(encoding="utf-8")
        self.settings = dict(line.split("=", 1) for line in shlex.split(text))
        self.keys, self.desk = OfficeKeys.read(folder), desk
        self.unknown = ""
        """The id of a report on a tracking code that does not exist."""
        [desk_key] = desk.client.get("/api/event-keys").json()["keys"]
        self._loop = BackgroundLoop()
        self.system = ProvinceSystem(
            self._loop,
            self.settings["BROKER_URL"],
            "isfahan",
            private_key=self.keys.events_private,
            desk_key=OKPKey.import_key(desk_key).as_pem(private=False).decode(),
        )

    def stop(self) -> None:
        self.system.close()
        self._loop.close()

    def report(
        self,
        name: str,
        code: str,
        data: dict[str, Any] | None = None,
        *,
        seq: int = 1,
        named: bool = True,
        message_id: str | None = None,
        **envelope: object,
    ) -> str:
        """Publish a report with these mistakes; a value None leaves a field out. Return its id."""
        report_id = str(uuid.uuid4())
        inner = {"tracking_code": code, "at": AT} | (data or {})
        kept = {key: value for key, value in inner.items() if value is not None}
        outer = {
            "specversion": "1.0",
            "id": report_id,
            "source": "/office/isfahan",
            "type": f"ir.haj.desk.{name}.v1",
            "subject": code,
            "time": AT,
            "seq": seq,
            "datacontenttype": "application/jose+json",
            "data": self.system.encrypted(kept, report_id),
        } | envelope
        self.system.send(json.dumps(outer).encode(), name, message_id or report_id, named=named)
        return report_id

    def new_case(self) -> str:
        """Have a request sent, and wait until it is here; return its tracking code."""
        sent = self.desk.client.post("/demo/office/requests", headers={"accept": "application/json"})
        code = str(sent.raise_for_status().json()["tracking_code"])
        wait_for(lambda: self.system.of(code), SECONDS)
        return code

    def refusal_of(self, report_id: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait for the refusal of a report."""
        [found] = wait_for(lambda: [each for each in self._refusals() if each["report_id"] == report_id], seconds)
        return found

    def _refusals(self) -> list[dict[str, Any]]:
        events = list(self.system.events.values())
        return [each["data"] for each in events if each["type"] == "ir.haj.desk.case-refused.v1"]

    def outcome_of(self, report_id: str) -> str:
        """Wait until the demonstration's page shows what became of a report."""

        def settled() -> str | None:
            shown = self.desk.client.get("/demo/office").json()
            known = [each["outcome"] for each in shown if each["id"] == report_id and each["outcome"] != "waiting"]
            return known[0] if known else None

        return str(wait_for(settled, SECONDS))

    def upload(self, code: str) -> dict[str, Any]:
        """Upload a file for a case."""

        async def upload() -> dict[str, Any]:
            files = Files(self.desk.url, "isfahan", self.keys.files_private)
            try:
                return (await files.upload_content(code, "a.pdf", PDF)).model_dump()
            finally:
                await files.close()

        return asyncio.run(upload())


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, rabbit_server: object) -> Iterator[Office]:
    del rabbit_server  # it is skipped where no RabbitMQ can run; the desk starts its own
    desk = RunningDesk(Path(tmp_path_factory.mktemp("amqp")) / "desk", "--amqp")
    office = Office(desk)
    office.unknown = office.report("case-received", "202611220010")  # its refusal comes while the other tests run
    yield office
    office.stop()
    assert desk.stop() == 0


LONG, FILE = "x" * 8001, {"name": "a.pdf", "size": 1, "media_type": "application/pdf", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("name", "data", "field", "rule"),
    [
        ("case-answered", {"text": LONG}, "data.text", "string_too_long"),
        ("case-answered", {"text": ""}, "data.text", "string_too_short"),
        ("case-answered", {}, "data.text", "missing"),
        ("case-received", {"at": "2026-11-29T10:00:00"}, "data.at", "timezone_aware"),
        ("case-received", {"at": None}, "data.at", "missing"),
        ("case-referred", {"province": "fars", "reason": "x", "subject": {"key": "umrah"}}, "data", "value_error"),
    ],
)
def test_a_report_that_breaks_the_contract_is_refused_with_its_field_and_rule(office, name, data, field, rule):
    code = office.new_case()
    refused = office.refusal_of(office.report(name, code, data))
    assert (refused["reason"], refused["field"], refused["rule"]) == ("contract_broken", field, rule)


def test_another_message_id_is_refused(office):
    code = office.new_case()
    refused = office.refusal_of(office.report("case-received", code, message_id="another"))
    assert (refused["reason"], refused["field"]) == ("contract_broken", "message_id")


def test_a_used_number_has_no_effect_and_the_refusal_names_the_next_one(office):
    code = office.new_case()
    assert office.outcome_of(office.report("case-received", code, seq=1)) == "applied"
    refused = office.refusal_of(office.report("case-answered", code, {"text": "پاسخ نخست"}, seq=1))
    assert (refused["reason"], refused["expected_seq"]) == ("sequence_used", 2)
    applicant = Applicant(office.desk.client)
    assert "پاسخ نخست" not in applicant.track(code).text
    assert applicant.track(code).json()["state"] == "received"

    office.report("case-answered", code, {"text": "پاسخ دوم"}, seq=refused["expected_seq"])

    assert "پاسخ دوم" in json.dumps(applicant.sees(code, "answered"), ensure_ascii=False)


@pytest.mark.parametrize("file_id", ["not-a-uuid", "0f8fad5b-d9cb-469f-a165-70867728950e", "of another case"])
def test_an_answer_with_a_file_that_is_not_of_the_case_has_no_effect(office, file_id):
    other, code = office.new_case(), office.new_case()
    file = office.upload(other) if file_id == "of another case" else FILE | {"id": file_id}
    refused = office.refusal_of(office.report("case-answered", code, {"text": "پاسخ", "files": [file]}))
    assert (refused["reason"], refused["field"]) == ("unknown_file", "data.files")
    assert Applicant(office.desk.client).track(code).json()["state"] == "registered"


def test_an_answer_with_a_file_of_the_case_is_applied_and_the_applicant_reads_both(office):
    code = office.new_case()
    file = office.upload(code)
    office.report("case-answered", code, {"text": "پاسخ", "files": [file]})
    answer = Applicant(office.desk.client).sees(code, "answered")["answer"]
    assert (answer["text"], [each["id"] for each in answer["files"]]) == ("پاسخ", [file["id"]])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"subject": {"key": "nope", "title": "x"}, "sub_subject": {"key": "nope", "title": "x"}}, "unknown_subject"),
        ({"province": "atlantis"}, "unknown_province"),
        ({"province": "isfahan"}, "same_province"),
    ],
)
def test_a_referral_to_what_does_not_exist_has_no_effect(office, changed, reason):
    code = office.new_case()
    refused = office.refusal_of(office.report("case-referred", code, {"province": "fars", "reason": "x"} | changed))
    assert refused["reason"] == reason
    assert Applicant(office.desk.client).track(code).json()["state"] == "registered"


@pytest.mark.parametrize(
    "mistake", [{"named": False}, {"source": "/office/fars"}, {"source": "/desk/intake"}], ids=["user", "other", "desk"]
)
def test_a_report_whose_sender_is_not_the_office_is_refused_as_forged(office, mistake):
    code = office.new_case()
    assert office.refusal_of(office.report("case-received", code, **mistake))["reason"] == "forged_sender"


def test_a_mistyped_code_is_refused_at_once(office):
    assert office.refusal_of(office.report("case-received", "202611220011"), 20)["reason"] == "unknown_case"


def test_each_outcome_is_shown_on_the_page_of_the_demonstration(office):
    code = office.new_case()
    applied, refused = office.report("case-received", code), office.report("case-answered", code, {"text": ""}, seq=2)
    assert office.outcome_of(applied) == "applied"
    office.refusal_of(refused)
    page = office.desk.client.get("/demo/office", headers={"accept": "text/html"}).text
    assert f'data-report="{refused}"' in page
    assert "contract_broken" in page
    assert httpx.URL(office.settings["BROKER_URL"]).username == "province.isfahan"


def test_a_report_on_an_unknown_code_is_refused_after_about_a_minute(office):
    assert office.refusal_of(office.unknown, 150)["reason"] == "unknown_case"
