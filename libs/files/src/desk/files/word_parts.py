"""Checks the parts of a Word document: their types, their relationships and the codes of their fields."""

import re
from collections.abc import Iterable, Mapping
from typing import IO, NoReturn
from urllib.parse import unquote
from xml.etree.ElementTree import Element
from xml.parsers import expat

from desk.files.errors import FileActiveError, FileDamagedError, FileTooComplexError

_ACTIVE_TYPES = re.compile("macroenabled|vbaproject|vbadata|activex|oleobject|ms-word.attachedtoolbars", re.IGNORECASE)
"""In the content type of a part."""
_ACTIVE_RELATIONSHIPS = re.compile(
    "/(vbaProject|wordVbaData|attachedToolbars|keyMapCustomizations|control|activeXControlBinary|oleObject|package|"
    "aFChunk|frame|subDocument|attachedTemplate|externalLink|customUI|recipientData|mailMergeSource)$",
    re.IGNORECASE,
)
_LINK = re.compile("/hyperlink$")
_SAFE_TARGET = re.compile(r"(https?://|mailto:|tel:|#)", re.IGNORECASE)
_LOCAL_TEMPLATE = re.compile(r"(file:///)?([A-Za-z]:[\\/])?(?![\\/])[^:]*", re.IGNORECASE)
"""The template on the author's own machine, which Word names in many documents."""
_ACTIVE_FIELDS = re.compile(
    r"\s*(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT|INCLUDE|LINK|DATABASE)\b", re.IGNORECASE
)
"""Fields that run programs or load other files (ISO/IEC 29500-1, 17.16.5)."""
_FIELD_LENGTH_MAX = 10_000
_XML_PART_BYTES_MAX = 32 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def check_type(content_type: str) -> None:
    """Check the content type of a part. Raises FileActiveError."""
    if _ACTIVE_TYPES.search(content_type):
        raise FileActiveError("a Word document with a part of an active type")


def check_relationships(relationships: Iterable[Element]) -> None:
    """Check what parts refer to. Raises FileActiveError; links that a reader clicks are accepted."""
    for each in relationships:
        kind, target = each.get("Type", "").strip(), unquote(each.get("Target", "")).strip()
        external = each.get("TargetMode", "Internal").strip().lower() != "internal"
        if kind.endswith("/attachedTemplate") and _LOCAL_TEMPLATE.fullmatch(target):
            continue
        if _ACTIVE_RELATIONSHIPS.search(kind):
            raise FileActiveError("a Word document with an embedded or remote part")
        if external and not (_LINK.search(kind) and _SAFE_TARGET.match(target)):
            raise FileActiveError("a Word document that loads something from elsewhere")


def check_field_codes(part: IO[bytes]) -> None:
    """Check the fields of an XML part, as they are put together from runs.

    Raises FileActiveError; FileDamagedError if the part is no XML; FileTooComplexError if it is too large.
    """
    fields = _Fields()
    size = 0
    try:
        while chunk := part.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > _XML_PART_BYTES_MAX:
                raise FileTooComplexError("a Word document with an oversized part")
            fields.parser.Parse(chunk, False)
        fields.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FileDamagedError("a Word document with a part that is no XML") from error
    fields.finish()


class _Fields:
    """Collects the code of each field: the text of ``instrText`` between two ``fldChar``, or of ``fldSimple``."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse_document_type
        self._code = ""
        self._within = False

    def finish(self) -> None:
        """Check the code that no ``fldChar`` has ended. Raises FileActiveError."""
        if _ACTIVE_FIELDS.match(self._code):
            raise FileActiveError("a Word document with a field that runs or loads something")
        self._code = ""

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "fldChar":
            self.finish()
        elif name == "fldSimple":
            self._code = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "instr"), "")
            self.finish()
        self._within = name == "instrText"

    def _end(self, _tag: str) -> None:
        self._within = False

    def _text(self, text: str) -> None:
        if self._within:
            self._code = (self._code + text)[:_FIELD_LENGTH_MAX]


def _refuse_document_type(*_: object) -> NoReturn:
    raise FileDamagedError("a Word document with a document type declaration")
