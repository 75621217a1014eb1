"""Files are checked before anything is confirmed, and an answer is confirmed once the desk has accepted it."""

import io

import pikepdf
import pytest
from support.console_service import CODE, event

from desk.console.domain.states import State
from desk.expert import FileRefusedError
from desk.files.types import FILE_BYTES_MAX


def pdf(padding=0):
    written = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(9, 9))
        document.save(written)
    return written.getvalue().replace(b"%%EOF", b"%" + b"-" * padding + b"\n%%EOF")


@pytest.fixture
async def expert(console, browse):
    await console.account("expert")
    await console.handle(event("request-submitted", 1))
    browser = await browse().sign_in("expert")
    await browser.open(f"/cases/{CODE}")
    await browser.send(f"/cases/{CODE}/take")
    return browser


REFUSED = {
    "letter.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "این نوع فایل پذیرفته نمی‌شود"),
    "scan.tiff": (b"II*\x00" + bytes(600), "این نوع فایل پذیرفته نمی‌شود"),
    "empty.pdf": (b"", "خالی است"),
    "truncated.pdf": (b"%PDF-1.7\n" + bytes(400), "خراب یا ناقص است"),
    "large.pdf": (pdf(FILE_BYTES_MAX), "۷ مگابایت"),
    "letter.docx": (pdf(), "با پسوند نامش یکی نیست"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_the_desk_would_refuse_is_refused_on_the_page(console, expert, name):
    content, sentence = REFUSED[name]
    page = await expert.send(
        f"/cases/{CODE}/answer", text="در پیوست است.", question="", files={"files": (name, content)}
    )
    assert expert.page.status_code == 422
    assert f"«{name}»" in page
    assert sentence in page
    assert "در پیوست است." in page
    assert (await console.case()).state is State.IN_PROGRESS
    assert await console.send_all() == ["case-received", "case-opened", "case-assigned"]


async def test_a_file_of_seven_megabytes_is_accepted(console, expert):
    content = pdf(FILE_BYTES_MAX - 2000)
    await expert.send(f"/cases/{CODE}/answer", text="در پیوست است.", files={"files": ("scan", content)})
    await console.send_all()
    assert [name for name, _ in console.client.files] == ["scan.pdf"]


async def test_an_answer_is_confirmed_once_the_desk_has_accepted_its_files(console, expert):
    console.client.refusing = FileRefusedError("desk_away", "", later=True)
    page = await expert.send(f"/cases/{CODE}/answer", text="در پیوست است.", files={"files": ("a.pdf", pdf())})
    await console.send_all()
    for path in (f"/cases/{CODE}?done=answered", "/cases?list=done"):
        page = await expert.open(path)
        assert "در حال فرستادن" in page
        assert "پاسخ ثبت شد" not in page
        assert '<span class="tag tag-answered">' not in page
    console.client.refusing, console.now = None, console.now.replace(year=2027)
    await console.send_all()
    console.now = console.now.replace(year=2026)
    page = await expert.open(f"/cases/{CODE}?done=answered")
    assert "پاسخ ثبت شد" in page
    assert "در حال فرستادن" not in page


async def test_an_answer_that_the_desk_refuses_is_never_confirmed(console, expert):
    console.client.refusing = FileRefusedError("malware_found", "این فایل آلوده است.")
    await expert.send(f"/cases/{CODE}/answer", text="در پیوست است.", files={"files": ("a.pdf", pdf())})
    await console.send_all()
    page = await expert.open(f"/cases/{CODE}?done=answered")
    assert "پاسخ ثبت شد" not in page
    assert "این فایل آلوده است." in page
