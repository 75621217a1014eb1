"""The command ``desk-privacy`` with the settings of a running desk."""

import json
import os
import subprocess
import sys
from typing import Any

from support.real_desk import RealDesk


def privacy(desk: RealDesk, *arguments: str) -> Any:
    """Run ``desk-privacy``; return its JSON, or its text."""
    command = [sys.executable, "-c", "from desk.tracking.privacy import main; main()", *arguments]
    environment = os.environ | desk["tracking"].environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout
