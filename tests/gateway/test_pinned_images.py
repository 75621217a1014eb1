"""``scripts/pin-images`` against a registry that asks for a token, on copies of Compose's file and the manifests."""

import json
import re
import shutil
import subprocess
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = ("deploy/k8s/base", "deploy/k8s/overlays", "deploy/console")


class Registry(BaseHTTPRequestHandler):
    """Knows every image but those in ``unknown``; a digest depends on the image and on ``version``."""

    version, unknown = "1", frozenset()

    def do_HEAD(self) -> None:
        if self.headers.get("Authorization") != "Bearer good":
            place = f"http://127.0.0.1:{self.server.server_port}/token"
            self._answer(401, {"WWW-Authenticate": f'Bearer realm="{place}",service="images",scope="pull"'})
        elif self.path in self.unknown or "image.index" not in self.headers["Accept"]:
            self._answer(404, {})
        else:
            self._answer(200, {"Docker-Content-Digest": digest(self.path, self.version)})

    def do_GET(self) -> None:
        self._answer(200, {}, json.dumps({"token": "good" if "service=images" in self.path else "bad"}).encode())

    def log_message(self, *_: object) -> None:
        """Do not log requests."""

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def digest(path, version):
    return f"sha256:{sha256(f'{path} {version}'.encode()).hexdigest()}"


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(Registry, "version", "1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tree(tmp_path):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    return tmp_path


def pin(registry, tree):
    return subprocess.run(  # noqa: S603
        [sys.executable, ROOT / "scripts/pin-images", registry, tree],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def contents(tree):
    return {path: path.read_text(encoding="utf-8") for path in sorted(tree.rglob("*.y*ml"))}


def images_of(tree):
    """Read the images that come from a public registry, from all YAML files."""
    found = []

    def visit(node):
        if isinstance(node, dict):
            found.extend(value for key, value in node.items() if key in {"image", "BASE"} and isinstance(value, str))
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            visit(child)

    for text in contents(tree).values():
        for document in yaml.safe_load_all(text):
            visit(document)
    plain = {re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", image) for image in found}
    return {image for image in plain if not image.startswith(("service-desk/", "registry.example.ir/"))}


def test_every_image_from_a_registry_is_named_by_digest(registry, tree):
    before = images_of(tree)
    assert {"postgres:17", "clamav/clamav:1.4", "redis:8", "nginx:1.28-alpine"} <= before

    done = pin(registry, tree)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(before)
    assert images_of(tree) == {
        f"{image}@{digest('/v2/{}/manifests/{}'.format(*name_and_tag(image)), '1')}" for image in before
    }


def name_and_tag(image):
    name, tag = image.split(":")
    return (name if "/" in name else f"library/{name}"), tag


def test_images_of_an_own_registry_are_pinned_in_the_overlay_too(registry, tree):
    overlay = tree / "deploy/k8s/overlays/production"
    host = registry.removeprefix("http://")
    for path in overlay.glob("*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("registry.example.ir", host), encoding="utf-8")

    assert pin(registry, tree).returncode == 0
    pin(registry, tree)

    for image in yaml.safe_load((overlay / "kustomization.yaml").read_text(encoding="utf-8"))["images"]:
        name, (tag, _, found) = image["newName"].removeprefix(f"{host}/"), image["newTag"].partition("@")
        assert found == digest(f"/v2/{name}/manifests/{tag}", "1"), image
    assert "postgresql:17.6@sha256:" in (overlay / "postgres.yaml").read_text(encoding="utf-8")


def test_a_second_run_replaces_the_digests(registry, tree, monkeypatch):
    pin(registry, tree)
    first = images_of(tree)
    monkeypatch.setattr(Registry, "version", "2")
    assert pin(registry, tree).returncode == 0

    second = images_of(tree)
    assert {image.partition("@")[0] for image in second} == {image.partition("@")[0] for image in first}
    assert not first & second


def test_nothing_is_written_if_one_image_is_unknown(registry, tree, monkeypatch):
    monkeypatch.setattr(Registry, "unknown", {"/v2/library/redis/manifests/8"})
    before = contents(tree)

    done = pin(registry, tree)

    assert done.returncode == 1
    assert re.fullmatch(r"pin-images: nothing was written\. redis:8: .*404.*\n", done.stderr)
    assert contents(tree) == before


def test_an_address_is_required(tree):
    done = pin("no address", tree)

    assert done.returncode == 1
    assert "Usage: scripts/pin-images REGISTRY" in done.stderr
