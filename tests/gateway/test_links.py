"""Links to files: signed requests reach the S3 server unchanged, and no other request does."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpx
import pytest
from gateway.conftest import OpenGateway
from gateway.upstream import Upstream

from desk.testing.gateway import GatewayServer

OBJECT = "/attachments/0f8fad5b-d9cb-469f-a165-70867728950e"
QUERY = (
    "response-content-disposition=attachment%3B%20filename%2A%3DUTF-8%27%27a.pdf&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    f"&X-Amz-Credential=desk%2F20261122%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=60&X-Amz-Signature={'a' * 64}"
)


@pytest.fixture
def store() -> Iterator[Upstream]:
    """A small service in place of the S3 server."""
    running = Upstream("store").start()
    yield running
    running.stop()


@pytest.fixture
def nginx(start_gateway: OpenGateway, store: Upstream) -> GatewayServer:
    return start_gateway(files=store.address)


def test_a_signed_request_arrives_unchanged(nginx: GatewayServer, store: Upstream):
    answer = httpx.get(f"{nginx.url}{OBJECT}?{QUERY}", headers={"Range": "bytes=0-9"}, trust_env=False)

    assert (answer.status_code, answer.text) == (200, "store")
    [received] = store.received
    assert (received.method, received.path) == ("GET", f"{OBJECT}?{QUERY}")
    assert received.headers["host"] == nginx.url.removeprefix("http://")
    assert received.headers["range"] == "bytes=0-9"


def test_no_other_header_of_a_browser_is_passed_on(nginx: GatewayServer, store: Upstream):
    said = {"Cookie": "a=b", "Authorization": "Bearer x", "X-Amz-Date": "1", "X-Forwarded-For": "10.0.0.1"}

    httpx.get(f"{nginx.url}{OBJECT}?{QUERY}", headers=said, trust_env=False)

    [received] = store.received
    assert received.headers.keys() <= {"host", "range"}


@pytest.mark.parametrize(
    "asked",
    [
        OBJECT,
        f"{OBJECT}?X-Amz-Signature=short",
        f"{OBJECT}?X-Other={QUERY.replace('&', '-')}",
        f"/attachments?{QUERY}",
        f"/attachments/?{QUERY}",
        f"/attachments2/a?{QUERY}",
        f"/minio/admin/v3/info?{QUERY}",
    ],
)
def test_an_unsigned_request_never_reaches_the_store(nginx: GatewayServer, store: Upstream, asked: str):
    answer = httpx.get(f"{nginx.url}{asked}", trust_env=False)
    assert answer.status_code == 404
    assert store.received == []


@pytest.mark.parametrize(("received", "shown"), [(403, 404), (404, 404), (400, 404), (500, 503), (503, 503)])
def test_an_error_of_the_store_becomes_a_page_of_the_desk(
    nginx: GatewayServer, store: Upstream, received: int, shown: int
):
    def refuse(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(received)
        handler.send_header("Content-Length", "12")
        handler.end_headers()
        handler.wfile.write(b"<Error>secret"[:12])
        return True

    store.misbehave = refuse
    answer = httpx.get(f"{nginx.url}{OBJECT}?{QUERY}", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (shown, "text/html; charset=utf-8")
    assert "Error" not in answer.text


def test_a_bucket_with_another_name_is_served(start_gateway: OpenGateway, store: Upstream):
    nginx = start_gateway(files=store.address, files_bucket="desk-files")
    assert httpx.get(f"{nginx.url}{OBJECT}?{QUERY}", trust_env=False).status_code == 404
    other = OBJECT.replace("attachments", "desk-files")
    assert httpx.get(f"{nginx.url}{other}?{QUERY}", trust_env=False).status_code == 200


def test_downloads_of_one_source_are_limited(nginx: GatewayServer):
    with httpx.Client(trust_env=False) as client:
        statuses = [client.get(f"{nginx.url}{OBJECT}?{QUERY}").status_code for _ in range(120)]
    assert statuses[0] == 200
    assert 429 in statuses
