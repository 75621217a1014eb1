"""The overlays as kustomize renders them, and the tools and files that the tests compare them with."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TOOLS = Path(os.environ.get("DESK_TOOLS_CACHE", ROOT / ".cache" / "tools")) / "bin"
OVERLAYS = ("local", "production")
GIVEN = ("S3_ACCESS_KEY", "S3_SECRET_KEY", "BACKUP_ACCESS_KEY", "BACKUP_SECRET_KEY", "SMTP_PASSWORD")
INSTALL = "run deploy/k8s/tests/install-tools, which says what it cannot get"

Entry = dict[str, Any]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own commands and the tools that were installed for this
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=240, check=False
    )


def kustomize(folder: Path) -> str:
    """Render a folder as kubectl would apply it."""
    kubectl = TOOLS / "kubectl"
    if not kubectl.exists():
        pytest.fail(f"kubectl is not installed: {INSTALL}", pytrace=False)
    done = run(str(kubectl), "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Overlay:
    """One overlay: the objects that would be applied, and its secrets."""

    name: str
    text: str

    @cached_property
    def objects(self) -> list[Entry]:
        return [each for each in yaml.safe_load_all(self.text) if each]

    def of(self, *kinds: str) -> Iterator[Entry]:
        return (each for each in self.objects if each["kind"] in kinds)

    def one(self, kind: str, name: str) -> Entry:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    @cached_property
    def workloads(self) -> dict[str, Entry]:
        """Pod templates by the name of their controller."""
        made = self.of("Deployment", "StatefulSet", "Job", "CronJob")
        return {each["metadata"]["name"]: template_of(each) for each in made}

    @cached_property
    def configuration(self) -> dict[str, dict[str, str]]:
        """ConfigMaps by name; each name ends in a hash of the content."""
        return {each["metadata"]["name"]: each.get("data") or {} for each in self.of("ConfigMap")}

    @cached_property
    def secrets(self) -> dict[str, dict[str, str]]:
        """The Secrets that make-secrets prints for this overlay."""
        return secrets_of(self.name)


def secrets_of(overlay: str, **more: str) -> dict[str, dict[str, str]]:
    """Run make-secrets with the required settings of production, and more."""
    script = str(ROOT / "deploy" / "k8s" / "make-secrets")
    given = {name: f"given {name}" for name in (*GIVEN, "CIVIL_REGISTRY_PASSWORD")}
    done = run(sys.executable, script, overlay, **given, **more)
    assert done.returncode == 0, done.stderr
    return {
        each["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in each["data"].items()}
        for each in json.loads(done.stdout)["items"]
    }


def template_of(made: Entry) -> Entry:
    spec = made["spec"]
    return spec["jobTemplate"]["spec"]["template"] if made["kind"] == "CronJob" else spec["template"]


@pytest.fixture(scope="session")
def overlays() -> Mapping[str, Overlay]:
    folder = ROOT / "deploy" / "k8s" / "overlays"
    return {name: Overlay(name, kustomize(folder / name)) for name in OVERLAYS}


@pytest.fixture(scope="session")
def sovereign() -> Overlay:
    """The trial with the images of the sovereign build."""
    return Overlay("sovereign", kustomize(ROOT / "deploy" / "k8s" / "overlays" / "sovereign"))


@pytest.fixture(scope="session")
def console() -> Overlay:
    """The console of an office."""
    return Overlay("console", kustomize(ROOT / "deploy" / "k8s" / "console"))


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, overlays: Mapping[str, Overlay]) -> Overlay:
    return overlays[request.param]


@pytest.fixture
def make_secrets() -> Callable[..., dict[str, dict[str, str]]]:
    """Run make-secrets for an overlay, with additional environment variables."""
    return secrets_of


@pytest.fixture
def local(overlays: Mapping[str, Overlay]) -> Overlay:
    return overlays["local"]


@pytest.fixture
def production(overlays: Mapping[str, Overlay]) -> Overlay:
    return overlays["production"]


Tool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Run one of the installed tools; the test fails if it is missing."""

    def start(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = TOOLS / name
        if not program.exists():
            pytest.fail(f"{name} is not installed: {INSTALL}", pytrace=False)
        return run(str(program), *arguments)

    return start


@pytest.fixture(scope="session")
def start() -> Tool:
    """Run a command of the project in the checkout."""
    return run


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def compose() -> dict[str, Entry]:
    """The services of docker-compose.yml."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


@pytest.fixture
def with_component(tmp_path: Path) -> Callable[[str, str], Overlay]:
    """Render an overlay with a component, as an overlay of a site names both."""

    def render(overlay: str, component: str) -> Overlay:
        parts = {"resources": f"overlays/{overlay}", "components": f"components/{component}"}
        named = {kind: [os.path.relpath(ROOT / "deploy" / "k8s" / part, tmp_path)] for kind, part in parts.items()}
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(named))
        return Overlay(overlay, kustomize(tmp_path))

    return render
