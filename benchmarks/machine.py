"""What the figures were measured on."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
from benchmarks.servers import Servers

CHECKOUT = Path(__file__).resolve().parents[1]
GB = 1024**3


def machine(servers: Servers) -> Mapping[str, str]:
    """Return the facts by name, as text."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Commit": _commit(),
        "CPU": f"{_cpu_model()}, {psutil.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / GB:.0f} GB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": servers.postgres.check(),
        "RabbitMQ": servers.rabbit.check(),
        "Redis": servers.redis.check(),
        "nginx": _output("nginx", "-v").rpartition("/")[2],
        "Load at the end": f"{os.getloadavg()[0]:.1f} processes in the last minute",
    }


def _commit() -> str:
    commit = _output("git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD")
    changed = _output("git", "-C", str(CHECKOUT), "status", "--porcelain", "--untracked-files=no")
    return f"{commit}, with uncommitted changes" if changed else commit


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    return done.stdout.strip()
