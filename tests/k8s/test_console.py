"""The experts' console of a province in a namespace of its own, as an office applies it."""

import json
import secrets
from collections.abc import Iterator

import pytest
from k8s.cluster import ROOT, Cluster, forwarded
from support.applicant import PDF
from support.console_client import ConsoleClient
from support.embedded_desk import free_port, wait_for
from support.published_desk import RetryingApplicant

from desk.chassis.crypto import new_key_pair
from desk.console.encryption import new_key

NAMESPACE = "desk-console"
FOLDER = ROOT / "tests" / "k8s" / "console"
OFFICE = "qom"
OWN_PASSWORD = "a province's own word"
DEADLINE_SECONDS = 120.0


def secrets_of(cluster: Cluster) -> list[dict[str, object]]:
    """Return the Secrets that deploy/k8s/README.md has an office create."""
    password = secrets.token_urlsafe(16)
    broker = cluster.secrets["broker-passwords"][f"province.{OFFICE}"]
    reach = {
        "broker_url": f"amqp://province.{OFFICE}:{broker}@rabbitmq.service-desk:5672/%2F",
        "private_key": new_key_pair()[0],
        "event_private_keys": [cluster.secrets["office-event-keys"][OFFICE]],
    }
    console = {
        "DESK_CONSOLE_DATABASE_URL": f"postgresql+asyncpg://console:{password}@postgres/console",
        "DESK_CONSOLE_KEYS": new_key(),
        "DESK_CONSOLE_PROVINCES": json.dumps({OFFICE: reach}),
    }
    kind = {"apiVersion": "v1", "kind": "Secret"}
    return [
        kind | {"metadata": {"name": "postgres", "namespace": NAMESPACE}, "stringData": {"password": password}},
        kind | {"metadata": {"name": "console", "namespace": NAMESPACE}, "stringData": console},
    ]


@pytest.fixture
def console(cluster: Cluster) -> Iterator[str]:
    """The address of a console, which is removed afterwards."""
    port = free_port()
    try:
        cluster.kubectl("create", "namespace", NAMESPACE, namespace="")
        made = json.dumps({"apiVersion": "v1", "kind": "List", "items": secrets_of(cluster)})
        cluster.kubectl("apply", "--filename", "-", typed=made, namespace=NAMESPACE)
        cluster.kubectl("apply", "--kustomize", str(FOLDER), namespace="")
        for name in ("statefulset/postgres", "deployment/console"):
            cluster.kubectl("rollout", "status", name, "--timeout=300s", namespace=NAMESPACE, seconds=330)
        with forwarded("console", port, 8000, namespace=NAMESPACE):
            yield f"http://127.0.0.1:{port}"
    finally:
        deleting = ("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=300s")
        cluster.kubectl(*deleting, namespace="", seconds=330)


def test_an_expert_answers_in_a_console_in_the_cluster(cluster: Cluster, console: str, applicant: RetryingApplicant):
    account = ("desk-console", "create-account", "n.baran", "--province", OFFICE, "--name", "نرگس باران‌دشت")
    first_password = cluster.kubectl("exec", "deployment/console", "--", *account, namespace=NAMESPACE).split()[-1]
    code = applicant.submit(PDF, province=OFFICE)
    with ConsoleClient(console, path="") as expert:
        expert.sign_in("n.baran", first_password)
        expert.send("/password", old=first_password, password=OWN_PASSWORD, again=OWN_PASSWORD)
        wait_for(lambda: "request_text" in expert.open(f"/cases/{code}"), DEADLINE_SECONDS)
        expert.send(f"/cases/{code}/take")
        expert.send(f"/cases/{code}/answer", text="روادید شما صادر شده است.")
    assert applicant.sees(code, "answered")["answer"]["text"] == "روادید شما صادر شده است."
