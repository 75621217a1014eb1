"""Exports spans by OTLP over HTTP. Only a service that is traced imports this module, and with it the SDK."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from desk.chassis.tracing.spans import Tracing, wanted_trace_id

log = structlog.get_logger(__name__)

EXPORT_SECONDS = 5.0
"""How long an export may take, with its repeats."""
INTERVAL_MILLISECONDS = 2_000
QUEUED_MAX, BATCH_MAX = 4_096, 512
"""Spans that wait while the collector is slow or unavailable: about 6 MB; further ones are dropped."""


class _Exporter(OTLPSpanExporter):
    """Logs the beginning of an outage of the collector with the reason, and its end; nothing of the time between."""

    def __init__(self, url: str) -> None:
        super().__init__(endpoint=url, timeout=EXPORT_SECONDS)
        self._failing = False
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(lambda _: not self._failing)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; it is lost if that fails for five seconds."""
        result = super().export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("unavailable, spans are lost", what="collector of traces")
        if self._failing and not failed:
            log.info("available again", what="collector of traces")
        self._failing = failed
        return result


class _TraceIds(RandomIdGenerator):
    """Gives a trace that begins with a request the request's id."""

    def generate_trace_id(self) -> int:
        return wanted_trace_id.get() or super().generate_trace_id()


def exported(service: str, version: str, url: str, sample: float) -> Tracing:
    """Return the tracing of a service that sends its spans to ``url``; ``sample`` is as for :func:`processed`."""
    processor = BatchSpanProcessor(
        _Exporter(url),
        max_queue_size=QUEUED_MAX,
        max_export_batch_size=BATCH_MAX,
        schedule_delay_millis=INTERVAL_MILLISECONDS,
    )
    return processed(processor, service, version, sample)


def processed(processor: SpanProcessor, service: str, version: str, sample: float) -> Tracing:
    """Return the tracing of a service whose spans ``processor`` gets.

    ``sample`` is the part of traces that is recorded. The id of a trace decides and not the flag of its sender, so that
    all services decide alike and no sender can choose.
    """
    provider = TracerProvider(
        sampler=TraceIdRatioBased(sample),
        resource=Resource({"service.name": service, "service.namespace": "desk", "service.version": version}),
        id_generator=_TraceIds(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(processor)
    return Tracing(provider.get_tracer("desk"), provider.shutdown)
