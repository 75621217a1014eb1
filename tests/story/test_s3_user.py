"""intake's user at the S3 server may do what intake does in its bucket, and nothing else."""

import asyncio
import io
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.minioadmin import MinioAdmin

from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.storage import ObjectMissingError
from desk.intake.service.erased_codes import ErasedCodes
from desk.testing.s3 import S3Server

SCRIPT = Path(__file__).parents[2] / "deploy" / "s3" / "create-user"
BIG = 6 * 1024 * 1024
"""More than one part of an upload."""


@pytest.fixture(scope="module")
def server(s3_server: S3Server) -> S3Server:
    if s3_server.kind != "minio":
        pytest.skip("only MinIO has users that this script can create; scripts/install-for-tests installs it")
    return s3_server


@pytest.fixture(scope="module")
def settings(server: S3Server) -> S3Settings:
    """Set the bucket up as the administrator, and create the user as a deployment does; return the user's settings."""
    user, bucket = uuid.uuid4().hex[:16], f"own-{uuid.uuid4().hex[:8]}"
    root = S3Settings(server.endpoint, server.access_key, server.secret_key, bucket, server.region, server.secure)
    asyncio.run(S3Store(root).set_up())
    environment = {
        "S3_ENDPOINT": server.endpoint,
        "S3_SECURE": str(server.secure).lower(),
        "S3_BUCKET": bucket,
        "S3_ROOT_ACCESS_KEY": server.access_key,
        "S3_ROOT_SECRET_KEY": server.secret_key,
        "S3_ACCESS_KEY": user,
        "S3_SECRET_KEY": "password-of-the-user",
    }
    for _ in range(2):  # the second run changes nothing
        subprocess.run([sys.executable, SCRIPT], env=os.environ | environment, check=True)  # noqa: S603 - our script
    return S3Settings(server.endpoint, user, "password-of-the-user", bucket, server.region, server.secure)


@pytest.fixture
def client(settings: S3Settings) -> Minio:
    return Minio(
        settings.endpoint, settings.access_key, settings.secret_key, secure=settings.secure, region=settings.region
    )


@pytest.mark.parametrize("size", [10, BIG])
async def test_intake_stores_keeps_reads_and_deletes_objects(settings: S3Settings, size: int):
    store = S3Store(settings)

    await store.put("a", io.BytesIO(bytes(size)), size, "application/octet-stream")
    await store.keep("a")
    assert sum([len(chunk) async for chunk in store.read("a")]) == size
    await store.delete("a")

    with pytest.raises(ObjectMissingError):
        await anext(store.read("a"))
    with pytest.raises(ObjectMissingError):
        await store.keep("a")


async def test_intake_adds_to_the_list_of_erased_codes_and_reads_it(settings: S3Settings):
    codes = ErasedCodes(S3Store(settings))

    for _ in range(2):
        await codes.add("123456789018")

    assert await codes.list_after("", 10) == ["123456789018"]


async def test_the_set_up_can_be_checked_without_an_administrator(settings: S3Settings):
    assert await S3Store(settings).set_up() == []


@pytest.fixture
def other(server: S3Server) -> str:
    """A bucket of another system, with an object."""
    root = Minio(server.endpoint, server.access_key, server.secret_key, secure=server.secure, region=server.region)
    bucket = f"other-{uuid.uuid4().hex[:8]}"
    root.make_bucket(bucket)
    root.put_object(bucket, "a", io.BytesIO(b"1"), 1)
    return bucket


REFUSED: dict[str, Callable[[Minio, str, str], object]] = {
    "read another bucket": lambda client, _, other: client.get_object(other, "a"),
    "write to another bucket": lambda client, _, other: client.put_object(other, "b", io.BytesIO(b"1"), 1),
    "delete in another bucket": lambda client, _, other: client.remove_object(other, "a"),
    "list another bucket": lambda client, _, other: list(client.list_objects(other)),
    "create a bucket": lambda client, own, _: client.make_bucket(f"{own}-2"),
    "delete its bucket": lambda client, own, _: client.remove_bucket(own),
    "change the lifecycle": lambda client, own, _: client.set_bucket_lifecycle(
        own, LifecycleConfig([Rule(ENABLED, rule_id="x", rule_filter=Filter(prefix=""), expiration=Expiration(days=1))])
    ),
    "delete an erased code": lambda client, own, _: client.remove_object(own, "erased/123456789018"),
    "publish its bucket": lambda client, own, _: client.set_bucket_policy(own, "{}"),
    "read the policy of its bucket": lambda client, own, _: client.get_bucket_policy(own),
}


@pytest.mark.parametrize("action", REFUSED)
def test_everything_else_is_refused(settings: S3Settings, client: Minio, other: str, action: str):
    with pytest.raises(S3Error) as refused:
        REFUSED[action](client, settings.bucket, other)

    assert refused.value.code == "AccessDenied"


def test_other_buckets_are_not_listed(settings: S3Settings, client: Minio, other: str):
    assert {bucket.name for bucket in client.list_buckets()} == {settings.bucket}


def test_the_administration_of_the_server_is_refused(settings: S3Settings):
    user = MinioAdmin(
        endpoint=settings.endpoint,
        credentials=StaticProvider(settings.access_key, settings.secret_key),
        secure=settings.secure,
    )

    with pytest.raises(MinioAdminException, match="AccessDenied"):
        user.user_add("another-user", "another-password")
