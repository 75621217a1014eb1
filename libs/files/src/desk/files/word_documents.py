"""Checks Word documents (ISO/IEC 29500) without unpacking them to disk.

The archive comes first: number, sizes and names of its members, and nothing around it. Then its parts: no macros, no
embedded objects, and nothing that Word loads from elsewhere when the document opens.
"""

import posixpath
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from desk.files.errors import (
    FileActiveError,
    FileDamagedError,
    FileEncryptedError,
    FileMixedError,
    FileTooComplexError,
    FileTypeForbiddenError,
)
from desk.files.word_parts import check_field_codes, check_relationships, check_type

OLE_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_EMBEDDED = (OLE_FILE, b"PK\x03\x04", b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"%PDF-")
"""What no part of a Word document begins with: macros, archives, programs, other documents."""
_MEMBERS_MAX = 500
_UNPACKED_BYTES_MAX = 100 * 1024 * 1024
_RATIO_FROM_BYTES, _RATIO_MAX = 10 * 1024 * 1024, 200
"""A document that unpacks to more than 10 MiB may be packed to a two-hundredth, not less."""
_XML_BYTES_MAX = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_UNREADABLE_ZIP = (
    *(zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError, EOFError, KeyError),
    *(struct.error, zlib.error, RuntimeError),
)
"""What `zipfile` raises for an archive that is broken or of an unknown kind."""
_UNREADABLE_XML = (ParseError, DefusedXmlException, UnicodeError)
_ENCRYPTED = 0x1
"""The flag of an archive member that needs a password."""
_END_RECORD = struct.Struct("<4s16xH")
_CONTENT_TYPES, _RELATIONSHIPS = "[Content_Types].xml", "_rels/.rels"
_TYPES_NAMESPACE = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_RELATIONSHIP_ROOTS = {
    "{http://schemas.openxmlformats.org/package/2006/relationships}Relationships",
    "{http://purl.oclc.org/ooxml/package/relationships}Relationships",
}
_MAIN_PART_TYPES = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
}
"""The relationship of a package to its main part, transitional and strict."""
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def check_word_document(content: BinaryIO) -> None:
    """Check a zip archive.

    Raises FileTypeForbiddenError, FileDamagedError, FileEncryptedError, FileActiveError, FileMixedError or
    FileTooComplexError. The main part is the one that the package's relationships name; its own name does not matter.
    """
    end = content.seek(0, 2)
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
            if not {_CONTENT_TYPES, _RELATIONSHIPS} <= set(archive.namelist()):
                raise FileTypeForbiddenError("a zip that is not an Office document")
            if any(member.flag_bits & _ENCRYPTED for member in members):
                raise FileEncryptedError
            _require_bounds(members)
            types = _parse(_read(archive, _CONTENT_TYPES))
            for each in types:
                check_type(each.get("ContentType", ""))
            main = _main_part(_parse(_read(archive, _RELATIONSHIPS)))
            if _type_of(main, types) != _WORD:
                raise FileTypeForbiddenError("an Office document that is not a Word document")
            for member in members:
                is_xml = (_type_of(member.filename, types) or "").lower().endswith("xml")
                _check_member(archive, member, is_xml=is_xml or member.filename == main)
    except _UNREADABLE_ZIP as error:
        raise FileDamagedError("a zip that cannot be read") from error
    _require_nothing_after(content, end)


def _require_bounds(members: list[zipfile.ZipInfo]) -> None:
    if any(map(_is_unsafe, members)):
        raise FileTypeForbiddenError("a Word document with links or unsafe paths")
    if len({member.filename.lower() for member in members}) < len(members):
        raise FileMixedError("a Word document with two parts of one name")
    if min(member.header_offset for member in members) > 0:
        raise FileMixedError("an archive before a Word document")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > _MEMBERS_MAX
        or unpacked > _UNPACKED_BYTES_MAX
        or (unpacked > _RATIO_FROM_BYTES and unpacked > packed * _RATIO_MAX)
    ):
        raise FileTooComplexError("a Word document that is too large when unpacked")


def _is_unsafe(member: zipfile.ZipInfo) -> bool:
    name = member.filename.replace("\\", "/")
    return ".." in name.split("/") or name.startswith("/") or stat.S_ISLNK(member.external_attr >> 16)


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, is_xml: bool) -> None:
    """Read a member to its end, where `zipfile` compares the checksum, and check what it is."""
    name = member.filename.lower()
    with archive.open(member) as part:
        head = part.read(_CHUNK_BYTES)
        if head.startswith(_EMBEDDED) or name.endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs", ".lnk")):
            raise FileActiveError("a Word document with macros or an embedded file")
        while part.read(_CHUNK_BYTES):
            """Read on."""
    if name.endswith(".rels"):
        root = _parse(_read(archive, member.filename))
        if root.tag not in _RELATIONSHIP_ROOTS:
            raise FileDamagedError("a Word document with an unknown list of relationships")
        check_relationships(each for each in root.iter() if each.tag.rpartition("}")[2] == "Relationship")
    elif is_xml or name.endswith(".xml"):
        with archive.open(member) as part:
            check_field_codes(part)


def _require_nothing_after(content: BinaryIO, end: int) -> None:
    """Check that the archive's end record, without a comment, ends the file. Raises FileMixedError."""
    content.seek(max(0, end - _END_RECORD.size))
    record = content.read()
    if len(record) < _END_RECORD.size or _END_RECORD.unpack(record) != (b"PK\x05\x06", 0):
        raise FileMixedError("data after the end of a Word document")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        text = part.read(_XML_BYTES_MAX + 1)
    if len(text) > _XML_BYTES_MAX:
        raise FileTooComplexError("a Word document with an oversized list of parts")
    return text


def _parse(text: bytes) -> Element:
    try:
        root: Element = fromstring(text)
    except _UNREADABLE_XML as error:
        raise FileDamagedError("a Word document whose list of parts cannot be read") from error
    return root


def _main_part(relationships: Element) -> str:
    for each in relationships.iter(_RELATIONSHIP):
        if each.get("Type") in _MAIN_PART_TYPES:
            return posixpath.normpath(each.get("Target", "").lstrip("/"))
    raise FileTypeForbiddenError("a package without a main part")


def _type_of(part: str, types: Element) -> str | None:
    """Return the content type of a part: its own override, else the default of its extension."""
    for each in types.iter(f"{_TYPES_NAMESPACE}Override"):
        if each.get("PartName", "").lstrip("/").lower() == part.lower():
            return each.get("ContentType")
    extension = posixpath.splitext(part)[1].removeprefix(".").lower()
    for each in types.iter(f"{_TYPES_NAMESPACE}Default"):
        if each.get("Extension", "").lower() == extension:
            return each.get("ContentType")
    return None
