"""The package stands alone: installed without the desk it imports, and it imports no library that it does not name."""

import ast
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

EXPERT = Path(__file__).parents[1]

PROGRAM = """
import sys
sys.path[:0] = [{installed!r}, {libraries!r}]  # libraries alone: without site no .pth leads to the desk
import importlib.util, json
import desk.expert, desk.expert.kit.run
others = [each for each in ("chassis", "iran", "topology", "local") if importlib.util.find_spec("desk." + each)]
print(json.dumps({{"others": others, "at": desk.expert.__file__}}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package as pip installs it, and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, EXPERT], check=True, timeout=120)  # noqa: S603
    return folder


def told(program, installed):
    libraries = sysconfig.get_paths()["purelib"]
    text = program.format(installed=str(installed), libraries=libraries)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-S", "-I", "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_imports_without_the_desk(installed):
    answer = told(PROGRAM, installed)
    assert answer["at"].startswith(str(installed))
    assert answer["others"] == []


def test_it_names_every_library_it_imports():
    project = tomllib.loads((EXPERT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split("[<>=]", each)[0] for each in project["dependencies"]}
    with_check = named | {re.split("[<>=]", each)[0] for each in project["optional-dependencies"]["check"]}
    owners = packages_distributions()
    for path in (EXPERT / "src").rglob("*.py"):
        allowed = with_check if path.parent.name == "kit" else named
        for module in set(imported(path)) - sys.stdlib_module_names - {"desk"}:
            assert {each.lower() for each in owners[module]} & allowed, f"{path.name} imports {module}"


def imported(path):
    """Name the outermost modules a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_command_comes_with_the_package_and_ships_the_contract(installed):
    assert (installed / "bin" / "desk-expert").exists()
    shipped = installed / "desk" / "expert" / "kit" / "desk.asyncapi.json"
    assert shipped.read_text(encoding="utf-8") == (EXPERT.parent / "contracts" / "desk.asyncapi.json").read_text(
        encoding="utf-8"
    )
