"""Rules, dashboards and promtool for the tests of what operators watch."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
HERE = ROOT / "deploy" / "observability"
Rule = dict[str, Any]
Promtool = Callable[..., subprocess.CompletedProcess[str]]


def read_rules() -> dict[str, list[Rule]]:
    """Return the rules by file."""
    return {
        file.name: [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
        for file in sorted((HERE / "rules").glob("*.yaml"))
    }


def alerts_of(rules: dict[str, list[Rule]]) -> dict[str, Rule]:
    return {rule["alert"]: rule for of_file in rules.values() for rule in of_file if "alert" in rule}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def rules() -> dict[str, list[Rule]]:
    return read_rules()


@pytest.fixture(scope="session")
def alerts(rules: dict[str, list[Rule]]) -> dict[str, Rule]:
    return alerts_of(rules)


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Run promtool; the test fails if it is missing."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is missing: run tests/install-servers, which says what it cannot install", pytrace=False)

    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [program, *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)  # noqa: S603 - Debian's promtool

    return start
