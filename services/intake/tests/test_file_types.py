import io
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from desk.chassis.problem import DomainError
from desk.intake.service.file_checks import check_file
from desk.iran.digits import fold


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


def pdf_file():
    written = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(9, 9))
        document.save(written)
    return written.getvalue()


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENT_TYPES = "[Content_Types].xml"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    f'<Default Extension="xml" ContentType="{MAIN}"/></Types>'
)
RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{part}"/>'
    "</Relationships>"
)
PDF = pdf_file()
FILES = Path(__file__).parent / "files"


def png(width=1, height=1):
    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def jpeg(size=(4, 4)):
    written = io.BytesIO()
    Image.new("L", size).save(written, "JPEG")
    return written.getvalue()


def heic(major=b"heic", compatible=b"mif1heic"):
    brands = (16 + len(compatible)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + compatible
    return brands + (8).to_bytes(4, "big") + b"meta" + (16).to_bytes(4, "big") + b"mdat" + bytes(8)


def zipped(*members):
    """Zip pairs of a name (or ZipInfo) and a content."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def docx(*more, types=TYPES, part="word/document.xml"):
    return zipped(
        (CONTENT_TYPES, types), ("_rels/.rels", RELATIONSHIPS.format(part=part)), (part, "<w:document/>"), *more
    )


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
    "a PDF": (PDF, "letter.pdf", "application/pdf", "letter.pdf"),
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
    "a broken zip": (b"PK\x03\x04" + bytes(60), "letter.docx", "file_damaged"),
    "a document cut short": (docx()[:-30], "letter.docx", "file_damaged"),
    "a document with macros": (docx(("word/vbaProject.bin", "x")), "letter.docx", "file_active"),
    "a document with MACROS": (docx(("word/VBAPROJECT.BIN", "x")), "letter.docx", "file_active"),
    "a document with a way out": (docx(("../../etc/passwd", "x")), "letter.docx", "file_type_forbidden"),
    "a document with an absolute path": (docx(("/etc/passwd", "x")), "letter.docx", "file_type_forbidden"),
    "a document with a link": (docx((link("word/a.xml"), "/etc/passwd")), "letter.docx", "file_type_forbidden"),
    "a document that swells": (docx(("word/a.xml", bytes(101 * 1024**2))), "letter.docx", "file_too_complex"),
    "a document of 600 parts": (docx(*((f"word/{n}", "") for n in range(600))), "a.docx", "file_too_complex"),
    "a document under lock": (docx_that_says(8, b"\x01\x00"), "letter.docx", "file_encrypted"),
    "a document of a future zip": (docx_that_says(6, b"\xff\x00"), "letter.docx", "file_damaged"),
    "a document whose main part has macros": (docx(types=TYPES.replace(MAIN, MACROS)), "a.docx", "file_active"),
    "a document with hostile XML": (docx(types=f"<!DOCTYPE a [<!ENTITY b 'c'>]>{TYPES}"), "a.docx", "file_damaged"),
    "a PDF without pages": (
        PDF.replace(b"/Count 1", b"/Count 0").replace(b"/Kids [ ", b"/Kids [ ] /X [ "),
        "a.pdf",
        "file_damaged",
    ),
    "a PDF that is cut": (PDF[:-40], "letter.pdf", "file_damaged"),
    "a HEIC that is cut": (heic()[:-1], "IMG_1.heic", "file_damaged"),
    "a PNG that is cut": (png()[:-14], "scan.png", "file_damaged"),
    "a JPEG that is cut": (jpeg((400, 400))[:-100], "photo.jpg", "file_damaged"),
    "a Word document with a password": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600),
        "letter.docx",
        "file_encrypted",
    ),
    "an old Word document": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1200), "letter.doc", "file_type_forbidden"),
    "a PNG of 90 million pixels": (png(9500, 9500), "scan.png", "image_too_large"),
    "a PDF named .png": (PDF, "scan.png", "file_type_mismatch"),
    "a PDF named .docx": (PDF, "letter.DOCX", "file_type_mismatch"),
    "a picture named .pdf": (png(), "scan.pdf", "file_type_mismatch"),
    "a document named .jpg": (docx(), "photo.jpg", "file_type_mismatch"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_with_a_forbidden_type_or_a_wrong_extension_is_refused(desk, problem_of, name):
    content, called, code = REFUSED[name]

    status = 415 if code in {"file_type_forbidden", "file_type_mismatch"} else 422
    problem = problem_of(await desk.upload(content, called), status)

    assert problem["code"] == code
    assert [error["field"] for error in problem["errors"]] == ["file"]
    assert await desk.count("attachment") == 0
    assert await desk.objects() == set()


def test_a_zip_with_any_byte_of_its_directory_changed_is_accepted_or_refused():
    whole, taken, refused = docx(), 0, 0

    for position in range(whole.index(b"PK\x01\x02"), len(whole)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(whole)
            changed[position] ^= change
            try:
                checked = check_file(io.BytesIO(changed), "letter.docx")
            except DomainError:
                refused += 1
            else:
                taken += checked.media_type == WORD

    assert taken + refused == 3 * (len(whole) - whole.index(b"PK\x01\x02"))
    assert taken
    assert refused


REAL = {
    "brand-heix.heic": "image/heic",
    "brand-mif1-heix.heic": "image/heic",
    "brand-heim.heic": "image/heic",
    "word365-document2.docx": WORD,
    "media-two-dots.docx": WORD,
    "leading-newlines.pdf": "application/pdf",
    "leading-html.pdf": "application/pdf",
    "apng.png": "image/png",
}


@pytest.mark.parametrize("name", REAL)
async def test_a_file_as_real_programs_write_it_is_accepted(desk, name):
    answer = await desk.upload((FILES / name).read_bytes(), name)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["media_type"], answer.json()["name"]) == (REAL[name], name)


@pytest.mark.parametrize(
    ("name", "code"),
    [("password.pdf", "file_encrypted"), ("truncated.pdf", "file_damaged"), ("cut.jpg", "file_damaged")],
)
async def test_a_file_that_an_expert_could_not_open_is_refused_with_advice(desk, problem_of, name, code):
    problem = problem_of(await desk.upload((FILES / name).read_bytes(), name), 422)

    assert problem["code"] == code
    assert "بفرستید" in problem["title"]
    assert await desk.objects() == set()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jfif", "photo.jpg"),
        ("1000012345", "1000012345.jpg"),
        ("image", "image.jpg"),
        ("scan.jpe", "scan.jpg"),
        ("scan.jpg ", "scan.jpg"),
        ("scan.jpg\u200b", "scan.jpg"),
    ],
)
async def test_a_file_with_an_unusual_name_gets_the_extension_of_its_content(desk, name, kept):
    answer = await desk.upload_raw((FILES / "photo.jfif").read_bytes(), name)

    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == kept


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
