"""Traces the calls to other services."""

import httpx

from desk.chassis.tracing.spans import TRACEPARENT, current_traceparent, record_status, trace_call


class TracedTransport(httpx.AsyncBaseTransport):
    """Sends the trace context of the current span with each request; outside of spans it sends none."""

    def __init__(self, callee: str, transport: httpx.AsyncBaseTransport) -> None:
        """``callee`` is the service that is called, such as ``intake``; ``transport`` sends the requests."""
        self._callee = callee
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Its span has no part of the URL, which may contain a tracking code."""
        with trace_call(self._callee, request.method) as span:
            if span is None:
                return await self._transport.handle_async_request(request)
            request.headers[TRACEPARENT] = current_traceparent() or ""
            response = await self._transport.handle_async_request(request)
            record_status(span, response.status_code)
            return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
