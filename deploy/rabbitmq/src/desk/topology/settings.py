"""Settings of the command."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import DeskSettings
from desk.security.secrets import Secret, faults, faults_of_files
from desk.topology.errors import TopologyError


class Settings(DeskSettings):
    """Read once, at the start of the command; every variable is prefixed ``DESK_TOPOLOGY_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_TOPOLOGY_")

    management_url: SecretStr | None = None
    """``http://administrator:password@host:15672``, for ``apply``."""
    amqp_url: SecretStr | None = None
    """``amqp://operator:password@host:5672/vhost``, for ``dead-letters`` and ``desk-support``."""
    health_urls: dict[str, str] = Field(
        default_factory=lambda: {
            name: f"http://{name}:9000" for name in ("captcha", "registry-gateway", "intake", "tracking", "notifier")
        }
    )
    """The ports for health that ``desk-support`` asks, by service, as a JSON object; each address of a name is a
    replica. By default ``http://<service>:9000`` of every service."""
    vhost: str = "/"
    passwords: dict[str, SecretStr] = Field(default_factory=dict)
    """Users' passwords as a JSON object, ``{"intake": "…"}``."""
    passwords_folder: Path | None = None
    """A folder with one file per user that holds the password. The file is named after the user and has precedence."""

    def require(self, name: str) -> str:
        """Return an address that must be set. Raises TopologyError if it is not."""
        value: SecretStr | None = getattr(self, name)
        if value is None:
            raise TopologyError(f"set {self.model_config.get('env_prefix')}{name.upper()}")
        return value.get_secret_value()

    def passwords_by_user(self) -> dict[str, str]:
        """Return the passwords from both sources. Raises TopologyError if a file cannot be read."""
        given = {user: password.get_secret_value() for user, password in self.passwords.items()}
        if self.passwords_folder is not None:
            try:
                given |= _passwords_in(self.passwords_folder)
            except (OSError, UnicodeDecodeError) as error:
                raise TopologyError(f"cannot read the passwords in {self.passwords_folder}: {error}") from None
        return {user: password for user, password in given.items() if password}


def _passwords_in(folder: Path) -> dict[str, str]:
    if found := faults_of_files(folder):
        raise TopologyError("; ".join(found))
    # Kubernetes mounts a secret with hidden folders in the same place.
    paths = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    passwords = {path.name: path.read_text().rstrip("\r\n") for path in paths}
    if found := faults(Secret(f"the password of {user}", password) for user, password in passwords.items()):
        raise TopologyError("; ".join(found))
    return passwords
