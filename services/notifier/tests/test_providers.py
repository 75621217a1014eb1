"""What is said to each provider of SMS, and what its answers mean; the providers are a server."""

import json
import uuid
from pathlib import Path

import pytest
from support.sms_server import KEY, Fault, SmsServer

from desk.notifier.channels import ChannelDownError, DoubtfulError, RefusedError
from desk.notifier.domain import Delivery, OutgoingMessage, Trouble
from desk.notifier.providers import kavenegar, refusal, smsir
from desk.notifier.providers.generic import GenericGateway

FACTS = json.loads((Path(__file__).parent / "sms-codes.json").read_text(encoding="utf-8"))
DELIVERIES = {
    "delivered": Delivery.DELIVERED,
    "unknown_id": Delivery.UNKNOWN,
    **dict.fromkeys(("queued", "scheduled", "sent_to_operator", "at_operator"), Delivery.UNDER_WAY),
    **dict.fromkeys(("failed", "undelivered", "cancelled", "blocked_by_receiver", "blacklisted"), Delivery.FAILED),
}
NAMES = ("kavenegar", "smsir", "generic")


@pytest.fixture
def server():
    server = SmsServer()
    yield server
    server.stop()


@pytest.fixture
async def providers(server):
    made = {
        "kavenegar": kavenegar.Kavenegar(url=server.url, key=KEY, sender="10008663"),
        "smsir": smsir.SmsIr(url=server.url, key=KEY, line="30007732", templates={"fa/submitted.sms.v1": 100200}),
        "generic": GenericGateway(url=server.url, key=KEY),
    }
    yield made
    for each in made.values():
        await each.close()


def notice(**changes):
    said = {"recipient": "+989123456789", "text": "میز خدمت\nکد رهگیری: 123456789012", "wording": "fa/answered.sms.v1"}
    return OutgoingMessage(reference=str(uuid.uuid4()), **(said | changes))


@pytest.mark.parametrize(("module", "name"), [(kavenegar, "kavenegar"), (smsir, "smsir")])
def test_every_code_of_the_facts_is_classed_as_there(module, name):
    facts = {int(code): klass for code, klass in FACTS[name]["send_codes"].items() if klass != "ok"}
    facts |= {0: "unsure"} if name == "smsir" else {}  # it failed, and does not say before what
    assert facts == module.CODES
    assert {int(code): DELIVERIES[word] for code, word in FACTS[name]["delivery"].items()} == module.DELIVERIES


@pytest.mark.parametrize("klass", ["bad_number", "bad_text", "blacklisted"])
def test_what_is_wrong_with_a_message_ends_it(klass):
    assert isinstance(refusal(klass), RefusedError)


@pytest.mark.parametrize("klass", ["retry", "rate_limit", "config", "no_credit", "bug"])
def test_what_is_wrong_with_an_account_or_for_now_does_not_end_a_message(klass):
    assert isinstance(refusal(klass), ChannelDownError)


@pytest.mark.parametrize("name", NAMES)
async def test_a_message_is_taken_and_found_again_by_its_reference(providers, server, name):
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
    for name in NAMES:
        await providers[name].send(notice())
    assert [account.taken[0]["to"] for account in (server.kavenegar, server.smsir, server.generic)] == [
        "09123456789",
        "09123456789",
        "+989123456789",
    ]


async def test_kavenegars_errors_are_seen_though_they_come_with_http_200(providers, server):
    server.kavenegar.code = 411
    with pytest.raises(RefusedError) as refused:
        await providers["kavenegar"].send(notice())
    assert refused.value.trouble is Trouble.BAD_RECIPIENT
    server.kavenegar.code = 418
    with pytest.raises(ChannelDownError) as down:
        await providers["kavenegar"].send(notice())
    assert down.value.trouble is Trouble.ACCOUNT


async def test_smsirs_codes_are_read_whatever_the_http_status(providers, server):
    server.smsir.code = 115
    with pytest.raises(RefusedError):
        await providers["smsir"].send(notice())
    server.smsir.code = 20
    with pytest.raises(ChannelDownError) as down:
        await providers["smsir"].send(notice())
    assert down.value.trouble is Trouble.BUSY


@pytest.mark.parametrize(("length", "by_template"), [(25, True), (26, False)])
async def test_a_value_of_over_25_characters_goes_to_smsir_as_text_and_not_into_a_template(
    providers, server, length, by_template
):
    message = notice(wording="fa/submitted.sms.v1", values={"code": "123456789012", "province": "ا" * length})
    await providers["smsir"].send(message)
    assert ("templateId" in server.smsir.taken[0]["said"]) is by_template
    assert await providers["smsir"].find(message) == "1"


@pytest.mark.parametrize("name", NAMES)
async def test_an_http_500_without_the_providers_own_words_is_a_doubt_and_asking_meets_it_too(providers, server, name):
    getattr(server, name).fault = Fault.STATUS_500
    with pytest.raises(DoubtfulError):
        await providers[name].send(notice())
    with pytest.raises(ChannelDownError):
        await providers[name].find(notice())
    with pytest.raises(ChannelDownError):
        await providers[name].ask(["1"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.STATUS_500])
async def test_a_lost_answer_leaves_a_doubt_that_asking_ends(providers, server, name, fault):
    getattr(server, name).fault = fault
    message = notice()
    with pytest.raises(DoubtfulError):
        await providers[name].send(message)
    found = await providers[name].find(message)
    assert (found is not None) is ("AFTER" in fault.name)


@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_that_cannot_be_reached_has_surely_not_taken_it(providers, server, name):
    server.stop()
    with pytest.raises(ChannelDownError):
        await providers[name].send(notice())


@pytest.mark.parametrize(("name", "state"), [("kavenegar", 10), ("smsir", 1), ("generic", "delivered")])
async def test_what_became_of_a_message_can_be_asked(providers, server, name, state):
    handed = await providers[name].send(notice())
    assert await providers[name].ask([handed]) == {handed: Delivery.UNDER_WAY}
    getattr(server, name).state = state
    assert await providers[name].ask([handed]) == {handed: Delivery.DELIVERED}


async def test_what_a_provider_says_is_in_no_error(providers, server):
    for code, error in ((999, DoubtfulError), (418, ChannelDownError)):
        server.kavenegar.code = code
        with pytest.raises(error) as down:
            await providers["kavenegar"].send(notice())
        assert "9123456789" not in repr(down.value)
        assert KEY not in repr(down.value)


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("kavenegar", 409, ChannelDownError),
        ("kavenegar", 999, DoubtfulError),
        ("smsir", 20, ChannelDownError),
        ("smsir", 0, DoubtfulError),
        ("smsir", 999, DoubtfulError),
        ("generic", 401, ChannelDownError),
        ("generic", 429, ChannelDownError),
        ("generic", 503, DoubtfulError),
    ],
)
async def test_only_what_a_provider_says_itself_is_sure(providers, server, name, code, error):
    getattr(server, name).code = code
    with pytest.raises(error):
        await providers[name].send(notice())


@pytest.mark.parametrize("name", ["kavenegar", "generic"])
async def test_a_message_it_has_not_is_said_to_be_unknown(providers, name):
    assert await providers[name].ask(["77"]) == {"77": Delivery.UNKNOWN}
