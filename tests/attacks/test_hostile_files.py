"""Row 18: files that act, hide something, or need too much to open are refused, from applicants and from offices."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from attacks.attacked_desk import AttackedDesk
from support.applicant import PDF
from support.embedded_desk import wait_for

from desk.chassis.crypto import TokenIssuer
from desk.testing.hostile_files import hostile_files, infected_files

pytestmark = pytest.mark.attacks

MOST_BYTES = 50 * 1024 * 1024
SAMPLE_SECONDS = 0.01
FILES = hostile_files() | infected_files()


def memory_of(process: psutil.Process) -> int:
    """Return the memory that a process and what it started have for themselves alone."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += each.memory_full_info().uss
    return total


@contextmanager
def peak_of(processes: list[psutil.Process]) -> Iterator[Callable[[], int]]:
    """Measure by how many bytes the largest of some processes grows at most."""
    before = [memory_of(each) for each in processes]
    growth = [0]
    ended = threading.Event()

    def sample() -> None:
        while not ended.is_set():
            now = [memory_of(each) for each in processes]
            growth[0] = max(growth[0], *(new - old for new, old in zip(now, before, strict=True)))
            time.sleep(SAMPLE_SECONDS)

    watching = threading.Thread(target=sample)
    watching.start()
    try:
        yield lambda: growth[0]
    finally:
        ended.set()
        watching.join()


def assert_refused(answer: httpx.Response, name: str) -> None:
    problem = answer.json()
    assert (answer.status_code in {413, 415, 422}, problem["code"]) == (True, FILES[name].code), name
    assert len(problem["title"]) > 20, name


def test_row_18_hostile_files_of_applicants_are_refused_with_a_sentence_and_little_memory(desk: AttackedDesk):
    honest = desk.person()
    honest.identify()
    for _ in range(4):  # each replica has started the process that checks files
        honest.upload("letter.pdf", PDF)
    intakes = [each.process for each in desk.services.replicas["intake"]]
    [(before,)] = desk.services.rows("intake", "SELECT count(*) FROM attachment")

    with peak_of(intakes) as growth:
        for part in (sorted(FILES)[::3], sorted(FILES)[1::3], sorted(FILES)[2::3]):
            person = desk.person()
            person.identify()
            for name in part:
                content, called = FILES[name].content, FILES[name].name
                headers = {"Authorization": f"Bearer {person.token}"}
                answer = person.client.post("/api/attachments", headers=headers, files={"file": (called, content)})
                assert_refused(answer, name)

    assert growth() <= MOST_BYTES
    [(after,)] = desk.services.rows("intake", "SELECT count(*) FROM attachment")
    assert after == before
    assert honest.upload("letter.pdf", PDF)


@pytest.mark.parametrize(
    "name",
    ["a PDF with a script that runs at once", "a document with macros", "a JPEG followed by HTML", *infected_files()],
)
def test_row_18_an_office_cannot_send_a_hostile_file_to_an_applicant(desk: AttackedDesk, name: str):
    person = desk.person()
    code = person.submit()
    wait_for(lambda: desk.services.province.of(code))
    private = desk.services.office_signing_keys["isfahan"][0]
    content, called = FILES[name].content, FILES[name].name

    assertion, _ = TokenIssuer(private, "isfahan").issue({}, audience="desk.files", seconds=60)
    answer = person.client.post(
        "/api/office/files",
        data={"tracking_code": code},
        files={"file": (called, content)},
        headers={"Authorization": f"Bearer {assertion}"},
    )

    assert_refused(answer, name)
    assert (
        desk.services.rows(
            "intake",
            "SELECT 1 FROM answer_file a JOIN request r ON r.id = a.request_id WHERE r.tracking_code = $1",
            code,
        )
        == []
    )
