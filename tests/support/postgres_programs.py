"""pg_dump and pg_restore on the database of an address."""

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from desk.testing.errors import NotInstalledError
from desk.testing.process import find_program


def run_program(url: str, program: str, *arguments: str, given: bytes = b"") -> bytes:
    """Run a program of PostgreSQL on a database, and return its output; skip the test if it is not installed."""
    parts = make_url(url)
    folders = sorted(str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    try:
        found = find_program(program, *folders[-1:])
    except NotInstalledError as reason:
        pytest.skip(str(reason))
    where = ["-h", str(parts.host), "-p", str(parts.port), "-U", str(parts.username), "-d", str(parts.database)]
    done = subprocess.run(  # noqa: S603 - a program found on this machine, with our arguments
        [found, *where, *arguments],
        env=os.environ | {"PGPASSWORD": str(parts.password)},
        input=given,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
