"""Connections to Redis: to one server, or to the one that the sentinels say is the master."""

from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic_settings import SettingsError
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

TIMEOUT_SECONDS = 1.0
"""How long one step may take: to get a connection, to open it, to be answered on it."""
HEALTH_CHECK_SECONDS = 15
SENTINEL_PORT = 26379

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
"""How an address begins that :func:`redis_pool` reads."""

_SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")


def redis_pool(url: str, max_connections: int) -> BlockingConnectionPool:
    """Give a pool, bounded in connections and in time; nothing is opened before the first call.

    ``url`` is ``redis://:password@host:6379/0``, ``rediss://…`` over TLS, or
    ``redis+sentinel://:password@one:26379,two:26379,three:26379/service/0`` (or ``rediss+sentinel``), where ``service``
    is the sentinels' name for the master. ``?sentinel_password=…`` is the sentinels' own password, if they have one.
    Raises SettingsError, which does not repeat the address.
    """
    if urlsplit(url).scheme in _SENTINEL_SCHEMES:
        return _master_pool(url, max_connections)
    return BlockingConnectionPool.from_url(
        url, max_connections=max_connections, health_check_interval=HEALTH_CHECK_SECONDS, **_patience()
    )


def _patience() -> dict[str, Any]:
    return {
        "timeout": TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),  # once, for a connection that died while it lay idle
    }


class _MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """A bounded pool of connections to whichever server is the master when a connection is opened."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis' signature
        """Close the connections; with those in use, which is the end of the pool, those to the sentinels as well."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await cast("Sentinel", self.sentinel_manager).aclose()


def _master_pool(url: str, max_connections: int) -> _MasterPool:
    parts = urlsplit(url)
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    own = parse_qs(parts.query).get("sentinel_password", [None])[0]
    tls = {"ssl": True} if parts.scheme == "rediss+sentinel" else {}
    if not service or not (database or "0").isdigit():
        raise _unreadable()
    bounds = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        [_place(each) for each in places.split(",")], sentinel_kwargs=bounds | tls | {"password": own}
    )
    return _MasterPool(  # type: ignore[no-untyped-call]
        service,
        sentinels,
        max_connections=max_connections,
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or "0"),
        health_check_interval=HEALTH_CHECK_SECONDS,
        **_patience(),
        **tls,
    )


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(SENTINEL_PORT))
    if not host or not port.isdigit():
        raise _unreadable()
    return host, int(port)


def _unreadable() -> SettingsError:
    return SettingsError(
        "the address of Redis cannot be understood; with sentinels it is such as "
        "redis+sentinel://:password@one:26379,two:26379,three:26379/service/0"
    )
