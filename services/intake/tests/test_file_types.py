import io
import zipfile
import zlib

import pytest

from desk.intake.domain import FileTypeForbiddenError
from desk.intake.service.file_checks import check_file
from desk.iran.digits import fold


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENT_TYPES = "[Content_Types].xml"


def png():
    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = (1).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def jpeg():
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"


def heic(major=b"heic", compatible=b"mif1heic"):
    return (16 + len(compatible)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + compatible + b"\0" * 32


def zipped(*members):
    """Zip pairs of a name (or ZipInfo) and a content."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def docx(*more):
    return zipped((CONTENT_TYPES, "<Types/>"), ("word/document.xml", "<w:document/>"), *more)


def docx_that_says(position, value):
    """Change two bytes of the last member's entry in the archive's directory."""
    content = bytearray(docx())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + position : entry + position + len(value)] = value
    return bytes(content)


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry


ACCEPTED = {
    "a PDF": (b"%PDF-1.4\n%%EOF\n", "letter.pdf", "application/pdf", "letter.pdf"),
    "a JPEG": (jpeg(), "photo.jpg", "image/jpeg", "photo.jpg"),
    "a JPEG under its longer ending": (jpeg(), "photo.jpeg", "image/jpeg", "photo.jpeg"),
    "a PNG": (png(), "scan.png", "image/png", "scan.png"),
    "a HEIC": (heic(), "IMG_1.heic", "image/heic", "IMG_1.heic"),
    "a HEIC of the general brand": (heic(b"mif1"), "IMG_1.heif", "image/heic", "IMG_1.heif"),
    "a Word document": (docx(), "letter.docx", WORD, "letter.docx"),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_an_accepted_file_has_the_media_type_of_its_content(desk, name):
    content, called, media_type, kept = ACCEPTED[name]

    answer = await desk.upload(content, called)

    assert answer.status_code == 201
    assert (answer.json()["media_type"], answer.json()["name"]) == (media_type, kept)


REFUSED = {
    "a program named .pdf": (b"MZ\x90\x00" + bytes(60), "letter.pdf", "file_type_forbidden"),
    "a program": (b"\x7fELF" + bytes(60), "tool", "file_type_forbidden"),
    "a web page": (b"<!doctype html><script>alert(1)</script>", "page.html", "file_type_forbidden"),
    "a web page named .png": (b"<html><script>alert(1)</script></html>", "scan.png", "file_type_forbidden"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "logo.svg", "file_type_forbidden"),
    "a GIF": (b"GIF89a" + bytes(32), "photo.gif", "file_type_forbidden"),
    "plain text": ("سلام".encode(), "letter.txt", "file_type_forbidden"),
    "one byte": (b"%", "letter.pdf", "file_type_forbidden"),
    "a film in the box of a HEIC": (heic(b"isom", b"isomavc1"), "IMG_1.heic", "file_type_forbidden"),
    "a zip": (zipped(("a.txt", "a")), "files.zip", "file_type_forbidden"),
    "a zip named .docx": (zipped(("a.txt", "a")), "letter.docx", "file_type_forbidden"),
    "a spreadsheet": (zipped((CONTENT_TYPES, ""), ("xl/workbook.xml", "")), "a.xlsx", "file_type_forbidden"),
    "a broken zip": (b"PK\x03\x04" + bytes(60), "letter.docx", "file_type_forbidden"),
    "a document cut short": (docx()[:-30], "letter.docx", "file_type_forbidden"),
    "a document with macros": (docx(("word/vbaProject.bin", "x")), "letter.docx", "file_type_forbidden"),
    "a document with MACROS": (docx(("word/VBAPROJECT.BIN", "x")), "letter.docx", "file_type_forbidden"),
    "a document with a way out": (docx(("../../etc/passwd", "x")), "letter.docx", "file_type_forbidden"),
    "a document with an absolute path": (docx(("/etc/passwd", "x")), "letter.docx", "file_type_forbidden"),
    "a document with a link": (docx((link("word/a.xml"), "/etc/passwd")), "letter.docx", "file_type_forbidden"),
    "a document that swells": (docx(("word/a.xml", bytes(101 * 1024**2))), "letter.docx", "file_type_forbidden"),
    "a document of 600 parts": (docx(*((f"word/{n}", "") for n in range(600))), "a.docx", "file_type_forbidden"),
    "a document under lock": (docx_that_says(8, b"\x01\x00"), "letter.docx", "file_type_forbidden"),
    "a document of a future zip": (docx_that_says(6, b"\xff\x00"), "letter.docx", "file_type_forbidden"),
    "a PDF named .png": (b"%PDF-1.4\n%%EOF\n", "scan.png", "file_type_mismatch"),
    "a PDF named .docx": (b"%PDF-1.4\n%%EOF\n", "letter.DOCX", "file_type_mismatch"),
    "a picture named .pdf": (png(), "scan.pdf", "file_type_mismatch"),
    "a document named .jpg": (docx(), "photo.jpg", "file_type_mismatch"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_with_a_forbidden_type_or_a_wrong_extension_is_refused(desk, problem_of, name):
    content, called, code = REFUSED[name]

    problem = problem_of(await desk.upload(content, called), 415)

    assert problem["code"] == code
    assert [error["field"] for error in problem["errors"]] == ["file"]
    assert await desk.count("attachment") == 0
    assert desk.objects() == set()


def test_a_zip_with_any_byte_of_its_directory_changed_is_accepted_or_refused():
    whole, taken, refused = docx(), 0, 0

    for position in range(whole.index(b"PK\x01\x02"), len(whole)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(whole)
            changed[position] ^= change
            try:
                checked = check_file(io.BytesIO(changed), "letter.docx")
            except FileTypeForbiddenError:
                refused += 1
            else:
                taken += checked.media_type == WORD

    assert taken + refused == 3 * (len(whole) - whole.index(b"PK\x01\x02"))
    assert taken
    assert refused


NAMES = {
    "a path": ("/home/zahra/نامه.pdf", "نامه.pdf"),
    "a Windows path": ("C:\\Users\\zahra\\نامه.pdf", "نامه.pdf"),
    "a way up": ("../../etc/passwd", "passwd.pdf"),
    "nothing but dots": ("..", "file.pdf"),
    "an ending alone": (".pdf", "file.pdf"),
    "signs alone": ("???.pdf", "file.pdf"),
    "a bidi override": ("\u202egnp.\u2066نامه\u2069.pdf", "gnp.نامه.pdf"),
    "a zero byte": ("نا\x00مه.pdf", "نامه.pdf"),
    "line ends": ("a\u2028b.pdf", "ab.pdf"),
    "no ending": ("نامه", "نامه.pdf"),
    "another ending": ("letter.exe", "letter.pdf"),
    "a number behind a dot": ("قرارداد 1.2", "قرارداد 1.2.pdf"),
    "two endings": ("letter.exe.pdf", "letter.exe.pdf"),
    "capital letters": ("LETTER.PDF", "LETTER.pdf"),
    "Arabic letters": ("كتابي.pdf", "کتابی.pdf"),
    "a space at its end": ("نامه.pdf ", "نامه.pdf"),
    "something very long": ("ن" * 1000 + ".pdf", "ن" * 120 + ".pdf"),
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_stored_without_paths_and_forbidden_characters(desk, pdf, name):
    given, kept = NAMES[name]

    answer = await desk.upload_raw(pdf, given)

    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == kept


@pytest.mark.parametrize(
    ("content", "called", "kept"),
    [(heic(), "IMG_1.jpg", "IMG_1.heic"), (png(), "photo.jpeg", "photo.png"), (jpeg(), "scan.PNG", "scan.jpg")],
    ids=["heic", "png", "jpeg"],
)
async def test_an_image_with_the_extension_of_another_image_type_gets_its_own(desk, content, called, kept):
    assert (await desk.upload(content, called)).json()["name"] == kept


async def test_a_stored_name_is_folded(desk, pdf):
    name = (await desk.upload_raw(pdf, " ي\u200fك .pdf")).json()["name"]

    assert fold(name) == name
