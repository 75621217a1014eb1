"""The trial overlay in a real cluster: the story, what may connect to what, and what no pod may be."""

import pytest
from k8s.cluster import SERVICES, Cluster
from k8s.reachability import allowed, name_of, ports_of, reached
from k8s.story import story
from support.published_desk import Province, RetryingApplicant


def test_a_request_with_a_file_reaches_its_province_and_the_answer_comes_back(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    story(applicant, province)
    pods = cluster.objects("pods")
    assert len(pods) > len(SERVICES)
    restarts = {
        pod["metadata"]["name"]: status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]
    }
    jobs = {
        name for name in restarts if name.rsplit("-", 1)[0] in cluster.names("jobs")
    }  # they retry until the stores are ready
    assert {name: count for name, count in restarts.items() if count and name not in jobs} == {}


@pytest.mark.parametrize("service", SERVICES[1:])
def test_a_service_says_that_its_deployment_is_complete(cluster: Cluster, service: str):
    said = cluster.kubectl("exec", f"deployment/{service}", "--", f"desk-{service}", "check")
    assert "all of these answer" in said


def test_a_pod_reaches_what_the_policies_allow_and_nothing_else(cluster: Cluster):
    policies = cluster.objects("networkpolicies")
    pods = [each for each in cluster.objects("pods") if each["status"]["phase"] == "Running"]
    named = {name_of(each): each for each in pods}
    assert len(named) == len(cluster.names("deployments")) + len(cluster.names("statefulsets"))
    exists = {
        (one, other, port) for one in named for other, pod in named.items() for port in ports_of(pod) if one != other
    }
    expected = allowed(policies, pods) & exists
    tried = set[tuple[str, str, int]]().union(*(reached(cluster, pod, pods) for pod in named.values()))
    assert tried == expected
    assert 20 < len(expected) < len(exists) / 2


def test_a_pod_with_privileges_is_refused(cluster: Cluster):
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        cluster.kubectl("run", "shell", "--image=service-desk/intake", "--image-pull-policy=Never", "--privileged")
    assert "shell" not in cluster.names("pods")
