"""The base of all settings: read from the environment and from a folder of secrets, and refused if a secret is weak."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from desk.security.secrets import Secret, SecretKind, faults, faults_of_files, is_plain

REQUIRE_TLS = "DESK_REQUIRE_TLS"
"""``1`` refuses settings with a connection to a store, the broker or the mail server that is not encrypted."""
SECRETS_DIR = "DESK_SECRETS_DIR"
"""Names a folder with one file per setting, e.g. ``DESK_INTAKE_INDEX_KEY``, as Kubernetes and Docker mount secrets."""


class DeskSettings(BaseSettings):
    """Base of all settings. Error messages never contain a setting's value, which may be a secret.

    A setting comes from the environment, or else from the file of its name in the folder ``DESK_SECRETS_DIR``.
    Raises SettingsError if that folder, or a file in it, cannot be read, or others may read it. Raises ValidationError
    if a secret is empty, well-known, too short, or equal to another one.
    """

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced: its folder is fixed at import
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order of precedence."""
        folder = os.environ.get(SECRETS_DIR)
        return (init_settings, env_settings, *([_SecretFiles(settings_cls, folder)] if folder else []))

    @model_validator(mode="after")
    def _check_secrets(self) -> Self:
        found = faults(secrets_of(self))
        if os.environ.get(REQUIRE_TLS) == "1":
            found += [f"{name}: the connection must be encrypted, since {REQUIRE_TLS} is 1" for name in self.plain()]
        if found:
            raise ValueError("\n".join(found))
        return self

    def plain(self) -> list[str]:
        """Return the names of the settings with a connection that is not encrypted."""
        return [each.name for each in secrets_of(self) if each.in_address and is_plain(each.value)]


class _SecretFiles(SecretsSettingsSource):
    """Files of secrets. A missing folder is an error: otherwise a service would start without its password."""

    def __call__(self) -> dict[str, Any]:
        folder = Path(str(self.secrets_dir))
        try:
            _check_folder(folder)
            return super().__call__()
        except SettingsError as error:  # names the setting, never its value
            raise SettingsError(f"{SECRETS_DIR}: cannot read the secrets in {folder}: {error}") from None
        except OSError as error:
            raise SettingsError(f"{SECRETS_DIR}: cannot read the secrets in {folder}: {type(error).__name__}") from None


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(str(folder))
    if found := faults_of_files(folder):
        raise SettingsError("; ".join(found))


def secrets_of(settings: BaseSettings) -> list[Secret]:
    """Return every secret that is set, under the name of its environment variable. A default is no secret."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    return list(_walk(settings, prefix.upper()))


def fault_lines(error: ValidationError, prefix: str) -> list[str]:
    """Return a line per fault of settings, with the name of the environment variable and without its value."""
    lines: list[str] = []
    for part in error.errors(include_input=False, include_url=False):
        name, text = ".".join(map(str, part["loc"])), part["msg"].removeprefix("Value error, ")
        lines += [f"{prefix}{name.upper()}: {text}"] if name else text.splitlines()
    return lines


def _walk(model: BaseModel, prefix: str) -> Iterator[Secret]:
    for name, field in type(model).model_fields.items():
        if name in model.model_fields_set:
            kind = next((each for each in field.metadata if isinstance(each, SecretKind)), SecretKind.OPERATOR)
            yield from _secrets_in(getattr(model, name), f"{prefix}{name.upper()}", kind)


def _secrets_in(value: object, name: str, kind: SecretKind, user: str | None = None) -> Iterator[Secret]:
    match value:
        case SecretStr():
            yield Secret(name, value.get_secret_value(), kind, user)
        case BaseModel():
            yield from _walk(value, f"{name}.")
        case dict():
            for key, each in value.items():
                yield from _secrets_in(each, f"{name}.{key}", kind, key)
        case list() | tuple():
            for place, each in enumerate(value, 1):
                yield from _secrets_in(each, f"{name}.{place}", kind)
