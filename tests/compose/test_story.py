"""The story on the containers that an operator starts, through the published ports only."""

from compose.containers import LASTING, Containers
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.published_desk import Province, RetryingApplicant

DEADLINE = 60.0


def test_a_request_with_a_file_reaches_its_province_and_the_answer_comes_back(
    containers: Containers, applicant: RetryingApplicant, province: Province, ledger: list[str]
):
    address = "applicant-in-containers@example.com"
    code = applicant.submit(PDF, email=address)
    ledger.append(code)

    [received] = wait_for(lambda: province.of(code), DEADLINE)
    assert received["data"]["applicant"]["last_name"] == applicant.person["last_name"]
    assert [each["name"] for each in received["data"]["attachments"]] == ["گذرنامه.pdf"]

    province.report(code, "case-received", 1)
    province.report(code, "case-answered", 2, text="روادید شما صادر شده است.")
    wait_for(lambda: len(containers.mails_to(address)) == 2, DEADLINE)
    view = applicant.track(code).json()
    assert view["state"] == "answered"
    assert view["answer"]["text"] == "روادید شما صادر شده است."
    assert [step["state"] for step in view["history"]] == ["registered", "received", "answered"]


def test_the_gateway_serves_the_pages_and_nothing_internal(containers: Containers, applicant: RetryingApplicant):
    for page in ("/", "/send", "/track", "/help"):
        answer = applicant.client.get(page)
        assert answer.status_code == 200, page
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in ("/internal/requests/find", "/metrics", "/health/live", "/health/ready", "/openapi.json"):
        assert applicant.client.get(path).status_code == 404, path


def test_only_the_public_gateway_is_reachable_from_other_machines(containers: Containers):
    everywhere = set()
    for service in LASTING:
        published = containers.inspect(service)["NetworkSettings"]["Ports"] or {}
        bindings = [binding for found in published.values() for binding in found or []]
        if any(binding["HostIp"] not in {"127.0.0.1", "::1"} for binding in bindings):
            everywhere.add(service)
    assert everywhere == {"gateway"}


def test_our_containers_run_without_root_and_cannot_change_their_image(containers: Containers):
    ours = ("gateway", "captcha", "registry-simulator", "registry-gateway", "intake", "tracking", "notifier")
    for service in ours:
        found = containers.inspect(service)
        assert found["Config"]["User"] == "10001:10001", service
        assert found["HostConfig"]["ReadonlyRootfs"], service
        assert found["HostConfig"]["CapDrop"] == ["ALL"], service
        for tool in ("apt", "dpkg", "apk", "pip", "uv", "gcc", "perl"):
            looked = containers.compose("exec", "--no-TTY", service, "sh", "-c", f"command -v {tool} || true")
            assert looked == "", f"{tool} in {service}"
