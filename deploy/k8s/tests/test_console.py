"""The console's manifests: valid, restricted, with the settings that it reads, and reached by browsers only."""

import json
import re

import pytest
from pydantic import SecretStr

from desk.console.settings import Settings

CHECKS = {
    "CKV_K8S_14": "the site names the version of the images in its own overlay",
    "CKV_K8S_15": "images are of a fixed version, and a node must start pods without the registry too",
    "CKV_K8S_40": "PostgreSQL's official image has a user of its own, with a low number",
    "CKV_K8S_43": "each site builds or mirrors the images itself, so no digest is the same in two places",
}


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_object_is_valid_for_kubernetes(console, tool, tmp_path, version):
    file = tmp_path / "console.yaml"
    file.write_text(console.text)
    done = tool("kubernetes-validate", "--strict", "--no-warn", "--kubernetes-version", version, str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_checkov_finds_nothing_but_what_is_explained(console, tool, tmp_path):
    file = tmp_path / "console.yaml"
    file.write_text(console.text)
    done = tool("checkov", "--skip-download", "--quiet", "--framework", "kubernetes", "--file", str(file), "-o", "json")
    report = json.loads(done.stdout)
    found = {f"{check['check_id']} {check['resource']}" for check in report["results"]["failed_checks"]}
    assert report["summary"]["passed"] > 50
    assert [each for each in found if each.split()[0] not in CHECKS] == []
    assert CHECKS.keys() == {each.split()[0] for each in found}


def test_every_setting_exists_and_no_secret_is_one_of_them(console):
    [values] = console.configuration.values()
    fields = {f"DESK_CONSOLE_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert values.keys() <= fields.keys()
    assert [name for name in values if SecretStr is fields[name].annotation] == []


def test_the_readme_creates_every_secret_that_a_pod_mounts(console, root):
    text = (root / "deploy" / "k8s" / "README.md").read_text(encoding="utf-8")
    created = set(re.findall(r"kubectl -n desk-console create secret generic ([a-z]+)", text))
    mounted = {
        volume["secret"]["secretName"]
        for template in console.workloads.values()
        for volume in template["spec"]["volumes"]
        if "secret" in volume
    }
    assert created == mounted == {"console", "postgres"}
    required = {f"DESK_CONSOLE_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert required
    assert all(f"--from-file={name}=" in text for name in required), required


def test_it_waits_long_enough_before_it_is_killed(console):
    spec = console.workloads["console"]["spec"]
    [container] = spec["containers"]
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] >= pause + 30  # as long as Compose gives it


def test_only_the_console_reaches_the_database_and_every_pod_has_a_policy(console):
    policies = {each["metadata"]["name"]: each["spec"] for each in console.of("NetworkPolicy")}
    assert policies["nothing-unless-said"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies.keys() == {"nothing-unless-said", "names", *console.workloads}
    [rule] = policies["postgres"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "console"}}}]
    assert "egress" not in policies["postgres"]
