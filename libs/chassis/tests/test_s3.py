"""What only S3 has: a bucket to set up, a lifecycle, and a server that may be unreachable."""

import io
import uuid
from dataclasses import replace

import pytest
from minio import Minio

from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.storage import ObjectStoreUnavailableError


@pytest.fixture
def settings(s3_server) -> S3Settings:
    return S3Settings(
        endpoint=s3_server.endpoint,
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        bucket=f"own-{uuid.uuid4().hex}",
        region=s3_server.region,
        secure=s3_server.secure,
    )


@pytest.fixture
def client(settings) -> Minio:
    return Minio(
        settings.endpoint, settings.access_key, settings.secret_key, secure=settings.secure, region=settings.region
    )


@pytest.fixture
async def store(settings) -> S3Store:
    store = S3Store(settings)
    await store.set_up()
    return store


async def put(store: S3Store, key: str, content: bytes = b"content") -> None:
    await store.put(key, io.BytesIO(content), len(content), "application/pdf")


async def test_setting_up_twice_changes_nothing_the_second_time(settings):
    store = S3Store(settings)
    assert len(await store.set_up()) == 2
    assert await store.set_up() == []


async def test_the_bucket_deletes_only_waiting_objects_after_a_day(store, settings, client):
    lifecycle = client.get_bucket_lifecycle(settings.bucket)
    assert [(rule.expiration.days, rule.rule_filter.tag.key) for rule in lifecycle.rules] == [(1, "waiting")]


async def test_an_object_waits_until_it_is_kept(store, settings, client):
    await put(store, "a-file")
    assert client.get_object_tags(settings.bucket, "a-file") == {"waiting": "yes"}
    await store.keep("a-file")
    assert not client.get_object_tags(settings.bucket, "a-file")


async def test_a_missing_bucket_is_an_unavailable_store(settings):
    with pytest.raises(ObjectStoreUnavailableError, match="NoSuchBucket"):
        await put(S3Store(settings), "a-file")


async def test_wrong_keys_are_an_unavailable_store(settings):
    with pytest.raises(ObjectStoreUnavailableError):
        await put(S3Store(replace(settings, secret_key="wrong-secret-key")), "a-file")


async def test_an_unreachable_server_is_an_unavailable_store(settings):
    with pytest.raises(ObjectStoreUnavailableError):
        await put(S3Store(replace(settings, endpoint="127.0.0.1:1")), "a-file")
