"""The console's manifests: with the settings that it reads, and reached by browsers only."""

import re

from pydantic import SecretStr

from desk.console.settings import Settings


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
