"""What an operator does: rolling updates, a bad image, scaling, and other passwords and keys (docs/operations.md)."""

import base64
import io
import json
import tarfile
from typing import Any

import pytest
from k8s.cluster import OVERLAY, SERVICES, Cluster
from k8s.story import DEADLINE_SECONDS, story
from k8s.traffic import traffic
from support.embedded_desk import wait_for
from support.published_desk import Province, RetryingApplicant

from desk.chassis.crypto import new_secret

PATHS = ("/", "/api/catalog", "/api/receipt-keys", "/api/event-keys")
"""Static pages, intake and tracking; captcha and registry-gateway have no route that may be read 20 times a second."""
SCALE_SECONDS = 400.0
SCALE_PERCENT = 25
"""Of the CPU that intake requests: the gateway admits so few requests of one address that they need half of it."""
BEFORE_SERVICES = ("settings", "migrate", "topology", "storage")
"""Components that an upgrade applies first."""


def test_rolling_updates_of_everything_fail_no_request(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    with traffic(cluster, *PATHS) as running:
        for service in SERVICES:
            cluster.restart(service)
            running.wait_for_more()
        story(applicant, province)
        counted = running.counted()
    assert set(counted) == {"200"}, counted


def test_the_upgrade_of_the_runbook_fails_no_request(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    first = (
        "--kustomize",
        str(OVERLAY),
        "--selector",
        f"app.kubernetes.io/component in ({', '.join(BEFORE_SERVICES)})",
    )
    jobs = f"app.kubernetes.io/component in ({', '.join(BEFORE_SERVICES[1:])})"
    with traffic(cluster, *PATHS) as running:
        cluster.kubectl("delete", "job", "--selector", "app.kubernetes.io/part-of=service-desk")
        cluster.kubectl("apply", *first, namespace="")
        cluster.kubectl("wait", "--for=condition=Complete", "--timeout=300s", "job", "--selector", jobs, seconds=330)
        cluster.kubectl("apply", "--kustomize", str(OVERLAY), namespace="")
        cluster.wait_ready()
        running.wait_for_more()
        counted = running.counted()
    assert set(counted) == {"200"}, counted
    story(applicant, province)


def test_a_bad_image_does_not_stop_the_desk_and_is_rolled_back(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    cluster.kubectl("set", "image", "deployment/intake", "main=service-desk/intake:no-such-version")
    wait_for(lambda: any(_cannot_start(pod) for pod in cluster.pods("intake")), DEADLINE_SECONDS)
    story(applicant, province)
    cluster.kubectl("rollout", "undo", "deployment/intake")
    cluster.kubectl("rollout", "status", "deployment/intake", "--timeout=300s", seconds=330)
    story(applicant, province)


def _cannot_start(pod: dict[str, Any]) -> bool:
    states = [status["state"] for status in pod["status"].get("containerStatuses", [])]
    return any(state.get("waiting", {}).get("reason") in {"ErrImagePull", "ImagePullBackOff"} for state in states)


def test_intake_scales_under_load_and_back(cluster: Cluster, applicant: RetryingApplicant, province: Province):
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "intake"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "intake"},
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": SCALE_PERCENT}},
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}},
        },
    }
    cluster.kubectl("apply", "--filename", "-", typed=json.dumps(scaler))
    try:
        with traffic(cluster, "/api/receipt-keys", threads=4) as running:
            wait_for(lambda: _available(cluster) == 2, SCALE_SECONDS, pause=2)
            running.wait_for_more()
            counted = running.counted()
        wait_for(lambda: _available(cluster) == 1, SCALE_SECONDS, pause=2)
    finally:
        cluster.kubectl("delete", "horizontalpodautoscaler", "intake")
        cluster.kubectl("scale", "deployment/intake", "--replicas=1")
    assert set(counted) <= {"200", "/api/receipt-keys 429"}, counted
    story(applicant, province)


def _available(cluster: Cluster) -> int:
    return int(cluster.object("deployment", "intake")["status"].get("availableReplicas", 0))


def test_a_service_gets_another_password_of_the_broker(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    old = cluster.secrets["broker-passwords"]["intake"]
    new = new_secret().replace("/", "_").replace("+", "-")
    url = cluster.secrets["intake"]["DESK_INTAKE_BROKER_URL"]
    assert old in url
    cluster.change_secret("broker-passwords", intake=new)
    cluster.change_secret("intake", DESK_INTAKE_BROKER_URL=url.replace(old, new))
    cluster.run_job_again("topology")
    cluster.restart("intake")
    story(applicant, province)


def test_a_key_of_encryption_is_replaced_while_the_service_runs(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    old = cluster.secrets["intake"]["DESK_INTAKE_VAULT_KEYS"]
    new = f"k2:{new_secret()}"
    for keys in (f"{old},{new}", f"{new},{old}"):
        cluster.change_secret("intake", DESK_INTAKE_VAULT_KEYS=keys)
        cluster.restart("intake")
    cluster.kubectl("exec", "deployment/intake", "--", "desk-keys", "rotate")
    status = cluster.kubectl("exec", "deployment/intake", "--", "desk-keys", "status")
    assert "k2" in status
    assert "k1" not in status
    story(applicant, province)


def test_dead_letters_are_listed_by_the_job_of_the_runbook(cluster: Cluster):
    assert "dead letters" in cluster.run_cron_job("dead-letters")


def test_the_probe_submits_and_finds_a_synthetic_request(cluster: Cluster):
    assert cluster.run_cron_job("probe")


def test_the_bundle_of_support_describes_every_service(cluster: Cluster):
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(cluster.run_cron_job("support")))) as archive:
        summary = archive.extractfile("support/summary.txt")
        assert summary is not None
        text = summary.read().decode()
    assert all(service in text for service in SERVICES[1:]), text
    assert cluster.secrets["broker-passwords"]["intake"] not in text


def test_secrets_are_not_readable_by_the_accounts_of_the_services(cluster: Cluster):
    answers = {
        name: cluster.may(f"system:serviceaccount:service-desk:{name}", "get", "secrets")
        for name in cluster.names("serviceaccounts")
    }
    assert len(answers) > len(SERVICES)
    assert set(answers.values()) == {"no"}


@pytest.mark.parametrize("kind", ["deployment", "statefulset"])
def test_no_container_runs_as_root_or_writes_to_its_root(cluster: Cluster, kind: str):
    found = cluster.objects(kind)
    assert found
    for each in found:
        [container] = each["spec"]["template"]["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert each["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
