"""Allowed connections: the arrows of the diagram in README.md, and no others."""

import re
from itertools import combinations

import pytest
import yaml

ARROW = re.compile(r"\s*(.+?)\s+(?:<?--(?:\s+(?:\"[^\"]*\"|[^-\">]+?)\s+--)?>|---)\s+(.+?)\s*$")
NODE = re.compile(r"^([a-z0-9-]+)")
NAME = "app.kubernetes.io/name"

STANDS_FOR = {"registry-simulator": "civil-registry", "mail": "messages"}
"""Servers that a trial has inside the cluster and production has outside."""

JOBS = {
    ("registry-gateway-migrate", "postgres"),
    ("intake-migrate", "postgres"),
    ("tracking-migrate", "postgres"),
    ("notifier-migrate", "postgres"),
    ("databases", "postgres"),
    ("storage", "s3"),
    ("storage-user", "s3"),
    ("topology", "rabbitmq"),
    ("dead-letters", "rabbitmq"),
    ("support", "rabbitmq"),
    ("probe", "gateway"),
    *(("support", name) for name in ("captcha", "registry-gateway", "intake", "tracking", "notifier")),
}

OF_PRODUCTION = {("redis", 26379), ("rabbitmq", 5671), ("rabbitmq", 15671)}
"""Ports that only the servers of production have: sentinels, and TLS."""

OPERATION = {
    "nothing-unless-said": "the default rule, to which all others are exceptions",
    "names": "every pod resolves names",
    "postgres-cluster": "the servers among themselves, their operator, the Kubernetes API, and backups",
    "rabbitmq-cluster": "the nodes among themselves, their operator, and the Kubernetes API",
    "redis-cluster": "servers and sentinels among themselves, and their operator",
    "queues-from-keda": "the length of queues",
    "metrics-from-prometheus": "metrics",
    "queues-from-prometheus": "the length of queues",
}
"""Policies that are no arrow of the diagram, with the reason."""


def diagram(root):
    """Read the arrows as connections. Arrows to the broker and the stores become connections to them."""
    block = (root / "README.md").read_text(encoding="utf-8").partition("```mermaid")[2].partition("```")[0]
    arrows = set()
    for line in block.strip().splitlines()[1:]:
        found = ARROW.match(line)
        assert found, f"not understood: {line}"
        ends = [[NODE.match(node)[1] for node in re.split(r"\s+&\s+", part)] for part in found.groups()]
        for one in ends[0]:
            for other in ends[1]:
                arrows.add((other, one) if one == "rabbitmq" else (one, other))
    return arrows


def pods_of(overlay):
    """Return the labels of every possible pod, including those that operators create from custom resources."""
    pods = {name: template["metadata"]["labels"] for name, template in overlay.workloads.items()}
    made = {"Cluster": "postgres", "RabbitmqCluster": "rabbitmq", "RedisReplication": "redis"}
    return pods | {made[each["kind"]]: {NAME: made[each["kind"]]} for each in overlay.of(*made)}


def selects(selector, labels):
    wanted = selector.get("matchLabels", {})
    terms = selector.get("matchExpressions", [])
    assert all(term["operator"] == "In" for term in terms)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(term["key"]) in term["values"] for term in terms
    )


def policies_of(overlay):
    return [
        each for each in overlay.of("NetworkPolicy") if each["metadata"]["name"] not in {"nothing-unless-said", "names"}
    ]


def connections(overlay, direction):
    """Return caller, callee and port of everything that policies of one direction allow between pods."""
    pods, peers = pods_of(overlay), {"egress": "to", "ingress": "from"}[direction]
    for policy in policies_of(overlay):
        here = [name for name, labels in pods.items() if selects(policy["spec"]["podSelector"], labels)]
        for rule in policy["spec"].get(direction, []):
            for peer in rule.get(peers, []):
                if set(peer) != {"podSelector"}:
                    continue
                there = [name for name, labels in pods.items() if selects(peer["podSelector"], labels)]
                for one in here:
                    for other in there:
                        pair = (one, other) if direction == "egress" else (other, one)
                        yield from ((*pair, port["port"]) for port in rule["ports"])


def outside(overlay):
    """Return the arrows to or from systems outside, which each policy names in an annotation."""
    pods = pods_of(overlay)
    for policy in policies_of(overlay):
        said = policy["metadata"].get("annotations", {}).get("desk/arrow")
        if said:
            one, _, other = said.partition(" --> ")
            inside = one if policy["spec"]["policyTypes"] == ["Egress"] else other
            assert selects(policy["spec"]["podSelector"], pods[inside]), said
            yield one, other


def allowed(overlay):
    both = set(connections(overlay, "egress")) & set(connections(overlay, "ingress"))
    pairs = {(STANDS_FOR.get(one, one), STANDS_FOR.get(other, other)) for one, other, _ in both}
    return {(one, other) for one, other in pairs if one != other} | set(outside(overlay))


def test_the_policies_allow_the_arrows_of_the_diagram_and_the_jobs_and_nothing_else(overlay, root):
    arrows = diagram(root)
    jobs = {(one, other) for one, other in JOBS if one in overlay.workloads}
    # The object store of production is outside; the job reaches it by intake's arrow.
    jobs -= {("storage", "s3")} if overlay.name == "production" else set()
    assert allowed(overlay) == arrows | jobs


def test_the_diagram_is_parsed_as_it_is_drawn(root):
    arrows = diagram(root)
    for arrow in (("gateway", "captcha"), ("intake", "rabbitmq"), ("notifier", "rabbitmq"), ("provinces", "rabbitmq")):
        assert arrow in arrows
    assert ("applicant", "intake") not in arrows
    assert len(arrows) > 20


def test_nothing_is_allowed_without_a_reason(overlay):
    policy = overlay.one("NetworkPolicy", "nothing-unless-said")["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_exception_is_an_arrow_or_is_explained(overlay):
    for policy in overlay.of("NetworkPolicy"):
        spec, name = policy["spec"], policy["metadata"]["name"]
        rules = [(rule, "from") for rule in spec.get("ingress", [])] + [(rule, "to") for rule in spec.get("egress", [])]
        for rule, peers in rules:
            assert rule["ports"], name
            if all(set(peer) == {"podSelector"} for peer in rule.get(peers, [{}])):
                continue
            assert name in OPERATION or "desk/arrow" in policy["metadata"].get("annotations", {}), name
    assert OPERATION.keys() >= {"nothing-unless-said", "names"}


def test_a_connection_is_allowed_at_both_ends_or_not_at_all(overlay):
    called = {(one, other, port) for one, other, port in connections(overlay, "egress") if one != other}
    allowed = {(one, other, port) for one, other, port in connections(overlay, "ingress") if one != other}
    assert called == allowed


@pytest.mark.parametrize("direction", ["egress", "ingress"])
def test_an_allowed_port_exists_on_the_pod(overlay, direction):
    for _, called, port in connections(overlay, direction):
        template = overlay.workloads.get(called)
        if template is None:
            continue  # created by an operator
        ports = {each["containerPort"] for each in template["spec"]["containers"][0].get("ports", [])}
        assert port in ports or (called, port) in OF_PRODUCTION, (called, port)


def test_every_reachable_pod_has_a_policy_of_its_own(overlay):
    for name, labels in pods_of(overlay).items():
        own = [each for each in policies_of(overlay) if selects(each["spec"]["podSelector"], labels)]
        assert own, name


def test_compose_has_one_network_for_each_arrow_and_no_other_two_containers_meet(root):
    services = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    members = {name: set(service["networks"]) for name, service in services.items()}
    meetings = {
        tuple(sorted((one, other)))
        for one, other in combinations(sorted(members), 2)
        if members[one] & members[other] and services[one].get("restart") != "no" and services[other]["restart"] != "no"
    }
    drawn = diagram(root)
    inside = {(STANDS_FOR.get(name, name), name) for name in members}
    named = dict(inside)
    arrows = {(named[one], named[other]) for one, other in drawn if one in named and other in named}
    assert meetings == {tuple(sorted(each)) for each in arrows}


def test_a_job_of_compose_reaches_its_store_only(root):
    services = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    reached = {
        (name, other)
        for name, job in services.items()
        if job.get("restart") == "no"
        for other, service in services.items()
        if other in {"postgres", "s3", "rabbitmq"} and set(job["networks"]) & set(service["networks"])
    }
    assert reached == {
        (one, other) for one, other in JOBS if one in services and other in {"postgres", "s3", "rabbitmq"}
    }
