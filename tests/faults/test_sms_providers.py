"""SMS providers that fail or are slow, and a notifier that crashes after a provider accepted an SMS: rows 6 and 20."""

from collections.abc import Iterator

import pytest
from faults.invariant import settled
from faults.preludes import EAGER_REPORTS, SHORT_CLAIMS, Deaths, after_handing_over, until_all_died
from faults.scale import TEST_SECONDS, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk
from support.sent import Sent
from support.sms_server import GENERIC_KEY, KEY, SMSIR_KEY, Fault, SmsServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

CLASSES = {"kavenegar": "Kavenegar", "smsir": "SmsIr", "generic": "GenericGateway"}


@pytest.fixture
def providers() -> Iterator[SmsServer]:
    """Three providers that deliver everything."""
    server = SmsServer()
    server.kavenegar.state, server.smsir.state, server.generic.state = 10, 1, "delivered"
    yield server
    server.stop()


def accounts(server: SmsServer, sms: str) -> dict[str, str]:
    """Return the settings of all three providers; ``sms`` chooses among them."""
    return {
        "SMS": sms,
        "KAVENEGAR_URL": server.url,
        "KAVENEGAR_KEY": KEY,
        "KAVENEGAR_SENDER": "10008663",
        "SMSIR_URL": server.url,
        "SMSIR_KEY": SMSIR_KEY,
        "SMSIR_LINE": "30007732",
        "GENERIC_URL": server.url,
        "GENERIC_KEY": GENERIC_KEY,
    }


def doubles(server: SmsServer) -> int:
    """Count the SMS that were received a second time."""
    return sum(number - 1 for number in server.handsets.values())


def each_got_one(server: SmsServer, sent: list[Sent]) -> bool:
    """Return whether there is exactly one SMS for each request."""
    texts = [text for _, text in server.handsets]
    return doubles(server) == 0 and all(sum(one.code in text for text in texts) == 1 for one in sent)


@pytest.mark.parametrize("provider", CLASSES)
def test_a_notifier_killed_after_a_provider_accepted_an_sms_sends_no_second_one(
    clean_desk: RealDesk, providers: SmsServer, deaths_file, provider: str
):
    deaths = Deaths(deaths_file, scaled(50, at_least=4))
    dying = deaths.at(after_handing_over(CLASSES[provider]))
    clean_desk["notifier"].restart(EAGER_REPORTS + SHORT_CLAIMS + dying, **accounts(providers, provider))
    sent = clean_desk.submit_many(scaled(100, at_least=6))
    while deaths.left:  # the notices of one batch are sent at the same time, so that one death concerns several
        clean_desk["notifier"].revive()
        sent.append(clean_desk.submit())
    until_all_died(deaths, clean_desk["notifier"])
    assert settled(clean_desk) == []
    assert each_got_one(providers, sent)


@pytest.mark.parametrize("provider", CLASSES)
def test_an_sms_that_its_provider_accepted_with_status_500_is_sent_by_no_other(
    clean_desk: RealDesk, providers: SmsServer, provider: str
):
    account, other = getattr(providers, provider), "generic" if provider == "kavenegar" else "kavenegar"
    account.fault, account.faults_left = Fault.STATUS_500_AFTER_TAKING, scaled(100, at_least=8)
    clean_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, f"{provider}:3,{other}:1"))
    sent = clean_desk.submit_many(scaled(400, at_least=24))
    assert settled(clean_desk) == []
    assert each_got_one(providers, sent)
    assert account.faults_left < scaled(100, at_least=8), "no response had status 500"


def test_when_one_provider_fails_before_accepting_the_other_takes_over(clean_desk: RealDesk, providers: SmsServer):
    providers.kavenegar.fault = Fault.STATUS_500_BEFORE_TAKING
    clean_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, "kavenegar:1,generic:1"))
    sent = clean_desk.submit_many(scaled(400, at_least=20))
    assert settled(clean_desk) == []
    assert each_got_one(providers, sent)
    assert providers.kavenegar.calls > 0
    assert providers.kavenegar.taken == []


def test_an_unreachable_provider_delays_few_messages_and_they_are_sent_once(clean_desk: RealDesk, providers: SmsServer):
    providers.kavenegar.fault = Fault.STATUS_500
    clean_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, "kavenegar:1,generic:1"))
    sent = clean_desk.submit_many(scaled(800, at_least=40))
    wait_for(lambda: len(providers.generic.taken) > len(sent) / 2, 60)
    providers.kavenegar.fault = None
    assert settled(clean_desk) == []
    assert each_got_one(providers, sent)


DEMOTED_AT_ONCE = """
from desk.notifier.service import provider_choice

provider_choice.STATS_SECONDS = 0.0
stored.SLOW_AFTER = timedelta(seconds=30)
"""
"""Attempts are counted before each choice; slow is what even a busy machine does not make of the other provider."""


def test_a_provider_that_delivers_late_is_demoted_and_the_other_takes_over(clean_desk: RealDesk, providers: SmsServer):
    providers.kavenegar.state = None  # not delivered yet
    notifier = clean_desk["notifier"]
    notifier.restart(EAGER_REPORTS + DEMOTED_AT_ONCE, **accounts(providers, "kavenegar:1,generic:1"))
    first = clean_desk.submit_many(40)
    wait_for(lambda: each_got_one(providers, first), 60)
    wait_for(lambda: notifier.metric("desk_sms_trust", provider="kavenegar") < 0.2, 120)
    assert notifier.metric("desk_sms_trust", provider="generic") == 1.0, "it delivers at once"
    before = len(providers.kavenegar.taken)
    second = clean_desk.submit_many(20)
    wait_for(lambda: each_got_one(providers, first + second), 60)
    assert len(providers.kavenegar.taken) - before < 10
    providers.kavenegar.state = 10
    assert settled(clean_desk) == []
    assert doubles(providers) == 0
