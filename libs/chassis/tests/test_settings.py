"""Settings from the environment and from a folder of secrets."""

import subprocess
import sys

import pytest
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from desk.chassis.crypto import new_secret
from desk.chassis.settings import DeskSettings, LogSettings

INDEX_KEY, OTHER_KEY = new_secret(), new_secret()


class MakerSettings(LogSettings):
    """Settings of an imaginary service."""

    model_config = SettingsConfigDict(env_prefix="DESK_MAKER_")

    index_key: SecretStr
    passwords: dict[str, SecretStr] = Field(default_factory=dict)
    port: int = 25


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_SECRETS_DIR", str(tmp_path))
    return tmp_path


def put(file, text):
    file.write_text(text)
    file.chmod(0o440)


def test_a_secret_is_read_from_the_file_of_its_full_name(folder):
    put(folder / "DESK_MAKER_INDEX_KEY", f"{INDEX_KEY}\n")
    settings = MakerSettings()
    assert settings.index_key.get_secret_value() == INDEX_KEY
    assert INDEX_KEY not in repr(settings)


def test_secrets_may_be_mounted_as_kubernetes_does(folder):
    (folder / "..2026_01").mkdir()
    put(folder / "..2026_01" / "DESK_MAKER_INDEX_KEY", INDEX_KEY)
    (folder / "..data").symlink_to("..2026_01")
    (folder / "DESK_MAKER_INDEX_KEY").symlink_to("..data/DESK_MAKER_INDEX_KEY")
    assert MakerSettings().index_key.get_secret_value() == INDEX_KEY


def test_a_table_of_secrets_is_read_as_json(folder):
    put(folder / "DESK_MAKER_INDEX_KEY", INDEX_KEY)
    put(folder / "DESK_MAKER_PASSWORDS", '{"intake": "one of the passwords"}')
    assert MakerSettings().passwords["intake"].get_secret_value() == "one of the passwords"


def test_the_environment_takes_precedence_over_the_file(folder, monkeypatch):
    put(folder / "DESK_MAKER_INDEX_KEY", INDEX_KEY)
    monkeypatch.setenv("DESK_MAKER_INDEX_KEY", OTHER_KEY)
    assert MakerSettings().index_key.get_secret_value() == OTHER_KEY


def test_a_setting_in_neither_source_is_missing(folder):
    with pytest.raises(ValidationError, match="index_key"):
        MakerSettings()


def test_a_wrong_value_in_a_file_is_reported_without_the_value(folder):
    put(folder / "DESK_MAKER_INDEX_KEY", INDEX_KEY)
    put(folder / "DESK_MAKER_PORT", "hush")
    with pytest.raises(ValidationError) as refused:
        MakerSettings()
    assert "hush" not in str(refused.value)


def test_a_missing_folder_is_an_error_and_not_a_warning(folder, monkeypatch):
    monkeypatch.setenv("DESK_SECRETS_DIR", str(folder / "nowhere"))
    monkeypatch.setenv("DESK_MAKER_INDEX_KEY", INDEX_KEY)
    with pytest.raises(SettingsError, match=r"DESK_SECRETS_DIR: cannot read the secrets in .*nowhere"):
        MakerSettings()


def test_a_file_that_is_not_text_is_an_error_without_its_content(folder):
    (folder / "DESK_MAKER_INDEX_KEY").write_bytes(b"\xffhush")
    (folder / "DESK_MAKER_INDEX_KEY").chmod(0o440)
    with pytest.raises(SettingsError, match="DESK_SECRETS_DIR") as refused:
        MakerSettings()
    assert "hush" not in str(refused.value)


def test_without_a_folder_only_the_environment_counts(monkeypatch):
    monkeypatch.delenv("DESK_SECRETS_DIR", raising=False)
    monkeypatch.setenv("DESK_MAKER_INDEX_KEY", INDEX_KEY)
    assert MakerSettings().index_key.get_secret_value() == INDEX_KEY
    assert issubclass(MakerSettings, DeskSettings)


@pytest.mark.parametrize(
    ("command", "arguments"), [("captcha", ["serve"]), ("intake", ["migrate"]), ("topology", ["apply"])]
)
def test_a_command_reports_unreadable_secrets_in_one_line(command, arguments, tmp_path):
    program = f"from desk.{command}.main import main; main()"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program, *arguments],
        env={"DESK_SECRETS_DIR": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"desk-{command}: DESK_SECRETS_DIR: cannot read the secrets" in done.stderr
