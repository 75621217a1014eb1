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


def run_with_fake_nginx(folder: Path, nginx: str) -> subprocess.CompletedProcess[str]:
    """Run the script with only these programs, and a shell script in place of nginx."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("sh", "grep", "tr", "cut", "cp", "mkdir", "dirname", "seq", "sleep", "cat"):
        (programs / name).symlink_to(
            next(Path(place, name) for place in ("/bin", "/usr/bin") if Path(place, name).exists())
        )
    fake = programs / "nginx"
    fake.write_text(f'#!/bin/sh\nif [ "$1" = -v ]; then echo "nginx version: nginx/1.28.1" >&2; exit; fi\n{nginx}\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    environment = {
        "PATH": str(programs),
        "DESK_GATEWAY_FOLDER": str(folder / "laid"),
        "DESK_GATEWAY_RESOLVER": "127.0.0.11",
    }
    return subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", str(START)], env=environment, capture_output=True, text=True, check=False, cwd=os.sep
    )


def test_the_script_needs_only_its_own_folder(tmp_path: Path):
    """It runs as an account without a name on a read-only root; only its folder is writable."""
    done = run_with_fake_nginx(tmp_path, 'echo "$*"')
    assert (done.returncode, done.stderr) == (0, "")
    assert "daemon off; worker_processes auto;" in done.stdout
    settings = (tmp_path / "laid" / "settings.conf").read_text(encoding="utf-8")
    for service in SERVICES:  # what a newer nginx than the one on this machine gets
        assert f"server {service}:8000 max_fails=0 resolve;" in settings
    assert "resolver 127.0.0.11 valid=5s;" in settings
    assert (tmp_path / "laid" / "nginx.conf").read_text(encoding="utf-8") == (START.parent / "nginx.conf").read_text(
        encoding="utf-8"
    )


def test_it_waits_while_names_cannot_be_resolved(tmp_path: Path):
    tried = tmp_path / "tried"
    done = run_with_fake_nginx(
        tmp_path,
        f'[ "$1" = -t ] || {{ echo "serving"; exit; }}\n'
        f'echo x >>{tried}\n[ "$(cat {tried})" = "$(printf \'x\\nx\\nx\')" ] && exit\n'
        'echo "host not found in upstream \\"intake:8000\\"" >&2; exit 1',
    )
    assert (done.returncode, done.stdout) == (0, "serving\n")
    assert done.stderr == 'gateway: waiting for the name server: host not found in upstream "intake:8000"\n'
    assert len(tried.read_text(encoding="utf-8").split()) == 3


def test_it_does_not_wait_after_another_error(tmp_path: Path):
    done = run_with_fake_nginx(tmp_path, 'echo "unknown directive" >&2; exit 1')
    assert (done.returncode, done.stderr) == (1, "unknown directive\n")


def test_it_stops_while_it_waits(tmp_path: Path):
    """The name ``.invalid`` is never resolved (RFC 6761)."""
    environment = {"DESK_GATEWAY_FOLDER": str(tmp_path / "nginx"), "DESK_GATEWAY_INTAKE": "intake.invalid:8000"}
    with subprocess.Popen(  # noqa: S603 - our own script
        ["/bin/sh", str(START)], env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as begun:
        assert begun.stderr is not None
        assert "waiting for the name server" in begun.stderr.readline()
        begun.terminate()
        assert begun.wait(timeout=30) == 0
