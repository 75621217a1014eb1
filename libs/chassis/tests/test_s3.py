"""What only S3 has: a bucket to set up, a lifecycle, links for others, and a server that may be away."""

import io
import uuid
from dataclasses import replace

import httpx
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


async def test_the_bucket_forgets_after_a_day_what_waits_and_only_that(store, settings, client):
    lifecycle = client.get_bucket_lifecycle(settings.bucket)
    assert [(rule.expiration.days, rule.rule_filter.tag.key) for rule in lifecycle.rules] == [(1, "waiting")]


async def test_an_object_waits_until_it_is_kept(store, settings, client):
    await put(store, "a-file")
    assert client.get_object_tags(settings.bucket, "a-file") == {"waiting": "yes"}
    await store.keep("a-file")
    assert not client.get_object_tags(settings.bucket, "a-file")


async def test_a_link_opens_the_file_under_its_name_to_who_has_no_key(store):
    await put(store, "a-file", b"the content")
    link = await store.link("a-file", "گذرنامه.pdf", 60)
    async with httpx.AsyncClient() as anybody:
        answer = await anybody.get(link)
    assert answer.content == b"the content"
    assert "X-Amz-Expires=60" in link
    assert "%DA%AF" in answer.headers["content-disposition"]


async def test_a_link_that_was_changed_opens_nothing(store):
    await put(store, "a-file")
    await put(store, "another")
    link = await store.link("a-file", "a.pdf", 60)
    async with httpx.AsyncClient() as anybody:
        answer = await anybody.get(link.replace("/a-file", "/another"))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("public", "begins"),
    [
        ("https://desk.example.ir", "https://desk.example.ir/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("files.example.ir:9000", "http://files.example.ir:9000/"),
    ],
)
async def test_links_lead_to_the_public_address_and_objects_do_not(settings, public, begins):
    elsewhere = S3Store(replace(settings, secure=False, public_endpoint=public))
    link = await elsewhere.link("a-file", "a.pdf", 60)
    assert link.startswith(f"{begins}{settings.bucket}/a-file?")


async def test_a_bucket_that_is_not_there_is_a_store_that_is_down(settings):
    with pytest.raises(ObjectStoreUnavailableError, match="NoSuchBucket"):
        await put(S3Store(settings), "a-file")


async def test_wrong_keys_are_a_store_that_is_down(settings):
    with pytest.raises(ObjectStoreUnavailableError):
        await put(S3Store(replace(settings, secret_key="wrong-secret-key")), "a-file")


async def test_a_server_that_is_away_is_a_store_that_is_down(settings):
    with pytest.raises(ObjectStoreUnavailableError):
        await put(S3Store(replace(settings, endpoint="127.0.0.1:1")), "a-file")
