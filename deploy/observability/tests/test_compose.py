"""Prometheus, the store of traces, Grafana, probe and support under Compose: they reach what they need, and no more."""

import copy
import re
from urllib.parse import urlsplit

import pytest
import yaml

SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")


def read(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def desk(root):
    return read(root / "docker-compose.yml")


@pytest.fixture(scope="module")
def measured(root):
    """What is added for Prometheus, probe and support."""
    return read(root / "deploy" / "observability" / "docker-compose.yml")


@pytest.fixture(scope="module")
def added(root, measured):
    """The same with Grafana and the store of traces: networks are joined, as Compose does."""
    whole, more = copy.deepcopy(measured), read(root / "deploy" / "observability" / "grafana.yml")
    for name, service in more["services"].items():
        known = whole["services"].setdefault(name, {"networks": []})
        networks = [*known["networks"], *service["networks"]]
        known.update(service, networks=networks)
    whole["networks"].update(more["networks"])
    return whole


def test_each_service_meets_the_traces_alone_and_prometheus_apart_from_others_and_grafana_no_service(added):
    members = {}
    for name, service in added["services"].items():
        for network in service["networks"]:
            members.setdefault(network, set()).add(name)
    meetings = {network: names for network, names in members.items() if len(names) > 1}
    assert meetings == {
        **{f"prometheus-{name}": {"prometheus", "support", name} for name in SERVICES},
        **{f"{name}-traces": {"traces", name} for name in SERVICES},
        "grafana-prometheus": {"prometheus", "grafana"},
        "grafana-traces": {"traces", "grafana"},
        "probe-gateway": {"probe", "gateway"},
        "support-rabbitmq": {"support", "rabbitmq"},
        "prometheus-rabbitmq": {"prometheus", "rabbitmq"},
    }
    assert added["networks"].keys() == {*meetings, "grafana-public", "prometheus-public"}
    assert all(added["networks"][network]["internal"] for network in meetings)


def test_no_network_has_the_addresses_of_another(desk, added):
    subnets = [each["ipam"]["config"][0]["subnet"] for file in (desk, added) for each in file["networks"].values()]
    assert len(subnets) == len(set(subnets))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_started_as_without_prometheus_but_for_its_metrics_and_traces(name, desk, added):
    changed = added["services"][name]
    assert changed.keys() == {"command", "environment", "networks"}
    prefix = f"DESK_{name.upper().replace('-', '_')}_TRACES"
    assert changed["environment"] == {
        f"{prefix}_URL": "http://traces:4318/v1/traces",
        f"{prefix}_SAMPLE": "${TRACES_SAMPLE:-1}",
    }
    without = list(changed["command"])
    place = without.index("--health-host")
    assert without[place : place + 2] == ["--health-host", "0.0.0.0"]  # noqa: S104 - in networks of its own
    assert without[:place] + without[place + 2 :] == desk["services"][name]["command"]


def test_without_a_store_of_traces_no_service_sends_any(measured):
    assert "TRACES" not in str(measured)
    assert {"traces", "grafana"}.isdisjoint(measured["services"])


def test_only_this_machine_reaches_prometheus_and_grafana(added):
    published = {name: service["ports"] for name, service in added["services"].items() if "ports" in service}
    assert published.keys() == {"prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for [port] in published.values())


def test_prometheus_gives_the_labels_that_the_rules_expect(root, rules, promtool):
    file = root / "deploy" / "observability" / "prometheus.yml"
    [job, queues] = read(file)["scrape_configs"]
    assert queues["static_configs"][0]["targets"] == ["rabbitmq:15692"]
    [names] = job["dns_sd_configs"]
    assert tuple(names["names"]) == SERVICES
    assert names["port"] == 9000
    constant = {each["target_label"]: each["replacement"] for each in job["relabel_configs"] if "replacement" in each}
    [down] = [rule for rule in rules["services.yaml"] if rule["alert"] == "DeskServiceDown"]
    assert constant == dict(re.findall(r'(namespace|endpoint)="([^"]+)"', down["expr"]))
    assert set(re.findall(r'service="([^"]+)"', down["expr"])) == set(SERVICES)
    done = promtool("check", "config", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rule files found" in done.stdout


def test_grafana_reads_metrics_and_traces_where_they_are(root, added):
    sources = read(root / "deploy" / "observability" / "grafana" / "datasource.yaml")["datasources"]
    addresses = {urlsplit(each["url"]).hostname: each["type"] for each in sources}
    assert addresses == {"prometheus": "prometheus", "traces": "jaeger"}
    assert addresses.keys() < added["services"].keys()


def test_every_file_that_is_mounted_exists(root, added):
    volumes = added["services"]["prometheus"]["volumes"] + added["services"]["grafana"]["volumes"]
    paths = [each.partition(":")[0] for each in volumes if each.startswith("./")]
    assert len(paths) == 5
    assert all((root / each).exists() for each in paths)
