"""Prometheus, the probe and the bundle of support next to the desk, as `make up OBSERVABILITY=1` starts them.

The last file of this folder, because the services are started again for it.
"""

import base64
import io
import tarfile
from typing import Any

import httpx
import pytest
from compose.containers import Containers
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.published_desk import RetryingApplicant

PROBE_SECONDS = 150.0  # the probe runs once a minute, and Prometheus reads every 15 seconds
SERVICES = {"captcha", "registry-gateway", "intake", "tracking", "notifier"}
OFFICES = 32


@pytest.fixture(scope="module")
def watched(containers: Containers) -> Containers:
    """The same desk with what is in deploy/observability."""
    containers.observability = True
    containers.up()
    return containers


def values(watched: Containers, query: str) -> dict[str, float]:
    """Ask Prometheus; return each value by the label that distinguishes the series."""
    found = ask(watched, "query", query=query)["result"]
    return {next(iter(each["metric"].values()), ""): float(each["value"][1]) for each in found}


def ask(watched: Containers, what: str, **parameters: str) -> dict[str, Any]:
    """Return what Prometheus' API answers."""
    url = f"http://127.0.0.1:{watched.port('PROMETHEUS_PORT')}/api/v1/{what}"
    data: dict[str, Any] = httpx.get(url, params=parameters, timeout=30).raise_for_status().json()["data"]
    return data


def test_prometheus_reads_every_service_and_the_queues(watched: Containers, applicant: RetryingApplicant):
    wait_for(lambda: values(watched, "max by (service) (up) == 1").keys() >= SERVICES, PROBE_SECONDS)
    of_offices = 'rabbitmq_detailed_queue_messages{queue=~"(province[.][^.]+|headquarters)[.]dead"}'
    wait_for(lambda: len(values(watched, f"max by (queue) ({of_offices})")) == OFFICES, PROBE_SECONDS)
    ready = 'max by (queue) (rabbitmq_detailed_queue_messages_ready{queue="tracking"})'
    assert values(watched, ready).keys() == {"tracking"}
    applicant.submit(PDF)
    submitted = 'sum(desk_http_requests_total{service="intake", route="/api/requests", status="201"})'
    wait_for(lambda: values(watched, submitted).get("", 0) > 0, PROBE_SECONDS)


def test_the_probe_succeeds_and_no_rule_fails(watched: Containers):
    wait_for(lambda: values(watched, "max(desk_probe_success_time_seconds) > 0"), PROBE_SECONDS)
    rules = [rule for group in ask(watched, "rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 30
    assert [rule["name"] for rule in rules if rule["health"] == "err"] == []
    assert not values(watched, 'count by (alertname) (ALERTS{alertstate="firing", severity="critical"})')


def test_the_bundle_has_the_state_of_every_service_and_no_secret(watched: Containers):
    printed = watched.compose("--profile", "support", "run", "--rm", "--no-deps", "--no-TTY", "support")
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(printed))) as bundle:
        files = {each.name: (bundle.extractfile(each) or io.BytesIO()).read() for each in bundle if each.isfile()}
    assert {name.split("/")[1].rpartition("-")[0] for name in files} >= SERVICES
    assert files["support/summary.txt"].decode().count(": ready, ") == len(SERVICES)
    whole = b"".join(files.values())
    secrets = [each for each in watched.secrets.values() if len(each) >= 20 and "{" not in each]
    assert len(secrets) > 5
    assert not [each for each in secrets if each.encode() in whole]
