"""Hostile files, each with the name under which it is sent and the code with which the desk refuses it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from desk.testing.hostile_documents import active_documents, word_document, zip_of

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless text that every malware scanner finds (EICAR, 1996)."""


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file that must be refused with ``code``."""

    made: bytes | Callable[[], bytes]
    """The content, or a function that returns it: some take seconds, and a worker that only collects needs none."""
    name: str
    code: str

    @property
    def content(self) -> bytes:
        """The content."""
        return self.made if isinstance(self.made, bytes) else self.made()


def pdf_document(change: Callable[[pikepdf.Pdf], None] = lambda _: None) -> bytes:
    """Return a PDF of one page, after a change."""
    written = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(99, 99))
        change(document)
        document.save(written, compress_streams=False)
    return written.getvalue()


def jpeg_image() -> bytes:
    """Return a small JPEG."""
    written = io.BytesIO()
    Image.new("L", (16, 16)).save(written, "JPEG")
    return written.getvalue()


def png_image(width: int = 1, height: int = 1) -> bytes:
    """Return a PNG that says it has this size; it has the data of one pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def _open_action(action: Dictionary) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = action

    return change


def _on_page(annotation: Dictionary) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.Annots = Array([annotation])

    return change


def _embed(document: pikepdf.Pdf) -> None:
    document.attachments["tool.exe"] = b"MZ"


def _forms_in_xfa(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), XFA=pikepdf.Stream(document, b"<xdp/>"))


def _named_script(document: pikepdf.Pdf) -> None:
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), document.make_indirect(script)])))


def _rectangle(subtype: Name, **more: pikepdf.Object) -> Dictionary:
    return Dictionary({"/Type": Name.Annot, "/Subtype": subtype, "/Rect": Array([0, 0, 9, 9])} | _keys(more))


def _keys(values: dict[str, pikepdf.Object]) -> dict[str, pikepdf.Object]:
    return {f"/{name}": value for name, value in values.items()}


@cache
def bomb_in_object_stream(megabytes: int = 600) -> bytes:
    """Return a PDF of less than 1 MB with an object stream that unpacks to so many megabytes."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(b"5 0 " + b"<</A 1>>".ljust(60))]
    parts += [packer.compress(b" " * 1024 * 1024) for _ in range(megabytes)]
    packed = b"".join([*parts, packer.flush()])
    objects = [
        b"1 0 obj\n<</Type /Catalog /Pages 2 0 R /X 5 0 R>>\nendobj\n",
        b"2 0 obj\n<</Type /Pages /Kids [3 0 R] /Count 1>>\nendobj\n",
        b"3 0 obj\n<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>\nendobj\n",
        b"4 0 obj\n<</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d>>\nstream\n" % len(packed)
        + packed
        + b"\nendstream\nendobj\n",
    ]
    body, places = b"%PDF-1.7\n", []
    for each in objects:
        places.append(len(body))
        body += each
    start = len(body)
    entries = [(0, 0, 65535), *((1, place, 0) for place in places), (2, 4, 0), (1, start, 0)]
    table = b"".join(struct.pack(">BIH", *entry) for entry in entries)
    cross = b"6 0 obj\n<</Type /XRef /Size 7 /W [1 4 2] /Root 1 0 R /Length %d>>\nstream\n" % len(table)
    return body + cross + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


def _link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry


@cache
def _large_document() -> bytes:
    """Return a document that unpacks to 600 MB."""
    return word_document(("word/a.xml", bytes(600 * 1024 * 1024)))


@cache
def _lying_size() -> bytes:
    """Return a document whose directory says that a part of 200 MB has one byte."""
    content = bytearray(word_document(("word/big.xml", bytes(200 * 1024 * 1024))))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1)
    return bytes(content)


@cache
def hostile_files() -> dict[str, HostileFile]:
    """Return the files by what is hostile about them."""
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    launch = Dictionary(S=Name.Launch, F=String("cmd.exe"))
    pdfs = {
        "a PDF with a script that runs at once": _open_action(script),
        "a PDF with a named script": _named_script,
        "a PDF that starts a program": _open_action(launch),
        "a PDF that opens a web page by itself": _open_action(
            Dictionary(S=Name.URI, URI=String("https://evil.example"))
        ),
        "a PDF with a button that starts a program": _on_page(_rectangle(Name.Link, A=launch)),
        "a PDF with a script in an annotation": _on_page(_rectangle(Name.Link, AA=Dictionary(E=script))),
        "a PDF that sends its form": _on_page(
            _rectangle(Name.Link, A=Dictionary(S=Name.SubmitForm, F=String("https://evil.example")))
        ),
        "a PDF with an embedded file": _embed,
        "a PDF with a form in XFA": _forms_in_xfa,
        "a PDF with a film": _on_page(_rectangle(Name.RichMedia)),
    }
    return (
        {name: HostileFile(pdf_document(change), "letter.pdf", "file_active") for name, change in pdfs.items()}
        | {name: HostileFile(content, "letter.docx", "file_active") for name, content in active_documents().items()}
        | {
            "a JPEG followed by HTML": HostileFile(jpeg_image() + b"<html><script>", "a.jpg", "file_mixed"),
            "a JPEG followed by a zip": HostileFile(jpeg_image() + zip_of(("a.html", b"<p>")), "a.jpg", "file_mixed"),
            "a PNG followed by HTML": HostileFile(png_image() + b"<html><script>", "a.png", "file_mixed"),
            "a PDF followed by a zip": HostileFile(pdf_document() + zip_of(("a.js", b"1")), "a.pdf", "file_mixed"),
            "a document followed by HTML": HostileFile(word_document() + b"<html>", "a.docx", "file_mixed"),
            "a document that is a PDF as well": HostileFile(
                zip_of(("a%PDF-1.7", b"")) + pdf_document(), "a.docx", "file_mixed"
            ),
            "a PNG of 60,000 by 60,000": HostileFile(png_image(60_000, 60_000), "a.png", "image_too_large"),
            "a document that unpacks to 600 MB": HostileFile(_large_document, "a.docx", "file_too_complex"),
            "a document whose size is a lie": HostileFile(_lying_size, "a.docx", "file_damaged"),
            "a document of 2,000 members": HostileFile(
                word_document(*((f"word/{number}.xml", b"<a/>") for number in range(2_000))),
                "a.docx",
                "file_too_complex",
            ),
            "a document with a way out": HostileFile(word_document(("../a", b"x")), "a.docx", "file_type_forbidden"),
            "a document with a link": HostileFile(
                word_document((_link("word/a.xml"), b"/etc/passwd")), "a.docx", "file_type_forbidden"
            ),
            "a zip in a zip": HostileFile(
                zip_of(("a.zip", zip_of(("b.zip", zip_of()))), ("c", b"")), "a.docx", "file_type_forbidden"
            ),
            "a PDF with a bomb in an object stream": HostileFile(bomb_in_object_stream, "a.pdf", "file_too_complex"),
            "EICAR alone": HostileFile(EICAR, "eicar.pdf", "file_type_forbidden"),
        }
    )


def infected_files() -> dict[str, HostileFile]:
    """Return files that only a malware scanner finds: the signature of EICAR inside accepted files."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive,
        zipfile.ZipFile(io.BytesIO(word_document())) as old,
    ):
        for each in old.infolist():
            archive.writestr(each.filename, old.read(each))
        archive.writestr("word/media/image1.png", EICAR)
    return {
        "EICAR in a PDF": HostileFile(
            pdf_document(lambda document: setattr(document.Root, "Info", pikepdf.Stream(document, EICAR))),
            "letter.pdf",
            "file_infected",
        ),
        "EICAR in a Word document": HostileFile(written.getvalue(), "letter.docx", "file_infected"),
    }
