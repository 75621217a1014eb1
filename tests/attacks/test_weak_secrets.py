"""No program starts with a secret that is empty, well-known, too short, equal to another, or readable by others.

The secrets are found in the settings classes, so that a new one is covered by itself.
"""

import base64
import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, get_args, get_origin
from urllib.parse import quote

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from desk.chassis.crypto import new_key_pair, new_secret
from desk.chassis.event_encryption import new_event_key_pair
from desk.chassis.settings import PublisherSettings
from desk.contracts.settings import PROGRAMS
from desk.security.secrets import SecretKind
from desk.testing.event_keys import event_public_keys

MODULES = {"desk-topology": "topology", "desk-probe": "probe"}
ARGUMENTS = {"desk-topology": ["apply"], "desk-probe": ["run"]}
ADDRESSES = {
    "database_url": "postgresql+asyncpg://role:{}@database/name",
    "owner_database_url": "postgresql+asyncpg://owner:{}@database/name",
    "broker_url": "amqp://user:{}@broker/%2F",
    "amqp_url": "amqp://operator:{}@broker/%2F",
    "management_url": "http://administrator:{}@broker:15672",
}
REDIS = "redis://:{}@{}:6379/0"
PLAIN = {
    "adapter": "simulator",
    "smtp_host": "mail",
    "mail_from": "desk@example.ir",
    "sms": "shown",
    "s3_endpoint": "s3:9000",
    "scanner_url": "tcp://clamav:3310",
}
KEY_OF_TABLE = "isfahan"


@dataclass(frozen=True)
class Found:
    """A secret of a program: its field, and the fields of models around it."""

    program: str
    path: tuple[str, ...]
    keys: bool
    listed: bool = False
    """Whether the setting is a list of secrets."""

    @property
    def field(self) -> str:
        return next(part for part in reversed(self.path) if part != KEY_OF_TABLE)

    @property
    def variable(self) -> str:
        return f"{PROGRAMS[self.program].model_config['env_prefix']}{self.path[0].upper()}"

    @property
    def is_address(self) -> bool:
        return self.field.endswith("url")

    @property
    def is_pem(self) -> bool:
        return self.field.endswith(("private_key", "public_key", "private_keys"))

    def value(self, secret: str) -> str:
        """Return the setting's value around a secret."""
        if self.is_address:
            return ADDRESSES.get(self.field, REDIS.replace("{}:6379", f"{self.field}:6379")).format(quote(secret, ""))
        return secret

    def good(self) -> str:
        if self.listed:
            return new_event_key_pair()[0]
        if self.is_pem:
            return new_key_pair()["public" in self.field]
        return self.value(new_secret())


def secrets_in(program: str, annotation: Any, path: tuple[str, ...], metadata: list[Any]) -> list[Found]:
    if annotation is SecretStr:
        return [Found(program, path, keys=bool({SecretKind.KEYS, SecretKind.INDEX_KEY} & set(metadata)))]
    if annotation == list[SecretStr]:
        return [Found(program, path, keys=False, listed=True)]
    if get_origin(annotation) is dict:
        return secrets_in(program, get_args(annotation)[1], (*path, KEY_OF_TABLE), metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return in_model(program, annotation, path)
    return [found for each in get_args(annotation) for found in secrets_in(program, each, path, metadata)]


def in_model(program: str, model: type[BaseModel], path: tuple[str, ...] = ()) -> list[Found]:
    fields = model.model_fields.items()
    return [
        found
        for name, field in fields
        for found in secrets_in(program, field.annotation, (*path, name), list(map(_hashable, field.metadata)))
    ]


def _hashable(value: object) -> object:
    return value if isinstance(value, SecretKind) else None


EVERY = [found for program, settings in PROGRAMS.items() for found in in_model(program, settings)]


def partner_of(it: Found) -> Found | None:
    """Return another secret of the program that can have the same value."""
    others = [
        each
        for each in EVERY
        if each.program == it.program and each != it and (each.is_pem, each.listed) == (it.is_pem, it.listed)
    ]
    return next((each for each in others if "public" not in each.field + it.field), None)


def environment_of(program: str, **replaced: str) -> dict[str, str]:
    """Return good settings of a program, with some secrets replaced, by the dotted path."""
    settings: type[BaseSettings] = PROGRAMS[program]
    prefix = settings.model_config["env_prefix"]
    values: dict[str, Any] = {}
    for found in (each for each in EVERY if each.program == program):
        *outer, last = found.path
        place = values
        for part in outer:
            place = place.setdefault(part, {})
        secret = replaced.get(".".join(found.path), found.good())
        place[last] = [secret] if found.listed else secret
    if issubclass(settings, PublisherSettings):
        values["event_public_keys"] = event_public_keys(*settings.receivers)
    for name, field in settings.model_fields.items():
        if field.is_required() and name not in values:
            plain = "{}" if get_origin(field.annotation) is dict else "http://host"
            values[name] = PLAIN.get(name, plain)
    return {
        f"{prefix}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


WEAK = {
    "empty": None,
    "default": "changeme",
    "too short": "Xy7-q2",
    "32 zero bytes": base64.b64encode(bytes(32)).decode(),
}


@pytest.fixture
def start(monkeypatch):
    """Run a program in this environment until it refuses to start; return what it prints."""

    def start(program: str, environment: dict[str, str]) -> str:
        for name in [name for name in os.environ if name.startswith("DESK_")]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        main = importlib.import_module(f"desk.{MODULES.get(program, program).replace('-', '_')}.main").main
        monkeypatch.setattr(sys, "argv", ["program", *ARGUMENTS.get(program, ["serve"])])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert isinstance(stopped.value.code, str), "a text is printed, and the exit code is 1"
        return stopped.value.code

    return start


def name_of(it: Found) -> str:
    return f"{it.program} {'.'.join(it.path)}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_good_settings_of_these_tests_are_accepted(program, monkeypatch):
    for name, value in environment_of(program).items():
        monkeypatch.setenv(name, value)
    assert PROGRAMS[program]()


def test_the_secrets_of_every_program_are_found():
    assert {each.program for each in EVERY} == PROGRAMS.keys()
    assert len(EVERY) > 30


@pytest.mark.parametrize("weakness", WEAK)
@pytest.mark.parametrize("it", EVERY, ids=name_of)
def test_a_weak_secret_stops_the_start_with_one_line(it, weakness, start):
    secret = WEAK[weakness]
    weak = "" if secret is None else it.value(secret)
    said = start(it.program, environment_of(it.program, **{".".join(it.path): weak}))
    assert it.variable in said
    assert "\n" not in said
    assert not weak or weak not in said


@pytest.mark.parametrize("it", [each for each in EVERY if partner_of(each)], ids=name_of)
def test_two_equal_secrets_stop_the_start_with_one_line(it, start):
    other = partner_of(it)
    secret = new_key_pair()[0] if it.is_pem else new_secret()
    same = {".".join(each.path): each.value(secret) for each in (it, other)}
    said = start(it.program, environment_of(it.program, **same))
    assert it.variable in said
    assert other.variable in said
    assert "equal" in said
    assert "\n" not in said
    assert secret not in said


@pytest.mark.parametrize("mode", [0o444, 0o642, 0o441])
@pytest.mark.parametrize("it", EVERY, ids=name_of)
def test_a_file_that_others_may_use_stops_the_start_with_one_line(it, mode, start, tmp_path):
    environment = environment_of(it.program)
    file = tmp_path / it.variable
    file.write_text(environment.pop(it.variable))
    file.chmod(mode)
    said = start(it.program, environment | {"DESK_SECRETS_DIR": str(tmp_path)})
    assert it.variable in said
    assert "chmod" in said
    assert "\n" not in said


@pytest.mark.parametrize("program", ["captcha", "console"])
def test_the_exit_code_is_1(program):
    variables = environment_of(program)
    variables |= {name: "" for name in variables if name in {"DESK_CAPTCHA_REDIS_URL", "DESK_CONSOLE_KEYS"}}
    command = [sys.executable, "-c", f"from desk.{program}.main import main; main()", "serve"]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert done.stderr.startswith(f"desk-{program}: DESK_{program.upper()}_")
