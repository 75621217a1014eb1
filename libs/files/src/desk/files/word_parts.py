"""Checks the parts of a Word document: their types, their relationships and the codes of their fields."""

import re
import unicodedata
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
_SAFE_LINK = re.compile("(https?://|mailto:|tel:|#)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\\|[\\/]{2}|[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""A share or an address; anything else is a path relative to the document."""
_LOCAL_TEMPLATE = re.compile(r"(file:///)?([A-Za-z]:[\\/])?(?![\\/])[^:]*", re.IGNORECASE)
"""The template on the author's own machine, which Word names in many documents."""
_DECODINGS_MAX = 5
_IGNORED = re.compile("[\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Characters without a shape, which could divide a word."""
_ACTIVE_FIELDS = re.compile(
    r"(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT|INCLUDE|LINK|DATABASE|RD)\b|HYPERLINK\b.*[\s\"](\\{2}|file:|smb:)",
    re.IGNORECASE | re.DOTALL,
)
"""Fields that run programs or load other files (ISO/IEC 29500-1, 17.16.5), and links to programs and shares."""
_BEFORE_NAMES = ' \t\r\n\xa0"“”'
_CODE_TEXTS = {"instrText", "delInstrText"}
_TEXTS = _CODE_TEXTS | {"t", "delText"}
_NAMED = re.compile(r"=|\S+\s")
"""A code whose name has ended; a formula has none."""
_FIELD_LENGTH_MAX = 10_000
_OPEN_FIELDS_MAX = 100
_XML_PART_BYTES_MAX = 32 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def check_type(content_type: str) -> None:
    """Check the content type of a part. Raises FileActiveError."""
    if _ACTIVE_TYPES.search(content_type):
        raise FileActiveError("a Word document with a part of an active type")


def check_relationships(relationships: Iterable[Element]) -> None:
    """Check what parts refer to. Raises FileActiveError; links that a reader clicks are accepted."""
    for each in relationships:
        kind, target = each.get("Type", "").strip(), _decoded(each.get("Target", ""))
        external = each.get("TargetMode", "Internal").strip().lower() != "internal"
        if kind.endswith("/attachedTemplate") and _LOCAL_TEMPLATE.fullmatch(target):
            continue
        if _ACTIVE_RELATIONSHIPS.search(kind):
            raise FileActiveError("a Word document with an embedded or remote part")
        elsewhere = _ELSEWHERE.match(target) and not _SAFE_LINK.match(target)
        if elsewhere or (not _LINK.search(kind) and (external or _SAFE_LINK.match(target))):
            raise FileActiveError("a Word document that loads something from elsewhere")


def _decoded(target: str) -> str:
    """Return a target without percent-encoding, however often it was encoded, and without invisible characters."""
    for _ in range(_DECODINGS_MAX):
        target = unquote(target)
    return _IGNORED.sub("", target).strip()


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
    """Puts together the code of each field, as Word does.

    A field has its code between the ``fldChar`` of types ``begin`` and ``separate`` (or ``end``), in several runs.
    The result of a field within that code is part of it. ``fldSimple`` has its code in an attribute.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse_document_type
        self._open: list[str | None] = []
        """The code of each field that has begun and not ended, the innermost last; none once its result has begun."""
        self._stray = ""
        """Codes outside of fields, which belong to none."""
        self._element = ""

    def finish(self) -> None:
        """Check the codes of fields that have not ended. Raises FileActiveError."""
        for code in (self._stray, *self._open):
            _check_code(code or "")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._element = tag.rpartition(":")[2]
        own = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if self._element == "fldSimple":
            self._require_complete_name()
            _check_code(_joined("", own.get("instr", "")))
        elif self._element == "fldChar":
            self._mark(own.get("fldCharType", "begin"))

    def _mark(self, kind: str) -> None:
        _check_code(self._stray)
        self._stray = ""
        if kind == "begin":
            self._require_complete_name()
            self._open.append("")
            if len(self._open) > _OPEN_FIELDS_MAX:
                raise FileTooComplexError("a Word document with fields nested too deeply")
        elif self._open:
            _check_code(self._open.pop() or "")
            if kind == "separate":
                self._open.append(None)

    def _require_complete_name(self) -> None:
        """Refuse a field within the name of another, which would hide that name. Raises FileActiveError."""
        code = self._open[-1] if self._open else None
        if code is not None and not _NAMED.match(code):
            raise FileActiveError("a Word document with a field whose name is put together by another")

    def _end(self, _tag: str) -> None:
        self._element = ""

    def _text(self, text: str) -> None:
        if self._element not in _TEXTS:
            return
        at = next((at for at in reversed(range(len(self._open))) if self._open[at] is not None), None)
        if at is not None:
            self._open[at] = _joined(self._open[at] or "", text)
        elif self._element in _CODE_TEXTS:
            self._stray = _joined(self._stray, text)


def _joined(code: str, text: str) -> str:
    """Return the beginning of a field's code in plain letters, from its name on."""
    if len(code) >= _FIELD_LENGTH_MAX:
        return code
    plain = _IGNORED.sub("", unicodedata.normalize("NFKC", code + text))
    return plain.lstrip(_BEFORE_NAMES)[:_FIELD_LENGTH_MAX]


def _check_code(code: str) -> None:
    if _ACTIVE_FIELDS.match(code):
        raise FileActiveError("a Word document with a field that runs or loads something")


def _refuse_document_type(*_: object) -> NoReturn:
    raise FileDamagedError("a Word document with a document type declaration")
