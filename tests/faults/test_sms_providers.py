"""Providers of SMS that fail, are slow, or take a message from a notifier that dies: rows 6 and 20."""

from collections.abc import Iterator

import pytest
from faults.invariant import settled
from faults.preludes import EAGER_REPORTS, SHORT_CLAIMS, Deaths, after_handing_over, until_all_died
from faults.scale import TEST_SECONDS, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk, Sent
from support.sms_server import KEY, Fault, SmsServer

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
    """Return the settings of all three providers, of which ``sms`` chooses."""
    return {
        "SMS": sms,
        "KAVENEGAR_URL": server.url,
        "KAVENEGAR_KEY": KEY,
        "KAVENEGAR_SENDER": "10008663",
        "SMSIR_URL": server.url,
        "SMSIR_KEY": KEY,
        "SMSIR_LINE": "30007732",
        "GENERIC_URL": server.url,
        "GENERIC_KEY": KEY,
    }


def doubles(server: SmsServer) -> int:
    """Count the SMS that somebody got a second time."""
    return sum(number - 1 for number in server.handsets.values())


def each_got_one(server: SmsServer, sent: list[Sent]) -> bool:
    """Return whether there is exactly one SMS for each request."""
    texts = [text for _, text in server.handsets]
    return doubles(server) == 0 and all(sum(one.code in text for text in texts) == 1 for one in sent)


@pytest.mark.parametrize("provider", CLASSES)
def test_a_notifier_killed_after_a_provider_took_an_sms_sends_no_second_one(
    calm_desk: RealDesk, providers: SmsServer, deaths_file, provider: str
):
    deaths = Deaths(deaths_file, scaled(50, at_least=4))
    dying = deaths.at(after_handing_over(CLASSES[provider]))
    calm_desk["notifier"].restart(EAGER_REPORTS + SHORT_CLAIMS + dying, **accounts(providers, provider))
    sent = calm_desk.submit_many(scaled(100, at_least=6))
    until_all_died(deaths, calm_desk["notifier"])
    assert settled(calm_desk) == []
    assert each_got_one(providers, sent)


@pytest.mark.parametrize("provider", CLASSES)
def test_an_sms_whose_provider_took_it_and_answered_500_is_sent_by_no_other(
    calm_desk: RealDesk, providers: SmsServer, provider: str
):
    account, other = getattr(providers, provider), "generic" if provider == "kavenegar" else "kavenegar"
    account.fault, account.faults_left = Fault.STATUS_500_AFTER_TAKING, scaled(100, at_least=8)
    calm_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, f"{provider}:3,{other}:1"))
    sent = calm_desk.submit_many(scaled(400, at_least=24))
    assert settled(calm_desk) == []
    assert each_got_one(providers, sent)
    assert account.faults_left < scaled(100, at_least=8), "nothing was answered with 500"


def test_while_one_provider_answers_500_and_takes_nothing_the_other_takes_over(
    calm_desk: RealDesk, providers: SmsServer
):
    providers.kavenegar.fault = Fault.STATUS_500_BEFORE_TAKING
    calm_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, "kavenegar:1,generic:1"))
    sent = calm_desk.submit_many(scaled(400, at_least=20))
    assert settled(calm_desk) == []
    assert each_got_one(providers, sent)
    assert providers.kavenegar.calls > 0
    assert providers.kavenegar.taken == []


def test_a_provider_that_cannot_even_be_asked_holds_up_few_and_those_go_out_once(
    calm_desk: RealDesk, providers: SmsServer
):
    providers.kavenegar.fault = Fault.STATUS_500
    calm_desk["notifier"].restart(EAGER_REPORTS, **accounts(providers, "kavenegar:1,generic:1"))
    sent = calm_desk.submit_many(scaled(800, at_least=40))
    wait_for(lambda: len(providers.generic.taken) > len(sent) / 2, 60)
    providers.kavenegar.fault = None
    assert settled(calm_desk) == []
    assert each_got_one(providers, sent)


def test_a_provider_that_delivers_late_is_demoted_and_the_other_takes_over(calm_desk: RealDesk, providers: SmsServer):
    providers.kavenegar.state = None  # under way
    notifier = calm_desk["notifier"]
    notifier.restart(EAGER_REPORTS, **accounts(providers, "kavenegar:1,generic:1"))
    first = calm_desk.submit_many(40)
    wait_for(lambda: 1.0 < notifier.metric("desk_sms_trust") < 1.2, 120)  # of 2.0: only one has lost it
    before = len(providers.kavenegar.taken)
    second = calm_desk.submit_many(20)
    wait_for(lambda: each_got_one(providers, first + second), 60)
    assert len(providers.kavenegar.taken) - before < 10
    providers.kavenegar.state = 10
    assert settled(calm_desk) == []
    assert doubles(providers) == 0
