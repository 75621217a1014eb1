"""Traces: one through all services, sampled by its id, with nothing in it but a few fixed attributes."""

import json
import random
from collections.abc import Mapping
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from desk.chassis.app import base_app
from desk.chassis.bus import Relay
from desk.chassis.bus.rabbit.wire import delivery_history, from_wire, republished, to_wire
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry
from desk.chassis.tracing import (
    ATTRIBUTES,
    TracedTransport,
    current_traceparent,
    mark_failed,
)
from desk.chassis.tracing.export import processed

ID = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{ID}-b7ad6b7169203331"
CANARY = "zzcanaryzz"


class Traced:
    """A service whose spans are kept in memory."""

    def __init__(self, sample: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = processed(SimpleSpanProcessor(self._exporter), "maker", "1.0", sample)
        self.telemetry = Telemetry("maker", self.tracing)

    @property
    def finished(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.finished}


@pytest.fixture
def traced() -> Traced:
    return Traced()


@pytest.fixture
def app(traced: Traced) -> FastAPI:
    app = base_app("maker", "Maker", traced.telemetry)

    @app.get("/things/{name}")
    async def thing(name: str) -> dict[str, str | None]:
        if name.startswith("broken"):
            raise RuntimeError(name)
        return {"traceparent": current_traceparent()}

    return app


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


async def test_a_trace_begins_with_the_id_of_the_request(app, traced, started):
    async with started(app) as client:
        answer = await client.get("/things/one", headers={"X-Request-Id": ID})
    span = traced.spans["GET /things/{name}"]
    assert (trace_of(span), span.parent) == (ID, None)
    assert answer.json()["traceparent"].split("-")[1] == ID


async def test_a_request_of_another_service_continues_its_trace(app, traced, started):
    async with started(app) as client:
        await client.get("/things/one", headers={"traceparent": f"{CALLER}-01", "X-Request-Id": "f" * 32})
    span = traced.spans["GET /things/{name}"]
    assert (trace_of(span), f"{span.parent.span_id:016x}") == (ID, "b7ad6b7169203331")


@pytest.mark.parametrize("wrong", ["", "00-xyz", f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff-{ID}-b7ad6b7169203331-01"])
async def test_a_wrong_trace_context_begins_a_trace(app, traced, started, wrong):
    async with started(app) as client:
        assert (await client.get("/things/one", headers={"traceparent": wrong})).is_success
    span = traced.spans["GET /things/{name}"]
    assert span.parent is None
    assert trace_of(span) != ID


@pytest.mark.parametrize(("sample", "flag", "recorded"), [(0.0, "01", 0), (1.0, "00", 1)])
async def test_the_id_decides_whether_a_trace_is_recorded_and_not_its_sender(started, sample, flag, recorded):
    service = Traced(sample)
    async with started(base_app("maker", "Maker", service.telemetry)) as client:
        await client.get("/none", headers={"traceparent": f"{CALLER}-{flag}"})
    assert len(service.spans) == recorded


def test_all_services_record_the_same_part_of_traces():
    ids = [f"{random.Random(number).getrandbits(128):032x}" for number in range(400)]  # noqa: S311 - the same in each run

    def recorded() -> set[str]:
        service = Traced(0.25)
        for each in ids:
            with service.tracing.request("GET", each, None):
                pass
        return {trace_of(span) for span in service.finished}

    first, second = recorded(), recorded()
    assert first == second
    assert 50 < len(first) < 150


async def test_spans_have_nothing_of_a_request_but_a_few_attributes(app, traced, started):
    async with started(app) as client:
        headers = {"X-Canary": CANARY, "tracestate": f"{CANARY}=1", "User-Agent": CANARY, "baggage": f"a={CANARY}"}
        await client.get(f"/things/{CANARY}?q={CANARY}", headers={"traceparent": f"{CALLER}-01", **headers})
        await client.get(f"/things/broken{CANARY}")
        await client.request(CANARY, f"/{CANARY}", content=CANARY)
    assert len(traced.finished) == 3
    for span in traced.finished:
        assert CANARY not in span.to_json()
        assert set(span.attributes) <= ATTRIBUTES
        assert not span.events


async def test_a_failed_request_is_marked_without_the_text_of_its_error(app, traced, started):
    async with started(app) as client:
        await client.get(f"/things/broken{CANARY}")
    span = traced.spans["GET /things/{name}"]
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.route": "/things/{name}",
        "http.response.status_code": 500,
    }
    assert not span.status.is_ok
    assert span.status.description is None


async def test_log_lines_have_the_id_of_the_trace(app, started, logged):
    async with started(app) as client:
        await client.get("/things/one", headers={"traceparent": f"{CALLER}-01"})
    [line] = [json.loads(line) for line in logged().splitlines() if '"answered"' in line]
    assert line["trace_id"] == ID


class Callee:
    """Another service, and a client of it as services have; status 0 is that it is unreachable."""

    def __init__(self, status: int = 200) -> None:
        self.headers: Mapping[str, str] = {}

        def answer(request: httpx.Request) -> httpx.Response:
            self.headers = request.headers
            if status == 0:
                raise httpx.ConnectError(CANARY)
            return httpx.Response(status)

        transport = TracedTransport("other", httpx.MockTransport(answer))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://other")


async def test_a_call_to_another_service_is_a_part_of_the_trace(traced):
    callee = Callee()
    with traced.tracing.request("POST", ID, None):
        await callee.client.get(f"/internal/{CANARY}")
    call, request = traced.spans["GET other"], traced.spans["POST"]
    assert call.parent.span_id == request.context.span_id
    assert callee.headers["traceparent"] == f"00-{ID}-{call.context.span_id:016x}-03"
    assert CANARY not in call.to_json()


@pytest.mark.parametrize("status", [0, 503])
async def test_a_failed_call_is_marked(traced, status):
    callee = Callee(status)
    with traced.tracing.request("POST", ID, None):
        try:
            await callee.client.get("/")
        except httpx.ConnectError:
            assert traced.spans["GET other"].attributes["error.type"] == "ConnectError"
    assert not traced.spans["GET other"].status.is_ok
    assert CANARY not in traced.spans["GET other"].to_json()


async def test_a_call_outside_of_a_trace_has_no_header(traced):
    callee = Callee()
    await callee.client.get("/")
    assert "traceparent" not in callee.headers
    assert not traced.spans


class Published:
    """A broker that keeps what is published, or refuses it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.messages: list[Message] = []
        self._error = error

    async def publish(self, message: Message) -> None:
        self.messages.append(message)
        if self._error is not None:
            raise self._error


async def test_an_event_continues_the_trace_of_its_change(store, traced, thing_made):
    with traced.tracing.request("POST", ID, None):
        async with store.database.transaction() as session:
            await store.outbox.add(session, thing_made(label="x"), subject="1", key="north", seq=1)
    broker = Published()
    await Relay(store.database, store.outbox, broker, traced.telemetry).send_batch()
    publication, request = traced.spans["publish ir.haj.desk.thing-made.v1"], traced.spans["POST"]
    assert publication.parent.span_id == request.context.span_id
    assert broker.messages[0].traceparent == f"00-{ID}-{publication.context.span_id:016x}-03"


async def test_a_publication_that_fails_is_marked(store, traced, thing_made):
    async with store.database.transaction() as session:
        await store.outbox.add(session, thing_made(label="x"), subject="1", key="north", seq=1)
    await Relay(store.database, store.outbox, Published(RuntimeError(CANARY)), traced.telemetry).send_batch()
    publication = traced.spans["publish ir.haj.desk.thing-made.v1"]
    assert publication.attributes["error.type"] == "RuntimeError"
    assert CANARY not in publication.to_json()


async def test_an_event_without_traces_has_no_header(store, telemetry, thing_made):
    async with store.database.transaction() as session:
        await store.outbox.add(session, thing_made(label="x"), subject="1", key="north", seq=1)
    broker = Published()
    await Relay(store.database, store.outbox, broker, telemetry).send_batch()
    assert broker.messages[0].traceparent is None
    assert to_wire(broker.messages[0], None).headers == {}


def incoming(headers: Mapping[str, object], exchange: str = "desk.cases") -> SimpleNamespace:
    return SimpleNamespace(
        headers=headers,
        exchange=exchange,
        routing_key="case-answered.qom",
        user_id="province.qom",
        message_id="m",
        type="t",
        body=b"",
        content_type="c",
        timestamp=None,
    )


def test_a_message_has_its_trace_context_also_after_a_retry():
    first = incoming({"traceparent": f"{CALLER}-01"})
    history = delivery_history(first)
    again = incoming(republished(first, history.headers(), None).headers, "desk.retry")
    assert from_wire(again, delivery_history(again)).traceparent == f"{CALLER}-01"


@pytest.mark.parametrize("wrong", [b"bytes", 7, None, ["x"], CALLER * 9, "00"])
def test_a_header_that_is_no_trace_context_is_left_out(wrong):
    message = incoming({"traceparent": wrong})
    assert from_wire(message, delivery_history(message)).traceparent is None


async def test_ids_that_senders_choose_are_written_as_in_the_log(traced):
    with traced.tracing.process("tracking", "0013542419", None):
        mark_failed(RuntimeError(CANARY))
    span = traced.spans["process tracking"]
    assert span.attributes["messaging.message.id"] == "…"
    assert span.attributes["error.type"] == "RuntimeError"
