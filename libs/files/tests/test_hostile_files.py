"""Hostile files are refused, each for its own reason, and files of real programs are not."""

import io

import pytest
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

from desk.files.checks import check_file
from desk.files.errors import FileError, FileMixedError
from desk.files.types import WORD
from desk.testing.hostile_documents import field, word_document
from desk.testing.hostile_files import hostile_files, jpeg_image, pdf_document, png_image

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.mark.parametrize("name", hostile_files())
def test_a_hostile_file_is_refused_for_its_own_reason(name):
    hostile = hostile_files()[name]

    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(hostile.content), hostile.name)

    assert refused.value.code == hostile.code
    assert refused.value.title


def relation(kind, target):
    return f'<Relationship Id="r9" Type="{_OFFICE}/{kind}" Target="{target}" TargetMode="External"/>'


def link(target):
    return relation("hyperlink", target)


def with_a_link(document):
    link = Dictionary(S=Name.URI, URI=String("https://haj.ir"))
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=link)
    document.pages[0].obj.Annots = Array([annotation])


def opened_at_a_page(document):
    document.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([document.pages[0].obj, Name.Fit]))


def with_an_open_form(document):
    field = Dictionary(FT=Name.Tx, T=String("a"))
    document.Root.AcroForm = Dictionary(Fields=Array([document.make_indirect(field)]))


def with_a_picture_of_zip_bytes(document):
    document.pages[0].obj.Contents = Stream(document, b"PK\x03\x04" + bytes(99))


def with_empty_trees_of_names(document):
    empty = document.make_indirect(Dictionary(Names=Array()))
    document.Root.Names = Dictionary(EmbeddedFiles=empty, JavaScript=Dictionary(Kids=Array()))


HARMLESS = {
    "a PDF with empty trees of names": (pdf_document(with_empty_trees_of_names), "a.pdf"),
    "a PDF with a link": (pdf_document(with_a_link), "a.pdf"),
    "a PDF that opens at a page": (pdf_document(opened_at_a_page), "a.pdf"),
    "a PDF with a form": (pdf_document(with_an_open_form), "a.pdf"),
    "a PDF with bytes of a zip": (pdf_document(with_a_picture_of_zip_bytes), "a.pdf"),
    "a document with a link": (word_document(relationships=link("https://haj.ir")), "a.docx"),
    "a document with relative links": (
        word_document(relationships="".join(map(link, ("a.pdf", "../b%20c/d.docx", "/e", "www.haj.ir/a?b=c:d", "")))),
        "a.docx",
    ),
    "a document with links": (
        word_document(relationships="".join(map(link, ("HTTP://haj.ir", "mailto:a@haj.ir", "tel:+9821", "#a")))),
        "a.docx",
    ),
    "a document with fields in fields": (
        word_document(
            body=field("TOC ", result="1")
            + field("=", field("PAGE", result="2"), " - 1", result="1")
            + field("IF ", field("PAGE", result="2"), "= 2 ", "DDE", result="a")
            + field(" HYPERLINK ", "&quot;https://haj.ir/?a=file:b&quot; \\l &quot;top&quot;", result="DDE")
        ),
        "a.docx",
    ),
    "a document with a template of its author": (
        word_document(relationships=relation("attachedTemplate", "file:///C:\\Users\\a\\Normal.dotm")),
        "a.docx",
    ),
    "a document with a page number": (
        word_document(body='<w:fldSimple w:instr=" PAGE "/><w:instrText>HYPERLINK "https://haj.ir"</w:instrText>'),
        "a.docx",
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_real_programs_write_is_accepted(name):
    content, called = HARMLESS[name]

    assert check_file(io.BytesIO(content), called).size == len(content)


FILM = b"\0\0\0\x18ftypmp42" + bytes(12) + (108).to_bytes(4, "big") + b"mdat" + bytes(100)
DIRECTORY = b"SEFH" + bytes(20)
SAMSUNG = b"\0\0\x01\x0aImage_UTC_Data1700000000000" + DIRECTORY + len(DIRECTORY).to_bytes(4, "little") + b"SEFT"


def in_the_trailer(action):
    """Return a PDF whose catalog is a direct object of the trailer."""
    pages = b"1 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
    pages += b"2 0 obj<</Type/Page/Parent 1 0 R/MediaBox[0 0 9 9]>>endobj\n"
    return b"%PDF-1.4\n" + pages + b"trailer<</Root<</Type/Catalog/Pages 1 0 R/OpenAction" + action + b">>>>\n%%EOF\n"


def with_a_chain(document):
    far = document.make_indirect(Dictionary(S=Name.URI, URI=String("https://evil.example")))
    near = document.make_indirect(
        Dictionary(S=Name.GoTo, D=Array([document.pages[0].obj, Name.Fit]), Next=Array([far]))
    )
    document.Root.OpenAction = Dictionary(S=Name.Named, N=Name.NextPage, Next=near)


def with_a_link_to_a_program(document):
    link = Dictionary(S=Name.URI, URI=String("file://evil.example/a.exe"))
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=link)
    document.pages[0].obj.Annots = Array([annotation])


FURTHER = {
    "a catalog in the trailer": (in_the_trailer(b"<</S/JavaScript/JS(app.alert(1))>>"), "a.pdf", "file_active"),
    "an action behind two others": (pdf_document(with_a_chain), "a.pdf", "file_active"),
    "a link to a program": (pdf_document(with_a_link_to_a_program), "a.pdf", "file_active"),
    "a program before a PDF": (b"MZ" + bytes(60) + pdf_document(), "a.pdf", "file_mixed"),
    "a script before a PDF": (b"<script>1</script>\n" + pdf_document(), "a.pdf", "file_mixed"),
    "a comment and a page after a PDF": (pdf_document() + b"\n%\n<html>", "a.pdf", "file_mixed"),
    "a page before Samsung's end": (jpeg_image() + b"<img>" + SAMSUNG, "a.jpg", "file_mixed"),
    "a program in the box of a film": (jpeg_image() + b"\0\0\0\x18ftyp\x7fELF" + bytes(99), "a.jpg", "file_mixed"),
    "two parts of one name": (
        word_document(("word/_rels/a.rels", b"<a/>"), ("word/_rels/A.rels", b"<b/>")),
        "a.docx",
        "file_mixed",
    ),
    "an archive before the document": (word_document() + word_document(), "a.docx", "file_mixed"),
    "a program among the pictures": (word_document(("word/media/x.png", b"MZ")), "a.docx", "file_active"),
    "a template on an encoded share": (
        word_document(relationships=relation("attachedTemplate", "%5C%5Cevil%5Ca.dotm")),
        "a.docx",
        "file_active",
    ),
}


@pytest.mark.parametrize("name", FURTHER)
def test_a_hostile_file_in_another_form_is_refused(name):
    content, called, code = FURTHER[name]

    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(content), called)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "content",
    [
        jpeg_image() + FILM,
        jpeg_image() + SAMSUNG,
        jpeg_image() + bytes(12),
        jpeg_image() + bytes(3) + jpeg_image(),
        png_image() + b"\n",
        pdf_document() + b"\n% a comment\n",
        b"<html>\n" + pdf_document(),
    ],
)
def test_a_file_with_what_phones_and_printers_add_is_accepted_as_it_is(content):
    file = io.BytesIO(content)

    checked = check_file(file, "file")

    assert file.read() == content
    assert checked.size == len(content)


@pytest.mark.parametrize(
    "content",
    [
        jpeg_image() + FILM + b"<SCRIPT>",
        jpeg_image() + b"<svg>SEFT",
        pdf_document() + b"<html>",
        pdf_document() + jpeg_image(),
    ],
)
def test_other_data_after_the_end_is_refused(content):
    with pytest.raises(FileMixedError):
        check_file(io.BytesIO(content), "file")


def test_a_photo_of_fifty_megapixels_is_accepted_and_a_larger_one_is_not():
    written = io.BytesIO()
    Image.new("L", (8192, 6144)).save(written, "JPEG")

    assert check_file(written, "photo.jpg").media_type == "image/jpeg"
    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(png_image(8192, 6145)), "photo.png")
    assert refused.value.code == "image_too_large"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_progressive_photo_of_fifty_megapixels_is_accepted_if_it_is_complete(mode):
    written = io.BytesIO()
    Image.new(mode, (8192, 6144)).save(written, "JPEG", progressive=True, subsampling=0)

    assert check_file(written, "photo.jpg").media_type == "image/jpeg"
    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(written.getvalue()[:-100]), "photo.jpg")
    assert refused.value.code == "file_damaged"


def test_a_small_progressive_photo_is_decoded():
    written = io.BytesIO()
    Image.effect_noise((512, 512), 50).save(written, "JPEG", progressive=True)
    content = bytearray(written.getvalue())
    table = content.index(b"\xff\xc4") + 5  # the lengths of the first Huffman table
    content[table : table + 16] = b"\xff" * 16

    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(content), "photo.jpg")
    assert refused.value.code == "file_damaged"


def test_a_heic_that_says_it_is_huge_is_refused():
    size = (60_000).to_bytes(4, "big")
    meta = b"ispe" + bytes(4) + size + size
    content = (
        (24).to_bytes(4, "big") + b"ftypheic" + bytes(4) + b"mif1heic"
        + (8 + len(meta)).to_bytes(4, "big") + b"meta" + meta
        + (16).to_bytes(4, "big") + b"mdat" + bytes(8)
    )  # fmt: skip

    with pytest.raises(FileError) as refused:
        check_file(io.BytesIO(content), "photo.heic")
    assert refused.value.code == "image_too_large"


def test_an_archive_may_hide_in_no_file_but_a_word_document():
    assert check_file(io.BytesIO(word_document()), "a.docx").media_type == WORD
    with pytest.raises(FileMixedError):
        check_file(io.BytesIO(png_image()[:-12] + word_document()), "a.png")
