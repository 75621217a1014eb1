"""The object store on an S3 server, through the ``minio`` SDK, in threads and streaming in both directions.

An object is put with the tag ``waiting=yes``; :meth:`S3Store.keep` removes the tag. The bucket's lifecycle deletes
tagged objects after a day, so that an unclaimed upload is deleted even if the desk has lost track of it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, TypeVar

import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, Filter, Tag, Tags
from minio.error import MinioException, S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule

from desk.chassis.storage import CHUNK_BYTES, ObjectMissingError, ObjectStoreUnavailableError, checked_key

CONNECT_SECONDS, READ_SECONDS = 2.0, 10.0
CONNECTIONS = 20
_PART_BYTES = 5 * 1024 * 1024  # the smallest part S3 accepts, and the memory used per upload
_WAITING = ("waiting", "yes")
_RULE = "forget-what-waits"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where the bucket is. ``endpoint`` is ``host:port``."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    region: str = "us-east-1"
    secure: bool = True
    path_style: bool = True


class S3Store:
    """Objects in one bucket."""

    def __init__(self, settings: S3Settings) -> None:
        self._bucket = settings.bucket
        self._client = _client(settings)

    async def put(self, key: str, content: BinaryIO, size: int, media_type: str) -> None:
        """Store ``size`` bytes until :meth:`keep` or the lifecycle. Raises ObjectStoreUnavailableError."""
        tags = Tags(for_object=True)
        tags.update([_WAITING])
        await _in_thread(
            lambda: self._client.put_object(
                self._bucket, checked_key(key), content, size, content_type=media_type, part_size=_PART_BYTES, tags=tags
            )
        )

    async def keep(self, key: str) -> None:
        """Exempt the object from the lifecycle. Raises ObjectMissingError or ObjectStoreUnavailableError."""
        await _in_thread(lambda: self._client.delete_object_tags(self._bucket, checked_key(key)))

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the object in chunks. Raises ObjectMissingError or ObjectStoreUnavailableError."""
        response = await _in_thread(lambda: self._client.get_object(self._bucket, checked_key(key)))
        try:
            while chunk := await _in_thread(lambda: response.read(CHUNK_BYTES)):
                yield chunk
        finally:
            response.close()
            response.release_conn()

    async def delete(self, key: str) -> None:
        """Remove the object if it is there. Raises ObjectStoreUnavailableError."""
        await _in_thread(lambda: self._client.remove_object(self._bucket, checked_key(key)))

    async def list_keys(self, prefix: str, *, after: str, limit: int) -> list[str]:
        """Return keys in order. Raises ObjectStoreUnavailableError."""
        return await _in_thread(lambda: self._list(f"{checked_key(prefix)}/", after, limit))

    def _list(self, prefix: str, after: str, limit: int) -> list[str]:
        found = self._client.list_objects(self._bucket, prefix, start_after=f"{prefix}{after}")
        return [str(each.object_name) for each in islice(found, limit)]

    async def set_up(self) -> list[str]:
        """Create the bucket and its lifecycle rules; return a line per change. Raises ObjectStoreUnavailableError."""
        return await _in_thread(self._set_up)

    def _set_up(self) -> list[str]:
        changed = []
        if not self._client.bucket_exists(self._bucket):
            self._client.make_bucket(self._bucket)
            changed.append(f"created bucket {self._bucket}")
        present = self._client.get_bucket_lifecycle(self._bucket)
        if present is None or _RULE not in {rule.rule_id for rule in present.rules}:
            kept = list(present.rules) if present else []
            self._client.set_bucket_lifecycle(self._bucket, LifecycleConfig([*kept, _expiry_rule()]))
            changed.append(f"bucket {self._bucket} deletes unclaimed objects after a day")
        return changed


def _expiry_rule() -> Rule:
    return Rule(
        ENABLED,
        rule_id=_RULE,
        rule_filter=Filter(tag=Tag(*_WAITING)),
        expiration=Expiration(days=1),
    )


def _client(settings: S3Settings) -> Minio:
    pool = urllib3.PoolManager(
        maxsize=CONNECTIONS,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        retries=urllib3.Retry(total=1, backoff_factor=0.2, status_forcelist=(502, 503, 504)),
    )
    client = Minio(
        settings.endpoint,
        settings.access_key,
        settings.secret_key,
        secure=settings.secure,
        region=settings.region,  # known, so that the SDK does not ask for it
        http_client=pool,
    )
    if not settings.path_style:
        client.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]  # the SDK has no annotation
    return client


async def _in_thread(call: Callable[[], T]) -> T:
    """Run one SDK call in a thread. Raises ObjectMissingError or ObjectStoreUnavailableError."""
    try:
        return await asyncio.to_thread(call)
    except S3Error as error:
        if error.code == "NoSuchKey":
            raise ObjectMissingError from None
        raise ObjectStoreUnavailableError(f"S3 refused: {error.code}") from None
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise ObjectStoreUnavailableError(f"S3 is unreachable: {type(error).__name__}") from None
