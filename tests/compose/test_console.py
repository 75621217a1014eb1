"""A province without its own software: the console in containers, as its Compose file runs it."""

import pytest
from compose.console import ConsoleContainers
from compose.containers import Containers
from support.applicant import PDF
from support.console_client import ConsoleClient
from support.embedded_desk import wait_for
from support.published_desk import RetryingApplicant

DEADLINE = 60.0
OWN_PASSWORD = "a province's own word"


@pytest.fixture
def console(containers, tmp_path):
    running = ConsoleContainers(containers, "qom", tmp_path)
    try:
        running.up()
        yield running
    finally:
        running.down()


def test_an_expert_answers_and_the_case_survives_a_restart_of_the_containers(
    console: ConsoleContainers, containers: Containers, applicant: RetryingApplicant
):
    first_password = console.create_account("n.baran")
    address = "who-asked-in-qom@example.com"
    code = applicant.submit(PDF, province="qom", email=address)
    with ConsoleClient(console.url, path="") as expert:
        expert.sign_in("n.baran", first_password)
        expert.send("/password", old=first_password, password=OWN_PASSWORD, again=OWN_PASSWORD)
        wait_for(lambda: "request_text" in expert.open(f"/cases/{code}"), DEADLINE)
        expert.send(f"/cases/{code}/take")
        expert.send(f"/cases/{code}/answer", text="روادید شما صادر شده است.")
    wait_for(lambda: len(containers.mails_to(address)) == 2, DEADLINE)
    assert applicant.track(code).json()["answer"]["text"] == "روادید شما صادر شده است."
    assert 'desk_console_line_alive{province="qom"} 1.0' in console.metrics()

    console.restart()
    with ConsoleClient(console.url, path="") as expert:
        expert.sign_in("n.baran", OWN_PASSWORD)
        assert "روادید شما صادر شده است." in expert.open(f"/cases/{code}")
    assert containers.dead_letters() == {}
