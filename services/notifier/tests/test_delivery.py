"""From a queued SMS to a provider and to a report: choice, doubt, demotion, webhook and polling."""

import io
import logging
import sys
from collections import Counter

import httpx
import pytest
import structlog
from pydantic import ValidationError
from sms_server import KEY, Fault, SmsServer

from desk.chassis.telemetry import configure_logging
from desk.notifier.app import _provider, create_app
from desk.notifier.domain import DEMOTED_AT, ENOUGH_TO_JUDGE, LEAST_SHARE, ChannelName, Record, State, choose
from desk.notifier.reports import Reports
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.sms import SmsChannel
from desk.notifier.store import MessageStore

SECRET = "a-secret-of-kavenegar"
MOBILE_ONLY = {"mobile": "+989123456789", "email": None}


@pytest.fixture
def server():
    server = SmsServer()
    yield server
    server.stop()


def settings(notifier, server, **changes):
    given = {
        "sms": "kavenegar:1,generic:1",
        "kavenegar_url": server.url,
        "kavenegar_key": KEY,
        "kavenegar_sender": "10008663",
        "kavenegar_report_secret": SECRET,
        "generic_url": server.url,
        "generic_key": KEY,
    }
    return Settings.model_validate(notifier.settings.model_dump() | given | changes)


class Desk:
    """A notifier's store before real providers."""

    def __init__(self, notifier, server, **changes):
        self.notifier, self.server = notifier, server
        self.settings = settings(notifier, server, **changes)
        self.providers = {name: _provider(self.settings, name) for name in self.settings.sms_weights}
        self.channel = SmsChannel(self.providers)
        parts = notifier.parts
        self.dispatcher = Dispatcher(
            parts.database,
            parts.vault,
            ChannelName.SMS,
            self.channel,
            outcomes=notifier.outcomes,
            weights=self.settings.sms_weights,
        )
        gauge = Counter()
        self.reports = Reports(parts.database, parts.vault, self.providers, _Gauge(gauge), _Gauge(gauge))

    async def submit(self, number=1):
        for _ in range(number):
            await self.notifier.submit(contact=MOBILE_ONLY)

    async def dispatch(self):
        while await self.dispatcher.dispatch_due():
            pass

    async def dispatch_until_quiet(self, rounds=12):
        for _ in range(rounds):
            self.notifier.execute("UPDATE message SET next_try_at = '2026-01-01' WHERE state IN ('queued', 'claimed')")
            await self.dispatch()

    def states(self):
        return Counter(row[0] for row in self.notifier.rows("state"))


class _Gauge:
    def __init__(self, values):
        self.values = values

    def labels(self, name):
        self.name = name
        return self

    def set(self, value):
        self.values[self.name] = value


@pytest.fixture
async def open_desk(notifier, server):
    opened = []

    def start(**changes):
        opened.append(Desk(notifier, server, **changes))
        return opened[-1]

    yield start
    for each in opened:
        await each.channel.close()


@pytest.mark.parametrize("text", ["", "kavenegar:0", "kavenegar,kavenegar", "twilio", "shown:1", "generic:x"])
def test_a_wrong_list_of_providers_is_refused(notifier, server, text):
    with pytest.raises(ValidationError, match="sms: say shown, or some of"):
        settings(notifier, server, sms=text)


def test_a_provider_without_its_account_is_refused(notifier, server):
    with pytest.raises(ValidationError, match="say smsir_key, smsir_line too"):
        settings(notifier, server, sms="smsir")


def test_providers_share_the_work_by_weight():
    weights = {"kavenegar": 3, "generic": 1}
    shares = Counter(choose(weights, {}, point / 1000) for point in range(1000))
    assert shares == {"kavenegar": 750, "generic": 250}


def test_a_provider_is_demoted_at_15_percent_and_drifts_back():
    assert Record(100, 5).trust == 1.0
    assert Record(100, 15).trust == pytest.approx(LEAST_SHARE)
    assert LEAST_SHARE < Record(100, 9).trust < Record(100, 7).trust < 1.0
    assert Record(ENOUGH_TO_JUDGE - 1, ENOUGH_TO_JUDGE - 1).trust == 1.0
    demoted = {"kavenegar": Record(100, round(DEMOTED_AT * 100)), "generic": Record(100, 0)}
    shares = Counter(choose({"kavenegar": 1, "generic": 1}, demoted, point / 1000) for point in range(1000))
    assert 40 <= shares["kavenegar"] <= 60


async def test_when_one_provider_fails_the_other_takes_over_and_nobody_gets_two(open_desk, server):
    desk = open_desk()
    server.kavenegar.fault = Fault.STATUS_500
    await desk.submit(30)
    await desk.dispatch_until_quiet()
    assert desk.states() == {"handed_over": 30}
    assert len(server.generic.taken) == 30
    assert sum(server.handsets.values()) == 30
    calls = server.kavenegar.calls
    await desk.submit(30)
    await desk.dispatch_until_quiet()
    assert server.kavenegar.calls - calls < 15, "a demoted provider still gets its share"


async def test_a_message_in_doubt_goes_to_no_other_provider_until_its_own_has_been_asked(open_desk, server):
    desk = open_desk(sms="kavenegar:9999,generic:1")
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.CUT_AFTER_TAKING, 1
    await desk.submit()
    await desk.dispatch()
    assert desk.notifier.rows("state, provider, last_error") == [("queued", "kavenegar", "no_answer")]
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.STATUS_500, 100
    await desk.dispatch_until_quiet(5)
    assert desk.notifier.rows("state, provider") == [("queued", "kavenegar")]
    assert server.generic.taken == []
    server.kavenegar.fault = None
    await desk.dispatch_until_quiet(1)
    assert desk.notifier.rows("state, provider, provider_reference") == [("handed_over", "kavenegar", "1")]
    assert sum(server.handsets.values()) == 1


async def test_whoever_finds_a_claim_left_by_a_crash_asks_before_sending(open_desk, server):
    desk = open_desk(sms="smsir", smsir_url=server.url, smsir_key=KEY, smsir_line="30007732")
    await desk.submit()
    await desk.dispatch()
    assert len(server.smsir.taken) == 1
    desk.notifier.execute("UPDATE message SET state = 'claimed', provider_reference = NULL")
    await desk.dispatch_until_quiet(1)
    assert desk.states() == {"handed_over": 1}
    assert len(server.smsir.taken) == 1, "SMS.ir knows no references: it was looked for among today's"


async def test_reports_are_asked_for_and_only_once_in_a_while(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit(3)
    await desk.dispatch()
    assert await desk.reports.ask_due() == 0
    desk.notifier.let_time_pass()
    assert await desk.reports.ask_due() == 3
    assert await desk.reports.ask_due() == 0
    assert desk.states() == {"handed_over": 3}
    server.kavenegar.state = 10
    desk.notifier.let_time_pass()
    await desk.reports.ask_due()
    assert desk.states() == {"delivered": 3}


async def test_an_undelivered_message_fails_visibly_and_counts_against_its_provider(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    await desk.dispatch()
    server.kavenegar.state = 11
    desk.notifier.let_time_pass()
    await desk.reports.ask_due()
    assert desk.notifier.rows("state, last_error") == [("failed", "not_delivered")]
    assert desk.notifier.execute("SELECT bad FROM attempt") == [(1,)]


async def test_a_slow_provider_is_demoted(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit(20)
    await desk.dispatch()
    desk.notifier.execute("UPDATE message SET handed_over_at = datetime(handed_over_at, '-6 minutes') WHERE rowid <= 3")
    await desk.reports.look()
    async with desk.notifier.parts.database.transaction() as session:
        records = await MessageStore(session, desk.notifier.parts.vault).records()
    assert records == {"kavenegar": Record(20, 3)}
    assert records["kavenegar"].trust == pytest.approx(LEAST_SHARE)


async def test_a_message_nobody_reports_on_has_an_end(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    await desk.dispatch()
    desk.notifier.execute("UPDATE message SET handed_over_at = datetime(handed_over_at, '-73 hours')")
    await desk.reports.look()
    assert desk.notifier.rows("state, last_error") == [("failed", "no_report")]


@pytest.fixture
async def reporting(open_desk, notifier):
    """A desk with one message handed over, and a client of its door."""
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    await desk.dispatch()
    parts = type(notifier.parts)(
        database=notifier.parts.database,
        broker=notifier.parts.broker,
        vault=notifier.parts.vault,
        telemetry=type(notifier.parts.telemetry)("notifier"),
        channels=notifier.parts.channels,
        providers=desk.providers,
    )
    app = create_app(desk.settings, parts=parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier") as client:
        yield desk, client


async def test_a_provider_may_report_in_the_query_a_form_or_json(reporting):
    desk, client = reporting
    address = f"/api/delivery-reports/kavenegar/{SECRET}"
    for said in (
        {"params": {"messageid": "1", "status": "4"}},
        {"json": {"MessageId": 1, "Status": 5}},
        {"data": {"messageid": "1", "status": "10"}},
        {"data": {"messageid": "1", "status": "10"}},
        {"data": {"messageid": "1", "status": "6"}},
    ):
        assert (await client.post(address, **said)).status_code == 204
    assert desk.states() == {State.DELIVERED: 1}
    assert (await client.get(address, params={"messageid": "1", "status": "10"})).status_code == 204


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("kavenegar/wrong", {"messageid": "1", "status": "10"}, "report_not_wanted"),
        ("kavenegar/%D8%B1", {"messageid": "1", "status": "10"}, "report_not_wanted"),
        (f"smsir/{SECRET}", {"messageid": "1", "status": "10"}, "report_not_wanted"),
        (f"kavenegar/{SECRET}", {"messageid": "2", "status": "10"}, "report_not_wanted"),
        (f"kavenegar/{SECRET}", {"messageid": "1"}, "not_a_report"),
        (f"kavenegar/{SECRET}", {"messageid": "1", "status": "99"}, "not_a_report"),
        (f"kavenegar/{SECRET}", {"messageid": "1", "status": "۱۰"}, "not_a_report"),
    ],
)
async def test_a_report_that_is_none_changes_nothing(reporting, path, fields, code):
    desk, client = reporting
    answer = await client.post(f"/api/delivery-reports/{path}", data=fields)
    assert answer.json()["code"] == code
    assert desk.states() == {"handed_over": 1}


@pytest.mark.parametrize("body", [b"[1]", b"{", b"[" * 20000, b'{"messageid": NaN}', b"\xff"])
async def test_a_report_in_broken_json_gets_a_clear_error(reporting, body):
    _, client = reporting
    headers = {"content-type": "application/json"}
    answer = await client.post(f"/api/delivery-reports/kavenegar/{SECRET}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_report")


async def test_no_number_text_key_or_secret_is_in_the_log(reporting, server, monkeypatch):
    desk, client = reporting
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    try:
        for fault in Fault:
            server.kavenegar.fault, server.kavenegar.faults_left = fault, 3
            await desk.submit()
            await desk.dispatch_until_quiet(2)
        await client.post(f"/api/delivery-reports/kavenegar/{SECRET}", data={"messageid": "1", "status": "10"})
        server.kavenegar.fault, server.kavenegar.faults_left = Fault.STATUS_500, 3
        desk.notifier.let_time_pass()
        await desk.reports.ask_due()
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**style)
    text = written.getvalue()
    assert "message tried" in text
    assert "provider gave no reports" in text
    for word in ("9123456789", "رهگیری", "رضایی", KEY, SECRET):
        assert word not in text
