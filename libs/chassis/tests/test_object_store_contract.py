"""What every object store does, the folder and S3 alike.

A further store is a further bench: the store, and a look at what lies in it.
"""

import asyncio
import io
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from minio import Minio

from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.storage import FolderStore, ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.testing.s3 import S3Server

BIG = 8 * 1024 * 1024
LARGEST_PIECE = 6 * 1024 * 1024
"""More than this at once, of anything, is no streaming; S3's smallest part is 5 MiB."""


class Bench(Protocol):
    store: ObjectStore

    async def open(self) -> None:
        """Make the store ready."""

    async def keys(self) -> list[str]:
        """List what lies in the store, unfinished uploads included."""

    async def close(self) -> None:
        """Leave nothing behind."""


class FolderBench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "objects"
        self.store = FolderStore(self._folder)

    async def open(self) -> None:
        return

    async def keys(self) -> list[str]:
        return sorted(str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())

    async def close(self) -> None:
        return


class S3Bench:
    def __init__(self, server: S3Server) -> None:
        self.server = server
        self._bucket = f"contract-{uuid.uuid4().hex}"
        self._client = Minio(
            server.endpoint, server.access_key, server.secret_key, secure=server.secure, region=server.region
        )
        self.store = S3Store(
            S3Settings(
                endpoint=server.endpoint,
                access_key=server.access_key,
                secret_key=server.secret_key,
                bucket=self._bucket,
                region=server.region,
                secure=server.secure,
            )
        )

    async def open(self) -> None:
        await self.store.set_up()

    async def keys(self) -> list[str]:
        found = self._client.list_objects(self._bucket, recursive=True)
        return await asyncio.to_thread(lambda: sorted(str(each.object_name) for each in found))

    async def close(self) -> None:
        for key in await self.keys():
            await self.store.delete(key)
        await asyncio.to_thread(self._client.remove_bucket, self._bucket)


class Content(io.BytesIO):
    """Content that notes how much of it was wanted at once."""

    largest_read = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.largest_read = max(self.largest_read, len(piece))
        return piece


class Torn(io.BytesIO):
    """Content whose source breaks off."""

    def read(self, _size: int | None = -1) -> bytes:
        raise OSError("the disk is gone")


@pytest.fixture(params=["folder", "s3"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = FolderBench(tmp_path) if request.param == "folder" else S3Bench(request.getfixturevalue("s3_server"))
    await bench.open()
    yield bench
    await bench.close()


@pytest.fixture
def store(bench):
    return bench.store


async def put(store: ObjectStore, key: str, content: bytes) -> None:
    await store.put(key, io.BytesIO(content), len(content), "application/pdf")


async def get(store: ObjectStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


async def test_an_object_is_read_as_it_was_put(store):
    await put(store, "uploads/a-1", b"\x00\xff content")
    assert await get(store, "uploads/a-1") == b"\x00\xff content"


async def test_an_empty_object_is_an_object(store):
    await put(store, "empty", b"")
    assert await get(store, "empty") == b""


async def test_an_object_put_again_is_replaced(store):
    await put(store, "a", b"old and long")
    await put(store, "a", b"new")
    assert await get(store, "a") == b"new"


async def test_keys_are_listed_in_order_and_in_pages(store):
    for key in ("listed/30", "listed/10", "listed/20", "other/15", "listed-too/15", "40"):
        await put(store, key, b"x")
    assert await store.list_keys("listed", after="", limit=10) == ["listed/10", "listed/20", "listed/30"]
    assert await store.list_keys("listed", after="", limit=2) == ["listed/10", "listed/20"]
    assert await store.list_keys("listed", after="20", limit=2) == ["listed/30"]
    assert await store.list_keys("listed", after="30", limit=2) == []
    assert await store.list_keys("nothing", after="", limit=2) == []


async def test_objects_are_separate(store):
    await put(store, "uploads/a", b"1")
    await put(store, "uploads/b", b"2")
    assert (await get(store, "uploads/a"), await get(store, "uploads/b")) == (b"1", b"2")


async def test_a_missing_object_is_said_to_be_missing(store):
    with pytest.raises(ObjectMissingError):
        await get(store, "uploads/missing")


async def test_a_prefix_of_a_key_is_not_an_object(store):
    await put(store, "uploads/a", b"1")
    with pytest.raises(ObjectMissingError):
        await get(store, "uploads")


async def test_a_deleted_object_is_missing(store):
    await put(store, "a", b"1")
    await store.delete("a")
    with pytest.raises(ObjectMissingError):
        await get(store, "a")


@pytest.mark.parametrize("key", ["missing", "uploads", "uploads/a/b"])
async def test_deleting_a_missing_object_changes_nothing(bench, store, key):
    await put(store, "uploads/a", b"1")
    await store.delete(key)
    assert await bench.keys() == ["uploads/a"]


async def test_content_that_is_short_is_refused(store):
    with pytest.raises(ObjectStoreUnavailableError):
        await store.put("a", io.BytesIO(b"half"), 8, "application/pdf")


async def test_content_that_is_short_leaves_nothing(bench, store):
    with pytest.raises(ObjectStoreUnavailableError):
        await store.put("a", io.BytesIO(b"half"), 8, "application/pdf")
    assert await bench.keys() == []


async def test_content_that_is_short_does_not_replace_what_is_there(store):
    await put(store, "a", b"whole")
    with pytest.raises(ObjectStoreUnavailableError):
        await store.put("a", io.BytesIO(b"half"), 8, "application/pdf")
    assert await get(store, "a") == b"whole"


async def test_interrupted_content_leaves_nothing(bench, store):
    with pytest.raises(ObjectStoreUnavailableError):
        await store.put("a", Torn(), 8, "application/pdf")
    assert await bench.keys() == []


@pytest.mark.parametrize(
    "key",
    ["", "/", "/etc/passwd", "../a", "a/../b", ".", "a.pdf", "a//b", "a/", "a b", "a\n", "a\x00", "الف", "a\\b", "٣"],
)
@pytest.mark.parametrize("use", ["put", "read", "delete"])
async def test_a_bad_key_is_refused(bench, store, key, use):
    uses = {"put": lambda: put(store, key, b"1"), "read": lambda: get(store, key), "delete": lambda: store.delete(key)}
    with pytest.raises(ValueError, match="key"):
        await uses[use]()
    assert await bench.keys() == []


async def test_big_content_is_taken_in_pieces(store):
    content = Content(b"\x07" * BIG)
    await store.put("big", content, BIG, "application/pdf")
    assert 0 < content.largest_read <= LARGEST_PIECE


async def test_a_big_object_is_given_in_pieces(store):
    await put(store, "big", b"\x07" * BIG)
    sizes = [len(chunk) async for chunk in store.read("big")]
    assert sum(sizes) == BIG
    assert max(sizes) <= LARGEST_PIECE


async def test_reading_may_be_given_up_half_way(store):
    await put(store, "big", b"\x07" * BIG)
    reading = store.read("big")
    await anext(reading)
    await reading.aclose()
    await store.delete("big")


async def test_parallel_uploads_of_one_key_leave_one_of_them_whole(bench, store):
    contents = [bytes([number]) * 300_000 for number in range(4)]
    await asyncio.gather(*(put(store, "a", content) for content in contents))
    assert await get(store, "a") in contents
    assert await bench.keys() == ["a"]


async def test_an_object_can_be_kept(store):
    await put(store, "kept", b"content")
    await store.keep("kept")
    assert await get(store, "kept") == b"content"


async def test_a_missing_object_cannot_be_kept(bench, store):
    if isinstance(bench, S3Bench) and not bench.server.keeps_objects:
        pytest.skip("moto ignores missing objects here; scripts/install-for-tests installs MinIO")
    with pytest.raises(ObjectMissingError):
        await store.keep("nowhere")
