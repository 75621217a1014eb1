"""Both packages for offices work without the desk, and declare every library that they import."""

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

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "expert", ROOT / "expert-kit"]

PROGRAM = """
import sys
sys.path[:0] = [{installed!r}, {libraries!r}]  # libraries alone: without site no .pth leads to the desk
import importlib.util, json
import desk.expert, desk.expert_kit.run
others = [each for each in ("chassis", "iran", "topology", "local") if importlib.util.find_spec("desk." + each)]
print(json.dumps({{"others": others, "at": desk.expert.__file__}}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the two packages with pip into an empty folder."""
    folder = tmp_path_factory.mktemp("alone")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *PACKAGES], check=True, timeout=120)  # noqa: S603
    return folder


def run_alone(program, installed):
    libraries = sysconfig.get_paths()["purelib"]
    text = program.format(installed=str(installed), libraries=libraries)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-S", "-I", "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_packages_import_without_the_desk(installed):
    answer = run_alone(PROGRAM, installed)
    assert answer["at"].startswith(str(installed))
    assert answer["others"] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_declares_every_library_it_imports(package):
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split("[<>=]", each)[0] for each in project["dependencies"]}
    owners = packages_distributions()
    imports = (
        {module for path in (package / "src").rglob("*.py") for module in imported(path)}
        - sys.stdlib_module_names
        - {"desk"}
    )
    assert imports
    for module in imports:
        assert {each.lower() for each in owners[module]} & named, module


def imported(path):
    """Return the top-level modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_kit_installs_its_command_and_the_contract(installed):
    assert (installed / "bin" / "desk-expert").exists()
    shipped = installed / "desk" / "expert_kit" / "desk.asyncapi.json"
    assert not shipped.is_symlink()
    assert shipped.read_text(encoding="utf-8") == (ROOT / "contracts" / "desk.asyncapi.json").read_text(
        encoding="utf-8"
    )
