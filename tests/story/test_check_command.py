"""``desk-<service> check`` on real servers: nothing to say about a working deployment, and one line per problem."""

import os
import secrets
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from support.real_desk import RealDesk
from support.real_service import setting

from desk.testing.ports import free_port

SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")


def check(desk: RealDesk, service: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the settings of a running service, some of them changed."""
    settings = desk[service].environment | {setting(service, name): value for name, value in changed.items()}
    program = f"from desk.{service.replace('-', '_')}.main import main; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")} | settings
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program, "check"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def with_user(url: str, user: str) -> str:
    """Return an address with another user, whom the server does not know."""
    return url.replace(f"//{urlsplit(url).username}:", f"//{user}:", 1)


@pytest.mark.parametrize("service", SERVICES)
def test_a_working_deployment_has_no_problems(clean_desk: RealDesk, service: str):
    done = check(clean_desk, service)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"desk-{service}: the settings are valid, and all of these answer: ")


def test_each_problem_has_a_line_with_its_setting_and_no_secret(clean_desk: RealDesk):
    intake, port = clean_desk["intake"].environment, free_port()
    database, broker = intake["DESK_INTAKE_DATABASE_URL"], intake["DESK_INTAKE_BROKER_URL"]
    done = check(
        clean_desk,
        "intake",
        DATABASE_URL=with_user(database, "another"),
        BROKER_URL=with_user(broker, "another"),
        BUDGET_URL=f"redis://:{secrets.token_urlsafe(24)}@127.0.0.1:{port}/0",
        S3_BUCKET="no-such-bucket",
        SCANNER_URL=f"tcp://127.0.0.1:{port}",
        CAPTCHA_URL=f"http://127.0.0.1:{port}",
        REGISTRY_URL="http://registry-gateway.invalid",
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 1, done.stdout
    assert [line.partition(": ")[2].partition(": ")[0].removeprefix("DESK_INTAKE_") for line in lines] == [
        "DATABASE_URL",
        "BROKER_URL",
        "BUDGET_URL",
        "S3_ENDPOINT",
        "SCANNER_URL",
        "CAPTCHA_URL",
        "REGISTRY_URL",
    ], done.stderr
    for secret in ("DESK_INTAKE_S3_SECRET_KEY", "DESK_INTAKE_VAULT_KEYS", "DESK_INTAKE_INDEX_KEY"):
        assert intake[secret] not in done.stderr
    for url in (database, broker):
        assert urlsplit(url).password not in done.stderr


def test_a_database_without_migrations_and_a_broker_without_queues_are_named(clean_desk: RealDesk, tmp_path):
    done = check(clean_desk, "tracking", DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "DESK_TRACKING_DATABASE_URL: SchemaOutdatedError: the schema is missing" in line
    assert "run `migrate`" in line


def test_a_setting_that_is_not_valid_has_a_line_too(clean_desk: RealDesk):
    done = check(clean_desk, "notifier", SMTP_TLS="ssl")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("desk-notifier: DESK_NOTIFIER_SMTP_TLS")
