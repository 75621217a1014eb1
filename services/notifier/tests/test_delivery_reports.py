"""From a queued SMS to a provider and its delivery report: choice, ambiguity, demotion, webhook and polling."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from sqlalchemy import select
from support.sms_server import GENERIC_KEY, KEY, SMSIR_KEY, Fault

from desk.notifier.app import build_provider
from desk.notifier.channels.sms import SmsChannel
from desk.notifier.domain import (
    DEMOTED_AT,
    MIN_SAMPLE,
    MIN_TRUST,
    ChannelName,
    ProviderStats,
    choose_provider,
)
from desk.notifier.service import DeliveryReports, Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.store import ClaimStore, attempt, message
from desk.notifier.workers import DeliveryReportTask

SMSIR = {"smsir_key": SMSIR_KEY, "smsir_line": "30007732"}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
MOBILE_ONLY = {"mobile": "+989123456789", "email": None}


def settings(notifier, server, **changes):
    defaults = {
        "sms": "kavenegar:1,generic:1",
        "kavenegar_url": server.url,
        "kavenegar_key": KEY,
        "kavenegar_sender": "10008663",
        "smsir_url": server.url,
        "generic_url": server.url,
        "generic_key": GENERIC_KEY,
    }
    return Settings.model_validate(notifier.settings.model_dump() | defaults | changes)


class Sender:
    """A notifier that sends through the providers' server."""

    def __init__(self, notifier, server, **changes):
        self.notifier, self.server = notifier, server
        self.settings = settings(notifier, server, **changes)
        self.providers = {name: build_provider(self.settings, name) for name in self.settings.sms_weights}
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
        self.registry = CollectorRegistry()
        self.reports = DeliveryReports(parts.database, self.providers)
        self.task = DeliveryReportTask(self.reports, self.providers, self.registry)

    async def submit(self, number=1):
        for _ in range(number):
            await self.notifier.submit(contact=MOBILE_ONLY)

    async def dispatch(self):
        while await self.dispatcher.send_due():
            pass

    async def retry(self, rounds=12):
        """Make unfinished messages due and send them, several times."""
        for _ in range(rounds):
            await self.notifier.update(message.c.state.in_(["queued", "claimed"]), next_try_at=LONG_AGO)
            await self.dispatch()

    async def rows(self, *columns):
        return await self.notifier.rows(*columns)

    async def states(self):
        return Counter(row[0] for row in await self.rows("state"))

    async def bad_attempts(self):
        """Return whether each attempt counts as a failure of its provider, oldest first."""
        async with self.notifier.parts.database.transaction() as session:
            return list((await session.execute(select(attempt.c.bad).order_by(attempt.c.at))).scalars())

    async def age(self, by, *, number=None):
        """Move the hand-over of messages into the past; of ``number`` messages, or of all."""
        async with self.notifier.parts.database.transaction() as session:
            rows = (await session.execute(select(message.c.id, message.c.handed_over_at).limit(number))).all()
        for row in rows:
            await self.notifier.update(message.c.id == row.id, handed_over_at=row.handed_over_at - by)


@pytest.fixture
async def make_sender(notifier, server):
    made = []

    def make(**changes):
        made.append(Sender(notifier, server, **changes))
        return made[-1]

    yield make
    for each in made:
        await each.channel.close()


@pytest.mark.parametrize("text", ["", "kavenegar:0", "kavenegar,kavenegar", "twilio", "shown:1", "generic:x"])
def test_a_wrong_list_of_providers_is_refused(notifier, server, text):
    with pytest.raises(ValidationError, match="sms: use shown, or some of"):
        settings(notifier, server, sms=text)


def test_a_provider_without_its_account_is_refused(notifier, server):
    with pytest.raises(ValidationError, match="set smsir_key, smsir_line too"):
        settings(notifier, server, sms="smsir")


def test_providers_share_the_messages_by_weight():
    weights = {"kavenegar": 3, "generic": 1}
    shares = Counter(choose_provider(weights, {}, point / 1000) for point in range(1000))
    assert shares == {"kavenegar": 750, "generic": 250}


def test_a_provider_is_demoted_at_15_percent_failures():
    assert ProviderStats(100, 5).trust == 1.0
    assert ProviderStats(100, 15).trust == pytest.approx(MIN_TRUST)
    assert MIN_TRUST < ProviderStats(100, 9).trust < ProviderStats(100, 7).trust < 1.0
    assert ProviderStats(MIN_SAMPLE - 1, MIN_SAMPLE - 1).trust == 1.0
    demoted = {"kavenegar": ProviderStats(100, round(DEMOTED_AT * 100)), "generic": ProviderStats(100, 0)}
    shares = Counter(choose_provider({"kavenegar": 1, "generic": 1}, demoted, point / 1000) for point in range(1000))
    assert 40 <= shares["kavenegar"] <= 60


async def test_when_one_provider_fails_the_other_takes_over_and_no_recipient_gets_two(make_sender, server):
    sender = make_sender()
    server.kavenegar.fault = Fault.STATUS_500_BEFORE_TAKING
    await sender.submit(30)
    await sender.retry()
    assert await sender.states() == {"handed_over": 30}
    assert len(server.generic.taken) == 30
    assert sum(server.handsets.values()) == 30
    calls = server.kavenegar.calls
    await sender.submit(30)
    await sender.retry()
    assert server.kavenegar.calls - calls < 30, "a demoted provider still gets its share"


@pytest.mark.parametrize("fault", [Fault.STATUS_500_AFTER_TAKING, Fault.HANG_AFTER_TAKING])
@pytest.mark.parametrize("provider", ["kavenegar", "smsir", "generic"])
async def test_a_message_accepted_without_confirmation_is_not_sent_twice(
    make_sender, server, provider, fault, monkeypatch
):
    if fault is Fault.HANG_AFTER_TAKING:
        monkeypatch.setattr("desk.notifier.providers.http.TIMEOUT_SECONDS", httpx.Timeout(60.0, read=2.0))
    other = "generic" if provider == "kavenegar" else "kavenegar"
    sender = make_sender(sms=f"{provider}:9999,{other}:1", **SMSIR)
    account = getattr(server, provider)
    account.fault, account.faults_left = fault, 8
    await sender.submit(8)
    await sender.dispatch()
    assert set(await sender.rows("state", "provider", "last_error")) == {("queued", provider, "no_answer")}
    await sender.retry(1)
    assert await sender.states() == {"handed_over": 8}
    assert len(account.taken) == 8
    assert sum(server.handsets.values()) == 8


async def test_ambiguous_messages_wait_for_their_unavailable_provider_and_new_ones_use_the_other(make_sender, server):
    sender = make_sender()
    server.kavenegar.fault = Fault.STATUS_500
    await sender.submit(60)
    await sender.retry()
    ambiguous = (await sender.states())["queued"]
    assert ambiguous < 30, "once it is demoted it gets few"
    assert len(server.generic.taken) == 60 - ambiguous
    server.kavenegar.fault = None
    await sender.retry(1)
    assert await sender.states() == {"handed_over": 60}
    assert sum(server.handsets.values()) == 60


async def test_a_message_that_its_provider_does_not_have_goes_to_any_provider_in_the_same_attempt(make_sender, server):
    sender = make_sender(sms="kavenegar:9999,generic:1")
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.CUT_BEFORE_TAKING, 1
    await sender.submit()
    await sender.dispatch()
    assert await sender.rows("state", "provider") == [("queued", "kavenegar")]
    sender.dispatcher._providers._weights = {"generic": 1}
    await sender.retry(1)
    assert await sender.rows("state", "provider", "tries") == [("handed_over", "generic", 2)]
    assert server.kavenegar.taken == []


async def test_each_message_of_a_batch_gets_the_provider_that_was_chosen_for_it(make_sender):
    sender = make_sender()
    await sender.submit(4)
    async with sender.notifier.parts.database.statements() as connection:
        claims = await ClaimStore(connection).claim(ChannelName.SMS, 8, ["generic", *["kavenegar"] * 7])
    assert Counter(claim.provider for claim in claims) == {"generic": 1, "kavenegar": 3}
    assert not any(claim.ambiguous for claim in claims)
    assert Counter(await sender.rows("id", "provider")) == Counter((each.id, each.provider) for each in claims)


async def test_attempts_are_counted_again_once_one_has_failed_and_otherwise_rarely(make_sender, server, monkeypatch):
    counted, count = [], ClaimStore.provider_stats

    async def recorded(store):
        counted.append(await count(store))
        return counted[-1]

    monkeypatch.setattr(ClaimStore, "provider_stats", recorded)
    sender = make_sender(sms="generic")
    for _ in range(3):
        await sender.submit()
        await sender.dispatch()
    assert counted == [{}]
    server.generic.code = 503
    await sender.submit()
    await sender.dispatch()
    assert counted == [{}, {"generic": ProviderStats(4, 1)}]


async def test_a_second_notice_with_the_same_text_is_not_confused_with_the_first(make_sender, server):
    sender = make_sender(sms="smsir", **SMSIR)
    await sender.submit()
    await sender.dispatch()
    server.smsir.fault, server.smsir.faults_left = Fault.CUT_BEFORE_TAKING, 1
    await sender.submit()
    await sender.retry(2)
    assert await sender.states() == {"handed_over": 2}
    assert len(server.smsir.taken) == 2


async def test_an_ambiguous_message_of_yesterday_is_searched_in_the_archive(make_sender, server):
    sender = make_sender(sms="smsir", **SMSIR)
    server.smsir.fault, server.smsir.faults_left = Fault.CUT_AFTER_TAKING, 1
    await sender.submit()
    await sender.dispatch()
    server.smsir.archived = 1
    await sender.retry(1)
    assert await sender.states() == {"handed_over": 1}
    assert len(server.smsir.taken) == 1


async def test_an_ambiguous_message_goes_to_no_other_provider_until_its_own_has_answered(make_sender, server):
    sender = make_sender(sms="kavenegar:9999,generic:1")
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.CUT_AFTER_TAKING, 1
    await sender.submit()
    await sender.dispatch()
    assert await sender.rows("state", "provider", "last_error") == [("queued", "kavenegar", "no_answer")]
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.STATUS_500, 100
    await sender.retry(5)
    assert await sender.rows("state", "provider") == [("queued", "kavenegar")]
    assert server.generic.taken == []
    server.kavenegar.fault = None
    await sender.retry(1)
    assert await sender.rows("state", "provider", "provider_reference") == [("handed_over", "kavenegar", "1")]
    assert sum(server.handsets.values()) == 1


async def test_a_message_that_a_crash_left_claimed_is_searched_before_it_is_sent(make_sender, server):
    sender = make_sender(sms="smsir", **SMSIR)
    await sender.submit()
    await sender.dispatch()
    assert len(server.smsir.taken) == 1
    await sender.notifier.update(state="claimed", provider_reference=None)
    await sender.retry(1)
    assert await sender.states() == {"handed_over": 1}
    assert len(server.smsir.taken) == 1, "SMS.ir stores no reference: the message was searched among those of today"


async def test_reports_are_polled_at_intervals(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit(3)
    await sender.dispatch()
    assert await sender.reports.poll_due() == 0
    await sender.notifier.make_all_due()
    assert await sender.reports.poll_due() == 3
    assert await sender.reports.poll_due() == 0
    assert await sender.states() == {"handed_over": 3}
    server.kavenegar.state = 10
    await sender.notifier.make_all_due()
    await sender.reports.poll_due()
    assert await sender.states() == {"delivered": 3}


async def test_an_undelivered_message_fails_and_counts_against_its_provider(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit()
    await sender.dispatch()
    server.kavenegar.state = 11
    await sender.notifier.make_all_due()
    await sender.reports.poll_due()
    assert await sender.rows("state", "last_error") == [("failed", "not_delivered")]
    assert await sender.bad_attempts() == [True]


async def test_a_slow_provider_is_demoted(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit(20)
    await sender.dispatch()
    await sender.age(timedelta(minutes=6), number=3)
    await sender.task.close_overdue()
    async with sender.notifier.parts.database.transaction() as session:
        stats = await ClaimStore(await session.connection()).provider_stats()
    assert stats == {"kavenegar": ProviderStats(20, 3)}
    assert stats["kavenegar"].trust == pytest.approx(MIN_TRUST)


async def test_a_message_without_a_report_fails_after_72_hours(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit()
    await sender.dispatch()
    await sender.age(timedelta(hours=73))
    await sender.task.close_overdue()
    assert await sender.rows("state", "last_error") == [("failed", "no_report")]


async def an_hour_later(sender):
    await sender.age(timedelta(minutes=61))
    await sender.notifier.make_all_due()


@pytest.mark.parametrize("provider", ["kavenegar", "generic"])
async def test_a_message_that_its_provider_lost_is_sent_again_after_an_hour_and_not_before(
    make_sender, server, provider
):
    sender = make_sender(sms=provider)
    account = getattr(server, provider)
    await sender.submit()
    await sender.dispatch()
    account.taken.clear()
    await sender.notifier.make_all_due()
    await sender.reports.poll_due()
    assert await sender.states() == {"handed_over": 1}, "the provider might not list it yet"
    await an_hour_later(sender)
    await sender.reports.poll_due()
    assert await sender.rows("state", "last_error", "provider") == [("queued", "no_report", provider)]
    await sender.dispatch()
    assert await sender.rows("state", "tries") == [("handed_over", 2)]
    assert len(account.taken) == 1
    assert await sender.bad_attempts() == [True, False]


@pytest.mark.parametrize("provider", ["kavenegar", "smsir", "generic"])
async def test_a_message_that_its_provider_has_is_not_sent_again(make_sender, server, provider):
    sender = make_sender(sms=provider, **SMSIR)
    await sender.submit()
    await sender.dispatch()
    await an_hour_later(sender)
    await sender.reports.poll_due()
    await sender.dispatch()
    assert await sender.rows("state", "tries") == [("handed_over", 1)]


async def test_a_message_unknown_by_its_id_and_found_by_our_reference_is_not_sent_again(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit()
    await sender.dispatch()
    await sender.notifier.update(provider_reference="77")
    await an_hour_later(sender)
    await sender.reports.poll_due()
    await sender.dispatch()
    assert await sender.rows("state", "provider_reference") == [("handed_over", "1")]
    assert len(server.kavenegar.taken) == 1


async def test_no_message_is_sent_again_while_its_provider_is_unavailable(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit()
    await sender.dispatch()
    server.kavenegar.taken.clear()
    server.kavenegar.fault = Fault.STATUS_500
    await an_hour_later(sender)
    await sender.reports.poll_due()
    assert await sender.states() == {"handed_over": 1}


async def test_a_message_fails_after_a_crash_in_each_attempt(make_sender, server):
    sender = make_sender(sms="kavenegar")
    await sender.submit()
    await sender.notifier.update(state="claimed", tries=48, next_try_at=LONG_AGO)
    await sender.dispatch()
    assert server.kavenegar.calls == 0
    await sender.task.close_overdue()
    assert await sender.rows("state", "last_error") == [("failed", "no_answer")]
    labels = {"channel": "sms", "trouble": "no_answer"}
    assert sender.registry.get_sample_value("desk_messages_given_up", labels) == 1.0


async def test_the_log_contains_no_number_text_or_key(make_sender, server, logged, monkeypatch):
    monkeypatch.setattr("desk.notifier.service.dispatch.SEND_SECONDS", 1.0)
    sender = make_sender(sms="kavenegar")
    for fault in Fault:
        server.kavenegar.fault, server.kavenegar.faults_left = fault, 3
        await sender.submit()
        await sender.retry(2)
    server.kavenegar.fault, server.kavenegar.faults_left = Fault.STATUS_500, 3
    await sender.notifier.make_all_due()
    await sender.reports.poll_due()
    text = logged()
    assert "send attempted" in text
    assert "provider returned no reports" in text
    assert not [secret for secret in ("9123456789", "پیگیری", "رضایی", KEY) if secret in text]
