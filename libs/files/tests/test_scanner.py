"""The scanner finds malware, and every answer but a clear one means that it has not answered."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from desk.files.scanner import ClamScanner, ScannerUnavailableError
from desk.testing.hostile_files import EICAR, infected_files, pdf_document
from desk.testing.ports import free_port


async def pieces(content, size=1000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.fixture
def scanner(clamav_server):
    return ClamScanner(clamav_server.url)


async def test_a_clean_file_is_clean(scanner):
    assert await scanner.find_malware(pieces(pdf_document())) is None


@pytest.mark.parametrize("name", infected_files())
async def test_malware_is_found_inside_a_file(scanner, name):
    assert "EICAR" in str(await scanner.find_malware(pieces(infected_files()[name].content)))


async def test_malware_is_found_across_the_edge_of_two_pieces(scanner):
    assert await scanner.find_malware(pieces(bytes(970) + EICAR + bytes(99), 64)) is not None


async def test_an_empty_piece_does_not_end_the_file(scanner):
    async def with_an_empty_piece():
        yield b"a"
        yield b""
        yield EICAR

    assert await scanner.find_malware(with_an_empty_piece()) is not None


async def test_a_scanner_that_is_not_there_is_unavailable():
    with pytest.raises(ScannerUnavailableError):
        await ClamScanner(f"tcp://127.0.0.1:{free_port()}").find_malware(pieces(b"a"))


@asynccontextmanager
async def scanner_that(behaves):
    """Serve one connection, and end only when its handler has ended."""
    ended = asyncio.Event()

    async def serve(reader, writer):
        try:
            await behaves(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"OK\0", b"stream: OK but not quite\0"),
        *(b"INSTREAM size limit exceeded. ERROR\0", b"stream: Heuristics ERROR\0"),
    ],
)
async def test_any_other_answer_counts_as_no_answer(answer):
    async def answers(reader, writer):
        await reader.readuntil(bytes(4))
        writer.write(answer)

    async with scanner_that(answers) as url:
        with pytest.raises(ScannerUnavailableError):
            await ClamScanner(url).find_malware(pieces(b"a"))


async def test_a_scanner_that_hangs_is_unavailable():
    async def hangs(reader, _writer):
        await reader.read()

    async with scanner_that(hangs) as url:
        with pytest.raises(ScannerUnavailableError):
            await ClamScanner(url, seconds=0.2).find_malware(pieces(b"a"))
