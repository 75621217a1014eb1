"""Checks PDF documents (ISO 32000-2) with pikepdf: they open without a password and have nothing that acts.

Refused are scripts, actions that start programs, send data or load other files (section 12.6), embedded files (7.11.4)
and forms in XFA (annex K). Links to web pages and jumps within the document are normal and accepted.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pikepdf

from desk.files.errors import FileActiveError, FileDamagedError, FileEncryptedError, FileMixedError, FileTooComplexError
from desk.files.images import PADDING

HEADER, HEADER_WITHIN = b"%PDF-", 1024
"""Readers accept the header within the first 1,024 bytes (ISO 32000-1, H.3.4.1)."""
_END, _END_WITHIN = b"%%EOF", 2048
_COMMENT = b"%"
_OBJECTS_MAX = 200_000
_DEPTH_MAX = 50
_FORBIDDEN_ACTIONS = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"),
    *("/Rendition", "/Sound", "/Movie", "/RichMediaExecute"),
}
_WITHOUT_A_CLICK = {"/GoTo", "/Named"}
"""The only actions accepted when the document opens or a page is shown."""
_ACTIVE_KEYS = {"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA"}
_ACTIVE_SUBTYPES = {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen"}


def check_pdf(content: BinaryIO) -> None:
    """Check a PDF.

    Raises FileDamagedError, FileEncryptedError, FileActiveError, FileMixedError or FileTooComplexError.
    """
    data = content.read()
    end = data.rfind(_END)
    if end < 0 or len(data.rstrip(PADDING)) - end > _END_WITHIN:
        raise FileDamagedError("a PDF without its end")
    after = data[end + len(_END) :].strip(PADDING)
    if after and not after.startswith(_COMMENT):
        raise FileMixedError("data after the end of a PDF")
    content.seek(0)
    try:
        with pikepdf.open(content) as document:
            if len(document.pages) == 0:
                raise FileDamagedError("a PDF without pages")
            _require_passive(document)
            _require_decoded(document.get_warnings())
    except pikepdf.PasswordError as error:
        raise FileEncryptedError from error
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError) as error:
        raise FileDamagedError("a PDF that cannot be opened") from error


def _require_passive(document: pikepdf.Pdf) -> None:
    if len(document.objects) > _OBJECTS_MAX:
        raise FileTooComplexError("a PDF with too many objects")
    for each in document.objects:
        for found in _dictionaries(each, _DEPTH_MAX):
            _require_passive_dictionary(found)


def _require_decoded(warnings: Iterable[object]) -> None:
    """Refuse a PDF with objects that were not seen. Raises FileTooComplexError or FileDamagedError."""
    texts = [str(each) for each in warnings]
    if any("bad_alloc" in text for text in texts):
        raise FileTooComplexError("a PDF that is too large when unpacked")
    if any("error decoding" in text for text in texts):
        raise FileDamagedError("a PDF with objects that cannot be unpacked")


def _dictionaries(value: pikepdf.Object, depth: int) -> Iterator[pikepdf.Object]:
    """Yield the dictionaries in an object, without following references: those are objects of their own."""
    if depth == 0:
        raise FileTooComplexError("a PDF with objects nested too deeply")
    if isinstance(value, pikepdf.Stream):
        value = value.stream_dict
    if isinstance(value, pikepdf.Dictionary):
        yield value
        children = list(value.values())
    elif isinstance(value, pikepdf.Array):
        children = list(value)
    else:
        return
    for child in children:
        if isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect:
            yield from _dictionaries(child, depth - 1)


def _require_passive_dictionary(found: pikepdf.Object) -> None:
    keys = set(found.keys())
    if active := keys & _ACTIVE_KEYS:
        raise FileActiveError(f"a PDF with {min(active)}")
    kind, subtype = _name(found, "/S"), _name(found, "/Subtype")
    if kind in _FORBIDDEN_ACTIONS or subtype in _ACTIVE_SUBTYPES:
        raise FileActiveError(f"a PDF with {kind or subtype}")
    for trigger in keys & {"/OpenAction", "/AA"}:
        _require_harmless_trigger(found[trigger])


def _require_harmless_trigger(action: pikepdf.Object) -> None:
    for each in _dictionaries(action, _DEPTH_MAX):
        linked = (child for child in each.values() if isinstance(child, pikepdf.Dictionary) and child.is_indirect)
        for found in (each, *linked):
            kind = _name(found, "/S")
            if kind is not None and kind not in _WITHOUT_A_CLICK:
                raise FileActiveError(f"a PDF that runs {kind} when it is opened")


def _name(of: pikepdf.Object, key: str) -> str | None:
    value = of.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else None
