"""Environment variables are validated before nginx starts, and errors name the variable."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from gateway.conftest import SERVICES, START, OpenGateway

from desk.testing.errors import ServerFailedError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen", "eighty"),
        ("listen", "8080; root /"),
        ("intake", "intake"),
        ("intake", "intake:8000; evil"),
        ("intake", "intake:8000 }"),
        ("tracking", "$(id):80"),
        ("trusted_proxies", "10.0.0.0/8;"),
        ("trusted_proxies", "everyone"),
        ("resolver", "127.0.0.11 valid=1"),
        ("hosts", "desk.example.ir;"),
        ("hosts", "*"),
        ("workers", "many"),
        ("tls_folder", "relative"),
    ],
)
def test_an_invalid_setting_is_named(setting: str, value: str, start_gateway: OpenGateway):
    with pytest.raises(ServerFailedError, match=f"gateway: DESK_GATEWAY_{setting.upper()}: .* is not"):
        start_gateway(**{setting: value})


def test_the_script_needs_only_its_own_folder(tmp_path: Path):
    """It runs as an account without a name on a read-only root; only its folder is writable."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "grep", "tr", "cut", "cp", "mkdir", "dirname"):
        (programs / name).symlink_to(
            next(Path(place, name) for place in ("/bin", "/usr/bin") if Path(place, name).exists())
        )
    fake = programs / "nginx"
    fake.write_text('#!/bin/sh\nif [ "$1" = -v ]; then echo "nginx version: nginx/1.28.1" >&2; else echo "$*"; fi\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    environment = {
        "PATH": str(programs),
        "DESK_GATEWAY_FOLDER": str(tmp_path / "laid"),
        "DESK_GATEWAY_RESOLVER": "127.0.0.11",
    }
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", str(START)], env=environment, capture_output=True, text=True, check=True, cwd=os.sep
    )
    assert done.stderr == ""
    assert "daemon off; worker_processes auto;" in done.stdout
    settings = (tmp_path / "laid" / "settings.conf").read_text(encoding="utf-8")
    for service in SERVICES:  # what a newer nginx than the one on this machine gets
        assert f"server {service}:8000 max_fails=0 resolve;" in settings
    assert "resolver 127.0.0.11 valid=5s;" in settings
    assert (tmp_path / "laid" / "nginx.conf").read_text(encoding="utf-8") == (START.parent / "nginx.conf").read_text(
        encoding="utf-8"
    )
