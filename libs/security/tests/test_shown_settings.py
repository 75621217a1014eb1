"""What is shown of settings has no secret in it."""

import json
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.security.secrets import SecretKind
from desk.security.settings import DeskSettings
from desk.security.shown_settings import shown

PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAx\n-----END PUBLIC KEY-----\n"
PASSWORD = "Zx81kq-Gf55tt-Rw09pl"


class Account(BaseModel):
    user: str
    password: SecretStr


class Settings(DeskSettings):
    model_config = SettingsConfigDict(env_prefix="DESK_MAKER_")

    days: int = 3
    name: str = "desk@example.ir"
    plain_url: str = "http://captcha:8000/path?key=5"
    url: SecretStr | None = None
    keys: Annotated[SecretStr | None, SecretKind.KEYS] = None
    word: SecretStr | None = None
    words: dict[str, SecretStr] = Field(default_factory=dict)
    accounts: list[Account] = Field(default_factory=list)
    public: dict[str, str] = Field(default_factory=dict)


def show(**given):
    return shown(Settings(**given))


def test_a_value_that_is_no_secret_is_shown_under_its_name():
    found = show(days=4)
    assert (found["DESK_MAKER_DAYS"], found["DESK_MAKER_NAME"], found["DESK_MAKER_WORD"]) == (
        4,
        "desk@example.ir",
        None,
    )


@pytest.mark.parametrize(
    ("given", "name", "wanted"),
    [
        ({"word": PASSWORD}, "WORD", "(secret)"),
        ({"words": {"intake": PASSWORD}}, "WORDS", {"intake": "(secret)"}),
        (
            {"accounts": [{"user": "desk", "password": PASSWORD}]},
            "ACCOUNTS",
            [{"USER": "desk", "PASSWORD": "(secret)"}],
        ),
        ({"public": {"intake": PEM}}, "PUBLIC", {"intake": "(secret)"}),
        ({"plain_url": f"http://u:{PASSWORD}@host:1/{PASSWORD}?{PASSWORD}"}, "PLAIN_URL", "http://host:1"),
        ({"url": f"redis+sentinel://u:{PASSWORD}@a:1,b:2/0"}, "URL", "redis+sentinel://a:1,b:2"),
        ({"url": f"postgresql+asyncpg://u:{PASSWORD}@postgres/x"}, "URL", "postgresql+asyncpg://postgres"),
        ({"url": f"amqp://u:{PASSWORD}@[::1]:5672/%2F"}, "URL", "amqp://[::1]:5672"),
    ],
)
def test_a_secret_is_not_shown_wherever_it_is(given, name, wanted):
    found = show(**given)
    assert found[f"DESK_MAKER_{name}"] == wanted
    assert PASSWORD not in json.dumps(found)


def test_a_password_with_signs_of_addresses_is_not_shown():
    """Without encoding, a part of it would be taken for the host."""
    assert show(plain_url="http://u:pass/wo#rd@host:1")["DESK_MAKER_PLAIN_URL"] == "(secret)"


def test_keys_that_begin_like_an_address_are_not_shown():
    key = "k1://8" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/="[:38]
    settings = Settings.model_construct(keys=SecretStr(key))
    assert shown(settings)["DESK_MAKER_KEYS"] == "(secret)"
