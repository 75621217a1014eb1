"""Traces the calls to other services."""

import httpx
from httpx_aiohttp import AiohttpTransport

from desk.chassis.tracing.spans import TRACEPARENT, current_traceparent, record_status, trace_call


class TracedTransport(AiohttpTransport):
    """Sends the trace context of the current span; outside of spans it sends none."""

    callee: str = ""
    """The service that is called, such as ``intake``."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Its span has no part of the URL, which may contain a tracking code."""
        with trace_call(self.callee, request.method) as span:
            if span is None:
                return await super().handle_async_request(request)
            request.headers[TRACEPARENT] = current_traceparent() or ""
            response = await super().handle_async_request(request)
            record_status(span, response.status_code)
            return response
