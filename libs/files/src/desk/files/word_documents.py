"""Checks Word documents (ISO/IEC 29500) without unpacking them to disk."""

import posixpath
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from desk.files.errors import FileDamagedError, FileEncryptedError, FileTypeForbiddenError

_MEMBERS_MAX = 500
_UNPACKED_BYTES_MAX = 100 * 1024 * 1024
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
_CONTENT_TYPES, _RELATIONSHIPS = "[Content_Types].xml", "_rels/.rels"
_TYPES_NAMESPACE = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MAIN_PART_TYPES = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
}
"""The relationship of a package to its main part, transitional and strict."""
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def check_word_document(content: BinaryIO) -> None:
    """Check a zip archive. Raises FileTypeForbiddenError, FileDamagedError or FileEncryptedError.

    The main part is the one that the package's relationships name; its own name does not matter.
    """
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
            if not {_CONTENT_TYPES, _RELATIONSHIPS} <= set(archive.namelist()):
                raise FileTypeForbiddenError("a zip that is not an Office document")
            if any(member.flag_bits & _ENCRYPTED for member in members):
                raise FileEncryptedError
            _require_harmless(members)
            main = _main_part(_xml(archive, _RELATIONSHIPS))
            if _type_of(main, _xml(archive, _CONTENT_TYPES)) != _WORD:
                raise FileTypeForbiddenError("an Office document that is not a Word document, or has macros")
            with archive.open(main) as part:
                while part.read(_CHUNK_BYTES):
                    """Read to the end, where `zipfile` compares the checksum."""
    except _UNREADABLE_ZIP as error:
        raise FileDamagedError("a zip that cannot be read") from error


def _require_harmless(members: list[zipfile.ZipInfo]) -> None:
    if any(map(_is_forbidden, members)):
        raise FileTypeForbiddenError("a Word document with macros, links or unsafe paths")
    if len(members) > _MEMBERS_MAX or sum(member.file_size for member in members) > _UNPACKED_BYTES_MAX:
        raise FileTypeForbiddenError("a Word document that is too large when unpacked")


def _is_forbidden(member: zipfile.ZipInfo) -> bool:
    name = member.filename.replace("\\", "/")
    return (
        name.lower().endswith("vbaproject.bin")
        or ".." in name.split("/")
        or name.startswith("/")
        or stat.S_ISLNK(member.external_attr >> 16)
    )


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    with archive.open(name) as part:
        text = part.read(_XML_BYTES_MAX + 1)
    if len(text) > _XML_BYTES_MAX:
        raise FileTypeForbiddenError("a Word document with an oversized list of parts")
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
