"""The client library for offices: receive the desk's events, send the experts' reports."""

from desk.expert.case import Case
from desk.expert.catalog import Catalog, Subject
from desk.expert.encryption import DeskKeys, PrivateKeys
from desk.expert.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    CallRefusedError,
    CatalogUnavailableError,
    DecryptionError,
    DeskKeysUnavailableError,
    ExpertError,
    FiguresRefusedError,
    FileDamagedError,
    FileRefusedError,
    InvalidReportError,
    KeysExistError,
    KeysMissingError,
)
from desk.expert.events import (
    CONSUMED,
    Answer,
    CaseEvent,
    Comment,
    Erasure,
    Escalation,
    FileReference,
    Objection,
    PastEntry,
    Refusal,
    Reply,
    Request,
    Silence,
    Stay,
    TakeOver,
    Titled,
    read,
)
from desk.expert.figures import Figure, Figures, FigureSet
from desk.expert.files import Attachment, Files
from desk.expert.inbox import Inbox
from desk.expert.keys import OfficeKeys
from desk.expert.memory import Memory, SqliteMemory
from desk.expert.reports import Report, Reports

__all__ = [
    "CONSUMED",
    "Answer",
    "Attachment",
    "BrokerRefusedError",
    "BrokerUnavailableError",
    "CallRefusedError",
    "Case",
    "CaseEvent",
    "Catalog",
    "CatalogUnavailableError",
    "Comment",
    "DecryptionError",
    "DeskKeys",
    "DeskKeysUnavailableError",
    "Erasure",
    "Escalation",
    "ExpertError",
    "Figure",
    "FigureSet",
    "Figures",
    "FiguresRefusedError",
    "FileDamagedError",
    "FileReference",
    "FileRefusedError",
    "Files",
    "Inbox",
    "InvalidReportError",
    "KeysExistError",
    "KeysMissingError",
    "Memory",
    "Objection",
    "OfficeKeys",
    "PastEntry",
    "PrivateKeys",
    "Refusal",
    "Reply",
    "Report",
    "Reports",
    "Request",
    "Silence",
    "SqliteMemory",
    "Stay",
    "Subject",
    "TakeOver",
    "Titled",
    "read",
]
