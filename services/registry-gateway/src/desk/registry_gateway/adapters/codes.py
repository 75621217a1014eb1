"""The codes of the civil registry, spelt as it sends them, and what each means for the desk.

They come in a normal answer. They are compared without blanks and case, because buses differ in both.
"""

from collections.abc import Iterable

from desk.registry_gateway.domain import FailureKind

CODES = {
    "err.record.not.found": FailureKind.NOT_FOUND,
    "Nin.Not.Valid": FailureKind.NOT_FOUND,
    "err.cancellation.nin": FailureKind.REFER,
    "result.rec.review": FailureKind.REFER,
    "result.rec.return": FailureKind.REFER,
    "result.rec.invisible": FailureKind.REFER,
    "IS_EXCEPTED": FailureKind.REFER,
    "inquiry.inquiry.required": FailureKind.BUG,
    "inquiry.unknown.search": FailureKind.CONFIG,
    "inquiry.outof.max.daily.request": FailureKind.QUOTA,
    "inquiry.outof.max.response": FailureKind.BUG,
    "inquiry.time.finished": FailureKind.RETRY,
    "inquiry.unreadable.image": FailureKind.IGNORE,
    "You.have.not.permission": FailureKind.IGNORE,
    "login.time.diny": FailureKind.CLOSED_HOURS,
    "login.holyday.diny": FailureKind.CLOSED_HOURS,
    "login.invalid.user": FailureKind.CONFIG,
    "login.lock.user": FailureKind.CONFIG,
    "Login.username.required": FailureKind.CONFIG,
    "Login.password.required": FailureKind.CONFIG,
    "err.method.diny": FailureKind.CONFIG,
    "login.service.diny": FailureKind.CONFIG,
    "login.none.Request": FailureKind.CONFIG,
    "login.none.Response": FailureKind.CONFIG,
    "Error inUTF-8Encoding": FailureKind.BUG,
    "Error inPersonInfoReading": FailureKind.RETRY,
}


def _normalized(text: str) -> str:
    return "".join(text.split()).casefold()


_NORMALIZED_CODES = {_normalized(code): (kind, code) for code, kind in CODES.items()}


def code_in(messages: Iterable[str]) -> tuple[FailureKind, str] | None:
    """Return the kind and spelling of the first code that is not to be ignored, or None.

    An unknown message counts as a bug, which an operator has to look at. Its text is not returned, because it may
    contain personal data.
    """
    for message in messages:
        found = _NORMALIZED_CODES.get(_normalized(message), (FailureKind.BUG, "a message of no known code"))
        if found[0] is not FailureKind.IGNORE:
            return found
    return None
