"""One trace shows a request from the gateway to the notice of its answer, on real servers, and nothing personal."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from support.canaries import Canaries
from support.embedded_desk import wait_for
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk

from desk.chassis.tracing import ATTRIBUTES
from desk.expert import DeskKeys, Inbox, SqliteMemory
from desk.local.gateway_table import load_table
from desk.testing.collector import CollectedSpan, Collector
from desk.testing.event_keys import event_key_pair
from desk.testing.gateway import open_gateway

GATEWAY_START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
FORGED = "0af7651916cd43dd8448eb211c80319c"
FORGED_HEADERS = {"traceparent": f"00-{FORGED}-b7ad6b7169203331-01", "X-Request-Id": FORGED}
EVENT = "ir.haj.desk."
WAY_OF_THE_ANSWER_S_NOTICE = [
    ("intake", "POST /api/requests"),
    ("intake", f"publish {EVENT}request-submitted.v1"),
    ("tracking", "process reports.qom"),
    ("tracking", f"publish {EVENT}request-status-changed.v1"),
    ("notifier", "process notifier"),
    ("notifier", "send sms"),
]
WAY_OF_THE_CHALLENGE = [
    ("intake", "POST /api/requests"),
    ("intake", "POST captcha"),
    ("captcha", "POST /internal/captchas/{captcha_id}/answers"),
]


@dataclass(frozen=True)
class Story:
    """A request that was answered while all traces were collected."""

    trace: str
    spans: list[CollectedSpan]
    all_spans: list[CollectedSpan]
    bodies: bytes
    canaries: Canaries
    logs: dict[str, list[str]]

    def ways(self) -> list[list[tuple[str, str]]]:
        """Return for each span the services and names from the first span to it."""
        by_id = {span.id: span for span in self.spans}

        def way(span: CollectedSpan) -> list[tuple[str, str]]:
            before = way(by_id[span.parent]) if span.parent else []
            return [*before, (span.service, span.name)]

        return [way(span) for span in self.spans]


@pytest.fixture(scope="module")
def story(real_desk: RealDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Submit a request through the gateway and answer it with the library for offices, with all services traced."""
    real_desk.heal()
    real_desk.clear_requests()
    collector = Collector()
    settings = {"TRACES_URL": collector.url, "TRACES_SAMPLE": "1"}
    with ThreadPoolExecutor(len(SERVICES)) as threads:
        list(threads.map(lambda name: real_desk[name].restart(**settings), SERVICES))
    wait_for(real_desk.is_served)
    upstreams = {each.service: real_desk[each.service].url.removeprefix("http://") for each in load_table().routes}
    with open_gateway(GATEWAY_START, upstreams) as gateway:
        yield tell(real_desk, collector, gateway.url, tmp_path_factory.mktemp("office"))
    collector.close()


def tell(desk: RealDesk, collector: Collector, url: str, folder: Path) -> Story:
    canaries = Canaries()
    with httpx.Client(
        base_url=url, timeout=60, headers=FORGED_HEADERS | {"User-Agent": canaries.word("agent")}
    ) as client:
        applicant = RealApplicant(SimpleNamespace(client=client, answer_to=desk.answer_to), 11)
        applicant.identify()
        email = f"{canaries.word('mail').lower()}@example.com"
        contact = {"email": email, "mobile": canaries.mobile(), "text": canaries.text("text")}
        sent = applicant.send(applicant.form(province="qom", **contact))
        assert sent.status_code == httpx.codes.CREATED, sent.text
        code, trace = sent.json()["tracking_code"], sent.headers["X-Request-Id"]
        desk.note(code, "traced")
        for path in ("/api/requests", "/api/tracking"):
            client.post(f"{path}/{canaries.word('path')}", params={"q": canaries.word("query")}, json={})
            client.post(path, json={"text": canaries.text("field")}, headers={"Authorization": canaries.word("token")})
        desk.loop.run(answer(desk, url, folder, canaries.text("answer")))
        applicant.sees(code, "answered")
    canaries.numbers += [code, applicant.national_id, applicant.token[-20:]]
    wait_for(lambda: count(collector, trace, "send sms") == count(collector, trace, "send email") == 2)
    with ThreadPoolExecutor(len(SERVICES)) as threads:
        list(threads.map(lambda name: desk[name].terminate(), SERVICES))  # which exports the last spans
    logs = {name: [line for line in desk.new_log_lines(name) if f'"trace_id": "{trace}"' in line] for name in SERVICES}
    return Story(trace, collector.spans(trace), collector.spans(), b"".join(collector.bodies), canaries, logs)


def count(collector: Collector, trace: str, name: str) -> int:
    return sum(span.name == name for span in collector.spans(trace))


async def answer(desk: RealDesk, url: str, folder: Path, text: str) -> None:
    """Answer the first case of Qom."""
    keys = {"private_keys": [event_key_pair("qom")[0]], "desk_keys": DeskKeys(url)}
    async with Inbox(desk.broker.url("province.qom"), "qom", SqliteMemory(folder / "memory"), **keys) as inbox:
        async for case in inbox:
            await case.answer(text)
            return


def test_one_trace_has_the_way_from_the_submission_to_the_notice_of_the_answer(story: Story):
    ways = story.ways()
    assert WAY_OF_THE_ANSWER_S_NOTICE in ways
    assert WAY_OF_THE_CHALLENGE in ways
    submitted = [("intake", "POST /api/requests"), ("intake", f"publish {EVENT}request-submitted.v1")]
    assert [*submitted, ("tracking", "process tracking")] in ways
    assert [*submitted, ("notifier", "process notifier"), ("notifier", "send email")] in ways
    assert [way for way in ways if len(way) == 1] == [submitted[:1]]


def test_its_id_is_that_of_the_request_at_the_gateway_and_never_chosen_by_a_client(story: Story):
    assert story.trace != FORGED
    assert all(span.trace != FORGED for span in story.all_spans)


def test_each_service_logs_the_id_of_the_trace(story: Story):
    assert any("event handled" in line for line in story.logs["tracking"])
    assert any("send attempted" in line for line in story.logs["notifier"])
    assert all(f'"request_id": "{story.trace}"' in line for line in story.logs["intake"] if "answered" in line)


def test_spans_have_nothing_personal(story: Story):
    assert story.canaries.planted >= 10
    assert story.canaries.found_in(story.bodies) is None
    assert {name for span in story.all_spans for name in span.attributes} <= ATTRIBUTES
    assert story.canaries.found_in(b"a body with " + story.canaries.word("more").encode())
