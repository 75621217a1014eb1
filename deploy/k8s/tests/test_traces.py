"""The component for traces: it changes settings of the services and allows one connection, in every overlay."""

import pytest

SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")


def settings_of(overlay, service):
    [container] = overlay.workloads[service]["spec"]["containers"]
    names = [each["configMapRef"]["name"] for each in container["envFrom"]]
    return {key: value for name in names for key, value in overlay.configuration[name].items()}


@pytest.mark.parametrize("name", ["local", "production"])
def test_with_the_component_all_services_send_the_same_part_of_traces_and_may(name, overlays, with_component):
    without, traced = overlays[name], with_component(name, "traces")
    for service in SERVICES:
        prefix = f"DESK_{service.upper().replace('-', '_')}_TRACES"
        added = {f"{prefix}_URL": "http://collector.monitoring:4318/v1/traces", f"{prefix}_SAMPLE": "0.05"}
        assert settings_of(traced, service) == settings_of(without, service) | added
    [policy] = [each for each in traced.of("NetworkPolicy") if each not in list(without.of("NetworkPolicy"))]
    assert policy["metadata"]["name"] == "traces-to-collector"
    [rule] = policy["spec"]["egress"]
    assert rule["ports"] == [{"port": 4318}]
    wanted = policy["spec"]["podSelector"]["matchLabels"].items()
    allowed = {each for each, pod in traced.workloads.items() if wanted <= pod["metadata"]["labels"].items()}
    assert allowed == set(SERVICES)
