"""The states of a case, the lists of the pages, and the reports of experts."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """The state of a case."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    OBJECTED = "objected"
    ASKED = "asked"
    UNANSWERED = "unanswered"
    """The applicant has not answered the question; a reply opens the case again."""
    ANSWERED = "answered"
    REJECTED = "rejected"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class Stage(StrEnum):
    """The list of a case; ``INCOMPLETE`` and ``ERASED`` ones are in none.

    An ``INCOMPLETE`` case has later events, but its request has not arrived.
    """

    INCOMPLETE = "unheard"
    OPEN = "open"
    ASKED = "asked"
    DONE = "done"
    ERASED = "erased"


STATE_TITLES: Mapping[State, str] = {
    State.NEW: "تازه رسیده",
    State.IN_PROGRESS: "در دست بررسی",
    State.OBJECTED: "اعتراض متقاضی",
    State.ASKED: "در انتظار متقاضی",
    State.UNANSWERED: "بدون توضیح متقاضی بسته شد",
    State.ANSWERED: "پاسخ داده شد",
    State.REJECTED: "رد شد",
    State.REFERRED: "ارجاع شد",
    State.WITHDRAWN: "متقاضی پس گرفت",
    State.ERASED: "داده پاک شده است",
}


class Kind(StrEnum):
    """A report of an expert."""

    RECEIVED = "case-received"
    ASSIGNED = "case-assigned"
    OPENED = "case-opened"
    ASKED = "case-info-requested"
    ANSWERED = "case-answered"
    REJECTED = "case-rejected"
    REFERRED = "case-referred"
    ERASED = "case-erased"
    TAKEN_OVER = "case-taken-over"
    COMMENTED = "case-commented"
