"""What the bundle says of servers that do not answer as a service of the desk, and of a broker without some queues."""

import asyncio
import io
import tarfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from desk.support.archive import archive, summary
from desk.support.collect import Queue, Queues, replicas_of
from desk.support.main import main
from desk.testing.ports import free_port

NOW = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)


@asynccontextmanager
async def served(answer: bytes):
    """A server that gives every caller the same answer; yields its port."""

    async def respond(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "/support: 404"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html></>",
            "/support: this is no service of the desk, or of another version",
        ),
        (b"SSH-2.0\r\n", "no answer: RemoteProtocolError"),
    ],
)
async def test_a_server_that_is_no_service_is_named(answer, error):
    async with served(answer) as port:
        [replica] = await replicas_of("intake", f"http://127.0.0.1:{port}")
    assert (replica.state, replica.error) == (None, error)
    assert f"  intake at 127.0.0.1:{port}: DOWN: {error}" in summary(NOW, [replica], Queues())


async def test_an_address_that_cannot_be_resolved_is_a_line_too():
    [unknown] = await replicas_of("intake", "http://intake.invalid:9000")
    [refused] = await replicas_of("intake", f"http://127.0.0.1:{free_port()}")
    assert unknown.error.startswith("the name cannot be resolved: ")
    assert refused.error == "no answer: ConnectError"


def test_dead_letters_and_missing_queues_are_in_the_summary_and_empty_queues_are_not():
    counted = Queues(
        [
            Queue(name="tracking", messages=3, consumers=2),
            Queue(name="tracking.dead", messages=1, consumers=0),
            Queue(name="intake", messages=0, consumers=2),
        ],
        missing=["notifier"],
    )
    lines = summary(NOW, [], counted)
    assert lines[lines.index("queues") + 1 :] == [
        "  3 queues, 4 messages",
        "  notifier: MISSING; run desk-topology apply",
        "  tracking: 3 messages, 2 consumers",
        "  tracking.dead: 1 dead letters",
    ]
    with tarfile.open(fileobj=io.BytesIO(archive(NOW, [], counted))) as tar:
        assert tar.getnames() == ["support/summary.txt", "support/queues.json"]


def test_a_setting_that_cannot_be_read_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("DESK_TOPOLOGY_HEALTH_URLS", '{"intake": 5}')
    with pytest.raises(SystemExit, match=r"^desk-support: DESK_TOPOLOGY_HEALTH_URLS\.INTAKE: "):
        main(["bundle", "--output", str(tmp_path / "support.tar.gz")])
