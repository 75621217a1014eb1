"""The requests to each SMS provider, and the meaning of its responses; one local server plays the providers."""

import json
import uuid
from pathlib import Path

import httpx
import pytest
from support.sms_server import GENERIC_KEY, KEY, SMSIR_KEY, Fault

from desk.notifier.domain import (
    AmbiguousResultError,
    ChannelUnavailableError,
    Delivery,
    MessageRefusedError,
    OutgoingMessage,
    Trouble,
)
from desk.notifier.providers import FailureKind, error_of, http, kavenegar, smsir
from desk.notifier.providers.generic import GenericGateway

FACTS = json.loads((Path(__file__).parent / "sms-codes.json").read_text(encoding="utf-8"))
DELIVERIES = {
    "delivered": Delivery.DELIVERED,
    "unknown_id": Delivery.UNKNOWN,
    **dict.fromkeys(("queued", "scheduled", "sent_to_operator", "at_operator"), Delivery.UNDER_WAY),
    **dict.fromkeys(("failed", "undelivered", "cancelled", "blocked_by_receiver", "blacklisted"), Delivery.FAILED),
}
NAMES = ("kavenegar", "smsir", "generic")


LONG_TIMEOUT = httpx.Timeout(60.0)
"""A busy machine may need seconds for a connection, which would be an error of another kind."""
SHORT_READ = httpx.Timeout(60.0, read=2.0)


@pytest.fixture
def limits():
    return LONG_TIMEOUT


@pytest.fixture
async def providers(server, monkeypatch, limits):
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", limits)
    made = {
        "kavenegar": kavenegar.Kavenegar(url=server.url, key=KEY, sender="10008663"),
        "smsir": smsir.SmsIr(url=server.url, key=SMSIR_KEY, line="30007732", templates={"fa/submitted.sms.v1": 100200}),
        "generic": GenericGateway(url=server.url, key=GENERIC_KEY),
    }
    yield made
    for each in made.values():
        await each.close()


def notice(**changes):
    fields = {
        "recipient": "+989123456789",
        "text": "میز خدمت\nکد پیگیری: 123456789012",
        "wording": "fa/answered.sms.v1",
    }
    return OutgoingMessage(reference=str(uuid.uuid4()), **(fields | changes))


@pytest.mark.parametrize(("module", "name"), [(kavenegar, "kavenegar"), (smsir, "smsir")])
def test_every_documented_code_has_its_kind(module, name):
    facts = {int(code): kind for code, kind in FACTS[name]["send_codes"].items() if kind != "ok"}
    facts |= {0: "unsure"} if name == "smsir" else {}  # it does not say whether the message was accepted
    assert facts == module.CODES
    assert {int(code): DELIVERIES[state] for code, state in FACTS[name]["delivery"].items()} == module.DELIVERIES


@pytest.mark.parametrize("kind", [FailureKind.BAD_NUMBER, FailureKind.BAD_TEXT, FailureKind.BLACKLISTED])
def test_a_fault_of_the_message_is_permanent(kind):
    assert isinstance(error_of(kind), MessageRefusedError)


@pytest.mark.parametrize(
    "kind",
    [FailureKind.RETRY, FailureKind.RATE_LIMIT, FailureKind.CONFIG, FailureKind.NO_CREDIT, FailureKind.BUG],
)
def test_a_fault_of_the_account_is_not_permanent(kind):
    assert isinstance(error_of(kind), ChannelUnavailableError)


@pytest.mark.parametrize("name", NAMES)
async def test_an_accepted_message_is_found_by_its_reference(providers, server, name):
    message = notice()
    assert await providers[name].find(message) is None
    handed = await providers[name].send(message)
    assert await providers[name].find(message) == handed
    assert server.handsets == {("9123456789", message.text): 1}


@pytest.mark.parametrize("name", ["kavenegar", "generic"])
async def test_a_repeat_with_the_same_reference_returns_the_first_message(providers, server, name):
    message = notice()
    assert await providers[name].send(message) == await providers[name].send(message)
    assert set(server.handsets.values()) == {1}


async def test_numbers_go_to_kavenegar_and_smsir_as_09_and_to_a_generic_gateway_as_e164(providers, server):
    for provider in providers.values():
        await provider.send(notice())
    assert [account.taken[0]["to"] for account in (server.kavenegar, server.smsir, server.generic)] == [
        "09123456789",
        "09123456789",
        "+989123456789",
    ]


async def test_an_error_of_kavenegar_with_http_200_is_an_error(providers, server):
    server.kavenegar.code = 411
    with pytest.raises(MessageRefusedError) as refused:
        await providers["kavenegar"].send(notice())
    assert refused.value.trouble is Trouble.BAD_RECIPIENT
    server.kavenegar.code = 418
    with pytest.raises(ChannelUnavailableError) as caught:
        await providers["kavenegar"].send(notice())
    assert caught.value.trouble is Trouble.ACCOUNT


async def test_the_code_of_smsir_counts_and_not_the_http_status(providers, server):
    server.smsir.code = 115
    with pytest.raises(MessageRefusedError):
        await providers["smsir"].send(notice())
    server.smsir.code = 20
    with pytest.raises(ChannelUnavailableError) as caught:
        await providers["smsir"].send(notice())
    assert caught.value.trouble is Trouble.BUSY


@pytest.mark.parametrize(("length", "by_template"), [(25, True), (26, False)])
async def test_a_message_with_a_value_over_25_characters_goes_to_smsir_as_text_and_not_as_a_template(
    providers, server, length, by_template
):
    message = notice(wording="fa/submitted.sms.v1", values={"code": "123456789012", "province": "ا" * length})
    await providers["smsir"].send(message)
    assert ("templateId" in server.smsir.taken[0]["said"]) is by_template
    assert await providers["smsir"].find(message) == "1"


@pytest.mark.parametrize("name", NAMES)
async def test_an_http_500_without_json_is_ambiguous_for_a_message_and_unavailable_for_a_query(providers, server, name):
    getattr(server, name).fault = Fault.STATUS_500
    with pytest.raises(AmbiguousResultError):
        await providers[name].send(notice())
    with pytest.raises(ChannelUnavailableError):
        await providers[name].find(notice())
    with pytest.raises(ChannelUnavailableError):
        await providers[name].fetch_reports(["1"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fault", "limits"),
    [
        (each, SHORT_READ if each is Fault.HANG_AFTER_TAKING else LONG_TIMEOUT)
        for each in Fault
        if each is not Fault.STATUS_500
    ],
)
async def test_a_lost_response_is_ambiguous_until_the_provider_is_asked(providers, server, name, fault):
    """A provider that hangs after it accepted the message is one of them: a read timeout is no certain refusal."""
    getattr(server, name).fault = fault
    message = notice()
    with pytest.raises(AmbiguousResultError):
        await providers[name].send(message)
    found = await providers[name].find(message)
    assert (found is not None) is ("AFTER" in fault.name)


@pytest.mark.parametrize("name", NAMES)
async def test_an_unreachable_provider_has_certainly_not_accepted_the_message(providers, server, name):
    server.stop()
    with pytest.raises(ChannelUnavailableError):
        await providers[name].send(notice())


@pytest.mark.parametrize(("name", "state"), [("kavenegar", 10), ("smsir", 1), ("generic", "delivered")])
async def test_a_delivery_report_can_be_fetched(providers, server, name, state):
    handed = await providers[name].send(notice())
    assert await providers[name].fetch_reports([handed]) == {handed: Delivery.UNDER_WAY}
    getattr(server, name).state = state
    assert await providers[name].fetch_reports([handed]) == {handed: Delivery.DELIVERED}


@pytest.mark.parametrize(("code", "error"), [(999, AmbiguousResultError), (418, ChannelUnavailableError)])
async def test_no_error_contains_the_number_or_the_key(providers, server, code, error):
    server.kavenegar.code = code
    with pytest.raises(error) as caught:
        await providers["kavenegar"].send(notice())
    assert "9123456789" not in repr(caught.value)
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("kavenegar", 409, ChannelUnavailableError),
        ("kavenegar", 999, AmbiguousResultError),
        ("smsir", 20, ChannelUnavailableError),
        ("smsir", 0, AmbiguousResultError),
        ("smsir", 999, AmbiguousResultError),
        ("generic", 401, ChannelUnavailableError),
        ("generic", 429, ChannelUnavailableError),
        ("generic", 503, AmbiguousResultError),
    ],
)
async def test_only_a_code_of_the_provider_is_certain(providers, server, name, code, error):
    getattr(server, name).code = code
    with pytest.raises(error):
        await providers[name].send(notice())


@pytest.mark.parametrize("name", ["kavenegar", "generic"])
async def test_a_message_that_the_provider_does_not_have_is_reported_as_unknown(providers, name):
    assert await providers[name].fetch_reports(["77"]) == {"77": Delivery.UNKNOWN}
