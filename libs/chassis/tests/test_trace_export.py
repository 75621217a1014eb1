"""The export of spans: what happens without a collector, and without traces."""

import asyncio
import json
import subprocess
import sys
import threading

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import NoOpTracer

from desk.chassis.tracing import Tracing, export, spans
from desk.testing.collector import Collector


async def test_a_collector_that_hangs_does_not_delay_the_stop(monkeypatch):
    monkeypatch.setattr(spans, "CLOSE_SECONDS", 0.05)
    never = threading.Event()
    tracing = Tracing(NoOpTracer(), never.wait)
    async with asyncio.timeout(60):
        await tracing.close()
    never.set()


def test_an_outage_of_the_collector_is_logged_with_its_reason_once(monkeypatch, logged):
    collector = Collector()
    exporter = export._Exporter(f"{collector.url}/wrong")
    for _ in range(3):
        assert exporter.export([]) is SpanExportResult.FAILURE
    collector.close()
    monkeypatch.setattr(OTLPSpanExporter, "export", lambda *_: SpanExportResult.SUCCESS)
    for _ in range(2):
        exporter.export([])
    lines = [json.loads(line) for line in logged().splitlines()]
    reasons = [line["event"] for line in lines if line["logger"] == OTLPSpanExporter.__module__]
    ours = [line["event"] for line in lines if line["logger"] == export.__name__]
    assert len(reasons) == 1
    assert "404" in reasons[0]
    assert ours == ["unavailable, spans are lost", "available again"]


def test_a_service_that_is_not_traced_imports_neither_spans_of_the_sdk_nor_the_exporter():
    program = """if True:
        import sys
        from desk.chassis.app import base_app
        from desk.chassis.settings import TraceSettings
        from desk.chassis.telemetry import telemetry_of
        telemetry = telemetry_of("maker", TraceSettings())
        base_app("maker", "Maker", telemetry)
        assert telemetry.tracing is None
        print([name for name in sys.modules if name.startswith(("opentelemetry.sdk.trace", "opentelemetry.exporter"))])
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
