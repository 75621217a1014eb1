"""Checks PDF documents (ISO 32000-2) with pikepdf: they open without a password and have nothing that acts.

Refused are scripts, actions that start programs, send data or load other files (section 12.6), embedded files (7.11.4)
and forms in XFA (annex K). Links to web pages and jumps within the document are normal and accepted.
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pikepdf

from desk.files.errors import FileActiveError, FileDamagedError, FileEncryptedError, FileMixedError, FileTooComplexError
from desk.files.images import PADDING

HEADER, HEADER_WITHIN = b"%PDF-", 1024
"""Readers accept the header within the first 1,024 bytes (ISO 32000-1, H.3.4.1)."""
_END, _END_WITHIN = b"%%EOF", 2048
_COMMENT = b"%"
_FOREIGN = re.compile(
    rb"^(MZ|\x7fELF|#!|GIF8|%!PS|PK|Rar!|7z|\xff\xd8|\x89PNG|\xd0\xcf)|<(script|iframe|svg)", re.IGNORECASE
)
"""Real programs write line ends, or the headers of a web page, before the header of a PDF; programs do not begin so."""
_OBJECTS_MAX = 200_000
_DEPTH_MAX = 50
_FORBIDDEN_ACTIONS = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"),
    *("/Rendition", "/Sound", "/Movie", "/RichMediaExecute"),
}
_WITHOUT_A_CLICK = {"/GoTo", "/Named"}
"""The only actions accepted when the document opens or a page is shown."""
_ACTIVE_KEYS = {"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA", "/OnInstantiate"}
_NAME_TREES = {"/JavaScript", "/EmbeddedFiles"}
"""Of the active keys those that name trees have; many programs write them empty."""
_ACTIVE_SUBTYPES = {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
_LINKS = ("http://", "https://", "mailto:", "tel:", "#")


def check_pdf(content: BinaryIO) -> None:
    """Check a PDF.

    Raises FileDamagedError, FileEncryptedError, FileActiveError, FileMixedError or FileTooComplexError.
    """
    data = content.read()
    end = data.rfind(_END)
    if end < 0 or len(data.rstrip(PADDING)) - end > _END_WITHIN:
        raise FileDamagedError("a PDF without its end")
    after = data[end + len(_END) :].replace(b"\r", b"\n").split(b"\n")
    if any(line.strip(PADDING) and not line.startswith(_COMMENT) for line in after):
        raise FileMixedError("data after the end of a PDF")
    if _FOREIGN.search(data[: data.find(HEADER)]):
        raise FileMixedError("a program or another document before the header of a PDF")
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
    for each in (document.trailer, *document.objects):
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
    for active in sorted(keys & _ACTIVE_KEYS):
        if active not in _NAME_TREES or not _is_empty_tree(found[active]):
            raise FileActiveError(f"a PDF with {active}")
    kind, subtype = _name(found, "/S"), _name(found, "/Subtype")
    if kind in _FORBIDDEN_ACTIONS or subtype in _ACTIVE_SUBTYPES:
        raise FileActiveError(f"a PDF with {kind or subtype}")
    if kind == "/URI" and not str(found.get("/URI", "")).strip().lower().startswith(_LINKS):
        raise FileActiveError("a PDF with a link to something else than a web page")
    for trigger in keys & {"/OpenAction", "/AA"}:
        _require_harmless_trigger(found[trigger], _DEPTH_MAX)


def _is_empty_tree(tree: pikepdf.Object) -> bool:
    """Return whether a name tree (ISO 32000-2, 7.9.6) has neither names nor branches."""
    if not isinstance(tree, pikepdf.Dictionary):
        return False
    parts = (tree.get("/Names"), tree.get("/Kids"))
    return all(part is None or (isinstance(part, pikepdf.Array) and len(part) == 0) for part in parts)


def _require_harmless_trigger(action: pikepdf.Object, depth: int) -> None:
    """Check what happens without a click, and what follows it, through references."""
    if depth == 0:
        raise FileTooComplexError("a PDF with a chain of actions")
    if isinstance(action, pikepdf.Array):
        targets: list[pikepdf.Object] = list(action)  # of /Next, or a destination, which has no dictionary with /S
    elif isinstance(action, pikepdf.Dictionary):
        kind = _name(action, "/S")
        if kind is not None and kind not in _WITHOUT_A_CLICK:
            raise FileActiveError(f"a PDF that runs {kind} when it is opened")
        targets = [action["/Next"]] if kind is not None and "/Next" in action else []
        targets += list(action.values()) if kind is None and _name(action, "/Type") is None else []
    else:
        return
    for each in targets:
        if isinstance(each, pikepdf.Dictionary | pikepdf.Array):
            _require_harmless_trigger(each, depth - 1)


def _name(of: pikepdf.Object, key: str) -> str | None:
    value = of.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else None
