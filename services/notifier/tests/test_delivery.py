"""From a queued SMS to a provider and to a report: choice, doubt, demotion, webhook and polling."""

import io
import logging
import sys
from collections import Counter

import httpx
import pytest
import structlog
from prometheus_client import Gauge
from pydantic import ValidationError
from support.sms_server import KEY, Fault, SmsServer

from desk.chassis.telemetry import configure_logging
from desk.notifier.app import _provider, create_app
from desk.notifier.domain import (
    DEMOTED_AT,
    ENOUGH_TO_JUDGE,
    LEAST_SHARE,
    ChannelName,
    Record,
    State,
    choose,
)
from desk.notifier.reports import Reports
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.sms import SmsChannel
from desk.notifier.store import MessageStore

SECRET = "a-secret-of-kavenegar"
SMSIR = {"smsir_key": KEY, "smsir_line": "30007732"}
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
        "smsir_url": server.url,
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
        self.given_up = Gauge("given_up", "Failed", ["channel", "trouble"], registry=None)
        self.reports = Reports(
            parts.database,
            parts.vault,
            self.providers,
            trust=Gauge("trust", "Trust", ["provider"], registry=None),
            oldest=Gauge("oldest", "Late", ["channel"], registry=None),
            given_up=self.given_up,
        )

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
    server.kavenegar.fault = Fault.STATUS_500_BEFORE_TAKING
    await desk.submit(30)
    await desk.dispatch_until_quiet()
    assert desk.states() == {"handed_over": 30}
    assert len(server.generic.taken) == 30
    assert sum(server.handsets.values()) == 30
    calls = server.kavenegar.calls
    await desk.submit(30)
    await desk.dispatch_until_quiet()
    assert server.kavenegar.calls - calls < 30, "a demoted provider still gets its share"


@pytest.mark.parametrize("provider", ["kavenegar", "smsir", "generic"])
async def test_a_provider_that_takes_a_message_and_says_500_is_asked_and_nobody_gets_two(open_desk, server, provider):
    other = "generic" if provider == "kavenegar" else "kavenegar"
    desk = open_desk(sms=f"{provider}:9999,{other}:1", **SMSIR)
    account = getattr(server, provider)
    account.fault, account.faults_left = Fault.STATUS_500_AFTER_TAKING, 10
    await desk.submit(10)
    await desk.dispatch()
    assert set(desk.notifier.rows("state, provider, last_error")) == {("queued", provider, "no_answer")}
    await desk.dispatch_until_quiet(1)
    assert desk.states() == {"handed_over": 10}
    assert len(account.taken) == 10
    assert sum(server.handsets.values()) == 10


async def test_messages_in_doubt_at_a_provider_that_is_away_altogether_wait_and_new_ones_go_by_the_other(
    open_desk, server
):
    desk = open_desk()
    server.kavenegar.fault = Fault.STATUS_500
    await desk.submit(60)
    await desk.dispatch_until_quiet()
    in_doubt = desk.states()["queued"]
    assert in_doubt < 30, "once it is demoted it gets few"
    assert len(server.generic.taken) == 60 - in_doubt
    server.kavenegar.fault = None
    await desk.dispatch_until_quiet(1)
    assert desk.states() == {"handed_over": 60}
    assert sum(server.handsets.values()) == 60


async def test_what_its_provider_denies_after_all_goes_to_any_provider_at_once(open_desk, server):
    desk = open_desk(sms="kavenegar:9999,generic:1")
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.CUT_BEFORE_TAKING, 1
    await desk.submit()
    await desk.dispatch()
    assert desk.notifier.rows("state, provider") == [("queued", "kavenegar")]
    desk.dispatcher._weights = {"generic": 1}
    await desk.dispatch_until_quiet(1)
    assert desk.notifier.rows("state, provider, tries") == [("handed_over", "generic", 2)]
    assert server.kavenegar.taken == []


async def test_a_second_notice_with_the_same_words_is_not_taken_for_the_first(open_desk, server):
    desk = open_desk(sms="smsir", **SMSIR)
    await desk.submit()
    await desk.dispatch()
    server.smsir.fault, server.smsir.faults_left = Fault.CUT_BEFORE_TAKING, 1
    await desk.submit()
    await desk.dispatch_until_quiet(2)
    assert desk.states() == {"handed_over": 2}
    assert len(server.smsir.taken) == 2


async def test_a_doubt_of_yesterday_is_looked_for_in_the_archive(open_desk, server):
    desk = open_desk(sms="smsir", **SMSIR)
    server.smsir.fault, server.smsir.faults_left = Fault.CUT_AFTER_TAKING, 1
    await desk.submit()
    await desk.dispatch()
    server.smsir.archived = 1
    await desk.dispatch_until_quiet(1)
    assert desk.states() == {"handed_over": 1}
    assert len(server.smsir.taken) == 1


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
    desk = open_desk(sms="smsir", **SMSIR)
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


def an_hour_later(desk):
    desk.notifier.execute("UPDATE message SET handed_over_at = datetime(handed_over_at, '-61 minutes')")
    desk.notifier.let_time_pass()


@pytest.mark.parametrize("provider", ["kavenegar", "generic"])
async def test_what_a_provider_took_and_lost_is_handed_over_again_after_an_hour_and_not_before(
    open_desk, server, provider
):
    desk = open_desk(sms=provider)
    account = getattr(server, provider)
    await desk.submit()
    await desk.dispatch()
    account.taken.clear()
    desk.notifier.let_time_pass()
    await desk.reports.ask_due()
    assert desk.states() == {"handed_over": 1}, "it may merely not have listed it yet"
    an_hour_later(desk)
    await desk.reports.ask_due()
    assert desk.notifier.rows("state, last_error, provider") == [("queued", "no_report", provider)]
    await desk.dispatch()
    assert desk.notifier.rows("state, tries") == [("handed_over", 2)]
    assert len(account.taken) == 1
    assert desk.notifier.execute("SELECT bad FROM attempt ORDER BY at") == [(1,), (0,)]


@pytest.mark.parametrize("provider", ["kavenegar", "smsir", "generic"])
async def test_what_a_provider_still_has_is_not_handed_over_again(open_desk, server, provider):
    desk = open_desk(sms=provider, **SMSIR)
    await desk.submit()
    await desk.dispatch()
    an_hour_later(desk)
    await desk.reports.ask_due()
    await desk.dispatch()
    assert desk.notifier.rows("state, tries") == [("handed_over", 1)]


async def test_a_message_denied_by_its_id_and_found_by_our_reference_is_not_sent_again(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    await desk.dispatch()
    desk.notifier.execute("UPDATE message SET provider_reference = '77'")
    an_hour_later(desk)
    await desk.reports.ask_due()
    await desk.dispatch()
    assert desk.notifier.rows("state, provider_reference") == [("handed_over", "1")]
    assert len(server.kavenegar.taken) == 1


async def test_while_a_provider_cannot_be_asked_nothing_is_handed_over_again(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    await desk.dispatch()
    server.kavenegar.taken.clear()
    server.kavenegar.fault = Fault.STATUS_500
    an_hour_later(desk)
    await desk.reports.ask_due()
    assert desk.states() == {"handed_over": 1}


async def test_a_message_whose_senders_all_died_has_an_end_too(open_desk, server):
    desk = open_desk(sms="kavenegar")
    await desk.submit()
    desk.notifier.execute("UPDATE message SET state = 'claimed', tries = 48, next_try_at = '2026-01-01'")
    await desk.dispatch()
    assert server.kavenegar.calls == 0
    await desk.reports.look()
    assert desk.notifier.rows("state, last_error") == [("failed", "no_answer")]
    [sample] = next(iter(desk.given_up.collect())).samples
    assert (sample.labels, sample.value) == ({"channel": "sms", "trouble": "no_answer"}, 1.0)


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
