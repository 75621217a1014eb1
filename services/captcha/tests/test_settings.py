import pytest
from pydantic import ValidationError
from redis.asyncio import BlockingConnectionPool

from desk.captcha.app import real_parts
from desk.captcha.domain import choose_answer
from desk.captcha.settings import Settings
from desk.chassis.crypto import new_secret
from desk.testing.service_keys import key_pair

KEYS = {"index_key": new_secret(), "service_private_key": key_pair("captcha")[0], "service_public_keys": {}}


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DESK_CAPTCHA_REDIS_URL", "redis://:a-password-of-redis@cache:6379/1")
    monkeypatch.setenv("DESK_CAPTCHA_ISSUE_BUDGET", "60/5 minutes")
    monkeypatch.setenv("DESK_CAPTCHA_INDEX_KEY", new_secret())
    monkeypatch.setenv("DESK_CAPTCHA_SERVICE_PUBLIC_KEYS", "{}")
    monkeypatch.setenv("DESK_CAPTCHA_SERVICE_PRIVATE_KEY", key_pair("captcha")[0])

    settings = Settings()

    assert settings.redis_url.get_secret_value() == "redis://:a-password-of-redis@cache:6379/1"
    assert settings.issue_budget == "60/5 minutes"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("limit", ["", "many", "0/minute", "5/0 minutes", "5 per fortnight"])
def test_an_invalid_limit_is_refused_at_the_start(limit):
    with pytest.raises(ValidationError):
        Settings(**KEYS, redis_url="redis://:a-password-of-redis@cache:6379", issue_budget=limit)


def test_no_setting_fixes_the_answer(monkeypatch):
    monkeypatch.setattr("desk.captcha.app.configure_logging", lambda *_: None)
    monkeypatch.setenv("DESK_CAPTCHA_ANSWER", "12345")
    monkeypatch.setenv("DESK_CAPTCHA_CHOOSE_ANSWER", "12345")

    parts = real_parts(Settings(**KEYS, redis_url="redis://:a-password-of-redis@cache:6379"))

    assert not [name for name in Settings.model_fields if "answer" in name]
    assert parts.choose_answer is choose_answer


def test_connections_and_timeouts_of_redis_are_limited(monkeypatch):
    monkeypatch.setattr("desk.captcha.app.configure_logging", lambda *_: None)

    pool = real_parts(
        Settings(**KEYS, redis_url="redis://:a-password-of-redis@cache:6379", redis_connections=7)
    ).redis.connection_pool

    assert isinstance(pool, BlockingConnectionPool)
    assert pool.max_connections == 7
    assert pool.connection_kwargs["socket_timeout"] == 1
    assert pool.connection_kwargs["socket_connect_timeout"] == 1
