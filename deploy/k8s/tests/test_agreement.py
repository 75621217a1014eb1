"""The manifests, Compose, the Dockerfiles, the gateway and the code agree with each other."""

import inspect
import re
import subprocess
import tomllib

import pytest
import yaml

from desk.chassis.app import FINISH_SECONDS
from desk.chassis.bus.rabbit.connection import CLOSE_SECONDS
from desk.chassis.bus.rabbit.consumer import DRAIN_SECONDS
from desk.chassis.command import GRACE_SECONDS
from desk.chassis.health import READY_TIMEOUT_SECONDS
from desk.chassis.serving import LATE_SECONDS
from desk.chassis.tracing import spans
from desk.database import Database
from desk.intake.app import create_app as create_intake
from desk.iran.offices import OFFICES
from desk.notifier.app import create_app as create_notifier
from desk.topology.main import _parser
from desk.topology.table import SERVICES, desk_topology, office_queue
from desk.tracking.app import create_app as create_tracking

DESK = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
JOBS_WITH_A_DATABASE = ("registry-gateway-migrate", "intake-migrate", "tracking-migrate", "notifier-migrate")
POOL_SIZE = inspect.signature(Database).parameters["pool_size"].default


def main_container(template):
    (container,) = template["spec"]["containers"]
    return container


def without_variables(text):
    return re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", text)


def exposed(root, dockerfile):
    return {
        int(port)
        for line in re.findall(r"^EXPOSE (.+)$", (root / dockerfile).read_text(), re.MULTILINE)
        for port in line.split()
    }


# --- images and ports


def test_a_trial_runs_the_images_that_compose_runs(local, compose):
    images = {name: main_container(template)["image"] for name, template in local.workloads.items()}
    composed = {name: without_variables(service["image"]) for name, service in compose.items()}
    images.pop("dead-letters")  # runs on an operator's request; Compose has no such job
    for name in ("probe", "support"):  # Compose has them with Prometheus
        images.pop(name)
    composed.pop("storage-user")  # in a trial, intake is the administrator of the S3 server
    assert images == composed


def test_production_runs_the_same_programs_from_one_registry_at_one_version(production, local):
    tags, registries = set(), set()
    for name, template in production.workloads.items():
        registry, _, rest = main_container(template)["image"].partition("/")
        image, _, tag = rest.partition(":")
        assert image == main_container(local.workloads[name])["image"].partition(":")[0]
        if image.startswith("service-desk/"):
            tags.add(tag)
        registries.add(registry)
    assert len(tags) == 1
    assert len(registries) == 1
    assert tags != {"latest"}


def test_programs_are_started_as_compose_starts_them(local, compose):
    for name in (
        "registry-gateway-migrate",
        "intake-migrate",
        "tracking-migrate",
        "notifier-migrate",
        "storage",
        "topology",
    ):
        assert main_container(local.workloads[name])["args"] == compose[name]["command"]


def test_a_service_listens_where_its_image_says_and_its_name_leads_there(overlay, root):
    for name in (*DESK, "gateway"):
        container = main_container(overlay.workloads[name])
        port = container["ports"][0]
        dockerfile = "gateway" if name == "gateway" else "service"
        assert port["containerPort"] in exposed(root, f"deploy/images/{dockerfile}.Dockerfile")
        leading, *health = overlay.one("Service", name)["spec"]["ports"]
        assert (leading["port"], leading["targetPort"]) == (port["containerPort"], port["name"])
        if name in DESK:
            assert f"--port={port['containerPort']}" in container["args"]
            assert [(each["name"], each["targetPort"]) for each in health] == [("health", "health")]
            assert f"--health-port={container['ports'][1]['containerPort']}" in container["args"]
            assert "--health-host=0.0.0.0" in container["args"], "the kubelet asks from outside the pod"


@pytest.mark.parametrize("store", ["rabbitmq", "postgres", "redis", "s3", "mail"])
def test_a_store_listens_where_the_image_of_the_sovereign_build_says(local, root, store):
    ports = {port["containerPort"] for port in main_container(local.workloads[store])["ports"]}
    assert ports <= exposed(root, f"deploy/images/{store}.Dockerfile")
    assert {port["port"] for port in local.one("Service", store)["spec"]["ports"]} == ports


def test_the_gateway_is_probed_at_the_port_for_the_orchestrator(overlay, root):
    container = main_container(overlay.workloads["gateway"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] == "/health/live"
        assert ports[asked["port"]] in exposed(root, "deploy/images/gateway.Dockerfile")


def test_the_gateway_finds_every_service_it_proxies(overlay, root):
    routes = tomllib.loads((root / "gateway" / "routes.toml").read_text(encoding="utf-8"))["route"]
    services = {each["service"] for each in routes if "service" in each}
    assert len(services) >= 4
    for name in services:
        assert overlay.one("Service", name)["spec"]["ports"][0]["port"] == 8000
    text = "".join(file.read_text() for file in (root / "gateway" / "nginx").rglob("*") if file.is_file())
    assert {port for name, port in re.findall(r"\b([a-z-]+):(\d{4})\b", text) if name in services} <= {"8000"}


# --- queues


def test_every_queue_has_a_consumer_or_is_read_by_others(production, monkeypatch, tmp_path):
    offices = {office_queue(each.key) for each in OFFICES}
    queues = {queue.name for queue in desk_topology().queues} - offices
    consumed = {queue: service.user for service in SERVICES for queue in service.queues}
    assert queues == consumed.keys()

    for module, create in (("intake", create_intake), ("notifier", create_notifier), ("tracking", create_tracking)):
        for file, value in production.secrets[module].items():
            (tmp_path / file).write_text(value)
            (tmp_path / file).chmod(0o440)
        monkeypatch.setenv("DESK_SECRETS_DIR", str(tmp_path))
        for each in production.configuration.values():
            for name, value in each.items():
                monkeypatch.setenv(name, value)
        monkeypatch.setattr(f"desk.{module}.app.configure_logging", lambda *_: None)
        bus = create().state.bus
        queues -= {bus._queue, *bus._untrusted_queues}
        assert bus.consumed_events, "it must consume something"
        user = consumed[bus._queue]
        assert f"//{user}:" in production.secrets[module][f"DESK_{module.upper()}_BROKER_URL"]
        assert module in production.workloads
    assert queues == set()


def test_a_consumer_scales_by_its_own_queue_as_its_own_user(production):
    consumers = {service.queue for service in SERVICES if service.queue is not None}
    for scaled in production.of("ScaledObject"):
        name = scaled["spec"]["scaleTargetRef"]["name"]
        (trigger,) = (each for each in scaled["spec"]["triggers"] if each["type"] == "rabbitmq")
        assert trigger["metadata"]["queueName"] == name
        (reference,) = production.one("TriggerAuthentication", name)["spec"]["secretTargetRef"]
        assert reference["key"] in production.secrets[reference["name"]]
        consumers.remove(name)
    assert consumers == set()


def test_everything_else_scales_by_cpu_and_nothing_scales_twice(production):
    by_cpu = [each["spec"]["scaleTargetRef"]["name"] for each in production.of("HorizontalPodAutoscaler")]
    by_queue = [each["spec"]["scaleTargetRef"]["name"] for each in production.of("ScaledObject")]
    assert sorted(by_cpu + by_queue) == sorted((*DESK, "gateway"))


def test_the_database_takes_as_many_connections_as_the_most_replicas_open(production):
    most = {each["metadata"]["name"]: each["spec"]["maxReplicas"] for each in production.of("HorizontalPodAutoscaler")}
    most |= {each["metadata"]["name"]: each["spec"]["maxReplicaCount"] for each in production.of("ScaledObject")}
    opened = sum(most[name] for name in DESK if name != "captcha") * POOL_SIZE
    (cluster,) = production.of("Cluster")
    assert int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]) > opened + len(JOBS_WITH_A_DATABASE)


def test_the_runbook_replays_with_the_arguments_of_the_suspended_job(production, root):
    (job,) = (each for each in production.of("CronJob") if each["metadata"]["name"] == "dead-letters")
    assert job["spec"]["suspend"] is True
    (sed,) = re.findall(r"\| (sed '[^']+')", (root / "docs" / "operations.md").read_text(encoding="utf-8"))
    text = yaml.safe_dump(job, default_flow_style=False)
    changed = subprocess.run(["sh", "-c", sed], input=text, capture_output=True, text=True, check=True)  # noqa: S603, S607
    arguments = main_container(yaml.safe_load(changed.stdout)["spec"]["jobTemplate"]["spec"]["template"])["args"]
    options = _parser().parse_args(arguments)
    assert (options.command, options.queue) == ("replay", "tracking")


def test_the_probe_runs_every_minute_in_production_and_the_next_run_does_not_wait_for_it(production, local):
    spec = production.one("CronJob", "probe")["spec"]
    assert (spec["schedule"], spec["suspend"], spec["concurrencyPolicy"]) == ("* * * * *", False, "Forbid")
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 60
    assert local.one("CronJob", "probe")["spec"]["suspend"] is True, "its jobs fail until the desk is ready"


@pytest.mark.parametrize("name", ["dead-letters", "support"])
def test_a_job_for_operators_is_suspended_and_trusts_the_authorities_of_the_site(production, name):
    job = production.one("CronJob", name)
    assert job["spec"]["suspend"] is True
    container = main_container(job["spec"]["jobTemplate"]["spec"]["template"])
    assert {"name": "SSL_CERT_FILE", "value": "/run/authorities/authorities.pem"} in container["env"]


def test_every_user_of_the_broker_has_a_password(overlay):
    users = {service.user for service in SERVICES} | {"operator"} | {office_queue(each.key) for each in OFFICES}
    assert overlay.secrets["broker-passwords"].keys() == users


# --- life cycle of a pod


def test_readiness_checks_the_own_store_and_liveness_nothing(overlay):
    for name in DESK:
        container = main_container(overlay.workloads[name])
        assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "health"}
        assert container["livenessProbe"]["httpGet"] == {"path": "/health/live", "port": "health"}
        assert container["startupProbe"]["httpGet"] == {"path": "/health/live", "port": "health"}
        assert container["readinessProbe"]["timeoutSeconds"] > READY_TIMEOUT_SECONDS


def test_a_pod_has_enough_time_for_a_graceful_stop(overlay):
    for name in DESK:
        spec = overlay.workloads[name]["spec"]
        container = main_container(overlay.workloads[name])
        (drain,) = (float(each.partition("=")[2]) for each in container["args"] if each.startswith("--drain-seconds="))
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        needed = pause + drain + LATE_SECONDS + GRACE_SECONDS + DRAIN_SECONDS + FINISH_SECONDS + CLOSE_SECONDS
        needed += spans.CLOSE_SECONDS
        assert pause > 0
        assert drain > 3, "longer than the gateway keeps an idle connection"
        assert spec["terminationGracePeriodSeconds"] > needed


def test_a_new_pod_starts_before_an_old_one_stops(production):
    for made in production.of("Deployment"):
        assert made["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert production.one("PodDisruptionBudget", made["metadata"]["name"])["spec"]["maxUnavailable"] == 1
        spread = {each["topologyKey"] for each in made["spec"]["template"]["spec"]["topologySpreadConstraints"]}
        assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def test_every_pod_is_confined(overlay):
    labels = overlay.one("Namespace", "service-desk")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in overlay.workloads.items():
        spec, container = template["spec"], main_container(template)
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert container["resources"].keys() == {"requests", "limits"}, name
        if container["image"].rpartition("service-desk/")[1]:
            assert spec["securityContext"]["runAsUser"] == 10001, name


def test_stores_and_jobs_are_scheduled_before_services(overlay):
    values = {each["metadata"]["name"]: each["value"] for each in overlay.of("PriorityClass")}
    assert values["service-desk-stores"] > values["service-desk-services"] > 0
    first = {each["metadata"]["name"] for each in overlay.of("StatefulSet", "Job")}
    own = {
        "mail",
        "registry-simulator",
        "dead-letters",
        "support",
        "probe",
    }  # they take the place of outside parts, are started by hand, or test the desk
    assert first or overlay.name == "production"
    for name, template in overlay.workloads.items():
        if name not in own:
            wanted = "service-desk-stores" if name in first else "service-desk-services"
            assert template["spec"]["priorityClassName"] == wanted, name
    for made in overlay.of("Cluster", "RedisReplication", "RedisSentinel"):
        assert made["spec"]["priorityClassName"] == "service-desk-stores"


def test_a_trial_leaves_half_of_two_processors_for_new_pods(local):
    """A rolling update starts each new pod before it stops the old one."""
    asked = [main_container(each)["resources"]["requests"]["cpu"] for each in local.workloads.values()]
    assert all(each.endswith("m") for each in asked)
    assert sum(int(each.removesuffix("m")) for each in asked) <= 1000


# --- metrics


def test_prometheus_reads_the_services_and_may(production):
    monitor, queues = (production.one("ServiceMonitor", name) for name in ("services", "queues"))
    assert queues["spec"]["endpoints"][0]["params"] == {"family": ["queue_coarse_metrics"]}
    wanted = monitor["spec"]["selector"]["matchLabels"]
    read = {
        each["metadata"]["name"]
        for each in production.of("Service")
        if wanted.items() <= each["metadata"].get("labels", {}).items()
    }
    assert read == set(DESK)
    assert monitor["spec"]["endpoints"][0]["path"] == "/metrics"
