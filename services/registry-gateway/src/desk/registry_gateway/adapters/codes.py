"""The codes of the civil registry, spelt as it sends them, and what each asks of us.

They come inside a normal answer. Compared without blanks and case, since buses disagree about both.
"""

from collections.abc import Iterable

from desk.registry_gateway.domain import Klass

CODES = {
    "err.record.not.found": Klass.NOT_FOUND,
    "Nin.Not.Valid": Klass.NOT_FOUND,
    "err.cancellation.nin": Klass.REFER,
    "result.rec.review": Klass.REFER,
    "result.rec.return": Klass.REFER,
    "result.rec.invisible": Klass.REFER,
    "IS_EXCEPTED": Klass.REFER,
    "inquiry.inquiry.required": Klass.BUG,
    "inquiry.unknown.search": Klass.CONFIG,
    "inquiry.outof.max.daily.request": Klass.QUOTA,
    "inquiry.outof.max.response": Klass.BUG,
    "inquiry.time.finished": Klass.RETRY,
    "inquiry.unreadable.image": Klass.IGNORE,
    "You.have.not.permission": Klass.IGNORE,
    "login.time.diny": Klass.CLOSED_HOURS,
    "login.holyday.diny": Klass.CLOSED_HOURS,
    "login.invalid.user": Klass.CONFIG,
    "login.lock.user": Klass.CONFIG,
    "Login.username.required": Klass.CONFIG,
    "Login.password.required": Klass.CONFIG,
    "err.method.diny": Klass.CONFIG,
    "login.service.diny": Klass.CONFIG,
    "login.none.Request": Klass.CONFIG,
    "login.none.Response": Klass.CONFIG,
    "Error inUTF-8Encoding": Klass.BUG,
    "Error inPersonInfoReading": Klass.RETRY,
}


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


_BARE_CODES = {_bare(code): (klass, code) for code, klass in CODES.items()}


def code_in(messages: Iterable[str]) -> tuple[Klass, str] | None:
    """Return the class and spelling of the first code that asks something of us; None if there is none.

    What is said in no known code counts as a bug: somebody has to look at it. Its text is not returned, since nobody
    knows what stands in it.
    """
    for message in messages:
        found = _BARE_CODES.get(_bare(message), (Klass.BUG, "a message of no known code"))
        if found[0] is not Klass.IGNORE:
            return found
    return None
