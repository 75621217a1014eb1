"""What external tools find in the manifests and the Dockerfiles."""

import json

import pytest
import yaml

OLDEST, NEWEST = "1.30", "1.37"
"""Of Kubernetes: the oldest version with a sleep action for preStop, and the newest version known here."""

EVERYWHERE = {
    "CKV_K8S_15": "images are of a fixed version, and a node must start pods without the registry too",
    "CKV_K8S_43": "each site builds or mirrors the images itself, so no digest is the same in two places",
}
EXPLAINED = {
    "production": EVERYWHERE,
    "local": EVERYWHERE
    | {
        "CKV_K8S_14": "trials run what this checkout builds, and the stores' images that docker-compose.yml names",
        "CKV_K8S_40": "the stores' official images have users of their own, with low numbers",
    },
    "console": EVERYWHERE
    | {
        "CKV_K8S_14": "the site names the version of the images in its own overlay",
        "CKV_K8S_40": "PostgreSQL's official image has a user of its own, with a low number",
    },
}
"""What Checkov finds in each set of manifests, and why it stays."""
PASSED_MIN = {"production": 500, "local": 500, "console": 50}
"""More checks than this pass if the objects were read."""

ACCEPTED = {
    "DL3002": "the first stages are root's; that the last is not is tested below",
    "DL3008": "Debian keeps only the newest version of a package in a release; the release is pinned",
    "DL3066": "the same: root has no other name, and the last stage's user is a number",
    "DL3067": "the root is copied whole into an empty image, because a layer that only deletes makes nothing smaller",
}


@pytest.fixture(params=list(EXPLAINED))
def manifests(request, overlays, console):
    """The overlays of the desk and the console."""
    return {**overlays, "console": console}[request.param]


@pytest.fixture
def validate(tool, tmp_path):
    """Return a function that validates YAML against the schemas of a version of Kubernetes."""

    def validate(text, version=NEWEST):
        file = tmp_path / "manifests.yaml"
        file.write_text(text)
        return tool("kubernetes-validate", "--strict", "--no-warn", "--kubernetes-version", version, str(file))

    return validate


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_valid_for_kubernetes(manifests, validate, version):
    done = validate(manifests.text, version)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sovereign_overlay_has_only_images_that_are_built_here(sovereign, validate):
    done = validate(sovereign.text)
    assert done.returncode == 0, done.stdout + done.stderr
    images = [each["spec"]["containers"][0]["image"] for each in sovereign.workloads.values()]
    assert all(each.startswith("service-desk/") for each in images), images


def test_a_misspelt_field_is_noticed(local, validate):
    assert validate(local.text.replace("readinessProbe:", "readynessProbe:")).returncode != 0


def test_checkov_finds_nothing_but_what_is_explained(manifests, tool, tmp_path):
    file = tmp_path / "manifests.yaml"
    file.write_text(manifests.text)
    explained = EXPLAINED[manifests.name]

    done = tool("checkov", "--skip-download", "--quiet", "--framework", "kubernetes", "--file", str(file), "-o", "json")
    report = json.loads(done.stdout)
    found = {check["check_id"] for check in report["results"]["failed_checks"]}

    assert report["summary"]["passed"] > PASSED_MIN[manifests.name], "it must have checked the objects"
    assert report["summary"]["parsing_errors"] == 0
    assert found - explained.keys() == set(), [
        f"{check['check_id']} {check['check_name']}: {check['resource']}"
        for check in report["results"]["failed_checks"]
        if check["check_id"] not in explained
    ]
    assert explained.keys() - found == set(), "explained, but no longer found"


def test_hadolint_finds_nothing_but_what_is_explained(root, tool):
    files = sorted(str(file) for file in (root / "deploy" / "images").glob("*.Dockerfile"))
    done = tool("hadolint", "--format", "json", "--no-fail", *files)
    found = json.loads(done.stdout)
    assert files
    assert [f"{each['file']}:{each['line']} {each['code']}" for each in found if each["code"] not in ACCEPTED] == []
    assert ACCEPTED.keys() - {each["code"] for each in found} == set(), "explained, but no longer found"


def test_every_image_runs_as_a_numeric_user_that_is_not_root(root):
    # Kubernetes can only verify that a user is not root if the user is a number.
    for file in (root / "deploy" / "images").glob("*.Dockerfile"):
        last_stage = file.read_text().rpartition("\nFROM ")[2]
        users = [line.split()[1] for line in last_stage.splitlines() if line.startswith("USER ")]
        assert users, file.name
        assert int(users[-1].partition(":")[0]) > 0, file.name


def test_custom_resources_use_only_fields_that_were_checked_against_their_definitions(production, root):
    known = yaml.safe_load((root / "deploy" / "k8s" / "tests" / "custom-resources.yaml").read_text())
    for each in production.objects:
        kind = f"{each['kind']}.{each['apiVersion']}"
        if kind not in known:
            assert each["apiVersion"].partition("/")[0] in BUILT_IN, f"{kind} is not listed"
            continue
        assert fields_of(each["spec"]) - set(known[kind]["fields"]) == set(), kind


BUILT_IN = {"v1", "apps", "batch", "autoscaling", "policy", "scheduling.k8s.io", "networking.k8s.io"}


def fields_of(value: object, path: str = "") -> set[str]:
    """Return every field of an object. Elements of lists share one name; free-form maps include their keys."""
    if isinstance(value, dict):
        return {name for key, part in value.items() for name in fields_of(part, f"{path}.{key}" if path else key)}
    if isinstance(value, list):
        return {name for part in value for name in fields_of(part, f"{path}[]")} or {path}
    return {path}
