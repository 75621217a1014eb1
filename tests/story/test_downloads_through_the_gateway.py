"""Files are downloaded through the real gateway, from intake, and are in clear nowhere between it and their reader."""

import io
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gateway.raw import connect
from minio import Minio
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
BIG = PDF.replace(b"trailer", b"%" + b"." * 6_900_000 + b"\ntrailer")
CLOSED_WITHIN_SECONDS = 60.0


@pytest.fixture
def nginx(clean_desk: RealDesk) -> Iterator[GatewayServer]:
    """A gateway to all services."""
    services = {route.service: clean_desk[route.service].url.removeprefix("http://") for route in load_table().routes}
    with open_gateway(START, services) as gateway:
        yield gateway


@pytest.fixture
def submitted(clean_desk: RealDesk):
    """Submit a request with a file; return the file's path at the gateway and the tracking token."""

    def submitted(content: bytes) -> tuple[str, str]:
        applicant = clean_desk.applicant(1)
        file_id = applicant.upload("گذرنامه.pdf", content)
        code = clean_desk.submit(1, attachments=[file_id]).code
        return f"/api/files/{file_id}", applicant.sees(code, "registered")["token"]

    return submitted


@pytest.fixture
def store(clean_desk: RealDesk) -> Minio:
    s3 = clean_desk.s3
    return Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=s3.secure, region=s3.region)


def newest_object(store: Minio, bucket: str) -> str:
    return str(max(store.list_objects(bucket), key=lambda each: each.last_modified).object_name)


def download(nginx: GatewayServer, path: str, token: str) -> httpx.Response:
    return httpx.get(nginx.url + path, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_an_applicant_downloads_a_file_with_the_tracking_token(nginx: GatewayServer, submitted):
    answer = download(nginx, *submitted(PDF))

    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["cache-control"] == "private, no-store"
    for name, value in load_table().headers.items():
        assert answer.headers.get_list(name) == [value], name
    assert answer.headers["server"] == "nginx"


def test_the_object_store_is_not_reachable_through_the_gateway(
    clean_desk: RealDesk, nginx: GatewayServer, store: Minio, submitted
):
    submitted(PDF)
    stored = newest_object(store, clean_desk.name)

    for path in (f"/{clean_desk.name}/{stored}", f"/{clean_desk.name}/?list-type=2", "/minio/health/live"):
        assert httpx.get(nginx.url + path, trust_env=False).status_code == 404


def test_the_log_contains_neither_the_token_nor_the_id_of_the_file(nginx: GatewayServer, submitted):
    path, token = submitted(PDF)
    download(nginx, path, token)

    wait_for(lambda: '"route":"/api/files"' in nginx.access_log)
    assert token not in nginx.access_log
    assert path.rpartition("/")[2] not in nginx.access_log


@pytest.fixture
def slow_reader(nginx: GatewayServer, submitted) -> Iterator[socket.socket]:
    """A client that has asked for a big file and reads nothing."""
    path, token = submitted(BIG)
    with connect(nginx.url) as talk:
        head = f"GET {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {token}\r\n\r\n"
        talk.sendall(head.encode())
        yield talk


def test_a_slow_reader_is_closed_and_its_file_is_not_on_the_disk_of_the_gateway(
    nginx: GatewayServer, slow_reader: socket.socket
):
    begun, folder = time.monotonic(), Path(nginx.machine.folder) / "nginx"
    assert slow_reader.recv(1) == b"H", "the response has begun"
    while '"route":"/api/files"' not in nginx.access_log:
        assert not [path for path in folder.rglob("*") if path.is_file() and b"%PDF" in path.read_bytes()]
        assert time.monotonic() - begun < CLOSED_WITHIN_SECONDS
        time.sleep(1)  # the time passes in which the gateway waits for its client

    slow_reader.settimeout(CLOSED_WITHIN_SECONDS)
    received = 0
    while piece := _receive(slow_reader):
        received += len(piece)
    assert received < len(BIG)


def _receive(talk: socket.socket) -> bytes:
    try:
        return talk.recv(os.sysconf("SC_PAGE_SIZE"))
    except ConnectionError:
        return b""


def test_a_file_that_is_changed_in_the_store_ends_in_a_closed_connection(
    clean_desk: RealDesk, nginx: GatewayServer, store: Minio, submitted
):
    path, token = submitted(BIG)
    name = newest_object(store, clean_desk.name)
    content = store.get_object(clean_desk.name, name).read()
    store.put_object(clean_desk.name, name, io.BytesIO(content[:-1] + bytes([content[-1] ^ 1])), len(content))

    with pytest.raises(httpx.RemoteProtocolError):
        download(nginx, path, token)
