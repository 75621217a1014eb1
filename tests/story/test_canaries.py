"""Personal data are unreadable wherever they rest: 200 planted values, looked for in every store and log.

The values are in requests, file names and contents, typed names, malformed bodies, questions, replies, answers,
objections, referrals, and in what experts write at the console; the gateway is asked while a service is down as well.
The search is checked itself: with one encryption removed, it finds the value.
"""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.applicant import PDF
from support.canaries import Canaries, dump
from support.console_client import ConsoleClient
from support.console_of_qom import ConsoleOfQom
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess
from desk.testing.server import Server

GATEWAY_START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
OWN_PASSWORD = "a province's own word"
PLANTED_MIN = 200


@pytest.fixture
def gateway(clean_desk: RealDesk) -> Iterator[GatewayServer]:
    """The real gateway, before all services but tracking, which is unreachable for it."""
    services = {each.service: clean_desk[each.service].url.removeprefix("http://") for each in load_table().routes}
    services["tracking"] = f"127.0.0.1:{free_port()}"
    with open_gateway(GATEWAY_START, services) as running:
        yield running


@pytest.fixture
def public_gateway(clean_desk: RealDesk) -> Iterator[GatewayServer]:
    services = {each.service: clean_desk[each.service].url.removeprefix("http://") for each in load_table().routes}
    with open_gateway(GATEWAY_START, services) as running:
        yield running


def tell_the_story(desk: RealDesk, canaries: Canaries, place: int) -> None:
    """Submit, ask, reply, answer and object, with a canary in every text."""
    applicant, province = desk.applicant(place), desk.province
    files = [
        applicant.upload(f"{canaries.word('file')} فایل {number}.pdf", PDF + b"%" + canaries.word("content").encode())
        for number in range(3)
    ]
    code = desk.submit(
        place,
        text=canaries.text("text"),
        email=f"{canaries.word('mail').lower()}@example.com",
        mobile=canaries.mobile(),
        attachments=files,
        representative={"name": canaries.letters(), "national_id": "0013542419", "mobile": canaries.mobile()},
    ).code
    wait_for(lambda: province.of(code))
    province.report(code, "case-info-requested", 1, question=canaries.text("question"))
    token = applicant.sees(code, "info_requested")["token"]
    reply_file = applicant.upload_for_reply(token, f"{canaries.word('replyfile')}.pdf", PDF).json()["id"]
    assert applicant.reply(token, canaries.text("reply"), [reply_file]).status_code == 200
    wait_for(lambda: province.of(code, "request-replied"))
    province.report(code, "case-answered", 2, text=canaries.text("answer"))
    token = applicant.sees(code, "answered")["token"]
    assert applicant.object_to(token, canaries.text("objection")).status_code == 200
    wait_for(lambda: province.of(code, "request-objected"))
    province.report(code, "case-rejected", 3, reason=canaries.text("rejection"))
    applicant.sees(code, "rejected")


def send_with_typed_names(desk: RealDesk, canaries: Canaries, place: int) -> None:
    """Submit while the civil registry is closed, with typed names and a code by SMS, and let it be checked later."""
    control = f"{desk['registry-simulator'].url}/control"
    desk.applicants.clear()
    desk.forget_redis()
    httpx.put(control, json={"closed": True}, timeout=10).raise_for_status()
    desk["registry-gateway"].restart(BREAKER_SECONDS="1")
    typed = {"first_name": canaries.letters(), "last_name": canaries.letters(), "gender": "female"}
    code = desk.submit(place, applicant=typed, mobile=canaries.mobile(), text=canaries.text("pending")).code
    httpx.put(control, json={}, timeout=10).raise_for_status()
    desk["registry-gateway"].restart(BREAKER_SECONDS="1")
    desk.execute("intake", "UPDATE identity_check SET next_check_at = now() WHERE state = 'pending'")
    wait_for(lambda: desk.province.of(code), 60)


def send_what_is_refused(client: httpx.Client, canaries: Canaries) -> None:
    """Send malformed and forbidden bodies, paths, queries and headers."""
    for path in ("/api/identities", "/api/requests", "/api/tracking", "/api/captchas", "/api/tracking/replies"):
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        cut = '{"national_id": "' + canaries.word("cut")
        client.post(path, content=cut.encode(), headers=headers)
        client.post(path, content=json.dumps({"text": [canaries.text("type")]}).encode(), headers=headers)
        client.post(path, content=json.dumps({canaries.word("field"): 1}).encode(), headers=headers)
        client.post(path, content=b"\xff" + canaries.word("bytes").encode(), headers=headers)
        client.get(path, params={"mobile": canaries.mobile(), "q": canaries.word("query")})
        client.post(f"{path}/{canaries.word('path')}", json={})
        client.post(path, json={}, headers={"Authorization": f"Bearer {canaries.word('token')}"})
        client.post(path, json={}, headers={"X-Request-Id": canaries.word("id"), "User-Agent": canaries.word("agent")})
    client.post("/api/attachments", files={"file": (canaries.word("name"), b"MZ" + canaries.word("body").encode())})
    client.get("/", headers={"Referer": f"https://example.ir/?{canaries.word('referrer')}"})


def use_the_console(desk: RealDesk, console: ConsoleOfQom, canaries: Canaries) -> None:
    """Answer a case at the console, after a draft, searches and a failed sign-in, with canaries in all of them."""
    applicant = desk.applicant(7)
    file = applicant.upload(f"{canaries.word('console')}.pdf", PDF)
    code = desk.submit(7, text=canaries.text("console"), attachments=[file], province="qom").code
    with ConsoleClient(console.address, path="") as client:
        client.sign_in(canaries.word("user"), canaries.word("password"))
        client.sign_in("expert", console.password)
        client.send("/password", old=console.password, password=OWN_PASSWORD, again=OWN_PASSWORD)
        wait_for(lambda: "request_text" in client.open(f"/cases/{code}"))
        client.open("/cases", q=canaries.word("search"))
        client.client.get(f"/cases/{canaries.word('case')}")
        client.open(f"/cases/{code}")
        client.client.get(f"/cases/{code}/files/{file}")
        client.send(f"/cases/{code}/take")
        client.send(f"/cases/{code}/answer", text="", files={"files": (f"{canaries.word('bad')}.exe", b"MZ")})
        client.open(f"/cases/{code}")
        answer_file = {"files": (f"{canaries.word('answerfile')}.pdf", PDF)}
        client.send(f"/cases/{code}/answer", text=canaries.text("answer"), files=answer_file)
        applicant.sees(code, "answered", entries=4)


def register_at_the_counter(desk: RealDesk, console: ConsoleOfQom, canaries: Canaries) -> None:
    """Register requests for persons at the console, with and without a mobile, with canaries in all fields."""
    person = desk.applicant(8).person
    identity = {"national_id": str(person["national_id"]), "birth_date": str(person["birth_date"])}
    with ConsoleClient(console.address, path="") as client:
        client.sign_in("expert", OWN_PASSWORD)
        right = re.search(r"/accounts/[0-9a-f-]+/grant-counter", client.open("/accounts"))
        assert right is not None
        client.send(right[0])
        sent = {
            "sub_subject": "umrah_visa",
            "text": canaries.text("counter"),
            "email": f"{canaries.word('mail').lower()}@example.com",
            "representative_name": canaries.letters(),
            "representative_national_id": "0013542419",
            "representative_mobile": canaries.mobile(),
        }
        for owner, mobile in (("own", canaries.mobile()), ("none", "")):
            client.open("/counter")
            client.send("/counter/identity", source="counter", **identity)
            state = re.search(r'name="state" value="([^"]+)"', client.text)
            assert state is not None, client.text
            client.send("/counter/request", state=state[1], mobile_owner=owner, mobile=mobile, **sent)
            assert client.answer is not None
            assert client.answer.is_success, client.text
        found = re.search(r'data-code="([0-9]{12})"', client.text)
        assert found is not None, client.text
        wait_for(lambda: "request_text" in client.open(f"/cases/{found[1]}"))


def folder_of(server: Server) -> Path:
    if not isinstance(server.machine, LocalProcess):
        pytest.skip(f"the folder of {server.how} is on another machine or in a container")
    return server.machine.folder


def findings(desk: RealDesk, canaries: Canaries) -> dict[str, str]:
    """Search the stores, the logs and the metrics of the desk."""
    servers: dict[str, Server] = {
        "postgres": desk.postgres,
        "rabbitmq": desk.rabbit,
        "redis": desk.redis,
        "s3": desk.s3,
    }
    places = {name: folder_of(server) for name, server in servers.items()} | {"services": desk.folder}
    found = {
        f"{name}: {path}": context
        for name, folder in places.items()
        for path, context in canaries.search_folder(folder).items()
    }
    contents = {f"dump of {name}": dump(url) for name, url in desk.databases.items()}
    contents |= {f"metrics of {each.name}": httpx.get(f"{each.health_url}/metrics").content for each in desk.services}
    searched = {name: canaries.found_in(content) for name, content in contents.items()}
    return found | {name: context for name, context in searched.items() if context is not None}


def settle(desk: RealDesk) -> None:
    """Wait until every event is published and every message sent."""
    for service in ("intake", "tracking"):
        wait_for(lambda service=service: desk.rows(service, "SELECT 1 FROM outbox WHERE sent_at IS NULL") == [])
    wait_for(lambda: desk.rows("notifier", "SELECT 1 FROM message WHERE state IN ('queued', 'claimed')") == [])


def test_no_planted_value_is_readable_in_any_store_or_log(
    clean_desk: RealDesk, gateway: GatewayServer, public_gateway: GatewayServer, tmp_path: Path
):
    canaries = Canaries()
    console = ConsoleOfQom(clean_desk, public_gateway.url, tmp_path)
    served = console.start()
    try:
        for place in (1, 2, 3, 4, 5):
            tell_the_story(clean_desk, canaries, place)
        send_with_typed_names(clean_desk, canaries, 6)
        use_the_console(clean_desk, console, canaries)
        register_at_the_counter(clean_desk, console, canaries)
        for address in (gateway.url, public_gateway.url):
            with httpx.Client(base_url=address, timeout=30) as client:
                send_what_is_refused(client, canaries)
        settle(clean_desk)
    finally:
        served.terminate()
        served.wait(30)

    assert canaries.planted >= PLANTED_MIN
    found = findings(clean_desk, canaries) | {
        f"{name}: {path}": context
        for name, server in (("gateway", gateway), ("public gateway", public_gateway))
        for path, context in canaries.search_folder(folder_of(server)).items()
    }
    in_console = canaries.found_in(dump(console.url)), canaries.found_in(console.log.read_bytes())
    assert found == {}
    assert in_console == (None, None)
    person = clean_desk.applicant(1).person
    everywhere = b"".join(path.read_bytes() for path in clean_desk.folder.rglob("*.log"))
    assert not [name for name in ("national_id", "last_name") if str(person[name]).encode() in everywhere]


ROW_IN_CLEAR = """
from desk.security import data_keys
encrypted, opened = data_keys.DataKey.seal, data_keys.DataKey.open
data_keys.DataKey.seal = lambda self, plain, place: encrypted(self, plain, place) + b"|clear|" + plain
data_keys.DataKey.open = lambda self, sealed, place: opened(self, sealed.partition(b"|clear|")[0], place)
"""
FILE_IN_CLEAR = """
import desk.intake.service.encrypted_objects as objects
objects.encrypt_file = lambda content, key: content
objects.encrypted_size = lambda size: size
"""
EVENT_IN_CLEAR = """
import base64
from desk.chassis import event_encryption
encrypt = event_encryption.EventEncryptor.encrypt
def in_clear(self, plain, *arguments):
    return encrypt(self, plain, *arguments) | {"ciphertext": base64.urlsafe_b64encode(plain).rstrip(b"=").decode()}
event_encryption.EventEncryptor.encrypt = in_clear
"""
MUTATIONS = {
    "a row in clear": (ROW_IN_CLEAR, "intake", "dump of intake"),
    "an event in clear": (EVENT_IN_CLEAR, "intake", "rabbitmq: "),
    "a file in clear": (FILE_IN_CLEAR, "intake", "s3: "),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_with_one_encryption_removed_the_search_finds_the_value(clean_desk: RealDesk, name: str):
    prelude, service, expected = MUTATIONS[name]
    canaries = Canaries()
    clean_desk[service].restart(prelude)
    applicant = clean_desk.applicant(8)
    file = applicant.upload(f"{canaries.word('file')}.pdf", PDF + b"%" + canaries.word("content").encode())
    clean_desk.submit(8, text=canaries.text("text"), attachments=[file])

    found = findings(clean_desk, canaries)

    assert [place for place in found if place.startswith(expected)], sorted(found)
