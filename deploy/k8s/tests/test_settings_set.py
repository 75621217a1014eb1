"""Every setting without a default is set, no unknown setting is set, and secrets are files."""

import json
import re
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

import desk.captcha.settings
import desk.intake.settings
import desk.notifier.settings
import desk.probe.settings
import desk.registry_gateway.settings
import desk.registry_simulator.settings
import desk.topology.settings
import desk.tracking.settings
from desk.chassis.crypto import new_key_pair, new_secret

SETTINGS: dict[str, type[BaseSettings]] = {
    "captcha": desk.captcha.settings.Settings,
    "registry-gateway": desk.registry_gateway.settings.Settings,
    "registry-simulator": desk.registry_simulator.settings.Settings,
    "intake": desk.intake.settings.Settings,
    "tracking": desk.tracking.settings.Settings,
    "notifier": desk.notifier.settings.Settings,
    "probe": desk.probe.settings.Settings,
    "topology": desk.topology.settings.Settings,
}
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
JOBS = (*(f"{service}-migrate" for service in SERVICES[1:]), "storage", "topology", "dead-letters", "support", "probe")
NEEDED_BY_TOPOLOGY = {
    "topology": "DESK_TOPOLOGY_MANAGEMENT_URL",
    "dead-letters": "DESK_TOPOLOGY_AMQP_URL",
    "support": "DESK_TOPOLOGY_AMQP_URL",
}
"""Its settings have defaults, and each of its commands requires its own."""
OF_ANOTHER_IMAGE = {"probe"}
"""Programs of the image ``topology`` with settings of their own."""


def names_of(settings):
    prefix = settings.model_config["env_prefix"]
    return {f"{prefix}{name.upper()}": field for name, field in settings.model_fields.items()}


def is_secret(field):
    return SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))


def plain(overlay, container):
    """Return the environment of a container."""
    values = {each["name"]: each.get("value", "") for each in container.get("env", []) if "valueFrom" not in each}
    for source in container.get("envFrom", []):
        values |= overlay.configuration[source["configMapRef"]["name"]]
    return values


def files(overlay, pod, folder):
    """Return the content of a folder of secrets, by file name."""
    (container,) = pod["containers"]
    mounted = {mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == folder}
    (volume,) = (each for each in pod["volumes"] if each["name"] in mounted)
    if "projected" in volume:
        parts = [overlay.secrets[each["secret"]["name"]] for each in volume["projected"]["sources"]]
        return {key: value for part in parts for key, value in part.items()}
    return overlay.secrets[volume["secret"]["secretName"]]


def put(file, value):
    """Write a file with the permissions of a mounted secret."""
    file.write_text(value)
    file.chmod(0o440)


def desk_pods(overlay):
    for name, template in overlay.workloads.items():
        image = (
            template["spec"]["containers"][0]["image"].rpartition(":")[0] or template["spec"]["containers"][0]["image"]
        )
        service = name if name in OF_ANOTHER_IMAGE else image.rpartition("service-desk/")[2]
        if service in SETTINGS:
            yield name, service, template["spec"]


def test_every_program_of_ours_is_checked(overlay):
    simulator = {"registry-simulator"}
    looked_at = {service for _, service, _ in desk_pods(overlay)}
    assert looked_at == SETTINGS.keys() - (simulator if overlay.name == "production" else set())
    assert len(list(desk_pods(overlay))) == len(SERVICES) + len(JOBS) + len(looked_at & simulator)


def test_every_setting_without_a_default_is_set(overlay):
    for name, service, pod in desk_pods(overlay):
        (container,) = pod["containers"]
        given = plain(overlay, container) | files(overlay, pod, "/run/secrets/desk")
        required = {each for each, field in names_of(SETTINGS[service]).items() if field.is_required()}
        required |= {NEEDED_BY_TOPOLOGY[name]} if service == "topology" else set()
        assert required - given.keys() == set(), name


def test_no_unknown_setting_is_set(overlay):
    for name, service, pod in desk_pods(overlay):
        (container,) = pod["containers"]
        given = plain(overlay, container) | files(overlay, pod, "/run/secrets/desk")
        read = names_of(SETTINGS[service]).keys() | {"DESK_SECRETS_DIR", "DESK_REQUIRE_TLS", "SSL_CERT_FILE"}
        assert given.keys() - read == set(), name


def test_the_gateway_reads_every_setting_it_gets(overlay, root):
    (container,) = overlay.workloads["gateway"]["spec"]["containers"]
    text = "".join(file.read_text() for file in (root / "gateway" / "nginx").rglob("*") if file.is_file())
    assert plain(overlay, container).keys() - set(re.findall(r"DESK_GATEWAY_[A-Z_]+", text)) == set()


def test_a_secret_is_a_file_and_never_in_the_environment(overlay):
    for name, service, pod in desk_pods(overlay):
        (container,) = pod["containers"]
        secret = {each for each, field in names_of(SETTINGS[service]).items() if is_secret(field)}
        assert secret & plain(overlay, container).keys() == set(), name
        assert plain(overlay, container)["DESK_SECRETS_DIR"] == "/run/secrets/desk"
    for name, template in overlay.workloads.items():
        for container in template["spec"]["containers"]:
            assert not [each for each in container.get("env", []) if "secretKeyRef" in each.get("valueFrom", {})], name


def test_the_files_of_secrets_are_closed_to_others(overlay):
    modes = {
        (name, volume["name"]): (volume.get("secret") or volume["projected"]).get("defaultMode", 0o644)
        for name, template in overlay.workloads.items()
        for volume in template["spec"].get("volumes", [])
        if volume.keys() & {"secret", "projected"}
    }
    assert modes
    assert {place: oct(mode) for place, mode in modes.items() if mode & 0o007} == {}


def test_every_service_accepts_its_settings(overlay, monkeypatch, tmp_path):
    for name, service, pod in desk_pods(overlay):
        folder = tmp_path / name
        folder.mkdir()
        for key, value in files(overlay, pod, "/run/secrets/desk").items():
            put(folder / key, value)
        with monkeypatch.context() as environment:
            for key, value in plain(overlay, pod["containers"][0]).items():
                environment.setenv(key, value)
            environment.setenv("DESK_SECRETS_DIR", str(folder))
            assert SETTINGS[service](), name


@pytest.mark.parametrize("accounts", [(), ("KAVENEGAR",), ("KAVENEGAR", "SMSIR", "GENERIC")])
def test_with_accounts_for_sms_the_notifier_has_their_keys(production, make_secrets, monkeypatch, tmp_path, accounts):
    secrets = make_secrets("production", **{f"{name}_KEY": f"given {name}_KEY" for name in accounts})["notifier"]
    for name in ("KAVENEGAR", "SMSIR", "GENERIC"):
        assert secrets.get(f"DESK_NOTIFIER_{name}_KEY") == (f"given {name}_KEY" if name in accounts else None)

    (container,) = production.workloads["notifier"]["spec"]["containers"]
    chosen = {"SMS": ",".join(name.lower() for name in accounts) or "shown", "KAVENEGAR_SENDER": "10008663"}
    chosen |= {"SMSIR_LINE": "30007732", "GENERIC_URL": "https://sms.example.ir"}
    for key, value in (
        plain(production, container) | {f"DESK_NOTIFIER_{name}": it for name, it in chosen.items()}
    ).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("DESK_SECRETS_DIR", str(tmp_path))
    for key, value in secrets.items():
        put(tmp_path / key, value)
    assert SETTINGS["notifier"]().sms_weights == {name.lower(): 1 for name in accounts}


def test_tracking_and_notifier_get_the_same_keys_of_offices_as_intake(production):
    values = [
        plain(production, production.workloads[name]["spec"]["containers"][0])[setting]
        for name, setting in (
            ("intake", "DESK_INTAKE_OFFICE_SIGNING_KEYS"),
            ("tracking", "DESK_TRACKING_OFFICE_SIGNING_KEYS"),
            ("notifier", "DESK_NOTIFIER_OFFICE_SIGNING_KEYS"),
        )
    ]
    assert values[0] == values[1] == values[2]


def test_intake_gets_the_keys_of_offices_and_refuses_an_invalid_one(production, root, monkeypatch):
    (container,) = production.workloads["intake"]["spec"]["containers"]
    value = plain(production, container)["DESK_INTAKE_OFFICE_SIGNING_KEYS"]
    assert value == (root / "deploy/k8s/overlays/production/office-signing-keys.json").read_text()
    private, public = new_key_pair()
    required = {name: f"given as {name}" for name, field in names_of(SETTINGS["intake"]).items() if field.is_required()}
    required |= {"DESK_INTAKE_VAULT_KEYS": f"k1:{new_secret()}", "DESK_INTAKE_INDEX_KEY": new_secret()}
    required |= {"DESK_INTAKE_RECEIPT_PRIVATE_KEY": private, "DESK_INTAKE_SERVICE_PRIVATE_KEY": new_key_pair()[0]}
    required |= {"DESK_INTAKE_SERVICE_PUBLIC_KEYS": "{}", "DESK_INTAKE_SCANNER_URL": "tcp://clamav:3310"}
    required |= {name: value for name, value in production.secrets["intake"].items() if "_EVENT_" in name}
    for key, value in required.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("DESK_INTAKE_OFFICE_SIGNING_KEYS", json.dumps({"isfahan": public, "headquarters": public}))
    assert SETTINGS["intake"]().office_signing_keys == {"isfahan": public, "headquarters": public}
    monkeypatch.setenv("DESK_INTAKE_OFFICE_SIGNING_KEYS", json.dumps({"atlantis": public}))
    with pytest.raises(ValueError, match="unknown offices: atlantis"):
        SETTINGS["intake"]()
    monkeypatch.setenv("DESK_INTAKE_OFFICE_SIGNING_KEYS", json.dumps({"isfahan": "no key"}))
    with pytest.raises(ValueError, match="no Ed25519 public key"):
        SETTINGS["intake"]()


def test_the_secrets_of_an_overlay_are_those_that_are_mounted_or_named(overlay):
    text = overlay.text
    for name in overlay.secrets.keys() - {"office-event-keys"}:  # for the offices: no pod reads it
        assert re.search(rf"(secretName|name): {re.escape(name)}\b", text), f"no pod uses the secret {name}"
    for template in overlay.workloads.values():
        for volume in template["spec"].get("volumes", []):
            if "secret" in volume:
                secret = overlay.secrets[volume["secret"]["secretName"]]
                assert {item["key"] for item in volume["secret"].get("items", [])} <= secret.keys()


@pytest.mark.parametrize("service", ["registry-gateway", "intake", "tracking", "notifier"])
def test_no_key_is_shared_by_two_overlays_or_two_services(overlays, service):
    key = f"DESK_{service.upper().replace('-', '_')}_INDEX_KEY"
    keys = [overlay.secrets[service][key] for overlay in overlays.values()]
    keys += [
        overlay.secrets[other][f"DESK_{other.upper()}_INDEX_KEY"]
        for overlay in overlays.values()
        for other in ("intake", "tracking", "notifier")
        if other != service
    ]
    assert len(set(keys)) == len(keys)


def test_every_address_in_the_cluster_is_that_of_a_service_and_its_port(overlay):
    there = {
        (each["metadata"]["name"], port["port"]) for each in overlay.of("Service") for port in each["spec"]["ports"]
    }
    there |= MADE_BY_OPERATORS if overlay.name == "production" else set()
    for host, port in addresses(overlay):
        if host.endswith(".example.ir"):
            assert overlay.name == "production", host
            continue
        assert (host.removesuffix(".service-desk.svc"), port) in there, (host, port)


MADE_BY_OPERATORS = {
    ("postgres-rw", 5432),
    ("rabbitmq", 5671),
    ("rabbitmq", 15671),
    *((f"redis-sentinel-{number}.redis-sentinel-headless", 26379) for number in range(3)),
}
PORTS = {"postgresql+asyncpg": 5432, "https": 443, "http": 80}


def addresses(overlay):
    for _, _, pod in desk_pods(overlay):
        values = plain(overlay, pod["containers"][0]) | files(overlay, pod, "/run/secrets/desk")
        for name, value in values.items():
            if name.endswith("_URL") and not name.endswith("_PUBLIC_URL"):
                parts = urlsplit(value)
                for place in parts.netloc.rpartition("@")[2].split(","):
                    host, _, port = place.partition(":")
                    yield host, int(port or PORTS[parts.scheme])
            if name.endswith("_ENDPOINT"):
                host, _, port = value.partition(":")
                yield host, int(port)
            if name.endswith("SMTP_HOST"):
                yield value, int(values["DESK_NOTIFIER_SMTP_PORT"])
