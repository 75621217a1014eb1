"""The malware scanner is down or hangs: requests go on, and files wait until they are clean. Row 18."""

import httpx
import pytest
from faults.invariant import settled
from faults.scale import TEST_SECONDS
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.testing.hostile_files import infected_files

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

FILES = 6


def pending(desk: RealDesk) -> int:
    [(number,)] = desk.rows("intake", "SELECT count(*) FROM attachment WHERE scan_due_at IS NOT NULL")
    return int(number)


def download(desk: RealDesk, place: int, code: str, file_id: str) -> httpx.Response:
    token = desk.applicant(place).sees(code, "registered")["token"]
    return desk.client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_files_wait_while_the_scanner_is_down_and_the_backlog_is_worked_off(clean_desk: RealDesk, how: str):
    clean_desk.replicate("intake")
    if how == "killed":
        clean_desk.clamav.kill()
    else:
        clean_desk.clamav.pause()
    try:
        sent = []
        for place in range(FILES if how == "killed" else 2):
            file_id = clean_desk.applicant(place).upload("letter.pdf", PDF)
            sent.append((place, clean_desk.submit(place, attachments=[file_id]).code, file_id))
        assert pending(clean_desk) == len(sent)
        for place, code, file_id in sent:
            answer = download(clean_desk, place, code, file_id)
            assert (answer.status_code, answer.json()["code"]) == (409, "file_pending")
    finally:
        if how == "killed":
            clean_desk.clamav.start()
        else:
            clean_desk.clamav.resume()

    clean_desk.execute("intake", "UPDATE attachment SET scan_due_at = now() WHERE scan_due_at IS NOT NULL")
    wait_for(lambda: pending(clean_desk) == 0, 60)

    for place, code, file_id in sent:
        answer = download(clean_desk, place, code, file_id)
        assert (answer.status_code, answer.content) == (200, PDF)
    assert settled(clean_desk) == []


def test_malware_that_was_uploaded_while_the_scanner_was_down_is_never_handed_out(clean_desk: RealDesk):
    infected = infected_files()["EICAR in a PDF"]
    clean_desk.clamav.kill()
    try:
        file_id = clean_desk.applicant(0).upload(infected.name, infected.content)
        code = clean_desk.submit(0, attachments=[file_id]).code
    finally:
        clean_desk.clamav.start()
    clean_desk.execute("intake", "UPDATE attachment SET scan_due_at = now() WHERE scan_due_at IS NOT NULL")
    wait_for(lambda: pending(clean_desk) == 0, 60)

    answer = download(clean_desk, 0, code, file_id)

    assert (answer.status_code, answer.json()["code"]) == (410, "file_removed")
    assert answer.json()["title"]
    assert settled(clean_desk) == []
