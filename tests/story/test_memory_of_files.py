"""A file of nearly the largest size adds little memory to intake, while it is uploaded and while it is downloaded."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.applicant import PDF
from support.real_desk import RealDesk

BIG = PDF.replace(b"trailer", b"%" + b"." * 7_000_000 + b"\ntrailer")
MOST_BYTES = 20 * 1024 * 1024
RESET_PEAK = "5"
"""Written to ``clear_refs``, it makes Linux count the peak of the resident memory from now on."""


@pytest.fixture
def added_memory(clean_desk: RealDesk) -> Callable[[Callable[[], object]], int]:
    """Return by how many bytes a call raises the resident memory of intake at its peak."""
    process = Path(f"/proc/{clean_desk['intake'].process.pid}")

    def peak() -> int:
        status = (process / "status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def measure(call: Callable[[], object]) -> int:
        (process / "clear_refs").write_text(RESET_PEAK, encoding="ascii")
        before = peak()
        call()
        return peak() - before

    return measure


def test_an_upload_and_a_download_add_at_most_20_megabytes_each(clean_desk: RealDesk, added_memory):
    applicant = clean_desk.applicant(1)
    small = applicant.upload("کوچک.pdf", PDF)
    uploaded: list[str] = []

    upload = added_memory(lambda: uploaded.append(applicant.upload("بزرگ.pdf", BIG)))

    code = clean_desk.submit(1, attachments=[small, *uploaded]).code
    headers = {"Authorization": f"Bearer {applicant.sees(code, 'registered')['token']}"}
    contents: list[bytes] = []

    def download(file_id: str) -> None:
        contents.append(clean_desk.client.get(f"/api/files/{file_id}", headers=headers).content)

    download(small)
    downloaded = added_memory(lambda: download(uploaded[0]))

    assert contents == [PDF, BIG]
    assert (upload <= MOST_BYTES, downloaded <= MOST_BYTES) == (True, True), (upload, downloaded)
