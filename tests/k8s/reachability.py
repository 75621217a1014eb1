"""Which pod may connect to which port of which pod: by the NetworkPolicies of the cluster, and by trying."""

import json
from pathlib import Path
from typing import Any, TypeAlias

from k8s.cluster import Cluster
from support.embedded_desk import wait_for

PROGRAM = (Path(__file__).parent / "connect.py").read_text(encoding="utf-8")
NAME = "app.kubernetes.io/name"
PROBE_SECONDS = 180.0

Connection: TypeAlias = tuple[str, str, int]
"""The name of the caller, of the callee, and the port."""
Object: TypeAlias = dict[str, Any]


def name_of(pod: Object) -> str:
    """Return the name that the pod's workload has."""
    return str(pod["metadata"]["labels"][NAME])


def ports_of(pod: Object) -> list[int]:
    """Return the ports of a pod's main container."""
    return [each["containerPort"] for each in pod["spec"]["containers"][0].get("ports", [])]


def allowed(policies: list[Object], pods: list[Object]) -> set[Connection]:
    """Return what the policies allow between these pods: the caller's egress and the callee's ingress."""
    both = [_of_direction(policies, pods, *each) for each in (("egress", "to"), ("ingress", "from"))]
    return both[0] & both[1]


def _of_direction(policies: list[Object], pods: list[Object], direction: str, peers: str) -> set[Connection]:
    found = set()
    for policy in policies:
        here = [pod for pod in pods if _selects(policy["spec"]["podSelector"], pod)]
        for rule in policy["spec"].get(direction, []):
            there = [pod for pod in pods if any(_is_peer(peer, pod) for peer in rule.get(peers, [{}]))]
            for one in here:
                for other in there:
                    pair = (one, other) if direction == "egress" else (other, one)
                    found |= {(name_of(pair[0]), name_of(pair[1]), port["port"]) for port in rule["ports"]}
    return found


def _is_peer(peer: Object, pod: Object) -> bool:
    if "ipBlock" in peer:  # only that of the signatures, which is every address
        return True
    return "namespaceSelector" not in peer and _selects(peer.get("podSelector", {}), pod)


def _selects(selector: Object, pod: Object) -> bool:
    labels = pod["metadata"]["labels"]
    terms = selector.get("matchExpressions", [])
    assert all(term["operator"] == "In" for term in terms)
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(term["key"]) in term["values"] for term in terms
    )


def reached(cluster: Cluster, caller: Object, pods: list[Object]) -> set[Connection]:
    """Try every port of every other pod from this pod's network, by a container that joins it; return the open ones."""
    pod = caller["metadata"]["name"]
    targets = [(name_of(each), each["status"]["podIP"], port) for each in pods for port in ports_of(each)]
    targets = [each for each in targets if each[0] != name_of(caller)]
    image = ("--image=service-desk/intake", "--image-pull-policy=IfNotPresent", "--profile=restricted")
    container = f"probe-{len(caller['status'].get('ephemeralContainerStatuses', []))}"
    cluster.kubectl(
        "debug", pod, *image, f"--container={container}", "--", "python3", "-c", PROGRAM, json.dumps(targets)
    )

    def ended() -> bool:
        states = cluster.object("pod", pod)["status"].get("ephemeralContainerStatuses", [])
        return any(each["name"] == container and "terminated" in each["state"] for each in states)

    wait_for(ended, PROBE_SECONDS, pause=1)
    printed = cluster.kubectl("logs", pod, "--container", container)
    return {(name_of(caller), name, port) for name, port in json.loads(printed)}
