"""With a mounted certificate: TLS 1.2 and 1.3, HTTP/2, only redirects without TLS, renewal without a restart."""

import datetime as dt
import ipaddress
import socket
import ssl
import struct
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gateway.conftest import TRUSTED, OpenGateway
from gateway.upstream import Upstream
from support.embedded_desk import wait_for

from desk.testing.errors import ServerFailedError
from desk.testing.gateway import GatewayServer

HOSTS = "desk.example.ir 127.0.0.1 localhost"


def _lay_certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Write a temporary certificate and its key; return a context that trusts only this one."""
    key = ec.generate_private_key(ec.SECP256R1())
    called, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "tls.crt").write_bytes(pem)
    return ssl.create_default_context(cadata=pem.decode())


@pytest.fixture
def trusting(tmp_path: Path) -> ssl.SSLContext:
    return _lay_certificate(tmp_path / "tls", "desk")


@pytest.fixture
def nginx(start_gateway: OpenGateway, trusting: ssl.SSLContext, tmp_path: Path) -> GatewayServer:
    return start_gateway(tls_folder=str(tmp_path / "tls"), hosts=HOSTS)


def _talk(nginx: GatewayServer, context: ssl.SSLContext, *protocols: str) -> ssl.SSLSocket:
    parts = urlsplit(nginx.tls_url)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection((parts.hostname, parts.port), timeout=10)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_pages_and_services_are_behind_the_certificate(
    nginx: GatewayServer, trusting: ssl.SSLContext, upstreams: dict[str, Upstream]
):
    with httpx.Client(base_url=nginx.tls_url, verify=trusting, trust_env=False) as client:
        page, catalog, missing = (client.get(path) for path in ("/", "/api/receipt-keys", "/api/nothing"))
    assert [answer.status_code for answer in (page, catalog, missing)] == [200, 200, 404]
    for answer in (page, catalog, missing):
        assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]
    assert upstreams["intake"].received[-1].headers["x-forwarded-proto"] == "https"


def test_the_plain_port_only_redirects(nginx: GatewayServer, upstreams: dict[str, Upstream]):
    for path in ("/", "/track?a=b", "/api/receipt-keys"):
        answer = httpx.get(f"{nginx.url}{path}", headers={"Host": "desk.example.ir"}, trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (308, f"https://desk.example.ir{path}")
        assert "strict-transport-security" not in answer.headers
    assert upstreams["intake"].received == []
    assert httpx.get(f"{nginx.url}/a//b", trust_env=False).status_code == 400


def test_behind_a_platform_that_terminates_tls_the_plain_port_answers(
    start_gateway: OpenGateway, trusting: ssl.SSLContext, tmp_path: Path
):
    nginx = start_gateway(tls_folder=str(tmp_path / "tls"), trusted_proxies=TRUSTED, hosts=HOSTS)
    answer = httpx.get(f"{nginx.url}/", headers={"X-Forwarded-Proto": "https"}, trust_env=False)
    assert answer.status_code == 200
    assert "strict-transport-security" in answer.headers
    assert httpx.get(f"{nginx.url}/", headers={"X-Forwarded-Proto": "http"}, trust_env=False).status_code == 308


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_current_tls_is_accepted(version: ssl.TLSVersion, nginx: GatewayServer, trusting: ssl.SSLContext):
    trusting.minimum_version = trusting.maximum_version = version
    with _talk(nginx, trusting) as talk:
        assert talk.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
        cipher, _, bits = talk.cipher()
        assert bits >= 128
        assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(nginx: GatewayServer, trusting: ssl.SSLContext):
    trusting.minimum_version = trusting.maximum_version = ssl.TLSVersion.TLSv1_1
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)version|alert"):
        _talk(nginx, trusting)


def test_http_2_is_accepted(nginx: GatewayServer, trusting: ssl.SSLContext):
    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload

    host = b"desk.example.ir"
    headers = b"\x82\x84\x87\x41" + bytes((len(host),)) + host  # GET, /, https, the name (RFC 7541, appendix A)
    with _talk(nginx, trusting, "h2", "http/1.1") as talk:
        assert talk.selected_alpn_protocol() == "h2"
        talk.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 0x5, 1, headers))
        received, answered = b"", None
        while answered is None:
            piece = talk.recv(65536)
            assert piece, "the connection was closed"
            received += piece
            while len(received) >= 9 and len(received) >= 9 + int.from_bytes(received[:3], "big"):
                size, kind = int.from_bytes(received[:3], "big"), received[3]
                if kind == 1:
                    answered = received[9]
                received = received[9 + size :]
    assert answered == 0x88, "not the 200 of HPACK's table"


def test_a_renewed_certificate_is_used_without_a_restart(
    nginx: GatewayServer, trusting: ssl.SSLContext, tmp_path: Path
):
    with _talk(nginx, trusting) as talk:
        before = talk.getpeercert(binary_form=True)
    renewed = _lay_certificate(tmp_path / "tls", "desk renewed")

    def shown() -> bytes | None:
        with _talk(nginx, renewed) as talk:
            return talk.getpeercert(binary_form=True)

    assert wait_for(shown) != before


def test_without_a_certificate_there_is_no_tls(start_gateway: OpenGateway):
    parts = urlsplit(start_gateway().tls_url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=5)


def test_a_certificate_without_a_key_is_reported(start_gateway: OpenGateway, trusting: ssl.SSLContext, tmp_path: Path):
    (tmp_path / "tls" / "tls.key").unlink()
    with pytest.raises(ServerFailedError, match=r"tls\.key is missing or not readable"):
        start_gateway(tls_folder=str(tmp_path / "tls"))


def test_with_tls_no_other_host_is_redirected_to(nginx: GatewayServer):
    answer = httpx.get(f"{nginx.url}/send", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_with_tls_the_host_names_are_required(start_gateway: OpenGateway, trusting: ssl.SSLContext, tmp_path: Path):
    with pytest.raises(ServerFailedError, match="DESK_GATEWAY_HOSTS is empty"):
        start_gateway(tls_folder=str(tmp_path / "tls"))
