"""Each container is killed and restarted in turn: the desk recovers and no request is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from compose.containers import LASTING, Containers
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.published_desk import Province, RetryingApplicant

SETTLE_SECONDS = 90.0


@pytest.mark.parametrize("container", LASTING)
def test_the_desk_recovers_after_a_container_was_killed(
    container: str, containers: Containers, applicant: RetryingApplicant, province: Province, ledger: list[str]
):
    ledger.append(applicant.submit(PDF))
    with ThreadPoolExecutor(1) as thread:
        containers.kill(container)
        on_its_way = thread.submit(applicant.submit, PDF)
        assert container not in containers.running()
        containers.start(container)
        ledger.append(on_its_way.result())
    ledger.append(applicant.submit(PDF))
    wait_for(lambda: containers.is_well(container), SETTLE_SECONDS)

    wait_for(lambda: all(province.of(code) for code in ledger), SETTLE_SECONDS)
    assert {code: len(province.of(code)) for code in ledger} == dict.fromkeys(ledger, 1)
    view = applicant.track(ledger[-1])
    assert view.status_code == 200, view.text
    assert view.json()["state"] == "registered"
    wait_for(lambda: set(LASTING) <= containers.running(), SETTLE_SECONDS)
    assert containers.dead_letters() == {}
