"""Links to files lead through the real gateway to a real S3 server, and no other part of that server is reachable."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"


@pytest.fixture
def nginx(clean_desk: RealDesk) -> Iterator[GatewayServer]:
    """A gateway to all services and the S3 server; intake returns links that lead to the gateway."""
    services = {route.service: clean_desk[route.service].url.removeprefix("http://") for route in load_table().routes}
    with open_gateway(START, services, files=clean_desk.s3.endpoint, files_bucket=clean_desk.name) as gateway:
        clean_desk["intake"].restart(S3_PUBLIC_ENDPOINT=gateway.url)
        yield gateway


@pytest.fixture
def link(clean_desk: RealDesk, nginx: GatewayServer) -> str:
    """The link that an applicant gets to a file of their own request."""
    applicant = clean_desk.applicant(1)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(1, attachments=[file_id]).code
    headers = {"Authorization": f"Bearer {applicant.sees(code, 'registered')['token']}"}
    given = wait_for(lambda: httpx.get(f"{nginx.url}/api/files/{file_id}", headers=headers, trust_env=False)).json()
    return str(given["url"])


def test_a_browser_downloads_a_file_by_its_link_at_the_address_of_the_desk(nginx: GatewayServer, link: str):
    assert link.startswith(f"{nginx.url}/")

    answer = httpx.get(link, trust_env=False)

    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["cache-control"] == "private, no-store"
    for name, value in load_table().headers.items():
        assert answer.headers.get_list(name) == [value], name
    assert not [name for name in answer.headers if name.startswith("x-amz")]
    assert answer.headers["server"] == "nginx"


def test_a_part_of_a_file_can_be_requested(link: str):
    answer = httpx.get(link, headers={"Range": "bytes=0-3"}, trust_env=False)
    assert (answer.status_code, answer.content) == (206, PDF[:4])


UNSIGNED = ["another signature", "longer"]


@pytest.mark.parametrize("spoil", ["no signature", "another file", "another bucket", *UNSIGNED])
def test_a_link_that_was_not_issued_does_not_work(clean_desk: RealDesk, link: str, spoil: str):
    if spoil in UNSIGNED and clean_desk.s3.kind == "moto":
        pytest.skip("moto does not check signatures; tests/gateway checks that they arrive unchanged")
    path, _, query = link.partition("?")
    spoilt = {
        "no signature": path,
        "another signature": re.sub("(?<=X-Amz-Signature=)[0-9a-f]{8}", "0" * 8, link),
        "another file": f"{path[:-4]}beef?{query}",
        "longer": link.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        "another bucket": f"{path.replace('/desk-', '/other-')}?{query}",
    }[spoil]
    assert spoilt != link

    answer = httpx.get(spoilt, trust_env=False)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Amz" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "HEAD"])
def test_a_link_allows_downloads_only(link: str, method: str):
    answer = httpx.request(method, link, trust_env=False)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/minio/health/live", "/minio/admin/v3/info", "/{bucket}", "/{bucket}/?list-type=2"])
def test_nothing_else_of_the_store_is_reachable(clean_desk: RealDesk, nginx: GatewayServer, path: str):
    answer = httpx.get(nginx.url + path.format(bucket=clean_desk.name), trust_env=False)
    assert answer.status_code == 404


def test_the_log_contains_no_link(nginx: GatewayServer, link: str):
    httpx.get(link, trust_env=False)
    wait_for(lambda: '"route":"/files"' in nginx.access_log)
    assert "X-Amz" not in nginx.access_log
    assert link.partition("?")[0].rpartition("/")[2] not in nginx.access_log


def test_without_an_s3_server_the_gateway_has_no_route_for_files(clean_desk: RealDesk, link: str):
    services = {route.service: clean_desk[route.service].url.removeprefix("http://") for route in load_table().routes}
    with open_gateway(START, services) as plain:
        path = re.sub("^http://[^/]+", "", link)
        assert httpx.get(plain.url + path, trust_env=False).status_code == 404
