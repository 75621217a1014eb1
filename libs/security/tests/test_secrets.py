"""The checks of secrets: which values are refused, and which pass."""

import base64
import hashlib
import os
from secrets import token_hex

import pytest

from desk.security.secrets import Secret, SecretKind, WeakSecretError, check, faults, faults_of_files

URL_SAFE, HEX = "Zk3vQ9-x_L2mT7wRb5nYc8dP", "9f86d081884c7d659a2feaa0"
LONG = hashlib.sha512(b"a test").digest()
"""64 bytes that look random; parametrized values must be the same in all processes of a test run."""
GOOD_KEY = base64.b64encode(bytes(range(32))).decode()


def key(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "guest",
        "minioadmin",
        "changeme-changeme",
        "Password1234567890",
        "postgres-postgres-2026",
        "1234567890123456",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabcabc",
        "xK3-pQ9_vL2mT7w",
        "amqp://guest:guest@broker/",
        "amqp://broker/",
        "redis://cache:6379/0",
        "redis://:short@cache:6379/0",
        "postgresql+asyncpg://role@database/name",
        f"redis+sentinel://:{HEX}@one:26379/desk/0?sentinel_password=short",
    ],
)
def test_a_weak_secret_is_refused_without_its_value(value):
    with pytest.raises(WeakSecretError) as refused:
        check(Secret("DESK_X", value))
    assert not value.strip() or value not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        URL_SAFE,
        HEX,
        "four unrelated random words",
        f"amqp://intake:{URL_SAFE}@broker:5672/%2F",
        f"redis+sentinel://:{HEX}@one:26379,two:26379/desk/0?sentinel_password={HEX}",
        "memory://",
        "sqlite+aiosqlite:///console.sqlite3",
        "unix:///run/redis.sock",
        "postgresql+asyncpg:///name?host=/run/postgresql",
        f"postgresql+asyncpg://database/name?user=role&password={HEX}",
    ],
)
def test_a_strong_secret_and_a_local_address_pass(value):
    check(Secret("DESK_X", value))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (key(bytes(32)), SecretKind.KEYS),
        (key(b"ab" * 16), SecretKind.KEYS),
        (key(LONG[:16]), SecretKind.KEYS),
        (key(LONG[:48]), SecretKind.KEYS),
        (f"k1:{GOOD_KEY},k2:{key(bytes(32))}", SecretKind.KEYS),
        ("not base64 at all!", SecretKind.KEYS),
        (key(LONG[:31]), SecretKind.INDEX_KEY),
        ("seven77", SecretKind.ISSUED),
    ],
)
def test_a_weak_key_is_refused(value, kind):
    with pytest.raises(WeakSecretError):
        check(Secret("DESK_X", value, kind))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (GOOD_KEY, SecretKind.KEYS),
        (f"k2:{key(LONG[:32])},k1:{key(LONG[32:])}", SecretKind.KEYS),
        (key(LONG[:64]), SecretKind.INDEX_KEY),
        ("bus-7391", SecretKind.ISSUED),
    ],
)
def test_a_strong_key_and_a_short_issued_secret_pass(value, kind):
    check(Secret("DESK_X", value, kind))


def test_random_keys_pass():
    for _ in range(2_000):
        check(Secret("DESK_X", key(os.urandom(32)), SecretKind.KEYS))


def test_equal_secrets_are_found_by_their_bytes():
    vault = Secret("DESK_VAULT", f"k2:{key(os.urandom(32))},k1:{GOOD_KEY}", SecretKind.KEYS)
    index = Secret("DESK_INDEX", GOOD_KEY, SecretKind.INDEX_KEY)
    [fault] = faults([vault, index])
    assert fault == "DESK_INDEX is equal to DESK_VAULT; every secret must be its own"


def test_one_account_may_be_in_two_settings():
    password = token_hex(12)
    operator = Secret("DESK_AMQP", f"amqp://operator:{password}@broker/")
    assert faults([operator, Secret("DESK_PASSWORDS.operator", password, user="operator")]) == []
    assert len(faults([operator, Secret("DESK_PASSWORDS.intake", password, user="intake")])) == 1


def test_databases_of_one_redis_are_one_account():
    first, second = (Secret(f"DESK_{number}", f"redis://:a-password-of-redis@cache:6379/{number}") for number in (0, 1))
    assert faults([first, second]) == []


@pytest.mark.parametrize(
    ("mode", "closed"), [(0o400, True), (0o640, True), (0o604, False), (0o602, False), (0o777, False)]
)
def test_files_are_closed_to_others_also_behind_links(tmp_path, mode, closed):
    target = tmp_path / "..data"
    target.mkdir()
    (target / "DESK_KEY").write_text("x")
    (target / "DESK_KEY").chmod(mode)
    (tmp_path / "DESK_KEY").symlink_to("..data/DESK_KEY")
    assert (faults_of_files(tmp_path) == []) is closed


@pytest.mark.parametrize("kind", [SecretKind.KEYS, SecretKind.INDEX_KEY])
def test_a_key_that_begins_like_an_address_is_a_key(kind):
    value = f"k1:{key(bytes([255, 255, *range(30)]))}"
    assert value.startswith("k1://")
    secret = Secret("VAULT_KEYS", value, kind)
    check(secret)
    assert secret.materials() == [bytes([255, 255, *range(30)])]
    with pytest.raises(WeakSecretError):
        check(Secret("VAULT_KEYS", f"k1:{key(bytes([255, 255]))}", kind))
