"""What fails without an operator: pods are deleted, and the node is drained."""

import time

import pytest
from k8s.cluster import SERVICES, Cluster
from k8s.story import story
from support.published_desk import Province, RetryingApplicant


@pytest.mark.parametrize(
    "name", [*SERVICES, "registry-simulator", "postgres", "rabbitmq", "redis", "s3", "mail", "clamav"]
)
def test_the_desk_recovers_after_a_pod_was_deleted(
    cluster: Cluster, applicant: RetryingApplicant, province: Province, name: str
):
    [pod] = cluster.pods(name)
    begun = time.monotonic()
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=true", "--timeout=120s", seconds=150)
    stopped = time.monotonic() - begun
    assert stopped < pod["spec"]["terminationGracePeriodSeconds"], "it was killed"
    cluster.wait_ready()
    story(applicant, province)


def test_the_desk_comes_back_after_its_node_was_drained(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    """With one node there is no other for the pods: this shows the budgets and the restart, and no failover."""
    assert set(SERVICES) <= set(cluster.names("poddisruptionbudgets"))
    [node] = cluster.names("nodes")
    try:
        drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s")
        cluster.kubectl(*drain, namespace="", seconds=330)
        assert [pod for pod in cluster.objects("pods") if pod["status"]["phase"] == "Running"] == []
    finally:
        cluster.kubectl("uncordon", node, namespace="")
    cluster.wait_ready()
    story(applicant, province)
